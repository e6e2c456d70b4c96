"""What the regular expressions of the rules cost at worst: on texts made to be hard for each, and twice as long ones.

    python -m tests.bench.expressions [--length 20000] [--most 20]

The processor time of one search in the hardest text of a length and in that of double the length. Two is linear, four
is quadratic; as a limit beside them, the same for ``str.find`` of a text that is not there.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable

from tests.rules.adversarial import expressions, texts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--length", type=int, default=20_000)
    parser.add_argument("--most", type=int, default=20)
    arguments = parser.parse_args()
    rows = sorted((hardest(value, arguments.length), name) for name, value in expressions().items())
    print(f"{len(rows)} expressions, the hardest of their texts of {arguments.length:,} characters\n")
    print("| expression | ms | ms, twice as long | ratio |\n| --- | --- | --- | --- |")
    for (once, twice), name in reversed(rows[-arguments.most :]):
        print(f"| {name} | {1e3 * once:.2f} | {1e3 * twice:.2f} | {twice / max(once, 1e-9):.1f} |")
    once, twice = (spent(("x" * length).find, "y") for length in (arguments.length, 2 * arguments.length))
    print(f"| `str.find` | {1e3 * once:.4f} | {1e3 * twice:.4f} | {twice / max(once, 1e-9):.1f} |")
    return 0


def hardest(value: re.Pattern[str], length: int) -> tuple[float, float]:
    """Seconds for the text that takes longest, and for its like of double the length."""
    pairs = zip(texts(value, length), texts(value, 2 * length), strict=True)
    return max(((spent(value.search, a), spent(value.search, b)) for a, b in pairs), default=(0.0, 0.0))


def spent(search: Callable[[str], object], text: str) -> float:
    """The least processor time of three calls."""
    times = []
    for _ in range(3):
        started = time.process_time()
        search(text)
        times.append(time.process_time() - started)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
