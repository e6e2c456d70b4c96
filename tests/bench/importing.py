"""How fast large recordings are read, against merely decoding the same bytes with the fastest library there is.

    python -m tests.bench.importing FOLDER [otlp=1000] [pyspy=200] [austin=200] [worst=200] [pprof=1000000]
                                    [pyspy:FILE austin:FILE ...]

``otlp``, ``pyspy``, ``austin`` and ``worst`` are megabytes, ``pprof`` samples; ``pyspy:FILE`` or ``austin:FILE`` is a
recording of your own, which is read but not matched: the size of your program is another matter. The files are made
once, in FOLDER, of the functions of the sample program. Folded stacks have three forms, whose shape is printed:
``pyspy`` has each different stack once, as py-spy, Go and Python 3.15 write them, with the shape of a recording of a
web application (``SHAPE``); ``austin`` has one line a sample of 6,500 different stacks; ``worst`` is what no program
leaves: each stack is there once, and twelve of its frames are by chance from 80,000. In ``pprof``, too, the locations
are by chance and no stack is there twice.

Each reading is a process of its own, three of each in turn: the least processor seconds, behind a small recording (what
is loaded and read once, whatever the size, is another matter), the same on the clock, which is worth something where
nothing else runs, and the peak of the memory. OTLP is compared with
orjson; pprof with protobuf's parser (upb), both as it leaves the message and with each sample looked at; folded stacks,
as no library reads them, with splitting lines and frames as bytes, the least that can be done; with splitting them
into text with the count as a number; and with orjson decoding the same stacks as JSON, ``[["frame", ...], count]``.
"""

import gzip
import importlib
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CODE = ("shop.pricing.price_order", "shop.pricing.price_lines", "shop.store.Store.save", "shop.models.Item.total")
ROUTES = ("/orders/<int:size>", "/orders/boom", "/v2/orders/{size}")
STACK = (
    "<module> (shop/__main__.py:34)",
    "main (shop/__main__.py:25)",
    "Checkout.__call__ (shop/checkout.py:18)",
    "AuditedStore.save (shop/store.py:26)",
    "AuditedStore.audit (shop/store.py:31)",
)
START_NS = 1_795_000_000 * 10**9
SHAPE = {"depth": 36, "new": 1.64, "functions": 1_500}
"""datasette under ``wrk`` with 17 kinds of request, py-spy at 500 Hz for three minutes (2026-11-27): 36 MB, 10,289
lines, all different, 36 frames deep (the deepest 119) and 4,564 different frames, of which the 100 most frequent make
88 %; a stack has 1.64 frames that stand where none stood in another."""


def otlp(path: Path, megabytes: int) -> None:
    """Export requests of 50 traces with 12 spans each, with the attributes that instrumentation writes.

    Paths, threads, ports and statements differ from span to span, as they do where people use a service.
    """
    chance = random.Random(1)
    resource_ = {
        "service.name": "shop",
        "deployment.environment.name": "production",
        "process.runtime.version": "3.12.1",
    }
    head = '{"resourceSpans":[{"resource":{"attributes":' + json.dumps(_attributes(resource_), separators=(",", ":"))
    with path.open("w") as file:
        number = 0
        while file.tell() < megabytes * 1_000_000:
            spans: list[str] = []
            for _ in range(50):
                number += 1
                spans += _trace(chance, number)
            file.write(head + '},"scopeSpans":[{"scope":{"name":"shop"},"spans":[' + ",".join(spans) + "]}]}]}\n")


def _trace(chance: random.Random, number: int) -> Iterator[str]:
    trace, start = f"{number:032x}", START_NS + number * 1_000_000
    for span in range(12):
        kind, attributes = (
            1,
            {
                "thread.id": f"{chance.randrange(64)}",
                "thread.name": "MainThread",
                "code.function.name": chance.choice(CODE),
            },
        )
        if span == 0:
            route = chance.choice(ROUTES)
            kind = 2
            attributes = {"http.request.method": "POST", "http.route": route, "http.response.status_code": "200",
                          "url.path": f"/orders/{number}", "client.port": f"{chance.randrange(60_000)}"}  # fmt: skip
        elif span % 4 == 3:
            kind, attributes = (
                3,
                {"db.system": "postgresql", "db.statement": f"SELECT id, total FROM orders WHERE id = {number}"},
            )
        row = {
            "traceId": trace,
            "spanId": f"{number * 16 + span:016x}",
            "parentSpanId": f"{number * 16 + chance.randrange(span):016x}" if span else "",
            "name": "work",
            "kind": kind,
            "startTimeUnixNano": str(start + span * 1_000),
            "endTimeUnixNano": str(start + 900_000 - span * 2_000),
            "attributes": _attributes(attributes),
            "status": {},
        }
        yield json.dumps(row, separators=(",", ":"))


