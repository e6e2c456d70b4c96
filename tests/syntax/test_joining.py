"""Entry points joined over the files of a tree: URLconfs, routers, view sets, manifests."""

import pytest

from gatecli.syntax.entrypoints import EntryPoints, routes
from gatecli.syntax.imports import Project, names_of
from gatecli.syntax.python import read_module
from tests.syntax.labelled import DEF, all_labels, labels
from tests.syntax.trees import MemoryTree

DJANGO = {
    "site/urls.py": (
        "from django.urls import include, path, re_path\n"
        "from shop import views\nfrom shop.api import router\n"
        "extra = [path('more/', views.more)]\n"
        "urlpatterns = [\n"
        "    path('shop/', include('shop.urls', namespace='shop')),\n"
        "    path('nested/', include([path('deep/', views.deep)])),\n"
        "    path('api/', include(router.urls)),\n"
        "    path('x/', include((extra, 'x'))),\n"
        "] + extra\n"
        "urlpatterns += [re_path(r'^old/(?P<pk>\\d+)/$', views.old)]\n"
    ),
    "shop/urls.py": (
        "from django.urls import path\nfrom . import views\nfrom .views import Orders, Feed\n"
        "urlpatterns = [\n"
        "    path('', views.index),\n"
        "    path('orders/<int:pk>/', csrf_exempt(Orders.as_view())),\n"
        "    path('feed/', Feed.as_view()),\n"
        "]\n"
    ),
    "shop/views.py": (
        "def index(request):\n    pass\ndef more(request):\n    pass\ndef deep(request):\n    pass\n"
        "@require_POST\ndef old(request, pk):\n    pass\n"
        "class Base(View):\n    def post(self, request):\n        pass\n"
        "class Orders(Base):\n    def get(self, request, pk):\n        pass\n    def helper(self):\n        pass\n"
        "class Feed(ListView):\n    def get_queryset(self):\n        pass\n"
    ),
    "shop/api.py": (
        "router = DefaultRouter()\nrouter.register(r'orders', OrderViewSet, basename='order')\n"
        "class OrderViewSet(ModelViewSet):\n    lookup_field = 'number'\n"
        "    def list(self, request):\n        pass\n"
        "    def perform_create(self, serializer):\n        pass\n"
        "    @action(detail=True, methods=['post'], url_path='pay')\n    def settle(self, request):\n        pass\n"
    ),
}  # fmt: skip


def test_urlconfs_are_joined_over_files():
    assert all_labels(DJANGO) == {
        ("/shop/", "shop/views.py::index"),
        ("/nested/deep/", "shop/views.py::deep"),
        ("/more/", "shop/views.py::more"),
        ("/x/more/", "shop/views.py::more"),
        ("POST /old/<pk>/", "shop/views.py::old"),
        ("/shop/orders/<int:pk>/", "shop/views.py::Orders"),
        ("GET /shop/orders/<int:pk>/", "shop/views.py::Orders.get"),
        ("POST /shop/orders/<int:pk>/", "shop/views.py::Base.post"),
        ("/shop/feed/", "shop/views.py::Feed"),
        ("/api/orders/", "shop/api.py::OrderViewSet"),
        ("/api/orders/<number>/", "shop/api.py::OrderViewSet"),
        ("GET /api/orders/", "shop/api.py::OrderViewSet.list"),
        ("POST /api/orders/<number>/pay/", "shop/api.py::OrderViewSet.settle"),
    }


@pytest.mark.parametrize(
    ("path", "qualname", "expected"),
    [
        ("shop/views.py", "Feed.get_queryset", ("/shop/feed/",)),
        ("shop/api.py", "OrderViewSet.perform_create", ("/api/orders/",)),
        ("shop/views.py", "Base.post", ("POST /shop/orders/<int:pk>/",)),
    ],
)
def test_what_a_touched_view_serves_is_looked_for_in_other_files(path, qualname, expected):
    tree = MemoryTree(DJANGO)
    entries = EntryPoints(Project(tree), tree)
    module = read_module(path, tree.files[path])
    entries.add(module, names_of(module))
    entries.add_mounts()
    assert {id.qualname: found for id, found in entries.labels().items() if id.path == path}[qualname] == expected


