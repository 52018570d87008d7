-- A person's rooms are listed by one function again, which revision 0003 made.
drop function rooms.list_rooms(uuid);
alter function rooms.rooms_of(uuid) rename to list_rooms;
grant execute on function rooms.list_rooms to rooms_app;
