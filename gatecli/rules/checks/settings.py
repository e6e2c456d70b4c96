"""F05, F06: settings that are newly required, or changed: the code that reads them, and the traffic through it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.model import Confidence, FileChange, FunctionKind
from gatecli.rules import code, wording
from gatecli.rules.checks import versions
from gatecli.rules.checks.readers import Readers, read_by
from gatecli.rules.code import Code, View
from gatecli.rules.lines import added, decoded
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.paths import matches
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

if TYPE_CHECKING:
    from tree_sitter import Node

# --------------------------------------------------------------------------- F05

_REQUIRED = Pattern("""
((subscript value: [(attribute) (identifier)] @env subscript: (string (string_content) @key)) @match
  (#any-of? @env "os.environ" "environ"))
((call function: (identifier) @env arguments: (argument_list . (string (string_content) @key) .)) @match
  (#any-of? @env "env" "config"))
((call
  function: (attribute object: (identifier) @env attribute: (identifier) @how)
  arguments: (argument_list . (string (string_content) @key) .)) @match
  (#eq? @env "env") (#any-of? @how "str" "bool" "int" "list" "url" "db"))
""")
_TARGETS = Pattern("""
(assignment left: (subscript) @match)
(delete_statement (subscript) @match)
""")
_TRIES = Pattern("(try_statement body: (block) @match)")
_DEPLOYED = ("*.env*", "*.yml", "*.yaml", "Dockerfile*", "*.toml", "*.tf", "*.json", "*.ini", "*.cfg", "Procfile")


def environment_required(rule: Rule, view: View) -> Iterator[Observation]:
    """Variables without which the code now fails, that no changed file named before; a note where a file sets them."""
    named = "\n".join(decoded(file.before) for file in view.case.change.files)
    provided = "\n".join(
        text for file in view.case.change.files if matches(_DEPLOYED, file.path) for _, text in added(file, 2_000)
    )
    said: set[str] = set()
    for touched in view.functions:
        if touched.after is None:
            continue
        for name, line in _required(view, touched.after):
            if name in said or re.search(rf"\b{re.escape(name)}\b", named):
                continue
            said.add(name)
            sure = Confidence.LOW if re.search(rf"\b{re.escape(name)}\b", provided) else Confidence.HIGH
            says = f"fails if the environment does not set {snippet(name)}"
            yield seen(touched, line, says, name, confidence=sure)


def _required(view: View, side: Code) -> Iterator[tuple[str, int]]:
    targets = {match["match"].start_byte for match in view.own(_TARGETS, side)}
    tried = code.merged(code.byte_range(match["match"]) for match in view.own(_TRIES, side))
    for match in view.own(_REQUIRED, side):
        node, name = match["match"], code.text(match["key"])
        asked = f'"{name}" in os.environ' in code.text(side.node) or f"'{name}' in os.environ" in code.text(side.node)
        if node.start_byte not in targets and not code.is_within(tried, node) and not asked and name.isupper():
            yield name, code.line(node)


# --------------------------------------------------------------------------- F06

_FILES = (
    *("*.yml", "*.yaml", "*.toml", "*.env", ".env*", "*.env.*", "*.ini", "*.cfg", "*.conf", "*.properties"),
    *("!.github/", "!.gitlab-ci.yml", "!.circleci/", "!docs/", "!pyproject.toml", "!*.lock", "!setup.cfg", "!tox.ini"),
    *("!pytest.ini", "!.pre-commit-config.yaml", "!mkdocs.yml", "!.readthedocs.y*ml", "!mypy.ini", "!codecov.yml"),
    *("!*lock.y*ml", "!*test*", "!tests/", "!**/locale/**", "!**/cassettes/**", "!**/fixtures/**", "!openapi*"),
)
_TELLING = re.compile(
    r"(?i)time_?out|ttl|pool_?size|max_?conn|max_?overflow|workers?|concurrency|replica|batch|chunk_?size|retr(?:y|ies)|attempts"
    r"|back_?off|rate_?limit|throttle|interval|cron|schedule|threads?|prefetch|max_?size|max_?age|expir|keep_?alive|memory|cpu"
    r"|max_?tokens|deadline|grace|queue"
)
_LINE = re.compile(
    r"^(\s{0,60})(?:export\s{1,4})?(?:-\s{1,4})?[\"']?([A-Za-z_][\w.-]{0,100})[\"']?\s{0,5}[:=]\s{0,5}([^#]{0,200})"
)
_SECTION = re.compile(r"^\s{0,10}\[{1,2}([\w.\"'-]{1,200})\]")
_QUANTITY = re.compile(r"^[\"']?(-?\d{1,12}(?:\.\d{1,6})?)\s{0,2}([A-Za-z%]{0,8})[\"']?,?$")
_UNITS = {
    **{"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400},
    **{"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "MB": 1e6, "GB": 1e9, "": 1},
}
FACTOR = 2
_CONSTANTS = Pattern("(assignment left: (identifier) @key right: (_) @value) @match")
_KEPT = re.compile(
    r"(?:_TTL|_MAX_AGE|_EXPIR\w{0,10}|_INTERVAL|_LIFETIME|_CACHE_TIMEOUT|_CACHE_SECONDS)(?:_S|_SECONDS|_MS|_MINUTES)?$"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value under a name: the path of keys, as the file has it, and the line."""

    path: str
    value: str
    line: int


def setting_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """Settings that changed at least twofold, the functions that read them by name, and the busiest one's traffic.

    Of versions, another major one and one that is older.
    """
    for file in view.case.change.files:
        if file.before is None or file.after is None or not matches(_FILES, file.path):
            continue
        old = {setting.path: setting for setting in _settings(file, old=True)}
        for setting in _settings(file, old=False):
            was = old.get(setting.path)
            if how := _how(was, setting):
                yield _observed(read_by(view, setting.path, file.path), file.path, setting.path, how, setting.line)
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.change.function.kind is not FunctionKind.MODULE:
            continue
        path = touched.change.id.path
        for name, shown, how, line in _constants_changed(view, touched.before, touched.after):
            yield _observed(read_by(view, name, path), path, shown, how, line)


def _how(was: Setting | None, now: Setting) -> str:
    """How a setting of a file changed, empty where it did not by much."""
    if was is None:
        return ""
    if versions.is_version(now.path, now.value):
        return versions.compared(now.path, was.value, now.value)
    return compared(was.value, now.value) if _TELLING.search(now.path) else ""


def _constants_changed(view: View, before: Code, after: Code) -> Iterator[tuple[str, str, str, int]]:
    """The constants of a module that changed by much: name, how it is shown, how it changed, line."""
    was = {code.text(match["key"]): match["value"] for match in view.own(_CONSTANTS, before)}
    for match in view.own(_CONSTANTS, after):
        name, old, new = code.text(match["key"]), was.get(code.text(match["key"])), match["value"]
        if old is None:
            continue
        if _KEPT.search(name) and (how := _numbers(old, new)):
            yield name, name, how, code.line(match["match"])
        if old.type == new.type == "dictionary" and old.text != new.text:
            known = {shown: code.text(node) for shown, node in versions.tables(name, old)}
            for shown, node in versions.tables(name, new):
                if how := versions.compared(shown, known.get(shown, ""), code.text(node)):
                    yield name, shown, how, code.line(node)


def _numbers(old: "Node", new: "Node") -> str:
    was, now = code.number(old), code.number(new)
    return compared(wording.amount(was).replace(",", ""), wording.amount(now).replace(",", "")) if was and now else ""


def compared(old: str, new: str) -> str:
    """``raises from 10 to 60``, empty unless the values are quantities that differ by the factor, or one is nothing."""
    was, now = _quantity(old), _quantity(new)
    if was is None or now is None or was == now or min(was, now) < 0:
        return ""
    if min(was, now) > 0 and max(was, now) < FACTOR * min(was, now):
        return ""
    verb = "raises" if now > was else "lowers"
    return f"{verb} {{}} from {snippet(old.strip(), 40)} to {snippet(new.strip(), 40)}"


def _quantity(text: str) -> float | None:
    found = _QUANTITY.match(text.strip())
    unit = _UNITS.get(found[2]) if found else None
    return float(found[1]) * unit if found and unit is not None else None


def _settings(file: FileChange, *, old: bool) -> Iterator[Setting]:
    """The settings on touched lines, each under the keys it stands in (by indentation, or the section above)."""
    text = decoded(file.before if old else file.after)
    touched = {line for hunk in file.hunks for line in (hunk.removed if old else hunk.added)}
    above: list[tuple[int, str]] = []
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        if found := _SECTION.match(line[:400]):
            section, above = found[1], []
        elif (found := _LINE.match(line[:400])) and not line.lstrip().startswith("#"):
            depth, key = len(found[1]), found[2]
            while above and above[-1][0] >= depth:
                above.pop()
            path = ".".join([*filter(None, [section]), *(name for _, name in above), key])
            if not found[3].strip():
                above.append((depth, key))
            elif number in touched:
                yield Setting(path, found[3].strip(), number)


def _observed(readers: Readers, path: str, name: str, how: str, line: int) -> Observation:
    says = how.format(snippet(name)) + readers.says
    return Observation(says=says, path=path, line=line, text=name, evidence=readers.evidence, usage=readers.usage)
