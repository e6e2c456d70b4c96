"""The past of every change of the mainline, as it was known on the day: the signals of the score, change by change.

``Replay.step`` looks at a change with what the earlier ones left behind, and only then takes the change itself in.
Nothing else is remembered, so no signal can know what came later.
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from gatecli.history.outcomes import Chronicle, Outcome, undoes
from gatecli.history.signals import FIX, SIGNALS, Signal, alike, purpose, words
from gatecli.model import MainlineChange, MainlineFile, Person, Piece

DAY_S = 86_400
HALF_LIFE_DAYS = 90
"""A judgement: what happened to a function counts half after a quarter."""
MAX_FILES = 200
"""Of a change that touches more files, so many are looked up."""
MAX_PARTNER_FILES = 30
REMEMBERED = 60
"""So many reverted changes are compared with: one that reads like them is a new attempt."""
RECENT = 30
"""So many of the last changes of a file say what changes with it."""


@dataclass(slots=True)
class Decaying:
    """A count that halves with time."""

    value: float = 0.0
    at: int = 0

    def now(self, at: int) -> float:
        """What is left of it."""
        return self.value * 0.5 ** (max(0, at - self.at) / (HALF_LIFE_DAYS * DAY_S)) if self.value else 0.0

    def add(self, at: int, weight: float = 1.0) -> None:
        """Count something more."""
        self.value = self.now(at) + weight
        self.at = max(self.at, at)


@dataclass(slots=True)
class Past:
    """What is known of a file, or of a function; the numbers are those of changes, -1 where there is none.

    ``last`` changed it, ``repaired`` is the last that says it repaired something, ``undone`` the last that was undone.
    """

    changes: Decaying = field(default_factory=Decaying)
    fixes: Decaying = field(default_factory=Decaying)
    reverts: Decaying = field(default_factory=Decaying)
    authors: dict[str, int] = field(default_factory=dict)
    last_at: int = 0
    last_author: str = ""
    last: int = -1
    repaired: int = -1
    undone: int = -1
    reverted: int = 0
    reverted_at: int = 0
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))


@dataclass(frozen=True, slots=True)
class Touched:
    """A function that differs between two versions of a file."""

    path: str
    qualname: str
    before: Piece | None
    after: Piece | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a change touches, and the past of what was there before."""

    change: MainlineChange
    who: str
    python: Sequence[MainlineFile]
    functions: Sequence[Touched]
    files: Sequence[tuple[MainlineFile, Past]]
    known: Sequence[tuple[Touched, Past]]

    @property
    def areas(self) -> set[str]:
        """Where its code is, two folders deep."""
        return {_area(file.path) for file in self.python}


@dataclass(frozen=True, slots=True)
class Replayed:
    """A change with its signals (in the order of ``SIGNALS``), what it says of others, and whom it suspects.

    ``suspects`` are the earlier changes that a repair points at: those that last changed the functions it repairs.
    """

    number: int
    change: MainlineChange
    values: tuple[float, ...]
    outcomes: tuple[Outcome, ...]
    suspects: tuple[int, ...]
    python_files: int


def touched_functions(file: MainlineFile, before: Iterable[Piece], after: Iterable[Piece]) -> list[Touched]:
    """The functions whose own text differs."""
    old = {piece.qualname: piece for piece in before}
    new = {piece.qualname: piece for piece in after}
    found = []
    for name, piece in new.items():
        earlier = old.get(name)
        if earlier is None or earlier.body != piece.body:
            found.append(Touched(file.path, name, earlier, piece))
    found += [Touched(file.path, name, piece, None) for name, piece in old.items() if name not in new]
    return found


