"""Where a reader can look at the source: on the forge that runs the gate, or in the folder on this machine."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from gatecli.model import Change

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SERVER = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[\w.~-]+)*")
_LONGEST = 4_096
_REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)+", re.ASCII)


def web_url(change: Change, environment: Mapping[str, str]) -> str | None:
    """What a path of the head is appended to, to read it on the web; None where no CI says where that is.

    GitHub and GitLab tell their runs: https://docs.github.com/en/actions/reference/workflows-and-actions/variables,
    https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    if change.head is None or not _SHA.fullmatch(change.head):
        return None
    server, repository = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    if _SERVER.fullmatch(server) and _REPOSITORY.fullmatch(repository):
        return f"{server}/{repository}/blob/{change.head}/"
    project = environment.get("CI_PROJECT_URL", "")
    return f"{project}/-/blob/{change.head}/" if _SERVER.fullmatch(project) else None


def folder_url(folder: Path) -> str:
    """What a path is appended to, to open it on this machine."""
    return f"{folder.resolve().as_uri()}/"


def link(source_url: str, path: str, line: int | None) -> str:
    """The address of a line: the path is percent-encoded, so that it can end neither the address nor what holds it."""
    on_web = source_url.startswith(("http://", "https://"))
    return f"{source_url}{relative_url(path)}" + (f"#L{line}" if on_web and line is not None else "")


def relative_url(path: str) -> str:
    """A path as a relative address: bytes that are not UTF-8 stay those bytes, a colon makes no scheme."""
    path = path[:_LONGEST]
    try:
        encoded = path.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which no file name has
        encoded = path.encode(errors="surrogatepass")
    return quote(encoded, safe="/").lstrip("/") or "."
