"""Whether anybody has said what is promised to customers, or the seed is as it was delivered."""

import psycopg

from dagster_project.warehouse.connection import has_relation

# dbt/seeds/sla_targets.csv as it is delivered: metric, seconds, goal.
DELIVERED = {
    ("pickup", 120, 0.95),
    ("first_response", 300, 0.95),
    ("avg_reply", 300, 0.95),
    ("resolution", 7200, 0.95),
    ("overall", None, 0.95),
}


def summary(connection: psycopg.Connection) -> str:
    """Whether they are set, and where one does it, in a line."""
    if not has_relation(connection, "intermediate.sla_targets"):
        return "not read yet: b2chat build reads dbt/seeds/sla_targets.csv"
    if are_defaults(connection):
        return (
            "the defaults (pickup 2 min, first response and reply 5 min, resolution 2 h, goal 95 %): nobody has set "
            "what you promise; write it into dbt/seeds/sla_targets.csv"
        )
    return "set in dbt/seeds/sla_targets.csv"


def are_defaults(connection: psycopg.Connection) -> bool:
    """Whether the targets that the warehouse judges by are the delivered ones; False before the first build."""
    if not has_relation(connection, "intermediate.sla_targets"):
        return False
    known = connection.execute(
        """
        select metric, target_seconds, goal::double precision,
               provider is null and priority is null and is_enabled and valid_from is null and valid_to is null
        from intermediate.sla_targets
        """
    ).fetchall()
    return {row[:3] for row in known} == DELIVERED and all(row[3] for row in known)
