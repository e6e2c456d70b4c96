"""The flow: every stage in order, each given the values of the ones before it. The only module that knows them all."""

import hashlib
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gatecli import __version__, config
from gatecli.config import Config, FailOn
from gatecli.errors import EvidenceError, UsageError
from gatecli.model import (
    Approval,
    Binding,
    Blast,
    Case,
    ChangeKind,
    Counted,
    Dismissal,
    FileChange,
    FileKnowledge,
    FileStatus,
    Finding,
    FunctionChange,
    FunctionHistory,
    FunctionId,
    FunctionKind,
    Incident,
    Memory,
    Mode,
    PastCommit,
    PolicyStamp,
    ProfileSummary,
    Provenance,
    PullText,
    Recollection,
    Report,
    RuleText,
    SourceKind,
    Tree,
    Usage,
)
from gatecli.sources import source
from gatecli.sources.git import Repository
from gatecli.sources.source import Source

if TYPE_CHECKING:
    from concurrent.futures import Future

    from gatecli.config import FetchConfig
    from gatecli.history.causes import Cause
    from gatecli.history.memory import Surroundings
    from gatecli.policy.approvals import Submitted
    from gatecli.policy.layers import Answer
    from gatecli.policy.owners import Owners
    from gatecli.provenance.identity import Directory
    from gatecli.rules.spec import Rule
    from gatecli.runtime.carry import Carried
    from gatecli.runtime.compare import Comparison
    from gatecli.runtime.profile import Profile
    from gatecli.runtime.recording import Recording
    from gatecli.sources.signatures import Keys

CUSTOM_RULES = ".gate/rules/"
MAILMAP = ".mailmap"
MAX_PROFILE_DOWNLOAD = 200_000_000
DOWNLOAD_TIMEOUT_S = 60.0
MAX_CAUSES_FOLLOWED = 5
"""Causes of incidents from which moved files are followed: each takes git a comparison of two trees."""

