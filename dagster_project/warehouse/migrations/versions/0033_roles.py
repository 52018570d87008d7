"""Roles with the least that each needs, logins of people, and who of them sees whose chats.

What each role may do is declared in `access/roles.py`, which fills ops.role_rights; `ops.apply_rights` gives it, as
the owner after each migration and as whoever builds the marts at the start and end of each build.
"""

import importlib

from alembic import op

from dagster_project.warehouse.migrations import monthly

revision = "0033"
down_revision = "0032"

ROLES = (
    "b2chat_loader",
    "b2chat_dbt",
    "b2chat_analysis",
    "bi_reader",
    "pii_reader",
    "b2chat_manager",
    "b2chat_admin",
    "b2chat_agent",
)
# Roles belong to the server: another warehouse there may make one at this very moment too. A user who may not create
# roles goes on without (`b2chat db bi-sql`).
MAKE = """
    do $$ begin
        if not exists (select from pg_roles where rolname = '{role}') then
            create role {role} {login};
        end if;
    exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
            raise warning '{role} was not made: this user may not create roles';
    end $$
"""
JOIN = """
    do $$ begin
        if exists (select from pg_roles where rolname = '{role}') and not pg_has_role('{role}', 'usage') then
            grant {role} to current_user;
        end if;
    exception when insufficient_privilege or invalid_grant_operation then null;
    end $$
"""
TABLES = (
    """
    create table ops.role_rights (
        role name not null,
        schema_name name not null,
        names text not null,
        privileges text[] not null,
        primary key (role, schema_name, names)
    )
    """,
    """
    create table ops.logins (
        login name primary key,
        role name not null,
        valid_until timestamptz not null,
        disabled_at timestamptz,
        made_by text not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
    )
    """,
    """
    create table ops.login_scopes (
        login name not null references ops.logins (login) on delete cascade,
        kind text not null check (kind in ('agent', 'department')),
        scope_id text not null,
        primary key (login, kind, scope_id)
    )
    """,
)
COMMENTS = (
    ("table ops.role_rights", "One row per right of a role: what the program gives and keeps (access/roles.py)"),
    ("column ops.role_rights.names", "Tables, or functions, of the schema: a regular expression of the whole name"),
    (
        "column ops.role_rights.privileges",
        "As Postgres names them; create: makes things in the schema, and owns them",
    ),
    ("table ops.logins", "One row per login of a person or program, made by `b2chat users login`"),
    ("column ops.logins.role", "The role that it is a member of"),
    ("column ops.logins.valid_until", "Until when its password is taken"),
    ("column ops.logins.disabled_at", "Since when it may not log in; NULL while it may"),
    ("table ops.login_scopes", "One row per login and agent, or department, whose chats it sees in marts_pii"),
)
# Wanted rights against those that there are, of our roles and of PUBLIC; only what belongs to the caller is changed.
APPLY = """
    create function ops.apply_rights() returns integer language plpgsql set search_path = pg_catalog as $$
    declare
        due text;
        changed integer := 0;
    begin
        perform ops.lock_in_transaction('rights', 'apply');
        for due in
            with subjects as materialized (
                select oid, rolname::text as role from pg_roles where rolname in (select role from ops.role_rights)
                union all
                select 0, 'public'
            ),

            schemas as materialized (
                select oid, nspname, nspowner, nspacl from pg_namespace
                where nspname in (select schema_name from ops.role_rights)
            ),

            rights as materialized (
                select subjects.oid as role_id, subjects.role, schemas.oid as schema_id, names, privileges
                from ops.role_rights
                inner join subjects on subjects.role = role_rights.role
                inner join schemas on schemas.nspname = role_rights.schema_name
            ),

            -- A partition is its table's: default privileges give on it what they give on that.
            objects as materialized (
                select
                    relation.oid, relation.relnamespace as schema_id, root.relname as name, relation.relowner as owner,
                    case relation.relkind when 'S' then 'sequence' else 'table' end as kind,
                    format(
                        case relation.relkind when 'S' then 'sequence %s' else 'table %s' end, relation.oid::regclass
                    ) as told,
                    relation.relacl as acl
                from pg_class as relation
                inner join pg_class as root on root.oid = coalesce(pg_partition_root(relation.oid), relation.oid)
                where relation.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
                    and relation.relnamespace in (select oid from schemas) and pg_has_role(relation.relowner, 'usage')
                union all
                select
                    oid, pronamespace, proname, proowner, 'function', format('function %s', oid::regprocedure),
                    coalesce(proacl, acldefault('f', proowner))
                from pg_proc
                where pronamespace in (select oid from schemas) and prokind = 'f' and pg_has_role(proowner, 'usage')
            ),

            wanted as (
                select distinct
                    format('schema %I', nspname) as told, role, privilege
                from rights
                inner join schemas on schemas.oid = schema_id
                cross join lateral unnest(
                    case when 'create' = any(privileges) then array['usage', 'create'] else array['usage'] end
                ) as privilege
                where pg_has_role(nspowner, 'usage') and role_id <> nspowner
                union
                select objects.told, role, privilege
                from rights
                inner join objects using (schema_id)
                cross join lateral unnest(privileges) as privilege
                where objects.name ~ ('^(' || names || ')$') and role_id <> objects.owner and privilege <> 'create'
                    and objects.kind = case privilege
                        when 'execute' then 'function' when 'usage' then 'sequence' else 'table'
                    end
                union
                select format('in schema %s', schema_id::regnamespace), role, privilege
                from rights cross join lateral unnest(privileges) as privilege
                where names = '.*' and privilege not in ('create', 'execute')
                    and has_schema_privilege(schema_id, 'create') and role <> current_user
            ),

            given as (
                select format('schema %I', nspname) as told, subjects.role, lower(one.privilege_type) as privilege
                from schemas
                cross join lateral aclexplode(nspacl) as one
                inner join subjects on subjects.oid = one.grantee
                where pg_has_role(nspowner, 'usage') and one.grantee <> nspowner
                union
                select objects.told, subjects.role, lower(one.privilege_type)
                from objects cross join lateral aclexplode(acl) as one inner join subjects on subjects.oid = one.grantee
                where one.grantee <> objects.owner
                union
                select
                    objects.told, subjects.role,
                    format('%s (%s)', lower(one.privilege_type), quote_ident(attribute.attname))
                from objects
                inner join pg_attribute as attribute on attribute.attrelid = objects.oid and objects.kind = 'table'
                cross join lateral aclexplode(attribute.attacl) as one
                inner join subjects on subjects.oid = one.grantee
                where one.grantee <> objects.owner
                union
                select format('in schema %s', defaclnamespace::regnamespace), subjects.role, lower(one.privilege_type)
                from pg_default_acl
                cross join lateral aclexplode(defaclacl) as one
                inner join subjects on subjects.oid = one.grantee
                where defaclrole = current_user::regrole and defaclobjtype = 'r'
                    and defaclnamespace in (select oid from schemas)
            ),

            changes as (
                select told, role, privilege, true as is_wanted from (table wanted except table given) as lacking
                union all
                select told, role, privilege, false from (table given except table wanted) as too_much
            )

            select format(
                case when told like 'in schema %' then
                    case when is_wanted then 'alter default privileges %2$s grant %1$s on tables to %3$s'
                        else 'alter default privileges %2$s revoke %1$s on tables from %3$s' end
                    when is_wanted then 'grant %1$s on %2$s to %3$s'
                    else 'revoke %1$s on %2$s from %3$s' end,
                string_agg(privilege, ', ' order by privilege), told,
                case role when 'public' then 'public' else quote_ident(role) end
            )
            from changes
            group by told, role, is_wanted
        loop
            begin
                execute due;
                changed := changed + 1;
            exception when insufficient_privilege or undefined_table or undefined_function or undefined_object then
                null;  -- a table went, or a right is not ours to give: `b2chat check` tells
            end;
        end loop;
        return changed;
    end $$
"""
# Of people and their BI tools: those that stand in a rebuild's way. By the definer's rights, for dbt's role is no
# member of theirs.
END_READERS = """
    create function ops.end_readers(with_queries boolean) returns bigint
    language sql security definer set search_path = pg_catalog as $$
        select count(pg_terminate_backend(pid))
        from pg_stat_activity
        where datname = current_database() and pg_has_role(usesysid, 'usage')
            and (
                usename = 'bi_reader'
                or usename in (
                    select login from ops.logins
                    where role in ('bi_reader', 'pii_reader', 'b2chat_manager', 'b2chat_admin', 'b2chat_agent')
                )
            )
            and (state like 'idle in transaction%' or with_queries and state <> 'idle')
    $$
"""
# By the definer's rights: whoever lands answers owns no table.
KEEP_RESPONSE_DAY = """
    create function ops.keep_response_day(day date) returns void
    language plpgsql security definer set search_path = pg_catalog as $$
    declare
        part constant text := to_char(day, '"api_response_logs_"YYYYMMDD');
    begin
        -- Made first and attached then: that does not wait for those who read the other days.
        execute format(
            'create table ops.%I (like ops.api_response_logs including defaults including compression)', part
        );
        execute format(
            'alter table ops.api_response_logs attach partition ops.%I for values from (%L) to (%L)',
            part, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00'
        );
    end $$
"""
# A role of the program sees of another role's session not even when it began, and owns no table whose months it needs.
LOCKS = (
    "session_lives(integer, timestamptz)",
    "try_lock(text, text)",
    "unlock(text, text)",
    "lock_in_transaction(text, text[])",
)


