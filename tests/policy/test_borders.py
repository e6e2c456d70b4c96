"""What crosses a border, and what lies outside of the scope that a change declares."""

from dataclasses import replace

import pytest

from gatecli.config import Config, load
from gatecli.errors import UsageError
from gatecli.model import Provenance, ProvenanceClass, PullText
from gatecli.policy.conditions import facts, holds
from gatecli.provenance.trailers import read
from tests.policy.test_requirements import LOW
from tests.scoring.cases import case, changed, file, finding, revision

ZONES = "zones: {web: [shop/web/], pay: [shop/pay/], core: [shop/core/]}"
CROSSES = "{crosses_boundary: true}"


def policy(condition: str, more: str = ZONES) -> Config:
    text = f"version: 1\n{more}\nrequirements: [{{name: a, if: {condition}}}]\n"
    return load({".gate/policy.yml": text.encode()}.get)[0]


def asked(judged, condition: str = CROSSES, more: str = ZONES, findings=()) -> bool | None:
    config = policy(condition, more)
    return holds(config.requirements[0].if_, facts(judged, findings, LOW, config))


def edited(path: str, before: str, after: str):
    return case(files=(replace(file(path), before=before.encode(), after=after.encode()),))


# --------------------------------------------------------------------------- imports

ALLOWED = f"{ZONES}\nborders: {{web: {{imports: [pay]}}}}"


@pytest.mark.parametrize(
    ("path", "line", "crosses"),
    [
        ("shop/web/views.py", "from shop.pay import charge", True),
        ("shop/web/views.py", "import shop.pay.charge as c", True),
        ("shop/web/views.py", "from shop.pay.charge import now", True),
        ("shop/web/views.py", "from ..pay.charge import now", True),
        ("shop/web/views.py", "from shop.web import forms", False),
        ("shop/web/views.py", "from . import forms", False),
        ("shop/web/views.py", "import json", False),
        ("src/shop/web/views.py", "from shop.pay import charge", False),  # in no zone: the zones are below the root
        ("shop/other.py", "from shop.pay import charge", False),
        ("shop/web/data.txt", "from shop.pay import charge", False),
        ("shop/web/broken.py", "import" + "(" * 2, False),
    ],
)
def test_an_import_from_one_zone_into_another(path, line, crosses):
    assert asked(edited(path, "X = 1\n", f"X = 1\n{line}\n")) is crosses


def test_an_import_that_was_there_before_crosses_nothing_anew():
    line = "from shop.pay import charge\n"
    assert asked(edited("shop/web/views.py", line, f"{line}X = 1\n")) is False
    assert asked(edited("shop/web/views.py", line, "from shop.pay import refund\n")) is True


def test_a_border_says_which_zones_may_be_imported_from_and_only_that_way():
    assert asked(edited("shop/web/views.py", "", "from shop.pay import charge\n"), more=ALLOWED) is False
    assert asked(edited("shop/web/views.py", "", "from shop.core import x\n"), more=ALLOWED) is True
    assert asked(edited("shop/pay/charge.py", "", "from shop.web import forms\n"), more=ALLOWED) is True


# --------------------------------------------------------------------------- hosts


def talks(host: str, path: str = "shop/web/views.py", name: str = "views.show"):
    return finding("outbound-host-added", message=f"{name} now talks to {host}", path=path)


@pytest.mark.parametrize(
    ("more", "found", "crosses"),
    [
        ("", talks("api.stripe.com"), True),
        ("\nhosts: [api.stripe.com]", talks("API.Stripe.com"), False),
        ("\nborders: {web: {hosts: [api.stripe.com]}}", talks("api.stripe.com"), False),
        ("\nborders: {pay: {hosts: [api.stripe.com]}}", talks("api.stripe.com"), True),
        ("\nborders: {pay: {hosts: [api.stripe.com]}}", talks("api.stripe.com", "shop/pay/charge.py"), False),
        ("\nborders: {web: {hosts: [api.stripe.com]}}", talks("api.stripe.com", "elsewhere.py"), True),
        ("\nhosts: [ok.io]", talks("evil.example", name="ok.io"), True),
        ("\nhosts: [ok.io]", talks("evil.example ok.io"), True),
        ("\nhosts: [ok.io]", finding("listener-opened", message="now talks to ok.io"), True),
    ],
)
def test_a_host_is_allowed_for_all_or_for_its_zone(more, found, crosses):
    assert asked(case(files=(file(found.path),)), more=ZONES + more, findings=(found,)) is crosses


@pytest.mark.parametrize(
    ("borders", "said"),
    [("{wbe: {}}", "no zone is called 'wbe', did you mean 'web'?"), ("{web: {imports: [pya]}}", "did you mean 'pay'?")],
)
def test_a_border_of_no_zone_is_a_mistake(borders, said):
    with pytest.raises(UsageError, match=r"policy\.yml:3") as caught:
        policy(CROSSES, f"{ZONES}\nborders: {borders}")
    assert said in str(caught.value)


