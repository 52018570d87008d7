"""What the marts must say of rooms, worked out in plain Python from the books of the made-up firm, one room at a time.

Nothing of it is read from the database or shared with the models: sides, instants, turns, levels and outcomes follow
docs/rooms.md and docs/decisions.md anew.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from dagster_project.sources.rooms.ledger import Ledger

Row = dict[str, Any]
LEVELS = ("T1", "T2", "T3", "manager")


@dataclass
class Conversation:
    """A support room with those that it was escalated to: its rows, and what follows from them."""

    root: Row
    rooms: list[Row] = field(default_factory=list)
    seats: list[Row] = field(default_factory=list)
    messages: list[Row] = field(default_factory=list)  # counted ones, by time
    interactions: list[Row] = field(default_factory=list)
    escalations: list[Row] = field(default_factory=list)
    closings: dict[str, list[datetime]] = field(default_factory=dict)  # by room: when it stopped being active
    conclusions: dict[str, Row] = field(default_factory=dict)
    first_joined: dict[str, datetime] = field(default_factory=dict)
    robots: frozenset[str] = frozenset()

    @cached_property
    def customers(self) -> set[str]:
        """Guests; where there is none, whoever opened the room."""
        return {seat["user_id"] for seat in self.seats if seat["role"] == "guest"} or {self.root["creator_id"]}

    @cached_property
    def agents(self) -> set[str]:
        """People who take part and are not the customer."""
        taking_part = {seat["user_id"] for seat in self.seats if seat["role"] in ("member", "moderator")}
        return taking_part - self.customers - self.robots

    def said_by(self, people: set[str] | frozenset[str]) -> list[Row]:
        """The counted messages of some people."""
        return [message for message in self.messages if message["sender_id"] in people]

    @cached_property
    def is_begun_by_robot(self) -> bool:
        """Whether a robot spoke before any agent. What guests cannot see is no word to them."""
        robot = [message for message in self.said_by(self.robots) if message["is_robot_visible_to_guests"]]
        agent = self.said_by(self.agents)
        return bool(robot) and (not agent or robot[0]["created_at"] < agent[0]["created_at"])

    @cached_property
    def handed_over_at(self) -> datetime | None:
        """When the robot first gave the room up; where it never said so, when the first agent came after it."""
        told = [one["completed_at"] for one in self.interactions if one["is_handover"]]
        return min(told, default=None) or self.agent_joined_at

    @cached_property
    def agent_joined_at(self) -> datetime | None:
        """When the first agent came in."""
        return min((self.first_joined[agent] for agent in self.agents if agent in self.first_joined), default=None)

    @cached_property
    def opened_at(self) -> datetime | None:
        """When the customer began to wait for a person; None while the robot has the room."""
        return self.handed_over_at if self.is_begun_by_robot else self.root["created_at"]

    @cached_property
    def picked_up_at(self) -> datetime | None:
        """When a person had it."""
        if self.opened_at is None or self.agent_joined_at is None:
            return None
        return max(self.opened_at, self.agent_joined_at)

    @cached_property
    def responded_at(self) -> datetime | None:
        """The first word of a person at or after the pick-up."""
        said = [message["created_at"] for message in self.said_by(self.agents)]
        return next((at for at in said if self.picked_up_at and at >= self.picked_up_at), None)

    @cached_property
    def closed_at(self) -> datetime | None:
        """When the last of its rooms was closed for good; None while one is active."""
        left_for = {one["source_room_id"] for one in self.escalations if one["target_room_id"]}
        last = []
        for room in self.rooms:
            if room["status"] == "active":
                if room["id"] not in left_for:
                    return None
            else:
                last.append(max(self.closings[room["id"]]))
        return max(last)

    def seconds(self) -> dict[str, float | None]:
        """The times of the conversation."""
        spans = {
            "pickup_seconds": (self.opened_at, self.picked_up_at),
            "first_response_seconds": (self.opened_at, self.responded_at),
            "response_seconds": (self.root["created_at"], self.responded_at),
            "resolution_seconds": (self.opened_at, self.closed_at),
            "handling_seconds": (self.picked_up_at, self.closed_at),
        }
        return {name: seconds_between(*span) for name, span in spans.items()}

    def turns(self) -> Iterator[tuple[datetime, datetime, datetime]]:
        """Each answered turn of the customer: its first message, its last, and the person's word that answers it."""
        if self.picked_up_at is None:
            return
        waiting: list[datetime] = []
        for message in self.messages:
            if message["sender_id"] in self.customers:
                waiting.append(message["created_at"])
            elif message["sender_id"] in self.agents and waiting and message["created_at"] >= self.picked_up_at:
                yield waiting[0], waiting[-1], message["created_at"]
                waiting = []

    @property
    def handled_by(self) -> str:
        """robot, human, robot_then_human or nobody."""
        if not self.said_by(self.agents) and self.picked_up_at is None:
            return "robot" if self.is_begun_by_robot else "nobody"
        return "robot_then_human" if self.is_begun_by_robot else "human"

    @property
    def robot_outcome(self) -> str | None:
        """What came of a room that began with a robot: handed_over, contained, lapsed or open; None for others."""
        if not self.is_begun_by_robot:
            return None
        if any(one["is_handover"] for one in self.interactions) or self.agent_joined_at:
            return "handed_over"
        end = self.conclusions.get(self.root["id"])
        if self.root["status"] == "active" or end is None:
            return "open"
        by_them = end["concluded_by_user_id"] in self.robots | self.customers
        return "contained" if end["outcome"] == "resolved" and by_them else "lapsed"