_IMPORTED = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asked for; None leaves it to the policy.

    ``call_tree`` asks for a picture of production, which takes as long as the rest on a large profile and only the HTML
    report shows. ``ledger`` is the record of earlier decisions,
    ``supposed`` are people whose approval a simulation assumes. ``now`` (epoch seconds) is the clock of every age.
    """

    profile: str | None = None
    policy: Path | None = None
    organisation: Path | None = None
    mode: Mode | None = None
    fail_on: FailOn | None = None
    approvals: bytes | None = None
    ledger: Path | None = None
    supposed: tuple[str, ...] = ()
    declared: Literal["auto", "yes", "no"] = "auto"
    call_tree: bool = False
    now: int = field(default_factory=lambda: int(time.time()))


def open_source(
    directory: Path, *, revisions: str | None = None, staged: bool = False, patch: tuple[str, bytes] | None = None
) -> Source:
    """The change that was asked for: a patch, the index, a range, or by default the working tree.

    Raises:
        UsageError: two of them at once, or the change cannot be found.
        EvidenceError: it cannot be read whole.
    """
    started = time.perf_counter()
    origin = _open_source(directory, revisions, staged, patch)
    return replace(origin, read_ms=_milliseconds_since(started))


def _open_source(directory: Path, revisions: str | None, staged: bool, patch: tuple[str, bytes] | None) -> Source:
    if sum((revisions is not None, staged, patch is not None)) > 1:
        raise UsageError("REVISIONS, --staged and --diff exclude each other", "give one of them")
    if patch is not None:
        return source.open_patch(directory, patch[1], patch[0])
    if staged:
        return source.open_staged(directory)
    if revisions is not None:
        return source.open_range(directory, revisions)
    return source.open_worktree(directory)


def judge(origin: Source, request: Request) -> Report:
    """Judge a change: the whole gate, stage by stage."""
    from gatecli.history import memory
    from gatecli.policy import layers, verdict
    from gatecli.rules import accepted, registry
    from gatecli.rules.code import Around
    from gatecli.rules.paths import matches
    from gatecli.runtime import attach, call_tree
    from gatecli.syntax import match

    clock = _Clock()
    change = origin.change
    with clock("policy"):
        settings, organisation, stamp = _policies(origin, request)
        checks = _checks(origin, settings, organisation)
    with clock("functions"):
        functions, parsed = match.changed_functions(change.files)
    past = _in_background(lambda: _past(origin, functions))
    with clock("runtime"):
        recorded, profile_path = _profile(origin, request, settings)
        carried = _carry(origin, recorded, change.files, settings.paths.tests) if recorded else None
        profile = carried.profile if carried else None
        usage = attach.attach(profile, functions, carried.since if carried else None)
        shown = profile if request.call_tree else None
        production = call_tree.call_tree(shown, {change.base_id for change in functions}) if shown else None
    with clock("callers"):
        blast = _blast(origin, functions, profile, settings, lambda path: matches(settings.paths.tests, path))
    with clock("history"):
        history = _history(origin, functions, settings, past.result())
    with clock("provenance"):
        provenance = _provenance(origin, request, settings)
    case = Case(
        change=change,
        parsed=parsed,
        functions=functions,
        usage=usage,
        blast=blast,
        history=history,
        provenance=provenance,
        tests=frozenset(file.path for file in change.files if matches(settings.paths.tests, file.path)),
        file_knowledge=_file_knowledge(origin, settings, past.result()),
    )
    recalled = _recalled(
        origin, functions, history, usage, blast, half_life_days=settings.incidents.half_life_days, now=request.now
    )
    case = replace(case, incidents=recalled, history=memory.remembered(history, recalled))
    if profile is not None:
        summary = attach.summarise(profile, profile_path, usage, case.running, request.now, carried)
        case = replace(case, profile=summary)
    with clock("rules"):
        around = Around(
            base=origin.base,
            head=origin.head,
            usage=lambda id: attach.usage_of(profile, id) if profile else None,
            rules=frozenset(check.id for check in checks),
            today=datetime.fromtimestamp(request.now, UTC).date(),
            ignore_days=settings.ignores.max_days,
        )
        baseline = accepted.read_baseline(origin.governing.read(accepted.BASELINE_PATH))
        findings = registry.run(checks, case, settings.paths, around)
        findings = accepted.settle(findings, case, checks, around, baseline)
    with clock("verdict"):
        answer = _answer(origin, request, settings, stamp, case, findings, checks)
        if organisation is not None:
            theirs = replace(case, provenance=_provenance(origin, request, organisation))
            answer = layers.together(answer, _answer(origin, request, organisation, stamp, theirs, findings, checks))
    return Report(
        tool_version=__version__,
        generated_at=request.now,
        mode=settings.mode,
        case=case,
        findings=findings,
        score=answer.score,
        verdict=answer.verdict,
        signoff=answer.signoff,
        policy=stamp,
        exit_code=verdict.exit_code(answer.verdict, settings.mode, settings.fail_on),
        rules_run=len(checks),
        rules=tuple(map(_in_words, checks)),
        production=production,
        timings_ms=clock.timings(origin.read_ms),
    )


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
    from gatecli.runtime import attach
    from gatecli.syntax.callees import callees

    origin = source.open_tree(directory)
    settings, _ = _policy(origin, request)
    functions = _as_they_are(origin, path, qualnames)
    recorded, profile_path = _profile(origin, request, settings)
    # Nothing is changed, but these functions are asked for: their file is followed as a touched one is.
    asked = FileChange(path=path, old_path=path, status=FileStatus.MODIFIED)
    carried = _carry(origin, recorded, [asked], settings.paths.tests) if recorded else None
    profile = carried.profile if carried else None
    usage = attach.attach(profile, functions, carried.since if carried else None)
    rule = found.of(path) if (found := owners.read_owners(origin.base.read)) else None
    blast = _blast(origin, functions, profile, settings, lambda one: one != path and matches(settings.paths.tests, one))
    history = _history(origin, functions, settings, _past(origin, functions))
    half_life = settings.incidents.half_life_days
    return Examination(
        functions=functions,
        usage=usage,
        blast=blast,
        history=history,
        incidents=_recalled(origin, functions, history, usage, blast, half_life_days=half_life, now=request.now),
        callees=callees(origin.head, path),
        tests=attach.tests_of(profile, functions) if profile else None,
        owners=rule.owners if rule else (),
        profile=attach.summarise(profile, profile_path, usage, functions, request.now, carried) if profile else None,
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


def trace_cause(directory: Path, revision: str) -> "Cause":
    """What a past commit changed, against its (first) parent.

    Raises:
        UsageError: there is no such commit.
        EvidenceError: the clone lacks its parent or some of its content.
    """
    from gatecli.history.causes import Cause
    from gatecli.provenance import agent_trace, trailers
    from gatecli.rules.paths import matches
    from gatecli.syntax import match

    origin = source.open_commit(directory, revision)
    settings, _ = config.load(origin.base.read)
    change = origin.change
    assert change.head is not None, "a commit is its own head"
    changed, _ = match.changed_functions(change.files)
    functions = [
        one.id
        for one in changed
        if one.kind is not ChangeKind.COSMETIC and not matches(settings.paths.tests, one.id.path)
    ]
    return Cause(
        commit=change.head,
        subject=change.revisions[0].subject,
        functions=tuple(functions),
        provenance=trailers.read(
            change,
            people=settings.people,
            attested=_attested(origin),
            traces=origin.head.read(agent_trace.PATH),
        ),
    )


def root_of(directory: Path) -> Path:
    """The root of the repository (or the plain folder) at ``directory``."""
    repository = _repository(directory)
    return directory if repository is None else repository.root


def author_of(directory: Path) -> str:
    """Who commits here, as git is configured; ``unknown`` where it is not."""
    repository = _repository(directory)
    try:
        return repository.text("config", "--get", "user.email") or "unknown" if repository else "unknown"
    except EvidenceError:
        return "unknown"


def validate_policy(folder: Path, path: Path) -> Config:
    """Read a policy, the rules it names, and the freezes of a folder as they are on disk.

    Raises:
        UsageError: one of them has problems.
    """
    from gatecli.config import freeze
    from gatecli.policy import conditions
    from gatecli.rules import registry
    from gatecli.sources.trees import DirectoryTree

    settings, _ = config.load(lambda _: None, path=path)
    tree = DirectoryTree(folder)
    checks = registry.load(_custom_rules(tree), settings.rules)
    freeze.read_freezes(tree.read)
    known = frozenset(name for check in checks for name in (check.id, check.code))
    if unknown := conditions.unknown_rules(settings, known):
        raise UsageError(f"{path}: no rule is called {unknown[0]!r}", "gate rules list names them")
    return settings


def default_profile(directory: Path) -> Path:
    """Where the profile of the repository (or plain folder) at ``directory`` is kept."""
    from gatecli.runtime.profile import DEFAULT_PATH

    repository = _repository(directory)
    return (directory if repository is None else repository.root) / DEFAULT_PATH


def _repository(directory: Path) -> "Repository | None":
    """The repository that holds a folder, None where it is in none."""
    from gatecli.sources.git import Repository

    try:
        return Repository.open(directory)
    except UsageError:
        folder = directory.resolve()
        if not folder.is_dir() or any((parent / ".git").exists() for parent in (folder, *folder.parents)):
            raise
        return None


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
        EvidenceError: a recording is cut off or malformed.
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
        EvidenceError: a source does not answer, or answers something else.
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

    repository = _repository(directory)
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
    return build_profile(
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
    carried = _carry(replace(origin, change=replace(origin.change, merge_base=commit)), before, (), ())
    return compare(carried.profile, after), carried.warnings


def _deployed_tree(directory: Path, revision: str | None, *, required: bool) -> tuple[Tree, str | None]:
    """The tree that was running, and its commit where it is known; a recorded revision may be of another clone."""
    from gatecli.sources.trees import DirectoryTree

    repository = _repository(directory)
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


# --------------------------------------------------------------------------- what the stages are given


def _policy(origin: Source, request: Request) -> tuple[Config, PolicyStamp]:
    """The repository's policy, see ``_policies``."""
    settings, _, stamp = _policies(origin, request)
    return settings, stamp


