"""What a path is, from its name alone."""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# What is shipped beside a service but does not run in it; tests and generated files are the repository's to name.
_BESIDE = (
    *("tests.py", "testing/", "docs/", "doc/", "examples/", "example/", "benches/", "benchmarks/", "samples/"),
    *("vendor/", "vendored/", "_vendor/", "third_party/", "/contrib/", "scripts-dev/", ".*/"),
)


@lru_cache(maxsize=256)
def _specs(patterns: tuple[str, ...]) -> tuple["GitIgnoreSpec", "GitIgnoreSpec"]:
    from pathspec import GitIgnoreSpec

    excluded = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    included = [pattern for pattern in patterns if not pattern.startswith("!")]
    return GitIgnoreSpec.from_lines(included), GitIgnoreSpec.from_lines(excluded)


def matches(patterns: tuple[str, ...], path: str) -> bool:
    """Whether one of the gitignore patterns selects a path, and none that starts with ``!`` takes it out.

    Other than in a gitignore file the order does not matter, and ``!tests/`` takes out all that is below.
    """
    included, excluded = _specs(patterns)
    return included.match_file(path) and not excluded.match_file(path)


def is_production(path: str) -> bool:
    """Whether a file that is no test may run in production: no documentation, examples, vendored code or tools."""
    return not matches(_BESIDE, path)
