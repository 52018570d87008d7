"""Pictures that our code paints, read back."""

import struct
import zlib


def decode(png: bytes) -> list[list[tuple[int, int, int]]]:
    """Rows of colours of a four-bit palette PNG without filters."""
    chunks, at = {}, 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        chunks[kind] = png[at + 8 : at + 8 + size]
        at += size + 12
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    palette = [tuple(chunks[b"PLTE"][i : i + 3]) for i in range(0, len(chunks[b"PLTE"]), 3)]
    rows, stride = zlib.decompress(chunks[b"IDAT"]), (width + 1) // 2 + 1
    return [
        [
            palette[byte >> 4 if x % 2 == 0 else byte & 15]
            for x in range(width)
            for byte in [rows[y * stride + 1 + x // 2]]
        ]
        for y in range(height)
    ]  # type: ignore[misc]