def _policies(origin: Source, request: Request) -> tuple[Config, Config | None, PolicyStamp]:
    """The policy of the newest base, the organisation's, and the stamp of both, with what the command line says."""
    from gatecli.config import layers

    change = origin.change
    settings, stamp = config.load(origin.governing.read, path=request.policy, revision=change.base or change.merge_base)
    if request.organisation is None:
        return layers.tightened(settings, request.mode, request.fail_on, loosely=True), None, stamp
    organisation, above = config.load(lambda _: None, path=request.organisation)
    both = layers.overlaid(settings, organisation)
    sha256 = hashlib.sha256(f"{above.sha256} {stamp.sha256}".encode()).hexdigest()
    return (
        layers.tightened(both.repository, request.mode, request.fail_on, loosely=False),
        layers.tightened(both.organisation, request.mode, request.fail_on, loosely=False),
        replace(stamp, sha256=sha256, organisation=above.path),
    )


def _checks(origin: Source, settings: Config, organisation: Config | None) -> "tuple[Rule, ...]":
    """The rules, as strict as the stricter policy has them."""
    from gatecli.rules import registry

    custom = _custom_rules(origin.governing)
    checks = registry.load(custom, settings.rules, examples=False)
    if organisation is None:
        return checks
    return registry.strictest(checks, registry.load(custom, organisation.rules, examples=False))


