"""The JSON Lines contract of `triage classify`: what a line may hold, what is answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import structlog

from classifiers.labels import LABELS, SIGNALS
from classifiers.model import Classifier
from classifiers.verdict import Verdict
from triage.errors import Permanent, Usage
from triage.intake.mail import parse_mail
from triage.pipeline.decide import decide, may_be_lead
from triage.pipeline.reading import Reading, read
from triage.pipeline.ruled import named, relabelled
from triage.rules.rulebook import Rulebook
from triage.settings import Settings
from triage.signals.qualify import qualify
from triage.store.database import storable
from triage.types import Inquiry, Party, Qualification, SourceRef
from triage.wiring import LazyTagger, load_classifier, load_rulebook

log = structlog.get_logger(__name__)

_ENVELOPE = {"sender", "metadata"}
_AT_ONCE = 64  # lines classified together; memory stays bounded whatever the input


@dataclass(frozen=True, slots=True)
class _Asked:
    """A line: an inquiry to answer, or what is wrong with it."""

    id: Any
    inquiry: Inquiry | None = None
    business: str = ""
    error: str = ""


def answers(
    files: Sequence[str], settings: Settings, artifact: str | None, *, explain: bool = False
) -> Iterator[dict[str, Any]]:
    """An answer for every line of the files, in order; with `explain` the words that made the label
    too. Raises `Usage` for a missing file.
    """
    if artifact is not None:
        chosen = settings.classifier.model_copy(update={"artifact": artifact})
        settings = settings.model_copy(update={"classifier": chosen})
    rulebook = load_rulebook(settings)
    asked = _asked(files, settings)
    tagger = LazyTagger(settings.classifier)
    classifier: Classifier | None = None
    while chunk := list(islice(asked, _AT_ONCE)):
        if classifier is None and any(line.inquiry for line in chunk):
            classifier = load_classifier(settings.classifier)
        yield from _answered(chunk, classifier, settings, rulebook, tagger, explain=explain)


def _asked(files: Sequence[str], settings: Settings) -> Iterator[_Asked]:
    for name in files:
        path = Path(name)
        if name == "-":
            yield from _lines(sys.stdin.buffer, settings)
        elif not path.exists() or path.is_dir():
            raise Usage(f"{name}: no such file")
        elif path.suffix.lower() == ".eml":
            yield _mail(path, settings)
        else:
            with path.open("rb") as file:
                yield from _lines(file, settings)


def _lines(lines: Any, settings: Settings) -> Iterator[_Asked]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _line(number, line, settings)


def _line(number: int, line: bytes, settings: Settings) -> _Asked:
    where = f"line {number}"
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        return _Asked(None, error=f"{where}: not JSON in UTF-8: {error}")
    if not isinstance(fields, dict):
        return _Asked(None, error=f"{where}: expected an object, found {type(fields).__name__}")
    name = fields.get("id")
    if not isinstance(name, str | int) or isinstance(name, bool):
        return _Asked(None, error=f"{where}: `id` is missing; give each line one")
    problem = _problem(fields)
    if problem:
        return _Asked(name, error=f"{where}: {problem}")
    # Half a surrogate pair is legal in JSON and nowhere else.
    fields = {k: storable(v) if isinstance(v, str) else v for k, v in fields.items()}
    text = fields["body"] if isinstance(fields.get("body"), str) else fields["text"]
    text = text[: settings.limits.text_chars]
    inquiry = Inquiry(
        id=str(name),
        ref=SourceRef("classify", "maildir", where),
        channel=fields["channel"],
        received_at=_date(fields.get("received_at")),
        sender=_party(fields.get("from"), fields["channel"]),
        recipients=(_party(fields.get("to"), fields["channel"]),) if fields.get("to") else (),
        subject=fields.get("subject") or "",
        text=text,
    )
    return _Asked(name, inquiry, fields.get("business") or "")


def _problem(fields: dict[str, Any]) -> str:
    """What is wrong with the fields of a line; empty if nothing is."""
    if fields.get("channel") not in ("email", "call"):
        return f'`channel` must be "email" or "call", not {json.dumps(fields.get("channel"))}'
    if not any(isinstance(fields.get(name), str) for name in ("body", "text")):
        return "needs `body` or `text`, as a string"
    for name in ("business", "from", "to", "subject"):
        if not isinstance(fields.get(name), str | None):
            return f"`{name}` must be a string or null, not {type(fields[name]).__name__}"
    return ""


def _date(value: Any) -> datetime:
    """When the inquiry arrived, for timelines like "next week": now, unless the line says."""
    try:
        date = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return datetime.now(UTC)
    if not 1970 <= date.year <= 2200:  # dates are reckoned from it, and the calendar ends
        return datetime.now(UTC)
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _party(text: str | None, channel: str) -> Party:
    """`Name <address>`, an address, a number, or a name."""
    text = (text or "").strip()
    name, _, rest = text.partition("<")
    address = rest.rstrip("> ").strip() if rest else name.strip()
    name = name.strip(' "') if rest else ""
    if "@" in address:
        return Party(name=name, email=address)
    if channel == "call" and any(character.isdigit() for character in address):
        return Party(name=name, phone=address)
    return Party(name=name or address)


def _mail(path: Path, settings: Settings) -> _Asked:
    now = datetime.now(UTC)
    ref = SourceRef("classify", "maildir", str(path))
    try:
        raw = path.read_bytes()
        inquiry = parse_mail(
            raw,
            inquiry_id=str(path),
            ref=ref,
            received_at=now,
            limits=settings.limits,
            authserv_ids=settings.rules.authserv_ids,
        )
    except (OSError, Permanent) as error:
        return _Asked(str(path), error=f"{path}: {error}")
    return _Asked(str(path), inquiry)


def _answered(
    chunk: Sequence[_Asked],
    classifier: Classifier | None,
    settings: Settings,
    rulebook: Rulebook,
    tagger: LazyTagger,
    *,
    explain: bool,
) -> Iterator[dict[str, Any]]:
    profile = settings.business.profile
    readings = [
        read(line.inquiry, None, line.business or profile, rulebook.rule(line.inquiry))
        if line.inquiry
        else None
        for line in chunk
    ]
    examples = [reading.example for reading in readings if reading and not reading.settled]
    try:
        verdicts = iter(classifier.classify(examples) if classifier else [])
    except Exception as error:
        if len(chunk) == 1:
            log.exception("cannot classify", line=chunk[0].id)
            yield {"id": chunk[0].id, "error": f"{type(error).__name__}: {error}"}
            return
        for line in chunk:  # one of them is bad; the others are answered
            yield from _answered([line], classifier, settings, rulebook, tagger, explain=explain)
        return
    for line, reading in zip(chunk, readings, strict=True):
        if line.inquiry is None or reading is None:
            yield {"id": line.id, "error": line.error}
        else:
            verdict = reading.settled or next(verdicts)
            answer = {"id": line.id} | _answer(line.inquiry, reading, verdict, settings, tagger)
            if explain:
                answer["explanation"] = _explanation(reading, verdict, classifier)
                answer["business_fits"] = _business_fits(reading, classifier)
            yield answer


def _explanation(
    reading: Reading, verdict: Verdict, classifier: Classifier | None
) -> list[dict[str, Any]]:
    """The words that made the model's label, the heaviest first; none where a rule made it."""
    if reading.settled or classifier is None:
        return []
    return [
        {
            "text": word.text,
            "field": word.field,
            "start": word.start,
            "end": word.end,
            "weight": round(word.weight, 4),
        }
        for word in classifier.explain(reading.example, verdict.label)
    ]


