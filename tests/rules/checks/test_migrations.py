import pytest

from gatecli.rules.checks.operations import Kind, sql_operations
from tests.rules.support import messages

DJANGO = """\
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        {},
    ]
"""
ALEMBIC = """\
from alembic import op

revision = "aa01"

def upgrade():
    {}

def downgrade():
    {}
"""
PATH = "shop/migrations/0002_change.py"
REVISION = "alembic/versions/aa01_change.py"


def django(rule: str, operation: str) -> list[str]:
    return [
        message.removeprefix("0002_change.Migration ")
        for message in messages(rule, None, DJANGO.format(operation), PATH)
    ]


def alembic(rule: str, up: str, down: str = "op.undo()") -> list[str]:
    found = messages(rule, None, ALEMBIC.format(up, down), REVISION)
    return [message.removeprefix("aa01_change.upgrade ") for message in found]


@pytest.mark.parametrize(
    ("rule", "operation", "expected"),
    [
        ("table-dropped", "migrations.DeleteModel('Order')", ["drops the table of model Order"]),
        ("table-dropped", "migrations.DeleteModel(name='Order')", ["drops the table of model Order"]),
        (
            "table-dropped",
            "migrations.RunSQL('drop table a; drop table if exists \"b\"', '')",
            ["drops the table of a", "drops the table of b"],
        ),
        ("table-dropped", "migrations.RunSQL(sql=[('DROP TABLE a', None)], reverse_sql='')", ["drops the table of a"]),
        ("table-dropped", "migrations.RunSQL('CREATE TABLE a (i int)', 'DROP TABLE a')", []),
        ("table-dropped", "migrations.RunSQL('-- DROP TABLE a', '')", []),
        ("column-dropped", "migrations.RemoveField('order', 'total')", ["drops the column order.total"]),
        ("column-dropped", "migrations.RemoveIndex('order', 'total')", []),
        ("column-dropped", "migrations.AlterField('order', 'total', models.IntegerField())", []),
        (
            "table-or-column-renamed",
            "migrations.RenameModel('Order', 'Purchase')",
            ["renames the table of model Order to Purchase"],
        ),
        ("table-or-column-renamed", "migrations.RenameField('order', 'a', 'b')", ["renames column order.a to b"]),
        (
            "table-or-column-renamed",
            "migrations.AlterModelTable('order', 'orders')",
            ["renames the table of model order to orders"],
        ),
        (
            "migration-irreversible",
            "migrations.RunPython(fill)",
            ["cannot be reversed: RunPython(fill) has no reverse_code"],
        ),
        (
            "migration-irreversible",
            "migrations.RunPython(fill, None)",
            ["cannot be reversed: RunPython(fill) has no reverse_code"],
        ),
        ("migration-irreversible", "migrations.RunPython(fill, undo)", []),
        ("migration-irreversible", "migrations.RunPython(code=fill, reverse_code=undo)", []),
        (
            "migration-irreversible",
            "migrations.RunSQL('UPDATE a SET b = 1')",
            ["cannot be reversed: RunSQL has no reverse_sql"],
        ),
        ("migration-irreversible", "migrations.RunSQL('UPDATE a SET b = 1', migrations.RunSQL.noop)", []),
    ],
)
def test_django(rule: str, operation: str, expected: list[str]) -> None:
    assert django(rule, operation) == expected


@pytest.mark.parametrize(
    ("rule", "up", "down", "expected"),
    [
        ("table-dropped", "op.drop_table('orders')", "op.create_table('orders')", ["drops the table of orders"]),
        ("table-dropped", "op.create_table('orders')", "op.drop_table('orders')", []),
        ("table-dropped", "op.execute('DROP TABLE orders')", "pass", ["drops the table of orders"]),
        ("table-dropped", "op.execute(sa.text('DROP TABLE orders'))", "pass", ["drops the table of orders"]),
        ("table-dropped", "op.drop_table('_alembic_tmp_orders')", "pass", []),
        ("column-dropped", "op.drop_column('orders', 'total')", "op.add()", ["drops the column orders.total"]),
        ("column-dropped", "op.drop_constraint('orders', 'total')", "op.add()", []),
        ("table-or-column-renamed", "op.rename_table('a', 'b')", "op.x()", ["renames table a to b"]),
        ("table-or-column-renamed", "op.alter_column('a', 'b', nullable=True)", "op.x()", []),
        (
            "migration-irreversible",
            "op.x()",
            "pass",
            ["cannot be reversed: the revision has a downgrade that does nothing"],
        ),
        (
            "migration-irreversible",
            "op.x()",
            "raise NotImplementedError",
            ["cannot be reversed: the revision has a downgrade that does nothing"],
        ),
        ("migration-irreversible", "pass", "pass", []),
        ("migration-irreversible", "op.x()", "op.y()", []),
    ],
)
def test_alembic(rule: str, up: str, down: str, expected: list[str]) -> None:
    assert alembic(rule, up, down) == expected


