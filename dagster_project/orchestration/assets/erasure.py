"""The job that forgets people: whom ops.erasure_requests names. Its config, logs and metadata name nobody."""

from collections import Counter

import dagster as dg
import psycopg

from dagster_project.erasure import after_restore, calls, requests, run
from dagster_project.exports.stores.configured import store_of
from dagster_project.exports.stores.contract import StoreFailed
from dagster_project.ingestion.errors import AlreadyRunning
from dagster_project.orchestration import places
from dagster_project.orchestration.assets.dbt import build_what_came
from dagster_project.orchestration.assets.launch import ByAdmin, require_admin
from dagster_project.orchestration.resources import DbtCli, Warehouse
from dagster_project.settings import Settings
from dagster_project.warehouse.archive.contract import ArchiveFailed
from dagster_project.warehouse.connection import connect, has_relation


@dg.op(
    description="Forget the people whom ops.erasure_requests names: in tables, archives and exports; build what "
    "follows; vacuum, and look for them in logs and runs. A run that was killed is resumed by the next one.",
    # A sync that is at work is waited for.
    retry_policy=dg.RetryPolicy(max_retries=20, delay=30),
)
def forget_people(context: dg.OpExecutionContext, config: ByAdmin, warehouse: Warehouse, dbt: DbtCli) -> None:
    settings = Settings.load()
    user = require_admin(warehouse.url, context.run, config, "erase people")
    with connect(warehouse.url, autocommit=True) as conn:
        waiting, is_built = requests.unfinished(conn), has_relation(conn, "core.chats")
    try:
        stored = [run.erase(warehouse.url, settings, store_of(settings), one) for one in waiting]
        back = _forget_again(settings, warehouse.url, user)
        if (stored or back) and is_built:
            build_what_came(dbt, warehouse, context.run_id)
        done = [run.finish(warehouse.url, settings, one) for one in stored]
    except AlreadyRunning:
        raise
    except (ArchiveFailed, StoreFailed) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    except psycopg.Error as error:
        # Postgres' own text may hold values of the data.
        raise dg.Failure(
            f"the warehouse answered {type(error).__name__} ({error.sqlstate or 'connection lost'})",
            allow_retries=False,
        ) from None
    total = Counter[str]()
    for one in done:
        total.update(one.counts)
    for place, count in sorted(total.items()):
        context.log.info(f"{place}: {count:,}")
    context.add_output_metadata(
        {"people": len(done), "erased_again_in_rooms_and_calls": back, "rows_and_files": sum(total.values())}
    )


def _forget_again(settings: Settings, url: str, by: str) -> int:
    """Whom a backup of rooms or calls, or of what was read of them, has brought back. Returns how many there were."""
    found, store = 0, store_of(settings)
    if home := places.home_of(settings, "rooms", url):
        found += after_restore.forget_in_rooms(url, home, settings, store, by)
    if home := places.home_of(settings, "calls", url):
        found += calls.erase_again(url, home if calls.may_write(home) else None, settings, store, by)
    return found


@dg.job(
    name="erase_people",
    executor_def=dg.in_process_executor,
    description="Forget the people for whom `b2chat erase` has made a request, and go on with what was interrupted.",
)
def erase_people_job() -> None:
    forget_people()
