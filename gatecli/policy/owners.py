"""Code owners as GitHub and GitLab read them.

On GitHub the last pattern that matches a path decides, and any one of its owners will do:
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
On GitLab that holds for each section, and every section that is not optional wants its approval:
https://docs.gitlab.com/user/project/codeowners/reference/
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from gatecli.config import People
from gatecli.policy.patterns import Patterns

SENIORS = "seniors"
"""In a list of people, the word that stands for everyone whom the policy lists as senior."""

LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
MAX_BYTES = 3_000_000
"""GitHub does not load a larger file."""
MAX_RULES = 20_000
MAX_STARS = 10
"""More wildcards than anybody writes."""

_COMMENT = re.compile(r"(?:^|\s)#.*$")
_SPLIT = re.compile(r"(?<!\\)\s+")
_OWNER = re.compile(r"@[\w-]{1,100}(?:/[\w.-]{1,100})*|[^@\s]{1,64}@[^@\s]{1,190}")
_SECTION = re.compile(r"(\^?)\[([^\]]{1,200})\](?:\[(\d{1,3})\])?(?:\s+(.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRule:
    """One line: a gitignore-like pattern and its owners (``@login``, ``@org/team`` or an address), maybe none.

    ``section`` is GitLab's, empty outside of one; ``count`` is how many of the owners it wants, none if it is
    ``optional``.
    """

    line: int
    pattern: str
    owners: tuple[str, ...]
    section: str = ""
    optional: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The code owners of a repository, in the order of the file."""

    path: str
    rules: tuple[OwnerRule, ...]
    _sections: tuple[tuple[Patterns, Patterns], ...] = field(default=(), compare=False)

    def of(self, path: str) -> OwnerRule | None:
        """The rule that decides who owns a path; None, or a rule without owners, if nobody does.

        Where several sections have one it is the first that is not optional.
        """
        found = self.rules_of(path)
        return next((rule for rule in found if not rule.optional), next(iter(found), None))

    def rules_of(self, path: str) -> tuple[OwnerRule, ...]:
        """The rule that decides in each section; on GitHub one at most."""
        found = []
        for patterns, excluded in self._sections:
            number = patterns.last(path)
            if number >= 0 and excluded.last(path) < 0:
                found.append(self.rules[number])
        return tuple(found)


def read_owners(read: Callable[[str], bytes | None]) -> Owners | None:
    """The first code owners file of the base tree, None where there is none or it is too large.

    A line that the forge cannot read is skipped, as the forge does: on GitHub a negated or bracketed pattern, or an
    owner that is no account, team or address. A file with section headings is GitLab's.
    """
    for path in LOCATIONS:
        data = read(path)
        if data is not None:
            return _parse(data.decode("utf-8", "replace"), path) if len(data) <= MAX_BYTES else None
    return None


def members(people: People, name: str) -> tuple[str, ...]:
    """Whom a name means: the members of ``@org/team`` as the policy lists them, else the name itself.

    ``seniors`` is nobody's name: whoever asks for them asks whether somebody is on that list.
    """
    if name == SENIORS:
        return ()
    teams = {team.removeprefix("@").casefold(): listed for team, listed in people.teams.items()}
    return teams.get(name.removeprefix("@").casefold()) or (name,)


def _parse(text: str, path: str) -> Owners:
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if stripped := (_COMMENT.sub("", line) if "#" in line else line).strip():
            lines.append((number, stripped))
    is_gitlab = path.startswith(".gitlab/") or any(_SECTION.fullmatch(line) for _, line in lines)
    rules = _gitlab_rules(lines) if is_gitlab else _github_rules(lines)
    return _ready(path, rules[-MAX_RULES:], is_gitlab=is_gitlab)


def _ready(path: str, rules: list[OwnerRule], *, is_gitlab: bool) -> Owners:
    sections: dict[str, tuple[Patterns, Patterns]] = {}
    for number, rule in enumerate(rules):
        key = rule.section.casefold()
        patterns, excluded = sections.setdefault(key, (Patterns(is_gitlab), Patterns(is_gitlab)))
        if is_gitlab and rule.pattern.startswith("!"):
            excluded.add(number, rule.pattern[1:])
        else:
            patterns.add(number, rule.pattern)
    return Owners(path=path, rules=tuple(rules), _sections=tuple(sections.values()))


def _github_rules(lines: Iterable[tuple[int, str]]) -> list[OwnerRule]:
    rules = []
    for number, line in lines:
        pattern, *owners = _words(line)
        negated = pattern.startswith(("!", "\\#")) or "[" in pattern
        if not negated and _is_pattern(pattern) and all(map(_is_owner, owners)):
            rules.append(OwnerRule(line=number, pattern=pattern, owners=tuple(owners)))
    return rules


def _gitlab_rules(lines: Iterable[tuple[int, str]]) -> list[OwnerRule]:
    """Entries of a section without owners have the section's; words that name no owner are left out."""
    rules = []
    section, optional, count = "", False, 1
    default: tuple[str, ...] = ()
    names: dict[str, str] = {}
    for number, line in lines:
        if heading := _SECTION.fullmatch(line):
            section = names.setdefault(heading[2].strip().casefold(), heading[2].strip())
            optional, count = bool(heading[1]), int(heading[3] or 1)
            default = _owners(_SPLIT.split(heading[4] or ""))
            continue
        pattern, *words = _words(line)
        if _is_pattern(pattern.removeprefix("!")):
            rules.append(
                OwnerRule(
                    line=number,
                    pattern=pattern,
                    owners=_owners(words) or (default if not words else ()),
                    section=section,
                    optional=optional,
                    count=count,
                )
            )
    return rules


def _owners(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(_is_owner, words))


def _words(line: str) -> list[str]:
    return _SPLIT.split(line) if "\\" in line else line.split()


@cache
def _is_owner(word: str) -> bool:
    return _OWNER.fullmatch(word) is not None


def _is_pattern(pattern: str) -> bool:
    return bool(pattern.strip("/")) and pattern.count("*") <= MAX_STARS
