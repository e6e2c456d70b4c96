"""Which of all claims count, and why the others do not.

A person's latest word decides, whatever account or key it came by; a person counts once. An approval counts if it is by
somebody independent, of this content, for this place, now. Whether somebody is senior, an owner or on a team is asked
elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gatecli.config import People
from gatecli.model import (
    Approval,
    Binding,
    Case,
    Counted,
    Dismissal,
    Finding,
    SignerKind,
    SourceKind,
)
from gatecli.policy.approvals.claims import CLOCK_SKEW_S, Barred, Claim, Word
from gatecli.policy.owners import Owners, members
from gatecli.provenance.identity import Directory
from gatecli.provenance.table import tool_of
from gatecli.sources.standing import Content, Standing

MAX_FORMER = 20
"""Former heads whose content is looked up: an approval of any other is stale."""

MAX_NAMED = 3

_STRENGTH = (Binding.MERGE_TREE, Binding.DIFF, Binding.FILES, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Everything that a claim is weighed against."""

    case: Case
    known: Directory
    barred: Barred
    standing: Standing
    named: Mapping[str, str]
    now: int
    seen_at: Mapping[str, Content | None]
    tools: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighed:
    """A claim with what it is bound to, or (``reason``) why it does not count."""

    claim: Claim
    binding: Binding | None = None
    changed: tuple[str, ...] = ()
    reason: str = ""


def count(
    claims: Iterable[Claim],
    case: Case,
    findings: Iterable[Finding],
    known: Directory,
    people: People,
    barred: Barred,
    standing: Standing,
    *,
    now: int,
    owners: Owners | None,
) -> Counted:
    """Weigh the claims: see ``counted`` for what they are held against."""
    claims = tuple(claims)
    dismissed = [_dismissal(one, one.problem or "not made by whom it names") for one in claims if not one.genuine]
    scale = _Scale(
        case=case,
        known=known,
        barred=barred,
        standing=standing,
        named=_named(findings),
        now=now,
        seen_at=_former(claims, case, standing),
        tools=frozenset(sign.tool for sign in case.provenance.agents),
    )
    whole: dict[str, _Weighed] = {}
    partial: dict[str, _Weighed] = {}
    objections = []
    for key, said in _by_person(claims, known).items():
        best, others = _best(said, scale)
        here = [one for one in said if one.problem is None]
        if here and here[-1].word is Word.NO and _why_barred(here[-1], scale) is None:
            objections.append(key)
        if best.binding is None:
            weighed = (best, *others)
            dismissed += dict.fromkeys(_dismissal(one.claim, one.reason) for one in weighed)
        else:
            (partial if best.binding is Binding.FILES else whole)[key] = best
    for key, one in partial.items():
        open_paths = [path for path in one.changed if not _owner_among(path, whole, owners, known, people)]
        if open_paths:
            dismissed.append(_dismissal(one.claim, _stale(one.claim, case, open_paths)))
        else:
            whole[key] = one
    return Counted(
        approvals=tuple(_approval(one, case) for one in whole.values()),
        dismissed=tuple(dismissed),
        barred=dict(barred.reasons),
        objections=tuple(objections),
    )


def _named(findings: Iterable[Finding]) -> dict[str, str]:
    """The risks that whoever signs has to have acknowledged: fingerprint → code."""
    return {one.fingerprint: one.code for one in findings if one.asks_for_somebody and one.fingerprint}


def _former(claims: tuple[Claim, ...], case: Case, standing: Standing) -> dict[str, Content | None]:
    """What the change was at the commits that were approved, the newest claims first."""
    newest = sorted(claims, key=lambda one: -(one.at or 0))
    approved = dict.fromkeys(one.commit for one in newest if one.content is None and one.commit)
    heads = [head for head in approved if head != case.change.head]
    return {head: standing.content_of(head) for head in heads[:MAX_FORMER]}


def _by_person(claims: tuple[Claim, ...], known: Directory) -> dict[str, list[Claim]]:
    """Every person's genuine claims, oldest first; at the same moment a yes comes before anything else.

    A no of unknown date is taken for the newest. Whoever signs with one key is one person.
    """
    people: dict[str, list[Claim]] = {}
    holder: dict[str, str] = {}
    for one in claims:
        if one.genuine:
            key = one.names[0] if one.by == "a deleted account" else known.key_of(one.by)
            key = holder.setdefault(one.key, key) if one.key else key
            people.setdefault(key, []).append(one)
    for said in people.values():
        said.sort(key=lambda one: (_when(one), one.word is not Word.YES))
    return people


def _when(claim: Claim) -> float:
    if claim.at is not None:
        return claim.at
    return 0 if claim.word is Word.YES else float("inf")


