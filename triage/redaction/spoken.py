"""Numbers in words, as they are read aloud: digit by digit, in pairs, doubled, or in round figures.

English has all of these; of German, French, Spanish, Italian and Dutch the ten digits are known.
"""

from __future__ import annotations

import re
from typing import Final

_ONES: Final = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9",
}  # fmt: skip
_ZEROS: Final = {"zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0"}
_TEENS: Final = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS: Final = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6",
    "seventy": "7", "eighty": "8", "ninety": "9",
}  # fmt: skip
_ELSEWHERE: Final = {
    "0": "null nul cero zéro",
    "1": "eins uno une een één",
    "2": "zwei zwo deux dos twee",
    "3": "drei trois tres tre drie",
    "4": "vier quatre cuatro quattro",
    "5": "fünf cinq cinco cinque vijf",
    "6": "sechs seis sei zes",
    "7": "sieben sept siete sette zeven",
    "8": "acht huit ocho otto",
    "9": "neun neuf nueve nove negen",
}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_DIGITS: Final = {
    **_ONES,
    **_ZEROS,
    **{word: digit for digit, words in _ELSEWHERE.items() for word in words.split()},
}
_ROUND: Final = {"hundred": "00", "thousand": "000"}


def _any(words: object) -> str:
    return "|".join(sorted(map(str, words), key=len, reverse=True))  # type: ignore[call-overload]


SPOKEN: Final = (
    rf"(?:(?P<times>{_any(_TIMES)})[ -]+(?P<repeated>{_any(_DIGITS)}|\d)"
    rf"|(?P<tens>{_any(_TENS)})(?:[ -](?P<unit>{_any(_ONES)}))?"
    rf"|(?P<teen>{_any(_TEENS)})"
    rf"|(?P<digit>{_any(_DIGITS)})(?:[ ](?P<round>{_any(_ROUND)}))?)(?![\w'\u2019])"
)
"""Pattern of one number in words, lower case; `digits` says which digits it stands for."""


def digits(match: re.Match[str]) -> str:
    """The digits of a match of `SPOKEN`: `double four` is 44, `forty-one` 41, `four thousand` 4000.

    >>> digits(re.match(SPOKEN, "Triple oh", re.IGNORECASE))
    '000'
    """
    part = {name: (said or "").lower() for name, said in match.groupdict().items()}
    if part["times"]:
        repeated = part["repeated"]
        return _DIGITS.get(repeated, repeated) * _TIMES[part["times"]]
    if part["tens"]:
        return _TENS[part["tens"]] + _ONES.get(part["unit"], "0")
    if part["teen"]:
        return _TEENS[part["teen"]]
    return _DIGITS[part["digit"]] + _ROUND.get(part["round"], "")
