"""Leads that are sent to a business of another trade become misdials, and nothing else does."""

from __future__ import annotations

from random import Random

import numpy as np

from classifiers.augmentation import MISDIAL, Misdirection
from classifiers.calibration import LEAD
from classifiers.labels import LABELS
from classifiers.verdict import Example

ROOFER = "Brandt Roofing, slate and flat roofs"
SURGEON = "Veterinary surgery for horses and cattle"
# Words are rare only among many texts: these are what a corpus otherwise consists of.
OTHERS = [Example("email", f"number{n} asks nothing") for n in range(400)]


def sent(text: str, label: str = "lead", *, share: float = 1.0, **fields: str) -> tuple[str, int]:
    """The business that `text`, meant for the roofer, reaches, and its label there."""
    example = Example("email", text, business=ROOFER, **fields)
    vet = Example("email", "our mare is lame", business=SURGEON, recipient="vet@b.example")
    near = Example("email", "slate again", business="Slates and roofs by Toft, roofing")
    examples = [example, vet, near, *OTHERS]
    truth = np.array([LABELS.index(label), LEAD, LEAD, *[0] * len(OTHERS)])
    found, said = Misdirection(examples, truth, share).target(0, example, Random(1))
    assert found.text == text
    assert found.recipient in (fields.get("recipient", ""), "vet@b.example")
    return found.business, said


def test_a_lead_that_names_the_trade_is_a_misdial_at_another() -> None:
    wish = "We need a new roof in slate, what would it cost?"
    assert sent(wish, recipient="roofs@a.example") == (SURGEON, MISDIAL)
    assert sent(wish) == (SURGEON, MISDIAL)


def test_what_fits_any_business_stays() -> None:
    assert sent("Are you open today?") == (ROOFER, LEAD)


def test_what_the_business_answers_stays() -> None:
    assert sent("Agent: Brandt. Caller: I need a new roof in slate.") == (ROOFER, LEAD)


def test_other_labels_and_a_share_of_none_stay() -> None:
    complaint = "The slate roof you laid leaks"
    assert sent(complaint, "support") == (ROOFER, LABELS.index("support"))
    assert sent("A slate roof please", share=0.0) == (ROOFER, LEAD)