def _provenance(origin: Source, request: Request, settings: Config) -> Provenance:
    """Who wrote the change, among the people whom a policy knows."""
    from gatecli.provenance import agent_trace, trailers

    return trailers.read(
        origin.change,
        declared=request.declared,
        people=settings.people,
        attested=_attested(origin),
        traces=origin.head.read(agent_trace.PATH),
        pulls=_pull_texts(request.approvals, origin.change.head),
    )


def _answer(
    origin: Source,
    request: Request,
    settings: Config,
    stamp: PolicyStamp,
    case: Case,
    findings: "Sequence[Finding]",
    checks: "Sequence[Rule]",
) -> "Answer":
    """What one policy says of a change that the rules have looked at."""
    from gatecli.config import freeze
    from gatecli.policy import counterfactual, owners, requirements, verdict
    from gatecli.policy.layers import Answer
    from gatecli.scoring import points, weights

    governing = origin.governing
    score = points.score(case, findings, weights.shipped_weights(), people=settings.people)
    code_owners = owners.read_owners(governing.read)
    signoff = requirements.sign_off(
        case,
        findings,
        score,
        settings,
        now=request.now,
        reviewed=_reviewed(origin, request, case, findings, settings, stamp, code_owners),
        owners=code_owners,
        freezes=freeze.read_freezes(governing.read),
        memory=_memory(origin, request, settings),
        rules=frozenset(name for check in checks for name in (check.id, check.code)),
        keys=bool((governing.read(settings.people.keys) or b"").strip()),
    )
    decision = verdict.decide(case, findings, score, settings)
    named = [one.level for one in signoff.requirements if not one.built_in]
    without = counterfactual.without_each(case, findings, score, settings, named=named)
    return Answer(
        score=replace(score, without=without), verdict=requirements.outcome(decision, signoff), signoff=signoff
    )


def _memory(origin: Source, request: Request, settings: Config) -> Memory | None:
    """What is recorded of earlier decisions, believed where it is signed as the policy wants."""
    from gatecli.ledger import audit, seal

    if request.ledger is None:
        return None
    log = audit.read(request.ledger)
    memory = audit.memory(log, origin.change.digest)
    if not settings.ledger.signed_by or memory.problem is not None:
        return memory
    unsigned = seal.problem(request.ledger, log, _keys(origin, settings), settings.ledger.signed_by, now=request.now)
    return replace(memory, problem=unsigned)


def _keys(origin: Source, settings: Config) -> "Keys":
    """The keys that may sign, and those that no longer may, by the newest base."""
    from gatecli.sources.signatures import Keys

    people, governing = settings.people, origin.governing
    return Keys(allowed=governing.read(people.keys) or b"", revoked=governing.read(people.revoked_keys))


def _custom_rules(base: Tree) -> dict[str, bytes]:
    """The repository's own rules, from the newest base."""
    paths = [path for path in base.paths() if path.startswith(CUSTOM_RULES) and path.endswith((".yml", ".yaml"))]
    return {path: content for path in paths if (content := base.read(path)) is not None}


def _in_words(rule: "Rule") -> RuleText:
    return RuleText(
        id=rule.id,
        code=rule.code,
        family=rule.family,
        severity=rule.severity,
        asks=rule.asks,
        why=" ".join(rule.why.split()),
        remedy=rule.remedy,
    )


def _profile(origin: Source, request: Request, settings: Config) -> "tuple[Profile | None, str]":
    """The profile that was named, else the policy's: at the base revision where it is tracked, else on disk."""
    from gatecli.runtime import profile
    from gatecli.runtime.engines import url

    if request.profile is not None:
        if request.profile.startswith(("http://", "https://")):
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


def _carry(origin: Source, profile: "Profile", touched: Iterable[FileChange], tests: tuple[str, ...]) -> "Carried":
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


def _blast(
    origin: Source,
    functions: tuple[FunctionChange, ...],
    profile: "Profile | None",
    settings: Config,
    is_test: Callable[[str], bool],
) -> Mapping[FunctionId, Blast]:
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


