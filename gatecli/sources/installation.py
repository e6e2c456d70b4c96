"""Where the gate that is running came from: the repository and the commit that a workflow can name as the action."""

import importlib.metadata
import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gatecli.errors import GateError, UsageError
from gatecli.sources.git import Repository

SERVER = "https://github.com"
_HINT = "name it: --action OWNER/REPO@COMMIT, with the full hash of a commit that you reviewed"
_SLUG = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{40}")
# user@host:path, which is no URL: https://git-scm.com/docs/git-clone#_git_urls
_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!/)(.+)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a workflow writes after ``uses:``, and what could not be made sure of."""

    server: str
    repository: str
    commit: str
    doubts: tuple[str, ...] = ()


def named(text: str, *, server: str = SERVER) -> Action:
    """The action that somebody named.

    Raises:
        UsageError: it is not ``OWNER/REPO@COMMIT`` with a full hash; a tag or a branch can be moved to other code.
    """
    repository, _, commit = text.partition("@")
    if not _SLUG.fullmatch(repository):
        raise UsageError(f"--action names no repository: {text}", "like this: --action OWNER/REPO@COMMIT")
    if not _HASH.fullmatch(commit):
        raise UsageError(
            f"--action names no commit by its full hash: {text}",
            f"tags and branches can be moved: git ls-remote {server}/{repository} prints the hashes",
        )
    return Action(server=server, repository=repository, commit=commit)


def installed(*, server: str = SERVER) -> Action:
    """The repository and commit that pip says this gate was installed from.

    https://packaging.python.org/en/latest/specifications/direct-url/

    Raises:
        UsageError: pip does not know, or it is nothing that a workflow of ``server`` could name.
    """
    try:
        text = importlib.metadata.distribution("gatecli").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        text = None
    return from_direct_url(text, server=server)


def from_direct_url(text: str | None, *, server: str = SERVER) -> Action:
    """The action of an installation, by what pip wrote beside it; see ``installed``."""
    if text is None:
        raise UsageError("which repository and commit this gate is from is not known: pip did not write it down", _HINT)
    try:
        record = json.loads(text)
        url, commit = str(record["url"]), record.get("vcs_info", {}).get("commit_id")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UsageError("pip's record of where this gate is from cannot be read (direct_url.json)", _HINT) from error
    if isinstance(commit, str) and _HASH.fullmatch(commit):
        return Action(server=server, repository=_slug(url, server), commit=commit)
    if url.startswith("file:"):
        return _of_checkout(Path(unquote(urlsplit(url).path)), server)
    raise UsageError("this gate was installed from an archive, which does not say its commit", _HINT)


def _of_checkout(folder: Path, server: str) -> Action:
    try:
        repository = Repository.open(folder)
    except GateError as error:
        raise UsageError(
            f"this gate was installed from {folder}, which is no checkout of it any more", _HINT
        ) from error
    commit = repository.head()
    # A folder inside somebody else's repository has their remote and their commits.
    if commit is None or repository.root.resolve() != folder.resolve() or not (folder / "action.yml").is_file():
        raise UsageError(f"this gate was installed from {folder}, which is no checkout of the action", _HINT)
    status, out, _ = repository.execute(["remote", "get-url", "origin"])
    if status:
        raise UsageError(f"this gate was installed from {folder}, whose repository has no remote named origin", _HINT)
    slug = _slug(out.decode("utf-8", "replace").strip(), server)
    doubts = []
    if not repository.text("for-each-ref", "--contains", commit, "--count=1", "refs/remotes/origin"):
        doubts.append(f"{commit[:12]} is on no branch of {slug} that {folder} knows: push it before this workflow runs")
    if not repository.is_clean():
        doubts.append(f"{folder} has uncommitted changes, which the action at {commit[:12]} has not")
    return Action(server=server, repository=slug, commit=commit, doubts=tuple(doubts))


def _slug(url: str, server: str) -> str:
    """``OWNER/REPO`` of an address on the server, without the name and password that may stand in it."""
    parts = urlsplit(url)
    host, path = parts.hostname, parts.path
    if host is None and (match := _SCP.fullmatch(url)):
        host, path = match[1], match[2]
    slug = path.strip("/").removesuffix(".git")
    if host != urlsplit(server).hostname or not _SLUG.fullmatch(slug):
        raise UsageError(f"this gate is from {host or 'a folder'}, which is not {urlsplit(server).hostname}", _HINT)
    return slug
