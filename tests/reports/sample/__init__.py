"""Reports made by hand, as the pipeline would hand them over: what the renderers' tests and goldens show."""

from tests.reports.sample.hostile import hostile
from tests.reports.sample.parts import (
    CART,
    CHECKOUT,
    CLAUDE,
    DANA,
    HEAD,
    LOAD,
    PRICE,
    as_branch,
    call,
    change,
    edited,
    fid,
    frame,
    parsed,
    production,
    ranked,
    rule_texts,
    touched,
)
from tests.reports.sample.review import review
from tests.reports.sample.verdicts import block, empty, incomplete, large, passing, signed, unprofiled

SAMPLES = {
    "block": block,
    "review": review,
    "unprofiled": unprofiled,
    "incomplete": incomplete,
    "signed": signed,
    "pass": passing,
    "empty": empty,
    "large": large,
}

__all__ = [
    "CART",
    "CHECKOUT",
    "CLAUDE",
    "DANA",
    "HEAD",
    "LOAD",
    "PRICE",
    "SAMPLES",
    "as_branch",
    "block",
    "call",
    "change",
    "edited",
    "empty",
    "fid",
    "frame",
    "hostile",
    "incomplete",
    "large",
    "parsed",
    "passing",
    "production",
    "ranked",
    "review",
    "rule_texts",
    "signed",
    "touched",
    "unprofiled",
]
