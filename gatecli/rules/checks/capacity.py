"""F04: sizes of pools, batches and sets of workers that changed at least twofold."""

import re
from collections.abc import Iterator

from gatecli.rules import code
from gatecli.rules.checks.numbers import figure, replaced
from gatecli.rules.checks.readers import Readers, read_by
from gatecli.rules.code import View
from gatecli.rules.observation import Observation, seen
from gatecli.rules.spec import Rule
from gatecli.rules.wording import amount

FACTOR = 2
_CAPACITY = re.compile(
    r"(?i)(?:^|_)(?:pool_size|poolsize|max_overflow|max_connections|max_workers|num_workers|workers|worker_count|num_threads|max_threads|concurrency"
    r"|prefetch_count|prefetch_multiplier|conn_max_age|batch_size|chunk_size|queue_size|maxsize)$"
)


def capacity_changed(rule: Rule, view: View) -> Iterator[Observation]:
    """Named sizes whose value is another by the factor."""
    for touched in view.functions:
        if touched.before is None or touched.after is None:
            continue
        for what, old, new in replaced(view, touched.before, touched.after, _is_capacity):
            was, now = figure(old), figure(new)
            if was and now is not None and min(was, now) >= 0 and max(was, now) >= FACTOR * min(was, now):
                says = f"{'raises' if now > was else 'lowers'} {what} from {amount(was)} to {amount(now)}"
                readers = read_by(view, what, touched.change.id.path) if touched.is_container else Readers()
                says += readers.says
                yield seen(touched, code.line(new), says, what, evidence=readers.evidence, usage=readers.usage)


def _is_capacity(name: str) -> bool:
    return bool(_CAPACITY.search(name))
