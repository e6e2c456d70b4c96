import pytest

from gatecli.model import RelationKind
from tests.syntax.changes import changes, file_change

ADD_UP = """
    total = 0
    for item in items:
        total += item.price * item.amount
"""
DISCOUNT = """
    if discount and discount.applies(total):
        total -= total * discount.share
        log.info("discount %s", discount)
"""
TAX = """
    for region, rate in sorted(discount.rates.items()):
        if region.covers(total) and not rate.exempt:
            total += round(total * rate.share, 2)
            log.info("tax %s in %s", rate, region)
"""


def function(name: str, *parts: str, parameters: str = "items, discount") -> str:
    text = "".join(part.lstrip("\n") for part in parts)
    return f"def {name}({parameters}):\n{text}    return total\n\n\n"


def relations(before: str, after: str) -> dict[str, list[str]]:
    found = changes(file_change(before, after))
    return {
        f"{change.kind} {change.id.qualname}": [str(one) for one in change.relations]
        for change in found
        if change.relations
    }


def test_an_extracted_function_names_where_it_came_from():
    before = function("total", ADD_UP, DISCOUNT)
    after = function("total", "    total = add_up(items)\n", DISCOUNT) + function("add_up", ADD_UP, parameters="items")
    assert relations(before, after) == {"added add_up": ["extracted from a.py::total"]}


def test_an_extracted_method():
    def method(text: str) -> str:
        return "".join(f"    {line}\n" if line.strip() else "\n" for line in text.splitlines())

    before = "class Cart:\n" + method(function("total", ADD_UP, DISCOUNT, parameters="self, items, discount"))
    after = (
        "class Cart:\n"
        + method(function("total", "    total = self.add_up(items)\n", DISCOUNT, parameters="self, items, discount"))
        + method(function("add_up", ADD_UP, parameters="self, items"))
    )
    assert relations(before, after) == {"added Cart.add_up": ["extracted from a.py::Cart.total"]}


def test_an_inlined_function_says_where_it_went():
    before = function("total", "    total = add_up(items)\n", DISCOUNT) + function("add_up", ADD_UP, parameters="items")
    after = function("total", ADD_UP, DISCOUNT)
    assert relations(before, after) == {
        "removed add_up": ["merged into a.py::total"],
        "edited total": ["merged from a.py::add_up"],
    }


def test_a_function_split_in_two():
    before = function(
        "check_out", ADD_UP, DISCOUNT, TAX, TAX.replace("region", "country"), ADD_UP.replace("items", "gifts")
    )
    after = function("add_up", ADD_UP, DISCOUNT) + function("taxed", TAX, parameters="total, discount")
    assert relations(before, after) == {
        "removed check_out": ["split into a.py::add_up, a.py::taxed"],
        "added add_up": ["extracted from a.py::check_out"],
        "added taxed": ["extracted from a.py::check_out"],
    }


def test_functions_merged_into_a_new_one():
    before = function("add_up", ADD_UP, DISCOUNT) + function("taxed", TAX, parameters="total, discount")
    after = function(
        "check_out", ADD_UP, DISCOUNT, TAX, TAX.replace("region", "country"), ADD_UP.replace("items", "gifts")
    )
    assert relations(before, after)["added check_out"] == ["merged from a.py::add_up, a.py::taxed"]


def test_functions_that_share_nothing_are_not_related():
    before = function("total", ADD_UP)
    after = function("weigh", "    weight = sum(parcel.weight for parcel in load(parcels))\n    print(weight)\n")
    assert relations(before, after) == {}


def test_new_code_under_a_new_name_is_not_extracted():
    before = function("total", ADD_UP, DISCOUNT)
    new = "    with connect() as db:\n        return db.execute(query, (region, when)).fetchone()[0]\n"
    after = function("total", ADD_UP, DISCOUNT, "    total += tax(total)\n") + f"def tax(region, when):\n{new}"
    assert relations(before, after) == {}


CLASS = f"""class Basket:
    def total(self, items):
{ADD_UP.replace("    ", "        ").strip(chr(10))}
        return total

    def discounted(self, total, discount):
{DISCOUNT.replace("    ", "        ").strip(chr(10))}
        return total
"""
MODULE = f"""def total(items):
{ADD_UP.strip(chr(10))}
    return total


def discounted(total, discount):
{DISCOUNT.strip(chr(10))}
    return total
"""


def test_a_class_that_became_a_module_and_back():
    assert relations(CLASS, MODULE) == {
        "removed Basket": ["became functions of a.py::<module>"],
        "renamed total": ["was a method of a.py::Basket"],
        "renamed discounted": ["was a method of a.py::Basket"],
    }
    assert relations(MODULE, CLASS) == {
        "added Basket": ["was functions of a.py::<module>"],
        "renamed Basket.total": ["became a method of a.py::Basket"],
        "renamed Basket.discounted": ["became a method of a.py::Basket"],
    }


def test_a_class_that_became_another_module():
    found = changes(
        file_change(CLASS, None, path="shop/basket.py"),
        file_change("X = 1\n", f"X = 1\n\n\n{MODULE}", path="shop/totals.py"),
    )
    relations = {change.id.qualname: change.relations for change in found if change.relations}
    (relation,) = relations["Basket"]
    assert relation.kind is RelationKind.BECAME_MODULE
    assert [str(other) for other in relation.others] == ["shop/totals.py::<module>"]


@pytest.mark.parametrize("kept", ["pass", "return 1"])
def test_what_kept_its_name_in_a_renamed_class_is_renamed_with_it(kept):
    before = CLASS + f"\n    def small(self):\n        {kept}\n"
    after = before.replace("Basket", "Cart").replace(kept, "return compute(self, 3) or self.other")
    rows = {change.id.qualname: (change.kind.value, change.base_id.qualname) for change in changes(
        file_change(before, after))}  # fmt: skip
    assert rows == {
        "Cart": ("renamed", "Basket"),
        "Cart.total": ("renamed", "Basket.total"),
        "Cart.discounted": ("renamed", "Basket.discounted"),
        "Cart.small": ("renamed", "Basket.small"),
    }


def test_many_parts_take_bounded_time():
    before = "".join(function(f"f{i}", ADD_UP, DISCOUNT) for i in range(300))
    after = "".join(function(f"g{i}", ADD_UP.replace("total", f"t{i}"), "    x()\n" * 30) for i in range(300))
    assert changes(file_change(before, after))
