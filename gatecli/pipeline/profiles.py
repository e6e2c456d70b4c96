"""How a profile comes to be: imported, fetched, recorded or compared, and matched to the deployed code."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli import config
from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Tree
from gatecli.pipeline.evidence import carry_to_base
from gatecli.pipeline.places import repository_of
from gatecli.sources import source

if TYPE_CHECKING:
    from gatecli.config import FetchConfig
    from gatecli.runtime.compare import Comparison
    from gatecli.runtime.profile import Profile
    from gatecli.runtime.recording import Recording


def import_profile(
    files: Sequence[Path],
    *,
    directory: Path,
    maps: tuple[tuple[str, str], ...] = (),
    window_s: float | None = None,
    revision: str | None = None,
    service: str | None = None,
    environment: str | None = None,
    now: int | None = None,
    progress: Callable[[Path, int], None] | None = None,
) -> "Profile":
    """Read recordings and match them to the functions of the revision they were recorded from.

    Args:
        files: Recordings in any known format.
        directory: The repository, or a plain folder with the sources.
        maps: Recorded path prefix → folder of the tree.
        window_s: Seconds that the recordings cover, where they do not say.
        revision: The deployed commit; default: what the recordings say, else the working tree.
        service: Name of the service, where the recordings do not say.
        environment: Where it ran.
        now: Epoch seconds, for ``generated_at``.
        progress: Told now and then how many bytes of which file are read.

    Raises:
        UsageError: a file is no recording, or the revision is unknown.
        EvidenceError: a recording is cut off or malformed, or none knows a function of the repository.
    """
    from gatecli.runtime import formats

    return _profile_of(
        [formats.read(path, progress=partial(progress, path) if progress else None) for path in files],
        directory=directory,
        maps=maps,
        window_s=window_s,
        revision=revision,
        service=service,
        environment=environment,
        now=now if now is not None else int(time.time()),
    )


def fetch_profile(
    sources: "Sequence[FetchConfig]",
    *,
    directory: Path,
    maps: tuple[tuple[str, str], ...] = (),
    revision: str | None = None,
    environment: str | None = None,
    now: int | None = None,
) -> "Profile":
    """Ask what keeps runtime data, and match the answers to the functions of the revision that was deployed.

    Args:
        sources: Where to ask; none: where the committed policy says (``profile.fetch``).
        directory: The repository, or a plain folder with the sources.
        maps: Recorded path prefix → folder of the tree; the policy's are added.
        revision: The deployed commit; default: what the answers say, else the working tree.
        environment: Where it ran.
        now: Epoch seconds: the end of what is asked for.

    Raises:
        UsageError: nothing to ask, or a source is configured wrongly.
        EvidenceError: a source does not answer, answers something else, or knows no function of the repository.
    """
    from gatecli.runtime import engines

    settings, _ = config.load(source.open_tree(directory).base.read)
    asked = tuple(sources) or settings.profile.fetch
    if not asked:
        raise UsageError(
            "nothing to fetch", "name an engine and its URL, or list them under profile.fetch in .gate/policy.yml"
        )
    ended = now if now is not None else int(time.time())
    recordings = [engines.fetch(one, now=ended, window_s=seconds(one.window)) for one in asked]
    return _profile_of(
        recordings,
        directory=directory,
        maps=(*maps, *settings.profile.map.items()),
        revision=revision,
        service=next((one.service for one in asked if one.service), None),
        environment=environment,
        now=ended,
    )


def record_profile(
    command: Sequence[str], *, directory: Path, duty: float, environment: str | None, now: int | None = None
) -> "tuple[int, Profile]":
    """Run a command with the sensor in it; returns its exit code, and the profile of what it did.

    Args:
        command: What to run, in the current folder and with the terminal.
        directory: The repository (or plain folder) whose functions are recorded.
        duty: The part of the time in which calls are counted, 0..1.
        environment: Where it runs; default: a profiler's run, which is no production.
        now: Epoch seconds, for ``generated_at``.

    Raises:
        UsageError: there is no such command, or nothing can record it.
        EvidenceError: it left no recording.
    """
    from gatecli.runtime.record import record

    repository = repository_of(directory)
    root = (directory if repository is None else repository.root).resolve()
    revision = repository.head() if repository is not None and repository.is_clean() else None
    code, recording = record(command, root, duty, revision)
    profile = _profile_of(
        [recording],
        directory=directory,
        maps=(),
        revision=revision,
        service=None,
        environment=environment or "profile-run",
        now=now if now is not None else int(time.time()),
    )
    return code, profile


_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def seconds(length: str) -> float:
    """Seconds of a length of time such as 7d, 3h, 15m or 90s.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhdw])", length.strip())
    if match is None or not float(match[1]):
        raise UsageError(f"a window of {length!r} is no length of time", "such as 7d, 3h, 15m or 90s")
    return float(match[1]) * _UNITS[match[2]]


