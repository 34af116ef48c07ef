r"""A template for the names of recordings, as an administrator writes it in one line.

`{start:%Y%m%d-%H%M%S}_{caller}_{dialled}_{agent}.wav` reads `20260302-101500_+16145550142_…`.

- `{field}` takes everything up to the character that follows it in the template; the last one takes
  what is left. `{field:digits}`, `{field:word}`, `{field:uuid}` and `{field:8}` take only digits,
  only letters, a UUID, or as many characters.
- `{start:FORMAT}` takes a time as `strftime` writes it, and may stand twice (a date, a time).
- `*` takes anything, like a field that nobody wants; `{{` and `}}` are braces.
- Folders count where the template has a `/`; a template without an ending fits every ending.

MiaRec's own way to write it (`%{setup-time#%Y%m%d}\%{caller-number}.mp3`) is understood too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, get_args
from urllib.parse import unquote

from triage.errors import Configuration
from triage.settings import CallField

FIELDS: Final[tuple[str, ...]] = get_args(CallField)
_KINDS: Final[Mapping[str, str]] = {
    "digits": "[0-9]+",
    "word": "[A-Za-z]+",
    "uuid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
_TIMES: Final[Mapping[str, str]] = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{2}", "d": r"\d{2}", "H": r"\d{2}", "I": r"\d{2}",
    "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,6}", "j": r"\d{3}", "p": "[AaPp][Mm]",
    "b": "[A-Za-z]{3}", "s": r"\d{9,11}", "z": r"(?:Z|[+-]\d{2}:?\d{2})", "%": "%",
}  # fmt: skip
_SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "Y": ("year",), "y": ("year",), "m": ("month",), "b": ("month",), "d": ("day",),
    "j": ("month", "day"), "H": ("hour",), "I": ("hour",), "p": ("hour",), "M": ("minute",),
    "S": ("second",), "f": ("microsecond",), "z": ("tzinfo",),
}  # fmt: skip
_MIAREC: Final = re.compile(r"%\{([a-z-]+)(?:#([^}]*))?\}")
_MIAREC_FIELDS: Final[Mapping[str, str]] = {
    "setup-time": "start", "connect-time": "start", "caller-number": "caller",
    "callee-number": "dialled", "call-id": "id", "protocol-tracking-id": "group",
    "parent-call-id": "group",
}  # fmt: skip
_ENDING: Final = re.compile(r"\.\w{1,5}$")
_LONGEST: Final = 1000  # characters of a path that are looked at


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a template: text that must stand there, or a field (`*`: of no interest)."""

    text: str
    name: str = ""
    spec: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Fit:
    """What a name said: values as stated, and when the call began, where the name has that.

    `problem` says in words where the name does not fit; there are no values then.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    start: datetime | None = None
    problem: str = ""


class Template:
    """A template that was understood. `where` names the setting in errors (`Configuration`)."""

    def __init__(self, text: str, where: str = "the template") -> None:
        self.text = text
        self._where = where
        self._parts = self._parsed(_from_miarec(text))
        last = self._parts[-1]
        self._has_ending = not last.name and bool(_ENDING.search(last.text))
        self._folders = sum(part.text.count("/") for part in self._parts if not part.name)
        self._patterns = [self._pattern(number) for number in range(len(self._parts))]
        self._whole = re.compile("".join(self._patterns), re.IGNORECASE)
        self._formats = [part.spec for part in self._parts if part.name == "start"]

    def read(self, key: str) -> Fit:
        """What the path of a recording says."""
        shown = self._shown(key)
        if shown is None:
            return Fit(problem=f"{self.text!r} names folders that {key!r} is not in")
        found = self._whole.fullmatch(shown)
        if found is None:
            return Fit(problem=self._mismatch(shown))
        values: dict[str, str] = {}
        times = []
        for part, value in zip(self._named(), found.groups(), strict=True):
            if part.name == "start":
                times.append(value)
            else:
                values.setdefault(part.name, unquote(value).strip())
        if not times:
            return Fit(values)
        start = _time(times, self._formats)
        if start is None:
            stated, wanted = " ".join(times), " ".join(self._formats)
            return Fit(problem=f"{stated!r} is no time like {wanted!r}")
        return Fit(values, start)

    def _named(self) -> list[Part]:
        return [part for part in self._parts if part.name not in {"", "*"}]

    def _shown(self, key: str) -> str | None:
        """The part of a path that the template is about."""
        pieces = key[-_LONGEST:].split("/")
        if len(pieces) <= self._folders:
            return None
        name = "/".join(pieces[-1 - self._folders :])
        return name if self._has_ending else re.sub(r"\.\w{1,5}$", "", name)

    def _parsed(self, text: str) -> list[Part]:
        parts: list[Part] = []
        at = 0
        while at < len(text):
            piece = self._next(text, at)
            at += len(piece.text)
            plain = {"{{": "{", "}}": "}"}.get(piece.text)
            if not piece.name and parts and not parts[-1].name:
                piece = Part(parts.pop().text + (plain or piece.text))
            elif plain:
                piece = Part(plain)
            elif piece.name and parts and parts[-1].name and _open(parts[-1]):
                raise self._wrong(
                    at - len(piece.text),
                    f"nothing separates {parts[-1]} from {piece}; put a character between them, or "
                    "say how long the first one is, like {id:8}",
                )
            parts.append(piece)
        if not any(part.name not in {"", "*"} for part in parts):
            raise self._wrong(0, "there is no field in it, like {caller}")
        return parts

    def _next(self, text: str, at: int) -> Part:
        if text.startswith(("{{", "}}"), at):
            return Part(text[at : at + 2])
        if text[at] == "}":
            raise self._wrong(at, "a } without its {; write }} for the character itself")
        if text[at] == "*":
            return Part("*", "*")
        if text[at] != "{":
            return Part(text[at])
        end = text.find("}", at)
        if end < 0:
            raise self._wrong(at, "a { without its }; write {{ for the character itself")
        name, colon, spec = text[at + 1 : end].partition(":")
        part = Part(text[at : end + 1], name, spec)
        if name not in FIELDS:
            raise self._wrong(at, f"no field {name!r}; there are {', '.join(FIELDS)}")
        if name == "start":
            self._check_time(part, at)
        elif colon and spec not in _KINDS and not (spec.isdecimal() and 0 < int(spec) < 200):
            raise self._wrong(
                at, f"{spec!r} says nothing about {name}; there are {', '.join(_KINDS)} or a number"
            )
        return part

    def _check_time(self, part: Part, at: int) -> None:
        if "%" not in part.spec:
            raise self._wrong(at, "start needs a format, like {start:%Y%m%d-%H%M%S}")
        for letter in re.findall("%(.?)", part.spec):
            if letter not in _TIMES:
                known = " ".join(f"%{known}" for known in _TIMES)
                raise self._wrong(at, f"%{letter} is not understood in a time; there are {known}")

    def _pattern(self, number: int) -> str:
        """The regular expression of a part. What is open ends at the first character that follows
        it, so that no name takes longer than its length.
        """
        part = self._parts[number]
        if not part.name:
            return re.escape(part.text)
        if part.name == "start":
            pattern = re.sub(
                r"%(.)|(.)", lambda m: _TIMES[m[1]] if m[1] else re.escape(m[2]), part.spec
            )
        elif part.spec:
            pattern = _KINDS.get(part.spec, f"[^/]{{{part.spec}}}")
        else:
            pattern = self._until(number)
        return pattern if part.name == "*" else f"({pattern})"

    def _until(self, number: int) -> str:
        following = self._parts[number + 1 :]
        if not following:
            return "[^/]*"
        if len(following) == 1 and self._has_ending and following[0].text.startswith("."):
            return "[^/]*"
        return f"[^/{re.escape(following[0].text[0])}]*"

    def _mismatch(self, shown: str) -> str:
        """Where a name stops to fit, for people."""
        for count in range(len(self._parts), -1, -1):
            found = re.match("".join(self._patterns[:count]), shown, re.IGNORECASE)
            if found:
                break
        rest = shown[found.end() :] if found else shown
        fits = f"{shown[: len(shown) - len(rest)]!r} fits, then " if len(rest) < len(shown) else ""
        if count == len(self._parts):
            return f"{self.text!r}: {fits}{rest!r} is left over"
        return f"{self.text!r}: {fits}{self._parts[count]} is expected, and there is {rest!r}"

    def _wrong(self, at: int, what: str) -> Configuration:
        return Configuration(f"{self._where}: {self.text!r}, character {at + 1}: {what}")


def _open(part: Part) -> bool:
    return part.name == "*" or not part.spec or part.spec in {"digits", "word"}


def _time(texts: Sequence[str], formats: Sequence[str]) -> datetime | None:
    """One time of several pieces, of which a later one adds what it has."""
    whole = datetime(1900, 1, 1)  # noqa: DTZ001 - the source's zone is added later
    try:
        for text, wanted in zip(texts, formats, strict=True):
            if "%s" in wanted:
                return datetime.fromtimestamp(int(re.findall(r"\d{9,11}", text)[0]), UTC)
            piece = datetime.strptime(text, wanted)  # noqa: DTZ007 - likewise
            has = {_SETS[letter] for letter in re.findall("%(.)", wanted) if letter in _SETS}
            named = {name for names in has for name in names}
            whole = whole.replace(**{name: getattr(piece, name) for name in named})
    except (ValueError, OverflowError):
        return None
    return whole


def _from_miarec(text: str) -> str:
    if not _MIAREC.search(text):
        return text
    pieces = text.replace("\\", "/").split("/")
    # Folders in front of the first parameter are where MiaRec writes, not what is read here.
    first = next(at for at, piece in enumerate(pieces) if "%{" in piece)
    return _MIAREC.sub(_translated, "/".join(pieces[first:]))


def _translated(found: re.Match[str]) -> str:
    name = _MIAREC_FIELDS.get(found[1])
    if name is None:
        return "*"
    return f"{{{name}:{found[2] or '%Y%m%d%H%M%S'}}}" if name == "start" else f"{{{name}}}"
