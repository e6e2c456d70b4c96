import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from gatecli.policy.owners import MAX_BYTES, MAX_STARS, OwnerRule, read_owners

# The example of GitHub's documentation.
DOCUMENTED = """\
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @octocat
/apps/ @octocat
/apps/github
"""


def owners_of(text: str, path: str) -> tuple[str, ...] | None:
    owners = read_owners({"CODEOWNERS": text.encode()}.get)
    rule = owners.of(path) if owners else None
    return rule.owners if rule else None


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ("@global-owner1", "@global-owner2")),
        ("deep/in/src.js", ("@js-owner",)),
        ("x.go", ("docs@example.com",)),
        ("notes/a.txt", ("@octo-org/octocats",)),
        ("build/logs/a/b.out", ("@octocat",)),  # **/logs comes later than /build/logs/
        ("deeply/nested/logs/x", ("@octocat",)),
        ("docs/a.md", ("@doctocat",)),
        ("docs/a/b.md", ("@doctocat",)),
        ("scripts/x.sh", ("@doctocat", "@octocat")),
        ("apps/web/x", ("@octocat",)),
        ("lib/apps/x", ("@octocat",)),
        ("apps/github", ()),
        ("apps/github/x", ()),
    ],
)
def test_the_example_of_the_documentation(path, owners):
    assert owners_of(DOCUMENTED, path) == owners


@pytest.mark.parametrize(
    ("text", "path", "owners"),
    [
        ("docs/* @a", "docs/a.md", ("@a",)),
        ("docs/* @a", "docs/a/b.md", None),
        ("docs/* @a", "x/docs/a.md", None),
        ("docs/ @a", "x/docs/y/a.md", ("@a",)),
        ("*.py @a\nshop/*.py @b\n", "shop/pricing.py", ("@b",)),
        ("shop/*.py @b\n*.py @a\n", "shop/pricing.py", ("@a",)),
        ("*.py @a\n*.py @b\n", "x.py", ("@b",)),
        ("* @a\n!x.py @b\n", "x.py", ("@a",)),
        ("* @a\n[ab].py @b\n", "a.py", ("@a",)),
        ("* @a\nx.py not-an-owner\n", "x.py", ("@a",)),
        ("* @a\nX.py @b\n", "x.py", ("@a",)),
        ("a\\ b.py @a", "a b.py", ("@a",)),
        ("*.py @a # @b", "x.py", ("@a",)),
        ("#*.py @a", "x.py", None),
        ("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b @a", "a" * 200, None),
        ("", "x.py", None),
        ("\ufffd @a", "x.py", None),
    ],
)
def test_precedence_and_lines_that_are_skipped(text, path, owners):
    assert owners_of(text, path) == owners


def test_the_first_file_that_is_found_decides():
    files = {"docs/CODEOWNERS": b"* @docs\n", "CODEOWNERS": b"* @root\n", ".github/CODEOWNERS": b"\n* @hub\n"}
    found = read_owners(files.get)
    assert found is not None
    assert (found.path, found.rules) == (".github/CODEOWNERS", (OwnerRule(line=2, pattern="*", owners=("@hub",)),))
    del files[".github/CODEOWNERS"]
    second = read_owners(files.get)
    assert second is not None
    assert second.path == "CODEOWNERS"
    assert read_owners({}.get) is None


def test_a_file_that_github_does_not_load_owns_nothing():
    assert read_owners({"CODEOWNERS": b"* @a\n" + b"#" * MAX_BYTES}.get) is None


def test_many_rules_and_odd_bytes_are_bounded():
    text = "".join(f"dir{number}/** @a\n" for number in range(30_000)).encode() + b"\xff\x00 @a\n"
    owners = read_owners({"CODEOWNERS": text}.get)
    assert owners is not None
    for number in range(20):
        assert owners.of(f"other/{number}.py") is None


# --------------------------------------------------------------------------- as gitignore, by another implementation

