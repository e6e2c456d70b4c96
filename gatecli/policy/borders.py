"""Whether a change crosses a border: a new listener, a host or an import that its trust zone has not declared.

Hosts are what the rule on them finds in Python, and what settings name (``hosts.py``). Imports are read from the text
of both sides, of Python alone; only those that the change adds count, and only between declared zones.
Where a module lies is told by its name, below the root, ``src`` or a folder above the importing file.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from gatecli.config import Config
from gatecli.errors import EvidenceError
from gatecli.model import FileChange, Finding
from gatecli.policy.conditions import Facts, Held
from gatecli.policy.hosts import new_hosts
from gatecli.syntax.imports import Imported, read_names
from gatecli.syntax.python import is_python

CROSSING = frozenset({"cross-zone-import", "listener-opened"})
HOST_RULE = "outbound-host-added"

_TALKS_TO = re.compile(r"now talks to ([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)$")
MAX_FILES = 500
"""Python files whose imports are read; of a larger change nobody can say that it crosses nothing."""


def crosses(about: Facts) -> Held:
    """Yes, no, or None: a file could not be read."""
    if any(_is_crossing(one, about) for one in about.found):
        return True
    if any(not _may_reach(host, path, about) for path, host in new_hosts(about.case.change)):
        return True
    if sum(bool(about.matching(patterns)) for patterns in about.config.zones.values()) > 1:
        return True
    if len(about.config.zones) < 2:
        return False
    files = [one for one in about.case.change.files if is_python(one.path) and one.after is not None]
    answers = [_imports_across(one, about) for one in files[:MAX_FILES]]
    if True in answers:
        return True
    return None if None in answers or len(files) > MAX_FILES else False


def _is_crossing(one: Finding, about: Facts) -> bool:
    """Whether a finding says so: a host that neither the policy nor the border of every zone of the file allows."""
    if one.rule != HOST_RULE:
        return one.rule in CROSSING
    named = _TALKS_TO.search(one.message)
    return named is None or not _may_reach(named[1].casefold(), one.path, about)


def _may_reach(host: str, path: str | None, about: Facts) -> bool:
    """Whether the policy, or the border of every zone of a file, allows it to talk to a host."""
    config = about.config
    zones = _zones_of(path, about) if path is not None else frozenset()
    allowed = [_hosts(config, zone) for zone in zones] or [frozenset()]
    return all(host in hosts | {each.casefold() for each in config.hosts} for hosts in allowed)


def _hosts(config: Config, zone: str) -> frozenset[str]:
    border = config.borders.get(zone)
    return frozenset(host.casefold() for host in border.hosts) if border else frozenset()


def _imports_across(file: FileChange, about: Facts) -> Held:
    here = _zones_of(file.path, about)
    if not here:
        return False
    try:
        before = set(read_names(file.path, file.before or b"").imports.values())
        after = set(read_names(file.path, file.after or b"").imports.values())
    except EvidenceError:
        return None
    return any(_leaves(one, file.path, here, about) for one in after - before)


def _leaves(imported: Imported, path: str, here: frozenset[str], about: Facts) -> bool:
    """Whether an import leads into a zone that none of the importing file's zones may import from."""
    declared = {zone for name in here if (border := about.config.borders.get(name)) for zone in border.imports}
    return any(
        there and not there & (here | declared)
        for there in (_zones_of(candidate, about) for candidate in _places(imported, path))
    )


def _zones_of(path: str, about: Facts) -> frozenset[str]:
    return frozenset(name for name, patterns in about.config.zones.items() if about.selects(patterns, path))


def _places(imported: Imported, path: str) -> Iterator[str]:
    """Where the module of an import may lie."""
    stem = imported.module.replace(".", "/")
    stems = [stem, f"{stem}/{imported.name}"] if imported.name else [stem]
    for root in _roots(path):
        for one in stems:
            yield str(root / f"{one}.py")
            yield str(root / one / "__init__.py")


def _roots(path: str) -> Iterable[PurePosixPath]:
    return dict.fromkeys((PurePosixPath(), PurePosixPath("src"), *PurePosixPath(path).parents))
