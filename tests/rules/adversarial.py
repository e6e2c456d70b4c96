"""Texts that make a regular expression work hard, put together from its own parts, and all expressions of the rules.

For each repetition of an expression: what comes before it, then what it repeats, over and over, then something that
does not fit. A nested or ambiguous repetition tries every way to divide such a text. The parts are those that the
standard library's own parser finds: there is no public way to ask for them.
"""

import ast
import importlib
import pkgutil
import re
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from gatecli import rules
from gatecli.rules import checks
from gatecli.rules.matching import Pattern
from gatecli.rules.spec import MATCHED

Item = tuple[Any, Any]
Items = list[Item]

REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
UNFIT = ("\x00", "!", "\n", " ")
_USES = frozenset({"search", "match", "fullmatch", "sub", "split", "findall", "finditer", "compile"})


@cache
def expressions() -> dict[str, re.Pattern[str]]:
    """Every regular expression in the code of the rules: named, in tables, in queries, and as a literal in a call."""
    found: dict[str, re.Pattern[str]] = {}
    for package in (rules, checks):
        for known in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{known.name}")
            for name, value in vars(module).items():
                for number, one in enumerate(_patterns(value)):
                    found[f"{known.name}.{name}{f'-{number}' if number else ''}"] = _as_text(one)
                if isinstance(value, Pattern):
                    for number, text in enumerate(MATCHED.findall(value)):
                        found[f"{known.name}.{name}-match-{number}"] = re.compile(text.replace("\\\\", "\\"))
            for number, (text, line) in enumerate(_literals(Path(str(module.__file__)))):
                if text not in {one.pattern for one in found.values()}:
                    found[f"{known.name}:{line}-{number}"] = re.compile(text)
    return found


def _patterns(value: object) -> list[re.Pattern[str] | re.Pattern[bytes]]:
    held = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else [value]
    return [one for one in held if isinstance(one, re.Pattern)]


def _as_text(pattern: "re.Pattern[str] | re.Pattern[bytes]") -> re.Pattern[str]:
    source = pattern.pattern
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    return re.compile(text, pattern.flags & (re.IGNORECASE | re.DOTALL | re.MULTILINE))


