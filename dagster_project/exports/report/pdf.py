"""The PDF of a report: set by typst from templates of ours, tagged, the same bytes for the same data and timestamp."""

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.exports.i18n.language import Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.report import ReportData
from dagster_project.exports.report.view.model import view_model

TEMPLATES = Path(__file__).parent / "templates"
STANDARDS = ("ua-1", "a-2a")
MISSING = "□"

# Latin, Greek and Cyrillic letters come from the font beside the templates, these from fonts that typst brings itself.
_HEBREW_AND_ARABIC = (*range(0x05D0, 0x05EB), *range(0x0621, 0x063B), *range(0x0641, 0x064B))
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


def render_pdf(
    data: ReportData, *, language: Language = "es", timestamp: datetime, company: str | None = None
) -> bytes:
    """The report as a tagged PDF, of the standards PDF/UA-1 and PDF/A-2a.

    Args:
        language: es or en.
        timestamp: when it is made, with its zone; it is shown, and the same one makes the same bytes.
        company: the name on the cover.
    """
    content = _printable(view_model(data, language=language, timestamp=timestamp, company=company), Wording(language))
    [pdf] = _set(content, format="pdf", pdf_standards=list(STANDARDS), timestamp=timestamp)
    return pdf


def first_page_png(
    data: ReportData, *, language: Language = "es", timestamp: datetime, company: str | None = None
) -> bytes:
    """The report's first page as a picture of 248 × 351 pixels, some 35 KB."""
    return page_pictures(data, language=language, timestamp=timestamp, company=company, pixels_per_inch=30)[0]


def page_pictures(
    data: ReportData, *, language: Language, timestamp: datetime, company: str | None, pixels_per_inch: int
) -> list[bytes]:
    """Each page of the report as a PNG."""
    content = _printable(view_model(data, language=language, timestamp=timestamp, company=company), Wording(language))
    return _set(content, format="png", ppi=pixels_per_inch)


def _set(content: dict[str, Any], **output: Any) -> list[bytes]:
    """Let typst lay it out. It reaches no file but the templates, no font of the machine and no network."""
    import typst  # noqa: PLC0415  34 MB that only a report needs

    made = typst.compile(
        str(TEMPLATES / "report.typ"),
        root=str(TEMPLATES),
        font_paths=[str(TEMPLATES / "fonts")],
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(content, ensure_ascii=False, allow_nan=False)},
        **output,
    )
    return made if isinstance(made, list) else [made]


def _printable(content: dict[str, Any], say: Wording) -> dict[str, Any]:
    """The view model with □ for characters that no font has, and a line in its notes that counts them."""
    missing = 0

    def clean(value: Any) -> Any:
        nonlocal missing
        if isinstance(value, dict):
            return {key: clean(part) for key, part in value.items()}
        if isinstance(value, list):
            return [clean(part) for part in value]
        if not isinstance(value, str):
            return value
        characters = [one if ord(one) in _glyphs() else None for one in _UNSEEN.sub("", value)]
        missing += characters.count(None)
        return "".join(one or MISSING for one in characters)

    cleaned: dict[str, Any] = clean(content)
    cleaned["notes"]["coverage"].append([cleaned["notes"]["glyphs"], say.number(missing)])
    return cleaned


@cache
def _glyphs() -> frozenset[int]:
    """The characters that can be printed. `\\n` and the zero-width space need no glyph."""
    ranges = [line.split("-") for line in (TEMPLATES / "fonts" / "glyphs.txt").read_text().split()]
    ours = {code for first, last in ranges for code in range(int(first, 16), int(last, 16) + 1)}
    return frozenset(ours | set(_HEBREW_AND_ARABIC) | {0x0A, 0x200B})
