"""The stored cells and weeks of the heatmap are kept by scope: departments and channels stand beside agents."""

from alembic import op

revision = "0020"
down_revision = "0019"

# Only what dbt has built is there. The next build fills both anew; BI's views on them stay.
RENAMED = """
    do $$
    declare
        name text;
        key text;
    begin
        foreach name in array array['heatmap_cells', 'heatmap_weeks'] loop
            if to_regclass('marts.' || name) is null then
                continue;
            end if;
            select conname into key from pg_constraint
            where conrelid = to_regclass('marts.' || name) and contype = 'p';
            if key is not null then
                execute format('alter table marts.%I drop constraint %I', name, key);
            end if;
            execute format(
                'alter table marts.%I add scope text, add scope_id text, alter agent_id drop not null', name
            );
            execute format(
                'update marts.%I set scope = case agent_id when ''all'' then ''all'' else ''agent'' end, '
                'scope_id = agent_id',
                name
            );
            execute format(
                'alter table marts.%I add primary key (week_start, scope, scope_id, direction_filter, '
                'office_hours_filter%s)',
                name, case name when 'heatmap_cells' then ', day_of_week, hour' else '' end
            );
        end loop;
    end
    $$
"""


def upgrade() -> None:
    op.execute(RENAMED)


def downgrade() -> None:
    # The models of that version make both tables anew.
    op.execute("drop table if exists marts.heatmap_cells, marts.heatmap_weeks cascade")