def _literals(path: Path) -> Iterator[tuple[str, int]]:
    """The literal first arguments of ``re.search(…)`` and the like; a name that is put in is a word."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr in _USES):
            continue
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, node.lineno
        elif isinstance(first, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else "word" for part in first.values)
            yield "".join(parts), node.lineno


def texts(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """For each repetition, and for the expression as a whole, texts of about a length that almost match."""
    items = list(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
    whole = _sample(items)
    if whole:
        yield (whole * (length // len(whole) + 1))[:length]
    for before, pump in _pumps(items, ""):
        if pump:
            many = pump * (length // len(pump) + 1)
            for end in UNFIT:
                yield before + many[: max(0, length - len(before))] + end


def _pumps(items: Items, before: str) -> Iterator[tuple[str, str]]:
    """What stands before each repetition, however deep, and what it repeats."""
    for operator, argument in items:
        name = str(operator)
        if name in REPEATS:
            body = list(argument[2])
            yield before, _sample(body)
            yield from _pumps(body, before)
        elif name == "SUBPATTERN":
            yield from _pumps(list(argument[3]), before)
        elif name == "ATOMIC_GROUP":
            yield from _pumps(list(argument), before)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from _pumps(list(branch), before)
        before += _sample([(operator, argument)])


def _sample(items: Items) -> str:
    """A short text that the items match."""
    return "".join(_one(str(operator), argument) for operator, argument in items)


def _one(name: str, argument: Any) -> str:
    if name == "LITERAL":
        return chr(argument)
    if name in ("ANY", "NOT_LITERAL"):
        return "a"
    if name == "IN":
        return _member(argument)
    if name == "SUBPATTERN":
        return _sample(list(argument[3]))
    if name == "ATOMIC_GROUP":
        return _sample(list(argument))
    if name == "BRANCH":
        return _sample(list(argument[1][0]))
    if name in REPEATS:
        return _sample(list(argument[2])) * max(1, int(argument[0]))
    return ""  # a place or a look around: nothing of the text


_CATEGORY = {"DIGIT": "0", "WORD": "a", "SPACE": " "}


def _member(argument: Any) -> str:
    """A character of a class; of one that is negated, some that is none of it."""
    parts = [(str(operator), value) for operator, value in argument]
    if parts[0][0] == "NEGATE":
        source = re.compile("[" + "".join(re.escape(chr(value)) for name, value in parts if name == "LITERAL") + "\n]")
        return next(char for char in "a0 -x/." if not source.match(char))
    for name, value in parts:
        if name == "LITERAL":
            return chr(value)
        if name == "RANGE":
            return chr(value[0])
    kind = str(parts[0][1])
    return next((char for word, char in _CATEGORY.items() if kind == f"CATEGORY_{word}"), "-")


def ambiguous(pattern: re.Pattern[str]) -> list[str]:
    """The repetitions whose body can end in more than one way, so that a text can be divided in many.

    Where nothing that a repetition takes can follow it (``(?:,\\d{1,9}){0,5}``), a text is divided in one way.
    """
    return list(_ambiguous(list(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))))


def _ambiguous(items: Items) -> Iterator[str]:
    for operator, argument in items:
        name = str(operator)
        if name in REPEATS:
            body = list(argument[2])
            again = frozenset[str]().union(*(_firsts(branch)[0] for branch in _branches(body)))
            if argument[1] > 1 and any(_varies(branch, again) for branch in _branches(body)):
                yield _sample(body)
            yield from _ambiguous(body)
        elif name == "SUBPATTERN":
            yield from _ambiguous(list(argument[3]))
        elif name == "ATOMIC_GROUP":
            yield from _ambiguous(list(argument))
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from _ambiguous(list(branch))


def _branches(items: Items) -> list[Items]:
    """The ways through a body, as far as they stand at its top, with groups that do not repeat opened."""
    items = _opened(items)
    if len(items) == 1 and str(items[0][0]) == "BRANCH":
        return [_opened(list(branch)) for branch in items[0][1][1]]
    return [items]


def _opened(items: Items) -> Items:
    opened: Items = []
    for operator, argument in items:
        opened += _opened(list(argument[3])) if str(operator) == "SUBPATTERN" else [(operator, argument)]
    return opened


def _varies(items: Items, again: frozenset[str]) -> bool:
    """Whether a body holds a repetition of variable length that can take what may follow it, the next round too."""
    for place, (operator, argument) in enumerate(items):
        if str(operator) in REPEATS and argument[0] != argument[1] and argument[1] > 1:
            follows, is_open = _firsts(items[place + 1 :])
            if _firsts(list(argument[2]))[0] & (follows | again if is_open else follows):
                return True
    return False


_CHARS = frozenset(map(chr, range(128)))


def _firsts(items: Items) -> tuple[frozenset[str], bool]:
    """The characters that items can begin with, and whether they can also be nothing at all."""
    found: frozenset[str] = frozenset()
    for operator, argument in _opened(items):
        name = str(operator)
        if name in REPEATS:
            begins, is_empty = _firsts(list(argument[2]))
            found |= begins
            if argument[0] > 0 and not is_empty:
                return found, False
        elif name == "BRANCH":
            ways = [_firsts(list(branch)) for branch in argument[1]]
            found = found.union(*(begins for begins, _ in ways))
            if not any(is_empty for _, is_empty in ways):
                return found, False
        elif name not in ("AT", "ASSERT", "ASSERT_NOT"):
            return found | {char for char in _CHARS if _takes((operator, argument), char)}, False
    return found, True


def _takes(item: Item, char: str) -> bool:
    operator, argument = str(item[0]), item[1]
    if operator in ("LITERAL", "NOT_LITERAL"):
        return (chr(argument) == char) is (operator == "LITERAL")
    if operator != "IN":
        return True
    is_negated = str(argument[0][0]) == "NEGATE"
    found = any(_holds(str(kind), value, char) for kind, value in argument)
    return found is not is_negated


def _holds(kind: str, value: Any, char: str) -> bool:
    if kind == "LITERAL":
        return chr(value) == char
    if kind == "RANGE":
        return chr(value[0]) <= char <= chr(value[1])
    classes = {"DIGIT": char.isdigit(), "WORD": char.isalnum() or char == "_", "SPACE": char.isspace()}
    word = str(value).removeprefix("CATEGORY_")
    return kind == "CATEGORY" and classes[word.removeprefix("NOT_")] is not word.startswith("NOT_")
