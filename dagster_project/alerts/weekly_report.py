"""The weekly report by e-mail: the PDF that a run made of the week that ended goes out once, to all its recipients."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dagster_project.alerts import outbox
from dagster_project.alerts.channels.configured import mailbox_of
from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.channels.mail import Mailbox
from dagster_project.alerts.episodes import RECIPIENT
from dagster_project.exports.i18n import catalogue
from dagster_project.exports.i18n.language import Language, place_of
from dagster_project.exports.stores.bucket import Bucket
from dagster_project.exports.stores.configured import store_of
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.settings import Settings
from dagster_project.warehouse import directory
from dagster_project.warehouse.access import audit_log

CHANNEL, KIND = "report", "weekly_report"
_OLDEST = timedelta(days=14)  # that a week may have begun ago: reports of the past are not mailed


@dataclass(frozen=True, slots=True)
class _Report:
    id: str
    week: str
    store: str
    key: str
    file_name: str
    size_bytes: int
    language: Language
    status: str


def deliver(conn: psycopg.Connection, settings: Settings) -> Sequence[str]:
    """Mail the newest week's report, where there are recipients and it was not mailed yet; what happened, a line.

    It leaves at least once: killed between sending and noting so, it is sent again, under the same Message-ID.

    Args:
        conn: in autocommit.
    """
    mailbox = mailbox_of(settings)
    if not mailbox or not settings.report_email_to:
        return []
    _enqueue(conn, settings.today() - _OLDEST)
    lines = []
    for alert in outbox.claim(conn, CHANNEL, None):
        try:
            report = _report(conn, alert.delivery_id)
            mailbox.send(_mail(report, settings, mailbox))
        except (DeliveryFailed, StoreFailed) as fault:
            outbox.failed(conn, [alert], str(fault) if isinstance(fault, DeliveryFailed) else "the file cannot be read")
            lines.append(f"report of {alert.subject}: waits: {fault}")
            continue
        with conn.transaction():
            outbox.sent(conn, [alert])
            to = {"recipients": len(settings.report_email_to)}
            audit_log.record(conn, "export.mail", resource="export", resource_id=report.id, user=RECIPIENT, metadata=to)
        lines.append(f"report of {alert.subject}: mailed to {len(settings.report_email_to)}")
    return lines


def _enqueue(conn: psycopg.Connection, oldest: date) -> None:
    """Note the newest week of which a run of Dagster has made the whole report, unless it is noted."""
    scope, scope_id = directory.shown_by_default(conn)
    with conn.transaction():
        conn.execute("lock table ops.notifications in share row exclusive mode")
        conn.execute(
            """
            with newest as (
                select id, filters ->> 'week' as week from ops.export_logs
                where export_type = 'report' and format = 'pdf' and status = 'completed' and run_id is not null
                    and filters - 'week' = %(whole)s and (filters ->> 'week')::date >= %(oldest)s
                order by filters ->> 'week' desc, completed_at limit 1
            ),

            noted as (
                insert into ops.notifications
                    (user_id, kind, subject, type, title, message, is_read, metadata, last_seen_at, recovered_at)
                select %(user)s, %(kind)s, week, 'info', 'Report of the week of ' || week, '', true,
                    jsonb_build_object('export_id', id), now(), now()
                from newest
                where not exists (
                    select 1 from ops.notifications as known where known.kind = %(kind)s and known.subject = newest.week
                )
                returning id
            )

            insert into ops.notification_deliveries (notification_id, channel, event)
            select id, %(channel)s, 'report' from noted
            """,
            {
                "oldest": oldest,
                "user": RECIPIENT,
                "kind": KIND,
                "channel": CHANNEL,
                # Of several sources, the report that nobody asked to be about anything is of the first.
                "whole": Jsonb({} if scope == "all" else {scope: scope_id}),
            },
        )


def _report(conn: psycopg.Connection, delivery_id: int) -> _Report:
    with conn.cursor(row_factory=class_row(_Report)) as cursor:
        found = cursor.execute(
            """
            select logs.id, episodes.subject as week, logs.store, logs.key, logs.file_name, logs.size_bytes,
                logs.language, logs.status
            from ops.notification_deliveries as deliveries
            inner join ops.notifications as episodes on episodes.id = deliveries.notification_id
            inner join ops.export_logs as logs on logs.id = episodes.metadata ->> 'export_id'
            where deliveries.delivery_id = %s
            """,
            [delivery_id],
        ).fetchone()
    if not found or found.status != "completed":
        raise DeliveryFailed("the report's file is gone: make it again, and mail it by hand")
    return found


def _mail(report: _Report, settings: Settings, mailbox: Mailbox) -> EmailMessage:
    store = store_of(settings)
    if report.store != store.name:
        raise DeliveryFailed("the report lies in another store than the one in use")

    def said(key: str, **values: str) -> str:
        return catalogue.texts()[f"mail.{key}"][place_of(report.language)].format(week=report.week, **values)

    size = f"{report.size_bytes / 1e6:.1f}"
    subject = f"{settings.company or 'B2Chat'}: {said('subject')}"
    if report.size_bytes <= settings.report_email_max_mb * 1_000_000:
        mail = mailbox.new(settings.report_email_to, subject, said("attached"), f"report-{report.id}")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "report.pdf"
            store.get(report.key, file)
            mail.add_attachment(file.read_bytes(), maintype="application", subtype="pdf", filename=report.file_name)
        return mail
    if isinstance(store, Bucket):
        hours = settings.exports_link_hours
        until = f"{datetime.now(UTC) + timedelta(hours=hours):%Y-%m-%d %H:%M} UTC"
        text = said("linked", size=size, until=until, link=store.link(report.key, hours * 3600))
    else:
        text = said("kept", size=size, id=report.id)
    return mailbox.new(settings.report_email_to, subject, text, f"report-{report.id}")
