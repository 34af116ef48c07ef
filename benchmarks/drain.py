"""A heap of short calls worked off in one run: how fast, whether all of them, in how much memory.

    python benchmarks/drain.py [--calls N] [--threads N]      default: 1,000 calls, one thread

Recordings of 2 to 6 seconds, each cut from a shipped call at another place, in a folder; a worker
with the embedded engine and SQLite, and an endpoint that is told of every call. Each second the
resident memory of the worker and of its children is read. `lost`: calls that were not settled, or
that the endpoint was not told of; `doubled`: calls it was told of under two ids, and inquiries
beyond one a call. `slope` is a line through the second half of the run: what it has grown by when
everything was warm.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from triage.delivery.webhook import new_secret
from triage.demo.endpoint import Endpoint
from triage.demo.fixtures import fixtures_folder
from triage.settings import Limits
from triage.transcripts.audio import RATE, Samples, decode

SHORTEST_S, LONGEST_S = 2.0, 6.0
WARMING = 15  # calls of the longest kind, at first: buffers get their size, whatever comes
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SETTINGS = """\
[store]
data_dir = "var"

[transcription]
threads = {threads}
language = "en"
time_limit = 60

[classifier]
threads = {threads}

[[sources]]
kind = "recordings"
name = "calls"
path = "calls"
poll_every = 1
settle_seconds = 0

