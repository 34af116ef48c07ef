"""The template language for names of recordings, and its errors."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from triage.errors import Configuration
from triage.intake.calls.paths import Path
from triage.intake.calls.template import Template

LINE = "{start:%Y%m%d-%H%M%S}_{caller}_{dialled}_{agent}.wav"


def test_one_line_reads_a_name() -> None:
    fit = Template(LINE).read("2026/20260302-101500_+16145550142_201_Ann Lee.WAV")
    assert fit.problem == ""
    assert fit.start == datetime(2026, 3, 2, 10, 15)  # noqa: DTZ001 - local, as the name is
    assert fit.values == {"caller": "+16145550142", "dialled": "201", "agent": "Ann Lee"}


@pytest.mark.parametrize(
    ("template", "name", "values"),
    [
        ("{caller}-{id}", "614-1772464500.77.wav", {"caller": "614", "id": "1772464500.77"}),
        ("{caller}_{id}.wav", "614_a.b.c.wav", {"caller": "614", "id": "a.b.c"}),
        ("*_{caller}_*", "x_614_y_z.mp3", {"caller": "614"}),
        ("{agent}/{caller}", "calls/ann/614.wav", {"agent": "ann", "caller": "614"}),
        ("{{{id}}}", "{7}.wav", {"id": "7"}),
        ("{id:4}{caller:digits}", "ab12614.wav", {"id": "ab12", "caller": "614"}),
        ("{direction:word}-{caller}", "in-614.wav", {"direction": "in", "caller": "614"}),
        ("{caller}", "%2B614.wav", {"caller": "+614"}),
        ("{caller}_{agent}", "_.wav", {"caller": "", "agent": ""}),
    ],
)
def test_forms(template: str, name: str, values: dict[str, str]) -> None:
    fit = Template(template).read(name)
    assert (fit.values, fit.problem) == (values, "")


@pytest.mark.parametrize(
    ("template", "name", "moment"),
    [
        ("{start:%Y%m%d}/{id}_{start:%H%M}", "20260302/7_1015.wav", "2026-03-02T10:15:00"),
        ("{start:%s}_{id}", "1772464500_7.wav", "2026-03-02T15:15:00+00:00"),
        (
            "{start:%Y-%m-%dT%H:%M:%S%z}",
            "2026-03-02T10:15:00+0100.wav",
            "2026-03-02T10:15:00+01:00",
        ),
        ("{start:%d%b%y %I%M%p}", "02Mar26 0415pm.wav", "2026-03-02T16:15:00"),
        (
            "%{setup-time#%Y%m%d%H%M%S}_%{unknown}.mp3",
            "20260302101500_x.mp3",
            "2026-03-02T10:15:00",
        ),
    ],
)
def test_times(template: str, name: str, moment: str) -> None:
    fit = Template(template).read(name)
    assert fit.problem == ""
    assert fit.start is not None
    assert fit.start.isoformat() == moment


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{strat:%Y}_{id}", "character 1: no field 'strat'; there are caller, name, dialled"),
        ("a_{caller", "character 3: a { without its }"),
        ("a}_{caller}", "character 2: a } without its {"),
        ("{caller}{agent}", "character 9: nothing separates {caller} from {agent}"),
        ("*{agent}", "character 2: nothing separates * from {agent}"),
        ("{start}", "character 1: start needs a format, like {start:%Y%m%d-%H%M%S}"),
        ("{start:%Q}", "character 1: %Q is not understood in a time"),
        ("{id:hex}", "character 1: 'hex' says nothing about id; there are digits, word, uuid"),
        ("call.wav", "character 1: there is no field in it, like {caller}"),
        ("", "character 1: there is no field in it"),
    ],
)
def test_errors_say_where_and_what_to_do(template: str, complaint: str) -> None:
    with pytest.raises(Configuration) as raised:
        Template(template, "sources.pbx.names")
    assert str(raised.value).startswith(f"sources.pbx.names: {template!r}, ")
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("20260302_x.wav", "{start:%Y%m%d-%H%M%S} is expected, and there is '20260302_x.wav'"),
        (
            "20260302-101500-x.wav",
            "'20260302-101500' fits, then _ is expected, and there is '-x.wav'",
        ),
        ("20261302-101500_1_2_3.wav", "'20261302-101500' is no time like '%Y%m%d-%H%M%S'"),
        ("20260302-101500_1_2_3.mp3", "and there is"),
    ],
)
def test_a_name_that_does_not_fit_says_where(name: str, complaint: str) -> None:
    fit = Template(LINE).read(name)
    assert complaint in fit.problem
    assert not fit.values


def test_folders_that_are_not_there() -> None:
    assert "names folders" in Template("{agent}/{caller}").read("614.wav").problem


def test_no_name_takes_long() -> None:
    template = Template("{caller}-{dialled}-{agent}-{id}-{group}-{start:%Y%m%d}")
    started = time.perf_counter()
    for name in ("-" * 900, "a-" * 450, "9" * 900):
        assert template.read(name).problem
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("call.from", "614"),
        ("CALL.From", "614"),
        ("legs.number", "1"),
        ("legs[role=agent].number", "2"),
        ("legs[role=queue].number", ""),
        ("length_ms", "61.25"),
        ("call", ""),
    ],
)
def test_paths_into_json(path: str, found: str) -> None:
    stated = {
        "call": {"from": "614"},
        "legs": [{"role": "caller", "number": 1}, {"role": "agent", "number": 2}],
        "lengthMs": 61250,
    }
    assert Path(path).find(stated) == found


@pytest.mark.parametrize("path", ["", "a..b", "a[b]", "a[b=c", ".a"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(Configuration, match=r"sources\.pbx\.sidecar.* is no path into JSON"):
        Path(path, "sources.pbx.sidecar.caller")
