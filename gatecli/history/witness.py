"""What a signal is about: which files, functions and words it speaks of, and which earlier change.

Asked of the change at hand alone, before it is taken in; the replay of a history does without.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter

from gatecli.history.replay import Past, Replay, Seen, Touched
from gatecli.history.signals import FIX, WORDS, Signal
from gatecli.model import MainlineChange, PastChange, Piece, SignalEvidence

MOST = 3
"""So many files, functions or words are named."""

_Of = Callable[[Past], float]
_Which = Callable[[Past], int]


def witnesses(state: Replay, change: MainlineChange) -> dict[Signal, SignalEvidence]:
    """The evidence of each signal of the next change that has any."""
    seen = state.look(change)
    found = {
        **_by_past(state, seen),
        **_by_author(state, seen),
        **_by_content(state, seen),
        **_by_words(change),
    }
    if (number := state.attempted_before(change)) is not None:
        found[Signal.AGAIN] = SignalEvidence(change=_mention(state, number))
    return {signal: one for signal, one in found.items() if one.about or one.change}


def _by_past(state: Replay, seen: Seen) -> dict[Signal, SignalEvidence]:
    """What is the most of all touched files or functions: of which, and by which change."""
    at = seen.change.committed_at
    files = [(file.path, past) for file, past in seen.files]
    functions = [(_name(one), past) for one, past in seen.known]
    last, repaired, undone = attrgetter("last"), attrgetter("repaired"), attrgetter("undone")
    of_file, of_function = partial(_most, state, files), partial(_most, state, functions)
    busiest = sorted(files, key=lambda one: -one[1].changes.now(at))
    return {
        Signal.FILE_CHANGES: of_file(lambda past: past.changes.now(at), last),
        Signal.FILE_FIXES: of_file(lambda past: past.fixes.now(at), repaired),
        Signal.FILE_REVERTS: of_file(lambda past: past.reverts.now(at), undone),
        Signal.EVER_REVERTED: of_file(lambda past: past.reverted, undone),
        Signal.REVERTED_LATELY: of_file(lambda past: past.reverted_at, undone),
        Signal.FILE_AUTHORS: of_file(lambda past: len(past.authors), lambda _: -1),
        Signal.FRESH: of_file(lambda past: past.last_at, last),
        Signal.BUSY: _named([path for path, _ in busiest]),
        Signal.FUNCTION_CHANGES: of_function(lambda past: past.changes.now(at), last),
        Signal.FUNCTION_FIXES: of_function(lambda past: past.fixes.now(at), repaired),
        Signal.FUNCTION_REVERTS: of_function(lambda past: past.reverts.now(at), undone),
        Signal.FUNCTION_AUTHORS: of_function(lambda past: len(past.authors), lambda _: -1),
    }


def _most(state: Replay, pasts: Sequence[tuple[str, Past]], of: _Of, which: _Which) -> SignalEvidence:
    name, past = max(pasts, key=lambda one: of(one[1]), default=("", None))
    if past is None or not of(past):
        return SignalEvidence()
    return SignalEvidence(about=(name,), count=1, change=_mention(state, which(past)))


def _by_author(state: Replay, seen: Seen) -> dict[Signal, SignalEvidence]:
    """What the author has not changed before, or changed just now."""
    mine = [(file.path, past) for file, past in seen.files if past.last_author == seen.who]
    author = seen.change.author
    name = author.name or author.email
    return {
        Signal.NEW_TO_FILES: _named([file.path for file, past in seen.files if seen.who not in past.authors]),
        Signal.NEW_TO_FUNCTIONS: _named([_name(one) for one, past in seen.known if seen.who not in past.authors]),
        Signal.NEW_TO_AREA: _named(sorted(area for area in seen.areas if not state.knows(seen.who, area))),
        Signal.FOLLOW_UP: _most(state, mine, lambda past: past.last_at, attrgetter("last")),
        Signal.EXPERIENCE: _named([name]),
        Signal.INEXPERIENCE: _named([name]),
        Signal.AUTHOR_REVERTS: replace(_named([name]), change=_mention(state, state.last_undone(seen.who))),
        Signal.RECENT_REVERTS: SignalEvidence(change=_mention(state, state.last_undone())),
        Signal.MISSING_PARTNERS: _named(sorted(state.missing(seen))),
    }


def _by_content(state: Replay, seen: Seen) -> dict[Signal, SignalEvidence]:
    """The files and functions that a size counts."""
    edited = [(one, one.before, one.after) for one in seen.functions if one.before and one.after]
    product = [file.path for file in seen.python if not state.is_test(file.path)]
    added = sorted(seen.python, key=lambda file: -file.added)
    removed = sorted(seen.python, key=lambda file: -file.deleted)
    return {
        Signal.LINES_ADDED: _named([file.path for file in added if file.added]),
        Signal.LINES_REMOVED: _named([file.path for file in removed if file.deleted]),
        Signal.OTHER_FILES: _named([file.path for file in seen.change.files if not state.is_code(file.path)]),
        Signal.SETTINGS: _named([file.path for file in seen.change.files if state.is_setting(file.path)]),
        Signal.PRODUCT: _named(product),
        Signal.TESTLESS: _named(product),
        Signal.FILE_LINES: _named([file.path for file in sorted(seen.python, key=state.length)[-1:]]),
        Signal.FUNCTIONS: _named(map(_name, seen.functions)),
        Signal.NEW_FUNCTIONS: _named(_name(one) for one in seen.functions if one.before is None),
        Signal.GONE_FUNCTIONS: _named(_name(one) for one in seen.functions if one.after is None),
        Signal.SIGNATURES: _differing(edited, lambda piece: piece.signature),
        Signal.FLOW: _differing(edited, lambda piece: piece.flow),
        Signal.CONSTANTS: _differing(edited, lambda piece: piece.constants),
    }


def _differing(edited: Iterable[tuple[Touched, Piece, Piece]], of: Callable[[Piece], int]) -> SignalEvidence:
    return _named(_name(one) for one, before, after in edited if of(before) != of(after))


def _by_words(change: MainlineChange) -> dict[Signal, SignalEvidence]:
    """The words of the subject that a signal went by; of a long message how it begins."""
    patterns = {**WORDS, Signal.FIX: FIX}
    return {
        Signal.MESSAGE: _named([f"“{change.subject}”"] if change.subject else []),
        **{
            signal: SignalEvidence(about=(f"“{match[0]}”",), count=1)
            for signal, pattern in patterns.items()
            if (match := pattern.search(change.subject))
        },
    }


def _named(names: Iterable[str]) -> SignalEvidence:
    found = tuple(names)
    return SignalEvidence(about=found[:MOST], count=len(found))


def _name(one: Touched) -> str:
    return f"{one.path}::{one.qualname}"


def _mention(state: Replay, number: int) -> PastChange | None:
    if number < 0:
        return None
    change = state.change(number)
    return PastChange(sha=change.sha, subject=change.subject, at=change.committed_at)
