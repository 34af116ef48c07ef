from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from triage.errors import Configuration
from triage.transcripts import checkpoint, weights
from triage.transcripts.weights import Packaged


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """Small weights in two installed packages."""
    for number, content in ((1, b"first half, "), (2, b"second half")):
        package = tmp_path / "site" / f"tiny_weights_{number}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / f"part{number}").write_bytes(content)
    (tmp_path / "site" / "tiny_weights_2" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(tmp_path / "site")
    small = Packaged(
        parts=("tiny_weights_1/part1", "tiny_weights_2/part2"),
        sha256=hashlib.sha256(b"first half, second half").hexdigest(),
        others=(("tiny_weights_2/config.json", hashlib.sha256(b"{}").hexdigest()),),
    )
    monkeypatch.setitem(weights.INSTALLED, "small", small)
    return small


def test_installed_parts_are_joined_once(packaged: Packaged, tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    found = weights.locate("small", cache)
    before = (found.folder / "model.bin").stat().st_mtime_ns
    again = weights.locate("small", cache)

    assert (found.folder / "model.bin").read_bytes() == b"first half, second half"
    assert (found.folder / "config.json").read_text() == "{}"
    assert again == found
    assert (found.folder / "model.bin").stat().st_mtime_ns == before
    assert found.version == f"small@{packaged.sha256[:12]}"
    assert [entry.name for entry in cache.iterdir()] == [found.folder.name]


def test_a_damaged_cache_is_made_again(packaged: Packaged, tmp_path: Path) -> None:
    found = weights.locate("small", tmp_path / "cache")
    (found.folder / "model.bin").write_bytes(b"first half")

    weights.locate("small", tmp_path / "cache")

    assert (found.folder / "model.bin").read_bytes() == b"first half, second half"


def test_other_bytes_in_the_packages_are_refused(packaged: Packaged, tmp_path: Path) -> None:
    (tmp_path / "site" / "tiny_weights_1" / "part1").write_bytes(b"something else")

    with pytest.raises(Configuration, match="sha256 differs"):
        weights.locate("small", tmp_path / "cache")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Packaged(parts=("no_such_weights_1/part1",), sha256="0" * 64, others=())
    monkeypatch.setitem(weights.INSTALLED, "absent", absent)

    with pytest.raises(Configuration, match="no-such-weights-1 is missing"):
        weights.locate("absent", tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_named(packaged: Packaged, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")

    with pytest.raises(Configuration, match="cannot write Whisper's weights"):
        weights.locate("small", tmp_path / "cache")


def test_a_folder_must_hold_everything(tmp_path: Path) -> None:
    folder = tmp_path / "large-v3"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")

    with pytest.raises(Configuration, match=r"lacks config.json, tokenizer.json, vocabulary.json"):
        weights.locate(str(folder))

    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).touch()
    assert weights.locate(str(folder)).version == (
        f"large-v3@{hashlib.sha256(b'weights').hexdigest()[:12]}"
    )


def test_an_unknown_name_is_never_looked_up_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match="neither installed weights"):
        weights.locate("large-v3", tmp_path)


def test_other_weights_are_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.bin").write_bytes(b"\x06\0\0\0\x10\0TransformerSpec\0\x07\0\0\0\0\0\0\0")

    with pytest.raises(Configuration, match="a TransformerSpec, not a WhisperSpec"):
        checkpoint.read(tmp_path)
