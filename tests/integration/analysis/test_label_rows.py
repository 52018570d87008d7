"""The labels of the taxonomy, as Postgres has them."""

from pathlib import Path

import psycopg
import pytest

from dagster_project.analysis.taxonomy import labels, taxonomy
from dagster_project.warehouse import migrations

SHOWN = "select field, label, label_es, is_current from analysis.taxonomy_labels order by field, position, label"


def test_a_migrated_warehouse_knows_the_labels_that_ship(database_url: str) -> None:
    shipped = {(field.name, label.name, label.es, True) for field in taxonomy.fields() for label in field.labels}
    with psycopg.connect(database_url, autocommit=True) as conn:
        assert set(conn.execute(SHOWN).fetchall()) <= shipped  # those of the migration's day
        labels.publish(conn, taxonomy.shipped())
        assert set(conn.execute(SHOWN).fetchall()) == shipped


def test_a_label_that_the_business_gives_up_stays_for_the_chats_that_have_it(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.yml"
    file.write_text("business: b\nsentiment:\n  NEUTRAL: {means: m}\n  ANGRY: {es: Furia, means: m}\n")
    with psycopg.connect(database_url, autocommit=True) as conn:
        labels.publish(conn, taxonomy.load(file))
        moods = [row[1:] for row in conn.execute(SHOWN).fetchall() if row[0] == "sentiment"]
        assert moods == [
            ("NEUTRAL", "Neutro", True),
            ("POSITIVE", "Positivo", False),
            ("ANGRY", "Furia", True),
            ("FRICTION", "Fricción", False),
        ]
        labels.publish(conn, taxonomy.shipped())
        assert ("sentiment", "FRICTION", "Fricción", True) in conn.execute(SHOWN).fetchall()
        assert ("sentiment", "ANGRY", "Furia", False) in conn.execute(SHOWN).fetchall()


def test_people_may_give_labels_of_the_business_and_the_migration_can_go_back_with_them(database_url: str) -> None:
    insert = """
        insert into analysis.human_labels (chat_id, content_key, sentiment, labelled_by) values ('c', 'k', %s, 'bea')"""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(insert, ["ANGRY"])
        migrations.downgrade(database_url, "0023")
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute(insert, ["ANGRY"])
        migrations.upgrade(database_url)
        conn.execute(insert, ["FURIOUS"])
        assert conn.execute("select count(*) from analysis.human_labels").fetchone() == (2,)
