"""Passwords: hashed with argon2id, never stored, logged or shown."""

from __future__ import annotations

from functools import cache
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from triage.errors import Usage

SHORTEST: Final = 12
_LONGEST: Final = 200
# Each hash takes 64 MiB for some tens of milliseconds: two at a time, whoever asks.
_FEW: Final = BoundedSemaphore(2)
_HASHER: Final = PasswordHasher()


def hashed(password: str, name: str = "") -> str:
    """The hash to be stored. Raises `Usage` where the password is too easy to guess."""
    if len(password) < SHORTEST:
        raise Usage(f"a password needs {SHORTEST} characters at least; a short sentence will do")
    if len(password) > _LONGEST:
        raise Usage(f"a password may have {_LONGEST} characters at most")
    if name and password.casefold().strip() == name.casefold().strip():
        raise Usage("the password must not be the name")
    if len(set(password)) < 5:
        raise Usage("the password repeats itself too much")
    with _FEW:
        return _HASHER.hash(password)


def chosen(password: str, repeated: str, name: str) -> str:
    """The hash of a password that was typed twice. Raises `Usage` where it cannot be used."""
    if password != repeated:
        raise Usage("the two passwords differ; type them again")
    return hashed(password, name)


def verify(stored: str, password: str) -> bool:
    """Whether this is the password. Takes as long where there is no account (`stored` is empty)."""
    with _FEW:
        try:
            _HASHER.verify(stored or _nobody(), password[:_LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return bool(stored)


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than those of now."""
    return _HASHER.check_needs_rehash(stored)


def rehashed(password: str) -> str:
    """The hash of a password that is known to be right."""
    with _FEW:
        return _HASHER.hash(password)


@cache
def _nobody() -> str:
    return _HASHER.hash("nobody has this password")
