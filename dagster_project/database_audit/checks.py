"""The audit's checks: fifteen rules, D01 to D15, each as one or more queries of the catalogues.

A check is a file of `sql/`, named by its rule and name, that returns `schema_name, object, severity, evidence, fix`:
one row a finding. It reads the tables that `sql/catalogue.sql` makes, Postgres' own views, our snapshots and the marts
on them. Severities are error, warning and info; `not_checked` where it could not judge an object.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True)
class Need:
    """What a check cannot do without: SQL that says whether it is there, and what to do where it is not."""

    is_met: str
    reason: str


@dataclass(frozen=True)
class Check:
    """One query of a rule.

    Attributes:
        rule: D01 to D15.
        name: what it looks for; with the rule, the name of its file.
        title: the finding in words.
        of_database: of the server or the database as a whole, not of a schema.
        needs: what must be there; the first that is not is the reason why it was not checked.
    """

    rule: str
    name: str
    title: str
    of_database: bool = False
    needs: tuple[Need, ...] = ()

    @property
    def sql(self) -> str:
        """Its query."""
        return read(f"{self.rule.lower()}_{self.name}")


_MARTS = Need("to_regclass('marts.database_sizes_daily') is not null", "the marts are not built: run `b2chat build`")
_TWO_DAYS = Need(
    "(select count(*) >= 2 from ops.database_snapshots)", "needs the snapshots of two days: run the audit daily"
)
_MONTH = Need(
    "(select min(taken_on) <= (select today - 35 from audit_day) from ops.database_snapshots)",
    "needs snapshots of 35 days",
)
_SIX_MORE_DAYS = Need("(select count(*) >= 7 from ops.database_snapshots)", "needs the snapshots of seven days")
_STATEMENTS = Need(
    "to_regclass('pg_stat_statements') is not null "
    "and current_setting('shared_preload_libraries') ~ 'pg_stat_statements'",
    "needs pg_stat_statements: set shared_preload_libraries, restart, `create extension pg_stat_statements schema ops`",
)
_SAMPLE = Need("exists (select from audit_sample)", "needs a look at work that goes on: `b2chat audit --watch 60`")
_ACTIVITY = Need(
    "pg_has_role('pg_read_all_stats', 'usage')", "this user sees no other's sessions: `grant pg_monitor to` it"
)
_TUPLES = Need(
    "coalesce(has_function_privilege(to_regprocedure('pgstattuple_approx(regclass)'), 'execute'), false)",
    "needs pgstattuple: an administrator runs `create extension pgstattuple schema ops`, and `grant pg_monitor to` "
    "this user",
)

CHECKS = (
    Check("D01", "foreign_key_without_index", "foreign key without an index"),
    Check("D02", "sequential_scans", "large table read whole, again and again", needs=(_MARTS, _TWO_DAYS)),
    Check("D03", "unused_index", "index that nobody uses", needs=(_MONTH,)),
    Check("D04", "duplicate_or_covered_index", "index that another one covers"),
    Check("D05", "invalid_index", "invalid index"),
    Check("D06", "bloated_index", "index that is mostly air", needs=(_TUPLES,)),
    Check("D07", "bloated_table", "table of many dead rows", needs=(_TUPLES,)),
    Check("D07", "transaction_age", "table that vacuum did not reach"),
    Check("D08", "no_primary_key", "table without a primary key"),
    Check("D08", "sequence_near_its_end", "sequence near its end"),
    Check("D08", "mismatched_types", "foreign key of another type than what it refers to"),
    Check("D08", "never_analysed", "table that was never analysed"),
    Check("D09", "slow_statement", "slow statement", of_database=True, needs=(_STATEMENTS, _MARTS, _TWO_DAYS)),
    Check(
        "D10", "n_plus_one_by_day", "a query a row, all day", of_database=True, needs=(_STATEMENTS, _MARTS, _TWO_DAYS)
    ),
    Check("D10", "n_plus_one_by_sample", "a query a row", of_database=True, needs=(_STATEMENTS, _SAMPLE)),
    Check("D11", "partition_upkeep", "partitions that nobody makes"),
    Check("D11", "archive_upkeep", "archive that stands still"),
    Check("D12", "size_threshold", "table past a threshold"),
    Check("D12", "projected_size", "table that will soon be past a threshold", needs=(_MARTS, _SIX_MORE_DAYS)),
    Check("D13", "connections", "connections run out", of_database=True),
    Check("D13", "sessions", "session that holds others up", of_database=True, needs=(_ACTIVITY,)),
    Check("D14", "rights_of_bi", "BI reads beyond the marts"),
    Check("D14", "security_definer", "function that trusts its caller's search_path"),
    Check("D14", "row_security", "policy that costs each row"),
    Check("D15", "backup", "backup that fails", of_database=True),
    Check("D15", "replication_slot", "replication slot that was left behind", of_database=True),
    Check("D15", "cache", "cache too small", of_database=True, needs=(_TWO_DAYS,)),
)


@cache
def read(name: str) -> str:
    """The text of a file of `sql/`."""
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")
