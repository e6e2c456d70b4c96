"""The client against a GitHub that misbehaves: bounded, and the token stays where it belongs."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.errors import UsageError
from gatecli.sources import github_api
from gatecli.sources.github import GitHub
from gatecli.sources.github_address import API_URL
from gatecli.sources.github_api import Api, ApiError, RateLimitError
from tests.github.fake import TOKEN, FakeGitHub, serve

PULL = "/repos/acme/shop/pulls/1204"
COMMENTS = "/repos/acme/shop/issues/1204/comments"


@pytest.fixture
def api(github: GitHub) -> Api:
    return github.api


@pytest.fixture
def other() -> Iterator[FakeGitHub]:
    yield from serve(FakeGitHub())


def test_a_request_names_its_version_and_carries_the_token(api: Api, fake: FakeGitHub) -> None:
    assert api.get(PULL)["number"] == 1204
    headers = fake.requests[0].headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["user-agent"].startswith("gate/")


def test_without_a_token_none_is_sent_not_even_that_of_netrc(
    fake: FakeGitHub, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    Api(fake.url, "").get(PULL)
    assert "authorization" not in fake.requests[0].headers


def test_a_thousand_comments_come_over_ten_pages(api: Api, fake: FakeGitHub) -> None:
    for number in range(1_000):
        fake.comment(f"comment {number}")
    found = api.pages(COMMENTS)
    assert [one["body"] for one in found] == [f"comment {number}" for number in range(1_000)]
    assert len(fake.requests) == 10


def test_more_pages_than_the_bound_are_an_error_not_a_part(
    api: Api, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_api, "MAX_PAGES", 2)
    for number in range(201):
        fake.comment(str(number))
    with pytest.raises(ApiError, match="more than 200 entries"):
        api.pages(COMMENTS)


def test_a_page_at_another_host_is_not_asked(api: Api, fake: FakeGitHub, other: FakeGitHub) -> None:
    link = {"Link": f'<{other.url}/x>; rel="next"', "Content-Type": "application/json"}
    fake.trouble("comments", status=200, body=b"[]", headers=link)
    with pytest.raises(ApiError, match="another host"):
        api.pages(COMMENTS)
    assert other.requests == []


def test_what_was_read_before_is_asked_for_only_if_newer(api: Api, fake: FakeGitHub) -> None:
    first, second = api.get(PULL), api.get(PULL)
    fake.pulls[1204]["state"] = "closed"
    third = api.get(PULL)
    assert (first["state"], second["state"], third["state"]) == ("open", "open", "closed")
    assert ["if-none-match" in one.headers for one in fake.requests] == [False, True, True]


# --------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_of_a_renamed_repository_is_followed(api: Api, fake: FakeGitHub, status: int) -> None:
    fake.trouble("/repos/acme/old", status=status, headers={"Location": PULL})
    assert api.get("/repos/acme/old")["number"] == 1204


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_does_not_follow_to_another_host(api: Api, fake: FakeGitHub, other: FakeGitHub, status: int) -> None:
    fake.trouble("pulls", status=status, headers={"Location": f"{other.url}{PULL}"})
    with pytest.raises(ApiError, match="redirects to another host"):
        api.get(PULL)
    assert other.requests == []


@pytest.mark.parametrize(
    "location", ["", "http://[", "//evil.example/x", "file:///etc/passwd", "http://127.0.0.1:99999/"]
)
def test_a_redirect_to_nowhere_is_an_error(api: Api, fake: FakeGitHub, location: str) -> None:
    fake.trouble("pulls", status=302, headers={"Location": location}, times=9)
    with pytest.raises(ApiError, match=r"redirects|no whole answer \(ValueError\)"):
        api.get(PULL)


def test_a_redirect_keeps_method_and_body(api: Api, fake: FakeGitHub) -> None:
    fake.trouble("/repos/acme/old", status=307, headers={"Location": COMMENTS})
    api.send("POST", "/repos/acme/old", {"body": "a"}, repeatable=False)
    assert [one["body"] for one in fake.comments] == ["a"]


# --------------------------------------------------------------------------- limits and failures


@pytest.mark.parametrize(
    ("status", "headers", "message", "waits"),
    [
        (403, {"Retry-After": "7"}, "You have exceeded a secondary rate limit.", [7]),
        (429, {"Retry-After": "7"}, "slow down", [7]),
        (429, {}, "slow down", [60]),
        (403, {}, "You have exceeded a secondary rate limit.", [60]),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "43230"}, "API rate limit exceeded", [31]),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, "API rate limit exceeded", [1]),
        (403, {"Retry-After": "soon"}, "secondary rate limit", [60]),
        (502, {}, "", [1]),
        (503, {}, "", [1]),
        (500, {}, "", [1]),
    ],
)
def test_what_passes_is_waited_for(
    api: Api,
    fake: FakeGitHub,
    slept: list[float],
    status: int,
    headers: dict[str, str],
    message: str,
    waits: list[float],
) -> None:
    fake.trouble("pulls", status=status, headers=headers, body={"message": message})
    assert api.get(PULL)["number"] == 1204
    assert slept == waits


def test_a_limit_that_outlasts_the_run_is_an_error_with_its_end(api: Api, fake: FakeGitHub, slept: list[float]) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "46800"}
    fake.trouble("pulls", status=403, headers=headers, body={"message": "API rate limit exceeded"})
    with pytest.raises(RateLimitError, match=r"allowed again at 13:00 UTC") as caught:
        api.get(PULL)
    assert not caught.value.refused
    assert slept == []


def test_a_secondary_limit_that_stays_is_given_up_within_the_bound(
    api: Api, fake: FakeGitHub, slept: list[float]
) -> None:
    fake.trouble("pulls", status=403, body={"message": "secondary rate limit"}, times=99)
    with pytest.raises(RateLimitError):
        api.get(PULL)
    assert slept == [60]  # the next pause would be 120 s: 180 in all, more than the run may wait
    assert sum(slept) <= github_api.MAX_WAIT_S


def test_an_api_that_is_down_is_asked_four_times(api: Api, fake: FakeGitHub, slept: list[float]) -> None:
    fake.trouble("pulls", status=502, body=b"<html>Unicorn!</html>", headers={"Content-Type": "text/html"}, times=99)
    with pytest.raises(ApiError, match=r"GET /repos/acme/shop/pulls/1204 answered 502") as caught:
        api.get(PULL)
    assert (len(fake.requests), slept, caught.value.refused) == (4, [1, 2, 4], False)


def test_pauses_of_all_requests_together_are_bounded(api: Api, fake: FakeGitHub, slept: list[float]) -> None:
    fake.trouble("pulls", status=429, headers={"Retry-After": "50"}, body={"message": "a"}, times=99)
    for _ in range(5):
        with pytest.raises(RateLimitError):
            api.get(PULL)
    assert slept == [50, 50, 50]


def test_nobody_listens(slept: list[float]) -> None:
    api = Api("http://127.0.0.1:9", TOKEN, sleep=slept.append)
    with pytest.raises(ApiError, match="no whole answer") as caught:
        api.get(PULL)
    assert caught.value.status is None
    assert slept == [1, 2, 4]


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ({"how": "cut"}, "no whole answer"),
        ({"how": "drop"}, "no whole answer"),
        ({"body": b"<html>log in</html>", "headers": {"Content-Type": "text/html"}}, "text/html, not JSON"),
        ({"body": b'{"number": ', "headers": {"Content-Type": "application/json"}}, "no valid JSON"),
        ({"body": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}, "no valid JSON"),
        ({"body": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, "no valid JSON"),
    ],
)
def test_an_answer_that_is_none_is_asked_for_again_and_then_an_error(
    api: Api, fake: FakeGitHub, trouble: dict, message: str
) -> None:
    fake.trouble("pulls", times=1, **trouble)
    assert api.get(PULL)["number"] == 1204
    fake.trouble("pulls", times=99, **trouble)
    with pytest.raises(ApiError, match=message):
        api.get(PULL)


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_slow_answer_is_given_up(
    api: Api, fake: FakeGitHub, slept: list[float], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(github_api, "REQUEST_TIMEOUT_S", 0.1)
    fake.trouble("pulls", how=how, times=99)
    with pytest.raises(ApiError, match=r"no answer in 0\.1 s"):
        api.get(PULL)
    assert slept == [1, 2, 4]


def test_an_answer_without_end_is_cut(api: Api, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_api, "MAX_BYTES", 10)
    with pytest.raises(ApiError, match="more than 10 bytes"):
        api.get(PULL)


def test_what_writes_once_is_not_tried_again(api: Api, fake: FakeGitHub, slept: list[float]) -> None:
    fake.trouble("comments", method="POST", status=502, times=99)
    with pytest.raises(ApiError, match="502"):
        api.send("POST", COMMENTS, {"body": "a"}, repeatable=False)
    assert ([one.method for one in fake.requests], slept) == (["POST"], [])


def test_what_may_be_written_twice_is_tried_again(api: Api, fake: FakeGitHub, slept: list[float]) -> None:
    fake.trouble("labels", status=502, times=2)
    api.send("POST", "/repos/acme/shop/issues/1204/labels", {"labels": ["a"]}, repeatable=True)
    assert slept == [1, 2]


# --------------------------------------------------------------------------- the token


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 418, 422])
def test_a_refusal_quotes_github_but_never_the_token(api: Api, fake: FakeGitHub, status: int) -> None:
    said = {"message": f"no, {TOKEN} may not", "errors": [{"message": "a"}, "b", {"code": "c"}, 5]}
    fake.trouble("pulls", status=status, body=said)
    with pytest.raises(ApiError) as caught:
        api.get(PULL)
    assert caught.value.message == f"GET {PULL} answered {status}: no, *** may not; a; b"
    assert caught.value.refused == (status in (403, 404)), "a token that has expired is not one that may too little"
    assert TOKEN not in repr(caught.value) + caught.value.hint


def test_an_expired_token_is_called_so(fake: FakeGitHub) -> None:
    with pytest.raises(ApiError) as caught:
        Api(fake.url, "ghp_old").get(PULL)
    assert caught.value.message == f"GET {PULL} answered 401: Bad credentials"
    assert caught.value.hint == "the token is wrong or has expired: set GITHUB_TOKEN anew"


@pytest.mark.parametrize("trouble", ["cut", "drop", "hang", "drip"])
def test_no_failure_shows_the_token(api: Api, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    monkeypatch.setattr(github_api, "REQUEST_TIMEOUT_S", 0.1)
    fake.trouble("pulls", how=trouble, times=99)
    with pytest.raises(ApiError) as caught:
        api.get(PULL)
    assert TOKEN not in f"{caught.value!r}{caught.value.hint}{caught.value.__cause__!r}"


@pytest.mark.parametrize("token", ["a b", "a\nb", "tökén", "a\x00"])
def test_a_token_that_is_none_is_refused_unseen(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        Api(API_URL, token)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.github.com",
        "http://ghe.example/api/v3",
        "ftp://a",
        "https://",
        "https://a:b@c",
        "https://a:x",
        "https://[",
    ],
)
def test_an_address_that_would_give_the_token_away_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_API_URL"):
        Api(url, TOKEN)


@pytest.mark.parametrize(
    ("root", "path"), [("", "/graphql"), ("/api/v3", "/api/graphql"), ("/api/v3/", "/api/graphql")]
)
def test_graphql_is_where_cloud_and_enterprise_have_it(fake: FakeGitHub, root: str, path: str) -> None:
    fake.trouble("graphql", body={"data": {"viewer": {"login": "a"}}})
    assert Api(fake.url + root, TOKEN).graphql("query { viewer { login } }") == {"viewer": {"login": "a"}}
    assert (fake.requests[0].method, fake.requests[0].path) == ("POST", path)


@pytest.mark.parametrize("answer", [{"errors": [{"message": "no"}]}, {"data": None}, {"data": []}])
def test_graphql_that_answers_with_errors(api: Api, fake: FakeGitHub, answer: dict) -> None:
    fake.trouble("graphql", body=answer)
    with pytest.raises(ApiError, match="not answered"):
        api.graphql("query { viewer { login } }")


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeGitHub]:
    yield from serve(FakeGitHub())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON, status=st.sampled_from([200, 400, 403, 404, 422]))
def test_any_json_is_an_answer_or_an_api_error(shared: FakeGitHub, value: object, status: int) -> None:
    shared.troubles.clear()
    shared.trouble("/x", status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"},
                   times=9)  # fmt: skip
    api = Api(shared.url, TOKEN, sleep=lambda _: None)
    try:
        assert api.get("/x") == value
        assert status == 200
    except ApiError:
        assert status != 200
