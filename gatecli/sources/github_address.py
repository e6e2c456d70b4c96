"""Addresses of GitHub's API, and which of them a token may travel to: the one origin it is for, encrypted."""

import ipaddress
from urllib.parse import urljoin, urlsplit

from gatecli.errors import UsageError

API_URL = "https://api.github.com"


def checked_root(url: str) -> str:
    """A base address without a slash at its end.

    Raises:
        UsageError: it is none, or the token would travel unencrypted.
    """
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and (parts.port or 1) > 0 and parts.username is None and not parts.query
    except ValueError:
        valid = False
    if not valid:
        raise UsageError("GITHUB_API_URL is no address", f"leave it unset for {API_URL}")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise UsageError("GITHUB_API_URL is no https address", "the token must not travel unencrypted")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def joined(url: str, location: str) -> str | None:
    """Where a location leads from an address, None where that is another origin or nowhere."""
    try:
        target = urljoin(url, location)
        return target if _origin(target) == _origin(url) else None
    except ValueError:
        return None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
