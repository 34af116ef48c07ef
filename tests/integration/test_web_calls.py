"""The picture of a recording, and signals that people correct, as a browser and a program ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import stored
from tests.support.console import Served, served
from tests.support.shop import SETTINGS, Shop, fill
from triage.settings import Limits, Store, Transcription
from triage.store.accounts import Reach, Role
from triage.store.moves import Recording
from triage.store.repository import Repository
from triage.transcripts.host import TranscriberHost
from triage.transcripts.peaks import COUNT, measure
from triage.web.waves import drawn

CALLS = Path(__file__).parents[2] / "fixtures" / "calls"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    repository = Repository(Store(data_dir=tmp_path_factory.mktemp("calls")))
    repository.database.upgrade()
    with served(repository, **SETTINGS) as found:
        yield found
    repository.close()


@pytest.fixture(scope="module")
def shop(console: Served) -> Shop:
    return fill(console.repository)


def test_the_picture_shows_what_was_said_when_and_is_measured_once(
    console: Served, shop: Shop
) -> None:
    with console.signed_in(Role.VIEWER, "vic") as vic:
        answer = vic.get(f"/inquiries/{shop.call}/waveform")
        assert answer.status_code == 200
        page = answer.text
        plain = vic.get(f"/inquiries/{shop.call}/waveform?plain=1").text
        assert vic.get(f"/inquiries/{shop.lead}/waveform").status_code == 404
    assert 'data-duration="8.0"' in page
    assert len(re.findall(r'class="speech (?:agent|caller)"', page)) == 3
    assert re.search(r'class="jump" data-at="3.9">.*budget 0:03', page)
    assert "budget" not in plain
    kept = [path for path in console.repository.copies.root.rglob("*") if path.is_file()]
    assert len(kept) == 1


def test_who_may_not_see_a_call_does_not_get_its_picture(console: Served, shop: Shop) -> None:
    with console.signed_in(Role.REVIEWER, "near", Reach(sources=("inbox",))) as near:
        assert near.get(f"/inquiries/{shop.call}/waveform").status_code == 404
        said = {"choice": "budget", "field": "text", "start": "0", "end": "4"}
        assert near.post(f"/inquiries/{shop.call}/signals", data=said).status_code == 404
    with console.signed_in(Role.VIEWER, "vic") as vic:
        assert vic.post(f"/inquiries/{shop.lead}/signals", data=said).status_code == 403


def test_both_sides_of_a_real_call_are_measured_in_a_process_of_its_own() -> None:
    path = CALLS / "school-nurse.wav"
    with TranscriberHost(Transcription(), Limits()) as host:
        peaks = host.peaks(path)
    assert peaks == measure(path, Limits())
    assert [len(channel) for channel in peaks.channels] == [COUNT, COUNT]
    assert max(map(max, peaks.channels)) == 100
    quiet = measure(CALLS / "silence.wav", Limits())
    assert max(max(channel) for channel in quiet.channels) < 40


def test_silenced_seconds_are_in_the_picture(any_repository: Repository) -> None:
    work = stored.received(any_repository, "one", channel="call")
    assert any_repository.worklist.parsed(work, stored.inquiry(work))
    work = stored.current(any_repository, work.id)
    instead = Recording("0" * 64, 10, "audio/flac", ((0.5, 1.0),))
    assert any_repository.worklist.transcribed(work, stored.transcript(), instead)
    with served(any_repository) as console:
        silent = console.desk.waveforms.silent(work.id, stored.transcript())
    assert silent == ((0.5, 1.0),)
    wave = drawn(measure(CALLS / "school-nurse.wav", Limits()), None, silent)
    assert [(one.start, one.end) for one in wave.silent] == [(0.5, 1.0)]


def test_a_program_says_what_is_stated_and_takes_it_back(console: Served, shop: Shop) -> None:
    path = f"/api/inquiries/{shop.call}/signals"
    text = console.repository.archive.transcript(shop.call)
    assert text
    start = text.text.index("two furnaces")
    said = {"signal": "product_interest", "words": {"start": start, "end": start + 12}}
    with console.program(Role.REVIEWER, "read", "review") as program:
        answer = program.post(path, json=said)
        assert answer.status_code == 200, answer.text
        signal = answer.json()["qualification"]["signals"]["product_interest"]
        assert (signal["value"], signal["evidence"][0]["at_s"]) == ("two furnaces", 2.0)
        assert [one["by"] for one in program.get(path).json()] == ["reviewer-program"]
        wrong = program.post(path, json={"signal": "readiness", "value": "maybe"})
        assert wrong.status_code == 422
        assert "select the words" in wrong.json()["detail"]
        assert program.delete(f"{path}/product_interest").status_code == 200
        assert program.delete(f"{path}/product_interest").status_code == 422
    with console.program(Role.VIEWER, "read") as reader:
        assert reader.post(path, json=said).status_code == 403
