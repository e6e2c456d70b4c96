"""Source of any kind to functions, without end: each is read and compared, or refused with an error of gate's.

    python -m tests.bench.fuzz_functions [--inputs 100000] [--seed 1] [--guided]

An input is bytes: pieces of Python in random order, a file of the standard library with some of its bytes changed, or
bytes of chance. It goes the way of a change: decoded, parsed, its landmarks and functions found, its names and values
read and followed, and compared with the input before it. An exception, or an input that takes more than five seconds,
is printed with its number, and makes the exit code 1. With ``--guided`` atheris makes the inputs (pip install atheris):
those that lead to other lines of the gate than any before are varied further.
"""

import argparse
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gatecli.errors import EvidenceError
from gatecli.model import FileChange, FileStatus
from gatecli.sources.rebuild import hunks_between
from gatecli.syntax.edges import edges_of
from gatecli.syntax.entrypoints import EntryPoints
from gatecli.syntax.imports import Project, names_of, read_names
from gatecli.syntax.inference.engine import Inference
from gatecli.syntax.inference.program import Program
from gatecli.syntax.match import changed_functions
from gatecli.syntax.python import read_module
from tests.syntax.trees import MemoryTree

_SLOW_S = 5.0
_PATH = "a.py"
_PIECES = [
    *("def f(", "class A", "lambda x: ", "async ", "await ", "yield ", "return ", "import a", "from . import b as c\n"),
    *(
        "@d\n",
        "if x:\n",
        "else:\n",
        "for x in y:\n",
        "while 1:\n",
        "try:\n",
        "except* E as e:\n",
        "finally:\n",
        "with ",
    ),
    *("match x:\n", "case [a, *b]:\n", "type T[X] = ", "(", ")", "[", "]", "{", "}", ":", ",", "=", ":=", "->", "."),
    *("x", "y", "self", "__init__", "super()", "'a'", "f'{x", "'''", '"', "\\", "\\\n", "1", "0x", "1e", "*", "**"),
    *(
        "\n",
        "\n    ",
        "\n        ",
        "\t",
        "\r\n",
        "\r",
        "\x0c",
        "#c\n",
        ";",
        "é",
        "\ufeff",
        "# coding: latin-1\n",
        "~",
        "@",
    ),
]


def main() -> int:
    """Fuzz, and say how many inputs were read, partly read and refused; returns 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guided", action="store_true")
    given = parser.parse_args()
    if given.guided:
        return guided(given.inputs, given.seed)
    counts: Counter[str] = Counter()
    failed, slowest, before, began = 0, 0.0, b"", time.perf_counter()
    for number, source in enumerate(inputs(given.seed, given.inputs)):
        at = time.perf_counter()
        try:
            counts[outcome(before, source)] += 1
        except Exception:
            failed += 1
            print(f"input {number}: {source[:200]!r}", traceback.format_exc(limit=-4), sep="\n")
        took = time.perf_counter() - at
        if took > _SLOW_S:
            failed += 1
            print(f"input {number} took {took:.1f} s: {source[:200]!r}")
        slowest, before = max(slowest, took), source
    spent = time.perf_counter() - began
    print(f"{given.inputs:,} inputs in {spent:.0f} s, slowest {slowest:.2f} s, {failed} failed, {dict(counts)}")
    return 1 if failed else 0


def guided(count: int, seed: int) -> int:
    """Let atheris look for an exception; it ends the process, with an error where it found one."""
    import atheris

    atheris.instrument_all()
    arguments = [
        f"-runs={count}",
        f"-seed={seed}",
        "-max_len=600",
        "-timeout=5",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *arguments], lambda data: outcome(data[: len(data) // 2], data[len(data) // 2 :]))
    atheris.Fuzz()
    return 0


def inputs(seed: int, count: int) -> Iterator[bytes]:
    """The inputs, the same for the same seed and Python."""
    chance = random.Random(seed)
    library = Path(os.__file__).parent
    files = [file.read_bytes() for file in sorted(library.glob("*.py")) if file.stat().st_size < 20_000]
    for number in range(count):
        if number % 10 == 0:
            yield chance.randbytes(chance.randrange(300))
        elif number % 10 == 1:
            yield damaged(chance.choice(files), chance)
        else:
            yield "".join(chance.choices(_PIECES, k=chance.randrange(30))).encode()


def damaged(source: bytes, chance: random.Random) -> bytes:
    """A stretch of a file with a few of its bytes replaced, dropped or doubled."""
    start = chance.randrange(max(1, len(source) - 2_000))
    found = bytearray(source[start : start + 2_000])
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(found) + 1)
        found[at : at + chance.randrange(4)] = chance.choice((b"", found[at : at + 30] * 2, chance.randbytes(2)))
    return bytes(found)


def outcome(before: bytes, source: bytes) -> str:
    """Take an input the way of a change, and say how it was read: parsed, partial or refused."""
    file = FileChange(
        path=_PATH,
        old_path=_PATH,
        status=FileStatus.MODIFIED,
        hunks=hunks_between(before, source),
        before=before,
        after=source,
    )
    changed_functions([file])
    try:
        module = read_module(_PATH, source)
        read_names(_PATH, source)
    except EvidenceError:
        return "refused"
    tree = MemoryTree({_PATH: source})
    project = Project(tree)
    EntryPoints(project, tree).add(module, names_of(module))
    program = Program(tree, project)
    inference = Inference(program)
    pending = [program.scope(function.id) for function in module.functions]
    while pending:
        scope = pending.pop()
        if scope is not None:
            pending += scope.lambdas.values()
            list(edges_of(inference, scope))
    return "partial" if module.error_lines else "parsed"


if __name__ == "__main__":
    sys.exit(main())
