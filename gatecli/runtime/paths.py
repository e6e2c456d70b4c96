"""Which file of the tree a recorded path names.

A recorded path is from another machine: absolute under some release folder or inside ``site-packages``, shortened to
the import path, or a base name. What stays the same everywhere is the end of it: a module is imported as
``shop/pricing.py`` wherever its package lies. So the end must agree on the whole import path, and on two parts at
least; a bare file name is never enough (``re/__init__.py`` is not the project's ``shop/__init__.py``).
"""

import posixpath
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MAX_PATH_CHARACTERS = 4096
# Learned pairs of a recorded and a tree prefix that are tried, most frequent first.
_MAX_PREFIXES = 20

_SITE_PACKAGES = re.compile(r".*/(?:site|dist)-packages/", re.DOTALL)
_STDLIB = re.compile(
    r"/lib(?:64)?/(?:python|pypy)\d[\w.]*/|/python[\d.]+/lib/|/lib-python/|/python\d+\.zip/", re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:/")
# A copy of another project inside the tree is not what site-packages holds.
_VENDORED = frozenset({"vendor", "vendored", "_vendor", "third_party", "extern", "external", "node_modules"})


class Reason(StrEnum):
    """Why a frame has no function."""

    SPECIAL = "special"
    STDLIB = "stdlib"
    THIRD_PARTY = "third-party"
    AMBIGUOUS = "ambiguous"
    NO_FILE = "no such file"
    NO_FUNCTION = "no such function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file of the tree, or why there is none; ``by_name_only`` says that nothing but the base name agreed."""

    path: str | None = None
    reason: Reason | None = None
    by_name_only: bool = False


class TreePaths:
    """The Python files of a tree, looked up by the end of their path."""

    def __init__(self, paths: Iterable[str]) -> None:
        # A path that is not UTF-8 has no place in a JSON profile.
        self.files = frozenset(path for path in paths if path.endswith(".py") and _is_unicode(path))
        self._by_end: dict[tuple[str, ...], list[str]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._longer: dict[tuple[str, ...], dict[str, list[str]]] = {}
        self._imported: dict[str, int] = {}
        for path in sorted(self.files):
            parts = path.split("/")
            self._by_name[parts[-1]].append(path)
            if len(parts) > 1:
                self._by_end[tuple(parts[-2:])].append(path)

    def named(self, name: str) -> list[str]:
        """Files of a base name."""
        return self._by_name.get(name, [])

    def at_root(self, path: str) -> str | None:
        """A path as it stands in the tree, or below ``src``."""
        return next((spelling for spelling in (path, f"src/{path}") if spelling in self.files), None)

    def ending(self, path: str, *, whole: bool = False) -> list[str]:
        """Files that share the longest end with a path, of at least two parts and their whole import path.

        With ``whole``, all of the path must be that end.
        """
        parts = path.split("/")
        # By how many parts at least they have in common with the path: two, three, …
        groups = [self._by_end.get(tuple(parts[-2:]), [])]
        while len(groups) + 1 < len(parts):
            longer = self._before(tuple(parts[-len(groups) - 1 :]), groups[-1]).get(parts[-len(groups) - 2])
            if longer is None:
                break
            groups.append(longer)
        for common in range(len(groups) + 1, (len(parts) if whole else 2) - 1, -1):
            best = [file for file in groups[common - 2] if self._import_parts(file) <= common]
            if best:
                return best
        return []

    def module(self, name: str) -> str | None:
        """The file of a dotted module name, where exactly one is."""
        end = name.replace(".", "/")
        for spelling in (f"{end}.py", f"{end}/__init__.py"):
            if spelling in self.files:
                return spelling
            found = self.ending(spelling, whole=True) if "/" in spelling else self.named(spelling)
            if len(found) == 1:
                return found[0]
        return None

    def _before(self, end: tuple[str, ...], files: Iterable[str]) -> Mapping[str, list[str]]:
        """The files of an end by the part before it: thousands may be called ``core/__init__.py``."""
        found = self._longer.get(end)
        if found is None:
            found = self._longer[end] = {}
            for file in files:
                parts = file.split("/")
                if len(parts) > len(end):
                    found.setdefault(parts[-len(end) - 1], []).append(file)
        return found

    def _import_parts(self, path: str) -> int:
        """Parts of the path it is imported by: up to the topmost folder that is a package."""
        known = self._imported.get(path)
        if known is None:
            known = self._imported[path] = self._count_import_parts(path)
        return known

    def _count_import_parts(self, path: str) -> int:
        parts = path.split("/")
        start = len(parts) - 1
        while start > 0 and "/".join((*parts[:start], "__init__.py")) in self.files:
            start -= 1
        return max(2, len(parts) - start)


def common_end(left: list[str], right: list[str]) -> int:
    """How many parts two paths have in common at their end."""
    count = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The place of each recorded path; ``prefixes`` are the recorded folders that were found to be the project's."""

    places: Mapping[str, Place]
    prefixes: tuple[str, ...]


def locate(recorded: Iterable[str], tree: TreePaths, maps: tuple[tuple[str, str], ...] = ()) -> Located:
    """Find the file of each recorded path.

    ``maps`` are pairs of a recorded prefix and a folder of the tree ("" is its root); the longest that fits decides.
    A path that the end alone does not decide is placed by the prefixes that most of the others have in common.
    """
    paths = {path: normal(path) for path in recorded}
    folders = sorted(((_folder(prefix), _folder(folder)) for prefix, folder in maps), key=lambda pair: -len(pair[0]))
    places = {path: _place(paths[path], tree, folders) for path in paths}
    matched = [(paths[path], place.path) for path, place in places.items() if place.path and not place.by_name_only]
    learned = folders + _learned(matched)
    tops = {_top(path, "/" if path.startswith("/") else "") for path, _ in matched}
    for path, place in places.items():
        if place.reason in (Reason.AMBIGUOUS, Reason.NO_FILE):
            places[path] = _by_prefix(paths[path], place, tree, learned, tops)
    return Located(places=places, prefixes=tuple(sorted({prefix for prefix, _ in learned if prefix})[:_MAX_PREFIXES]))


def normal(path: str) -> str:
    """A recorded path with ``/`` between its parts and without ``.`` and ``..``; empty if it is no path."""
    if not path or path.startswith(("<", "~")) or len(path) > MAX_PATH_CHARACTERS or "\0" in path:
        return ""
    clean = posixpath.normpath(path.replace("\\", "/"))
    if clean.startswith(("<", "~")):
        return ""
    return "/" + clean.lstrip("/") if clean.startswith("/") else clean


def _place(path: str, tree: TreePaths, maps: Iterable[tuple[str, str]]) -> Place:
    """Where a path lies as far as it can be told from itself."""
    if not path:
        return Place(reason=Reason.SPECIAL)
    for prefix, folder in maps:
        if path.startswith(prefix) and (prefix or not _is_absolute(path)):
            mapped = folder + path[len(prefix) :]
            return Place(path=mapped) if mapped in tree.files else Place(reason=Reason.NO_FILE)
    if installed := _SITE_PACKAGES.match(path):
        return _installed(path[installed.end() :], tree)
    if _STDLIB.search(path):
        return Place(reason=Reason.STDLIB)
    if not path.endswith(".py"):
        return Place(reason=Reason.THIRD_PARTY)
    if not _is_absolute(path):
        if exact := tree.at_root(path):
            return Place(path=exact, by_name_only="/" not in path)
        if path.split("/")[0].removesuffix(".py") in sys.stdlib_module_names:
            return Place(reason=Reason.STDLIB)
    found = tree.ending(path) if "/" in path else tree.named(path)
    if len(found) == 1:
        return Place(path=found[0], by_name_only="/" not in path)
    if not found and "/" not in path:  # a base name that no file of the tree has
        return Place(reason=Reason.THIRD_PARTY)
    return Place(reason=Reason.AMBIGUOUS if found else Reason.NO_FILE)


def _installed(tail: str, tree: TreePaths) -> Place:
    """A file in site-packages: the project's, if it was installed as a wheel, else a library's."""
    if "/" not in tail:
        exact = tree.at_root(tail)
        return Place(path=exact) if exact else Place(reason=Reason.THIRD_PARTY)
    found = [path for path in tree.ending(tail, whole=True) if _VENDORED.isdisjoint(path.split("/"))]
    if len(found) == 1:
        return Place(path=found[0])
    return Place(reason=Reason.AMBIGUOUS if found else Reason.THIRD_PARTY)


def _learned(matched: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Pairs of a recorded and a tree prefix, by how many files have them, most first."""
    votes: Counter[tuple[str, str]] = Counter()
    for recorded, path in matched:
        left, right = recorded.split("/"), path.split("/")
        common = common_end(left, right)
        votes["/".join((*left[: len(left) - common], "")), "/".join((*right[: len(right) - common], ""))] += 1
    return [pair for pair, _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))[:_MAX_PREFIXES]]


def _by_prefix(path: str, place: Place, tree: TreePaths, learned: list[tuple[str, str]], tops: set[str]) -> Place:
    """Place a path by the prefixes that other files have; outside all of them it is not the project's."""
    inside = not learned
    for prefix, folder in learned:
        if not path.startswith(prefix) or (not prefix and _is_absolute(path)):
            continue
        if (moved := folder + path[len(prefix) :]) in tree.files:
            return Place(path=moved)
        # Below "/" or "" lies everything: there the first folder tells.
        inside |= prefix not in ("", "/") or _top(path, prefix) in tops
    if place.reason is Reason.AMBIGUOUS or inside:
        return place
    return Place(reason=Reason.THIRD_PARTY)


def _top(path: str, prefix: str) -> str:
    """The first part below a prefix, with the prefix."""
    return prefix + path.removeprefix(prefix).split("/")[0]


def _folder(prefix: str) -> str:
    """A prefix that ends at a part; empty for the root of relative paths."""
    clean = normal(prefix)
    return "" if clean in ("", ".") else clean.rstrip("/") + "/"


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or _DRIVE.match(path) is not None


def _is_unicode(path: str) -> bool:
    return path.isascii() or not any("\ud800" <= char <= "\udfff" for char in path)
