"""What is made from stored contents and can be made again: kept under what it was made from."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triage.errors import Transient


class Copies:
    """Files below `root`, named by their recipe; who deletes them loses time and nothing else."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def get(self, sha256: str, recipe: Any, make: Callable[[Path], None]) -> Path:
        """The copy that `make` writes from the content `sha256`; written once for each recipe.

        `recipe` is plain data. Raises what `make` raises, and `Transient` where the disk refuses.
        """
        told = json.dumps([sha256, recipe], sort_keys=True)
        path = self.root / sha256[:2] / hashlib.sha256(told.encode()).hexdigest()
        if path.is_file():
            return path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                aside = Path(folder) / "copy"
                make(aside)
                aside.replace(path)
        except OSError as error:
            raise Transient(f"{self.root}: {error}") from error
        return path
