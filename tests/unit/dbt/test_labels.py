"""The seed of labels names what marts show."""

import csv

from dagster_project.analysis.taxonomy.categories import INTENTS, SENTIMENTS, STAGES
from dagster_project.exports.i18n.catalogue import texts
from dagster_project.settings import PROJECT_ROOT

SETS = {
    "customer_intent": ("intent", INTENTS),
    "journey_stage": ("journey", STAGES),
    "sentiment": ("sentiment", SENTIMENTS),
}


def test_marts_and_reports_call_each_intent_stage_and_sentiment_the_same() -> None:
    with (PROJECT_ROOT / "dbt" / "seeds" / "labels.csv").open(encoding="utf-8") as file:
        labels = {(row["label_set"], row["member"]): (row["label_es"], row["label_en"]) for row in csv.DictReader(file)}
    for label_set, (prefix, members) in SETS.items():
        shown = {member for set_, member in labels if set_ == label_set}
        assert shown == set(members)
        for member in members:
            assert labels[label_set, member] == texts()[f"{prefix}.{member}"]
