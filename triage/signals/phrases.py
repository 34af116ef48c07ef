"""Families of phrases, compiled into one pattern each."""

from __future__ import annotations

import re


def phrases(*families: str) -> re.Pattern[str]:
    """A pattern of lower-case text that matches where one of the families starts a word.

    The test for a word's start is made once and not in every family: most of a text is passed over
    at the price of one look behind.
    """
    return re.compile(r"(?<![\w'-])(?=\w)(?:" + "|".join(families) + ")")
