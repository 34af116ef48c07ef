"""A mail to a team address, by SMTP."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from email import policy
from email.errors import HeaderParseError
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

import structlog

from triage.delivery.adapters.message import message
from triage.delivery.answer import Answer
from triage.delivery.client import HttpClient
from triage.delivery.guard import look_up, why_not
from triage.errors import Configuration
from triage.settings import Destination
from triage.types import Delivery

log = structlog.get_logger(__name__)

_PORTS = {"tls": 465, "starttls": 587, "none": 25}
# Ids are never folded: some programs that thread mails compare them as they came.
_WHOLE = policy.SMTP.clone(max_line_length=200)
_REFUSED_LOGIN = (530, 534, 535, 538)


class MailAdapter:
    """Sends each event as one mail; its Message-ID is the event's id."""

    def send(self, delivery: Delivery, destination: Destination, client: HttpClient) -> Answer:
        """As `Adapter`. Raises `Configuration` where the server refuses the login."""
        del client  # mail has connections of its own
        started = time.monotonic()
        mail = composed(delivery, destination)
        error = ""
        try:
            with _connected(destination) as server:
                refused = server.send_message(mail)
            if refused:  # others took it; a repeat would reach them twice
                log.warning("some recipients refused", delivery=delivery.id, number=len(refused))
        except smtplib.SMTPRecipientsRefused as failure:
            code, text = next(iter(failure.recipients.values()))
            error = _answered(code, text)
        except smtplib.SMTPResponseException as failure:
            if failure.smtp_code in _REFUSED_LOGIN:
                raise Configuration(
                    f"destination {destination.name!r}: {destination.host} refused the login; "
                    "check username and secret"
                ) from failure
            error = _answered(failure.smtp_code, failure.smtp_error)
        except TimeoutError:
            error = f"no answer within {destination.timeout:g} s"
        except (OSError, smtplib.SMTPException) as failure:
            error = f"{type(failure).__name__}: {failure}"[:300]
        return Answer(not error, None, error, time.monotonic() - started)


def composed(delivery: Delivery, destination: Destination) -> EmailMessage:
    """The mail: a few lines to read, the event itself attached. News of a lead join its thread."""
    told = message(delivery)
    domain = parseaddr(destination.sender)[1].rpartition("@")[2] or "localhost"
    mail = EmailMessage(_WHOLE)
    mail["From"] = destination.sender
    mail["To"] = ", ".join(destination.recipients)
    mail["Subject"] = " ".join(told.title.split())
    mail["Date"] = format_datetime(delivery.created_at)
    mail["Message-ID"] = f"<{delivery.id}@{domain}>"
    if delivery.refers_to:
        mail["In-Reply-To"] = mail["References"] = f"<{delivery.refers_to}@{domain}>"
    if told.reply_to:
        try:
            mail["Reply-To"] = told.reply_to
        except (ValueError, HeaderParseError):
            del mail["Reply-To"]  # what is stated need not be an address that mail takes
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(told.plain)
    mail.add_attachment(delivery.body.encode(), "application", "json", filename="event.json")
    return mail


class _Guarded(smtplib.SMTP):
    """Connects to the address that was checked, whatever the name says a moment later."""

    allow_private = False

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _reach(host, port, timeout, allow_private=self.allow_private)


class _GuardedTls(_Guarded):
    """TLS from the first byte."""

    context: ssl.SSLContext

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(
            super()._get_socket(host, port, timeout), server_hostname=host
        )


def _connected(destination: Destination) -> smtplib.SMTP:
    try:
        context = ssl.create_default_context(cafile=destination.ca_file)
    except OSError as error:
        raise Configuration(
            f"destination {destination.name!r}: ca_file {destination.ca_file}: {error}"
        ) from error
    named = socket.gethostname()  # the library would ask DNS, without a limit
    server: _Guarded
    if destination.security == "tls":
        server = _GuardedTls(local_hostname=named, timeout=destination.timeout)
        server.context = context
    else:
        server = _Guarded(local_hostname=named, timeout=destination.timeout)
    server.allow_private = destination.allow_private
    try:
        server.connect(destination.host, destination.port or _PORTS[destination.security])
        # The certificate is checked against this name; without `connect` it would be unknown.
        server._host = destination.host  # type: ignore[attr-defined]
        if destination.security == "starttls":
            server.starttls(context=context)
        if destination.username:
            server.login(destination.username, destination.token)
    except BaseException:
        server.close()
        raise
    return server


def _reach(host: str, port: int, timeout: float, *, allow_private: bool) -> socket.socket:
    failure: OSError | None = None
    reason = ""
    for address in look_up(host, port):
        if reason := why_not(address, allow_private=allow_private):
            continue
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    if failure is None:
        hint = "" if allow_private else "; `allow_private = true` permits private addresses"
        raise Configuration(f"{host} is {reason or 'no address'}: nothing is sent there{hint}")
    raise failure


def _answered(code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"answered {code} {' '.join(said.split())}"[:300]
