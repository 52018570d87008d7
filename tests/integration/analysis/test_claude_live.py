"""The real Claude, three invented chats, for less than a cent: only where somebody asks for it by name."""

import os

import pytest

from dagster_project.analysis.claude.classifier import ClaudeClassifier
from dagster_project.analysis.claude.messages import connect
from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.personal.redaction import Known
from dagster_project.analysis.taxonomy import taxonomy

CHATS = {
    "PROJECT_INFO": "Buenos días, qué precio tienen los lotes y puedo ir a visitarlos?",
    "LEGAL": "Cuándo firmamos la escritura en la notaría?",
    "POST_PURCHASE": "Tengo una humedad en el apartamento que me entregaron, necesito la garantía",
}


@pytest.mark.skipif(
    not (os.environ.get("B2CHAT_TEST_LIVE_CLAUDE") and os.environ.get("ANTHROPIC_API_KEY")),
    reason="THE REAL CLAUDE IS NOT ASKED: set B2CHAT_TEST_LIVE_CLAUDE=1 and ANTHROPIC_API_KEY",
)
def test_the_real_claude_answers_caches_and_costs_what_we_think() -> None:
    claude = ClaudeClassifier(connect(os.environ["ANTHROPIC_API_KEY"]), taxonomy.load(), model="claude-haiku-5-5")
    outcomes = {
        intent: claude.ask(claude.prepare(Conversation((Message(True, text, 0),)), Known()))
        for intent, text in CHATS.items()
    }
    assert {one.status for one in outcomes.values()} == {"ok"}
    for intent, outcome in outcomes.items():
        assert outcome.checked is not None
        assert outcome.checked.categories is not None
        assert outcome.checked.categories["customer_intent"] == intent
    assert [*outcomes.values()][-1].usage.cache_read_tokens > 0
    assert 0 < claude.cost_usd < 0.01
