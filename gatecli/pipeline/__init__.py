"""The flow and what feeds it: the only package that knows every stage.

``judge`` is the whole gate, ``examine`` looks at functions before they change; the rest reads what they are given.
"""

from gatecli.pipeline.approvals import said_of
from gatecli.pipeline.examining import Examination, examine
from gatecli.pipeline.governing import validate_policy
from gatecli.pipeline.incidents import trace_cause, with_repairs
from gatecli.pipeline.judging import judge, judge_and_record
from gatecli.pipeline.places import author_of, build_index, cache_folder, default_profile, root_of
from gatecli.pipeline.profiles import compare_profiles, fetch_profile, import_profile, record_profile, seconds
from gatecli.pipeline.request import Request, open_source

__all__ = [
    "Examination",
    "Request",
    "author_of",
    "build_index",
    "cache_folder",
    "compare_profiles",
    "default_profile",
    "examine",
    "fetch_profile",
    "import_profile",
    "judge",
    "judge_and_record",
    "open_source",
    "record_profile",
    "root_of",
    "said_of",
    "seconds",
    "trace_cause",
    "validate_policy",
    "with_repairs",
]
