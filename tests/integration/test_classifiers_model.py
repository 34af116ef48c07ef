"""The model that ships: intact, refusing damage, and the same answer however it is asked."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.artifact import DEFAULT
from classifiers.dataset import Item, labels_of, read_corpus
from classifiers.errors import ArtifactError
from classifiers.evaluate import evaluate
from classifiers.labels import LABELS
from classifiers.match_training import twins
from classifiers.model import Classifier
from classifiers.verdict import Example, Verdict

ROOT = Path(__file__).parents[2]

SMALL_TALK = [
    "Agent: And how has your week been so far?",
    "Caller: Oh, the usual, the rain does not stop and the dog will not go out in it.",
    "Agent: Same here, we had the garden under water on Sunday.",
    "Caller: My sister said the road by the station was closed again this morning.",
    "Agent: Bear with me, the system is slow today, it is still turning.",
    "Caller: No hurry at all, I have my coffee with me.",
    "Agent: Did you watch the match at the weekend?",
    "Caller: The second half only, we had the grandchildren over.",
]
WISH = (
    "Caller: Now, what I am ringing for: we want to order a new heating system for both our shops. "
    "Could you send us a quote this week? I am the owner and I would like it installed in May."
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def hundred() -> list[Item]:
    corpus = read_corpus(ROOT / "fixtures" / "corpus")
    return list(corpus.dev[:100])


@pytest.fixture(scope="module")
def answers(classifier: Classifier, hundred: list[Item]) -> list[Verdict]:
    return classifier.classify([item.example for item in hundred])


def scores(verdicts: list[Verdict]) -> np.ndarray:
    return np.array([[verdict.scores[label] for label in LABELS] for verdict in verdicts])


def assert_same(classifier: Classifier, found: list[Verdict], expected: list[Verdict]) -> None:
    """The same answers. In bfloat16 the rounding depends on what is read together, by processor."""
    exact = classifier.runtime.endswith("float32")
    assert scores(found) == pytest.approx(scores(expected), abs=1e-4 if exact else 0.02)
    for one, other in zip(found, expected, strict=True):
        if exact or min(one.margin, other.margin) > 0.05:
            assert one.label == other.label
        if exact:  # else a lead's probability may be on either side of the floor
            assert one.abstained == other.abstained


def test_ships_a_model_that_is_far_better_than_chance(
    classifier: Classifier, hundred: list[Item], answers: list[Verdict]
) -> None:
    report = evaluate(hundred, answers)
    assert report.accuracy.value > 0.6
    assert all(verdict.model == classifier.name_version for verdict in answers)
    assert all(set(verdict.scores) == set(LABELS) for verdict in answers)
    assert scores(answers).sum(axis=1) == pytest.approx(np.ones(100))
    assert len(set(labels_of(hundred))) > 5


def test_reading_for_vectors_gives_the_same_verdicts(
    classifier: Classifier, hundred: list[Item], answers: list[Verdict]
) -> None:
    said, vectors = classifier.read([item.example for item in hundred[:20]])
    assert_same(classifier, said, answers[:20])
    assert vectors.shape == (20, 384)


def test_stays_below_twenty_two_megabytes() -> None:
    assert sum(file.stat().st_size for file in DEFAULT.iterdir()) < 22e6


def test_order_is_kept(classifier: Classifier, hundred: list[Item], answers: list[Verdict]) -> None:
    backwards = classifier.classify([item.example for item in reversed(hundred)])
    assert_same(classifier, backwards[::-1], answers)


def test_batch_size_changes_nothing(hundred: list[Item], answers: list[Verdict]) -> None:
    alone = Classifier.load(batch=1)
    one_by_one = alone.classify([item.example for item in hundred[:40]])
    assert_same(alone, one_by_one, answers[:40])


def test_twice_is_the_same(
    classifier: Classifier, hundred: list[Item], answers: list[Verdict]
) -> None:
    assert classifier.classify([item.example for item in hundred]) == answers


def test_threads_may_share_it(
    classifier: Classifier, hundred: list[Item], answers: list[Verdict]
) -> None:
    examples = [item.example for item in hundred[:24]]
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda i: classifier.classify(examples[i : i + 6]), range(0, 24, 6)))
    found = [verdict for part in parts for verdict in part]
    assert_same(classifier, found, answers[:24])


def test_a_wish_in_the_last_fifth_of_a_long_call_is_read(classifier: Classifier) -> None:
    turns = [SMALL_TALK[n % len(SMALL_TALK)] for n in range(130)]
    late = [*turns[:112], WISH, *turns[112:]]
    assert len(" ".join(late).split()) > 1500
    assert " ".join(late).index(WISH) > 0.8 * len(" ".join(late))
    without, stated = classifier.classify(
        [Example("call", "\n".join(text), business="Heating") for text in (turns, late)]
    )
    assert abs(stated.scores["lead"] - without.scores["lead"]) > 1e-3


def test_leads_told_only_after_the_512th_token_are_heard(classifier: Classifier) -> None:
    items = read_corpus(ROOT / "fixtures" / "corpus").dev
    calls = [i.example for i in items if i.label == "lead" and i.example.channel == "call"][:10]
    talk = "\n".join(SMALL_TALK * 6)
    without = classifier.classify([replace(call, text=talk) for call in calls])
    late = classifier.classify([replace(call, text=f"{talk}\n{call.text}") for call in calls])
    heard = [b.scores["lead"] > a.scores["lead"] for a, b in zip(without, late, strict=True)]
    assert sum(heard) >= 8


@pytest.mark.parametrize("channel", ["email", "call"])
@pytest.mark.parametrize("text", ["", "?", "\x00\ufffd\U0001f600", "語" * 5000, "a" * 100_000])
def test_any_text_gets_a_verdict(classifier: Classifier, channel: str, text: str) -> None:
    [verdict] = classifier.classify([replace(Example("email", text), channel=channel)])  # type: ignore[arg-type]
    assert sum(verdict.scores.values()) == pytest.approx(1)


def test_no_examples_no_verdicts(classifier: Classifier) -> None:
    assert classifier.classify([]) == []


def test_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(DEFAULT, copy)
    weights = copy / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 0xFF
    weights.write_bytes(data)
    with pytest.raises(ArtifactError, match="damaged"):
        Classifier.load(copy)


def test_loads_without_a_network_or_a_hub(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "def no(*a, **k): raise AssertionError('a connection was tried')\n"
        "socket.socket.connect = no; socket.getaddrinfo = no\n"
        "from classifiers.model import Classifier\n"
        "from classifiers.verdict import Example\n"
        "print(Classifier.load().classify([Example('email', 'hi')])[0].model)\n"
        "import sys; assert 'transformers' not in sys.modules\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "@" in done.stdout


def test_importing_the_model_module_is_quick_because_it_brings_no_torch() -> None:
    code = "import sys, classifiers.model; assert not {'torch', 'sklearn'} & set(sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_the_business_decides_whether_what_is_asked_is_a_lead(classifier: Classifier) -> None:
    asked = (
        "Hi, could you quote for four new tyres on our delivery van? We would want them this week."
    )
    businesses = (
        "Tyres, wheels and tracking, fitted while you wait",
        "Ballet and tap for children",
    )
    tyres, ballet = classifier.classify(
        [Example("email", asked, business=business) for business in businesses]
    )
    assert tyres.label == "lead"
    assert ballet.scores["lead"] < tyres.scores["lead"] - 0.2
    assert ballet.scores["misdial"] > 5 * tyres.scores["misdial"]
    fits = [
        classifier.fits(Example("email", asked, business=business))
        for business in (*businesses, "Kestrel Group", "")
    ]
    assert fits[0] is not None
    assert fits[1] is not None
    assert fits[0] > 0.8
    assert fits[1] < 0.3
    assert fits[2:] == [None, None]


def test_held_out_texts_are_told_apart_by_their_businesses(classifier: Classifier) -> None:
    """On leads and support cases by hands that the matcher learned nothing from."""
    corpus = read_corpus(ROOT / "fixtures" / "corpus")
    items = [item for item in corpus.calibration if item.id in corpus.profiles][:60]
    exchanged = twins(items, corpus.profiles)
    chance = {
        kind: np.mean(
            [
                verdict.scores["misdial"]
                for verdict in classifier.classify([item.example for item in chosen])
            ]
        )
        for kind, chosen in {
            "own": items,
            "right": [item for item in exchanged if item.label != "misdial"],
            "wrong": [item for item in exchanged if item.label == "misdial"],
        }.items()
    }
    assert chance["wrong"] > 1.4 * chance["own"]
    assert chance["wrong"] > 1.8 * chance["right"]


def test_a_mere_name_says_nothing_against_a_lead(classifier: Classifier) -> None:
    corpus = read_corpus(ROOT / "fixtures" / "corpus")
    names = [n.text for n in corpus.names if n.split == "calibration" and not n.tells]
    leads = [i.example for i in corpus.calibration if i.label == "lead" and i.example.business]
    pairs = list(zip(leads, names, strict=False))
    named = [replace(lead, business=name) for lead, name in pairs]
    unnamed = [replace(lead, business="") for lead, _ in pairs]
    kept = [
        sum(verdict.label == "lead" for verdict in classifier.classify(examples))
        for examples in (named, unnamed)
    ]
    assert kept[0] >= kept[1] - 4
