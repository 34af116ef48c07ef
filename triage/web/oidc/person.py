"""Who somebody is here, by what their provider says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from triage.errors import Usage
from triage.settings import Oidc
from triage.store.accounts import Role
from triage.store.identities import Identity

_ASK = "ask an administrator of this console"


@dataclass(frozen=True, slots=True)
class Person:
    """An account at the provider as one of this console.

    `name` is empty where the provider says none that can be relied on. `ruled`: the provider
    decides the role at every sign-in; else it is that of a new user only.
    """

    identity: Identity
    name: str
    role: Role
    ruled: bool


def person(settings: Oidc, claims: Mapping[str, Any]) -> Person:
    """The person of verified claims. Raises `Usage`, for them to read, where they may not enter."""
    email = _verified(claims)
    domains = {domain.casefold().lstrip("@") for domain in settings.domains}
    if domains and email.rpartition("@")[2].casefold() not in domains:
        raise Usage(
            f"your account at {settings.known_as} has no verified e-mail address of "
            f"{' or '.join(sorted(domains))}; sign in with another one, or {_ASK}"
        )
    stated = email if settings.name_claim == "email" else claims.get(settings.name_claim)
    return Person(
        Identity(settings.issuer, str(claims["sub"]), email),
        stated if isinstance(stated, str) else "",
        _role(settings, claims),
        ruled=bool(settings.roles),
    )


def _verified(claims: Mapping[str, Any]) -> str:
    """The address, where the provider says that it is theirs; whoever typed another's is nobody."""
    email = claims.get("email")
    known = claims.get("email_verified") in {True, "true"}  # some write it as text
    return email if known and isinstance(email, str) and "@" in email else ""


def _role(settings: Oidc, claims: Mapping[str, Any]) -> Role:
    stated = set(_values(claims, settings.role_claim))
    given = [Role(role) for value, role in settings.roles.items() if value in stated]
    if not given and settings.default_role:
        given = [Role(settings.default_role)]
    if not given:
        raise Usage(f"your account at {settings.known_as} has no role here; {_ASK}")
    return max(given, key=list(Role).index)


def _values(claims: Mapping[str, Any], name: str) -> Iterator[str]:
    """The texts of a claim, which is one or a list; `a.b` is `b` within `a`, as some nest them."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    for value in found if isinstance(found, list) else [found]:
        if isinstance(value, str):
            yield value
