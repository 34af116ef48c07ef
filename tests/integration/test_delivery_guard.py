"""Attempts to make the worker talk to machines it should not: real servers, a resolver of ours."""

from __future__ import annotations

import http.server
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from triage.delivery.client import HttpClient
from triage.delivery.guard import reach, why_not
from triage.errors import Configuration
from triage.settings import Destination

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.3.4", "172.31.255.255", "192.168.1.1",
    "169.254.1.1", "100.64.0.1", "198.18.0.1",
    "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "::127.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1",
    "2002:7f00:1::", "2002:c0a8:101::1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "fd00:ec2::254",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
    "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1",
    "::ffff:0.0.0.0", "::ffff:224.0.0.1",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_permission(address: str) -> None:
    assert why_not(address, allow_private=False)
    assert not why_not(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_refused_whatever_is_allowed(address: str) -> None:
    assert why_not(address, allow_private=False)
    assert why_not(address, allow_private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_need_none(address: str) -> None:
    assert not why_not(address, allow_private=False)


class Names:
    """A resolver that says what a test wants: an answer for each look-up, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Server:
    """A web server on this machine that counts what reaches it, connections too."""

    def __init__(self, reply: Callable[[http.server.BaseHTTPRequestHandler], None]) -> None:
        server = self
        self.hosts: list[str] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                server.hosts.append(self.headers["host"])
                reply(self)

            def log_message(self, *_: object) -> None:
                pass

        class Counting(http.server.ThreadingHTTPServer):
            connections = 0

            def process_request(self, *args: object) -> None:
                self.connections += 1
                super().process_request(*args)  # type: ignore[arg-type]

            def handle_error(self, *_: object) -> None:
                pass  # clients that hang up are what these tests are about

        self.http = Counting(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.http.server_address[1])

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def accept(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(204)
    handler.end_headers()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(reply: Callable[[http.server.BaseHTTPRequestHandler], None] = accept) -> Server:
        servers.append(Server(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def to(url: str, **more: object) -> Destination:
    return Destination.model_validate({"name": "crm", "url": url, "timeout": 3} | more)


def send(client: HttpClient, destination: Destination):  # type: ignore[no-untyped-def]
    return client.send(destination, content=b"{}", headers={})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0",
        "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "127.0.0.1.",
    ],
)  # fmt: skip
def test_no_notation_of_this_machine_gets_through(host: str, serve: Callable[..., Server]) -> None:
    server = serve()
    with closing(HttpClient()) as client:
        try:
            answer = send(client, to(f"http://{host}:{server.port}/"))
        except Configuration:
            pass
        else:  # the notation is none that this system resolves
            assert not answer.accepted
    assert server.http.connections == 0


def test_a_name_that_leads_to_a_private_address_is_refused_with_a_way_out() -> None:
    with (
        closing(HttpClient(Names(["10.1.2.3"]))) as client,
        pytest.raises(Configuration, match="allow_private"),
    ):
        send(client, to("https://crm.example.com/"))


def test_metadata_is_refused_even_where_private_is_allowed() -> None:
    with (
        closing(HttpClient(Names(["169.254.169.254"]))) as client,
        pytest.raises(Configuration, match="metadata"),
    ):
        send(client, to("http://innocent.example.com/", allow_private=True))


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_used(
    serve: Callable[..., Server],
) -> None:
    server = serve()
    # The second answer would lead elsewhere: whoever looks up again for connecting is caught.
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    with closing(HttpClient(names)) as client:
        answer = send(client, to(f"http://crm.example.com:{server.port}/", allow_private=True))
    assert answer.accepted
    assert names.asked == ["crm.example.com"]
    assert server.hosts == [f"crm.example.com:{server.port}"]  # the name stays the name


def test_dns_that_changes_after_the_check_reaches_nobody(serve: Callable[..., Server]) -> None:
    server = serve()
    names = Names(["93.184.215.14"], ["127.0.0.1"])
    destination = to(f"http://rebind.example.com:{server.port}/", timeout=0.4)
    with closing(HttpClient(names)) as client:
        first = send(client, destination)  # goes to the public address, where nobody answers here
        assert not first.accepted
        with pytest.raises(Configuration, match="this machine itself"):
            send(client, destination)
    assert server.http.connections == 0


def test_one_good_address_among_bad_ones_is_the_one_that_is_used(
    serve: Callable[..., Server],
) -> None:
    server = serve()
    names = Names(["169.254.169.254", "127.0.0.1"])
    with closing(HttpClient(names)) as client:
        assert send(client, to(f"http://two.example:{server.port}/", allow_private=True)).accepted
    assert server.http.connections == 1


def test_connections_are_not_shared_with_a_destination_that_may_less(
    serve: Callable[..., Server],
) -> None:
    server = serve()
    url = f"http://crm.example.com:{server.port}/"
    with closing(HttpClient(Names(["127.0.0.1"]))) as client:
        assert send(client, to(url, allow_private=True)).accepted
        with pytest.raises(Configuration):
            send(client, to(url, name="other"))
    assert server.http.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int, serve: Callable[..., Server]) -> None:
    inside = serve()

    def elsewhere(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("location", f"http://127.0.0.1:{inside.port}/admin")
        handler.send_header("content-length", "0")
        handler.end_headers()

    outside = serve(elsewhere)
    with closing(HttpClient()) as client:
        answer = send(client, to(f"http://127.0.0.1:{outside.port}/", allow_private=True))
    assert (answer.accepted, answer.status) == (False, status)
    assert inside.http.connections == 0


def test_proxies_of_the_environment_are_not_used(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    with closing(HttpClient(Names(["93.184.215.14"]))) as client:
        assert not send(client, to("http://crm.example.com:1/", timeout=0.2)).accepted
    assert proxy.http.connections == 0


@pytest.mark.parametrize("slow", ["headers", "body"])
def test_an_answer_that_trickles_costs_no_more_than_the_timeout(
    slow: str, serve: Callable[..., Server]
) -> None:
    def trickle(handler: http.server.BaseHTTPRequestHandler) -> None:
        if slow == "body":
            handler.send_response(200)
            handler.send_header("content-length", "100000")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    server = serve(trickle)
    started = time.monotonic()
    with closing(HttpClient()) as client:
        send(client, to(f"http://127.0.0.1:{server.port}/", allow_private=True, timeout=0.5))
    assert time.monotonic() - started < 3


def test_a_resolver_that_hangs_costs_no_more_than_the_timeout() -> None:
    over = threading.Event()

    def hang(_host: str, _port: int) -> Sequence[str]:
        over.wait(10)
        return ["127.0.0.1"]

    started = time.monotonic()
    with closing(HttpClient(hang)) as client:
        answer = send(client, to("http://crm.example.com/", timeout=0.3))
    assert time.monotonic() - started < 3
    assert not answer.accepted
    assert "0.3 s" in answer.error
    over.set()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `crm.example.com`, which is its own authority, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=crm.example.com",
         "-addext", "subjectAltName=DNS:crm.example.com",
         "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


def test_tls_is_verified_by_name_though_the_address_is_pinned(
    authority: tuple[Path, Path], serve: Callable[..., Server]
) -> None:
    certificate, key = authority
    server = serve()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    known = {"allow_private": True, "ca_file": certificate}
    with closing(HttpClient(Names(["127.0.0.1"]))) as client:
        assert send(client, to(f"https://crm.example.com:{server.port}/", **known)).accepted
        assert asked == ["crm.example.com"]
        other = send(client, to(f"https://other.example.com:{server.port}/", **known))
        assert not other.accepted
        assert "CERTIFICATE_VERIFY_FAILED" in other.error
        unknown = send(client, to(f"https://crm.example.com:{server.port}/", allow_private=True))
        assert "CERTIFICATE_VERIFY_FAILED" in unknown.error


def test_no_secret_of_a_destination_is_shown_or_logged() -> None:
    url = "https://ann:hunter2@hooks.example.com/services/T0KEN?key=S3CRET"
    destination = to(url, secret="whsec_c2VjcmV0c2VjcmV0", timeout=0.2)
    shown = repr(destination) + str(destination)
    with (
        structlog.testing.capture_logs() as logs,
        closing(HttpClient(Names(["93.184.215.14"]))) as client,
    ):
        answer = send(client, destination)
    with closing(HttpClient(Names(["10.0.0.1"]))) as client, pytest.raises(Configuration) as raised:
        send(client, destination)
    for secret in ("hunter2", "T0KEN", "S3CRET", "c2VjcmV0"):
        assert secret not in shown + repr(answer) + str(raised.value) + repr(logs)


def test_reaching_without_sending_is_guarded_too(serve: Callable[..., Server]) -> None:
    server = serve()
    with pytest.raises(Configuration, match="this machine itself"):
        reach("127.0.0.1", server.port, allow_private=False, timeout=1)
    reach("127.0.0.1", server.port, allow_private=True, timeout=1)


def test_a_name_that_nobody_knows_is_a_failure_like_any_other() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with closing(HttpClient(unknown)) as client:
        answer = send(client, to("http://nowhere.example.com/"))
    assert not answer.accepted
    assert "Name or service not known" in answer.error
