import pytest

from gatecli.rules import examples, registry
from gatecli.rules.spec import Example, FileSides
from tests.rules.support import rule

MIGRATION = "class Migration(migrations.Migration):\n    operations = [{}]\n"
ALTER = 'migrations.AlterField("order", "note", models.{})'
MADE = 'migrations.CreateModel(name="Order", fields=[("id", models.AutoField()), ("note", models.{})])'
ADDED = 'migrations.AddField(model_name="order", name="note", field=models.{})'


def altered(new: str, *earlier: str) -> bool:
    example = Example(
        name="a test",
        flags=True,
        tree={f"shop/migrations/000{number}_x.py": MIGRATION.format(text) for number, text in enumerate(earlier)},
        files={"shop/migrations/0010_note.py": FileSides(after=MIGRATION.format(ALTER.format(new)))},
    )
    case, around = examples.case_of(example), examples.around_of(example)
    return bool(registry.run((rule("column-type-changed"),), case, around=around))


@pytest.mark.parametrize(
    ("new", "earlier", "expected"),
    [
        ("CharField(max_length=100)", (MADE.format("CharField(max_length=200)"),), True),
        ("CharField(max_length=300)", (MADE.format("CharField(max_length=200)"),), False),
        ("TextField()", (ADDED.format("CharField(max_length=200)"),), False),
        ("IntegerField()", (ADDED.format("CharField(max_length=200)"),), True),
        # The last one counts, and of another model none does.
        ("CharField(max_length=9)", (MADE.format("TextField()"), ALTER.format("CharField(max_length=9)")), False),
        ("IntegerField()", (ADDED.format("TextField()").replace('"order"', '"shop"'),), False),
        ("JSONField()", (ADDED.format("SanitizedJSONField()"),), False),
        ("IntegerField()", ("broken(",), False),
        ("IntegerField()", (), False),
    ],
)
def test_what_it_was(new: str, earlier: tuple[str, ...], expected: bool) -> None:
    assert altered(new, *earlier) is expected
