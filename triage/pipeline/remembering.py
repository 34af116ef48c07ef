"""What people corrected, as the next similar inquiry profits from it: memory beside the model.

The corrections in the database are the truth. Each look asks how far they go, which costs one
query, so that what was said in the console or by a command counts for the very next inquiry in a
running worker, and what was taken back is out at once. Vectors of another model are made again, the
newest corrections first, some with each look.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import numpy as np
import structlog

from classifiers.calibration import Floats
from classifiers.memory import CAREFUL, MOST, Memory, Recalled, Remembered
from classifiers.model import Classifier, verdicts
from classifiers.verdict import Example
from triage.pipeline.prior import earlier_legs
from triage.pipeline.reading import Reading, read
from triage.settings import Settings
from triage.signals.contact import FREE_MAIL
from triage.store.memories import Kept, Mark, Taught
from triage.store.repository import Repository
from triage.types import Stage, Verdict

log = structlog.get_logger(__name__)

SUFFIX: Final = "+memory"
"""What the model's name ends with in verdicts that corrected examples had a say in."""
_AT_ONCE: Final = 64  # texts whose vectors are made with one look
_USUAL: Final = 100  # inquiries that tell where usual ones lie,
_ENOUGH: Final = 20  # and how few of them tell nothing
_FLOAT: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class _Known:
    """What a process knows of what was said: for which reader (see `_reader`), and how far.

    `taught` and `made` by inquiry, the newest first; `made` is None where there is nothing to read.
    `usual` inquiries made the centre.
    """

    reader: str = ""
    mark: Mark = field(default_factory=Mark)
    taught: Mapping[str, Taught] = field(default_factory=dict)
    made: Mapping[str, Remembered | None] = field(default_factory=dict)
    usual: int = 0
    centre: Floats | None = None
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class _Kin:
    """Whose mail an inquiry is, and the inquiries of its conversation, itself among them."""

    author: str
    conversation: frozenset[str]

    def may_be_told_by(self, one: Taught) -> bool:
        """Not by its own conversation, nor by mails of its author's colleagues."""
        if one.inquiry_id in self.conversation:
            return False
        return not _are_colleagues(self.author, _address(one.sender))


def classified(
    classifier: Callable[[], Classifier],
    memory: Remembering | None,
    unread: Sequence[tuple[str, Reading]],
) -> list[Verdict]:
    """One verdict for each inquiry and what is read of it, by the model and the memory if any.

    Whether a call is read on after its opening is for the model alone: the rule for that was shown
    to be safe for its probabilities, and memory may lower that of a lead.
    """
    if not unread:
        return []
    alone = [memory is None or reading.opening for _, reading in unread]
    by_model = [reading.example for (_, reading), so in zip(unread, alone, strict=True) if so]
    joined = [
        (name, reading.example) for (name, reading), so in zip(unread, alone, strict=True) if not so
    ]
    model = classifier()
    said = iter(model.classify(by_model) if by_model else [])
    told = iter(memory.classify(model, joined) if memory and joined else [])
    return [next(said if so else told) for so in alone]


