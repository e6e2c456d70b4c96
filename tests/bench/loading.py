"""How long a large profile takes to load and to look functions up in: ``python -m tests.bench.loading [PROFILE]``.

Without PROFILE, that of ``prepare`` is made: 20,000 functions, 200,000 edges. Median and least processor
time of 30 loads, with the callers and callees of five functions; and of inflating and decoding the whole file with
orjson (or json, where that is not installed).
"""

import gzip
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from gatecli.runtime.attach import _neighbours
from gatecli.runtime.profile import decode, load, save
from tests.bench.prepare import profile


def main() -> None:
    """Measure one file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile.json.gz"
        content = Path(sys.argv[1]).read_bytes() if sys.argv[1:] else profile(Path(), [], [], "0" * 40, 20_000, 200_000)
        save(decode(content), path)
        decoder, decode_json = "json", json.loads
        if importlib.util.find_spec("orjson"):
            decoder, decode_json = "orjson", importlib.import_module("orjson").loads
        loads, both, decoded = [], [], []
        for number in range(30):
            began = time.process_time()
            loaded = load(path)
            loads.append(1_000 * (time.process_time() - began))
            _neighbours(loaded, {row.id for row in loaded.functions[:5]})
            both.append(1_000 * (time.process_time() - began))
            if number % 3 == 0:
                began = time.process_time()
                decode_json(gzip.decompress(path.read_bytes()))
                decoded.append(1_000 * (time.process_time() - began))
        print(f"{path.stat().st_size / 1e6:.1f} MB, {len(loaded.functions):,} functions, {len(loaded.edges):,} edges")
        for title, times in (
            ("loading", loads),
            ("with callers and callees", both),
            (f"inflating and decoding with {decoder}", decoded),
        ):
            print(f"{title}: median {statistics.median(times):.0f} ms, least {min(times):.0f} ms")


if __name__ == "__main__":
    main()
