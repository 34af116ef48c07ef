"""Where the shipped mails, recordings and corpus are: in a checkout, or inside the package."""

from __future__ import annotations

from pathlib import Path

from triage.errors import Configuration


def fixtures_folder() -> Path:
    """The folder `fixtures`. Raises `Configuration` where the installation left it out."""
    package = Path(__file__).resolve().parent
    for place in (package / "fixtures", package.parents[1] / "fixtures"):
        if (place / "corpus").is_dir():
            return place
    raise Configuration("the shipped fixtures are missing from this installation; reinstall it")


def corpus_folder() -> Path:
    """The shipped corpus, as JSON Lines."""
    return fixtures_folder() / "corpus"
