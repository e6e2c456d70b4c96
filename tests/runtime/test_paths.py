"""Which file a recorded path is: prefixes, wheels, the standard library, and what is never a match."""

from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecli.runtime.paths import Located, Place, Reason, TreePaths, locate, normal

FLAT = TreePaths(
    ["shop/__init__.py", "shop/pricing.py", "shop/sub/__init__.py", "shop/sub/util.py", "manage.py", "README.md"]
)
SRC = TreePaths([f"src/{path}" for path in sorted(FLAT.files)])
MONOREPO = TreePaths(
    [
        "services/a/app/__init__.py",
        "services/a/app/main.py",
        "services/a/app/only_a.py",
        "services/b/app/__init__.py",
        "services/b/app/main.py",
        "libs/common/tools.py",
    ]
)


def at(path: str, tree: TreePaths, *others: str, maps: tuple[tuple[str, str], ...] = ()) -> str:
    """The file or the reason, as text; ``others`` are recorded along with it."""
    place = locate([path, *others], tree, maps).places[path]
    assert (place.path is None) is (place.reason is not None)
    return place.path or str(place.reason)


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ("shop/pricing.py", "shop/pricing.py"),
        ("./shop/../shop/pricing.py", "shop/pricing.py"),
        ("/srv/shop/releases/42/shop/pricing.py", "shop/pricing.py"),
        ("C:\\app\\shop\\pricing.py", "shop/pricing.py"),
        ("/venv/lib/python3.12/site-packages/shop/pricing.py", "shop/pricing.py"),  # installed as a wheel
        ("C:\\venv\\Lib\\site-packages\\shop\\pricing.py", "shop/pricing.py"),
        ("/nix/store/abc-shop-1.0/lib/python3.12/site-packages/shop/pricing.py", "shop/pricing.py"),
        ("/root/.pex/installed_wheels/ab/shop-1.0-py3-none-any.whl/shop/pricing.py", "shop/pricing.py"),
        # Zip apps and containers.
        ("/srv/shop.pyz/shop/pricing.py", "shop/pricing.py"),
        ("/proc/1/root/app/shop/pricing.py", "shop/pricing.py"),
        ("/var/lib/docker/overlay2/abc/merged/app/shop/pricing.py", "shop/pricing.py"),
        ("\\\\?\\C:\\app\\shop\\pricing.py", "shop/pricing.py"),
        ("/app/shop/sub/util.py", "shop/sub/util.py"),
        ("manage.py", "manage.py"),
        # The end has to agree on the whole import path: util.py is shop.sub.util, whatever lies above it.
        ("/app/other/sub/util.py", "no such file"),
        ("sub/util.py", "no such file"),
        # Special frames.
        ("<frozen importlib._bootstrap>", "special"),
        ("<string>", "special"),
        ("~", "special"),
        ("", "special"),
        ("a\0b.py", "special"),
        ("x/" * 3_000 + "a.py", "special"),
        # The standard library, also where a profiler shortened its path.
        ("/usr/lib/python3.12/asyncio/runners.py", "stdlib"),
        ("/opt/pypy/lib/pypy3.10/asyncio/runners.py", "stdlib"),
        ("C:\\Python312\\Lib\\asyncio\\runners.py", "stdlib"),
        ("/app/python312.zip/runpy.py", "stdlib"),
        ("asyncio/runners.py", "stdlib"),
        ("selectors.py", "stdlib"),
        ("re/__init__.py", "stdlib"),
        ("/usr/lib/python3.12/re/__init__.py", "stdlib"),
        # Other people's code.
        ("/venv/lib/python3.12/site-packages/flask/app.py", "third-party"),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", "third-party"),
        ("/venv/lib/python3.12/site-packages/six.py", "third-party"),
        ("libpython3.12.so.1.0", "third-party"),
        ("/usr/local/bin/gunicorn", "third-party"),
        ("/app/shop/fast.pyx", "third-party"),
    ],
)
def test_one_path_alone(recorded: str, expected: str) -> None:
    assert at(recorded, FLAT) == expected


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ("shop/pricing.py", "src/shop/pricing.py"),
        ("/srv/releases/42/src/shop/pricing.py", "src/shop/pricing.py"),
        ("/app/shop/pricing.py", "src/shop/pricing.py"),
        ("/venv/lib/python3.12/site-packages/shop/sub/util.py", "src/shop/sub/util.py"),
        ("/venv/lib/python3.12/site-packages/manage.py", "src/manage.py"),
        ("manage.py", "src/manage.py"),
    ],
)
def test_sources_below_src(recorded: str, expected: str) -> None:
    assert at(recorded, SRC) == expected


