"""Routes as gate reads them against what the frameworks themselves say; skipped where one is not installed.

The programs are run here by their frameworks: they are the tests' own. ``pip install gatecli[frameworks]``.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatecli.routes import comparable
from gatecli.syntax.entrypoints import routes
from tests.syntax.trees import MemoryTree


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Writes a package and imports one of its modules; forgets it afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def load(files: dict[str, str], module: str) -> object:
        for path, text in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return importlib.import_module(module)

    yield load
    for name in set(sys.modules) - before:
        if name.startswith(("truth", "site_")):
            del sys.modules[name]


def read(files: dict[str, str]) -> set[tuple[str, str, str]]:
    """Method, comparable path and function of every route that gate reads."""
    found = set()
    for label, id in routes(MemoryTree(files)).items():
        verbs, _, path = label.rpartition(" ")
        for verb in verbs.split("|"):
            found.add((verb, comparable(path), id.name))
    return found


FLASK = {
    "truth_flask.py": (
        "from flask import Blueprint, Flask\nfrom flask.views import MethodView\n"
        "app = Flask('truth', static_folder=None)\n"
        "inner = Blueprint('inner', __name__, url_prefix='/inner')\nouter = Blueprint('outer', __name__)\n"
        "@app.route('/')\ndef home(): pass\n"
        "@app.route('/a/<int:pk>', methods=['GET', 'POST'])\n@app.route('/b')\ndef many(pk=1): pass\n"
        "@inner.delete('/x/')\ndef gone(): pass\n"
        "@outer.put('/y')\ndef put(): pass\n"
        "class Orders(MethodView):\n    def get(self): pass\n    def post(self): pass\n"
        "def late(): pass\n"
        "app.add_url_rule('/late', view_func=late)\n"
        "app.add_url_rule('/orders', view_func=Orders.as_view('orders'))\n"
        "outer.register_blueprint(inner, url_prefix='/deep')\napp.register_blueprint(outer, url_prefix='/v1')\n"
    )
}


def test_flask(program):
    pytest.importorskip("flask")
    app = program(FLASK, "truth_flask").app
    truth = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            name = method.lower() if hasattr(view, "view_class") else view.__name__
            truth.add((method, comparable(rule.rule), name))
    assert {one for one in read(FLASK) if one[0]} == truth


FASTAPI = {
    "truth_fastapi/__init__.py": "",
    "truth_fastapi/main.py": (
        "from fastapi import FastAPI\nfrom truth_fastapi import users\nfrom truth_fastapi.config import settings\n"
        "app = FastAPI(openapi_url=None)\n"
        "app.include_router(users.router, prefix=settings.API)\n"
        "@app.get('/')\ndef home(): pass\n"
        "async def late(): pass\napp.add_api_route('/late/{x:path}', late, methods=['PUT'])\n"
    ),
    "truth_fastapi/config.py": "class Settings:\n    API: str = '/api'\nsettings = Settings()\n",
    "truth_fastapi/users.py": (
        "from fastapi import APIRouter, Depends\n"
        "router = APIRouter(prefix='/users')\ninner = APIRouter()\n"
        "def who(): pass\n"
        "@router.get('')\ndef users(me=Depends(who)): pass\n"
        "@router.post('/{id}')\ndef create(id: int): pass\n"
        "@inner.api_route('/in', methods=['DELETE'])\ndef both(): pass\n"
        "router.include_router(inner, prefix='/more')\n"
    ),
}


def test_fastapi(program):
    pytest.importorskip("fastapi")
    app = program(FASTAPI, "truth_fastapi.main").app
    schema = app.openapi()["paths"]
    truth = {
        (method.upper(), comparable(path), operation["summary"].lower())
        for path, operations in schema.items()
        for method, operation in operations.items()
    }
    assert read(FASTAPI) == truth


STARLETTE = {
    "truth_starlette.py": (
        "from starlette.applications import Starlette\nfrom starlette.endpoints import HTTPEndpoint\n"
        "from starlette.routing import Mount, Route, WebSocketRoute\n"
        "def home(request): pass\ndef deep(request): pass\nasync def talk(socket): pass\n"
        "class Orders(HTTPEndpoint):\n    def get(self, request): pass\n    def delete(self, request): pass\n"
        "inner = [Route('/deep/{pk:int}', deep, methods=['POST'])]\n"
        "app = Starlette(routes=[Route('/', home), Mount('/a', routes=inner), Route('/orders', Orders),\n"
        "                        WebSocketRoute('/talk', talk)])\n"
    )
}


def test_starlette(program):
    pytest.importorskip("starlette")
    app = program(STARLETTE, "truth_starlette").app

    def walk(found, prefix=""):
        for route in found:
            if hasattr(route, "routes") and not hasattr(route, "endpoint"):
                yield from walk(route.routes, prefix + route.path)
            elif isinstance(route.endpoint, type):
                for verb in ("get", "delete"):
                    yield verb.upper(), comparable(prefix + route.path), verb
            else:
                for verb in getattr(route, "methods", None) or {"WEBSOCKET"}:
                    yield verb, comparable(prefix + route.path), route.endpoint.__name__

    truth = {one for one in walk(app.routes) if one[0] != "HEAD"}
    assert {one for one in read(STARLETTE) if one[2] != "Orders"} == truth


AIOHTTP = {
    "truth_aiohttp.py": (
        "from aiohttp import web\nroutes = web.RouteTableDef()\n"
        "@routes.get('/a/{pk:[0-9]+}')\nasync def one(request): pass\n"
        "@routes.view('/c')\nclass Card(web.View):\n    async def put(self): pass\n"
        "async def two(request): pass\nasync def three(request): pass\nasync def sub(request): pass\n"
        "class Api:\n    async def four(self, request): pass\n"
        "api = Api()\napp = web.Application()\nsubapp = web.Application()\n"
        "app.add_routes(routes)\napp.add_routes([web.post('/two', two)])\n"
        "app.router.add_route('DELETE', '/three', three)\napp.router.add_patch('/four', api.four)\n"
        "subapp.router.add_get('/sub', sub)\napp.add_subapp('/under/', subapp)\n"
    )
}


def test_aiohttp(program):
    pytest.importorskip("aiohttp")
    app = program(AIOHTTP, "truth_aiohttp").app
    truth = {
        (route.method, comparable(route.resource.canonical), route.handler.__name__)
        for route in app.router.routes()
        if route.method not in ("HEAD", "*")
    }
    assert {one for one in read(AIOHTTP) if one[2] not in ("Card", "put")} == truth
    assert ("PUT", "c", "put") in read(AIOHTTP)


SITE = {
    "truth_site/__init__.py": "",
    "truth_site/urls.py": (
        "from django.urls import include, path, re_path\nfrom truth_site import views\n"
        "from truth_site.api import router\n"
        "more = [path('more/', views.more)]\n"
        "urlpatterns = [path('shop/', include('truth_site.shop')), path('m/', include((more, 'm'))),\n"
        "    path('api/', include(router.urls)), path('in/', include([path('deep/', views.deep)]))]\n"
        "urlpatterns += [re_path(r'^old/(?P<pk>[0-9]+)/$', views.old)]\n"
    ),
    "truth_site/shop.py": (
        "from django.urls import path\nfrom .views import Orders, index\n"
        "urlpatterns = [path('', index), path('orders/<int:pk>/', Orders.as_view())]\n"
    ),
    "truth_site/views.py": (
        "from django.views import View\n"
        "def index(request): pass\ndef more(request): pass\ndef deep(request): pass\ndef old(request, pk): pass\n"
        "class Orders(View):\n    def get(self, request, pk): pass\n"
    ),
    "truth_site/api.py": (
        "from rest_framework.decorators import action\nfrom rest_framework.routers import SimpleRouter\n"
        "from rest_framework.viewsets import ViewSet\n"
        "class Orders(ViewSet):\n    lookup_field = 'number'\n"
        "    def list(self, request): pass\n    def create(self, request): pass\n"
        "    def retrieve(self, request, number): pass\n    def partial_update(self, request, number): pass\n"
        "    @action(detail=True, methods=['post'], url_path='pay')\n    def settle(self, request, number): pass\n"
        "    @action(detail=False)\n    def recent(self, request): pass\n"
        "router = SimpleRouter()\nrouter.register('orders', Orders, basename='order')\n"
    ),
}


def test_django(program):
    pytest.importorskip("django")
    pytest.importorskip("rest_framework")
    from django.conf import settings

    if not settings.configured:
        settings.configure(ROOT_URLCONF="truth_site.urls", INSTALLED_APPS=[], SECRET_KEY="-", USE_TZ=True)
    urls = program(SITE, "truth_site.urls")

    def walk(patterns, prefix=""):
        for one in patterns:
            route = prefix + str(one.pattern).removeprefix("^" if prefix else "")
            if hasattr(one, "url_patterns"):
                yield from walk(one.url_patterns, route)
            elif hasattr(one.callback, "actions"):
                for verb, method in one.callback.actions.items():
                    if verb != "head":
                        yield verb.upper(), comparable(route), method
            elif hasattr(one.callback, "view_class"):
                yield "GET", comparable(route), "get"
            else:
                yield "", comparable(route), one.callback.__name__

    assert {one for one in read(SITE) if one[2] != "Orders"} == set(walk(urls.urlpatterns))


TASKS = {
    "truth_tasks.py": (
        "from celery import Celery, shared_task\napp = Celery('truth')\n"
        "@app.task\ndef plain(): pass\n@app.task(name='given')\ndef named(): pass\n"
        "@app.task(bind=True)\ndef bound(self): pass\n@shared_task\ndef shared(): pass\n"
    )
}


def test_celery(program):
    pytest.importorskip("celery")
    app = program(TASKS, "truth_tasks").app
    app.finalize()
    truth = {name for name in app.tasks if not name.startswith("celery.")}
    assert {label.removeprefix("task ") for label in routes(MemoryTree(TASKS))} == truth


COMMANDS = {
    "truth_click.py": (
        "import click\n@click.group()\ndef cli(): pass\n@cli.group()\ndef db(): pass\n"
        "@db.command()\ndef up_to(): pass\n@cli.command('go')\ndef run(): pass\n"
        "@click.command()\ndef late(): pass\ncli.add_command(late)\n"
    )
}


def test_click(program):
    click = pytest.importorskip("click")
    cli = program(COMMANDS, "truth_click").cli

    def walk(group, prefix=""):
        for name, command in group.commands.items():
            yield f"command {prefix}{name}"
            if isinstance(command, click.Group):
                yield from walk(command, f"{prefix}{name} ")

    assert set(routes(MemoryTree(COMMANDS))) - {"command cli"} == set(walk(cli))


FALCON = {
    "truth_falcon.py": (
        "import falcon\nclass Orders:\n    def on_get(self, req, resp): pass\n    def on_post(self, req, resp): pass\n"
        "app = falcon.App()\napp.add_route('/orders/{pk:int}', Orders())\n"
    )
}


def test_falcon(program):
    falcon = pytest.importorskip("falcon")
    from falcon.inspect import inspect_routes

    assert falcon.App is not None
    found = inspect_routes(program(FALCON, "truth_falcon").app)
    truth = {
        (method.method, comparable(route.path), method.function_name)
        for route in found
        for method in route.methods
        if not method.internal
    }
    assert {one for one in read(FALCON) if one[2] != "Orders"} == truth