def _attributes(values: dict[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def pyspy(path: Path, megabytes: int) -> None:
    """Each different stack once, in no order: grown from one another as those of a program are, to ``SHAPE``."""
    chance = random.Random(5)
    functions = range(int(SHAPE["functions"]))
    popular = [1 / (1 + number) for number in functions]
    drawn = iter(())
    texts: dict[tuple[int, int], str] = {}
    stacks = [
        ((-1, 0), (-1, 1), *((-2 - thread, depth) for depth in range(int(SHAPE["depth"]) - 4)), (-1, 2), (-1, 3))
        for thread in range(4)
    ]
    seen, written = set(stacks), 0
    leaves_more = 1 - 1 / SHAPE["new"]
    while written < megabytes * 1_000_000:
        above = chance.choice(stacks)
        grown = list(above)
        # What is taken off and what comes instead are of one length on average: stacks stay as deep as they are.
        while len(grown) > 4 and chance.random() < leaves_more:
            grown.pop()
        grown.pop()
        while True:
            function = next(drawn, None)
            if function is None:
                drawn = iter(chance.choices(functions, popular, k=10_000))
                continue
            grown.append((function, min(int(chance.expovariate(0.3)), 30)))
            if chance.random() >= leaves_more:
                break
        stack = tuple(grown)
        if stack not in seen:
            seen.add(stack)
            stacks.append(stack)
            written += sum(len(_text(step, texts)) + 1 for step in stack) + 2
    chance.shuffle(stacks)
    with path.open("w") as file:
        file.writelines(
            f"{';'.join(_text(step, texts) for step in stack)} {chance.randrange(1, 9)}\n" for stack in stacks[4:]
        )


def _text(step: tuple[int, int], texts: dict[tuple[int, int], str]) -> str:
    if step not in texts:
        function, line = step
        if function == -1:
            texts[step] = STACK[line]
        elif function < 0:
            texts[step] = (
                f"serve_{line} (/usr/local/lib/python3.12/site-packages/server_{-function}/loop.py:{line * 9 + 1})"
            )
        else:
            file = f"/usr/local/lib/python3.12/site-packages/frame_{function % 40}/work_{function % 300}.py"
            texts[step] = f"Handler_{function % 700}.call_{function} ({file}:{function % 900 + line})"
    return texts[step]


def worst(path: Path, megabytes: int) -> None:
    """Stacks of which each is there once, of frames by chance."""
    chance = random.Random(2)
    with path.open("w") as file:
        while file.tell() < megabytes * 1_000_000:
            lines = []
            for _ in range(1_000):
                library = [
                    f"call_{chance.randrange(40)} (lib/site-packages/frame/work.py:{chance.randrange(2_000)})"
                    for _ in range(12)
                ]
                frames = [*STACK[:2], *library, *STACK[2 : chance.randrange(3, 6)]]
                lines.append(f"{';'.join(frames)} {chance.randrange(1, 9)}\n")
            file.write("".join(lines))


def austin(path: Path, megabytes: int) -> None:
    """One line a sample, with its microseconds, of some thousand stacks: few of them make up most samples."""
    chance = random.Random(4)
    places = [f"/venv/lib/site-packages/frame/work_{n % 90}.py:Frame.call_{n % 700}:{n}" for n in range(2_600)]
    ours = ["/app/shop/__main__.py:main:25", "/app/shop/checkout.py:Checkout.__call__:18",
            "/app/shop/store.py:AuditedStore.save:26", "/app/shop/store.py:AuditedStore.audit:31"]  # fmt: skip
    stacks = [
        ";".join(["P7;T0:7", *ours[:2], *(chance.choice(places) for _ in range(12)), *ours[2 : chance.randrange(2, 5)]])
        for _ in range(6_500)
    ]
    weights = [1 / rank for rank in range(1, len(stacks) + 1)]
    with path.open("w") as file:
        file.write("# austin: 3.7.0\n# interval: 100\n# mode: wall\n\n")
        while file.tell() < megabytes * 1_000_000:
            chosen = chance.choices(stacks, weights, k=1_000)
            file.write("".join(f"{stack} {chance.randrange(100, 400)}\n" for stack in chosen))


def pprof(path: Path, samples: int) -> None:
    """Samples with 20 locations each of some thousand, gzipped."""
    chance = random.Random(3)
    names = [f"call_{number}" for number in range(3_000)]
    names[:3] = ["price_order", "price_lines", "price_line"]
    strings = ["", "cpu", "nanoseconds", "/srv/app/frame/work.py", *names, "/srv/app/shop/pricing.py"]
    out = bytearray(_field(1, _number(1, 1) + _number(2, 2)))
    for index in range(len(names)):
        file = len(strings) - 1 if index < 3 else 3
        out += _field(5, _number(1, index + 1) + _number(2, index + 4) + _number(4, file))
        out += _field(4, _number(1, index + 1) + _field(4, _number(1, index + 1) + _number(2, 10)))
    for text in strings:
        out += _field(6, text.encode())
    for _ in range(samples):
        locations = b"".join(_varint(chance.randrange(1, 3_001)) for _ in range(20))
        out += _field(2, _field(1, locations) + _field(2, _varint(10_000_000)))
    path.write_bytes(gzip.compress(bytes(out), 1))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


# --------------------------------------------------------------------------- what is measured


def read_otlp(path: Path) -> None:
    import orjson

    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def read_folded(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            line.rpartition(b" ")[0].split(b";")


def read_folded_decoded(path: Path) -> None:
    """What a decoder of JSON would give: text, and numbers as numbers."""
    with path.open("rb") as file:
        for line in file:
            if line.startswith((b"#", b"\n")):
                continue
            chain, _, weight = line.rpartition(b" ")
            chain.decode().split(";")
            int(weight)


def _as_json(path: Path) -> Path:
    """The stacks of a file as JSON, beside it."""
    import orjson

    written = path.with_name(path.name + ".json")
    if not written.exists():
        with path.open("rb") as file, written.open("wb") as out:
            for line in file:
                if not line.startswith((b"#", b"\n")):
                    chain, _, weight = line.rpartition(b" ")
                    out.write(orjson.dumps([chain.decode().split(";"), int(weight)]) + b"\n")
    return written


def _shape(path: Path) -> str:
    """How many stacks of a folded file are different, how deep they are, and of how many frames."""
    lines, deep, chains, times = 0, 0, set(), Counter[bytes]()
    with path.open("rb") as file:
        for line in file:
            if not line.startswith((b"#", b"\n")):
                chain = line.rpartition(b" ")[0]
                frames = chain.split(b";")
                lines, deep = lines + 1, deep + len(frames)
                chains.add(hash(chain))
                times.update(frames)
    often = sum(count for _, count in times.most_common(100))
    return (
        f"{lines:,} lines, {len(chains) / lines:.1%} of the stacks different, {deep / lines:.0f} frames deep, "
        f"{len(times):,} different frames, the 100 most frequent make {often / deep:.0%}"
    )


def read_pprof(path: Path, touched: bool = False) -> None:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="p.proto", package="p", syntax="proto3")
    field = descriptor_pb2.FieldDescriptorProto

    def add(name: str, *fields: tuple[str, int, int, bool, str]) -> None:
        message = file.message_type.add(name=name)
        for title, number, type, repeated, of in fields:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            made = message.field.add(name=title, number=number, type=type, label=label)
            if of:
                made.type_name = of

    number, inner = field.TYPE_INT64, field.TYPE_MESSAGE
    add("Sample", ("location", 1, number, True, ""), ("value", 2, number, True, ""))
    add("Line", ("function", 1, number, False, ""), ("line", 2, number, False, ""))
    add("Location", ("id", 1, number, False, ""), ("line", 4, inner, True, ".p.Line"))
    add("Function", ("id", 1, number, False, ""), ("name", 2, number, False, ""), ("file", 4, number, False, ""))
    add("Profile", ("sample", 2, inner, True, ".p.Sample"), ("location", 4, inner, True, ".p.Location"),
        ("function", 5, inner, True, ".p.Function"), ("string", 6, field.TYPE_BYTES, True, ""))  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    profile = message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Profile"))()
    profile.ParseFromString(gzip.decompress(path.read_bytes()))
    if touched:  # parsed is not yet at hand
        sum(len(sample.location) + sample.value[0] for sample in profile.sample)


def read_pprof_touched(path: Path) -> None:
    read_pprof(path, touched=True)


def import_(path: Path) -> None:
    from gatecli.pipeline import import_profile

    with tempfile.TemporaryDirectory() as name:  # no part of a repository: its own size is another matter
        shutil.copytree(Path(__file__).resolve().parents[1] / "data" / "shop", Path(name), dirs_exist_ok=True)
        import_profile([path], directory=Path(name), window_s=3_600)


def read_alone(path: Path) -> None:
    from gatecli.runtime import formats

    formats.read(path)


# The libraries that a reading loads; that takes as long for a small file.
_LOADED = {
    "read": ("gatecli.pipeline", "numpy"),
    "import": ("gatecli.pipeline", "numpy"),
    "otlp": ("orjson",),
    "folded, as JSON": ("orjson",),
    "pprof": ("google.protobuf.descriptor_pool", "google.protobuf.message_factory"),
    "pprof, each sample looked at": ("google.protobuf.descriptor_pool", "google.protobuf.message_factory"),
}
_READERS = {
    "read": read_alone,
    "import": import_,
    "otlp": read_otlp,
    "folded": read_folded,
    "folded, decoded": read_folded_decoded,
    "folded, as JSON": read_otlp,
    "pprof": read_pprof,
    "pprof, each sample looked at": read_pprof_touched,
}
_YARDSTICKS = {
    "otlp": ("otlp",),
    **dict.fromkeys(("pyspy", "austin", "worst"), ("folded", "folded, decoded", "folded, as JSON")),
    "pprof": ("pprof", "pprof, each sample looked at"),
}
_MADE = {"otlp": otlp, "pyspy": pyspy, "austin": austin, "worst": worst, "pprof": pprof}
_TIMES = 3
_PROFILES = Path(__file__).resolve().parents[1] / "data" / "profiles"
_SAMPLES = ("otlp.flask.jsonl", "austin.raw.txt", "datadog-python.pprof.gz")


def _measured(what: str, path: Path) -> tuple[float, float, int]:
    """Processor seconds, seconds on the clock, and megabytes of one reading."""
    command = [sys.executable, "-m", "tests.bench.importing", "--one", what, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2_000:])
        return float("nan"), float("nan"), 0
    seconds, clock, megabytes = done.stdout.split()
    return float(seconds), float(clock), int(megabytes)


def main() -> None:
    if sys.argv[1] == "--one":
        for name in _LOADED.get(sys.argv[2], ()):
            importlib.import_module(name)
        if sys.argv[2] in ("import", "read"):
            for sample in _SAMPLES:  # what is loaded and read once, whatever the size
                import_(_PROFILES / sample)
        before, began = time.process_time(), time.perf_counter()
        _READERS[sys.argv[2]](Path(sys.argv[3]))
        print(
            time.process_time() - before,
            time.perf_counter() - began,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )
        return
    folder = Path(sys.argv[1])
    asked = [word.partition("=") for word in sys.argv[2:] if ":" not in word]
    sizes = {name: int(size) for name, _, size in asked}
    own = [word.partition(":") for word in sys.argv[2:] if ":" in word]
    if not sizes and not own:
        sizes = {"otlp": 1_000, "pyspy": 200, "austin": 200, "worst": 200, "pprof": 1_000_000}
    for name, size in sizes.items():
        path = folder / f"{name}-{size}"
        if not path.exists():
            _MADE[name](path, size)
        _compare(name, path, "import")
    for name, _, file in own:
        _compare(name, Path(file), "read")


def _compare(name: str, path: Path, own: str) -> None:
    found: dict[str, list[tuple[float, float, int]]] = {what: [] for what in (*_YARDSTICKS[name], own)}
    if "folded, as JSON" in found:
        print(f"{name}: {_shape(path)}")
        _as_json(path)
    for _ in range(_TIMES):
        for what, measured in found.items():
            measured.append(_measured(what, _as_json(path) if what == "folded, as JSON" else path))
    least = {what: [min(times) for times in zip(*measured, strict=True)][:2] for what, measured in found.items()}
    (ours, clock), peak = least.pop(own), max(megabytes for *_, megabytes in found[own])
    size = path.stat().st_size / 1e6
    print(f"{name} ({size:.0f} MB): {own} in {ours:.2f} s ({clock:.2f} s on the clock), {peak} MB of memory")
    for what, (bare, shown) in least.items():
        ratios = f"{bare / ours:.2f} x of decoding it ({what}) in {bare:.2f} s"
        print(f"    {ratios}; on the clock {shown / clock:.2f} x", flush=True)


if __name__ == "__main__":
    main()
