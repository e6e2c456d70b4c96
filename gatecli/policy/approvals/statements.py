"""What people sign of a change with their own keys, and how it is kept: one JSON object a line of a git note.

A line is ``{"signature", "statement"}``: the statement is text, and the signature is of exactly that text. Lines stay
whole and independent, so notes that two people wrote at once can be joined with
``git notes merge --strategy=cat_sort_uniq``. Whoever may push the notes may delete lines: a signature proves that
somebody said something, its absence proves nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from gatecli.model import Change
from gatecli.sources.signatures import Checked
from gatecli.sources.standing import Standing

MAX_SIGNED = 200
"""Signatures of one kind that are checked for one change: each takes a hundredth of a second."""

Check = Callable[[bytes, str, str, str], Checked]
"""Whether a payload, a signature, a principal and a namespace fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Who says something, when (epoch seconds), of which content and for which place.

    ``schema`` says what kind it is; ``acknowledged`` are fingerprints of findings. ``target`` is the branch that the
    content may merge into and ``repository`` its ``owner/name``, None where the signer's clone did not say.
    """

    schema: str
    by: str
    at: int
    base: str
    head: str
    digest: str
    policy: str
    acknowledged: tuple[str, ...] = ()
    target: str | None = None
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a note."""

    statement: str
    signature: str


Kind = TypeVar("Kind", bound=Statement)


def make(
    kind: type[Statement],
    schema: str,
    change: Change,
    standing: Standing,
    *,
    by: str,
    at: int,
    policy: str,
    acknowledged: Iterable[str],
    **more: Any,
) -> bytes:
    """A statement on a change as the bytes to sign; ``more`` is what only its kind says."""
    assert change.base is not None, "only commits can be signed"
    assert change.head is not None, "only commits can be signed"
    statement = kind(
        schema=schema,
        by=by,
        at=at,
        base=change.base,
        head=change.head,
        digest=change.digest,
        policy=policy,
        acknowledged=tuple(sorted(set(acknowledged))),
        target=standing.target,
        repository=standing.repository,
        **more,
    )
    return msgspec.json.encode(statement, order="sorted")


def line(statement: bytes, signature: str) -> str:
    """A statement and its signature as one line of a note."""
    return msgspec.json.encode(Line(statement=statement.decode(), signature=signature), order="sorted").decode()


def lines(notes: Iterable[bytes]) -> tuple[bytes, ...]:
    """The lines of some notes; equal ones count once."""
    return tuple(dict.fromkeys(line for note in notes for line in note.splitlines() if line.strip()))


def decoded(texts: Iterable[bytes], kind: type[Kind]) -> Iterator[tuple[Line, Kind] | None]:
    """Each line with what it states; None for one that was edited, or is not gate's."""
    for text in texts:
        try:
            entry = msgspec.json.decode(text, type=Line)
            yield entry, msgspec.json.decode(entry.statement, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield None


def unknown_form(one: Statement, schema: str) -> str | None:
    """Why something signed cannot be understood, None if it can."""
    return None if one.schema == schema else f"signed in a form that this version does not know ({one.schema[:40]})"


def misplaced(one: Statement, standing: Standing) -> str | None:
    """Why something signed is for another repository, branch or history, None if it is for this one."""
    if one.repository and standing.repository and one.repository != standing.repository:
        return f"signed for the repository {one.repository[:100]}"
    if one.target and standing.target and one.target != standing.target:
        return f"signed for a merge into {one.target[:100]}, not into {standing.target}"
    if not standing.is_before(one.base):
        return f"signed against {one.base[:12]}, which is no commit of the base"
    return None


def of_another_policy(one: Statement, policy: str) -> str | None:
    """Why something signed does not hold under the policy that judges, None if it does."""
    return None if one.policy == policy else "signed under another policy than the one that judges"
