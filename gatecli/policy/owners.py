"""Code owners as GitHub reads them: the last pattern that matches a path decides, and any one of its owners will do.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
MAX_BYTES = 3_000_000
"""GitHub does not load a larger file."""
MAX_RULES = 20_000
MAX_STARS = 10
"""More wildcards than anybody writes, and enough to make matching slow."""

_COMMENT = re.compile(r"(?:^|\s)#.*$")
_SPLIT = re.compile(r"(?<!\\)\s+")
_OWNER = re.compile(r"@[\w-]{1,100}(?:/[\w.-]{1,100})?|[^@\s]{1,64}@[^@\s]{1,190}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRule:
    """One line: a gitignore-like pattern and its owners (``@login``, ``@org/team`` or an address), maybe none."""

    line: int
    pattern: str
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The code owners of a repository, in the order of the file."""

    path: str
    rules: tuple[OwnerRule, ...]

    def of(self, path: str) -> OwnerRule | None:
        """The rule that decides who owns a path; None, or a rule without owners, if nobody does."""
        return next((rule for rule in reversed(self.rules) if _matches(rule.pattern, path)), None)


def read_owners(read: Callable[[str], bytes | None]) -> Owners | None:
    """The first code owners file of the base tree, None where there is none or it is too large.

    A line that GitHub cannot read is skipped, as GitHub does: a negated or bracketed pattern, or an owner that is no
    account, team or address.
    """
    for path in LOCATIONS:
        data = read(path)
        if data is not None:
            return _parse(data.decode("utf-8", "replace"), path) if len(data) <= MAX_BYTES else None
    return None


def _parse(text: str, path: str) -> Owners:
    rules = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = [word for word in _SPLIT.split(_COMMENT.sub("", line).strip()) if word]
        if words and _is_valid(words[0], words[1:]):
            rules.append(OwnerRule(line=number, pattern=words[0], owners=tuple(words[1:])))
    return Owners(path=path, rules=tuple(rules[-MAX_RULES:]))


def _is_valid(pattern: str, owners: Iterable[str]) -> bool:
    readable = not pattern.startswith(("!", "\\#")) and "[" not in pattern and pattern.count("*") <= MAX_STARS
    return readable and all(_OWNER.fullmatch(owner) for owner in owners)


def _matches(pattern: str, path: str) -> bool:
    """As gitignore, but ``docs/*`` means direct children only."""
    if not _spec(pattern).match_file(path):
        return False
    return not (pattern.endswith("/*") and _spec(f"{pattern}/**").match_file(path))


@cache
def _spec(pattern: str) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines([pattern])
