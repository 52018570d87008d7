"""The nightly audit of the database, with a check for each schema of ours."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from dagster_project.database_audit import audit
from dagster_project.database_audit.audit import Audit
from dagster_project.database_audit.backups import backup_faults
from dagster_project.database_audit.findings import SEVERITIES, Finding
from dagster_project.database_audit.kept import kept_days
from dagster_project.database_audit.schemas import DATABASE, OURS
from dagster_project.exports.pictures import growth
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.ui import markdown
from dagster_project.settings import Settings

log = logging.getLogger(__name__)

PICTURES = 3
KEY = dg.AssetKey(["ops", "database_audit"])
CHECKS = {schema: f"no_findings_in_{schema}" for schema in (*OURS, DATABASE)}


class AuditConfig(dg.Config):
    """How long to look."""

    watch_seconds: float = Field(
        0, ge=0, le=600, description="Watch the statements that go on for so long, for a query a row (D10)."
    )


@dg.asset(
    key=KEY,
    group_name="operations",
    owners=["team:analytics"],
    kinds={"python", "postgres", "png"},
    check_specs=[
        dg.AssetCheckSpec(
            name,
            asset=KEY,
            description=f"The audit finds no error and no warning, but what audit_exceptions puts up with: {schema}.",
        )
        for schema, name in CHECKS.items()
    ],
    description="What is wrong with tables, indexes, statements and rights, with what would mend it: fifteen rules "
    "over the catalogues, nothing is changed. Keeps a snapshot of the counters a day. BI reads database_findings, "
    "database_sizes_daily, database_projection and slow_statements_daily of marts; `b2chat audit` does the same.",
)
def database_audit(config: AuditConfig, warehouse: Warehouse) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    settings = Settings.load()
    with warehouse.connect() as conn:
        conn.autocommit = True
        done = audit.run(
            conn,
            settings.zone,
            watch_seconds=config.watch_seconds,
            kept=kept_days(settings),
            backups=backup_faults(settings, conn),
        )
        grown = growth.read(conn, PICTURES)
    counts = Counter(finding.severity for finding in done.findings)
    log.info("audit: %s", ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES))
    for finding in done.of("error", "warning"):
        log.warning("%s %s: %s: %s", finding.rule, finding.severity, finding.object, finding.evidence)
    yield dg.MaterializeResult(metadata=_metadata(done, grown))
    for schema in CHECKS:
        yield _result(done, schema)


def _result(done: Audit, schema: str) -> dg.AssetCheckResult:
    found = done.of("error", "warning", schema=schema)
    is_error = any(finding.severity == "error" for finding in found)
    return dg.AssetCheckResult(
        passed=not found,
        check_name=CHECKS[schema],
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        metadata={
            "findings": _table(found),
            "infos": len(done.of("info", schema=schema)),
            "looked_at": schema in done.schemas,
        },
    )


def _metadata(done: Audit, grown: list[growth.Growth]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "errors": len(done.of("error")),
        "warnings": len(done.of("warning")),
        "infos": len(done.of("info")),
        "findings": _table([finding for finding in done.findings if finding.severity != "not_checked"]),
        "not_checked": markdown.table(
            ["rule", "what", "why"],
            [
                [finding.rule, f"{finding.check}: {finding.object}", finding.evidence]
                for finding in done.of("not_checked")
            ],
        ),
        "skipped": ", ".join(done.skipped) or "nothing",
        "took_snapshot": done.took_snapshot,
    }
    for one in grown:
        name = f"{one.schema}.{one.table}"
        values[f"growth_{one.schema}_{one.table}"] = markdown.picture(name, growth.picture(one))
    return values


def _table(found: list[Finding]) -> dg.MetadataValue:
    rows = [
        [
            finding.standing,
            finding.rule,
            finding.object,
            finding.evidence,
            finding.fix or "",
            f"{finding.since:%Y-%m-%d}" if finding.since else "",
        ]
        for finding in found
    ]
    return markdown.table(["severity", "rule", "object", "evidence", "fix", "since"], rows)
