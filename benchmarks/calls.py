"""What a triaged call costs: openai-whisper, this worker whole, and this worker progressive.

    python benchmarks/calls.py [--openai CALLS] [--report FILE] [NAME …]    over fixtures/long-calls

CPU seconds of transcription and classification, one thread, models loaded before, each engine in a
process of its own, the worker's with the allocator that its transcribing children have. Its figures
are those of its own steps on a store in a temporary folder; openai-whisper reads all of a call as
its default does, on the first CALLS of them only (it takes a second for three of audio), and the
ratio is from those.
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
    parser.add_argument("--openai", type=int, default=3, metavar="CALLS")
    parser.add_argument("--without-openai", action="store_true")
    parser.add_argument("--report", type=Path, help="every call as JSON Lines")
    parser.add_argument("names", nargs="*")
    chosen = parser.parse_args()
    if os.environ.get("GLIBC_TUNABLES") != ALLOCATOR:
        os.execve(sys.executable, [sys.executable, *sys.argv], environment(ours=True))
    folder = fixtures_folder() / "long-calls"
    paths = [p for p in sorted(folder.glob("*.opus")) if not chosen.names or p.stem in chosen.names]
    classifier = Classifier.load(threads=1)
    whole = worked(paths, classifier, progressive=False)
    parts = worked(paths, classifier, progressive=True)
    if chosen.report:
        lines = [
            json.dumps({"how": how, **asdict(run)})
            for how, runs in (("whole", whole), ("progressive", parts))
            for run in runs
        ]
        chosen.report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    show(whole, parts)
    if not chosen.without_openai:
        against(paths[: chosen.openai], whole, parts)


def against(paths: list[Path], whole: list[Run], parts: list[Run]) -> None:
    """How many times less than openai-whisper both ways cost, on some of the calls."""
    reference = sum(row["spent"] for row in apart(OPENAI, paths)["rows"])
    names = {path.stem for path in paths}
    ours = [sum(run.spent for run in runs if run.name in names) for runs in (whole, parts)]
    print(
        f"openai-whisper on {len(names)} calls: {reference:.1f} CPU s, "
        f"whole {ours[0]:.1f}, progressive {ours[1]:.1f}"
    )
    print(
        f"cost of openai-whisper: {reference / ours[0]:.1f} x whole, "
        f"{reference / ours[1]:.1f} x progressive"
    )


def show(whole: list[Run], parts: list[Run]) -> None:
    """The table, and what the progressive worker did with each call."""
    print(
        f"{'call':<36} {'truth':<13} {'whole':<13} {'progressive':<13} {'read':>11} {'CPU s':>12}"
    )
    for full, part in zip(whole, parts, strict=True):
        read = f"{part.read_s:.0f} of {part.seconds:.0f}"
        cost = f"{full.spent:.1f} {part.spent:.1f}"
        print(
            f"{part.name:<36} {part.truth:<13} {full.label:<13} {part.label:<13} "
            f"{read:>11} {cost:>12}"
        )
    leads = [run for run in parts if run.truth == "lead"]
    lost = [run for run in leads if run.outcome == "file"]
    early = [run for run in parts if run.read_s < run.seconds]
    same = sum(a.label == b.label for a, b in zip(whole, parts, strict=True))
    costs = [sum(run.spent for run in runs) for runs in (whole, parts)]
    print(
        f"{len(parts)} calls of {sum(r.seconds for r in parts) / len(parts):.0f} s on average, "
        f"{len(leads)} leads; stopped early {len(early)}; leads filed {len(lost)} "
        f"(whole: {sum(r.outcome == 'file' for r in whole if r.truth == 'lead')}); "
        f"same label {same} of {len(parts)}"
    )
    print(
        f"CPU s a call: whole {costs[0] / len(parts):.2f}, "
        f"progressive {costs[1] / len(parts):.2f}: {costs[0] / costs[1]:.2f} times less"
    )


def worked(paths: list[Path], classifier: Classifier, *, progressive: bool) -> list[Run]:
    """Each call through the worker's steps, one after the other."""
    transcription = Transcription(progressive=progressive, audit_share=0.0)
    host = Here(Settings(transcription=transcription))
    host.transcribe(paths[0], Part(opening_s=2.0))  # loads the model
    runs = []
    for path in paths:
        expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text("utf-8"))
        settings = Settings.model_validate(
            {
                "business": {"name": expected["business"]},
                "transcription": transcription,
                "store": {"data_dir": tempfile.mkdtemp(prefix="calls-")},
            }
        )
        with opened(settings) as repository:
            opening = partial(wiring.load_opening, settings.classifier)
            steps = Steps(
                settings, repository, host, lambda: classifier, wiring.load_rulebook(settings),
                opening=opening,
            )  # fmt: skip
            runs.append(through(steps, path, expected["label"]))
    return runs


def through(steps: Steps, path: Path, truth: str) -> Run:
    """One call from the blob store to its decision."""
    repository = steps.repository
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
