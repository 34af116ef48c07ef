"""Numbers and addresses as people say them: digit by digit, in words, "dot" and "at"."""

from __future__ import annotations

import re
from typing import Final

_ONES: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9,
}  # fmt: skip
_DIGITS: Final = {**{word: str(value) for word, value in _ONES.items()},
                  "oh": "0", "o": "0", "nought": "0"}  # fmt: skip
_TEENS: Final = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES: Final = {"hundred": 100, "thousand": 1000, "grand": 1000, "million": 1_000_000}
_SMALL: Final = {**_ONES, **_TEENS, **_TENS}

_WORD: Final = "|".join(sorted({*_SMALL, *_SCALES}, key=len, reverse=True))
NUMBER_WORDS: Final = rf"(?:(?:a )?(?:{_WORD})(?:(?:[ -]|,? and )(?:{_WORD})){{0,9}})"
"""Pattern of a number in words, lower case: `two hundred and twenty`, `sixty-two`."""

NUMBER: Final = rf"(?:\d{{1,3}}(?:[, ]\d{{3}}){{1,4}}|\d{{1,12}}(?:\.\d{{1,4}})?|{NUMBER_WORDS})"
"""Pattern of a number in figures or words, lower case."""

_SAID: Final = rf"(?:double|triple|treble|{'|'.join(_DIGITS)}|{_WORD}|\d{{1,14}})"
SPOKEN_PHONE: Final = re.compile(
    rf"(?<![\w-])(?:plus[ ,]+)?{_SAID}(?:[ ,.-]{{1,2}}{_SAID}){{4,24}}(?![\w])"
)
"""Candidates for phone numbers read aloud; `spoken_digits` decides how many digits they hold."""

SPOKEN_EMAIL: Final = re.compile(
    r"(?<![\w.-])(?:(?:[a-z0-9][ ,-]{1,2}){2,20}[a-z0-9]|[a-z0-9]{1,40})"
    r"(?:,? ?(?:dot |underscore |dash |hyphen |[._-])[a-z0-9]{1,40}){0,5}(?: \d{1,4})?"
    r"(?: all one word)?,? at [a-z0-9-]{1,63}(?: (?!at )[a-z0-9-]{1,30}){0,6}"
    r"(?:(?:,? dot |\.)[a-z0-9-]{1,63}){0,4},? ?(?:dot "
    r"|\.)[a-z]{2,}"
    r"|(?<![\w.-])[a-z0-9]{1,40} at (?!(?:the|a|my|our|this|that) )[a-z0-9-]{1,63}"
    r"(?: [a-z0-9-]{1,30})? (?:com|net|org|example)(?![\w-])"
)
"""An address read aloud, lower case: `jen dot ruiz at example dot com`, or without the last dot."""

_NAMED: Final = re.compile(r"(?:(?<=^)|(?<=[\s,]))[a-z0-9]+,? $")
_NO_NAMES: Final = """
is it its it's i'm im i or and email mail address to at my the a on me us um uh er so yeah yes okay
ok send be just that's thats this still reach use write then not no well you we for by name was best
work old new same here's please all word
"""
_NOT_NAMED: Final = frozenset(_NO_NAMES.split())
_MOST_WORDS: Final = 3  # of a name before "at", beyond the one that stands next to it

_SIGNS: Final = (("dot", "."), ("at", "@"), ("underscore", "_"), ("dash", "-"), ("hyphen", "-"))


def spoken_digits(text: str) -> str:
    """The digits of a number read aloud, with `+` kept: `double five, oh` is `550`.

    >>> spoken_digits("oh seven seven double oh nine hundred eight")
    '077009008'
    """
    digits, repeat = "", 1
    words = re.findall(r"[a-z]+|\d+", text.lower())
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        if word in {"double", "triple", "treble"}:
            repeat = 2 if word == "double" else 3
            continue
        digits += _said(word, before) * repeat
        repeat = 1
        if before in _TENS and word in _ONES and word != "zero":
            digits = digits[:-2] + digits[-1]  # "twenty one" is 21, not 201
    return ("+" if words[:1] == ["plus"] else "") + digits


def _said(word: str, before: str) -> str:
    if word.isdigit():
        return word
    if word in _DIGITS:
        return _DIGITS[word]
    if word == "hundred":
        return "00" if before in _ONES else ""
    if word == "thousand":
        return "000" if before in _ONES else ""
    value = _SMALL.get(word)
    return "" if value is None else str(value)


def spoken_email(text: str) -> str:
    """`jen dot ruiz at example dot com` as an address."""
    text = re.sub(r" all (?:one word|lower case)\b", "", text, flags=re.IGNORECASE)
    for word, sign in _SIGNS:
        text = re.sub(rf"\s+{word}\s+", sign, text, flags=re.IGNORECASE)
    text = re.sub(r"(@[^@]+) (com|net|org|example)$", r"\1.\2", text.strip(), flags=re.IGNORECASE)
    return re.sub(r"[ ,]", "", text).lower()


def spoken_start(text: str, start: int) -> int:
    """Where an address read aloud begins, if words stand before what the pattern found.

    `text` is lower case. Words of the same line count until one that no name is made of.

    >>> spoken_start("it's front desk at hudson eye dot example", 11)
    5
    """
    for _ in range(_MOST_WORDS):
        line = text.rfind("\n", 0, start) + 1
        match = _NAMED.search(text, line, start)
        if match is None or match[0].split()[0].rstrip(",") in _NOT_NAMED:
            break
        if match[0].rstrip().endswith(",") and len(match[0].strip(" ,")) > 1:
            break  # "Marek, nine two at": only spelled letters go on behind a comma
        start = match.start()
    return start


def number(text: str) -> float | None:
    """The value of a number in figures or words; nothing where it is none.

    >>> number("two hundred and twenty"), number("eleven hundred"), number("3,800")
    (220.0, 1100.0, 3800.0)
    """
    text = text.lower().strip()
    figures = re.sub(r"(?<=\d)[, ](?=\d{3}\b)", "", text)
    if re.fullmatch(r"\d+(?:\.\d+)?", figures):
        return float(figures)
    words = [word for word in re.findall(r"[a-z]+", text) if word not in {"and", "a"}]
    if not words or any(word not in _SMALL and word not in _SCALES for word in words):
        return None
    total, current = 0, 0
    for word in words:
        if word in _SMALL:
            current += _SMALL[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        else:
            total, current = total + max(current, 1) * _SCALES[word], 0
    return float(total + current)
