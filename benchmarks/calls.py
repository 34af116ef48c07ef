"""What a triaged call costs: openai-whisper, this worker whole, and this worker progressive.

    python benchmarks/calls.py [--calls FOLDER] [--openai CALLS] [--report FILE] [NAME …]

FOLDER is `mixed-calls` or `long-calls` of the fixtures. CPU seconds of transcription and
classification, one thread, models loaded before, each engine in a process of its own, the worker's
with the allocator that its transcribing children have. Its figures are those of its own steps on a
store in a temporary folder. openai-whisper reads all of a call as its default does, on the first
CALLS of them only where that is said (it takes a second for four of audio), and the ratio is from
those.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from transcribe import OPENAI, apart, environment

from classifiers.model import Classifier
from triage import wiring
from triage.demo.fixtures import fixtures_folder
from triage.errors import Configuration
from triage.pipeline.stages import Step, next_step
from triage.pipeline.steps import Steps
from triage.settings import Settings, Transcription
from triage.store.arrivals import Arrival
from triage.store.records import Work, now
from triage.store.repository import Repository
from triage.transcripts.child import Work as InProcess
from triage.transcripts.host import TranscriberHost
from triage.transcripts.messages import WHOLE, Part, info, transcript
from triage.transcripts.process import ALLOCATOR
from triage.transcripts.weights import DEFAULT_CACHE
from triage.types import RawItem, SourceRef, Transcript

TIMED = (Step.TRANSCRIBE, Step.CLASSIFY)
WHOLE_CALLS = "whole"
WAYS: dict[str, dict[str, Any]] = {
    WHOLE_CALLS: {},
    "progressive": {"progressive": True},
}


@dataclass(frozen=True, slots=True)
class Run:
    """What became of one call, and what it cost in CPU seconds."""

    name: str
    truth: str
    label: str
    outcome: str
    seconds: float
    read_s: float
    spent: float


class Here(TranscriberHost):
    """The transcribing child's work in this process, so that its CPU time can be taken."""

    def __init__(self, settings: Settings) -> None:
        self._work = InProcess(settings.transcription, settings.limits, DEFAULT_CACHE, 0)

    def transcribe(
        self, path: Path, part: Part = WHOLE, *, opening_s: float | None = None
    ) -> Transcript:
        """As the host does."""
        if opening_s is not None:
            part = replace(part, opening_s=opening_s)
        answer = self._work({"path": str(path), **asdict(part)}, lambda _: None)
        return transcript(answer["transcript"])

    def probe(self, path: Path) -> Any:
        """As the host does."""
        return info(self._work({"path": str(path), "probe": True}, lambda _: None)["info"])

    def close(self) -> None:
        """Nothing runs."""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", default="mixed-calls", choices=("mixed-calls", "long-calls"))
    parser.add_argument("--openai", type=int, metavar="CALLS", help="0: leave it out")
    parser.add_argument("--report", type=Path, help="every call as JSON Lines")
    parser.add_argument("names", nargs="*")
    chosen = parser.parse_args()
    if os.environ.get("GLIBC_TUNABLES") != ALLOCATOR:
        os.execve(sys.executable, [sys.executable, *sys.argv], environment(ours=True))
    folder = fixtures_folder() / chosen.calls
    paths = [p for p in sorted(folder.glob("*.opus")) if not chosen.names or p.stem in chosen.names]
    if not paths:
        parser.error(f"no such calls in {folder}: {', '.join(chosen.names)}")
    classifier = Classifier.load(threads=1)
    found = {way: worked(paths, classifier, how) for way, how in WAYS.items()}
    if chosen.report:
        lines = [
            json.dumps({"how": way, **asdict(run)}) for way, runs in found.items() for run in runs
        ]
        chosen.report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    show(found)
    if chosen.openai != 0:
        against(paths[: chosen.openai], found)


def against(paths: list[Path], found: dict[str, list[Run]]) -> None:
    """How many times less than openai-whisper each way costs, on some of the calls."""
    reference = sum(row["spent"] for row in apart(OPENAI, paths)["rows"])
    names = {path.stem for path in paths}
    print(f"openai-whisper on {len(names)} calls: {reference:.1f} CPU s")
    for way, runs in found.items():
        ours = sum(run.spent for run in runs if run.name in names)
        print(f"{way:<12} {ours:8.1f} CPU s, {reference / ours:5.1f} times less")


