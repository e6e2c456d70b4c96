import pytest

from gatecli.policy.owners import MAX_BYTES, OwnerRule, read_owners

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
