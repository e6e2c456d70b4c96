"""A profile from a web address that the user named.

Nothing else is contacted. The token in ``GATE_PROFILE_TOKEN`` goes to the named host alone, and over https alone; a
redirect from a public host into a private network is refused, as a compromised host could use it to reach services
that trust the machine gate runs on.
"""

import ipaddress
import os
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from gatecli.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

TOKEN_VARIABLE = "GATE_PROFILE_TOKEN"
MAX_REDIRECTS = 5
_CHUNK_BYTES = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def fetch(url: str, *, limit_bytes: int, timeout_s: float) -> bytes:
    """The content of a web address.

    ``limit_bytes`` bounds the content after decompression, ``timeout_s`` the whole fetch. Certificates are verified.

    Raises:
        UsageError: no http(s) address, or one that holds a password.
        EvidenceError: no answer in time, refused, redirected where it must not go, or too large.
    """
    named = _parsed(url)
    auth = _Bearer(named)
    outcome: list[bytes | BaseException] = []

    def run() -> None:
        try:
            outcome.append(_fetch(named, auth, limit_bytes, timeout_s))
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


def _fetch(named: SplitResult, auth: "_Bearer", limit_bytes: int, timeout_s: float) -> bytes:
    from requests import RequestException, Session
    from urllib3.exceptions import HTTPError

    with Session() as session:
        session.auth = auth  # also keeps requests from sending what ~/.netrc has
        current = named
        try:
            for _ in range(MAX_REDIRECTS + 1):
                with session.get(current.geturl(), allow_redirects=False, stream=True, timeout=timeout_s) as response:
                    if response.status_code not in _REDIRECTS:
                        return _content(response, current, limit_bytes)
                    current = _redirected(named, current, response.headers.get("location", ""))
        except (RequestException, HTTPError) as error:
            # Not the error's own text: it may hold the query of the address, and with it a secret.
            raise EvidenceError(
                f"{shown(current)} cannot be fetched ({type(error).__name__})", "check the address and the network"
            ) from None
    raise EvidenceError(f"{shown(named)} redirects more than {MAX_REDIRECTS} times", "name the final address")


def shown(url: SplitResult) -> str:
    """An address as it may be printed: without user, password, query and fragment."""
    return f"{url.scheme}://{_host(url)}{url.path}"


class _Bearer:
    """Adds the token to requests for the named host."""

    def __init__(self, named: SplitResult) -> None:
        self._origin = _origin(named)
        self._token = _token()

    def __call__(self, request: "PreparedRequest") -> "PreparedRequest":
        if self._token and self._origin[0] == "https" and _origin(urlsplit(request.url or "")) == self._origin:
            request.headers["Authorization"] = f"Bearer {self._token}"
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


def _token() -> str:
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UsageError(f"{TOKEN_VARIABLE} holds characters that no token has", "set it again, without line breaks")
    return token


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
    if target.hostname != named.hostname and _is_private(target) and not _is_private(named):
        raise EvidenceError(
            f"{shown(current)} redirects into a private network ({_host(target)})",
            "name the final address, if it is right",
        )
    return target


def _is_private(url: SplitResult) -> bool:
    """Whether a host has an address that is not on the public internet (private, loopback, link-local, reserved)."""
    try:
        found = socket.getaddrinfo(url.hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise EvidenceError(f"the host {_host(url)} is not known", "check the address and the network") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return any(not (getattr(address, "ipv4_mapped", None) or address).is_global for address in addresses)


def _content(response: "Response", url: SplitResult, limit_bytes: int) -> bytes:
    if response.status_code != 200:
        hint = f"set {TOKEN_VARIABLE}" if response.status_code in (401, 403) else "check the address"
        raise EvidenceError(f"{shown(url)} answered with status {response.status_code}", hint)
    content = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        content += chunk
        if len(content) > limit_bytes:
            raise EvidenceError(f"{shown(url)} has more than {limit_bytes:,} bytes", "import fewer recordings at once")
    return bytes(content)
