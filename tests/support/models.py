"""Model folders made of the one that ships, in a moment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from classifiers import artifact
from classifiers.calibration import Blend

WORSE = Blend(network=-0.7, lexical=-1.0)
"""Says the least likely label."""
COOLER = Blend(network=0.4, lexical=0.6)
"""Says the same with other probabilities."""


def variant(folder: Path, name: str, version: str = "1", **changes: Any) -> Path:
    """The shipped model under another name, with fields of its manifest changed."""
    shutil.copytree(artifact.DEFAULT, folder)
    artifact.rewrite(folder, name=name, version=version, **changes)
    return folder
