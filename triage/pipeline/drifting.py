"""Looks whether what arrives at each source is still like what used to arrive, and says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from triage import metrics
from triage.settings import Settings
from triage.store import records
from triage.store.drifts import Alarm, Judged
from triage.store.repository import Repository
from triage.store.words import split
from triage.training.drift import MEASURES, Finding, Piece, Window, alarms, psi
from triage.types import Inquiry, Transcript

log = structlog.get_logger(__name__)

_MOST: Final = 2000  # inquiries of a window that are counted, the newest
_READ: Final = 400  # of these, whose words are looked at
_RULE: Final = "rule:"


@dataclass(frozen=True, slots=True)
class Drifting:
    """The look through all sources."""

    settings: Settings
    repository: Repository

    def look(self, now: datetime | None = None) -> list[Alarm]:
        """Compare, keep what is found, and log what is new, once. Returns what is different now.

        Cheap enough for every hour: it reads a bounded number of inquiries a source.
        """
        windows = self.windows(now or records.now())
        found = [_alarm(finding) for finding in alarms(windows, self.settings.drift)]
        for alarm in self.repository.drifts.noticed(found):
            log.warning(
                "what arrives has changed",
                source=alarm.source,
                measure=alarm.measure,
                text=alarm.text,
            )
        self.measure(windows, found)
        return found

    def windows(self, now: datetime) -> list[Window]:
        """What each source brought recently, and before."""
        return [self._window(source.name, now) for source in self.settings.sources]

    def measure(self, windows: Sequence[Window], found: Sequence[Alarm]) -> None:
        """Tell Prometheus."""
        loud = {(alarm.source, alarm.measure) for alarm in found}
        for window in windows:
            for measure in MEASURES:
                metrics.drifted(window.source, measure, is_loud=(window.source, measure) in loud)
            if window.recent and window.reference:
                metrics.mixed(window.source, _mix(window))

    def _window(self, source: str, now: datetime) -> Window:
        drift, drifts = self.settings.drift, self.repository.drifts
        middle = now - timedelta(days=drift.recent_days)
        begin = middle - timedelta(days=drift.reference_days)
        recent = drifts.judged(source, middle, now, _MOST)
        reference = drifts.judged(source, begin, middle, _MOST)
        if min(len(recent), len(reference)) < drift.least:  # nothing will be said of them
            return Window(source, self._pieces(recent, 0), self._pieces(reference, 0))
        return Window(source, self._pieces(recent, _READ), self._pieces(reference, _READ))

    def _pieces(self, judged: Sequence[Judged], read: int) -> list[Piece]:
        ids = [each.id for each in judged[:read]]
        found = {inquiry.id: (inquiry, heard) for inquiry, heard in
                 self.repository.drifts.contents(ids)}  # fmt: skip
        return [_piece(each, *found.get(each.id, (None, None))) for each in judged]


def _piece(judged: Judged, inquiry: Inquiry | None, heard: Transcript | None) -> Piece:
    by_rule = judged.model.startswith(_RULE)
    words = silent = None
    if inquiry is not None:
        clear = [segment.text for segment in heard.segments if not segment.flags] if heard else []
        text = "\n".join(clear) if heard else inquiry.text
        # Numbers are new in every text, and say nothing.
        words = frozenset(word for word in split(text) if word.isalpha() and len(word) > 1)
        silent = not any(said.strip() for said in clear) if heard else None
    return Piece(
        judged.at,
        judged.label,
        None if by_rule else judged.margin,
        words,
        silent,
        judged.channel,
        "" if by_rule else judged.model,
    )


def _mix(window: Window) -> float:
    old = Counter(piece.label for piece in window.reference)
    new = Counter(piece.label for piece in window.recent)
    labels = sorted(old | new)
    return psi([old[label] for label in labels], [new[label] for label in labels])


def _alarm(finding: Finding) -> Alarm:
    moment = records.now()
    return Alarm(
        0, finding.source, finding.measure, finding.label, sentence(finding), finding.detail,
        moment, moment,
    )  # fmt: skip


def sentence(finding: Finding) -> str:
    """What is different, as one would tell a colleague."""
    since = f"since {finding.since:%A %-d %B} " if finding.since else "recently "
    what = "calls" if finding.channel == "call" else "mails"
    before, after, source = f"{finding.before:.0%}", f"{finding.after:.0%}", f"'{finding.source}'"
    label = finding.label.replace("_", " ")
    said = {
        "labels": f"{after} of {what} from {source} are {label}, {before} before",
        "confidence": f"the model finds {after} of {what} from {source} as hard to tell as only "
        f"{before} were before",
        "vocabulary": f"{after} of the words in {what} from {source} are new there; "
        f"{before} were usual",
        "silence": f"{after} of {what} from {source} hold no speech that can be understood, "
        f"{before} before",
    }[finding.measure]
    other = (
        f" (by another model than before: {', '.join(finding.models)})" if finding.models else ""
    )
    return f"{since}{said}{other}"
