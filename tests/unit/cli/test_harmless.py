"""What strangers wrote, on a terminal: shown as it is, without power over it."""

import pytest
from rich.table import Table

from dagster_project.cli import render, run_job
from dagster_project.cli.command_line import console
from dagster_project.warehouse.directory import Member

HOSTILE = "Ana [/x][bold]\x1b]0;mine\x07\x1b[2J\x9b31m\u202egnp.exe\u200b fin"
SHOWN = "Ana [/x][bold]·]0;mine"


@pytest.mark.parametrize("as_table", [False, True])
def test_a_strangers_text_cannot_steer_the_terminal(as_table: bool) -> None:
    table = Table("name")
    table.add_row(HOSTILE.replace("[/x][bold]", ""))
    with console.capture() as capture:
        console.print(table if as_table else HOSTILE, markup=False, soft_wrap=True)
    assert "·[2J·31m·gnp.exe· fin" in capture.get()
    assert not set(capture.get()) & set("\x1b\x07\x9b\u202e\u200b")


def test_an_error_that_quotes_a_stranger_is_told_as_it_is() -> None:
    sync = dict.fromkeys(("read", "pages", "new", "changed", "unchanged", "quarantined", "missing"), 0)
    outcome = {
        "job": "sync_b2chat",
        "status": "failed",
        "seconds": 1.0,
        "data_source": None,
        "errors": [HOSTILE],
        "syncs": [sync | {"source": "b2chat", "entity": "chats", "status": "partial", "reason": HOSTILE}],
    }
    with console.capture() as capture:
        run_job.print_outcome(console, outcome)
    assert capture.get().count(SHOWN) == 2


def test_an_agents_name_is_listed_as_it_is_without_power_over_the_terminal() -> None:
    with console.capture() as capture:
        render.print_members(console, [Member("7", HOSTILE)])
    assert SHOWN in capture.get() and "\x1b" not in capture.get()


def test_a_source_of_many_tables_is_one_line_and_what_needs_a_look_another() -> None:
    sync = dict.fromkeys(("read", "pages", "new", "changed", "unchanged", "quarantined", "missing"), 2)
    tables = [sync | {"source": "rooms", "entity": f"table_{number}", "status": "success"} for number in range(9)]
    tables[4] |= {"status": "partial", "reason": "a replica is behind"}
    chats = sync | {"source": "b2chat", "entity": "chats", "status": "success"}
    outcome = {"job": "j", "status": "success", "seconds": 1.0, "data_source": None, "errors": []}
    with console.capture() as capture:
        run_job.print_outcome(console, outcome | {"syncs": [chats, *tables]})
    told = " ".join(capture.get().split())  # however wide the terminal is
    assert "chats: 2 records read in 2 pages" in told
    assert "rooms: 18 records read in 18 pages: 18 new, 18 changed, 18 unchanged" in told
    assert "table_4: 2 records read in 2 pages: 2 new, 2 changed, 2 unchanged, 2 in quarantine" in told
    assert told.count("table_") == 1 and "a replica is behind" in told
