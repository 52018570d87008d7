"""The roles of the schema `rooms`; what each may do is in docs/rooms.md."""

OWNER, APP, READER, SUPERVISOR, SYSTEM = ROLES = (
    "rooms_owner",
    "rooms_app",
    "rooms_reader",
    "rooms_supervisor",
    "rooms_system",
)
LOGINS = ROLES[1:]  # the owner has no password: it is a role of the user who migrates
