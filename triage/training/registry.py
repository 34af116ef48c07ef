"""The folders of models, each under the name that its verdicts carry, and whether they are whole.

The model that the settings name stays where it is; it is copied here when another takes its place,
so that going back to it finds it as it was, whatever was installed meanwhile.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from classifiers import artifact
from classifiers.artifact import MANIFEST, Manifest
from classifiers.encoder import file_sha256
from classifiers.errors import ArtifactError
from triage.disk import sync_folder
from triage.errors import Usage
from triage.store.models import Model

_LONGEST: Final = 120
_TAKEN: Final = ("person", "rule:")
"""How verdicts begin that no model gave."""


class Registry:
    """`folder` holds one folder a model; `configured` is the model that the settings name."""

    def __init__(self, folder: Path, configured: Path | str = "default") -> None:
        self.folder = folder
        self.configured = configured

    def first(self) -> tuple[str, str]:
        """Name and manifest's sha256 of the model that the settings name.

        Raises `Usage` where it is not intact.
        """
        return _described(artifact.resolve(self.configured))

    def intact(self, model: Model) -> Path:
        """The folder of a model. Raises `Usage` where it is gone or not what it was."""
        faults = []
        for place in (self.place(model.name_version), artifact.resolve(self.configured)):
            try:
                if _described(place) == (model.name_version, model.sha256):
                    return place
                faults.append(f"{place / MANIFEST} is not the one that was registered")
            except Usage as error:
                faults.append(str(error))
        raise Usage(f"{model.name_version}: {faults[0]}")

    def place(self, name_version: str) -> Path:
        """Where a model's folder is, or would be."""
        name = re.sub(r"[^\w.@+-]", "-", name_version)
        if not name.strip(".-"):
            raise Usage(f"{name_version!r} is no name of a model")
        return self.folder / name.lstrip(".")

    def take_in(self, source: Path | str) -> tuple[str, str]:
        """Copy a model folder, whole or not at all; returns its name and its manifest's sha256.

        Raises `Usage` where it is not intact, or its name is taken by another.
        """
        found = artifact.resolve(source)
        name_version, sha256 = _described(found)
        place = self.place(name_version)
        if place.exists():
            if (place / MANIFEST).is_file() and _sha256(place) == sha256:
                return name_version, sha256
            raise Usage(f"{place} is there already, and is another model; rename the new one")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder) as scratch:
            copy = Path(scratch) / "model"
            shutil.copytree(found, copy, ignore=shutil.ignore_patterns(".*"))
            _described(copy)
            sync_folder(copy)
            copy.replace(place)
        sync_folder(self.folder)
        return name_version, sha256


def _described(folder: Path) -> tuple[str, str]:
    try:
        manifest, _ = artifact.read(folder)
    except ArtifactError as error:
        raise Usage(str(error)) from error
    return _named(manifest, folder), _sha256(folder)


def _named(manifest: Manifest, folder: Path) -> str:
    name = manifest.name_version
    if len(name) > _LONGEST or name.startswith(_TAKEN):
        raise Usage(
            f"{folder}: a model cannot be named {name!r}; it has {_LONGEST} characters at most and "
            f"begins with none of {', '.join(_TAKEN)}"
        )
    return name


def _sha256(folder: Path) -> str:
    return file_sha256(folder / MANIFEST)
