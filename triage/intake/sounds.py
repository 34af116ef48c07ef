"""What may be a recording, by its first bytes, its name or its stated type.

A cheap look that lets nothing pass by: what it takes is decoded, and the decoder has the last word.
"""

from __future__ import annotations

import re
from typing import Final

_ENDINGS: Final = frozenset(
    {"3g2", "3gp", "3gpp", "aac", "aif", "aiff", "alaw", "amr", "au", "awb", "caf", "flac", "gsm",
     "m4a", "mka", "mp3", "oga", "ogg", "opus", "snd", "ulaw", "voc", "wav", "wave", "weba", "wma"}
)  # fmt: skip
_BEGINNINGS: Final = re.compile(
    rb"(?:RIFF|RF64)....WAVE|ID3[\x02-\x04]|\xff[\xe3\xf1-\xf3\xf9-\xfb]|OggS|fLaC|#!AMR|\.snd\0"
    rb"|caff\0|FORM....AIF|Creative Voice File|....ftyp(?:M4A|M4B|3gp|3g2)",
    re.DOTALL,
)


def may_be_sound(name: str, media_type: str, data: bytes) -> bool:
    """Whether a file is worth decoding; films are none."""
    stem, _, ending = name.lower().rpartition(".")
    if not data:
        return False
    if stem and ending in _ENDINGS:
        return True
    main = media_type.partition("/")[0].lower()
    return main == "audio" or (main != "video" and bool(_BEGINNINGS.match(data)))
