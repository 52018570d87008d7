"""The metrics that can be asked for: names from the seed, definitions from dbt, worked examples from the decisions."""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml

from dagster_project.questions.errors import QuestionFailed
from dagster_project.settings import PROJECT_ROOT
from dagster_project.warehouse import seeds

LAYER = PROJECT_ROOT / "dbt" / "models" / "semantic_layer"
DECISIONS = PROJECT_ROOT / "docs" / "decisions.md"


@dataclass(frozen=True)
class Metric:
    """A KPI of the marts.

    Attributes:
        name: as in marts.kpi_daily.
        unit: chats, messages, transfers, seconds, or share (0 to 1).
        better: higher or lower; None where neither is.
        definition: in words, one definition for marts, docs and answers.
        chapter: the heading in docs/decisions.md under which a worked example stands.
        direction: of which chats it is by default: "incoming" for the waits of customers, else "all".
        directions: whether the marts have it for each direction ("both" with all chats), only so, or not at all.
    """

    name: str
    label_en: str
    label_es: str
    unit: str
    better: str | None
    definition: str
    chapter: str
    direction: str
    directions: Literal["none", "both", "only"]


@cache
def metrics() -> dict[str, Metric]:
    """All of them, by name, in the seed's order."""
    described = _described()
    return {row["metric"]: _metric(row, described[row["metric"]]) for row in seeds.rows("kpi_metrics")}


def metric(name: str) -> Metric:
    """The one of this name.

    Raises:
        QuestionFailed: there is none; the text names those that may be meant.
    """
    known = metrics()
    if found := known.get(name.strip().lower()):
        return found
    labels = {label.lower(): one.name for one in known.values() for label in (one.label_en, one.label_es)}
    wanted = name.strip().lower()[:80]
    if wanted in labels:
        return known[labels[wanted]]
    close = difflib.get_close_matches(wanted.replace(" ", "_"), known, n=5, cutoff=0.5)
    close += [one for one in known if wanted.replace(" ", "_") in one and one not in close][: 5 - len(close)]
    meant = f"Did you mean {', '.join(close)}?" if close else "list_metrics names them all."
    raise QuestionFailed(f"There is no metric {wanted!r}. {meant}")


@cache
def worked_example(chapter: str) -> str:
    """The chapter of the decisions that begins so, as markdown, without what other packages do."""
    for part in re.split(r"^## ", DECISIONS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        if part.startswith(chapter):
            heading, _, text = part.partition("\n")
            paragraphs = [one for one in re.split(r"\n(?=\n|\*|-)", text) if not one.lstrip().startswith("*Peers:*")]
            return f"## {heading}\n" + "\n".join(paragraphs).rstrip()
    return ""


def _metric(row: dict[str, str], described: dict[str, Any]) -> Metric:
    meta = described["config"]["meta"]
    return Metric(
        row["metric"],
        row["label_en"],
        row["label_es"],
        row["unit"],
        row["better"] or None,
        _resolved(described["description"]),
        meta["explained"],
        meta.get("direction", "all"),
        meta.get("directions", "none"),
    )


def _described() -> dict[str, dict[str, Any]]:
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(LAYER.glob("*.yml"))]
    return {one["name"]: one for file in files for one in file.get("metrics", [])}


def _resolved(description: str) -> str:
    return re.sub(r"{{ doc\('(\w+)'\) }}", lambda found: _blocks()[str(found[1])], description)


@cache
def _blocks() -> dict[str, str]:
    text = (LAYER / "definitions.md").read_text(encoding="utf-8")
    return dict(re.findall(r"{% docs (\w+) %}(.*?){% enddocs %}", text, re.DOTALL))
