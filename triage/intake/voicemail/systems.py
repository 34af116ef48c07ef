"""Who sends voicemails by mail, and in which words: data, from public documentation and habit.

A system is known by where its mail comes from, by header fields, or by a sentence that nobody else
writes. Where none is, a mail must both speak of a voicemail and come from a machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class System:
    """What gives one away. `sender` is looked for in `name <address>`, `says` in subject and text,
    both in any case of letters; `headers` are lower-case names of fields that only it writes.
    """

    name: str
    sender: str = ""
    says: str = ""
    headers: tuple[str, ...] = ()


SYSTEMS: Final = (
    System(
        "asterisk",
        says=r"you were just left an? [\d:]+ long message \(number \d+\)",
        headers=("x-asterisk-callerid",),
    ),
    System("freepbx", says=r"there is a new voicemail in mailbox \w+:"),
    System("3cx", sender=r"\b3cx\b", says=r"new voice ?mail\b.{0,2000}\b3CX Phone ?System"),
    System(
        "exchange",
        sender=r"voicemail\.microsoft\.com>|^Microsoft (?:Exchange|Teams)\b",
        headers=("x-callingtelephonenumber", "x-voicemessageduration"),
    ),
    System("ringcentral", sender=r"@(?:[\w-]+\.)*ringcentral\.(?:com|co\.uk|eu)>"),
    System("google-voice", sender=r"voice-noreply@google\.com>|@txt\.voice\.google\.com>"),
    System("grasshopper", sender=r"@(?:[\w-]+\.)*grasshopper\.com>"),
    System("twilio", says=r"https://api\.twilio\.com/\S+/Recordings/RE"),
    System("fritzbox", sender=r"fritz!?[.]?box|@myfritz\.", says=r"\bIhrer? FRITZ!Box\b"),
    System("vonage", sender=r"@(?:[\w-]+\.)*vonage(?:business)?\.(?:com|co\.uk)>"),
    System("ooma", sender=r"@(?:[\w-]+\.)*ooma\.com>"),
)
"""Known systems, the first that fits counting."""

GENERIC: Final = "generic"

HINT: Final = re.compile(
    r"voice[ -]?mails?\b|voice[ -]?messages?\b|new message \d+ in mailbox|long message\b"
    r"|sprachnachricht|anrufbeantworter|nachricht von \+?[\d(]|message (?:vocal|sur (?:votre|le) r)"
    r"|messagerie vocale|répondeur|mensaje de voz|buzón de voz|messaggio vocale|segreteria telef"
    r"|voicemailbericht",
    re.IGNORECASE,
)
"""Words without which no mail is about a voicemail."""

MACHINE: Final = re.compile(
    r"(?:no-?_?reply|do-?not-?reply|voice-?_?mails?|voice-?messages?|vm|pbx|asterisk|freepbx|phones?"
    r"|phone-?system|telephony|telephone|telefon(?:anlage)?|anrufbeantworter|anlage|unity|unified"
    r"|notif(?:y|ications?)|alerts?|system|mailer|sip|calls?)(?:[+._-][\w.+-]*)?",
    re.IGNORECASE,
)
"""What machines are called, in front of the @."""

LABELS: Final[Mapping[str, str]] = {
    "caller": r"from|caller(?: ?id)?(?: number)?|calling (?:number|party)|call from"
    r"|phone(?: number)?|number|left by"
    r"|von|anrufer|rufnummer|nummer|de|appelant|numéro|da|llamante",
    "name": r"caller(?:'s)? name|name|anrufername",
    "mailbox": r"(?:voice ?)?mail ?box|extension|ext|box|nebenstelle|for",
    "dialled": r"to|called(?: number| party)?|dial(?:l)?ed(?: number)?|number called|line"
    r"|nachricht an|an|angerufene nummer|tracking number",
    "duration": r"(?:message |call |voice ?mail )?(?:length|duration)|dauer|länge|durée|duración"
    r"|seconds",
    "date": r"date(?: ?(?:/|and) ?time)?|received(?: (?:at|on))?|sent|left (?:at|on)|when|call time"
    r"|timestamp|datum|empfangen|reçu le",
    "time": r"time|uhrzeit|heure",
    "heard": r"(?:automated |message |voice ?(?:mail|message) |call )?"
    r"(?:transcript(?:ion)?|preview|text)(?: of (?:the|your) (?:voice ?mail|message))?"
    r"|voice[ -]to[ -]text|mitschrift|transkript(?:ion)?",
}
"""What stands in front of a colon or in the cell beside, by what it means."""

STOP: Final = re.compile(
    r"\s*(?:play (?:the )?(?:message|voice ?mail)|(?:click |tap )?(?:here )?to (?:listen|hear|play"
    r"|access|view|call|reply|manage)|listen\b|recording(?: url)?:|download\b|click\b|<?https?://|--+\s*$"
    r"|__+|thanks?\s*$|thank you (?:for (?:using|choosing)|,)|you(?:'re| are) receiving"
    r"|you received (?:this|a voice)|this (?:e-?mail|message|transcription|is an auto)|manage\b"
    r"|rate this|was this|view (?:this|all)"
    r"|the (?:recording|audio|message|voice ?mail) is attached|attached\b|dial \S+ to|©|copyright)",
    re.IGNORECASE,
)
"""How a line begins that is no longer what the caller said."""

DATES: Final = (
    "%A, %B %d, %Y at %I:%M:%S %p", "%A, %B %d, %Y at %I:%M %p", "%A, %d %B %Y %H:%M:%S",
    "%B %d, %Y %I:%M %p", "%B %d, %Y at %I:%M %p", "%b %d, %Y %I:%M %p", "%b %d, %Y at %I:%M %p",
    "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%d.%m.%y %H:%M",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d %b %Y %H:%M",
)  # fmt: skip
"""How they write when a message was left; ISO 8601 and RFC 2822 besides."""
