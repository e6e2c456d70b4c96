"""S09 and T07 in part: what one line of a configuration says against the line that it replaced."""

import re
from collections.abc import Iterator

from gatecli.model import FileChange
from gatecli.rules.code import View
from gatecli.rules.lines import added, removed
from gatecli.rules.observation import Observation
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount, snippet

_USES = re.compile(r"^\s{0,60}(?:-\s{1,10})?uses:\s{0,10}[\"']?([\w./-]{1,200})@([\w./-]{1,100})")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_THRESHOLD = re.compile(
    r"(fail[_-]under|cov-fail-under|min-similarity-lines|line_coverage|branch_coverage|min_coverage)"
    r"[\"']?\s{0,10}[=:]?\s{0,10}(\d{1,3}(?:\.\d{1,3})?)"
)


def unpinned(rule: Rule, view: View) -> Iterator[Observation]:
    """Actions that a workflow pinned by commit and now takes by a tag, which its owner can move."""
    for file in view.case.change.files:
        pinned = {name for name, at, _ in _actions(removed(file)) if _COMMIT.fullmatch(at)}
        for name, at, line in _actions(added(file)) if pinned else ():
            if name in pinned and not _COMMIT.fullmatch(at):
                says = f"no longer pins {snippet(name)} by commit (now {snippet(at)})"
                yield Observation(says=says, path=file.path, line=line, text=f"{name}@{at}")


def _actions(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[str, str, int]]:
    for number, text in lines:
        if found := _USES.match(text[:500]):
            yield found[1], found[2], number


def threshold_lowered(rule: Rule, view: View) -> Iterator[Observation]:
    """Coverage that is enough now and was not before, by the name of the threshold within a file."""
    for file in view.case.change.files:
        before = {name: value for name, value, _ in _thresholds(file, old=True)}
        for name, value, line in _thresholds(file, old=False):
            if name in before and value < before[name]:
                says = f"lowers {name} from {amount(before[name])} to {amount(value)}"
                yield Observation(says=says, path=file.path, line=line, text=name)


def _thresholds(file: FileChange, *, old: bool) -> Iterator[tuple[str, float, int]]:
    for number, text in removed(file) if old else added(file):
        if found := _THRESHOLD.search(text[:500]):
            yield found[1], float(found[2]), number
