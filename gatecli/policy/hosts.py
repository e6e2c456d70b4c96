"""Hosts that configuration begins to name: addresses, and what stands behind a key that says it is a host.

Read line by line, whatever the format: a line that looks like a comment, a lock file and what a name says is only shown
to people (``docs_url``) are passed over.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from gatecli.model import Change, FileChange
from gatecli.rules.checks.hosts import OURS, SHOWN, TELLING, URL
from gatecli.rules.lines import decoded

MAX_LINE = 10_000

_SUFFIXES = frozenset(
    {
        *(".yml", ".yaml", ".json", ".toml", ".ini", ".cfg", ".conf", ".config", ".properties"),
        *(".env", ".tf", ".tfvars", ".hcl", ".service"),
    }
)
_LOCK = re.compile(r"(?i)(?:^|[-_.])lock(?:file)?(?:\.[a-z]+)?$|^go\.sum$|^npm-shrinkwrap\.json$")
_KEY = re.compile(r"([A-Za-z0-9_.-]{1,100})[\"']?[ \t]{0,8}[:=][ \t]{0,8}[\"']?$")
_BARE = re.compile(
    r"([A-Za-z0-9_.-]{1,100})[\"']?[ \t]{0,8}[:=][ \t]{0,8}[\"']?"
    r"((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?=[\"':/,;\s]|$)"
)
_WORD = re.compile(r"[a-z0-9.-]{4,253}")
_COMMENT = ("#", "//", ";")


def is_configuration(path: str) -> bool:
    """Whether a file holds settings, by its name; a lock file holds what a tool wrote."""
    name = PurePosixPath(path).name
    return not _LOCK.search(name) and (PurePosixPath(path).suffix.lower() in _SUFFIXES or name.startswith(".env"))


def new_hosts(change: Change) -> Iterator[tuple[str, str]]:
    """``(path, host)`` of every host that configuration names and no changed file named before."""
    files = [one for one in change.files if one.after is not None and is_configuration(one.path)]
    texts = (decoded(one.before).casefold() for one in change.files) if files else ()
    before = {word.strip(".-") for text in texts for word in _WORD.findall(text)}
    for file in files:
        for host in dict.fromkeys(_named(file)):
            if "." in host and not OURS.search(host) and host not in before:
                yield file.path, host


def _named(file: FileChange) -> Iterator[str]:
    for line in decoded(file.after).split("\n"):
        if not line.lstrip().startswith(_COMMENT):
            yield from _in_line(line[:MAX_LINE])


def _in_line(line: str) -> Iterator[str]:
    for match in URL.finditer(line):
        key = _KEY.search(line[max(0, match.start() - 120) : match.start()])
        if key is None or not SHOWN.search(key[1]):
            yield match[1].rstrip(".").casefold()
    for match in _BARE.finditer(line):
        if TELLING.search(match[1]) and not SHOWN.search(match[1]):
            yield match[2].casefold()
