"""Strict reading of YAML: every problem at once, by line, and nothing that a hostile file could blow up.

Duplicate and unknown keys, aliases, tags and wrong types are errors. Scalars follow YAML 1.2: ``off``, ``yes`` and
``12:30`` are text.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from itertools import chain, islice
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import yaml

from gatecli.errors import UsageError

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_NODES = 100_000
MAX_PROBLEMS = 50
"""Listed in one message; four times as many are looked for, so that a hostile file costs no time."""

T = TypeVar("T")
At = tuple[str | int, ...]
"""The path of a value: keys and list indexes from the root."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and on which line."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """Plain values, the line of every key and item by its path, and what was wrong with the text itself."""

    value: Any
    lines: Mapping[At, int]
    problems: tuple[Problem, ...] = ()

    def problem(self, at: At, text: str) -> Problem:
        """A problem with the value at a path."""
        return Problem(self.lines.get(at, 1), text)


def decode(data: bytes, kind: type[T], where: str) -> T:
    """A YAML document as a dataclass; keys are field names, fields without a default are required.

    Raises:
        UsageError: not valid, or larger than the bounds; the message lists every problem with its line.
    """
    document = parse(data, where)
    refuse(chain(document.problems, mismatches(document, kind)), where)
    return msgspec.convert(document.value, kind)


def refuse(problems: Iterable[Problem], where: str) -> None:
    """Raise ``UsageError`` with one line a problem, if there is any."""
    found = sorted(set(islice(problems, 4 * MAX_PROBLEMS)), key=lambda problem: (problem.line, problem.text))
    if not found:
        return
    lines = [f"{where}:{problem.line}: {problem.text}" for problem in found[:MAX_PROBLEMS]]
    if len(found) > MAX_PROBLEMS:
        lines.append("… and more")
    title = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    raise UsageError("\n".join([f"{title} in {where}", *lines]), "correct the file and run gate again")


def quote(text: str) -> str:
    """Untrusted text on one line: escapes shown, length bounded."""
    return repr(text if len(text) <= 80 else text[:79] + "…")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """``, did you mean 'fail_on'?`` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word[:100], known, n=1)
    return f", did you mean {quote(str(close[0]))}?" if close else ""


# --------------------------------------------------------------------------- text to values

_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def parse(data: bytes, where: str) -> Document:
    """The plain values of a document; an empty one is None.

    Raises:
        UsageError: larger than the bounds, not UTF-8, or not YAML at all.
    """
    if len(data) > MAX_BYTES:
        raise UsageError(f"{where} has more than {MAX_BYTES:,} bytes", "shorten it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{where}:{line}: not UTF-8", "save it as UTF-8") from error
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.feed(event)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        refuse([*builder.problems, Problem(line, f"not valid YAML: {error.problem or error.context}")], where)
    except yaml.YAMLError as error:
        refuse([Problem(1, f"not valid YAML: {quote(str(error))}")], where)
    except _BoundError as error:
        refuse([Problem(error.line, f"more than {MAX_DEPTH} levels or {MAX_NODES:,} values")], where)
    return Document(builder.root, builder.lines, tuple(builder.problems))


class _BoundError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being read."""

    holder: Any
    at: At
    key: str | None = None


class _Builder:
    """Values from YAML events, without recursion; PyYAML's constructor expands aliases and keeps the last duplicate."""

    def __init__(self) -> None:
        self.root: Any = None
        self.lines: dict[At, int] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Open] = []
        self._documents = 0
        self._nodes = 0

    def feed(self, event: Any) -> None:
        """Take the next event of the parser."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents == 2:
                self.problems.append(Problem(line, "a second document: only one is read"))
        elif isinstance(event, yaml.AliasEvent):
            self.problems.append(Problem(line, f"aliases are not read: write out {quote(f'*{event.anchor}')}"))
            self._add(None, event, line)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(_plain(event), event, line)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            holder: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            at = self._add(holder, event, line)
            self._stack.append(_Open(holder, at))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._stack.pop()

    def _add(self, value: Any, event: Any, line: int) -> At:
        """Put a value where it belongs, and answer where that is."""
        self._nodes += 1
        if self._nodes > MAX_NODES or len(self._stack) >= MAX_DEPTH:
            raise _BoundError(line)
        if getattr(event, "tag", None) is not None:
            self.problems.append(Problem(line, f"tags are not read: {quote(event.tag)}"))
        if not self._stack:
            self.root = value if self._documents == 1 else self.root
            return ()
        parent = self._stack[-1]
        if isinstance(parent.holder, list):
            at: At = (*parent.at, len(parent.holder))
            parent.holder.append(value)
            self.lines[at] = line
        elif parent.key is not None:
            at = (*parent.at, parent.key)
            parent.holder[parent.key] = value
            parent.key = None
        else:
            parent.key = event.value if isinstance(event, yaml.ScalarEvent) else ""
            at = (*parent.at, parent.key)
            if not isinstance(event, yaml.ScalarEvent):
                self.problems.append(Problem(line, "a key is plain text"))
            elif parent.key in parent.holder:
                self.problems.append(Problem(line, f"duplicate key {quote(parent.key)}"))
            self.lines.setdefault(at, line)
        return at


# The core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), decimal and with bounded length.
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,20}|[0-9]{1,20}(?:\.[0-9]{0,20})?)(?:[eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _plain(event: Any) -> Any:
    return unquoted(event.value) if event.implicit[0] else event.value


def unquoted(text: str) -> str | int | float | bool | None:
    """What a scalar without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


