"""How known telephone systems name recordings, and what they write beside them.

A layout is data: templates for names (see `template`), paths into its JSON (see `paths`), and what
its own words for directions mean. Each says which documentation its facts come from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from triage.intake.calls.values import is_extension
from triage.types import Call, Direction

Paths = Mapping[str, tuple[str, ...]]


def _as_it_is(call: Call, stated: Mapping[str, str]) -> Call:  # noqa: ARG001 - of every layout
    return call


@dataclass(frozen=True, slots=True)
class Layout:
    """One telephone system. `marks`: names that its JSON has on top, all of them, and others' has
    not; `unlike` are usual names that mean something else in it. `utc`: its times are in UTC,
    whatever the settings say; `directions` holds its own words (lower case), None where one says
    nothing. `finish` adds what follows from values as stated.
    """

    name: str
    names: tuple[str, ...] = ()
    sidecar: Paths = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    unlike: frozenset[str] = frozenset()
    utc: bool = False
    directions: Mapping[str, Direction | None] = field(default_factory=dict)
    finish: Callable[[Call, Mapping[str, str]], Call] = _as_it_is


USUAL: Final[Paths] = {
    "caller": (
        "caller", "from", "caller_number", "from_number", "caller_id", "ani", "source", "src",
        "caller_phone", "customer_number",
    ),
    "dialled": (
        "called", "to", "called_number", "to_number", "callee", "callee_number", "dialled",
        "dialled_number", "dialed", "dialed_number", "dnis", "destination", "dst", "did",
    ),
    "name": ("caller_name", "from_name", "name"),
    "direction": ("direction", "call_direction", "call_type"),
    "agent": ("agent", "agent_name", "agent_id", "user", "username", "extension"),
    "start": ("started_at", "start_time", "start", "call_date", "calldate", "setup_time", "time"),
    "duration": ("duration", "duration_s", "duration_ms", "call_duration", "billsec"),
    "consent": ("consent", "recording_consent", "consent_given"),
    "id": ("id", "call_id", "uniqueid", "uuid", "call_uuid"),
    "group": ("group", "linkedid", "linked_id", "conversation_id", "parent_call_id"),
    "campaign": ("campaign", "campaign_id", "utm_campaign"),
}  # fmt: skip
"""The names that sidecars without a layout use; every layout falls back on them."""


def _freepbx(call: Call, stated: Mapping[str, str]) -> Call:
    """The extension that the name has beside an outside number is the agent's, but a queue's or a
    ring group's is nobody's.
    """
    kind = stated.get("direction", "").lower()
    if kind in {"out", "internal"} and is_extension(call.caller):
        return replace(call, agent=call.agent or call.caller)
    if kind in {"external", "exten", "in"} and is_extension(call.dialled):
        return replace(call, agent=call.agent or call.dialled)
    return call


FREEPBX: Final = Layout(
    "freepbx",
    names=("{direction:word}-{dialled}-{caller}-{start:%Y%m%d-%H%M%S}-{id}",),
    directions={
        "out": "outbound", "in": "inbound", "external": "inbound", "q": "inbound",
        "rg": "inbound", "internal": "internal", "exten": None, "force": None, "generic": None,
    },
    finish=_freepbx,
)  # fmt: skip
"""FreePBX and Issabel on Asterisk. The name is the dialplan's CALLFILENAME: type, who was called,
who called (`unknown` where that is withheld), date, time, and the channel's unique id.
Source: the dialplan that the module `callrecording` of FreePBX generates (sub-record-check, types
out, in, external, internal, exten, generic, q, rg, conf); Issabel's description of the same names.
"""


def _threecx(call: Call, stated: Mapping[str, str]) -> Call:  # noqa: ARG001 - of every layout
    inside = [party for party in (call.caller, call.dialled) if is_extension(party)]
    return replace(call, agent=call.agent or (inside[0] if len(inside) == 1 else ""))


THREECX: Final = Layout(
    "3cx",
    names=(
        "[{name}]_{caller}-{dialled}_{start:%Y%m%d%H%M%S}({recording:digits})",
        "[{name}]_{caller}-{dialled}_{start:%Y%m%d%H%M%S}",
    ),
    finish=_threecx,
)
"""3CX: the other side's name in brackets, who called, who was called, start, number of the call;
folders are named after extensions. Source: examples in public integrations that move 3CX
recordings (version 16 and later); 3CX publishes no description of the name.
"""

MIAREC: Final = Layout(
    "miarec",
    names=("{start:%Y-%m-%d-%H%M%S}", "{start:%Y-%m-%d-%H%M%S}_{recording:digits}"),
    sidecar={
        "caller": ("from_number",),
        "dialled": ("to_number",),
        "start": ("setup_time",),
        "id": ("call_id",),
    },
)
"""MiaRec, with the name that its manual has as an example; what is set as FileNameFormat there can
be written into `names` as it is. Source: MiaRec documentation, "File name format" (parameters,
number behind calls that began together), "Advanced recording rules" (caller-number, callee-number)
and, for JSON beside a recording, "List and search calls" of its API.
"""


def _twilio(call: Call, stated: Mapping[str, str]) -> Call:  # noqa: ARG001 - of every layout
    return replace(call, group=call.group or call.id)


TWILIO: Final = Layout(
    "twilio",
    names=("RE{recording:32}",),
    sidecar={
        "id": ("call_sid", "call.sid"),
        "group": ("parent_call_sid", "call.parent_call_sid", "conference_sid"),
        "caller": ("from", "call.from", "caller"),
        "dialled": ("to", "call.to", "called"),
        "name": ("caller_name", "call.caller_name"),
        "direction": ("direction", "call.direction"),
        "start": ("start_time", "recording_start_time", "call.start_time", "date_created"),
        "duration": ("recording_duration", "duration", "call.duration"),
    },
    marks=frozenset({"callsid", "accountsid"}),
    unlike=frozenset({"source", "id"}),
    utc=True,
    directions={
        "inbound": "inbound", "outbound-api": "outbound",
        # A leg that <Dial> made: what it belongs to may well have come in.
        "outbound-dial": None, "trunking-terminating": "outbound",
        "trunking-originating": "inbound",
    },
    finish=_twilio,
)  # fmt: skip
"""Twilio: files are named after the recording's SID, and the JSON beside one is a Recording
resource, a recording status callback, or the Call resource (also as `call` inside the first).
Source: Twilio's API reference for Recordings and Calls (SIDs of 34 characters, from and to in
E.164, directions, `parent_call_sid` of a leg, times in RFC 2822 and GMT).
"""


def _connect(call: Call, stated: Mapping[str, str]) -> Call:
    """A contact record has the customer's and the system's end, not who called whom."""
    customer, system = call.caller, call.dialled
    if "system" in stated and call.direction == "outbound":
        customer, system = system, customer
    return replace(call, caller=customer, dialled=system, group=call.group or call.id)


CONNECT: Final = Layout(
    "amazon-connect",
    names=(
        "{id:uuid}_{start:%Y%m%dT%H:%M}_UTC",
        "{id:uuid}_{start:%Y%m%dT%H_%M}_UTC",
        "{id:uuid}_{start:%Y%m%dT%H-%M}_UTC",
        "{id:uuid}_*",
    ),
    sidecar={
        "id": ("ContactId",),
        "group": ("InitialContactId",),
        "caller": ("CustomerEndpoint.Address",),
        "dialled": ("SystemEndpoint.Address",),
        "system": ("SystemEndpoint.Address",),
        "direction": ("InitiationMethod",),
        "agent": ("Agent.Username", "Agent.ARN"),
        "start": (
            "Agent.ConnectedToAgentTimestamp", "ConnectedToSystemTimestamp", "InitiationTimestamp",
        ),
        "duration": ("Agent.AgentInteractionDuration",),
        "consent": ("Attributes.consent", "Attributes.recording_consent"),
        "campaign": ("Attributes.campaign",),
    },
    marks=frozenset({"contactid", "initiationmethod"}),
    utc=True,
    directions={
        # A callback is what a caller asked for, and a transfer may be of either kind.
        "inbound": "inbound", "outbound": "outbound", "external_outbound": "outbound",
        "callback": None, "transfer": None, "queue_transfer": None, "api": None,
    },
    finish=_connect,
)  # fmt: skip
"""Amazon Connect: contact id and start (in UTC) in the name, below CallRecordings or
Analysis/Voice; copies on some disks lose the colon. The JSON is a contact record; attributes are
the business's own.
Source: Amazon Connect administrator guide, "Contact records data model" and "Contact recordings"
(agent and customer on separate channels); names as contact records state them in `Location`.
"""


def _genesys(call: Call, stated: Mapping[str, str]) -> Call:
    """Analytics name the customer's session; its ani and dnis are from the caller's side."""
    return replace(call, id=call.id or stated.get("recording", ""))


GENESYS: Final = Layout(
    "genesys",
    names=("conversation_id={group:uuid}/{recording:uuid}", "{recording:uuid}"),
    sidecar={
        "group": ("conversationId",),
        "id": ("recordingId",),
        "recording": ("recordingId",),
        "caller": ("ani", "participants[purpose=customer].sessions.ani", "fromAddress"),
        "dialled": ("dnis", "participants[purpose=customer].sessions.dnis", "toAddress"),
        "name": ("participants[purpose=customer].participantName",),
        "direction": (
            "initialDirection", "originatingDirection", "direction",
            "participants[purpose=customer].sessions.direction",
        ),
        "agent": (
            "agentName", "participants[purpose=agent].participantName", "userName",
            "participants[purpose=agent].userId", "userIds",
        ),
        "start": ("recordingStartTime", "startTime", "conversationStart", "conversationStartTime"),
        "duration": ("durationMs", "durationMilliseconds"),
        "consent": (
            "recordingConsent", "participants[purpose=customer].attributes.consent",
        ),
    },
    marks=frozenset({"conversationid"}),
    utc=True,
    finish=_genesys,
)  # fmt: skip
"""Genesys Cloud: bulk exports write `…/conversation_id=ID/RECORDING.ext` with
`RECORDING.ext_metadata.json` beside it; the analytics' record of a conversation, with participants
and their sessions, is understood there too.
Source: Genesys Cloud Resource Center, "Working with exported recordings in AWS S3 bucket" (folders,
suffix, UTC), and the public API's analytics model (conversationStart, originatingDirection,
participants by purpose, ani and dnis of sessions). Names of fields that only newer exports have are
taken where they are there.
"""

NONE: Final = Layout("none")
LAYOUTS: Final[Mapping[str, Layout]] = {
    layout.name: layout for layout in (FREEPBX, CONNECT, THREECX, TWILIO, GENESYS, MIAREC, NONE)
}
"""All layouts, in the order in which `auto` tries their names: the strictest first."""