SEGMENT = st.text("ab.*?", min_size=1, max_size=4).filter(lambda text: "**" not in text)
PATTERN = st.builds(
    lambda first, segments, last: first + "/".join(segments) + last,
    st.sampled_from(["", "/", "**/"]),
    st.lists(SEGMENT | st.just("**"), min_size=1, max_size=4),
    st.sampled_from(["", "/", "/**"]),
)
PATH = st.lists(st.text("ab.", min_size=1, max_size=4).filter(lambda text: text.strip(".")), min_size=1, max_size=5)


@given(st.lists(PATTERN, min_size=1, max_size=6), st.lists(PATH, min_size=1, max_size=6))
@settings(max_examples=200)
def test_the_last_pattern_that_matches_is_pathspecs(patterns, paths):
    # What `**` took is not for git to say: with it, git cannot be asked about direct children.
    patterns = [one for one in patterns if not (one.endswith("/*") and "**" in one)]
    patterns = [one for one in patterns if not one.startswith("/**") and one.count("*") <= MAX_STARS and one.strip("/")]
    owners = read_owners({"CODEOWNERS": "".join(f"{one} @a\n" for one in patterns).encode()}.get)
    assert owners is not None
    for path in ("/".join(parts) for parts in paths):
        matching = [number for number, one in enumerate(patterns, start=1) if _by_pathspec(one, path)]
        rule = owners.of(path)
        assert (rule.line if rule else None) == max(matching, default=None), (patterns, path)


def _by_pathspec(pattern: str, path: str) -> bool:
    """As gitignore, but ``docs/*`` means direct children only."""
    if not GitIgnoreSpec.from_lines([pattern]).match_file(path):
        return False
    children_only = pattern.endswith("/*") and pattern != "/*"
    return not (children_only and GitIgnoreSpec.from_lines([f"{pattern}/**"]).match_file(path))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a*a*a*a*a*a*a*a*ab", "a" * 4000),
        ("**/a/**/a/**/a/**/a/b", "a/" * 2000 + "a"),
        ("/*/*/*/*/*/*/*/*/*/x", "a/" * 2000 + "a"),
        ("a?a?a?a?a?a?a?a?a?*b", "a" * 4000),
    ],
)
def test_no_pattern_takes_long(pattern, path):
    assert owners_of(f"{pattern} @a\n", path) is None


# --------------------------------------------------------------------------- GitLab

GITLAB = """\
* @default
[Database][2] @dba/team
model/db/
config/db/database-setup.md @docs

^[Optional docs] @writers
*.md

[Ruby]
*.rb @ruby
!lib/generated/*.rb
lib/generated/x.rb @never-again
[DATABASE]
README.md @dbreaders
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("x.py", [("", ("@default",), 1, False)]),
        ("app/model/db/x.sql", [("", ("@default",), 1, False), ("Database", ("@dba/team",), 2, False)]),
        ("config/db/database-setup.md", [
            ("", ("@default",), 1, False), ("Database", ("@docs",), 2, False),
            ("Optional docs", ("@writers",), 1, True),
        ]),
        ("lib/a.rb", [("", ("@default",), 1, False), ("Ruby", ("@ruby",), 1, False)]),
        ("lib/generated/x.rb", [("", ("@default",), 1, False)]),
        ("README.md", [
            ("", ("@default",), 1, False), ("Database", ("@dbreaders",), 1, False),
            ("Optional docs", ("@writers",), 1, True),
        ]),
    ],
)  # fmt: skip
def test_sections(path, found):
    owners = read_owners({".gitlab/CODEOWNERS": GITLAB.encode()}.get)
    assert owners is not None
    assert [(one.section, one.owners, one.count, one.optional) for one in owners.rules_of(path)] == found


def test_an_optional_section_does_not_stand_for_a_required_one():
    owners = read_owners({"CODEOWNERS": b"^[Nice]\n*.py @nice\n[Must]\n*.py @must\n"}.get)
    assert owners is not None
    rule = owners.of("x.py")
    assert rule is not None
    assert rule.owners == ("@must",)
