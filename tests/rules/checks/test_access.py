import pytest

from gatecli.model import Severity
from gatecli.rules.checks.access import is_check
from tests.rules.support import messages, run


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("login_required", True),
        ("permission_required", True),
        ("auth.require_role", True),
        ("user_passes_test", True),
        ("staff_only", True),
        ("get_current_user", True),
        ("verify_jwt", True),
        ("requireAuth", True),
        ("IsAdminRequired", True),
        ("self.check_permissions", True),
        ("csrf_exempt", False),
        ("require_http_methods", False),
        ("get_user", False),
        ("has_changed", False),
        ("author_required", False),
        ("cache_page", False),
        ("", False),
    ],
)
def test_names_that_say_who_must(name: str, expected: bool) -> None:
    assert is_check(name) is expected


VIEW = "@{}\ndef refund(request, id):\n    return do_refund(id)\n"


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ("login_required", "never_cache", Severity.BLOCK),
        ("login_required", "login_required()", None),
        ("login_required", "permission_required('a')", Severity.REVIEW),
        ("permission_required('a')", "permission_required('b')", Severity.REVIEW),
        ("permission_required('a')", "permission_required(\n    'a',\n)", None),
        ("never_cache", "login_required", None),
    ],
)
def test_decorators(before: str, after: str, severity: Severity | None) -> None:
    found = run("access-removed", {"shop/views.py": (VIEW.format(before), VIEW.format(after))})
    assert {finding.severity for finding in found} == ({severity} if severity else set())


def test_a_check_that_moves_into_the_class_is_for_a_reviewer() -> None:
    before = "class A(View):\n    @login_required\n    def get(self, r):\n        return go(r)\n"
    after = "class A(LoginRequiredMixin, View):\n    def get(self, r):\n        return go(r)\n"
    (finding,) = run("access-removed", {"shop/views.py": (before, after)})
    assert finding.severity is Severity.REVIEW


def test_a_check_gained_by_another_function_is_no_replacement() -> None:
    before = "@login_required\ndef a(r):\n    return go(r)\n\n\ndef b(r):\n    return run(r)\n"
    after = "def a(r):\n    return go(r)\n\n\n@login_required\ndef b(r):\n    return run(r)\n"
    (finding,) = run("access-removed", {"shop/views.py": (before, after)})
    assert (finding.severity, str(finding.function)) == (Severity.BLOCK, "shop/views.py::a")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("permission_classes = [A, B]", "permission_classes = [B]", ["`permission_classes: A`"]),
        ("permission_classes = [A]", "permission_classes = [AllowAny]", ["`permission_classes: A`"]),
        ("permission_classes = [A]", "queryset = 1", ["`permission_classes: A`"]),
        ("permission_classes = [A]", "permission_classes = (A,)", []),
        ("permission_classes = []", "queryset = 1", []),
        ("permissions = (A,)", "permissions = (A, B)", []),
        ("permissions = (A,)", "permissions = ()", ["`permissions`"]),
        ("permissions = [('can_x', 'Can x')]", "ordering = 1", []),  # a model's own list of permissions
    ],
)
def test_class_attributes(before: str, after: str, expected: list[str]) -> None:
    found = messages("access-removed", f"class A:\n    {before}\n    x = 1\n", f"class A:\n    {after}\n    x = 1\n")
    assert found == [f"orders.A lost its access check {what}" for what in expected]


def test_a_middleware() -> None:
    before = "MIDDLEWARE = [\n    'django.middleware.csrf.CsrfViewMiddleware',\n    'a.B',\n]\n"
    found = messages("access-removed", before, "MIDDLEWARE = [\n    'a.B',\n]\n", path="shop/settings.py")
    assert found == ["shop/settings.py lost its access check `django.middleware.csrf.CsrfViewMiddleware`"]


def test_a_check_in_the_body() -> None:
    before = "def refund(request, id):\n    require_staff(request)\n    return do_refund(id)\n"
    after = "def refund(request, id):\n    return do_refund(id)\n"
    assert messages("access-removed", before, after) == ["orders.refund lost its access check `require_staff()`"]


def test_a_check_that_is_called_with_something_else_is_still_there() -> None:
    before = "def refund(request, id):\n    require_staff(request)\n    return do_refund(id)\n"
    assert messages("access-removed", before, before.replace("(request)", "(request.user)")) == []


def test_a_check_reached_by_another_way_is_still_there() -> None:
    before = "def refund(self, r):\n    self.auth.require_staff(r)\n    return do_refund(r)\n"
    assert messages("access-removed", before, before.replace("self.auth.", "self.users.auth.")) == []


def test_a_middleware_that_moves_within_the_settings() -> None:
    csrf = "django.middleware.csrf.CsrfViewMiddleware"
    before = f"class Base:\n    MIDDLEWARE = (\n        '{csrf}',\n    )\n"
    after = (
        f"class Base:\n    @property\n    def MIDDLEWARE(self):\n        return [\n            '{csrf}',\n        ]\n"
    )
    assert messages("access-removed", before, after, path="shop/settings/base.py") == []
