"""A trained model as a folder: `manifest.json` and `weights.safetensors`, nothing executable.

The manifest says what the model is, what it was trained on and how well it did, and holds the
sha256 of the other file. A folder that was damaged, altered, or made for another vocabulary, base
or format is refused: a wrong model would label without an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from classifiers import labels
from classifiers.bound import FilingBound
from classifiers.calibration import AbstainRule, Blend
from classifiers.encoder import SHA256, WEIGHTS, Reading, file_sha256
from classifiers.errors import ArtifactError
from classifiers.match import MatchRule
from classifiers.shortcut import Shortcut

if TYPE_CHECKING:
    from torch import Tensor

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
TENSORS: Final = "weights.safetensors"
DEFAULT: Final = Path(__file__).parent / "artifacts" / "default"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` holds.

    `training`, `corpus`, `metrics` and `bound` are for people and reports; the rest is needed to
    classify.
    """

    name: str
    version: str
    created: str
    reading: Reading
    blend: Blend
    abstain: AbstainRule
    training: Mapping[str, Any]
    corpus: Mapping[str, Any]
    metrics: Mapping[str, Any]
    files: Mapping[str, str]
    bound: FilingBound | None = None
    shortcut: Shortcut = field(default_factory=Shortcut)
    format: int = FORMAT
    base: str = "sentence-transformers/all-MiniLM-L6-v2"
    base_sha256: str = SHA256[WEIGHTS]
    labels: tuple[str, ...] = labels.LABELS
    labels_sha256: str = ""
    own: Mapping[str, str] = field(default_factory=dict)
    match: MatchRule | None = None

    @property
    def name_version(self) -> str:
        """`name@version`, as verdicts carry it."""
        return f"{self.name}@{self.version}"


def labels_sha256() -> str:
    """Sha256 of the vocabulary's source file, with line ends as in the repository."""
    source = Path(labels.__file__).read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha256(source).hexdigest()


def resolve(path: Path | str) -> Path:
    """The folder meant: the model that ships for `default`, else the path itself."""
    return DEFAULT if str(path) == "default" else Path(path)


def write(folder: Path, manifest: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Manifest:
    """Write a model folder, whole or not at all; an older one there is replaced.

    `manifest`: the fields of `Manifest` that the caller knows (all but hashes and files).
    """
    from safetensors.torch import save  # noqa: PLC0415 - heavy

    data = save(dict(tensors))
    complete = Manifest(
        **manifest,
        files={TENSORS: hashlib.sha256(data).hexdigest()},
        labels_sha256=labels_sha256(),
    )
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        new, old = Path(scratch) / "new", Path(scratch) / "old"
        new.mkdir()
        write_synced(new / TENSORS, data)
        text = json.dumps(asdict(complete), indent=1, ensure_ascii=False, sort_keys=True)
        write_synced(new / MANIFEST, f"{text}\n".encode())
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
    return complete


def rewrite(folder: Path, **changes: Any) -> Manifest:
    """Change fields of a folder's manifest; the other files stay as they are."""
    file = folder / MANIFEST
    changed = asdict(replace(read_manifest(folder), **changes))
    text = json.dumps(changed, indent=1, ensure_ascii=False, sort_keys=True)
    scratch = folder / f".{MANIFEST}"
    write_synced(scratch, f"{text}\n".encode())
    scratch.replace(file)
    return read_manifest(folder)


def read(path: Path | str) -> tuple[Manifest, Path]:
    """The checked manifest and the path of the weights. `ArtifactError` says what is wrong."""
    folder = resolve(path)
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        file = folder / name
        if file.name != name or not file.is_file():
            raise ArtifactError(f"{folder} is not complete: {name} is missing; restore the folder")
        if file_sha256(file) != expected:
            raise ArtifactError(
                f"{file} is damaged: its sha256 is not the one in {MANIFEST}; restore the folder"
            )
    return manifest, folder / TENSORS


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone, checked to be for this format, vocabulary and base model."""
    file = folder / MANIFEST
    try:
        raw = json.loads(file.read_bytes())
    except OSError as error:
        raise ArtifactError(f"no model at {folder}: {MANIFEST} cannot be read ({error})") from error
    except ValueError as error:
        raise ArtifactError(f"{file} is not JSON: {error}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ArtifactError(f"{file} is not a model of format {FORMAT}; train it again")
    try:
        manifest = Manifest(
            **raw
            | {
                "reading": Reading(**raw["reading"]),
                "blend": Blend(**raw["blend"]),
                "abstain": AbstainRule(**raw["abstain"]),
                "labels": tuple(raw["labels"]),
                "bound": FilingBound(**raw["bound"]) if raw.get("bound") else None,
                "shortcut": Shortcut(**raw.get("shortcut", {})),
                "match": MatchRule(**raw["match"]) if raw.get("match") else None,
            }
        )
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{file} lacks or has unknown fields ({error})") from error
    _check_made_for_this(manifest, file)
    return manifest


def _check_made_for_this(manifest: Manifest, file: Path) -> None:
    wanted = {
        "labels": (manifest.labels, labels.LABELS),
        "vocabulary (classifiers/labels.py)": (manifest.labels_sha256, labels_sha256()),
        "base model": (manifest.base_sha256, SHA256[WEIGHTS]),
    }
    for what, (found, expected) in wanted.items():
        if found != expected:
            raise ArtifactError(f"{file} was made with another {what}; train the model again")
    if TENSORS not in manifest.files:
        raise ArtifactError(f"{file} names no {TENSORS}")


def plain(value: Any) -> Any:
    """`value` as JSON knows it: dataclasses become objects, with their properties left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def write_synced(path: Path, data: bytes) -> None:
    """Write a file that is on the disk when this returns."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