@pytest.mark.parametrize("recorded", ["work.py", "billing/work.py", "/app/plugins/billing/work.py"])
def test_namespace_packages(recorded: str) -> None:
    """Without ``__init__.py`` profilers shorten a path to its file name."""
    tree = TreePaths(["plugins/billing/work.py", "plugins/mail/send.py", "shop/__init__.py"])
    assert at(recorded, tree) == "plugins/billing/work.py"


def test_a_stdlib_name_in_the_tree_is_the_tree_s_only_if_it_is_exactly_there() -> None:
    tree = TreePaths(["platform/__init__.py", "platform/api.py", "x/logging/handlers.py"])
    assert at("platform/api.py", tree) == "platform/api.py"
    assert at("logging/handlers.py", tree) == "stdlib"


def test_a_vendored_copy_is_not_what_site_packages_holds() -> None:
    tree = TreePaths(["vendor/requests/__init__.py", "vendor/requests/api.py", "shop/__init__.py"])
    assert at("/venv/lib/python3.12/site-packages/requests/api.py", tree) == "third-party"
    assert at("/app/vendor/requests/api.py", tree) == "vendor/requests/api.py"


def test_the_prefix_of_the_others_decides_between_several_files() -> None:
    main = "/deploy/b/app/main.py"
    assert at("/x/app/main.py", MONOREPO) == "ambiguous"
    assert at(main, MONOREPO) == "services/b/app/main.py"  # the longest end
    assert at("/x/app/main.py", MONOREPO, "/x/app/only_a.py") == "services/a/app/main.py"


def test_what_lies_at_the_root_is_found_by_the_prefix_of_the_others() -> None:
    assert at("/srv/app/manage.py", FLAT) == "no such file"
    assert at("/srv/app/manage.py", FLAT, "/srv/app/shop/pricing.py") == "manage.py"


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ("/srv/app/shop/gone.py", "no such file"),  # the project's, but not at this revision
        ("/opt/other/thing.py", "third-party"),  # outside of what was found to be the project
    ],
)
def test_outside_the_learned_prefix_is_not_the_project(recorded: str, expected: str) -> None:
    assert at(recorded, FLAT, "/srv/app/shop/pricing.py") == expected


def test_below_the_root_folder_the_first_part_tells() -> None:
    assert at("/shop/gone.py", FLAT, "/shop/pricing.py") == "no such file"
    assert at("/opt/thing.py", FLAT, "/shop/pricing.py") == "third-party"
    assert at("shop/gone.py", FLAT, "shop/pricing.py") == "no such file"
    assert at("requests/api.py", FLAT, "shop/pricing.py") == "third-party"


@pytest.mark.parametrize(
    ("maps", "recorded", "expected"),
    [
        ((("/app", "services/b"),), "/app/app/main.py", "services/b/app/main.py"),
        ((("/app/", "services/b/"),), "/app/app/main.py", "services/b/app/main.py"),
        ((("/app", "services/a"), ("/app/b", "services/b")), "/app/b/app/main.py", "services/b/app/main.py"),
        ((("/app/b", "services/b"), ("/app", "services/a")), "/app/b/app/main.py", "services/b/app/main.py"),
        ((("C:\\app", "services/a"),), "C:\\app\\app\\main.py", "services/a/app/main.py"),
        ((("", "services/a"),), "app/main.py", "services/a/app/main.py"),
        ((("/", ""),), "/services/a/app/main.py", "services/a/app/main.py"),
        ((("/app", "services/b"),), "/application/app/main.py", "ambiguous"),  # only whole parts
        ((("/app", "services/b"),), "/app/app/only_a.py", "no such file"),  # what is named is not guessed
        ((("/x/site-packages", "services/a"),), "/x/site-packages/app/main.py", "services/a/app/main.py"),
    ],
)
def test_named_prefixes(maps: tuple[tuple[str, str], ...], recorded: str, expected: str) -> None:
    assert at(recorded, MONOREPO, maps=maps) == expected


