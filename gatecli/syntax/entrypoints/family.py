"""What a family of frameworks has to tell: the one form in which ``__init__`` lists them all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gatecli.model import Function
from gatecli.syntax.entrypoints.facts import Fact
from gatecli.syntax.entrypoints.source import Call, Source

DecoratorReader = Callable[[Source, Function, Call], Iterable[Fact]]
CallReader = Callable[[Source, Call], Iterable[Fact]]
FileReader = Callable[[Source], Iterable[Fact]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Readers of the facts of frameworks that are alike.

    ``decorators`` and ``calls`` are by the last part of the name; ``suffixes`` are calls by the end of their name.
    ``calls`` count only in files that hold one of ``marks`` (any file, without marks). ``files`` looks at classes and
    at the file itself.
    """

    decorators: Mapping[str, DecoratorReader] = field(default_factory=dict)
    calls: Mapping[str, CallReader] = field(default_factory=dict)
    suffixes: Mapping[str, CallReader] = field(default_factory=dict)
    marks: tuple[bytes, ...] = ()
    files: FileReader | None = None

    def reader(self, name: str) -> CallReader | None:
        """Who reads a call of a name."""
        found = self.calls.get(name)
        return found or next((read for suffix, read in self.suffixes.items() if name.endswith(suffix)), None)
