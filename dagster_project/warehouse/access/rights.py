"""What each role and login can do in the warehouse, asked of the server, against what it should (`roles.RIGHTS`)."""

from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

from dagster_project.settings import DATABASES
from dagster_project.warehouse.access import hidden_code, logins, roles
from dagster_project.warehouse.access.roles import RIGHTS, SCHEMAS

# Letters of the matrix: reads, writes, creates, executes; what of Postgres' privileges each is.
_LETTERS = {
    "r": {"select"},
    "w": {"insert", "update", "delete", "truncate", "trigger"},
    "c": {"create"},
    "x": {"execute"},
}
# Each subject and what it can do, by whichever way: its own grants, PUBLIC's, those of roles that it is a member of.
# What a role owns, it may do all to: dbt's what it has made. A partition is its table's.
_CAN = """
    with wanted as materialized (
        select * from jsonb_to_recordset(%(rights)s) as one (role text, schema text, names text, privileges text[])
    ),

    subjects as materialized (
        select oid, rolname::text as subject, rolname::text as role from pg_roles where rolname = any(%(roles)s)
        union all
        select oid, login::text, logins.role::text from ops.logins inner join pg_roles on rolname = login
    ),

    objects as materialized (
        select
            relation.oid, relation.relnamespace as schema_id, root.relname::text as name, 'table' as kind,
            relation.relowner as owner, relation.relispartition as is_partition
        from pg_class as relation
        inner join pg_class as root on root.oid = coalesce(pg_partition_root(relation.oid), relation.oid)
        where relation.relkind in ('r', 'p', 'v', 'm', 'f')
        union all
        select oid, pronamespace, proname::text, 'function', proowner, false from pg_proc
        union all
        select oid, relnamespace, relname::text, 'sequence', relowner, false from pg_class where relkind = 'S'
        union all
        select oid, oid, '', 'schema', nspowner, false from pg_namespace
    ),

    each_can as (
        select
            subjects.subject, subjects.role, nspname::text as schema, objects.name, objects.kind, privilege,
            pg_has_role(subjects.oid, objects.owner, 'usage') as is_own, objects.is_partition,
            case objects.kind
                when 'schema' then has_schema_privilege(subjects.oid, objects.oid, privilege)
                when 'sequence' then has_sequence_privilege(subjects.oid, objects.oid, privilege)
                when 'function' then has_function_privilege(subjects.oid, objects.oid, privilege)
                when 'table' then has_table_privilege(subjects.oid, objects.oid, privilege)
                    or privilege in ('select', 'insert', 'update', 'references')
                    and has_any_column_privilege(subjects.oid, objects.oid, privilege)
            end and (objects.kind = 'schema' or has_schema_privilege(subjects.oid, schema_id, 'usage')) as can
        from objects
        inner join pg_namespace on pg_namespace.oid = schema_id and nspname = any(%(schemas)s)
        -- What the loader's login reads of sources is their own schemas' to say.
        inner join subjects on nspname <> all(%(sources)s) or role <> 'b2chat_loader'
        cross join lateral unnest(case objects.kind
            when 'schema' then array['create']
            when 'function' then array['execute']
            when 'sequence' then array['usage']
            when 'table' then array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']
        end) as privilege
    )

    select
        each_can.subject, each_can.schema, each_can.privilege, each_can.can,
        string_agg(each_can.name, ', ' order by each_can.name) filter (where each_can.can and not rights.is_wanted),
        string_agg(each_can.name, ', ' order by each_can.name) filter (where rights.is_wanted and not each_can.can)
    from each_can
    cross join lateral (
        select exists (
            select from wanted
            where wanted.role = each_can.role and wanted.schema = each_can.schema
                and (
                    'create' = any(wanted.privileges) and (each_can.kind = 'schema' or each_can.is_own)
                    or each_can.kind <> 'schema' and each_can.privilege = any(wanted.privileges)
                    and each_can.name ~ ('^(' || wanted.names || ')$')
                )
        ) as is_wanted
    ) as rights
    -- Whoever reads a table reads its partitions through it.
    where each_can.can or rights.is_wanted and not each_can.is_partition
    group by 1, 2, 3, 4
    order by 1, 2, 3
"""
_SUBJECTS = """
    select rolname::text from pg_roles where rolname = any(%(roles)s)
    union all
    select login::text from ops.logins inner join pg_roles on rolname = login
"""
# What no grant on an object says. bi_reader's are looked at by bi_role.py.
_MORE = """
    select rolname::text,
        case
            when rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
                then 'is a superuser, or may make roles or databases, replicate, or see behind row security'
            when rolcanlogin and logins.login is null then 'may log in'
            when rolcanlogin and exists (
                select from ops.users where id = logins.user_id and disabled_at is not null
            ) then 'may log in, though its user is disabled'
            when exists (
                select from pg_auth_members
                where member = pg_roles.oid and roleid is distinct from to_regrole(quote_ident(logins.role))
                    and not (logins.role = 'b2chat_loader' and pg_get_userbyid(roleid) = any(%(readers)s))
            ) then 'is a member of another role than its own'
            when has_database_privilege(pg_roles.oid, current_database(), 'create') then 'may create schemas'
        end as fault
    from pg_roles
    left join ops.logins on login = rolname
    where rolname = any(%(roles)s) and rolname <> 'bi_reader' or logins.login is not null
"""


