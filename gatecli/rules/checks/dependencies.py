"""S02, S03, S12: what the change begins to depend on, no longer pins, or takes another version of. All offline."""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

from gatecli import config
from gatecli.model import Confidence, FileChange
from gatecli.rules import code
from gatecli.rules.checks.manifests import LOCKS, MANIFESTS, Dependency, dependencies, normalised, options
from gatecli.rules.code import View
from gatecli.rules.lines import added, decoded, removed
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.paths import matches
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

_IMPORTS = Pattern("""
(import_statement name: (dotted_name . (identifier) @key)) @match
(import_statement name: (aliased_import name: (dotted_name . (identifier) @key))) @match
(import_from_statement module_name: (dotted_name . (identifier) @key)) @match
""")
MAX_IMPORTS = 40
"""New imports of a change that are looked up in the tree."""

MAX_DISTANCE = 2
_LONG_NAME = 7
"""Characters from which two edits still make a look-alike; shorter names are near to each other by chance."""

# Modules that a distribution of another name brings.
_MODULES = {
    **{"yaml": "pyyaml", "PIL": "pillow", "cv2": "opencv-python", "sklearn": "scikit-learn", "bs4": "beautifulsoup4"},
    **{"dateutil": "python-dateutil", "jwt": "pyjwt", "dotenv": "python-dotenv", "attr": "attrs", "google": "google-*"},
    **{"pkg_resources": "setuptools", "MySQLdb": "mysqlclient", "psycopg2": "psycopg2-binary", "magic": "python-magic"},
    **{"rest_framework": "djangorestframework", "Crypto": "pycryptodome", "OpenSSL": "pyopenssl", "git": "gitpython"},
    **{"docx": "python-docx", "jose": "python-jose", "slugify": "python-slugify", "redis": "redis", "zmq": "pyzmq"},
}


# --------------------------------------------------------------------------- S02


def unknown_added(rule: Rule, view: View) -> Iterator[Observation]:
    """New dependencies with a name like a well-known one, or in no lock file; other unknown names as notes."""
    names = well_known()
    for file in _manifests(view):
        before = dependencies(file.path, decoded(file.before))
        for dependency in dependencies(file.path, decoded(file.after)).values():
            if dependency.name in before or _stood_elsewhere(view, dependency.name) or dependency.name in names:
                continue
            model = look_alike(dependency.name, names)
            if model:
                says = f"begins to depend on {snippet(dependency.shown)}, a name like that of {model}"
                yield _at(file, dependency, says, Confidence.HIGH)
            elif _is_unlocked(view, dependency.name):
                says = f"begins to depend on {snippet(dependency.shown)}, which no lock file names"
                yield _at(file, dependency, says, Confidence.HIGH)
            else:
                says = (
                    f"begins to depend on {snippet(dependency.shown)}, which is none of {len(names):,} well-known names"
                )
                yield _at(file, dependency, says, Confidence.LOW)
    yield from _undeclared(view)


def _manifests(view: View) -> Iterator[FileChange]:
    for file in view.case.change.files:
        if file.after is not None and matches(MANIFESTS, file.path):
            yield file


def _at(file: FileChange, dependency: Dependency, says: str, confidence: Confidence) -> Observation:
    return Observation(says=says, path=file.path, line=dependency.line, text=dependency.name, confidence=confidence)


def _stood_elsewhere(view: View, name: str) -> bool:
    """Whether a manifest or lock of the base revision named it."""
    return any(_names(decoded(file.before), name) for file in view.case.change.files if _is_manifest(file.path)) or any(
        _names(text, name) for text in _locks(view, old=True)
    )


def _is_manifest(path: str) -> bool:
    return matches(MANIFESTS, path) or PurePosixPath(path).name in LOCKS


def _names(text: str, name: str) -> bool:
    pattern = re.escape(name).replace(r"\-", "[-_.]")
    return bool(re.search(rf"(?<![\w-]){pattern}(?![\w-])", text, re.IGNORECASE))


