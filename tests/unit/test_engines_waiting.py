from __future__ import annotations

from dataclasses import replace

from tests.support.stored import current, received
from triage.engines.lanes import _is_new_mail
from triage.engines.waiting import Waiting
from triage.pipeline.stages import Step
from triage.store.repository import Repository


def test_what_waited_long_comes_last(repository: Repository) -> None:
    work = received(repository)
    waiting = Waiting()
    for name, backlog in (("a", True), ("b", False), ("c", True), ("d", False)):
        waiting.add(replace(work, id=name, backlog=backlog))
    assert [work.id for work in waiting.take(3)] == ["b", "d", "a"]
    assert [work.id for work in waiting.take(3)] == ["c"]
    assert waiting.take(3) == []


def test_what_is_taken_is_bounded_in_bytes(repository: Repository) -> None:
    work = received(repository)
    waiting = Waiting()
    for name, size in (("a", 900), ("b", 60), ("c", 50), ("d", 10)):
        waiting.add(replace(work, id=name, size=size))
    assert [work.id for work in waiting.take(9, 100)] == ["a"]
    assert [work.id for work in waiting.take(9, 100)] == ["b"]
    assert [work.id for work in waiting.take(9, 100)] == ["c", "d"]


def test_a_mail_that_was_begun_before_is_parsed_alone(repository: Repository) -> None:
    work = received(repository)
    assert _is_new_mail(Step.PARSE, work)
    repository.worklist.begun([work])
    assert not _is_new_mail(Step.PARSE, current(repository, work.id))
    assert not _is_new_mail(Step.PARSE, received(repository, "call", channel="call"))
