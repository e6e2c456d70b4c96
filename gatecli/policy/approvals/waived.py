"""Waivers that count: overrides of this very content, and grants for changes of its kind, each signed by who may.

An override is a line of a note under ``refs/notes/gate-overrides``, like an approval in every way but its namespace, so
that neither stands for the other. A grant lies in ``.gate/grants.yml`` at the newest base, signed on its own. Whoever
is not independent of the change can sign neither for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gatecli.config import Config, People
from gatecli.config.freeze import moment
from gatecli.config.grants import Grant
from gatecli.model import Case, Change, Dismissal, Finding, Waiver, WaiverKind
from gatecli.policy.approvals import statements
from gatecli.policy.approvals.claims import CLOCK_SKEW_S, Barred
from gatecli.policy.approvals.statements import MAX_SIGNED, Check
from gatecli.policy.owners import SENIORS, members
from gatecli.provenance.identity import Directory
from gatecli.sources.signatures import GRANT, OVERRIDE, Checked
from gatecli.sources.standing import Standing

REF = "refs/notes/gate-overrides"
SCHEMA = "gate-override/1"
_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(statements.Statement):
    """What whoever overrides signs: these requirements, of this content, at this place, until then, because of that."""

    until: int
    reason: str
    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Who is who, who may sign what, and who is not independent."""

    known: Directory
    config: Config
    barred: Barred
    check: Check
    now: int

    @property
    def people(self) -> People:
        """Those of the policy."""
        return self.config.people

    def refused(self, by: str, names: tuple[str, ...], listed: tuple[str, ...]) -> str | None:
        """Why somebody with a genuine signature may not sign it, None if they may."""
        keys = frozenset(self.known.key_of(name) for name in (by, *names))
        if (why := self.barred.why(keys)) is not None:
            return why
        wanted = self.known.keys_of(one for name in listed for one in members(self.people, name))
        senior = SENIORS in listed and self.known.lists_as_senior(by)
        return None if senior or self.known.key_of(by) in wanted else "is none of those whom the policy lets sign it"


def anchor_text(digest: str) -> str:
    """The text of the object that overrides of some content hang on, whatever commit holds it."""
    return f"{OVERRIDE} {digest}\n"


def make(
    change: Change,
    standing: Standing,
    *,
    by: str,
    at: int,
    until: int,
    reason: str,
    requirements: Iterable[str],
    policy: str,
    acknowledged: Iterable[str],
) -> bytes:
    """The statement of somebody who overrides, as the bytes to sign."""
    return statements.make(
        Statement,
        SCHEMA,
        change,
        standing,
        by=by,
        at=at,
        policy=policy,
        acknowledged=acknowledged,
        until=until,
        reason=reason,
        requirements=tuple(sorted(set(requirements))),
    )


def overrides(
    notes: Iterable[bytes],
    case: Case,
    findings: Iterable[Finding],
    signers: Signers,
    standing: Standing,
    *,
    policy: str,
) -> Iterator[Waiver | Dismissal]:
    """Every override in some notes, each person's last; or why it does not count."""
    named = {one.fingerprint: one.code for one in findings if one.asks_for_somebody and one.fingerprint}
    found: dict[str, Waiver] = {}
    holder: dict[str, str] = {}
    for read in statements.decoded(statements.lines(notes)[-MAX_SIGNED:], Statement):
        if read is None:
            yield _refused("a note", "a line of it is no signed override: it was edited, or is not gate's")
            continue
        entry, one = read
        checked = signers.check(entry.statement.encode(), entry.signature, one.by, OVERRIDE)
        why = checked.problem or _void(one, case, named, signers, standing, checked, policy)
        if why is not None:
            yield _refused(one.by, why)
            continue
        key = holder.setdefault(checked.key or one.by, signers.known.key_of(one.by))
        waiver = Waiver(
            kind=WaiverKind.OVERRIDE,
            by=one.by,
            at=one.at,
            until=one.until,
            reason=one.reason,
            requirements=one.requirements,
        )
        found[key] = max(found.get(key, waiver), waiver, key=lambda each: each.at or 0)
    yield from found.values()


def _void(
    one: Statement,
    case: Case,
    named: dict[str, str],
    signers: Signers,
    standing: Standing,
    checked: Checked,
    policy: str,
) -> str | None:
    """Why a genuine override does not count; the order is that of what its signer can do about it."""
    rule, now = signers.config.override, signers.now
    if rule is None:
        return "the policy lets nobody override"
    why = (
        statements.unknown_form(one, SCHEMA)
        or signers.refused(one.by, checked.names, rule.signed_by)
        or statements.misplaced(one, standing)
        or statements.of_another_policy(one, policy)
    )
    if why is not None:
        return why
    if one.digest != case.change.digest:
        return f"an override of {one.head[:12]}, which is other content than what was judged"
    if one.at > now + CLOCK_SKEW_S:
        return "dated in the future: a clock is wrong"
    if one.until <= now:
        return "has expired"
    if one.until - one.at > rule.at_most_hours * _HOUR:
        return f"lasts longer than the {rule.at_most_hours:g} h that the policy allows"
    if not one.reason.strip():
        return "gives no reason"
    if missing := sorted({code for mark, code in named.items() if mark not in one.acknowledged}):
        return f"has not acknowledged {', '.join(missing[:3])}"
    return None


def grants(found: Iterable[Grant], signers: Signers, standing: Standing) -> Iterator[Waiver | Dismissal]:
    """Every grant that is in force; or why it does not count. Those that are over, or not begun, are nothing."""
    rule, now = signers.config.grants, signers.now
    for one in found:
        since, until = moment(one.since), moment(one.until)
        if not since <= now < until:
            continue
        if rule is None:
            yield _refused(one.by, "the policy lets nobody grant anything", "grant")
            continue
        checked = signers.check(one.payload, one.signature, one.by, GRANT)
        why = checked.problem or signers.refused(one.by, checked.names, rule.signed_by)
        if why is None and until - since > rule.at_most_days * _DAY:
            why = f"lasts longer than the {rule.at_most_days:g} days that the policy allows"
        if why is None and one.repository and standing.repository and one.repository != standing.repository:
            why = f"signed for the repository {one.repository[:100]}"
        if why is not None:
            yield _refused(one.by, why, "grant")
            continue
        yield Waiver(
            kind=WaiverKind.GRANT,
            by=one.by,
            until=until,
            reason=one.reason,
            requirements=one.requirements,
            paths=one.paths,
            to=one.to,
        )


def _refused(by: str, reason: str, source: str = "override") -> Dismissal:
    return Dismissal(by=by, reason=reason, source=source)