def show(found: dict[str, list[Run]]) -> None:
    """What became of each call, and the sums of each way."""
    whole = found[WHOLE_CALLS]
    print(f"{'call':<36}{'seconds':>8}" + "".join(f"  {way:<28}" for way in found))
    for same in zip(*found.values(), strict=True):
        cells = [f"  {run.label:<14}{run.read_s:5.0f} s {run.spent:5.1f} " for run in same]
        print(f"{same[0].name:<36}{same[0].seconds:8.0f}" + "".join(cells))
    mean = sum(run.seconds for run in whole) / len(whole)
    leads = [run.name for run in whole if run.truth == "lead"]
    print(f"{len(whole)} calls of {mean:.0f} s on average, {len(leads)} leads; CPU s a call:")
    for way, runs in found.items():
        filed = sum(run.outcome == "file" for run in runs if run.truth == "lead")
        early = sum(run.read_s < run.seconds for run in runs)
        agree = sum(a.label == b.label for a, b in zip(whole, runs, strict=True))
        right = sum(run.label == run.truth for run in runs)
        print(
            f"{way:<12} {sum(run.spent for run in runs) / len(runs):6.2f}; stopped early {early}, "
            f"leads filed {filed}, label of the whole call {agree}, right label {right}"
        )


def worked(paths: list[Path], classifier: Classifier, how: dict[str, Any]) -> list[Run]:
    """Each call through the worker's steps, one after the other."""
    transcription = Transcription(audit_share=0.0, **how)
    host = Here(Settings(transcription=transcription))
    host.transcribe(paths[0], Part(opening_s=20.0))  # loads the model
    runs = []
    for path in paths:
        expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text("utf-8"))
        with tempfile.TemporaryDirectory(prefix="calls-") as data_dir:
            settings = Settings.model_validate(
                {
                    "business": {"name": expected["business"]},
                    "transcription": transcription,
                    "store": {"data_dir": data_dir},
                }
            )
            runs.append(through(settings, host, classifier, path, expected["label"]))
    return runs


def through(settings: Settings, host: Here, classifier: Classifier, path: Path, truth: str) -> Run:
    """One call from the blob store to its decision."""
    with opened(settings) as repository:
        steps = Steps(
            settings, repository, host, lambda: classifier, wiring.load_rulebook(settings),
            opening=partial(wiring.load_opening, settings.classifier),
        )  # fmt: skip
        work = received(repository, path)
        spent = 0.0
        outcome = ""
        while (step := next_step(work)) is not None and not outcome:
            before = time.process_time()
            try:
                steps.run(step, [work])
            except Configuration:  # no destination is set: it would be forwarded
                outcome = "forward"
            spent += (time.process_time() - before) * (step in TIMED)
            work = cast("Work", repository.worklist.get(work.id))
        decision = repository.archive.decision(work.id)
        heard = cast("Transcript", repository.archive.transcript(work.id))
        verdict = repository.archive.verdict(work.id)
    return Run(
        path.stem, truth, verdict.label if verdict else "",
        outcome or (str(decision.outcome) if decision else ""),
        heard.duration_s, heard.read_s if heard.read_s is not None else heard.duration_s, spent,
    )  # fmt: skip


def received(repository: Repository, path: Path) -> Work:
    """The call as ingest leaves it."""
    sha256, size = repository.blobs.put(path)
    raw = RawItem(SourceRef("calls", "recordings", path.name), now(), sha256, size, "audio/opus")
    (name,) = repository.arrivals.receive([Arrival(raw, "call", f"call:{sha256}")])
    return cast("Work", repository.worklist.get(name))


@contextmanager
def opened(settings: Settings) -> Iterator[Repository]:
    """An empty store."""
    repository = Repository(settings.store)
    repository.database.upgrade()
    try:
        yield repository
    finally:
        repository.close()


if __name__ == "__main__":
    main()
