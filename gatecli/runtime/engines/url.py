"""What a web address that the user named answers.

Nothing else is contacted. The token in ``GATE_PROFILE_TOKEN`` goes to the named host alone, and over https alone; a
redirect from a public host into a private network is refused, as a compromised host could use it to reach services
that trust the machine gate runs on. With ``GATE_PROFILE_USER`` the two are sent as a user and password (ClickHouse,
Grafana Cloud).
"""

import base64
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

TOKEN_VARIABLE = "GATE_PROFILE_TOKEN"
USER_VARIABLE = "GATE_PROFILE_USER"
MAX_REDIRECTS = 5
_CHUNK_BYTES = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


# Overloaded or restarting: the same question may be answered a moment later.
_AGAIN = frozenset({429, 502, 503, 504})
_PAUSES_S = (0.5, 2.0)
_MAX_COMPLAINT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is sent: a GET, or a POST where there is a ``body``, which changes nothing on the other side."""

    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def fetch(url: str, *, limit_bytes: int, timeout_s: float) -> bytes:
    """The content of a web address.

    ``limit_bytes`` bounds the content after decompression, ``timeout_s`` the whole fetch. Certificates are verified.

    Raises:
        UsageError: no http(s) address, or one that holds a password.
        EvidenceError: no answer in time, refused, redirected where it must not go, or too large.
    """
    return ask(Question(url=url), limit_bytes=limit_bytes, timeout_s=timeout_s)


def ask(question: Question, *, limit_bytes: int, timeout_s: float) -> bytes:
    """The answer to a question, which is asked again where the other side is overloaded or not there.

    Raises:
        UsageError: no http(s) address, or one that holds a password.
        EvidenceError: no answer in time, refused, redirected where it must not go, or too large.
    """
    named = _parsed(question.url)
    auth = _Authorization(named)
    outcome: list[bytes | BaseException] = []
    deadline = time.monotonic() + timeout_s

    def run() -> None:
        try:
            outcome.append(_persistent(question, named, auth, limit_bytes, deadline))
        except BaseException as error:
            outcome.append(error)

    # The time limits of sockets are for each read: a server that sends a byte now and then would never meet one.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not outcome:
        raise EvidenceError(
            f"{shown(named)} did not answer in {timeout_s:g} s", "try again, or fetch it to a file first"
        )
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


class _PassingError(EvidenceError):
    """What may be over in a moment."""


def _persistent(
    question: Question, named: SplitResult, auth: "_Authorization", limit_bytes: int, deadline: float
) -> bytes:
    for pause in _PAUSES_S:
        try:
            return _ask(question, named, auth, limit_bytes, deadline)
        except _PassingError as error:
            if time.monotonic() + pause >= deadline:
                raise EvidenceError(error.message, error.hint) from None
            time.sleep(pause)
    return _ask(question, named, auth, limit_bytes, deadline)


def _ask(question: Question, named: SplitResult, auth: "_Authorization", limit_bytes: int, deadline: float) -> bytes:
    from requests import ConnectionError as NoConnection
    from requests import RequestException, Session
    from requests.exceptions import ChunkedEncodingError
    from urllib3.exceptions import HTTPError, ProtocolError

    method = "GET" if question.body is None else "POST"
    with Session() as session:
        session.auth = auth  # also keeps requests from sending what ~/.netrc has
        current = named
        try:
            for _ in range(MAX_REDIRECTS + 1):
                with session.request(
                    method,
                    current.geturl(),
                    data=question.body,
                    headers=dict(question.headers),
                    allow_redirects=False,
                    stream=True,
                    timeout=max(0.1, deadline - time.monotonic()) + 1,  # whoever waits has given up by then
                ) as response:
                    if response.status_code not in _REDIRECTS:
                        return _content(response, current, limit_bytes)
                    if method == "POST":  # what was asked would be lost, or told to somebody else
                        raise EvidenceError(f"{shown(current)} redirects a question", "name the final address")
                    current = _redirected(named, current, response.headers.get("location", ""))
        except (ChunkedEncodingError, ProtocolError):
            raise EvidenceError(f"{shown(current)}: the answer was cut off", "try again") from None
        except (RequestException, HTTPError) as error:
            # Not the error's own text: it may hold the query of the address, and with it a secret.
            kind = _PassingError if isinstance(error, NoConnection) else EvidenceError
            raise kind(
                f"{shown(current)} cannot be fetched ({type(error).__name__})", "check the address and the network"
            ) from None
    raise EvidenceError(f"{shown(named)} redirects more than {MAX_REDIRECTS} times", "name the final address")


def shown(url: SplitResult) -> str:
    """An address as it may be printed: without user, password, query and fragment."""
    return f"{url.scheme}://{_host(url)}{url.path}"


class _Authorization:
    """Adds the token to requests for the named host."""

    def __init__(self, named: SplitResult) -> None:
        self._origin = _origin(named)
        self._header = _header()

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        if self._header and self._origin[0] == "https" and _origin(urlsplit(request.url or "")) == self._origin:
            request.headers["Authorization"] = self._header
        return request


def _parsed(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_web = False
    if not is_web:
        raise UsageError("the profile's address is no http or https address", "give https://HOST/PATH, or a file")
    if parts.username is not None or parts.password is not None:
        raise UsageError("the profile's address holds a user or password", f"put a token into {TOKEN_VARIABLE} instead")
    return parts


def _header() -> str:
    """The value of the Authorization header, empty without a token."""
    token, user = _variable(TOKEN_VARIABLE), _variable(USER_VARIABLE)
    if user:
        if ":" in user:
            raise UsageError(f"{USER_VARIABLE} holds a colon", f"put the password into {TOKEN_VARIABLE}")
        return f"Basic {base64.b64encode(f'{user}:{token}'.encode()).decode()}"
    return f"Bearer {token}" if token else ""


def _variable(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise UsageError(f"{name} holds characters that no token has", "set it again, without line breaks")
    return value


def _host(url: SplitResult) -> str:
    port = f":{url.port}" if url.port else ""
    return f"[{url.hostname}]{port}" if ":" in (url.hostname or "") else f"{url.hostname}{port}"


def _origin(url: SplitResult) -> tuple[str, str, int]:
    return url.scheme, url.hostname or "", url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def _redirected(named: SplitResult, current: SplitResult, location: str) -> SplitResult:
    try:
        target = _parsed(urljoin(current.geturl(), location))
    except (UsageError, ValueError):
        raise EvidenceError(f"{shown(current)} redirects to no web address", "name the final address") from None
    if current.scheme == "https" and target.scheme != "https":
        raise EvidenceError(f"{shown(current)} redirects from https to http", "name the final address, if it is right")
    if target.hostname != named.hostname and not _reach(target) <= _reach(named):
        raise EvidenceError(
            f"{shown(current)} redirects into a private network ({_host(target)})",
            "name the final address, if it is right",
        )
    return target


def _reach(url: SplitResult) -> set[str]:
    """Where a host's addresses lie besides the public internet: ``private``, and within it ``machine`` or ``link``.

    A private host may send into its network, but not to the machine that gate runs on, nor to what answers on its link
    alone, as a cloud's keys do (169.254.169.254).
    """
    try:
        found = socket.getaddrinfo(url.hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise EvidenceError(f"the host {_host(url)} is not known", "check the address and the network") from None
    result: set[str] = set()
    for entry in found:
        address = ipaddress.ip_address(str(entry[4][0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        kinds = (("private", not address.is_global), ("machine", address.is_loopback or address.is_unspecified),
                 ("link", address.is_link_local))  # fmt: skip
        result |= {kind for kind, holds in kinds if holds}
    return result


def _content(response: "Response", url: SplitResult, limit_bytes: int) -> bytes:
    if response.status_code != 200:
        hint = f"set {TOKEN_VARIABLE}" if response.status_code in (401, 403) else "check the address"
        kind = _PassingError if response.status_code in _AGAIN else EvidenceError
        raise kind(f"{shown(url)} answered with status {response.status_code}{_complaint(response)}", hint)
    content = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        content += chunk
        if len(content) > limit_bytes:
            raise EvidenceError(f"{shown(url)} has more than {limit_bytes:,} bytes", "import fewer recordings at once")
    return bytes(content)


def _complaint(response: "Response") -> str:
    """What the server says of an error, where it is a line of text and not a page."""
    body = next(response.iter_content(4 * _MAX_COMPLAINT), b"").decode("utf-8", "replace").strip()
    return "" if not body or is_page(body.encode()) else f": {body.splitlines()[0][:_MAX_COMPLAINT]}"


def is_page(content: bytes) -> bool:
    """Whether an answer is a web page, as proxies and sign-in pages give instead of data."""
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html"))
