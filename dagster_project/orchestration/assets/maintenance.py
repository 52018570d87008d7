"""Jobs that keep house: bad records tried again, months made ahead and archived, old logs and invitations dropped."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg
import psycopg

from dagster_project.analysis.customer_analysis import materialize
from dagster_project.exports.stores.configured import store_of
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.ingestion.logs import retention
from dagster_project.ingestion.records.quarantine import retry_quarantine
from dagster_project.orchestration import old_runs, places
from dagster_project.orchestration.assets.launch import ByAdmin, require_admin
from dagster_project.orchestration.resources import Warehouse
from dagster_project.settings import Settings
from dagster_project.sources.calls import invites
from dagster_project.sources.catalog import SOURCES
from dagster_project.sources.rooms import upkeep as rooms
from dagster_project.sources.rooms.entities import ROOMS
from dagster_project.warehouse import partitions
from dagster_project.warehouse.access.roles import ANALYSIS, LOADER
from dagster_project.warehouse.archive import steps
from dagster_project.warehouse.archive.contract import ArchiveFailed
from dagster_project.warehouse.connection import connect


@dg.op(description="Read the records in quarantine again by the present rules; land those that pass.")
def retry_quarantined_records(context: dg.OpExecutionContext, config: ByAdmin, warehouse: Warehouse) -> None:
    user = require_admin(warehouse.url, context.run, config, "try records in quarantine again")
    result = retry_quarantine(warehouse.as_role(LOADER).url, SOURCES, triggered_by=user)
    context.log.info(f"{result.tried} tried, {result.resolved} resolved, {result.still_bad} still cannot be read")
    context.add_output_metadata({"tried": result.tried, "resolved": result.resolved, "still_bad": result.still_bad})


@dg.op(description="Drop logs, and runs of Dagster, that are older than the settings keep them.")
def drop_old_logs(context: dg.OpExecutionContext, config: ByAdmin, warehouse: Warehouse) -> None:
    settings = Settings.load()
    require_admin(warehouse.url, context.run, config, "drop old logs")
    periods = retention.Periods(
        responses=settings.retention_responses_days,
        sync_logs=settings.retention_sync_logs_days,
        error_logs=settings.retention_error_logs_days,
        notifications=settings.retention_notifications_days,
        export_logs=settings.retention_export_logs_days,
        audit_years=settings.retention_audit_years,
    )
    with warehouse.connect() as conn:
        dropped = retention.enforce(conn, SOURCES, periods)
    with connect(warehouse.url, autocommit=True) as conn:
        dropped["dagster.runs"] = old_runs.drop(context.instance, conn, settings.retention_runs_days)
    if url := places.home_of(settings, ROOMS.name, warehouse.url):
        with _own_schema(url, ROOMS.name) as conn:
            dropped |= rooms.drop_old_audit(conn, datetime.now(UTC).date())
    context.log.info(", ".join(f"{table}: {count}" for table, count in dropped.items()))
    context.add_output_metadata(dict(dropped))


@dg.op(description="Take chats that are no longer in core out of all analyses: a refresh does so with deleted ones.")
def forget_vanished_chats(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    with warehouse.as_role(ANALYSIS).connect() as conn:
        gone = materialize.forget_vanished_chats(conn)
    context.log.info(f"{gone} categorizations of chats that are no longer in core")
    context.add_output_metadata({"categorizations": gone})


@dg.op(
    description="Make the partitions of this month and the next three, also of rooms and calls, where there are none."
)
def make_months_ahead(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    settings = Settings.load()
    with warehouse.connect() as conn:
        made = partitions.keep_ahead(conn)
    for source in SOURCES:
        if url := places.home_of(settings, source.name, warehouse.url):
            with _own_schema(url, source.name) as conn:
                made += rooms.keep_months(conn) if source is ROOMS else partitions.keep_source_ahead(conn, source.name)
    context.log.info(f"{made} partitions made; there are {partitions.MONTHS_AHEAD} months ahead")
    context.add_output_metadata({"made": made})


@dg.op(description="Archive months that are old enough (B2CHAT_ARCHIVE_AFTER_MONTHS), and go on with what was begun.")
def retire_old_months(context: dg.OpExecutionContext, config: ByAdmin, warehouse: Warehouse) -> None:
    settings = Settings.load()
    require_admin(warehouse.url, context.run, config, "archive months")
    months = settings.archive_after_months or None
    try:
        moved = steps.run(warehouse.url, store_of(settings), months, datetime.now(UTC).date())
    except (ArchiveFailed, StoreFailed) as error:
        raise dg.Failure(str(error)) from None
    with warehouse.connect() as conn:
        rooms.keep_months(conn)
    for one in moved:
        context.log.info(f"{one.label}: {one.state}, {one.row_count or 0:,} rows")
    for source in settings.elsewhere(warehouse.url):
        context.log.info(f"{source} are in another database: their own months stay there")
    context.add_output_metadata({"archived": len(moved), "rows": sum(one.row_count or 0 for one in moved)})


@dg.op(description="Vacuum and freeze months that are no longer hot, once.")
def settle_warm_months(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    with connect(warehouse.url, autocommit=True) as conn:
        settled = partitions.settle(conn)
    context.log.info(f"{settled} partitions vacuumed and frozen")
    context.add_output_metadata({"settled": settled})


@dg.op(description="Delete invitations of the call widget that expired and were not accepted, a thousand at a time.")
def delete_expired_invites(context: dg.OpExecutionContext, config: ByAdmin, warehouse: Warehouse) -> None:
    require_admin(warehouse.url, context.run, config, "delete invitations")
    url = places.home_of(Settings.load(), "calls", warehouse.url)
    deleted = 0
    if url:
        with _own_schema(url, "calls") as conn:
            for count in invites.clean_up(conn):
                deleted += count
                context.log.info(f"{deleted:,} deleted")
    context.log.info(f"{deleted:,} invitations deleted" if url else "there are no calls: CALLS_DATABASE_URL is not set")
    context.add_output_metadata({"deleted": deleted})


@dg.op(description="Make what was written in rooms since the last time findable by its words.")
def index_room_messages(context: dg.OpExecutionContext, warehouse: Warehouse) -> None:
    indexed = 0
    if url := Settings.load().own_database("rooms", warehouse.url):
        with _own_schema(url, "rooms") as conn:
            indexed = rooms.fill_search(conn)
    context.log.info(f"{indexed:,} messages indexed" if url else "there are no rooms: ROOMS_DATABASE_URL is not set")
    context.add_output_metadata({"indexed": indexed})


@contextmanager
def _own_schema(url: str, name: str) -> Iterator[psycopg.Connection]:
    """The database of a source's own schema, to keep house there."""
    try:
        with connect(url, autocommit=True) as conn:
            yield conn
    except psycopg.Error as error:
        raise dg.Failure(f"the schema {name} cannot be kept: {type(error).__name__}") from None