def _business_fits(reading: Reading, classifier: Classifier | None) -> float | None:
    """How well what is asked fits the business, 0 to 1; none where nobody compared them."""
    if reading.settled or classifier is None:
        return None
    found = classifier.fits(reading.example)
    return None if found is None else round(found, 4)


def _answer(
    inquiry: Inquiry,
    reading: Reading,
    verdict: Verdict,
    settings: Settings,
    tagger: LazyTagger,
) -> dict[str, Any]:
    rules = settings.decision
    verdict = named(relabelled(verdict, reading.ruling, rules.lead_floor), settings.taxonomy)
    qualification = None
    if may_be_lead(verdict, rules):
        qualification = qualify(inquiry, None, settings.ideal_customer, settings.business, tagger())
    decision = decide(
        verdict, qualification, rules, reading.doubts, reading.ruling, settings.taxonomy
    )
    shown = qualification if verdict.label == "lead" else None
    # Only a business with labels of its own gets the key: the others' answers stay as they are.
    own = {"own_label": verdict.own or verdict.label} if settings.taxonomy else {}
    return {
        "label": verdict.label,
        "confidence": round(verdict.confidence, 6),
        "scores": {label: round(verdict.scores[label], 6) for label in LABELS},
        "abstained": verdict.abstained,
        "outcome": decision.outcome,
        "score": shown.score if shown else None,
        "grade": shown.grade if shown else None,
        "signals": _signals(shown),
        "model": verdict.model,
        **own,
    }


def _signals(qualification: Qualification | None) -> dict[str, Any]:
    """Every signal by name; `null` where it was not stated.

    What is only known from the envelope (`from`) is in the question, and nobody stated it.
    """
    stated = {
        name: signal
        for name, signal in (qualification.signals if qualification else {}).items()
        if any(evidence.field not in _ENVELOPE for evidence in signal.evidence)
    }
    return {
        name: {
            "value": stated[name].value,
            "normalized": stated[name].normalized or None,
            "confidence": round(stated[name].confidence, 3),
            "evidence": [
                {"quote": e.quote, "start": e.start, "end": e.end, "field": e.field}
                for e in stated[name].evidence
            ],
        }
        if name in stated
        else None
        for name in SIGNALS
    }
