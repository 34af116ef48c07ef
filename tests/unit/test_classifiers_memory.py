"""What corrected examples make of a verdict, and what they must not."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.calibration import LEAD, Floats
from classifiers.labels import LABELS, Label
from classifiers.memory import CAREFUL, Memory, Remembered, guarded

FLOOR = 0.02
CENTRE = np.array([0.5, 0.5, 0.5, 0.5])
HERE, NEARLY, ELSEWHERE = (1.0, 0.0, 0.0, 0.0), (1.0, 0.1, 0.0, 0.0), (0.0, 1.0, -1.0, 0.0)


def at(*place: float) -> Floats:
    """A text's vector, as far from the centre as `place` says."""
    found: Floats = CENTRE + np.array(place)
    return found


def said(label: Label, share: float = 0.95, lead: float | None = None) -> Floats:
    """What the model says."""
    scores = np.full(len(LABELS), (1 - share) / (len(LABELS) - 1))
    scores[LABELS.index(label)] = share
    if lead is not None:
        scores[LABELS.index(label)] += scores[LEAD] - lead
        scores[LEAD] = lead
    return scores


def example(
    name: str,
    label: Label,
    place: tuple[float, ...] = HERE,
    model: Label = "support",
    who: str = "",
) -> Remembered:
    """An example of which the model said `model`, and a person `label`."""
    return Remembered(
        name,
        label,
        at(*place).astype(np.float32),
        said(model).astype(np.float32),
        who=frozenset(filter(None, [who])),
    )


def heard(
    examples: list[Remembered], scores: Floats, place: tuple[float, ...] = NEARLY
) -> tuple[Label, Floats, tuple[str, ...]]:
    """The label, the probabilities, and who spoke."""
    (found,) = Memory(examples, CENTRE).recall(at(*place)[None], scores[None], floor=FLOOR)
    assert found.probabilities.sum() == pytest.approx(1)
    assert (found.probabilities >= 0).all()
    return LABELS[int(found.probabilities.argmax())], found.probabilities, found.ids


def test_one_correction_is_enough_for_nearly_the_same_text() -> None:
    label, _, ids = heard([example("a", "personal")], said("support"))
    assert (label, ids) == ("personal", ("a",))


def test_what_is_not_alike_stays_exactly_as_it_was() -> None:
    scores = said("support")
    _, found, ids = heard([example("a", "personal")], scores, ELSEWHERE)
    assert (found == scores).all()
    assert ids == ()


def test_no_examples_change_nothing() -> None:
    scores = said("support")
    (found,) = Memory([], CENTRE).recall(at(*HERE)[None], scores[None], floor=FLOOR)
    assert (found.probabilities == scores).all()


def test_a_correction_speaks_lower_of_what_the_model_calls_something_else() -> None:
    correction = [example("a", "personal", model="support")]
    _, repeated, _ = heard(correction, said("support"))
    _, other, _ = heard(correction, said("solicitation"))
    personal = LABELS.index("personal")
    assert repeated[personal] > other[personal] + 0.2


def test_one_wrong_correction_is_voted_down_by_those_who_agreed_with_the_model() -> None:
    agreed = [example(f"b{n}", "support") for n in range(3)]
    label, _, ids = heard([example("a", "spam"), *agreed], said("support"))
    assert label == "support"
    assert len(ids) == 4


def test_the_examples_of_one_person_count_once() -> None:
    alone = heard([example("a", "personal", who="ann")], said("support"))
    many = heard([example(f"a{n}", "personal", who="ann") for n in range(5)], said("support"))
    assert many[1] == pytest.approx(alone[1])
    assert len(many[2]) == 1


@pytest.mark.parametrize("lead", [0.02, 0.3, 0.97])
def test_a_likely_lead_is_not_filed_on_anybodys_word(lead: float) -> None:
    scores = said("lead", 0.97) if lead == 0.97 else said("support", 0.95, lead)
    same = [
        Remembered(
            f"a{n}", "spam", at(*HERE).astype(np.float32), scores.astype(np.float32),
            who=frozenset({"ann"}),
        )
        for n in range(9)
    ]  # fmt: skip
    _, found, ids = heard(same, scores, HERE)
    assert ids
    assert found[LEAD] >= FLOOR


def test_any_number_of_people_leaves_a_likely_lead_to_a_person() -> None:
    scores = said("lead", 0.97)
    many = [
        Remembered(f"a{n}", "spam", at(*HERE).astype(np.float32), scores.astype(np.float32))
        for n in range(500)
    ]
    label, found, _ = heard(many, scores, HERE)
    assert label == "spam"
    assert found[LEAD] == FLOOR
    kept = guarded(scores, said("spam", 0.9999), FLOOR)
    assert kept[LEAD] == FLOOR
    assert kept.sum() == pytest.approx(1)
    unlikely = said("support", 0.99, FLOOR / 2)
    assert guarded(unlikely, said("spam", 0.9999), FLOOR)[LEAD] < FLOOR


def test_memory_finds_leads_that_the_model_would_file() -> None:
    scores = said("spam", 0.99, 0.001)
    lead = Remembered("a", "lead", at(*HERE).astype(np.float32), scores.astype(np.float32))
    label, found, _ = heard([lead], scores, HERE)
    assert label == "lead"
    assert found[LEAD] > 0.5


def test_what_may_not_speak_does_not() -> None:
    memory = Memory([example("a", "personal"), example("b", "spam")], CENTRE)
    (found,) = memory.recall(
        at(*HERE)[None],
        said("support")[None],
        floor=FLOOR,
        may_speak=lambda _row, name: name != "a",
    )
    assert found.ids == ("b",)


def test_the_own_label_of_the_loudest_is_told() -> None:
    named = Remembered(
        "a", "lead", at(*HERE).astype(np.float32), said("support").astype(np.float32), own="tender"
    )
    (found,) = Memory([named], CENTRE).recall(at(*HERE)[None], said("support")[None], floor=FLOOR)
    assert found.own == "tender"


def test_a_memory_that_did_not_prove_itself_speaks_of_the_same_texts_only() -> None:
    cousins = [
        (1.0, 0.5, 0.0, 0.0), (1.0, -0.5, 0.0, 0.0), (1.0, 0.0, 0.5, 0.0), (1.0, 0.0, -0.5, 0.0),
    ]  # fmt: skip
    alike = [example(f"a{n}", "personal", place) for n, place in enumerate(cousins)]
    labels: tuple[Label, ...] = ("support", "personal", "support", "spam")
    mixed = [
        example(f"a{n}", label, place)
        for n, (label, place) in enumerate(zip(labels, cousins, strict=True))
    ]
    assert Memory(alike, CENTRE).tally() == (4, 0)
    proven = Memory.tried(alike, CENTRE)
    assert proven.join != CAREFUL
    assert Memory.tried(mixed, CENTRE).join == CAREFUL
    assert Memory.tried(alike[:1], CENTRE).join == CAREFUL
    place = at(0.6, 0.6, 0.6, 0.6)[None]
    careful = Memory(alike, CENTRE, CAREFUL)
    for memory, speaks in ((proven, True), (careful, False)):
        (found,) = memory.recall(place, said("support")[None], floor=FLOOR)
        assert (LABELS[int(found.probabilities.argmax())] == "personal") is speaks
