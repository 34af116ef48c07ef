"""Whether what arrives now is like what used to arrive: two windows of one source, compared.

Four measures: which labels, how sure the model is, which words, and how many calls hold no speech.
Each is a test of the hypothesis that both windows are draws from one source; the chances of all
tests of a look are corrected together (Holm), and what is certain but small is no alarm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import numpy as np

from triage.settings import Drift

Measure = Literal["labels", "confidence", "vocabulary", "silence"]
MEASURES: Final[tuple[Measure, ...]] = ("labels", "confidence", "vocabulary", "silence")
_LEAST_WORDS: Final = 5  # of a text, without which a share of its words says nothing
_FLOOR: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Piece:
    """One inquiry. `margin`: the distance between the two likeliest labels (0 to 1), None where a
    rule decided. `words`: its different words, None where its text was not looked at. `silent`: a
    call without trustworthy speech; None for what is no call.
    """

    at: datetime
    label: str
    margin: float | None
    words: frozenset[str] | None = None
    silent: bool | None = None
    channel: str = "email"
    model: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """What came from a source in a stretch of time."""

    source: str
    recent: Sequence[Piece]
    reference: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Finding:
    """A comparison. `before` and `after` are the shares or figures that people understand, `p` the
    chance of a difference so great where nothing changed, corrected for all that was looked at.
    `since`: from when on it is different, as far as can be told. `label`: which label, of `labels`.
    """

    source: str
    measure: Measure
    label: str
    before: float
    after: float
    p: float
    since: datetime | None
    recent: int
    reference: int
    channel: str
    models: tuple[str, ...] = ()

    @property
    def detail(self) -> dict[str, Any]:
        """The figures, for programs."""
        return {
            "before": round(self.before, 4),
            "after": round(self.after, 4),
            "p": self.p,
            "since": self.since.isoformat(timespec="seconds") if self.since else None,
            "recent": self.recent,
            "reference": self.reference,
            "models": list(self.models),
        }


@dataclass(frozen=True, slots=True)
class _Test:
    """A finding before its chance is corrected, and whether it is large enough to matter. `hits`
    tells in which inquiries it shows.
    """

    finding: Finding
    matters: bool
    hits: Callable[[Piece], bool | None] = field(compare=False)


def alarms(windows: Sequence[Window], settings: Drift) -> list[Finding]:
    """What is different, the least chance first; nothing of sources with too few inquiries."""
    tests = [test for window in windows for test in _tests(window, settings)]
    pieces = {window.source: window for window in windows}
    corrected = holm([test.finding.p for test in tests])
    found = [
        _dated(test, p, pieces[test.finding.source])
        for test, p in zip(tests, corrected, strict=True)
        if p <= settings.chance and test.matters
    ]
    return sorted(found, key=lambda finding: (finding.p, finding.source, finding.label))


def holm(chances: Sequence[float]) -> list[float]:
    """Chances corrected for their number (Holm 1979): comparing them with a bound keeps the chance
    of any false alarm below it, however the tests depend on each other.
    """
    order = np.argsort(chances)
    found, worst = [1.0] * len(chances), 0.0
    for rank, index in enumerate(order):
        worst = max(worst, min(1.0, chances[index] * (len(chances) - rank)))
        found[int(index)] = worst
    return found


def psi(before: Sequence[int], after: Sequence[int]) -> float:
    """The population stability index of two counts over the same classes; 0 where they agree.

    Empty classes count half an inquiry, so that they do not make it infinite.
    """
    old, new = (np.asarray(counts, dtype=float) for counts in (before, after))
    old, new = np.maximum(old, 0.5) / old.sum(), np.maximum(new, 0.5) / new.sum()
    return float(((new - old) * np.log(new / old)).sum())


def _tests(window: Window, settings: Drift) -> list[_Test]:
    if min(len(window.recent), len(window.reference)) < settings.least:
        return []
    return [
        *_label_tests(window, settings),
        *_confidence_test(window, settings),
        *_vocabulary_test(window, settings),
        *_silence_test(window, settings),
    ]


def _label_tests(window: Window, settings: Drift) -> list[_Test]:
    """One test a label that occurs: people understand which one grew, not that the mix did."""
    labels = sorted({piece.label for piece in (*window.recent, *window.reference)})
    if len(labels) < 2:
        return []

    def about(label: str) -> _Test:
        return _share_test(
            window, "labels", lambda piece: piece.label == label, settings.shift, label
        )

    return [about(label) for label in labels]


def _confidence_test(window: Window, settings: Drift) -> list[_Test]:
    """Whether the model got less sure: the rank test on margins. Surer is no reason to worry."""
    old = [piece.margin for piece in window.reference if piece.margin is not None]
    new = [piece.margin for piece in window.recent if piece.margin is not None]
    if min(len(old), len(new)) < settings.least:
        return []
    low = float(np.quantile(old, 0.1))
    before, after = float(np.mean(np.array(old) <= low)), float(np.mean(np.array(new) <= low))
    chance = _ranks(new, old, "less")
    finding = _finding(window, "confidence", "", before, after, chance)
    return [
        _Test(
            finding,
            after - before >= settings.shift,
            lambda piece: None if piece.margin is None else piece.margin <= low,
        )
    ]


def _vocabulary_test(window: Window, settings: Drift) -> list[_Test]:
    """Whether texts have more words that no other had: each text's share of words that occur in
    none of the reference (of which, for a text of the reference, the others).
    """
    old, new = _texts(window.reference), _texts(window.recent)
    if min(len(old), len(new)) < settings.least:
        return []
    holders: dict[str, int] = {}
    for words in old:
        for word in words:
            holders[word] = holders.get(word, 0) + 1
    alone = [sum(holders[word] == 1 for word in words) / len(words) for words in old]
    unseen = [sum(word not in holders for word in words) / len(words) for words in new]
    before, after = float(np.mean(alone)), float(np.mean(unseen))
    usual = float(np.quantile(alone, 0.75))
    finding = _finding(window, "vocabulary", "", before, after, _ranks(unseen, alone, "greater"))

    def is_strange(piece: Piece) -> bool | None:
        if not piece.words or len(piece.words) < _LEAST_WORDS:
            return None
        return sum(word not in holders for word in piece.words) / len(piece.words) > usual

    return [_Test(finding, after - before >= settings.shift, is_strange)]


def _silence_test(window: Window, settings: Drift) -> list[_Test]:
    old = sum(piece.silent is not None for piece in window.reference)
    new = sum(piece.silent is not None for piece in window.recent)
    if min(old, new) < settings.least:
        return []
    return [_share_test(window, "silence", lambda piece: piece.silent, settings.shift)]


def _share_test(
    window: Window,
    measure: Measure,
    hits: Callable[[Piece], bool | None],
    shift: float,
    label: str = "",
) -> _Test:
    """Fisher's exact test of two shares; what `hits` says nothing about is left out."""
    from scipy.stats import fisher_exact  # noqa: PLC0415 - heavy

    old, of_old = _counted(window.reference, hits)
    new, of_new = _counted(window.recent, hits)
    before, after = old / of_old, new / of_new
    chance = float(fisher_exact([[new, of_new - new], [old, of_old - old]]).pvalue)
    finding = _finding(window, measure, label, before, after, chance)
    return _Test(finding, abs(after - before) >= shift, hits)


