"""Every file of a tree looked at once, by all processors: the whole index."""

import os
from collections.abc import Iterator
from itertools import islice

from gatecli.model import Tree
from gatecli.syntax import facts
from gatecli.syntax.cache import FactCache, Kept
from gatecli.syntax.python import is_python
from gatecli.syntax.workers import mapped

# Below so many files starting processes takes longer than they save.
MIN_FILES_TO_SHARE = 400
CHUNK = 100


def build(tree: Tree, cache: FactCache) -> Iterator[tuple[int, int]]:
    """Find out and keep the facts of every Python file that is not known yet.

    Yields:
        After each part, how many files were looked at, and how many Python files there are.
    """
    ids = tree.ids()
    keys = {path: (ids[path], path) for path in tree.paths() if is_python(path) and path in ids}
    known = cache.words(keys.values())
    missing = [path for path, key in keys.items() if key not in known]
    done = 0
    yield done, len(keys)
    for kept in _looked_at(tree, missing):
        cache.keep({keys[path]: one for path, one in kept})
        done += len(kept)
        yield done, len(keys)


def _looked_at(tree: Tree, paths: list[str]) -> Iterator[list[tuple[str, Kept]]]:
    contents = ((path, source) for path, source in tree.read_all(paths) if source is not None)
    chunks = iter(lambda: list(islice(contents, CHUNK)), [])
    if len(paths) < MIN_FILES_TO_SHARE or (os.cpu_count() or 1) < 2:
        yield from map(look_at, chunks)
        return
    yield from mapped(look_at, chunks)


def look_at(files: list[tuple[str, bytes]]) -> list[tuple[str, Kept]]:
    """The facts of some files."""
    return [(path, Kept(facts.words_of(source), facts.encode(facts.names_in(path, source)))) for path, source in files]
