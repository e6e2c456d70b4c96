"""Ways of registering that real applications were found to use (``tests/bench/routes.py``)."""

import pytest

from tests.syntax.labelled import DEF, all_labels, labels

HANDED = {
    "shop/server.py": (
        "from aiohttp import web\n"
        "class Server:\n"
        "    def __init__(self, api: web.Application) -> None:\n"
        "        self.app = web.Application()\n"
        "        self.app.router.add_get('/', self.home)\n"
        "        self.app.add_subapp('/shop/v1', api)\n"
        "    def home(self, request):\n        pass\n"
    ),
    "shop/api.py": (
        "from aiohttp import web\n"
        "routes: web.RouteTableDef = web.RouteTableDef()\n"
        "@routes.get('/orders')\ndef orders(request):\n    pass\n"
        "def make():\n    app = web.Application()\n    app.add_routes(routes)\n    return app\n"
    ),
}  # fmt: skip
OTHER = (
    "from aiohttp import web\ndef make():\n    other = web.Application()\n"
    "    other.router.add_get('/feed', feed)\ndef feed(request):\n    pass\n"
)


def test_an_application_that_is_handed_over_is_the_only_one_that_nobody_mounts():
    assert all_labels(HANDED) == {
        ("GET /", "shop/server.py::Server.home"),
        ("GET /shop/v1/orders", "shop/api.py::orders"),
    }


def test_of_several_applications_that_may_be_handed_over_none_is():
    assert all_labels({**HANDED, "shop/other.py": OTHER}) == {
        ("GET /", "shop/server.py::Server.home"),
        ("GET …/orders", "shop/api.py::orders"),
        ("GET …/feed", "shop/other.py::feed"),
    }


VIEW = "class V(Handler):\n    def _process(self):\n        pass\n"
BLUEPRINT = (
    "from flask import Blueprint\nbp = Blueprint('b', __name__)\napp = Flask('shop')\napp.register_blueprint(bp)\n"
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            f"{BLUEPRINT}{VIEW}bp.add_url_rule('/x', 'x', V, methods=('POST',))\n", {"V": "POST /x"},
            id="a class without methods of such names answers what is registered",
        ),
        pytest.param(f"{BLUEPRINT}{VIEW}bp.add_url_rule('/x', 'x', V)\n", {"V": "GET /x"}, id="GET by default"),
        pytest.param(
            f"{BLUEPRINT}class V(MethodView):\n    def post(self):\n        pass\n"
            "bp.add_url_rule('/x', view_func=V.as_view('x'), methods=['GET', 'POST'])\n",
            {"V": "/x", "V.post": "POST /x"},
            id="a class with such methods",
        ),
        pytest.param(
            f"{BLUEPRINT}{VIEW}class W(V): pass\ndef either(a, b):\n    pass\n"
            "bp.add_url_rule('/x', 'x', either(V, W))\n",
            {"either": "GET /x"},
            id="one of two classes is chosen later",
        ),
        pytest.param(
            f"{BLUEPRINT}class Blue(Blueprint): pass\nmine = BlueBlueprint('c')\nclass BlueBlueprint: pass\n"
            "def old(bp, to):\n    pass\nbp.add_url_rule('/x', 'x', old(mine, 'y'))\n",
            {"old": "GET /x"},
            id="a blueprint is no handler",
        ),
        pytest.param(
            "from flask_restx import Api, Namespace, Resource\nbp = Blueprint('api', __name__, url_prefix='/api/v1')\n"
            "api = Api(bp, version='v1')\norders = Namespace('orders')\napi.add_namespace(orders, '/orders')\n"
            "app = Flask('shop')\napp.register_blueprint(bp)\n"
            "@orders.route('/<id>')\nclass Order(Resource):\n    def get(self, id):\n        pass\n",
            {"Order": "/api/v1/orders/<id>", "Order.get": "GET /api/v1/orders/<id>"},
            id="an API on a blueprint",
        ),
    ],
)  # fmt: skip
def test_flask(source, expected):
    assert labels(source) == expected


