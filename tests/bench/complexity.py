"""Is the cyclomatic number right? Against radon's, for every function of the newest commit of repositories.

    pip install radon
    python -m tests.bench.complexity REPOSITORY...

radon counts the ``else`` of a loop and of a ``try``, which gate does not, and leaves out what an ``assert`` holds,
which gate counts. Functions with others inside are left out: radon adds those up. Exits 1 at any other difference.
"""

import argparse
import ast
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from gatecli.errors import EvidenceError
from gatecli.model import FunctionKind
from gatecli.syntax.complexity import complexity
from gatecli.syntax.python import read_module
from gatecli.syntax.sides import sides
from tests.bench.second_opinion import git

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def sources(repository: Path) -> Iterator[tuple[str, bytes]]:
    """The Python files of the newest commit."""
    for path in git(repository, "ls-tree", "-r", "-z", "--name-only", "HEAD").decode("utf-8", "replace").split("\0"):
        if path.endswith(".py"):
            yield path, git(repository, "show", f"HEAD:{path}")


def theirs(source: bytes) -> dict[int, int]:
    """radon's number by the line of the ``def``, as gate means it."""
    from radon.visitors import ComplexityVisitor

    def number(node: ast.AST) -> int:
        visitor = ComplexityVisitor()
        visitor.visit(node)
        return visitor.functions[0].complexity if visitor.functions else visitor.complexity

    found = {}
    for node in ast.walk(ast.parse(source)):
        inner = [child for child in ast.walk(node) if child is not node]
        if isinstance(node, _DEFINITIONS[:2]) and not any(isinstance(child, _DEFINITIONS) for child in inner):
            loops = (ast.For, ast.While, ast.AsyncFor, ast.Try)
            extra = sum(isinstance(child, loops) and bool(child.orelse) for child in inner)
            asserted = [part for child in inner if isinstance(child, ast.Assert) for part in (child.test, child.msg)]
            missing = sum(number(ast.Expr(part)) - 1 for part in asserted if part is not None)
            found[node.lineno] = number(node) - extra + missing
    return found


def ours(path: str, source: bytes) -> dict[int, int | None]:
    """gate's number by the line of the ``def``."""
    called = (FunctionKind.FUNCTION, FunctionKind.METHOD)
    return {
        side.function.span.def_line: complexity(side)
        for side in sides(read_module(path, source), source, ())
        if side.function.kind in called
    }


def main() -> int:
    """Compare, print, and say by the exit code whether anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+", type=Path)
    warnings.simplefilter("ignore")
    compared = different = 0
    for repository in parser.parse_args().repositories:
        for path, source in sources(repository):
            try:
                expected, found = theirs(source), ours(path, source)
            except (SyntaxError, ValueError, EvidenceError):
                continue
            for line, number in expected.items():
                compared += 1
                if found.get(line) != number:
                    different += 1
                    print(f"{repository} {path}:{line}: gate {found.get(line)}, radon {number}")
    print(f"{compared:,} functions, {different:,} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
