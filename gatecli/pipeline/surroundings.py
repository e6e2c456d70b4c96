"""What stands around the touched functions, as far as an incident's memory asks for it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from gatecli.model import Blast, FunctionChange, FunctionId, Incident, Usage
from gatecli.sources.source import Source

MAX_CAUSES_FOLLOWED = 5
"""Causes of incidents from which moved files are followed: each takes git a comparison of two trees."""


@dataclass(kw_only=True)
class Around:
    """Who is next to the touched functions, and which functions stand before the change; asked once each.

    ``names`` are those of the functions that incidents came from: only files that hold one are read for calls.
    """

    origin: Source
    touched: Collection[str]
    names: Collection[bytes]
    usages: Mapping[FunctionId, Usage]
    blasts: Mapping[FunctionId, Blast]
    _standing: dict[str, frozenset[FunctionId]] = field(default_factory=dict)
    _called: dict[str, Mapping[FunctionId, tuple[FunctionId, ...]]] = field(default_factory=dict)
    _followed: list[str] = field(default_factory=list)

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(self.origin.base.paths())

    def has_file(self, path: str) -> bool:
        """Whether a file stands before the change."""
        return path in self._files

    def exists(self, id: FunctionId) -> bool:
        """Whether a function stands before the change."""
        from gatecli.syntax.languages import is_read, read_functions

        if id.path not in self._standing:
            content = self.origin.base.read(id.path) if is_read(id.path) else None
            found = read_functions(id.path, content) if content is not None else ()
            self._standing[id.path] = frozenset(one.id for one in found)
        return id in self._standing[id.path]

    def neighbours(self, change: FunctionChange) -> Iterator[FunctionId]:
        """The functions that a touched one calls, and is called by."""
        usage, blast = self.usages.get(change.id), self.blasts.get(change.id)
        yield from (caller.id for caller in (blast.callers if blast else ()) if caller.depth == 1)
        yield from (*usage.callers, *usage.callees) if usage else ()
        yield from self._calls(change.id.path).get(change.id, ())

    def _calls(self, path: str) -> Mapping[FunctionId, tuple[FunctionId, ...]]:
        from gatecli.syntax.callees import callees

        if path not in self._called:
            content = self.origin.head.read(path)
            named = content is not None and any(name in content for name in self.names)
            self._called[path] = callees(self.origin.head, path) if named else {}
        return self._called[path]

    def moved(self, incident: Incident) -> Mapping[FunctionId, FunctionId]:
        """Where the functions went that stood in files which are gone."""
        gone = [id for id in incident.functions if not self.has_file(id.path)]
        found: dict[FunctionId, FunctionId] = {}
        for cause in incident.caused_by[: MAX_CAUSES_FOLLOWED - len(self._followed)]:
            self._followed.append(cause)
            if not set(self.touched) <= self.origin.standing_at(cause, self.touched):  # else no file was moved here
                found.update(self._moved_since(cause, gone))
        return found

    def _moved_since(self, cause: str, gone: Collection[FunctionId]) -> Mapping[FunctionId, FunctionId]:
        from gatecli.syntax import match

        paths = {id.path for id in gone}
        drift = self.origin.drift(cause, lambda pairs: [new for old, new in pairs if old in paths])
        if drift is None:
            return {}
        renamed = {file.old_path: file.path for file in drift.files}
        found = {id: replace(id, path=renamed[id.path]) for id in gone if id.path in renamed}
        # In a file that was also edited a function may be called otherwise.
        changes, _ = match.changed_functions(drift.files)
        return found | {change.before.id: change.id for change in changes if change.before is not None}