def conversations(ledger: Ledger) -> dict[str, Conversation]:
    """All support conversations of the books, by the id of their root room."""
    rooms = [row for row in ledger.rows["chat_rooms"].values() if row["room_type"] in ("support", "escalated")]
    found = {row["id"]: Conversation(row) for row in rooms if row["parent_room_id"] is None}
    chain = {row["id"]: found[row["root_room_id"]] for row in rooms}
    robots = frozenset(row["id"] for row in ledger.rows["users"].values() if row["account_type_informal"] == "robot")
    for conversation in found.values():
        conversation.robots = robots
    for row in rooms:
        chain[row["id"]].rooms.append(row)
    for image in ledger.history["chat_rooms"]:
        if image["id"] in chain and image["status"] == "active" and "status" in (image["changed_columns"] or ()):
            chain[image["id"]].closings.setdefault(image["id"], []).append(image["changed_at"])
    for row in ledger.rows["room_participants"].values():
        if conversation := chain.get(row["room_id"]):
            conversation.seats.append(row)
            _keep_first(conversation.first_joined, row["user_id"], row["created_at"])
    for row in sorted(ledger.rows["messages"].values(), key=lambda row: (row["created_at"], row["id"])):
        is_counted = row["delivery_status"] in ("delivered", "batch-delay") and row["deleted_at"] is None
        if row["room_id"] in chain and is_counted and row["message_type"] != "system":
            chain[row["room_id"]].messages.append(row)
    for row in ledger.rows["robot_interactions"].values():
        message = ledger.rows["messages"].get((row["message_id"],))
        if message and message["room_id"] in chain:
            chain[message["room_id"]].interactions.append(row)
    for row in sorted(ledger.rows["escalations"].values(), key=lambda row: row["created_at"]):
        chain[row["source_room_id"]].escalations.append(row)
    for row in ledger.rows["conversation_conclusions"].values():
        if conversation := chain.get(row["room_id"]):
            conversation.conclusions[row["room_id"]] = row
    return found


def escalation_times(ledger: Ledger) -> dict[str, dict[str, float | None]]:
    """Of each escalation: seconds from its creation to its assignment, and from there to its beginning."""
    entered: dict[str, dict[str, datetime]] = defaultdict(dict)
    images = defaultdict[str, list[Row]](list)
    for image in ledger.history["escalations"]:
        images[image["id"]].append(image)
    for row in ledger.rows["escalations"].values():
        states = [*sorted(images[row["id"]], key=lambda image: image["changed_at"]), row]
        for before, after in itertools.pairwise(states):
            if after["status"] != before["status"]:
                entered[row["id"]].setdefault(after["status"], before["changed_at"])
    return {
        row["id"]: {
            "assign_seconds": seconds_between(row["created_at"], entered[row["id"]].get("assigned")),
            "start_seconds": seconds_between(entered[row["id"]].get("assigned"), entered[row["id"]].get("in_progress")),
        }
        for row in ledger.rows["escalations"].values()
    }


def stints(ledger: Ledger, room: str, user: str) -> list[tuple[datetime, datetime | None]]:
    """When somebody was in a room, from coming to going; None: still there."""
    row = ledger.rows["room_participants"][room, user]
    images = [one for one in ledger.history["room_participants"] if (one["room_id"], one["user_id"]) == (room, user)]
    spans: dict[datetime, datetime | None] = {}
    for state in [*sorted(images, key=lambda image: image["changed_at"]), row]:
        spans[state["joined_at"]] = state["left_at"]
    return sorted(spans.items())


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from one instant to another; None where either is missing, or they are in the wrong order."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()


def _keep_first(found: dict[str, datetime], name: str, at: datetime) -> None:
    found[name] = min(at, found.get(name, at))
