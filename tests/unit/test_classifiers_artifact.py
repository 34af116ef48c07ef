import json
from pathlib import Path
from typing import Any

import pytest
import torch

from classifiers import artifact
from classifiers.calibration import AbstainRule, Blend
from classifiers.encoder import Reading
from classifiers.errors import ArtifactError


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "name": "tiny",
        "version": "1",
        "created": "2026-01-02T03:04:05+00:00",
        "reading": Reading(),
        "blend": Blend(0.7, 0.4),
        "abstain": AbstainRule(0.4, 0.1),
        "training": {},
        "corpus": {},
        "metrics": {},
    } | changes


def write(folder: Path, **changes: Any) -> artifact.Manifest:
    return artifact.write(folder, fields(**changes), {"head.bias": torch.arange(9.0)})


def test_round_trip(tmp_path: Path) -> None:
    written = write(tmp_path / "m")
    manifest, weights = artifact.read(tmp_path / "m")
    assert manifest == written
    assert manifest.name_version == "tiny@1"
    assert weights.is_file()
    assert sorted(file.name for file in (tmp_path / "m").iterdir()) == [
        "manifest.json",
        "weights.safetensors",
    ]


def test_writing_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path / "m")
    write(tmp_path / "m", version="2")
    assert artifact.read(tmp_path / "m")[0].version == "2"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_failed_write_leaves_the_old_model(tmp_path: Path) -> None:
    write(tmp_path / "m")
    with pytest.raises(TypeError):
        write(tmp_path / "m", version="2", metrics={"bad": object()})
    assert artifact.read(tmp_path / "m")[0].version == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("where", [0, 40, -1])
def test_one_flipped_bit_is_refused(tmp_path: Path, where: int) -> None:
    write(tmp_path / "m")
    weights = tmp_path / "m" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[where] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ArtifactError, match="damaged"):
        artifact.read(tmp_path / "m")


def test_missing_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no model at"):
        artifact.read(tmp_path / "none")
    write(tmp_path / "m")
    (tmp_path / "m" / "weights.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"weights\.safetensors is missing"):
        artifact.read(tmp_path / "m")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 99}, "format 1"),
        ({"labels": ["lead"]}, "another labels"),
        ({"labels_sha256": "0"}, "another vocabulary"),
        ({"base_sha256": "0"}, "another base model"),
        ({"files": {}}, "names no"),
        ({"files": {"../x": "0", "weights.safetensors": "0"}}, "missing"),
        ({"extra": 1}, "unknown fields"),
        ({"reading": None}, "unknown fields"),
    ],
)
def test_foreign_manifests_are_refused(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    write(tmp_path / "m")
    file = tmp_path / "m" / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(ArtifactError, match=why):
        artifact.read(tmp_path / "m")


def test_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match="not JSON"):
        artifact.read(tmp_path)