def upgrade() -> None:
    for role in ROLES:
        op.execute(MAKE.format(role=role, login="login connection limit 20" if role == "bi_reader" else "nologin"))
        op.execute(JOIN.format(role=role))
    for statement in (*TABLES, APPLY, END_READERS, KEEP_RESPONSE_DAY, monthly.PARTITION_FUNCTION):
        op.execute(statement)
    for thing, text in COMMENTS:
        op.execute(f"comment on {thing} is '{text}'")
    for function in LOCKS:
        op.execute(f"alter function ops.{function} security definer")
        op.execute(f"alter function ops.{function} set search_path = pg_catalog")
    op.execute("drop function ops.grant_marts_to_bi_reader")


def downgrade() -> None:
    op.execute(_DROP_LOGINS)
    op.execute("drop function ops.apply_rights, ops.end_readers, ops.keep_response_day")
    op.execute("drop table ops.login_scopes, ops.logins, ops.role_rights cascade")  # the views of marts_pii go with it
    for function in LOCKS:
        op.execute(f"alter function ops.{function} security invoker")
        op.execute(f"alter function ops.{function} reset search_path")
    before = importlib.import_module("dagster_project.warehouse.migrations.versions.0018_marts_for_bi")
    op.execute(before.GRANT)
    for role in ROLES[:3] + ROLES[4:]:
        # The role itself belongs to the server: another warehouse there may need it.
        for statement in ("reassign owned by {} to current_user", "drop owned by {}"):
            op.execute(_WHERE_ALLOWED.format(role=role, statement=statement.format(role)))


_DROP_LOGINS = """
    do $$ declare
        made name;
    begin
        for made in select login from ops.logins inner join pg_roles on rolname = login loop
            begin
                execute format('drop owned by %I', made);
                execute format('drop role %I', made);
            exception when insufficient_privilege or dependent_objects_still_exist then null;
            end;
        end loop;
    end $$
"""
# Where the roles are another user's, they keep what they have.
_WHERE_ALLOWED = """
    do $$ begin
        if exists (select from pg_roles where rolname = '{role}') then
            {statement};
        end if;
    exception when insufficient_privilege or dependent_objects_still_exist then null;
    end $$
"""
