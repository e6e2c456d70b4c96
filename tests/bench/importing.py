"""How fast large recordings are read, against merely decoding the same bytes with the fastest library there is.

    python -m tests.bench.importing FOLDER [otlp=1000] [austin=200] [folded=200] [pprof=1000000] [folded:FILE ...]

``otlp``, ``austin`` and ``folded`` are megabytes, ``pprof`` samples; ``folded:FILE`` is a recording of your own. The
files are made once, in FOLDER, of the functions of the sample program. ``austin`` has one line a sample of 6,500
different stacks, as a sampler writes it; in ``folded`` and ``pprof``, which no program leaves, no stack is there twice.
Each reading is a process of its own, three of each in turn: the least processor seconds, behind a small recording (what
is loaded and read once, whatever the size, is another matter), and the peak of the memory. OTLP is compared with
orjson; pprof with protobuf's parser (upb), both as it leaves the message and with each sample looked at; folded stacks
with splitting lines and frames, as no library reads them: as bytes, the least that can be done, and as text with the
count as a number, which is what a library that decodes JSON would leave.
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


def folded(path: Path, megabytes: int) -> None:
    """Stacks as py-spy writes them, with a library between."""
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
    strings = ["", "cpu", "nanoseconds", "/srv/app/frame/work.py", *names]
    out = bytearray(_field(1, _number(1, 1) + _number(2, 2)))
    for index in range(len(names)):
        out += _field(5, _number(1, index + 1) + _number(2, index + 4) + _number(4, 3))
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
            chain, _, weight = line.rpartition(b" ")
            chain.decode().split(";")
            int(weight)


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


# The libraries that a reading loads; that takes as long for a small file.
_LOADED = {
    "import": ("gatecli.pipeline", "numpy"),
    "otlp": ("orjson",),
    "pprof": ("google.protobuf.descriptor_pool", "google.protobuf.message_factory"),
    "pprof, each sample looked at": ("google.protobuf.descriptor_pool", "google.protobuf.message_factory"),
}
_READERS = {
    "import": import_,
    "otlp": read_otlp,
    "folded": read_folded,
    "folded, decoded": read_folded_decoded,
    "pprof": read_pprof,
    "pprof, each sample looked at": read_pprof_touched,
}
_YARDSTICKS = {
    "otlp": ("otlp",),
    "austin": ("folded", "folded, decoded"),
    "folded": ("folded", "folded, decoded"),
    "pprof": ("pprof", "pprof, each sample looked at"),
}
_TIMES = 3
_PROFILES = Path(__file__).resolve().parents[1] / "data" / "profiles"
_SAMPLES = ("otlp.flask.jsonl", "austin.raw.txt", "datadog-python.pprof.gz")


def _measured(what: str, path: Path) -> tuple[float, int]:
    """Processor seconds and megabytes of one reading."""
    command = [sys.executable, "-m", "tests.bench.importing", "--one", what, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr[-2_000:])
        return float("nan"), 0
    seconds, megabytes = done.stdout.split()
    return float(seconds), int(megabytes)


def main() -> None:
    if sys.argv[1] == "--one":
        for name in _LOADED.get(sys.argv[2], ()):
            importlib.import_module(name)
        if sys.argv[2] == "import":
            for sample in _SAMPLES:  # what is loaded and read once, whatever the size
                import_(_PROFILES / sample)
        before = time.process_time()
        _READERS[sys.argv[2]](Path(sys.argv[3]))
        print(time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    folder = Path(sys.argv[1])
    asked = [word.partition("=") for word in sys.argv[2:] if ":" not in word]
    sizes = {name: int(size) for name, _, size in asked}
    own = [word.partition(":") for word in sys.argv[2:] if ":" in word]
    if not sizes and not own:
        sizes = {"otlp": 1_000, "austin": 200, "folded": 200, "pprof": 1_000_000}
    for name, size in sizes.items():
        path = folder / f"{name}-{size}"
        if not path.exists():
            {"otlp": otlp, "austin": austin, "folded": folded, "pprof": pprof}[name](path, size)
        _compare(name, path)
    for name, _, file in own:
        _compare(name, Path(file))


def _compare(name: str, path: Path) -> None:
    found: dict[str, list[tuple[float, int]]] = {what: [] for what in (*_YARDSTICKS[name], "import")}
    for _ in range(_TIMES):
        for what, measured in found.items():
            measured.append(_measured(what, path))
    seconds = {what: min(second for second, _ in measured) for what, measured in found.items()}
    ours, peak = seconds.pop("import"), max(megabytes for _, megabytes in found["import"])
    print(f"{name} ({path.stat().st_size / 1e6:.0f} MB): imported in {ours:.2f} s, {peak} MB of memory", flush=True)
    for what, bare in seconds.items():
        print(f"    {bare / ours:.2f} x of decoding it ({what}) in {bare:.2f} s", flush=True)


if __name__ == "__main__":
    main()
