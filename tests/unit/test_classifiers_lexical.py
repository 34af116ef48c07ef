import numpy as np
import pytest

from classifiers.calibration import Blend, fit_blend, log_loss, softmax
from classifiers.errors import ArtifactError, TrainingError
from classifiers.labels import LABELS
from classifiers.lexical import Lexical, is_lexical

LEAD, SUPPORT, SPAM = (LABELS.index(label) for label in ("lead", "support", "spam"))
# Token ids; the pair (5, 6) means spam, each alone says nothing.
TEXTS = [[1, 2, 9], [2, 1, 8], [3, 4, 9], [4, 3, 8], [5, 6, 9], [7, 5, 6, 8], [6, 5, 1], [6, 5, 2]]
TRUTH = np.array([LEAD, LEAD, SUPPORT, SUPPORT, SPAM, SPAM, LEAD, LEAD])


@pytest.fixture(scope="module")
def model() -> Lexical:
    return Lexical.fit(TEXTS, TRUTH)


def test_learns_words_and_the_order_of_pairs(model: Lexical) -> None:
    said = model.logits([[1, 2], [3, 4], [5, 6], [6, 5, 1]]).argmax(axis=1)
    assert said.tolist() == [LEAD, SUPPORT, SPAM, LEAD]


def test_unknown_words_make_it_quieter(model: Lexical) -> None:
    known, diluted, unknown, empty = model.logits([[5, 6], [5, 6, *range(50, 90)], [77, 78], []])
    seen = [LEAD, SUPPORT, SPAM]
    assert np.ptp(diluted[seen]) < np.ptp(known[seen])
    assert unknown.tolist() == empty.tolist() == model.bias.tolist()


def test_labels_never_seen_stay_improbable(model: Lexical) -> None:
    p = softmax(model.logits([[1, 2], []]))
    assert p[:, LABELS.index("misdial")].max() < 0.01


def test_two_labels_suffice_and_one_does_not() -> None:
    two = Lexical.fit(TEXTS[:4], TRUTH[:4])
    assert two.logits([[1, 2], [3, 4]]).argmax(axis=1).tolist() == [LEAD, SUPPORT]
    with pytest.raises(TrainingError, match="nothing to learn"):
        Lexical.fit(TEXTS[:2], TRUTH[:2])
    with pytest.raises(TrainingError, match="nothing to learn"):
        Lexical.fit([[1], [2]], TRUTH[1:3])


def test_survives_storage(model: Lexical) -> None:
    arrays = model.arrays()
    assert all(is_lexical(name) for name in arrays)
    again = Lexical.of(arrays)
    assert again.logits(TEXTS).tolist() == model.logits(TEXTS).tolist()
    with pytest.raises(ArtifactError, match="missing"):
        Lexical.of({})
    with pytest.raises(ArtifactError, match="older kind"):
        Lexical.of(arrays | {"lexical.keys": model.keys})
    with pytest.raises(ArtifactError, match="do not fit"):
        Lexical.of(arrays | {"lexical.keys": model.keys[1:]})


def test_blend_trusts_the_part_that_knows_and_calibrates() -> None:
    rng = np.random.default_rng(1)
    good, bad = rng.normal(0, 2, (400, 9)), rng.normal(0, 2, (400, 9))
    truth = np.array([rng.choice(9, p=row) for row in softmax(good)])
    blend = fit_blend(3 * good, bad, truth)
    assert blend.network == pytest.approx(1 / 3, rel=0.15)
    assert abs(blend.lexical) < 0.1
    mixed = blend.probabilities(3 * good, bad)
    assert mixed.sum(axis=1) == pytest.approx(np.ones(400))


def test_blend_of_two_halves_beats_both() -> None:
    rng = np.random.default_rng(2)
    one, two = rng.normal(0, 1.5, (400, 9)), rng.normal(0, 1.5, (400, 9))
    truth = np.array([rng.choice(9, p=row) for row in softmax(one + two)])
    p = fit_blend(one, two, truth).probabilities(one, two)
    alone = min(log_loss(one, truth), log_loss(two, truth))
    assert -np.log(p[np.arange(400), truth]).mean() < alone


def test_of_blends_that_are_as_good_the_network_counts_most() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 2, (100, 9))
    truth = np.array([rng.choice(9, p=row) for row in softmax(logits)])
    assert fit_blend(logits, logits, truth).lexical == 0.0
    assert fit_blend(rng.normal(0, 2, (100, 9)), logits, truth).network < 0.3


def test_network_alone_is_the_plain_blend() -> None:
    logits = np.array([[2.0] + [0.0] * 8])
    assert Blend().probabilities(logits, logits * 9).tolist() == softmax(logits).tolist()
