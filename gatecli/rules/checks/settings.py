"""F05, F06: settings that are newly required, or changed: the code that reads them, and the traffic through it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatecli.model import Confidence, FunctionKind
from gatecli.rules import code, wording
from gatecli.rules.checks import versions
from gatecli.rules.checks.configured import FILES, TELLING, Setting, chosen, compared, settings_of
from gatecli.rules.checks.numbers import figure, word
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
_FIELDS = Pattern("""
((class_definition superclasses: (argument_list [(identifier) (attribute)] @base)
   body: (block (expression_statement (assignment left: (identifier) @key type: (_) !right) @match)))
  (#match? @base "(^|[.])BaseSettings$"))
""")
"""What pydantic reads from the environment, and refuses to start without."""

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
    for match in view.own(_FIELDS, side):
        yield code.text(match["key"]), code.line(match["match"])
    for match in view.own(_REQUIRED, side):
        node, name = match["match"], code.text(match["key"])
        asked = f'"{name}" in os.environ' in code.text(side.node) or f"'{name}' in os.environ" in code.text(side.node)
        if node.start_byte not in targets and not code.is_within(tried, node) and not asked and name.isupper():
            yield name, code.line(node)


# --------------------------------------------------------------------------- F06

_CONSTANTS = Pattern("(assignment left: (identifier) @key right: (_) @value) @match")
_KEPT = re.compile(
    r"(?:_TTL|_MAX_AGE|_EXPIR\w{0,10}|_INTERVAL|_LIFETIME|_CACHE_TIMEOUT|_CACHE_SECONDS|_BACKOFF)(?:_S|_SECONDS|_MS|_MINUTES)?$"
)
_TRIED = re.compile(r"(?:^|_)(?:RETRIES|ATTEMPTS|TRIES|RETRY_COUNT|RETRY_LIMIT|RETRY_BUDGET)$")
"""How often something is tried: that it is less is another rule's (E03)."""


def setting_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """Settings that changed at least twofold, the functions that read them by name, and the busiest one's traffic.

    Of versions, another major one and one that is older; of what a word chooses, another word where code reads it or
    nobody looked.
    """
    for file in view.case.change.files:
        if file.before is None or file.after is None or not matches(FILES, file.path):
            continue
        old = {setting.path: setting for setting in settings_of(file, old=True)}
        for setting in settings_of(file, old=False):
            was = old.get(setting.path)
            how = _how(was, setting)
            choice = chosen(setting.path, was.value, setting.value) if was is not None and not how else ""
            readers = read_by(view, setting.path, file.path) if how or choice else Readers()
            if how or readers.says:
                yield _observed(readers, file.path, setting.path, how or choice, setting.line)
    for touched in view.functions:
        if touched.before is None or touched.after is None or touched.change.function.kind is not FunctionKind.MODULE:
            continue
        path = touched.change.id.path
        for name, shown, how, line in _constants_changed(view, touched.before, touched.after):
            yield _observed(read_by(view, name, path), path, shown, how, line)
        for name, how, line in _words_changed(view, touched.before, touched.after):
            if (readers := read_by(view, name, path)).says:
                yield _observed(readers, path, name, how, line)


def _how(was: Setting | None, now: Setting) -> str:
    """How a setting of a file changed, empty where it did not by much."""
    if was is None:
        return ""
    if versions.is_version(now.path, now.value):
        return versions.compared(now.path, was.value, now.value)
    return compared(was.value, now.value) if TELLING.search(now.path) else ""


def _constants_changed(view: View, before: Code, after: Code) -> Iterator[tuple[str, str, str, int]]:
    """The constants of a module that changed by much: name, how it is shown, how it changed, line."""
    was = {code.text(match["key"]): match["value"] for match in view.own(_CONSTANTS, before)}
    for match in view.own(_CONSTANTS, after):
        name, old, new = code.text(match["key"]), was.get(code.text(match["key"])), match["value"]
        if old is None:
            continue
        how = _numbers(old, new) if _KEPT.search(name) or _TRIED.search(name) else ""
        if how and not (_TRIED.search(name) and how.startswith("lowers")):
            yield name, name, how, code.line(match["match"])
        if old.type == new.type == "dictionary" and old.text != new.text:
            known = {shown: code.text(node) for shown, node in versions.tables(name, old)}
            for shown, node in versions.tables(name, new):
                if how := versions.compared(shown, known.get(shown, ""), code.text(node)):
                    yield name, shown, how, code.line(node)


def _words_changed(view: View, before: Code, after: Code) -> Iterator[tuple[str, str, int]]:
    """The constants of a module for which another word is chosen now: name, how it changed, line."""
    was = {code.text(match["key"]): match["value"] for match in view.own(_CONSTANTS, before)}
    for match in view.own(_CONSTANTS, after):
        name = code.text(match["key"])
        old, new = word(was.get(name)), word(match["value"])
        if name.isupper() and old is not None and new is not None and (how := chosen(name, old, new)):
            yield name, how, code.line(match["match"])


def _numbers(old: "Node", new: "Node") -> str:
    was, now = figure(old), figure(new)
    return compared(wording.amount(was).replace(",", ""), wording.amount(now).replace(",", "")) if was and now else ""


def _observed(readers: Readers, path: str, name: str, how: str, line: int) -> Observation:
    says = how.format(snippet(name)) + readers.says
    return Observation(says=says, path=path, line=line, text=name, evidence=readers.evidence, usage=readers.usage)