def _locks(view: View, *, old: bool) -> list[str]:
    tree = view.around.base if old else view.around.head
    changed = {file.path: file for file in view.case.change.files}
    found = []
    for path in LOCKS:
        file = changed.get(path)
        content = (file.before if old else file.after) if file is not None else tree.read(path) if tree else None
        if content is not None:
            found.append(decoded(content))
    return found


def _is_unlocked(view: View, name: str) -> bool:
    """Whether there is a lock file and none names a dependency."""
    locks = _locks(view, old=False)
    return bool(locks) and not any(_names(text, name) for text in locks)


@cache
def well_known() -> frozenset[str]:
    """Names of well-known packages, normalised."""
    lines = config.read_data("supply-chain/well-known-packages.txt").decode().split("\n")
    return frozenset(line for line in lines if line and not line.startswith("#"))


def look_alike(name: str, names: frozenset[str]) -> str:
    """The well-known name that a name can be mistaken for, empty if there is none."""
    if name in names or len(name) < 4:
        return ""
    bare = name.replace("-", "")
    for known in sorted(names):
        if abs(len(known) - len(name)) > MAX_DISTANCE or (known[0] != name[0] and known[1:3] != name[1:3]):
            continue
        if bare == known.replace("-", ""):
            return known
        most = MAX_DISTANCE if min(len(name), len(known)) >= _LONG_NAME else 1
        if min(len(name), len(known)) >= 5 and distance(name, known, most) <= most:
            return known
    return ""


