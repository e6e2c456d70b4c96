"""What the change needs: pass, review or block, with the reasons."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from gatecli.config import Config, FailOn, History, Treatment
from gatecli.errors import EXIT_BLOCK, EXIT_INCOMPLETE, EXIT_PASS, EXIT_REVIEW
from gatecli.model import (
    BandAsk,
    Case,
    Decision,
    FileChange,
    FileType,
    Finding,
    FunctionChange,
    FunctionKind,
    Grade,
    Mode,
    Outcome,
    ParsedFile,
    ParseStatus,
    ProvenanceClass,
    Reason,
    Score,
    Severity,
    Standing,
    UsageStatus,
    Verdict,
)
from gatecli.provenance.identity import directory

_DAY = 86_400
_ORDER = (Decision.PASS, Decision.REVIEW, Decision.BLOCK)
_ASKED_BY = {Severity.NOTE: Decision.PASS, Severity.REVIEW: Decision.REVIEW, Severity.BLOCK: Decision.BLOCK}
_CONTAINERS = (FunctionKind.MODULE, FunctionKind.CLASS_BODY)


class Ask(StrEnum):
    """Who has to answer a trigger, in the words of a requirement's name."""

    NOBODY = "nobody"
    REVIEWER = "reviewer who knows the code"
    SENIOR_FOR_BLOCK = "senior signs what blocks"
    SENIOR_FOR_AGENT = "senior signs the AI-written change"
    SENIOR_FOR_RISK = "senior signs the risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One thing that speaks against merging at once: what it asks for, its reason, and its weight among its equals.

    ``risk`` is that of the function it stands on: of two reasons with equal points the busier one comes first.
    """

    level: Decision
    ask: Ask
    reason: Reason
    weight: int = 0
    risk: int = 0
    incomplete: bool = False


def decide(case: Case, findings: Iterable[Finding], score: Score, config: Config) -> Verdict:
    """The verdict before sign-offs: the strictest of all triggers, reasons strongest first."""
    found = triggers(case, findings, score, config)
    decision = max((trigger.level for trigger in found), key=_ORDER.index, default=Decision.PASS)
    return Verdict(
        decision=decision,
        outcome=decision,
        reasons=tuple(trigger.reason for trigger in found),
        incomplete=tuple(dict.fromkeys(trigger.reason.text for trigger in found if trigger.incomplete)),
    )


def triggers(case: Case, findings: Iterable[Finding], score: Score, config: Config) -> tuple[Trigger, ...]:
    """Everything that speaks for a decision, strongest first; a fact is named once."""
    findings = tuple(findings)
    found = [
        *_flagged(findings, score),
        *_unjudged_rules(findings),
        *_agent(case, config),
        *_unread(case),
        *_profile(case, config),
        *_unjudged_files(case),
        *(_band(score, config) if case.change.files else ()),
        *(_past_band(score.standing, config) if case.change.files and score.standing is not None else ()),
        *_contributions(findings, score),
        *_empty(case),
    ]
    return tuple(sorted(found, key=_by_strength))


def _by_strength(trigger: Trigger) -> tuple[int, int, int, str, str, str, int]:
    reason = trigger.reason
    rank = -_ORDER.index(trigger.level), -trigger.weight, -trigger.risk
    return *rank, reason.text, reason.rule or "", reason.path or "", reason.line or 0


def exit_code(verdict: Verdict, mode: Mode, fail_on: FailOn) -> int:
    """What ``gate check`` exits with: a known block first, then evidence that is missing, then an open review."""
    if mode is not Mode.ENFORCE or fail_on is FailOn.NEVER:
        return EXIT_PASS
    if verdict.outcome is Decision.BLOCK:
        return EXIT_BLOCK
    if verdict.incomplete:
        return EXIT_INCOMPLETE
    return EXIT_REVIEW if verdict.outcome is Decision.REVIEW and fail_on is FailOn.REVIEW else EXIT_PASS


# --------------------------------------------------------------------------- rules


def _flagged(findings: tuple[Finding, ...], score: Score) -> Iterator[Trigger]:
    """One trigger a rule, from its gravest finding, with the points that the rule adds to the score."""
    for group in _by_rule(findings, Outcome.FLAGGED):
        first, points = group[0], max(0, *(finding.points for finding in group))
        if first.severity is Severity.NOTE and not points:
            continue
        more = f" (and {len(group) - 1:,} more)" if len(group) > 1 else ""
        level = _ASKED_BY[first.severity]
        ask = {Decision.BLOCK: Ask.SENIOR_FOR_BLOCK, Decision.REVIEW: Ask.REVIEWER, Decision.PASS: Ask.NOBODY}[level]
        reason = Reason(
            text=first.message + more, points=points, rule=first.rule, path=first.path, line=first.line
        )  # fmt: skip
        risk = score.by_function.get(first.function, 0) if first.function is not None else 0
        yield Trigger(level=level, ask=ask, reason=reason, weight=points, risk=risk)


def _unjudged_rules(findings: tuple[Finding, ...]) -> Iterator[Trigger]:
    """Rules that could not answer: an unknown asks for a reviewer, a failed rule is missing evidence besides."""
    for outcome, verb in ((Outcome.ERROR, "failed"), (Outcome.UNKNOWN, "could not tell")):
        for group in _by_rule(findings, outcome):
            first = group[0]
            if first.severity is not Severity.NOTE:
                more = f" (and {len(group) - 1:,} more)" if len(group) > 1 else ""
                text = f"{first.rule} {verb}: {first.message}{more}"
                yield Trigger(
                    level=Decision.REVIEW,
                    ask=Ask.REVIEWER,
                    reason=Reason(text=text, rule=first.rule, path=first.path, line=first.line),
                    incomplete=outcome is Outcome.ERROR,
                )


def _by_rule(findings: tuple[Finding, ...], outcome: Outcome) -> Iterator[list[Finding]]:
    """The findings of each rule with an outcome, gravest first."""
    severities = (Severity.BLOCK, Severity.REVIEW, Severity.NOTE)
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.outcome is outcome:
            groups.setdefault(finding.rule, []).append(finding)
    for group in groups.values():
        yield sorted(
            group,
            key=lambda one: (severities.index(one.severity), -one.points, one.path, one.line or 0, one.message),
        )


# --------------------------------------------------------------------------- authorship


def _agent(case: Case, config: Config) -> Iterator[Trigger]:
    """An AI-written change whose operator is not senior; nobody knows who prompted: nobody senior did."""
    provenance = case.provenance
    if not case.change.files or not _counts_as_ai(provenance.klass, config):
        return
    operator = provenance.operator
    if operator is not None and directory(config.people).is_senior(operator):
        return
    tools = list(dict.fromkeys(agent.tool for agent in provenance.agents if agent.channel != "declared"))
    agent = " and ".join(tools[:2]) or "an agent"
    what = {
        ProvenanceClass.AI: f"{agent} wrote this change",
        ProvenanceClass.ASSISTED: f"{agent} assisted with this change, which the policy treats as AI-written",
        ProvenanceClass.NO_EVIDENCE: "who wrote this change is not known, which the policy treats as AI-written",
    }[provenance.klass]
    if operator is None:
        who = "who prompted it is not known"
    elif config.people.seniors:
        who = f"{operator.name or operator.email} is not on the senior list"
    else:
        who = f"there is no senior list that {operator.name or operator.email} could be on"
    yield Trigger(level=Decision.REVIEW, ask=Ask.SENIOR_FOR_AGENT, reason=Reason(text=f"{what}, and {who}"))


def _counts_as_ai(klass: ProvenanceClass, config: Config) -> bool:
    treatment = {
        ProvenanceClass.AI: Treatment.TREAT_AS_AI,
        ProvenanceClass.ASSISTED: config.provenance.assisted,
        ProvenanceClass.NO_EVIDENCE: config.provenance.no_evidence,
    }
    return treatment[klass] is Treatment.TREAT_AS_AI


# --------------------------------------------------------------------------- evidence that is missing


def _unread(case: Case) -> Iterator[Trigger]:
    """Commits or messages too many or too long to read: an agent or an author may be hidden in them."""
    if case.change.files:
        for text in case.provenance.unread:
            yield replace(_floor(text), incomplete=True)


def _profile(case: Case, config: Config) -> Iterator[Trigger]:
    """A profile that is configured (required, or there) but missing, stale, weak, or without the touched functions."""
    profile = case.profile
    if not case.change.files:
        return
    if profile is None:
        if config.profile.required:
            text = f"the policy requires a runtime profile and there is none at {config.profile.path}"
            yield replace(_floor(text), incomplete=True)
        return
    days = profile.age_s / _DAY if profile.age_s is not None else None
    if days is None:
        yield _floor("the age of the runtime profile is not known, so it counts as stale")
    elif days > config.profile.max_age_days:
        allowed = f"the policy allows {config.profile.max_age_days:g}"
        yield _floor(f"the runtime profile is {days:,.1f} days old, {allowed}")
    expected = case.running
    if profile.grade is Grade.WEAK and (unseen := [one for one in expected if _is_unseen(case, one)]):
        text = f"the runtime profile is weak: that it has not seen {unseen[0].id.name} does not say that it never runs"
        yield _floor(text if len(unseen) == 1 else f"{text} ({len(unseen) - 1:,} more)", path=unseen[0].id.path)
    if missing := [function for function in expected if not _has_answer(case, function)]:
        first = missing[0].id
        text = f"{len(missing):,} of {len(expected):,} touched functions could not be matched in the runtime profile"
        yield _floor(f"{text}, {first.name} first", path=first.path)


def _has_answer(case: Case, function: FunctionChange) -> bool:
    usage = case.usage.get(function.id)
    return usage is not None and usage.status in (UsageStatus.OBSERVED, UsageStatus.NOT_OBSERVED)


def _is_unseen(case: Case, function: FunctionChange) -> bool:
    usage = case.usage.get(function.id)
    return usage is not None and usage.status is UsageStatus.NOT_OBSERVED


def _unjudged_files(case: Case) -> Iterator[Trigger]:
    """One trigger for all files that nothing is known of, the first one by name with its reason."""
    files = {file.path: file for file in case.change.files}
    found = [(parsed.path, why) for parsed in case.parsed if (why := _why_unjudged(parsed, files.get(parsed.path)))]
    submodules = [file.path for file in case.change.files if file.type is FileType.SUBMODULE]
    found += [(path, "what a submodule brings is not in the diff") for path in submodules]
    if found:
        path, why = min(found)
        what = path if len(found) == 1 else f"{len(found):,} files, {path} first,"
        yield _floor(f"{what} could not be judged: {why}", path=path)


def _why_unjudged(parsed: ParsedFile, file: FileChange | None) -> str | None:
    if parsed.status is ParseStatus.NOT_PARSED and (file is None or file.type is not FileType.SUBMODULE):
        return parsed.reason or "it could not be parsed"
    if parsed.status is not ParseStatus.PARTIAL:
        return None
    changed = {line for hunk in file.hunks for line in hunk.added} if file else set(parsed.error_lines)
    broken = len(changed.intersection(parsed.error_lines))
    lines = "1 changed line does" if broken == 1 else f"{broken:,} changed lines do"
    return f"{lines} not parse" if broken else None


def _floor(text: str, *, path: str | None = None) -> Trigger:
    return Trigger(level=Decision.REVIEW, ask=Ask.REVIEWER, reason=Reason(text=text, path=path))


def _empty(case: Case) -> Iterator[Trigger]:
    """An empty change passes, unless something kept gate from seeing what is in it."""
    if case.change.files:
        return
    for warning in case.change.warnings:
        yield replace(_floor(f"the change seems empty, but {warning}"), incomplete=True)
    if not case.change.warnings:
        text = "the change is empty: there is nothing to judge"
        yield Trigger(level=Decision.PASS, ask=Ask.NOBODY, reason=Reason(text=text))


# --------------------------------------------------------------------------- the score


def _band(score: Score, config: Config) -> Iterator[Trigger]:
    bands = config.bands
    if score.total < bands.review:
        return
    senior = score.total >= bands.senior
    starts = f"a senior is asked from {bands.senior} on" if senior else f"review starts at {bands.review}"
    text = f"risk is {score.total} points (likelihood {score.likelihood}, exposure {score.exposure}), {starts}"
    ask = Ask.SENIOR_FOR_RISK if senior else Ask.REVIEWER
    # The total stands in every headline; the reasons begin with what makes it up.
    yield Trigger(level=Decision.REVIEW, ask=ask, reason=Reason(text=text))


def _past_band(standing: Standing, config: Config) -> Iterator[Trigger]:
    """What the place among past changes asks for: it can only add to what else is asked."""
    if config.bands.history is History.SHOW:
        return
    if standing.broken:
        yield _floor(f"what was learned from the past cannot be read: {standing.problem}")
    elif (why := standing.problem or standing.missing) and config.bands.history is History.REQUIRED:
        yield _floor(f"the change could not be ranked among past ones, which the policy requires: {why}")
    band = standing.band
    if band is None or standing.points is None:
        return
    by = " by a senior" if band.asks is BandAsk.SENIOR else ""
    text = (
        f"history gives it {standing.points} points: changes from {band.points} on, the top {100 * band.share:.3g} % "
        f"here, are reviewed{by}"
    )
    ask = Ask.SENIOR_FOR_RISK if band.asks is BandAsk.SENIOR else Ask.REVIEWER
    yield Trigger(level=Decision.REVIEW, ask=ask, reason=Reason(text=text))


def _contributions(findings: tuple[Finding, ...], score: Score) -> Iterator[Trigger]:
    """What adds to the score beside the findings, which have their own reasons."""
    rules = {finding.rule for finding in findings if finding.outcome is Outcome.FLAGGED}
    for one in score.contributions:
        if one.points > 0 and one.rule not in rules:
            reason = Reason(text=one.text, points=one.points, rule=one.rule, path=one.path, line=one.line)
            yield Trigger(level=Decision.PASS, ask=Ask.NOBODY, reason=reason, weight=one.points)
