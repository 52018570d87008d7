{#
  What BI's role may read: the marts, those that come later too. By default privileges, because a grant of dbt's own
  (config grants) fails a build where the role does not exist, as on a server that lets no roles be made. Runs at each
  start, so that the role may come later than the marts, and a schema that was dropped has its rights again.
#}
{% macro grant_marts_to_bi_reader() %}
    do $$ begin
        if to_regnamespace('marts') is null or not exists (select from pg_roles where rolname = 'bi_reader') then
            return;
        end if;
        if exists (
            select from pg_default_acl as defaults
            cross join lateral aclexplode(defaults.defaclacl) as given
            where defaults.defaclrole = current_user::regrole
                and defaults.defaclnamespace = 'marts'::regnamespace
                and given.grantee = 'bi_reader'::regrole
                and given.privilege_type = 'SELECT'
        ) then
            return;
        end if;
        grant usage on schema marts to bi_reader;
        grant select on all tables in schema marts to bi_reader;
        alter default privileges in schema marts grant select on tables to bi_reader;
    end $$
{% endmacro %}
