"""The samples of a pprof file, some ten thousand at a time: their numbers are decoded by columns.

A sample is a message of locations (field 1), values (field 2) and labels, each packed or not:
https://github.com/google/pprof/blob/main/proto/profile.proto. What is laid out otherwise than a profiler does (fields
of fixed width, keys of several bytes, what is cut off) is read one by one, which also says what is wrong with it.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatecli.errors import EvidenceError
from gatecli.runtime.formats.protobuf import BYTES, VARINT, Field, damaged, fields, numbers, signed, varint
from gatecli.runtime.formats.stack_table import MAX_DEPTH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Numbers = NDArray[np.uint64]
    _Positions = NDArray[np.int64]

SAMPLE_KEY = 0x12
# What is decoded at once stays in the cache of a processor: eight times as much takes half as long again.
_BATCH = 4_096
_BATCH_BYTES = 512 * 1024
# More fields in one sample than columns and labels make: it is read by itself.
_MAX_FIELDS = 64
_MAX_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some samples: ``locations`` of all, leaf first, ``ends`` where those of each end, and a row of values each."""

    locations: "_Numbers"
    ends: "_Positions"
    values: "NDArray[np.int64]"


class Samples:
    """Where the samples of a file are, and the fields between them."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._heads = array("q")
        self._others: list[tuple[int, int]] = []
        self._split()

    def others(self) -> Iterator[Field]:
        """The fields that are no samples."""
        view = memoryview(self._data)
        for begin, end in self._others:
            yield from fields(view[begin:end])

    def batches(self, columns: int) -> Iterator[Batch]:
        """All samples, each with so many values.

        Raises:
            EvidenceError: one is damaged, too deep, or has another number of values.
        """
        import numpy as np

        content, heads = np.frombuffer(self._data, dtype=np.uint8), np.frombuffer(self._heads, dtype=np.int64)
        first = 0
        while first < len(heads):
            by_bytes = int(np.searchsorted(heads, heads[first] + _BATCH_BYTES))
            last = min(max(first + 1, by_bytes), first + _BATCH)
            chosen = heads[first:last]
            read = _varints(content, chosen + 1, np.full(len(chosen), len(content)))
            assert read is not None, "the file was split by these sizes"
            sizes, begins = read
            ends = begins + sizes.astype(np.int64)
            batch = by_columns(content, begins, ends, columns)
            yield batch or one_by_one(self._data, begins.tolist(), ends.tolist(), columns)
            first = last

    def _split(self) -> None:
        data, end, view = self._data, len(self._data), memoryview(self._data)
        append, others = self._heads.append, self._others
        position = 0
        while position < end:
            if data[position] == SAMPLE_KEY:
                append(position)
                if position + 1 < end and (size := data[position + 1]) < 0x80:
                    position += 2 + size
                else:
                    size, position = varint(view, position + 1)
                    position += size
                continue
            after = _field_end(view, position)
            if others and others[-1][1] == position:
                others[-1] = others[-1][0], after
            else:
                others.append((position, after))
            position = after
        if position > end:
            raise damaged()


def _field_end(data: memoryview, position: int) -> int:
    """Where the field ends that begins here."""
    key, position = varint(data, position)
    if key & 7 == VARINT:
        return varint(data, position)[1]
    if key & 7 == BYTES:
        size, position = varint(data, position)
    else:
        size = {1: 8, 5: 4}.get(key & 7, len(data) + 1)
    if size > len(data) - position:
        raise damaged()
    return position + size


def one_by_one(data: bytes, begins: Sequence[int], ends: Sequence[int], columns: int) -> Batch:
    """The samples of a batch, each as what it is."""
    import numpy as np

    view = memoryview(data)
    locations, lengths, values = array("Q"), [], array("q")
    for begin, end in zip(begins, ends, strict=True):
        found, of = _sample(view[begin:end], columns)
        locations.extend(found)
        lengths.append(len(found))
        values.extend(of)
    return Batch(
        locations=np.array(locations, dtype=np.uint64),
        ends=np.cumsum(lengths, dtype=np.int64),
        values=np.array(values, dtype=np.int64).reshape(-1, columns),
    )


def _sample(content: memoryview, columns: int) -> tuple[list[int], list[int]]:
    """A sample's locations, leaf first, and its values."""
    locations: list[int] = []
    values: list[int] = []
    for found in fields(content):
        if found[0] == 1:
            locations += numbers(found)
        elif found[0] == 2:
            values += map(signed, numbers(found))
    if len(values) != columns or len(locations) > MAX_DEPTH:
        raise EvidenceError(f"a sample has {len(values):,} values for {columns:,} types", "record it again")
    return locations, values


# --------------------------------------------------------------------------- by columns


