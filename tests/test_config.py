import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatecli.config import (
    Bands,
    Config,
    FailOn,
    Level,
    Paths,
    People,
    ProfileConfig,
    ProvenanceConfig,
    RuleConfig,
    Treatment,
    data_root,
    decode,
    load,
    read_data,
)
from gatecli.config.document import MAX_BYTES, MAX_PROBLEMS
from gatecli.errors import EvidenceError, UsageError
from gatecli.model import Mode, PolicyStamp


def base(files: dict[str, bytes]):
    return files.get


def problems(text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(UsageError) as caught:
        load(base({".gate/policy.yml": data}))
    assert caught.value.hint
    return [line.removeprefix(".gate/policy.yml:") for line in caught.value.message.split("\n")[1:]]


def test_without_a_policy_the_default_judges_and_is_stamped():
    config, stamp = load(base({}))
    assert config == Config()
    assert (config.mode, config.fail_on) == (Mode.ENFORCE, FailOn.REVIEW)
    assert stamp == PolicyStamp(path=None, revision=None, sha256=stamp.sha256)
    assert load(base({}), revision="abc")[1] == stamp


def test_every_setting_is_read():
    text = """\
# yaml-language-server: $schema=policy.schema.json
version: 1
mode: advise
fail_on: block
profile: {path: ops/profile.json, required: true, max_age_days: 7, routes: {GET /x: "shop/web.py::x"}}
people:
  seniors: [ines@shop.example, "@ravi"]
  aliases: {ravi: [ravi@shop.example, r.shah@old.example]}
bands: {review: 30, senior: 50}
rules:
  unbounded-retry: {severity: off}
  timeout-changed: {severity: block, points: 12}
provenance: {no_evidence: treat_as_ai, assisted: treat_as_ai}
paths:
  tests: [spec/]
  generated: []
"""
    config, stamp = load(base({".gate/policy.yml": text.encode()}), revision="3f9c2e1")
    assert config == Config(
        mode=Mode.ADVISE,
        fail_on=FailOn.BLOCK,
        profile=ProfileConfig(
            path="ops/profile.json", required=True, max_age_days=7, routes={"GET /x": "shop/web.py::x"}
        ),
        people=People(
            seniors=("ines@shop.example", "@ravi"), aliases={"ravi": ("ravi@shop.example", "r.shah@old.example")}
        ),
        bands=Bands(review=30, senior=50),
        rules={
            "unbounded-retry": RuleConfig(severity=Level.OFF),
            "timeout-changed": RuleConfig(severity=Level.BLOCK, points=12),
        },
        provenance=ProvenanceConfig(no_evidence=Treatment.TREAT_AS_AI, assisted=Treatment.TREAT_AS_AI),
        paths=Paths(tests=("spec/",), generated=()),
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert stamp == PolicyStamp(path=".gate/policy.yml", revision="3f9c2e1", sha256=digest)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "{}", "\ufeffversion: 1\n"])
def test_a_policy_that_says_nothing_is_the_default(text):
    assert load(base({".gate/policy.yml": text.encode()}))[0] == Config()


def test_a_local_policy_replaces_the_one_of_the_base(tmp_path):
    path = tmp_path / "try.yml"
    path.write_text("mode: advise\n")
    config, stamp = load(base({".gate/policy.yml": b"mode: enforce\n"}), path=path, revision="abc")
    assert config.mode is Mode.ADVISE
    assert (stamp.path, stamp.revision) == (str(path), None)


def test_a_local_policy_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="cannot read the policy"):
        load(base({}), path=tmp_path / "none.yml")
    with pytest.raises(UsageError, match="cannot read the policy"):
        load(base({}), path=tmp_path)


def test_a_misnamed_policy_is_not_silently_ignored():
    with pytest.raises(UsageError, match=r"\.gate/policy\.yaml is not read") as caught:
        load(base({".gate/policy.yaml": b"mode: enforce\n"}))
    assert caught.value.hint == "rename it to .gate/policy.yml"


