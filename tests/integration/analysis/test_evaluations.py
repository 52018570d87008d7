"""Evaluations that are kept, over a real Postgres."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.evaluation.log import compare, keep
from dagster_project.analysis.evaluation.scores import evaluate, read_labelled
from dagster_project.analysis.taxonomy.categorization import Categorization
from dagster_project.orchestration.assets.evaluation import EvaluationConfig, classifier_evaluation
from dagster_project.orchestration.resources import Warehouse
from tests.support.png import decode


class Says:
    """A classifier that says the same of the first chats, and something else of the rest."""

    model, cost_usd = "rules-v1", 0.0

    def __init__(self, version: str, right: int) -> None:
        self.version, self.classified_by, self._left = version, {"rules-v1"}, right

    def classify(self, conversation: Conversation) -> Categorization:
        self._left -= 1
        labels = {"customer_intent": "PAYMENT" if self._left >= 0 else "LEGAL", "sentiment": "NEUTRAL"}
        return Categorization(labels, None, 0.5, "")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "labelled.jsonl"
    file.write_text(
        "\n".join(
            json.dumps({"id": f"c{n}", "text": "¿cuánto debo?", "customer_intent": "PAYMENT", "sentiment": "NEUTRAL"})
            for n in range(10)
        )
    )
    return file


@pytest.fixture
def conn(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn


def test_a_version_is_compared_with_the_one_before_it_on_the_same_chats(conn: psycopg.Connection, file: Path) -> None:
    labelled = read_labelled(file)
    first = keep(conn, evaluate(Says("one", right=9), labelled), labelled, file)
    assert compare(conn, first) is None
    found = compare(conn, keep(conn, evaluate(Says("two", right=3), labelled), labelled, file))
    assert found and found.version_before == "one"
    intent = {change.field: change for change in found.changes}["customer_intent"]
    assert (intent.before, intent.now, intent.mended, intent.broken) == (0.9, 0.3, 0, 6)
    assert intent.chance == 2 / 2**6
    assert intent.is_worse
    assert not {change.field: change for change in found.changes}["sentiment"].is_worse


def test_the_same_version_on_the_same_file_is_kept_once(conn: psycopg.Connection, file: Path) -> None:
    labelled = read_labelled(file)
    for _ in range(2):
        keep(conn, evaluate(Says("one", right=9), labelled), labelled, file)
    assert conn.execute("select count(*) from analysis.evaluations").fetchone() == (1,)
    assert conn.execute(
        "select accuracy from analysis.evaluation_scores where field = 'customer_intent'"
    ).fetchone() == (0.9,)


def test_the_asset_shows_scores_and_matrices_and_no_text_of_a_chat(database_url: str, file: Path) -> None:
    result = dg.materialize(
        [classifier_evaluation],
        resources={"warehouse": Warehouse(url=database_url)},
        run_config={"ops": {"analysis__classifier_evaluation": {"config": {"file": str(file)}}}},
    )
    [event] = result.asset_materializations_for_node("analysis__classifier_evaluation")
    assert "| customer_intent | 10 | 100% |" in event.metadata["scores"].value
    assert "(data:image/png;base64," in event.metadata["confusion_customer_intent"].value
    assert "cuánto" not in str(event.metadata)
    assert result.get_asset_check_evaluations()[0].passed


def test_a_file_without_chats_or_with_an_id_twice_is_refused_in_one_line(database_url: str, file: Path) -> None:
    for text, told in (("", "there is no chat in it"), (file.read_text() + "\n" + file.read_text(), "occurred before")):
        file.write_text(text)
        with pytest.raises(dg.Failure, match=told):
            classifier_evaluation(EvaluationConfig(file=str(file)), Warehouse(url=database_url)).__next__()


def test_the_matrix_is_painted_with_right_in_blue_and_wrong_in_red() -> None:
    from dagster_project.exports.pictures.confusion import picture

    pixels = decode(picture(["A", "B"], {"A": {"A": 1, "B": 3}, "B": {}}, cell=22))
    left = len(pixels[0]) - 2 * 22
    right, wrong, empty = (pixels[y][left + x] for x, y in ((4, 14), (26, 14), (4, 36)))
    assert right[2] > right[0]
    assert wrong[0] > wrong[2]
    assert empty == (255, 255, 255)