def build_index(directory: Path) -> Iterator[tuple[int, int]]:
    """Look at every Python file of the newest commit; yields how many are done, and how many there are.

    Raises:
        UsageError: the folder is in no repository, or the repository has no commit.
    """
    from gatecli.syntax.building import build
    from gatecli.syntax.cache import FactCache

    repository = Repository.open(directory)
    head = repository.head()
    if head is None:
        raise UsageError(f"{directory} has no commit yet", "commit something first")
    return build(repository.tree(head), FactCache(cache_folder()))


def cache_folder() -> Path:
    """Where facts of files are kept between runs."""
    from platformdirs import user_cache_path

    return user_cache_path("gate", appauthor=False)


def _unknown(_: Iterable[FunctionId]) -> None:
    return None


def _past(origin: Source, functions: tuple[FunctionChange, ...]) -> list[PastCommit]:
    """The commits that touched the files of the functions before; where there are no functions, the files."""
    paths = {function.before.id.path for function in functions if function.before is not None}
    return list(origin.log(sorted(paths or {file.old_path for file in origin.change.files if file.old_path})))


def _attested(origin: Source) -> dict[str, str]:
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


def _file_knowledge(origin: Source, settings: Config, past: list[PastCommit]) -> tuple[FileKnowledge, ...]:
    """Who worked in the touched files."""
    from gatecli.history import ownership
    from gatecli.provenance import identity

    known = identity.directory(settings.people, origin.governing.read(MAILMAP))
    paths = frozenset(file.old_path for file in origin.change.files if file.old_path)
    return ownership.of_files(past, paths, identify=known.key)


def _recalled(
    origin: Source,
    functions: tuple[FunctionChange, ...],
    history: Mapping[FunctionId, FunctionHistory],
    usage: Mapping[FunctionId, Usage],
    blast: Mapping[FunctionId, Blast],
    *,
    half_life_days: float,
    now: int,
) -> tuple[Recollection, ...]:
    """What went wrong before in some functions, as the newest base knows it."""
    from gatecli.config.incidents import read_incidents
    from gatecli.history import memory

    incidents = read_incidents(origin.governing.read)
    if not incidents:
        return ()
    around = _surroundings(origin, functions, incidents, usage, blast)
    return memory.recall(incidents, functions, history, around, now=now, half_life_days=half_life_days)


def _surroundings(
    origin: Source,
    functions: tuple[FunctionChange, ...],
    incidents: Sequence[Incident],
    usages: Mapping[FunctionId, Usage],
    blasts: Mapping[FunctionId, Blast],
) -> "Surroundings":
    """Who is next to the touched functions, and which functions stand before the change."""
    from gatecli.history.memory import Surroundings
    from gatecli.syntax import match
    from gatecli.syntax.callees import callees
    from gatecli.syntax.languages import is_read, read_functions

    names = {id.name.encode() for incident in incidents for id in incident.functions}

    files = cache(lambda: frozenset(origin.base.paths()))
    touched = {change.before.id.path for change in functions if change.before is not None}

    @cache
    def standing(path: str) -> frozenset[FunctionId]:
        content = origin.base.read(path) if is_read(path) else None
        return frozenset(one.id for one in read_functions(path, content)) if content is not None else frozenset()

    @cache
    def called(path: str) -> Mapping[FunctionId, tuple[FunctionId, ...]]:
        content = origin.head.read(path)
        named = content is not None and any(name in content for name in names)
        return callees(origin.head, path) if named else {}

    def neighbours(change: FunctionChange) -> Iterator[FunctionId]:
        usage, blast = usages.get(change.id), blasts.get(change.id)
        yield from (caller.id for caller in (blast.callers if blast else ()) if caller.depth == 1)
        yield from (*usage.callers, *usage.callees) if usage else ()
        yield from called(change.id.path).get(change.id, ())

    followed: list[str] = []

    def moved(incident: Incident) -> Mapping[FunctionId, FunctionId]:
        """Where the functions went that stood in files which are gone."""
        found: dict[FunctionId, FunctionId] = {}
        gone = [id for id in incident.functions if id.path not in files()]
        paths = {id.path for id in gone}
        for cause in incident.caused_by[: MAX_CAUSES_FOLLOWED - len(followed)]:
            followed.append(cause)
            if touched <= origin.standing_at(cause, touched):
                continue  # no file was moved here since
            drift = origin.drift(cause, lambda pairs: [new for old, new in pairs if old in paths])
            renamed = {file.old_path: file.path for file in drift.files} if drift is not None else {}
            found.update({id: replace(id, path=renamed[id.path]) for id in gone if id.path in renamed})
            # In a file that was also edited a function may be called otherwise.
            changes, _ = match.changed_functions(drift.files) if drift is not None else ((), ())
            found.update({change.before.id: change.id for change in changes if change.before is not None})
        return found

    return Surroundings(
        exists=lambda id: id in standing(id.path),
        has_file=lambda path: path in files(),
        neighbours=neighbours,
        moved=moved,
    )


