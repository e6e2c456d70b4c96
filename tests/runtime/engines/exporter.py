"""A program with autometrics' counters: ``python exporter.py PORT`` calls functions and serves what it counted."""

import sys
import threading
import time

from prometheus_client import Counter, Gauge, Histogram, start_http_server

LABELS = ("function", "module", "service_name")
CALLS = Counter("function_calls", "Calls.", [*LABELS, "result", "caller_module", "caller_function"])
SECONDS = Histogram("function_calls_duration_seconds", "Durations.", LABELS, buckets=(0.001, 0.01, 0.1, 1.0))
BUILD = Gauge("build_info", "What runs.", ["commit", "service_name"])


def count(function: str, module: str, caller: tuple[str, str], *, fails: bool, seconds: float) -> None:
    labels = {"function": function, "module": module, "service_name": "shop"}
    caller_module, caller_function = caller
    CALLS.labels(
        **labels,
        result="error" if fails else "ok",
        caller_module=caller_module,
        caller_function=caller_function,
    ).inc()
    SECONDS.labels(**labels).observe(seconds)


def work() -> None:
    """A hundred orders a second, one in ten fails."""
    number = 0
    while True:
        number += 1
        count("Checkout.__call__", "shop.checkout", ("", ""), fails=False, seconds=0.05)
        count(
            "price_order", "shop.pricing", ("shop.checkout", "Checkout.__call__"), fails=number % 10 == 0, seconds=0.005
        )
        time.sleep(0.01)


if __name__ == "__main__":
    BUILD.labels(commit="0123456789abcdef0123456789abcdef01234567", service_name="shop").set(1)
    start_http_server(int(sys.argv[1]), addr="127.0.0.1")
    threading.Thread(target=work, daemon=True).start()
    time.sleep(60)  # whoever started it ends it; this is for the case that they do not
