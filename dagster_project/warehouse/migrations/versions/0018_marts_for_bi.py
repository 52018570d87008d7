"""What BI's role may read, as a function that dbt calls at each start and `access/bi_role.py` at each refresh."""

from alembic import op

revision = "0018"
down_revision = "0017"

# By default privileges, because a grant of dbt's own (config grants) fails a build where the role does not exist, as
# on a server that lets no roles be made. The role may come later than the marts, and it can drop its own rights.
GRANT = """
    create function ops.grant_marts_to_bi_reader() returns void language plpgsql as $$
    begin
        if to_regnamespace('marts') is null or not exists (select from pg_roles where rolname = 'bi_reader') then
            return;
        end if;
        if has_schema_privilege('bi_reader', 'marts', 'usage')
            and not exists (
                select from pg_class
                where relnamespace = 'marts'::regnamespace
                    and relkind in ('r', 'v')
                    and not has_table_privilege('bi_reader', oid, 'select')
            )
            and exists (
                select from pg_default_acl as defaults
                cross join lateral aclexplode(defaults.defaclacl) as given
                where defaults.defaclrole = current_user::regrole
                    and defaults.defaclnamespace = 'marts'::regnamespace
                    and given.grantee = 'bi_reader'::regrole
                    and given.privilege_type = 'SELECT'
            )
        then
            return;
        end if;
        grant usage on schema marts to bi_reader;
        grant select on all tables in schema marts to bi_reader;
        alter default privileges in schema marts grant select on tables to bi_reader;
    end $$
"""


def upgrade() -> None:
    op.execute(GRANT)


def downgrade() -> None:
    op.execute("drop function ops.grant_marts_to_bi_reader")
