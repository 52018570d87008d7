"""The entity of the audit export: where its rows land, and how they are known."""

from dagster_project.sources.contract import EntitySpec, KeptRecord, Problem, Record, Rejected, SourceSpec

NAME = "b2chat_audit"

MESSAGES = EntitySpec(source=NAME, name="audit", table="audit_messages", versions="audit_messages", key="row_id")


def read_kept(entity: EntitySpec, kept: KeptRecord) -> Record | Rejected | None:
    """Rows of files are read again by `ingestion.audit_export`."""
    problem = Problem(kept.rule, "")
    return Rejected(entity.name, None, problem, kept.data, "", kept.position)


B2CHAT_AUDIT = SourceSpec(NAME, (MESSAGES,), read_kept)
