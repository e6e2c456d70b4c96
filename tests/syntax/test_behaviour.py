import pytest

from gatecli.model import Behaviour, ChangeKind, FunctionChange
from tests.syntax.changes import behaviour, body, changes, file_change


@pytest.mark.parametrize(
    ("kind", "before", "after", "added", "removed"),
    [
        ("calls", ["a()"], ["b()"], ["b"], ["a"]),
        ("calls", ["a()", "a()"], ["a()"], [], ["a"]),
        ("calls", ["a(1)"], ["a(2)"], [], []),
        ("calls", ["pass"], ["self.session.post(x)"], ["self.session.post"], []),
        ("calls", ["pass"], ["O.all(a=1).first()"], ["O.all().first", "O.all"], []),
        ("calls", ["pass"], ["handlers[x](1)"], ["handlers[]"], []),
        ("calls", ["pass"], ["','.join(x)"], ['"".join'], []),
        ("calls", ["a.b.c.d.e.f.g()"], ["a.b.c.d.e.f.h()"], ["….b.c.d.e.f.h"], ["….b.c.d.e.f.g"]),
        ("raises", ["pass"], ["raise ValueError(x)"], ["ValueError"], []),
        ("raises", ["try: a()", "except E: raise"], ["try: a()", "except E: raise X from None"], ["X"], ["raise"]),
        ("awaits", ["await a()"], ["a()"], [], ["a"]),
        ("awaits", ["pass"], ["async with a() as b: pass"], ["async with a() as b"], []),
        ("awaits", ["for y in x: pass"], ["async for y in x: pass"], ["async for y in x"], []),
        ("loops", ["pass"], ["for y in x: pass"], ["for y in x"], []),
        ("loops", ["while x: pass"], ["while x and y: pass"], ["while x and y"], ["while x"]),
        ("loops", ["pass"], ["[y for y in x]"], ["for y in x"], []),
        ("returns", ["return x"], ["return None"], ["return None"], ["return x"]),
        ("returns", ["yield 1", "return"], ["yield 2", "return"], ["yield 2"], ["yield 1"]),
    ],
)
def test_what_came_and_went(kind, before, after, added, removed):
    head = "async def f(x):"
    facts = getattr(behaviour(body(*before, head=head), body(*after, head=head)), kind)
    assert ([fact.text for fact in facts.added], [fact.text for fact in facts.removed]) == (added, removed)


def test_facts_have_the_line_of_their_side():
    found = behaviour(body("a()", "b()"), "\n\n" + body("b()", "", "c()"))
    assert [(fact.text, fact.line) for fact in found.calls.added] == [("c", 6)]
    assert [(fact.text, fact.line) for fact in found.calls.removed] == [("a", 2)]


def test_code_that_only_moved_within_a_function_is_no_fact():
    found = behaviour(body("a()", "b()", "return x"), body("b()", "a()", "return x"))
    assert found == Behaviour(complexity=(1, 1))


def test_layout_beside_a_change_is_no_fact():
    before = body("for y in x: a()", "b(c, t='d')", "return {'a': x, 'b': (y)}")
    after = body("for y in (x): a( )", 'b(c, t="d",)', 'return { "a": x, "b": y, }', "e()")
    found = behaviour(f"@d('a')\n{before}", f'@d("a", )\n{after}')
    assert [fact.text for fact in found.calls.added] == ["e"]
    assert found == Behaviour(complexity=(2, 2), calls=found.calls)


def test_decorators():
    found = behaviour("@retry(attempts=3)\n@cached\n" + body("a()"), "@cached\n" + body("a()"))
    assert [fact.text for fact in found.decorators.removed] == ["@retry(attempts=3)"]
    assert not found.calls


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def f(timeout=30): a()", "def f(timeout=3): a()", ("timeout", "30", "3")),
        ("def f(timeout: float = 30): a()", "def f(timeout: float = 3): a()", ("timeout", "30", "3")),
        ("def f(): get(x, timeout=30)", "def f(): get(x, timeout=3)", ("get(timeout)", "30", "3")),
        ("def f(): s.get(x, timeout=30)", "def f(): t.get(x, timeout=3)", ("get(timeout)", "30", "3")),
        ("def f(): sleep(60 * 60)", "def f(): sleep(60)", ("sleep(argument 1)", "60 * 60", "60")),
        ("def f(): self.limit = -1", "def f(): self.limit = 10", ("self.limit", "-1", "10")),
        ("def f(): x += 1", "def f(): x += 2", ("x", "1", "2")),
        ("def f(): x = {'a': 1, 'b': 2}", "def f(): x = {'a': 1, 'b': 3}", ("['b']", "2", "3")),
        ("def f(): return n > 3", "def f(): return n > 30", ("n >", "3", "30")),
        ("def f(): return 3 < n", "def f(): return 30 < n", ("< n", "3", "30")),
        ("def f(): return n * 0.2", "def f(): return n * 0.25", ("n *", "0.2", "0.25")),
        ("def f(): return True", "def f(): return False", ("return", "True", "False")),
        ("def f(): x = (1, 2)", "def f(): x = (1, 3)", ("x", "(1, 2)", "(1, 3)")),
        ("def f(): return g(verify=True)", "def f(): return g(verify=False)", ("g(verify)", "True", "False")),
        ("def f(): return (n := 10)", "def f(): return (n := 11)", ("n", "10", "11")),
    ],
)
def test_a_constant_has_its_place_and_both_values(before, after, expected):
    constants = behaviour(before + "\n", after + "\n").constants
    assert expected in [(change.where, change.before, change.after) for change in constants]


def test_constants_of_a_module_and_of_a_class():
    before = "A = 1\nTIMEOUT = 30\n\n\nclass C:\n    retries = 3\n\n    def f(self): return 1\n"
    after = before.replace("30", "3").replace("retries = 3", "retries = 5")
    found = {change.id.qualname: change.behaviour.constants for change in changes(file_change(before, after))}
    assert {name: [(c.where, c.before, c.after, c.line) for c in constants] for name, constants in found.items()} == {
        "<module>": [("TIMEOUT", "30", "3", 2)],
        "C": [("retries", "3", "5", 6)],
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = y", "x = z"),  # no constants
        ("x = 1", "y = 2"),  # another place
        ("x = f'{a}'", "x = f'{b}'"),
        ("x = [" + "1, " * 60 + "2]", "x = [" + "1, " * 60 + "3]"),  # a table
    ],
)
def test_what_is_no_changed_constant(before, after):
    assert behaviour(body(before), body(after)).constants == ()


def test_the_text_of_a_secret_is_not_repeated():
    (change,) = behaviour(body("api_token = 'abc'"), body("api_token = 'abd'")).constants
    assert (change.where, change.before, change.after) == ("api_token", "…", "…")


def test_long_source_is_cut():
    long = "x" * 500
    (fact,) = behaviour(body("pass"), body(f"return {long}")).returns.added
    assert len(fact.text) == 80
    assert fact.text.endswith("…")


def test_layout_and_places_have_no_behaviour():
    before = body("a()", "return x") + "\n\n" + body("b()", head="def g(y):")
    for after in (before.replace("a()", "a( )"), before.replace("def f", "def h")):
        (change,) = changes(file_change(before, after))
        assert isinstance(change, FunctionChange)
        assert change.kind in (ChangeKind.COSMETIC, ChangeKind.RENAMED)
        assert change.behaviour is None
