"""The weights of the score: ``rules/weights.yml``, which says where each of them comes from."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import log2
from typing import Annotated

import msgspec

from gatecli.config import decode, read_data
from gatecli.errors import UsageError


class Feature(StrEnum):
    """What a weight looks at."""

    LINES_ADDED = "lines-added"
    LINES_REMOVED = "lines-removed"
    FILES = "files"
    FUNCTIONS = "functions"
    ENTROPY = "entropy"
    AUTHOR_NEW = "author-new"
    PRIOR_CHANGES = "prior-changes"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Points from a value on."""

    at: float
    points: Annotated[int, msgspec.Meta(ge=0, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """Monotone steps of one feature, and where they come from."""

    id: Feature
    steps: tuple[Step, ...]
    source: str

    def points(self, value: float) -> int:
        """The points of the highest step that the value reaches, 0 below the first."""
        return max((step.points for step in self.steps if value >= step.at), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureScale:
    """Points for traffic: zero at a share (or, where no share is known, a rate), a fixed number for every doubling."""

    share_at_zero: Annotated[float, msgspec.Meta(gt=0, le=1)]
    calls_per_minute_at_zero: Annotated[float, msgspec.Meta(gt=0)]
    points_per_doubling: Annotated[int, msgspec.Meta(ge=0, le=100)]
    most_points: Annotated[int, msgspec.Meta(ge=0, le=1000)]

    def of_share(self, share: float) -> int:
        """Points for a share of the traffic, 0..1."""
        return self._points(share / self.share_at_zero)

    def of_rate(self, calls_per_minute: float) -> int:
        """Points for a rate of calls."""
        return self._points(calls_per_minute / self.calls_per_minute_at_zero)

    def _points(self, ratio: float) -> int:
        return min(self.most_points, round(self.points_per_doubling * log2(ratio))) if ratio > 1 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Everything the score weighs by."""

    likelihood: tuple[Weight, ...]
    exposure: ExposureScale

    def points(self, feature: Feature, value: float) -> int:
        """The points of a feature's value; 0 for a feature that has no weight."""
        return sum(weight.points(value) for weight in self.likelihood if weight.id is feature)


def read_weights(data: bytes, where: str) -> Weights:
    """Weights from YAML.

    Raises:
        UsageError: not valid, a feature weighed twice, or steps that do not rise.
    """
    weights = decode(data, Weights, where)
    ids = [weight.id for weight in weights.likelihood]
    for weight in weights.likelihood:
        values, points = [step.at for step in weight.steps], [step.points for step in weight.steps]
        if ids.count(weight.id) > 1:
            raise UsageError(f"{where}: {weight.id} is weighed twice", "keep one")
        if not weight.steps or values != sorted(set(values)) or points != sorted(points):
            raise UsageError(f"{where}: the steps of {weight.id} do not rise", "order them by value, points rising")
    return weights


@cache
def shipped_weights() -> Weights:
    """The prior weights."""
    return read_weights(read_data("weights.yml"), "rules/weights.yml")
