"""Is a change ever called cosmetic that is none? Mutants of real functions, judged by the standard library's parser.

    python -m tests.bench.mutants [--seconds 60] [--seed 1]

Takes functions of the running Python's own library, changes a character or an indentation in one, and where both still
parse compares gate's shape with the syntax tree (docstrings left out). Exits 1 at the first mutant that has the same
shape and another tree: a hole through which code could pass as layout.
"""

import argparse
import ast
import os
import random
import sys
import textwrap
import time
import warnings
from pathlib import Path

from gatecli.syntax import normalise
from gatecli.syntax.python import read_module
from tests.syntax.test_normalise import meaning, parses

PIECES = [*"()[]{},.:;=+-*'\"#fr \n\\x1@!%&|<>", "    ", "''", "()", ", ", "not ", "await ", "\n    ", "f'"]
FILES = 60


def functions(generator: random.Random) -> list[str]:
    """Short functions of some files of the standard library and its tests."""
    library = Path(os.__file__).parent
    files = [*library.glob("*.py"), *(library / "test").glob("test_*.py")]
    generator.shuffle(files)
    found = []
    for file in files[:FILES]:
        try:
            text = file.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        lines = text.split("\n")
        found += [
            textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno])) + "\n"
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and 2 < node.end_lineno - node.lineno < 25
        ]
    return [source for source in found if parses(source)]


def mutant(source: str, generator: random.Random) -> str:
    """The source with a piece put in, taken out or replaced, or a line moved in or out."""
    position, piece = generator.randrange(len(source)), generator.choice(PIECES)
    match generator.randrange(5):
        case 0:
            return source[:position] + piece + source[position:]
        case 1:
            return source[:position] + source[position + generator.choice([1, 1, 2, 4]) :]
        case 2 | 3:
            return source[:position] + piece + source[position + 1 :]
    lines = source.split("\n")
    number = generator.randrange(len(lines))
    lines[number] = "    " + lines[number] if generator.random() < 0.5 else lines[number][4:]
    return "\n".join(lines)


def main() -> int:
    """Try mutants for a while; 1 if one is a hole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    sources = functions(generator)
    tried = valid = same = 0
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        source = generator.choice(sources)
        other = mutant(source, generator)
        tried += 1
        if other == source or not parses(other):
            continue
        valid += 1
        before, after = read_module("a.py", source.encode()), read_module("a.py", other.encode())
        if before.error_lines or after.error_lines:
            continue
        if normalise.body_shape(before, 0)[0] == normalise.body_shape(after, 0)[0]:
            same += 1
            if meaning(source) != meaning(other):
                print(f"called cosmetic:\n{source}\n---\n{other}")
                return 1
    print(f"{tried:,} mutants of {len(sources):,} functions, {valid:,} valid, {same:,} with the same shape, no hole")
    return 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # odd escapes and literals of mutants
    sys.exit(main())
