"""What a function does otherwise than before, in words: complexity, constants, and what came and went.

Everything returned here is raw text, as in ``reports.summary``.
"""

from collections.abc import Collection, Iterator

from gatecli.model import Behaviour, ConstantChange, Facts, FunctionChange, SignatureKind
from gatecli.reports.text import listed

MIN_COMPLEXITY = 2
"""A smaller change of the cyclomatic number is named only on request: one ``if`` more is seen in the diff."""

_MOST_OTHERS = 3
_VERBS = (
    ("calls", "calls"),
    ("awaits", "awaits"),
    ("raises", "raises"),
    ("loops", "loops"),
    ("returns", "returns"),
    ("decorators", "has"),
)
# What a function no longer does is easily overlooked in a diff.
_LOST = ("awaits", "raises", "decorators")


def notable(function: FunctionChange) -> list[str]:
    """What a table has room for: a large change of complexity, numbers that changed, and what is no longer done."""
    behaviour = function.behaviour
    if behaviour is None:
        return []
    before, after = behaviour.complexity
    facts = []
    if before is not None and after is not None and abs(after - before) >= MIN_COMPLEXITY:
        facts.append(complexity(behaviour))
    facts += [constant(one) for one in _constants(function, behaviour) if not _is_text(one)]
    return facts + [f"no longer {said}" for said in _phrases(behaviour, "removed", _LOST)]


def complexity(behaviour: Behaviour) -> str:
    """``complexity 4 → 9``, of a function on one side ``complexity 4``; empty where it is not known."""
    known = [f"{number:,}" for number in dict.fromkeys(behaviour.complexity) if number is not None]
    return f"complexity {' → '.join(known)}" if known else ""


def relations(function: FunctionChange) -> list[str]:
    """``extracted from shop/a.py::total``."""
    return [
        f"{relation.kind} {listed(tuple(map(str, relation.others)), _MOST_OTHERS)}" for relation in function.relations
    ]


def constants(function: FunctionChange) -> list[str]:
    """Every constant that changed, but for defaults, which the signature names."""
    return [constant(one) for one in _constants(function, function.behaviour)] if function.behaviour else []


def constant(change: ConstantChange) -> str:
    """``get(timeout) 30 → 3``."""
    return f"{change.where} {change.before} → {change.after}"


_BARE = {("raises", "raise"): "re-raises", ("returns", "return"): "returns without a value"}


def added(behaviour: Behaviour) -> list[str]:
    """What it does now and did not: ``calls queue.put``."""
    return list(_phrases(behaviour, "added"))


def removed(behaviour: Behaviour) -> list[str]:
    """What it did and no longer does."""
    return list(_phrases(behaviour, "removed"))


def _phrases(behaviour: Behaviour, side: str, kinds: Collection[str] | None = None) -> Iterator[str]:
    for name, verb in _VERBS:
        if kinds is not None and name not in kinds:
            continue
        facts: Facts = getattr(behaviour, name)
        for text in dict.fromkeys(fact.text for fact in getattr(facts, side)):
            said = text.removeprefix("return ") if name == "returns" else text
            yield _BARE.get((name, text), f"{verb} {said}")


def _constants(function: FunctionChange, behaviour: Behaviour) -> list[ConstantChange]:
    defaults = {change.name for change in function.signature if change.kind is SignatureKind.DEFAULT}
    return [change for change in behaviour.constants if change.where not in defaults]


def _is_text(change: ConstantChange) -> bool:
    return any(quote in value for value in (change.before, change.after) for quote in "'\"…")
