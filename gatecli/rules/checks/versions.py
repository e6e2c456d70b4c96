"""Part of F06: which version of something runs is a setting too: another major version, or one that is taken back."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.rules import code
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

# An own image's tag changes with every release, and ``version`` alone is mostly that of the document or of the service.
_NAMES = re.compile(
    r"(?i)(?:^|\.)(?:image|runtime|(?!api|app|chart|schema|config|format|package)[a-z]{2,30}[_-]?version)$"
)
_VALUE = re.compile(r"^[\"']?(?:([\w./-]{1,200}):)?v?(\d{1,4}(?:\.\d{1,6}){0,3})(?:[-+][\w.]{1,40})?[\"']?,?$")
_MAX_DEPTH = 8


def is_version(path: str, value: str) -> bool:
    """Whether a setting of a file says by its name, and its value, which version of something is used."""
    found = _VALUE.match(value.strip())
    return bool(found and _NAMES.search(path) and (found[1] or "." in found[2] or path.lower().endswith("version")))


def compared(path: str, old: str, new: str) -> str:
    """``lowers {} from 3.12.0 to 3.11.6``, empty unless the major version is another one or the new one is older.

    Python's second number is a major version by what it takes away.
    """
    was, now = _VALUE.match(old.strip()), _VALUE.match(new.strip())
    if not was or not now or was[1] != now[1]:
        return ""
    before, after = _numbers(was[2]), _numbers(now[2])
    counted = 2 if "python" in f"{path} {was[1]}".lower() else 1
    if before[:counted] == after[:counted] and after[:2] >= before[:2]:
        return ""
    verb = "raises" if after > before else "lowers"
    return f"{verb} {{}} from {snippet(old.strip(), 60)} to {snippet(new.strip(), 60)}"


def _numbers(version: str) -> list[int]:
    return [*(int(part) for part in version.split(".")), 0][:4]


def tables(name: str, value: "Node", depth: int = 0) -> "Iterator[tuple[str, Node]]":
    """The texts in a dictionary of constants that look like versions, by the path of keys they stand under."""
    if value.type == "dictionary" and depth < _MAX_DEPTH:
        for pair in value.named_children:
            key, held = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and held is not None and key.type == "string":
                yield from tables(f"{name}.{code.text(key).strip(_QUOTES)}", held, depth + 1)
    elif value.type == "string" and depth and "." in (text := code.text(value)) and _VALUE.match(text):
        yield name, value


_QUOTES = "\"'"
