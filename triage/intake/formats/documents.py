"""Text of PDF and Word documents; imported only in the child process."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import docx
import pypdf
from docx.document import Document
from docx.table import Table
from docx.text.paragraph import Paragraph

UNPACKED_BYTES: Final = 100_000_000
"""Bytes that a Word document may have unpacked; far above any that people write."""

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is odd in a file is not our news


def pdf_text(data: bytes, *, pages: int, chars: int) -> tuple[str, str]:
    """The text of the first pages, and a note on what was not read. Raises whatever pypdf does."""
    document = pypdf.PdfReader(io.BytesIO(data), strict=False)
    if document.is_encrypted and not document.decrypt(""):
        return "", "the document is encrypted"
    found: list[str] = []
    total, length, read = len(document.pages), 0, 0
    for page in document.pages[:pages]:
        text = page.extract_text().strip()
        found.append(text)
        read += 1
        length += len(text)
        if length > chars:
            break
    note = f"{read} of {total} pages were read" if read < total else ""
    if not length:
        note = "the document holds no text (scanned?)"
    return "\n\n".join(text for text in found if text), note


def word_text(data: bytes, *, chars: int) -> tuple[str, str]:
    """The text of a .docx in its order, tables a line a row, and a note on what was not read."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > UNPACKED_BYTES:
            return "", f"the document has more than {UNPACKED_BYTES:,} bytes unpacked"
    document = docx.Document(io.BytesIO(data))
    found: list[str] = []
    length = 0
    for line in _lines(document):
        found.append(line)
        length += len(line)
        if length > chars:
            return "\n".join(found), "the document was not read to its end"
    return "\n".join(found), "" if length else "the document holds no text"


def _lines(document: Document) -> Iterator[str]:
    edges = [section.header for section in document.sections[:1]]
    for edge in edges:
        if not edge.is_linked_to_previous:
            yield from _blocks(edge)
    yield from _blocks(document)
    for section in document.sections[:1]:
        if not section.footer.is_linked_to_previous:
            yield from _blocks(section.footer)


def _blocks(holder: Any) -> Iterator[str]:
    for block in holder.iter_inner_content():
        if isinstance(block, Paragraph):
            if block.text.strip():
                yield block.text
        elif isinstance(block, Table):
            yield from _rows(block)


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells: list[str] = []
        for cell in row.cells:
            text = " ".join(line for line in _blocks(cell) if line.strip())
            if text and text not in cells[-1:]:  # a merged cell is told once for each column
                cells.append(text)
        if cells:
            yield "  ".join(cells)
