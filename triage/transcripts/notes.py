"""What a transcript's warnings say of a recording in which nobody speaks, and what they prove.

Light: the worker's own process reads them, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from triage.transcripts.engine import NO_SPEECH

FAKE_STEREO: Final = "both channels hold the same audio: read as one channel"
UNINTELLIGIBLE: Final = "somebody seems to speak, but no word could be made out"
_INSTEAD: Final = "heard instead: "
_TOO_LITTLE: Final = "hardly anything is said: "


def instead(what: str) -> str:
    """The warning that names what a recording without speech holds."""
    return f"{_INSTEAD}{what}"


def too_little(seconds: float) -> str:
    """The warning of a recording that was not read, because hardly anybody speaks."""
    return f"{_TOO_LITTLE}{seconds:.1f} s of speech (transcription.min_speech_s)"


def is_too_little(warnings: Sequence[str]) -> bool:
    """Whether a recording was not read for that reason."""
    return any(warning.startswith(_TOO_LITTLE) for warning in warnings)


def proves_nothing(warnings: Sequence[str]) -> bool:
    """Whether anything is wrong with the recording: what could not be heard is not silence."""
    return not all(
        warning in {NO_SPEECH, FAKE_STEREO} or warning.startswith((_INSTEAD, _TOO_LITTLE))
        for warning in warnings
    )


def of_silence(warning: str) -> bool:
    """Whether a warning says that nobody could be understood."""
    return warning in {NO_SPEECH, UNINTELLIGIBLE} or warning.startswith((_INSTEAD, _TOO_LITTLE))


def reason(warnings: Sequence[str]) -> str:
    """Why nobody can be understood, for people; empty where that is not known."""
    return "; ".join(warning for warning in warnings if warning.startswith((_INSTEAD, _TOO_LITTLE)))
