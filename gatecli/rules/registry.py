"""The rules: loading them, running them over a case, and the one place where what they saw becomes findings."""

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from gatecli import config
from gatecli.config import Level, Paths, RuleConfig
from gatecli.errors import EvidenceError, UsageError
from gatecli.model import (
    Case,
    Confidence,
    Evidence,
    Finding,
    Mode,
    Outcome,
    Severity,
    Usage,
    UsageStatus,
)
from gatecli.rules import lines, query, wording
from gatecli.rules.checks import CHECKS
from gatecli.rules.code import CALLS, Around, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation
from gatecli.rules.paths import matches
from gatecli.rules.spec import Rule, Scope, read_bare, read_rule

MAX_PER_RULE = 100
MAX_PER_FILE = 20
"""Findings of one rule, in all and in one file; what is left off is counted in a finding of its own."""

MAX_OBSERVATIONS = 10_000
MAX_MESSAGE = 500
MAX_CUSTOM_RULES = 200

# A change to what guards the repository needs a human whatever the policy says (DESIGN: what must hold).
ALWAYS_ON = frozenset({"guardrails-changed"})

_PATHS = Paths()
_NOTHING = Around()
_RANK = {Severity.BLOCK: 0, Severity.REVIEW: 1, Severity.NOTE: 2}


# --------------------------------------------------------------------------- loading


def load(
    custom: Mapping[str, bytes], overrides: Mapping[str, RuleConfig], *, examples: bool = True
) -> tuple[Rule, ...]:
    """The shipped rules and a repository's own, by code, with the policy's settings applied.

    Args:
        custom: The files of ``.gate/rules/`` at the base revision: path → content.
        overrides: What the policy says of each rule, by id.
        examples: Whether the shipped rules are wanted with their examples, which take most of the time to read.

    Raises:
        UsageError: a rule or a setting has problems; the message lists every one.
    """
    shipped = read_shipped(examples=examples)
    problems: list[str] = []
    own: list[Rule] = []
    if len(custom) > MAX_CUSTOM_RULES:
        problems.append(f".gate/rules holds {len(custom):,} files, more than {MAX_CUSTOM_RULES}")
    for where, data in islice(sorted(custom.items()), MAX_CUSTOM_RULES):
        try:
            own.append(read_rule(data, where, CHECKS))
        except UsageError as error:
            problems.append(error.message)
            continue
        problems += [
            f"{where}: {own[-1].id} ({own[-1].code}) is taken by {known.id} ({known.code})"
            for known in (*shipped, *own[:-1])
            if known.id == own[-1].id or known.code == own[-1].code
        ]
    rules = (*shipped, *own)
    problems += _override_problems({rule.id for rule in rules}, overrides)
    if problems:
        raise UsageError("\n".join(problems), "correct the rules, or what the policy says of them")
    kept = (_overridden(rule, overrides.get(rule.id, RuleConfig())) for rule in rules)
    return tuple(sorted((rule for rule in kept if rule is not None), key=lambda rule: (rule.code, rule.id)))


def strictest(one: Iterable[Rule], other: Iterable[Rule]) -> tuple[Rule, ...]:
    """Of two settings of the same rules the stricter one: a rule is off only where it is off in both."""
    found: dict[str, Rule] = {}
    for rule in (*one, *other):
        known = found.setdefault(rule.id, rule)
        found[rule.id] = replace(
            known,
            severity=min(known.severity, rule.severity, key=_RANK.__getitem__),
            escalate=known.escalate or rule.escalate,
            points=max(known.points, rule.points, key=lambda points: points.value),
        )
    return tuple(sorted(found.values(), key=lambda rule: (rule.code, rule.id)))


def read_shipped(*, examples: bool = True) -> tuple[Rule, ...]:
    """The rules that come with gate, as their files say.

    Raises:
        EvidenceError: a file is missing or damaged.
    """
    root = config.data_root()
    try:
        names = sorted(path.relative_to(root).as_posix() for path in root.glob("*/*.yml"))
        if not examples:
            return tuple(read_bare(config.read_data(name), name) for name in names)
        return tuple(read_rule(config.read_data(name), name, CHECKS) for name in names)
    except (OSError, UsageError) as error:
        raise EvidenceError(f"gate's own rules cannot be read: {error}", "reinstall gatecli") from error


