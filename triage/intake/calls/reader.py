"""All that is known of a recorded call: from its name, its sidecar and the call detail records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from triage.errors import Permanent
from triage.intake.calls.cdr import CdrFile
from triage.intake.calls.facts import Told, joined, told, withheld
from triage.intake.calls.layouts import LAYOUTS, NONE, Layout
from triage.intake.calls.sidecar import SidecarReader
from triage.intake.calls.template import Template
from triage.settings import CallSource, Settings
from triage.types import Call

log = structlog.get_logger(__name__)

_DEFAULT: Final = CallSource(name="none", layout="auto")


@dataclass(frozen=True, slots=True)
class Known:
    """A call, what each source told of it, and a sidecar's flat fields.

    `missing`: in words, what the call detail records do not have (yet); `wait` is how many seconds
    it may take for it to come, from the end of the call.
    """

    call: Call
    told: tuple[Told, ...]
    fields: Mapping[str, str]
    missing: str = ""
    wait: float = 0.0

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that could not be understood."""
        return tuple(problem for one in self.told for problem in one.problems)


class SourceCalls:
    """What one source's recordings say. Raises `Configuration` for a template that is none."""

    def __init__(self, source: CallSource, settings: Settings, index: Path | None) -> None:
        where = f"sources.{source.name}"
        self._rules, self._country = settings.calls, settings.business.country
        self._zone = ZoneInfo(source.timezone or "UTC")
        named = source.layout not in {"auto", "none"}
        layouts = tuple(LAYOUTS.values()) if source.layout == "auto" else (LAYOUTS[source.layout],)
        self._templates = [(NONE, Template(text, f"{where}.names")) for text in source.names] + [
            (layout, found) for layout in layouts for found in _templates(layout.name)
        ]
        # Where a person named what names look like, one that does not is worth a word.
        self._expects = bool(source.names) or named
        self._layout = layouts[0] if named else NONE
        self._sidecars = SidecarReader(
            source.sidecar, self._zone, self._country, layouts, f"{where}.sidecar"
        )
        self.cdr: CdrFile | None = None
        if source.cdr is not None:
            self.cdr = CdrFile(
                source.cdr, source.timezone or "UTC", self._country, index, f"{where}.cdr"
            )

    def read(self, key: str, sidecar: str) -> Known:
        """All that is known of the recording at `key`. Never raises."""
        layout, name = self._name(key)
        beside, fields = self._sidecars.read(sidecar, layout)
        so_far = joined((beside.call, name.call))
        record, missing = self._record(so_far, key)
        call = joined((beside.call, record.call, name.call))
        call = replace(call, withheld=withheld(call, self._rules))
        wait = self.cdr.cdr.wait if self.cdr and missing else 0.0
        return Known(call, (name, beside, record), fields, missing, wait)

    def named(self, key: str) -> Told:
        """What the name of the recording at `key` says by itself. Never raises."""
        return self._name(key)[1]

    def close(self) -> None:
        """Close what is open."""
        if self.cdr:
            self.cdr.close()

    def misfits(self, key: str) -> Iterator[str]:
        """Why each template does not fit, for people."""
        for layout, template in self._templates:
            fit = template.read(key)
            if fit.problem:
                yield f"{layout.name if layout is not NONE else 'names'}: {fit.problem}"

    def _name(self, key: str) -> tuple[Layout, Told]:
        misfits = []
        for layout, template in self._templates:
            fit = template.read(key)
            if fit.problem:
                misfits.append(fit.problem)
                continue
            stated = dict(fit.values)
            if fit.start:
                stated["start"] = f"{fit.start:%Y-%m-%d %H:%M:%S}"
            source = f"name:{layout.name}" if layout is not NONE else f"name:{template.text}"
            zone = UTC if layout.utc else self._zone
            return layout, told(
                source,
                stated,
                zone=zone,
                country=self._country,
                layout=layout,
                start=fit.start,
            )
        if not self._expects:
            return self._layout, Told("")
        return self._layout, Told(
            "", problems=(f"the recording's name fits no template: {misfits[0]}",)
        )

    def _record(self, call: Call, key: str) -> tuple[Told, str]:
        """The call's row, and in words that there is none."""
        if self.cdr is None:
            return Told(""), ""
        path = self.cdr.cdr.path
        try:
            looked = self.cdr.find(call, key.rpartition("/")[2])
        except Permanent as error:
            log.warning("call detail records cannot be used", problem=str(error))
            return Told("", problems=(str(error),)), str(error)
        if looked.told is None:
            problem = f"{path} has no row of this call; looked for {looked.sought}"
            return Told("", problems=(problem,)), problem
        return looked.told, ""


@cache
def _templates(layout: str) -> tuple[Template, ...]:
    return tuple(Template(text) for text in LAYOUTS[layout].names)


class CallReader:
    """What the recordings of every source say. `folder`: where indexes of records are kept."""

    def __init__(self, settings: Settings | None = None, folder: Path | None = None) -> None:
        settings = settings or Settings()
        self._other = SourceCalls(_DEFAULT, settings, None)
        self._sources = {
            source.name: SourceCalls(
                source, settings, folder / f"{source.name}.db" if folder else None
            )
            for source in settings.sources
            if isinstance(source, CallSource)
        }

    def of(self, source: str) -> SourceCalls:
        """What a source's recordings say; one that is gone from the settings has no layout."""
        return self._sources.get(source, self._other)

    def records(self) -> Mapping[str, CdrFile]:
        """The call detail records of the sources that have some."""
        return {name: source.cdr for name, source in self._sources.items() if source.cdr}

    def close(self) -> None:
        """Close what is open."""
        for source in self._sources.values():
            source.close()
