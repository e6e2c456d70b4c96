"""Entry points as they are read from small programs; the frameworks' own idea of them is in test_frameworks.py."""

import pytest

from tests.syntax.labelled import DEF, labels


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # Flask
        ("@app.route('/orders')" + DEF, {"f": "GET /orders"}),
        ("@app.route('/orders/<int:size>', methods=['POST', 'PUT'])" + DEF, {"f": "POST|PUT /orders/<int:size>"}),
        ('@app.route("/orders", methods=("post",))' + DEF, {"f": "POST /orders"}),
        ("@app.post('/orders')" + DEF, {"f": "POST /orders"}),
        ("@app.route('/a')\n@app.route('/b')" + DEF, {"f": ("GET /a", "GET /b")}),
        ("bp = Blueprint('s', __name__, url_prefix='/shop')\n@bp.route('/x')" + DEF, {"f": "GET …/shop/x"}),
        (
            "app = Flask('s')\nbp = Blueprint('s', __name__, url_prefix='/shop/')\n@bp.get('/x')"
            + DEF
            + "app.register_blueprint(bp)\n",
            {"f": "GET /shop/x"},
        ),
        (
            "app = Flask('s')\nbp = Blueprint('s', __name__, url_prefix='/shop')\n@bp.get('/x')"
            + DEF
            + "app.register_blueprint(bp, url_prefix='/v2')\n",
            {"f": "GET /v2/x"},
        ),
        (
            "app = Flask('s')\nbp = Blueprint('s', __name__)\n@bp.get('/x')"
            + DEF
            + "for one in (bp,):\n    app.register_blueprint(one, url_prefix='/v2')\n",
            {"f": "GET /v2/x"},
        ),
        ("@bp.route(rule='/x')" + DEF, {"f": "GET /x"}),
        ("@cache\n@app.route('/orders')" + DEF, {"f": "GET /orders"}),
        (DEF + "app.add_url_rule('/x', 'x', f, methods=['POST'])\n", {"f": "POST /x"}),
        (DEF + "app.add_url_rule('/x', view_func=login_required(f))\n", {"f": "GET /x"}),
        (
            "def create_app():\n    app = Flask('s')\n    @app.get('/x')\n    def index():\n        pass\n",
            {"create_app.index": "GET /x"},
        ),
        ("@app.before_request" + DEF, {"f": "hook before_request → shop.api.f"}),
        # FastAPI, Starlette
        ("router = APIRouter(prefix='/v1')\n@router.post('/orders', status_code=201)" + DEF, {"f": "POST …/v1/orders"}),
        (
            "app = FastAPI()\nrouter = APIRouter(prefix='/v1')\n@router.get('')"
            + DEF
            + "app.include_router(router, prefix='/api')\n",
            {"f": "GET /api/v1"},
        ),
        (
            "PREFIX = '/api'\napp = FastAPI()\nr = APIRouter()\n@r.get('/x')"
            + DEF
            + "app.include_router(r, prefix=f'{PREFIX}/v2')\n",
            {"f": "GET /api/v2/x"},
        ),
        (
            "app = FastAPI()\nr = APIRouter()\n@r.get('/x')" + DEF + "app.include_router(r, prefix=prefix_of(r))\n",
            {"f": "GET …/x"},
        ),
        ("@app.websocket('/ws')" + DEF, {"f": "WEBSOCKET /ws"}),
        ("@app.api_route('/x', methods=['GET', 'POST'])" + DEF, {"f": "GET|POST /x"}),
        ("@api.routers.v1.get(\n    path='/x',\n)" + DEF, {"f": "GET /x"}),
        (DEF + "app = Starlette(routes=[Mount('/a', routes=[Route('/x', f)])])\n", {"f": "GET /a/x"}),
        (DEF + "routes = [Route('/x', f, methods=['POST'])]\napp = Starlette(routes=routes)\n", {"f": "POST /x"}),
        ("app = FastAPI()\ndef f(x=Depends(g)):\n    pass\ndef g():\n    pass\n", {}),
        # aiohttp
        ("from aiohttp import web\nasync def f(r):\n    pass\napp.router.add_get('/x', f)\n", {"f": "GET /x"}),
        ("from aiohttp import web\nasync def f(r):\n    pass\napp.add_routes([web.post('/x', f)])\n", {"f": "POST /x"}),
        ("from aiohttp import web\nasync def f(r):\n    pass\napp.router.add_route('*', '/x', f)\n", {"f": "/x"}),
        (
            "from aiohttp import web\nclass H:\n    async def f(self, r):\n        pass\nh = H()\n"
            "app.router.add_get('/x', h.f)\n",
            {"H.f": "GET /x"},
        ),
        # tasks
        ("@shared_task" + DEF, {"f": "task shop.api.f"}),
        ("@shared_task(bind=True)" + DEF, {"f": "task shop.api.f"}),
        ("@app.task(name='settle')" + DEF, {"f": "task settle"}),
        ("@celery.task" + DEF, {"f": "task shop.api.f"}),
        ("@dramatiq.actor(actor_name='a')" + DEF, {"f": "task a"}),
        ("@dramatiq.actor" + DEF, {"f": "task f"}),
        ("@job('default', timeout=3)" + DEF, {"f": "task shop.api.f"}),
        (DEF + "queue.enqueue(f, 1)\n", {"f": "task shop.api.f"}),
        (DEF + "scheduler.add_job(f, 'cron')\n", {"f": "task shop.api.f"}),
        (DEF + "schedule.every(10).minutes.do(f)\n", {"f": "task shop.api.f"}),
        ("@app.agent('orders')" + DEF, {"f": "consumer orders"}),
        ("@broker.subscriber('orders')" + DEF, {"f": "consumer orders"}),
        (DEF + "channel.basic_consume(queue='orders', on_message_callback=f)\n", {"f": "consumer orders"}),
        (DEF + "threading.Thread(target=f).start()\n", {"f": "thread shop.api.f"}),
        (
            "@shared_task" + DEF + "CELERY_BEAT_SCHEDULE = {'nightly': {'task': 'shop.api.f', 'schedule': 9}}\n",
            {"f": ("task shop.api.f", "schedule nightly → shop.api.f")},
        ),
        ("import celery\nclass S(celery.Task):\n    def run(self):\n        pass\n", {"S.run": "task shop.api.S"}),
        # commands
        ("@click.command()" + DEF, {"f": "command f"}),
        ("@click.command('sync-all')" + DEF, {"f": "command sync-all"}),
        ("@cli.command(name='sync')" + DEF, {"f": "command sync"}),
        ("@click.command()\ndef sync_command():\n    pass\n", {"sync_command": "command sync"}),
        ("import typer\n@app.command()\ndef sync_all():\n    pass\n", {"sync_all": "command sync-all"}),
        (
            "@click.group()\ndef cli():\n    pass\n@cli.group()\ndef db():\n    pass\n"
            "@db.command()\ndef up():\n    pass\n",
            {"cli": "command cli", "db": "command db", "up": "command db up"},
        ),
        (DEF + "p = sub.add_parser('sync')\np.set_defaults(func=f)\n", {"f": "command sync"}),
        # signals
        ("@receiver(post_save, sender=Order)" + DEF, {"f": "signal post_save → shop.api.f"}),
        ("@receiver([post_save, post_delete])" + DEF, {"f": "signal post_save|post_delete → shop.api.f"}),
        ("@task_failure.connect" + DEF, {"f": "signal task_failure → shop.api.f"}),
        (DEF + "signals.post_save.connect(f, sender=Order)\n", {"f": "signal post_save → shop.api.f"}),
        ("@event.listens_for(Session, 'before_flush')" + DEF, {"f": "signal before_flush → shop.api.f"}),
        (DEF + "event.listen(Session, 'before_flush', f)\n", {"f": "signal before_flush → shop.api.f"}),
        # GraphQL, gRPC, Lambda, middleware
        (
            "@strawberry.type\nclass Query:\n    @strawberry.field\n    def orders(self):\n        pass\n",
            {"Query.orders": "graphql Query.orders"},
        ),
        ("query = QueryType()\n@query.field('orders')" + DEF, {"f": "graphql Query.orders"}),
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
            {"S.Order": "grpc Shop/Order"},
        ),
        ("def lambda_handler(event, context):\n    pass\n", {"lambda_handler": "lambda shop/api.py::lambda_handler"}),
        (
            "class T:\n    def __init__(self, get_response):\n        pass\n"
            "    def __call__(self, request):\n        pass\n",
            {"T.__call__": "middleware shop.api.T"},
        ),
        # scripts
        ("if __name__ == '__main__':\n    f()\n" + DEF, {"<module>": "script shop/api.py"}),
        ("if __name__=='__main__': f()\n", {"<module>": "script shop/api.py"}),
        # none of these
        ("@property" + DEF, {}),
        ("@cache.get" + DEF, {}),
        ("@pytest.fixture(params=['/x'])" + DEF, {}),
        ("@mock.patch('shop.pay')" + DEF, {}),
        ("x = 'if __name__ == 1'\n", {}),
        ("text = '''\nif __name__ == '__main__':\n'''\n", {}),
        ("# app.add_url_rule('/x', 'x', f)\n" + DEF, {}),
        ("sock.connect(('localhost', 80))\ndb.connect(url)\n" + DEF, {}),
        ("def f():\n    if __name__ == '__main__':\n        pass\n", {}),
        ("class Orders:\n    def get(self):\n        pass\n", {}),
    ],
)
def test_entry_points_are_read_from_the_source(source, expected):
    assert labels(source) == expected


def test_a_django_command_is_named_by_its_file():
    source = "class Command(BaseCommand):\n    def handle(self, **options):\n        pass\n"
    assert labels(source, "shop/management/commands/sync.py") == {"Command.handle": "command sync"}
    assert labels(source, "shop/sync.py") == {}


def test_a_task_is_named_from_its_outermost_package():
    packages = {"src/shop/__init__.py": "", "backend/app/__init__.py": ""}
    assert labels("@shared_task" + DEF, "src/shop/tasks/__init__.py", **packages) == {"f": "task shop.tasks.f"}
    assert labels("@shared_task" + DEF, "backend/app/tasks.py", **packages) == {"f": "task app.tasks.f"}
    assert labels("@shared_task" + DEF, "src/plain/tasks.py", **packages) == {"f": "task plain.tasks.f"}
