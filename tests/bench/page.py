"""How fast does the HTML report of a large change open? One command; needs Chromium and ``npm ci --prefix tests/node``.

    python -m tests.bench.page [--functions 500] [--rounds 5]

Each round opens the page in a new Chromium context and waits for the second frame after it was read. Prints the
median and the range of milliseconds, and what the page weighs against the target of 1.5 MB.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from gatecli.reports import html
from tests.reports import sample
from tests.reports.node import MODULES, SCRIPTS, program

TARGET_MS = 1_000
TARGET_BYTES = 1_500_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gate-bench-") as folder:
        file = Path(folder) / "report.html"
        file.write_text(html.render(sample.large(asked.functions)), encoding="utf-8")
        size = file.stat().st_size
        chromium = program("chromium", "chromium-browser", "google-chrome")
        command = [program("node"), str(SCRIPTS / "page.mjs"), "time", str(MODULES), chromium]
        done = subprocess.run([*command, *[str(file)] * asked.rounds], capture_output=True, text=True, check=True)
    taken = [turn["milliseconds"] for turn in json.loads(done.stdout)[str(file)]]
    print(
        f"{asked.functions:,} functions, {size / 1e6:.2f} MB (at most {TARGET_BYTES / 1e6:.1f}): "
        f"opens in {statistics.median(taken):.0f} ms, range {min(taken):.0f}-{max(taken):.0f} "
        f"(under {TARGET_MS:,} wanted), {len(taken)} turns"
    )


if __name__ == "__main__":
    main()
