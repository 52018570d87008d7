-- Statements of this database with their counters, as far as others may see them: only those that read or write rows,
-- without comments, without values (Postgres leaves them in now and then), 500 characters. All else is one line a user,
-- without text: `create role … password …` stays where it is.
create temporary table audited_statements on commit drop as
with statements as (
    select
        pg_roles.rolname::text as user_name,
        statements.queryid,
        statements.toplevel,
        statements.calls,
        statements.rows,
        statements.total_exec_time / 1000 as total_seconds,
        btrim(
            regexp_replace(regexp_replace(statements.query, '/\*.*?\*/', ' ', 'g'), '--[^\n]*', ' ', 'g'), E' \n\t;'
        ) as query
    from pg_stat_statements as statements
    inner join pg_roles on pg_roles.oid = statements.userid
    where statements.dbid = (select oid from pg_database where datname = current_database())
),

masked as (
    select
        *,
        query ~* '^(select|insert|update|delete|merge|with)\M' as is_of_rows,
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(query, '\$(\w*?)\$.*?\$\1\$', '?', 'g'),
                    '[eE]''(?:[^''\\]|''''|\\.)*''|''(?:[^'']|'''')*''', '?', 'g'
                ),
                '\$\d+(\s*,\s*\$\d+)*', '?', 'g'
            ),
            '\m\d+(\.\d+)?\M', '?', 'g'
        ) as statement
    from statements
)

select
    user_name,
    case when is_of_rows then queryid else 0 end as query_id,
    toplevel as is_toplevel,
    case when is_of_rows and position('''' in min(statement)) = 0
        then left(regexp_replace(min(statement), '\s+', ' ', 'g'), 500)
    end as statement,
    sum(calls)::bigint as call_count,
    sum(rows)::bigint as row_count,
    sum(total_seconds) as total_seconds
from masked
group by user_name, 2, toplevel, is_of_rows
