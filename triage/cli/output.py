"""How commands show things: tables in a terminal, plain text in a pipe, JSON on request."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

COLOURS = {
    "forward": "bold green",
    "review": "yellow",
    "nurture": "cyan",
    "file": "dim",
    "lead": "bold green",
    "accepted": "green",
    "pending": "yellow",
    "dead": "bold red",
    "quarantined": "red",
    "ok": "green",
    "failed": "bold red",
    "warning": "yellow",
}


def console() -> Console:
    """Standard output, as it is now (tests and pipes replace it)."""
    return Console(file=sys.stdout, highlight=False)


def show_json(value: Any) -> None:
    """One JSON value on one line."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415 - heavy

    plain = to_jsonable_python(value)
    line = json.dumps(plain, ensure_ascii=False)
    # File names may hold bytes that are no text; escaped they are JSON all the same.
    sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")
    sys.stdout.flush()


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table in a terminal; in a pipe a header and tab-separated lines.

    Columns whose name begins with `>` are aligned to the right.
    """
    out = console()
    cells = [[_cell(value) for value in row] for row in rows]
    if not out.is_terminal:
        lines = [[column.lstrip(">") for column in columns], *cells]
        for line in lines:
            sys.stdout.write("\t".join(" ".join(cell.split()) for cell in line) + "\n")
        return
    table = Table(title=title or None, title_justify="left", header_style="bold", expand=False)
    for column in columns:
        # A right-aligned or first column is a figure or a name to copy: it is never broken.
        right = column.startswith(">")
        whole = right or column == columns[0]
        table.add_column(
            column.lstrip(">"),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=whole,
        )
    for row in cells:
        table.add_row(*[_styled(cell) for cell in row])
    out.print(table)


def say(text: str, style: str = "") -> None:
    """A line for people, on standard output; `text` is never read as markup."""
    out = console()
    out.print(text, style=style if out.is_terminal else "", markup=False, soft_wrap=True)


def note(text: str) -> None:
    """A line for people beside data: on standard error."""
    Console(file=sys.stderr, highlight=False).print(text, markup=False, soft_wrap=True)


def ago(moment: datetime | None) -> str:
    """How long ago, in words: `12 s`, `5 min`, `3 h`, `2 d`."""
    if moment is None:
        return "never"
    seconds = (datetime.now(UTC) - moment).total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if abs(seconds) >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def duration(seconds: float | None) -> str:
    """A length of time in words: `0.8 s`, `45 s`, `12 min`, `3.5 h`, `2.1 d`; empty for none."""
    if seconds is None:
        return ""
    for size, unit in ((86_400, "d"), (3600, "h")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


class Advance(Protocol):
    """Tells how far long work is."""

    def __call__(self, done: int, text: str = "") -> None:
        """`done` pieces are finished; `text` says what is at hand."""


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """A bar on standard error; where that is no terminal, a line for every tenth of the work."""
    err = Console(file=sys.stderr, highlight=False)
    if err.is_terminal:
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[now]}", style="dim"),
            console=err,
            transient=True,
        )
        with bar:
            task = bar.add_task(title, total=total, now="")
            yield lambda done, text="": bar.update(task, completed=done, now=text)
        return
    told = -1

    def tell(done: int, text: str = "") -> None:
        nonlocal told
        tenth = done * 10 // max(total, 1)
        if tenth > told:
            told = tenth
            err.print(f"{title}: {done} of {total} {text}".rstrip(), markup=False, soft_wrap=True)

    yield tell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _styled(cell: str) -> Any:
    from rich.text import Text  # noqa: PLC0415 - only for terminals

    return Text(cell, style=COLOURS.get(cell, ""))
