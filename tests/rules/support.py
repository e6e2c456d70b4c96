"""Building cases for rule tests: files as ``path → (before, after)`` texts."""

from collections.abc import Mapping

from gatecli.model import Case, Finding
from gatecli.rules import examples, registry
from gatecli.rules.spec import Example, ExampleCaller, ExampleUsage, FileSides, Rule

Sides = tuple[str | None, str | None]


def case_of(
    files: Mapping[str, Sides],
    usage: Mapping[str, ExampleUsage] | None = None,
    callers: Mapping[str, tuple[ExampleCaller, ...]] | None = None,
) -> Case:
    return examples.case_of(
        Example(
            name="a test",
            flags=True,
            files={path: FileSides(before=before, after=after) for path, (before, after) in files.items()},
            usage=usage or {},
            callers=callers or {},
        )
    )


SHIPPED = registry.load({}, {})


def rule(id: str) -> Rule:
    (found,) = (known for known in SHIPPED if known.id == id)
    return found


def run(id: str, files: Mapping[str, Sides]) -> tuple[Finding, ...]:
    """The findings of one shipped rule."""
    return registry.run((rule(id),), case_of(files))


def messages(id: str, before: str | None, after: str | None, path: str = "shop/orders.py") -> list[str]:
    """The messages of one shipped rule on one file, in line order."""
    found = run(id, {path: (before, after)})
    return [finding.message for finding in sorted(found, key=lambda finding: finding.line or 0)]
