"""Where a model computes: the GPU, with smaller batches when its memory is full, then the CPU."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import structlog

from triage.errors import Configuration

log = structlog.get_logger(__name__)

Device = Literal["cpu", "cuda"]
T = TypeVar("T")

# More windows at a time are not faster on a CPU: what they remember no longer fits its caches.
CPU_BATCH: Final = 8
GPU_BATCHES: Final = (16, 4, 1)

_EXHAUSTED: Final = re.compile(
    r"out of memory|bad.?alloc|failed to (re)?alloc|alloc_failed|failed to map segment",
    re.IGNORECASE,
)
_UNUSABLE: Final = re.compile(r"cuda|cublas|cudnn", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A device by its number, and how many windows it decodes together."""

    device: Device
    batch: int
    number: int = 0


def places(wanted: Literal["auto", "cpu", "cuda"], *, gpus: int, child: int) -> tuple[Place, ...]:
    """The places to try, best first; the last one is the CPU, which always has room.

    `gpus` is how many there are; the children of one worker take them in turn.
    """
    if wanted == "cuda" and not gpus:
        raise Configuration(
            'transcription.device = "cuda", but no GPU is visible to this process: install its '
            'driver, or set "auto" or "cpu"'
        )
    on_cpu = (Place("cpu", CPU_BATCH),)
    if wanted == "cpu" or not gpus:
        return on_cpu
    return (*(Place("cuda", batch, child % gpus) for batch in GPU_BATCHES), *on_cpu)


def with_room(found: Sequence[Place], compute: Callable[[Place], T]) -> tuple[T, Place]:
    """The result of `compute` at the first place with room for it, and that place.

    What the last place raises, and what is no matter of the device, is raised.
    """
    for place, fallback in itertools.pairwise(found):
        try:
            return compute(place), place
        except (MemoryError, RuntimeError) as error:
            if not (is_exhaustion(error) or _UNUSABLE.search(str(error))):
                raise
            log.warning(
                "transcription goes on elsewhere",
                device=place.device,
                batch=place.batch,
                next_device=fallback.device,
                next_batch=fallback.batch,
                why=str(error),
            )
    return compute(found[-1]), found[-1]


def is_exhaustion(error: Exception) -> bool:
    """Whether an error says that there is no memory left, here or on a GPU."""
    return isinstance(error, MemoryError) or bool(_EXHAUSTED.search(str(error)))