# --------------------------------------------------------------------------- values to types


def mismatches(document: Document, kind: Any) -> Iterator[Problem]:
    """Every place where a document does not fit a dataclass; msgspec alone stops at the first and names no key."""
    return _mismatches(document.value, kind, (), document)


def _mismatches(value: Any, kind: Any, at: At, document: Document) -> Iterator[Problem]:
    if get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) is tuple:
        yield from _mismatches(value, get_args(kind)[0], at, document)
        meta = next((one for one in get_args(kind)[1:] if isinstance(one, msgspec.Meta)), msgspec.Meta())
        if isinstance(value, list) and meta.max_length is not None and len(value) > meta.max_length:
            yield document.problem(at, f"{_name(at)} holds {len(value):,} items, at most {meta.max_length:,} are read")
        if isinstance(value, list) and len(value) < (meta.min_length or 0):
            yield document.problem(at, f"{_name(at)} is empty")
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType) and NoneType in arguments:
        if value is not None:
            yield from _mismatches(value, _meant(value, arguments), at, document)
    elif is_dataclass(kind) or _is_struct(kind) or origin is Mapping:
        if not isinstance(value, dict):
            yield document.problem(at, f"{_name(at)} holds {_noun(value)}, expected keys and values")
        elif origin is Mapping:
            words = arguments[0] if isinstance(arguments[0], type) and issubclass(arguments[0], StrEnum) else None
            for key, item in value.items():
                if words is not None and key not in tuple(words):
                    yield document.problem((*at, key), _no_member(key, words))
                yield from _mismatches(item, arguments[1], (*at, key), document)
        else:
            yield from _field_mismatches(value, kind, at, document)
    elif origin is tuple:
        if not isinstance(value, list):
            yield document.problem(at, f"{_name(at)} holds {_noun(value)}, expected a list")
            return
        for index, item in enumerate(value):
            yield from _mismatches(item, arguments[0], (*at, index), document)
    else:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            text = str(error).partition(" - at `")[0]
            if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, StrEnum):
                text = _no_member(value, kind)
            elif kind is bool and isinstance(value, str):
                text = f"{quote(value)} is text, write true or false"
            yield document.problem(at, f"{_name(at)}: {text}")


def _meant(value: Any, kinds: tuple[Any, ...]) -> Any:
    """Which of the kinds that a key takes is meant: keys and values are of the structure, if there is one."""
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    structures = [kind for kind in kinds if _is_struct(kind) or is_dataclass(kind)]
    if isinstance(value, dict) and structures:
        return structures[0]
    others = [kind for kind in kinds if kind not in structures]
    return others[0] if others else structures[0]


def _no_member(word: str, kind: type[StrEnum]) -> str:
    return f"{quote(word)} is none of {', '.join(kind)}{did_you_mean(word, tuple(kind))}"


def _field_mismatches(value: dict[str, Any], kind: Any, at: At, document: Document) -> Iterator[Problem]:
    types = _types(kind)
    for key, item in value.items():
        if key in types:
            yield from _mismatches(item, types[key], (*at, key), document)
        else:
            inside = f" in {_name(at)}" if at else ""
            text = f"unknown key {quote(key)}{inside}{did_you_mean(key, types)}"
            yield document.problem((*at, key), text)
    for name in _required(kind):
        if name not in value:
            yield document.problem(at, f"{_name(at)} has no {name}")


@cache
def _types(kind: Any) -> dict[str, Any]:
    """Types by key: a structure may call a key otherwise than its field, where that is a word of Python (``if``)."""
    hints = get_type_hints(kind, include_extras=True)
    if not _is_struct(kind):
        return hints
    return {item.encode_name: hints[item.name] for item in msgspec.structs.fields(kind)}


@cache
def _required(kind: Any) -> tuple[str, ...]:
    if _is_struct(kind):
        return tuple(item.encode_name for item in msgspec.structs.fields(kind) if item.required)
    return tuple(
        item.name for item in fields(kind) if item.default is MISSING and item.default_factory is MISSING
    )  # fmt: skip


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _name(at: At) -> str:
    return ".".join(quote(part)[1:-1] if isinstance(part, str) else str(part) for part in at) or "the document"


def _noun(value: object) -> str:
    names = {dict: "keys and values", list: "a list", str: "text", bool: "true or false", NoneType: "nothing"}
    return names.get(type(value), "a number")
