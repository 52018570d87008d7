"""A page as HTML: one file with its styles in it, and a policy that lets nothing else in."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dagster_project.dashboard.account import Account
from dagster_project.dashboard.blocks import Section
from dagster_project.dashboard.links import Links
from dagster_project.dashboard.pages.catalogue import PAGES, Page
from dagster_project.dashboard.shown import Shown
from dagster_project.exports.i18n.language import LANGUAGES
from dagster_project.exports.i18n.wording import Wording
from dagster_project.exports.report.data.about import Scope
from dagster_project.exports.report.phrases import shortened

_TEMPLATES = Path(__file__).with_name("templates")
LANGUAGE_NAMES = {"es": "Español", "en": "English"}


@dataclass(frozen=True)
class Choice:
    """An entry of a list to choose from."""

    value: str
    label: str
    is_chosen: bool


def html(shown: Shown, page: Page, sections: list[Section], *, company: str | None, title: str = "") -> str:
    """A page with its menu and filters.

    Args:
        company: whose dashboard it is.
        title: of a page that is not in the menu.
    """
    say, filters, account = shown.say, shown.filters, shown.account
    is_complete = shown.selection.is_complete if filters.week else True
    return (
        _environment()
        .get_template("page.html")
        .render(
            **_frame(say, account, shown.links, company),
            title=title or say.text(page.title),
            name=page.name,
            menu=[(shown.links.page(one.name), say.text(one.title), one.name == page.name) for one in PAGES.values()],
            period=_period(shown),
            badges=[
                *(_sources(shown) if page.has_members else []),
                *([] if is_complete else [say.text("badge.partial")]),
            ],
            previous=shown.links.week(filters.previous),
            following=shown.links.week(filters.following),
            form=_form(shown, page) if shown.links.is_live else None,
            back="" if not title else shown.links.page(page.name),
            sections=sections,
        )
    )


def message(say: Wording, title: str, text: str, *, company: str | None) -> str:
    """A page that says one thing: that something is missing, or not allowed."""
    return (
        _environment().get_template("message.html").render(**_frame(say, None, None, company), title=title, text=text)
    )


def index(say: Wording, account: Account, entries: list[tuple[str, str]], *, company: str | None, about: str) -> str:
    """The first page of a static site: the weeks that it holds."""
    return (
        _environment()
        .get_template("index.html")
        .render(**_frame(say, account, None, company), title=say.text("dashboard.weeks"), entries=entries, text=about)
    )


@cache
def policy() -> str:
    """The Content-Security-Policy of every page: nothing but its own styles, by their hash."""
    digest = base64.b64encode(hashlib.sha256(_styles().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'"


def _frame(say: Wording, account: Account | None, links: Links | None, company: str | None) -> dict[str, Any]:
    """What every page has."""
    fresh = None
    if account:
        fresh = say.text(
            "dashboard.before_now",
            through=say.instant(account.freshness.data_through, account.timezone),
            refreshed=say.instant(account.freshness.refreshed_at, account.timezone),
            zone=account.timezone,
        )
    return {
        "say": say.text,
        "language": say.language,
        "company": shortened(company or say.text("default_company"), 60),
        "policy": policy(),
        "styles": _styles(),
        "is_demo": bool(account and account.is_demo),
        "fresh": fresh,
        "languages": [
            (one, LANGUAGE_NAMES[one], links.language(one), one == say.language)
            for one in LANGUAGES
            if links and (one == say.language or links.language(one))
        ],
    }


def _period(shown: Shown) -> str:
    say = shown.say
    if shown.filters.week is None:
        return say.text("no_data")
    period = shown.selection.period
    return say.text("period.range", first=say.day(period.start), last=say.day(period.end))


def _sources(shown: Shown) -> list[str]:
    """Where conversations come from several sources: which one the page is about, or why it has no times."""
    say, member = shown.say, shown.filters.member
    if member.scope == "source" and shown.account.has_several_sources:
        return [say.text("filter.source", name=say.label("source", member.name))]
    return [] if member.has_times else [say.text("badge.several_sources")]


def _form(shown: Shown, page: Page) -> dict[str, Any]:
    """The filters that the page knows, as lists to choose from."""
    say, filters, account = shown.say, shown.filters, shown.account
    everybody = "dashboard.every_source" if account.has_several_sources else "dashboard.everybody"
    groups: list[tuple[str, list[Choice]]] = [("", [Choice("all", say.text(everybody), filters.member.scope == "all")])]
    titles: tuple[tuple[Scope, str], ...] = (
        ("agent", "section.agents"),
        ("department", "sheet.departments"),
        ("channel", "sheet.channels"),
        ("source", "sheet.sources"),
    )
    for scope, title in titles:
        choices = [
            Choice(member.key, shortened(say.label(scope, member.name), 48), member == filters.member)
            for member in account.of(scope)
        ]
        groups.append((say.text(title), choices))
    return {
        "action": f"/{say.language}/{page.name}",
        "week": filters.week.isoformat() if filters.week else "",
        "first": account.first_week.isoformat() if account.first_week else "",
        "last": account.last_week.isoformat() if account.last_week else "",
        "members": [group for group in groups if group[1]],
        "directions": _choices(say, "direction_filter", page.directions, filters.direction),
        "hours": _choices(say, "office_hours_filter", page.hours, filters.office_hours),
        "measures": _choices(say, "dashboard.measure", page.measures, filters.measure),
        "has_members": page.has_members,
    }


def _choices(say: Wording, group: str, values: tuple[str, ...], chosen: str) -> list[Choice]:
    return [Choice(value, say.label(group, value), value == chosen) for value in values]


@cache
def _styles() -> str:
    return (_TEMPLATES / "style.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["pct"] = lambda value: f"{value:.2f}%"
    environment.filters["points"] = lambda points: " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return environment
