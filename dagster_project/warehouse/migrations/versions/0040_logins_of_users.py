"""Each login belongs to a user: who is disabled is let in by none, who is no Admin by none of administrators."""

from alembic import op

revision = "0040"
down_revision = "0039"

# A login from before is that of the user who is called so; of nobody known it becomes a service of that name.
OWNERS = (
    "alter table ops.logins add column user_id text references ops.users (id)",
    "update ops.logins set user_id = ops.user_of(login)",
    "alter table ops.logins alter column user_id set not null",
    "create index logins_user_id_idx on ops.logins (user_id)",
    "comment on column ops.logins.user_id is 'Whose it is: who is disabled may not log in by it'",
)
# Also of one that is carried over a restore from a database of before.
OWNED = """
    create function ops.own_login() returns trigger language plpgsql set search_path = pg_catalog as $$
    begin
        new.user_id := coalesce(new.user_id, ops.user_of(new.login::text));
        return new;
    end $$
"""
# By the definer's rights: an administrator may change users, and no role.
SHUT_OUT = """
    create function ops.shut_logins() returns trigger language plpgsql security definer set search_path = pg_catalog
    as $$
    declare
        shut name;
    begin
        for shut in
            select login from ops.logins
            where user_id = new.id and disabled_at is null
                and (
                    new.disabled_at is not null
                    or role = 'b2chat_admin' and new.kind = 'person' and new.role <> 'Admin'
                )
        loop
            begin
                if exists (select from pg_roles where rolname = shut) then
                    execute format('alter role %I nologin password null', shut);
                end if;
                update ops.logins set disabled_at = now(), updated_at = now() where login = shut;
                perform ops.audit(
                    'login.delete', 'high', 'delete', 'login:' || shut,
                    nullif(current_setting('b2chat.user', true), ''), true, jsonb_build_object('user', new.id)
                );
                perform pg_terminate_backend(pid) from pg_stat_activity where usename = shut;
            exception when insufficient_privilege then
                raise warning 'login % stays: this user may not change that role', shut;  -- `b2chat check` tells
            end;
        end loop;
        return null;
    end $$
"""
TRIGGERS = (
    "create trigger logins_are_owned before insert on ops.logins for each row execute function ops.own_login()",
    """
    create trigger users_take_logins_along after update of disabled_at, role, kind on ops.users
    for each row execute function ops.shut_logins()
    """,
    "revoke execute on function ops.shut_logins, ops.own_login from public",
)


def upgrade() -> None:
    for statement in (*OWNERS, OWNED, SHUT_OUT, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop trigger users_take_logins_along on ops.users")
    op.execute("drop trigger logins_are_owned on ops.logins")
    op.execute("drop function ops.shut_logins, ops.own_login")
    op.execute("alter table ops.logins drop column user_id")