class Remembering:
    """Classifies with a model and with what people said. Safe to use from several threads."""

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self._settings = settings
        self._repository = repository
        self._lock = threading.Lock()
        self._known = _Known()

    def classify(
        self, classifier: Classifier, unread: Sequence[tuple[str, Example]]
    ) -> list[Verdict]:
        """One verdict for each inquiry (its id, and what is read of it), in their order.

        A verdict that memory has no part in is the model's own.
        """
        examples = [example for _, example in unread]
        known = self._now(classifier) if self._settings.classifier.memory else _Known()
        if not known.memory:
            return classifier.classify(examples)
        said, vectors = classifier.read(examples)
        rule = classifier.manifest.abstain
        found = known.memory.recall(
            vectors,
            np.array([list(verdict.scores.values()) for verdict in said]),
            floor=min(rule.lead, self._settings.decision.lead_floor),
            may_speak=self._may_speak(known, [name for name, _ in unread]),
        )
        joined = verdicts(
            np.array([each.probabilities for each in found]), rule, classifier.name_version + SUFFIX
        )
        return [_told(*each) for each in zip(said, joined, found, strict=True)]

    def _now(self, classifier: Classifier) -> _Known:
        """What is known, as the corrections stand at this moment."""
        with self._lock:
            known, mark = self._known, self._repository.memories.mark()
            reader = self._reader(classifier)
            if reader != known.reader:
                known = self._loaded(reader, mark)
            elif mark != known.mark:
                known = self._caught_up(known, mark)
            elif len(known.made) == len(known.taught):
                return known
            self._known = self._read(known, classifier)
            return self._known

    def _reader(self, classifier: Classifier) -> str:
        """What vectors depend on, beside the text: the model, and who was contacted."""
        profile = hashlib.sha256(self._settings.business.profile.encode()).hexdigest()[:8]
        return f"{classifier.name_version[:100]} {profile}"

    def _loaded(self, reader: str, mark: Mark) -> _Known:
        """Everything, as it is stored."""
        memories = self._repository.memories
        taught = {each.inquiry_id: each for each in memories.taught(MOST)}
        kept = memories.kept(reader) if taught else {}
        made = {
            name: _remembered(one, kept[name])
            for name, one in taught.items()
            if name in kept and kept[name].verdict_id == one.verdict_id
        }
        return _Known(reader, mark, taught, made)

    def _caught_up(self, known: _Known, mark: Mark) -> _Known:
        """With what was said since; everything anew where something was erased or forgotten."""
        memories = self._repository.memories
        said = memories.since(known.mark)
        if (
            len(said) != mark.count - known.mark.count
            or mark.forgotten != known.mark.forgotten
            or len(known.taught) == MOST
        ):
            again = self._loaded(known.reader, mark)
            return replace(again, usual=known.usual, centre=known.centre)
        changed = set(said)
        newest = {each.inquiry_id: each for each in memories.taught(MOST, list(changed))}
        before = {name: one for name, one in known.taught.items() if name not in changed}
        made = {name: one for name, one in known.made.items() if name not in changed}
        return replace(known, mark=mark, taught=newest | before, made=made)

    def _read(self, known: _Known, classifier: Classifier) -> _Known:
        """With vectors that are missing, of the newest first."""
        missing = [one for name, one in known.taught.items() if name not in known.made]
        missing = missing[:_AT_ONCE]
        texts = {one.inquiry_id: self._example(one.inquiry_id) for one in missing}
        kept = self._kept(known, classifier, {n: text for n, text in texts.items() if text})
        made = {
            **known.made,
            **{
                one.inquiry_id: _remembered(one, kept[one.inquiry_id])
                if one.inquiry_id in kept
                else None
                for one in missing
            },
        }
        if made and known.usual < _USUAL:
            known = self._centred(known, classifier)
        speak = [each for name in known.taught if (each := made.get(name))]
        return replace(known, made=made, memory=_memory(speak, known.centre))

    def _kept(
        self, known: _Known, classifier: Classifier, texts: Mapping[str, Example]
    ) -> dict[str, Kept]:
        """What the model makes of texts, by inquiry; stored."""
        if not texts:
            return {}
        said, vectors = classifier.read(list(texts.values()))
        kept = {
            name: Kept(
                name,
                known.taught[name].verdict_id,
                vector.astype(_FLOAT).tobytes(),
                np.array(list(verdict.scores.values())).astype(_FLOAT).tobytes(),
            )
            for name, verdict, vector in zip(texts, said, vectors, strict=True)
        }
        self._repository.memories.keep(known.reader, list(kept.values()))
        log.info("corrections remembered", read=len(kept), reader=known.reader)
        return kept

    def _centred(self, known: _Known, classifier: Classifier) -> _Known:
        """With the centre of the inquiries that were settled last, once there are enough more."""
        rows = self._repository.archive.listed(limit=_USUAL, stage=Stage.SETTLED)
        if len(rows) < max(_ENOUGH, min(2 * known.usual, _USUAL)):
            return known
        texts = [text for row in rows if (text := self._example(row.id))]
        if len(texts) < _ENOUGH:
            return known
        _, vectors = classifier.read(texts)
        return replace(known, usual=len(rows), centre=vectors.mean(axis=0))

    def _example(self, inquiry_id: str) -> Example | None:
        """What the model reads of an inquiry; None where it reads nothing."""
        archive = self._repository.archive
        inquiry = archive.content(inquiry_id)
        if inquiry is None:
            return None
        transcript = archive.transcript(inquiry_id)
        profile, calls = self._settings.business.profile, self._settings.calls
        earlier = earlier_legs(inquiry, self._repository)
        found = read(inquiry, transcript, profile, calls=calls, before=earlier)
        return found.example if found.settled is None else None

    def _may_speak(self, known: _Known, ids: Sequence[str]) -> Callable[[int, str], bool]:
        """Whether a corrected inquiry may say anything of another. What that takes is read when the
        first one might: most inquiries are like none.
        """
        kin = cache(self._kin)

        def allowed(row: int, example: str) -> bool:
            return kin(ids[row]).may_be_told_by(known.taught[example])

        return allowed

    def _kin(self, inquiry_id: str) -> _Kin:
        inquiry = self._repository.archive.content(inquiry_id)
        legs = self._repository.threads.of(inquiry_id)
        author = inquiry.author.email if inquiry else ""
        return _Kin(author, frozenset([inquiry_id, *(leg.inquiry_id for leg in legs)]))


def _memory(speak: Sequence[Remembered], centre: Floats | None) -> Memory | None:
    if not speak:
        return None
    if centre is None:
        return Memory(speak, np.zeros(len(speak[0].vector)), CAREFUL)
    return Memory.tried(speak, centre)


def _remembered(one: Taught, kept: Kept) -> Remembered:
    who = frozenset(filter(None, (one.sender.lower(), one.conversation)))
    vector, said = (np.frombuffer(data, dtype=_FLOAT) for data in (kept.vector, kept.said))
    verdict = one.verdict
    return Remembered(one.inquiry_id, verdict.label, vector, said, verdict.own, who)


def _told(said: Verdict, joined: Verdict, recalled: Recalled) -> Verdict:
    """The joined verdict, with the examples that spoke; the model's own where none did."""
    if not recalled.ids:
        return said
    own = recalled.own or (said.own if said.label == joined.label else "")
    return replace(joined, own=own, recalled=recalled.ids)


def _address(sender: str) -> str:
    """The address of a sender as lists show it: `Name <address>`, or the address alone."""
    return sender.rpartition("<")[2].rstrip(">")


def _are_colleagues(one: str, other: str) -> bool:
    """Whether two addresses are of one organisation, and not the same."""
    one, other = one.lower(), other.lower()
    domain = one.rpartition("@")[2]
    of_one = bool(domain) and domain == other.rpartition("@")[2] and domain not in FREE_MAIL
    return "@" in one and of_one and one != other
