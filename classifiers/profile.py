"""How much the business profile counts, for models that should not lean on it.

Which business was reached can turn a lead into a misdial, so the profile belongs to the input. A
small corpus also teaches habits by it: in the first one misdials nearly always had a profile, and a
short request beside a long profile looked like one. A model trained on such a corpus is better when
it reads twice, with and without; one trained on profiles of every kind beside every label is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from classifiers.calibration import Floats
from classifiers.verdict import Example

PROFILE_SHARE: Final = 1.0
"""Weight of the reading with the profile; chosen on dev."""

Read = Callable[[Sequence[Example]], tuple[Floats, Floats]]


def read_twice(examples: Sequence[Example], read: Read, share: float) -> tuple[Floats, Floats]:
    """What `read` gives for both parts of a model, (examples, …) each: logits, or what is linear.

    `share` is the weight of the reading with the profile: 1 reads once, as it stands.
    """
    network, lexical = read(examples)
    named = [index for index, example in enumerate(examples) if example.business]
    if named and share < 1:
        plain = read([replace(examples[index], business="") for index in named])
        network[named] = share * network[named] + (1 - share) * plain[0]
        lexical[named] = share * lexical[named] + (1 - share) * plain[1]
    return network, lexical
