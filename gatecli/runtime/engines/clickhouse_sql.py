"""What ClickHouse is asked: SQL over the Collector's ``otel_traces``."""

from dataclasses import dataclass

# The nearest span above that counts is found by doubling: after six steps, up to 64 spans above.
_DOUBLINGS = 6
# Of the hash that stands for an operation; 100,000 of them are alike in so many bits once in 50,000 times.
KEY_BITS = 48
_TRACEBACK_FRAME = r'File "([^"\n]{1,400})", line ([0-9]{1,9}), in ([^\n]{1,200})'


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which spans: of a table (a checked name), between two moments in milliseconds, of one service (None: of all)."""

    table: str
    start_ms: int
    end_ms: int
    service: str | None

    @property
    def time(self) -> str:
        """The condition on the time."""
        return (
            f"Timestamp >= fromUnixTimestamp64Milli({self.start_ms}) "
            f"AND Timestamp < fromUnixTimestamp64Milli({self.end_ms})"
        )

    @property
    def own(self) -> str:
        """The condition that a span is of the service."""
        return "1" if self.service is None else f"ServiceName = {quoted(self.service)}"


def quoted(text: str) -> str:
    """A string of SQL. https://clickhouse.com/docs/sql-reference/syntax#string"""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _first(*keys: str, of: str = "SpanAttributes") -> str:
    """The first attribute that is there; one that is missing reads as empty."""
    values = [f"{of}['{key}']" for key in keys]
    conditions = "".join(f"{value} != '', {value}, " for value in values[:-1])
    return f"multiIf({conditions}{values[-1]})" if conditions else values[0]


# In OTLP's own words (https://opentelemetry.io/docs/specs/semconv/), the old ones behind the new.
_ROUTE = "SpanAttributes['http.route']"
_METHOD = _first("http.request.method", "http.method")
_TASK = "SpanAttributes['celery.task_name']"
_RPC = "trimBoth(SpanAttributes['rpc.method'], '/')"
_RPC_SERVICE = "trimBoth(SpanAttributes['rpc.service'], '/')"
_IS_GRPC = f"{_RPC} != '' AND {_first('rpc.system', 'rpc.system.name')} IN ('', 'grpc')"
_QUEUE = _first("messaging.destination.name", "messaging.destination")
_IS_SERVER = "SpanKind IN ('Server', 'SPAN_KIND_SERVER')"
_IS_CONSUMER = "SpanKind IN ('Consumer', 'SPAN_KIND_CONSUMER')"
_IS_ERROR = "StatusCode IN ('Error', 'STATUS_CODE_ERROR')"
_OLD_CODE = "SpanAttributes['code.function']"
_NAMESPACE = "SpanAttributes['code.namespace']"
_CODE = (
    "multiIf(SpanAttributes['code.function.name'] != '', SpanAttributes['code.function.name'], "
    f"{_OLD_CODE} = '' OR {_NAMESPACE} = '', {_OLD_CODE}, concat({_NAMESPACE}, '.', {_OLD_CODE}))"
)
_ENTRY_KIND = (
    f"multiIf({_IS_SERVER} AND {_ROUTE} != '', 'http', {_IS_SERVER} AND {_IS_GRPC}, 'grpc', "
    f"{_IS_CONSUMER} AND {_TASK} != '', 'task', {_IS_CONSUMER} AND {_QUEUE} != '', 'consumer', '')"
)
_ENTRY_NAME = (
    f"multiIf({_ENTRY_KIND} = 'http', trimLeft(concat({_METHOD}, ' /', replaceRegexpOne({_ROUTE}, '^/+', ''))), "
    f"{_ENTRY_KIND} = 'grpc', if({_RPC_SERVICE} = '' OR {_RPC} LIKE '%/%', {_RPC}, "
    f"concat({_RPC_SERVICE}, '/', {_RPC})), {_ENTRY_KIND} = 'task', {_TASK}, {_ENTRY_KIND} = 'consumer', {_QUEUE}, '')"
)
# Consistent probability sampling: the rejection threshold, of 2**56, as hex digits.
_THRESHOLD = "extract(TraceState, '(?:^|,)\\\\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})')"
_WEIGHT = (
    f"if({_THRESHOLD} = '', 1, 1 / (1 - least(0.999999, "
    f"reinterpretAsUInt64(reverse(unhex(rightPad({_THRESHOLD}, 14, '0')))) / 72057594037927936)))"
)
_KEY = f"if({_ENTRY_KIND} = '' AND {_CODE} = '', 0, cityHash64({_ENTRY_KIND}, {_ENTRY_NAME}, {_CODE}))"
_ENTRY_KEY = f"if({_ENTRY_KIND} = '', 0, cityHash64({_ENTRY_KIND}, {_ENTRY_NAME}, {_CODE}))"


def stock(scope: Scope) -> str:
    """One row: how many spans and traces there are, since when, and what the resources say."""
    revision = "ResourceAttributes['vcs.ref.head.revision']"
    environment = _first("deployment.environment.name", "deployment.environment", of="ResourceAttributes")

    def distinct(value: str) -> str:
        return f"groupUniqArrayIf(20)(toString({value}), {scope.own} AND {value} != '')"

    return f"""
SELECT count(), countIf({scope.own}), uniqIf(TraceId, {scope.own}), toUnixTimestamp64Milli(min(Timestamp)) / 1000,
  if(countIf({scope.own}) = 0, groupUniqArray(20)(toString(ServiceName)), {distinct("ServiceName")}),
  {distinct(revision)}, {distinct(environment)}, {distinct("ResourceAttributes['process.runtime.version']")}
FROM {scope.table} WHERE {scope.time}"""


