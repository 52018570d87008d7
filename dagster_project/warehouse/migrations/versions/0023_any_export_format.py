"""Exports: which formats there are is known to the code alone (exports/formats/registry.py), not to the tables."""

from alembic import op

revision = "0023"
down_revision = "0022"

_CHECKS = {
    "ops.export_logs": ("export_logs_format_check", "'pdf', 'xlsx', 'csv', 'csv-excel', 'parquet'"),
    "analysis.analysis_exports": ("analysis_exports_format_check", "'PDF', 'XLSX', 'CSV', 'PARQUET'"),
}


def upgrade() -> None:
    for table, (name, _) in _CHECKS.items():
        op.execute(f"alter table {table} drop constraint {name}, add constraint {name} check (format <> '')")


def downgrade() -> None:
    # not valid: the rows of formats that came later stay
    for table, (name, formats) in _CHECKS.items():
        op.execute(
            f"alter table {table} drop constraint {name}, add constraint {name} check (format in ({formats})) not valid"
        )
