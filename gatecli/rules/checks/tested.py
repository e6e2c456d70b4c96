"""T01, T03, T09: tests that went away, that check less, or that a change of a hot function lacks."""

import builtins
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from gatecli.model import ChangeKind, Confidence, FileStatus, FunctionId, UsageStatus
from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, plural
from gatecli.syntax.languages import is_read

HOT_SHARE = 0.01
HOT_CALLS_PER_MINUTE = 60
"""From one of these on a function is hot: a percent of the traffic, or once a second."""

_CHECKS = """
(assert_statement) @match
(call function: [(identifier) (attribute)] @key) @match
"""
_CALLED = """
(call function: (identifier) @match)
(call function: (attribute attribute: (identifier) @match))
"""
_ASSERTS = re.compile(r"(?i)(?:^|[._])(?:assert\w*|raises|warns|fail|expect|check_\w+|verify_\w+)$")
_WORDS = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{2,80}")
_MAX_TEST_BYTES = 2_000_000
_MIN_NAME = 5
"""Characters from which a function's name is telling; shorter ones ("get", "save") are everywhere."""

_BUILTINS = frozenset(dir(builtins))
_LEAVES = (ChangeKind.REMOVED, ChangeKind.MOVED, ChangeKind.RENAMED)
_COLLECTED = re.compile(r"(?:test\w*|\w*_tests?)\.py$")


def test_removed(rule: Rule, view: View) -> Iterator[Observation]:
    """T01: tests that went away or are collected no more, by file.

    More than a note only if some call a function which this change edits, more of them than name something that went
    away with them (tests of a feature that is taken out go with it), and if fewer tests came than went.
    """
    edited = [touched for touched in view.functions if touched.survives and _is_code(view, touched)]
    went = _words_gone(view)
    gone: dict[str, list[_Lost]] = defaultdict(list)
    came: list[set[str]] = []
    for touched in view.functions:
        if _was_test(view, touched):
            gone[touched.change.base_id.path].append(_lost(view, touched, edited, went))
        elif touched.change.kind is ChangeKind.ADDED and _is_test_function(view, touched):
            came.append(_called(view, touched.after))
    fewer = sum(map(len, gone.values())) > len(came)
    for path, tests in gone.items():
        subjects = sorted({name for test in tests for name in test.subjects})
        replaced = sum(bool(called.intersection(subjects)) for called in came) if subjects else len(came)
        unexplained = [test for test in tests if not test.is_explained]
        is_comment = any(test.is_commented_out for test in tests)
        if not is_comment and (replaced >= len(tests) or not (subjects or unexplained)):
            continue
        is_telling = sum(bool(test.subjects) for test in unexplained) > len(tests) - len(unexplained)
        is_sure = is_comment or (is_telling and fewer)
        yield _tests_lost(path, tests, subjects, Confidence.HIGH if is_sure else Confidence.LOW)


@dataclass(frozen=True, slots=True)
class _Lost:
    """A test that is gone: the edited functions it calls, whether what it names went too, whether it is a comment."""

    touched: Touched
    subjects: frozenset[str]
    is_explained: bool
    is_commented_out: bool


def _lost(view: View, touched: Touched, edited: list[Touched], went: frozenset[str]) -> _Lost:
    called = _called(view, touched.before)
    words = words_of(touched.before.module.source) if touched.before is not None else frozenset()
    subjects = {one.change.id.name for one in edited if one.change.id.name in called and is_at_home(one, words)}
    body = words_of(touched.before.node.text or b"") if touched.before is not None else frozenset()
    is_comment = _is_comment(touched)
    return _Lost(touched, frozenset(subjects), not went.isdisjoint(body) and not is_comment, is_comment)


def _is_comment(touched: Touched) -> bool:
    """Whether the definition of a test that is gone stands in a comment of its file."""
    name = re.escape(touched.change.base_id.name.encode())
    definition = re.compile(rb"#[ \t]{0,80}(?:async[ ]{1,4})?def[ ]{1,4}" + name + rb"\b")
    return definition.search((touched.file.after or b"")[:_MAX_TEST_BYTES]) is not None


def _tests_lost(path: str, tests: list[_Lost], subjects: list[str], confidence: Confidence) -> Observation:
    names = [test.touched.change.base_id.name for test in tests]
    kept = [test for test in tests if test.touched.change.kind is not ChangeKind.REMOVED]
    says = f"lost {plural(len(tests), 'test')} ({listed(names)})"
    if all(test.is_commented_out for test in tests):
        says = f"has made a comment of {plural(len(tests), 'test')} ({listed(names)})"
    elif len(kept) == len(tests):
        says = f"no longer runs {plural(len(tests), 'test')} ({listed(names)}): nothing collects the new name"
    if subjects:
        says += f" of {listed(subjects)}, which this change edits"
    first = tests[0].touched
    line = None if first.file.after is None else first.line_after(first.change.function.span.def_line)
    return Observation(says=says, path=path, line=line, text=" ".join(sorted(names)), confidence=confidence)


def _is_code(view: View, touched: Touched) -> bool:
    return not touched.is_container and view.is_production(touched.change.id.path)


