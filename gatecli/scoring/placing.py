"""Where a change stands among those of the past: learned weights on its signals, without numpy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from gatecli.history.signals import SIGNALS, Signal
from gatecli.model import SignalEvidence, SignalPoints, Standing, StandingBand
from gatecli.scoring.learned import PERCENTILES, YES_OR_NO, Band, Learned

ENOUGH = 100
"""Among fewer changes than this a place says little, and nothing is said."""


def place(
    learned: Learned,
    values: Sequence[float],
    evidence: Mapping[Signal, SignalEvidence] = MappingProxyType({}),
    *,
    missing: str = "",
) -> Standing:
    """The place of a change by the values of its signals, in the order of ``SIGNALS``, and what each is about.

    ``missing`` says what of the past was not at hand: signals of it are 0, so the place is the least that it can be.
    """
    if learned.compared < ENOUGH or not learned.standing:
        why = f"the weights know {learned.compared:,} changes to compare with, {ENOUGH} are needed"
        return Standing(problem=why, remedy="run gate learn again when there are more")
    gained = {
        signal: (learned.points(signal, value), value) for signal, value in zip(SIGNALS, values, strict=True) if value
    }
    points = sum(given for given, _ in gained.values())
    bands = tuple(map(_band, learned.bands))
    percentile = learned.percentile(points)
    found = Standing(
        points=points,
        percentile=percentile,
        changes=learned.compared,
        day=learned.taught.day,
        signals=_said(learned, gained, points, evidence),
        bands=bands,
        band=min((band for band in bands if points >= band.points), key=lambda band: band.share, default=None),
        catches=learned.catches,
        missing=missing,
    )
    return replace(found, level=found.caught_in(1 - percentile)) if percentile is not None else found


def _band(band: Band) -> StandingBand:
    return StandingBand(share=band.share, points=band.points, caught=band.caught, bad=band.bad, asks=band.asks)


def _said(
    learned: Learned,
    gained: Mapping[Signal, tuple[int, float]],
    total: int,
    evidence: Mapping[Signal, SignalEvidence],
) -> tuple[SignalPoints, ...]:
    weights = learned.by_signal()
    found = [
        SignalPoints(
            signal=signal,
            points=points,
            text=sentence(signal, value, weights[signal].steps(value)),
            evidence=evidence.get(signal, SignalEvidence()),
            without=learned.percentile(total - points),
            band_without=min((one.share for one in learned.bands if total - points >= one.points), default=None),
        )
        for signal, (points, value) in gained.items()
        if points
    ]
    return tuple(sorted(found, key=lambda one: -one.points))


def sentence(signal: Signal, value: float, steps: int) -> str:
    """What a signal says of the change, and how rare that is here."""
    words = _SENTENCES.get(signal, f"{signal} {{value:g}}")
    text = words(value) if callable(words) else words.format(value=value, share=100 * value)
    if signal in YES_OR_NO or not steps:
        return text
    if signal is Signal.INEXPERIENCE and value == 1:
        return text  # nothing is fewer than none
    if signal in _PARTS and round(100 * value) == 100:
        return f"{text}, as in at most {100 - 100 * PERCENTILES[steps - 1]:.0f} % of changes here"
    return f"{text}, {_RARER.get(signal, 'more')} than {100 * PERCENTILES[steps - 1]:.0f} % of changes here"


_PARTS = frozenset({Signal.NEW_TO_FILES, Signal.NEW_TO_FUNCTIONS, Signal.NEW_TO_AREA})
_RARER = {Signal.INEXPERIENCE: "fewer", Signal.FRESH: "later", Signal.REVERTED_LATELY: "later"}


def _many(one: str, rest: str = "") -> Callable[[float], str]:
    """A count with its noun: ``1 function touched``, ``1,204 functions touched``."""
    return lambda value: f"{value:,.0f} {one}{'' if round(value) == 1 else 's'}{rest}"


def _lately(what: str, one: str, rest: str = "") -> Callable[[float], str]:
    """A count that fades: 90 days after, one change counts half."""

    def words(value: float) -> str:
        shown = f"{value:.1f}".removesuffix(".0")
        if value < 0.05:
            return f"{what} with old {one}s alone{rest}"
        if value < 0.95:
            return f"{what} with less than one recent {one}{rest}"
        return f"{what} with {shown} recent {one}{'' if shown == '1' else 's'}{rest}"

    return words


def _new_to(what: str, how: str = "") -> Callable[[float], str]:
    """A part of what is touched."""

    def words(value: float) -> str:
        part = f"{100 * value:.0f} %"
        return f"the author never changed {how}{'any' if part == '100 %' else part} of {what}"

    return words


def _few(value: float) -> str:
    """Of one divided by the changes of an author and one more."""
    before = round(1 / value) - 1
    return f"the author made {_many('change')(before)} here before" if before else "the author's first change here"


_SENTENCES: Mapping[Signal, str | Callable[[float], str]] = {
    Signal.LINES_ADDED: _many("line", " of code added"),
    Signal.LINES_REMOVED: _many("line", " of code removed"),
    Signal.FILES: _many("file"),
    Signal.DIRECTORIES: _many("folder"),
    Signal.OTHER_FILES: _many("file", " other than code"),
    Signal.ENTROPY: "lines spread over files by {value:.1f} bits",
    Signal.FUNCTIONS: _many("function", " touched"),
    Signal.NEW_FUNCTIONS: _many("new function"),
    Signal.GONE_FUNCTIONS: _many("function", " removed"),
    Signal.SIGNATURES: _many("signature", " changed"),
    Signal.FLOW: _many("function", " with another control flow"),
    Signal.CONSTANTS: _many("function", " with other constants"),
    Signal.FILE_CHANGES: _lately("a file", "change"),
    Signal.FUNCTION_CHANGES: _lately("a function", "change"),
    Signal.FILE_FIXES: _lately("a file", "repair"),
    Signal.FUNCTION_FIXES: _lately("a function", "repair"),
    Signal.FILE_REVERTS: _lately("a file", "revert"),
    Signal.FUNCTION_REVERTS: _lately("a function", "revert"),
    Signal.BUSY: _lately("files", "change", " in all"),
    Signal.FRESH: "its files changed very recently",
    Signal.FOLLOW_UP: "the author changed one of its files within two days before",
    Signal.FILE_AUTHORS: lambda value: f"a file with {_many('author')(value)}",
    Signal.NEW_TO_FILES: _new_to("its files"),
    Signal.NEW_TO_FUNCTIONS: _new_to("its functions"),
    Signal.NEW_TO_AREA: _new_to("its folders", "anything in "),
    Signal.INEXPERIENCE: _few,
    Signal.AUTHOR_REVERTS: "{share:.1f} % of the author's recent changes were taken back or needed repair",
    Signal.RECENT_REVERTS: "{share:.1f} % of all recent changes here were taken back",
    Signal.MISSING_PARTNERS: _many("file", " that usually changed along, left out"),
    Signal.RELAND: "it brings back what was taken out",
    Signal.UNDOES: "it takes an earlier change back",
    Signal.FIX: "it says that it repairs something",
    Signal.MESSAGE: lambda value: f"a message of {_many('character')(value)}",
    Signal.PRODUCT: "it changes code that is no test",
    Signal.SETTINGS: "it changes settings, dependencies or workflows",
    Signal.SWITCH: "it says that it switches something",
    Signal.UPGRADE: "it says that it upgrades or migrates something",
    Signal.SPEED: "it says that it is about speed, caching or concurrency",
    Signal.REMOVE: "it says that it removes something",
    Signal.REWORK: "it says that it reworks something",
    Signal.TRY: "it says that it tries something",
    Signal.ADD: "it says that it adds something",
    Signal.NOT_FIX: "it does not say that it repairs something",
    Signal.EXPERIENCE: lambda value: f"an author with {_many('change')(value)} here",
    Signal.TESTLESS: "code without a test in the same change",
    Signal.AGENT: "it says that an agent wrote it",
    Signal.FUNCTION_AUTHORS: lambda value: f"a function with {_many('author')(value)}",
    Signal.FILE_LINES: lambda value: f"a file with {_many('line')(value)} in functions",
    Signal.AGAIN: "it reads like a change that was taken back",
    Signal.REVERTED_LATELY: "a change of its files was taken back lately",
    Signal.EVER_REVERTED: lambda value: f"a file with {_many('change')(value)} taken back, ever",
}
