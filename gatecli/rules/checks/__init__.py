"""The checks that are more than a query, by the name a rule's ``check`` gives: the table of contents."""

from collections.abc import Mapping

from gatecli.rules.checks import (
    access,
    awaits,
    capacity,
    contracts,
    files,
    guards,
    handlers,
    loops,
    migrations,
    tested,
    timeouts,
)
from gatecli.rules.observation import Check

CHECKS: Mapping[str, Check] = {
    "access-removed": access.access_removed,
    "assertions-reduced": tested.assertions_reduced,
    "await-dropped": awaits.await_dropped,
    "capacity-changed": capacity.capacity_changed,
    "column-dropped": migrations.column_dropped,
    "column-type-changed": migrations.type_changed,
    "constraint-locks": migrations.constraint_locks,
    "default-changed": contracts.default_changed,
    "exception-broadened": handlers.broadened,
    "function-removed": contracts.function_removed,
    "guardrails-changed": files.guardrails_changed,
    "hot-function-untested": tested.hot_function_untested,
    "index-locks": migrations.index_locks,
    "io-behind-loop": loops.io_behind_loop,
    "invisible-text-added": files.invisible_added,
    "migration-edited": migrations.merged_edited,
    "migration-irreversible": migrations.irreversible,
    "not-null-added": migrations.not_null_added,
    "retry-removed": guards.retry_removed,
    "secret-added": files.secret_added,
    "signature-changed": contracts.signature_changed,
    "table-dropped": migrations.table_dropped,
    "table-or-column-renamed": migrations.renamed,
    "test-removed": tested.test_removed,
    "timeout-changed": timeouts.timeout_changed,
    "transaction-removed": guards.transaction_removed,
    "try-removed": guards.try_removed,
    "whole-table-written": migrations.whole_table_written,
}
