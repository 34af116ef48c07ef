"""How well speakers are told apart in one channel.

    python benchmarks/turns.py [RECORDING …]    two-channel recordings (default: the shipped ones)
    python benchmarks/turns.py --roles          who is who, on the written calls of the corpus
    python benchmarks/turns.py --fit            fits roles.json anew, then --roles

The channels say who speaks: a word is of the side that is 6 dB louder while it is said, and of
nobody where neither is. They are mixed down in three ways, as lines differ, and each side is heard
alone, which is one voice. Diarisation error rate: share of the time that somebody speaks which goes
to another voice or to nobody, or is made up, without 0.25 s on both sides of each change.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression

from triage.demo.fixtures import fixtures_folder
from triage.settings import Limits
from triage.transcripts import audio, channels, speech
from triage.transcripts.audio import RATE, Samples
from triage.transcripts.engine import Piece, SpeechEngine, Word
from triage.transcripts.faster import FasterWhisper
from triage.transcripts.turns import roles
from triage.transcripts.turns.diarist import Diarist, Turn
from triage.transcripts.weights import locate

AGENT, CALLER, NOBODY = 0, 1, -1
LOUDER_DB = 6.0
QUIETER_DB = 12.0
NOISE_DB = -38.0
COLLAR_S = 0.25
FRAME = RATE // 100
SPEAKING_DB = -42.0
HELD_FRAMES = 25

Call = tuple[list[str], list[str]]
"""What the agent says and what the caller says, a text a turn."""

SPLITS = ("train", "dev", "calibration", "test")
LEAST_CALLS = 10
STRENGTH = 0.3
LEAST_WEIGHT = 0.02

_TURN = re.compile(r"^(Caller|Agent): *(.*(?:\n(?!(?:Caller|Agent):).*)*)", re.MULTILINE)


def main() -> None:
    arguments = sys.argv[1:]
    if "--fit" in arguments:
        weights = fitted(calls("train"))
        path = Path(roles.__file__).with_name("roles.json")
        path.write_text(json.dumps(weights, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{len(weights)} weights in {path}")
    if "--fit" in arguments or "--roles" in arguments:
        show_roles()
        return
    show_turns([Path(name) for name in arguments] or list(shipped()))


def shipped() -> Iterator[Path]:
    """The shipped recordings with a side on each channel."""
    folder = fixtures_folder() / "calls"
    for script in sorted((folder / "scripts").glob("*.json")):
        told = json.loads(script.read_text(encoding="utf-8"))
        if told["layout"] == "stereo":
            yield folder / told["file"]


@dataclass(slots=True)
class Score:
    """Sums over recordings; words by what became of them, times in seconds."""

    words: int = 0
    right: int = 0
    wrong: int = 0
    told: int = 0
    mistaken: int = 0
    spoken_s: float = 0.0
    astray_s: float = 0.0
    counted: int = 0
    recordings: int = 0
    cpu_s: float = 0.0
    engine_cpu_s: float = 0.0
    audio_s: float = 0.0

    def line(self, name: str) -> str:
        """A row of the table."""
        words = max(self.words, 1)
        return (
            f"{name:<28} {self.words:>6} {self.right / words:>7.1%} {self.wrong / words:>7.1%} "
            f"{self.told / words:>7.1%} {self.mistaken / words:>9.1%} "
            f"{self.astray_s / max(self.spoken_s, 1e-9):>6.1%} "
            f"{self.counted:>4}/{self.recordings:<3} "
            f"{1000 * self.cpu_s / max(self.audio_s, 1e-9):>6.1f} "
            f"{1000 * self.engine_cpu_s / max(self.audio_s, 1e-9):>6.1f}"
        )


HEADER = (
    f"{'':<28} {'words':>6} {'right':>7} {'wrong':>7} {'roles':>7} {'mistaken':>9} {'DER':>6} "
    f"{'voices':>8} {'ms/s':>6} {'ASR':>6}"
)


def show_turns(paths: Sequence[Path]) -> None:
    """The table: each recording as it is, then all of them in each way."""
    engine, diarist = FasterWhisper(locate("base"), threads=1), Diarist()
    totals: dict[str, Score] = {}
    print(HEADER)
    for path in paths:
        sides = audio.decode(path, Limits()).samples
        for name, mixed, truth in mixes(sides, path.stem):
            score = measured(engine, diarist, mixed, truth)
            _add(totals.setdefault(name, Score()), score)
            print(score.line(f"{path.stem[:17]:<17} {name}"), flush=True)
    print()
    print(HEADER)
    for name, score in totals.items():
        print(score.line(name))


def mixes(sides: Samples, name: str) -> Iterator[tuple[str, Samples, Samples]]:
    """Names, one channel, and the two sides as they are in it."""
    noise = np.random.default_rng(len(name)).standard_normal(sides.shape[1]) * 10 ** (NOISE_DB / 20)
    silent = np.zeros_like(sides[0])
    sides = channels.gated(sides)
    quieter = np.stack([sides[0], sides[1] * np.float32(10 ** (-QUIETER_DB / 20))])
    yield "mixed", sides.sum(axis=0), sides
    yield "caller quieter", quieter.sum(axis=0), quieter
    yield "noise", (sides.sum(axis=0) + noise).astype(np.float32), sides
    yield "agent alone", sides[0], np.stack([sides[0], silent])
    yield "caller alone", sides[1], np.stack([silent, sides[1]])


def measured(engine: SpeechEngine, diarist: Diarist, mixed: Samples, sides: Samples) -> Score:
    """What becomes of one channel."""
    score = Score(recordings=1, audio_s=mixed.size / RATE)
    before = time.process_time()
    found = speech.find(mixed)
    pieces: list[Piece] = []
    if found.samples.size:
        heard = engine.transcribe(found.samples, language="en")
        pieces = [part for piece in heard.pieces for part in found.placed(piece)]
    score.engine_cpu_s = time.process_time() - before
    before = time.process_time()
    turns = diarist.turns(mixed, pieces, "en")
    score.cpu_s = time.process_time() - before
    spoken = [
        (word, turn, side)
        for turn in turns
        for piece in turn.pieces
        for word in piece.words
        if (side := side_of(word, sides)) != NOBODY
    ]
    count_words(score, spoken)
    present = len({side for *_, side in spoken})
    score.counted = int(len({turn.voice for turn in turns} - {0}) == present)
    score.spoken_s, score.astray_s = diarisation_error(turns, sides)
    return score


def side_of(word: Word, sides: Samples) -> int:
    """Which side is clearly louder while a word is said."""
    first, last = int(word.start * RATE), max(int(word.end * RATE), int(word.start * RATE) + 800)
    loud = np.mean(np.square(sides[:, first:last], dtype=np.float64), axis=1) + 1e-9
    apart = 10 * np.log10(loud[AGENT] / loud[CALLER])
    return AGENT if apart > LOUDER_DB else CALLER if apart < -LOUDER_DB else NOBODY


def count_words(score: Score, spoken: Sequence[tuple[Word, Turn, int]]) -> None:
    """Words of the right voice (under the better of all namings), wrong, and by role."""
    names = sorted({turn.voice for _, turn, _ in spoken} - {0})
    score.words = len(spoken)
    for naming in _namings(names):
        right = sum(naming.get(turn.voice) == side for _, turn, side in spoken)
        score.right = max(score.right, right)
    score.wrong = sum(turn.voice != 0 for _, turn, _ in spoken) - score.right
    for _, turn, side in spoken:
        score.told += turn.speaker == ("agent", "caller")[side]
        score.mistaken += turn.speaker == ("caller", "agent")[side]


def _namings(names: Sequence[int]) -> Iterator[dict[int, int]]:
    for chosen in permutations([*names, -1, -2], 2):
        yield {voice: side for side, voice in enumerate(chosen) if voice > 0}


def diarisation_error(turns: Sequence[Turn], sides: Samples) -> tuple[float, float]:
    """Seconds of speech that count, and how many of them go astray."""
    speaks = np.stack([speaking(side) for side in sides])
    length = speaks.shape[1]
    voices = np.zeros(length, np.int64)
    for turn in turns:
        for piece in turn.pieces:
            first, last = piece.words[0].start, piece.words[-1].end
            voices[int(first * 100) : int(last * 100)] = turn.voice or 99
    changes = np.flatnonzero(np.abs(np.diff(speaks.astype(np.int8), axis=1)).any(axis=0))
    counts = np.ones(length, bool)
    for change in changes:
        counts[max(0, change - int(COLLAR_S * 100)) : change + int(COLLAR_S * 100) + 1] = False
    names = sorted(set(voices.tolist()) - {0, 99})
    spoken = speaks.sum(axis=0)
    most = np.maximum(spoken, voices > 0)
    best = 0.0
    for naming in _namings(names):
        hit = sum((speaks[side] & (voices == voice)) for voice, side in naming.items())
        best = max(best, float(np.sum(hit * counts)) if naming else 0.0)
    return float((spoken * counts).sum()) / 100, (float((most * counts).sum()) - best) / 100


def speaking(side: Samples) -> NDArray[np.bool_]:
    """Frames of 10 ms in which a side speaks, pauses up to half a second included."""
    whole = side[: side.size // FRAME * FRAME].reshape(-1, FRAME)
    loud = 10 * np.log10(np.mean(np.square(whole, dtype=np.float64), axis=1) + 1e-12) > SPEAKING_DB
    around = np.ones(2 * HELD_FRAMES + 1)
    wide = np.convolve(loud, around, "same") > 0
    return np.asarray(np.convolve(~wide, around, "same") == 0)


def _add(total: Score, score: Score) -> None:
    for name in Score.__slots__:
        setattr(total, name, getattr(total, name) + getattr(score, name))


def calls(split: str) -> list[Call]:
    """The written calls of the corpus in which both sides are named."""
    found = []
    for path in sorted((fixtures_folder() / "corpus").glob(f"{split}-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            turns = _TURN.findall(item.get("text") or "") if item["channel"] == "call" else []
            if {name for name, _ in turns} == {"Agent", "Caller"}:
                sides = [
                    [text.strip() for name, text in turns if name == side]
                    for side in ("Agent", "Caller")
                ]
                found.append((sides[0], sides[1]))
    return found


def fitted(written: Sequence[Call]) -> dict[str, float]:
    """Weights of words: agents against callers, as pairs and each alone (logistic, L1)."""
    sides = [[roles.grams(side) for side in call] for call in written]
    known: dict[str, int] = {}
    for call in sides:
        for gram in call[0] | call[1]:
            known[gram] = known.get(gram, 0) + 1
    kept = sorted(gram for gram, times in known.items() if times >= LEAST_CALLS)
    columns = {gram: index for index, gram in enumerate(kept)}
    agents, callers = (_matrix([call[side] for call in sides], columns) for side in (0, 1))
    examples = vstack([agents - callers, callers - agents, agents, callers])
    truth = np.concatenate([np.ones(len(written)), np.zeros(len(written))] * 2)
    model = LogisticRegression(C=STRENGTH, l1_ratio=1.0, solver="liblinear", fit_intercept=False)
    weights = model.fit(examples, truth).coef_[0]
    found = {gram: round(float(weights[at]), 2) for gram, at in columns.items()}
    return {gram: weight for gram, weight in found.items() if abs(weight) >= LEAST_WEIGHT}


def _matrix(rows: Sequence[set[str]], columns: dict[str, int]) -> Any:
    places = [
        (row, columns[gram]) for row, grams in enumerate(rows) for gram in grams & columns.keys()
    ]
    shape = (len(rows), len(columns))
    return csr_matrix((np.ones(len(places)), tuple(zip(*places, strict=True))), shape=shape)


def show_roles() -> None:
    """How often roles are given, and given wrongly, where the turns are known."""
    print(
        f"{'split':<12} {'calls':>5} | two voices: {'told':>6} {'wrong':>5} | "
        f"one voice: {'callers told':>12} {'agents taken for callers':>24}"
    )
    for split in SPLITS:
        written = calls(split)
        both = [roles.roles(list(call), "en") for call in written]
        told = sum(pair[0] != "unknown" for pair in both) / len(written)
        wrong = sum(pair[0] == "caller" for pair in both)
        callers = sum(roles.roles([call[1]], "en") == ["caller"] for call in written)
        agents = sum(roles.roles([call[0]], "en") == ["caller"] for call in written)
        print(
            f"{split:<12} {len(written):>5} | {told:>18.1%} {wrong:>5} | "
            f"{callers / len(written):>23.1%} {agents:>24}"
        )


if __name__ == "__main__":
    main()
