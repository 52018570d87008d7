"""The messages of one chat, each with its second: bot or broadcast, the wait, the talk, what comes after."""

import random
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from dagster_project.sources import invented_texts as texts

_MEDIA = (("FILE", "pdf"), ("AUDIO", "ogg"), ("IMAGE", "jpg"), ("STICKER", "webp"), ("VIDEO", "mp4"))
_TEXT_SHARE = 0.78  # of the talk; with bots, waits and goodbyes it is 0.88 of all messages
_MEDIA_BOUNDS = (0.485, 0.785, 0.92, 0.99)
_DAY = 86400


class Message(NamedTuple):
    """One message; `at` in Unix seconds."""

    at: int
    incoming: bool
    broadcasted: bool
    type: str
    body: str | None
    caption: str | None


@dataclass(frozen=True, slots=True)
class Outline:
    """What a conversation is about. `kind` is bot, broadcast or direct; `fields` fill the texts' braces."""

    kind: str
    topic: texts.Topic
    fields: Mapping[str, str]
    length: int
    dirty_share: float


class Conversation:
    """Writes a chat's messages in the order of time. `messages` are those written so far."""

    def __init__(self, rng: random.Random, outline: Outline) -> None:
        self.messages: list[Message] = []
        self._rng = rng
        self._outline = outline
        self._unsaid: dict[bool, list[str]] = {True: [], False: []}

    @property
    def last_at(self) -> int:
        """The second of the last message."""
        return self.messages[-1].at

    def before(self, created: int) -> None:
        """What lies before the chat's creation: the bot's menu, or a broadcast that the customer answers."""
        rng, outline = self._rng, self._outline
        if outline.kind == "bot":
            count = min(14, max(2, round(outline.length * (0.25 + 0.4 * rng.random()))))
            gaps = [1 + int(rng.expovariate(1 / 15)) for _ in range(count)]
            at = created - sum(gaps)
            for position, gap in enumerate(gaps):
                incoming = position % 2 == 0
                self._say(at, incoming, (texts.BOT_PICKS if incoming else texts.BOT_LINES)[position // 2 % 6])
                at += gap
        elif outline.kind == "broadcast":
            at = created - int(600 * 280 ** rng.random())
            self._say(at, False, self._one_of(texts.BROADCASTS), broadcasted=True)

    def wait(self, created: int, until: int) -> None:
        """The customer writes, and nobody has answered before `until`."""
        rng = self._rng
        at = created
        self._say(at, True, self._one_of(self._outline.topic.openings))
        for _ in range(int(rng.random() * 3)):
            at += self._gap(20)
            if at >= until:
                return
            self._say(at, True, self._next_line(incoming=True))
        if until - at > 3600 and rng.random() < 0.4:
            self._say(at + int((until - at) * (0.2 + 0.7 * rng.random())), True, self._one_of(texts.NUDGES))

    def talk(self, responded: int, no_later_than: int) -> None:
        """From the first agent's answer to the goodbyes."""
        rng = self._rng
        self._say(responded, False, self._one_of(texts.GREETINGS))
        at, incoming = responded, False
        for _ in range(self._outline.length - len(self.messages) - 2):
            if rng.random() < 0.65:
                incoming = not incoming
            at += self._gap(70) if rng.random() < 0.985 else int(_DAY * (0.3 + rng.random()))
            if at > no_later_than:
                return
            self._say(at, incoming, self._next_line(incoming), media=True)
        if len(self.messages) < self._outline.length:
            self._say(at + self._gap(60), True, self._one_of(self._goodbyes()))
            self._say(self.last_at + self._gap(40), False, self._one_of(texts.FAREWELLS))

    def thank_late(self, closed: int) -> None:
        """A word of thanks after the chat was closed."""
        self._say(closed + self._gap(200), True, self._one_of(texts.THANKS))

    def poll(self, closed: int, answered: int | None) -> None:
        """The question that closing the chat sends, and the customer's mark where it is answered."""
        self._say(closed, False, texts.POLL_QUESTION)
        if answered is not None:
            self._say(answered, True, str(1 + int(5 * self._rng.random() ** 0.4)))
        self.messages.sort(key=lambda message: message.at)

    def _next_line(self, incoming: bool) -> str:
        """A line that this side has not said yet, until all are said and they begin anew."""
        unsaid = self._unsaid[incoming]
        if not unsaid:
            topic = self._outline.topic
            unsaid += topic.customer + texts.CUSTOMER_SMALL_TALK if incoming else topic.agent + texts.AGENT_SMALL_TALK
            self._rng.shuffle(unsaid)
        return unsaid.pop()

    def _say(self, at: int, incoming: bool, text: str, *, broadcasted: bool = False, media: bool = False) -> None:
        rng = self._rng
        if media and rng.random() > _TEXT_SHARE:
            self.messages.append(self._media(at, incoming))
            return
        body = text.format_map(self._outline.fields)
        if self._outline.dirty_share and rng.random() < self._outline.dirty_share:
            body = (f"{body}\0", f"{body} \ud83d", f"{body} " * (100_000 // len(body)))[int(rng.random() * 3)]
        self.messages.append(Message(at, incoming, broadcasted, "TEXT", body, None))

    def _media(self, at: int, incoming: bool) -> Message:
        rng = self._rng
        kind, extension = _MEDIA[bisect_right(_MEDIA_BOUNDS, rng.random())]
        url = f"https://files.example.test/{rng.getrandbits(64):016x}.{extension}"
        captioned = kind in ("FILE", "IMAGE", "VIDEO") and rng.random() < 0.25
        body = url if rng.random() > 0.005 else None
        return Message(at, incoming, False, kind, body, self._one_of(texts.CAPTIONS) if captioned else None)

    def _gap(self, mean_seconds: float) -> int:
        """Seconds to the next message; now and then none."""
        rng = self._rng
        return 0 if rng.random() < 0.008 else 1 + int(rng.expovariate(1 / mean_seconds))

    def _goodbyes(self) -> tuple[str, ...]:
        draw = self._rng.random() + (0.5 if self._outline.topic.tag == "Reclamo" else 0.0)
        return texts.THANKS if draw < 0.4 else texts.PLAIN_ENDS if draw < 0.88 else texts.COMPLAINTS

    def _one_of(self, options: tuple[str, ...]) -> str:
        return options[int(self._rng.random() * len(options))]
