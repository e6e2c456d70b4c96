"""What every report says, before how it is said: the same phrases, order and selection for all renderers.

Everything returned here is raw text: a renderer makes it inert for its own target (``reports.text``).
"""

from gatecli.reports.summary.opening import (
    agent_name,
    authorship,
    changes_with,
    first_seen,
    headline,
    incident,
    person_name,
    short,
    word,
)
from gatecli.reports.summary.selection import (
    MAX_REASONS,
    MINOR_POINTS,
    Row,
    Why,
    alike,
    blockers,
    counterfactuals,
    finding_of,
    flagged,
    place,
    rows,
    rule_name,
    whys,
    without,
)
from gatecli.reports.summary.traffic import (
    caller_count,
    calls_absent,
    entry_points,
    matching,
    profile_origin,
    unobserved,
    waited_for,
)
from gatecli.reports.summary.unknown import limits

__all__ = [
    "MAX_REASONS",
    "MINOR_POINTS",
    "Row",
    "Why",
    "agent_name",
    "alike",
    "authorship",
    "blockers",
    "caller_count",
    "calls_absent",
    "changes_with",
    "counterfactuals",
    "entry_points",
    "finding_of",
    "first_seen",
    "flagged",
    "headline",
    "incident",
    "limits",
    "matching",
    "person_name",
    "place",
    "profile_origin",
    "rows",
    "rule_name",
    "short",
    "unobserved",
    "waited_for",
    "whys",
    "without",
    "word",
]
