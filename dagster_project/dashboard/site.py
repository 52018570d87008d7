"""The static site: the pages of the last weeks, in each language, as files that need no server."""

import json
import os
import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import product
from pathlib import Path

from dagster_project.dashboard import page, render
from dagster_project.dashboard.account import Account, account
from dagster_project.dashboard.errors import DashboardFailed
from dagster_project.dashboard.filters import Filters
from dagster_project.dashboard.links import FIRST, SiteLinks
from dagster_project.dashboard.pages.catalogue import PAGES
from dagster_project.dashboard.reader import Reader
from dagster_project.exports.i18n.language import LANGUAGES, Language
from dagster_project.exports.i18n.wording import Wording
from dagster_project.settings import Settings

MANIFEST = "site.json"


@dataclass(frozen=True)
class Site:
    """What was written: the folder, its first page, how many files, and the weeks, newest first."""

    folder: Path
    first_page: Path
    file_count: int
    weeks: tuple[date, ...]


def build(
    reader: Reader,
    folder: Path,
    *,
    languages: tuple[Language, ...],
    weeks: int,
    timezone: str,
    company: str | None,
) -> Site:
    """Write the site. Every file is replaced in one step; those of weeks that are no longer kept go last.

    Args:
        folder: made if need be. One that holds an index.html of somebody else's is refused.
        languages: the first is that of the index.
        weeks: how many of the newest weeks are kept.
        timezone: the account's zone.

    Raises:
        DashboardFailed: the marts are not built, or the folder is not the site's.
    """
    before = _files_before(folder)
    known = reader.read(lambda connection: account(connection, timezone))
    if known is None:
        raise DashboardFailed(Wording(languages[0]).text("dashboard.not_built"))
    shown = _weeks(known, weeks)
    written: dict[str, str] = {}
    for week, language, name in product(shown, languages, PAGES):
        links = SiteLinks(language, name, week, shown, languages)
        # Each page is a transaction of its own: a long one would be in a refresh's way.
        make = partial(
            page.page,
            account=known,
            name=name,
            filters=Filters(week, known.shown_by_default, shown_by_default=known.shown_by_default),
            links=links,
            language=language,
            company=company,
        )
        written[f"{language}/{week}/{name}.html"] = reader.read(make)
    written["index.html"] = _index(known, shown, languages, company)
    for name, text in written.items():
        _replace(folder / name, text)
    _replace(folder / MANIFEST, json.dumps(sorted(written), indent=0))
    for name in before - set(written):
        (folder / name).unlink(missing_ok=True)
        _remove_empty(folder / name, folder)
    first = folder / "index.html"
    return Site(folder, first, len(written), shown)


def languages(settings: Settings, only: Language | None) -> tuple[Language, ...]:
    """The languages of a site: the one asked for, else both, that of the settings first."""
    if only:
        return (only,)
    return tuple(sorted(LANGUAGES, key=lambda language: language != settings.exports_language))


def _weeks(known: Account, count: int) -> tuple[date, ...]:
    """The newest weeks, newest first; with the week that is not over."""
    if known.first_week is None or known.last_week is None:
        return ()
    weeks = [known.last_week - timedelta(days=7 * back) for back in range(count)]
    return tuple(week for week in weeks if week >= known.first_week)


def _index(known: Account, weeks: tuple[date, ...], languages: tuple[Language, ...], company: str | None) -> str:
    say = Wording(languages[0])
    entries = []
    for week in weeks:
        for language in languages:
            of = Wording(language)
            text = of.text("period.range", first=of.day(week), last=of.day(week + timedelta(days=6)))
            latest = f" – {of.text('dashboard.latest')}" if week == known.last_full_week else ""
            entries.append((f"{language}/{week}/{FIRST}.html", f"{text} ({render.LANGUAGE_NAMES[language]}){latest}"))
    about = say.text("dashboard.about_site", count=len(weeks)) if weeks else say.text("dashboard.no_chats_yet")
    return render.index(say, known, entries, company=company, about=about)


def _files_before(folder: Path) -> set[str]:
    """The files of the site that is there."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        if (folder / "index.html").exists():
            raise DashboardFailed(f"{folder} holds an index.html that is not the dashboard's: name another folder")
        return set()
    try:
        names = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError:
        raise DashboardFailed(f"{manifest} cannot be read: delete it, and index.html, to begin anew") from None
    # Only what lies below the folder, whatever somebody wrote into the list.
    return {
        name for name in names if isinstance(name, str) and (folder / name).resolve().is_relative_to(folder.resolve())
    }


def _replace(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _remove_empty(path: Path, root: Path) -> None:
    """The folders of a file that are left empty."""
    for folder in path.parents:
        if folder == root:
            return
        if folder.exists():
            if any(folder.iterdir()):
                return
            folder.rmdir()
