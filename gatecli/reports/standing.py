"""The place of a change among past ones, in words that every report uses."""

from collections.abc import Iterator

from gatecli.model import BandAsk, Standing, StandingBand
from gatecli.reports.text import count, share

SHOWN = 3
"""Signals that a short report names."""


def top(percentile: float) -> str:
    """How far up a change is, in few words: ``top 4 % of changes here``."""
    if percentile < 0.5:
        return "by history in the lower half here"
    return f"top {share(max(1 - percentile, 0.0005))} of changes here"


def opening(standing: Standing) -> str:
    """The place, among what, and with how many points; or why there is none."""
    if standing.percentile is None:
        return f"not ranked: {standing.problem}"
    place = "lower half" if standing.percentile < 0.5 else f"top {share(max(1 - standing.percentile, 0.0005))}"
    among = f"of the last {count(standing.changes, 'change')} here, up to {standing.day}"
    return f"{place} {among} ({standing.points:,} points by what became of them)"


def caught(standing: Standing) -> str | None:
    """What looking at changes like this one caught in the back-test; None where the change was not ranked."""
    if standing.percentile is None or not standing.bands:
        return None
    band = standing.band
    if band is not None:
        return f"in the back-test, {_band(band)} caught {_of_bad(band)}"
    widest = max(standing.bands, key=lambda one: one.share)
    return f"not in a band: in the back-test, {_band(widest)} caught {_of_bad(widest)}"


def following(standing: Standing) -> Iterator[str]:
    """What to know beside the place: what reviews at this level caught, or what would rank the change."""
    if (said := caught(standing)) is not None:
        yield said
    if standing.percentile is None and standing.remedy:
        yield standing.remedy


def _band(band: StandingBand) -> str:
    who = "a senior review" if band.asks is BandAsk.SENIOR else "a review"
    return f"{who} of the top {share(band.share)} (from {count(band.points, 'point')} on)"


def _of_bad(band: StandingBand) -> str:
    return f"{band.caught:,} of {count(band.bad, 'bad change')}" if band.bad else "nothing: no bad change is known"
