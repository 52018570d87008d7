"""A palette PNG from rows of colour numbers, with the standard library alone: small enough to show inline in the UI."""

import struct
import zlib
from collections.abc import Sequence

Colour = tuple[int, int, int]

# 3 × 5 pixels a character, each row as three bits.
_GLYPHS = {
    "0": (7, 5, 5, 5, 7),
    "1": (2, 6, 2, 2, 7),
    "2": (7, 1, 7, 4, 7),
    "3": (7, 1, 3, 1, 7),
    "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7),
    "6": (7, 4, 7, 5, 7),
    "7": (7, 1, 2, 2, 2),
    "8": (7, 5, 7, 5, 7),
    "9": (7, 5, 7, 1, 7),
    "A": (2, 5, 7, 5, 5),
    "B": (6, 5, 6, 5, 6),
    "C": (3, 4, 4, 4, 3),
    "D": (6, 5, 5, 5, 6),
    "E": (7, 4, 6, 4, 7),
    "F": (7, 4, 6, 4, 4),
    "G": (3, 4, 5, 5, 3),
    "H": (5, 5, 7, 5, 5),
    "I": (7, 2, 2, 2, 7),
    "J": (1, 1, 1, 5, 7),
    "K": (5, 5, 6, 5, 5),
    "L": (4, 4, 4, 4, 7),
    "M": (5, 7, 7, 5, 5),
    "N": (6, 5, 5, 5, 5),
    "O": (7, 5, 5, 5, 7),
    "P": (7, 5, 7, 4, 4),
    "Q": (7, 5, 5, 7, 1),
    "R": (6, 5, 6, 5, 5),
    "S": (7, 4, 7, 1, 7),
    "T": (7, 2, 2, 2, 2),
    "U": (5, 5, 5, 5, 7),
    "V": (5, 5, 5, 2, 2),
    "W": (5, 5, 7, 7, 5),
    "X": (5, 5, 2, 5, 5),
    "Y": (5, 5, 2, 2, 2),
    "Z": (7, 1, 2, 4, 7),
}


class Canvas:
    """A grid of palette numbers to paint on; colour 0 is the ground."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels = [bytearray(width) for _ in range(height)]

    def fill(self, x: int, y: int, width: int, height: int, colour: int) -> None:
        """Paint a rectangle."""
        for row in self.pixels[y : y + height]:
            row[x : x + width] = bytes([colour]) * width

    def write(self, x: int, y: int, text: str, colour: int, scale: int = 1) -> None:
        """Paint digits and the letters from A to Z, each 3 × 5 pixels times `scale`; a space is half as wide."""
        for character in text:
            if character == " ":
                x += 2 * scale
                continue
            for line, bits in enumerate(_GLYPHS[character]):
                for column in range(3):
                    if bits & (4 >> column):
                        self.fill(x + column * scale, y + line * scale, scale, scale, colour)
            x += 4 * scale

    def png(self, palette: Sequence[Colour]) -> bytes:
        """The picture as a PNG file.

        Args:
            palette: at most 16 colours, as (red, green, blue) from 0 to 255.
        """
        header = struct.pack(">IIBBBBB", len(self.pixels[0]), len(self.pixels), 4, 3, 0, 0, 0)
        rows = b"".join(b"\0" + _pack(row) for row in self.pixels)
        return b"".join(
            [
                b"\x89PNG\r\n\x1a\n",
                _chunk(b"IHDR", header),
                _chunk(b"PLTE", bytes(value for colour in palette for value in colour)),
                _chunk(b"IDAT", zlib.compress(rows, 9)),
                _chunk(b"IEND", b""),
            ]
        )


def _pack(row: bytearray) -> bytes:
    """Two four-bit pixels a byte."""
    even = row if len(row) % 2 == 0 else row + b"\0"
    return bytes(even[i] << 4 | even[i + 1] for i in range(0, len(even), 2))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
