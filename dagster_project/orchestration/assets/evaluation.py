"""How far a classifier is to be trusted, measured on labelled chats."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import dagster as dg
from pydantic import Field

from dagster_project.analysis.classifiers import Unusable, classifier_of, taxonomy_of
from dagster_project.analysis.claude.messages import StopRun
from dagster_project.analysis.evaluation import log as evaluations
from dagster_project.analysis.evaluation import scores
from dagster_project.exports.pictures import confusion
from dagster_project.orchestration.resources import Warehouse
from dagster_project.orchestration.ui import markdown
from dagster_project.warehouse.access.roles import ANALYSIS

log = logging.getLogger(__name__)


class EvaluationConfig(dg.Config):
    """What to score, and on which chats."""

    classifier: Literal["rules-v1", "claude"] = Field("rules-v1", description="claude asks it, and costs money.")
    file: str = Field("", description="JSONL, a labelled chat a line; default: the invented chats that ship.")


@dg.asset(
    key=["analysis", "classifier_evaluation"],
    group_name="evaluation",
    owners=["team:analytics"],
    kinds={"python", "postgres", "png"},
    check_specs=[
        dg.AssetCheckSpec(
            "not_worse_than_before",
            asset=["analysis", "classifier_evaluation"],
            description="No field does worse than with the version before on the same chats (McNemar, 5 %).",
        )
    ],
    description="Accuracy, macro-F1, kappa and confusion of a classifier on labelled chats, against the version "
    "before. BI reads marts.classifier_evaluations.",
)
def classifier_evaluation(
    config: EvaluationConfig, warehouse: Warehouse
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    file = Path(config.file or scores.SHIPPED)
    try:
        settings = warehouse.settings()
        labels = taxonomy_of(settings)
        labelled = scores.read_labelled(file, labels)
        classifier = classifier_of(config.classifier, settings)
        report = scores.evaluate(classifier, labelled, settings.review_confidence, labels)
    except (scores.UnreadableSet, Unusable, StopRun) as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    if not labelled:
        raise dg.Failure(f"{file.name}: there is no chat in it", allow_retries=False)
    with warehouse.as_role(ANALYSIS).connect() as conn:
        comparison = evaluations.compare(conn, evaluations.keep(conn, report, labelled, file))
    log.info(
        "%s on %s: %d chats, intent right in %s",
        report.version,
        file.name,
        report.chats,
        _share(report.fields["customer_intent"].accuracy),
    )
    yield dg.MaterializeResult(metadata=_metadata(report, comparison, file.name))
    yield _check(comparison)


def _check(comparison: evaluations.Comparison | None) -> dg.AssetCheckResult:
    worse = [change.field for change in comparison.changes if change.is_worse] if comparison else []
    return dg.AssetCheckResult(
        passed=not worse,
        check_name="not_worse_than_before",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "worse": ", ".join(worse) or "nothing",
            "version_before": comparison.version_before if comparison else "none on these chats",
        },
    )


def _metadata(
    report: scores.Report, comparison: evaluations.Comparison | None, file: str
) -> dict[str, dg.MetadataValue]:
    values: dict[str, dg.MetadataValue] = {
        "version": dg.MetadataValue.text(report.version),
        "classified_by": dg.MetadataValue.text(", ".join(report.classified_by) or "nobody"),
        "labelled_chats": dg.MetadataValue.text(f"{report.chats} of {file}, {report.failed} without an answer"),
        "scores": _scores(report),
        "cost_usd": dg.MetadataValue.float(report.cost_usd),
    }
    if comparison:
        values["against_the_version_before"] = _changes(comparison)
    for name, score in report.fields.items():
        if score.n:
            png = confusion.picture(score.labels, score.confusion)
            values[f"confusion_{name}"] = markdown.picture(name, png)
    return values


def _scores(report: scores.Report) -> dg.MetadataValue:
    rows = [
        [
            name,
            score.n,
            _share(score.accuracy),
            f"{_share(score.accuracy_low)}–{_share(score.accuracy_high)}",
            _figure(score.macro_f1),
            _figure(score.kappa),
        ]
        for name, score in report.fields.items()
    ]
    return markdown.table(["field", "chats", "accuracy", "95 %", "macro-F1", "kappa"], rows, numbers=[1, 2, 4, 5])


def _changes(comparison: evaluations.Comparison) -> dg.MetadataValue:
    rows = [
        [
            change.field,
            change.chats,
            _share(change.before),
            _share(change.now),
            change.mended,
            change.broken,
            f"{change.chance:.2f}",
        ]
        for change in comparison.changes
    ]
    header = ["field", "chats", "before", "now", "mended", "broken", "by chance"]
    return markdown.table(header, rows, above=f"Before: {comparison.version_before}", numbers=range(1, 7))


def _share(value: float | None) -> str:
    return "no data" if value is None else f"{value:.0%}"


def _figure(value: float | None) -> str:
    return "no data" if value is None else f"{value:.2f}"
