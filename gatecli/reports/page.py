"""A page of text for a terminal of a given width: inert, wrapped and aligned lines.

Every string that reaches a line goes through ``Page.safe``; nothing is ever parsed as rich markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.style import Style
from rich.text import Text

from gatecli.reports.links import link
from gatecli.reports.summary import place
from gatecli.reports.text import guard, plain

PROSE = 116
"""Columns that prose takes at most: longer lines are hard to follow back, however wide the terminal is."""

LABEL = 11
"""Columns of the margin that holds a section's name."""

_MOST_FOLDERS = 32
_TYPOGRAPHY = {
    "–": "-",
    "−": "-",
    "—": "-",
    "…": "...",
    "·": "|",
    "→": "->",
    "±": "+/-",
    "≥": ">=",
    "≤": "<=",
    "✔": "+",
    "✘": "x",
}
_BLOCKS = " ▏▎▍▌▋▊▉█"
_ASCII = str.maketrans(_TYPOGRAPHY)

Part = str | tuple[str, str]
"""A piece of a line: text, or text and its style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where lines go: the console, its width in columns and whether it can take more than ASCII.

    ``source_url`` is what a path is appended to to open it, None where that is not known.
    """

    console: Console
    width: int
    ascii: bool
    source_url: str | None = None

    @property
    def prose(self) -> int:
        """Columns for running text."""
        return min(self.width, PROSE)

    def safe(self, text: str) -> str:
        """``text`` made inert and encodable: what the terminal cannot show is written as an escape."""
        shown = plain(text)
        if not self.ascii:
            return shown
        encoding = self.console.encoding
        return shown.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)

    def line(self, *parts: Part) -> Text:
        """One line of parts, made inert."""
        text = Text()
        for part in parts:
            content, style = part if isinstance(part, tuple) else (part, "")
            text.append(self.safe(content), style or None)
        return text

    def place(self, path: str | None, line: int | None) -> Text:
        """``path:line``, which a terminal opens on a click where it can (OSC 8) and the address is known."""
        shown = self.line((place(path, line), "dim"))
        if self.source_url is not None and path is not None:
            shown.stylize(Style(link=link(self.source_url, path, line)))
        return shown

    def wrap(self, text: Text, indent: int) -> list[Text]:
        """``text`` in indented lines of at most the prose width."""
        room = max(20, self.prose - indent)
        return [Text(" " * indent) + line for line in text.wrap(self.console, room)]

    def hang(self, mark: Text, text: Text, indent: int) -> list[Text]:
        """``text`` wrapped beside ``mark``, which fills the indentation of its first line."""
        first, *rest = self.wrap(text, indent)
        return [fit(mark, indent) + first[indent:], *rest]

    def flow(self, phrases: Sequence[Text], indent: int) -> list[Text]:
        """Phrases joined by middle dots, broken between phrases where it can be."""
        lines: list[Text] = []
        joint = self.line((" · ", "dim"))
        current = Text()
        for phrase in phrases:
            longer = current + joint + phrase if current else phrase
            if current and indent + longer.cell_len > self.prose:
                lines += self.wrap(current, indent)
                current = phrase
            else:
                current = longer
        return lines + (self.wrap(current, indent) if current else [])

    def bar(self, value: int, most: int, columns: int) -> str:
        """A bar of at most ``columns`` columns, ``most`` being the longest; a positive value is never invisible."""
        if value <= 0 or most <= 0:
            return ""
        if self.ascii:
            return "#" * max(1, round(columns * value / most))
        eighths = max(1, round(columns * 8 * value / most))
        return _BLOCKS[8] * (eighths // 8) + _BLOCKS[eighths % 8].strip()

    def print(self, lines: Iterable[Text]) -> None:
        """Write the lines, none of which a CI runner takes for a command, wherever it was wrapped."""
        for line in lines:
            line.rstrip()
            if guard(line.plain) != line.plain:
                line = Text(guard(line.plain))
            self.console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)


def page(console: Console, source_url: str | None = None) -> Page:
    """The page of a console."""
    try:
        ("".join(_TYPOGRAPHY) + _BLOCKS).encode(console.encoding)
    except UnicodeEncodeError:
        return Page(console=console, width=console.width, ascii=True, source_url=source_url)
    return Page(console=console, width=console.width, ascii=False, source_url=source_url)


def fit(text: Text, columns: int, right: bool = False) -> Text:
    """``text`` padded to ``columns``; never cut."""
    space = Text(" " * max(0, columns - text.cell_len))
    return space + text if right else text + space


def shorten(text: str, columns: int, mark: str) -> str:
    """``text`` in at most ``columns`` columns: its end is kept, ``mark`` stands for what was before it."""
    if cell_len(text) <= columns:
        return text
    room = max(1, columns - cell_len(mark))
    while cell_len(text) > room:
        text = text[max(1, (cell_len(text) - room) // 2) :]
    return mark + set_cell_size(text, min(room, cell_len(text)))


def shorten_id(path: str, qualname: str, columns: int, mark: str) -> str:
    """A function's id in at most ``columns`` columns: leading folders go first, then the path, then the outer names."""
    folders = path.split("/")[-_MOST_FOLDERS:]
    tails = [f"{mark}/{'/'.join(folders[first:])}" for first in range(1, len(folders))]
    for shorter in (path, *tails, mark):
        if cell_len(shorter) + 2 + cell_len(qualname) <= columns:
            return f"{shorter}::{qualname}"
    return shorten(qualname, columns, mark)
