"""A conversation as a classifier sees it: who wrote what, and when; no names, no ids of persons."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        incoming: whether the customer wrote it.
        text: its words; for media a placeholder such as "[imagen]".
        minutes: minutes since the chat's first message; None where the time is unknown.
    """

    incoming: bool
    text: str
    minutes: float | None = None


def clean(text: str) -> str:
    """A text without what neither HTTP nor Postgres can hold: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="ignore").decode()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat's messages, oldest first."""

    messages: tuple[Message, ...]

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "Conversation":
        """From a labelled record: `messages` (incoming, text, minutes), or `text`, one message of the customer.

        Raises:
            ValueError: it has neither, or a message without `incoming` or `text`.
        """
        if isinstance(record.get("text"), str):
            return cls((Message(True, record["text"], 0.0),))
        messages = record.get("messages")
        if not isinstance(messages, list):
            raise ValueError("has neither text nor a list of messages")
        return cls(tuple(_message(number, one) for number, one in enumerate(messages)))

    def cut(self, longest: int) -> "Conversation":
        """The same with the first `longest` characters of each message."""
        if all(len(message.text) <= longest for message in self.messages):
            return self
        return Conversation(tuple(replace(message, text=message.text[:longest]) for message in self.messages))

    @property
    def customer(self) -> tuple[Message, ...]:
        """What the customer wrote."""
        return tuple(message for message in self.messages if message.incoming)

    @property
    def agent(self) -> tuple[Message, ...]:
        """What was written to the customer."""
        return tuple(message for message in self.messages if not message.incoming)


def _message(number: int, one: Any) -> Message:
    if not isinstance(one, dict) or not isinstance(one.get("incoming"), bool) or not isinstance(one.get("text"), str):
        raise ValueError(f"messages[{number}] needs incoming (true or false) and text")
    minutes = one.get("minutes")
    return Message(one["incoming"], one["text"], float(minutes) if minutes is not None else None)
