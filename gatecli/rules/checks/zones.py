"""A05: imports across a border that the repository itself has drawn, in the contracts of import-linter.

The contracts are read from the base revision (``pyproject.toml``, ``setup.cfg``, ``.importlinter``): ``forbidden``,
``layers`` and ``independence``. Only the direct imports that the change adds are looked at.
"""

import configparser
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from gatecli.model import Tree
from gatecli.rules import code
from gatecli.rules.code import Code, View
from gatecli.rules.matching import Pattern
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import snippet

MAX_CONTRACTS = 100
_IMPORTS = Pattern("""
(import_statement) @match
(import_from_statement module_name: (dotted_name) @key) @match
""")


@dataclass(frozen=True, slots=True)
class Contract:
    """One border: which modules may not import which."""

    name: str
    kind: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]

    def forbids(self, importer: str, imported: str) -> bool:
        """Whether one module may not import another."""
        if self.kind == "forbidden":
            return _in(importer, self.sources) is not None and _in(imported, self.targets) is not None
        here, there = _in(importer, self.sources), _in(imported, self.sources)
        if here is None or there is None or here == there:
            return False
        return self.kind == "independence" or there < here  # layers: the lower one may not import the higher


def _in(module: str, packages: tuple[str, ...]) -> int | None:
    """The place of the package that holds a module."""
    for place, package in enumerate(packages):
        if any(module == one or module.startswith(f"{one}.") for one in package.split("|")):
            return place
    return None


def cross_zone_import(rule: Rule, view: View) -> Iterator[Observation]:
    """Imports that the change adds and a contract forbids."""
    contracts = read_contracts(view.around.base)
    for touched in view.functions if contracts else ():
        if touched.after is None:
            continue
        importer = module_name(touched.change.id.path)
        known = {name for name, _ in _imported(view, touched.before)}
        for name, line in _imported(view, touched.after):
            broken = next((contract for contract in contracts if contract.forbids(importer, name)), None)
            if name not in known and broken is not None:
                says = f"now imports {snippet(name)}, which the contract “{snippet(broken.name)}” forbids"
                yield seen(touched, line, says, name)


def module_name(path: str) -> str:
    """The dotted name of a file, without a leading ``src``."""
    parts = list(PurePosixPath(path).with_suffix("").parts)
    parts = parts[1:] if parts[:1] == ["src"] else parts
    return ".".join(parts[:-1] if parts[-1:] == ["__init__"] else parts)


def _imported(view: View, side: Code | None) -> list[tuple[str, int]]:
    """Absolute dotted names that a function or module imports, with the names taken from each."""
    names = []
    for match in view.own(_IMPORTS, side) if side is not None else ():
        node, line = match["match"], code.line(match["match"])
        if "key" in match:
            module = code.text(match["key"])
            taken = [child for child in node.children_by_field_name("name") if child.type == "dotted_name"]
            names += [(f"{module}.{code.text(child)}", line) for child in taken] or [(module, line)]
        else:
            found = (child for child in node.named_children if child.type in ("dotted_name", "aliased_import"))
            names += [(code.text(child).partition(" as ")[0], line) for child in found]
    return names


# --------------------------------------------------------------------------- contracts


def read_contracts(tree: Tree | None) -> tuple[Contract, ...]:
    """The contracts of a revision; what cannot be read says nothing."""
    if tree is None:
        return ()
    found: list[Contract] = []
    if content := tree.read("pyproject.toml"):
        found += _from_toml(content)
    for path in (".importlinter", "setup.cfg"):
        if content := tree.read(path):
            found += _from_ini(content)
    return tuple(found[:MAX_CONTRACTS])


def _from_toml(content: bytes) -> Iterator[Contract]:
    try:
        read = tomllib.loads(content.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    section = read.get("tool", {})
    section = section.get("importlinter", {}) if isinstance(section, dict) else {}
    contracts = section.get("contracts", []) if isinstance(section, dict) else []
    for contract in contracts if isinstance(contracts, list) else ():
        if isinstance(contract, dict):
            yield from _contract({str(key): _texts(value) for key, value in contract.items()})


def _from_ini(content: bytes) -> Iterator[Contract]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(content.decode("utf-8", "replace"))
    except configparser.Error:
        return
    for section in parser.sections():
        if section.startswith("importlinter:contract:"):
            yield from _contract({key: _texts(value.strip().split("\n")) for key, value in parser.items(section)})


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(str(item).strip() for item in value if str(item).strip()) if isinstance(value, list) else ()


def _contract(given: Mapping[str, tuple[str, ...]]) -> Iterator[Contract]:
    kind, name = "".join(given.get("type", ())), " ".join(given.get("name", ())) or "import contract"
    if kind == "forbidden":
        yield Contract(name, kind, given.get("source_modules", ()), given.get("forbidden_modules", ()))
    elif kind == "independence":
        yield Contract(name, kind, given.get("modules", ()), ())
    elif kind == "layers":
        containers = given.get("containers", ())
        layers = tuple(layer.strip("() ") for layer in given.get("layers", ()))
        for container in containers or ("",):
            full = tuple(
                "|".join(
                    f"{container}.{one.strip()}" if container else one.strip()
                    for one in layer.replace(":", "|").split("|")
                )
                for layer in layers
            )
            yield Contract(name, kind, full, ())
