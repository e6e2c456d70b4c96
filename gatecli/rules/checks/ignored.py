"""T10: comments that tell gate to look away: new ones, and those that do not count."""

from collections.abc import Iterator

from gatecli.model import Confidence
from gatecli.rules.code import View
from gatecli.rules.ignores import read_ignores
from gatecli.rules.observation import Observation
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet


def ignore_unsound(rule: Rule, view: View) -> Iterator[Observation]:
    """A comment that the change adds needs a human; one that stands there and does not count is a note."""
    around = view.around
    for file in view.case.change.files:
        for mark in read_ignores(file):
            problem = mark.problem(around.rules, around.today, around.ignore_days)
            named = snippet(", ".join(sorted(mark.rules))) or "everything"
            if mark.added:
                says = f"adds a comment to ignore {named}, which has no effect on this change: a human must agree to it"
                says += f"; it {problem}" if problem else f" (until {mark.until}: {snippet(mark.reason)})"
                yield Observation(says=says, path=mark.path, line=mark.line, text=named)
            elif problem:
                says = f"has a comment to ignore {named} that does not count: it {problem}"
                yield Observation(says=says, path=mark.path, line=mark.line, text=named, confidence=Confidence.LOW)