def test_a_bare_name_is_uncertain() -> None:
    places = locate(["pricing.py", "shop/pricing.py"], FLAT).places
    assert places["pricing.py"] == Place(path="shop/pricing.py", by_name_only=True)
    assert places["shop/pricing.py"] == Place(path="shop/pricing.py")
    assert at("__init__.py", FLAT) == "ambiguous"


def test_prefixes_are_reported() -> None:
    assert locate(["/srv/42/shop/pricing.py", "/srv/42/shop/sub/util.py", "<x>"], FLAT) == Located(
        places={
            "/srv/42/shop/pricing.py": Place(path="shop/pricing.py"),
            "/srv/42/shop/sub/util.py": Place(path="shop/sub/util.py"),
            "<x>": Place(reason=Reason.SPECIAL),
        },
        prefixes=("/srv/42/",),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop.pricing", "shop/pricing.py"),
        ("shop", "shop/__init__.py"),
        ("shop.sub.util", "shop/sub/util.py"),
        ("sub.util", None),
        ("manage", "manage.py"),
        ("gone", None),
        ("", None),
        ("..", None),
    ],
)
def test_dotted_modules(name: str, expected: str | None) -> None:
    assert FLAT.module(name) == expected
    assert SRC.module(name) == (f"src/{expected}" if expected else None)


def test_paths_that_are_not_unicode_have_no_place() -> None:
    assert TreePaths(["shop/\udce9.py", "shop/a.py"]).files == {"shop/a.py"}


@given(
    st.text(max_size=40), st.lists(st.sampled_from(["shop", "..", ".", "", "src", "pricing.py", "\\", "/"]), max_size=8)
)
def test_any_text_has_a_place(noise: str, parts: list[str]) -> None:
    for text in (noise, "/".join(parts), "".join(parts) + noise):
        place = locate([text], FLAT).places[text]
        assert (place.path in FLAT.files) or place.reason is not None
        assert normal(normal(text)) == normal(text)


PARTS = st.lists(st.sampled_from(["a", "b", "src", "x.py", "__init__.py"]), min_size=2, max_size=6).map("/".join)


@given(st.sets(PARTS, max_size=30), PARTS, st.booleans(), st.booleans())
def test_the_longest_end_is_that_of_comparing_with_every_file(
    files: set[str], path: str, absolute: bool, whole: bool
) -> None:
    tree = TreePaths(files)
    path = f"/{path}" if absolute else path

    def common(file: str) -> int:
        pairs = zip(reversed(path.split("/")), reversed(file.split("/")), strict=False)
        return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))

    def is_imported_by(file: str) -> int:
        folders = file.split("/")[:-1]
        packages = takewhile(
            lambda depth: "/".join((*folders[:depth], "__init__.py")) in files, range(len(folders), 0, -1)
        )
        return max(2, 1 + len(list(packages)))

    least = len(path.split("/")) if whole else 2
    fitting = [file for file in sorted(tree.files) if common(file) >= max(least, is_imported_by(file))]
    most = max(map(common, fitting), default=0)
    assert tree.ending(path, whole=whole) == [file for file in fitting if common(file) == most]


def test_many_files_of_one_name_take_no_time() -> None:
    tree = TreePaths([f"p{n}/core/__init__.py" for n in range(3_000)])
    located = locate([f"/srv/p{n}/core/__init__.py" for n in range(3_000)], tree)
    assert {place.path for place in located.places.values()} == tree.files