def by_columns(content: "NDArray[np.uint8]", begins: "_Positions", ends: "_Positions", columns: int) -> Batch | None:
    """The samples of a batch at once; None where one of them has to be looked at by itself."""
    import numpy as np

    stretches = _stretches(content, begins, ends)
    if stretches is None:
        return None
    locations = _decoded(content, stretches[1], len(begins))
    values = _decoded(content, stretches[2], len(begins))
    if locations is None or values is None or (values[1] != columns).any() or (locations[1] > MAX_DEPTH).any():
        return None
    return Batch(
        locations=locations[0],
        ends=np.cumsum(locations[1]),
        values=values[0].view(np.int64).reshape(-1, columns),
    )


def _stretches(
    content: "NDArray[np.uint8]", begins: "_Positions", ends: "_Positions"
) -> "dict[int, tuple[_Positions, _Positions, _Positions]] | None":
    """Where the numbers of the fields 1 and 2 are: the next field of every sample at once, until none has one."""
    import numpy as np

    rows = np.flatnonzero(begins < ends)
    at = begins[rows]
    found: dict[int, list[tuple[_Positions, _Positions, _Positions]]] = {1: [], 2: []}
    for _ in range(_MAX_FIELDS):
        if not len(rows):
            return {field: _sorted(parts) for field, parts in found.items()}
        keys, limits = content[at], ends[rows]
        is_packed = (keys & 7) == BYTES
        if ((keys >= 0x80) | (keys < 8) | ~(is_packed | ((keys & 7) == VARINT))).any():
            return None
        read = _varints(content, at + 1, limits)
        if read is None:
            return None
        sizes, after = read
        begin = np.where(is_packed, after, at + 1)
        if (is_packed & (sizes > (limits - after).astype(np.uint64))).any():
            return None
        after = np.where(is_packed, after + sizes.astype(np.int64), after)
        for field, parts in found.items():
            chosen = np.flatnonzero((keys >> 3) == field)
            if len(chosen):
                parts.append((rows[chosen], begin[chosen], after[chosen]))
        goes_on = after < limits
        rows, at = rows[goes_on], after[goes_on]
    return None


def _sorted(
    parts: "list[tuple[_Positions, _Positions, _Positions]]",
) -> "tuple[_Positions, _Positions, _Positions]":
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    rows, begins, ends = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(rows, kind="stable")
    return rows[order], begins[order], ends[order]


def _varints(
    content: "NDArray[np.uint8]", at: "_Positions", limits: "_Positions"
) -> "tuple[_Numbers, _Positions] | None":
    """The number that begins at each place, and the position behind it."""
    import numpy as np

    if (at >= limits).any():
        return None
    bytes_ = content[at]
    result = (bytes_ & 0x7F).astype(np.uint64)
    after = at + 1
    going = np.flatnonzero(bytes_ >= 0x80)
    for byte in range(1, _MAX_VARINT_BYTES):
        if not len(going):
            break
        if (after[going] >= limits[going]).any():
            return None
        bytes_ = content[after[going]]
        result[going] |= (bytes_ & 0x7F).astype(np.uint64) << np.uint64(7 * byte)
        after[going] += 1
        going = going[bytes_ >= 0x80]
    return None if len(going) else (result, after)


def _decoded(
    content: "NDArray[np.uint8]", stretches: "tuple[_Positions, _Positions, _Positions]", samples: int
) -> "tuple[_Numbers, _Positions] | None":
    """All numbers of the stretches, and how many each sample has; None where one does not end."""
    import numpy as np

    rows, begins, ends = stretches
    lengths = ends - begins
    so_far = np.cumsum(lengths)
    total = int(so_far[-1]) if len(so_far) else 0
    data = content[np.repeat(begins - (so_far - lengths), lengths) + np.arange(total)]
    is_last = data < 0x80
    if not is_last[so_far[lengths > 0] - 1].all():
        return None
    lasts = np.flatnonzero(is_last)
    firsts = np.concatenate(([0], lasts[:-1] + 1)) if len(lasts) else lasts
    widths = lasts - firsts
    if len(widths) and int(widths.max()) >= _MAX_VARINT_BYTES:
        return None
    result = (data[firsts] & 0x7F).astype(np.uint64)
    longer = np.flatnonzero(widths)
    for byte in range(1, _MAX_VARINT_BYTES):
        if not len(longer):
            break
        result[longer] |= (data[firsts[longer] + byte] & 0x7F).astype(np.uint64) << np.uint64(7 * byte)
        longer = longer[widths[longer] > byte]
    counts = np.diff(np.searchsorted(lasts, so_far), prepend=0)
    return result, np.bincount(rows, weights=counts, minlength=samples).astype(np.int64)