class RightsWrong(Exception):
    """A role can do more, or less, than it should; the text says what, and the matrix of all of them."""


@dataclass(frozen=True)
class Rights:
    """What roles can do.

    Attributes:
        can: by role or login and schema: letters, r (reads), w (writes), c (creates), x (executes).
        excess: what one can do that it should not, a line each.
        lack: what one cannot do that it should, a line each.
    """

    can: dict[str, dict[str, str]]
    excess: list[str]
    lack: list[str]

    def matrix(self) -> str:
        """A line a role, a column a schema."""
        schemas = [schema for schema in SCHEMAS if any(schema in row for row in self.can.values())]
        width = max((len(role) for role in self.can), default=0)
        lines = [" " * width + "  " + "  ".join(schemas)]
        for role, row in self.can.items():
            cells = [f"{row.get(schema, '') or '-':<{len(schema)}}" for schema in schemas]
            lines.append(f"{role:<{width}}  {'  '.join(cells)}".rstrip())
        return "\n".join(lines)


def found(conn: psycopg.Connection) -> Rights:
    """What the roles that there are, and the logins of this warehouse, can do."""
    given = {
        "rights": Jsonb([right._asdict() for right in RIGHTS]),
        "roles": list(roles.ROLES),
        "schemas": [*SCHEMAS, *DATABASES],
        "sources": list(DATABASES),
        "readers": list(logins.READERS),
    }
    can: dict[str, dict[str, set[str]]] = {subject: {} for (subject,) in conn.execute(_SUBJECTS, given)}
    excess, lack = [], []
    for subject, schema, privilege, is_able, too_much, too_little in conn.execute(_CAN, given):
        if is_able:
            can[subject].setdefault(schema, set()).update(
                letter for letter, those in _LETTERS.items() if privilege in those
            )
        if too_much is not None:
            excess.append(f"{subject} can {privilege} in {schema}: {_short(too_much)}")
        if too_little is not None:
            lack.append(f"{subject} cannot {privilege} in {schema}: {_short(too_little)}")
    excess += [f"{roles.DBT} has made a {line}" for line in hidden_code.found(conn)]
    excess += [f"{role} {fault}" for role, fault in conn.execute(_MORE, given) if fault]
    shown = {
        subject: {
            schema: "".join(letter for letter in _LETTERS if letter in letters) for schema, letters in row.items()
        }
        for subject, row in sorted(can.items(), key=lambda item: _place(item[0]))
    }
    return Rights(shown, excess, lack)


def check(conn: psycopg.Connection) -> str:
    """The matrix of what each role can do.

    Raises:
        RightsWrong: one can do more or less than it should.
    """
    rights = found(conn)
    if faults := [*rights.excess, *rights.lack]:
        raise RightsWrong(f"{'; '.join(faults)}: the next `b2chat build` gives and takes what is this user's to give")
    missing = [role for role in roles.ROLES if role not in rights.can]
    note = f"; not made: {', '.join(missing)} (`b2chat db bi-sql`)" if missing else ""
    return f"r reads, w writes, c creates, x executes; each as it should{note}\n{rights.matrix()}"


def _short(names: str) -> str:
    listed = names.split(", ")
    return names if len(listed) <= 3 else f"{', '.join(listed[:3])} and {len(listed) - 3} more"


def _place(subject: str) -> tuple[int, str]:
    """Roles in the order of their list, then logins by name."""
    return (roles.ROLES.index(subject) if subject in roles.ROLES else len(roles.ROLES), subject)
