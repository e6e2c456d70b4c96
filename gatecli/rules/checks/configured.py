"""Part of F06: the settings that a file of configuration holds, and how one of them changed."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gatecli.model import FileChange
from gatecli.rules.lines import decoded
from gatecli.rules.wording import snippet

FILES = (
    *("*.yml", "*.yaml", "*.toml", "*.env", ".env*", "*.env.*", "*.ini", "*.cfg", "*.conf", "*.properties", "*.json"),
    *("Dockerfile*", "*.Dockerfile", "Procfile", "*.service"),
    *("!.github/", "!.gitlab-ci.yml", "!.circleci/", "!docs/", "!pyproject.toml", "!*.lock", "!setup.cfg", "!tox.ini"),
    *("!pytest.ini", "!.pre-commit-config.yaml", "!mkdocs.yml", "!.readthedocs.y*ml", "!mypy.ini", "!codecov.yml"),
    *("!*lock.y*ml", "!*test*", "!tests/", "!**/locale/**", "!**/cassettes/**", "!**/fixtures/**", "!openapi*"),
    *("!package*.json", "!*lock*.json", "!composer.json", "!tsconfig*.json", "!*schema*.json", "!**/locales/**"),
)
TELLING = re.compile(
    r"(?i)time_?out|ttl|pool_?size|max_?conn|max_?overflow|workers?|concurrency|replica|batch|chunk_?size|retr(?:y|ies)|attempts"
    r"|back_?off|rate_?limit|throttle|interval|cron|schedule|threads?|prefetch|max_?size|max_?age|expir|keep_?alive|memory|cpu"
    r"|max_?tokens|max_?requests|deadline|grace|queue|budget"
)
# What is chosen by a word, where another word is another way to run. What holds a secret is never told.
_CHOSEN = re.compile(
    r"(?i)(?:^|[._-])(?:log_?level|isolation(?:_?level)?|(?:eviction|restart|retry|acks?)_?policy|policy|strategy|backend|engine|broker|driver"
    r"|cron|schedule|region|cluster|durability|consistency|compression|serializer|algorithm|cipher|ssl_?mode|same_?site|acks|mode"
    r"|(?:[a-z]{1,30}_?)?(?:url|uri|dsn|host|endpoint|server|address|bucket|topic|queue|exchange|database|schema))$"
)
_SECRET = re.compile(r"(?i)passw|secret|token|credential|api_?key|private|salt")
_USER = re.compile(r"//[^/@\s]{1,200}@")
_SWITCH = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
_LINE = re.compile(
    r"^(\s{0,60})(?:(?:export|ENV)\s{1,4})?(?:-\s{1,4})?[\"']?([A-Za-z_][\w.-]{0,100})[\"']?\s{0,5}[:=]\s{0,5}([^#]{0,200})"
)
_SECTION = re.compile(r"^\s{0,10}\[{1,2}([\w.\"'-]{1,200})\]")
_FLAG = re.compile(r"(?<![\w-])(--[a-z][a-z-]{2,40})[= ][\"']?(\d{1,9}[a-z]{0,2})\b")
_QUANTITY = re.compile(r"^[\"']?(-?\d{1,12}(?:\.\d{1,6})?)\s{0,2}([A-Za-z%]{0,8})[\"']?,?$")
_UNITS = {
    **{"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400},
    **{"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "MB": 1e6, "GB": 1e9, "": 1},
}
FACTOR = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """A value under a name: the path of keys, as the file has it, and the line."""

    path: str
    value: str
    line: int


def settings_of(file: FileChange, *, old: bool) -> Iterator[Setting]:
    """The settings on touched lines, each under the keys it stands in (by indentation, or the section above).

    The items of a Kubernetes list (``- name: POOL_SIZE``, ``value: "10"``) go by their names, and the options of a
    command that a line starts (``--workers 4``) by theirs, where the file has one of them only.
    """
    text = decoded(file.before if old else file.after)
    touched = {line for hunk in file.hunks for line in (hunk.removed if old else hunk.added)}
    lines = text.split("\n")
    yield from _options(lines, touched)
    above: list[tuple[int, str]] = []
    section = named = ""
    for number, line in enumerate(lines, 1):
        if found := _SECTION.match(line[:400]):
            section, above = found[1], []
        elif (found := _LINE.match(line[:400])) and not line.lstrip().startswith("#"):
            depth, key, value = len(found[1]), found[2], found[3].strip()
            while above and above[-1][0] >= depth:
                above.pop()
            shown = named if key == "value" and named else key
            named = value.strip("\"',") if key == "name" else ""
            if not value or value in ("{", "["):
                above.append((depth, key))
            elif number in touched:
                yield Setting(".".join([*filter(None, [section]), *(name for _, name in above), shown]), value, number)


def _options(lines: list[str], touched: set[int]) -> Iterator[Setting]:
    found = [
        Setting(match[1], match[2], number)
        for number, line in enumerate(lines, 1)
        for match in _FLAG.finditer(line, 0, 2_000)
    ]
    times = Counter(one.path for one in found)
    yield from (one for one in found if one.line in touched and times[one.path] == 1)


def compared(old: str, new: str) -> str:
    """``raises {} from 10 to 60``, empty unless both are quantities that differ by the factor, or one is nothing."""
    was, now = _quantity(old), _quantity(new)
    if was is None or now is None or was == now or min(was, now) < 0:
        return ""
    if min(was, now) > 0 and max(was, now) < FACTOR * min(was, now):
        return ""
    verb = "raises" if now > was else "lowers"
    return f"{verb} {{}} from {snippet(old.strip(' ,'), 40)} to {snippet(new.strip(' ,'), 40)}"


def chosen(name: str, old: str, new: str) -> str:
    """``changes {} from WARNING to DEBUG``, empty unless it is another choice or switch, and no secret."""
    was, now = old.strip(" ,\"'"), new.strip(" ,\"'")
    if was == now or not was or not now or _SECRET.search(name) or "{{" in was + now or "${" in was + now:
        return ""
    switched = {was.lower(), now.lower()} <= _SWITCH.keys() and _SWITCH[was.lower()] is not _SWITCH[now.lower()]
    if not switched and (not _CHOSEN.search(name) or was.lower() == now.lower()):
        return ""
    return f"changes {{}} from {_shown(was)} to {_shown(now)}"


def _shown(value: str) -> str:
    """A value without whom it names before an ``@``, which may be a password."""
    return snippet(_USER.sub("//…@", value), 60).replace("{", "(").replace("}", ")")


def _quantity(text: str) -> float | None:
    found = _QUANTITY.match(text.strip())
    unit = _UNITS.get(found[2]) if found else None
    return float(found[1]) * unit if found and unit is not None else None
