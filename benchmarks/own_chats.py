"""What a login's own chats cost to read: `b2chat exec .venv/bin/python benchmarks/own_chats.py [--json]`.

The warehouse must be filled (fill.py) and built. For the busiest agent, and for the busiest department: what a question
reads without protection (all_chats and a filter), by the views my_chats and my_messages, and by policies on the tables
of core with `security_invoker` views, which docs/access.md says were not taken. All is done in one transaction that is
taken back.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from common import one
from psycopg import sql

LOGIN = "own_chats_benchmark"
# By what is asked; {chats} and {messages} are what it is asked of.
QUESTIONS = {
    "how many chats": "select count(*) from {chats} as asked where true",
    "chats of a week": "select * from {chats} as asked where created_at >= '{day}'::date - 7 and created_at < '{day}'",
    "chats of a contact": "select * from {chats} as asked where contact_id = '{contact}'",
    "messages of a chat": "select * from {messages} as asked where chat_id = '{chat}'",
    "messages with a word": "select count(*) from {messages} as asked where text like '%crédito%'",
}
OWN = "(agent_id = any(array({agents})) or department_id = any(array({departments})))"
POLICIES = """
    alter table core.chats enable row level security;
    alter table core.messages enable row level security;
    create policy own on core.chats for select to {login} using {own};
    create policy own on core.messages for select to {login}
        using (exists (select from core.chats where chats.id = messages.chat_id));
    create view marts_pii.policy_chats with (security_invoker) as {all_chats};
    create view marts_pii.policy_messages with (security_invoker) as {all_messages};
    grant usage on schema core, marts_pii, ops to {login};
    grant select on core.chats, core.messages, core.agents, core.departments, core.contacts, ops.login_scopes,
        marts_pii.policy_chats, marts_pii.policy_messages, marts_pii.all_chats, marts_pii.all_messages,
        marts_pii.my_chats, marts_pii.my_messages to {login}
"""


@dataclass(frozen=True)
class Cost:
    """Blocks that a question reads, and milliseconds, the second time that it is asked."""

    who: str
    chats: int
    question: str
    way: str
    blocks: int
    ms: float


def main() -> None:
    """Ask all, and print a line a question."""
    costs = []
    with psycopg.connect(os.environ["DATABASE_URL"]) as conn:
        conn.execute(sql.SQL("create role {}").format(sql.Identifier(LOGIN)))
        conn.execute("insert into ops.logins (login, role, valid_until, made_by) values (%s, '', now(), '')", [LOGIN])
        scopes = "select scope_id from ops.login_scopes where login = current_user and kind = '{}'"
        own = OWN.format(agents=scopes.format("agent"), departments=scopes.format("department"))
        views = {
            name: one(conn, f"select pg_get_viewdef('marts_pii.{name}'::regclass)")[0].rstrip(";")
            for name in ("all_chats", "all_messages")
        }
        conn.execute(POLICIES.format(login=LOGIN, own=own, **views).encode())
        for kind in ("agent", "department"):
            costs += _costs(conn, kind)
        conn.rollback()
    if "--json" in sys.argv:
        print(json.dumps([asdict(cost) for cost in costs]))
        return
    for cost in costs:
        print(f"{cost.who:10} {cost.chats:>7,}  {cost.question:22} {cost.way:8} {cost.blocks:>9,} {cost.ms:>9,.1f} ms")


def _costs(conn: psycopg.Connection, kind: str) -> Iterator[Cost]:
    member, count, chat, contact = one(
        conn,
        f"""
        select {kind}_id, count(*), max(id), max(contact_id) from core.chats
        where {kind}_id is not null and not is_deleted group by 1 order by 2 desc limit 1
        """,
    )
    day = one(conn, "select max(created_at)::date from core.chats")[0]
    conn.execute("delete from ops.login_scopes where login = %s", [LOGIN])
    conn.execute("insert into ops.login_scopes values (%s, %s, %s)", [LOGIN, kind, member])
    own_ids = f"chat_id in (select id from core.chats where {kind}_id = '{member}')"
    for question, text in QUESTIONS.items():
        for way in ("plain", "views", "policies"):
            prefix = {"plain": "all", "views": "my", "policies": "policy"}[way]
            asked = text.format(
                chats=f"marts_pii.{prefix}_chats",
                messages=f"marts_pii.{prefix}_messages",
                day=day,
                chat=chat,
                contact=contact,
            )
            if way == "plain":
                asked += f" and {own_ids}" if "messages" in question else f" and {kind}_id = '{member}'"
            blocks, ms = _asked(conn, asked, as_login=way != "plain")
            yield Cost(kind, count, question, way, blocks, ms)


def _asked(conn: psycopg.Connection, query: str, *, as_login: bool) -> tuple[int, float]:
    if as_login:
        conn.execute(sql.SQL("set local role {}").format(sql.Identifier(LOGIN)))
    for _ in range(2):
        asked = conn.execute(f"explain (analyze, buffers, timing off, format json) {query}".encode())
        [[[explained]]] = asked.fetchall()
    conn.execute("reset role")
    plan = explained["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], explained["Execution Time"]


if __name__ == "__main__":
    main()
