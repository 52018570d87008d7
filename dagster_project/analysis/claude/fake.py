"""A fake of Claude on this machine: the same HTTP interface, answers by rules, every one named fake-claude-test.

It checks what the real one would refuse, and it can be told to fail. It charges nothing and leaves no row that could be
taken for Claude's: the model's name in each answer is its own.
"""

import itertools
import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.rules.classifier import RulesClassifier

MODEL = "fake-claude-test"
_NO_LABELS = ("reasoning_notes", "agent_quality_score", "confidence")
_CUSTOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHAT = re.compile(r"<chat_([0-9a-f]+)>\n(.*)\n</chat_\1>", re.DOTALL)


@dataclass
class FakeClaude:
    """The server's state, for whoever started it.

    Attributes:
        requests: bodies as they came, (path, JSON).
        faults: what the next requests get instead of an answer: (status, headers, body); a body of None closes the
            connection, of "hang" never answers, of "reset" closes it after the work is done, so that it is charged.
            None in their place lets a request pass.
        words: texts that must not be in any body; one that is makes the request fail with 400.
        batch_seconds: how long a batch is in progress.
        cut_results_at: bytes after which the next results break off.
        results: what the next fetches of results get in their place: a whole body, or a status.
        charged: requests that a real one would send a bill for.
    """

    url: str = ""
    requests: list[tuple[str, Any]] = field(default_factory=list)
    faults: deque[tuple[int, dict[str, str], Any] | None] = field(default_factory=deque)
    words: tuple[str, ...] = ()
    batch_seconds: float = 0
    cut_results_at: int | None = None
    results: deque[bytes | int] = field(default_factory=deque)
    charged: int = 0
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: RulesClassifier = field(default_factory=RulesClassifier)
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def running(port: int = 0, batch_seconds: float = 0) -> Iterator[FakeClaude]:
    """Serve on 127.0.0.1 until the block ends; port 0 picks a free one."""
    state = FakeClaude(batch_seconds=batch_seconds)
    handler = type("Handler", (_Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()


def results_of(batch: dict[str, Any]) -> bytes:
    """The file of a batch's results, a line each."""
    return "".join(json.dumps(line) + "\n" for line in batch["lines"]).encode()


def _asked_for(label: str | None, schema: dict[str, Any]) -> str | None:
    """The label of the rules; where the form does not know it, null if the form takes that, else its last one."""
    choices = [one["enum"] for one in schema.get("anyOf", [schema]) if "enum" in one]
    if label in choices[0] or "anyOf" in schema:
        return label if label in choices[0] else None
    return str(choices[0][-1])


class _Handler(BaseHTTPRequestHandler):
    state: FakeClaude
    protocol_version = "HTTP/1.1"
    _numbers = itertools.count(1)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(data) if data else {}
        self.state.requests.append((self.path, body))
        if self._failed_as_told():
            return
        fault = self._refusal(data.decode(), body)
        if fault:
            self._error(*fault)
        elif self.path == "/v1/messages":
            self._send(200, self._message(body))
        elif self.path == "/v1/messages/batches":
            self._send(200, self._new_batch(body["requests"]))
        else:
            self._error(404, "not_found_error", self.path)

    def do_GET(self) -> None:
        self.state.requests.append((self.path, None))
        if self._failed_as_told():
            return
        if self.path.partition("?")[0] == "/v1/messages/batches":
            newest = [self._batch(batch) for batch in reversed(self.state.batches.values())]
            self._send(200, {"data": newest, "has_more": False, "first_id": None, "last_id": None})
            return
        batch_id, _, results = self.path.removeprefix("/v1/messages/batches/").partition("/")
        batch = self.state.batches.get(batch_id)
        if not batch:
            self._error(404, "not_found_error", "batch")
        elif results and self.state.results:
            told = self.state.results.popleft()
            if isinstance(told, int):
                self._error(told, "not_found_error" if told == 404 else "api_error", "results")
            else:
                self._write(200, "application/x-jsonl", told)
        elif results:
            lines = results_of(batch)
            cut, self.state.cut_results_at = self.state.cut_results_at, None
            self._write(200, "application/x-jsonl", lines[:cut], length=len(lines))
            self.close_connection = cut is not None
        else:
            self._send(200, self._batch(batch))

    def log_message(self, *_: Any) -> None:
        """Bodies and addresses are no business of the log."""

    def _failed_as_told(self) -> bool:
        if not self.state.faults:
            return False
        fault = self.state.faults.popleft()
        if fault is None:
            return False
        status, headers, body = fault
        if status == 0 and body == "reset":
            self._work()
            self.close_connection = True
        elif status == 0 and body == "hang":
            self.state.released.wait(60)
            self.close_connection = True
        elif status == 0:
            self.close_connection = True
        else:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self._write(status, headers.pop("content-type", "application/json"), data, headers)
        return True

    def _refusal(self, text: str, body: dict[str, Any]) -> tuple[int, str, str] | None:
        if not self.headers.get("authorization", "").removeprefix("Bearer ").strip():
            return 401, "authentication_error", "no bearer"
        if not self.headers.get("anthropic-version"):
            return 400, "invalid_request_error", "no anthropic-version"
        if any(word in text for word in self.state.words):
            return 400, "invalid_request_error", "personal data"
        items = body.get("requests") or [{"custom_id": "one", "params": body}]
        ids = [item["custom_id"] for item in items]
        if len(set(ids)) < len(ids) or not all(_CUSTOM_ID.fullmatch(one) for one in ids):
            return 400, "invalid_request_error", "custom_id"
        for item in items:
            schema = item["params"].get("output_config", {}).get("format", {}).get("schema", {})
            if "temperature" in item["params"] or schema.get("additionalProperties") is not False:
                return 400, "invalid_request_error", "parameters"
        return None

    def _work(self) -> None:
        """What the last request asks for, without a word of it."""
        path, body = self.state.requests[-1]
        if path == "/v1/messages/batches":
            self._new_batch(body["requests"])
        elif path == "/v1/messages":
            self._message(body)

    def _message(self, body: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(self._answer(body), ensure_ascii=False)
        cached = len(body["system"][0]["text"]) // 4
        self.state.charged += 1
        return {
            "id": f"msg_fake_{next(self._numbers)}",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": len(body["messages"][-1]["content"]) // 4,
                "output_tokens": len(text) // 4,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": cached,
            },
        }

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        found = _CHAT.search(body["messages"][-1]["content"])
        form = body["output_config"]["format"]["schema"]["$defs"]["Categories"]["properties"]
        asked = {name: schema for name, schema in form.items() if name not in _NO_LABELS}
        lines = json.loads(found[2]) if found else []
        chat = Conversation(tuple(Message(one["de"] == "cliente", one["texto"], one["minuto"]) for one in lines))
        labels = self.state.rules.classify(chat)
        return {
            "categories": {
                "reasoning_notes": "Respuesta de prueba, no de Claude.",
                **{name: _asked_for(labels.labels.get(name), schema) for name, schema in asked.items()},
                "agent_quality_score": labels.agent_quality_score,
                "confidence": labels.confidence_score,
            },
            "effectiveness": {
                "resolution_score": 70 if chat.agent else 10,
                "customer_satisfaction": {"POSITIVE": 90, "FRICTION": 20}.get(labels.labels["sentiment"] or ""),
                "recommendations": [],
            },
        }

    def _new_batch(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        batch_id = f"msgbatch_fake_{next(self._numbers)}"
        lines = [
            {"custom_id": item["custom_id"], "result": {"type": "succeeded", "message": self._message(item["params"])}}
            for item in items
        ]
        self.state.batches[batch_id] = {"id": batch_id, "lines": lines, "created": datetime.now(UTC)}
        return self._batch(self.state.batches[batch_id])

    def _batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        ended = datetime.now(UTC) - batch["created"] >= timedelta(seconds=self.state.batch_seconds)
        count = len(batch["lines"])
        return {
            "id": batch["id"],
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {
                "processing": 0 if ended else count,
                "succeeded": count if ended else 0,
                "errored": 0,
                "canceled": 0,
                "expired": 0,
            }
            | batch.get("counts", {}),
            "created_at": batch["created"].isoformat(),
            "expires_at": (batch["created"] + timedelta(1)).isoformat(),
            "ended_at": batch["created"].isoformat() if ended else None,
            "archived_at": datetime.now(UTC).isoformat() if batch.get("archived") else None,
            "cancel_initiated_at": None,
            # The client asks this very address, so it has to be ours.
            "results_url": f"{self.state.url}/v1/messages/batches/{batch['id']}/results"
            if ended and not batch.get("archived")
            else None,
        }

    def _error(self, status: int, kind: str, message: str) -> None:
        self._send(status, {"type": "error", "error": {"type": kind, "message": message}})

    def _send(self, status: int, body: Any) -> None:
        self._write(status, "application/json", json.dumps(body, ensure_ascii=False).encode())

    def _write(
        self, status: int, kind: str, data: bytes, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data) if length is None else length))
        self.send_header("request-id", f"req_fake_{next(self._numbers)}")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
