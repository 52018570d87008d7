"""What the warehouse knows of the persons in a chat, so that it can be taken out of it."""

from collections.abc import Sequence

import psycopg

from dagster_project.analysis.redaction import Known


def known(conn: psycopg.Connection, chat_ids: Sequence[str]) -> dict[str, Known]:
    """By chat, its contact's names, numbers and addresses, and the names of all agents: one may speak of another."""
    agents = conn.execute("select name, email from core.agents order by id").fetchall()
    names = [name for name, _ in agents]
    emails = [("EMAIL", email) for _, email in agents if email]
    rows = conn.execute(
        """
        select
            chats.id, contacts.full_name, contacts.mobile, contacts.phone_number, contacts.email,
            contacts.identification, contacts.address
        from core.chats
        left join core.contacts on contacts.id = chats.contact_id
        where chats.id = any(%s)
        """, [list(chat_ids)])  # fmt: skip
    found = {}
    for chat_id, name, mobile, phone, email, identification, address in rows:
        own = [("TEL", mobile), ("TEL", phone), ("EMAIL", email), ("CEDULA", identification), ("DIRECCION", address)]
        values = (*((kind, value) for kind, value in own if value), *emails)
        found[chat_id] = Known(tuple(dict.fromkeys([*filter(None, [name]), *names])), values)
    return found
