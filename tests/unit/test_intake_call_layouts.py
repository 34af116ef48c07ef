"""What each telephone system's names and sidecars mean; one case a file in fixtures/telephony."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.intake.calls import values
from triage.intake.calls.layouts import LAYOUTS
from triage.intake.calls.reader import CallReader, Known
from triage.settings import Settings

FOLDER = Path(__file__).parents[2] / "fixtures" / "telephony"
CASES = sorted(FOLDER.glob("*.json"))


def reader(country: str = "US", calls: dict[str, Any] | None = None, **source: Any) -> CallReader:
    return CallReader(
        Settings.model_validate(
            {
                "business": {"country": country},
                "calls": calls or {},
                "sources": [{"kind": "recordings", "name": "pbx", "path": "/calls"} | source],
            }
        )
    )


def known(path: str, beside: Any = None, /, **source: Any) -> Known:
    text = "" if beside is None else json.dumps(beside)
    return reader(**source).of("pbx").read(path, text)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_is_understood(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    found = known(case["path"], case.get("sidecar"), **case.get("settings", {}))
    said = {name: getattr(found.call, name) for name in case["expected"]}
    if said.get("started_at"):
        said["started_at"] = said["started_at"].isoformat()
    if "sources" in said:
        said["sources"] = list(said["sources"])
    assert said == case["expected"]
    assert found.problems == ()


def test_every_layout_has_a_case() -> None:
    told = {source.partition(":")[2] for case in CASES for source in _sources(case)}
    assert told >= set(LAYOUTS) - {"none"}


def _sources(path: Path) -> tuple[str, ...]:
    case = json.loads(path.read_text(encoding="utf-8"))
    return known(case["path"], case.get("sidecar"), **case.get("settings", {})).call.sources


def test_the_layout_of_the_settings_is_the_only_one() -> None:
    name = "[Ann Lee]_6145550142-100_20260302101500(380).wav"
    assert known(name).call.sources == ("name:3cx",)
    assert known(name, layout="none").call.sources == ()
    other = known(name, layout="freepbx")
    assert other.call.sources == ()
    assert "fits no template" in other.problems[0]
    assert "{direction:word} is expected" in other.problems[0]


def test_a_name_that_says_nothing_is_nothing_to_tell() -> None:
    assert known("a.wav").problems == ()
    assert "fits no template" in known("a.wav", names="{caller}_{id}.wav").problems[0]


def test_the_sidecar_counts_more_than_the_name() -> None:
    name = "external-201-6145550142-20260302-101500-1772464500.77.wav"
    call = known(name, {"caller": "+16145550199", "agent": "Marcus", "consent": None}).call
    assert (call.caller, call.agent, call.dialled) == ("+16145550199", "Marcus", "201")
    assert call.sources == ("sidecar", "name:freepbx")


@pytest.mark.parametrize(
    "name",
    ["c0ffee00-0000-4000-8000-000000000006.wav", "2026-03-02-101500.mp3", "a.wav"],
)
def test_a_plain_sidecar_is_read_whatever_the_name_looks_like(name: str) -> None:
    stated = {"caller": "+16145550142", "started_at": "2026-07-02 10:15:00", "agent": "Ann"}
    call = known(name, stated, timezone="Europe/Berlin").call
    assert (call.caller, call.agent) == ("+16145550142", "Ann")
    assert call.started_at is not None
    assert call.started_at.isoformat() == "2026-07-02T08:15:00+00:00"


def test_times_are_local_to_the_settings_zone_unless_they_say_theirs() -> None:
    name = "external-201-6145550142-20260702-101500-1.7.wav"
    summer = known(name, timezone="Europe/Berlin").call.started_at
    assert summer
    assert summer.isoformat() == "2026-07-02T08:15:00+00:00"
    stated = known("a.wav", {"start": "2026-07-02T10:15:00+09:00"}, timezone="Europe/Berlin").call
    assert stated.started_at
    assert stated.started_at.isoformat() == "2026-07-02T01:15:00+00:00"


@pytest.mark.parametrize(
    ("stated", "country", "meant"),
    [
        ("(614) 555-0142", "US", "+16145550142"),
        ("16145550142", "US", "+16145550142"),
        ("030 901820", "DE", "+4930901820"),
        ("0049 30 901820", "DE", "+4930901820"),
        ("442071838750", "US", "+442071838750"),
        ("tel:+16145550142", "DE", "+16145550142"),
        ("sip:+16145550142@sbc.example", "US", "+16145550142"),
        ("201", "US", "201"),
        ("2001", "DE", "2001"),
        ("5550142", "US", "5550142"),
        ("Restricted", "US", ""),
        ("client:ann", "US", "client:ann"),
    ],
)
def test_numbers(stated: str, country: str, meant: str) -> None:
    assert values.number(stated, country) == meant


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        ("61", 61.0),
        ("61.5", 61.5),
        ("1:01", 61.0),
        ("01:01:01", 3661.0),
        ("abc", None),
        ("-1", None),
    ],
)
def test_lengths_of_time(stated: str, meant: float | None) -> None:
    assert values.seconds(stated) == meant


@pytest.mark.parametrize(
    ("stated", "rules", "why"),
    [
        ({"consent": "no"}, {}, "no-consent"),
        ({"consent": False}, {}, "no-consent"),
        ({"consent": "yes"}, {"require_consent": True}, None),
        ({}, {}, None),
        ({}, {"require_consent": True}, "no-consent"),
        ({"consent": "perhaps"}, {}, "no-consent"),
        ({"direction": "outbound"}, {}, None),
        ({"direction": "Outbound"}, {"skip": ["outbound"]}, "outbound-call"),
        ({"direction": "inbound"}, {"skip": ["outbound", "internal"]}, None),
        ({"from": "201", "to": "202"}, {"skip": ["internal"]}, "internal-call"),
        ({"from": "201", "to": "202"}, {"skip": ["outbound"]}, None),
        ({"direction": "outbound", "consent": "no"}, {"skip": ["outbound"]}, "no-consent"),
    ],
)
def test_what_may_not_be_transcribed(
    stated: dict[str, Any], rules: dict[str, Any], why: str | None
) -> None:
    assert known("a.wav", stated, calls=rules).call.withheld == why


def test_one_refusal_is_a_refusal_whoever_said_yes() -> None:
    call = known("a_no.wav", {"consent": "yes"}, names="{id}_{consent}.wav").call
    assert call.consent is False


def test_values_that_mean_nothing_are_told_and_cost_only_themselves() -> None:
    found = known("a.wav", {"caller": "+16145550142", "start": "soon", "duration": "long"})
    assert found.call.caller == "+16145550142"
    assert found.problems == (
        "sidecar: start 'soon' is no time and was not used",
        "sidecar: duration 'long' is no length of time and was not used",
    )


def test_a_source_that_is_gone_from_the_settings_still_has_its_calls_read() -> None:
    call = reader().of("gone").read("a.wav", '{"caller": "+16145550142"}').call
    assert call.caller == "+16145550142"


ANY = reader(names="{start:%Y%m%d}_{caller}_{id}.wav")


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text() | st.dictionaries(st.text(), st.text()).map(json.dumps))
def test_nothing_raises(key: str, sidecar: str) -> None:
    ANY.of("pbx").read(key, sidecar)
