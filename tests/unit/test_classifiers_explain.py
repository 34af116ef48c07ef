"""The words named are in the text, add up exactly where they can, and matter to the verdict."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.dataset import read_corpus
from classifiers.explain import Explainer, Word, strongest
from classifiers.labels import LABELS
from classifiers.model import Classifier
from classifiers.text import BODY_CHARS, render
from classifiers.verdict import Example

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"
MAIL = Example(
    "email",
    "Hello,\n\nwe'd  like a quote for 12 laptops…   by Friday!!!!!! Write to jen@example.com\n",
    subject=" Quote |  about: laptops ",
    sender="Jen <jen.ruiz@example.com>",
    business="Fleet IT. Sells and repairs laptops",
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(threads=1)


@pytest.fixture(scope="module")
def explainer(classifier: Classifier) -> Explainer:
    return Explainer(
        classifier._runtime,
        classifier._head,
        classifier._lexical,
        classifier._base,
        classifier.manifest,
    )


def source(example: Example, word: Word) -> str:
    return example.subject if word.field == "subject" else example.text


def test_every_word_is_where_it_says(explainer: Explainer) -> None:
    words = explainer.words(MAIL, "lead")
    assert all(source(MAIL, word)[word.start : word.end] == word.text for word in words)
    assert " ".join(word.text for word in words) == (
        "Quote about laptops Hello we'd like a quote for 12 laptops by Friday Write to "
        "jen@example.com"
    )
    assert all(word.weight for word in words)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "\x00\ufffd \U0001f600",
        "語" * 3000,
        "a" * 70_000,
        "one , two\x1cthree\u2028four. " * 6000,
    ],
)
def test_any_text_can_be_explained(explainer: Explainer, text: str) -> None:
    example = Example("call", text, subject="x " * 300)
    words = explainer.words(example, "spam")
    assert all(source(example, word)[word.start : word.end] == word.text for word in words)


def test_of_a_very_long_text_the_ends_are_weighed(explainer: Explainer) -> None:
    text = "Could we get a quote? " + "la " * BODY_CHARS + "Please order the boiler."
    words = explainer.words(Example("email", text), "lead")
    assert words[0].text == "Could"
    assert words[-1].text == "boiler"
    assert text[words[-1].start :] == "boiler."


def test_lexical_shares_add_up_to_the_logits(classifier: Classifier) -> None:
    [tokens] = classifier._base.tokens([render(MAIL)])
    shares = classifier._lexical.shares(tokens)
    [expected] = classifier._lexical.logits([tokens])
    assert shares.shape == (len(tokens), len(LABELS))
    assert shares.sum(axis=0) + classifier._lexical.bias == pytest.approx(expected)


def test_network_shares_add_up_to_the_logit_less_the_marks(explainer: Explainer) -> None:
    header, text = render(MAIL)
    heading, content = (
        len(explainer.base.tokenizer.encode(part).ids) - 2 for part in (header, text)
    )
    shares = explainer._network_shares(header, text, heading, content, 0)
    assert shares.shape == (heading + content,)
    windows = explainer.base.windows([(header, text)], explainer.manifest.reading)
    [window] = windows[0]
    found = explainer.runtime.vectors(np.array([window]), np.array([len(window)]))[0]
    logits = found.mean(axis=0) @ explainer.head.T
    marks = [0, 1 + heading, len(window) - 1]
    left = found[marks].sum(axis=0) @ (explainer.head[0] - explainer.head.mean(axis=0))
    expected = logits[0] - logits.mean() - left / len(window)
    assert shares.sum() == pytest.approx(expected, abs=1e-3)


def test_the_strongest_are_few_and_speak_for_the_label() -> None:
    words = [Word("text", n, n + 1, "x", weight) for n, weight in enumerate([3, -9, 1, 2, -1, 0])]
    assert [word.weight for word in strongest(words, share=0.5)] == [3, 2, 1]
    assert len(strongest(words, share=0.5, most=2)) == 2
    assert strongest([]) == []
    assert strongest([replace(words[0], weight=-1.0)]) == []


def without(example: Example, words: list[Word]) -> Example:
    kept = {"subject": example.subject, "text": example.text}
    for word in sorted(words, key=lambda word: -word.start):
        kept[word.field] = kept[word.field][: word.start] + kept[word.field][word.end :]
    return replace(example, **kept)  # type: ignore[arg-type]


def test_removing_the_words_changes_the_verdict_more_than_removing_others(
    classifier: Classifier, explainer: Explainer
) -> None:
    items = [item for item in read_corpus(CORPUS).dev if 150 < len(item.example.text) < 500][:12]
    examples = [item.example for item in items]
    said = classifier.classify(examples)
    rng = np.random.default_rng(1)
    chosen, others = [], []
    for example, verdict in zip(examples, said, strict=True):
        words = explainer.words(example, verdict.label)
        count = max(1, round(0.15 * len(words)))
        chosen.append(without(example, sorted(words, key=lambda w: -w.weight)[:count]))
        drawn = rng.choice(len(words), count, replace=False)
        others.append(without(example, [words[index] for index in drawn]))
    drops = [
        np.mean([v.confidence - a.scores[v.label] for v, a in zip(said, answers, strict=True)])
        for answers in (classifier.classify(chosen), classifier.classify(others))
    ]
    assert drops[0] > 0.2
    assert drops[0] > 3 * drops[1]


def test_the_call_returns_the_strongest(classifier: Classifier, explainer: Explainer) -> None:
    assert classifier.explain(MAIL, "lead") == strongest(explainer.words(MAIL, "lead"))
