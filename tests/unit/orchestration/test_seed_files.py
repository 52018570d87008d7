"""Seeds that people edit with a spreadsheet: what must not be loaded is refused by file, row and column."""

import csv
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.cli import health_checks
from dagster_project.orchestration.assets.dbt import dbt_models
from dagster_project.orchestration.builds import seed_files
from dagster_project.orchestration.dbt_project import dbt_project, executable
from dagster_project.orchestration.resources import DbtCli, Warehouse
from dagster_project.warehouse import sla_targets


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    return Path(shutil.copytree(seed_files.SEEDS, tmp_path / "seeds"))


def test_the_seeds_that_we_ship_are_right(seeds: Path) -> None:
    assert seed_files.check(seeds) == sum(len(path.read_text().splitlines()) - 1 for path in seeds.glob("*.csv"))


@pytest.mark.parametrize(
    ("seed", "row", "fault"),
    [
        ("holidays", "default,03/12/2026,Cierre", "column holiday_date: '03/12/2026' is not a date (YYYY-MM-DD)"),
        ("holidays", "default,2026-02-29,Cierre", "column holiday_date: '2026-02-29' is not a date (YYYY-MM-DD)"),
        ("holidays", "default;2026-12-03;Cierre", "1 cells, not 3"),
        ("holidays", ",2026-12-03,Cierre", "column calendar: '' is empty"),
        ("business_hours", "default,7,8:00,13:00,,", "column starts_at: '8:00' is not a time (HH:MM)"),
        ("business_hours", "default,0,08:00,13:00,,", "column weekday: '0' is none of 1, 2, 3, 4, 5, 6, 7"),
        (
            "business_hours",
            "default,7,08:00,13:00,2026-02-01,2026-01-01",
            "column valid_to: '2026-01-01' is before valid_from",
        ),
        ("sla_targets", 'pickup,,,120,"0,95",true,,', "column goal: '0,95' is not a number with a dot for decimals"),
        ("sla_targets", "pickup,,,2 min,0.95,true,,", "column target_seconds: '2 min' is not a whole number"),
        ("sla_targets", "pickup,,URGENT,60,0.95,true,,", "column priority: 'URGENT' is not in lower case"),
        ("sla_targets", "pickup,,urgent,60,0.95,VERDADERO,,", "column is_enabled: 'VERDADERO' is not true or false"),
    ],
)
def test_a_cell_that_would_be_read_as_something_else_is_named(seeds: Path, seed: str, row: str, fault: str) -> None:
    file = seeds / f"{seed}.csv"
    number = len(file.read_text().splitlines()) + 1
    file.write_text(f"{file.read_text()}{row}\n")
    separator = ", " if fault.startswith("column") else ": "
    with pytest.raises(seed_files.SeedsWrong) as refused:
        seed_files.check(seeds)
    assert str(refused.value) == f"{seed}.csv, row {number}{separator}{fault}"


def test_a_seed_saved_with_another_separator_header_or_encoding_is_refused(seeds: Path) -> None:
    for name, old, new in (("holidays", ",", ";"), ("sla_targets", "goal", "meta")):
        file = seeds / f"{name}.csv"
        file.write_text(file.read_text().replace(old, new))
    (seeds / "labels.csv").write_text((seeds / "labels.csv").read_text(), encoding="cp1252")
    with pytest.raises(seed_files.SeedsWrong) as refused:
        seed_files.check(seeds)
    assert str(refused.value).split("; ") == [
        "holidays.csv, row 1: the columns are separated by ';', not by ','",
        "labels.csv, it is not UTF-8: save it as 'CSV UTF-8'",
        "sla_targets.csv, row 1: there is no column 'goal'",
    ]


def test_neither_a_build_nor_the_check_takes_a_wrong_seed(seeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (seeds / "holidays.csv").open("a") as file:
        file.write("default,03/12/2026,Cierre por inventario\n")
    monkeypatch.setattr(seed_files, "SEEDS", seeds)
    fault = "column holiday_date: '03/12/2026' is not a date"
    resources: dict[str, Any] = {
        "warehouse": Warehouse(url="postgresql://nobody@127.0.0.1:1/none"),
        "dbt": DbtCli(project_dir=dbt_project, dbt_executable=executable()),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([dbt_models], resources=resources, instance=instance, raise_on_error=False)
    (failure,) = (event for event in run.all_events if event.is_step_failure)
    assert fault in str(failure.step_failure_data.error)
    with pytest.raises(seed_files.SeedsWrong, match="2026"):
        health_checks._seeds(None)  # type: ignore[arg-type]


def test_the_delivered_targets_are_those_that_are_called_defaults() -> None:
    with (seed_files.SEEDS / "sla_targets.csv").open() as file:
        rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
    assert {
        (row["metric"], row["target_seconds"] and int(row["target_seconds"]), float(row["goal"])) for row in rows
    } == sla_targets.DELIVERED
    assert all(
        (row["is_enabled"], row["provider"], row["priority"], row["valid_from"]) == ("true", None, None, None)
        for row in rows
    )
