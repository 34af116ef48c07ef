"""The MIME tree of a mail becomes text, forwarded messages and a list of attachments.

One guarded walk of the standard library's tree decides for every part what it is, so that no part
is in none of the three. mail-parser is not used here: it garbles some charsets and loses encoded
messages and broken multiparts.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Final

from triage.errors import Permanent
from triage.intake.attachments import Budget, opened, safe_name
from triage.intake.charsets import decode
from triage.intake.headers import mend, words
from triage.intake.markup import html_text
from triage.intake.payload import content, filename, octets, octets_of, part_text, tree
from triage.intake.reports import STATUS_PARTS, children_of, report_text
from triage.intake.structure import checked
from triage.intake.text import cleaned
from triage.settings import Limits
from triage.types import Attachment

_READABLE: Final = {"plain", "html", "enriched", "richtext", "markdown", "x-markdown"}
_COPIES: Final = {"text/x-amp-html", "text/watch-html"}
_ENCODED: Final = {"base64", "quoted-printable", "x-uuencode", "uuencode", "uue"}
_STUB: Final = re.compile(
    r"(?:does not|doesn't|do not|cannot|can't|unable to) (?:\w+ ){0,3}(?:support|display|show|view|"
    r"read|render)\w*|html[- ](?:capable|compatible|enabled)|view (?:this|the) (?:e-?mail|message) "
    r"in|in html format|html version",
    re.IGNORECASE,
)
_FILLER: Final = re.compile(
    r"multi-?part message|mime[- ](?:encapsulated|format|message)|message (?:is )?in mime",
    re.IGNORECASE,
)
_DELIMITER: Final = re.compile(
    rb"^--([^\s-][^\r\n]{0,70}?)[ \t]*\r?\n(?=content-)", re.IGNORECASE | re.MULTILINE
)
_FORWARDED_FIELDS: Final = ("From", "Date", "To", "Cc", "Subject")


@dataclass(slots=True)
class Body:
    """What the walk found. `spare` is text that counts only where there is no other; `copies` is
    what another version of a text says beyond the one that was taken.
    """

    budget: Budget
    texts: list[str] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)
    spare: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the mail itself, cleaned."""
        texts = [text for text in self.texts if text.strip()]
        if not texts and not self.forwarded:
            texts = self.spare
        return cleaned("\n\n".join(texts))

    @property
    def leftover(self) -> str:
        """What `copies` hold and the text does not, cleaned."""
        text = self.text
        blocks = dict.fromkeys(cleaned(block) for block in self.copies)
        return "\n\n".join(block for block in blocks if block.strip() and block not in text)

    def add(self, other: Body, *, text: bool = True) -> None:
        """Take over what another walk found; `text=False`: all but its text."""
        if text:
            self.texts += other.texts
        self.forwarded += other.forwarded
        self.spare += other.spare
        self.copies += other.copies
        self.attachments += [a for a in other.attachments if a not in self.attachments]
        self.warnings += [w for w in other.warnings if w not in self.warnings]


def read_body(
    message: Message, limits: Limits, raw: bytes = b"", budget: Budget | None = None
) -> Body:
    """Walk a message whose raw bytes were `checked`; never raises for what is in it.

    `raw` is what stands below its headers, read where the parser found no parts in a multipart: it
    drops what follows a closing delimiter that comes first. `budget` is what the documents of the
    whole mail may still cost.
    """
    body = Body(budget or Budget(limits))
    _walk(message, body, limits)
    found = body.texts or body.forwarded or body.spare or body.attachments
    if not found and message.get_content_maintype() == "multipart":
        _unparsed(raw, body, limits)
    return body


def _walk(part: Message, body: Body, limits: Limits) -> None:
    mend(part)
    main, _, sub = part.get_content_type().partition("/")
    if main == "message" or sub == "rfc822-headers":
        _message(part, sub, body, limits)
    elif main != "multipart":
        _leaf(part, main, sub, body)
    elif not part.is_multipart():
        body.warnings.append(f"multipart/{sub} without the parts that it announces")
        _unparsed(content(part) + octets(part.epilogue or ""), body, limits)
    else:
        _multipart(part, sub, body, limits)


def _multipart(part: Message, sub: str, body: Body, limits: Limits) -> None:
    children = children_of(part)
    if sub == "alternative":
        _alternative(children, body, limits)
    else:
        for child in children:
            _walk(child, body, limits)
    if part.preamble and not _FILLER.search(part.preamble):
        _set_aside(decode(octets(part.preamble)).text, body)
    if part.epilogue and part.epilogue.strip():
        _unparsed(octets(part.epilogue), body, limits)


def _alternative(children: list[Message], body: Body, limits: Limits) -> None:
    """Take the plain version, unless it says less than the rich one; both where they differ."""
    plain, rich = Body(body.budget), Body(body.budget)
    for child in children:
        one = Body(body.budget)
        _walk(child, one, limits)
        is_plain = child.get_content_type() == "text/plain"
        (plain if is_plain else rich).add(one)
        body.add(one, text=False)
    versions = ["\n\n".join(plain.texts), "\n\n".join(rich.texts)]
    taken = _chosen(*versions)
    body.texts += taken
    body.copies += [_beyond(version, taken) for version in versions if version not in taken]


def _beyond(version: str, taken: list[str]) -> str:
    """The lines of a version that say something which those that were taken do not say."""
    known = _words("\n".join(taken))
    return "\n".join(line for line in version.splitlines() if _words(line) - known)


