"""How well a chat served the customer, by rules: what was resolved, whether he is content, what could be better.

Each score goes by one thing that stands in the chat, the worst first; where nothing does there is no score.
"""

from collections.abc import Sequence

from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.rules import quality, sentiment
from dagster_project.analysis.rules.evidence import Evidence
from dagster_project.analysis.taxonomy.categorization import Effectiveness

VERSION = b"effectiveness-1"  # another one reads the chats anew
MAX_ADVICE = 3

# What stands in a chat, and the resolution (0 to 100) that it speaks for; the first that is found counts.
RESOLUTION = {
    "nobody_answered": 0.0,
    "complaint_not_settled": 20.0,
    "question_left_open": 30.0,
    "warm_thanks_at_the_end": 90.0,
    "thanks_at_the_end": 75.0,
    "concrete_answer": 65.0,
}
SATISFACTION = {
    "strong_complaint": 10.0,
    "complaint_not_settled": 25.0,
    "very_warm_thanks": 95.0,
    "warm_thanks_at_the_end": 85.0,
    "thanks_at_the_end": 65.0,
}
ADVICE = {
    "nobody_answered": "Responder al cliente: el chat quedó sin respuesta.",
    "complaint_not_settled": "Retomar el reclamo del cliente y darle una solución o una fecha.",
    "question_left_open": "Responder la última pregunta del cliente antes de cerrar el chat.",
    "rude_words": "Cuidar el tono: evitar frases que suenen a reproche.",
    "long_wait": "Responder antes: el cliente esperó más de dos horas.",
    "nothing_concrete": "Dar una respuesta concreta y decir cuál es el siguiente paso.",
    "no_courtesy": "Saludar al cliente y despedirse con cortesía.",
}


def judge(
    conversation: Conversation, customer: Sequence[Evidence], agent: Sequence[Evidence], mood: str
) -> Effectiveness:
    """Scores and advice for one chat, with the evidence by name; no words of the chat."""
    found = {*_of_the_end(conversation, customer, mood), *_of_the_agent(conversation, agent)}
    return Effectiveness(
        resolution_score=next((score for name, score in RESOLUTION.items() if name in found), None),
        customer_satisfaction=next((score for name, score in SATISFACTION.items() if name in found), None),
        recommendations=tuple(text for name, text in ADVICE.items() if name in found)[:MAX_ADVICE],
        evidence={
            "resolution_details": {"evidence": [name for name in RESOLUTION if name in found]},
            "sentiment_analysis": {"sentiment": mood, "evidence": [name for name in SATISFACTION if name in found]},
            "analyzed_messages": len(conversation.messages),
        },
    )


def _of_the_end(conversation: Conversation, customer: Sequence[Evidence], mood: str) -> set[str]:
    """How it ended for the customer."""
    if not customer:
        return set()
    found = set()
    answered = any(message.text.strip() for message in conversation.agent)
    if mood == "FRICTION":
        found.add("complaint_not_settled")
        if sum(one.weight("sentiment:FRICTION") for one in customer) >= sentiment.STRONG_COMPLAINT:
            found.add("strong_complaint")
    if not answered:
        return found | ({"nobody_answered"} if _wants_something(conversation, customer) else set())
    if conversation.messages[-1].incoming and quality.asks(conversation.messages[-1].text):
        found.add("question_left_open")
    if mood != "FRICTION" and _ends_after_an_answer(conversation):
        found |= _thanks(customer[-1].weight("sentiment:POSITIVE"))
    return found


def _of_the_agent(conversation: Conversation, agent: Sequence[Evidence]) -> set[str]:
    """What the agent did, or did not."""
    if not agent:
        return set()
    by_label = {label for one in agent for label in one.found}
    found = {"concrete_answer" if "agent:concrete" in by_label else "nothing_concrete"}
    if "agent:rude" in by_label:
        found.add("rude_words")
    if "agent:courteous" not in by_label:
        found.add("no_courtesy")
    if (quality.longest_wait(conversation) or 0) > quality.SLOW:
        found.add("long_wait")
    return found


def _thanks(weight: float) -> set[str]:
    if weight >= sentiment.VERY_WARM:
        return {"very_warm_thanks", "warm_thanks_at_the_end"}
    if weight >= sentiment.WARM:
        return {"warm_thanks_at_the_end"}
    return {"thanks_at_the_end"} if weight > 0 else set()


def _wants_something(conversation: Conversation, customer: Sequence[Evidence]) -> bool:
    return any(one.asks for one in customer) or any(quality.asks(message.text) for message in conversation.customer)


def _ends_after_an_answer(conversation: Conversation) -> bool:
    """Whether the customer's last message came after something of the agent's."""
    last = max(place for place, message in enumerate(conversation.messages) if message.incoming)
    return any(not message.incoming for message in conversation.messages[:last])