def test_all_problems_are_reported_at_once_with_line_and_suggestion():
    text = """\
version: 2
mode: enforced
fail_onn: block
profile: {required: yes, max_age_days: 0}
people:
  seniors: [a@b.example, 3]
  aliases:
    x: [a@b.example]
    y: ["A@B.example"]
bands: {review: 50, senior: 10}
rules:
  timeout-changed: {severity: of}
  timeout-changed: {severity: off, pionts: 5}
  retry-removed: off
paths: []
"""
    assert problems(text) == [
        "1: version: Invalid enum value 2",
        "2: mode: 'enforced' is none of off, shadow, advise, enforce, did you mean 'enforce'?",
        "3: unknown key 'fail_onn', did you mean 'fail_on'?",
        "4: profile.max_age_days: Expected `float` > 0.0",
        "4: profile.required: 'yes' is text, write true or false",
        "6: people.seniors.1: Expected `str`, got `int`",
        "9: 'A@B.example' is an alias of both 'x' and 'y'",
        "10: bands.senior (10) is below bands.review (50)",
        "13: duplicate key 'timeout-changed'",
        "13: unknown key 'pionts' in rules.timeout-changed, did you mean 'points'?",
        "14: rules.retry-removed holds text, expected keys and values",
        "15: paths holds a list, expected keys and values",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- mode", ["1: the document holds a list, expected keys and values"]),
        ("advise", ["1: the document holds text, expected keys and values"]),
        ("mode: enforce\n---\nmode: advise\n", ["2: a second document: only one is read"]),
        (
            "mode: &m enforce\nfail_on: *m\n",
            ["2: aliases are not read: write out '*m'", "2: fail_on: Expected `str`, got `null`"],
        ),
        (
            "x: !!python/object/apply:os.system [id]\n",
            ["1: tags are not read: 'tag:yaml.org,2002:python/object/apply:os.system'", "1: unknown key 'x'"],
        ),
        ("mode: [\n", ["2: not valid YAML: did not find expected node content"]),
        ("? [a]\n: b\n", ["1: a key is plain text", "1: unknown key ''"]),
        ("mode: enforce\n\tfail_on: block\n", None),
        (b"mode: \x00\n", None),
        ("'mode\\x1b[2J': x", None),
        ("<<: {mode: advise}\n", ["1: unknown key '<<'"]),
        ("bands: {review: 1.5}", ["1: bands.review: Expected `int`, got `float`"]),
        ("bands: {review: -1}", ["1: bands.review: Expected `int` >= 0"]),
        ("bands: {review: 99999999999999999999}", None),
        ("profile: {max_age_days: .inf}", None),
        ("people: {aliases: {x: y}}", ["1: people.aliases.x holds text, expected a list"]),
        ("people: {seniors: }", ["1: people.seniors holds nothing, expected a list"]),
    ],
)
def test_hostile_and_broken_policies(text, expected):
    found = problems(text)
    if expected is not None:
        assert [line for line in found if "the document holds nothing" not in line] == expected
    assert found
    assert not any(mark in line for line in found for mark in "\x1b\x00")


def test_bytes_that_are_no_text_name_their_line():
    with pytest.raises(UsageError, match=r"^\.gate/policy\.yml:2: not UTF-8$"):
        load(base({".gate/policy.yml": b"mode: enforce\n# \xff\n"}))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b"{a: " * 100_000,
        b"- " * 300_000,
        b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"b%d: [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" % i for i in range(9)),
        b"".join(b"key%d: 1\n" % i for i in range(60_000)),
        b"rules: {" + b"".join(b"r%d: {x: 1}, " % i for i in range(20_000)) + b"}",
        b"x" * (MAX_BYTES + 1),
        b"mode: " + b"1" * 900_000,
    ],
    ids=["lists", "maps", "items", "aliases", "keys", "rules", "bytes", "number"],
)
def test_bombs_are_refused_soon(data):
    with pytest.raises(UsageError) as caught:
        load(base({".gate/policy.yml": data}))
    assert len(caught.value.message) < 400 * MAX_PROBLEMS


@given(st.binary(max_size=300))
def test_any_bytes_are_a_policy_or_a_usage_error(data):
    try:
        config, _ = load(base({".gate/policy.yml": data}))
    except UsageError:
        return
    assert isinstance(config, Config)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    at: int
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: str
    inner: Inner | None = None
    many: tuple[Inner, ...] = field(default=())


def test_decode_reads_nested_values_and_names_what_is_missing():
    assert decode(b"name: x\ninner: {at: 3}\nmany: [{at: 1, text: off}]\n", Outer, "f.yml") == Outer(
        name="x", inner=Inner(at=3), many=(Inner(at=1, text="off"),)
    )
    assert decode(b"name: x\ninner: null\n", Outer, "f.yml") == Outer(name="x")
    with pytest.raises(UsageError) as caught:
        decode(b"inner: {att: 3}\nmany:\n- at: 1\n- text: 12:30\n", Outer, "f.yml")
    assert caught.value.message.split("\n") == [
        "4 problems in f.yml",
        "f.yml:1: inner has no at",
        "f.yml:1: the document has no name",
        "f.yml:1: unknown key 'att' in inner, did you mean 'at'?",
        "f.yml:4: many.1 has no at",
    ]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text("abcXYZ 09-.:#'\"ß", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=3),
    max_leaves=10,
)


@given(PLAIN)
def test_what_a_yaml_writer_writes_is_read_back(value):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Holder:
        value: object

    assert decode(yaml.safe_dump({"value": value}).encode(), Holder, "f.yml").value == value


def test_shipped_data_is_found_in_the_checkout():
    assert data_root() == Path(__file__).resolve().parents[1] / "rules"
    assert read_data("weights.yml") == (data_root() / "weights.yml").read_bytes()
    with pytest.raises(EvidenceError, match=r"none/such\.yml cannot be read"):
        read_data("none/such.yml")


def test_a_route_is_answered_by_a_function():
    text = "profile:\n  routes:\n    GET /x: shop.web.x\n    GET /y: shop/web.py::y\n    GET /z: 3\n"
    found = problems(text)
    assert len(found) == 2
    assert "'shop.web.x' is no function: name it as path::qualname" in "".join(found)
