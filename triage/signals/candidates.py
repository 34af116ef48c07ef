"""Every stretch that may state a signal, and what can be said of it: what `ranking` weighs.

Candidates are what the rules found, what the tagger found, and for some signals all stretches of
the right kind: figures, times, names. A candidate's features are plain words of what is around it;
which of them count is learned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import log
from typing import Final

from classifiers.labels import SignalName
from classifiers.tag_marks import FIGURES, SpanName
from triage.signals.contact import FREE_MAIL
from triage.signals.learned import Learned
from triage.signals.source import Finding, Material, Source
from triage.signals.timeline import times

Features = Mapping[str, float]

_LEFT, _RIGHT = 5, 4
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*|\d+|[^\w\s]|\n")
_LABEL: Final = re.compile(r"^[ \t*>|\[-]*(?P<label>[A-Za-z#][\w /#&'-]{0,30}?)[ \t]*[:=|;.]+[ \t]*\]?[ \t]*$")
_DOMAIN: Final = re.compile(r"@(?P<label>[\w-]{3,63})\.[\w.-]{2,80}")
_CAPITALS: Final = re.compile(
    r"(?<![\w@.])[A-Z\u00c0-\u00de][\w'\u2019-]*\.?"
    r"(?:(?: (?:&|and|of|the|de|van|von|for|y|du|la) | & |, (?=Inc|Ltd|LLC)| )"
    r"[A-Z0-9\u00c0-\u00de][\w'\u2019-]*){0,5}"
)
_NAMED_IN_CALLS: Final = re.compile(
    r"\b(?:my name is|my name's|name is|this is|it's|its|i'm|im|i am|name's|here is|speaking to|ask for|called) "
    r"(?P<name>[a-z'\u2019-]{2,15}(?: [a-z'\u2019-]{2,15}){0,2})"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch and how it came to be one.

    `score`: the tagger's probability, 0 where it did not name the stretch; `rank` its place among
    the tagger's; `ruled`: the rule's confidence where it is the rule's own finding.
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
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @cached_property
    def domains(self) -> str:
        """The names in all addresses, letters only, with spaces between."""
        texts = [source.text for source in self.material.sources]
        found = {
            re.sub(r"[^a-z0-9]", "", match["label"].lower())
            for text in texts
            for match in _DOMAIN.finditer(text)
            if match[0][1:].lower() not in FREE_MAIL
        }
        return " ".join(sorted(found))

    @cached_property
    def tokens(self) -> dict[int, list[tuple[str, int, int]]]:
        """Words, figures, marks and line ends of each source, with their offsets."""
        return {
            id(source): [(_shrunk(m[0]), *m.span()) for m in _WORD.finditer(source.text)]
            for source in self.material.sources
        }


def candidates(name: SpanName, reading: Reading) -> list[Candidate]:
    """What may state a signal, without repetitions; the tagger's first."""
    found: dict[tuple[int, int, int], Candidate] = {}
    rule = reading.rules.get(name)
    for rank, finding in enumerate(reading.learned.places(name)):
        _add(found, Candidate(finding, finding.confidence, rank))
    for candidate in _of_kind(name, reading):
        _add(found, candidate)
    if rule is not None and rule.source.part != "header":
        _add(found, Candidate(rule, ruled=rule.confidence))
    return [*found.values()]


def _add(found: dict[tuple[int, int, int], Candidate], new: Candidate) -> None:
    """Keep one candidate a stretch, with what every way to it says."""
    at = (id(new.finding.source.text), new.finding.start, new.finding.end)
    old = found.get(at)
    if old is None:
        found[at] = new
        return
    finding = new.finding if new.ruled else old.finding
    rank = old.rank if old.rank >= 0 else new.rank
    found[at] = Candidate(
        finding,
        max(old.score, new.score),
        rank,
        max(old.ruled, new.ruled),
        max(old.worth, new.worth),
    )


def _of_kind(name: SpanName, reading: Reading) -> Iterator[Candidate]:
    for source in reading.material.written:
        if name in FIGURES:
            for match in FIGURES[name].finditer(source.text):
                yield Candidate(Finding(source, *match.span(), 0.5))
        elif name == "timeline":
            for worth, finding in times(source):
                yield Candidate(finding, worth=worth)
        elif name in {"contact_name", "company"}:
            for match in _CAPITALS.finditer(source.text):
                yield Candidate(Finding(source, *match.span(), 0.5))
            if source.spoken and name == "contact_name":
                for match in _NAMED_IN_CALLS.finditer(source.lower):
                    yield from _growing(source, match)


def _growing(source: Source, match: re.Match[str]) -> Iterator[Candidate]:
    """One, two and three words of a name that is said without capitals."""
    start = match.start("name")
    for gap in re.finditer(r" |$", match["name"]):
        yield Candidate(Finding(source, start, start + gap.start(), 0.5))


