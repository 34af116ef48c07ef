from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.support.stored import current, received
from triage.engines.lanes import company
from triage.engines.waiting import Company, Waiting
from triage.pipeline.stages import Step
from triage.store.records import Work
from triage.store.repository import Repository
from triage.types import Stage


def taken(waiting: Waiting) -> list[str]:
    found = waiting.take()
    return [work.id for work in found[1]] if found else []


def test_what_waited_long_comes_last_and_apart(repository: Repository) -> None:
    work = received(repository)
    waiting = Waiting(lambda _: Company(Step.PARSE, 2))
    for name, old in (("a", True), ("b", False), ("c", True), ("d", False), ("e", False)):
        waiting.add(replace(work, id=name, backlog=old))
    assert [taken(waiting) for _ in range(4)] == [["b", "d"], ["e"], ["a", "c"], []]


def test_what_is_taken_is_bounded_in_bytes(repository: Repository) -> None:
    work = received(repository)
    waiting = Waiting(lambda _: Company(Step.PARSE, 9, 100))
    for name, size in (("a", 900), ("b", 60), ("c", 50), ("d", 10)):
        waiting.add(replace(work, id=name, size=size))
    assert [taken(waiting) for _ in range(3)] == [["a"], ["b"], ["c", "d"]]


def test_only_what_is_of_one_step_goes_together(repository: Repository) -> None:
    mail = received(repository)
    waiting = Waiting(partial(company, 8))
    stages = (Stage.RECEIVED, Stage.RECEIVED, Stage.CLASSIFIED, Stage.CLASSIFIED, Stage.RECEIVED)
    for number, stage in enumerate(stages):
        waiting.add(replace(mail, id=str(number), stage=stage))
    found = [waiting.take() for _ in range(4)]
    assert [(step, [work.id for work in works]) for step, works in filter(None, found)] == [
        (Step.PARSE, ["0", "1"]),
        (Step.QUALIFY, ["2"]),
        (Step.QUALIFY, ["3"]),
        (Step.PARSE, ["4"]),
    ]


def test_a_mail_that_was_begun_before_is_parsed_alone(repository: Repository) -> None:
    def most(work: Work) -> int:
        return company(8, work).most

    work = received(repository)
    assert most(work) > 1
    repository.worklist.begun([work])
    assert most(current(repository, work.id)) == 1
    assert most(received(repository, "call", channel="call")) == 1
