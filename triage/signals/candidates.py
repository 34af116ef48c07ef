"""Every stretch that may state a signal, and what can be said of it: what a ranking weighs.

Candidates are what the rules found, what the tagger found, and for some signals all stretches of
the right kind: figures, times, names. A candidate's features are plain words of what is around it;
which of them count is learned (`rank_training`).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import log
from typing import Final

from classifiers.calibration import Floats
from classifiers.labels import SignalName
from classifiers.ranking import NOTHING
from classifiers.tag_marks import FIGURES, SpanName
from classifiers.tag_model import Stretch
from triage.signals.contact import FREE_MAIL
from triage.signals.learned import Learned
from triage.signals.moments import moments
from triage.signals.source import Finding, Material, Source
from triage.signals.timeline import times

MOST: Final = 60
"""Candidates of a kind that are looked at in one source; an endless text has more."""

_SEEN: Final = frozenset({*FIGURES, "timeline"})
_LEFT, _RIGHT = 5, 4  # words to either side
_UNLIKELY: Final = 0.001
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|[^\w\s]|\n")
_LABEL: Final = re.compile(
    r"^[ \t*>|\[-]*(?P<label>[A-Za-z#][\w /#&'-]{0,30}?)[ \t]*[:=|;.]+[ \t]*\]?[ \t]*$"
)
_DOMAIN: Final = re.compile(r"@(?P<label>[\w-]{3,63})\.[\w.-]{2,80}")
_BIG: Final = r"(?:[A-Z\u00c0-\u00de]\w{0,2}\.(?= )|[A-Z\u00c0-\u00de][\w'\u2019-]{0,40})"
_CAPITALS: Final = re.compile(
    rf"(?<![\w@.]){_BIG}(?:(?: (?:&|and|of|the|de|van|von|for|y|du|la) | & |, (?=Inc|Ltd|LLC)| )"
    rf"(?:{_BIG}|\d[\w'\u2019-]{{0,20}})){{0,5}}"
)
_NAMED_IN_CALLS: Final = re.compile(
    r"\b(?:my name is|my name's|name is|this is|it's|its|i'm|im|i am|name's|here is|speaking to"
    r"|ask for|called) (?P<name>[a-z'\u2019-]{2,15}(?: [a-z'\u2019-]{2,15}){0,2})"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch and how it came to be one.

    `score` is the tagger's probability and `rank` its place among the tagger's, 0 and -1 where it
    did not name the stretch; `ruled` the rule's confidence where it is the rule's own finding;
    `worth` how much a time looks like the wish's own.
    """

    finding: Finding
    score: float = 0.0
    rank: int = -1
    ruled: float = 0.0
    worth: float = 0.0


@dataclass(frozen=True)
class Reading:
    """All that is known of an inquiry when one of its signals is to be chosen."""

    material: Material
    learned: Learned
    rules: Mapping[SignalName, Finding | None]

    @cached_property
    def domains(self) -> frozenset[str]:
        """The names in all addresses, letters and figures only."""
        return frozenset(
            _plain(match["label"])
            for source in self.material.sources
            for match in _DOMAIN.finditer(source.text)
            if match[0][1:].lower() not in FREE_MAIL
        )

    @cached_property
    def sender(self) -> frozenset[str]:
        """The words of the sender's name and address."""
        sender = self.material.inquiry.sender
        return frozenset(re.findall(r"[^\W\d_]+", f"{sender.name} {sender.email}".lower()))

    @cached_property
    def _words(self) -> dict[int, tuple[list[str], list[int], list[int]]]:
        return {id(source): _split(source.text) for source in self.material.sources}

    def words(self, source: Source) -> tuple[list[str], list[int], list[int]]:
        """Words, figures, marks and line ends of a source, and where each starts and ends."""
        return self._words[id(source)]


def candidates(name: SpanName, reading: Reading) -> list[Candidate]:
    """What may state a signal, without repetitions; the tagger's first."""
    found: dict[tuple[str, int, int], Candidate] = {}
    for rank, finding in enumerate(reading.learned.places(name)):
        _add(found, Candidate(finding, finding.confidence, rank))
    for source in reading.material.written:
        for candidate in islice(_of_kind(name, source), MOST):
            _add(found, candidate)
    rule = reading.rules.get(name)
    if rule is not None and rule.source.part != "header":
        _add(found, Candidate(rule, ruled=rule.confidence))
    return [*found.values()]


