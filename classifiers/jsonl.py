"""JSON Lines: what each line of a file holds, and where it stands for whoever must say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classifiers.errors import CorpusError


def values(path: Path) -> Iterator[tuple[str, Any]]:
    """The value of each line that is not empty, with the file and line number in words.

    `CorpusError` where the file cannot be read or a line is no JSON.
    """
    try:
        # Not splitlines(): JSON strings may hold U+2028 and other line ends of Unicode as they are.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            yield place, json.loads(line)
        except ValueError as error:
            raise CorpusError(f"{place}: {error}") from error
