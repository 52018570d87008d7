-- Tables of the session stand before the views of Postgres that have their names.

create temporary table pg_stat_archiver as
select 3 as failed_count, now() as last_failed_time, now() - interval '2 days' as last_archived_time,
    now() - interval '9 days' as stats_reset;
create temporary table pg_settings as select 'archive_mode' as name, 'on' as setting;
create temporary table pg_replication_slots (slot_name text, active boolean, wal_status text);
insert into pg_replication_slots
values ('forgotten', false, 'lost'), ('restarts', false, 'reserved'), ('in_use', true, 'unreserved');
create temporary table pg_stat_database as
select datname, stats_reset, blks_read, blks_hit, case when datname = current_database() then 95 else 0 end
as numbackends from pg_catalog.pg_stat_database
