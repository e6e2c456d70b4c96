"""Labels of entry points by small programs, as the tests of reading and of joining ask for them."""

from gatecli.syntax.entrypoints import EntryPoints, routes
from gatecli.syntax.imports import Project, names_of
from gatecli.syntax.python import read_module
from tests.syntax.trees import MemoryTree


def labels(source: str, path: str = "shop/api.py", **others: str) -> dict[str, object]:
    """Labels by qualified name, of the functions of one file; one label stands alone."""
    tree = MemoryTree({path: source, **others})
    entries = EntryPoints(Project(tree), tree)
    module = read_module(path, source.encode())
    entries.add(module, names_of(module))
    found = entries.labels()
    return {id.qualname: one[0] if len(one) == 1 else one for id, one in found.items() if id.path == path}


def all_labels(files: dict[str, str]) -> set[tuple[str, str]]:
    """Every label of a tree with its handler."""
    return {(label, str(id)) for label, id in routes(MemoryTree(files)).items()}


DEF = "\ndef f():\n    pass\n"
