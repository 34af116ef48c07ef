"""Every page of the console has a picture in the documentation, and every picture is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.screenshots import FOLDER, LARGEST, PARTS, SHOTS
from triage.web.app import PAGES

DOCS = (FOLDER.parent / "console.md").read_text(encoding="utf-8")


def test_every_page_has_a_picture() -> None:
    routes = {
        str(route.path)  # type: ignore[attr-defined]
        for router in PAGES
        for route in router.routes
        if "GET" in route.methods  # type: ignore[attr-defined]
    }
    shown = {shot.route for shot in SHOTS.values()}
    missing = routes - shown - PARTS
    assert not missing, "add these to tests/browser/screenshots.py, and run `make screenshots`"
    assert shown | PARTS <= routes, "these pages are gone"


@pytest.mark.parametrize("name", SHOTS)
def test_each_picture_is_there_small_and_told(name: str) -> None:
    picture: Path = FOLDER / f"{name}.webp"
    assert 2_000 < picture.stat().st_size < LARGEST
    told = re.search(rf"!\[([^\]]+)\]\(screenshots/{name}\.webp\)", DOCS)
    assert told, "docs/console.md does not show it"
    assert told[1] == SHOTS[name].alt


def test_no_picture_is_left_over() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(SHOTS)