def _best(said: list[Claim], scale: _Scale) -> tuple[_Weighed, list[_Weighed]]:
    """A person's last word, or of all yeses since they last said otherwise the one bound to most; and the rest."""
    if said[-1].word is not Word.YES:
        return _Weighed(claim=said[-1], reason=_why_barred(said[-1], scale) or said[-1].word.value), []
    since = next((number for number, one in enumerate(reversed(said)) if one.word is not Word.YES), len(said))
    weighed = [_weigh(one, scale) for one in reversed(said[len(said) - since :])]
    weighed.sort(key=lambda one: _STRENGTH.index(one.binding))
    return weighed[0], weighed[1:]


def _weigh(claim: Claim, scale: _Scale) -> _Weighed:
    change = scale.case.change
    if (why := _why_barred(claim, scale) or claim.problem) is not None:
        return _Weighed(claim=claim, reason=why)
    if claim.at is not None and claim.at > scale.now + CLOCK_SKEW_S:
        return _Weighed(claim=claim, reason="dated in the future: a clock is wrong")
    if change.kind is not SourceKind.RANGE or change.head is None:
        return _Weighed(claim=claim, reason="what was judged is no commit that an approval could name")
    if not change.files:
        return _Weighed(claim=claim, reason="there is nothing in the change that could be approved")
    if claim.acknowledged is not None and (missing := set(scale.named) - claim.acknowledged):
        codes = sorted({scale.named[one] for one in missing})
        what = ", ".join(codes[:MAX_NAMED]) + (f" and {len(codes) - MAX_NAMED} more" if len(codes) > MAX_NAMED else "")
        return _Weighed(claim=claim, reason=f"has not acknowledged {what}: gate approve shows it")
    return _bound(claim, scale)


def _why_barred(claim: Claim, scale: _Scale) -> str | None:
    names = frozenset(scale.known.key_of(name) for name in (claim.by, *claim.names))
    if (why := scale.barred.why(names)) is not None:
        return why
    if not claim.by.isascii():
        return "named with letters that look like others"
    wrote = claim.kind is SignerKind.AGENT and tool_of(claim.by) in scale.tools
    return "wrote part of it" if wrote else None


def _bound(claim: Claim, scale: _Scale) -> _Weighed:
    """What of the change the person saw."""
    change = scale.case.change
    if claim.content is None and claim.commit == change.head:
        # Where the head holds the base, merging adds nothing to what they saw.
        tree = change.base is not None and change.merge_base == change.base
        return _Weighed(claim=claim, binding=Binding.MERGE_TREE if tree else Binding.DIFF)
    content = claim.content or scale.seen_at.get(claim.commit or "")
    if content is None:
        named = claim.commit[:12] if claim.commit else "an unknown commit"
        return _Weighed(claim=claim, reason=f"approved {named}, not {(change.head or '')[:12]} that was judged")
    if content.digest == change.digest:
        same = claim.merge_tree is not None and claim.merge_tree == scale.standing.merge_tree()
        return _Weighed(claim=claim, binding=Binding.MERGE_TREE if same else Binding.DIFF)
    here = change.file_digests
    changed = sorted(path for path in {*here, *content.files} if here.get(path) != content.files.get(path))
    if not here or not content.files or len(changed) >= len({*here, *content.files}):
        return _Weighed(claim=claim, reason=_stale(claim, scale.case, changed))
    return _Weighed(claim=claim, binding=Binding.FILES, changed=tuple(changed))


def _stale(claim: Claim, case: Case, changed: list[str]) -> str:
    named = claim.commit[:12] if claim.commit else "something else"
    more = f" and {len(changed) - 1:,} more" if len(changed) > 1 else ""
    what = f": {changed[0]}{more} changed since" if changed else ""
    return f"approved {named}, not {(case.change.head or '')[:12]} that was judged{what}"


def _owner_among(
    path: str, whole: Mapping[str, _Weighed], owners: Owners | None, known: Directory, people: People
) -> bool:
    """Whether one of the owners of a file (of each section that names some) approved what it is now."""
    rules = [rule for rule in owners.rules_of(path) if not rule.optional] if owners else []
    approved = {key for key, one in whole.items() if one.claim.kind is SignerKind.HUMAN}
    return bool(rules) and all(
        approved & known.keys_of(one for owner in rule.owners for one in members(people, owner)) for rule in rules
    )


def _approval(one: _Weighed, case: Case) -> Approval:
    claim = one.claim
    assert one.binding is not None, "only what is bound counts"
    return Approval(
        person=claim.by,
        at=claim.at,
        source=claim.source,
        kind=claim.kind,
        commit=claim.commit,
        digest=claim.content.digest if claim.content and one.binding is Binding.FILES else case.change.digest,
        binding=one.binding,
        changed_since=one.changed,
        model=claim.model,
        acknowledged=tuple(sorted(claim.acknowledged or ())),
    )


def _dismissal(claim: Claim, reason: str) -> Dismissal:
    return Dismissal(by=claim.by, reason=reason, source=claim.source)
