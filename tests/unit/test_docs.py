"""What README, CONTRIBUTING and docs name is there: files, chapters, commands, settings, marts."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from dagster_project.cli import main as cli
from dagster_project.orchestration.dbt_project import manifest
from dagster_project.settings import PROJECT_ROOT, documented, secret_variables
from scripts import write_marts_doc
from tests.support import pages

FOLDERS = "|".join(("dagster_project", "dbt", "docs", "tests", "scripts", "benchmarks", "deploy"))
ALL = [*pages.PAGES, PROJECT_ROOT / "CONTRIBUTING.md", *sorted(PROJECT_ROOT.glob("*/README.md"))]
PAGE = pytest.mark.parametrize("page", ALL, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(manifest().read_text())
    return parsed


@PAGE
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(rf"(?<![\w/.-])(?:{FOLDERS})/[\w./*-]*[\w/*]", page.read_text()))
    assert sorted(name for name in named if not list(PROJECT_ROOT.glob(name.rstrip("/")))) == []


@PAGE
def test_every_link_of_a_page_leads_to_a_file_and_a_chapter(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    assert [link for link in links if not _leads_somewhere(page, link)] == []


@PAGE
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    settings = {variable for _, variable, *_ in documented()} | {f"{name}_FILE" for name in secret_variables()}
    settings |= {"B2CHAT_ENV_FILE"}
    assert sorted(set(re.findall(r"`(B2CHAT_[A-Z0-9_]*[A-Z0-9])`", page.read_text())) - settings) == []


@PAGE
def test_every_mart_that_a_page_names_exists(page: Path, project: dict[str, Any]) -> None:
    marts = {node["alias"] for node in project["nodes"].values() if node["schema"] == "marts"}
    assert sorted(set(re.findall(r"\bmarts\.(?!md\b)(\w+)", page.read_text())) - marts) == []


@pytest.mark.parametrize("command", sorted({*pages.mentioned(ALL), *pages.blocks(ALL)}))
def test_every_command_that_a_page_names_exists_with_its_options(command: str) -> None:
    program, *words = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^(\w+):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE)
        assert words[0] in targets
        return
    group: Any = typer.main.get_command(cli.app)
    if words == ["--help"]:
        return
    while isinstance(group, click.Group) or hasattr(group, "commands"):
        group = group.commands[words.pop(0)]
        if not words:
            return  # its name alone: arguments that it needs are not part of a mention
    group.make_context(group.name, words)


def test_the_page_of_the_marts_is_the_one_that_dbt_describes(project: dict[str, Any]) -> None:
    written = write_marts_doc.PAGE.read_text()
    assert written == write_marts_doc.page(project), "python scripts/write_marts_doc.py"


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, chapter = link.partition("#")
    target = page.parent / name if name else page
    if not chapter or not target.exists():
        return target.exists()
    return chapter in map(_anchor, re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE))


def _anchor(head: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")