@dg.job(
    name="retry_quarantine",
    executor_def=dg.in_process_executor,
    description="After a fix: try the records in quarantine again.",
)
def retry_quarantine_job() -> None:
    retry_quarantined_records()


@dg.job(
    name="keep_partitions",
    executor_def=dg.in_process_executor,
    description="Make monthly partitions three months ahead. Retiring old ones is another job's: it cannot undo this.",
)
def keep_partitions_job() -> None:
    make_months_ahead()


@dg.job(
    name="archive_months",
    executor_def=dg.in_process_executor,
    description="Settle months older than 90 days; move older ones into verified files, where the settings say when.",
)
def archive_months_job() -> None:
    settle_warm_months()
    retire_old_months()


@dg.job(
    name="enforce_retention",
    executor_def=dg.in_process_executor,
    description="Drop logs, and runs of Dagster, that are older than the settings keep them, and say what was dropped; "
    "take chats that are no longer in core out of all analyses.",
)
def enforce_retention_job() -> None:
    drop_old_logs()
    forget_vanished_chats()


@dg.job(
    name="clean_up_invites",
    executor_def=dg.in_process_executor,
    description="Delete invitations of the call widget that expired and that nobody accepted, in batches.",
)
def clean_up_invites_job() -> None:
    delete_expired_invites()


@dg.job(
    name="index_rooms",
    executor_def=dg.in_process_executor,
    description="Fill the search of chat rooms with the messages that were written since the last time.",
)
def index_rooms_job() -> None:
    index_room_messages()
