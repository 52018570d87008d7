-- What the audit must report: a line of rule, severity and object, then what makes it so.

-- D01 info shop.no_index.no_index_parent_fkey
create table shop.no_index (id int primary key, parent int references shop.parent);

-- D01 warning shop.large_child.large_child_parent_fkey
create table shop.large_child (id int primary key, parent int references shop.parent);
insert into shop.large_child select n, 1 from generate_series(1, 10000) as n;
analyze shop.large_child;

-- D01 info shop.partial_gap.partial_gap_parent_fkey
create table shop.partial_gap (id int primary key, parent int references shop.parent, state text);
create index on shop.partial_gap (parent) where state = 'open';

-- D01 info shop.two_halves.two_halves_a_b_fkey
create table shop.two_halves (id int primary key, a int, b int, foreign key (a, b) references shop.pair);
create index on shop.two_halves (a);
create index on shop.two_halves (b);

-- D01 info shop.included.included_parent_fkey
create table shop.included (id int primary key, a int, parent int references shop.parent);
create index on shop.included (a) include (parent);

-- D01 info shop.half_included.half_included_a_b_fkey
create table shop.half_included (id int primary key, a int, b int, foreign key (a, b) references shop.pair);
create index on shop.half_included (a) include (b);

-- D01 info shop.months.months_parent_fkey
create table shop.months (id int, at date, parent int references shop.parent, primary key (id, at)) partition by range
    (at);
create table shop.months_1 partition of shop.months for values from ('2020-01-01') to ('2100-01-01');

-- D02 warning shop.scanned
create table shop.scanned (id int primary key);

-- D02 warning depot.scanned_by_app
create table depot.scanned_by_app (id int primary key);

-- D03 info shop.wide_unused
create index wide_unused on shop.wide (k) where id > 0;

-- D04 warning shop.twin_b
create table shop.twins (id int primary key, a int);
create index twin_a on shop.twins (a);
create index twin_b on shop.twins (a);

-- D04 info shop.short_one
create table shop.prefix (id int primary key, a int, b int);
create index short_one on shop.prefix (a);
create index long_one on shop.prefix (a, b);

-- D04 warning shop.beside_unique
create table shop.uniques (id int primary key, a int unique);
create index beside_unique on shop.uniques (a);

-- D04 warning shop.parts_b
create table shop.parts (id int primary key, a int) partition by hash (id);
create table shop.parts_0 partition of shop.parts for values with (modulus 1, remainder 0);
create index parts_a on shop.parts (a);
create index parts_b on shop.parts (a);

-- D05 error shop.failed
create table shop.doubled (id int primary key, a int);

-- D05 error shop.gaps_a on gaps_2
create table shop.gaps (id int primary key, a int) partition by range (id);
create table shop.gaps_1 partition of shop.gaps for values from (0) to (10);
create table shop.gaps_2 partition of shop.gaps for values from (10) to (20);
create index gaps_a on only shop.gaps (a);
create index gaps_1_a on shop.gaps_1 (a);
alter index shop.gaps_a attach partition shop.gaps_1_a;

-- D08 warning shop.keyless
create table shop.keyless (a int);

-- D08 warning shop.keyless_parts
create table shop.keyless_parts (a int) partition by hash (a);
create table shop.keyless_parts_0 partition of shop.keyless_parts for values with (modulus 1, remainder 0);

-- D08 warning shop.nullable_key
create table shop.nullable_key (a int unique);

-- D08 error shop.counted_id_seq
create table shop.counted (id int generated always as identity primary key);
select setval('shop.counted_id_seq', 1932735283);

-- D08 error shop.long_seq
create sequence shop.long_seq;
create table shop.short_column (id int primary key default nextval('shop.long_seq'));
alter sequence shop.long_seq owned by shop.short_column.id;
select setval('shop.long_seq', 2000000000);

-- D08 error shop.falling_seq
create sequence shop.falling_seq as smallint increment -1;
select setval('shop.falling_seq', -32000);

-- D08 warning shop.mismatch.mismatch_parent_fkey
create table shop.mismatch (id int primary key, parent bigint references shop.parent);
create index on shop.mismatch (parent);

-- D08 warning shop.blind
create table shop.blind (id int primary key) with (autovacuum_enabled = false);
insert into shop.blind select generate_series(1, 10000);

-- D11 error shop.behind
create table shop.behind (at timestamptz primary key) partition by range (at);
create table shop.behind_1 partition of shop.behind for values from ('2020-01-01') to ('2020-02-01');

-- D11 error shop.never_made
create table shop.never_made (at date primary key) partition by range (at);

-- D11 warning shop.with_default
create table shop.with_default (at timestamptz primary key) partition by range (at);
create table shop.with_default_1 partition of shop.with_default for values from ('2020-01-01') to ('2100-01-01');
create table shop.with_default_others partition of shop.with_default default;

-- D12 info shop.soon_large
create table shop.soon_large (id int primary key);

-- D14 error shop.secret
create table shop.secret (id int primary key);
grant usage on schema shop to bi_reader;
grant select on shop.secret to bi_reader;

-- D14 error shop.definer
create function shop.definer() returns int language sql security definer as 'select 1';

-- D14 error shop.reckless
create function shop.reckless() returns bigint language sql security definer set search_path = pg_catalog
as 'select count(*) from pg_class';

-- D14 info shop.tenants.each_row
create table shop.tenants (id int primary key, tenant text);
alter table shop.tenants enable row level security;
create policy each_row on shop.tenants using (tenant = current_setting('app.tenant'));

-- D09 info app: select slow from t where a = ?

-- D09 info owner: insert into heavy select ?

-- D09 info app: select by_app from depot.scanned_by_app where a = ?

-- D10 info app: select one from t where id = ?

-- D13 warning idle in transaction: sleeper of b2chat

-- D13 warning blocked: waiter of b2chat

-- D13 warning blocked: builder of b2chat

-- D13 warning connections

-- D15 error archiver

-- D15 error archived WAL
-- D15 error backup
-- D15 warning drill

-- D15 error slot forgotten

-- D15 info cache
