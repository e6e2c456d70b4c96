"""Labels of entry points: how routes compare, and which function stands for which."""

import pytest

from gatecli.runtime.entries import Entry, Routes, by_handler, label
from tests.runtime.support import shop

CREATE, RECEIPT, SETTLE, MAIN = (
    shop("web.py::create_order"),
    shop("web.py::receipt"),
    shop("tasks.py::settle"),
    shop("__main__.py::main"),
)
ROUTES = Routes(
    {
        "POST /orders/<int:size>": CREATE,
        "GET|HEAD orders/<int:size>/receipt/": RECEIPT,
        "/any": MAIN,
        "task shop.tasks.settle": SETTLE,
    }
)


@pytest.mark.parametrize(
    ("id", "handler"),
    [
        ("http POST /orders/<int:size>", CREATE),
        ("http POST orders/<int:size>/", CREATE),
        ("http GET /orders/<int:size>", None),
        ("http /orders/<int:size>", None),
        ("http GET /orders/<int:size>/receipt", RECEIPT),
        ("http HEAD /orders/<int:size>/receipt", RECEIPT),
        ("http POST /any", MAIN),
        ("http /any", MAIN),
        ("task shop.tasks.settle", SETTLE),
        ("task shop.tasks.other", None),
        ("consumer orders", None),
        ("http ", None),
        ("", None),
    ],
)
def test_handlers_are_found_whatever_the_slashes(id: str, handler: object) -> None:
    assert ROUTES.handler(id) == handler


@pytest.mark.parametrize(
    ("id", "handler"),
    [
        ("http GET /v1/users/{id}", CREATE),
        ("http GET /users/<int:id>/", CREATE),
        ("http POST /v1/users/{id}", None),
        ("http GET /v1/admin/users/{id}", RECEIPT),
        ("http GET /v1/items", None),  # two handlers end so
        ("http PUT /v1/any", MAIN),
        ("http PUT /api/v1/any", MAIN),
        ("http PUT /groups/any", None),  # one word is in too many paths
        ("http PUT /v1/{any}", None),
        ("http GET /orders/{pk}", SETTLE),
        ("http GET /", None),  # GET … could be anything
        ("http GET /other/", None),
        ("http GET /api/scripts", SETTLE),  # the longer end, though it is for any method
    ],
)
def test_a_route_that_was_read_without_its_beginning_is_found_by_its_end(id: str, handler: object) -> None:
    routes = {
        "GET …/users/{id}": CREATE,
        "GET …/admin/users/{id}": RECEIPT,
        "GET …/items": CREATE,
        "GET …items/": RECEIPT,
        "…/any": MAIN,
        "GET …": MAIN,
        "GET …/scripts": MAIN,
        "…/api/scripts/": SETTLE,
        "/orders/<int:pk>/": SETTLE,
    }
    assert Routes(routes).handler(id) == handler


@pytest.mark.parametrize(
    ("id", "handler"),
    [
        (r"http GET ^orders\.(?P<format>[a-z0-9]+)/?$", CREATE),
        (r"http GET ^orders/(?P<pk>[^/.]+)\.(?P<format>[a-z0-9]+)/?$", RECEIPT),
        ("http GET api/<drf_format_suffix:format>", MAIN),
        ("http GET /reports.{format}", SETTLE),  # as it is written, where it is
        (r"http GET ^other\.(?P<format>[a-z0-9]+)/?$", None),
    ],
)
def test_the_format_at_the_end_of_a_route_is_no_other_handler(id: str, handler: object) -> None:
    routes = Routes(
        {
            "GET /orders/": CREATE,
            "GET /orders/<pk>/": RECEIPT,
            "GET /api/": MAIN,
            "/reports": MAIN,
            "/reports.{format}": SETTLE,
        }
    )
    assert routes.handler(id) == handler


@pytest.mark.parametrize(
    ("id", "handler"),
    [
        ("grpc Orders/Place", CREATE),
        ("grpc shop.v1.Orders/Place", CREATE),
        ("grpc shop.v2.Orders/Place", RECEIPT),
        ("grpc shop.v1.Orders/Cancel", None),
        ("grpc shop.v1.OldOrders/Place", None),
        ("grpc Place", None),
    ],
)
def test_a_servicer_serves_its_service_in_any_package(id: str, handler: object) -> None:
    routes = Routes({"grpc Orders/Place": CREATE, "grpc shop.v2.Orders/Place": RECEIPT})
    assert routes.handler(id) == handler


def test_labels_that_are_entry_points() -> None:
    routes = Routes(
        {
            "POST /a": CREATE,
            "http GET /b": RECEIPT,
            "/c": MAIN,
            "task t": SETTLE,
            "command sync": MAIN,
            "script shop/__main__.py": MAIN,
            "grpc Shop.Order": CREATE,
            "signal shop.on_save": MAIN,
        }
    )
    assert {(entry.id, entry.kind) for entry in routes.entries()} == {
        ("http POST /a", "http"),
        ("http GET /b", "http"),
        ("http /c", "http"),
        ("task t", "task"),
        ("command sync", "cli"),
        ("script shop/__main__.py", "cli"),
        ("grpc Shop.Order", "http"),
    }


def test_a_handler_goes_by_what_was_traced_and_by_itself_if_it_has_several() -> None:
    traced = [
        Entry(id="http POST /v1/orders", kind="http", handler=CREATE),
        Entry(id="http GET /x", kind="http", handler=RECEIPT),
        Entry(id="http GET /y", kind="http", handler=RECEIPT),
        Entry(id="http GET /unknown", kind="http", handler=None),
    ]
    assert by_handler(traced, ROUTES) == {
        CREATE: traced[0],
        RECEIPT: Entry(id="shop/web.py::receipt", kind="http", handler=RECEIPT),
        MAIN: Entry(id="http /any", kind="http", handler=MAIN),
        SETTLE: Entry(id="task shop.tasks.settle", kind="task", handler=SETTLE),
    }


def test_what_a_person_calls_it() -> None:
    assert (label("http POST /a"), label("task t")) == ("POST /a", "task t")
