"""A session with a mail server: verified TLS, bounded waits, and errors in our own words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from imaplib import IMAP4
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, LoginError

from triage.errors import Configuration, Transient
from triage.settings import ImapSource
from triage.sources.oauth import Access

# RFC 5530: the server's own trouble, not a wrong password.
_PASSING = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]")


@contextmanager
def connected(settings: ImapSource, access: Access | None = None) -> Iterator[Any]:
    """A logged-in `IMAPClient`. Raises `Transient` or `Configuration` for whatever goes wrong in
    here, and leaves no connection behind.
    """
    client = connect(settings, access)
    try:
        with faults(settings):
            yield client
    except BaseException as error:
        cause = error.__cause__
        refused = isinstance(cause, IMAP4.error) and not isinstance(cause, IMAP4.abort)
        end = leave if refused else drop
        end(client)
        raise
    else:
        leave(client)


def connect(settings: ImapSource, access: Access | None = None) -> Any:
    """A logged-in `IMAPClient`, which the caller ends with `leave` or `drop`.

    Raises `Transient` or `Configuration`.
    """
    where = place_of(settings)
    client = _open(settings, where)
    try:
        with faults(settings):
            if access is None:
                _log_in(client, settings, where)
            else:
                _log_in_by_token(client, settings, access, where)
    except BaseException:
        drop(client)
        raise
    return client


@contextmanager
def faults(settings: ImapSource) -> Iterator[None]:
    """Turn what the client library raises in here into `Transient`."""
    where = place_of(settings)
    try:
        yield
    except (IMAP4.abort, OSError) as error:
        raise Transient(f"{where}: the connection was lost: {error}") from error
    except IMAP4.error as error:
        raise Transient(f"{where}: the server refused a command: {error}") from error


def place_of(settings: ImapSource) -> str:
    """Which source, and where its server is, as messages begin."""
    return f"source {settings.name!r}: {settings.host}:{port_of(settings)}"


def port_of(settings: ImapSource) -> int:
    """The port that was set, or the usual one."""
    return settings.port or (993 if settings.security == "tls" else 143)


def is_passing(error: Exception) -> bool:
    """Whether a refusal says that it is the server's own, passing trouble."""
    return any(code in str(error).upper() for code in _PASSING)


def _open(settings: ImapSource, where: str) -> Any:
    context = _trust(settings, where) if settings.security != "none" else None
    client = None
    try:
        client = IMAPClient(
            settings.host,
            port=port_of(settings),
            ssl=settings.security == "tls",
            ssl_context=context if settings.security == "tls" else None,
            timeout=SocketTimeout(connect=settings.timeout, read=settings.timeout),
        )
        client.normalise_times = False
        if settings.security == "starttls":
            client.starttls(context)
    except ssl.SSLCertVerificationError as error:
        drop(client)
        raise Configuration(
            f"{where}: the server's certificate is not trusted ({error.verify_message}); "
            "set `ca_file` to the authority that signed it, and `host` to the name it was made for"
        ) from error
    except ssl.SSLError as error:
        drop(client)
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            raise Transient(f"{where}: the connection was lost: {error}") from error
        raise Configuration(
            f"{where}: no TLS connection: {error.reason or error}; does `security` fit the port?"
        ) from error
    except CapabilityError as error:
        drop(client)
        raise Configuration(
            f"{where}: the server offers no STARTTLS; use security = 'tls'"
        ) from error
    except (IMAP4.error, OSError) as error:
        drop(client)
        raise Transient(f"{where}: cannot connect: {error}") from error
    return client


def _trust(settings: ImapSource, where: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise Configuration(
            f"{where}: cannot use ca_file {settings.ca_file}: {error.strerror or error}; it must "
            "hold certificates in PEM form"
        ) from error


def _log_in(client: Any, settings: ImapSource, where: str) -> None:
    password = settings.secret
    try:
        # PLAIN takes any character; LOGIN only ASCII, and quotes only the password.
        if client.has_capability("AUTH=PLAIN"):
            client.plain_login(settings.username, password)
        else:
            client.login(settings.username, password)
    except LoginError as error:
        # The client says this of a connection that broke, too.
        if isinstance(error.__context__, IMAP4.abort) or is_passing(error):
            raise Transient(f"{where}: cannot log in now: {error}") from error
        raise Configuration(
            f"{where}: the server refused the login of {settings.username!r}: {error}; correct "
            "`username` and the password, or allow IMAP for this mailbox"
        ) from error
    except UnicodeError as error:
        raise Configuration(
            f"{where}: this server takes only ASCII in `username` and the password"
        ) from error


def _log_in_by_token(client: Any, settings: ImapSource, access: Access, where: str) -> None:
    """XOAUTH2. A token may be refused before its time: then another one is asked for, once."""
    refused = ""
    for last in (False, True):
        token = access.token(refused)
        try:
            client.oauth2_login(settings.username, token)
        except LoginError as error:
            if isinstance(error.__context__, IMAP4.abort) or is_passing(error):
                raise Transient(f"{where}: cannot log in now: {error}") from error
            if last:
                raise Configuration(
                    f"{where}: the server refuses {settings.username!r} with a fresh token: "
                    f"{error}; allow IMAP and this application for the mailbox, or run "
                    f"`triage mailbox authorise {settings.name}`"
                ) from error
            refused = token
        else:
            return


def leave(client: Any) -> None:
    """Say goodbye where the server still listens."""
    try:
        client.logout()
    except (IMAP4.error, OSError):
        drop(client)


def drop(client: Any) -> None:
    """End a connection without a word; the server may be gone."""
    if client is not None:
        with suppress(OSError):
            client.shutdown()
