"""Which model decides now: the one that was switched to last, as long as its folder is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from triage.errors import Configuration, Usage
from triage.settings import Settings
from triage.store import records
from triage.store.models import Model, Origin, State, Switch
from triage.store.repository import Repository
from triage.training.registry import Registry

log = structlog.get_logger(__name__)

FOLDER = "models"
_ALL = 100_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that decides, its folder, and the id of the switch that this follows (0: none).

    `instead_of` names the model that should decide and is damaged; empty where all is well.
    """

    model: Model
    folder: Path
    switch: int
    instead_of: str = ""


class Active:
    """Finds the model that decides, and marks what is damaged."""

    def __init__(self, settings: Settings, repository: Repository) -> None:
        self.repository = repository
        self.artifact = settings.classifier.artifact
        self.registry = Registry(repository.folder / FOLDER, self.artifact)

    def last_switch(self) -> int:
        """The id of the last switch; 0 where there was none. Cheap enough to ask every second."""
        found = self.repository.models.switches(1)
        return found[0].id if found else 0

    def chosen(self) -> Chosen:
        """The model that decides. Where that is damaged, the newest intact one before it.

        Raises `Configuration` where none is intact.
        """
        problem = self._settle_first()
        switches = self.repository.models.switches(_ALL)
        line = before(switches) or [self._first()]
        faults = [problem] if problem else []
        for name in reversed(line):
            model = self.repository.models.get(name)
            if model is None:
                continue
            try:
                folder = self.registry.intact(model)
            except Usage as error:
                faults.append(str(error))
                self._say_damaged(name, str(error))
                continue
            if model.state == "damaged":
                self.repository.models.repaired(name, "active" if name == line[-1] else "retired")
            instead = "" if name == line[-1] else line[-1]
            return Chosen(model, folder, switches[0].id if switches else 0, instead)
        raise Configuration("; ".join(dict.fromkeys(faults)) or "no model is known")

    def first(self) -> Path | str:
        """Where every training begins: the model that the settings name."""
        return self.artifact

    def _say_damaged(self, name: str, problem: str) -> None:
        if self.repository.models.damaged(name):
            log.error("a model is damaged; the one before it decides", model=name, problem=problem)

    def _first(self) -> str:
        try:
            return self.registry.first()[0]
        except Usage as error:
            raise Configuration(f"classifier.artifact {self.artifact!r}: {error}") from error

    def _settle_first(self) -> str:
        """Make the model of the settings known; why it cannot be used, where it cannot."""
        try:
            name, sha256 = self.registry.first()
        except Usage as error:
            return f"classifier.artifact {self.artifact!r}: {error}"
        known = self.repository.models.get(name)
        untouched = self.last_switch() == 0
        if known and known.sha256 == sha256 and (known.state == "active" or not untouched):
            return ""
        origin: Origin = "shipped" if str(self.artifact) == "default" else "configured"
        state: State = "active" if untouched else "candidate"
        if known is None and not untouched:
            log.warning("the settings name a model that does not decide; promote it if it should",
                        model=name)  # fmt: skip
        first = Model(name, records.now(), origin, sha256, None, state)
        self.repository.models.settled_first(first)
        return ""


def before(switches: Sequence[Switch]) -> list[str]:
    """Models in the order in which they took each other's place, the present one last.

    `switches`: all of them, the newest first. Whatever was rolled back is left out.
    """
    line: list[str] = []
    for switch in reversed(switches):
        line = line or [switch.from_]
        if switch.why != "rolled back":
            line.append(switch.to)
            continue
        while len(line) > 1 and line[-1] != switch.to:
            line.pop()
    return line
