"""Event files of TensorBoard, written bit by bit from the published formats; nothing of the reader is used."""

import struct


def crc32c(data: bytes) -> int:
    """Castagnoli's checksum, one bit at a time."""
    rest = 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = (rest >> 1) ^ (0x82F63B78 if rest & 1 else 0)
    return rest ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)


def frame(data: bytes) -> bytes:
    """One record."""
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def number(value: int) -> bytes:
    """A varint."""
    value %= 2**64
    out = b""
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def part(place: int, content: bytes) -> bytes:
    """A field with a length."""
    return number(place * 8 + 2) + number(len(content)) + content


def event(step: int, *values: bytes, time: float = 1.0) -> bytes:
    """A record with a summary."""
    body = b"\x09" + struct.pack("<d", time) + (b"\x10" + number(step) if step else b"")
    return frame(body + part(5, b"".join(part(1, value) for value in values)))


def simple(tag: str, value: float) -> bytes:
    """A value of the old kind."""
    return part(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def tensor(tag: str, value: float, kind: int = 1, dimensions: int = 0) -> bytes:
    """A value of the new kind, as TensorFlow 2 writes it: content, or float_val and double_val packed where kind is negative."""
    shape = part(2, b"".join(part(2, b"\x08\x01") for _ in range(dimensions)))
    raw = struct.pack("<f" if abs(kind) == 1 else "<d", value)
    content = part(4, raw) if kind > 0 else part(5 if kind == -1 else 6, raw)
    return part(1, tag.encode()) + part(8, b"\x08" + number(abs(kind)) + shape + content)


def version() -> bytes:
    """The first record of every file."""
    return frame(b"\x09" + struct.pack("<d", 0.5) + part(3, b"brain.Event:2"))
