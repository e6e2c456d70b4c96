"""T03, T09: tests that check less, or that a change of a hot function lacks."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from gatecli.model import ChangeKind, Confidence, FileStatus, FunctionId, UsageStatus
from gatecli.rules import code
from gatecli.rules.code import Code, Touched, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import listed, plural

_TRIVIAL = re.compile(
    r"^assert (?:True|1|not False|' .{0,80} '|(\w{1,60}) (?:is|==) \1)(?: ,.{0,200})?$"
    r"|\b(?:assertTrue|assert_) \( (?:True|1) \)$|\bassertFalse \( (?:False|0) \)$"
    r"|\bassertEquals? \( (\w{1,60}) , \2 \)$"
)
"""Assertions that hold whatever the code does."""

_MAX_ASSERTION = 400
HOT_SHARE = 0.01
HOT_CALLS_PER_MINUTE = 60
"""From one of these on a function is hot: a percent of the traffic, or once a second."""

_CHECKS = Pattern("""
(assert_statement) @match
(call function: [(identifier) (attribute)] @key) @match
""")
_CALLED = Pattern("""
(call function: (identifier) @match)
(call function: (attribute attribute: (identifier) @match))
""")
_ASSERTS = re.compile(r"(?i)(?:^|[._])(?:assert\w*|raises|warns|fail|expect|check_\w+|verify_\w+)$")
_WORDS = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{2,80}")
MAX_TEST_BYTES = 2_000_000
MIN_NAME = 5
"""Characters from which a function's name is telling; shorter ones ("get", "save") are everywhere."""


def is_at_home(touched: Touched, words: frozenset[str]) -> bool:
    """Whether a test file names what a function belongs to: its class, or else its module or package.

    Names such as ``run`` and ``get`` are everywhere.
    """
    path = PurePosixPath(touched.change.id.path)
    owner = touched.change.id.qualname.rpartition(".")[0].rpartition(".")[2]
    stem = path.parent.name if path.stem == "__init__" else path.stem
    return owner in words if owner else stem in words or touched.change.id.name in words


def assertions_reduced(rule: Rule, view: View) -> Iterator[Observation]:
    """T03: surviving tests, by file, that check nothing any more, or (a note) half of what they did."""
    emptied: dict[str, list[Touched]] = defaultdict(list)
    halved: dict[str, list[Touched]] = defaultdict(list)
    for touched in view.functions:
        if touched.survives and is_test_function(view, touched):
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


def is_test_function(view: View, touched: Touched) -> bool:
    """Whether a function of the head revision is a test."""
    change = touched.change
    return not touched.is_container and change.after is not None and is_test(view, change.after.id)


def is_test(view: View, id: FunctionId) -> bool:
    """Whether a function is a test by its name and its file; those of a ``testing`` package run in whoever derives."""
    return id.name.startswith("test") and (view.is_test(id.path) or "testing" in PurePosixPath(id.path).parts[:-1])


def called_by(view: View, side: Code | None) -> set[str]:
    """The last names of what a test calls, but for those that are everywhere."""
    found = view.own(_CALLED, side) if side is not None else []
    return {name for match in found if len(name := code.text(match["match"])) >= MIN_NAME}


def _assertions(view: View, side: Code | None) -> int:
    """The assertions of a test and of the functions that it defines for itself."""
    if side is None:
        return 0
    functions, prefix = side.module.functions, f"{side.function.id.qualname}."
    sides = [side]
    for index in range(side.index + 1, len(functions)):
        if not functions[index].id.qualname.startswith(prefix):
            break
        sides.append(Code(module=side.module, index=index))
    found = [match for one in sides for match in view.own(_CHECKS, one)]
    found = [match for match in found if "key" not in match or _ASSERTS.search(code.callee(match["key"]))]
    return sum(not _TRIVIAL.search(code.normal(match["match"])[:_MAX_ASSERTION]) for match in found)


def words_of(source: bytes) -> frozenset[str]:
    """The names in a source, comments and strings included."""
    return frozenset(word.decode() for word in _WORDS.findall(source[:MAX_TEST_BYTES]))


def _names(words: frozenset[str], touched: Touched) -> bool:
    """Whether a test's words hold the function and what it belongs to, or its module and the package of that."""
    path = PurePosixPath(touched.change.id.path)
    stem = path.parent.name if path.stem == "__init__" else path.stem
    owner = touched.change.id.qualname.rpartition(".")[0].rpartition(".")[2]
    name = touched.change.id.name
    named = name in words and (not name.startswith("__") or owner in words)
    package = path.parent.name
    return named or (stem in words and (package in words or package in ("", "src")))
