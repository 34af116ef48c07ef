"""Businesses that an inquiry could have reached: some do what it is about, some do not.

A corpus may hold them in `profiles-*.jsonl`, one object a line: `id` of an item, and `right`, the
profile of another business that does what its text is about, or `wrong`, one that its writer would
have reached by mistake, or both. Other lines hold names of businesses, `name`, and whether one
`tells` the trade; what `split` they are of, if not train.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from classifiers.errors import CorpusError

PREFIX: Final = "profiles"


@dataclass(frozen=True, slots=True)
class Profiles:
    """Of one text: profiles of businesses that it is `right` for, and `wrong` for."""

    right: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Name:
    """A business's name, and whether it tells what the business does."""

    text: str
    tells: bool
    split: str = "train"


def read_profiles(files: Iterable[Path]) -> tuple[dict[str, Profiles], tuple[Name, ...]]:
    """By item, and the names. `CorpusError` says which line of which file cannot be used."""
    right, wrong = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    names: list[Name] = []
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"{file} cannot be read: {error}") from error
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                raw = json.loads(line)
            except ValueError as error:
                raise CorpusError(f"{file}, line {number}: {error}") from error
            if isinstance(raw, dict) and isinstance(raw.get("name"), str):
                names.append(Name(raw["name"], raw.get("tells") is True, raw.get("split", "train")))
                continue
            if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
                raise CorpusError(f"{file}, line {number}: expected an object with `id` or `name`")
            for name, found in (("right", right), ("wrong", wrong)):
                if profile := _profile(raw, name, f"{file}, line {number}"):
                    found[raw["id"]].append(profile)
    ids = sorted({*right, *wrong})
    return {one: Profiles(tuple(right[one]), tuple(wrong[one])) for one in ids}, tuple(names)


def _profile(raw: Mapping[str, Any], name: str, place: str) -> str:
    value = raw.get(name) or ""
    if not isinstance(value, str):
        raise CorpusError(f"{place}: `{name}` is {value!r}, expected text")
    return value
