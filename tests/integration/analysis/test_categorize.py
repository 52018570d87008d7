"""Categorizing chats in a real Postgres: each content once a version, and nothing twice."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from dagster_project.analysis import categorize
from dagster_project.analysis.categorize import Result, categorize_by_rules
from dagster_project.analysis.rules.classifier import LEXICON, RulesClassifier
from dagster_project.analysis.workers import WorkerFailed
from tests.support.common_shape import VIEWS

ROOT = Path(__file__).parents[3]
NOW = datetime(2025, 10, 10, 12, tzinfo=UTC)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, a minute at most."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


class Desk:
    """The tables that categorizing reads, filled by hand, as core has them."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn, self.loads = conn, 0
        conn.execute("create schema core")
        conn.execute("create table core.chats (id text primary key, status text, is_deleted boolean, load_id bigint)")
        conn.execute("""
            create table core.messages (chat_id text, incoming boolean, content_type text, text text, caption text,
                                        timestamp timestamptz, position integer)
        """)
        conn.execute(VIEWS)

    def chat(self, chat_id: str, *said: str, status: str = "closed", at: datetime = NOW, deleted: bool = False) -> None:
        """Write a chat anew: `said` are the customer's messages, one that begins with > is the agent's."""
        self.loads += 1
        self.conn.execute("delete from core.messages where chat_id = %s", [chat_id])
        self.conn.execute("delete from core.chats where id = %s", [chat_id])
        self.conn.execute("insert into core.chats values (%s, %s, %s, %s)", [chat_id, status, deleted, self.loads])
        for number, text in enumerate(said):
            kind = "voice" if text == "(voice)" else "text"
            self.conn.execute(
                "insert into core.messages values (%s, %s, %s, %s, null, %s, %s)",
                [
                    chat_id,
                    not text.startswith(">"),
                    kind,
                    None if kind == "voice" else text.lstrip("> "),
                    at + timedelta(minutes=number),
                    number,
                ],
            )
        self.conn.execute("delete from ops.build_watermarks")
        self.conn.execute(
            "insert into ops.build_watermarks select model, %s, 0, now() from unnest(array['chats', 'messages']) model",
            [self.loads],
        )

    def as_of(self, at: datetime) -> None:
        self.conn.execute("delete from ops.page_loads")
        self.conn.execute(
            """
            insert into ops.page_loads (sync_id, source, entity_type, page_offset, record_count, new_count,
                changed_count, unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
            values ('s', 'b2chat', 'chats', 0, 0, 0, 0, 0, 0, 0, 0, %s)""",
            [at],
        )

    def run(self, classifier: RulesClassifier | None = None, chat_ids: list[str] | None = None) -> Result:
        return categorize_by_rules(
            self.conn, classifier or RulesClassifier(), idle=timedelta(hours=24), chat_ids=chat_ids
        )

    def state(self, chat_id: str) -> tuple[str, str | None, str | None]:
        row = self.conn.execute(
            "select state, reason, customer_intent from analysis.classification_queue "
            "left join analysis.classifications using (classification_id) where chat_id = %s",
            [chat_id],
        ).fetchone()
        assert row is not None
        return row

    def classifications(self) -> int:
        row = self.conn.execute("select count(*) from analysis.classifications").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        desk = Desk(conn)
        desk.as_of(NOW)
        yield desk


def test_a_settled_chat_is_categorized_and_a_second_run_does_nothing(desk: Desk) -> None:
    desk.chat("a", "cuándo firmamos la escritura?", "> el martes")
    first, second = desk.run(), desk.run()
    assert desk.state("a") == ("classified", None, "LEGAL")
    assert (first.processed, first.new_classifications) == (1, 1)
    assert (second.processed, second.new_classifications) == (0, 0)


def test_equal_chats_share_an_answer_and_a_new_message_asks_anew(desk: Desk) -> None:
    for chat_id in ("a", "b", "c"):
        desk.chat(chat_id, "le envío el comprobante de pago")
    assert desk.run().new_classifications == 1
    desk.chat("b", "le envío el comprobante de pago", "> gracias", "y necesito la promesa de compraventa, la promesa")
    assert desk.run().new_classifications == 1
    assert desk.classifications() == 2


def test_the_same_chat_landed_again_costs_no_new_answer(desk: Desk) -> None:
    desk.chat("a", "precio de los lotes")
    desk.run()
    desk.chat("a", "precio de los lotes")
    result = desk.run()
    assert (result.processed, result.classified, result.new_classifications) == (1, 1, 0)


def test_a_chat_that_goes_on_waits_until_it_is_closed_or_silent(desk: Desk) -> None:
    desk.chat("a", "precio de los lotes", status="open")
    desk.run()
    assert desk.state("a") == ("ongoing", None, None)
    desk.as_of(NOW + timedelta(hours=25))
    desk.run()
    assert desk.state("a") == ("classified", None, "PROJECT_INFO")


