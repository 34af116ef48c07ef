"""What the console ships: nothing from elsewhere, nothing inline, vendored files as they came."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from triage.web.templating import STATIC

TEMPLATES = sorted((STATIC.parent / "templates").glob("**/*.html"))
# As in the package htmx.org 2.0.11, dist/htmx.min.js.
VENDORED = {
    "htmx-2.0.11.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "htmx-LICENSE.txt": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
}


def test_vendored_files_are_what_was_published() -> None:
    found = {path.name: path.read_bytes() for path in (STATIC / "vendor").iterdir()}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in found.items()} == VENDORED


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_nothing_inline_and_nothing_marked_safe(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son\w+=|hx-on|javascript:|https?://", text)
    assert not re.search(r"<script(?! src=)", text)
    assert not re.search(r"\|\s*safe|autoescape|Markup", text)


def test_styles_and_scripts_ask_nobody_else() -> None:
    for path in [*STATIC.glob("*.css"), *STATIC.glob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|@import|url\(", text), path.name
