"""Write the fonts of the PDF report from Inter's variable font: two weights, the scripts that names are written in.

Needs fonttools, and Inter's `Inter[opsz,wght].ttf` (the package fontpkg-inter brings it):
python scripts/make_report_fonts.py "Inter[opsz,wght].ttf"
"""

import itertools
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

FOLDER = Path(__file__).parent.parent / "dagster_project" / "exports" / "report" / "templates" / "fonts"
WEIGHTS = {"Regular": 400, "SemiBold": 600}
BLOCKS = [
    (0x20, 0x7E),
    (0xA0, 0x24F),  # Latin
    (0x2B0, 0x2DD),
    (0x300, 0x36F),  # modifiers, combining marks
    (0x370, 0x3FF),
    (0x400, 0x52F),  # Greek, Cyrillic
    (0x1E00, 0x1EFF),  # Vietnamese and other Latin
    (0x2010, 0x2027),
    (0x202F, 0x205F),
    (0x2070, 0x209F),
    (0x20A0, 0x20BF),
    (0x2100, 0x214F),
    (0x2190, 0x21FF),
    (0x2200, 0x22FF),
    (0x25A0, 0x25FF),
    (0x2600, 0x27BF),
]
FEATURES = ["kern", "tnum", "mark", "mkmk", "ccmp", "locl"]


def main(source: Path) -> None:
    for name, weight in WEIGHTS.items():
        font = instancer.instantiateVariableFont(TTFont(source), {"opsz": 14, "wght": weight}, updateFontNames=True)
        options = subset.Options(layout_features=FEATURES, name_IDs=["*"], hinting=False, notdef_outline=True)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[code for first, last in BLOCKS for code in range(first, last + 1)])
        subsetter.subset(font)
        font["OS/2"].usWeightClass = weight
        font["head"].modified = font["head"].created
        font.save(FOLDER / f"Inter-{name}.ttf")
    (FOLDER / "glyphs.txt").write_text(covered(font))


def covered(font: TTFont) -> str:
    """The characters that a font has, as ranges of hexadecimal code points, one a line."""
    codes = sorted(font.getBestCmap())
    runs = itertools.groupby(enumerate(codes), key=lambda pair: pair[1] - pair[0])
    ranges = [[code for _, code in run] for _, run in runs]
    return "".join(f"{run[0]:04X}-{run[-1]:04X}\n" for run in ranges)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
