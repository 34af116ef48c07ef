"""The commands as programs call them: contracts, exit codes, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from classifiers.labels import LABELS, SIGNALS
from triage.demo.fixtures import fixtures_folder


def triage(
    *arguments: str, stdin: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "triage", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")},
    )


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_help_needs_no_heavy_import() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys, triage.cli.app\n"
                "print([m for m in ('torch', 'transformers', 'whisper', 'faster_whisper', 'av',"
                " 'sqlalchemy', 'sklearn', 'structlog',"
                " 'pydantic_settings', 'imapclient') if m in sys.modules])"
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "[]"
    assert triage("--help").returncode == 0


def test_classify_answers_a_hundred_lines_in_order() -> None:
    asked = []
    for path in sorted((fixtures_folder() / "corpus").glob("dev-*.jsonl")):
        for line in path.read_text().splitlines()[:100]:
            item = json.loads(line)
            wanted = ("id", "channel", "business", "from", "to", "subject", "body", "text")
            asked.append({name: item[name] for name in wanted if name in item})
    asked = asked[:100]
    done = triage("classify", "-", stdin="\n".join(json.dumps(item) for item in asked))
    assert done.returncode == 0, done.stderr
    answers = lines(done.stdout)
    assert [answer["id"] for answer in answers] == [item["id"] for item in asked]
    for item, answer in zip(asked, answers, strict=True):
        assert set(answer) == {
            "id", "label", "confidence", "scores", "abstained", "outcome", "score", "grade",
            "signals", "model",
        }  # fmt: skip
        assert set(answer["scores"]) == set(LABELS)
        assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-3)
        assert answer["confidence"] == max(answer["scores"].values())
        assert set(answer["signals"]) == set(SIGNALS)
        assert answer["outcome"] in {"forward", "review", "nurture", "file"}
        assert "@" in answer["model"]
        if answer["label"] == "lead":
            assert 0 <= answer["score"] <= 100
            assert answer["grade"] in {"A", "B", "C", "D"}
        else:
            assert answer["score"] is None
        check_evidence(item, answer)


def test_classify_says_by_which_words_and_how_the_business_fits() -> None:
    asked = {"channel": "email", "body": "Please quote for four new tyres on our delivery van."}
    businesses = ("Tyres and wheels, fitted while you wait", "Ballet for children", "Kestrel Group")
    given = [{"id": name, "business": name} | asked for name in businesses]
    done = triage("classify", "--explain", "-", stdin="\n".join(map(json.dumps, given)))
    assert done.returncode == 0, done.stderr
    near, far, nameless = lines(done.stdout)
    assert near["explanation"]
    for word in near["explanation"]:
        assert asked["body"][word["start"] : word["end"]] == word["text"]
    assert far["business_fits"] < 0.3
    assert near["business_fits"] > 0.8
    assert nameless["business_fits"] is None  # a name that tells no trade is compared with nothing


def check_evidence(item: dict[str, Any], answer: dict[str, Any]) -> None:
    fields = {
        "text": item.get("body") or item.get("text"),
        "subject": item.get("subject") or "",
        "sender": item.get("from") or "",
    }
    for signal in answer["signals"].values():
        for evidence in signal["evidence"] if signal else ():
            source = fields[evidence["field"]]
            assert source[evidence["start"] : evidence["end"]] == evidence["quote"]


def test_a_bad_line_is_answered_and_the_others_too() -> None:
    good = {"id": 7, "channel": "email", "body": "Could you quote us for two furnaces?"}
    stdin = "\n".join(
        [
            "{not json",
            json.dumps(good),
            json.dumps({"id": "x", "channel": "fax", "body": "hello"}),
            json.dumps({"id": "y", "channel": "call"}),
            json.dumps(["a", "list"]),
            json.dumps({"channel": "email", "body": "no id"}),
            json.dumps({"id": "z", "channel": "email", "body": "hi", "business": 3}),
        ]
    )
    done = triage("classify", "-", stdin=stdin)
    assert done.returncode == 1
    answers = lines(done.stdout)
    assert [answer["id"] for answer in answers] == [None, 7, "x", "y", None, None, "z"]
    assert answers[1]["label"] == "lead"
    for number, part in ((0, "line 1"), (2, "channel"), (3, "body"), (6, "business")):
        assert part in answers[number]["error"]


def test_classify_reads_mails_too() -> None:
    mails = sorted((fixtures_folder() / "mail").glob("*.eml"))[:4]
    done = triage("classify", *map(str, mails))
    assert done.returncode == 0, done.stderr
    assert [answer["id"] for answer in lines(done.stdout)] == [str(mail) for mail in mails]


def test_transcribe_answers_for_every_recording_of_a_folder(tmp_path: Path) -> None:
    calls = fixtures_folder() / "calls"
    short = sorted(
        (path for path in calls.iterdir() if path.suffix in {".wav", ".mp3", ".flac", ".ogg"}),
        key=lambda path: path.stat().st_size,
    )[:2]
    for path in short:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.mp3").write_text("this is a text file")
    done = triage("transcribe", "--json", str(tmp_path))
    assert done.returncode == 1
    answers = {Path(answer["file"]).name: answer for answer in lines(done.stdout)}
    assert set(answers) == {"broken.mp3", *(path.name for path in short)}
    assert "broken.mp3" not in answers["broken.mp3"].get("text", "")
    assert answers["broken.mp3"]["error"]
    for path in short:
        answer = answers[path.name]
        assert {"duration_s", "language", "engine", "model", "partial", "warnings"} <= set(answer)
        for segment in answer["segments"]:
            assert segment["speaker"] in {"agent", "caller", "unknown"}
            assert 0 <= segment["start"] <= segment["end"] <= answer["duration_s"] + 1
            assert 0 <= segment["confidence"] <= 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["classify", "nothing.jsonl"], "no such file"),
        (["transcribe", "nowhere"], "no such file"),
        (["evaluate", "nothing.jsonl"], "nothing.jsonl"),
        (["run"], "triage init"),
        (["inquiries", "list"], "triage init"),
        (["-s", "missing.toml", "poll"], "missing.toml"),
        (["transcribe", "--engine", "magic", "."], "faster-whisper"),
    ],
)
def test_wrong_usage_says_what_to_do_and_ends_with_two(
    arguments: list[str], part: str, tmp_path: Path
) -> None:
    done = triage(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_settings_that_load_and_overwrites_nothing(tmp_path: Path) -> None:
    assert triage("init", cwd=tmp_path).returncode == 0
    secret = tmp_path / "secrets" / "webhook-secret"
    assert secret.read_text().startswith("whsec_")
    assert secret.stat().st_mode & 0o077 == 0
    again = triage("init", cwd=tmp_path)
    assert again.returncode == 2
    assert "already" in again.stderr
    upgraded = triage("db", "upgrade", cwd=tmp_path)
    assert upgraded.returncode == 0, upgraded.stderr
    listed = triage("inquiries", "list", "--json", cwd=tmp_path)
    assert (listed.returncode, listed.stdout) == (0, "")


def test_doctor_names_what_is_wrong_and_never_shows_a_secret(tmp_path: Path) -> None:
    (tmp_path / "triage.toml").write_text(
        '[[sources]]\nkind = "imap"\nname = "inbox"\nhost = "127.0.0.1"\nport = 1\n'
        'security = "none"\nusername = "u"\npassword = "hunter2hunter2"\n'
        '[[destinations]]\nname = "crm"\nurl = "http://127.0.0.1:1/"\n'
        'secret = "whsec_bm90YXJlYWxzZWNyZXRub3RhcmVhbHNlY3JldA=="\n'
    )
    done = triage("doctor", "--json", cwd=tmp_path)
    assert done.returncode == 1
    states = {check["what"]: check["state"] for check in lines(done.stdout)}
    assert states["source inbox"] == states["destination crm"] == "failed"
    assert states["data folder"] == states["classifier"] == states["speech weights"] == "ok"
    for secret in ("hunter2", "bm90YXJl"):
        assert secret not in done.stdout + done.stderr


def test_only_one_worker_owns_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "triage.toml").write_text("[engine]\nsweep_every = 0.5\n")
    first = subprocess.Popen(
        [sys.executable, "-m", "triage", "run"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        lock = tmp_path / "var" / "worker.lock"
        deadline = time.monotonic() + 60
        while not (lock.exists() and lock.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        second = triage("poll", cwd=tmp_path)
        assert second.returncode == 2
        assert str(first.pid) in second.stderr
    finally:
        first.terminate()
        assert first.wait(timeout=60) == 0
        if first.stderr:
            first.stderr.close()


def test_own_examples_are_learned_from_or_refused(tmp_path: Path) -> None:
    texts = [f"Sorry, wrong number, I wanted the {what}." for what in "abcdefghijk"]
    (tmp_path / "few.jsonl").write_text(
        "\n".join(
            json.dumps({"id": n, "channel": "call", "text": text, "label": "nobody"})
            for n, text in enumerate(texts)
        )
    )
    (tmp_path / "triage.toml").write_text('[taxonomy.nobody]\nbase = "misdial"\n')
    done = triage("-s", "triage.toml", "train", "few.jsonl", "--out", "m", cwd=tmp_path)
    assert done.returncode == 2
    assert "11 examples are too few" in done.stderr
    assert not (tmp_path / "m").exists()

    pair = {
        "id": "1", "kind": "invariance", "topic": "casing", "writer": "w",
        "a": {"channel": "call", "text": texts[0]}, "label_a": "misdial",
        "b": {"channel": "call", "text": texts[0].upper()}, "label_b": "misdial",
    }  # fmt: skip
    (tmp_path / "pairs.jsonl").write_text(json.dumps(pair))
    done = triage("evaluate", "pairs.jsonl", "--behaviour", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    [found] = lines(done.stdout)
    assert (found["pairs"], found["share"]) == (1, found["passed"])
    assert triage("evaluate", "--json", cwd=tmp_path).returncode == 2


def test_classify_follows_the_rules_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text("company,email\nAcme,ann@acme.example\n")
    (tmp_path / "triage.toml").write_text(
        '[business]\ndomains = ["us.example"]\n'
        '[rules]\nblock = ["614 555 0199"]\ncustomers = ["crm.csv"]\n'
        '[taxonomy.orders]\nbase = "lead"\n'
    )
    prize = "You won a crypto prize! Claim it now, verify your wallet password here."
    asked = [
        {"id": 1, "channel": "call", "from": "+16145550199", "text": "A quote for a roof, please"},
        {"id": 2, "channel": "email", "from": "ann@acme.example", "body": prize},
        {"id": 3, "channel": "email", "from": "bob@beta.example", "body": prize},
        {
            "id": 4, "channel": "email", "from": "joe@us.example", "to": "all@us.example",
            "subject": "cupboard", "body": "My printer is broken, can somebody have a look? Joe",
        },
    ]  # fmt: skip
    stdin = "\n".join(json.dumps(item) for item in asked)
    done = triage("-s", "triage.toml", "classify", "-", stdin=stdin, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    blocked, customer, stranger, colleague = lines(done.stdout)
    assert blocked["model"] == "rule:block-list@1"
    assert (blocked["label"], blocked["outcome"]) == ("spam", "file")
    assert blocked["confidence"] == 1
    assert (customer["label"], customer["model"]) == (stranger["label"], stranger["model"])
    assert (customer["outcome"], stranger["outcome"]) == ("review", "file")
    assert colleague["label"] == "internal"
    assert {answer["own_label"] for answer in (blocked, customer)} == {"spam"}

    (tmp_path / "triage.toml").write_text('[rules]\nallow = ["nobody in particular"]\n')
    done = triage("-s", "triage.toml", "classify", "-", stdin=stdin, cwd=tmp_path)
    assert done.returncode == 2
    assert "rules.allow" in done.stderr
