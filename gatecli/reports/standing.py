"""The place of a change among past ones, in words that every report uses."""

from collections.abc import Iterator
from datetime import UTC, datetime

from gatecli.model import BandAsk, SignalEvidence, SignalPoints, Standing, StandingBand
from gatecli.reports.text import count, cut, share, title

SHOWN = 3
"""Signals that a short report names."""
_MOST_OF_NAME, _MOST_OF_SUBJECT = 80, 60


def top(standing: Standing) -> str | None:
    """How far up a change is, in few words: ``top 4 % of changes here``; None where it is not ranked."""
    if standing.percentile is None:
        return None
    least = "at least " if standing.missing else ""
    if standing.percentile < 0.5:
        return f"by history {'perhaps ' if standing.missing else ''}in the lower half here"
    return f"{least}{_top(standing.percentile)} of changes here"


def opening(standing: Standing) -> str:
    """The place, among what, and with how many points; or why there is none."""
    if standing.percentile is None:
        return f"not ranked: {standing.problem}"
    place = "lower half" if standing.percentile < 0.5 else _top(standing.percentile)
    among = f"of the last {count(standing.changes, 'change')} here, up to {standing.day}"
    if standing.missing:
        place = f"{'top 100 %' if standing.percentile < 0.5 else place} or higher"
    return f"{place} {among} ({standing.points:,} points by what became of them)"


def caught(standing: Standing) -> str | None:
    """What looking at changes like this one caught in the back-test; None where the change was not ranked."""
    if standing.percentile is None or not standing.bands:
        return None
    band, widest = standing.band, max(standing.bands, key=lambda one: one.share)
    if not widest.bad:
        out = "" if band is not None else "not in a band: "
        return f"{out}what {_band(band or widest)} catches is not known, as the back-test knew no bad change"
    if band is not None:
        return f"in the back-test, {_band(band)} caught {_of_bad(band.caught, band.bad)}"
    return f"not in a band: in the back-test, {_band(widest)} caught {_of_bad(widest.caught, widest.bad)}"


def level(standing: Standing) -> str | None:
    """What looking at everything from this place up caught; None where that is not known, or says what the band did."""
    place, band = standing.level, standing.band
    if place is None or not place.bad or place.share > 0.5 or (band is not None and band.share == place.share):
        return None
    return f"looking at the top {share(place.share)}, down to this one, caught {_of_bad(place.caught, place.bad)}"


def following(standing: Standing) -> Iterator[str]:
    """What to know beside the place: what reviews at this level caught, or what would rank the change."""
    yield from filter(None, (caught(standing), level(standing)))
    if standing.missing:
        yield f"the least it can be: {standing.missing}"
    if (standing.percentile is None or standing.missing) and standing.remedy:
        yield standing.remedy


def bands(standing: Standing) -> Iterator[str]:
    """Every band, the widest first: who looks, what that caught, and whether the change is in it."""
    for band in standing.bands:
        here = ", this change is in it" if standing.points is not None and standing.points >= band.points else ""
        yield f"{_band(band)}: caught {_of_bad(band.caught, band.bad)}{here}"


def signal(standing: Standing, one: SignalPoints) -> str:
    """What a signal says, what it is about, and where the change would stand without it."""
    return "; ".join(filter(None, (f"{one.text}{_about(one.evidence)}", without(standing, one))))


def _about(evidence: SignalEvidence) -> str:
    names = ", ".join(cut(name, _MOST_OF_NAME) for name in evidence.about)
    if (more := evidence.count - len(evidence.about)) > 0:
        names += f" and {more:,} more"
    change = evidence.change
    if change is None:
        return f": {names}" if names else ""
    said = f"{change.sha[:10]} “{title(change.subject, _MOST_OF_SUBJECT)}” ({_day(change.at)})"
    return f": {names}, {said}" if names else f": {said}"


def _day(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "no day"


def without(standing: Standing, one: SignalPoints) -> str | None:
    """Where a change would stand without a signal; None where that is the same place, and the same band."""
    if one.without is None or standing.percentile is None:
        return None
    here = standing.band.share if standing.band else None
    place = "lower half" if one.without < 0.5 else _top(one.without)
    if here is not None and one.band_without != here:
        left = f"the top {share(one.band_without)} band" if one.band_without else "no band"
        return f"without it: {place}, in {left}"
    now = "lower half" if standing.percentile < 0.5 else _top(standing.percentile)
    return f"without it: {place}" if place != now else None


def _top(percentile: float) -> str:
    return f"top {share(max(1 - percentile, 0.0005))}"


def _band(band: StandingBand) -> str:
    who = "a senior review" if band.asks is BandAsk.SENIOR else "a review"
    return f"{who} of the top {share(band.share)} (from {count(band.points, 'point')} on)"


def _of_bad(caught: int, bad: int) -> str:
    return f"{caught:,} of {count(bad, 'bad change')}" if bad else "nothing: no bad change is known"