def features(name: SpanName, candidate: Candidate, reading: Reading) -> dict[str, float]:
    """What is said of a candidate, by name; 1 where a value is not a measure."""
    finding, source = candidate.finding, candidate.finding.source
    found = {one: 1.0 for one in _around(finding, reading)}
    rule = reading.rules.get(name)
    best = reading.learned.tagged.spans[name]
    if candidate.rank >= 0:
        odds = _odds(candidate.score)
        found |= {f"rank {candidate.rank}": 1.0, "odds": odds / 3}
        found[f"odds {round(odds)}"] = 1.0
    else:
        cover = max((one.probability for one in best if _shares(finding, one, reading)), default=0.0)
        found |= {"not tagged": 1.0, "odds of what it shares": _odds(max(cover, 0.01)) / 3}
    found["odds of the best"] = _odds(best[0].probability if best else 0.001) / 3
    if rule is None or rule.source.part == "header":
        found["no rule"] = 1.0
    elif candidate.ruled:
        found |= {"ruled": 1.0, f"ruled {candidate.ruled:.1f}": 1.0}
    else:
        share = rule.source is source and rule.start < finding.end and finding.start < rule.end
        found["shares with the rule" if share else "rule says other"] = 1.0
    if candidate.worth:
        found |= {"worth": candidate.worth / 4, f"worth {round(candidate.worth)}": 1.0}
    found |= _own_kind(name, finding, reading)
    return found | {f"{source.part} {source.field}": 1.0, reading.material.inquiry.channel: 1.0}


def _around(finding: Finding, reading: Reading) -> Iterator[str]:
    """The words of a stretch and beside it, its shape, and where in the text it is."""
    source = finding.source
    tokens = reading.tokens[id(source)]
    before = [word for word, _, end in tokens if end <= finding.start][-_LEFT - 3 :][::-1]
    after = [word for word, start, _ in tokens if start >= finding.end][: _RIGHT + 2]
    inside = [w for w, start, end in tokens if finding.start <= start and end <= finding.end]
    for at in range(3):
        yield f"left {at} {before[at] if at < len(before) else '^'}"
        yield f"right {at} {after[at] if at < len(after) else '$'}"
    yield f"left two {' '.join(before[1::-1])}"
    yield f"right two {' '.join(after[:2])}"
    yield from (f"left {word}" for word in before[:_LEFT])
    yield from (f"right {word}" for word in after[:_RIGHT])
    yield from (f"in {word}" for word in inside)
    yield f"first {inside[0] if inside else ''}"
    yield f"last {inside[-1] if inside else ''}"
    yield f"words {min(len(inside), 8)}"
    quote = finding.quote
    yield f"shape {'lower' if quote.islower() else 'title' if quote.istitle() else 'upper' if quote.isupper() else 'mixed'}"
    low = source.text.rfind("\n", 0, finding.start) + 1
    high = source.text.find("\n", finding.end)
    line_end = source.text[finding.end : high if high >= 0 else None].strip()
    line_start = source.text[low : finding.start]
    below = sum(bool(line.strip()) for line in source.text[finding.end :].split("\n")[1:])
    yield f"alone {not line_start.strip()} {not line_end}"
    yield f"below {min(below, 5)} {not line_start.strip()}"
    yield f"place {round(4 * finding.start / max(1, len(source.text)))}"
    if label := _LABEL.match(line_start):
        yield f"label {label['label'].lower().strip()}"
        yield "labelled"
    if not source.heard[finding.start : finding.end].strip():
        yield "not their words"


def _own_kind(name: SpanName, finding: Finding, reading: Reading) -> dict[str, float]:
    """What matters for one signal only."""
    found: dict[str, float] = {}
    quote = finding.quote
    if name == "company":
        plain = re.sub(r"[^a-z0-9]", "", quote.lower())
        domains = reading.domains
        found["is a domain"] = float(len(plain) > 3 and plain in domains.split())
        found["in a domain"] = float(len(plain) > 3 and any(plain in d or d in plain for d in domains.split()))
    if name in {"company", "contact_name"}:
        business = reading.material.business.profile.lower() if reading.material.business else ""
        found["in the profile"] = float(quote.lower() in business)
        sender = reading.material.inquiry.sender
        found["of the sender"] = float(bool(set(quote.lower().split()) & set(f"{sender.name} {sender.email}".lower().replace("@", " ").replace(".", " ").split())))
        again = len(re.findall(rf"(?<!\w){re.escape(quote)}(?!\w)", finding.source.text))
        found[f"said {min(again, 3)} times"] = 1.0
    if name in FIGURES:
        digits = re.sub(r"\D", "", quote)
        found[f"figures {min(len(digits), 7)}"] = 1.0
    return found


def _shares(finding: Finding, stretch: object, reading: Reading) -> bool:
    place = reading.learned.place(stretch)  # type: ignore[arg-type]
    if place is None or place[0] is not finding.source:
        return False
    return place[1] < finding.end and finding.start < place[2]


def _odds(probability: float) -> float:
    p = min(max(probability, 1e-4), 1 - 1e-4)
    return log(p / (1 - p))


def _shrunk(word: str) -> str:
    """A word as a feature: small, and figures by their length."""
    return f"#{len(word)}" if word.isdigit() else word.lower().replace("\u2019", "'")
