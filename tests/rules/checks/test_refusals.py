import pytest

from gatecli.model import Severity
from tests.rules.support import run

VIEW = "def refund(request, order):\n{}    return do_refund(order)\n"
IF = "    if {}:\n        {}\n"


def view(*refusals: tuple[str, str]) -> str:
    return VIEW.format("".join(IF.format(*refusal) for refusal in refusals))


STAFF = ("not request.user.is_staff", "raise PermissionDenied")
OPEN = ("order.closed", 'raise ValueError("closed")')


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (view(STAFF), view(), Severity.BLOCK),
        (view(("x", "return HttpResponseForbidden()")), view(), Severity.BLOCK),
        (view(("x", "return Response(status=403)")), view(), Severity.BLOCK),
        (view(("x", "return Response(status=404)")), view(), None),  # about what is asked for, not about who asks
        (view(STAFF), view(("not request.user.is_superuser", "raise PermissionDenied")), None),  # another condition
        (view(STAFF, STAFF), view(STAFF), Severity.BLOCK),
        (view(STAFF), view().replace("    return", "    check_staff(request)\n    return"), Severity.REVIEW),
        (view(OPEN), view(), None),
        (view(), view(STAFF), None),
        (view(STAFF), "", None),  # it went away with what it guarded
    ],
)
def test_who_is_refused(before: str, after: str, severity: Severity | None) -> None:
    found = run("access-removed", {"shop/views.py": (before, after)})
    assert [finding.severity for finding in found] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (view(OPEN), view(), 1),
        (view(STAFF), view(), 0),
        (view(OPEN), view().replace("    return", "    order.validate()\n    return"), 0),
        (view(OPEN, ("order.paid", "raise Paid")), view(), 2),
        (view(OPEN), view().replace("do_refund", "refund_all"), 1),
        (view(("order.closed", "return None")), view(), 0),
    ],
)
def test_what_is_refused(before: str, after: str, count: int) -> None:
    assert len(run("guard-removed", {"shop/views.py": (before, after)})) == count
