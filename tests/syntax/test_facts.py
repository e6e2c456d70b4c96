import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gatecli
from gatecli.syntax import facts, python, trees
from gatecli.syntax.imports import names_of, read_names

SOURCES = sorted(Path(gatecli.__file__).parent.rglob("*.py"))


@given(st.lists(st.from_regex(r"\A[a-z_é][a-z0-9_é]{0,8}\Z"), max_size=20), st.from_regex(r"\A[a-z_]{1,4}\Z"))
def test_words_that_are_there_are_never_missed(words, wanted):
    source = " + ".join(words).encode()
    if re.search(rb"\b" + wanted.encode() + rb"\b", source):
        assert facts.may_say(facts.words_of(source), [facts.hash_of(wanted)])


def test_a_hash_is_looked_for_where_one_begins():
    words = facts.words_of(b"alpha beta gamma delta")
    assert facts.may_say(words, [facts.hash_of("gamma")])
    assert not facts.may_say(words, [words[1:5]])
    assert not facts.may_say(words, [facts.hash_of("omega")])
    assert not facts.may_say(b"", [facts.hash_of("omega")])


@pytest.mark.parametrize("path", SOURCES[::7], ids=lambda path: path.name)
def test_names_are_the_same_read_alone_or_from_a_module(path):
    source = path.read_bytes()
    assert read_names("a/b.py", source) == names_of(python.read_module("a/b.py", source))


@pytest.mark.parametrize("path", SOURCES[::11], ids=lambda path: path.name)
def test_names_come_back_as_they_were_kept(path):
    names = read_names("a/b.py", path.read_bytes())
    assert facts.decode(facts.encode(names)) == names


@pytest.mark.parametrize(
    "source",
    [
        "def a(): pass\nclass B(C, metaclass=M):\n    @d\n    def e(self): yield\nf = lambda: 1\nimport g.h as i, j\n",
        "from .k import (l as m, n)\nfrom . import *\nasync def o():\n    def p(): ...\n(q := lambda: 1)\n",
        "'''def no(): class import lambda'''  # def\nx.imp = 1\nif a:\n    def r(): pass\nelse:\n    def r(): pass\n",
        "def \\\n  s(): pass\nx = [lambda: 1, lambda: 2]\nself.t = lambda: 3\na = b = lambda: 4\n",
        "def (:\nclass\nimport\nyield yield\nlambda lambda: def\n",
        "\f\ndef u():\n\treturn (yield)\n@v\n@w.x(1)\nclass Y: z = lambda: (yield)\n",
    ],
)
def test_landmarks_are_those_of_a_walk_over_every_node(monkeypatch, source):
    root = trees.parse(source.encode()).root_node
    quick = trees.landmarks(root, source.encode())
    monkeypatch.setattr(trees, "_MAX_KEYWORD_COST", -1)
    whole = trees.landmarks(root, source.encode())
    assert {kind: [n.byte_range for n in nodes] for kind, nodes in quick.items() if nodes} == {
        kind: [n.byte_range for n in nodes] for kind, nodes in whole.items() if nodes
    }


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x81", b"\x81\xa4path\x01", b"\x93\x01\x02\x03", b"null"])
def test_damaged_names_are_an_error(data):
    with pytest.raises(ValueError, match=r"."):
        facts.decode(data)


def test_a_file_that_cannot_be_parsed_is_kept_as_that():
    assert facts.names_in("a.py", b"\0") is None
    assert facts.decode(facts.encode(None)) is None
