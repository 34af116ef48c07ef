"""The contact's company where no signature names it: by its domain, or said in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from triage.signals.contact import FREE_MAIL, is_automatic, is_own
from triage.signals.person import FIRM, UPPER, Person, firm_like, no_name
from triage.signals.source import Finding, Material, Source

_ADDRESS: Final = re.compile(r"[\w.+'-]{1,64}@(?P<label>[\w-]{1,63})\.[\w.-]{2,80}")
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*|&")
_ADDRESS_GOES_ON: Final = re.compile(r"@|\.\w| dot ")
_MORE: Final = re.compile(rf"(?: (?:(?:&|and|of|for|du|de) )?{UPPER}[\w'\u2019&-]+){{1,4}}")
_SAID: Final = re.compile(
    r"(?:\b(?:[Ss]ecretary|[Tt]reasurer|[Oo]wner|[Mm]anager|[Bb]uyer|[Cc]hair\w*|[Dd]irector"
    r"|[Cc]oordinator"
    r"|[Tt]each|[Tt]eacher|[Ww]ork|[Aa]ssistant|[Bb]ursar|[Cc]hef|[Nn]urse|[Ee]ngineer"
    r"|[Pp]artner) (?:at|for|of"
    r"|with|from|here at)|\bI(?:['\u2019]ve got| have| own| run| manage)|\bI run|\b[Ww]e run"
    r"|\bwe(?:['\u2019]re| are) called"
    r"|\b(?:company|business|firm|shop|place|practice)(?:['\u2019]s| is)(?: called)?|\bcalled"
    r"|\b(?:[Bb]ehalf of|[Cc]alling for|[Rr]inging for|account(?:'s| is)? under)) "
    rf"(?P<firm>{FIRM})"
)
_SUBJECT: Final = re.compile(
    rf"^[ \t]*(?P<firm>{FIRM})(?:,? (?:Inc|Ltd|LLC)\.?)? (?:is (?:a|an|the|moving|looking"
    rf"|seeking|planning|opening"
    r"|inviting|requesting)|are (?:a|an|the|looking)|has|invites|requests|seeks|requires|would "
    r"like)\b",
    re.MULTILINE,
)
_STOP: Final = (
    r"(?:on|in|at|um|uh|er|and|i|i'm|im|my|we|we're|the|about|because|cause|so|over|out|just"
    r"|calling|here|looking"
    r"|by|need|up|down|near|a|an|is|it|it's|was|there|with|if|can|could|would|wanted|wondering"
    r"|you|your|our|this"
    r"|that|to|for|again|yeah|well|how|what|do|does|got|has|have|please|thanks|thank|or|as|but"
    r"|not|no|yes|next)"
)
_LOWER: Final = re.compile(
    r"\b(?:(?:ringing|calling|phoning|call|this is|it's|its|here)(?: [a-z']+){0,2}? (?:from"
    r"|with)|work (?:for|at))"
    rf" (?:the )?(?P<firm>(?!{_STOP}\b)[a-z'&]{{3,}}(?: (?!{_STOP}\b)[a-z'&]{{2,}}){{1,3}})"
)
_NOT_FIRM: Final = re.compile(
    r"\b(?:number|phone|cell|mobile|office|house|home|work|school|morning|afternoon|evening"
    r"|again|ago|minute|street"
    r"|road|avenue|lane|o'clock|please|today|tomorrow|week|month|year|time|mother|father|wife"
    r"|husband|friend"
    r"|customer|patient|line|desk|kids?|car|grove|court|project|plot)\b"
)


def read_domain(person: Person, material: Material) -> None:
    """Take the words of the text that a mail domain of the contact is made of."""
    labels = [*dict.fromkeys(_labels(material))]
    found = [
        finding
        for source in material.own
        for label in labels
        for finding in _spelled_out(source, label)
    ]
    if found:
        person.take("company", max(found, key=lambda finding: finding.end - finding.start))


def read_firm(person: Person, source: Source) -> None:
    """Take a company that a sentence states as the contact's."""
    for pattern in (_SAID, _SUBJECT):
        for match in pattern.finditer(source.heard):
            words = match["firm"].split()
            if len(words) > 1 and not no_name(words[0]) and firm_like(match["firm"]):
                person.take("company", Finding(source, *match.span("firm"), 0.65))
    if source.spoken:
        for match in _LOWER.finditer(source.lower):
            if not _NOT_FIRM.search(match["firm"]):
                person.take("company", Finding(source, *match.span("firm"), 0.55))


def _labels(material: Material) -> Iterator[str]:
    """The names in the contact's mail domains: `fosseandvale` of `x@fosseandvale.example`."""
    stated = [match for s in material.own if "@" in s.heard for match in _ADDRESS.finditer(s.heard)]
    stated += [*_ADDRESS.finditer(material.inquiry.sender.email)]
    for match in stated:
        domain = match[0].rpartition("@")[2].lower().rstrip(".-")
        if (
            domain not in FREE_MAIL
            and not is_own(match[0], material)
            and not is_automatic(match[0])
        ):
            label = re.sub(r"[^a-z0-9]", "", match["label"].lower())
            if len(label) > 4:
                yield label


def _spelled_out(source: Source, label: str) -> Iterator[Finding]:
    words = [*_WORD.finditer(source.heard)]
    initials = {label[0], label[0].upper(), "&"}
    for at, first in enumerate(words):
        before = source.heard[max(0, first.start() - 1) : first.start()]
        if first[0][0] not in initials or before in {"@", "."}:
            continue
        if not label.startswith(_plain(first[0])):
            continue
        end = _reach(words[at : at + 7], label)
        if end and not _ADDRESS_GOES_ON.match(source.heard, end):
            more = _MORE.match(source.heard, end)
            yield Finding(source, first.start(), more.end() if more else end, 0.8)


def _reach(words: list[re.Match[str]], label: str) -> int:
    """Where the words end that make up a label, or most of it; 0: they do not."""
    joined, best = "", 0
    for word in words:
        step = _plain(word[0])
        if not label.startswith(joined + step) and step in {"and", "of", "the", "for"}:
            continue
        if joined == label:
            break
        if not label.startswith(joined + step):
            return word.end() if (joined + step).startswith(label) else best
        joined += step
        if len(joined) > 5 and len(joined) >= 0.6 * len(label):
            best = word.end()
    return best


def _plain(word: str) -> str:
    return "and" if word == "&" else re.sub(r"[^a-z0-9]", "", word.lower())
