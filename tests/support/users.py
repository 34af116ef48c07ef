"""Acting as somebody who may do less than root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_NOBODY = 65534


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Give up root's right to read everything, for as long as this lasts."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
