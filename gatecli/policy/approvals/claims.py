"""What people said of a change, before anybody asked whether it counts."""

from dataclasses import dataclass, field
from enum import StrEnum

from gatecli.model import ApprovalSource, SignerKind
from gatecli.sources.standing import Content

CLOCK_SKEW_S = 300
"""How far ahead somebody's clock may be."""


class Word(StrEnum):
    """What was said. A word that was taken back is no objection and no approval."""

    YES = "approved"
    NO = "requested changes"
    TAKEN_BACK = "the approval was dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something that somebody said of some content, as its source tells it.

    ``by`` is a login or the principal of a key, ``names`` all names that the key is listed under and ``key`` its
    fingerprint. ``commit`` is what they looked at; ``content`` what a signature says that was, and ``merge_tree`` the
    tree it would have made. ``acknowledged`` are fingerprints of findings, None where the source knows none.
    ``problem`` is why it cannot count as far as its source alone can tell; a claim that is not ``genuine`` was not made
    by whom it names and says nothing about what they said last.
    """

    by: str
    word: Word
    source: ApprovalSource
    at: int | None = None
    kind: SignerKind = SignerKind.HUMAN
    model: str | None = None
    commit: str | None = None
    content: Content | None = None
    merge_tree: str | None = None
    acknowledged: frozenset[str] | None = None
    names: tuple[str, ...] = ()
    key: str | None = None
    problem: str | None = None
    genuine: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Whose approval is not independent: person's key → reason; the first reason given stands."""

    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, key: str, reason: str) -> None:
        """Bar a person."""
        if key:
            self.reasons.setdefault(key, reason)

    def why(self, keys: frozenset[str]) -> str | None:
        """The reason why someone with these keys is barred, None if they are not."""
        return next((reason for key, reason in self.reasons.items() if key in keys), None)
