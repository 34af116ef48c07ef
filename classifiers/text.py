"""How an example becomes the model's input: a short header, and the text itself.

The header says who was contacted how, by whom and about what; it stands in front of every window of
a long text, so that each part is read in its context. What is not known is left out of the header
and hidden at random in training, so that no field is relied upon.
"""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Final

from classifiers.verdict import Example

# In characters. The body is bounded so that a pathological text costs tokenising time only once;
# the windows in `encoder` bound what the model reads.
BUSINESS_CHARS: Final = 320
PARTY_CHARS: Final = 80
SUBJECT_CHARS: Final = 200
BODY_CHARS: Final = 60_000

_SPACES = re.compile(r"\s+")
# Rules of dashes, stars and quote marks become dozens of tokens that say nothing.
_RULES = re.compile(r"([^\w\s])\1{3,}")


def render(example: Example) -> tuple[str, str]:
    """The header and the body as the tokenizer reads them, both in one line."""
    parts = ["phone call" if example.channel == "call" else "email"]
    if business := _clip(example.business, BUSINESS_CHARS):
        parts.append(f"to {business}")
    if sender := _clip(example.sender, PARTY_CHARS):
        parts.append(f"from {sender}{_kinship(example)}")
    if recipient := _clip(example.recipient, PARTY_CHARS):
        parts.append(f"at {recipient}")
    if subject := _clip(example.subject, SUBJECT_CHARS):
        parts.append(f"about: {subject}")
    return " | ".join(parts), body(example.text) or "(no words)"


def body(text: str) -> str:
    """`text` in one line; of a text beyond `BODY_CHARS` the beginning and the end."""
    if len(text) > BODY_CHARS:
        text = f"{text[: BODY_CHARS // 2]} … {text[-BODY_CHARS // 2 :]}"
    return _SPACES.sub(" ", _RULES.sub(r"\1\1\1", text)).strip()


def _clip(text: str, limit: int) -> str:
    return _SPACES.sub(" ", text).strip()[:limit]


def _kinship(example: Example) -> str:
    """Whether both addresses are of one domain: a model cannot compare spellings by itself."""
    sender, recipient = (
        parseaddr(address)[1].lower().partition("@")[2]
        for address in (example.sender, example.recipient)
    )
    return " (same domain)" if sender and sender == recipient else ""
