"""What ``gate learn`` says of the weights that it wrote."""

from gatecli.reports.weights import summary
from gatecli.scoring.learn import learn
from gatecli.scoring.learned import Head, prior
from tests.scoring.histories import past


def test_a_signal_is_named_with_its_steps_before_and_after_if_one_moved() -> None:
    before = prior()
    learned = learn(past(rate=0.3), before)
    said = summary(learned, before).splitlines()
    known = before.by_signal()
    for weight in learned.signals:
        old, new = known[weight.id].points[Head.ANY], weight.points[Head.ANY]
        row = f"  {weight.id}: {' '.join(map(str, old))} → {' '.join(map(str, new))}"
        assert (row in said) == (old != new)
    assert any(line.startswith("  files: ") for line in said)


def test_weights_that_stay_are_not_listed() -> None:
    learned = learn(past(rate=0.005), prior())
    assert "the prior stays" in summary(learned, prior())
    assert "→" not in summary(learned, prior())
