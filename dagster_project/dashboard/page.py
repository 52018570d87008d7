"""A page from the marts: the one way in for what is served and what is written."""

import psycopg

from dagster_project.dashboard import render
from dagster_project.dashboard.account import Account
from dagster_project.dashboard.blocks import Section, Text
from dagster_project.dashboard.filters import Filters
from dagster_project.dashboard.links import Links
from dagster_project.dashboard.pages import cell as cells
from dagster_project.dashboard.pages.catalogue import PAGES, Page
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.i18n.language import Language
from dagster_project.exports.i18n.wording import Wording


def page(
    connection: psycopg.Connection,
    account: Account,
    name: str,
    filters: Filters,
    links: Links,
    *,
    language: Language,
    company: str | None,
) -> str:
    """A page of the menu as HTML.

    Args:
        name: one of `PAGES`.
        filters: as the page knows them.
    """
    shown = Shown(connection, account, filters, links, Wording(language))
    one = PAGES[name]
    sections = one.make(shown) if filters.week else _nothing_yet(shown, one)
    return render.html(shown, one, sections, company=company)


def cell(
    connection: psycopg.Connection,
    account: Account,
    slot: tuple[int, int],
    filters: Filters,
    links: Links,
    *,
    language: Language,
    company: str | None,
) -> str:
    """The chats behind a cell of the heatmap, weekday (0 = Sunday) and hour, as HTML."""
    say = Wording(language)
    shown = Shown(connection, account, filters, links, say)
    heatmap = PAGES["heatmap"]
    sections = cells.page(shown, *slot) if filters.week else _nothing_yet(shown, heatmap)
    title = f"{say.text(heatmap.title)}: {say.weekday(slot[0], long=True)} {slot[1]:02}:00"
    return render.html(shown, heatmap, sections, company=company, title=title)


def _nothing_yet(shown: Shown, one: Page) -> list[Section]:
    return [Section(shown.say.text(one.title), [Text([shown.say.text("dashboard.no_chats_yet")])])]
