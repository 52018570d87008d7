"""Erasure: who is to be forgotten, the list that keeps them from coming back, and the chats that were theirs."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.execute("""
        create table ops.erasure_requests (
            id bigint generated always as identity primary key,
            token text not null unique,
            contact_id text,
            searched jsonb,
            state text not null default 'requested' check (state in ('requested', 'erased', 'stored', 'done')),
            requested_by text not null,
            requested_at timestamptz not null default now(),
            erased_at timestamptz,
            done_at timestamptz,
            counts jsonb not null default '{}',
            -- Whom it is about is known only for as long as the work lasts.
            check ((state = 'done') = (contact_id is null and searched is null))
        )
    """)
    op.execute("create unique index erasure_requests_open_idx on ops.erasure_requests (contact_id)")
    op.execute("""
        create table ops.suppressed_people (
            hash bytea primary key,
            token text not null,
            suppressed_at timestamptz not null default now()
        )
    """)
    op.execute("create index suppressed_people_token_idx on ops.suppressed_people (token)")
    op.execute("""
        create table ops.suppression_salt (
            only_row boolean primary key default true check (only_row),
            fingerprint text not null
        )
    """)
    op.execute("""
        create table ops.erased_chats (
            chat_id text primary key,
            token text not null,
            erased_at timestamptz not null default now()
        )
    """)
    op.execute("create index erased_chats_token_idx on ops.erased_chats (token)")
    for what, words in {
        "table ops.erasure_requests": "One row per person who is to be forgotten: how far it is, and what went",
        "column ops.erasure_requests.token": "What stands in the place of the contact''s id from then on",
        "column ops.erasure_requests.contact_id": "Who it is; NULL once it is done",
        "column ops.erasure_requests.searched": "Texts by which the person is looked for; NULL once it is done",
        "column ops.erasure_requests.state": (
            "requested; erased: gone from the tables; stored: gone from archives and exports too; done: tables built, "
            "vacuumed and searched"
        ),
        "column ops.erasure_requests.counts": "By place, how many rows or files went",
        "table ops.suppressed_people": (
            "Who must not come back: hashes, with a salt that is not here, of ids and phones of erased people"
        ),
        "table ops.suppression_salt": "By what the salt of the list is known again; not the salt",
        "table ops.erased_chats": "Chats of erased people: they keep their times, and no text is read of them again",
    }.items():
        op.execute(f"comment on {what} is '{words}'")


def downgrade() -> None:
    op.execute("drop table ops.erased_chats, ops.suppression_salt, ops.suppressed_people, ops.erasure_requests cascade")
