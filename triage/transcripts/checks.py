"""Honest flags on what Whisper wrote: text that nobody may have said is kept, but marked.

Whisper's known faults: words on noise and silence (phrases of its training data, subtitles above
all), loops, often with high confidence, and more words than a mouth can say.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Final

from triage.transcripts.engine import Piece
from triage.transcripts.sounds.kinds import Sound, sounding
from triage.types import Segment

LOOP: Final = "loop"
FILLER: Final = "filler"
LOW_CONFIDENCE: Final = "low-confidence"
TOO_FAST: Final = "too-fast"
OVER_SOUND: Final = "over-sound"

MIN_CONFIDENCE: Final = 0.45
MAX_COMPRESSION: Final = 2.4
MAX_WORDS_PER_SECOND: Final = 9.0
MIN_REPEATS: Final = 4
SAME_SEGMENTS: Final = 3

# What Whisper writes on non-speech, in the languages it does so most; letters only.
_FILLERS: Final = re.compile(
    r"""
    (thanks?\ ?(you)?\ (so\ much\ |very\ much\ )?for\ (watching|viewing|listening).*)
    | ((please\ )?(like\ and\ )?(don\ ?t\ forget\ to\ )?subscribe\b.*)
    | (see\ you\ (in\ the\ )?next\ (video|time))
    | ((sub|cap)tit?(les?|ions?|ulos)\b.*(by|por|community|amara|org).*)
    | (amara\ org|www\ \w+(\ \w+)*\ (com|org|net))
    | (untertitel\b.*|sous\ titres?\b.*|subtitulos\b.*|ondertitel\w*\b.*)
    | (you|the|i|uh|um|bye\ bye\ bye)
    | (music(\ playing)?|applause|laughter|silence|blank\ audio|no\ audio|ringing|beep(ing)?|static)
    """,
    re.VERBOSE,
)
_NOTES: Final = re.compile(r"^[\s\W]*[♪♫][\s\W]*$|^\s*[\[(*][^\])*]*[\])*]\s*$")


def confidence(piece: Piece) -> float:
    """How much a piece can be trusted, 0 to 1: the mean word probability less doubt of speech."""
    if not piece.words:
        return 0.0
    mean = fmean(word.probability for word in piece.words)
    doubt = max(0.0, piece.no_speech - 0.6)
    return round(min(1.0, max(0.0, mean - doubt)), 3)


def flags(text: str, seconds: float, sure: float, compression: float) -> tuple[str, ...]:
    """What speaks against one segment; `compression` is that of its whole window."""
    found = []
    if compression > MAX_COMPRESSION or loops(text):
        found.append(LOOP)
    if is_filler(text):
        found.append(FILLER)
    if sure < MIN_CONFIDENCE:
        found.append(LOW_CONFIDENCE)
    words = len(text.split())
    if words >= 4 and words > MAX_WORDS_PER_SECOND * max(seconds, 0.1):
        found.append(TOO_FAST)
    return tuple(found)


def loops(text: str) -> bool:
    """Whether the same one to eight words come four times or more in a row.

    A single word may come five times, as people do say "no, no, no, no, no". Long text that
    compresses too well is a loop too.
    """
    words = _letters(text).split()
    for length in range(1, 9):
        enough = MIN_REPEATS + 2 if length == 1 else MIN_REPEATS
        run = 0
        for first, second in zip(words, words[length:], strict=False):
            run = run + 1 if first == second else 0
            if run >= length * (enough - 1):
                return True
    plain = text.encode()
    return len(plain) > 200 and len(plain) / len(zlib.compress(plain)) > MAX_COMPRESSION


def is_filler(text: str) -> bool:
    """Whether the whole text is something that Whisper writes when nobody speaks."""
    return bool(_NOTES.match(text)) or bool(_FILLERS.fullmatch(_letters(text)))


def repeated(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Segments of one channel, with a flag on every run of three or more with the same text."""
    texts = [_letters(segment.text) for segment in segments]
    checked = list(segments)
    start = 0
    for end in range(1, len(texts) + 1):
        if end < len(texts) and texts[end] == texts[start]:
            continue
        if end - start >= SAME_SEGMENTS:
            for index in range(start, end):
                marked = dict.fromkeys((*checked[index].flags, LOOP))
                checked[index] = replace(checked[index], flags=tuple(marked))
        start = end
    return tuple(checked)


def over_sounds(segment: Segment, sounds: Sequence[Sound]) -> Segment:
    """The segment, with a flag where music or tones are louder than whoever may speak there."""
    seconds = segment.end - segment.start
    if sounding(sounds, segment.start, segment.end) <= seconds / 2:
        return segment
    return replace(segment, flags=(*segment.flags, OVER_SOUND))


def _letters(text: str) -> str:
    """Lower-case words and digits, one space between."""
    return " ".join(re.findall(r"\w+", text.lower()))
