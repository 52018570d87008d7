"""Customer analyses in a real Postgres: what is refused, how each one ends, what stands and falls with it."""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from dagster_project.analysis import effectiveness
from dagster_project.analysis.categorize import categorize_by_rules
from dagster_project.analysis.claude import fake
from dagster_project.analysis.claude.categorize import categorize_by_claude
from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.messages import connect
from dagster_project.analysis.claude.run import Limits
from dagster_project.analysis.customer_analysis import analyses, materialize
from dagster_project.analysis.customer_analysis.analyses import Categorized, Means, NoSuchAnalysis, analyse
from dagster_project.analysis.customer_analysis.request import Refused, Request
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.taxonomy import taxonomy
from tests.support.common_shape import PEOPLE, VIEWS

NOON = datetime(2026, 1, 5, 17, tzinfo=UTC)
DAY = date(2026, 1, 5)


class Office:
    """core as an analysis reads it, filled by hand; emptied for each test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.conn = psycopg.connect(url, autocommit=True)
        self.conn.execute("create schema core")
        self.conn.execute("""
            create table core.chats (id text primary key, status text, is_deleted boolean, load_id bigint,
                agent_id text, department_id text, contact_id text, created_local_date date)""")
        self.conn.execute("""
            create table core.messages (chat_id text, incoming boolean, content_type text, text text, caption text,
                timestamp timestamptz, position integer)""")
        self.conn.execute("""
            create table core.agents (id text primary key, name text, email text);
            create table core.departments (id text primary key, name text);
            create table core.contacts (id text primary key, full_name text, mobile text, phone_number text,
                email text, identification text, address text, custom_attributes jsonb)""")
        self.conn.execute(VIEWS + PEOPLE)
        self.conn.execute(
            "create table intermediate.int_response_time_scores (chat_id text, response_time_score double precision)"
        )
        # What dbt builds of it, as far as deleting needs it.
        self.conn.execute("""
            create table analysis.analysis_kpis (
                analysis_id text references analysis.customer_analyses (id) on delete cascade,
                agent_id text, department_id text, scope text)""")

    def begin(self) -> None:
        self.conn.execute("""
            truncate core.chats, core.messages, core.agents, core.departments, core.contacts, analysis.classifications,
                analysis.classification_queue, analysis.progress, analysis.customer_analyses, analysis.analysis_kpis,
                analysis.effectiveness_analysis, ops.ai_usage_ledger, intermediate.int_response_time_scores,
                ops.build_watermarks cascade""")
        self.conn.execute("insert into core.agents values ('ana', 'Ana', null), ('bea', 'Bea', null)")
        self.conn.execute("insert into core.departments values ('sales', 'Ventas Ñ')")
        self.conn.execute("insert into core.contacts values ('1', 'Zoe'), ('2', 'Zoe')")
        self.conn.execute("insert into ops.build_watermarks values ('chats', 1, 0, now()), ('messages', 1, 0, now())")

    def chat(
        self,
        chat_id: str,
        *said: str,
        status: str = "closed",
        agent: str | None = "ana",
        department: str | None = "sales",
        contact: str = "1",
        day: date = DAY,
    ) -> None:
        self.conn.execute(
            "insert into core.chats values (%s, %s, false, 1, %s, %s, %s, %s)",
            [chat_id, status, agent, department, contact, day],
        )
        for number, text in enumerate(said):
            self.conn.execute(
                "insert into core.messages values (%s, %s, 'text', %s, null, %s, %s)",
                [chat_id, not text.startswith(">"), text.lstrip("> "), NOON + timedelta(minutes=number), number],
            )

    def analyse(self, *, kpis: Any = lambda: None, categorize: Any = None, **asked: Any) -> dict[str, Any]:
        classifier = RulesClassifier()

        def by_rules(chat_ids: Sequence[str]) -> Categorized:
            return Categorized(
                categorize_by_rules(
                    self.conn, classifier, idle=timedelta(hours=24), chat_ids=chat_ids
                ).new_classifications
            )

        means = Means("rules-v1", classifier.version, False, categorize or by_rules, kpis, "run-1")
        return analyse(self.conn, asking(**asked), means)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.conn.execute(query).fetchall()


def asking(**asked: Any) -> Request:
    return Request(**{"date_start": DAY, "date_end": DAY, "triggered_by": "marta"} | asked)


@pytest.fixture(scope="module")
def standing(new_database: Any) -> Iterator[Office]:
    office = Office(new_database())
    yield office
    office.conn.close()


@pytest.fixture
def office(standing: Office) -> Office:
    standing.begin()
    return standing


REFUSALS = [
    ({"date_start": date(2026, 1, 6)}, "the last day, 2026-01-05, is before the first, 2026-01-06"),
    ({"date_start": date(2025, 10, 7)}, "2025-10-07 to 2026-01-05 is 91 days: at most 90"),
    ({"agent_ids": [f"a{n}" for n in range(51)]}, "51 agents: at most 50"),
    ({"department_ids": [f"d{n}" for n in range(21)]}, "21 departments: at most 20"),
    ({"contact_ids": [f"c{n}" for n in range(101)]}, "101 contacts: at most 100"),
    ({"agent_ids": ["ana", "nobody", "=HYPERLINK(1)"]}, "unknown agents: =HYPERLINK(1), nobody"),
    ({"department_ids": ["'; drop table core.chats; --"]}, "unknown departments: '; drop table core.chats; --"),
    ({"contact_ids": ["9"]}, "unknown contacts: 9"),
    ({"agent_ids": [" "]}, "one of the agents is empty"),
    ({"triggered_by": "  "}, "triggered_by is empty: say who asks"),
    ({"sample_rate": 0}, "sample_rate 0 is not above 0 and up to 1"),
    ({"sample_rate": 1.01}, "sample_rate 1.01 is not above 0 and up to 1"),
    ({"sample_rate": float("nan")}, "sample_rate nan is not above 0 and up to 1"),
    ({"date_start": DAY - timedelta(1), "date_end": DAY - timedelta(1)}, "no chat was created from 2026-01-04"),
    ({"agent_ids": ["bea"]}, "no chat was created from 2026-01-05 to 2026-01-05 that passes these filters"),
    ({"sample_rate": 1e-9}, "a sample of 0.0% holds none of the 1 chats of this filter"),
]


@pytest.mark.parametrize(("asked", "says"), REFUSALS)
def test_what_cannot_be_analysed_is_refused_with_the_reason_and_leaves_no_row(
    office: Office, asked: dict[str, Any], says: str
) -> None:
    office.chat("a", "precio de los lotes")
    with pytest.raises(Refused) as refusal:
        office.analyse(**asked)
    assert says in str(refusal.value)
    assert office.rows("select * from analysis.customer_analyses") == []


def test_all_that_is_wrong_is_said_at_once_and_the_limits_themselves_pass(office: Office) -> None:
    office.chat("a", "precio de los lotes")
    with pytest.raises(Refused, match=r"before the first.*; triggered_by is empty.*; unknown agents: x"):
        office.analyse(date_end=date(2026, 1, 4), triggered_by="", agent_ids=["x"])
    with pytest.raises(Refused, match="unknown agents: a00, a01, a02, a03, a04 and 45 more"):
        office.analyse(agent_ids=[f"a{n:02}" for n in range(50)])
    assert office.analyse(date_start=DAY - timedelta(days=89))["status"] == "COMPLETED"
    office.begin()
    with pytest.raises(Refused, match="there are no chats yet"):
        office.analyse(date_start=None, date_end=None)


def test_agents_and_departments_are_named_as_people_name_them_and_kept_by_their_ids(office: Office) -> None:
    office.chat("a", "precio de los lotes")
    made = office.analyse(agent_ids=["ANA", "ana"], department_ids=["ventas n"])
    assert (made["filters"]["agent_ids"], made["filters"]["department_ids"]) == (["ana"], ["sales"])
    with pytest.raises(Refused, match=r"unknown agents: be; did you mean Bea \(bea\)\?"):
        office.analyse(agent_ids=["be"])


def test_without_days_it_is_the_thirty_up_to_the_newest_chat(office: Office) -> None:
    office.chat("first", "precio", day=DAY - timedelta(days=29))
    office.chat("too old", "precio", day=DAY - timedelta(days=30))
    office.chat("newest", "precio")
    made = office.analyse(date_start=None, date_end=None)
    assert (made["filters"]["date_start"], made["filters"]["date_end"]) == ("2025-12-07", "2026-01-05")
    assert made["total_chats_analyzed"] == 2


def test_every_chat_of_the_filter_is_counted_with_its_reason_and_a_second_analysis_costs_no_answer(
    office: Office,
) -> None:
    office.chat("a", "cuándo firmamos la escritura?", "> el martes")
    office.chat("b", "precio de los lotes", agent="bea")
    office.chat("silent", "> buenos días, le escribo de la constructora")
    office.chat("open", "precio de los lotes", status="open")
    office.chat("other day", "precio de los lotes", day=DAY + timedelta(days=1))
    first, second = office.analyse(), office.analyse()
    for made, new in ((first, 2), (second, 0)):
        assert made["status"] == "COMPLETED" and made["error_message"] is None
        assert [
            made[key]
            for key in (
                "chats_in_filter",
                "total_chats_analyzed",
                "categorized_count",
                "skipped_count",
                "pending_count",
                "new_classification_count",
                "total_messages_analyzed",
            )
        ] == [4, 4, 2, 2, 0, new, 5]
        assert made["ai_analysis_count"] == 0, "rules are no AI"
        assert analyses.classified_by(made).startswith("rules, no language model (rules-v1+")
    assert office.rows(f"""
        select chat_id, state, reason from analysis.analysis_chats where analysis_id = '{first["id"]}' order by 1
    """) == [
        ("a", "categorized", None),
        ("b", "categorized", None),
        ("open", "skipped", "still going on"),
        ("silent", "skipped", "nothing of the customer's"),
    ]
    assert office.rows(f"""
        select chat_id, customer_intent, model_vendor, model, is_llm, classified_by like 'rules-v1+%'
        from analysis.customer_categorizations where analysis_id = '{second["id"]}' order by 1
    """) == [("a", "LEGAL", "rules", "rules-v1", False, True), ("b", "PROJECT_INFO", "rules", "rules-v1", False, True)]
    assert office.rows("select count(*) from analysis.classifications") == [(2,)]
    assert office.analyse(agent_ids=["bea", "bea"])["total_chats_analyzed"] == 1


def test_a_sample_is_shown_the_same_each_time_and_part_of_a_larger_one(office: Office) -> None:
    for number in range(200):
        office.chat(f"c{number}", "precio de los lotes")
    chosen = {}
    for rate in (0.25, 0.5, 0.5):
        made = office.analyse(sample_rate=rate)
        ids = office.rows(f"select chat_id from analysis.analysis_chats where analysis_id = '{made['id']}'")
        assert (made["chats_in_filter"], made["total_chats_analyzed"], made["sample_rate"]) == (200, len(ids), rate)
        assert abs(len(ids) - 200 * rate) < 30
        assert chosen.setdefault(rate, set(ids)) == set(ids)
    assert chosen[0.25] < chosen[0.5]


def test_an_analysis_goes_from_pending_to_processing_to_its_end(office: Office) -> None:
    office.chat("a", "precio de los lotes")
    seen = []

    def look(chat_ids: Sequence[str]) -> Categorized:
        seen.extend(office.rows("select status, started_at is not null, completed_at from analysis.customer_analyses"))
        return Categorized(0, "the API does not answer")

    made = office.analyse(categorize=look, triggered_by=" Marta \U0001f600 ")
    assert seen == [("PROCESSING", True, None)]
    assert (made["status"], made["pending_count"], made["triggered_by"]) == ("PARTIAL", 1, "Marta \U0001f600")
    assert made["error_message"] == "1 chats are not categorized (1 not looked at); the API does not answer"
    assert made["processing_time_ms"] is not None


@pytest.mark.parametrize("error", [RuntimeError("el cliente 3001234567 dijo"), KeyboardInterrupt()])
def test_what_breaks_off_is_failed_and_quotes_nothing(office: Office, error: BaseException) -> None:
    office.chat("a", "precio de los lotes")

    def break_off(chat_ids: Sequence[str]) -> Categorized:
        raise error

    with pytest.raises(type(error)):
        office.analyse(categorize=break_off)
    [(status, message, completed)] = office.rows(
        "select status, error_message, completed_at is not null from analysis.customer_analyses"
    )
    assert (status, completed) == ("FAILED", True)
    assert type(error).__name__ in message and "300" not in message


def test_without_its_kpis_it_is_partial_and_its_categories_stay(office: Office) -> None:
    office.chat("a", "precio de los lotes")

    def break_off() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        office.analyse(kpis=break_off)
    assert office.rows("select status, error_message like 'KPIs were not built%' from analysis.customer_analyses") == [
        ("PARTIAL", True)
    ]
    assert office.rows("select count(*) from analysis.customer_categorizations") == [(1,)]


def test_a_killed_analysis_is_closed_by_the_next_and_one_at_work_is_left_alone(office: Office) -> None:
    office.chat("a", "precio de los lotes")
    ids = []
    for state in ("PENDING", "PROCESSING"):
        with psycopg.connect(office.url, autocommit=True) as worker:

            def work(chat_ids: Sequence[str], state: str = state) -> Categorized:
                [(made,)] = office.rows("select id from analysis.customer_analyses where status = 'PROCESSING'")
                office.conn.execute("update analysis.customer_analyses set status = %s", [state])
                assert analyses.fail_abandoned(office.conn) == [], "its worker still holds the lock"
                with pytest.raises(NoSuchAnalysis, match="being worked on"):
                    analyses.delete(office.conn, made)
                ids.append(made)
                office.conn.execute("select pg_terminate_backend(%s)", [worker.info.backend_pid])
                return Categorized(0)

            means = Means("rules-v1", "v", False, work, lambda: None)
            with pytest.raises(psycopg.Error):
                analyse(worker, asking(), means)
        assert office.analyse()["status"] == "COMPLETED", "this one closes the other first"
        assert office.rows(f"select status, error_message from analysis.customer_analyses where id = '{ids[-1]}'") == [
            ("FAILED", analyses.KILLED)
        ]
        analyses.delete(office.conn, ids[-1])
        office.conn.execute("delete from analysis.customer_analyses")


def test_deleting_an_analysis_takes_what_is_its_own_and_nothing_else(office: Office) -> None:
    office.chat("a", "precio de los lotes")
    one, other = office.analyse()["id"], office.analyse()["id"]
    for made in (one, other):
        office.conn.execute("insert into analysis.analysis_kpis values (%s, 'ana', null, 'agent')", [made])
        office.conn.execute(
            "insert into analysis.analysis_exports values "
            "(%(id)s, now(), %(id)s, 'PDF', 'a.pdf', 'url', 'key', 'marta', 1)",
            {"id": made},
        )
    analyses.delete(office.conn, one)
    for table in ("analysis_chats", "customer_categorizations", "analysis_kpis", "analysis_exports"):
        assert office.rows(f"select analysis_id from analysis.{table}") == [(other,)], table
    with pytest.raises(NoSuchAnalysis, match="there is no analysis"):
        analyses.delete(office.conn, one)


def test_a_deleted_chat_leaves_and_a_deleted_agent_leaves_the_kpis_without_a_name(office: Office) -> None:
    for chat_id in ("kept", "soft", "hard"):
        office.chat(chat_id, "precio de los lotes")
    made = office.analyse()["id"]
    office.conn.execute(
        "insert into analysis.analysis_kpis values (%(id)s, 'ana', null, 'agent'), "
        "(%(id)s, 'bea', null, 'agent'), (%(id)s, null, 'sales', 'department')",
        {"id": made},
    )
    assert set(analyses.reconcile(office.conn).values()) == {0}
    office.conn.execute("update core.chats set is_deleted = true where id = 'soft'")
    office.conn.execute("delete from core.chats where id = 'hard'")
    office.conn.execute("delete from core.agents where id = 'ana'")
    office.conn.execute("delete from core.departments")
    assert analyses.reconcile(office.conn) == {
        "killed_analyses": 0,
        "categorizations_of_deleted_chats": 1,
        "kpis_of_deleted_people": 2,
    }
    assert materialize.forget_vanished_chats(office.conn) == 1, "by night, as it reads the keys of all chats"
    assert office.rows("select chat_id from analysis.customer_categorizations") == [("kept",)]
    assert office.rows("select scope, agent_id, department_id from analysis.analysis_kpis order by 1, 2") == [
        ("agent", "bea", None),
        ("agent", None, None),
        ("department", None, None),
    ]
    assert office.rows("select total_chats_analyzed from analysis.customer_analyses") == [(3,)], "history stays"


def test_labels_of_rules_cannot_be_published_as_a_models(office: Office) -> None:
    office.chat("a", "precio de los lotes")
    office.analyse()
    for change in ("is_llm = true", "model = 'claude-haiku-5-5'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            office.conn.execute(f"update analysis.customer_categorizations set {change}")


def test_an_analysis_by_claude_sends_once_defers_what_is_over_the_cap_and_is_never_done_by_rules(
    office: Office,
) -> None:
    for chat_id in ("a", "b", "c"):
        office.chat(chat_id, f"precio del lote {chat_id}", "> el valor es 80 millones")
    with fake.running() as claude:
        classifier = ClaudeClassifier(connect("test", claude.url, timeout=2), taxonomy.load(), model="claude-haiku-5-5")

        def analyse_by_claude(most_usd: float) -> dict[str, Any]:
            def categorize(chat_ids: Sequence[str]) -> Categorized:
                limits = Limits(timedelta(hours=24), most_usd, 25.0)
                result = categorize_by_claude(office.conn, classifier, limits=limits, run_id="r", chat_ids=chat_ids)
                return Categorized(result.classified, result.stopped)

            return analyse(office.conn, asking(), Means("claude", classifier.version, True, categorize, lambda: None))

        def sent() -> int:
            return sum(path == "/v1/messages" and body is not None for path, body in claude.requests)

        poor = analyse_by_claude(0.0)
        assert (poor["status"], poor["categorized_count"], poor["pending_count"], sent()) == ("PARTIAL", 0, 3, 0)
        assert "3 chats are not categorized (3 budget_deferred" in poor["error_message"]
        first, requests = analyse_by_claude(5.0), sent()
        second = analyse_by_claude(5.0)
    assert (requests, sent()) == (3, 3), "the second analysis asks nothing"
    for made, new in ((first, 3), (second, 0)):
        assert (made["status"], made["categorized_count"], made["new_classification_count"]) == ("COMPLETED", 3, new)
        assert (made["is_llm"], made["ai_analysis_count"]) == (False, 0), "the fake is no language model"
        assert analyses.classified_by(made).startswith("a fake of a language model (claude-haiku-5-5")
    assert office.rows("select distinct model_vendor, model from analysis.customer_categorizations") == [
        ("fake", fake.MODEL)
    ]


def test_effectiveness_is_kept_once_an_answer_with_who_had_it_analysed(office: Office) -> None:
    office.chat("thanked", "cuál es el precio del lote?", "> el valor es 80 millones", "mil gracias, muy amable")
    office.chat("unclear", "buenas", "> buenas")
    office.conn.execute("insert into intermediate.int_response_time_scores values ('thanked', 50)")
    office.analyse(triggered_by="marta")
    office.analyse(triggered_by="jorge")
    effectiveness.materialize(office.conn, "rules-v1")
    assert office.rows("""
        select chat_id, user_id, state, resolution_score, customer_satisfaction, effectiveness_score,
            response_time_score, is_llm, analysis_data ->> 'model', analysis_data -> 'analyzed_messages'
        from analysis.effectiveness_analysis order by 1
    """) == [
        ("thanked", "marta", "scored", 90, 95, 0.6 * 90 + 0.4 * 95, 50, False, "rules-v1", 3),
        ("unclear", "marta", "insufficient_evidence", None, None, None, None, False, "rules-v1", 2),
    ]
    office.conn.execute("insert into core.messages values ('unclear', true, 'text', 'precio?', null, %s, 9)", [NOON])
    office.conn.execute("update core.chats set load_id = 2 where id = 'unclear'")
    office.conn.execute("update ops.build_watermarks set load_id = 2")
    office.analyse(triggered_by="jorge")
    assert office.rows("""
        select chat_id, user_id from analysis.effectiveness_analysis order by 1, 2
    """) == [("thanked", "marta"), ("unclear", "jorge"), ("unclear", "marta")], "the old answer stays beside the new"


def test_a_chat_that_comes_back_has_its_effectiveness_again_and_one_that_is_gone_gets_none(office: Office) -> None:
    scored = "select chat_id from analysis.effectiveness_analysis order by 1"
    for chat_id in ("kept", "soft", "hard"):
        office.chat(chat_id, "cuál es el precio del lote?", "> el valor es 80 millones", "mil gracias, muy amable")
    office.analyse()
    gone = office.rows("select * from core.chats where id = 'hard'")[0]
    office.conn.execute("update core.chats set is_deleted = true where id = 'soft'")
    office.conn.execute("delete from core.chats where id = 'hard'")
    analyses.reconcile(office.conn)
    materialize.forget_vanished_chats(office.conn)
    assert effectiveness.materialize(office.conn, "rules-v1") == 0
    assert office.rows(scored) == [("kept",)]
    office.conn.execute("update core.chats set is_deleted = false where id = 'soft'")
    office.conn.execute("insert into core.chats values (%s, %s, %s, %s, %s, %s, %s, %s)", gone)
    assert effectiveness.materialize(office.conn, "rules-v1") == 2
    assert office.rows(scored) == [("hard",), ("kept",), ("soft",)]


def test_what_a_killed_run_had_scored_is_marked_by_the_next_and_not_looked_at_again(office: Office) -> None:
    office.chat("a", "cuál es el precio del lote?", "> el valor es 80 millones", "mil gracias, muy amable")
    office.analyse()
    waiting = "select chat_id from analysis.classification_queue where scored_classification_id is null"
    assert office.rows(waiting) == []
    office.conn.execute("update analysis.classification_queue set scored_classification_id = null")
    assert effectiveness.materialize(office.conn, "rules-v1") == 0
    assert office.rows(waiting) == []
    # What is marked is not asked for again: a row that is taken away by hand stays away.
    office.conn.execute("delete from analysis.effectiveness_analysis")
    assert effectiveness.materialize(office.conn, "rules-v1") == 0


def test_no_score_but_the_formulas_can_be_stored(office: Office) -> None:
    draw = random.Random(5)
    pairs = [(draw.choice([None, draw.uniform(0, 100)]), draw.choice([None, draw.uniform(0, 100)])) for _ in range(500)]
    pairs += [(0.0, 0.0), (100.0, 100.0), (0.0, 100.0), (100.0, 0.0)]
    with office.conn.cursor() as cursor:
        cursor.executemany(
            "insert into analysis.effectiveness_analysis (chat_id, user_id, classification_id, resolution_score, "
            "customer_satisfaction, model_vendor, model, is_llm, classified_by, recommendations, analysis_data, "
            "created_at) values ('c', 'pipeline', %s, %s, %s, 'rules', 'rules-v1', false, 'v', '[]', '{}', now())",
            [(number, *pair) for number, pair in enumerate(pairs)],
        )
    stored = office.rows(
        "select effectiveness_score, state from analysis.effectiveness_analysis order by classification_id"
    )
    for (resolution, satisfaction), (score, state) in zip(pairs, stored, strict=True):
        if resolution is None or satisfaction is None:
            assert (score, state) == (None, "insufficient_evidence")
        else:
            assert state == "scored"
            assert math.isclose(score, (3 * resolution + 2 * satisfaction) / 5, abs_tol=1e-9)
    with pytest.raises(psycopg.errors.GeneratedAlways):
        office.conn.execute("update analysis.effectiveness_analysis set effectiveness_score = 0")
