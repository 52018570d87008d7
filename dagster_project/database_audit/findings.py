"""What the audit found: kept with since when and until when, less what is excepted for a reason and a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, get_args

import psycopg

from dagster_project.warehouse import seeds

Severity = Literal["error", "warning", "info", "not_checked"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
ALL = "*"  # the object of a check that could look at none

Exceptions = Mapping[tuple[str, str], tuple[str, date]]


@dataclass(frozen=True)
class Finding:
    """One thing that a check found, or could not look at.

    Attributes:
        rule: D01 to D15.
        check: the name of the rule's query.
        schema: that of the object, or "database".
        object: schema, table and what of it; `ALL` where the check could not look at anything.
        severity: error, warning, info or not_checked.
        evidence: the numbers that it goes by, or why nothing was checked.
        fix: SQL or what else to do; nobody does it by himself.
        since: when an audit found it first.
        exception: why it is put up with, and until when; None where it is not.
    """

    rule: str
    check: str
    schema: str
    object: str
    severity: Severity
    evidence: str
    fix: str | None = None
    since: datetime | None = None
    exception: tuple[str, date] | None = None

    @property
    def counts(self) -> bool:
        """Whether it is something to mend: neither put up with nor unknown."""
        return self.exception is None and self.severity != "not_checked"

    @property
    def standing(self) -> str:
        """Its severity in words; of one that is put up with until when, and why."""
        if self.exception is None:
            return self.severity
        reason, until = self.exception
        return f"excepted until {until} ({reason})"


def exceptions() -> Exceptions:
    """The seed audit_exceptions: by rule and object, the reason and the last day."""
    return {
        (row["rule"], row["object"]): (row["reason"], date.fromisoformat(row["until"]))
        for row in seeds.rows("audit_exceptions")
    }


def excepted(finding: Finding, known: Exceptions, today: date) -> Finding:
    """The finding with its exception; one whose time is over makes it an error."""
    if finding.severity == "not_checked" or (finding.rule, finding.object) not in known:
        return finding
    reason, until = known[finding.rule, finding.object]
    if today <= until:
        return replace(finding, exception=(reason, until))
    return replace(finding, severity="error", evidence=f"{finding.evidence}; its exception ended on {until}: {reason}")


def keep(conn: psycopg.Connection, found: Iterable[Finding], looked_at: list[str], at: datetime) -> list[Finding]:
    """Write down what was found, and resolve what is gone; returns the findings with their beginnings.

    A check that could not look leaves its earlier findings open.

    Args:
        looked_at: the schemas of this audit, and "database" where it was looked at.
        at: when the audit was.
    """
    findings = list(found)
    with conn.cursor() as cursor:
        cursor.executemany(_KEEP, [_values(finding, at) for finding in findings])
    conn.execute(_RESOLVE, {"schemas": looked_at, "at": at, "all": ALL})
    rows = conn.execute("select check_name, object, since from ops.database_findings where resolved_at is null")
    begun = {(check, of): since for check, of, since in rows.fetchall()}
    return [replace(finding, since=begun[finding.check, finding.object]) for finding in findings]


def _values(finding: Finding, at: datetime) -> dict[str, object]:
    reason, until = finding.exception or (None, None)
    return {
        "rule": finding.rule,
        "check": finding.check,
        "schema": finding.schema,
        "object": finding.object,
        "severity": finding.severity,
        "evidence": finding.evidence,
        "fix": finding.fix,
        "reason": reason,
        "until": until,
        "at": at,
    }


_KEEP = """
    insert into ops.database_findings as kept (
        rule, check_name, schema_name, object, severity, evidence, fix, exception_reason, exception_until, since,
        last_seen_at
    )
    values (
        %(rule)s, %(check)s, %(schema)s, %(object)s, %(severity)s, %(evidence)s, %(fix)s, %(reason)s, %(until)s, %(at)s,
        %(at)s
    )
    on conflict (check_name, object) where resolved_at is null do update
    set severity = excluded.severity, evidence = excluded.evidence, fix = excluded.fix,
        exception_reason = excluded.exception_reason, exception_until = excluded.exception_until,
        last_seen_at = excluded.last_seen_at
"""
_RESOLVE = """
    update ops.database_findings as gone
    set resolved_at = %(at)s
    where gone.resolved_at is null
        and gone.last_seen_at < %(at)s
        and gone.schema_name = any(%(schemas)s)
        and (
            gone.severity = 'not_checked'
            or not exists (
                select from ops.database_findings as blind
                where blind.check_name = gone.check_name and blind.object = %(all)s and blind.last_seen_at = %(at)s
            )
        )
"""
