"""What became of past changes, as far as later ones say: reverted, re-landed, or named as the cause of a regression.

Only words are read, and only backwards: a change can speak of earlier ones alone. What it says is known from then on,
never before, so a replay that asks change by change cannot look into the future.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from gatecli.model import MainlineChange

IMMEDIATE_S = 3_600
"""A change taken back within the hour was a slip of the hand more often than a fault that anybody met."""

_SHA = r"([0-9a-f]{7,40})\b"
_UNDONE = re.compile(
    r"(?:\bthis reverts (?:commits?|changesets?)|\breverts? commits?|\breverts|\breverting(?: commit)?|\breverted"
    r"|\bback(?:s|ed|ing)? ?out(?: (?:of|changeset|commit|rev(?:ision)?))?|\broll(?:s|ed|ing)? ?back(?: of)?"
    r"(?: (?:commit|changeset))?|\boriginal commit changeset)\s*:?\s+((?:(?:,|and|&|\s|commit)*[0-9a-f]{7,40}\b)+)",
    re.IGNORECASE,
)
_BLAMED = re.compile(
    r"(?:\bregress(?:ion|ed)(?: was)? (?:in|from|since|by|introduced (?:in|by)|caused by)"
    r"|\b(?:introduced|caused|broken?|broke)(?: this)? (?:in|by|with|since)|\bbroke in|\bbug in"
    r"|\bsince commit|^fixes:|\bregressed by)\s*:?\s*(?:commit\s+|rev(?:ision)?\s+|[(\[`\"'])*" + _SHA,
    re.IGNORECASE | re.MULTILINE,
)
_PULL = re.compile(r"\breverts\s+(?:[\w.-]{1,100}/[\w.-]{1,100})?#(\d{1,9})\b", re.IGNORECASE)
_CHANGE_ID = re.compile(
    r"\b(?:reverts?|reverted|back(?:s|ed)? out)\s+(?:change(?:-id)?:?\s+)(I[0-9a-f]{8,40})\b", re.IGNORECASE
)
_DIFFERENTIAL = re.compile(
    r"\b(?:reverts?|reverted|back(?:s|ed)? ?out|original commit changeset:.{0,60}\n{1,2}.{0,60})\s+(D\d{3,12})\b",
    re.IGNORECASE,
)
_OWN_CHANGE_ID = re.compile(r"^change-id:\s*(I[0-9a-f]{8,40})\s*$", re.IGNORECASE | re.MULTILINE)
_OWN_DIFFERENTIAL = re.compile(r"^differential revision:\s*\S{0,100}?\b(D\d{3,12})\s*$", re.IGNORECASE | re.MULTILINE)
_OWN_PULL = re.compile(r"\(#(\d{1,9})\)\s*$|^Merge pull request #(\d{1,9})\b")
_QUOTED = re.compile(
    r"^\W{0,3}(?:\[[^\]]{0,40}\]\s*)*(?:revert|back(?:ed|s)? ?out|backout|roll(?:ed|s)? ?back)[:\s]+"
    r"\W{0,2}[\"'`“](.+)[\"'`”]",
    re.IGNORECASE,
)
_UNQUOTED = re.compile(r"^(?:\[[^\]]{0,40}\]\s*)*revert:?\s+(?:of\s+)?(.{12,200})$", re.IGNORECASE)
_SUFFIX = re.compile(r"\s*\(#\d{1,9}\)$")
_RELAND = re.compile(
    r"\bre-?(?:land|apply|applies|applied|landing|submit|instate|introduce)\w*\b|\breapply", re.IGNORECASE
)
_UNDOES = re.compile(
    r"^\s*(?:\[[^\]]{0,40}\]\s*)*(?:\w+:\s*)?(?:revert(?:s|ed|ing)?\b|back(?:s|ed)? ?out\b|roll(?:s|ed)? ?back\b)",
    re.IGNORECASE,
)
_PLANNED_SUBJECT = re.compile(
    r"^\W*(?:\[[^\]]*\]\s*)*(?:\w+(?:\([^)]*\))?:\s*)?temporar|\bWIP\b|\bdo not (?:merge|land|submit)|\bexperiment\b"
    r"|^add (?:temporary|debug|logging)",
    re.IGNORECASE,
)
_PLANNED_BODY = re.compile(
    r"(?:should|will) be reverted|short[- ]term test|this experiment"
    r"|will revert (?:this |it )?(?:after|once|when|soon)",
    re.IGNORECASE,
)
_PLANNED_BY = re.compile(
    r"(?:no longer|not|isn'?t) (?:currently )?(?:needed|necessary|required)"
    r"|not the (?:right|root|correct|actual) (?:fix|cause)"
    r"|(?:does ?n'?t|did ?n'?t|does not|did not) (?:seem to )?(?:fix|help|make a difference|improve|solve)"
    r"|(?:made|makes) no difference|no improvement|as planned|revert the (?:test|experiment)|superseded",
    re.IGNORECASE,
)
_BROKE = re.compile(
    r"\b(?:broke|broken|breaks|breaking|crash\w*|fails?|failing|failures?|caus(?:es|ed|ing)|regress\w*|outage|exceptions?|errors?)\b",
    re.IGNORECASE,
)


class OutcomeKind(StrEnum):
    """What a later change says of an earlier one, or what a recorded incident does."""

    REVERT = "revert"
    REGRESSION = "regression"
    INCIDENT = "incident"


class Apart(StrEnum):
    """Why an outcome is counted apart from the bad ones."""

    PLANNED = "planned"
    IMMEDIATE = "immediate"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One verdict of the history: ``cause`` and ``by`` count the changes of the mainline from its start."""

    cause: int
    by: int
    kind: OutcomeKind
    apart: Apart | None = None


