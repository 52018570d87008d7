"""What the rules say of a chat's effectiveness, and where they say nothing."""

import pytest

from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.rules.effectiveness import ADVICE
from dagster_project.analysis.taxonomy.categorization import Effectiveness


@pytest.fixture(scope="module")
def rules() -> RulesClassifier:
    return RulesClassifier()


def judged(rules: RulesClassifier, *said: str, minutes: int = 1) -> Effectiveness:
    found = rules.classify(
        Conversation(
            tuple(
                Message(not text.startswith(">"), text.lstrip("> "), float(number * minutes))
                for number, text in enumerate(said)
            )
        )
    ).effectiveness
    assert found
    return found


CHATS = [
    (("cuál es el precio del lote?", "> el valor es 80 millones", "mil gracias, qué excelente"), "high", "high"),
    (("cuál es el precio del lote?", "> el valor es 80 millones", "gracias"), "high", "middle"),
    (("cuál es el precio del lote?", "> el valor es 80 millones"), "middle", None),
    (("cuál es el precio del lote?", "> el valor es 80 millones", "y el parqueadero cuánto vale?"), "low", None),
    (("cuál es el precio del lote?",), "low", None),
    (("nadie responde, pésimo servicio, son unos ladrones", "> un momento"), "low", "low"),
    (("pésimo servicio, nadie responde!!", "> el valor es 80 millones", "gracias por nada, ladrones"), "low", "low"),
    (("buenas", "> buenas"), None, None),
    (("> buenos días, le escribo de la constructora",), None, None),
    (("[imagen]",), None, None),
    ((), None, None),
]


@pytest.mark.parametrize(("said", "resolution", "satisfaction"), CHATS)
def test_scores_follow_what_stands_in_the_chat_and_are_missing_where_nothing_does(
    rules: RulesClassifier, said: tuple[str, ...], resolution: str | None, satisfaction: str | None
) -> None:
    found = judged(rules, *said)
    assert (_band(found.resolution_score), _band(found.customer_satisfaction)) == (resolution, satisfaction)


def test_advice_is_of_the_fixed_list_and_three_at_most(rules: RulesClassifier) -> None:
    assert judged(rules, "cuál es el precio del lote?").recommendations == (ADVICE["nobody_answered"],)
    found = judged(rules, "pésimo servicio, ladrones!", "> ya le dije que espere", "cuándo?", minutes=200)
    assert len(found.recommendations) == 3
    assert set(found.recommendations) <= set(ADVICE.values())
    assert ADVICE["long_wait"] in judged(rules, "cuál es el precio?", "> hola", minutes=121).recommendations
    assert ADVICE["long_wait"] not in judged(rules, "cuál es el precio?", "> hola", minutes=120).recommendations


def test_the_evidence_quotes_nothing_of_the_chat(rules: RulesClassifier) -> None:
    found = judged(rules, "soy Ana Restrepo 3001234567, mil gracias", "> con gusto", "mil gracias")
    assert "Ana" not in repr(found) and "300" not in repr(found)


def _band(score: float | None) -> str | None:
    if score is None:
        return None
    return "low" if score <= 35 else "high" if score >= 75 else "middle"
