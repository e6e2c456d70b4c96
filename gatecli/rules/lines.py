"""The lines of any file: what was added, what was removed, and the patterns that rules search there."""

from collections import Counter
from collections.abc import Iterable, Iterator

from gatecli.model import Confidence, FileChange
from gatecli.rules.code import View, anchor
from gatecli.rules.observation import Observation
from gatecli.rules.paths import matches
from gatecli.rules.pattern import MAX_LINE, compiled
from gatecli.rules.spec import Line, Rule, Side, fill
from gatecli.rules.wording import plural, snippet

MAX_FILE = 5_000_000
"""Bytes of a file whose lines are read."""

MAX_LONG_LINE = 20_000


def added(file: FileChange, limit: int = MAX_LONG_LINE) -> Iterator[tuple[int, str]]:
    """Number and text (cut at ``limit``) of each added line of a text file."""
    yield from _touched(file, file.after, [line for hunk in file.hunks for line in hunk.added], limit)


def removed(file: FileChange, limit: int = MAX_LONG_LINE) -> Iterator[tuple[int, str]]:
    """The same for the removed lines, with their numbers on the old side."""
    yield from _touched(file, file.before, [line for hunk in file.hunks for line in hunk.removed], limit)


def _touched(file: FileChange, content: bytes | None, numbers: list[int], limit: int) -> Iterator[tuple[int, str]]:
    if content is None or file.binary or len(content) > MAX_FILE:
        return
    lines = content.split(b"\n")
    for number in numbers:
        if number <= len(lines):
            yield number, lines[number - 1][:limit].decode("utf-8", "replace")


def decoded(content: bytes | None) -> str:
    """A side of a file as text, within the bound."""
    return (content or b"")[:MAX_FILE].decode("utf-8", "replace")


def observe(rule: Rule, view: View) -> Iterator[Observation]:
    """What the rule's patterns see in the lines of the change; what only moved is no news."""
    is_removal = rule.match.side is Side.REMOVED
    for line in rule.match.lines:
        files = [file for file in view.case.change.files if not line.paths or matches(line.paths, file.path)]
        files = [file for file in files if not line.stood or _stood(line.stood, file)]
        gone = Counter(text for file in files for _, text in _found(line, _read(view, file, old=not is_removal)))
        for file in files:
            news: dict[str, list[tuple[int, str]]] = {}
            for number, text in _found(line, _read(view, file, old=is_removal)):
                if gone[text] > 0:
                    gone[text] -= 1
                else:
                    news.setdefault("" if line.confidence is Confidence.LOW else text, []).append((number, text))
            yield from (_observation(line, file, same, is_removal) for same in news.values())


def _stood(pattern: str, file: FileChange) -> bool:
    """Whether a line of the old side holds a pattern."""
    lines = decoded(file.before).split("\n")
    return any(compiled(pattern).search(text, 0, MAX_LINE) for text in lines)


def _read(view: View, file: FileChange, *, old: bool) -> list[tuple[int, str]]:
    """The removed or the added lines of a file, split once for all rules."""
    key = (file.path, old)
    if key not in view.lines:
        view.lines[key] = list(removed(file) if old else added(file))
    return view.lines[key]


def _observation(line: Line, file: FileChange, found: list[tuple[int, str]], is_removal: bool) -> Observation:
    """One for all lines of a file with the same text; of what is only noted, one for all."""
    number, text = found[0]
    at = anchor(file, number) if is_removal else number
    says = fill(line.says, {"text": snippet(text)})
    if len(found) > 1:
        says += f" (and {plural(len(found) - 1, 'more line')})"
    known_by = " ".join(sorted({same for _, same in found}))
    return Observation(says=says, path=file.path, line=at, text=known_by, confidence=line.confidence)


def _found(line: Line, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    pattern, unless = compiled(line.pattern), compiled(line.unless) if line.unless else None
    for number, text in lines:
        found = pattern.search(text, 0, MAX_LINE)
        if found and not (unless and unless.search(text, 0, MAX_LINE)):
            yield number, " ".join(found[0].split())
