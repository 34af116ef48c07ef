"""The settings as they were read, without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, SecretStr
from starlette.responses import Response

from triage.store.accounts import Role
from triage.web.desk import Here
from triage.web.principal import Principal
from triage.web.rights import require
from triage.web.templating import render

router = APIRouter()

_HIDDEN: Final = "set, not shown"
_SECRET: Final = re.compile(r"password|secret(?!.*_file)|token|api_?key|credential", re.IGNORECASE)
_BEHIND_HOST: Final = re.compile(r"^(\w+://)(?:[^/@]*@)?([^/?#]+)(?:[/?#].+)?$")


@router.get("/settings")
def show(request: Request, here: Here, _: Annotated[Principal, require(Role.ADMIN)]) -> Response:
    """Every table of the settings."""
    tables = {
        name: list(readable(getattr(here.settings, name)))
        for name in type(here.settings).model_fields
    }
    return render(request, "settings.html", tables=tables)


def readable(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(name, value) of every setting, secrets hidden; of addresses the host alone, because of some
    the rest is a secret.
    """
    if isinstance(value, BaseModel):
        for field in type(value).model_fields:
            hidden = not type(value).model_fields[field].repr
            yield from _field(getattr(value, field), _joined(name, field), hidden=hidden)
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield from _field(held, _joined(name, str(key)))
    elif isinstance(value, tuple | list) and any(isinstance(item, BaseModel) for item in value):
        for number, item in enumerate(value, 1):
            yield from readable(item, getattr(item, "name", "") or f"{name} {number}".strip())
    else:
        yield name, _plain(value)


def _field(value: Any, name: str, *, hidden: bool = False) -> Iterator[tuple[str, str]]:
    leaf = name.rpartition(".")[2]
    if isinstance(value, SecretStr) or hidden or (_SECRET.search(leaf) and not _is_file(leaf)):
        yield name, _host(value) if value else ""
    else:
        yield from readable(value, name)


def _host(value: Any) -> str:
    found = _BEHIND_HOST.match(value) if isinstance(value, str) else None
    return f"{found[1]}{found[2]}, the rest not shown" if found else _HIDDEN


def _is_file(leaf: str) -> bool:
    return leaf.endswith(("_file", "_files"))


def _plain(value: Any) -> str:
    if value is None or value in ("", (), {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list | frozenset | set):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, str) and _BEHIND_HOST.match(value):
        return _BEHIND_HOST.sub(r"\1\2", value)
    return str(value)


def _joined(name: str, field: str) -> str:
    return f"{name}.{field}" if name else field
