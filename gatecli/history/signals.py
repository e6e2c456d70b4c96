"""The signals of the score, and those that a change's message says."""

import re
from enum import StrEnum

from gatecli.history.outcomes import relands, undoes
from gatecli.model import MainlineChange


class Signal(StrEnum):
    """What the score knows of a change. Of all, a higher value means more risk."""

    LINES_ADDED = "lines-added"
    LINES_REMOVED = "lines-removed"
    FILES = "files"
    DIRECTORIES = "directories"
    OTHER_FILES = "other-files"
    ENTROPY = "entropy"
    FUNCTIONS = "functions"
    NEW_FUNCTIONS = "new-functions"
    GONE_FUNCTIONS = "gone-functions"
    SIGNATURES = "signatures"
    FLOW = "flow"
    CONSTANTS = "constants"
    FILE_CHANGES = "file-changes"
    FUNCTION_CHANGES = "function-changes"
    FILE_FIXES = "file-fixes"
    FUNCTION_FIXES = "function-fixes"
    FILE_REVERTS = "file-reverts"
    FUNCTION_REVERTS = "function-reverts"
    BUSY = "busy"
    FRESH = "fresh"
    FOLLOW_UP = "follow-up"
    FILE_AUTHORS = "file-authors"
    NEW_TO_FILES = "new-to-files"
    NEW_TO_FUNCTIONS = "new-to-functions"
    NEW_TO_AREA = "new-to-area"
    INEXPERIENCE = "inexperience"
    AUTHOR_REVERTS = "author-reverts"
    RECENT_REVERTS = "recent-reverts"
    MISSING_PARTNERS = "missing-partners"
    RELAND = "reland"
    UNDOES = "undoes"
    FIX = "fix"
    MESSAGE = "message"
    PRODUCT = "product"
    SETTINGS = "settings"
    SWITCH = "switch"
    UPGRADE = "upgrade"
    SPEED = "speed"
    REMOVE = "remove"
    REWORK = "rework"
    TRY = "try"
    ADD = "add"
    NOT_FIX = "not-fix"
    EXPERIENCE = "experience"
    TESTLESS = "testless"
    AGENT = "agent"
    FUNCTION_AUTHORS = "function-authors"
    FILE_LINES = "file-lines"
    AGAIN = "again"
    REVERTED_LATELY = "reverted-lately"
    EVER_REVERTED = "ever-reverted"


SIGNALS = tuple(Signal)
OF_ALL_THE_PAST = frozenset(
    {
        *(Signal.INEXPERIENCE, Signal.NEW_TO_AREA, Signal.NEW_TO_FILES, Signal.NEW_TO_FUNCTIONS),
        *(Signal.AUTHOR_REVERTS, Signal.RECENT_REVERTS),
    }
)
"""Signals that more of the past can make smaller; every other one it can only raise."""

FIX = re.compile(r"\b(?:fix(?:e[sd]|ing)?|bug|defect|hotfix|patch|crash|resolve[sd]?|correct)\b", re.IGNORECASE)
WORDS = {
    Signal.SWITCH: re.compile(
        r"\b(?:enabl\w+|disabl\w+|default|switch\w*|turn\w* (?:on|off)|activate|force|always|use)\b", re.I
    ),
    Signal.UPGRADE: re.compile(
        r"\b(?:upgrad\w+|bump\w*|updat\w+|migrat\w+|pin|unpin|roll|require\w*|depend\w*)\b", re.I
    ),
    Signal.SPEED: re.compile(
        r"\b(?:optimi[sz]\w+|perf\w*|speed|fast\w*|cach\w+|async\w*|parallel\w*|thread\w*|memory|lazy|batch\w*|lock\w*)\b",
        re.I,
    ),
    Signal.REMOVE: re.compile(r"\b(?:remov\w+|delet\w+|drop\w*|deprecat\w+|stop|get rid)\b", re.I),
    Signal.REWORK: re.compile(
        r"\b(?:refactor\w*|clean\w*|renam\w+|mov\w+|reorgani\w+|simplif\w+|rewrit\w+|rework\w*|unify|convert\w*|replac\w+|chang\w+|mak\w+)\b",
        re.I,
    ),
    Signal.TRY: re.compile(r"\b(?:try|attempt\w*|experiment\w*|temp\w*|workaround|hack|wip|debug\w*|test)\b", re.I),
    Signal.ADD: re.compile(r"\b(?:add\w*|support\w*|implement\w*|introduc\w+|allow\w*|creat\w+|initial|new)\b", re.I),
}
_NOISE = frozenset(
    {"the", "and", "for", "with", "from", "revert", "reverts", "reland", "pull", "request", "merge", "branch"}
)


def purpose(change: MainlineChange) -> dict[Signal, float]:
    """What the message says of the change."""
    subject = change.subject
    found: dict[Signal, float] = {signal: pattern.search(subject) is not None for signal, pattern in WORDS.items()}
    body = [line for line in change.message.splitlines()[1:] if line.strip() and not re.match(r"[\w-]+: ", line)]
    is_fix = FIX.search(subject) is not None
    found |= {
        Signal.RELAND: relands(change.message),
        Signal.UNDOES: undoes(change.message),
        Signal.FIX: is_fix,
        Signal.NOT_FIX: not is_fix,
        Signal.MESSAGE: len(subject) + sum(map(len, body)),
    }
    return found


def words(subject: str) -> frozenset[str]:
    """The words of a subject that say what it is about."""
    return frozenset(re.findall(r"[a-z0-9_]{3,}", re.sub(r"\(#\d+\)", "", subject.lower()))) - _NOISE


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two subjects say nearly the same."""
    return bool(other) and len(one & other) >= 0.6 * len(one | other)
