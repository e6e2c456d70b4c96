"""The wire format of protocol buffers: the fields of one message, without a schema, within bounds.

https://protobuf.dev/programming-guides/encoding/
"""

from collections.abc import Iterator

from gatecli.errors import EvidenceError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
# 64 bits in groups of seven.
_MAX_VARINT_BYTES = 10

Field = tuple[int, int, int, memoryview]
"""Number, wire type, the value of a number, the content of anything longer."""


def fields(data: memoryview) -> Iterator[Field]:
    """Each field of a message, in its order.

    Raises:
        EvidenceError: cut off, or no message.
    """
    position, end = 0, len(data)
    nothing = data[:0]
    while position < end:
        # Most keys and sizes have one byte.
        key = data[position]
        if key < 0x80:
            position += 1
        else:
            key, position = varint(data, position)
        number, wire = key >> 3, key & 7
        if not number:
            raise damaged()
        if wire == VARINT:
            value, position = varint(data, position)
            yield number, wire, value, nothing
        elif wire == BYTES:
            if position < end and data[position] < 0x80:
                size = data[position]
                position += 1
            else:
                size, position = varint(data, position)
            if size > end - position:
                raise damaged()
            yield number, wire, 0, data[position : position + size]
            position += size
        elif wire in _FIXED:
            size = _FIXED[wire]
            if size > end - position:
                raise damaged()
            yield number, wire, int.from_bytes(data[position : position + size], "little"), nothing
            position += size
        else:
            raise damaged()


def varint(data: memoryview, position: int) -> tuple[int, int]:
    """An unsigned number of up to 64 bits, and the position behind it."""
    value = 0
    for shift in range(0, 7 * _MAX_VARINT_BYTES, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise damaged()


def numbers(field: Field) -> list[int]:
    """The numbers of a repeated field: one, or all that are packed into it."""
    _, wire, value, content = field
    if wire != BYTES:
        return [value]
    data = bytes(content)
    if data.isascii():  # every number has one byte
        return list(data)
    result = []
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            result.append(value & 0xFFFF_FFFF_FFFF_FFFF)
            value = shift = 0
        else:
            shift += 7
            if shift == 7 * _MAX_VARINT_BYTES:
                raise damaged()
    if shift:
        raise damaged()
    return result


def signed(value: int) -> int:
    """A number of 64 bits in two's complement."""
    return value - 2**64 if value >= 2**63 else value


def text(content: memoryview) -> str:
    """A string; what is not UTF-8 is replaced."""
    return bytes(content).decode("utf-8", "replace")


def damaged() -> EvidenceError:
    """That the bytes are no message."""
    return EvidenceError("the protobuf data is damaged or cut off", "record or copy the file again")
