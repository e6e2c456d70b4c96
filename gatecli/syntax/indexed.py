"""A tree with a memory: which files say a name, and what the names of a file stand for, without reading them again."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from gatecli.model import Tree
from gatecli.syntax import facts
from gatecli.syntax.cache import FactCache, Kept, Key
from gatecli.syntax.imports import Names
from gatecli.syntax.python import is_python

# So many files whose words are not known are read on the way; a tree with more is left to ``gate cache build``.
MAX_READ = 20_000
# What was read is kept so far: a file that is searched is soon parsed.
MAX_REMEMBERED_BYTES = 24_000_000
# Facts are written so many files at a time, so that an interrupted run keeps what it found.
BATCH = 2_000


class IndexedTree:
    """A tree whose answers are remembered; it gives the same answers as the tree itself.

    The first search of a tree that is not known is left to the tree: git answers it faster than every file can be read.
    From the second one on (callers of callers) reading each file once is the shorter way.
    """

    def __init__(self, tree: Tree, cache: FactCache) -> None:
        self._tree = tree
        self._cache = cache
        self._searches = 0
        self._found: dict[Key, Kept] = {}
        self._contents: dict[str, bytes | None] = {}
        self._size = 0

    def close(self) -> None:
        """Keep what was found out."""
        self._cache.keep(self._found)
        self._found = {}
        self._cache.close()

    def paths(self) -> Iterable[str]:
        """Every file path."""
        return self._tree.paths()

    def ids(self) -> Mapping[str, str]:
        """Blob ids by path, where they are known."""
        return self._tree.ids()

    def read(self, path: str) -> bytes | None:
        """The content of a file; that of a search is still there."""
        if path in self._contents:
            return self._contents[path]
        return self._tree.read(path)

    def read_all(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """The contents of many files, in their order."""
        for path, content in self._tree.read_all([path for path in paths if path not in self._contents]):
            self._remember(path, content)
        # Copied first: what is remembered may be let go while the contents are used.
        yield from [(path, self._contents[path] if path in self._contents else self._tree.read(path)) for path in paths]

    def _remember(self, path: str, content: bytes | None) -> None:
        self._contents[path] = content
        self._size += len(content or b"")
        while self._size > MAX_REMEMBERED_BYTES:
            oldest = next(iter(self._contents))
            self._size -= len(self._contents.pop(oldest) or b"")

    def names(self, path: str) -> Names | None:
        """What the names of a file stand for, None where it is not there or cannot be parsed."""
        blob = self._tree.ids().get(path)
        kept = self._cache.names((blob, path)) if blob is not None else None
        if kept is not None:
            try:
                return facts.decode(kept)
            except ValueError:
                pass  # damaged: found out again
        source = self.read(path)
        names = facts.names_in(path, source) if source is not None else None
        if blob is not None:
            self._found[blob, path] = Kept(None, facts.encode(names))
        return names

    def grep(self, words: Iterable[str], keep: Callable[[str], bool] | None = None) -> Iterator[tuple[str, bytes]]:
        """The Python files that contain one of the words (whole identifiers), with their content."""
        wanted = sorted(word for word in words if word.isidentifier())
        if not wanted:
            return
        self._searches += 1
        if not self._is_known and (self._searches == 1 or len(self._unknown) > MAX_READ):
            for path, content in self._tree.grep(wanted, keep):
                self._remember(path, content)
                yield path, content
            return
        hashes = [facts.hash_of(word) for word in wanted]
        pattern = re.compile(rb"(?<!\w)(?:" + b"|".join(re.escape(word.encode()) for word in wanted) + rb")(?!\w)")
        words_of = self._words
        candidates = [path for path in self._python if path not in words_of or facts.may_say(words_of[path], hashes)]
        for path, found in self.read_all([path for path in candidates if keep is None or keep(path)]):
            if found is not None and pattern.search(found):
                yield path, found

    # ------------------------------------------------------------------ what is known

    @cached_property
    def _python(self) -> list[str]:
        """In the order in which git names them."""
        paths = (path for path in self._tree.paths() if is_python(path))
        return sorted(paths, key=lambda path: path.encode("utf-8", "surrogateescape"))

    @cached_property
    def _kept_words(self) -> dict[str, bytes]:
        """The words of the files that an earlier run looked at."""
        ids = self._tree.ids()
        keys = {path: (ids[path], path) for path in self._python if path in ids}
        found = self._cache.words(keys.values())
        return {path: found[key] for path, key in keys.items() if key in found}

    @cached_property
    def _unknown(self) -> list[str]:
        ids = self._tree.ids()
        return [path for path in self._python if path not in self._kept_words and path in ids]

    @property
    def _is_known(self) -> bool:
        """Whether reading what is missing is less than searching everything."""
        return len(self._unknown) * 20 <= len(self._python)

    @cached_property
    def _words(self) -> Mapping[str, bytes]:
        """The words of every file that has a blob id; the missing ones are read now."""
        found = dict(self._kept_words)
        ids = self._tree.ids()
        batch: dict[Key, Kept] = {}
        for path, source in self._tree.read_all(self._unknown):
            if source is None:
                continue
            found[path] = facts.words_of(source)
            batch[ids[path], path] = Kept(found[path], None)
            if len(batch) >= BATCH:
                self._cache.keep(batch)
                batch = {}
        self._cache.keep(batch)
        return found