@dataclass(slots=True)
class Chronicle:
    """What changes say of earlier ones, read in order; it knows of a change only once it has been told of it."""

    _index: dict[str, int] = field(default_factory=dict)
    _prefixes: dict[str, list[str]] = field(default_factory=dict)
    _pulls: dict[str, int] = field(default_factory=dict)
    _ids: dict[str, int] = field(default_factory=dict)
    _subjects: dict[str, int] = field(default_factory=dict)
    _changes: list[MainlineChange] = field(default_factory=list)

    def tell(self, change: MainlineChange) -> tuple[Outcome, ...]:
        """Read the next change of the mainline: the outcomes that it makes known, each cause once.

        The commits that a merge brings are read too, for what they name by id or number; that a branch takes its own
        commits back says nothing.
        """
        number = len(self._changes)
        found: dict[int, Outcome] = {}
        for text in (change.message, *change.said):
            subject = text.split("\n", 1)[0]
            message = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))
            if _RELAND.match(subject.strip()):
                continue
            for cause, kind in self._named(message, subject if text is change.message else ""):
                found.setdefault(cause, Outcome(cause, number, kind, self._apart(cause, text, change.committed_at)))
        self._remember(change, number)
        return tuple(found.values())

    def relands(self, change: MainlineChange) -> bool:
        """Whether a change says that it brings back what was taken out."""
        return relands(change.message)

    def _named(self, message: str, subject: str) -> Iterator[tuple[int, OutcomeKind]]:
        reverted = [one for match in _UNDONE.finditer(message) for one in re.findall(_SHA, match[1])]
        known = [number for sha in reverted if (number := self._find(sha)) is not None]
        known += [self._pulls[match] for match in _PULL.findall(message) if match in self._pulls]
        known += [self._ids[match] for match in _CHANGE_ID.findall(message) if match in self._ids]
        known += [self._ids[match] for match in _DIFFERENTIAL.findall(message) if match in self._ids]
        yield from ((number, OutcomeKind.REVERT) for number in known)
        blamed = [number for sha in _BLAMED.findall(message) if (number := self._find(sha)) is not None]
        yield from ((number, OutcomeKind.REGRESSION) for number in blamed)
        if not known and not blamed:
            quoted = _QUOTED.match(subject) or _UNQUOTED.match(_SUFFIX.sub("", subject))
            number = self._subjects.get(_SUFFIX.sub("", quoted[1]).strip()) if quoted else None
            if number is not None:
                yield number, OutcomeKind.REVERT

    def _find(self, sha: str) -> int | None:
        exact = self._index.get(sha)
        if exact is not None:
            return exact
        full = [one for one in self._prefixes.get(sha[:7], ()) if one.startswith(sha)]
        return self._index[full[0]] if len(full) == 1 else None

    def _apart(self, cause: int, message: str, at: int) -> Apart | None:
        changed = self._changes[cause]
        own = "\n".join(line for line in message.splitlines() if not line.startswith(">"))
        own = re.split(r"Original change's description", own)[0].split("\n", 1)[-1]
        planned = _PLANNED_SUBJECT.search(changed.subject) or _PLANNED_BODY.search(changed.message)
        if (planned or _PLANNED_BY.search(own)) and not _BROKE.search(own):
            return Apart.PLANNED
        return Apart.IMMEDIATE if 0 <= at - changed.committed_at < IMMEDIATE_S else None

    def _remember(self, change: MainlineChange, number: int) -> None:
        self._changes.append(change)
        for sha in (change.sha, *change.branch):
            self._index[sha] = number
            self._prefixes.setdefault(sha[:7], []).append(sha)
        if pull := _OWN_PULL.search(change.subject):
            self._pulls[pull[1] or pull[2]] = number
        for pattern in (_OWN_CHANGE_ID, _OWN_DIFFERENTIAL):
            self._ids.update((id, number) for id in pattern.findall(change.message))
        self._subjects[_SUFFIX.sub("", change.subject).strip()] = number


def relands(message: str) -> bool:
    """Whether a change brings back what was taken out: a re-land, or the revert of a revert."""
    subject = message.split("\n", 1)[0]
    return _RELAND.search(subject) is not None or len(re.findall(r"\brevert\b", subject, re.IGNORECASE)) > 1


def repairs(message: str, commit: str) -> bool:
    """Whether a change says that it takes a commit back, or mends what that broke; a re-land does neither."""
    own = "\n".join(line for line in message.splitlines() if not line.lstrip().startswith(">"))
    if relands(own):
        return False
    named = [sha for match in _UNDONE.finditer(own) for sha in re.findall(_SHA, match[1])] + _BLAMED.findall(own)
    return any(commit.startswith(sha.casefold()) or sha.casefold().startswith(commit) for sha in named)


def undoes(message: str) -> bool:
    """Whether a change takes an earlier one back, by its first line or in git's words."""
    return (
        _UNDOES.match(message) is not None
        or re.search(r"^\s*(?:This reverts commit|Reverts) \S", message, re.MULTILINE) is not None
    )