def test_django_rest_framework():
    files = {
        "site/urls.py": (
            "from django.urls import include, path\nfrom rest_framework.routers import DefaultRouter\n"
            "from shop.api import Orders\n"
            "router = DefaultRouter()\nrouter.register('orders', Orders)\n"
            "urlpatterns = [path('api/', include(router.urls))]\n"
        ),
        "shop/api.py": (
            "class Orders(ModelViewSet):\n    lookup_field = 'slug'\n    lookup_url_kwarg = 'order'\n"
            "    def retrieve(self, request, order):\n        pass\n"
        ),
        "shop/plugin.py": (
            "from site.urls import router\nrouter.register('jobs', Jobs)\nregistry.register('no', Jobs)\n"
            "class Jobs(ViewSet):\n    def list(self, request):\n        pass\n"
        ),
    }
    assert all_labels(files) == {
        ("/api/orders/", "shop/api.py::Orders"),
        ("/api/orders/<order>/", "shop/api.py::Orders"),
        ("GET /api/orders/<order>/", "shop/api.py::Orders.retrieve"),
        ("/api/jobs/", "shop/plugin.py::Jobs"),
        ("GET /api/jobs/", "shop/plugin.py::Jobs.list"),
    }


def test_views_that_netbox_keeps_by_model():
    files = {
        "site/urls.py": "from django.urls import include, path\nurlpatterns = [path('shop/', include('shop.urls'))]\n",
        "shop/urls.py": (
            "from django.urls import include, path\nfrom utilities.urls import get_model_urls\n"
            "urlpatterns = [\n"
            "    path('orders/', include(get_model_urls('shop', 'order', detail=False))),\n"
            "    path('orders/<int:pk>/', include(get_model_urls('shop', 'order'))),\n]\n"
        ),
        "shop/models/__init__.py": "from .orders import *\n",
        "shop/models/orders.py": "class Order(Model): pass\nclass Item(Model): pass\n",
        "shop/views.py": (
            "from utilities.views import register_model_view\nfrom .models import *\n"
            "@register_model_view(Order, 'list', path='', detail=False)\n"
            "class List(View):\n    def get(self, request):\n        pass\n"
            "@register_model_view(Order)\nclass One(View): pass\n"
            "@register_model_view(Order, 'add', detail=False)\n@register_model_view(Order, 'edit')\n"
            "class Edit(View): pass\n"
            "@register_model_view(Item, 'sub/mine')\nclass Unmounted(View): pass\n"
            "@register_model_view(Unknown, 'edit')\nclass Other(View): pass\n"
        ),
    }
    assert all_labels(files) == {
        ("/shop/orders/", "shop/views.py::List"),
        ("GET /shop/orders/", "shop/views.py::List.get"),
        ("/shop/orders/<int:pk>/", "shop/views.py::One"),
        ("/shop/orders/add/", "shop/views.py::Edit"),
        ("/shop/orders/<int:pk>/edit/", "shop/views.py::Edit"),
        ("…sub/mine/", "shop/views.py::Unmounted"),
        ("…edit/", "shop/views.py::Other"),
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("class C:\n    @app.task\n    def f(self):\n        pass\n", {"C.f": "task shop.api.f"}),
        ("class C:\n    @job('low')\n    def f(self):\n        pass\n", {"C.f": "task shop.api.C.f"}),
        ("def make():\n    @shared_task\n    def f():\n        pass\n", {"make.f": "task shop.api.f"}),
        ("@celery.periodic_task(name='nightly', run_every=9)" + DEF, {"f": "task nightly"}),
        ("from rq_scheduler import Scheduler\ns.schedule(now, f)" + DEF, {"f": "task shop.api.f"}),
        ("from rq_scheduler import Scheduler\ns.cron('0 4 * * *', func=f)" + DEF, {"f": "task shop.api.f"}),
        ("s.schedule(now, f)" + DEF, {}),
    ],
)
def test_tasks_are_named_as_the_library_names_them(source, expected):
    assert labels(source) == expected
    assert {(label, f"shop/api.py::{name}") for name, label in expected.items()} == all_labels({"shop/api.py": source})
