"""What the Dagster UI shows of texts that others wrote, read back as its renderer reads them."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dagster_project.orchestration.ui import markdown
from dagster_project.settings import PROJECT_ROOT

# The UI's renderer makes links of these in any text, whatever was escaped: mdast-util-gfm-autolink-literal.
AUTOLINKS = re.compile(r"(https?://|www(?=\.))([-.\w]+)|([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)", re.IGNORECASE)
HOSTILE = [
    "<b>Ventas</b>",
    "![x](http://evil.example/p.png)",
    "[factura](https://evil.example)",
    "a | b |\n|---|",
    "`code` **x** __y__",
    "_a_ b_c d__e",
    "https://evil.example/a",
    "HTTP://evil.example",
    "www.evil.example",
    "ana@evil.example",
    "&lt;script&gt; &#60;b&#62;",
    "\\<b>",
    "\\",
    "trailing \\",
    "~~no~~",
    "<https://evil.example>",
    "x\r\n\r\n# título",
    "[^1]: nota",
    "\u202egnp.exe",
    "[x]: http://evil.example",
    "<!-- ",
    "Ñandú – «ventas» 24/7",
    "mailto:ana@evil.example",
    "\u2028<img src=x>",
]


def tokens(text: str) -> Iterator[Token]:
    """All tokens, inline ones too."""
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text):
        yield token
        yield from token.children or ()


def cells(text: str) -> list[str]:
    return [
        "".join(child.content for child in token.children or () if child.type == "text")
        for token in tokens(text)
        if token.type == "inline"
    ]


def is_plain(text: str) -> bool:
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens(text)}
    return kinds <= {"table", "thead", "tbody", "tr", "th", "td", "inline", "text", "text_special", "paragraph"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_it_is_and_is_never_markup_nor_a_link(name: str) -> None:
    shown = markdown.table([name, "count"], [[name, 1], ["after", 2]], above=name).value
    assert is_plain(shown or "")
    above, *found = cells(shown or "")
    whole = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    assert [cell.replace("\u2060", "") for cell in (above, *found)] == [whole, whole, "count", whole, "1", "after", "2"]
    assert not any(AUTOLINKS.search(cell) for cell in (above, *found))


@given(st.text(alphabet=st.one_of(st.sampled_from("<>[]()!|\\`*_~&#:/@.w\n- http"), st.characters()), max_size=60))
def test_any_text_stays_in_its_cell(name: str) -> None:
    shown = markdown.table(["name", "count"], [[name, 1], ["after", 2]]).value or ""
    assert is_plain(shown)
    found = cells(shown)
    assert len(found) == 6
    assert found[3:] == ["1", "after", "2"]
    assert not AUTOLINKS.search(found[2])


def test_a_picture_is_named_without_harm() -> None:
    shown = markdown.picture("x](http://evil.example) ![y", b"\x89PNG").value or ""
    images = [token for token in tokens(shown) if token.type == "image"]
    assert [str(image.attrs["src"])[:22] for image in images] == ["data:image/png;base64,"]


def test_markdown_for_the_ui_is_made_in_one_place() -> None:
    """Elsewhere a text that somebody wrote might be forgotten."""
    makes = re.compile(r"MetadataValue\.md\(|MarkdownMetadataValue\(")
    files = sorted((PROJECT_ROOT / "dagster_project").rglob("*.py"))
    assert [file.name for file in files if makes.search(file.read_text())] == ["markdown.py"]
