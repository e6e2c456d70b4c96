"""T01: tests that went away, or that nothing collects any more."""

import builtins
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from gatecli.model import ChangeKind, Confidence
from gatecli.rules.checks.tested import (
    MAX_TEST_BYTES,
    MIN_NAME,
    called_by,
    is_at_home,
    is_test,
    is_test_function,
    words_of,
)
from gatecli.rules.code import Touched, View
from gatecli.rules.observation import Observation
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, plural
from gatecli.syntax.languages import is_read

_BUILTINS = frozenset(dir(builtins))
_LEAVES = (ChangeKind.REMOVED, ChangeKind.MOVED, ChangeKind.RENAMED)
_COLLECTED = re.compile(r"(?:test\w{0,200}|\w{0,200}_tests?)\.py$")
_COMMENTED = re.compile(rb"#[ \t]{0,80}(?:async[ ]{1,4})?def[ ]{1,4}(\w{1,200})")


def test_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """T01, by file.

    More than a note only if some call a function which this change edits, more of them than name something that went
    away with them (tests of a feature that is taken out go with it), and if fewer tests came than went.
    """
    edited = _edited(view)
    went = _names_gone(view)
    gone: dict[str, list[Touched]] = defaultdict(list)
    callers: dict[str, set[int]] = defaultdict(set)  # name → the new tests that call it
    came = 0
    for touched in view.functions:
        if _was_test(view, touched):
            gone[touched.change.base_id.path].append(touched)
        elif touched.change.kind is ChangeKind.ADDED and is_test_function(view, touched):
            came += 1
            for name in called_by(view, touched.after):
                callers[name].add(came)
    fewer = sum(map(len, gone.values())) > came
    for path, tests in gone.items():
        lost = _lost(view, tests, edited, went)
        subjects = sorted({name for test in lost for name in test.subjects})
        replaced = len(set[int]().union(*(callers[name] for name in subjects))) if subjects else came
        unexplained = [test for test in lost if not test.is_explained]
        is_comment = any(test.is_comment for test in lost)
        if not is_comment and (replaced >= len(lost) or not (subjects or unexplained)):
            continue
        is_telling = sum(bool(test.subjects) for test in unexplained) > len(lost) - len(unexplained)
        is_sure = is_comment or (is_telling and fewer)
        yield _observation(path, lost, subjects, Confidence.HIGH if is_sure else Confidence.LOW)


@dataclass(frozen=True, slots=True)
class _Lost:
    """A test that is gone: the edited functions it calls, whether what it names went too, whether it is a comment."""

    touched: Touched
    subjects: frozenset[str]
    is_explained: bool
    is_comment: bool


def _lost(view: View, tests: list[Touched], edited: dict[str, list[Touched]], went: frozenset[str]) -> list[_Lost]:
    """The tests of one file."""
    before, after = tests[0].before, tests[0].file.after or b""
    words = words_of(before.module.source) if before is not None else frozenset[str]()
    comments = frozenset(_COMMENTED.findall(after[:MAX_TEST_BYTES]))
    lost = []
    for touched in tests:
        named = called_by(view, touched.before) & edited.keys()
        subjects = frozenset(name for name in named if any(is_at_home(one, words) for one in edited[name]))
        body = words_of(touched.before.node.text or b"") if touched.before is not None else frozenset[str]()
        is_comment = touched.change.base_id.name.encode() in comments
        lost.append(_Lost(touched, subjects, not (is_comment or went.isdisjoint(body)), is_comment))
    return lost


def _observation(path: str, tests: list[_Lost], subjects: list[str], confidence: Confidence) -> Observation:
    names = [test.touched.change.base_id.name for test in tests]
    says = f"lost {plural(len(tests), 'test')} ({listed(names)})"
    if all(test.is_comment for test in tests):
        says = f"has made a comment of {plural(len(tests), 'test')} ({listed(names)})"
    elif all(test.touched.change.kind is not ChangeKind.REMOVED for test in tests):
        says = f"no longer runs {plural(len(tests), 'test')} ({listed(names)}): nothing collects the new name"
    if subjects:
        says += f" of {listed(subjects)}, which this change edits"
    first = tests[0].touched
    is_there = first.file.after is not None and first.file.path == path  # and not moved to another file
    line = first.line_after(first.change.function.span.def_line) if is_there else None
    return Observation(says=says, path=path, line=line, text=" ".join(sorted(names)), confidence=confidence)


def _edited(view: View) -> dict[str, list[Touched]]:
    """The functions that may run in production and that the change edits, by their name."""
    edited: dict[str, list[Touched]] = defaultdict(list)
    for touched in view.functions:
        if touched.survives and not touched.is_container and view.is_production(touched.change.id.path):
            edited[touched.change.id.name].append(touched)
    return edited


def _names_gone(view: View) -> frozenset[str]:
    """The names that the production files of the change held before and no longer do, or not where they did."""
    files = [file for file in view.case.change.files if view.is_production(file.path) and is_read(file.path)]
    before = frozenset(word for file in files for word in words_of(file.before or b""))
    after = frozenset(word for file in files for word in words_of(file.after or b""))
    left = {
        touched.change.base_id.name
        for touched in view.functions
        if touched.change.kind in _LEAVES and view.is_production(touched.change.base_id.path)
    }
    return frozenset(word for word in (before - after) | left if len(word) >= MIN_NAME and word not in _BUILTINS)


def _was_test(view: View, touched: Touched) -> bool:
    """Whether it was a test that a runner found, and is gone or has a name by which none finds it."""
    before, after = touched.change.before, touched.change.after
    if before is None or touched.is_container or not is_test(view, before.id):
        return False
    if after is None or not is_test(view, after.id):
        return True
    return _is_collected(before.id.path) and not _is_collected(after.id.path)


def _is_collected(path: str) -> bool:
    return bool(_COLLECTED.fullmatch(PurePosixPath(path).name))
