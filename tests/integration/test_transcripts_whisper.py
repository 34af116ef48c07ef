"""Both engines with the real weights, in real child processes."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jiwer
import pytest

from triage.errors import Configuration, Permanent, Transient
from triage.settings import Limits, Transcription
from triage.transcripts import host as host_module
from triage.transcripts import weights
from triage.transcripts.host import TranscriberHost
from triage.types import Transcript

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"
SHORT = CALLS / "wrong-number-pizza.wav"
MONO = CALLS / "street-closure-notice.wav"
LONG = CALLS / "facility-manager-office-park.wav"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def host(cache: Path) -> Iterator[TranscriberHost]:
    with TranscriberHost(Transcription(), Limits(), cache) as made:
        yield made


def errors(transcript: Transcript, recording: Path, speaker: str, turns: int = 99) -> float:
    """Word error rate of one side against its first turns in the script."""
    script = json.loads(recording.with_suffix(".expected.json").read_text())["transcript"]
    said = [turn["text"] for turn in script if turn["speaker"] == speaker][:turns]
    heard = [s.text for s in transcript.segments if s.speaker == speaker]
    return float(jiwer.wer(plain(said), plain(heard)))


def plain(texts: list[str]) -> str:
    """Lower-case words without punctuation."""
    return " ".join(re.findall(r"[\w']+", " ".join(texts).lower()))


def eventually(condition: Callable[[], bool], *, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def busy(host: TranscriberHost) -> bool:
    """Whether a child has used half a second of processor time since it was started."""
    return any(
        sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        > 4 * os.sysconf("SC_CLK_TCK")
        for pid in host.pids
    )


def test_faster_whisper_writes_the_script_with_the_right_sides(host: TranscriberHost) -> None:
    transcript = host.transcribe(SHORT)

    assert errors(transcript, SHORT, "agent") < 0.3
    assert errors(transcript, SHORT, "caller") < 0.2
    assert "pepperoni" in "".join(s.text for s in transcript.segments if s.speaker == "caller")
    assert (transcript.language, transcript.engine) == ("en", "faster-whisper")
    assert transcript.model == f"base@{weights.INSTALLED['base'].sha256[:12]}"
    assert all(0.4 < s.confidence <= 1.0 and not s.flags for s in transcript.segments)


@pytest.mark.slow
def test_openai_whisper_writes_the_same_from_the_same_weights(cache: Path) -> None:
    settings = Transcription(
        engine="openai-whisper", languages=("de", "en"), vocabulary=("Brightwater",), turns=False
    )
    with TranscriberHost(settings, Limits(), cache) as host:
        transcript = host.transcribe(MONO, opening_s=13.4)

    assert errors(transcript, MONO, "unknown", turns=2) < 0.25
    assert (transcript.engine, transcript.language) == ("openai-whisper", "en")


def test_an_echo_is_not_transcribed_on_the_other_side(host: TranscriberHost) -> None:
    echoing = CALLS / "church-mini-split-quotes.wav"

    transcript = host.transcribe(echoing, opening_s=19.7)

    assert errors(transcript, echoing, "agent", turns=2) < 0.3
    assert errors(transcript, echoing, "caller", turns=2) < 0.2


@pytest.mark.parametrize("name", ["silence.wav", "hold-music.mp3"])
def test_non_speech_gives_no_words_that_count(host: TranscriberHost, name: str) -> None:
    transcript = host.transcribe(CALLS / name)

    assert [s.text for s in transcript.segments if not s.flags] == []


def test_the_opening_alone(host: TranscriberHost) -> None:
    transcript = host.transcribe(LONG, opening_s=6.0)

    assert transcript.partial
    assert transcript.duration_s == host.probe(LONG).duration_s
    assert transcript.segments[-1].end < 8.0


def test_a_bad_file_costs_one_error_and_no_child(host: TranscriberHost, tmp_path: Path) -> None:
    (tmp_path / "call.mp3").write_text("not a recording")
    before = host.pids

    with pytest.raises(Permanent, match=r"call\.mp3 is no recording"):
        host.transcribe(tmp_path / "call.mp3")

    assert host.pids == before


def test_a_killed_child_costs_one_call(cache: Path) -> None:
    with TranscriberHost(Transcription(), Limits(), cache) as host, ThreadPoolExecutor() as pool:
        call = pool.submit(host.transcribe, LONG)
        assert eventually(lambda: busy(host), within_s=60)
        (victim,) = host.pids
        os.kill(victim, signal.SIGKILL)

        with pytest.raises(Transient, match="killed by signal 9"):
            call.result(timeout=30)

        assert host.transcribe(CALLS / "silence.wav").segments == ()
        assert host.pids != (victim,)


def test_memory_that_is_used_up_costs_one_call(cache: Path) -> None:
    with TranscriberHost(Transcription(), Limits(), cache) as host:
        host.probe(SHORT)
        (before,) = host.pids
        # Enough for decoding, not for the model.
        resource.prlimit(before, resource.RLIMIT_DATA, (600_000_000, 600_000_000))

        with pytest.raises(Transient, match=r"out of memory|ended with|was killed"):
            host.transcribe(SHORT, opening_s=5.0)

        assert host.pids == ()
        assert host.transcribe(SHORT, opening_s=5.0).segments
        assert host.pids not in {(), (before,)}


def test_a_child_takes_no_more_memory_than_it_may(cache: Path) -> None:
    settings = Transcription(memory_mb=600)
    with TranscriberHost(settings, Limits(), cache) as host:
        with pytest.raises(Transient, match=r"out of memory|ended with|was killed"):
            host.transcribe(SHORT, opening_s=5.0)

        assert host.transcribe(CALLS / "silence.wav").segments == ()


def test_a_call_that_takes_too_long_is_stopped(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_module, "FLOOR_S", 2.0)
    with TranscriberHost(Transcription(time_limit=0.001), Limits(), cache) as host:
        host.transcribe(SHORT, opening_s=3.0)  # loading the model is not held against a call
        with pytest.raises(Transient, match="within 2 s"):
            host.transcribe(LONG)

        assert host.pids == ()
        assert host.probe(SHORT).channels == 2


def test_closing_ends_what_is_under_way(cache: Path) -> None:
    host = TranscriberHost(Transcription(workers=2), Limits(), cache)
    with ThreadPoolExecutor() as pool:
        call = pool.submit(host.transcribe, LONG)
        assert host.probe(SHORT).channels == 2
        threading.Timer(0.5, host.close).start()
        with pytest.raises(Transient, match="shut down"):
            call.result(timeout=60)

    assert host.pids == ()
    with pytest.raises(Transient, match="shut down"):
        host.probe(SHORT)


def test_missing_weights_are_a_matter_of_configuration(tmp_path: Path) -> None:
    settings = Transcription(model=str(tmp_path))
    with (
        TranscriberHost(settings, Limits(), tmp_path) as host,
        pytest.raises(Configuration, match=r"lacks model\.bin"),
    ):
        host.transcribe(SHORT)


def test_a_child_ends_with_its_worker(cache: Path) -> None:
    program = (
        "import sys, threading, time\n"
        "from pathlib import Path\n"
        "from triage.settings import Limits, Transcription\n"
        "from triage.transcripts.host import TranscriberHost\n"
        "host = TranscriberHost(Transcription(), Limits(), Path(sys.argv[1]))\n"
        "threading.Thread(target=host.transcribe, args=(Path(sys.argv[2]),)).start()\n"
        "while not host.pids: time.sleep(0.01)\n"
        "print(*host.pids, flush=True)\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(cache), str(LONG)],
        stdout=subprocess.PIPE, cwd=CALLS.parents[1],
    )  # fmt: skip
    with worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        time.sleep(2.0)
        assert alive(child)
        worker.kill()

    assert eventually(lambda: not alive(child), within_s=20)