def _override_problems(ids: set[str], overrides: Mapping[str, RuleConfig]) -> Iterator[str]:
    import difflib

    for id, setting in sorted(overrides.items()):
        if id not in ids:
            close = difflib.get_close_matches(id[:100], ids, n=1)
            yield f"rules: unknown rule {id!r}" + (f", did you mean {close[0]!r}?" if close else "")
        elif id in ALWAYS_ON and setting.severity not in (None, Level.BLOCK):
            yield f"rules: {id} cannot be lowered: what guards the repository is always a human's to change"


def _overridden(rule: Rule, setting: RuleConfig) -> Rule | None:
    if setting.severity is Level.OFF:
        return None
    if setting.severity is not None:
        rule = replace(rule, severity=Severity(setting.severity.value), escalate=())
    if setting.points is not None:
        rule = replace(rule, points=replace(rule.points, value=setting.points, source="the policy"))
    return rule


# --------------------------------------------------------------------------- running


def run(rules: Iterable[Rule], case: Case, paths: Paths = _PATHS, around: Around = _NOTHING) -> tuple[Finding, ...]:
    """What the rules find, strongest first. A rule that fails is a finding with outcome ``error``, never a pass.

    ``around`` is what is known beyond the change: the trees of both sides, and the traffic of any function.
    """
    rules = tuple(rules)
    whole = View(case, paths, around, tuple(dict.fromkeys(_patterns(rules))))
    views = {
        Scope.ANY: whole,
        Scope.PRODUCTION: whole.within(whole.is_production),
        Scope.TESTS: whole.within(whole.is_test),
    }
    findings: list[Finding] = []
    for rule in rules:
        view = views[rule.filters.scope]
        try:
            seen = islice(_observe(rule, view), MAX_OBSERVATIONS)
            observed = [item for item in seen if _applies(rule, view, item)]
            findings += _capped(rule, _findings(rule, observed))
        except Exception as error:  # a crash is evidence that is missing: reported, and the other rules still run
            findings.append(_failed(rule, case, error))
    return tuple(sorted(findings, key=_order))


def _patterns(rules: Iterable[Rule]) -> Iterator[Pattern]:
    """What the rules will search for: their own queries, and those that stand beside their checks."""
    for rule in rules:
        if rule.match.query:
            yield Pattern(rule.match.query)
        if rule.check:
            beside = vars(sys.modules[CHECKS[rule.check].__module__]).values()
            yield from (value for value in beside if isinstance(value, Pattern))
    yield from (CALLS, query.LOOPS, query.LAMBDAS)


def _observe(rule: Rule, view: View) -> Iterator[Observation]:
    if rule.check:
        yield from CHECKS[rule.check](rule, view)
    if rule.match.query:
        yield from query.observe(rule, view)
    if rule.match.lines:
        yield from lines.observe(rule, view)


def _applies(rule: Rule, view: View, observed: Observation) -> bool:
    """The one filter point: file, kind of change, traffic."""
    filters = rule.filters
    if filters.scope is Scope.PRODUCTION and not view.is_production(observed.path):
        return False
    if filters.scope is Scope.TESTS and not view.is_test(observed.path):
        return False
    is_guard = rule.id in ALWAYS_ON and observed.path in view.around.guards
    if filters.paths and not matches(filters.paths, observed.path) and not is_guard:
        return False
    touched = observed.touched
    if filters.kinds and (touched is None or touched.change.kind not in filters.kinds):
        return False
    if filters.min_calls_per_minute is None and filters.min_share is None:
        return True
    return _reaches(_usage(observed), filters.min_calls_per_minute, filters.min_share)


def _usage(observed: Observation) -> Usage | None:
    """The traffic that severity and filters follow."""
    return observed.usage or (observed.touched.usage if observed.touched else None)


def _reaches(usage: Usage | None, calls_per_minute: float | None, share: float | None) -> bool:
    """Whether traffic reaches one of the thresholds."""
    if usage is None or usage.status is not UsageStatus.OBSERVED:
        return False
    by_calls = calls_per_minute is not None and (usage.calls_per_minute or 0) >= calls_per_minute
    return by_calls or (share is not None and (usage.share or 0) >= share)


def _findings(rule: Rule, observed: list[Observation]) -> list[Finding]:
    repeats: Counter[tuple[str, str]] = Counter()
    findings = []
    for item in observed:
        subject = item.touched.change.id.qualname if item.touched else item.path
        repeats[subject, item.text] += 1
        findings.append(_finding(rule, item, fingerprint(rule.id, subject, item.text, repeats[subject, item.text])))
    return findings


