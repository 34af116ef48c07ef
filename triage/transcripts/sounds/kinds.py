"""The kinds of sounds that are no speech, and how people call them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["ring", "busy", "dial", "information", "fax", "keys", "beep", "tone", "music", "hum"]

IN_WORDS: Final[dict[Kind, str]] = {
    "fax": "a fax or modem",
    "ring": "a ring tone",
    "busy": "a busy tone",
    "dial": "a dial tone",
    "information": "the tones of an announcement",
    "music": "music",
    "keys": "telephone keys",
    "beep": "a beep",
    "tone": "a steady tone",
    "hum": "hum",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of a channel, in seconds, that is no speech."""

    start: float
    end: float
    kind: Kind


def heard(sounds: Sequence[Sound]) -> str:
    """What was heard, in words: `a ring tone, music`; empty where nothing was told apart."""
    kinds = {sound.kind for sound in sounds}
    return ", ".join(words for kind, words in IN_WORDS.items() if kind in kinds)


def sounding(sounds: Sequence[Sound], start: float, end: float) -> float:
    """For how many seconds between two times any of the sounds is heard."""
    heard_until, total = start, 0.0
    for sound in sorted(sounds, key=lambda sound: sound.start):
        begins, ends = max(sound.start, heard_until), min(sound.end, end)
        if ends > begins:
            total += ends - begins
            heard_until = ends
    return total