def is_at_home(touched: Touched, words: frozenset[str]) -> bool:
    """Whether a test file names what a function belongs to: its class, or else its module or package.

    Names such as ``run`` and ``get`` are everywhere.
    """
    path = PurePosixPath(touched.change.id.path)
    owner = touched.change.id.qualname.rpartition(".")[0].rpartition(".")[2]
    stem = path.parent.name if path.stem == "__init__" else path.stem
    return owner in words if owner else stem in words or touched.change.id.name in words


def _words_gone(view: View) -> frozenset[str]:
    """The names that the production files of the change held before and no longer do, or not where they did."""
    files = [file for file in view.case.change.files if view.is_production(file.path) and is_read(file.path)]
    before = frozenset(word for file in files for word in words_of(file.before or b""))
    after = frozenset(word for file in files for word in words_of(file.after or b""))
    left = {
        touched.change.base_id.name
        for touched in view.functions
        if touched.change.kind in _LEAVES and view.is_production(touched.change.base_id.path)
    }
    return frozenset(word for word in (before - after) | left if len(word) >= _MIN_NAME and word not in _BUILTINS)


def assertions_reduced(rule: Rule, view: View) -> Iterator[Observation]:
    """T03: surviving tests, by file, that check nothing any more, or (a note) half of what they did."""
    emptied: dict[str, list[Touched]] = defaultdict(list)
    halved: dict[str, list[Touched]] = defaultdict(list)
    for touched in view.functions:
        if touched.survives and _is_test_function(view, touched):
            old, new = _assertions(view, touched.before), _assertions(view, touched.after)
            if new < old and 2 * new <= old:
                (halved if new else emptied)[touched.change.id.path].append(touched)
    yield from _reduced(emptied, "no assertion left", Confidence.HIGH)
    yield from _reduced(halved, "at most half of the assertions left", Confidence.LOW)


def _reduced(files: dict[str, list[Touched]], what: str, confidence: Confidence) -> Iterator[Observation]:
    for path, tests in files.items():
        names = [test.change.id.name for test in tests]
        says = f"has {plural(len(tests), 'test')} with {what} ({listed(names)})"
        line = tests[0].change.function.span.def_line
        yield Observation(says=says, path=path, line=line, text=" ".join(names), confidence=confidence)


def hot_function_untested(rule: Rule, view: View) -> Iterator[Observation]:
    """T09: a hot function changed, and no test file of the change names it or its module."""
    words = [
        words_of(file.after)
        for file in view.case.change.files
        if view.is_test(file.path) and file.status is not FileStatus.DELETED and file.after is not None
    ]
    for touched in view.functions:
        if not touched.survives or touched.is_container or touched.change.kind is ChangeKind.MOVED:
            continue
        if is_hot(touched) and not any(_names(known, touched) for known in words):
            line = min(touched.change.changed_lines, default=touched.change.function.span.def_line)
            yield seen(touched, line, "changed without a test that names it or its module", "")


def is_hot(touched: Touched) -> bool:
    """Whether production runs it so much that a mistake is felt at once, or enters through it."""
    usage = touched.usage
    if usage is None or usage.status is not UsageStatus.OBSERVED:
        return False
    is_entry = bool(usage.entry_points) and not usage.callers
    return is_entry or (usage.share or 0) >= HOT_SHARE or (usage.calls_per_minute or 0) >= HOT_CALLS_PER_MINUTE


def _is_test_function(view: View, touched: Touched) -> bool:
    change = touched.change
    return not touched.is_container and change.after is not None and _is_test(view, change.after.id)


def _is_test(view: View, id: FunctionId) -> bool:
    return id.name.startswith("test") and view.is_test(id.path)


def _was_test(view: View, touched: Touched) -> bool:
    """Whether it was a test that a runner found, and is gone or has a name by which none finds it."""
    before, after = touched.change.before, touched.change.after
    if before is None or touched.is_container or not _is_test(view, before.id):
        return False
    if after is None or not _is_test(view, after.id):
        return True
    return _is_collected(before.id.path) and not _is_collected(after.id.path)


def _is_collected(path: str) -> bool:
    return bool(_COLLECTED.fullmatch(PurePosixPath(path).name))


def _called(view: View, side: Code | None) -> set[str]:
    found = view.own(_CALLED, side) if side is not None else []
    return {name for match in found if len(name := code.text(match["match"])) >= _MIN_NAME}


def _assertions(view: View, side: Code | None) -> int:
    found = view.own(_CHECKS, side) if side is not None else []
    return sum("key" not in match or bool(_ASSERTS.search(code.callee(match["key"]))) for match in found)


def words_of(source: bytes) -> frozenset[str]:
    """The names in a source, comments and strings included."""
    return frozenset(word.decode() for word in _WORDS.findall(source[:_MAX_TEST_BYTES]))


def _names(words: frozenset[str], touched: Touched) -> bool:
    """Whether a test's words hold the function and what it belongs to, or its module and the package of that."""
    path = PurePosixPath(touched.change.id.path)
    stem = path.parent.name if path.stem == "__init__" else path.stem
    owner = touched.change.id.qualname.rpartition(".")[0].rpartition(".")[2]
    name = touched.change.id.name
    named = name in words and (not name.startswith("__") or owner in words)
    package = path.parent.name
    return named or (stem in words and (package in words or package in ("", "src")))
