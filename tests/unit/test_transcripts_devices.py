from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from triage.errors import Configuration
from triage.transcripts.devices import (
    CPU_BATCH,
    GPU_BATCHES,
    Place,
    is_exhaustion,
    places,
    with_room,
)

CPU = Place("cpu", CPU_BATCH)


def test_without_a_gpu_there_is_the_cpu() -> None:
    assert places("auto", gpus=0, child=0) == (CPU,)
    assert places("cpu", gpus=2, child=0) == (CPU,)


def test_a_gpu_is_tried_with_smaller_and_smaller_batches_then_the_cpu() -> None:
    found = places("auto", gpus=1, child=0)

    assert [place.batch for place in found[:-1]] == list(GPU_BATCHES)
    assert {place.device for place in found[:-1]} == {"cuda"}
    assert found[-1] == CPU


def test_children_take_the_gpus_in_turn() -> None:
    assert [places("cuda", gpus=2, child=child)[0].number for child in range(3)] == [0, 1, 0]


def test_a_gpu_that_is_not_there_is_a_matter_of_configuration() -> None:
    with pytest.raises(Configuration, match="no GPU is visible"):
        places("cuda", gpus=0, child=0)


@pytest.mark.parametrize(
    "text",
    [
        "CUDA failed with error out of memory",
        "cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED",
        "Library libcublas.so.12 is not found or cannot be loaded",
    ],
)
def test_what_a_gpu_has_no_room_for_is_computed_at_the_next_place(text: str) -> None:
    asked: list[Place] = []

    def compute(place: Place) -> str:
        asked.append(place)
        if place.batch > 1 and place.device == "cuda":
            raise RuntimeError(text)
        return "text"

    found, place = with_room(places("cuda", gpus=1, child=0), compute)

    assert found == "text"
    assert place == Place("cuda", 1)
    assert asked == [Place("cuda", batch) for batch in GPU_BATCHES]


def test_memory_that_is_really_used_up_ends_at_the_last_place() -> None:
    program = (
        "import resource, numpy as np\n"
        "from triage.transcripts.devices import places, with_room\n"
        "limit = 600_000_000\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))\n"
        "compute = lambda place: np.ones((place.batch, 50_000_000), np.float32).shape[0]\n"
        "print(with_room(places('cuda', gpus=1, child=0)[:3], compute)[1].batch)\n"
        "try: with_room(places('cpu', gpus=0, child=0), compute)\n"
        "except MemoryError: print('raised')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split()[-2:] == ["1", "raised"]


def test_another_error_is_no_matter_of_the_device() -> None:
    def compute(_: Place) -> None:
        raise RuntimeError("the shapes differ")

    with pytest.raises(RuntimeError, match="shapes"):
        with_room(places("cuda", gpus=1, child=0), compute)


def test_exhaustion_is_told_from_other_errors() -> None:
    with pytest.raises(MemoryError) as caught:
        np.ones((1 << 30, 1 << 20))

    assert is_exhaustion(caught.value)
    assert is_exhaustion(RuntimeError("mkl_malloc: failed to allocate memory"))
    assert not is_exhaustion(ValueError("no such language"))
