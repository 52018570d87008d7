"""The schema calls at any size, and what its application asks of it."""

import re
from collections.abc import Mapping

import psycopg

# As the application asks for a call that was cut off, each time that its visitor loads a page.
LIVE_CALL = """
    select id, status, agent_id, created_at from calls.call_logs
    where reconnect_token = %(token)s and status = %(status)s and reconnect_eligible = %(eligible)s
        and ended_at is null
"""
A_LIVE_CALL = {"token": "reconnect-live-7", "status": "accepted", "eligible": True}
ADVISED_INDEX = """
    create index advised on calls.call_logs (reconnect_token)
    where reconnect_token is not null and status = 'accepted' and reconnect_eligible = true
"""
_DIRECTORY = """
    select calls.keep_months((now() - make_interval(months => %(months)s))::date, now()::date);
    insert into calls.organizations (id, name) values (md5('organization')::uuid, 'Ours');
    insert into calls.sites (id, organization_id, name, domain)
    values (md5('site')::uuid, md5('organization')::uuid, 'Ours', 'ours.example');
    insert into calls.pools (id, organization_id, name) values (md5('pool')::uuid, md5('organization')::uuid, 'Ours');
    insert into calls.users (id, organization_id, email, name)
    values (md5('user')::uuid, md5('organization')::uuid, 'ana@example.com', 'Ana');
    insert into calls.agent_profiles (id, organization_id, user_id, display_name)
    values (md5('agent')::uuid, md5('organization')::uuid, md5('user')::uuid, 'Ana');
"""
# One call in ten thousand is live: it was cut off, and may be found again by its token.
_CALLS = """
    insert into calls.call_logs (id, organization_id, site_id, pool_id, agent_id, status, visitor_country_code,
        answered_at, ended_at, reconnect_token, reconnect_eligible, created_at)
    select md5('call' || n)::uuid, md5('organization')::uuid, md5('site')::uuid, md5('pool')::uuid, md5('agent')::uuid,
        case when is_live then 'accepted' else 'completed' end, 'CO', at + interval '9 seconds',
        case when not is_live then at + interval '3 minutes' end,
        'reconnect-' || case when is_live then 'live-' else '' end || n, is_live, at
    from generate_series(%(first)s::bigint, %(last)s) as n
    cross join lateral (
        select n %% 10000 = 7 as is_live, now() - n * make_interval(secs => %(spaced)s) as at
    ) as shape
"""
# Half of the invitations were accepted; of the others one in fifty has expired.
_INVITES = """
    insert into calls.invites (id, organization_id, email, token, expires_at, accepted_at)
    select md5('invite' || n)::uuid, md5('organization')::uuid, n || '@example.com', 'invite-' || n,
        case n %% 100 when 1 then now() - n * interval '1 second' else now() + n * interval '1 hour' end,
        case when n %% 2 = 0 then now() end
    from generate_series(1, %(invites)s::bigint) as n
"""


def fill(conn: psycopg.Connection, calls: int, invites: int, months: int = 24) -> None:
    """So many calls and invitations, the calls over so many months."""
    conn.execute("set session_replication_role = replica")  # what is filled needs no trigger
    for statement in _DIRECTORY.split(";\n"):
        if statement.strip():
            conn.execute(statement, {"months": months})
    spaced = months * 30 * 86_400 / calls
    for first in range(1, calls + 1, 100_000):
        conn.execute(_CALLS, {"first": first, "last": min(first + 99_999, calls), "spaced": spaced})
    conn.execute(_INVITES, {"invites": invites})
    conn.execute("reset session_replication_role")
    conn.commit()
    conn.autocommit = True
    conn.execute("vacuum (analyze) calls.call_logs, calls.invites")


def plan_of(
    conn: psycopg.Connection, statement: str, values: Mapping[str, object], *, is_generic: bool, analyze: bool = False
) -> str:
    """The plan of a statement: with its values in its text, or as a prepared one that knows none."""
    options = "(analyze, costs off, timing off, summary off)" if analyze else "(costs off)"
    with psycopg.ClientCursor(conn) as cursor:
        if not is_generic:
            cursor.execute(f"explain {options} {statement}", values)
        else:
            types = {str: "text", bool: "boolean", int: "bigint"}
            kinds = ", ".join(types.get(type(value), "timestamptz") for value in values.values())
            places = {name: f"${number}" for number, name in enumerate(values, 1)}
            cursor.execute("set plan_cache_mode = force_generic_plan")
            cursor.execute(f"prepare looked_up ({kinds}) as {_with_places(statement, places)}")
            given = ", ".join(["%s"] * len(values))
            cursor.execute(f"explain {options} execute looked_up ({given})", list(values.values()))
        found = "\n".join(row[0] for row in cursor.fetchall())
        if is_generic:
            cursor.execute("deallocate looked_up")
            cursor.execute("reset plan_cache_mode")
    return found


def read_whole(conn: psycopg.Connection, plan: str) -> list[str]:
    """The tables that a plan reads from end to end, but those of a few pages, as a month to come is."""
    names = re.findall(r"Seq Scan on (\w+)", plan)
    is_large = "select pg_relation_size('calls.{}') > 8 * current_setting('block_size')::integer"
    return [name for name in names if conn.execute(is_large.format(name)).fetchone() == (True,)]


def _with_places(statement: str, places: Mapping[str, str]) -> str:
    for name, place in places.items():
        statement = statement.replace(f"%({name})s", place)
    return statement
