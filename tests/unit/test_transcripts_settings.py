from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from triage.errors import Transient
from triage.settings import Limits, Transcription
from triage.transcripts import messages


def test_a_language_must_be_among_the_allowed_ones() -> None:
    assert Transcription(language="en", languages=("en", "es")).language == "en"

    with pytest.raises(ValidationError, match="language = 'de' is not among languages"):
        Transcription(language="de", languages=("en", "es"))


@pytest.mark.parametrize("code", ["english", "EN", "e"])
def test_languages_are_codes(code: str) -> None:
    with pytest.raises(ValidationError):
        Transcription(languages=(code,))


def test_a_child_is_told_which_one_it_is() -> None:
    setup = messages.setup(Transcription(vocabulary=("Brightwater",)), Limits(), Path("c"), child=3)

    assert setup["child"] == 3
    assert Transcription.model_validate(setup["transcription"]).vocabulary == ("Brightwater",)


def test_who_ran_out_of_memory_asks_to_be_replaced() -> None:
    exhausted = messages.failure(RuntimeError("mkl_malloc: failed to allocate memory"))
    odd = messages.failure(RuntimeError("odd"))

    assert exhausted["recycle"]
    assert isinstance(messages.raised(exhausted), Transient)
    assert "out of memory" in str(messages.raised(exhausted))
    assert "recycle" not in odd
