"""What goes into the model and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from classifiers.labels import Label

Channel = Literal["email", "call"]


@dataclass(frozen=True, slots=True)
class Example:
    """One inquiry as the model sees it; every field but `text` may be empty.

    `business` is free text about who was contacted: a word ("HVAC") or a whole profile. The same
    words can be a lead for one business and a misdial for another.
    """

    channel: Channel
    text: str
    subject: str = ""
    sender: str = ""
    recipient: str = ""
    business: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label with calibrated probabilities (they sum to 1 over the nine labels).

    `margin` is the distance between the two most probable labels, 0 to 1. `abstained` says that the
    model is too unsure for its label to act without a person. `model` is `name@version`. `own` is
    the business's own name for the label where it has one, else empty. `recalled` names the
    corrected examples that had a say in it, the loudest first.
    """

    label: Label
    scores: Mapping[Label, float]
    margin: float
    abstained: bool
    model: str
    own: str = ""
    recalled: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """Probability of the chosen label."""
        return self.scores[self.label]
