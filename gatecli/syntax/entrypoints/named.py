"""What is called by a name of its own: tasks, jobs, consumers, commands, signals, resolvers, services, scripts."""

import re
from collections.abc import Iterator

from gatecli.model import Function, FunctionKind
from gatecli.syntax.entrypoints.facts import (
    CLOSE,
    DOTTED,
    NAMED,
    OPEN,
    OWNER,
    Fact,
    Handler,
    Mount,
    Point,
    Route,
    Router,
    Style,
)
from gatecli.syntax.entrypoints.family import Family
from gatecli.syntax.entrypoints.source import Call, Source, here, text
from gatecli.syntax.python import MODULE

# --------------------------------------------------------------------------- tasks, jobs, consumers

_TASKS = ("shared_task", "task", "periodic_task", "actor", "job", "scheduled_job", "db_task", "db_periodic_task")


def _task(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    """Named as Celery, RQ, Huey and Dramatiq name it: by ``name=``, else by its module and name.

    A job of RQ has the names of classes around it too, an actor only its own.
    """
    given = call.keywords.get("name") or call.keywords.get("actor_name")
    name = source.value(given) if given is not None else None
    default = {"actor": function.id.name, "job": DOTTED}.get(call.name, NAMED)
    yield Point(handler=here(function), label=f"task {name or default}")


def _enqueued(source: Source, call: Call) -> Iterator[Fact]:
    """``queue.enqueue(f, …)`` of RQ, ``scheduler.add_job(f, …)``, ``schedule.every(10).minutes.do(f)``."""
    position = 1 if call.name in ("enqueue_at", "enqueue_in") else 0
    handler = source.handler(call.arg(position, "func", "f"), call.scope)
    if handler is not None and call.owner:
        yield Point(handler=handler, label=f"task {DOTTED}")


def _scheduled(source: Source, call: Call) -> Iterator[Fact]:
    """``scheduler.schedule(when, f)`` and ``scheduler.cron("0 4 * * *", func=f)`` of rq-scheduler."""
    handler = source.handler(call.arg(1, "func"), call.scope) if call.owner and _says(source, b"rq_scheduler") else None
    if handler is not None:
        yield Point(handler=handler, label=f"task {DOTTED}")


def _consumed(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    """A subscriber of a topic (Faust's agents, FastStream)."""
    topic = call.arg(0)
    if call.owner and topic is not None:
        name = source.value(topic) or ""
        yield Point(handler=here(function), label=f"consumer {name.strip(OPEN + CLOSE) or DOTTED}")


def _callback(source: Source, call: Call) -> Iterator[Fact]:
    node = call.keywords.get("on_message_callback") or call.keywords.get("callback")
    handler = source.handler(node, call.scope)
    if handler is not None:
        queue = source.value(call.keywords.get("queue") or call.arg(0)) or ""
        yield Point(handler=handler, label=f"consumer {queue.strip(OPEN + CLOSE) or DOTTED}")


def _thread(source: Source, call: Call) -> Iterator[Fact]:
    handler = source.handler(call.keywords.get("target"), call.scope)
    if handler is not None:
        yield Point(handler=handler, label=f"thread {DOTTED}")


def _beat(source: Source) -> Iterator[Fact]:
    """The entries of a Celery beat schedule: ``{"nightly": {"task": "shop.tasks.settle", …}}``."""
    if not re.search(rb"beat_schedule|BEAT_SCHEDULE", source.module.source, re.I):
        return
    root = source.module.tree.root_node
    for match in re.finditer(rb"['\"]task['\"]\s?:", source.module.source):
        node = root.descendant_for_byte_range(match.start(), match.start() + 1)
        while node is not None and node.type != "pair":
            node = node.parent
        dotted = source.value(node.child_by_field_name("value")) if node is not None else None
        outer = node.parent.parent if node is not None and node.parent is not None else None
        key = source.value(outer.child_by_field_name("key")) if outer is not None and outer.type == "pair" else None
        if dotted:
            handler = Handler(expressions=(dotted,), is_dotted=True)
            yield Point(handler=handler, label=f"schedule {key or dotted} → {DOTTED}")


TASKS = Family(
    decorators={**dict.fromkeys(_TASKS, _task), **dict.fromkeys(("agent", "subscriber"), _consumed)},
    calls={
        **dict.fromkeys(("enqueue", "enqueue_call", "enqueue_at", "enqueue_in", "add_job", "do"), _enqueued),
        **dict.fromkeys(("schedule", "cron"), _scheduled),
        **dict.fromkeys(("basic_consume", "subscribe"), _callback),
        **dict.fromkeys(("Thread", "Process"), _thread),
    },
    files=_beat,
)

# --------------------------------------------------------------------------- commands and scripts

_MAIN = re.compile(rb"^if\s+__name__\s*==", re.M)


def _command(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    """A command of Click or Typer; below a group its label names the group."""
    if call.name == "command" and not call.owner and call.node.type != "call" and not _says(source, b"click"):
        return
    given = call.arg(0, "name")
    name = source.value(given) if given is not None else None
    is_typer = _says(source, b"typer") and not _says(source, b"click")
    name = name or _command_name(function.id.name, strips=not is_typer)
    owner = "" if call.owner in ("click", "typer") else call.owner
    if call.name == "group":
        yield Router(name=function.id.qualname, is_root=not owner)
        if owner:
            yield Mount(parent=owner, child=function.id.qualname, prefix=name, style=Style.COMMAND)
    yield Route(router=owner, path=name, handler=here(function), style=Style.COMMAND)


def _command_name(function: str, *, strips: bool) -> str:
    """Click drops ``_command``, ``_cmd``, ``_group`` and ``_grp`` at the end (since 8.2), Typer does not."""
    lowered = function.lower()
    if strips:
        lowered = re.sub(r"(?<=.)_(?:command|cmd|group|grp)$", "", lowered)
    return lowered.replace("_", "-")


def _typer_callback(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    if _says(source, b"typer"):
        yield Point(handler=here(function), label=f"command {function.id.name.replace('_', '-')}")


def _added_commands(source: Source, call: Call) -> Iterator[Fact]:
    """``app.add_typer(users, name="users")`` and ``cli.add_command(sync)``."""
    child = call.arg(0)
    if child is None or child.type not in ("identifier", "attribute"):
        return
    name = source.value(call.keywords.get("name") or call.arg(1)) or ""
    if call.name == "add_typer":
        made = source.constructor(text(child))
        name = name or (source.value(made.keywords.get("name")) if made is not None else "") or ""
    yield Mount(parent=call.owner, child=text(child), prefix=name, style=Style.COMMAND)


def _typer(source: Source, call: Call) -> Iterator[Fact]:
    parent = call.node.parent
    left = parent.child_by_field_name("left") if parent is not None and parent.type == "assignment" else None
    if left is not None:
        yield Router(name=text(left), is_root=True)


def _parser(source: Source, call: Call) -> Iterator[Fact]:
    """``parser.set_defaults(func=sync)`` of argparse, ``parser`` from ``add_parser("sync")``."""
    made = source.constructor(call.owner)
    name = source.value(made.arg(0, "name")) if made is not None and made.name == "add_parser" else None
    for node in call.keywords.values():
        handler = source.handler(node, call.scope) if node.type in ("identifier", "attribute") else None
        if handler is not None:
            yield Point(handler=handler, label=f"command {name or DOTTED}")


def _script(source: Source) -> Iterator[Fact]:
    path, root = source.module.path, source.module.tree.root_node
    is_main = path.rpartition("/")[2] == "__main__.py"
    for match in _MAIN.finditer(source.module.source):
        node = root.descendant_for_byte_range(match.start(), match.start() + 1)
        is_main |= node is not None and node.parent is not None and node.parent.type == "if_statement"
    if is_main:
        yield Point(handler=Handler(expressions=(MODULE,), is_here=True), label=f"script {path}")


def _says(source: Source, word: bytes) -> bool:
    return word in source.module.source


COMMANDS = Family(
    decorators={**dict.fromkeys(("command", "group"), _command), "callback": _typer_callback},
    calls={**dict.fromkeys(("add_typer", "add_command"), _added_commands), "set_defaults": _parser},
    suffixes={"Typer": _typer},
    files=_script,
)

# --------------------------------------------------------------------------- signals and events


def _receiver(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    signals = source.words(call.arg(0, "signal"))
    if signals:
        yield Point(handler=here(function), label=f"signal {'|'.join(signals)} → {DOTTED}")


def _connected(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    if call.owner:
        yield Point(handler=here(function), label=f"signal {call.owner.rpartition('.')[2]} → {DOTTED}")


def _listener(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    name = source.value(call.arg(1, "identifier"))
    if name:
        yield Point(handler=here(function), label=f"signal {name} → {DOTTED}")


def _connect(source: Source, call: Call) -> Iterator[Fact]:
    """``post_save.connect(on_save)``; what is no function of the tree (a socket's address) joins to nothing."""
    handler = source.handler(call.arg(0, "receiver"), call.scope)
    if handler is not None and call.owner and not call.args[1:2]:
        yield Point(handler=handler, label=f"signal {call.owner.rpartition('.')[2]} → {DOTTED}")


def _listen(source: Source, call: Call) -> Iterator[Fact]:
    name, handler = source.value(call.arg(1, "identifier")), source.handler(call.arg(2, "fn"), call.scope)
    if name and handler is not None:
        yield Point(handler=handler, label=f"signal {name} → {DOTTED}")


SIGNALS = Family(
    decorators={
        "receiver": _receiver,
        **dict.fromkeys(("connect", "connect_via"), _connected),
        "listens_for": _listener,
    },
    calls={"connect": _connect, "listen": _listen},
)

# --------------------------------------------------------------------------- GraphQL, gRPC, Lambda


def _field(source: Source, function: Function, call: Call) -> Iterator[Fact]:
    """Strawberry's fields, and Ariadne's ``@query.field("orders")``."""
    owner, _, name = function.id.qualname.rpartition(".")
    if call.owner.partition(".")[0] == "strawberry":
        yield Point(
            handler=here(function), label=f"graphql {owner or '?'}.{source.value(call.keywords.get('name')) or name}"
        )
    elif call.name == "field" and (made := source.constructor(call.owner)) is not None and made.name.endswith("Type"):
        kind = source.value(made.arg(0)) or made.name.removesuffix("Type")
        if field := source.value(call.arg(0)):
            yield Point(handler=here(function), label=f"graphql {kind}.{field}")


def _strawberry_class(source: Source, call: Call) -> Iterator[Fact]:
    handler = source.handler(call.arg(2, "resolver"), call.scope)
    if handler is not None and call.name == "set_field":
        yield Point(handler=handler, label=f"graphql {source.value(call.arg(0)) or '?'}")


def _services(source: Source) -> Iterator[Fact]:
    for function in source.module.functions:
        owner, _, name = function.id.qualname.rpartition(".")
        bases = source.names.bases.get(owner, ())
        last = [base.rpartition(".")[2] for base in bases]
        if function.kind is FunctionKind.FUNCTION and name == "lambda_handler":
            yield Point(handler=here(function), label=f"lambda {function.id}")
        if function.kind is not FunctionKind.METHOD:
            continue
        service = next((base.removesuffix("Servicer") for base in last if base.endswith("Servicer")), None)
        if service and not name.startswith("_"):
            yield Point(handler=here(function), label=f"grpc {service}/{name}")
        elif name.startswith("resolve_") and any(
            base.endswith(("ObjectType", "Query", "Type", "Subscription")) for base in last
        ):
            yield Point(handler=here(function), label=f"graphql {owner}.{name.removeprefix('resolve_')}")
        elif name in ("mutate", "perform_mutation") and any("Mutation" in base for base in last):
            yield Point(handler=here(function), label=f"graphql {owner}")
        elif name == "run" and "Task" in last and _says(source, b"celery"):
            yield Point(handler=here(function), label=f"task {OWNER}")
        elif name == "dispatch" and "BaseHTTPMiddleware" in last:
            yield Point(handler=here(function), label=f"middleware {OWNER}")


SERVICES = Family(
    decorators=dict.fromkeys(("field", "mutation", "subscription"), _field),
    calls={"set_field": _strawberry_class},
    files=_services,
)
