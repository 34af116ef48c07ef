"""Businesses that an inquiry could have reached: some do what it is about, some do not.

A corpus may hold them in `profiles-*.jsonl`, one object a line: `id` of an item, and `right`, the
profile of another business that does what its text is about, or `wrong`, one that its writer would
have reached by mistake, or both. Other lines hold names of businesses, `name`, and whether one
`tells` the trade; what `split` they are of, if not train.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from classifiers import jsonl
from classifiers.errors import CorpusError

PREFIX: Final = "profiles"
_SPLITS: Final = ("train", "calibration")  # names are learned from, or measure


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
    for place, raw in (each for file in files for each in jsonl.values(file)):
        if not isinstance(raw, dict):
            raise CorpusError(f"{place}: expected an object with `id` or `name`")
        if "name" in raw:
            names.append(_name(raw, place))
            continue
        item = _text(raw, "id", place)
        found = {kind: _text(raw, kind, place) for kind in ("right", "wrong") if kind in raw}
        if not item or not any(found.values()):
            raise CorpusError(f"{place}: needs the `id` of an item, and `right` or `wrong`")
        for kind, into in (("right", right), ("wrong", wrong)):
            if profile := found.get(kind):
                into[item].append(profile)
    ids = sorted({*right, *wrong})
    return {one: Profiles(tuple(right[one]), tuple(wrong[one])) for one in ids}, tuple(names)


def _name(raw: Mapping[str, Any], place: str) -> Name:
    name, split = _text(raw, "name", place), _text(raw, "split", place) or "train"
    tells = raw.get("tells")
    if not name or not isinstance(tells, bool) or split not in _SPLITS:
        raise CorpusError(
            f"{place}: a `name` needs `tells`, true or false; its `split`, if any, is one of "
            f"{', '.join(_SPLITS)}"
        )
    return Name(name, tells, split)


def _text(raw: Mapping[str, Any], name: str, place: str) -> str:
    value = raw.get(name) or ""
    if not isinstance(value, str):
        raise CorpusError(f"{place}: `{name}` is {value!r}, expected text")
    return value
