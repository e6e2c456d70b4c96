"""The flow: every stage in order, each given the values of the ones before it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gatecli import __version__
from gatecli.config import Config
from gatecli.model import CallTree, Case, Finding, Memory, PolicyStamp, Report, RuleText
from gatecli.pipeline.approvals import count_approvals
from gatecli.pipeline.clock import Clock
from gatecli.pipeline.evidence import (
    carry_to_base,
    function_history,
    in_background,
    past_commits,
    read_file_knowledge,
    read_profile,
    read_provenance,
    trace_callers,
)
from gatecli.pipeline.governing import MAILMAP, guarded_files, read_memory, read_policies, read_rules
from gatecli.pipeline.incidents import recall_incidents
from gatecli.pipeline.request import Request
from gatecli.pipeline.standing import place_change
from gatecli.sources.source import Source

if TYPE_CHECKING:
    from gatecli.ledger.audit import Log
    from gatecli.policy.layers import Answer
    from gatecli.rules.spec import Rule
    from gatecli.runtime.profile import Profile


def judge(origin: Source, request: Request) -> Report:
    """Judge a change: the whole gate, stage by stage."""
    from gatecli.ledger import audit

    log = audit.read(request.ledger) if request.ledger is not None else None
    return _consider(origin, request).report(log)


def judge_and_record(origin: Source, request: Request, key: Path | None) -> Report:
    """Judge a change by the record of decisions, and add this one to it; ``key`` signs the record.

    Runs at the same time wait for each other there: what one lets pass the next one counts.
    """
    from gatecli.ledger import audit

    considered = _consider(origin, request)
    assert request.ledger is not None, "who records names a file"
    with audit.held(request.ledger) as record:
        report = considered.report(record.log)
        return replace(report, audit=record.append(report, key))


def _consider(origin: Source, request: Request) -> "_Considered":
    """All that takes long, and does not hang on what was decided before."""
    clock = Clock()
    with clock("policy"):
        settings, organisation, stamp = read_policies(origin, request)
        checks = read_rules(origin, settings, organisation)
    known = _known(origin, request, settings, clock)
    with clock("rules"):
        findings = _findings(origin, request, settings, known, checks, guarded_files(settings, organisation))
    return _Considered(
        origin=origin,
        request=request,
        settings=settings,
        organisation=organisation,
        stamp=stamp,
        checks=checks,
        known=known,
        findings=findings,
        clock=clock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Considered:
    """A change that the rules have looked at, with the policies that it is still to be answered by."""

    origin: Source
    request: Request
    settings: Config
    organisation: Config | None
    stamp: PolicyStamp
    checks: "tuple[Rule, ...]"
    known: "_Known"
    findings: tuple[Finding, ...]
    clock: Clock

    def report(self, log: "Log | None") -> Report:
        """The answer, given what was decided before (None: nothing is recorded)."""
        from gatecli.policy import layers, verdict

        settings, above = self.settings, self.organisation
        with self.clock("verdict"):
            answer = self._answer(settings, self.known.case, log)
            if above is not None:
                theirs = replace(self.known.case, provenance=read_provenance(self.origin, self.request, above))
                answer = layers.together(answer, self._answer(above, theirs, log))
        return Report(
            tool_version=__version__,
            generated_at=self.request.now,
            mode=settings.mode,
            case=self.known.case,
            findings=self.findings,
            score=answer.score,
            verdict=answer.verdict,
            signoff=answer.signoff,
            policy=self.stamp,
            exit_code=verdict.exit_code(answer.verdict, settings.mode, settings.fail_on),
            rules_run=len(self.checks),
            rules=tuple(map(_in_words, self.checks)),
            production=self.known.production,
            timings_ms=self.clock.timings(self.origin.read_ms),
        )

    def _answer(self, settings: Config, case: Case, log: "Log | None") -> "Answer":
        """What one policy says."""
        memory = read_memory(self.origin, self.request, settings, log)
        return _answer(self.origin, self.request, settings, self.stamp, case, self.findings, self.checks, memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of a change; ``profile`` is of its base, ``production`` a picture of it where one was asked for."""

    case: Case
    profile: "Profile | None"
    production: CallTree | None


