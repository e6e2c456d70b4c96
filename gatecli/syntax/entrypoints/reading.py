"""One file to facts. A framework is added to ``FAMILIES``, and nowhere else."""

from gatecli.syntax.entrypoints import django, named, web
from gatecli.syntax.entrypoints.facts import Fact, Facts, Mount, Point, Route, Router, View
from gatecli.syntax.entrypoints.source import Source
from gatecli.syntax.imports import Names
from gatecli.syntax.python import Module

FAMILIES = (
    web.FAMILY,
    web.AIOHTTP,
    django.FAMILY,
    django.ADMIN,
    named.TASKS,
    named.COMMANDS,
    named.SIGNALS,
    named.SERVICES,
)

# Words one of which a file says that registers handlers or mounts routers.
MOUNT_WORDS = (
    "urlpatterns", "include_router", "register_blueprint", "add_subapp", "add_namespace", "Mount", "add_typer",
    "add_command",
)  # fmt: skip
# Words one of which a file says that has entry points.
ROUTE_WORDS = (
    *MOUNT_WORDS, "route", "router", "Blueprint", "APIRouter", "FastAPI", "Flask", "Starlette", "Bottle", "Sanic",
    "aiohttp", "tornado", "falcon", "add_url_rule", "add_api_route", "add_resource", "shared_task", "task", "actor",
    "periodic_task", "db_task", "db_periodic_task", "scheduled_job", "job", "add_job", "enqueue", "enqueue_at",
    "enqueue_in", "enqueue_call", "rq_scheduler", "beat_schedule", "CELERY_BEAT_SCHEDULE", "command", "BaseCommand",
    "set_defaults", "receiver", "listens_for", "connect", "strawberry", "graphene", "ariadne", "lambda_handler",
    "__main__", "grpc", "subscriber", "agent", "patterns", "api_view", "action", "APIView", "ViewSet",
    "register_model_view",
)  # fmt: skip


def read(module: Module, names: Names) -> Facts:
    """What a file says about entry points."""
    source = Source(module, names)
    found: list[Fact] = []
    for function, call in source.decorators():
        for family in FAMILIES:
            if decorated := family.decorators.get(call.name):
                found += decorated(source, function, call)
    active = [family for family in FAMILIES if not family.marks or any(m in module.source for m in family.marks)]
    for call in source.calls(lambda name: any(family.reader(name) for family in active)):
        if call.node.parent is not None and call.node.parent.type == "decorator":
            continue
        for family in active:
            if registered := family.reader(call.name):
                found += registered(source, call)
    for family in active:
        if family.files is not None:
            found += family.files(source)
    return Facts(
        path=module.path,
        points=tuple(fact for fact in found if isinstance(fact, Point)),
        routes=tuple(fact for fact in found if isinstance(fact, Route)),
        routers=tuple(fact for fact in found if isinstance(fact, Router)),
        mounts=tuple(fact for fact in found if isinstance(fact, Mount)),
        views=tuple(fact for fact in found if isinstance(fact, View)),
    )
