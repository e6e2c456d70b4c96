"""Who reads a setting: the production functions that name it, and the traffic through them."""

import re
from dataclasses import dataclass

from gatecli.errors import EvidenceError
from gatecli.model import Evidence, FunctionId, FunctionKind, Usage
from gatecli.rules import wording
from gatecli.rules.code import Reader, View
from gatecli.rules.wording import listed, snippet
from gatecli.syntax.python import owners, read_module

MAX_LOOKED_UP = 20
"""Settings of a change whose readers are searched for: each is one search, or two, through all files of the tree."""

MAX_READERS = 40
_LONG_WORD = 12
"""Letters from which on one word alone names a setting, not any variable."""

MAX_FILES_READ = 60

TOO_MANY = f", its readers not looked up (more than {MAX_LOOKED_UP} settings changed)"


@dataclass(frozen=True, slots=True)
class Readers:
    """The code that reads a setting, in words and as evidence, and the traffic of the busiest reader."""

    says: str = ""
    evidence: tuple[Evidence, ...] = ()
    usage: Usage | None = None


def read_by(view: View, name: str, path: str) -> Readers:
    """Who reads a setting of a file by its name; of the settings of one change only the first are looked up."""
    words = spellings(name)
    if not words:
        return Readers()
    if words not in view.readers:
        if len(view.readers) >= MAX_LOOKED_UP:
            return Readers(TOO_MANY)
        view.readers[words] = _readers(view, words)
    readers = [(id, usage) for id, usage in view.readers[words] if id.path != path or "<module>" not in id.qualname]
    if not readers:
        return Readers()
    busiest, usage = readers[0]
    traffic = wording.traffic(usage)
    says = f", read by {listed([str(id) for id, _ in readers])}"
    says += f", of which {busiest.qualname} {traffic}" if traffic else ""
    evidence = tuple(
        Evidence(kind="reader", text=snippet(f"{id} {wording.traffic(usage)}".strip()), path=id.path)
        for id, usage in readers[:10]
    )
    return Readers(says, evidence, usage)


def _readers(view: View, words: frozenset[str]) -> list[Reader]:
    """The production functions that name a setting, the busiest first, also by one constant that takes its value."""
    tree = view.around.head
    if tree is None:
        return []
    found: dict[FunctionId, Usage | None] = {}
    names = set(words)
    for _ in range(2):
        following: set[str] = set()
        for number, (path, content) in enumerate(tree.grep(sorted(names), view.is_production)):
            if number >= MAX_FILES_READ or len(found) >= MAX_READERS:
                break
            ids, constants = _reading(path, content, names)
            following |= constants - set(words)
            found |= {id: view.around.usage(id) for id in ids}
        if not following:
            break
        names = following
    return sorted(found.items(), key=lambda item: (-_weight(item[1]), str(item[0])))


def _weight(usage: Usage | None) -> float:
    return (usage.calls_per_minute or usage.share or 0.0) if usage is not None else 0.0


def _reading(path: str, content: bytes, names: set[str]) -> tuple[list[FunctionId], set[str]]:
    """The functions of a file that name one of some words, and the constants that are made of one."""
    try:
        module = read_module(path, content)
    except EvidenceError:
        return [], set()
    pattern = re.compile(rb"\b(?:" + b"|".join(re.escape(name.encode()) for name in sorted(names)) + rb")\b")
    lines = [number for number, line in enumerate(module.source.split(b"\n"), 1) if pattern.search(line[:2_000])]
    where = owners(module.functions, lines)
    ids, constants = [], set()
    source = module.source.split(b"\n")
    for line in lines:
        function = module.functions[where.get(line, 0)]
        made = re.match(rb"\s{0,8}([A-Z][A-Z0-9_]{3,80})\s{0,3}(?::[^=]{1,80})?=", source[line - 1])
        if function.kind in (FunctionKind.MODULE, FunctionKind.CLASS_BODY):
            if made:
                constants.add(made[1].decode())
        else:
            ids.append(function.id)
    return list(dict.fromkeys(ids)), constants


def spellings(path: str) -> frozenset[str]:
    """How code may name a setting: ``payments.timeoutSeconds`` as it is, in snake case, in capitals, with its parent.

    A single short word ("timeout", "replicas") is everywhere and names nothing.
    """
    parts = [part for part in re.split(r"[.\"'-]", path) if part]
    leaf = parts[-1] if parts else ""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", leaf).lower().replace("-", "_")
    found = {leaf, snake, snake.upper()}
    if len(parts) > 1:
        parent = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parts[-2]).lower().replace("-", "_")
        found |= {f"{parent}_{snake}", f"{parent}_{snake}".upper()}
    return frozenset(
        word for word in found if word.isidentifier() and ("_" in word.strip("_") or len(word) >= _LONG_WORD)
    )
