import pytest

from gatecli.syntax.entrypoints import entry_points, routes, url_label
from gatecli.syntax.imports import names_of
from gatecli.syntax.python import read_module
from tests.syntax.trees import MemoryTree


def labels(source: str, path: str = "shop/api.py") -> dict[str, str]:
    module = read_module(path, source.encode())
    return {id.qualname: label for id, label in entry_points(module, names_of(module)).items()}


DEF = "\ndef f():\n    pass\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # Flask, with the prefix of a Blueprint
        ("@app.route('/orders')" + DEF, {"f": "GET /orders"}),
        ("@app.route('/orders/<int:size>', methods=['POST', 'PUT'])" + DEF, {"f": "POST|PUT /orders/<int:size>"}),
        ('@app.route("/orders", methods=("post",))' + DEF, {"f": "POST /orders"}),
        ("@app.post('/orders')" + DEF, {"f": "POST /orders"}),
        ("bp = Blueprint('shop', __name__, url_prefix='/shop')\n@bp.route('/x')" + DEF, {"f": "GET /shop/x"}),
        (
            "bp: Blueprint = Blueprint(\n    'shop',\n    url_prefix='/shop/',\n)\n@bp.get('/x')" + DEF,
            {"f": "GET /shop/x"},
        ),
        ("bp = Blueprint('shop', __name__)\n@bp.route(rule='/x')" + DEF, {"f": "GET /x"}),
        ("@cache\n@app.route('/orders')" + DEF, {"f": "GET /orders"}),
        # FastAPI
        (
            "router = APIRouter(prefix='/v1')\n@router.post('/orders', status_code=201)\nasync def f():\n    pass\n",
            {"f": "POST /v1/orders"},
        ),
        ("router = APIRouter(prefix='/v1')\n@router.get('')" + DEF, {"f": "GET /v1"}),
        ("@app.websocket('/ws')" + DEF, {"f": "WEBSOCKET /ws"}),
        ("@app.api_route('/x', methods=['GET', 'POST'])" + DEF, {"f": "GET|POST /x"}),
        ("@api.routers.v1.get(\n    path='/x',\n)" + DEF, {"f": "GET /x"}),
        # tasks
        ("@shared_task" + DEF, {"f": "task shop.api.f"}),
        ("@shared_task(bind=True)" + DEF, {"f": "task shop.api.f"}),
        ("@app.task(name='settle')" + DEF, {"f": "task settle"}),
        ("@celery.task" + DEF, {"f": "task shop.api.f"}),
        ("@dramatiq.actor(actor_name='a')" + DEF, {"f": "task a"}),
        ("@job('default', timeout=3)" + DEF, {"f": "task default"}),
        # commands
        ("@click.command()" + DEF, {"f": "command f"}),
        ("@click.command('sync-all')" + DEF, {"f": "command sync-all"}),
        ("@cli.command(name='sync')" + DEF, {"f": "command sync"}),
        ("@app.command()\ndef sync_all():\n    pass\n", {"sync_all": "command sync-all"}),
        ("@click.group" + DEF, {"f": "command f"}),
        # signals
        ("@receiver(post_save, sender=Order)" + DEF, {"f": "signal shop.api.f"}),
        # class-based views
        (
            "class Orders(APIView):\n    def get(self):\n        pass\n    def helper(self):\n        pass\n",
            {"Orders.get": "view Orders.get"},
        ),
        (
            "class Orders(generics.ListAPIView):\n    def list(self):\n        pass\n",
            {"Orders.list": "view Orders.list"},
        ),
        ("class Orders:\n    def get(self):\n        pass\n", {}),
        # GraphQL, gRPC, Lambda
        (
            "class Query(ObjectType):\n    def resolve_orders(self):\n        pass\n",
            {"Query.resolve_orders": "graphql Query.orders"},
        ),
        (
            "class Pay(BaseMutation):\n    def perform_mutation(self):\n        pass\n",
            {"Pay.perform_mutation": "graphql Pay"},
        ),
        (
            "class S(pb.ShopServicer):\n    def Order(self):\n        pass\n    def _x(self):\n        pass\n",
            {"S.Order": "grpc S.Order"},
        ),
        ("def lambda_handler(event, context):\n    pass\n", {"lambda_handler": "lambda shop/api.py::lambda_handler"}),
        # scripts
        ("if __name__ == '__main__':\n    f()\n" + DEF, {"<module>": "script shop/api.py"}),
        ("if __name__=='__main__': f()\n", {"<module>": "script shop/api.py"}),
        # none of these
        ("@property" + DEF, {}),
        ("@cache.get" + DEF, {}),
        ("@pytest.fixture(params=['/x'])" + DEF, {}),
        ("@mock.patch('shop.pay')" + DEF, {}),
        ("x = 'if __name__ == 1'\n", {}),
        ("def f():\n    if __name__ == '__main__':\n        pass\n", {}),
    ],
)
def test_entry_points_are_read_from_the_source(source, expected):
    assert labels(source) == expected


def test_a_django_command_is_named_by_its_file():
    source = "class Command(BaseCommand):\n    def handle(self, **options):\n        pass\n"
    assert labels(source, "shop/management/commands/sync.py") == {"Command.handle": "command sync"}
    assert labels(source, "shop/sync.py") == {}


def test_a_task_below_src_is_named_as_celery_names_it():
    assert labels("@shared_task" + DEF, "src/shop/tasks/__init__.py") == {"f": "task shop.tasks.f"}


URLS = """\
from django.urls import path, re_path
urlpatterns = [
    path("orders/", views.orders),
    path(
        "orders/<int:pk>/",
        views.order,
    ),
    re_path(r"^old/", views.old),
]
"""


@pytest.mark.parametrize(
    ("line", "label"),
    [(3, "/orders/"), (6, "/orders/<int:pk>/"), (8, "/old/"), (1, "urls shop/urls.py")],
)
def test_a_line_of_a_urlconf(line, label):
    assert url_label(read_module("shop/urls.py", URLS.encode()), line) == label


def test_no_urlconf_no_label():
    assert url_label(read_module("shop/views.py", URLS.encode()), 3) is None


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


@pytest.mark.parametrize(
    "decorator",
    [
        "app.route('" + "a" * 200_000,
        "a." * 100_000 + "route('/x')",
        "app.route('/x', methods=[" + "'GET'," * 50_000,
        "task(" + "(" * 5_000,
        "x = Blueprint(" * 5_000,
        "b = Blueprint(" + "a" * 100_000,
        "a" * 200_000,
    ],
)
def test_hostile_decorators_take_bounded_time(decorator):
    for source in (f"@{decorator}\ndef f():\n    pass\n", f"{decorator}\n"):
        labels(source)
