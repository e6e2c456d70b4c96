"""Approvals that people signed with their own keys: what is signed, and how it is read again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from gatecli.config import People
from gatecli.model import ApprovalSource, Change, SignerKind
from gatecli.policy.approvals import statements
from gatecli.policy.approvals.claims import Claim, Word
from gatecli.policy.approvals.statements import MAX_SIGNED, Check
from gatecli.provenance.identity import normal
from gatecli.sources.signatures import NAMESPACE
from gatecli.sources.standing import Content, Standing

REF = "refs/notes/gate-approvals"
SCHEMA = "gate-approval/1"

MAX_FILES = 2_000
"""Of a larger change no approval outlives a change of one file."""

_WORDS = {"approve": Word.YES, "object": Word.NO, "withdraw": Word.TAKEN_BACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(statements.Statement):
    """What an approver signs. ``files`` are the digests of each file's part of the diff."""

    verdict: Literal["approve", "object", "withdraw"]
    merge_tree: str | None
    files: dict[str, str] = field(default_factory=dict)


def make(
    change: Change,
    standing: Standing,
    *,
    by: str,
    at: int,
    policy: str,
    acknowledged: Iterable[str],
    verdict: Literal["approve", "object", "withdraw"],
) -> bytes:
    """The statement of somebody who looked at a change, as the bytes to sign."""
    return statements.make(
        Statement,
        SCHEMA,
        change,
        standing,
        by=by,
        at=at,
        policy=policy,
        acknowledged=acknowledged,
        verdict=verdict,
        merge_tree=standing.merge_tree(),
        files=dict(change.file_digests) if len(change.file_digests) <= MAX_FILES else {},
    )


def anchor_text(digest: str) -> str:
    """The text of the object that notes on some content hang on, whatever commit holds it."""
    return f"{NAMESPACE} {digest}\n"


def claims(
    notes: Iterable[bytes],
    check: Check,
    standing: Standing,
    people: People,
    *,
    policy: str,
) -> Iterator[Claim]:
    """Every signed verdict in some notes.

    Args:
        notes: Their texts; equal lines count once.
        check: Tells whether a signature is genuine.
        standing: Which repository and branch this is about.
        people: Which principals are agents.
        policy: The hash of the policy that judges.
    """
    agents = {normal(name): family for name, family in people.agents.items()}
    lines = statements.lines(notes)
    for one in statements.decoded(lines[:MAX_SIGNED], Statement):
        if one is None:
            yield _unread("a line of it is no signed approval: it was edited, or is not gate's")
            continue
        entry, statement = one
        checked = check(entry.statement.encode(), entry.signature, statement.by, NAMESPACE)
        family = agents.get(normal(statement.by))
        yield Claim(
            by=statement.by,
            word=_WORDS[statement.verdict],
            source=ApprovalSource.SSH,
            at=statement.at,
            kind=SignerKind.AGENT if family else SignerKind.HUMAN,
            model=family,
            commit=statement.head,
            content=Content(digest=statement.digest, files=statement.files),
            merge_tree=statement.merge_tree,
            acknowledged=frozenset(statement.acknowledged),
            names=checked.names,
            key=checked.key,
            problem=checked.problem or _problem(statement, standing, policy),
            genuine=checked.problem is None and statement.schema == SCHEMA,
        )
    if len(lines) > MAX_SIGNED:
        yield _unread(f"{len(lines) - MAX_SIGNED:,} more signed notes: the first {MAX_SIGNED} were read")


def _problem(statement: Statement, standing: Standing, policy: str) -> str | None:
    """Why a genuine statement is not about this change, as far as that does not hang on its content."""
    if (why := statements.unknown_form(statement, SCHEMA) or statements.misplaced(statement, standing)) is not None:
        return why
    # Another policy settles no objection.
    return None if statement.verdict == "object" else statements.of_another_policy(statement, policy)


def _unread(problem: str) -> Claim:
    return Claim(by="a note", word=Word.YES, source=ApprovalSource.SSH, problem=problem, genuine=False)
