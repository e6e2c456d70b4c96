"""GitHub's REST API: one request at a time, bounded in time, size, pages and retries.

The token goes to the API's own origin alone, over https (or to this machine), and into no message.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from gatecli import __version__
from gatecli.errors import EvidenceError, UsageError
from gatecli.sources.github_address import checked_root, is_loopback, joined

if TYPE_CHECKING:
    from requests import Response, Session

_T = TypeVar("_T")

PER_PAGE = 100
MAX_PAGES = 100
MAX_BYTES = 50_000_000
MAX_FILE_BYTES = 256 * 1024 * 1024
FILE_TIMEOUT_S = 300.0
REQUEST_TIMEOUT_S = 60.0
"""A whole request, however slowly its bytes come."""

MAX_ATTEMPTS = 4
MAX_WAIT_S = 150.0
"""All pauses of one run together: a job should not sit out GitHub's hour."""

_READ_TIMEOUT_S = 30.0
_MAX_REDIRECTS = 3
_CHUNK_BYTES = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 500, 502, 503, 504})

# https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api: at least a minute where
# GitHub does not say how long a secondary limit lasts.
_SECONDARY_LIMIT_S = 60.0


class ApiError(EvidenceError):
    """GitHub did not do what was asked; ``status`` is the answer's, None where none came."""

    def __init__(self, message: str, hint: str = "", *, status: int | None = None) -> None:
        super().__init__(message, hint)
        self.status = status

    @property
    def refused(self) -> bool:
        """Whether the token is not allowed to do it (GitHub hides what it does not show behind 404)."""
        return self.status in (403, 404)


class RateLimitError(ApiError):
    """GitHub wants fewer requests, for longer than this run waits."""

    @property
    def refused(self) -> bool:
        """Never: later it is allowed."""
        return False


