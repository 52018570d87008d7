"""Categorizing by Claude, as the asset runs it, on chats that a test writes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from dagster_project.analysis.claude import fake
from dagster_project.analysis.claude.categorize import Result, categorize_by_claude
from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.messages import connect
from dagster_project.analysis.claude.run import Limits
from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.personal.redaction import Known
from dagster_project.analysis.taxonomy import taxonomy
from tests.support.common_shape import VIEWS

NOW = datetime(2025, 10, 10, 12, tzinfo=UTC)
MODEL = "claude-haiku-5-5"


class Desk:
    """The tables of core that the path reads, filled by hand; and the run, as the asset starts it."""

    def __init__(self, conn: psycopg.Connection, claude: fake.FakeClaude) -> None:
        self.conn, self.claude, self.loads, self.slept = conn, claude, 0, list[float]()
        conn.execute("""
            create schema core;
            create table core.chats (id text primary key, status text, is_deleted boolean, load_id bigint,
                                     contact_id text);
            create table core.messages (chat_id text, incoming boolean, content_type text, text text, caption text,
                                        timestamp timestamptz, position integer);
            create table core.contacts (id text primary key, full_name text, mobile text, phone_number text,
                                        email text, identification text, address text,
                                        custom_attributes jsonb);
            create table core.agents (id text primary key, name text, email text);
            create schema intermediate;
            create table intermediate.int_response_time_scores (chat_id text, response_time_score double precision);
            create index on core.messages (chat_id);
            insert into ops.page_loads (sync_id, source, entity_type, page_offset, record_count, new_count,
                changed_count, unchanged_count, quarantined_count, response_bytes, request_ms, loaded_at)
            values ('s', 'b2chat', 'chats', 0, 0, 0, 0, 0, 0, 0, 0, '2025-10-12');
            insert into ops.build_watermarks values ('chats', 0, 0, now()), ('messages', 0, 0, now())
        """)
        conn.execute(VIEWS)

    def chat(self, chat_id: str, *said: str, at: datetime = NOW, status: str = "closed", contact: str = "") -> None:
        """Write a chat anew: `said` are the customer's messages, one that begins with > is the agent's."""
        self.loads += 1
        self.conn.execute("delete from core.messages where chat_id = %s", [chat_id])
        self.conn.execute("delete from core.chats where id = %s", [chat_id])
        self.conn.execute(
            "insert into core.chats values (%s, %s, false, %s, %s)", [chat_id, status, self.loads, contact or None]
        )
        self.conn.cursor().executemany(
            "insert into core.messages values (%s, %s, 'text', %s, null, %s, %s)",
            [
                (chat_id, not text.startswith(">"), text.lstrip("> "), at + timedelta(minutes=number), number)
                for number, text in enumerate(said)
            ],
        )
        self.conn.execute("update ops.build_watermarks set load_id = %s", [self.loads])

    def chats(self, count: int) -> None:
        for number in range(count):
            self.chat(f"c{number:02}", f"precio del lote {number}", "> con gusto")

    def classifier(self, **changes: Any) -> ClaudeClassifier:
        client = connect("test", self.claude.url, timeout=2)
        given: dict[str, Any] = {"taxonomy": taxonomy.load(), "model": MODEL, "sleep": self.slept.append} | changes
        return ClaudeClassifier(client, **given)

    def run(
        self,
        conn: psycopg.Connection | None = None,
        classifier: ClaudeClassifier | None = None,
        chat_ids: list[str] | None = None,
        run_id: str = "run",
        **limits: Any,
    ) -> Result:
        return categorize_by_claude(
            conn or self.conn,
            classifier or self.classifier(),
            limits=limits_of(**limits),
            run_id=run_id,
            chat_ids=chat_ids,
            sleep=self.slept.append,
        )

    def rows(self, query: str, *values: Any) -> list[Any]:
        return self.conn.execute(query, values).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def states(self) -> dict[str, int]:
        return dict(
            self.rows(
                "select state, count(*) from analysis.classification_queue where classifier = 'claude' group by 1"
            )
        )

    def posts(self, path: str = "/v1/messages") -> int:
        return sum(one == path and body is not None for one, body in self.claude.requests)

    def worst(self, *said: str) -> float:
        classifier = self.classifier()
        return classifier.cost(classifier.most_tokens(classifier.prepare(conversation(*said), Known())))

    def let_retries_be_due(self) -> None:
        self.conn.execute(
            "update analysis.classification_queue set next_retry_at = now() where next_retry_at is not null"
        )


def limits_of(**changes: Any) -> Limits:
    given: dict[str, Any] = {
        "idle": timedelta(hours=24),
        "run_cap": 5.0,
        "month_cap": 25.0,
        "batch_above": 50,
        "batch_wait": timedelta(minutes=1),
    }
    return Limits(**given | changes)


def conversation(*said: str) -> Any:
    return Conversation(tuple(Message(number == 0, text, number) for number, text in enumerate(said)))
