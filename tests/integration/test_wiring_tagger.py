"""Which tagger a worker reads signals with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from classifiers import artifact, tag_artifact
from classifiers.errors import ArtifactError
from triage.settings import Classifier
from triage.wiring import load_tagger


def test_a_tagger_of_an_older_format_gives_way_to_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(artifact.resolve("default"), own)
    assert not tag_artifact.outdated(own)
    assert load_tagger(Classifier(artifact=str(own))).manifest == tag_artifact.read(own)[0]
    manifest = json.loads((own / tag_artifact.MANIFEST).read_text())
    (own / tag_artifact.MANIFEST).write_text(json.dumps(manifest | {"format": 1, "version": "old"}))
    assert tag_artifact.outdated(own)
    with pytest.raises(ArtifactError, match="another format"):
        tag_artifact.read(own)
    with capture_logs() as logs:
        tagger = load_tagger(Classifier(artifact=str(own)))
    assert tagger.manifest.version == tag_artifact.read("default")[0].version
    assert [(line["log_level"], line["artifact"]) for line in logs] == [("warning", str(own))]
    assert not tag_artifact.outdated(tmp_path)
