-- audit_sample: what was called while the audit watched. Either very often, or once for each row of a list that the same
-- user read meanwhile: then it need not be a thousand.
select
    'database' as schema_name,
    format('%s: %s', each_row.user_name, left(each_row.statement, 100)) as object,
    'info' as severity,
    concat_ws('; ', format('%s calls in %s seconds for %s rows: %s', each_row.call_count,
        round(each_row.elapsed_seconds), each_row.row_count, each_row.statement),
    format('as many as the %s rows of %s', list.row_count, list.statement)) as evidence,
    'ask for all rows at once, by join or by `= any($1)`' as fix
from audit_sample as each_row
left join lateral (
    select read_list.row_count, read_list.statement
    from audit_sample as read_list
    where read_list.user_name = each_row.user_name
        and read_list.statement ~* '^\s*(select|with)'
        and read_list.call_count <= each_row.call_count / 20
        and read_list.row_count between each_row.call_count and each_row.call_count * 1.1
    order by read_list.row_count, read_list.statement
    limit 1
) as list on true
where each_row.row_count <= each_row.call_count
    and each_row.statement ~* '^\s*select'
    and (
        (each_row.call_count >= 1000 and each_row.call_count >= 1000 * each_row.elapsed_seconds / 60)
        or (each_row.call_count >= 100 and list.row_count is not null)
    )
