"""The MIME tree of a mail becomes text, forwarded messages and a list of attachments.

One guarded walk of the standard library's tree decides for every part what it is, so that no part
is in none of the three. mail-parser is not used here: it garbles some charsets and loses encoded
messages and broken multiparts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from triage.errors import Permanent
from triage.intake.attachments import safe_name
from triage.intake.charsets import decode
from triage.intake.headers import mend, words
from triage.intake.payload import charset, content, filename, octets, octets_of, part_text, tree
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
_REPORTS: Final = {"delivery-status", "disposition-notification", "global-delivery-status"}
_DELIMITER: Final = re.compile(
    rb"^--([^\s-][^\r\n]{0,70}?)[ \t]*\r?\n(?=content-)", re.IGNORECASE | re.MULTILINE
)
_FORWARDED_FIELDS: Final = ("From", "Date", "To", "Cc", "Subject")


@dataclass(slots=True)
class Body:
    """What the walk found. `spare` is text that counts only where there is no other."""

    texts: list[str] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)
    spare: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the mail itself, cleaned."""
        texts = [text for text in self.texts if text.strip()]
        if not texts and not self.forwarded:
            texts = self.spare
        return cleaned("\n\n".join(texts))

    def add(self, other: Body, *, text: bool = True) -> None:
        """Take over what another walk found; `text=False`: all but its text."""
        if text:
            self.texts += other.texts
        self.forwarded += other.forwarded
        self.spare += other.spare
        self.attachments += [a for a in other.attachments if a not in self.attachments]
        self.warnings += [w for w in other.warnings if w not in self.warnings]


def read_body(message: Message, limits: Limits, raw: bytes = b"") -> Body:
    """Walk a message whose raw bytes were `checked`; never raises for what is in it.

    `raw` is what stands below its headers, read where the parser found no parts in a multipart: it
    drops what follows a closing delimiter that comes first.
    """
    body = Body()
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
    children = _children(part)
    if sub == "alternative":
        _alternative(children, body, limits)
    else:
        for child in children:
            _walk(child, body, limits)
    if part.preamble and not _FILLER.search(part.preamble):
        body.spare.append(decode(octets(part.preamble)).text)
    if part.epilogue and part.epilogue.strip():
        _unparsed(octets(part.epilogue), body, limits)


def _alternative(children: list[Message], body: Body, limits: Limits) -> None:
    """Take the plain version, unless it says less than the rich one; both where they differ."""
    plain, rich = Body(), Body()
    for child in children:
        one = Body()
        _walk(child, one, limits)
        is_plain = child.get_content_type() == "text/plain"
        (plain if is_plain else rich).add(one)
        body.add(one, text=False)
    body.texts += _chosen("\n\n".join(plain.texts), "\n\n".join(rich.texts))


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
    if kind in _COPIES and not name:
        body.spare.append(part_text(part, data, "html", body.warnings))
        return
    disposition = part.get_content_disposition()
    shown = disposition == "inline" or (disposition is None and not (name and body.texts))
    if main == "text" and sub in _READABLE and shown:
        text = part_text(part, data, sub, body.warnings)
        if text.strip():
            body.texts.append(text)
        return
    if main == "text":
        body.spare.append(part_text(part, data, sub, body.warnings))
    if sub in {"ms-tnef", "vnd.ms-tnef"}:
        body.warnings.append("attachment in Outlook's own format (winmail.dat) is not unpacked")
    number = len(body.attachments) + 1
    body.attachments.append(Attachment(safe_name(name, kind, number), kind, len(data)))


def _message(part: Message, sub: str, body: Body, limits: Limits) -> None:
    """A message within the message becomes forwarded text, with the fields that people see."""
    if sub in _REPORTS or sub == "rfc822-headers":
        body.forwarded.append(cleaned(_report(part)))
        return
    inner, size = _inner(part, limits, body.warnings)
    number = len(body.attachments) + 1
    name = safe_name(filename(part), "message/rfc822", number)
    body.attachments.append(Attachment(name, "message/rfc822", size))
    if inner is None:
        return
    found = read_body(inner, _deeper(limits))
    head = [f"{name}: {words(str(inner[name]))}" for name in _FORWARDED_FIELDS if inner[name]]
    text = "\n\n".join(block for block in ("\n".join(head), found.text) if block)
    body.forwarded.append(cleaned(text))
    body.forwarded += found.forwarded
    body.add(Body(attachments=found.attachments, warnings=found.warnings))


def _report(part: Message) -> str:
    """The fields of a delivery report, block by block."""
    if not part.is_multipart():
        return decode(content(part), charset(part)).text
    blocks = (
        [f"{name}: {words(str(value))}" for name, value in block.items()]
        + [decode(content(block)).text]
        for block in _children(part)
    )
    return "\n".join(line for block in blocks for line in block if line.strip())


def _inner(part: Message, limits: Limits, warnings: list[str]) -> tuple[Message | None, int]:
    """The message in a part, and its size; the standard library does not decode encoded ones."""
    children = _children(part)
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


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if part.is_multipart() else []
