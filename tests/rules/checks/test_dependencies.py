"""Names of packages, and what declares them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.rules.checks.dependencies import distance, look_alike, well_known
from gatecli.rules.checks.manifests import dependencies, normalised, options


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("reqeusts", "requests"),
        ("requets", "requests"),
        ("djanga", "django"),
        ("python-dateutill", "python-dateutil"),
        ("beautifulsoup", "beautifulsoup4"),
        ("requests", ""),
        ("shop-rates", ""),
        ("abc", ""),
        ("scikitlearn", "scikit-learn"),
    ],
)
def test_look_alike(name: str, known: str) -> None:
    assert look_alike(name, well_known()) == known


def test_the_list_holds_normalised_names() -> None:
    names = well_known()
    assert len(names) > 500
    assert {name for name in names if normalised(name) != name} == set()


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_bounded(one: str, other: str) -> None:
    assert (
        distance(one, other, 2) == distance(other, one, 2) or min(distance(one, other, 2), distance(other, one, 2)) > 2
    )
    assert (distance(one, other, 9) == 0) is (one == other)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("requirements.txt", "Django==5.1 ; python_version > '3'\n# no\n-r other.txt\n", {"django": "==5.1"}),
        ("requirements.txt", "zope.interface[test]>=1 \\\n    --hash=sha256:aa\n", {"zope-interface": ">=1"}),
        (
            "requirements.txt",
            "-e git+https://x.example/a.git#egg=a_b\n",
            {"a-b": "-e git+https://x.example/a.git#egg=a_b"},
        ),
        ("pyproject.toml", '[project]\ndependencies = ["httpx>=0.2"]\n[dependency-groups]\ndev = ["pytest"]\n', None),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3"\nhttpx = "^1"\nx = {git = "u"}\n', None),
        ("Pipfile", '[packages]\nhttpx = "*"\n', {"httpx": "*"}),
        ("setup.cfg", "[options]\ninstall_requires =\n    httpx>1\n", {"httpx": ">1"}),
        ("pyproject.toml", "[[[", {}),
        ("setup.cfg", "no section", {}),
        ("pyproject.toml", "project = 1\ntool = []\n", {}),
    ],
)
def test_dependencies(path: str, text: str, expected: dict[str, str] | None) -> None:
    found = {name: one.spec for name, one in dependencies(path, text).items()}
    if expected is None:
        assert "httpx" in found
        assert "python" not in found
    else:
        assert found == expected


def test_options_name_other_places() -> None:
    text = "--index-url https://a.example\n--extra-index-url=https://b.example\nhttpx\n--hash=sha256:a\n"
    assert [(option, line) for option, _, line in options(text)] == [("--index-url", 1), ("--extra-index-url", 2)]
