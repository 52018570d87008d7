"""Over 200 invented secrets in every place of core, through the real path to a Claude on loopback HTTP: none leaves.

Planted in messages, captions and names of files, in the contact's and agents' names, numbers, addresses and custom
fields, in departments and tags. Searched for in the bytes that the server received, in what is stored and in the log.
"""

import json
import logging
import re
from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest
from psycopg.types.json import Jsonb

from dagster_project.analysis.claude import fake
from dagster_project.orchestration.assets.analysis import chat_categorizations
from dagster_project.orchestration.resources import Warehouse
from tests.support.canaries import ATTACKERS, HELD_OUT, HELD_OUT_LATER, TUNED, found_in
from tests.support.claude_desk import Desk

CANARIES = (*TUNED, *HELD_OUT, *HELD_OUT_LATER, *ATTACKERS)
OF_PERSONS = (
    # name, mobile, identification, e-mail, address, custom fields; and how a chat speaks of them
    (
        "Eva Paz",
        "+573155550101",
        "1036000101",
        "eva@correo.example",
        "Cra 11 # 22-33",
        {"nombre conyuge": "Bo Li"},
        (
            "le escribe eva paz",
            "mi esposo bo li",
            "3155550101",
            "1.036.000.101",
            "es cra 11 22 33",
            "eva arroba correo",
        ),
    ),
    (
        "Xiomy Tlalpan",
        "+525512340102",
        "TLAX800101AB1",
        "x@casa.example",
        "Col. Nápoles 77",
        {"cuenta": "70012340102", "otros": ["clave 90210102"]},
        ("> hola xiomy", "55 1234 0102", "70012340102 bancolombia", "tlax800101ab1", "90210102"),
    ),
    (
        "Iñaki Goñi-Urrutia",
        "+34612000103",
        "12345103Z",
        "goni@casa.example",
        "C/ Mayor 5",
        None,
        ("soy INAKI", "con goñi urrutia", "612 00 01 03", "12345103-Z"),
    ),
)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with psycopg.connect(database_url, autocommit=True) as conn, fake.running() as claude:
        desk = Desk(conn, claude)
        conn.execute("alter table core.chats add department_id text, add tags jsonb")
        conn.execute("create table core.departments (id text, name text)")
        conn.execute("insert into core.departments values ('d', 'Cartera Zenaida 3155550199')")
        conn.execute(
            "insert into core.agents values ('w', 'Wilmer Gaitán', 'wilmer@casa.example'), ('l', 'Lu Ro', null)"
        )
        yield desk


def planted(desk: Desk) -> list[str]:
    """Put the canaries into core; returns what must not be found."""
    for number, canary in enumerate(CANARIES):
        desk.chat(f"c{number:03}", f"precio del lote {marker(number)}", *canary.said)
    for number, (name, mobile, document, mail, address, fields, said) in enumerate(OF_PERSONS):
        desk.conn.execute(
            "insert into core.contacts values (%s, %s, %s, null, %s, %s, %s, %s)",
            [f"k{number}", name, mobile, mail, document, address, Jsonb(fields)],
        )
        desk.chat(f"k{number}", *said, "> le habla wilmer gaitan, o Lu", "gracias Lu Ro", contact=f"k{number}")
    desk.conn.execute("""
        update core.chats set department_id = 'd', tags = '["moroso Zenaida 3155550199"]';
        update core.messages set content_type = 'file', caption = text, text = null where chat_id < 'c' || '050'
            and text like '[archivo]%'
    """)
    own = [
        "eva",
        "paz",
        "bo",
        "li",
        "xiomy",
        "tlalpan",
        "iñaki",
        "goñi",
        "urrutia",
        "wilmer",
        "gaitán",
        "lu",
        "ro",
        "zenaida",
        "3155550101",
        "1036000101",
        "5512340102",
        "70012340102",
        "TLAX800101AB1",
        "90210102",
        "612000103",
        "12345103",
        "3155550199",
        "eva arroba correo",
        "11 22 33",
    ]
    return own


def marker(number: int) -> str:
    """A word by which a chat is known again."""
    return "tema" + "".join("bcdfghjklm"[int(digit)] for digit in f"{number:03}")


def received(desk: Desk) -> list[list[str]]:
    """The texts of each chat that the server received."""
    found = []
    for path, body in desk.claude.requests:
        for item in () if body is None else body["requests"] if path.endswith("batches") else [{"params": body}]:
            chat = re.search(r"<chat_(\w+)>\n(.*)\n</chat_\1>", item["params"]["messages"][-1]["content"], re.DOTALL)
            assert chat
            found.append([one["texto"] for one in json.loads(chat[2])])
    return found


def leaked(chats: list[list[str]]) -> list[str]:
    """Canaries that stand in the chat that held them."""
    by_marker = {chat[0].split()[-1]: chat[1:] for chat in chats if chat[0].startswith("precio del lote")}
    return [
        f"{canary.kind}: {found}"
        for number, canary in enumerate(CANARIES)
        if (found := found_in(canary.secrets, by_marker.get(marker(number), [])))
    ]


@pytest.mark.parametrize("batch_above", [10_000, 5])
def test_no_canary_leaves_or_is_written_down(desk: Desk, caplog: pytest.LogCaptureFixture, batch_above: int) -> None:
    caplog.set_level(logging.DEBUG)
    own = planted(desk)
    result = desk.run(batch_above=batch_above, run_cap=50, month_cap=100)
    states = desk.states()
    assert set(states) <= {"classified", "dead_lettered"}
    assert states.get("dead_lettered", 0) <= 3  # withheld; the rest was sent
    posts = [path for path, body in desk.claude.requests if body]
    assert ("/v1/messages/batches" in posts) == (batch_above == 5)
    chats = received(desk)
    assert len(chats) >= 200
    assert leaked(chats) == []
    assert [(one, chat) for chat in chats for one in found_in(own, chat)] == []
    everywhere = json.dumps([body for _, body in desk.claude.requests], ensure_ascii=False) + caplog.text + str(result)
    for table in ("classifications", "classification_queue", "batches", "batch_items"):
        everywhere += str(desk.rows(f"select * from analysis.{table}"))
    everywhere += str(desk.rows("select * from ops.ai_usage_ledger"))
    raw = [secret for canary in CANARIES for secret in canary.secrets if len(secret) > 6]
    assert [secret for secret in [*raw, *(one for one in own if len(one) > 5)] if secret in everywhere] == []


def test_no_canary_is_in_what_dagster_shows(
    desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    own = planted(desk)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", desk.claude.url)
    desk.claude.faults.extend([(400, {}, {"type": "error", "error": {"type": "invalid_request_error", "message": ""}})])
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [chat_categorizations],
            resources={"warehouse": Warehouse(url=database_url)},
            instance=instance,
            run_config={"ops": {"analysis__chat_categorizations": {"config": {"batch_above": 5}}}},
            raise_on_error=False,
        )
        shown = "".join(str(record) for record in instance.all_logs(result.run_id))
    shown += "".join(capfd.readouterr())
    assert "chat_categorizations" in shown
    raw = [secret for canary in CANARIES for secret in canary.secrets if len(secret) > 6]
    assert [secret for secret in [*raw, *(one for one in own if len(one) > 5)] if secret in shown] == []
