"""Routes as frameworks write them, made readable and comparable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.routes import comparable, readable


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("orders/<int:pk>/", "orders/<int:pk>/"),
        ("^orders/$", "orders/"),
        (r"^orders/(?P<pk>\d+)/$", "orders/<pk>/"),
        (r"^orders/(?P<pk>(a|b)[^/)]+)/?$", "orders/<pk>/"),
        (r"^(\d{4})/x\.json$", "<>/x.json"),
        (r"^a(?:/(?P<page>\d+))?/$", "a/"),
        (r"^(?:one|two)/$", "one/"),
        (r"\Aa\Z", "a"),
        ("/x/{id:int}", "/x/{id:int}"),
        ("(", "<>"),
        ("", ""),
    ],
)
def test_regular_expressions_as_paths(route, path):
    assert readable(route) == path


@pytest.mark.parametrize(
    "route",
    [
        "/orders/<int:pk>/",
        "orders/{pk}",
        "^orders/(?P<pk>[0-9]+)/?$",
        "/orders/{pk:\\d+}",
        "orders//<pk>",
        "/orders/{pk:int}",
    ],
)
def test_what_differs_between_frameworks_does_not_count(route):
    assert comparable(route) == "orders/{pk}"


@given(st.text(alphabet="ab/()[]{}<>:?*^$\\P|0", max_size=60))
def test_any_text_is_read(route):
    readable(route)
    comparable(route)