# --------------------------------------------------------------------------- drift


@pytest.mark.parametrize(
    ("scope", "outside"),
    [
        ((), False),
        (("shop/",), False),
        (("shop/pricing.py::price_order",), False),
        (("shop/pricing.py",), False),
        (("docs/",), True),
        (("shop/pricing.py::other",), True),
        (("shop/pricing.py::price",), True),
        (("other.py::price_order",), True),
        (("docs/", "shop/pricing.py::price_order"), False),
    ],
)
def test_drift_is_what_lies_outside_of_the_declared_scope(scope, outside):
    provenance = Provenance(klass=ProvenanceClass.NO_EVIDENCE, scope=scope)
    judged = case(changed("price_order"), provenance=provenance)
    assert asked(judged, "{drift: outside_scope}") is outside
    assert asked(judged, "{drift: undeclared}") is (outside or not scope)


def test_a_function_beside_the_declared_one_is_drift():
    provenance = Provenance(klass=ProvenanceClass.NO_EVIDENCE, scope=("shop/pricing.py::price_order",))
    judged = case(changed("price_order"), changed("refund"), provenance=provenance)
    assert asked(judged, "{drift: outside_scope}") is True
    inner = case(changed("price_order.helper"), provenance=provenance)
    assert asked(inner, "{drift: outside_scope}") is False


def test_the_scope_is_read_from_trailers_and_from_the_pull_request():
    commit = replace(revision(), message="Round\n\nScope: shop/tax/, shop/pricing.py::price_order")
    change = case(changed(), revisions=(commit,)).change
    pull = PullText(body="Rounds each line.\n\nScope: `docs/`\r\nnot a scope: x\n")
    twin = PullText(body="Scope: *\n")
    found, own = read(change, pulls=(pull, twin)), ("shop/tax/", "shop/pricing.py::price_order")
    assert found.scope == (*own, "docs/")
    assert found.twin_scopes == ((*own, "*"),)
    assert read(change).scope == own


def test_attack_another_pull_request_of_the_head_declares_more_or_nothing():
    def drifts(which: str, *bodies: str) -> bool | None:
        pulls = tuple(PullText(body=body) for body in bodies)
        provenance = read(case(changed("price_order"), revisions=(revision(),)).change, pulls=pulls)
        return asked(case(changed("price_order"), provenance=provenance), f"{{drift: {which}}}")

    assert drifts("outside_scope", "Scope: docs/", "Scope: *") is True
    assert drifts("outside_scope", "Scope: *", "Scope: docs/") is True, "it is judged with the first, and the same"
    assert drifts("outside_scope", "Scope: *", "no word of it") is False
    assert drifts("undeclared", "Scope: *", "no word of it") is True
    assert drifts("undeclared", "Scope: *", "Scope: shop/") is False


# --------------------------------------------------------------------------- hosts in settings

HOSTS = f"{ZONES}\nhosts: [telemetry.shop.dev]\nborders: {{pay: {{hosts: [api.stripe.com]}}}}"


@pytest.mark.parametrize(
    ("path", "line", "crosses"),
    [
        ("deploy/values.yaml", "rates_url: https://api.rates.io/v1", True),
        ("deploy/values.yaml", "  value: 'https://user:pw@API.rates.io./v1'", True),
        ("deploy/values.yaml", "  host: api.rates.io", True),
        ("deploy/values.yaml", "  endpoint: api.rates.io:443", True),
        ("deploy/app.json", '{"a": 1, "broker": "amqps://mq.rates.io", "b": 2}', True),
        (".env.production", "export RATES_HOST=api.rates.io", True),
        ("infra/main.tf", 'api_url = "https://api.rates.io"', True),
        ("shop/pay/settings.toml", 'url = "https://api.stripe.com"', False),
        ("shop/web/settings.toml", 'url = "https://api.stripe.com"', True),
        ("deploy/values.yaml", "metrics_url: https://telemetry.shop.dev/v1", False),
        ("deploy/values.yaml", "old_url: https://api.known.io/v1", False),
        ("deploy/values.yaml", "url: https://known.io", True),  # part of the name of another
        ("deploy/values.yaml", "# url: https://api.rates.io", False),
        ("deploy/values.yaml", "docs_url: https://docs.rates.io", False),
        ("deploy/values.yaml", "url: http://localhost:8080", False),
        ("deploy/values.yaml", "url: http://pay.svc:8080", False),
        ("deploy/values.yaml", "name: api.rates.io", False),
        ("poetry.lock", 'url = "https://api.rates.io"', False),
        ("package-lock.json", '"resolved": "https://api.rates.io"', False),
        ("README.md", "url: https://api.rates.io", False),
        ("deploy/values.yaml", "url: " + "a." * 50_000 + "host=" * 1_000, False),
    ],
)
def test_a_host_that_settings_begin_to_name(path, line, crosses):
    before = "url: https://api.known.io\n"
    assert asked(edited(path, before, f"{before}{line}\n"), more=HOSTS) is crosses
