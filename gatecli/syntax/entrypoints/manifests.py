"""Entry points that stand in other files than Python's: console scripts, handlers of functions in the cloud."""

import configparser
import re
from collections.abc import Collection, Iterator

from gatecli.model import Tree

MAX_BYTES = 300_000
MAX_BRACKETS = 2_000  # the reader of YAML needs time quadratic in their depth
_SETUP_SCRIPT = re.compile(r"['\"]\s*([\w.-]+)\s*=\s*([\w.]+:[\w.]+)\s*['\"]")


def scripts_of(tree: Tree, paths: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Label, dotted handler and file of what the manifests above some files name."""
    folders = {""}
    for path in paths:
        parts = path.split("/")[:-1]
        folders |= {"/".join(parts[:end]) for end in range(1, len(parts) + 1)}
    files = frozenset(tree.paths())
    for folder in sorted(folders):
        for name, reader in _READERS.items():
            path = f"{folder}/{name}".lstrip("/")
            content = tree.read(path) if path in files else None
            if content is not None and len(content) <= MAX_BYTES:
                for label, dotted in reader(content.decode("utf-8", "replace")):
                    yield label, dotted, path


def _pyproject(text: str) -> Iterator[tuple[str, str]]:
    import tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    project, tool = _table(document, "project"), _table(_table(document, "tool"), "poetry")
    for table in (_table(project, "scripts"), _table(project, "gui-scripts"), _table(tool, "scripts")):
        for name, target in table.items():
            target = target.get("reference") if isinstance(target, dict) else target
            if isinstance(target, str):
                yield f"command {name}", target.partition("[")[0].strip()


def _table(value: object, key: str) -> dict[str, object]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _setup_cfg(text: str) -> Iterator[tuple[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
        lines = parser.get("options.entry_points", "console_scripts", fallback="")
    except configparser.Error:
        return
    for line in lines.splitlines():
        name, equals, target = line.partition("=")
        if equals:
            yield f"command {name.strip()}", target.partition("[")[0].strip()


def _setup_py(text: str) -> Iterator[tuple[str, str]]:
    if "console_scripts" in text:
        for match in _SETUP_SCRIPT.finditer(text):
            yield f"command {match[1]}", match[2]


def _serverless(text: str) -> Iterator[tuple[str, str]]:
    functions = _table(_yaml(text), "functions")
    for name, function in functions.items():
        handler = function.get("handler") if isinstance(function, dict) else None
        if isinstance(handler, str):
            yield f"lambda {name}", handler.replace("/", ".")


def _sam(text: str) -> Iterator[tuple[str, str]]:
    for name, resource in _table(_yaml(text), "Resources").items():
        properties = _table(resource, "Properties")
        handler, code = properties.get("Handler"), properties.get("CodeUri")
        if isinstance(handler, str):
            folder = code.strip("./").replace("/", ".") if isinstance(code, str) else ""
            yield f"lambda {name}", f"{folder}.{handler}".lstrip(".")


def _yaml(text: str) -> object:
    """The document; CloudFormation's own tags (``!Ref``) stand for nothing."""
    import yaml

    if text.count("{") + text.count("[") > MAX_BRACKETS:
        return None

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


_READERS = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "setup.py": _setup_py,
    "serverless.yml": _serverless,
    "template.yaml": _sam,
    "template.yml": _sam,
}