def _set_aside(text: str, body: Body) -> None:
    """Keep a text that is read only where there is no other."""
    body.spare.append(text)
    body.copies.append(text)


def _chosen(plain: str, rich: str) -> list[str]:
    words_of_plain, words_of_rich = _words(plain), _words(rich)
    if not words_of_plain or (len(words_of_plain) < 60 and words_of_rich and _STUB.search(plain)):
        return [rich] if rich else [plain]
    if len(words_of_rich - words_of_plain) > 0.5 * len(words_of_rich):
        if len(words_of_plain - words_of_rich) > 0.4 * len(words_of_plain):
            return [plain, rich]
        return [rich]
    return [plain]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _leaf(part: Message, main: str, sub: str, body: Body) -> None:
    name = filename(part)
    data = content(part)
    kind = f"{main}/{sub}"
    if main == "text" and _DELIMITER.search(data):
        # Two multiparts share a boundary, or somebody pasted a mail's source: it stays as it is.
        body.warnings.append("a text holds what looks like parts of a mail; they were not read")
    if kind in _COPIES and not name:
        _set_aside(part_text(part, data, "html", body.warnings), body)
        return
    disposition = part.get_content_disposition()
    shown = disposition == "inline" or (disposition is None and not (name and body.texts))
    if main == "text" and sub in _READABLE and shown:
        text = part_text(part, data, sub, body.warnings)
        if text.strip():
            body.texts.append(text)
        return
    text = part_text(part, data, sub, body.warnings) if main == "text" else ""
    attach(Attachment(name, kind, len(data), cleaned(text)), data, body)


def attach(stated: Attachment, data: bytes, body: Body) -> None:
    """List a file with what could be read of it; the body of a winmail.dat joins the mail's."""
    number = len(body.attachments) + 1
    name = safe_name(stated.name, stated.media_type, number)
    listed, inside = opened(replace(stated, name=name), data, body.budget)
    listed = body.budget.kept(listed, data)
    body.attachments.append(listed)
    if listed.note:
        body.warnings.append(f"attachment {name}: {listed.note}")
    if stated.media_type.startswith("text/"):
        body.spare.append(listed.text)
    if inside is None:
        return
    versions = (inside.text, decode(inside.plain).text, html_text(decode(inside.html).text))
    for text in versions:
        _set_aside(text, body)
    for inner, packed in inside.files:
        guessed = mimetypes.guess_type(inner)[0] or "application/octet-stream"
        shown = cleaned(decode(packed).text) if guessed.startswith("text/") else ""
        attach(Attachment(inner, guessed, len(packed), shown), packed, body)


def _message(part: Message, sub: str, body: Body, limits: Limits) -> None:
    """A message within the message becomes forwarded text, with the fields that people see."""
    if sub in STATUS_PARTS or sub == "rfc822-headers":
        body.forwarded.append(cleaned(report_text(part)))
        return
    inner, size = _inner(part, limits, body.warnings)
    number = len(body.attachments) + 1
    name = safe_name(filename(part), "message/rfc822", number)
    body.attachments.append(Attachment(name, "message/rfc822", size))
    if inner is None:
        return
    found = read_body(inner, _deeper(limits), budget=body.budget)
    head = [f"{name}: {words(str(inner[name]))}" for name in _FORWARDED_FIELDS if inner[name]]
    text = "\n\n".join(block for block in ("\n".join(head), found.text) if block)
    body.forwarded.append(cleaned(text))
    body.forwarded += found.forwarded
    found.copies = [found.leftover]
    found.spare, found.forwarded = [], []
    body.add(found, text=False)


def _inner(part: Message, limits: Limits, warnings: list[str]) -> tuple[Message | None, int]:
    """The message in a part, and its size; the standard library does not decode encoded ones."""
    children = children_of(part)
    if children and str(part.get("content-transfer-encoding", "")).strip().lower() not in _ENCODED:
        inner = children[0]
        return inner, len(octets_of(inner))
    data = content(part) if not children else _decoded(part, children[0])
    try:
        return tree(checked(data, _deeper(limits))), len(data)
    except (Permanent, RecursionError) as error:
        warnings.append(f"attached message could not be read: {error}")
        return None, len(data)


def _decoded(part: Message, inner: Message) -> bytes:
    carrier = Message()
    carrier["Content-Transfer-Encoding"] = str(part.get("content-transfer-encoding"))
    carrier.set_payload(octets_of(inner).lstrip().decode("ascii", "surrogateescape"))
    return content(carrier)


def _unparsed(data: bytes, body: Body, limits: Limits) -> None:
    """Text outside of any part: parts under another boundary than announced, or plain text."""
    found = _DELIMITER.search(data)
    if found is None:
        text = decode(data).text
        if text.strip().strip("-"):
            body.texts.append(text)
        return
    head = b'Content-Type: multipart/mixed; boundary="' + found.group(1) + b'"\n\n'
    try:
        message = tree(checked(head + data, limits := _deeper(limits)))
    except (Permanent, RecursionError) as error:
        body.warnings.append(f"parts outside of the announced structure were not read: {error}")
        body.texts.append(decode(data).text)
        return
    if message.is_multipart():
        _multipart(message, "mixed", body, limits)
    else:
        body.texts.append(decode(data).text)


def _deeper(limits: Limits) -> Limits:
    """What is left for a message that has to be parsed anew inside another."""
    return limits.model_copy(update={"mail_depth": limits.mail_depth - 1})