def _in_background(read: Callable[[], list[PastCommit]]) -> "Future[list[PastCommit]]":
    """Start reading: git walks the history while this process looks at the profile and the callers."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(read)
    pool.shutdown(wait=False)
    return future


def _history(
    origin: Source, functions: tuple[FunctionChange, ...], settings: Config, past: list[PastCommit]
) -> Mapping[FunctionId, FunctionHistory]:
    from gatecli.history import churn
    from gatecli.provenance import identity

    known = identity.directory(settings.people)
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


def _reviewed(
    origin: Source,
    request: Request,
    case: Case,
    findings: Sequence[Finding],
    settings: Config,
    stamp: PolicyStamp,
    code_owners: "Owners | None",
) -> Counted:
    """Whose approvals count, by the keys and the names of the newest base."""
    from gatecli.policy import approvals
    from gatecli.provenance import identity
    from gatecli.sources.standing import standing

    governing = origin.governing
    known = identity.directory(settings.people, governing.read(MAILMAP))
    counted = approvals.counted(
        case,
        findings,
        known,
        settings,
        submitted=_submitted(origin, request, settings),
        standing=standing(origin.repository, origin.change, origin.asked),
        policy=stamp.sha256,
        now=request.now,
        owners=code_owners,
    )
    return _supposing(counted, request.supposed, known)


def _supposing(counted: Counted, names: tuple[str, ...], known: "Directory") -> Counted:
    """The approvals with those that a simulation assumes; who is not independent cannot be supposed either."""
    given = list(counted.approvals)
    dismissed = list(counted.dismissed)
    for name in names:
        if (why := counted.barred.get(known.key_of(name))) is not None:
            dismissed.append(Dismissal(by=name, reason=why, source="supposed"))
        else:
            given.append(Approval(person=name, at=None, source="supposed", binding=Binding.MERGE_TREE))
    approving = {known.key_of(one.person) for one in given}
    objections = tuple(key for key in counted.objections if key not in approving)
    return replace(counted, approvals=tuple(given), dismissed=tuple(dismissed), objections=objections)


def said_of(origin: Source, request: Request, report: Report) -> Counted:
    """What was said of a change that was judged, read anew."""
    from gatecli.policy import owners

    settings, stamp = _policy(origin, request)
    found = owners.read_owners(origin.governing.read)
    return _reviewed(origin, request, report.case, report.findings, settings, stamp, found)


def _submitted(origin: Source, request: Request, settings: Config) -> "Submitted":
    """What was handed in for this change: GitHub's answers, signed notes, grants, and the keys to check them by."""
    from gatecli.config.grants import read_grants
    from gatecli.policy.approvals import Submitted, signed, waived

    governing, digest = origin.governing, origin.change.digest
    approvals = _notes_on(origin, signed.REF, signed.anchor_text(digest))
    overrides = _notes_on(origin, waived.REF, waived.anchor_text(digest))
    grants = read_grants(governing.read)
    if not approvals and not overrides and not grants:
        return Submitted(answers=request.approvals)
    return Submitted(
        answers=request.approvals,
        notes=approvals,
        overrides=overrides,
        grants=grants,
        keys=_keys(origin, settings),
    )


def _notes_on(origin: Source, ref: str, anchor_text: str) -> tuple[bytes, ...]:
    """The notes on the commits of a change and on its content."""
    from gatecli.sources.notes import anchor, read_notes

    change = origin.change
    if origin.repository is None or change.kind is not SourceKind.RANGE or change.head is None:
        return ()
    names = [change.head, *(revision.sha for revision in change.revisions), anchor(anchor_text, like=change.head)]
    return tuple(read_notes(origin.repository, ref, names).values())


def _milliseconds_since(started: float) -> float:
    return round(1_000 * (time.perf_counter() - started), 1)


class _Clock:
    """Wall-clock milliseconds of each stage, in the order they ran."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time a stage."""
        started = time.perf_counter()
        yield
        self._spent[stage] = _milliseconds_since(started)

    def timings(self, read_ms: float) -> dict[str, float]:
        """Stage → milliseconds, reading the change first, and their sum."""
        spent = {"sources": read_ms, **self._spent}
        return {**spent, "total": round(sum(spent.values()), 1)}
