"""What categorizing 1,000 chats by Claude would cost, estimated on the chats of a warehouse. Sends nothing.

    .venv/bin/b2chat exec .venv/bin/python benchmarks/ai_cost.py   # after `b2chat demo`: on the demo's chats

The requests are the ones that would be sent, with the prompt and the prices of this version; tokens are their signs
divided by 4 (low) and by 3 (high), as no tokenizer of Claude's runs offline, and an answer is 200 to 350 of them. In a
batch the cache is best effort: low has the prompt out of it, high writes it each time in vain.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Literal

import psycopg

from dagster_project.analysis import work
from dagster_project.analysis.claude.classifier import MAX_BYTES, MIN_BYTES, Blocked, ClaudeClassifier
from dagster_project.analysis.claude.prices import Usage
from dagster_project.analysis.conversation import Conversation
from dagster_project.analysis.personal import persons
from dagster_project.analysis.taxonomy import taxonomy

MODELS = ("claude-haiku-5-5", "claude-sonnet-5-5")
# Signs a token, tokens an answer.
LOW, HIGH = (MAX_BYTES, 200), (MIN_BYTES, 350)
CHANGED = 0.2  # of the chats, in the second month


@dataclass(frozen=True, slots=True)
class Request:
    """Signs of one request: what is the same in all, and what is the chat's own."""

    prompt: int
    schema: int
    chat: int


@dataclass(frozen=True, slots=True)
class Way:
    """A way to do it: without the cache; with the prompt out of it after the first request; or in a batch at half the
    price, where the cache may help (low) or be written each time in vain (high)."""

    name: str
    requests: Sequence[Request]
    kind: Literal["plain", "cached", "batch"]


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--chats", type=int, default=1000, help="chats to take, by the hash of their ids")
    count = arguments.parse_args().chats
    claudes = {model: _claude(model) for model in MODELS}
    with psycopg.connect(os.environ["DATABASE_URL"]) as conn:
        naive, ours, blocked = _requests(conn, claudes[MODELS[0]], count)
    scale = count / len(naive)
    changed = ours[: round(len(ours) * CHANGED)]
    ways = [
        Way("naive: a call a chat, whole text, no cache", naive, "plain"),
        Way("ours, one by one", ours, "cached"),
        Way("ours, as a batch", ours, "batch"),
        Way("second month, naive: all again", naive, "plain"),
        Way("second month, ours, 20 % changed, one by one", changed, "cached"),
        Way("second month, ours, 20 % changed, as a batch", changed, "batch"),
    ]
    print(
        f"{len(naive)} chats with the customer's words, {len(ours)} distinct requests, {blocked} not sent for "
        f"personal data; scaled to {count}. Prompt {ours[0].prompt:,} characters, schema {ours[0].schema:,}, "
        f"a chat {sum(one.chat for one in ours) / len(ours):,.0f} in the mean. Estimates: nothing was sent.\n"
    )
    print(
        "| way | requests | input tokens | of them cached | output tokens | "
        + " | ".join(f"{model}, USD" for model in MODELS)
        + " |\n|---|---:|---:|---:|---:|"
        + "---:|" * len(MODELS)
    )
    for way in ways:
        print(_row(way, claudes, scale))


def _claude(model: str) -> ClaudeClassifier:
    nobody: Any = SimpleNamespace(base_url="https://api.anthropic.com", messages=None)
    return ClaudeClassifier(nobody, taxonomy.load(), model=model)


def _requests(
    conn: psycopg.Connection, claude: ClaudeClassifier, count: int
) -> tuple[list[Request], list[Request], int]:
    """What would be sent for each chat naively and by us; and how many chats would not be sent."""
    ids = [
        row[0]
        for row in conn.execute(
            "select id from core.chats where not is_deleted and exists (select from core.messages as said "
            "where said.chat_id = chats.id and said.incoming) order by md5(id) limit %s",
            [count],
        )
    ]
    scope = work.scope(conn, "nobody", "")
    chats = [chat for chat in work.read_chats(conn, ids, scope, timedelta(0)) if chat.conversation.customer]
    known = persons.known(conn, ids)
    ours, blocked = {}, 0
    for chat in chats:
        try:
            prepared = claude.prepare(chat.conversation, known[chat.chat_id])
        except Blocked:
            blocked += 1
            continue
        sent = claude.parameters(prepared)
        schema = len(json.dumps(sent["output_config"]["format"]["schema"]))
        ours[prepared.key] = Request(len(sent["system"][0]["text"]), schema, len(sent["messages"][0]["content"]))
    naive = [Request(len(claude.prompt.system), schema, _signs(chat.conversation)) for chat in chats]
    return naive, list(ours.values()), blocked


def _signs(conversation: Conversation) -> int:
    """Signs of a whole chat in the form in which it is sent, not redacted and not cut."""
    lines = [
        {"de": "cliente" if one.incoming else "agente", "minuto": round(one.minutes or 0), "texto": one.text}
        for one in conversation.messages
    ]
    return len(json.dumps(lines, ensure_ascii=False)) + 130


def _row(way: Way, claudes: dict[str, ClaudeClassifier], scale: float) -> str:
    both = [_usages(way, claudes[MODELS[0]], is_low=is_low) for is_low in (True, False)]
    tokens = [
        (
            sum(one.all_input for one in usages),
            sum(one.cache_read_tokens for one in usages),
            sum(one.output_tokens for one in usages),
        )
        for usages in both
    ]
    cells = [_range(low * scale, high * scale, "{:,.0f}") for low, high in zip(*tokens, strict=True)]
    for claude in claudes.values():
        usd = [
            sum(claude.cost(one, batch=way.kind == "batch") for one in _usages(way, claude, is_low=is_low))
            for is_low in (True, False)
        ]
        cells.append(_range(usd[0] * scale, usd[1] * scale, "{:,.2f}"))
    return f"| {way.name} | {len(way.requests) * scale:,.0f} | {' | '.join(cells)} |"


def _usages(way: Way, claude: ClaudeClassifier, *, is_low: bool) -> list[Usage]:
    characters, answer = LOW if is_low else HIGH
    least = claude.prices.least_cached_tokens(claude.model, datetime.now(UTC).date())
    found = []
    for number, one in enumerate(way.requests):
        prompt, own = one.prompt // characters, (one.schema + one.chat) // characters
        if way.kind == "plain" or prompt < least:
            found.append(Usage(input_tokens=prompt + own, output_tokens=answer))
        elif number == 0 or (way.kind == "batch" and not is_low):
            found.append(Usage(input_tokens=own, cache_write_5m_tokens=prompt, output_tokens=answer))
        else:
            found.append(Usage(input_tokens=own, cache_read_tokens=prompt, output_tokens=answer))
    return found


def _range(low: float, high: float, form: str) -> str:
    shown = form.format(low), form.format(high)
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)


if __name__ == "__main__":
    main()
