-- What looks like a fault, to who takes it for one, and is none: a line that says why, then what makes it so.

-- = the primary key serves the foreign key
create table shop.by_key (parent int primary key references shop.parent);

-- = the order of the columns is free
create table shop.by_order (id int primary key, a int, b int, foreign key (a, b) references shop.pair);
create index on shop.by_order (b, a);

-- = a partial index leaves out NULLs alone
create table shop.by_partial (id int primary key, parent int references shop.parent);
create index on shop.by_partial (parent) where parent is not null;

-- = a longer index begins with it
create table shop.by_longer (id int primary key, parent int references shop.parent, a int);
create index on shop.by_longer (parent, a);

-- = a hash index
create table shop.by_hash (id int primary key, parent int references shop.parent);
create index on shop.by_hash using hash (parent);

-- = each partition inherits key and index
create table shop.kept_months (id int, at date, parent int references shop.parent, primary key (id, at)) partition by
    range (at);
create table shop.kept_months_1 partition of shop.kept_months for values from ('2020-01-01') to ('2100-01-01');
create index on shop.kept_months (parent);

-- = tables of dbt have no foreign keys on purpose
create table built.child (id int, parent int references shop.parent);

-- = and a unique index is key enough for them
create unique index on built.child (id);

-- = a small table is always read whole
create table shop.small (id int primary key);

-- = a build reads whole tables
create table depot.scanned_by_build (id int primary key);

-- = a table of 12,000 rows that is read whole 400 times a day
create table shop.often_read (id int primary key);

-- = a large table that was read once
create table shop.read_once (id int primary key);

-- = the counters of a table that was made anew
create table shop.made_anew (id int primary key);

-- = unused, but unique
create unique index wide_unique on shop.wide (k, id);

-- = unused, but small
create table shop.narrow (id int primary key, a int);
create index narrow_unused on shop.narrow (a);

-- = seen for 20 days only
create index wide_young on shop.wide (k) where id > -1;

-- = made anew 10 days ago
create index wide_anew on shop.wide (k) where id > -2;

-- = used for a report 34 days ago
create index wide_monthly on shop.wide (k) where id > -3;

-- = unused since a reset of the counters 10 days ago
create index wide_reset on shop.wide (k) where id > -4;

-- = another collation
create table shop.words (id int primary key, a text);
create index on shop.words (a);
create index on shop.words (a collate "C");

-- = another operator class
create index on shop.words (a text_pattern_ops);

-- = another order
create index on shop.words (a desc);

-- = another method
create index on shop.words using hash (a);

-- = an expression
create index on shop.words (lower(a));

-- = a condition
create index on shop.words (a) where id > 5;

-- = what INCLUDE holds is read too
create table shop.wide_keys (id int primary key, a int, b int, c int);
create index on shop.wide_keys (a) include (b);
create index on shop.wide_keys (a, c);

-- = a unique index yields to no plain one
create table shop.unique_first (id int primary key, a int, b int);
create unique index on shop.unique_first (a);
create index on shop.unique_first (a, b);

-- = the same name in another schema
create table depot.twins (id int primary key, a int);
create index twin_a on depot.twins (a);

-- = an index that is being built
create table shop.growing (id int primary key, a int);

-- = a partitioned index that stays invalid with all its children attached
create table shop.bug (id int primary key, a int) partition by range (id);
create table shop.bug_1 partition of shop.bug for values from (0) to (10);
create index bug_a on shop.bug (a);
update pg_index set indisvalid = false where indexrelid = 'shop.bug_a'::regclass;

-- = an identity with room
create table shop.roomy (id int generated always as identity (start 200000000) primary key);

-- = a sequence that begins again
create sequence shop.circle as smallint cycle;
select setval('shop.circle', 32000);

-- = varchar and text are one
create table shop.coded (code text primary key);
create table shop.uses_code (code varchar(9) primary key references shop.coded);

-- = a domain is what it is of
create domain shop.number as int;
create table shop.uses_domain (id shop.number primary key references shop.parent);

-- = too small to be analysed
create table shop.tiny (id int primary key);
insert into shop.tiny values (1);

-- = NOT NULL and unique is a key
create table shop.unique_key (a int not null unique);

-- = made a minute ago, not analysed yet

-- = partitions made ahead
create table shop.ahead (at timestamptz primary key) partition by range (at);
create table shop.ahead_1 partition of shop.ahead for values from ('2020-01-01') to ('2100-01-01');

-- = partitions by a number
create table shop.by_number (id bigint primary key) partition by range (id);
create table shop.by_number_1 partition of shop.by_number for values from (0) to (10);

-- = it grows, but will be large in years
create table shop.late_large (id int primary key);

-- = security definer with its own search_path, which ends with the caller's tables
create function shop.careful() returns bigint language sql security definer set search_path = pg_catalog, pg_temp
as 'select count(*) from pg_class';

-- = a policy that asks once
create table shop.once (id int primary key, tenant text);
alter table shop.once enable row level security;
create policy once on shop.once using (tenant = (select current_setting('app.tenant')));

-- = a statement of 99 calls

-- = a statement that is slow by itself and rare by time

-- = what is no statement of rows

-- = many calls of many rows

-- = a session that waits for an advisory lock

-- = a session that is idle outside a transaction

-- = a slot whose subscriber restarts

-- = a table that vanishes, as dbt swaps it
create table shop.swapped__dbt_tmp (a int);
