"""What was handed in for a change, and what of it counts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gatecli.config import Config
from gatecli.model import Approval, Binding, Case, Counted, Dismissal, Finding, PolicyStamp, Report, SourceKind
from gatecli.pipeline.governing import MAILMAP, read_keys, read_policy
from gatecli.pipeline.request import Request
from gatecli.sources.source import Source

if TYPE_CHECKING:
    from gatecli.policy.approvals import Submitted
    from gatecli.policy.owners import Owners
    from gatecli.provenance.identity import Directory


def count_approvals(
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
    known = identity.directory(settings.people, governing.tree.read(MAILMAP))
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

    settings, stamp = read_policy(origin, request)
    found = owners.read_owners(origin.governing.tree.read)
    return count_approvals(origin, request, report.case, report.findings, settings, stamp, found)


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
        keys=read_keys(origin, settings),
    )


def _notes_on(origin: Source, ref: str, anchor_text: str) -> tuple[bytes, ...]:
    """The notes on the commits of a change and on its content."""
    from gatecli.sources.notes import anchor, read_notes

    change = origin.change
    if origin.repository is None or change.kind is not SourceKind.RANGE or change.head is None:
        return ()
    names = [change.head, *(revision.sha for revision in change.revisions), anchor(anchor_text, like=change.head)]
    return tuple(read_notes(origin.repository, ref, names).values())