def _add(found: dict[tuple[str, int, int], Candidate], new: Candidate) -> None:
    """Keep one candidate a stretch, with what every way to it says."""
    at = (new.finding.source.field, new.finding.start, new.finding.end)
    old = found.get(at, new)
    found[at] = Candidate(
        new.finding if new.ruled else old.finding,
        max(old.score, new.score),
        old.rank if old.rank >= 0 else new.rank,
        max(old.ruled, new.ruled),
        max(old.worth, new.worth),
    )


def _of_kind(name: SpanName, source: Source) -> Iterator[Candidate]:
    if name in FIGURES:
        for match in FIGURES[name].finditer(source.text):
            yield Candidate(Finding(source, *match.span(), 0.5))
    elif name == "timeline":
        yield from _times(source)
    elif name in {"contact_name", "company"}:
        for match in _CAPITALS.finditer(source.text):
            yield Candidate(Finding(source, *match.span(), 0.5))
        if source.spoken and name == "contact_name":
            for match in _NAMED_IN_CALLS.finditer(source.lower):
                yield from _growing(source, match)


def _times(source: Source) -> Iterator[Candidate]:
    """The times that rules know, and what may be one where they see none."""
    taken: set[int] = set()
    for worth, finding in times(source):
        yield Candidate(finding, worth=worth)
        taken.update(range(finding.start, finding.end))
    for finding in moments(source):
        if taken.isdisjoint(range(finding.start, finding.end)):
            yield Candidate(finding)


def _growing(source: Source, match: re.Match[str]) -> Iterator[Candidate]:
    """One, two and three words of a name that is said without capitals."""
    start = match.start("name")
    for gap in re.finditer(r" |$", match["name"]):
        yield Candidate(Finding(source, start, start + gap.start(), 0.5))


def features(name: SpanName, candidate: Candidate, reading: Reading) -> dict[str, float]:
    """What is said of a candidate, by name; 1 where it is no measure."""
    finding = candidate.finding
    found = dict.fromkeys(_beside(finding, reading), 1.0)
    found |= dict.fromkeys(_layout(finding), 1.0)
    found |= _tagged(name, candidate, reading)
    found |= _ruled(candidate, reading.rules.get(name))
    found |= dict.fromkeys(_own_kind(name, finding, reading), 1.0)
    source = finding.source
    return found | {f"{source.part} {source.field}": 1.0, reading.material.inquiry.channel: 1.0}


def around(name: SpanName, candidate: Candidate, reading: Reading) -> Floats:
    """What the encoder says of a figure or time and of what follows it, most of which no lead was
    marked with; names are told by their words and their shape as well without.
    """
    return reading.learned.around(candidate.finding) if name in _SEEN else NOTHING


def _tagged(name: SpanName, candidate: Candidate, reading: Reading) -> dict[str, float]:
    """What the tagger says of it."""
    best = reading.learned.tagged.spans[name]
    found = {"odds of the best": _odds(best[0].probability if best else _UNLIKELY) / 3}
    if candidate.rank >= 0:
        odds = _odds(candidate.score)
        return found | {f"rank {candidate.rank}": 1.0, "odds": odds / 3, f"odds {round(odds)}": 1.0}
    shared = (one.probability for one in best if _shares(candidate.finding, one, reading))
    return found | {"not tagged": 1.0, "odds of what it shares": _odds(max(shared, default=0)) / 3}


def _ruled(candidate: Candidate, rule: Finding | None) -> dict[str, float]:
    """What the rules say of it."""
    finding = candidate.finding
    found = {}
    if candidate.worth:
        found = {"worth": candidate.worth / 4, f"worth {round(candidate.worth)}": 1.0}
    if rule is None or rule.source.part == "header":
        return found | {"no rule": 1.0}
    if candidate.ruled:
        return found | {"ruled": 1.0, f"ruled {candidate.ruled:.1f}": 1.0}
    return found | {"shares with the rule" if cross(rule, finding) else "rule says other": 1.0}