[[destinations]]
name = "sales"
url = "{url}"
secret = "{secret}"
allow_private = true
events = ["inquiry.classified"]
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at one moment. Memory in MB: of the worker, and of its children."""

    at_s: float
    settled: int
    worker: float
    children: float

    @property
    def memory(self) -> float:
        """Of all processes together."""
        return self.worker + self.children


@dataclass(frozen=True, slots=True)
class Drained:
    """A run. `lost` and `doubled` are numbers of calls."""

    calls: int
    settled: int
    lost: int
    doubled: int
    seconds: float
    samples: tuple[Sample, ...]

    def at(self, share: float) -> Sample:
        """The first moment at which so much of the calls was settled."""
        wanted = share * self.calls
        return next((s for s in self.samples if s.settled >= wanted), self.samples[-1])

    @property
    def slope(self) -> float:
        """MB a hundred calls, over the second half of the calls."""
        half = [s for s in self.samples if s.settled >= self.calls / 2]
        if len({s.settled for s in half}) < 2:
            return 0.0
        settled, memory = [s.settled for s in half], [s.memory for s in half]
        return float(np.polyfit(settled, memory, 1)[0]) * 100


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--calls", type=int, default=1000)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = drained(chosen.calls, Path(folder), threads=chosen.threads)
    print(f"{'calls':>6} {'settled':>8} {'lost':>5} {'doubled':>8} {'calls/s':>8}")
    speed = run.settled / run.seconds
    print(f"{run.calls:>6} {run.settled:>8} {run.lost:>5} {run.doubled:>8} {speed:>8.2f}\n")
    print(f"{'settled':>8} {'worker MB':>10} {'children MB':>12} {'together MB':>12}")
    for share in (0.1, 0.5, 1.0):
        sample = run.at(share)
        print(
            f"{share:>8.0%} {sample.worker:>10.0f} {sample.children:>12.0f} {sample.memory:>12.0f}"
        )
    print(f"\nslope of the second half: {run.slope:+.2f} MB a hundred calls")
    raise SystemExit(1 if run.lost or run.doubled else 0)


def drained(number: int, folder: Path, *, threads: int = 1) -> Drained:
    """Make so many calls in a folder, and have a worker settle them all."""
    secret = new_secret()
    with Endpoint(secret, folder / "ledger.jsonl") as endpoint:
        settings, log = folder / "triage.toml", folder / "worker.log"
        settings.write_text(_SETTINGS.format(threads=threads, url=endpoint.url, secret=secret))
        make(number, folder / "calls")
        began = time.monotonic()
        with log.open("wb") as file:
            worker = subprocess.Popen(
                [sys.executable, "-m", "triage", "--settings", str(settings), "run"],
                stdout=file,
                stderr=file,
            )
        try:
            samples = tuple(_watched(worker, endpoint, folder / "var" / "triage.db", number))
            took = time.monotonic() - began
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=60)
        if not samples:
            raise SystemExit(f"the worker did not start:\n{log.read_text()[-2000:]}")
    return _counted(number, folder / "var" / "triage.db", endpoint, took, samples)


def make(number: int, folder: Path) -> None:
    """So many recordings, no two alike, the same ones every time."""
    folder.mkdir(parents=True)
    chance = Random(7)
    calls = [_sound(path) for path in sorted((fixtures_folder() / "calls").glob("*.expected.json"))]
    for call in range(number):
        sound = calls[call % len(calls)]
        seconds = chance.uniform(SHORTEST_S, LONGEST_S) if call >= WARMING else LONGEST_S
        length = round(seconds * RATE)
        start = chance.randrange(max(1, sound.size - length))
        _write(folder / f"call-{call:04}.wav", sound[start : start + length], call)


def _sound(expected: Path) -> Samples:
    """A shipped call in one channel."""
    stem = expected.name.removesuffix(".expected.json")
    endings = (".wav", ".mp3", ".ogg", ".opus", ".flac")
    recording = next(p for p in expected.parent.glob(f"{stem}.*") if p.suffix in endings)
    mixed: Samples = decode(recording, Limits()).samples.mean(axis=0)
    return mixed


def _write(path: Path, sound: Samples, number: int) -> None:
    """8,000 values a second. The number at the end, unheard, makes even two silences different."""
    values = (np.clip(sound[::2], -1, 1) * 32_767).astype("<i2")
    values[-16:] = [(number >> bit) & 1 for bit in range(16)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE // 2)
        file.writeframes(values.tobytes())


def _watched(
    worker: subprocess.Popen[bytes], endpoint: Endpoint, database: Path, number: int
) -> Iterator[Sample]:
    """A sample each second until all was told, or nothing happened for five minutes."""
    began = moved = time.monotonic()
    before = 0
    while worker.poll() is None and time.monotonic() - moved < 300:
        settled = len(endpoint.accepted)
        if settled > before:
            before, moved = settled, time.monotonic()
        if database.exists():
            here, below = _resident(worker.pid)
            yield Sample(time.monotonic() - began, settled, here, below)
        if settled >= number:
            return
        time.sleep(1)


def _resident(pid: int) -> tuple[float, float]:
    """MB of a process, and of all that it started."""
    parents: dict[int, int] = {}
    sizes: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                pages = int((entry / "statm").read_text().split()[1])
            except OSError:  # it has ended
                continue
            parents[int(entry.name)] = int(stat[1])
            sizes[int(entry.name)] = pages * _PAGE / 1e6
    below = [other for other in sizes if _descends(other, pid, parents)]
    return sizes.get(pid, 0.0), sum(sizes[other] for other in below)


def _descends(process: int, ancestor: int, parents: dict[int, int]) -> bool:
    while process := parents.get(process, 0):
        if process == ancestor:
            return True
    return False


def _counted(
    number: int, database: Path, endpoint: Endpoint, seconds: float, samples: Sequence[Sample]
) -> Drained:
    """What the database and the endpoint say in the end."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT id, key, stage FROM inquiries").fetchall()
    told = Counter(event["data"]["inquiry_id"] for event in endpoint.accepted.values())
    settled = {key for name, key, stage in rows if stage == "settled" and told[name]}
    doubled = len(rows) - len({key for _, key, _ in rows})
    doubled += sum(1 for times in told.values() if times > 1)
    for name, key, stage in rows:
        if stage != "settled":
            print(json.dumps({"inquiry": name, "call": key, "stage": stage}), file=sys.stderr)
    return Drained(number, len(settled), number - len(settled), doubled, seconds, tuple(samples))


if __name__ == "__main__":
    main()