class Api:
    """A client of one GitHub. It keeps what it has read with its ETag, and asks GitHub only for what is newer."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._root = checked_root(url)
        self._token = _checked(token)
        self._sleep, self._now = sleep, now
        self._waited = 0.0
        self._known: dict[str, _Answer] = {}
        self._session: Session | None = None

    @property
    def has_token(self) -> bool:
        """Whether requests are made in anybody's name."""
        return bool(self._token)

    def get(self, path: str, **parameters: str | int) -> Any:
        """The decoded answer of a GET."""
        return self._request("GET", self._url(path, parameters)).value

    def pages(self, path: str, *, within: str | None = None, **parameters: str | int) -> list[Any]:
        """All entries of a list that GitHub gives in pages; ``within`` names the member that holds them, if any.

        Raises:
            ApiError: also where there are more than ``MAX_PAGES`` pages: part of a list is not evidence.
        """
        url: str | None = self._url(path, {"per_page": PER_PAGE, **parameters})
        found: list[Any] = []
        for _ in range(MAX_PAGES):
            answer = self._request("GET", url or "")
            entries = answer.value.get(within) if within and isinstance(answer.value, dict) else answer.value
            if not isinstance(entries, list):
                raise ApiError(f"GET {path} answered no list", _HINT_OTHER)
            found += entries
            url = answer.next_url
            if url is None:
                return found
        raise ApiError(f"GET {path} has more than {MAX_PAGES * PER_PAGE:,} entries", "close what is no longer needed")

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None, *, repeatable: bool) -> Any:
        """The decoded answer of a request that writes; tried again after a failure only where ``repeatable``."""
        return self._request(method, self._url(path, {}), body, repeatable=repeatable).value

    def graphql(self, query: str) -> Any:
        """The ``data`` of a GraphQL query, for the little that REST cannot answer."""
        root = self._root.removesuffix("/v3")  # GitHub Enterprise Server: /api/v3 and /api/graphql
        answer = self._request("POST", f"{root}/graphql", {"query": query}).value
        if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
            raise ApiError("the GraphQL query was not answered", _HINT_OTHER)
        return answer["data"]

    def file(self, path: str) -> bytes:
        """A file, which GitHub keeps at another host: the token is for the address of it and does not travel there."""
        url = self._url(path, {})
        answer = self._request("GET", url, is_file=True)
        try:
            return _within(FILE_TIMEOUT_S, partial(_file, urljoin(url, answer.location), self._is_local))
        except _BrokenError as broken:
            raise ApiError(f"GET {path}: {broken}", _HINT_NETWORK) from None
        except ValueError:
            raise ApiError(f"GET {path} leads to no address", _HINT_OTHER) from None

    @property
    def _is_local(self) -> bool:
        return urlsplit(self._root).scheme == "http"

    # ----------------------------------------------------------------- one request

    def _url(self, path: str, parameters: Mapping[str, str | int]) -> str:
        return f"{self._root}{path}" + (f"?{urlencode(parameters)}" if parameters else "")

    def _request(
        self,
        method: str,
        url: str,
        body: Mapping[str, object] | None = None,
        *,
        repeatable: bool = True,
        is_file: bool = False,
    ) -> "_Answer":
        """The answer, after as many attempts and pauses as are sensible."""
        name = f"{method} {urlsplit(url).path}"
        failure = ApiError(f"{name} was not answered", _HINT_NETWORK)
        for attempt in range(MAX_ATTEMPTS):
            try:
                answer = self._exchange(method, url, body, is_file=is_file)
            except _BrokenError as broken:
                failure = ApiError(f"{name}: {broken}", _HINT_NETWORK)
                wait = 2.0**attempt if repeatable else None
            else:
                if answer.status < 400:
                    return answer
                failure = self._failure(name, answer)
                wait = self._limited_for(answer, attempt)
                if wait is None and answer.status in _PASSING and repeatable:
                    wait = 2.0**attempt
            if wait is None or attempt == MAX_ATTEMPTS - 1:
                raise failure
            self._pause(wait, failure)
        raise failure

    def _exchange(self, method: str, url: str, body: Mapping[str, object] | None, *, is_file: bool) -> "_Answer":
        """One request with its redirects, which stay at the API's origin: the token must not travel.

        That of a file (``is_file``) is the answer itself.
        """
        for _ in range(_MAX_REDIRECTS + 1):
            answer = _within(REQUEST_TIMEOUT_S, partial(self._once, method, url, body))
            if answer.status == 304 and url in self._known:
                return self._known[url]
            if answer.status not in _REDIRECTS:
                if method == "GET" and answer.status == 200 and answer.etag:
                    self._known[url] = answer
                return answer
            if is_file and answer.status == 302:
                return answer
            target = joined(url, answer.location)
            if target is None:
                raise ApiError(f"{method} {urlsplit(url).path} redirects to another host", _HINT_OTHER)
            url = target
        raise ApiError(f"{method} {urlsplit(url).path} redirects more than {_MAX_REDIRECTS} times", _HINT_OTHER)

    def _once(self, method: str, url: str, body: Mapping[str, object] | None) -> "_Answer":
        from requests import RequestException, Session
        from urllib3.exceptions import HTTPError

        if self._session is None:
            self._session = Session()
            self._session.auth = _no_auth  # requests would send what ~/.netrc has
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": f"gate/{__version__}",
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if method == "GET" and url in self._known:
            headers["If-None-Match"] = self._known[url].etag
        try:
            with self._session.request(
                method,
                url,
                json=body,
                headers=headers,
                allow_redirects=False,
                stream=True,
                timeout=(10.0, _READ_TIMEOUT_S),
            ) as response:
                return self._read(response)
        except (RequestException, HTTPError, ValueError) as error:
            # ValueError: requests looks at where a redirect leads even where it does not follow.
            # Not the error's own text: it may hold headers, and with them the token.
            raise _BrokenError(f"no whole answer ({type(error).__name__})") from None

    def _read(self, response: "Response") -> "_Answer":
        content = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_BYTES:
                raise ApiError(f"an answer has more than {MAX_BYTES:,} bytes", _HINT_OTHER)
        headers = response.headers
        if response.status_code < 400 and content and "json" not in headers.get("content-type", ""):
            raise _BrokenError(f"the answer is {headers.get('content-type', 'of no type')[:40]}, not JSON")
        try:
            value = msgspec.json.decode(bytes(content)) if content else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if response.status_code < 400:
                raise _BrokenError("the answer is no valid JSON") from None
            value = None
        link = response.links.get("next", {}).get("url")
        if link and joined(self._root, link) is None:
            raise ApiError("the next page is at another host", _HINT_OTHER)
        return _Answer(
            status=response.status_code,
            value=value,
            etag=headers.get("etag", ""),
            location=headers.get("location", ""),
            next_url=link,
            retry_after=_number(headers.get("retry-after")),
            remaining=_number(headers.get("x-ratelimit-remaining")),
            reset_at=_number(headers.get("x-ratelimit-reset")),
        )

    # ----------------------------------------------------------------- what failed, and how long to wait

    def _limited_for(self, answer: "_Answer", attempt: int) -> float | None:
        """Seconds to wait because of a rate limit, None where it is not one."""
        if not answer.is_limit:
            return None
        if answer.retry_after is not None:
            return max(1.0, answer.retry_after)
        if answer.remaining == 0 and answer.reset_at is not None:
            return max(1.0, answer.reset_at - self._now() + 1)
        return _SECONDARY_LIMIT_S * 2.0**attempt

    def _pause(self, seconds: float, failure: ApiError) -> None:
        if self._waited + seconds > MAX_WAIT_S:
            if isinstance(failure, RateLimitError):
                raise RateLimitError(
                    f"{failure.message}; requests are allowed again at {_clock(self._now() + seconds)}",
                    "run again then, or use a token of its own (GITHUB_TOKEN)",
                    status=failure.status,
                )
            raise failure
        self._waited += seconds
        self._sleep(seconds)

    def _failure(self, name: str, answer: "_Answer") -> ApiError:
        said = self._scrubbed(answer.message)
        message = f"{name} answered {answer.status}{f': {said}' if said else ''}"
        if answer.is_limit:
            return RateLimitError(message, "run again later", status=answer.status)
        if answer.status == 401:
            return ApiError(message, "the token is wrong or has expired: set GITHUB_TOKEN anew", status=401)
        if answer.status in (403, 404):
            hint = "grant the token the permission" if self._token else "set GITHUB_TOKEN"
            return ApiError(message, f"{hint}, or check the names", status=answer.status)
        return ApiError(message, _HINT_NETWORK, status=answer.status)

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._token, "***") if self._token else text


