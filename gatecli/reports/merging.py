"""What is left to do before a merge: who must sign, who can, and the commands to type."""

import re

from gatecli.model import Candidate, Report, Requirement, RequirementStatus, SourceKind, WaiverKind
from gatecli.reports.summary import blockers, short, whys
from gatecli.reports.text import count, listed, moment

OUTSTANDING = (RequirementStatus.UNSATISFIED, RequirementStatus.ERROR)
"""The states of a requirement that keep a change from merging."""

WAIVED = (RequirementStatus.OVERRIDDEN, RequirementStatus.BYPASSED)
"""The states of one that somebody lifted: never shown as signed."""

ABOVE = "any of the people above; one person can sign for all"
"""Said where the same people are asked again."""

_SHELL_SAFE = re.compile(r"[A-Za-z0-9][\w./-]{0,99}", re.ASCII)


def asked(report: Report) -> tuple[Requirement, ...]:
    """The requirements that apply, the outstanding ones last: the reader's eye ends on them."""
    applying = [item for item in report.signoff.requirements if item.status is not RequirementStatus.NOT_APPLICABLE]
    return tuple(sorted(applying, key=lambda item: item.status in OUTSTANDING))


def outstanding(report: Report) -> tuple[Requirement, ...]:
    """The requirements that still keep the change from merging."""
    return tuple(item for item in report.signoff.requirements if item.status in OUTSTANDING)


def progress(report: Report) -> str:
    """``1 of 2 signed``, or what the sign-off is without requirements."""
    applying = asked(report)
    if not applying:
        return str(report.signoff.status).replace("_", " ")
    lifted = waived(report)
    done = len(applying) - len(outstanding(report)) - len(lifted)
    return f"{done:,} of {len(applying):,} signed" + "".join(
        f", {number:,} {status}" for status in WAIVED if (number := sum(one.status is status for one in lifted))
    )


def waived(report: Report) -> tuple[Requirement, ...]:
    """The requirements that were lifted and not met."""
    return tuple(item for item in report.signoff.requirements if item.status in WAIVED)


def waivers(report: Report) -> tuple[str, ...]:
    """What was lifted, by whom, until when and why: a line each, which no report leaves out."""
    names = {status: [one.name for one in waived(report) if one.status is status] for status in WAIVED}
    words = {WaiverKind.OVERRIDE: RequirementStatus.OVERRIDDEN, WaiverKind.GRANT: RequirementStatus.BYPASSED}
    return tuple(
        f"{listed(names[words[one.kind]], 3)}: {words[one.kind]} by {one.by} until {moment(one.until)}, {one.reason}"
        for one in report.signoff.waivers
    )


def approve_commands(report: Report) -> tuple[str, ...]:
    """The commands by which a human gives what is outstanding; empty where no human is asked."""
    asks = (item for item in outstanding(report) if item.kind not in ("agent", "time"))
    if report.case.change.kind is not SourceKind.RANGE:
        return ()
    if not any(item.status is RequirementStatus.UNSATISFIED for item in asks):
        return ()
    return (*signing_command(report), "gh pr review --approve")


def signing_command(report: Report) -> tuple[str, ...]:
    """How to sign with a key of one's own, where the base lists keys; a signature says more than a click."""
    change = report.case.change
    ends = [short(change.base), short(change.head)]
    named = change.base is not None and change.head is not None and all(_SHELL_SAFE.fullmatch(end) for end in ends)
    return (f"gate approve {'...'.join(ends)}",) if report.signoff.keys and named else ()


def check_command(report: Report) -> str:
    """The command that judges the same change again."""
    change = report.case.change
    if change.kind is SourceKind.STAGED:
        return "gate check --staged"
    if change.kind is SourceKind.PATCH:
        return "gate check --diff FILE"
    revisions = _range(report) if change.kind is SourceKind.RANGE else ""
    return f"gate check {revisions}".strip()


def rule_commands(report: Report) -> tuple[str, ...]:
    """The command that explains the rule behind the first reason that names one."""
    named = [finding.rule for finding in blockers(report)] + [why.finding.rule for why in whys(report) if why.finding]
    return tuple(f"gate rules show {rule}" for rule in named if _SHELL_SAFE.fullmatch(rule))[:1]


def _range(report: Report) -> str:
    """``BASE..HEAD``, empty where a name is not safe to paste into a shell: branch names may hold ``$(…)``."""
    change = report.case.change
    ends = [short(change.merge_base or change.base), short(change.head)]
    known = change.head is not None and (change.merge_base or change.base) is not None
    return "..".join(ends) if known and all(_SHELL_SAFE.fullmatch(end) for end in ends) else ""


def ask(report: Report, requirement: Requirement) -> str:
    """Who can give it: people with the reason why they, or the role where nobody is known."""
    if requirement.kind == "time":
        return "nobody can sign for that"
    given = len(requirement.satisfied_by)
    held = f"{listed(requirement.satisfied_by, 3)} signed; " if given else ""
    people = requirement.who or report.signoff.candidates
    missing = max(1, requirement.count - given)
    if not people:
        if requirement.role in ("", "any"):
            return f"{held}needs {count(missing, requirement.kind)}"
        return f"{held}needs {count(missing, requirement.role)} ({requirement.kind})"
    if named_before(report, requirement, people):
        return f"{held}{ABOVE}"
    names = [candidate(person) for person in people[:3]]
    if missing == 1:
        return f"{held}ask {listed(names, 3, 'or')}"
    return f"{held}ask {missing:,} of {listed(names, 3)}"


def named_before(report: Report, requirement: Requirement, people: tuple[Candidate, ...]) -> bool:
    """Whether an outstanding requirement that is shown earlier asks the same people."""
    wanted = {person.person for person in people}
    for other in outstanding(report):
        if other.name == requirement.name:
            return False
        if {person.person for person in other.who or report.signoff.candidates} == wanted:
            return True
    return False


def candidate(one: Candidate) -> str:
    """Who, and why they."""
    return f"{one.person} ({one.evidence})" if one.evidence else one.person
