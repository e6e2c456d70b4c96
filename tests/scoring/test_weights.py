from itertools import pairwise

import pytest

from gatecli.errors import UsageError
from gatecli.scoring.weights import ExposureScale, Feature, read_weights, shipped_weights

EXPOSURE = "exposure: {share_at_zero: 0.01, calls_per_minute_at_zero: 600, points_per_doubling: 10, most_points: 66}\n"


def test_every_shipped_weight_rises_and_says_where_it_comes_from():
    weights = shipped_weights()
    assert [weight.id for weight in weights.likelihood] == list(Feature)
    for weight in weights.likelihood:
        assert len(weight.source) > 40
        assert weight.points(0) == 0
        assert all(a.at < b.at and a.points <= b.points for a, b in pairwise(weight.steps))


@pytest.mark.parametrize(
    ("value", "points"), [(0, 0), (14, 0), (15, 4), (79, 4), (80, 5), (199, 5), (200, 9), (10**9, 9)]
)
def test_the_highest_step_that_is_reached_counts(value, points):
    assert shipped_weights().points(Feature.LINES_ADDED, value) == points


@pytest.mark.parametrize(
    ("share", "points"),
    [
        (0.0, 0),
        (0.004, 0),
        (0.01, 0),
        (0.0105, 1),
        (0.02, 10),
        (0.04, 20),
        (0.16, 40),
        (0.38, 52),
        (1.0, 66),
        (2.0, 66),
    ],
)
def test_ten_points_are_twice_the_share(share, points):
    assert shipped_weights().exposure.of_share(share) == points


@pytest.mark.parametrize(("rate", "points"), [(0, 0), (600, 0), (1200, 10), (9600, 40), (61_400, 66), (1e18, 66)])
def test_ten_points_are_twice_the_rate(rate, points):
    assert shipped_weights().exposure.of_rate(rate) == points


def test_a_share_and_a_rate_that_mean_the_same_count_the_same():
    scale = ExposureScale(share_at_zero=0.1, calls_per_minute_at_zero=10, points_per_doubling=5, most_points=12)
    assert [scale.of_share(0.1 * 2**n) for n in range(4)] == [scale.of_rate(10 * 2**n) for n in range(4)]
    assert scale.of_share(0.8) == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("likelihood: []\n", "the document has no exposure"),
        ("likelihood: [{id: files, steps: [{at: 2, points: 5}], source: x}, {id: files, steps: [{at: 1, points: 1}], "
         "source: y}]\n" + EXPOSURE, "files is weighed twice"),
        ("likelihood: [{id: files, steps: [], source: x}]\n" + EXPOSURE, "do not rise"),
        ("likelihood: [{id: files, steps: [{at: 2, points: 5}, {at: 2, points: 6}], source: x}]\n" + EXPOSURE,
         "do not rise"),
        ("likelihood: [{id: files, steps: [{at: 2, points: 5}, {at: 4, points: 3}], source: x}]\n" + EXPOSURE,
         "do not rise"),
        ("likelihood: [{id: files, steps: [{at: 2, points: -5}], source: x}]\n" + EXPOSURE, "Expected `int` >= 0"),
        ("likelihood: [{id: file, steps: [{at: 2, points: 5}], source: x}]\n" + EXPOSURE, "did you mean 'files'"),
        ("likelihood: [{id: files, steps: [{at: 2, points: 5}]}]\n" + EXPOSURE, "has no source"),
        ("likelihood: []\nexposure: {share_at_zero: 0, calls_per_minute_at_zero: 1, points_per_doubling: 1, "
         "most_points: 1}\n", "Expected `float` > 0.0"),
    ],
)  # fmt: skip
def test_weights_that_make_no_sense_are_refused(text, message):
    with pytest.raises(UsageError) as caught:
        read_weights(text.encode(), "w.yml")
    assert message in caught.value.message
    assert caught.value.message.startswith("w.yml") or "in w.yml" in caught.value.message


def test_a_feature_without_a_weight_is_worth_nothing():
    weights = read_weights(("likelihood: []\n" + EXPOSURE).encode(), "w.yml")
    assert weights.points(Feature.FILES, 100) == 0
