"""A profile of the revision that was deployed, as a profile of a later one.

Functions are followed the way their code went: by name in the same (or renamed) file; by equal or similar code under
another name; by lines, where most of a function's lines stand in one new function of its file; by a qualified name
that only one went by before and only one goes by now. What cannot be followed keeps its old name and is counted as
gone: production runs it, the code no longer has it (reference: runtime data §15.4 D).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import msgspec

from gatecli.model import (
    ChangeKind,
    FileChange,
    FileStatus,
    Function,
    FunctionChange,
    FunctionId,
    FunctionKind,
    Hunk,
    Usage,
)
from gatecli.runtime.profile import EntryShare, Profile, ProfiledFunction

MAX_FILES = 2_000
"""Above this many changed files only those that the change touches are followed: the rest would take minutes."""

MAX_NAMED = 5

_DEFINITION = re.compile(rb"\b(?:def|class|lambda)\b")
_UNSURE = ("lines", "unique name")
_IMPORTED = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)


class Way(StrEnum):
    """How a function was found again, surest first."""

    NAME = "name"
    CODE = "code"
    LINES = "lines"
    UNIQUE_NAME = "unique name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What happened to a function since the profile was recorded: what it ``was`` (None: it is new), and how we know.

    ``changed`` says that its code is not what was recorded.
    """

    was: FunctionId | None
    way: Way | None = None
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A profile in the names of the later revision, with what happened ``since`` to the functions of that revision.

    ``gone`` are the recorded functions that the code no longer has, each with the reason. ``commits_behind`` is None
    where it is not known.
    """

    profile: Profile
    since: Mapping[FunctionId, Since] = field(default_factory=dict)
    gone: Mapping[FunctionId, str] = field(default_factory=dict)
    commits_behind: int | None = None
    warnings: tuple[str, ...] = ()


def files_to_follow(
    profile: Profile, touched: Collection[str], pairs: Iterable[tuple[str | None, str]], is_test: Callable[[str], bool]
) -> frozenset[str]:
    """Which of the files that changed since the recording must be read, by their new paths.

    Args:
        profile: What was recorded.
        touched: Old paths of the change that is judged.
        pairs: Old (None: a new file) and new path of each file that changed since.
        is_test: Which paths hold tests: nothing moves there from production.
    """
    listed = list(pairs)
    wanted = {new for old, new in listed if new in touched or old in touched}
    if len(listed) > MAX_FILES:
        return frozenset(wanted)
    recorded = {id.rpartition("::")[0] for id in profile.ids()}
    wanted |= {new for old, new in listed if old in recorded or (old is None and not is_test(new))}
    return frozenset(wanted)


def files_to_parse(files: Iterable[FileChange], touched: Collection[str]) -> tuple[FileChange, ...]:
    """Those of the files in which recorded functions may have got another name, or may have come from another file.

    A function keeps its name as long as the lines that define it and what encloses it stay. Of the touched files
    (old paths) all is wanted: what is new there, and what changed.
    """
    listed = [file for file in files if file.hunks or file.path in touched]
    wanted = {file.path for file in listed if file.path in touched or file.old_path in touched}
    losing = {file.path for file in listed if _defines(file.before, (hunk.removed for hunk in file.hunks))}
    if losing:
        gaining = {file.path for file in listed if _defines(file.after, (hunk.added for hunk in file.hunks))}
        wanted |= losing | gaining
    return tuple(file for file in listed if file.path in wanted)


def _defines(source: bytes | None, blocks: Iterable[range]) -> bool:
    """Whether one of the lines begins a function or class, or may."""
    lines = source.split(b"\n") if source is not None else []
    return any(_DEFINITION.search(b"\n".join(lines[block.start - 1 : block.stop - 1])) for block in blocks if block)


def carry(
    profile: Profile,
    files: Collection[FileChange],
    functions: Iterable[FunctionChange],
    *,
    behind: int,
    ahead: int = 0,
    truncated: bool = False,
) -> Carried:
    """Follow the recorded functions to the later revision.

    Args:
        profile: Matched at the revision that was recorded.
        files: What differs between the two revisions, with both sides.
        functions: The functions that differ in the files that were worth parsing.
        behind: Commits that the later revision has and the recorded one lacks.
        ahead: Commits that the recorded revision has and the later one lacks.
        truncated: Only some of the files are there: the others are taken to be unchanged.
    """
    warnings = list(_distances(ahead, truncated))
    if not files:
        return Carried(profile=profile, commits_behind=behind, warnings=tuple(warnings))
    touched = tuple(functions)
    since = dict(_followed(files, touched, _recorded(profile)))
    kept = {one.was for one in since.values()}
    gone = {
        change.base_id: _why_gone(change, files)
        for change in touched
        if change.after is None and change.base_id not in kept and profile.function(str(change.base_id)) is not None
    }
    if gone:
        warnings.append(_gone_warning(gone))
    names = {str(was): str(id) for id, one in since.items() if (was := one.was) is not None and was != id}
    names |= _in_renamed_files(profile, files, skipped={*names, *map(str, gone)})
    return Carried(
        profile=_renamed(profile, names) if names else profile,
        since=since | _only_moved(profile, names, since),
        gone=gone,
        commits_behind=behind,
        warnings=tuple(warnings),
    )


def as_of(usage: Usage, id: FunctionId, past: Since) -> Usage:
    """What was recorded of a function, with what happened to it since: how sure it is that it is the same one."""
    notes = [usage.reason] if usage.reason else []
    if past.was is not None and past.was != id:
        notes.append(f"recorded as {past.was}" + (f", found by its {past.way}" if past.way in _UNSURE else ""))
    if past.changed:
        notes.append("its code changed since")
    confidence = usage.confidence
    if past.way in _UNSURE:
        confidence = "low"
    elif past.changed and confidence == "high":
        confidence = "medium"
    return replace(usage, confidence=confidence, reason="; ".join(notes) or None)


def _in_renamed_files(profile: Profile, files: Iterable[FileChange], skipped: Collection[str]) -> dict[str, str]:
    """Old id → new id of the other recorded functions whose file has another path now."""
    paths = {file.old_path: file.path for file in files if file.status is FileStatus.RENAMED and file.old_path}
    result = {}
    for id in profile.ids():
        path, _, qualname = id.rpartition("::")
        if path in paths and id not in skipped:
            result[id] = f"{paths[path]}::{qualname}"
    return result


def _distances(ahead: int, truncated: bool) -> Iterator[str]:
    if ahead:
        what = "1 commit" if ahead == 1 else f"{ahead:,} commits"
        yield f"the recorded revision has {what} that the base of the change lacks"
    if truncated:
        yield (
            f"more than {MAX_FILES:,} Python files changed since the profile was recorded: "
            "only the functions of the touched files are followed"
        )


def _recorded(profile: Profile) -> Mapping[str, list[FunctionId]]:
    """The recorded functions by qualified name."""
    result: dict[str, list[FunctionId]] = defaultdict(list)
    for id in profile.ids():
        path, _, qualname = id.rpartition("::")
        result[qualname].append(FunctionId(path=path, qualname=qualname))
    return result


def _followed(
    files: Collection[FileChange], functions: Iterable[FunctionChange], recorded: Mapping[str, list[FunctionId]]
) -> Iterator[tuple[FunctionId, Since]]:
    """What happened to each function that is not as it was, by its later id."""
    before = {file.old_path: file.before for file in files if file.old_path}
    after = {file.path: file.after for file in files}
    removed: list[Function] = []
    added: dict[FunctionId, Function] = {}
    for change in functions:
        if change.before is None and change.after is not None:
            added[change.id] = change.after
        elif change.before is not None and change.after is None:
            removed.append(change.before)
        elif change.before is not None and change.after is not None:
            same_name = change.before.id.qualname == change.after.id.qualname and change.kind is not ChangeKind.RENAMED
            sides = before.get(change.before.id.path), after.get(change.id.path)
            is_same = change.kind is not ChangeKind.EDITED and _same_code(change.before, change.after, sides)
            yield (
                change.id,
                Since(
                    was=change.before.id,
                    way=Way.NAME if same_name and _same_file(change, files) else Way.CODE,
                    changed=not is_same and change.kind is not ChangeKind.COSMETIC,
                ),
            )
    for was, id, way in _found_again(files, removed, added, recorded):
        del added[id]
        yield id, Since(was=was, way=way, changed=True)
    yield from ((id, Since(was=None)) for id in added)


def _same_file(change: FunctionChange, files: Collection[FileChange]) -> bool:
    old, new = change.base_id.path, change.id.path
    return old == new or any(file.path == new and file.old_path == old for file in files)


def _same_code(before: Function, after: Function, sides: tuple[bytes | None, bytes | None]) -> bool:
    """Whether two functions have the same text but for their name and indentation."""
    old, new = (_code(side, one) for side, one in zip(sides, (before, after), strict=True))
    return old is not None and old == new


def _code(source: bytes | None, function: Function) -> list[bytes] | None:
    if source is None:
        return None
    lines = source.split(b"\n")[function.span.def_line - 1 : function.span.end_line]
    stripped = [line.strip() for line in lines]
    return [stripped[0].partition(b"(")[2], *filter(None, stripped[1:])] if stripped else []


def _found_again(
    files: Collection[FileChange],
    removed: Collection[Function],
    added: Mapping[FunctionId, Function],
    recorded: Mapping[str, list[FunctionId]],
) -> Iterator[tuple[FunctionId, FunctionId, Way]]:
    """Removed functions that are among the added ones after all: was, is, and how it is known."""
    by_old_path = {file.old_path: file for file in files if file.old_path and file.status is not FileStatus.COPIED}
    free = {id: one for id, one in added.items() if one.kind not in _IMPORTED}
    lost = []
    for function in removed:
        file = by_old_path.get(function.id.path)
        found = _by_lines(function, file, free.values()) if file and function.kind not in _IMPORTED else None
        if found is None:
            lost.append(function)
        else:
            del free[found]
            yield function.id, found, Way.LINES
    for qualname, was in _alone(function.id for function in lost if function.kind not in _IMPORTED).items():
        is_now = _alone(id for id in free if id.qualname == qualname).get(qualname)
        if is_now is not None and recorded.get(qualname, [was]) == [was]:
            del free[is_now]
            yield was, is_now, Way.UNIQUE_NAME


def _alone(ids: Iterable[FunctionId]) -> dict[str, FunctionId]:
    """The qualified names that only one of the functions has."""
    found: dict[str, list[FunctionId]] = defaultdict(list)
    for id in ids:
        found[id.qualname].append(id)
    return {qualname: ids[0] for qualname, ids in found.items() if len(ids) == 1}


def _by_lines(function: Function, file: FileChange, added: Iterable[Function]) -> FunctionId | None:
    """The new function of the file that holds most of the lines, the innermost of several."""
    lines = range(function.span.first_line, function.span.end_line + 1)
    now = _shifted(lines, file.hunks)
    holding = [
        (one.span.end_line - one.span.first_line, one.id)
        for one in added
        if one.id.path == file.path and 2 * sum(line in one.span for line in now) > len(lines)
    ]
    return min(holding)[1] if holding else None


def _shifted(lines: range, hunks: Iterable[Hunk]) -> list[int]:
    """Where the lines that were not replaced are on the other side."""
    ordered = sorted(hunks, key=lambda hunk: hunk.old_start)
    result = []
    offset = position = 0
    for line in lines:
        while position < len(ordered) and _end(ordered[position]) < line:
            offset += ordered[position].new_count - ordered[position].old_count
            position += 1
        if position == len(ordered) or line not in ordered[position].removed:
            result.append(line + offset)
    return result


def _end(hunk: Hunk) -> int:
    """The last line before which, or at which, the hunk stands: an insertion stands behind its line."""
    return hunk.old_start + max(0, hunk.old_count - 1)


def _why_gone(change: FunctionChange, files: Collection[FileChange]) -> str:
    path = change.base_id.path
    deleted = any(file.path == path and file.status is FileStatus.DELETED for file in files)
    return "its file was deleted" if deleted else "removed, and no function has its lines or its name"


def _gone_warning(gone: Mapping[FunctionId, str]) -> str:
    named = ", ".join(str(id) for id in sorted(gone)[:MAX_NAMED])
    more = f" and {len(gone) - MAX_NAMED:,} more" if len(gone) > MAX_NAMED else ""
    what = "1 recorded function is" if len(gone) == 1 else f"{len(gone):,} recorded functions are"
    return f"{what} no longer in the code: {named}{more}"


def _only_moved(
    profile: Profile, names: Mapping[str, str], since: Mapping[FunctionId, Since]
) -> dict[FunctionId, Since]:
    """The untouched functions of renamed files."""
    result = {}
    for was, is_now in names.items():
        path, _, qualname = is_now.rpartition("::")
        id = FunctionId(path=path, qualname=qualname)
        if id not in since and profile.function(was) is not None:
            old_path, _, old_name = was.rpartition("::")
            result[id] = Since(was=FunctionId(path=old_path, qualname=old_name), way=Way.NAME)
    return result


def _renamed(profile: Profile, names: Mapping[str, str]) -> Profile:
    """The profile with other names for its functions; where two get the same, the one that always had it stays."""

    def name(id: str) -> str:
        return names.get(id, id)

    def row(old: ProfiledFunction) -> ProfiledFunction:
        entries = tuple(EntryShare(id=name(entry.id), share=entry.share) for entry in old.entry_points)
        return msgspec.structs.replace(old, id=name(old.id), entry_points=entries)

    functions: dict[str, ProfiledFunction] = {}
    for old in sorted(profile.functions, key=lambda old: old.id in names):
        functions.setdefault(name(old.id), row(old))
    entries = [
        msgspec.structs.replace(entry, id=name(entry.id), handler=name(entry.handler) if entry.handler else None)
        for entry in profile.entry_points
    ]
    tests = None if profile.tests is None else {name(id): tests for id, tests in sorted(profile.tests.items())}
    return msgspec.structs.replace(
        profile,
        functions=tuple(functions[id] for id in sorted(functions)),
        edges=profile.calls().renamed(name),
        entry_points=tuple(sorted(entries, key=lambda entry: entry.id)),
        tests=tests,
    )
