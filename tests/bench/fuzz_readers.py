"""Damaged recordings without end: every reader must read them or refuse them with an error of gate's.

    python -m tests.bench.fuzz_readers [--mutations 20000] [--seed 1] [NAME...]

Each sample is damaged ``--mutations`` times and imported; the table says how many could still be read. An exception of
any other kind is printed with its seed; it, or a mutant that takes more than five seconds of the processor, makes the
exit code 1.
"""

import argparse
import random
import sys
import time
import traceback
from collections import Counter

from tests.runtime.formats.mutation import mutated, outcome
from tests.runtime.formats.samples import SAMPLES, content, reader

_SLOW_S = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.names or SAMPLES:
        failed += _fuzz(name, arguments.mutations, arguments.seed)
    return 1 if failed else 0


def _fuzz(name: str, mutations: int, seed: int) -> int:
    data, found = content(name), reader(name)
    counts: Counter[str] = Counter()
    failed, slowest, began = 0, 0.0, time.perf_counter()
    for number in range(mutations):
        at = time.process_time()
        try:
            counts[outcome(found, mutated(data, random.Random(seed * 1_000_003 + number)))] += 1
        except Exception:
            failed += 1
            print(f"{name}: mutation {number}", traceback.format_exc(limit=-4), sep="\n")
        slowest = max(slowest, time.process_time() - at)
    failed += slowest > _SLOW_S
    print(f"{name:32} {time.perf_counter() - began:6.1f} s, slowest {slowest:.2f} s, {failed} failed, {dict(counts)}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