_HINT_NETWORK = "try again; https://www.githubstatus.com tells whether GitHub is up"
_HINT_OTHER = "check GITHUB_API_URL: this is not how GitHub answers"


class _BrokenError(Exception):
    """No usable answer came: worth another attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """An answer with the headers that matter; times in seconds, ``reset_at`` epoch seconds."""

    status: int
    value: Any
    etag: str
    location: str
    next_url: str | None
    retry_after: int | None
    remaining: int | None
    reset_at: int | None

    @property
    def message(self) -> str:
        """GitHub's own words, cut; with what it found invalid."""
        if not isinstance(self.value, dict):
            return ""
        errors = self.value.get("errors")
        listed = errors[:3] if isinstance(errors, list) else ()
        parts = [self.value.get("message"), *(one.get("message") if isinstance(one, dict) else one for one in listed)]
        return "; ".join(part[:200] for part in parts if isinstance(part, str))

    @property
    def is_limit(self) -> bool:
        """Whether it is a rate limit, primary or secondary, rather than a missing permission."""
        if self.status not in (403, 429):
            return False
        told = self.retry_after is not None or self.remaining == 0
        return self.status == 429 or told or "rate limit" in self.message.lower()


def _file(url: str, is_local: bool) -> bytes:
    """What is behind an address that GitHub gave, asked for in nobody's name."""
    from requests import RequestException, get
    from urllib3.exceptions import HTTPError

    parts = urlsplit(url)
    if parts.scheme != "https" and not (is_local and is_loopback(parts.hostname or "")):
        raise ApiError("GitHub keeps the file at no https address", _HINT_OTHER)
    content = bytearray()
    try:
        with get(url, auth=_no_auth, allow_redirects=False, stream=True, timeout=(10.0, _READ_TIMEOUT_S)) as response:
            if response.status_code != 200:
                raise _BrokenError(f"the file's host answered {response.status_code}")
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > MAX_FILE_BYTES:
                    raise ApiError(f"the file has more than {MAX_FILE_BYTES:,} bytes", "keep a smaller one")
    except (RequestException, HTTPError, ValueError) as error:
        # Not the error's own text: the address is a secret while it is valid.
        raise _BrokenError(f"no whole file ({type(error).__name__})") from None
    return bytes(content)


def _within(seconds: float, call: "Callable[[], _T]") -> _T:
    """The result of a call that may take so long: time limits of sockets are for each read, not for an answer."""
    outcome: list[_T | BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise _BrokenError(f"no answer in {seconds:g} s")
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _no_auth(request: Any) -> Any:
    return request


def _checked(token: str) -> str:
    token = token.strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UsageError("GITHUB_TOKEN holds characters that no token has", "set it again, without line breaks")
    return token


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")
