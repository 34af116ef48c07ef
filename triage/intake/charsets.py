"""Bytes of a mail become text: the declared charset first, then what the bytes themselves say.

Senders label text wrongly in a few well-known ways (Windows-1252 as ISO-8859-1, GBK as GB2312,
UTF-8 as anything, nothing at all), so a label is believed only as far as the bytes agree with it.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final, NamedTuple

import charset_normalizer

# What senders write under a narrower name (after the WHATWG Encoding Standard).
_WIDER: Final = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
    "iso2022_jp": "iso2022_jp_ext",
    "iso2022_jp_1": "iso2022_jp_ext",
    "iso2022_jp_2": "iso2022_jp_2",
}
_SEVEN_BIT: Final = ("iso2022", "hz", "utf-7", "utf-16", "utf-32")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES: Final = [
    "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp874",
    "gb18030", "big5", "cp932", "euc_jp", "cp949",
]  # fmt: skip
_JAPANESE: Final = re.compile(rb"\x1b(?:\$[@B]|\([BJ])")
_BAD: Final = re.compile("[\udc80-\udcff]+")


class Decoded(NamedTuple):
    """Text, and a warning where the label was not believed (else empty)."""

    text: str
    warning: str = ""


def decode(data: bytes, declared: str = "") -> Decoded:
    """The text of `data`, which its sender labelled `declared` (may be empty, unknown or wrong).

    Never fails; the result holds no lone surrogates.
    """
    is_ascii = data.isascii()
    if is_ascii and not declared and b"\x1b" not in data:  # as most headers are
        return Decoded(data.decode("ascii"))
    for bom, name in () if is_ascii else _BOMS:
        if data.startswith(bom):
            return Decoded(data.decode(name, "replace").lstrip("\ufeff"))
    codec = _codec(declared)
    if codec.startswith(("utf-16", "utf-32")) and b"\0" not in data:
        codec = ""  # without a single zero byte it is not in that form
    if is_ascii and not codec.startswith(_SEVEN_BIT):
        if _JAPANESE.search(data):
            codec = "iso2022_jp_ext"
        else:
            return Decoded(data.decode("ascii"))
    return _as_declared(data, codec, declared) or _by_content(data, codec, declared)


@lru_cache(maxsize=500)
def _codec(declared: str) -> str:
    """The codec for a label: its wider relative where there is one; empty when unknown."""
    name = declared.strip().strip("\"'").lower()
    if name in {"ks_c_5601-1987", "ks_c_5601-1989", "ksc5601"}:
        name = "euc_kr"
    if "\0" in name or not name.isascii():
        return ""
    try:
        info = codecs.lookup(name)
    except LookupError:
        return ""
    if not info._is_text_encoding or info.name in {"undefined", "idna", "punycode", "ascii"}:
        return ""
    return _WIDER.get(info.name, info.name)


def _as_declared(data: bytes, codec: str, declared: str) -> Decoded | None:
    if not codec:
        return None
    if codec != "utf-8" and not codec.startswith(_SEVEN_BIT):
        # Text in a national charset is almost never valid UTF-8 by accident.
        text = _strict(data, "utf-8")
        if text is not None:
            return Decoded(text, f"text labelled {declared} is UTF-8")
    text = _strict(data, codec)
    return None if text is None else Decoded(text)


def _by_content(data: bytes, codec: str, declared: str) -> Decoded:
    label = f"text labelled {declared}" if declared else "text without a charset label"
    text = _strict(data, "utf-8")
    if text is not None:
        return Decoded(text, f"{label} is UTF-8" if declared else "")
    mixed = data.decode("utf-8", "surrogateescape")
    bad = sum(len(run) for run in _BAD.findall(mixed))
    good = sum(1 for char in mixed if not char.isascii()) - bad
    if good > bad:
        repaired = _BAD.sub(_from_windows, mixed)
        return Decoded(repaired, f"{label}: {bad} bytes that are not UTF-8 were repaired")
    guess = _guess(data)
    text = data.decode(guess, "replace")
    if codec.startswith(_SEVEN_BIT):
        # The label named a stateful charset and parts of it broke: what decodes is kept.
        text = data.decode(codec, "replace")
        guess = codec
    return Decoded(_without_surrogates(text), f"{label} was read as {guess}")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        text = data.decode(codec)
        text.encode("utf-8")  # some codecs make lone surrogates
    except (UnicodeError, LookupError):
        # Python's cp1252 leaves five bytes undefined that others read as control characters.
        return data.decode("latin-1") if codec == "cp1252" else None
    return text


def _guess(data: bytes) -> str:
    """The likeliest charset of unlabelled 8-bit text.

    A few high bytes among ASCII are a Western text with accents or smart quotes: statistics over so
    little are worse than that rule.
    """
    high = sum(byte > 0x7F for byte in data)
    letters = sum(byte > 0x7F or chr(byte).isalpha() for byte in data)
    if high < 0.3 * letters:
        return "cp1252"
    best = charset_normalizer.from_bytes(data[:65_536], cp_isolation=_CANDIDATES).best()
    return best.encoding if best is not None else "cp1252"


def _from_windows(run: re.Match[str]) -> str:
    return run.group().encode("utf-8", "surrogateescape").decode("cp1252", "replace")


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