def test_the_same_code_elsewhere_is_no_migration() -> None:
    assert messages("table-dropped", None, DJANGO.format("migrations.DeleteModel('A')"), "shop/models.py") == []
    assert messages("table-dropped", None, ALEMBIC.format("op.drop_table('a')", "pass"), "shop/models.py") == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DROP TABLE a", [(Kind.DROP_TABLE, "a", 1)]),
        ("\n\ndrop  table\n a ;", [(Kind.DROP_TABLE, "a", 3)]),
        ('DROP TABLE "public"."a"', [(Kind.DROP_TABLE, "public.a", 1)]),
        ("ALTER TABLE a ADD x int, DROP COLUMN b", [(Kind.DROP_COLUMN, "a.b", 1)]),
        ("ALTER TABLE a ADD x int; DROP INDEX b", []),
        ("ALTER TABLE ONLY a RENAME COLUMN b TO c", [(Kind.RENAME, "column a.b to c", 1)]),
        ("ALTER TABLE a RENAME TO b", [(Kind.RENAME, "table a to b", 1)]),
        ("/* DROP TABLE a */ -- DROP TABLE b\nDROP TABLE c", [(Kind.DROP_TABLE, "c", 2)]),
        ("CREATE TABLE a (i int); DROP TABLE a", []),
        ("DROP TABLE a_old", []),
        ("DROP TABLE", []),
        ("backdrop table a", []),
    ],
)
def test_sql(sql: str, expected: list[tuple[Kind, str, int]]) -> None:
    assert [(found.kind, found.subject, found.line) for found in sql_operations(sql, 1)] == expected


@pytest.mark.parametrize(
    ("path", "flagged"),
    [
        ("db/migrations/0001.sql", True),
        ("schema/main/delta/83/01_drop.sql", True),
        ("db/migrations/0001.down.sql", False),
        ("db/migrations/rollback/0001.sql", False),
        ("reports/cleanup.sql", True),
        ("db/schema.sql", False),
        ("dumps/2026_dump.sql", False),
        ("docs/example.sql", False),
    ],
)
def test_sql_files(path: str, flagged: bool) -> None:
    assert bool(messages("table-dropped", None, "DROP TABLE a;\n", path)) is flagged


@pytest.mark.parametrize(
    ("also", "flagged"),
    [
        ("", True),
        ("CREATE TABLE b (id int);", True),
        ("CREATE TABLE a (id int);", False),
        ('create unlogged table if not exists "A" (id int);', False),
        ("ALTER TABLE c RENAME TO a;", False),
        ("-- about a", True),
    ],
)
def test_what_a_script_makes_again_is_not_lost(also: str, flagged: bool) -> None:
    assert bool(messages("table-dropped", None, f"DROP TABLE a;\n{also}\n", "ops/job.sql")) is flagged


def test_only_what_an_sql_file_gained() -> None:
    before, after = "DROP TABLE a;\n", "DROP TABLE a;\nDROP TABLE b;\n"
    assert messages("table-dropped", before, after, "db/migrations/1.sql") == [
        "db/migrations/1.sql drops the table of b"
    ]


@pytest.mark.parametrize(
    ("before", "after", "flagged"),
    [
        ("AddField('a', 'b')", "AddField('a', 'c')", True),
        ("AddField('a', 'b')", "AddField(\n'a', 'b', )", False),
        ('AddField("a", "b")', "AddField('a', 'b')", False),
    ],
)
def test_a_merged_migration(before: str, after: str, flagged: bool) -> None:
    found = messages("migration-edited", DJANGO.format(before), DJANGO.format(after), PATH)
    assert bool(found) is flagged


def test_dependencies_have_no_order() -> None:
    one = DJANGO.format("x()").replace('[("shop", "0001_initial")]', '[("a", "1"), ("b", "2")]')
    other = DJANGO.format("x()").replace('[("shop", "0001_initial")]', '[("b", "2"), ("a", "1")]')
    assert messages("migration-edited", one, other, PATH) == []
    assert len(messages("migration-edited", one, other.replace('"2"', '"3"'), PATH)) == 1
