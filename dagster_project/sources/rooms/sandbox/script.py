"""Writes down what happens in one room: who comes and goes, who says what, and what becomes of it afterwards."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dagster_project.sources.rooms.sandbox import texts
from dagster_project.sources.rooms.sandbox.people import Person
from dagster_project.sources.rooms.steps import Event


class Script:
    """The events of a room, or of a chain of escalated rooms, in the order in which they are written.

    `fields` fill the texts' braces.
    """

    def __init__(self, rng: random.Random, fields: Mapping[str, str]) -> None:
        self.rng = rng
        self.fields = fields
        self.events: list[Event] = []
        self._last: dict[str, str] = {}  # by room: the last message of a person

    def note(self, at: datetime, kind: str, by: str | None, **fields: Any) -> None:
        """Write an event down."""
        self.events.append(Event(at, kind, by, fields))

    def create(self, at: datetime, creator: Person, organization: str, **fields: Any) -> str:
        """A new room. Returns its id."""
        room = self.new_id()
        self.note(
            at, "room_created", creator.id, id=room, organization_id=organization, creator_id=creator.id, **fields
        )
        return room

    def join(self, at: datetime, room: str, person: Person, role: str = "member", by: str | None = None) -> None:
        """Somebody joins, or comes back. Whoever steers a room may invite others."""
        steers = {"can_invite_others": True} if role == "moderator" else {}
        self.note(at, "participant_joined", by or person.id, room_id=room, user_id=person.id, role=role, **steers)

    def leave(self, at: datetime, room: str, person: Person) -> None:
        """Somebody leaves."""
        self.note(at, "participant_left", person.id, room_id=room, user_id=person.id)

    def read(self, at: datetime, room: str, person: Person) -> None:
        """Somebody has seen what was written until now."""
        self.note(at, "messages_read", person.id, room_id=room, user_id=person.id)

    def system(self, at: datetime, room: str, sender: Person, text: str, **fields: str) -> None:
        """A line that the system writes in somebody's name."""
        content = text.format_map({**self.fields, **fields})
        self._post(at, room, sender, content, message_type="system", delivery_status="delivered")

    def say(self, at: datetime, room: str, sender: Person, text: str, *, plain: bool = False) -> str:
        """A person writes: now and then with a file, to another message, later corrected or taken back.

        Args:
            plain: nothing of that, and delivered for sure.

        Returns:
            the message's id.
        """
        rng, content = self.rng, text.format_map(self.fields)
        if plain:
            return self._post(at, room, sender, content, delivery_status="delivered")
        draw = rng.random()
        if draw < 0.07:
            return self.send_file(at, room, sender)
        status = "failed" if draw > 0.994 else "batch-delay" if draw > 0.98 else "delivered"
        more: dict[str, Any] = {"delivery_status": status}
        if draw < 0.075 and sender.post not in ("guest", "registered"):
            more["message_type"] = "graph"
        if (before := self._last.get(room)) and rng.random() < 0.08:
            more["reply_to_message_id"] = before
            if rng.random() < 0.3:
                more["thread_id"] = before
        message = self._post(at, room, sender, content, **more)
        self._last[room] = message
        self._after(at, message, sender, content)
        return message

    def send_file(self, at: datetime, room: str, sender: Person) -> str:
        """A message with a file. Returns its id."""
        rng = self.rng
        name, mime, size = texts.FILES[int(rng.random() ** 1.5 * len(texts.FILES))]
        name = name.format_map(self.fields)
        kind = "image" if mime.startswith("image/") else "file"
        message = self._post(at, room, sender, name, message_type=kind, delivery_status="delivered")
        file = self.new_id()
        thumbnail = f"https://files.example.test/{file}.png"
        seen = {"thumbnail_url": thumbnail, "preview_available": True} if kind == "image" else {}
        self.note(
            at,
            "file_attached",
            sender.id,
            id=file,
            message_id=message,
            file_manager_file_id=self.new_id(),
            original_filename=name,
            file_size=int(size * (0.3 + 1.4 * rng.random())),
            mime_type=mime,
            owner_id=sender.id,
            **seen,
        )
        if rng.random() < 0.06:
            self.note(at + self.after(3600), "file_deleted", sender.id, id=file)
        return message

    def robot_says(
        self, at: datetime, room: str, robot: Person, text: str, to: str | None, *, seen: bool = True
    ) -> str:
        """A robot writes: its message streams, and is delivered a moment later. `seen`: guests can read it."""
        message = self._post(
            at,
            room,
            robot,
            text.format_map(self.fields),
            message_type="robot",
            robot_id=robot.robot_id,
            robot_response_to=to,
            is_robot_visible_to_guests=seen,
            delivery_status="streaming",
        )
        done = at + timedelta(seconds=0.4 + self.rng.random() * 2)
        self.note(done, "message_delivered", robot.id, id=message, delivery_status="delivered")
        return message

    def new_id(self) -> str:
        """The next id of this script."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def after(self, mean_seconds: float) -> timedelta:
        """A time to wait, of this mean, a second or more."""
        return timedelta(seconds=1 + round(self.rng.expovariate(1 / mean_seconds), 3))

    def one_of(self, options: Sequence[str]) -> str:
        """One of some texts."""
        return options[int(self.rng.random() * len(options))]

    def _after(self, at: datetime, message: str, sender: Person, content: str) -> None:
        """What becomes of a message: corrected once or twice, taken back, or deleted for good by the firm."""
        draw = self.rng.random()
        if draw < 0.02:
            edited = at + self.after(60)
            self.note(edited, "message_edited", sender.id, id=message, content=f"{content} *")
            if draw < 0.006:
                edited += self.after(120)
                self.note(edited, "message_edited", sender.id, id=message, content=f"{content} **")
            if draw < 0.002:
                self.note(edited + self.after(3600), "message_purged", None, id=message)
        elif draw < 0.03:
            self.note(at + self.after(90), "message_deleted", sender.id, id=message)
        elif draw < 0.032:
            self.note(at + self.after(7200), "message_purged", None, id=message)

    def _post(self, at: datetime, room: str, sender: Person, content: str, **fields: Any) -> str:
        message = self.new_id()
        self.note(
            at, "message_posted", sender.id, id=message, room_id=room, sender_id=sender.id, content=content, **fields
        )
        return message