def _finding(rule: Rule, item: Observation, named: str) -> Finding:
    touched = item.touched
    confidence = item.confidence
    if touched is not None and touched.file.partial and confidence is Confidence.HIGH:
        confidence = Confidence.MEDIUM
    weighs = rule.mode is Mode.ENFORCE and confidence is not Confidence.LOW
    severity = _severity(rule, _usage(item)) if weighs else Severity.NOTE
    if item.confidence is Confidence.MEDIUM and severity is Severity.BLOCK:
        severity = Severity.REVIEW
    return Finding(
        rule=rule.id,
        code=rule.code,
        severity=severity,
        outcome=Outcome.FLAGGED,
        message=_message(item)[:MAX_MESSAGE],
        path=item.path,
        line=item.line,
        function=touched.change.id if touched else None,
        points=rule.points.value if weighs else 0,
        confidence=confidence,
        evidence=tuple(_evidence(item)),
        remedy=rule.remedy,
        fingerprint=named,
    )


def _severity(rule: Rule, usage: Usage | None) -> Severity:
    reached = [step for step in rule.escalate if _reaches(usage, step.min_calls_per_minute, step.min_share)]
    return min((rule.severity, *(step.severity for step in reached)), key=_RANK.__getitem__)


def _message(item: Observation) -> str:
    if item.touched is None:
        return f"{wording.snippet(item.path)} {item.says}"
    traffic = "" if item.touched.is_container else wording.traffic(item.touched.usage)
    return " ".join(filter(None, (wording.name(item.touched.change), traffic, "and" if traffic else "", item.says)))


def _evidence(item: Observation) -> Iterator[Evidence]:
    if item.text:
        shown = wording.snippet(item.shown or wording.as_code(item.text))
        yield Evidence(kind="code", text=shown, path=item.path, line=item.line)
    yield from item.evidence
    usage = item.touched.usage if item.touched and not item.touched.is_container else None
    if usage is not None and (text := wording.traffic(usage)):
        yield Evidence(kind="usage", text=text, path=item.path, value=usage.calls_per_minute or usage.share)


def fingerprint(rule: str, subject: str, text: str, repeat: int) -> str:
    """What a finding is known by again: rule, function and normalised code, and which of equal ones it is."""
    parts = (rule, subject, text, str(repeat))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _capped(rule: Rule, findings: list[Finding]) -> list[Finding]:
    """The strongest findings of a rule within the bounds, and how many were left off."""
    kept: list[Finding] = []
    per_file: dict[str, int] = defaultdict(int)
    left_off: Counter[str] = Counter()
    for finding in sorted(findings, key=_order):
        if len(kept) >= MAX_PER_RULE or per_file[finding.path] >= MAX_PER_FILE:
            left_off[finding.path] += 1
        else:
            per_file[finding.path] += 1
            kept.append(finding)
    if left_off:
        path = min(left_off)
        more = wording.plural(left_off.total(), "more finding")
        message = f"{rule.id} has {more} in {wording.plural(len(left_off), 'file')}; the strongest are listed"
        kept.append(replace(_bare(rule, path, message), outcome=Outcome.FLAGGED))
    return kept


def _failed(rule: Rule, case: Case, error: Exception) -> Finding:
    path = min((file.path for file in case.change.files), default=".")
    cause = wording.snippet(f"{type(error).__name__}: {error}")
    return replace(
        _bare(rule, path, f"rule {rule.id} failed ({cause}): what it looks for was not judged"),
        severity=rule.severity,
        outcome=Outcome.ERROR,
        remedy="report this as a bug of gate, or switch the rule off in the policy until it is mended",
    )


def _bare(rule: Rule, path: str, message: str) -> Finding:
    return Finding(
        rule=rule.id,
        code=rule.code,
        severity=Severity.NOTE,
        outcome=Outcome.FLAGGED,
        message=message,
        path=path,
        remedy=rule.remedy,
        fingerprint=fingerprint(rule.id, path, message, 0),
    )


def _order(finding: Finding) -> tuple[int, int, str, int, str, str]:
    rank = _RANK[finding.severity]
    return rank, -finding.points, finding.path, finding.line or 0, finding.rule, finding.fingerprint
