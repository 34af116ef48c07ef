"""A trained tagger inside a model folder: `signals.json` and `signals.safetensors`.

Beside the classifier's own two files, so that either can be trained alone. `signals.json` holds the
sha256 of the other, and what the tagger was trained on and how well it did.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp, log
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classifiers.artifact import labels_sha256, resolve
from classifiers.encoder import SHA256, WEIGHTS, file_sha256
from classifiers.errors import ArtifactError

if TYPE_CHECKING:
    from torch import Tensor

FORMAT: Final = 2
"""2: rankings weigh a text's candidates against one another."""
MANIFEST: Final = "signals.json"
TENSORS: Final = "signals.safetensors"
FILES: Final = (MANIFEST, TENSORS)


@dataclass(frozen=True, slots=True)
class TagManifest:
    """What `signals.json` holds.

    `scales`: of each signal the slope and intercept that make a score a probability (Platt 1999).
    `temperatures`: of each class. `reach`: dilations of the convolutions. `taps`: the layers whose
    vectors are read. `floors`: from which probability the best candidate of a signal is taken. The
    rest is for people.
    """

    version: str
    created: str
    reach: tuple[int, ...]
    taps: tuple[int, ...]
    floors: Mapping[str, float]
    scales: Mapping[str, tuple[float, float]]
    temperatures: Mapping[str, float]
    training: Mapping[str, Any]
    corpus: Mapping[str, Any]
    metrics: Mapping[str, Any]
    sha256: str = ""
    format: int = FORMAT
    base_sha256: str = SHA256[WEIGHTS]
    labels_sha256: str = ""

    def calibrated(self, name: str, score: float) -> float:
        """The probability that a stretch with this score is right."""
        slope, intercept = self.scales.get(name, (1.0, 0.0))
        inner = min(max(score, 1e-6), 1 - 1e-6)
        return 1 / (1 + exp(-(slope * log(inner / (1 - inner)) + intercept)))

    def temperature(self, name: str) -> float:
        """What the logits of a class are divided by."""
        return self.temperatures.get(name, 1.0)


def write(folder: Path, manifest: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TagManifest:
    """Put a tagger into a model folder; an older one there is replaced."""
    from safetensors.torch import save  # noqa: PLC0415 - heavy

    data = save({name: value.contiguous() for name, value in tensors.items()})
    complete = TagManifest(
        **manifest, sha256=hashlib.sha256(data).hexdigest(), labels_sha256=labels_sha256()
    )
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(complete), indent=1, ensure_ascii=False, sort_keys=True)
    _replace(folder / TENSORS, data)
    _replace(folder / MANIFEST, f"{text}\n".encode())
    return complete


def kept(folder: Path) -> dict[str, bytes]:
    """The tagger's files in a model folder, to be put back by `restore`."""
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}


def restore(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put back what `kept` gave, into the folder that replaced the old one."""
    for name in reversed(FILES):
        if name in files:
            _replace(folder / name, files[name])


def present(path: Path | str) -> bool:
    """Whether a model folder has a tagger: one that a business trained may have labels only."""
    return (resolve(path) / MANIFEST).is_file()


def outdated(path: Path | str) -> bool:
    """Whether a model folder has a tagger of an older format, which cannot be read any more."""
    try:
        written = json.loads((resolve(path) / MANIFEST).read_bytes())["format"]
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return isinstance(written, int) and written < FORMAT


def read(path: Path | str) -> tuple[TagManifest, Path]:
    """The checked manifest and the path of the tensors. `ArtifactError` says what is wrong."""
    folder = resolve(path)
    file, tensors = folder / MANIFEST, folder / TENSORS
    try:
        raw = json.loads(file.read_bytes())
        manifest = TagManifest(
            **raw
            | {
                "reach": tuple(raw["reach"]),
                "taps": tuple(raw["taps"]),
                "scales": {name: tuple(pair) for name, pair in raw["scales"].items()},
            }
        )
    except OSError as error:
        raise ArtifactError(f"no tagger at {folder}: {MANIFEST} cannot be read") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(
            f"{file} is not a tagger's manifest: {error}; train it again"
        ) from error
    if manifest.format != FORMAT or manifest.base_sha256 != SHA256[WEIGHTS]:
        raise ArtifactError(f"{file} was made for another format or base model; train it again")
    if manifest.labels_sha256 != labels_sha256():
        raise ArtifactError(f"{file} was made with another vocabulary; train it again")
    if not tensors.is_file() or file_sha256(tensors) != manifest.sha256:
        raise ArtifactError(
            f"{tensors} is missing or damaged: its sha256 is not the one in {MANIFEST}; "
            "restore the folder"
        )
    return manifest, tensors


def _replace(file: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    scratch = file.with_name(f".{file.name}.new")
    with scratch.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    scratch.replace(file)
