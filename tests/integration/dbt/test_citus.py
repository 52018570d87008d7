"""The SQL for a Citus cluster, as text; and on a real one, where CITUS_URL names an empty database on its coordinator."""

import os
import re
from collections.abc import Callable

import psycopg
import pytest

from dagster_project.warehouse import migrations
from tests.support import forked_dbt
from tests.support.listed import AGENT, ListedSource, chat, message, serving
from tests.support.world import World

CITUS_URL = os.environ.get("CITUS_URL", "")
PIECES = """
    {{ config(meta={'placement': '%s'}) }}
    table: {{ create_placed_table_as('core.messages', 'model_subq.id::text', 'select id from raw') }} |
    key: {{ placed_key(['id']) }} | kept: {{ placed_key(['chat_id', 'turn_number']) }} |
    unique: {{ placed_index({'columns': ['id'], 'unique': true}).unique }} |
    fence: {{ planner_fence() }} | settings: {{ set_watermarks('0', '41 + 1') }} |
"""
SPREAD = """table: create table core.messages as select model_subq.id::text from ( select id from raw ) as model_subq
    with no data; select create_distributed_table('core.messages', 'chat_id'); insert into core.messages
    select model_subq.id::text from ( select id from raw ) as model_subq |
    key: ['chat_id', 'id'] | kept: ['chat_id', 'turn_number'] | unique: False | fence: |
    settings: set local citus.propagate_set_commands = 'local'; set local b2chat.low_watermark = '0';
    set local b2chat.high_watermark = '42' |"""
PLAIN = """key: ['id'] | kept: ['chat_id', 'turn_number'] | unique: True | fence: offset 0 |
    settings: select set_config('b2chat.low_watermark', (0)::text, true),
    set_config('b2chat.high_watermark', (41 + 1)::text, true) |"""


def compiled(url: str, placement: str, citus: str) -> str:
    done = forked_dbt.run(url, "compile", "--inline", PIECES % placement, B2CHAT_CITUS=citus)
    assert done.returncode == 0, done.stdout[-3000:]
    return " ".join(done.stdout.split())


def test_a_table_is_made_spread_and_filled_on_citus_and_as_ever_without(new_database: Callable[[], str]) -> None:
    url = new_database()
    spread = compiled(url, "chat_id", "true")
    assert " ".join(SPREAD.split()) in spread
    assert "select create_reference_table('core.messages'); insert into" in compiled(url, "reference", "true")
    assert " ".join(PLAIN.split()) in compiled(url, "chat_id", "false")


@pytest.mark.skipif(not CITUS_URL, reason="no Citus cluster: set CITUS_URL to an empty database on a coordinator")
def test_a_cluster_holds_the_same_facts_as_plain_postgres(new_database: Callable[[], str]) -> None:
    answered = {
        "opened_at": "2025-10-01 09:00:00",
        "picked_up_at": "2025-10-01 09:01:00",
        "responded_at": "2025-10-01 09:02:00",
        "messages": [message("2025-10-01 09:00:00"), message("2025-10-01 09:02:00", incoming=False)],
    }
    records = [chat(str(number), agent=AGENT, **answered) for number in range(40)]
    migrations.upgrade(CITUS_URL)
    with psycopg.connect(CITUS_URL, autocommit=True) as conn:
        placed = conn.execute("select count(*) from citus_tables").fetchone()
        assert placed == (0,), "the database is not empty"
    facts = {}
    for url, citus in ((new_database(), "false"), (CITUS_URL, "true")):
        with serving(ListedSource(list(records))) as sandbox:
            world = World(url, sandbox)
            for more in (0, 10):
                world.source.records["chats"] += [chat(f"new{n}", agent=AGENT, **answered) for n in range(more)]
                world.sync()
                variables = {"B2CHAT_TIMEZONE": "America/Bogota", "B2CHAT_CITUS": citus}
                done = forked_dbt.run(url, "build", "--exclude-resource-type", "unit_test", **variables)
                assert done.returncode == 0, done.stdout[-4000:]
            tables = ("chat_response_times", "reply_turns", "sla_chats", "heatmap_cells")
            facts[citus] = {
                table: sorted(re.sub(r"'load_id': \d+", "", str(row)) for row in world.ask(f"select * from marts.{table}"))
                for table in tables
            }
    assert facts["true"] == facts["false"]
    with psycopg.connect(CITUS_URL) as conn:
        spread = conn.execute("select count(*) from citus_tables where distribution_column = 'chat_id'").fetchone()
        assert spread is not None and spread[0] >= 10
