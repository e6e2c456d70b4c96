"""What is known of a change: its profile, callers, history and provenance."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli.config import Config
from gatecli.model import (
    Blast,
    FileChange,
    FileKnowledge,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    PastCommit,
    Provenance,
    PullText,
    Recollection,
    Tree,
)
from gatecli.pipeline.governing import MAILMAP
from gatecli.pipeline.places import cache_folder
from gatecli.pipeline.request import Request
from gatecli.sources.source import Source

if TYPE_CHECKING:
    from concurrent.futures import Future

    from gatecli.runtime.carry import Carried
    from gatecli.runtime.profile import Profile


MAX_PROFILE_DOWNLOAD = 200_000_000


DOWNLOAD_TIMEOUT_S = 60.0


def read_profile(origin: Source, request: Request, settings: Config) -> "tuple[Profile | None, str]":
    """The profile that was named, else the policy's: at the base revision where it is tracked, else on disk."""
    from gatecli.runtime import profile

    if request.profile is not None:
        if request.profile.startswith(("http://", "https://")):
            from gatecli.runtime.engines import url

            content = url.fetch(request.profile, limit_bytes=MAX_PROFILE_DOWNLOAD, timeout_s=DOWNLOAD_TIMEOUT_S)
            return profile.decode(content), request.profile
        return profile.load(Path(request.profile)), request.profile
    path = settings.profile.path
    tracked = origin.base.read(path)
    if tracked is not None:
        return profile.decode(tracked), path
    on_disk = origin.root / path
    added = any(file.path == path for file in origin.change.files)
    return (profile.load(on_disk), path) if on_disk.is_file() and not added else (None, path)


def carry_to_base(
    origin: Source, profile: "Profile", touched: Iterable[FileChange], tests: tuple[str, ...]
) -> "Carried":
    """The profile as one of the revision before the change; as it is where the recorded one is not at hand."""
    from gatecli.rules.paths import matches
    from gatecli.runtime import carry
    from gatecli.syntax import match

    if profile.meta.revision is None:
        return carry.Carried(profile=profile)
    paths = {file.old_path for file in touched if file.old_path}
    drift = origin.drift(
        profile.meta.revision,
        lambda pairs: carry.files_to_follow(profile, paths, pairs, lambda path: matches(tests, path)),
    )
    if drift is None:
        unknown = f"the recorded revision {profile.meta.revision[:12]} is not in this clone: matched by name alone"
        return carry.Carried(profile=profile, warnings=(unknown,))
    functions, _ = match.changed_functions(carry.files_to_parse(drift.files, paths))
    return carry.carry(
        profile,
        drift.files,
        functions,
        behind=drift.behind,
        ahead=drift.ahead,
        truncated=drift.differing > carry.MAX_FILES,
    )


def trace_callers(
    origin: Source,
    functions: tuple[FunctionChange, ...],
    profile: "Profile | None",
    settings: Config,
    is_test: Callable[[str], bool],
) -> Mapping[FunctionId, Blast]:
    """Who calls the functions, up to the entry points: as the profile saw it, else as the code of the head says."""
    from gatecli.runtime import attach
    from gatecli.syntax import blast, types

    found = attach.entry_points_of(profile) if profile else {}
    with types.TypeServer(types.program, origin.checkout) as checker, _indexed(origin.head) as head:
        return blast.trace(
            functions,
            head,
            profile_callers=attach.callers_in(profile) if profile else {},
            profile_entry_points={id: tuple(label for label, _ in labels) for id, labels in found.items()},
            share_of=(lambda ids: attach.traffic_share(profile, frozenset(ids))) if profile else _unknown,
            is_test=is_test,
            types=checker,
            routes=settings.profile.routes,
        )


@contextmanager
def _indexed(tree: Tree) -> "Iterator[Tree]":
    """A tree with a memory, where its files have ids."""
    from gatecli.syntax.cache import FactCache
    from gatecli.syntax.indexed import IndexedTree

    if not tree.ids():
        yield tree
        return
    indexed = IndexedTree(tree, FactCache(cache_folder()))
    try:
        yield indexed
    finally:
        indexed.close()


def _unknown(_: Iterable[FunctionId]) -> None:
    return None


def past_commits(origin: Source, functions: tuple[FunctionChange, ...]) -> list[PastCommit]:
    """The commits that touched the files of the functions before; where there are no functions, the files."""
    paths = {function.before.id.path for function in functions if function.before is not None}
    return list(origin.log(sorted(paths or {file.old_path for file in origin.change.files if file.old_path})))


def in_background(read: Callable[[], list[PastCommit]]) -> "Future[list[PastCommit]]":
    """Start reading: git walks the history while this process looks at the profile and the callers."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(read)
    pool.shutdown(wait=False)
    return future


def function_history(
    origin: Source, functions: tuple[FunctionChange, ...], settings: Config, past: list[PastCommit]
) -> Mapping[FunctionId, FunctionHistory]:
    """What the commits of the past did to the functions."""
    from gatecli.history import churn
    from gatecli.provenance import identity

    known = identity.directory(settings.people, origin.governing.tree.read(MAILMAP))
    standing = cache(lambda: frozenset(origin.base.paths()))
    changed = {path for file in origin.change.files for path in (file.path, file.old_path) if path}
    return churn.look_up(
        past,
        functions,
        shallow=origin.is_shallow,
        base_available=origin.repository is not None,
        identify=known.key,
        files_of=origin.changed_files,
        in_change=changed,
        exists=lambda path: path in standing(),
    )


def read_provenance(origin: Source, request: Request, settings: Config) -> Provenance:
    """Who wrote the change, among the people whom a policy knows."""
    from gatecli.provenance import agent_trace, trailers

    return trailers.read(
        origin.change,
        declared=request.declared,
        people=settings.people,
        attested=notes_of_git_ai(origin),
        traces=origin.head.read(agent_trace.PATH),
        pulls=_pull_texts(request.approvals, origin.change.head),
    )


def notes_of_git_ai(origin: Source) -> dict[str, str]:
    """git-ai's notes on the commits of the change."""
    from gatecli.provenance import git_ai
    from gatecli.sources.notes import read_notes

    if origin.repository is None or not origin.change.revisions:
        return {}
    notes = read_notes(origin.repository, git_ai.REF, [one.sha for one in origin.change.revisions])
    return {commit: note.decode("utf-8", "replace") for commit, note in notes.items()}


def _pull_texts(answers: bytes | None, head: str | None) -> tuple[PullText, ...]:
    """What GitHub's answers hold of the text of the pull request, and of the others of the same head."""
    from gatecli.policy.approvals import github

    return github.pull_texts(github.read_answers(answers), head) if answers is not None else ()


def read_file_knowledge(
    origin: Source, settings: Config, past: list[PastCommit], recalled: Iterable[Recollection]
) -> tuple[FileKnowledge, ...]:
    """Who worked in the touched files; what ended an incident that is recalled is told with that."""
    from gatecli.history import ownership
    from gatecli.provenance import identity

    known = identity.directory(settings.people, origin.governing.tree.read(MAILMAP))
    paths = frozenset(file.old_path for file in origin.change.files if file.old_path)
    ended = tuple(handler.commit for one in recalled for handler in one.handlers if handler.commit)
    counted = [commit.sha for commit in past if commit.sha.startswith(ended)]
    return ownership.of_files(past, paths, identify=known.key, counted=counted)