def _counted(pieces: Sequence[Piece], hits: Callable[[Piece], bool | None]) -> tuple[int, int]:
    told = [hit for piece in pieces if (hit := hits(piece)) is not None]
    return sum(told), len(told)


def _ranks(new: Sequence[float], old: Sequence[float], side: str) -> float:
    """The chance by the rank test of Mann and Whitney that `new` is `side` than `old`."""
    from scipy.stats import mannwhitneyu  # noqa: PLC0415 - heavy

    if max(*new, *old) - min(*new, *old) < _FLOOR:
        return 1.0
    return float(mannwhitneyu(new, old, alternative=side).pvalue)


def _texts(pieces: Sequence[Piece]) -> list[frozenset[str]]:
    """The words of each text, each text once: the same form or newsletter again is no news."""
    long = (piece.words for piece in pieces if piece.words and len(piece.words) >= _LEAST_WORDS)
    return list(dict.fromkeys(long))


def _finding(
    window: Window, measure: Measure, label: str, before: float, after: float, p: float
) -> Finding:
    old = {piece.model for piece in window.reference}
    models = sorted({piece.model for piece in window.recent if piece.model} - old)
    channels = [piece.channel for piece in window.recent]
    return Finding(
        window.source, measure, label, before, after, p, None,
        len(window.recent), len(window.reference),
        max(set(channels), key=channels.count), tuple(models),
    )  # fmt: skip


def _dated(test: _Test, p: float, window: Window) -> Finding:
    return replace(test.finding, p=p, since=_since(test, window))


def _since(test: _Test, window: Window) -> datetime | None:
    """The day of the recent window from which on the change is most likely: the split into before
    and after with the greatest likelihood.
    """
    told = [(piece.at, test.hits(piece)) for piece in (*window.reference, *window.recent)]
    dated = sorted((at, bool(hit)) for at, hit in told if hit is not None)
    times = [at for at, _ in dated]
    hits = np.cumsum([hit for _, hit in dated])
    first = min(piece.at for piece in window.recent)
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    best, found = -np.inf, None
    while day <= times[-1]:
        at = sum(moment < day for moment in times)
        if 0 < at < len(times) and day >= first - timedelta(days=1):
            k, n = int(hits[at - 1]), at
            fit = _likelihood(k, n) + _likelihood(int(hits[-1]) - k, len(times) - n)
            if fit > best:
                best, found = fit, day
        day += timedelta(days=1)
    return found


def _likelihood(k: int, n: int) -> float:
    """The log-likelihood of k of n at its best share."""
    share = min(max(k / n, _FLOOR), 1 - _FLOOR)
    return float(k * np.log(share) + (n - k) * np.log(1 - share))