def operations(scope: Scope, limit: int) -> str:
    """A row for each function and entry point, the busiest first; durations in milliseconds, to the microsecond."""
    file = _first("code.file.path", "code.filepath")
    line = _first("code.line.number", "code.lineno")
    return f"""
SELECT bitAnd({_KEY}, {(1 << KEY_BITS) - 1}) AS short,
  any({_ENTRY_KIND}), any({_ENTRY_NAME}), any({_CODE}), any({file}), any({line}),
  sum({_WEIGHT}) AS calls, countIf({_THRESHOLD} = ''), sumIf({_WEIGHT}, {_IS_ERROR}), round(avg(Duration) / 1e6, 3),
  arrayMap(time -> round(time / 1e6, 3), quantilesTDigest(0.5, 0.95, 0.99)(Duration)),
  toUnixTimestamp(min(Timestamp)), toUnixTimestamp(max(Timestamp)), count()
FROM {scope.table} WHERE {scope.time} AND {scope.own} AND short != 0
GROUP BY short ORDER BY calls DESC, short LIMIT {limit}"""


def _traces(scope: Scope, every: int) -> str:
    """Whole traces that the service takes part in, spans of others with them, every n-th by a hash of the id."""
    chosen = f"cityHash64(TraceId) % {every} = 0" if every > 1 else "1"
    if scope.service is not None:
        chosen += f" AND TraceId IN (SELECT TraceId FROM {scope.table} WHERE {scope.time} AND {scope.own} AND {chosen})"
    return f"FROM {scope.table} WHERE {scope.time} AND {chosen}"


def relations(scope: Scope, every: int, mask: int, limit: int) -> str:
    """A row for each operation: those that are the nearest above it, or its nearest entry points, and how often.

    ``mask`` has the bits of their keys that are sent, ``limit`` is of the pairs.
    """

    def doubled(name: str) -> str:
        return ", ".join(
            f"arrayMap(at -> {name}{step}[at], {name}{step}) AS {name}{step + 1}" for step in range(_DOUBLINGS)
        )

    last = _DOUBLINGS
    return f"""
SELECT below, is_entry, pairs.1, pairs.2 FROM (
  SELECT below, is_entry, arraySort(groupArray((above, times))) AS pairs FROM (
  WITH arrayMap(parent -> indexOf(ids, parent), parents) AS up,
  arrayMap((key, parent, at) -> if(key != 0 OR parent = 0, at, parent), keys, up, arrayEnumerate(keys)) AS named0,
  {doubled("named")},
  arrayMap((key, parent, at) -> if(key != 0 OR parent = 0, at, parent), entries, up, arrayEnumerate(keys)) AS entry0,
  {doubled("entry")},
  arrayMap((key, parent) -> (if(parent = 0, 0, keys[named{last}[parent]]), key, false), keys, up) AS callers,
  arrayMap((key, at) -> (entries[entry{last}[at]], key, true), keys, arrayEnumerate(keys)) AS entered,
  arrayJoin(arrayMap((pair, is_own) -> if(is_own, pair, (0, 0, false)),
    arrayConcat(callers, entered), arrayConcat(owns, owns))) AS found
SELECT found.1 AS above, found.2 AS below, found.3 AS is_entry, count() AS times FROM (
  SELECT groupArray(SpanId) AS ids, groupArray(ParentSpanId) AS parents, groupArray(bitAnd({_KEY}, {mask})) AS keys,
    groupArray(bitAnd({_ENTRY_KEY}, {mask})) AS entries, groupArray({scope.own}) AS owns
  {_traces(scope, every)} GROUP BY TraceId HAVING length(ids) <= 20000)
WHERE above != 0 AND below != 0 GROUP BY above, below, is_entry ORDER BY times DESC, above, below LIMIT {limit})
GROUP BY below, is_entry) ORDER BY below, is_entry"""


def skeletons(scope: Scope, *, every: int, mask: int, limit: int) -> str:
    """A row for each of some whole traces: parents by position, kinds, operations, times in microseconds."""
    # Traces that run through the same operations stand beside each other, and compress.
    return f"""
SELECT arrayMap(parent -> indexOf(ids, parent), parents), kinds, keys,
  arrayMap(start -> start - arrayMin(starts) + 1, starts), durations
FROM (SELECT * FROM (
  SELECT groupArray(SpanId) AS ids, groupArray(ParentSpanId) AS parents, groupArray(toString(SpanKind)) AS kinds,
    groupArray(if({scope.own}, bitAnd({_KEY}, {mask}), 0)) AS keys,
    groupArray(toUnixTimestamp64Micro(Timestamp)) AS starts, groupArray(toUInt64(round(Duration / 1000))) AS durations
  {_traces(scope, every)} GROUP BY TraceId HAVING length(ids) <= 20000 ORDER BY TraceId)
LIMIT {limit}) ORDER BY keys, kinds"""


def exceptions(scope: Scope, limit: int) -> str:
    """A row for each type of exception and frame of its traceback; each once for an event."""
    return f"""
WITH arrayJoin(arrayFilter(event -> event.1 = 'exception', arrayZip(`Events.Name`, `Events.Attributes`))) AS event,
  arrayJoin(arrayDistinct(extractAllGroups(event.2['exception.stacktrace'], {quoted(_TRACEBACK_FRAME)}))) AS frame
SELECT event.2['exception.type'] AS type, frame[1] AS file, frame[2] AS line, frame[3] AS name, count() AS times
FROM {scope.table} WHERE {scope.time} AND {scope.own} AND has(`Events.Name`, 'exception')
GROUP BY type, file, line, name ORDER BY times DESC, type, file, line, name LIMIT {limit}"""