def _profile_of(
    recordings: "Sequence[Recording]",
    *,
    directory: Path,
    maps: tuple[tuple[str, str], ...],
    window_s: float | None = None,
    revision: str | None,
    service: str | None,
    environment: str | None,
    now: int,
) -> "Profile":
    """Recordings matched to the functions of the revision that was deployed."""
    from gatecli.rules.paths import matches
    from gatecli.runtime.resolve import build_profile
    from gatecli.syntax import entrypoints
    from gatecli.syntax.python import read_functions

    said = {recording.revision for recording in recordings if recording.revision}
    deployed = revision or (said.pop() if len(said) == 1 else None)
    tree, commit = _deployed_tree(directory, deployed, required=revision is not None)
    settings, _ = config.load(tree.read, revision=commit)
    profile = build_profile(
        recordings,
        tree=tree,
        functions_of=read_functions,
        maps=maps,
        window_s=window_s,
        revision=commit,
        service=service,
        environment=environment,
        generated_at=now,
        routes=entrypoints.routes(
            tree, named=settings.profile.routes, is_test=lambda path: matches(settings.paths.tests, path)
        ),
    )
    if not profile.functions:
        # It would take the place of a good one, and every touched function would be "not observed".
        raise EvidenceError(
            f"nothing that was recorded is a function of {directory.resolve()}: no profile was made",
            "of another project? --repo names the folder of the sources, --revision the commit that was deployed, "
            "--map RECORDED=FOLDER where the files lay elsewhere",
        )
    return profile


def compare_profiles(before: "Profile", after: "Profile", directory: Path) -> "tuple[Comparison, tuple[str, ...]]":
    """What differs between two profiles, and what to mind about that.

    The earlier one is first carried to the revision of the later one, where the repository at ``directory`` has both.
    """
    from gatecli.runtime.compare import compare

    origin = source.open_tree(directory)
    if before.meta.revision == after.meta.revision:
        return compare(before, after), ()
    try:
        if origin.repository is None or after.meta.revision is None:
            raise UsageError("the revision of the later profile is not known")
        commit = origin.repository.resolve(after.meta.revision)
    except UsageError:
        return compare(before, after), ("the two revisions are not known: functions are compared by name alone",)
    carried = carry_to_base(replace(origin, change=replace(origin.change, merge_base=commit)), before, (), ())
    return compare(carried.profile, after), carried.warnings


def _deployed_tree(directory: Path, revision: str | None, *, required: bool) -> tuple[Tree, str | None]:
    """The tree that was running, and its commit where it is known; a recorded revision may be of another clone."""
    from gatecli.sources.trees import DirectoryTree

    repository = repository_of(directory)
    if repository is None and required:
        raise UsageError(f"{directory} is no git repository: it has no revision {revision}", "leave out --revision")
    if repository is None:
        return DirectoryTree(directory), None
    if revision is None:
        return repository.tree(None), None
    try:
        commit = repository.resolve(revision)
    except UsageError:
        if required:
            raise
        return repository.tree(None), None
    return repository.tree(commit), commit
