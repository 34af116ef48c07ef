"""Which windows must be read again: text that was not said, or speech that was not written.

Decoded without the text before it and at one temperature, a window now and then loops, ends early
or is unlikely as a whole. Speech is packed, so a long stretch without a word is a fault, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from triage.transcripts.checks import MAX_COMPRESSION, loops
from triage.transcripts.engine import Word

# Whisper's own bounds: for a second, freer attempt, and for what is no speech at all.
MIN_LOGPROB: Final = -1.0
MAX_NO_SPEECH: Final = 0.6
# Nobody says more; what is above has been invented.
MAX_CHARACTERS_PER_SECOND: Final = 30.0
# Pauses inside packed speech are of 0.6 s (0.3 s of padding on both sides), breaths included 1 s.
MAX_GAP_S: Final = 3.5


def doubtful(
    words: Sequence[Word], seconds: float, *, avg_logprob: float, compression: float
) -> bool:
    """Whether what was written for `seconds` of packed speech must be read again; see `gaps`."""
    text = "".join(word.text for word in words)
    return (
        avg_logprob < MIN_LOGPROB
        or compression > MAX_COMPRESSION
        or len(text) > 10 + MAX_CHARACTERS_PER_SECOND * seconds
        or loops(text)
    )


def unspoken(*, avg_logprob: float, no_speech: float) -> bool:
    """Whether nobody spoke, by Whisper's own rule: likely no speech, and unlikely text.

    On noise a freer attempt finds text that is likelier, and just as little said.
    """
    return no_speech > MAX_NO_SPEECH and avg_logprob < MIN_LOGPROB


def gaps(words: Sequence[Word], seconds: float) -> list[tuple[float, float]]:
    """Where for so long no word was written that one may be missing: from, to in seconds."""
    times = [0.0, *(time for word in words for time in (word.start, word.end)), seconds]
    pairs = zip(times[::2], times[1::2], strict=True)
    return [(start, end) for start, end in pairs if end - start > MAX_GAP_S]


def echoes(words: Sequence[Word], vocabulary: Sequence[str]) -> bool:
    """Whether the text is nothing but the vocabulary that the model was shown."""
    shown = {part for term in vocabulary for part in _letters(term)}
    heard = [part for word in words for part in _letters(word.text)]
    return bool(heard) and bool(shown) and shown.issuperset(heard)


def _letters(text: str) -> list[str]:
    return "".join(sign.lower() if sign.isalnum() else " " for sign in text).split()