def test_a_file_without_views_leads_to_no_other():
    tree = MemoryTree({**DJANGO, "shop/prices.py": "def price(order):\n    pass\n"})
    entries = EntryPoints(Project(tree), tree)
    module = read_module("shop/prices.py", tree.files["shop/prices.py"])
    entries.add(module, names_of(module))
    entries.add_mounts()
    assert tree.asked in ([], ["shop/prices.py"])


def test_routers_are_joined_over_files():
    files = {
        "app/main.py": (
            "from app.api import api_router\nfrom app.config import settings\napp = FastAPI()\n"
            "app.include_router(api_router, prefix=settings.API)\n"
        ),
        "app/config.py": "class Settings(BaseSettings):\n    API: str = '/api/v1'\nsettings = Settings()\n",
        "app/api/__init__.py": (
            "from fastapi import APIRouter\nfrom app.api import users\napi_router = APIRouter()\n"
            "api_router.include_router(users.router, prefix='/users')\n"
        ),
        "app/api/users.py": "router = APIRouter()\n@router.get('/{id}')\ndef user(id):\n    pass\n",
    }
    assert all_labels(files) == {("GET /api/v1/users/{id}", "app/api/users.py::user")}


@pytest.mark.parametrize(
    ("base", "has_detail"),
    [
        ("viewsets.ModelViewSet", True),
        ("viewsets.ReadOnlyModelViewSet", True),
        ("mixins.DestroyModelMixin, viewsets.GenericViewSet", True),
        ("mixins.ListModelMixin, viewsets.GenericViewSet", False),
    ],
)
def test_what_the_library_answers_for_one_object_is_the_class_s(base, has_detail):
    files = {
        "api.py": (
            "from rest_framework import mixins, viewsets\nfrom rest_framework.routers import DefaultRouter\n"
            f"class Base({base}): pass\nclass Orders(Base):\n    queryset = None\n"
            "router = DefaultRouter()\nrouter.register('orders', Orders)\nurlpatterns = router.urls\n"
        )
    }
    found = {label.lstrip("…/") for label, id in routes(MemoryTree(files)).items() if id.qualname == "Orders"}
    assert found == {"orders/", *(["orders/<pk>/"] if has_detail else [])}


def test_the_root_view_of_a_router_and_a_view_behind_two_star_imports():
    files = {
        "site/urls.py": (
            "from django.urls import include, path\nfrom rest_framework.routers import DefaultRouter\n"
            "from shop.views import Root, Home\n"
            "router = DefaultRouter()\nrouter.APIRootView = Root\n"
            "urlpatterns = [path('api/', include(router.urls)), path('home/', Home.as_view())]\n"
        ),
        "shop/views/__init__.py": "from .home import *\nfrom .errors import *\n",
        "shop/views/home.py": "class Home(View):\n    def get(self, request):\n        pass\n",
        "shop/views/errors.py": "class Root(APIRootView):\n    pass\n",
    }
    assert all_labels(files) == {
        ("GET /api/", "shop/views/errors.py::Root"),
        ("/home/", "shop/views/home.py::Home"),
        ("GET /home/", "shop/views/home.py::Home.get"),
    }


def test_scripts_of_manifests():
    files = {
        "pyproject.toml": "[project.scripts]\nshop = 'shop.cli:main'\n[tool.poetry.scripts]\nold = 'shop.cli:old'\n",
        "setup.cfg": "[options.entry_points]\nconsole_scripts =\n    cfg = shop.cli:cfg\n",
        "serverless.yml": "functions:\n  create:\n    handler: shop/cli.create\n    role: !GetAtt Role.Arn\n",
        "template.yaml": "Resources:\n  Pay:\n    Properties: {Handler: cli.pay, CodeUri: shop/}\n",
    }
    source = "".join(f"def {name}():\n    pass\n" for name in ("main", "old", "cfg", "create", "pay"))
    assert labels(source, "shop/cli.py", **files) == {
        "main": "command shop",
        "old": "command old",
        "cfg": "command cfg",
        "create": "lambda create",
        "pay": "lambda Pay",
    }


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.cfg", "setup.py", "serverless.yml", "template.yaml"])
@pytest.mark.parametrize("content", ["", "[", "{" * 5_000, "- a", "functions: [1]", "\0\ufffd: :"])
def test_broken_manifests_name_nothing(name, content):
    assert labels(DEF, "shop/cli.py", **{name: content}) == {}