def distance(one: str, other: str, most: int) -> int:
    """Edits between two names (a swap of neighbours is one), or ``most + 1`` if there are more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        before, row, last = row, [i, *[0] * len(other)], before
        for j, wanted in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != wanted))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == wanted:
                row[j] = min(row[j], last[j - 2] + 1)
        if min(row) > most:
            return most + 1
    return row[-1]


def _undeclared(view: View) -> Iterator[Observation]:
    """Imports of distributions that nothing declares and no other file imports."""
    tree, base = view.around.head, view.around.base
    declared = _declared(view) if tree is not None else None
    if not declared or tree is None or base is None:
        return
    said: set[str] = set()
    for touched in view.functions:
        if touched.after is None or not view.is_production(touched.change.id.path):
            continue
        before = touched.before
        known = {code.text(match["key"]) for match in view.own(_IMPORTS, before)} if before is not None else set()
        for match in view.own(_IMPORTS, touched.after):
            name = code.text(match["key"])
            if name in known or name in said or name in sys.stdlib_module_names or name.startswith("_"):
                continue
            if len(said) >= MAX_IMPORTS:
                return
            said.add(name)
            if not _is_declared(name, declared) and not _is_local(view, name, touched.change.id.path):
                says = f"imports {snippet(name)}, which the repository does not declare as a dependency"
                yield seen(touched, code.line(match["match"]), says, name, confidence=Confidence.MEDIUM)


def _declared(view: View) -> str:
    """The text of everything that declares dependencies at the root of the tree."""
    tree = view.around.head
    paths = ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "requirements.txt", *LOCKS)
    texts = [decoded(content) for path in paths if tree is not None and (content := tree.read(path)) is not None]
    texts += [decoded(file.after) for file in view.case.change.files if _is_manifest(file.path)]
    return "\n".join(texts) if any(texts) else ""


def _is_declared(name: str, declared: str) -> bool:
    wanted = normalised(_MODULES.get(name, name))
    if wanted.endswith("-*"):
        return wanted[:-1] in declared
    bare = re.sub(r"[-_.]", "", declared).lower()
    return re.sub(r"[-_.]", "", wanted) in bare


def _is_local(view: View, name: str, importer: str) -> bool:
    """Whether a module of the repository has the name, or another file imports it already."""
    base, head = view.around.base, view.around.head
    folder = PurePosixPath(importer).parent.as_posix()
    if base is None or head is None:
        return True
    places = {"", "src/", f"{folder}/"}
    if any(head.read(f"{place}{name}{end}") is not None for place in places for end in ("/__init__.py", ".py", ".pyi")):
        return True
    if any(f"/{name}/" in f"/{path}" or path.endswith(f"/{name}.py") for path in head.paths()):
        return True
    pattern = re.compile(rb"^\s{0,40}(?:import|from)\s{1,4}" + re.escape(name.encode()) + rb"\b", re.MULTILINE)
    return any(pattern.search(content) for _, content in base.grep([name]))


# --------------------------------------------------------------------------- S03

_HASH = re.compile(r"--hash=|\bhash\s{0,3}=|sha256:")


def pin_loosened(rule: Rule, view: View) -> Iterator[Observation]:
    """Pins that became ranges, hashes that went, other indexes, and dependencies that come from an address."""
    for file in _manifests(view):
        before = dependencies(file.path, decoded(file.before))
        for name, now in dependencies(file.path, decoded(file.after)).items():
            was = before.get(name)
            if now.is_elsewhere and (was is None or _place(was.spec) != _place(now.spec)):
                says = f"takes {snippet(now.shown)} from an address: {snippet(now.spec)}"
                yield _at(file, now, says, Confidence.HIGH)
            elif was is not None and was.is_exact and not now.is_exact:
                to = f"`{snippet(now.spec)}`" if now.spec else "any version"
                yield _at(
                    file, now, f"no longer pins {snippet(now.shown)} (was `{snippet(was.spec)}`, now {to})", _sure(file)
                )
        known = {(option, value) for option, value, _ in options(decoded(file.before))}
        for option, value, line in options(decoded(file.after)):
            if (option, value) not in known:
                says = f"takes packages from another place: {snippet(f'{option} {value}')}"
                yield Observation(says=says, path=file.path, line=line, text=f"{option} {value}")
        hashes = sum(bool(_HASH.search(text)) for _, text in removed(file)) if file.before is not None else 0
        kept = sum(bool(_HASH.search(text)) for _, text in added(file))
        if hashes and not kept and not _HASH.search(decoded(file.after)):
            yield Observation(says="no longer checks what it installs by hash", path=file.path, line=1, text="hashes")


_VERSION = re.compile(r"@v?\d{1,9}(?:\.\d{1,9}){1,5}(?=#|\s|$)")
_REVISION = re.compile(r"[0-9a-f]{40}|#.{0,300}$")


def _place(spec: str) -> str:
    """Where a dependency comes from: another full commit id, or the tag of another version, is no other place."""
    return _VERSION.sub("@version", _REVISION.sub("", spec))


def _sure(file: FileChange) -> Confidence:
    """Loose pins are the rule in what others install (``pyproject.toml``), and news in a requirements file."""
    return Confidence.HIGH if file.path.endswith(".txt") else Confidence.LOW


# --------------------------------------------------------------------------- S12

_PIN = re.compile(r"===?\s{0,5}v?(\d{1,9}(?:\.\d{1,9}){0,5})")
_BELOW = re.compile(r"<\s{0,5}(\d{1,9}(?:\.\d{1,9}){0,5})")


def major_version_raised(rule: Rule, view: View) -> Iterator[Observation]:
    """Pins and upper bounds whose first number is higher than before (of a version 0, the second)."""
    for file in _manifests(view):
        before = dependencies(file.path, decoded(file.before))
        for name, now in dependencies(file.path, decoded(file.after)).items():
            was = before.get(name)
            if was is None:
                continue
            old, new = _PIN.search(was.spec), _PIN.search(now.spec)
            if old and new and _major(new[1]) > _major(old[1]):
                yield _at(file, now, f"takes {snippet(now.shown)} {new[1]} where it took {old[1]}", Confidence.LOW)
                continue
            old, new = _BELOW.search(was.spec), _BELOW.search(now.spec)
            if old and new and _major(new[1]) > _major(old[1]):
                says = f"now allows {snippet(now.shown)} below {new[1]}, was {old[1]}"
                yield _at(file, now, says, Confidence.LOW)


def _major(version: str) -> tuple[int, int]:
    first, *rest = (int(part) for part in version.split("."))
    return (first, rest[0] if rest and not first else 0)
