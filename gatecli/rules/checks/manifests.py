"""What a repository depends on, read from what declares it: requirements, ``pyproject.toml``, ``setup.cfg``."""

import configparser
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

MAX_DEPENDENCIES = 5_000
MANIFESTS = (
    *("requirements*.txt", "requirements*.in", "*requirements.txt", "requirements/*.txt", "requirements/*.in"),
    *("pyproject.toml", "setup.cfg", "Pipfile", "constraints*.txt"),
)
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")

_REQUIREMENT = re.compile(r"^\s{0,20}([A-Za-z0-9][\w.-]{0,100})\s{0,5}(?:\[[^\]]{0,200}\])?\s{0,5}([^;#]{0,300})")
_OPTION = re.compile(r"^\s{0,20}(--?(?:index-url|extra-index-url|find-links|trusted-host|i|f))[ =]\s{0,10}(\S{1,300})")
_EDITABLE = re.compile(
    r"^\s{0,20}(?:-e\s{1,5}|--editable[ =]\s{0,5})?((?:git|hg|svn|bzr)\+\S{1,300}|https?://\S{1,300})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One declared distribution: its normalised name (PEP 503), what versions will do, and the line."""

    name: str
    shown: str
    spec: str
    line: int

    @property
    def is_exact(self) -> bool:
        """Whether one version alone will do."""
        return bool(re.match(r"^===?\s{0,5}[^*,]{1,100}$", self.spec.strip()))

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is fetched from an address and not from an index."""
        return bool(re.search(r"\b(?:git|hg|svn|bzr)\+|^\s{0,5}@\s|https?://", self.spec))


def normalised(name: str) -> str:
    """A distribution's name as an index compares it (PEP 503)."""
    return re.sub(r"[-_.]{1,20}", "-", name).lower()


def dependencies(path: str, text: str) -> dict[str, Dependency]:
    """The declared distributions of a manifest by name; one that cannot be read declares nothing."""
    name = PurePosixPath(path).name
    if name in ("pyproject.toml", "Pipfile"):
        found = _from_toml(text)
    elif name == "setup.cfg":
        found = _from_ini(text)
    else:
        found = iter(text.split("\n"))
    result: dict[str, Dependency] = {}
    lines = text.split("\n")
    for number, requirement in enumerate(found, 1):
        read = _parsed(requirement)
        if read is None or len(result) >= MAX_DEPENDENCIES:
            continue
        shown, spec = read
        at = number if name.endswith((".txt", ".in")) else _line_of(lines, shown)
        key = normalised(shown)
        result.setdefault(key, Dependency(name=key, shown=shown, spec=spec, line=at))
    return result


def _parsed(requirement: str) -> tuple[str, str] | None:
    if requirement.lstrip().startswith(("#", "-")) or _EDITABLE.match(requirement):
        named = re.search(r"#egg=([\w.-]{1,100})", requirement)
        return (named[1], requirement.strip()) if named else None
    found = _REQUIREMENT.match(requirement)
    return (found[1], found[2].replace("\\", "").strip()) if found else None


def _line_of(lines: list[str], name: str) -> int:
    pattern = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
    return next((number for number, line in enumerate(lines, 1) if pattern.search(line[:500])), 1)


def options(text: str) -> Iterator[tuple[str, str, int]]:
    """Option, value and line of each index or other place that a requirements file names."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := _OPTION.match(line[:500]):
            yield found[1], found[2], number


# --------------------------------------------------------------------------- TOML, INI


def _from_toml(text: str) -> Iterator[str]:
    try:
        read = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    project, tool = _table(read, "project"), _table(read, "tool")
    poetry = _table(tool, "poetry")
    lists = [project.get("dependencies"), _table(read, "build-system").get("requires")]
    lists += list(_table(project, "optional-dependencies").values())
    lists += list(_table(read, "dependency-groups").values())
    for items in lists:
        yield from (item for item in (items if isinstance(items, list) else ()) if isinstance(item, str))
    tables = [_table(poetry, "dependencies"), _table(poetry, "dev-dependencies")]
    tables += [_table(group, "dependencies") for group in _table(poetry, "group").values() if isinstance(group, dict)]
    tables += [_table(read, "packages"), _table(read, "dev-packages")]
    for table in tables:
        yield from (_of_poetry(str(name), value) for name, value in table.items() if name != "python")


def _table(value: object, key: str) -> dict[str, object]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _of_poetry(name: str, value: object) -> str:
    if isinstance(value, str):
        return f"{name} {value}" if value[:1] in "=<>~!^*" else f"{name} =={value}"
    given = value if isinstance(value, dict) else {}
    if "git" in given or "url" in given:
        return f"{name} @ {given.get('git', given.get('url'))}"
    return f"{name} {given.get('version', '')}"


def _from_ini(text: str) -> Iterator[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    values = [parser.get("options", "install_requires", fallback="")]
    if parser.has_section("options.extras_require"):
        values += [value for _, value in parser.items("options.extras_require")]
    for value in values:
        yield from (line for line in value.split("\n") if line.strip())
