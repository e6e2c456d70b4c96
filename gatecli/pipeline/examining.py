"""What is known of functions before anybody changes them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from gatecli.errors import UsageError
from gatecli.model import (
    Blast,
    ChangeKind,
    FileChange,
    FileStatus,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    ProfileSummary,
    Recollection,
    Usage,
)
from gatecli.pipeline.evidence import carry_to_base, function_history, past_commits, read_profile, trace_callers
from gatecli.pipeline.governing import read_policy
from gatecli.pipeline.incidents import recall_incidents
from gatecli.pipeline.request import Request
from gatecli.sources import source
from gatecli.sources.source import Source

_IMPORTED = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What is known of functions that nobody has changed yet, in the order of the file.

    Each stands as a change of nothing: ``before`` is the committed side (None: not committed), ``after`` the present
    one. ``owners`` are those of the file, ``tests`` what executes each function (None: not recorded).
    """

    functions: tuple[FunctionChange, ...]
    usage: Mapping[FunctionId, Usage]
    blast: Mapping[FunctionId, Blast]
    history: Mapping[FunctionId, FunctionHistory]
    callees: Mapping[FunctionId, tuple[FunctionId, ...]]
    tests: Mapping[FunctionId, tuple[str, ...]] | None
    owners: tuple[str, ...]
    profile: ProfileSummary | None
    incidents: tuple[Recollection, ...] = ()


def examine(directory: Path, path: str, qualnames: Collection[str] | None, request: Request) -> Examination:
    """Look at functions of a file before they are changed.

    Args:
        directory: The repository, or a plain folder.
        path: Of the file, relative to its root.
        qualnames: Which functions; None: all of the file.
        request: Which profile and policy, and the time.

    Raises:
        UsageError: there is no such file.
        EvidenceError: it cannot be parsed.
    """
    from gatecli.policy import owners
    from gatecli.rules.paths import matches
    from gatecli.runtime import attach, summary
    from gatecli.syntax.callees import callees

    origin = source.open_tree(directory)
    settings, _ = read_policy(origin, request)
    functions = _as_they_are(origin, path, qualnames)
    recorded, profile_path = read_profile(origin, request, settings)
    # Nothing is changed, but these functions are asked for: their file is followed as a touched one is.
    asked = FileChange(path=path, old_path=path, status=FileStatus.MODIFIED)
    carried = carry_to_base(origin, recorded, [asked], settings.paths.tests) if recorded else None
    profile = carried.profile if carried else None
    usage = attach.attach(profile, functions, carried.since if carried else None)
    rule = found.of(path) if (found := owners.read_owners(origin.base.read)) else None
    blast = trace_callers(
        origin, functions, profile, settings, lambda one: one != path and matches(settings.paths.tests, one)
    )
    history = function_history(origin, functions, settings, past_commits(origin, functions))
    return Examination(
        functions=functions,
        usage=usage,
        blast=blast,
        history=history,
        incidents=recall_incidents(origin, functions, history, usage, blast, settings, now=request.now),
        callees=callees(origin.head, path),
        tests=attach.tests_of(profile, functions) if profile else None,
        owners=rule.owners if rule else (),
        profile=summary.summarise(profile, profile_path, usage, functions, request.now, carried) if profile else None,
    )


def _as_they_are(origin: Source, path: str, qualnames: Collection[str] | None) -> tuple[FunctionChange, ...]:
    """The functions of a file as changes of nothing."""
    from gatecli.syntax.languages import READERS, is_read, read_functions

    content = origin.head.read(path)
    if content is None:
        raise UsageError(
            f"no file {path} (or too large to read)", "name it from the root, such as shop/pricing.py::price_order"
        )
    if not is_read(path):
        raise UsageError(f"{path} is no Python file", f"gate reads functions of {', '.join(READERS)} files")
    committed = origin.base.read(path)
    before = {one.id: one for one in read_functions(path, committed)} if committed is not None else {}
    return tuple(
        FunctionChange(id=one.id, kind=ChangeKind.EDITED, before=before.get(one.id), after=one)
        for one in read_functions(path, content)
        if (one.id.qualname in qualnames if qualnames is not None else one.kind not in _IMPORTED)
    )
