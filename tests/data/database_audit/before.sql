create schema shop; create schema depot; create schema built;
create table shop.parent (id int primary key);
insert into shop.parent values (1);
create table shop.pair (a int, b int, primary key (a, b));
create table shop.wide (id int primary key, k text);
alter table shop.wide alter k set storage plain;
insert into shop.wide
select n, (select string_agg(md5(n || '-' || part), '') from generate_series(1, 75) as part)
from generate_series(1, 4600) as n;
analyze shop.wide
