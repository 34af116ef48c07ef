"""Speaker turns of a recording in which all voices are in one channel."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from triage.transcripts.audio import Samples
from triage.transcripts.engine import Piece
from triage.transcripts.turns import features, roles, voices, weights
from triage.transcripts.turns.phrases import Phrase, joined, phrases
from triage.transcripts.turns.weights import Array
from triage.types import Speaker

if TYPE_CHECKING:
    from triage.transcripts.turns.network import VoicePrints

MISSING: Final = "voices are not told apart: package {} is missing (docs/turns.md)"

DOUBT: Final = 0.06
"""A phrase that is not more alike than that to its voice than to another is nobody's."""

_FRAMES_S: Final = 100
_TAIL_S: Final = 0.1  # words are said to end early
_LONGEST: Final = 200  # frames; the network's limit
_STEP: Final = 25
_SHORTEST: Final = 50


@dataclass(frozen=True, slots=True)
class Turn:
    """What one voice says until another one speaks.

    `voice` counts from 1 in order of appearance, 0 where that is in doubt.
    """

    pieces: tuple[Piece, ...]
    speaker: Speaker = "unknown"
    voice: int = 0


class Diarist:
    """Tells voices apart, with a network that is loaded for the first recording in one channel."""

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads

    def missing(self) -> str:
        """Why voices cannot be told apart here; empty where they can."""
        lacking = [name for name in ("openvino", weights.PACKAGE) if find_spec(name) is None]
        return MISSING.format(lacking[0]) if lacking else ""

    def turns(self, samples: Samples, pieces: Sequence[Piece], language: str) -> list[Turn]:
        """The pieces as turns; `samples` is the whole channel at 16 kHz, whose times words have."""
        said = phrases(pieces)
        if not said:
            return []
        told = self._told(samples, said)
        sure = [
            int(label) + 1 if margin >= DOUBT else 0
            for label, margin in zip(told.labels, told.margins, strict=True)
        ]
        lines = [(voice, list(run)) for voice, run in _runs(sure, said)]
        speakers = _speakers(lines, told.count, language)
        return [Turn(tuple(joined(pieces, run)), speakers[voice], voice) for voice, run in lines]

    def _told(self, samples: Samples, said: Sequence[Phrase]) -> voices.Voices:
        mels = features.log_mels(samples)
        windows = [list(_windows(mels, phrase)) for phrase in said]
        vectors = self._vectors([window for of_one in windows for window in of_one])
        frames = np.asarray([len(w) for of_one in windows for w in of_one], np.float32)
        owner = np.repeat(np.arange(len(said)), [len(of_one) for of_one in windows])
        prints = np.zeros((len(said), weights.WIDTH), np.float32)
        np.add.at(prints, owner, vectors * frames[:, None])
        prints /= np.maximum(np.linalg.norm(prints, axis=1, keepdims=True), 1e-9)
        seconds = np.asarray(np.bincount(owner, frames) / _FRAMES_S, np.float32)
        gaps = np.asarray([0.0] + [b.start - a.end for a, b in pairwise(said)], np.float32)
        return voices.apart(prints, seconds, gaps)

    def _vectors(self, windows: Sequence[Array]) -> Array:
        """Unit vectors of windows, those of one length together; what is too short is repeated."""
        lengths = [max(_SHORTEST, -(-len(window) // _STEP) * _STEP) for window in windows]
        found = np.zeros((len(windows), weights.WIDTH), np.float32)
        for length in sorted(set(lengths)):
            of_it = [index for index, other in enumerate(lengths) if other == length]
            filled = [np.resize(windows[index], (length, features.MELS)) for index in of_it]
            level = np.stack([window - window.mean(axis=0) for window in filled])
            found[of_it] = self._network.of(level)
        return found

    @functools.cached_property
    def _network(self) -> VoicePrints:
        from triage.transcripts.turns.network import VoicePrints  # noqa: PLC0415 - heavy

        return VoicePrints(weights.arrays(weights.installed()), threads=self._threads)


def _windows(mels: Array, phrase: Phrase) -> Iterator[Array]:
    """The phrase in equal parts of at most two seconds."""
    first = min(int(phrase.start * _FRAMES_S), len(mels) - 1)
    last = max(first + 20, int((phrase.end + _TAIL_S) * _FRAMES_S))
    heard = mels[first:last]
    parts = -(-len(heard) // _LONGEST)
    yield from np.array_split(heard, parts)


def _runs(sure: Sequence[int], said: Sequence[Phrase]) -> Iterator[tuple[int, Iterator[Phrase]]]:
    """Phrases of one voice in a row."""
    for voice, run in groupby(zip(sure, said, strict=True), key=lambda pair: pair[0]):
        yield voice, (phrase for _, phrase in run)


def _speakers(
    lines: Sequence[tuple[int, Sequence[Phrase]]], count: int, language: str
) -> dict[int, Speaker]:
    """Who each voice is; voice 0 is nobody."""
    turns = [
        [" ".join(phrase.text for phrase in run) for voice, run in lines if voice == number + 1]
        for number in range(count)
    ]
    return dict(enumerate(["unknown", *roles.roles(turns, language)]))