def _known(origin: Source, request: Request, settings: Config, clock: Clock) -> _Known:
    """Everything that rules, score and policy look at: the functions, their use, their callers and their past."""
    from gatecli.history import memory
    from gatecli.rules.paths import matches
    from gatecli.runtime import attach, call_tree, summary
    from gatecli.syntax import match

    change, tests = origin.change, settings.paths.tests
    with clock("functions"):
        functions, parsed = match.changed_functions(change.files)
    past = in_background(lambda: past_commits(origin, functions))
    with clock("standing"):  # while the files that were just parsed are remembered
        standing = place_change(origin, request)
    with clock("runtime"):
        recorded, profile_path = read_profile(origin, request, settings)
        carried = carry_to_base(origin, recorded, change.files, tests) if recorded else None
        profile = carried.profile if carried else None
        usage = attach.attach(profile, functions, carried.since if carried else None)
        shown = profile if request.call_tree else None
        production = call_tree.call_tree(shown, {change.base_id for change in functions}) if shown else None
    with clock("callers"):
        blast = trace_callers(origin, functions, profile, settings, lambda path: matches(tests, path))
    with clock("history"):
        history = function_history(origin, functions, settings, past.result())
    with clock("provenance"):
        provenance = read_provenance(origin, request, settings)
    recalled = recall_incidents(origin, functions, history, usage, blast, settings, now=request.now)
    case = Case(
        change=change,
        parsed=parsed,
        functions=functions,
        usage=usage,
        blast=blast,
        history=memory.remembered(history, recalled),
        provenance=provenance,
        tests=frozenset(file.path for file in change.files if matches(tests, file.path)),
        file_knowledge=read_file_knowledge(origin, settings, past.result(), recalled),
        incidents=recalled,
        standing=standing,
    )
    if profile is not None:
        profile_summary = summary.summarise(profile, profile_path, usage, case.running, request.now, carried)
        case = replace(case, profile=profile_summary)
    return _Known(case=case, profile=profile, production=production)


def _findings(
    origin: Source,
    request: Request,
    settings: Config,
    known: _Known,
    checks: "tuple[Rule, ...]",
    guards: frozenset[str],
) -> tuple[Finding, ...]:
    """What the rules find, without what was accepted before."""
    from gatecli.rules import accepted, registry
    from gatecli.rules.code import Around
    from gatecli.runtime import attach

    profile = known.profile
    around = Around(
        base=origin.base,
        head=origin.head,
        usage=lambda id: attach.usage_of(profile, id) if profile else None,
        rules=frozenset(check.id for check in checks),
        today=datetime.fromtimestamp(request.now, UTC).date(),
        ignore_days=settings.ignores.max_days,
        guards=guards,
    )
    baseline = accepted.read_baseline(origin.governing.read(accepted.BASELINE_PATH))
    found = registry.run(checks, known.case, settings.paths, around)
    return accepted.settle(found, known.case, checks, around, baseline)


def _answer(
    origin: Source,
    request: Request,
    settings: Config,
    stamp: PolicyStamp,
    case: Case,
    findings: "Sequence[Finding]",
    checks: "Sequence[Rule]",
    memory: Memory | None,
) -> "Answer":
    """What one policy says of a change that the rules have looked at."""
    from gatecli.config import freeze
    from gatecli.policy import counterfactual, owners, requirements, verdict
    from gatecli.policy.layers import Answer
    from gatecli.scoring import points, weights

    governing = origin.governing
    score = points.score(case, findings, weights.shipped_weights(), people=settings.people)
    code_owners = owners.read_owners(governing.tree.read)
    signoff = requirements.sign_off(
        case,
        findings,
        score,
        settings,
        now=request.now,
        reviewed=count_approvals(origin, request, case, findings, settings, stamp, code_owners),
        owners=code_owners,
        freezes=freeze.read_freezes(governing.read),
        memory=memory,
        rules=frozenset(name for check in checks for name in (check.id, check.code)),
        mailmap=governing.tree.read(MAILMAP),
        keys=bool((governing.read(settings.people.keys) or b"").strip()),
    )
    decision = verdict.decide(case, findings, score, settings)
    named = [one.level for one in signoff.requirements if not one.built_in]
    without = counterfactual.without_each(case, findings, score, settings, named=named)
    return Answer(
        score=replace(score, without=without), verdict=requirements.outcome(decision, signoff), signoff=signoff
    )


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
