"""Where a change stands among those of the past: learned weights on its signals, without numpy."""

from collections.abc import Mapping, Sequence
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
    text = _SENTENCES.get(signal, f"{signal} {{value:g}}").format(value=value, share=100 * value)
    if signal in YES_OR_NO or not steps:
        return text
    return f"{text}, more than {100 * PERCENTILES[steps - 1]:.0f} % of changes here"


_SENTENCES: Mapping[Signal, str] = {
    Signal.LINES_ADDED: "{value:,.0f} lines of code added",
    Signal.LINES_REMOVED: "{value:,.0f} lines of code removed",
    Signal.FILES: "{value:,.0f} files",
    Signal.DIRECTORIES: "{value:,.0f} folders",
    Signal.OTHER_FILES: "{value:,.0f} files that are no code",
    Signal.ENTROPY: "lines spread over files by {value:.1f} bits",
    Signal.FUNCTIONS: "{value:,.0f} functions touched",
    Signal.NEW_FUNCTIONS: "{value:,.0f} new functions",
    Signal.GONE_FUNCTIONS: "{value:,.0f} functions removed",
    Signal.SIGNATURES: "{value:,.0f} signatures changed",
    Signal.FLOW: "control flow changed in {value:,.0f} functions",
    Signal.CONSTANTS: "constants changed in {value:,.0f} functions",
    Signal.FILE_CHANGES: "a file with {value:.1f} recent changes",
    Signal.FUNCTION_CHANGES: "a function with {value:.1f} recent changes",
    Signal.FILE_FIXES: "a file with {value:.1f} recent repairs",
    Signal.FUNCTION_FIXES: "a function with {value:.1f} recent repairs",
    Signal.FILE_REVERTS: "a file with {value:.1f} recent changes that were taken back",
    Signal.FUNCTION_REVERTS: "a function with {value:.1f} recent changes that were taken back",
    Signal.BUSY: "{value:.1f} recent changes of its files in all",
    Signal.FRESH: "its files changed very recently",
    Signal.FOLLOW_UP: "the author changed one of its files within two days before",
    Signal.FILE_AUTHORS: "a file with {value:,.0f} authors",
    Signal.NEW_TO_FILES: "the author never changed {share:.0f} % of its files",
    Signal.NEW_TO_FUNCTIONS: "the author never changed {share:.0f} % of its functions",
    Signal.NEW_TO_AREA: "the author never changed anything in {share:.0f} % of its folders",
    Signal.INEXPERIENCE: "the author has few changes here",
    Signal.AUTHOR_REVERTS: "{share:.1f} % of the author's recent changes were taken back or needed repair",
    Signal.RECENT_REVERTS: "{share:.1f} % of all recent changes here were taken back",
    Signal.MISSING_PARTNERS: "{value:,.0f} files that usually change with these are missing",
    Signal.RELAND: "it brings back what was taken out",
    Signal.UNDOES: "it takes an earlier change back",
    Signal.FIX: "it says that it repairs something",
    Signal.MESSAGE: "a message of {value:,.0f} characters",
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
    Signal.EXPERIENCE: "an author with {value:,.0f} changes here",
    Signal.TESTLESS: "code without a test in the same change",
    Signal.AGENT: "it says that an agent wrote it",
    Signal.FUNCTION_AUTHORS: "a function with {value:,.0f} authors",
    Signal.FILE_LINES: "a file with {value:,.0f} lines in functions",
    Signal.AGAIN: "it reads like a change that was taken back",
    Signal.REVERTED_LATELY: "a change of its files was taken back lately",
    Signal.EVER_REVERTED: "a file of which {value:,.0f} changes were taken back",
}
