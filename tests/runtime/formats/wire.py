"""Protobuf written field by field: https://protobuf.dev/programming-guides/encoding/"""


def varint(value: int) -> bytes:
    """A number; a negative one is that of 64 bits."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def number(field: int, value: int) -> bytes:
    """A field with a number."""
    return varint(field << 3) + varint(value)


def message(field: int, *parts: bytes) -> bytes:
    """A field with a message, a text or bytes."""
    content = b"".join(parts)
    return varint(field << 3 | 2) + varint(len(content)) + content