def test_tests_register_nothing():
    files = {
        "shop/api.py": "def f():\n    pass\n",
        "tests/test_api.py": "from shop.api import f\napp.add_get('/x', f)\n",
    }
    assert routes(MemoryTree(files), is_test=lambda path: path.startswith("tests/")) == {}


def test_what_somebody_wrote_down_stands_before_what_is_read():
    tree = MemoryTree({"shop/api.py": "@app.get('/x')" + DEF + "def g():\n    pass\n"})
    assert {k: str(v) for k, v in routes(tree, named={"GET /x": "shop/api.py::g"}).items()} == {
        "GET /x": "shop/api.py::g"
    }


def test_of_two_servicers_of_one_name_none_is_told() -> None:
    servicer = "import grpc\nclass S(pb.OrdersServicer):\n    def {}(self):\n        pass\n"
    files = {"a.py": servicer.format("Place"), "b.py": servicer.format("Place"), "c.py": servicer.format("Cancel")}
    assert all_labels(files) == {("grpc Orders/Cancel", "c.py::S.Cancel")}


def test_routes_of_a_tree():
    tree = MemoryTree(
        {
            "shop/api.py": "app = Flask('shop')\n@app.post('/orders')\ndef order():\n    pass\n",
            "shop/tasks.py": "@shared_task\ndef settle():\n    pass\n",
            "shop/prices.py": "def price():\n    pass\n",
            "shop/broken.py": "route\0",
            "shop/other.py": "from flask import Flask\n@app.post('/orders')\ndef twin():\n    pass\n",
        }
    )
    assert {label: str(id) for label, id in routes(tree).items()} == {
        "POST /orders": "shop/api.py::order",
        "task shop.tasks.settle": "shop/tasks.py::settle",
    }


def test_urlconfs_that_include_each_other_end():
    files = {
        "a/urls.py": "urlpatterns = [path('b/', include('b.urls')), path('x/', view)]\ndef view(request):\n    pass\n",
        "b/urls.py": "urlpatterns = [path('a/', include('a.urls'))]\n",
    }
    assert all_labels(files) <= {("/x/", "a/urls.py::view")}


@pytest.mark.parametrize(
    "decorator",
    [
        "app.route('" + "a" * 200_000,
        "a." * 2_900 + "route('/x')",
        "app.route('/x', methods=[" + "'GET'," * 20_000,
        "task(" + "(" * 900,
        "x = Blueprint(" * 5_000,
        "b = Blueprint(" + "a" * 100_000,
        "path(" + "'a' + " * 2_900 + "'b', f)",
        "a" * 200_000,
    ],
)
def test_hostile_decorators_take_bounded_time(decorator):
    for source in (f"@{decorator}\ndef f():\n    pass\n", f"{decorator}\n"):
        labels(source)


def test_routers_that_are_all_mounted_on_each_other_end():
    count = 12
    names = [f"r{number}" for number in range(count)]
    source = "".join(f"{name} = APIRouter(prefix='/{name}')\n" for name in names)
    source += "".join(f"{one}.include_router({other})\n" for one in names for other in names if one != other)
    source += "app = FastAPI()\napp.include_router(r0)\n@r0.get('/a')" + DEF
    tree = MemoryTree({"shop/api.py": source})
    entries = EntryPoints(Project(tree), tree)
    module = read_module("shop/api.py", source.encode())
    entries.add(module, names_of(module))
    found = entries.labels()
    assert all(label.endswith("/r0/a") for labels in found.values() for label in labels)
    assert entries.is_cut