def test_a_chat_without_the_customers_words_and_a_deleted_one_say_why(desk: Desk) -> None:
    desk.chat("silent", "> buenos días, le escribo de la constructora")
    desk.chat("gone", "precio de los lotes")
    desk.chat("voice", "(voice)")
    desk.run()
    desk.chat("gone", "precio de los lotes", deleted=True)
    desk.run()
    assert desk.state("silent") == ("skipped", "nothing of the customer's", None)
    assert desk.state("gone") == ("skipped", "deleted", None)
    assert desk.state("voice") == ("classified", None, "OTHER")


def test_another_lexicon_answers_all_anew_and_the_old_answers_stay(desk: Desk, tmp_path: Path) -> None:
    desk.chat("a", "quiero un zafiro")
    desk.run()
    lexicon = tmp_path / "lexicon.yml"
    lexicon.write_text(LEXICON.read_text().replace("- brochure", "- brochure\n      - zafiro"))
    desk.run(RulesClassifier(lexicon))
    assert desk.state("a") == ("classified", None, "PROJECT_INFO")
    assert desk.classifications() == 2


def test_a_run_that_breaks_off_between_slices_is_simply_run_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        desk.chat(f"c{number}", f"precio de los lotes {number}")
    monkeypatch.setattr(categorize, "BATCH_SIZE", 2)
    classifier, seen = RulesClassifier(), []
    classify = classifier.classify

    def break_off(conversation):  # type: ignore[no-untyped-def]
        seen.append(conversation)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return classify(conversation)

    monkeypatch.setattr(classifier, "classify", break_off)
    with pytest.raises(KeyboardInterrupt):
        desk.run(classifier)
    assert desk.classifications() == 2
    result = desk.run()
    assert (result.classified, result.new_classifications, desk.classifications()) == (5, 3, 5)


KILLED = """
import sys
from datetime import timedelta
import psycopg
from dagster_project.analysis import categorize
from dagster_project.analysis.rules.classifier import RulesClassifier
categorize.ALONE, categorize.BATCH_SIZE = 0, 2
with psycopg.connect(sys.stdin.readline().strip(), autocommit=True) as conn:
    categorize.categorize_by_rules(conn, RulesClassifier(), idle=timedelta(hours=24))
"""


def test_processes_share_the_chats_and_after_a_kill_in_mid_run_nothing_is_lost_or_doubled(
    desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        desk.chat(f"c{number}", f"precio del lote {number // 2}", "> buenos días", "gracias")
    run = subprocess.Popen([sys.executable, "-c", KILLED], stdin=subprocess.PIPE, text=True, cwd=ROOT)
    assert run.stdin is not None
    run.stdin.write(f"{database_url}\n")
    run.stdin.flush()
    wait_until(lambda: desk.classifications() > 0)
    run.kill()
    run.wait()
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    wait_until(lambda: desk.conn.execute(others).fetchone() == (0,))  # its processes have ended too
    assert 0 < desk.classifications() < 30
    monkeypatch.setattr(categorize, "ALONE", 0)
    monkeypatch.setattr(categorize, "BATCH_SIZE", 7)
    result = desk.run()
    assert (result.processed, result.classified, desk.classifications()) == (60, 60, 30)
    assert result.intents == {"PROJECT_INFO": 60}


def test_what_a_process_cannot_do_ends_the_run_with_a_reason(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.chat("a", "precio de los lotes")
    monkeypatch.setattr(categorize, "ALONE", 0)
    rules = RulesClassifier()
    rules.version = "rules-v1+00000000"
    with pytest.raises(WorkerFailed, match="the lexicon was changed meanwhile"):
        desk.run(rules)


def test_rules_can_never_be_stored_as_a_language_models_answer(desk: Desk) -> None:
    desk.chat("a", "precio de los lotes")
    desk.run()
    for change in ("is_llm = true", "model = 'claude-haiku-5-5'", "cost_usd = 1"):
        with pytest.raises(psycopg.errors.CheckViolation):
            desk.conn.execute(f"update analysis.classifications set {change}")


def test_chats_that_are_named_are_categorized_alone_and_the_rest_is_not_forgotten(desk: Desk) -> None:
    for chat_id in ("a", "b", "c"):
        desk.chat(chat_id, f"precio del lote {chat_id}")
    assert desk.run(chat_ids=["b", "unknown"]).classified == 1
    assert desk.run(chat_ids=["b"]).processed == 0
    assert desk.run().classified == 3
    desk.chat("b", "necesito la promesa de compraventa")
    assert desk.run(chat_ids=["a", "b"]).processed == 1
    assert desk.state("b") == ("classified", None, "LEGAL")


def test_hostile_text_is_stored_as_text(desk: Desk) -> None:
    desk.chat(
        "a'); drop table core.chats; --", "precio'); drop table analysis.classifications; -- \U0001f644 \u202e lotes"
    )
    assert desk.run().classified == 1
    assert desk.classifications() == 1
