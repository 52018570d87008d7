"""What has labels in dbt and in reports derives from the taxonomy."""

import re

from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.exports.i18n.catalogue import texts
from dagster_project.settings import PROJECT_ROOT


def test_sql_knows_the_fields_of_the_taxonomy() -> None:
    macro = (PROJECT_ROOT / "dbt" / "macros" / "metrics" / "label_fields.sql").read_text()
    listed = re.findall(r"'name': '(\w+)', 'short': '(\w+)', 'kpi': '\w+', 'may_be_none': (true|false)", macro)
    fields = taxonomy.shipped().fields
    assert listed == [(one.name, one.short, "true" if one.none else "false") for one in fields]


def test_reports_call_each_label_as_the_taxonomy_does() -> None:
    assert texts()["intent.LEGAL"] == ("Trámites y escrituras", "Legal paperwork")
    assert texts()["journey.ACTIVE_BUYER"] == ("Comprador en proceso", "Active buyer")
    assert texts()["sentiment.FRICTION"] == ("Fricción", "Friction")
