"""Fetching a profile: from a real server on this machine, with what a hostile one could do."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from gatecli.errors import EvidenceError, GateError, UsageError
from gatecli.runtime.engines import url

SECRET = "s3cr3t-token"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url, "_PAUSES_S", (0.01, 0.01))


class Server(ThreadingHTTPServer):
    """Answers by path and keeps what it was asked."""

    seen: list[tuple[str, dict[str, str]]]
    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        path, _, query = self.path.partition("?")
        if path == "/to":
            self.send_response(302)
            self.send_header("Location", query)
            self.end_headers()
        elif path == "/status":
            self.send_response(int(query))
            self.end_headers()
        elif path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(50):
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.05)
        elif path == "/bomb":
            self.answer(gzip.compress(b"0" * 5_000_000), {"Content-Encoding": "gzip"})
        elif path == "/cut":
            self.answer(b"half", {"Content-Length": "100"})
        else:
            self.answer(b"content of " + path.encode(), {})

    def answer(self, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv(url.TOKEN_VARIABLE, SECRET)
    with Server(("127.0.0.1", 0), Handler) as running:
        running.seen = []
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def at(server: Server, path: str, host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.server_address[1]}{path}"


def fetch(address: str, **limits: Any) -> bytes:
    return url.fetch(address, **{"limit_bytes": 1_000_000, "timeout_s": 10.0, **limits})


def test_the_content(server: Server) -> None:
    assert fetch(at(server, "/profile.json?x=1")) == b"content of /profile.json"


def test_the_token_is_not_sent_without_encryption(server: Server) -> None:
    fetch(at(server, "/a"))
    assert "Authorization" not in server.seen[0][1]


def test_passwords_of_netrc_are_not_sent(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetch(at(server, "/a"))
    assert "Authorization" not in server.seen[0][1]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://named.example/p", f"Bearer {SECRET}"),
        ("https://named.example:443/other", f"Bearer {SECRET}"),
        ("http://named.example/p", None),
        ("https://named.example:8443/p", None),
        ("https://other.example/p", None),
        ("https://sub.named.example/p", None),
    ],
)
def test_the_token_goes_to_the_named_host_alone(
    address: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(url.TOKEN_VARIABLE, SECRET)
    auth = url._Authorization(urlsplit("https://named.example/p?x=1"))
    request = requests.Request("GET", address, auth=auth).prepare()
    assert request.headers.get("Authorization") == expected


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ünïcode", "\x1b[31m"])
def test_a_token_that_is_none_is_refused_without_showing_it(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(url.TOKEN_VARIABLE, token)
    with pytest.raises(UsageError) as error:
        fetch("https://named.example/p")
    assert token not in error.value.message + error.value.hint


@pytest.mark.parametrize(
    "address",
    [
        "",
        "profile.json",
        "ftp://host/x",
        "file:///etc/passwd",
        "http://",
        "https:///x",
        "http://[::1",
        "http://host:99999/x",
        "http://host:x/",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_web_address(address: str) -> None:
    with pytest.raises(UsageError, match="no http or https address"):
        fetch(address)


def test_passwords_in_the_address_are_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as error:
        fetch("https://me:hunter2@host/x")
    assert "hunter2" not in error.value.message + error.value.hint


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/status?404", "answered with status 404"),
        ("/status?403", "answered with status 403"),
        ("/status?500", "answered with status 500"),
        ("/status?204", "answered with status 204"),
        ("/to?", "redirects to no web address|redirects more than 5 times"),
        ("/to?ftp://x/y", "redirects to no web address"),
        ("/to?http://a:b@host/", "redirects to no web address"),
        ("/to?/to?/to?/to?/to?/to?/to?/to?/to", "redirects more than 5 times"),
        ("/bomb", "has more than 1,000,000 bytes"),
        ("/cut", "the answer was cut off"),
    ],
)
def test_bad_answers(path: str, message: str, server: Server) -> None:
    with pytest.raises(EvidenceError, match=message) as error:
        fetch(at(server, path))
    assert SECRET not in error.value.message + error.value.hint


def test_a_redirect_on_the_same_host(server: Server) -> None:
    assert fetch(at(server, "/to?/profile.json")) == b"content of /profile.json"
    assert [path for path, _ in server.seen] == ["/to?/profile.json", "/profile.json"]


def test_the_query_is_not_printed(server: Server) -> None:
    with pytest.raises(EvidenceError) as error:
        fetch(at(server, "/status?404&signature=hidden"))
    assert "hidden" not in error.value.message


def test_a_server_that_drips_meets_the_limit_of_the_whole_fetch(server: Server) -> None:
    with pytest.raises(EvidenceError, match=r"did not answer in 0\.3 s"):
        fetch(at(server, "/slow"), timeout_s=0.3)


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(EvidenceError, match=r"cannot be fetched \(Connection(Error|Timeout)\)"):
            fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/x?token=hidden")


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Host name → what gate is told its address is; every connection goes to this machine."""
    known: dict[str, str] = {}
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host in known and port is None:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], 0))]
        return real("127.0.0.1" if host in known else host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return known


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.5",
        "100.64.0.1",
    ],
)
def test_a_public_host_cannot_send_gate_into_a_private_network(
    address: str, server: Server, addresses: dict[str, str]
) -> None:
    addresses |= {"public.example": "93.184.216.34", "internal.example": address}
    target = at(server, "/metadata", "internal.example")
    with pytest.raises(EvidenceError, match=r"redirects into a private network \(internal\.example"):
        fetch(at(server, f"/to?{target}", "public.example"))
    assert [path for path, _ in server.seen] == [f"/to?{target}"]


def test_a_public_host_may_redirect_to_another(server: Server, addresses: dict[str, str]) -> None:
    addresses |= {"public.example": "93.184.216.34", "cdn.example": "93.184.216.35"}
    assert fetch(at(server, f"/to?{at(server, '/p', 'cdn.example')}", "public.example")) == b"content of /p"


def test_a_private_host_that_was_named_may_redirect_privately(server: Server, addresses: dict[str, str]) -> None:
    addresses |= {"grafana.internal": "10.0.0.5", "store.internal": "10.0.0.6"}
    assert fetch(at(server, f"/to?{at(server, '/p', 'store.internal')}", "grafana.internal")) == b"content of /p"


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "fe80::1%eth0", "::ffff:127.0.0.1"]
)
def test_a_private_host_cannot_send_gate_to_its_own_machine_or_link(
    address: str, server: Server, addresses: dict[str, str]
) -> None:
    addresses |= {"grafana.internal": "10.0.0.5", "here.internal": address}
    target = at(server, "/latest/meta-data/", "here.internal")
    with pytest.raises(EvidenceError, match=r"redirects into a private network \(here\.internal"):
        fetch(at(server, f"/to?{target}", "grafana.internal"))
    assert len(server.seen) == 1


def test_from_https_there_is_no_way_to_http() -> None:
    named = urlsplit("https://named.example/p")
    with pytest.raises(EvidenceError, match="redirects from https to http"):
        url._redirected(named, named, "http://named.example/p")


def test_a_host_that_nobody_knows(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(GateError, match=r"cannot be fetched|is not known"):
        fetch("http://gone.example/x")