@dataclass(slots=True)
class Replay:
    """The state of the mainline after some changes."""

    pieces: Callable[[str], tuple[Piece, ...]]
    is_test: Callable[[str], bool]
    is_setting: Callable[[str], bool]
    is_code: Callable[[str], bool]
    is_agent: Callable[[MainlineChange], bool] = lambda _: False
    _files: dict[str, Past] = field(default_factory=dict)
    _functions: dict[tuple[str, str], Past] = field(default_factory=dict)
    _areas: dict[str, dict[str, int]] = field(default_factory=dict)
    _authors: dict[str, tuple[Decaying, Decaying]] = field(default_factory=dict)
    _experience: Counter[str] = field(default_factory=Counter)
    _all: tuple[Decaying, Decaying] = field(default_factory=lambda: (Decaying(), Decaying()))
    _chronicle: Chronicle = field(default_factory=Chronicle)
    _changes: list[MainlineChange] = field(default_factory=list)
    _undone: deque[tuple[int, frozenset[str]]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def step(self, change: MainlineChange) -> Replayed:
        """The signals of the next change, by what is known before it; then it becomes a part of what is known."""
        number, at = len(self._changes), change.committed_at
        for file in change.files:
            if file.old_path and file.new_path and file.old_path != file.new_path:
                self._rename(file.old_path, file.new_path)
        seen = self.look(change)
        values = self._values(seen)
        outcomes = self._chronicle.tell(change)
        suspects = self._suspects(seen)
        self._take_in(seen, number)
        for outcome in outcomes:
            self._blame(outcome, at)
        for suspect in suspects:
            self._authors_of(self._changes[suspect])[1].add(at, 0.1)
        return Replayed(number, change, values, outcomes, suspects, len(seen.python))

    def look(self, change: MainlineChange) -> Seen:
        """What the next change touches, by what is known before it."""
        python = [file for file in change.files if self.is_code(file.path)][:MAX_FILES]
        functions = list(chain.from_iterable(map(self._touched, python)))
        files = [
            (file, past)
            for file in python
            if (past := self._files.get(file.old_path or "") or self._files.get(file.path))
        ]
        known = [
            (one, past) for one in functions if one.before and (past := self._functions.get((one.path, one.qualname)))
        ]
        return Seen(change, _key(change.author), python, functions, files, known)

    def change(self, number: int) -> MainlineChange:
        """One of the changes that are known, by its number."""
        return self._changes[number]

    def _touched(self, file: MainlineFile) -> list[Touched]:
        before = self.pieces(file.before) if file.before else ()
        after = self.pieces(file.after) if file.after else ()
        return touched_functions(file, before, after)

    def _rename(self, old: str, new: str) -> None:
        if old in self._files:
            self._files[new] = self._files.pop(old)

    # ------------------------------------------------------------------ looking

    def length(self, file: MainlineFile) -> int:
        """The lines of the functions of a file before the change."""
        return sum(piece.lines for piece in self.pieces(file.before)) if file.before else 0

    def _values(self, seen: Seen) -> tuple[float, ...]:
        v: dict[Signal, float] = {}
        v |= self._sizes(seen)
        v[Signal.FILE_LINES] = max(map(self.length, seen.python), default=0)
        v |= self._places(seen)
        v |= self._author(seen.change, seen.who)
        v |= purpose(seen.change)
        return tuple(float(v.get(signal, 0.0)) for signal in SIGNALS)

    def _sizes(self, seen: Seen) -> dict[Signal, float]:
        change, python, functions = seen.change, seen.python, seen.functions
        lines = [file.added + file.deleted for file in python]
        total = sum(lines)
        bits = -sum(n / total * math.log2(n / total) for n in lines if n) if total else 0.0
        product = [file for file in python if not self.is_test(file.path)]
        edited = [one for one in functions if one.before and one.after]
        others = [file for file in change.files if not self.is_code(file.path)]
        return {
            Signal.LINES_ADDED: sum(file.added for file in python),
            Signal.LINES_REMOVED: sum(file.deleted for file in python),
            Signal.FILES: len(change.files),
            Signal.DIRECTORIES: len({file.path.rpartition("/")[0] for file in change.files}),
            Signal.OTHER_FILES: len(others),
            Signal.ENTROPY: bits,
            Signal.FUNCTIONS: len(functions),
            Signal.NEW_FUNCTIONS: sum(one.before is None for one in functions),
            Signal.GONE_FUNCTIONS: sum(one.after is None for one in functions),
            Signal.SIGNATURES: sum(
                one.before.signature != one.after.signature for one in edited if one.before and one.after
            ),
            Signal.FLOW: sum(one.before.flow != one.after.flow for one in edited if one.before and one.after),
            Signal.CONSTANTS: sum(
                one.before.constants != one.after.constants for one in edited if one.before and one.after
            ),
            Signal.PRODUCT: bool(product),
            Signal.SETTINGS: any(self.is_setting(file.path) for file in change.files),
            Signal.TESTLESS: bool(product) and len(product) == len(python),
        }

    def _places(self, seen: Seen) -> dict[Signal, float]:
        at, who, areas = seen.change.committed_at, seen.who, seen.areas
        files, known = [past for _, past in seen.files], [past for _, past in seen.known]
        hours = min((max(0, at - past.last_at) / 3600 for past in files), default=None)
        mine = [past for past in files if who in past.authors]
        return {
            Signal.FILE_CHANGES: max((past.changes.now(at) for past in files), default=0.0),
            Signal.FUNCTION_CHANGES: max((past.changes.now(at) for past in known), default=0.0),
            Signal.FILE_FIXES: max((past.fixes.now(at) for past in files), default=0.0),
            Signal.FUNCTION_FIXES: max((past.fixes.now(at) for past in known), default=0.0),
            Signal.FILE_REVERTS: max((past.reverts.now(at) for past in files), default=0.0),
            Signal.FUNCTION_REVERTS: max((past.reverts.now(at) for past in known), default=0.0),
            Signal.FRESH: 1 / (1 + hours) if hours is not None else 0.0,
            Signal.FOLLOW_UP: hours is not None and hours < 48 and any(past.last_author == who for past in files),
            Signal.BUSY: sum(past.changes.now(at) for past in files),
            Signal.FILE_AUTHORS: max((len(past.authors) for past in files), default=0),
            Signal.FUNCTION_AUTHORS: max((len(past.authors) for past in known), default=0),
            Signal.EVER_REVERTED: max((past.reverted for past in files), default=0),
            Signal.REVERTED_LATELY: max(
                (1 / (1 + max(0, at - past.reverted_at) / DAY_S) for past in files if past.reverted), default=0.0
            ),
            Signal.NEW_TO_FILES: (len(files) - len(mine)) / len(files) if files else 0.0,
            Signal.NEW_TO_FUNCTIONS: sum(who not in past.authors for past in known) / len(known) if known else 0.0,
            Signal.NEW_TO_AREA: 1 - sum(self.knows(who, area) for area in areas) / len(areas) if areas else 0.0,
            Signal.MISSING_PARTNERS: len(self.missing(seen)),
        }

    def knows(self, who: str, area: str) -> bool:
        """Whether somebody changed code there before."""
        return bool(self._areas.get(area, {}).get(who))

    def missing(self, seen: Seen) -> set[str]:
        """The files that usually change with those of a change of few files, and did not."""
        if len(seen.change.files) > 10:
            return set()
        here = {file.path for file in seen.change.files}
        missing: set[str] = set()
        for _, past in seen.files[:10]:
            if len(past.recent) < 3:
                continue
            together: Counter[str] = Counter()
            for number in past.recent:
                other = self._changes[number].files
                if len(other) <= MAX_PARTNER_FILES:
                    together.update(file.path for file in other)
            least = max(3, len(past.recent) / 2)
            missing |= {path for path, times in together.items() if times >= least and path not in here}
        return missing

    def attempted_before(self, change: MainlineChange) -> int | None:
        """The number of a change that was undone and reads like this one."""
        said = words(change.subject)
        alike_ones = (number for number, other in self._undone if alike(said, other)) if len(said) >= 3 else iter(())
        return next(alike_ones, None)

    def last_undone(self, who: str | None = None) -> int:
        """The number of the last change that was undone, of all (None) or of somebody; -1 where there is none."""
        late = (number for number, _ in reversed(self._undone))
        return next((one for one in late if who in (None, _key(self._changes[one].author))), -1)

    def _author(self, change: MainlineChange, who: str) -> dict[Signal, float]:
        at = change.committed_at
        made, undone = self._authors.get(who, (Decaying(), Decaying()))
        all_made, all_undone = self._all
        rate = all_undone.now(at) / (all_made.now(at) + 1)
        return {
            Signal.INEXPERIENCE: 1 / (1 + self._experience[who]),
            Signal.EXPERIENCE: self._experience[who],
            Signal.AUTHOR_REVERTS: (undone.now(at) + 20 * rate) / (made.now(at) + 20),
            Signal.RECENT_REVERTS: rate,
            Signal.AGAIN: self.attempted_before(change) is not None,
            Signal.AGENT: self.is_agent(change),
        }

    # ------------------------------------------------------------------ remembering

    def _suspects(self, seen: Seen) -> tuple[int, ...]:
        """Function-level SZZ: who last changed the functions that a repair repairs (the most recent candidate)."""
        change, functions = seen.change, seen.functions
        if not FIX.search(change.subject) or undoes(change.message):
            return ()
        edited = [one for one in functions if one.before and one.after and not self.is_test(one.path)]
        last = [
            past.last
            for one in edited[:20]
            if (past := self._functions.get((one.path, one.qualname))) and past.last >= 0
        ]
        return tuple(sorted(set(last)))

    def _take_in(self, seen: Seen, number: int) -> None:
        change, who, at, python, functions = (
            seen.change,
            seen.who,
            seen.change.committed_at,
            seen.python,
            seen.functions,
        )
        is_fix = FIX.search(change.subject) is not None
        self._changes.append(change)
        pasts = [self._files.setdefault(file.path, Past()) for file in python]
        pasts += [self._functions.setdefault((one.path, one.qualname), Past()) for one in functions]
        for past in pasts:
            past.changes.add(at)
            if is_fix:
                past.fixes.add(at)
                past.repaired = number
            past.authors[who] = past.authors.get(who, 0) + 1
            past.last_at, past.last_author, past.last = max(past.last_at, at), who, number
        for past in pasts[: len(python)]:
            past.recent.append(number)
        for file in python:
            area = self._areas.setdefault(_area(file.path), {})
            area[who] = area.get(who, 0) + 1
        if python:
            self._authors_of(change)[0].add(at)
            self._all[0].add(at)
        self._experience[who] += 1

    def _authors_of(self, change: MainlineChange) -> tuple[Decaying, Decaying]:
        return self._authors.setdefault(_key(change.author), (Decaying(), Decaying()))

    def _blame(self, outcome: Outcome, at: int) -> None:
        cause = self._changes[outcome.cause]
        self._authors_of(cause)[1].add(at)
        self._all[1].add(at)
        self._undone.append((outcome.cause, words(cause.subject)))
        for file in cause.files[:MAX_FILES]:
            if past := self._files.get(file.path):
                past.reverts.add(at)
                past.reverted += 1
                past.undone = outcome.cause
                past.reverted_at = max(past.reverted_at, at)
                for one in self._touched(file) if self.is_code(file.path) else ():
                    if function := self._functions.get((one.path, one.qualname)):
                        function.reverts.add(at)
                        function.undone = outcome.cause


def _area(path: str) -> str:
    return "/".join(path.split("/")[:2])


def _key(person: Person) -> str:
    return (person.email or person.name).casefold()
