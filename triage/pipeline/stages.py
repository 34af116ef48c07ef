"""Which step comes after which stage, and which kind of worker does it."""

from __future__ import annotations

from enum import StrEnum

from triage.store.records import Work
from triage.types import Stage


class Step(StrEnum):
    """A piece of work on one inquiry that ends in a move to the next stage."""

    PARSE = "parse"
    TRANSCRIBE = "transcribe"
    CLASSIFY = "classify"
    QUALIFY = "qualify"
    SETTLE = "settle"


class Lane(StrEnum):
    """A pool of workers. A long call must never hold up a mail, so speech has its own."""

    GENERAL = "general"
    SPEECH = "speech"
    MODEL = "model"


_STEPS = {
    Stage.RECEIVED: Step.PARSE,
    Stage.PARSED: Step.CLASSIFY,
    Stage.TRANSCRIBED: Step.CLASSIFY,
    Stage.CLASSIFIED: Step.QUALIFY,
    Stage.QUALIFIED: Step.SETTLE,
}


def next_step(work: Work) -> Step | None:
    """The step an inquiry waits for; None where it has come to its end."""
    if work.stage is Stage.PARSED and (work.channel == "call" or work.recordings):
        return Step.TRANSCRIBE
    return _STEPS.get(work.stage)


def lane(step: Step, work: Work) -> Lane:
    """Who does a step: whatever decodes audio may take minutes and stays with its own."""
    if step is Step.CLASSIFY:
        return Lane.MODEL
    if step is Step.TRANSCRIBE or (step is Step.PARSE and not is_mail(work)):
        return Lane.SPEECH
    return Lane.GENERAL


def is_mail(work: Work) -> bool:
    """Whether it came as a mail, as voicemails do too."""
    return work.ref.kind != "recordings"