def _beside(finding: Finding, reading: Reading) -> Iterator[str]:
    """The words of a stretch and those beside it."""
    words, starts, ends = reading.words(finding.source)
    first, after = bisect_right(ends, finding.start), bisect_left(starts, finding.end)
    left = words[max(0, first - _LEFT - 3) : first][::-1]
    right = words[after : after + _RIGHT + 2]
    inside = words[first:after]
    for at in range(3):
        yield f"left {at} {left[at] if at < len(left) else '^'}"
        yield f"right {at} {right[at] if at < len(right) else '$'}"
    yield f"left two {' '.join(left[1::-1])}"
    yield f"right two {' '.join(right[:2])}"
    yield from (f"left {word}" for word in left[:_LEFT])
    yield from (f"right {word}" for word in right[:_RIGHT])
    yield from (f"in {word}" for word in inside)
    yield f"first {inside[0] if inside else ''}"
    yield f"last {inside[-1] if inside else ''}"
    yield f"words {min(len(inside), 8)}"


def _layout(finding: Finding) -> Iterator[str]:
    """The shape of a stretch, and where in its text and line it stands."""
    source, quote = finding.source, finding.quote
    shapes = {"lower": quote.islower(), "title": quote.istitle(), "upper": quote.isupper()}
    yield f"shape {next((shape for shape, fits in shapes.items() if fits), 'mixed')}"
    low = source.text.rfind("\n", 0, finding.start) + 1
    high = source.text.find("\n", finding.end)
    before = source.text[low : finding.start]
    after = source.text[finding.end : high if high >= 0 else None].strip()
    rest = source.text[finding.end :].split("\n", 12)[1:]
    yield f"alone {not before.strip()} {not after}"
    yield f"below {min(sum(bool(line.strip()) for line in rest), 5)} {not before.strip()}"
    yield f"place {round(4 * finding.start / max(1, len(source.text)))}"
    if label := _LABEL.match(before):
        yield f"label {label['label'].lower().strip()}"
        yield "labelled"
    if not source.heard[finding.start : finding.end].strip():
        yield "not their words"


def _own_kind(name: SpanName, finding: Finding, reading: Reading) -> Iterator[str]:
    """What matters for one signal only."""
    quote = finding.quote
    if name in FIGURES:
        yield f"figures {min(sum(char.isdigit() for char in quote), 7)}"
    if name == "company" and len(plain := _plain(quote)) > 3:
        if plain in reading.domains:
            yield "is a domain"
        if any(plain in domain or domain in plain for domain in reading.domains):
            yield "in a domain"
    if name in {"company", "contact_name"}:
        if quote.lower() in reading.material.business.profile.lower():
            yield "in the profile"
        if reading.sender.intersection(quote.lower().split()):
            yield "of the sender"
        again = re.findall(rf"(?<!\w){re.escape(quote)}(?!\w)", finding.source.text)
        yield f"said {min(len(again), 3)} times"


def cross(one: Finding, other: Finding) -> bool:
    """Whether two findings share characters."""
    same = one.source.field == other.source.field
    return same and one.start < other.end and other.start < one.end


def _shares(finding: Finding, stretch: Stretch, reading: Reading) -> bool:
    place = reading.learned.place(stretch)
    if place is None or place[0].field != finding.source.field:
        return False
    return place[1] < finding.end and finding.start < place[2]


def _odds(probability: float) -> float:
    p = min(max(probability, _UNLIKELY), 1 - _UNLIKELY)
    return log(p / (1 - p))


def _split(text: str) -> tuple[list[str], list[int], list[int]]:
    found = [*_WORD.finditer(text)]
    return (
        [_shrunk(match[0]) for match in found],
        [match.start() for match in found],
        [match.end() for match in found],
    )


def _shrunk(word: str) -> str:
    """A word as a feature: small, and figures by their length."""
    return f"#{len(word)}" if word.isdigit() else word.lower().replace("\u2019", "'")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
