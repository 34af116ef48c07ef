"""What a recorder wrote beside a call, in its many spellings and states of repair."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.intake.call import read_call
from triage.settings import Business
from triage.signals.contact import caller_number
from triage.signals.source import gather
from triage.types import Inquiry, Party, SourceRef

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
REF = SourceRef("calls", "recordings", "2026/11/a.wav", "1-2")
CALLS = sorted((Path(__file__).parents[2] / "fixtures" / "calls").glob("*.json"))
SIDECARS = [path for path in CALLS if not path.name.endswith(".expected.json")]


def call(sidecar: str, campaign: str = "") -> Inquiry:
    return read_call(
        inquiry_id="c1",
        ref=REF,
        received_at=AT,
        sidecar=sidecar,
        duration_s=61.5,
        campaign=campaign,
    )


def test_no_sidecar_is_a_call_of_nobody_known() -> None:
    inquiry = call("", "billboard")
    assert (inquiry.sender, inquiry.recipients) == (Party(), ())
    assert (inquiry.channel, inquiry.duration_s, inquiry.campaign) == ("call", 61.5, "billboard")
    assert inquiry.warnings == ()
    assert inquiry.text == ""


@pytest.mark.parametrize("path", SIDECARS, ids=lambda path: path.stem)
def test_fixture_sidecars_are_read(path: Path) -> None:
    stated = json.loads(path.read_text(encoding="utf-8"))
    inquiry = call(path.read_text(encoding="utf-8"))
    assert inquiry.sender.phone == stated["caller"]
    assert inquiry.recipients == (Party(phone=stated["called"]),)
    assert inquiry.metadata["agent"] == stated["agent"]
    assert inquiry.warnings == ()


@pytest.mark.parametrize("caller", ["caller", "from", "Caller-Number", "caller id", "ANI"])
@pytest.mark.parametrize("called", ["called", "to", "Called Number", "dialled", "DNIS"])
def test_recorders_name_the_parties_differently(caller: str, called: str) -> None:
    inquiry = call(json.dumps({caller: "+16145550132", called: 16145550100}))
    assert inquiry.sender == Party(phone="+16145550132")
    assert inquiry.recipients == (Party(phone="+16145550100"),)


def test_all_that_is_flat_is_kept() -> None:
    inquiry = call(
        '{"caller": "(614) 555-0132", "caller_name": "Gina", "direction": "outbound", '
        '"hold": true, "score": 0.5, "empty": null, "campaign": "spring", "tags": ["a"]}',
        campaign="source",
    )
    assert inquiry.sender == Party(name="Gina", phone="+16145550132")
    assert inquiry.campaign == "spring"
    assert inquiry.metadata["direction"] == "outbound"
    assert (inquiry.metadata["hold"], inquiry.metadata["score"]) == ("true", "0.5")
    assert "empty" not in inquiry.metadata
    assert inquiry.warnings == ("fields of the sidecar that are not flat were not read: tags",)


def test_of_an_outbound_call_the_sender_is_who_was_called() -> None:
    """Our own number would make one person of all whom we call, and ourselves the lead."""
    inquiry = call(
        '{"caller": "+16145550100", "caller_name": "Dana", "called": "(614) 555-0143", '
        '"direction": "outbound"}'
    )
    assert inquiry.sender == Party(phone="+16145550143")
    assert inquiry.recipients == (Party(name="Dana", phone="+16145550100"),)
    sources = {source.field: source.text for source in gather(inquiry, None, Business()).sources}
    assert sources == {"sender": "+16145550143", "metadata": "(614) 555-0143"}
    found = caller_number(gather(inquiry, None, Business()))
    assert found
    assert found.normalized == "+16145550143"
    # Whom nobody names cannot be the sender.
    one_sided = call('{"caller": "+16145550100", "direction": "outbound"}')
    assert one_sided.sender == Party(phone="+16145550100")


def test_a_withheld_number_is_no_number() -> None:
    assert call('{"caller": "anonymous"}').sender == Party(name="anonymous")


@pytest.mark.parametrize(
    "sidecar",
    ["{", "not json", '{"caller": ', "[1, 2]", '"text"', "null", "[" * 100_000, '{"a": 1e999'],
)
def test_a_broken_sidecar_is_a_warning(sidecar: str) -> None:
    inquiry = call(sidecar)
    assert inquiry.sender == Party()
    assert len(inquiry.warnings) == 1
    assert "sidecar" in inquiry.warnings[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.text() | JSON.map(json.dumps) | st.dictionaries(st.text(), JSON).map(json.dumps))
def test_no_sidecar_raises(sidecar: str) -> None:
    inquiry = call(sidecar)
    str(inquiry).encode("utf-8")
