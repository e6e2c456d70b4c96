"""Approvals that people signed with their own keys: what is signed, how it is kept, how it is checked.

A note on a commit (``refs/notes/gate-approvals``) holds one JSON object a line, ``{"signature", "statement"}``. The
statement is text, and the signature is of exactly that text. Lines stay whole and independent, so notes that two people
wrote at once can be joined with ``git notes merge --strategy=cat_sort_uniq``. Whoever may push that ref may delete
lines: a signature proves that somebody agreed, its absence proves nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from gatecli.config import People
from gatecli.model import ApprovalSource, Change, SignerKind
from gatecli.policy.approvals.claims import Claim, Word
from gatecli.provenance.identity import normal
from gatecli.sources.signatures import NAMESPACE, Checked
from gatecli.sources.standing import Content, Standing

REF = "refs/notes/gate-approvals"
SCHEMA = "gate-approval/1"
MAX_SIGNED = 200
"""Signatures that are checked for one change: each takes a hundredth of a second."""

MAX_FILES = 2_000
"""Of a larger change no approval outlives a change of one file."""

Check = Callable[[bytes, str, str, str], Checked]
"""Whether a payload, a signature, a principal and a namespace fit."""

_WORDS = {"approve": Word.YES, "object": Word.NO, "withdraw": Word.TAKEN_BACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is signed. ``files`` are the digests of each file's part of the diff, ``acknowledged`` fingerprints."""

    schema: str
    by: str
    verdict: Literal["approve", "object", "withdraw"]
    at: int
    base: str
    head: str
    digest: str
    merge_tree: str | None
    policy: str
    files: dict[str, str] = field(default_factory=dict)
    acknowledged: tuple[str, ...] = ()
    target: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a note."""

    statement: str
    signature: str


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
    assert change.base is not None, "only commits can be signed"
    assert change.head is not None, "only commits can be signed"
    statement = Statement(
        schema=SCHEMA,
        by=by,
        verdict=verdict,
        at=at,
        base=change.base,
        head=change.head,
        digest=change.digest,
        merge_tree=standing.merge_tree(),
        policy=policy,
        files=dict(change.file_digests) if len(change.file_digests) <= MAX_FILES else {},
        acknowledged=tuple(sorted(set(acknowledged))),
        target=standing.target,
        repository=standing.repository,
    )
    return msgspec.json.encode(statement, order="sorted")


def line(statement: bytes, signature: str) -> str:
    """A statement and its signature as one line of a note."""
    return msgspec.json.encode(Line(statement=statement.decode(), signature=signature), order="sorted").decode()


def anchor_text(digest: str) -> str:
    """The text of the object that notes on some content hang on, whatever commit holds it."""
    return f"gate-approval {digest}\n"


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
    lines = dict.fromkeys(line for note in notes for line in note.splitlines() if line.strip())
    for number, text in enumerate(lines):
        if number == MAX_SIGNED:
            yield _unread(f"{len(lines) - MAX_SIGNED:,} more signed notes: the first {MAX_SIGNED} were read")
            return
        try:
            entry = msgspec.json.decode(text, type=Line)
            statement = msgspec.json.decode(entry.statement, type=Statement)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield _unread("a line of it is no signed approval: it was edited, or is not gate's")
            continue
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


class Placed(Protocol):
    """Something signed, as far as it says what place it is for."""

    @property
    def repository(self) -> str | None:
        """``owner/name``, None where the signer's clone did not say."""
        ...

    @property
    def target(self) -> str | None:
        """The branch that it may merge into."""
        ...

    @property
    def base(self) -> str:
        """A commit of the base's history."""
        ...


def _problem(statement: Statement, standing: Standing, policy: str) -> str | None:
    """Why a genuine statement is not about this change, as far as that does not hang on its content."""
    if statement.schema != SCHEMA:
        return f"signed in a form that this version does not know ({statement.schema[:40]})"
    if (why := misplaced(statement, standing)) is not None:
        return why
    if statement.policy != policy and statement.verdict != "object":  # another policy settles no objection
        return "signed under another policy than the one that judges"
    return None


def misplaced(one: Placed, standing: Standing) -> str | None:
    """Why something signed is for another repository, branch or history, None if it is for this one."""
    if one.repository and standing.repository and one.repository != standing.repository:
        return f"signed for the repository {one.repository[:100]}"
    if one.target and standing.target and one.target != standing.target:
        return f"signed for a merge into {one.target[:100]}, not into {standing.target}"
    if not standing.is_before(one.base):
        return f"signed against {one.base[:12]}, which is no commit of the base"
    return None


def _unread(problem: str) -> Claim:
    return Claim(by="a note", word=Word.YES, source=ApprovalSource.SSH, problem=problem, genuine=False)
