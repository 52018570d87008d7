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

-- What is of no rows has no text. A pattern that refers back to its own match takes seconds over long texts, so it is
-- asked only where there are quotes in dollars.
unquoted as (
    select
        statements.*,
        kinds.is_of_rows,
        case
            when kinds.is_of_rows and query ~ '\$\w*\$' then regexp_replace(query, '\$(\w*?)\$.*?\$\1\$', '?', 'g')
            when kinds.is_of_rows then query
        end as unquoted
    from statements
    cross join lateral (select query ~* '^(select|insert|update|delete|merge|with)\M') as kinds (is_of_rows)
),

masked as (
    select
        *,
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    unquoted, '[eE]''(?:[^''\\]|''''|\\.)*''|''(?:[^'']|'''')*''', '?', 'g'
                ),
                '\$\d+(\s*,\s*\$\d+)*', '?', 'g'
            ),
            '\m\d+(\.\d+)?\M', '?', 'g'
        ) as statement
    from unquoted
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
