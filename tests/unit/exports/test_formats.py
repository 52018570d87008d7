"""The registry of export formats: what it lists is what commands and the launchpad offer."""

import inspect
import re
from typing import get_args

import pytest

from dagster_project.cli.commands import exports
from dagster_project.exports.formats.registry import FORMATS, formats_of
from dagster_project.orchestration.assets.exports import ReportConfig, TableConfig

COMMANDS = {one.name or one.callback.__name__: one.callback for one in exports.export.registered_commands}


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_offers_each_format_of_its_kind_and_says_when_to_choose_it(kind: str) -> None:
    signature = inspect.signature(COMMANDS[kind])
    parameter = signature.parameters["form"]
    option = get_args(parameter.annotation)[1]
    names = [one.name for one in formats_of(kind)]
    assert option.metavar == f"[{'|'.join(names)}]"
    assert parameter.default in names
    assert all(f"{name}: {FORMATS[name].about}" in option.help for name in names)


def test_the_launchpad_names_each_format() -> None:
    for config, field, kind in ((ReportConfig, "formats", "report"), (TableConfig, "format", "table")):
        text = config.model_fields[field].description
        assert all(f"{one.name}: " in text for one in formats_of(kind))


def test_a_reports_and_a_tables_formats_are_those_that_can_write_them() -> None:
    assert {"pdf", "xlsx", "csv", "csv-excel"} <= {one.name for one in formats_of("report")}
    assert "parquet" not in {one.name for one in formats_of("report")}
    assert "pdf" not in {one.name for one in formats_of("chats")}
    assert {one.name for one in formats_of("analysis")} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_formats_name_suffix_and_media_type_are_safe_in_a_path_and_a_header(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", name) and re.fullmatch(r"[a-z0-9]+", FORMATS[name].suffix)
    assert re.fullmatch(r"[a-z]+/[a-z.-]+(; charset=utf-8)?", FORMATS[name].media_type)
