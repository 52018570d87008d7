"""The labels in Postgres, analysis.taxonomy_labels: what marts show, and what distributions have as members."""

import psycopg

from dagster_project.analysis.taxonomy.taxonomy import Taxonomy


def publish(conn: psycopg.Connection, taxonomy: Taxonomy) -> None:
    """Make the table say what the taxonomy says. A label that it no longer has stays, for the chats that have it."""
    rows = [
        (field.name, label.name, place, label.es, label.en, label.means)
        for field in taxonomy.fields
        for place, label in enumerate(field.labels, 1)
    ]
    conn.execute(
        """
        with given as (
            select * from unnest(%s::text[], %s::text[], %s::integer[], %s::text[], %s::text[], %s::text[])
                as given (field, label, position, label_es, label_en, meaning)
        ),

        retired as (
            update analysis.taxonomy_labels as labels set is_current = false
            where is_current and not exists (
                select from given where given.field = labels.field and given.label = labels.label)
        )

        insert into analysis.taxonomy_labels as labels (field, label, position, label_es, label_en, meaning, is_current)
        select field, label, position, label_es, label_en, meaning, true from given
        on conflict (field, label) do update set
            position = excluded.position, label_es = excluded.label_es, label_en = excluded.label_en,
            meaning = excluded.meaning, is_current = true
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )
