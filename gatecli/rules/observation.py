"""What a check saw, before the registry makes a finding of it: the check says what, the registry how much it weighs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.model import Confidence, Evidence, Usage
from gatecli.rules.code import Touched, View

if TYPE_CHECKING:
    from gatecli.rules.spec import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing seen.

    ``says`` continues a sentence that begins with the function (or the path) and, where it is known, its traffic:
    "now queries the database in a loop". ``line`` is a line of the new side, ``text`` the code seen, for the
    fingerprint, and ``shown`` the same as it was written, where ``text`` is not. Only what is sure blocks: medium
    confidence asks for a review at most, low confidence for a note. ``usage`` is the traffic that the severity follows,
    where it is not that of ``touched``.
    """

    says: str
    path: str
    line: int | None = None
    touched: Touched | None = None
    text: str = ""
    evidence: tuple[Evidence, ...] = ()
    confidence: Confidence = Confidence.HIGH
    usage: Usage | None = None
    shown: str = ""


Check = Callable[["Rule", View], Iterable[Observation]]


def seen(touched: Touched, line: int | None, says: str, text: str, **more: object) -> Observation:
    """An observation in a touched function."""
    return Observation(says=says, path=touched.change.id.path, line=line, touched=touched, text=text, **more)  # type: ignore[arg-type]
