"""Scores of a classifier, against values worked out by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.evaluation.scores import UnreadableSet, evaluate, read_labelled
from dagster_project.analysis.taxonomy.categorization import Categorization


class Told:
    """A classifier that answers what each chat's text says: intent, stage, sentiment, score, confidence."""

    model, version, cost_usd = "told", "told-1", 0.0

    def __init__(self) -> None:
        self.classified_by = {"told"}

    def classify(self, conversation: Conversation) -> Categorization:
        intent, stage, mood, score, confidence = conversation.messages[0].text.split()
        labels = {"customer_intent": intent, "journey_stage": None if stage == "-" else stage, "sentiment": mood}
        return Categorization(labels, None if score == "-" else int(score), float(confidence), "")


@pytest.fixture
def labelled_file(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: object) -> Path:
        file = tmp_path / "set.jsonl"
        file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
        return file

    return write


def gold(text: str, intent: str, stage: str | None, mood: str = "NEUTRAL", **more: object) -> dict[str, object]:
    labels = {"customer_intent": intent, "journey_stage": stage, "sentiment": mood}
    return {"messages": [{"incoming": True, "text": text, "minutes": 0}], "gold": labels | more}


def test_accuracy_f1_and_kappa_are_those_of_the_formulas(labelled_file: Callable[..., Path]) -> None:
    report = evaluate(
        Told(),
        read_labelled(
            labelled_file(
                gold("PAYMENT PROSPECT NEUTRAL - 0.9", "PAYMENT", "PROSPECT"),
                gold("PAYMENT PROSPECT NEUTRAL - 0.9", "PAYMENT", "PROSPECT"),
                gold("LEGAL PROSPECT NEUTRAL - 0.9", "PAYMENT", "PROSPECT"),
                gold("LEGAL PROSPECT NEUTRAL - 0.9", "LEGAL", "PROSPECT"),
            )
        ),
    )
    intent = report.fields["customer_intent"]
    assert intent.n == 4
    assert intent.accuracy == 0.75
    # F1 of PAYMENT: 2*2/(3+2) = 0.8; of LEGAL: 2*1/(1+2) = 0.667.
    assert intent.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    # Chance: (3*2 + 1*2) / 16 = 0.5; kappa = (0.75 - 0.5) / 0.5.
    assert intent.kappa == 0.5
    assert intent.confusion["PAYMENT"] == {"PAYMENT": 2, "LEGAL": 1}


def test_a_null_label_is_no_score_but_a_named_label_there_is_counted(labelled_file: Callable[..., Path]) -> None:
    report = evaluate(
        Told(),
        read_labelled(
            labelled_file(
                gold("OTHER PROSPECT NEUTRAL - 0.3", "OTHER", None),
                gold("OTHER - NEUTRAL - 0.3", "OTHER", None),
                gold("PAYMENT - NEUTRAL - 0.3", "PAYMENT", "ACTIVE_BUYER"),
            )
        ),
    )
    stage = report.fields["journey_stage"]
    assert (stage.n, stage.accuracy) == (1, 0.0)
    assert (stage.without_gold, stage.named_without_gold) == (2, 1)
    assert report.fields["agent_quality"].accuracy is None


def test_calibration_error_is_the_distance_of_confidence_from_being_right(labelled_file: Callable[..., Path]) -> None:
    report = evaluate(
        Told(),
        read_labelled(
            labelled_file(
                gold("PAYMENT - NEUTRAL - 0.85", "PAYMENT", None),
                gold("PAYMENT - NEUTRAL - 0.85", "LEGAL", None),
                gold("LEGAL - NEUTRAL - 0.25", "PAYMENT", None),
            )
        ),
    )
    # Two at 0.85 of which half are right, one at 0.25 that is wrong: (2 * 0.35 + 1 * 0.25) / 3.
    assert report.calibration_error == pytest.approx(0.95 / 3)


def test_a_review_of_the_unsure_finds_its_share_of_the_wrong_intents(labelled_file: Callable[..., Path]) -> None:
    report = evaluate(
        Told(),
        read_labelled(
            labelled_file(
                gold("PAYMENT - NEUTRAL - 0.4", "LEGAL", None),
                gold("PAYMENT - NEUTRAL - 0.4", "PAYMENT", None),
                gold("PAYMENT - NEUTRAL - 0.8", "LEGAL", None),
                gold("PAYMENT - NEUTRAL - 0.6", "PAYMENT", None),
            )
        ),
        unsure=0.6,
    )
    assert (report.unsure_share, report.unsure_of_wrong_share) == (0.5, 0.5)


def test_another_acceptable_intent_counts_apart(labelled_file: Callable[..., Path]) -> None:
    report = evaluate(
        Told(),
        read_labelled(
            labelled_file(gold("LEGAL - NEUTRAL - 0.5", "PAYMENT", None, acceptable_intents=["PAYMENT", "LEGAL"]))
        ),
    )
    assert report.fields["customer_intent"].accuracy == 0
    assert report.acceptable_intent_accuracy == 1


def test_quality_scores_are_compared_by_band(labelled_file: Callable[..., Path]) -> None:
    report = evaluate(
        Told(),
        read_labelled(
            labelled_file(
                gold("OTHER - NEUTRAL 4 0.5", "OTHER", None, agent_quality="low"),
                gold("OTHER - NEUTRAL 7 0.5", "OTHER", None, agent_quality="high"),
                gold("OTHER - NEUTRAL 10 0.5", "OTHER", None, agent_quality=8),
            )
        ),
    )
    assert report.fields["agent_quality"].accuracy == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("not json", "line 2"),
        ('{"text": "hola", "customer_intent": "GREETING"}', "customer_intent has to be one of"),
        ('{"customer_intent": "OTHER"}', "neither text nor a list of messages"),
        ('{"messages": [{"text": "hola"}], "gold": {}}', r"messages\[0\] needs incoming"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(labelled_file: Callable[..., Path], line: str, fault: str) -> None:
    with pytest.raises(UnreadableSet, match=fault):
        read_labelled(labelled_file({"text": "hola", "customer_intent": "OTHER"}, line))


def test_an_empty_set_has_no_scores(labelled_file: Callable[..., Path]) -> None:
    report = evaluate(Told(), read_labelled(labelled_file("")))
    assert report.chats == 0
    assert report.fields["customer_intent"].accuracy is None
    assert report.calibration_error is None
