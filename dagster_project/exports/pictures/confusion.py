"""A confusion matrix as a picture: a row a true label, a column a named one; the darker, the larger its share."""

from collections.abc import Mapping, Sequence

from dagster_project.exports.pictures.png import Canvas, Colour

_SHADES: list[Colour] = [(255, 255, 255), (222, 235, 247), (158, 202, 225), (66, 146, 198), (8, 69, 148)]
_WRONG: list[Colour] = [(255, 255, 255), (254, 224, 210), (252, 146, 114), (222, 45, 38), (153, 0, 13)]
_PALETTE: list[Colour] = [(255, 255, 255), (60, 60, 60), (228, 228, 228), *_SHADES, *_WRONG]
_DARK, _LINE, _RIGHT_FROM, _WRONG_FROM = 1, 2, 3, 8
_LETTERS = 4  # of a label, which stand for it


def picture(labels: Sequence[str], confusion: Mapping[str, Mapping[str, int]], cell: int = 22) -> bytes:
    """The matrix as a PNG: right answers in blue on the diagonal, wrong ones in red, with their counts.

    Args:
        labels: in the order of the rows; a column follows for what else was named.
        confusion: by true label, how often each label was named.
        cell: size of a cell in pixels.
    """
    others = sorted({named for row in confusion.values() for named in row} - set(labels))
    columns = [*labels, *others]
    margin = 4 * _LETTERS + 4
    canvas = Canvas(margin + len(columns) * cell, 10 + len(labels) * cell)
    for column, label in enumerate(columns):
        canvas.write(margin + column * cell + 2, 2, _short(label), _DARK)
    for row, label in enumerate(labels):
        canvas.write(2, 10 + row * cell + (cell - 5) // 2, _short(label), _DARK)
        for column, named in enumerate(columns):
            _paint(canvas, margin + column * cell, 10 + row * cell, cell, confusion[label], named, named == label)
    return canvas.png(_PALETTE)


def _paint(canvas: Canvas, x: int, y: int, cell: int, row: Mapping[str, int], named: str, right: bool) -> None:
    count, total = row.get(named, 0), sum(row.values())
    shade = -(-4 * count // total) if total else 0
    canvas.fill(x, y, cell - 1, cell - 1, _LINE)
    canvas.fill(x + 1, y + 1, cell - 3, cell - 3, (_RIGHT_FROM if right else _WRONG_FROM) + shade)
    if count:
        text = str(count)
        canvas.write(x + (cell - 4 * len(text)) // 2, y + (cell - 5) // 2, text, 0 if shade > 2 else _DARK)


def _short(label: str) -> str:
    return "".join(character for character in label.upper() if "A" <= character <= "Z")[:_LETTERS]
