"""Every way into the console, made from its routes, so that a new one is among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi.routing import RouteContext, iter_route_contexts

from tests.support.console import desk_for
from triage.settings import Store
from triage.store.repository import Repository
from triage.web.app import create_app
from triage.web.rights import Public, Right


@dataclass(frozen=True)
class Way:
    """A method and a path, with what they need."""

    method: str
    path: str
    rights: tuple[Right | Public, ...]

    @property
    def address(self) -> str:
        """A path that names things which are not there."""
        return re.sub(r"\{\w+(:\w+)?\}", "none", self.path)


def contexts() -> list[RouteContext]:
    repository = Repository(Store(database_url="postgresql://127.0.0.1:1/none"))
    found = list(iter_route_contexts(create_app(desk_for(repository)).routes))
    repository.close()
    return found


def ways() -> list[Way]:
    found = []
    for route in contexts():
        if route.methods:
            rights = tuple(_rights(route.dependant))
            found += [Way(method, str(route.path), rights) for method in sorted(route.methods)]
    return found


def _rights(dependant: object) -> Iterator[Right | Public]:
    for part in dependant.dependencies:  # type: ignore[attr-defined]
        if isinstance(part.call, Right | Public):
            yield part.call
        yield from _rights(part)
