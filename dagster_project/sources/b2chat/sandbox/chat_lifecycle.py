"""The life of one chat, from its creation to its poll, and what the API shows of it at an instant."""

import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from dagster_project.sources.b2chat.sandbox.account import Account
from dagster_project.sources.b2chat.sandbox.conversation import Conversation, Message, Outline
from dagster_project.sources.b2chat.sandbox.directory import Contact, Contacts, Staff, department_label
from dagster_project.sources.b2chat.sandbox.source import Record
from dagster_project.sources.invented_arrivals import ArrivalProcess
from dagster_project.sources.invented_texts import TOPICS, Topic

ALIAS = "Sandbox Inmobiliaria Ejemplo"
NEVER = 2**62
MAX_RESPONSE_SECONDS = 1_550_900
MAX_OPEN_SECONDS = 20 * 86400

# First response, seconds at cumulative shares; between two points the logarithm grows evenly. With the waits for
# the morning this comes near the account that was measured: median 2,096, p90 141,594, mean 50,679.
_RESPONSE_SHARES = (0.0, 0.5, 0.9, 0.97, 1.0)
_RESPONSE_SECONDS = (5, 2_070, 118_000, 265_000, MAX_RESPONSE_SECONDS)

_TOPIC_BOUNDS = [weight / 100 for weight in accumulate(topic.weight for topic in TOPICS)]
_PROJECTS = ("El Bosque", "Majagua", "La Colina")
_HOUR, _DAY = 3600, 86400


@dataclass(slots=True)
class ChatLifecycle:
    """All that will ever happen to one chat. Instants are Unix seconds, NEVER where a thing does not happen."""

    chat_id: str
    viewer_key: str
    contact: Contact
    provider: str
    department: object
    agent: Record
    agent_available: bool
    tags: list[str]
    created: int
    opened: int
    picked_up: int = NEVER
    responded: int = NEVER
    closed: int = NEVER
    poll_ends: int = NEVER
    poll_offered: bool = False
    poll_answered: bool = False
    broadcast_vanishes: int = NEVER
    messages: list[Message] = field(default_factory=list)

    def status(self, now: int) -> str:
        """B2Chat's name for the state that the chat is in at `now`."""
        if now >= self.closed:
            if not self.poll_offered:
                return "CLOSED"
            if now < self.poll_ends:
                return "COMPLETING_POLL"
            return "COMPLETED_POLL" if self.poll_answered else "ABANDONED_POLL"
        if now >= self.responded:
            return "RESPONDED_BY_AGENT"
        if now >= self.picked_up:
            return "PICKED_UP"
        return "OPENED" if now >= self.opened else "BOT_CHATTING"

    def record(self, now: int, local: Callable[[int], str]) -> Record:
        """The chat as the export shows it at `now`; `local` writes an instant as the account's local time."""

        def seen(instant: int) -> str | None:
            return local(instant) if instant <= now else None

        messages = self.messages
        if messages and (messages[-1].at > now or self.broadcast_vanishes <= now):
            gone = self.broadcast_vanishes <= now
            messages = [message for message in messages if message.at <= now and not (gone and message.broadcasted)]
        return {
            "agent": self.agent if now >= self.picked_up else None,
            "alias": ALIAS,
            "chat_id": self.chat_id,
            "closed_at": seen(self.closed),
            "contact": {
                "custom_attributes": None,
                "email": self.contact.email,
                "id": self.contact.contact_id,
                "identification": self.contact.identification,
                "mobile_number": self.contact.mobile,
                "name": self.contact.name,
                "phone_number": self.contact.landline,
                "tags": None,
            },
            "created_at": local(self.created),
            "department": self.department,
            "duration": _duration(self.closed - self.opened) if now >= self.closed else None,
            "is_agent_available": self.agent_available,
            "messages": [
                {
                    "body": message.body,
                    "broadcasted": message.broadcasted,
                    "caption": message.caption,
                    "created_at": local(message.at),
                    "incoming": message.incoming,
                    "location": None,
                    "type": message.type,
                }
                for message in messages
            ],
            "opened_at": seen(self.opened),
            "picked_up_at": seen(self.picked_up),
            "provider": self.provider,
            "responded_at": seen(self.responded),
            "status": self.status(now),
            "tags": self.tags if now >= self.closed else [],
            "viewer_url": f"https://viewer.example.test/{self.chat_id}/{self.viewer_key}",
        }


@dataclass(slots=True)
class Start:
    """The first draws of a chat, enough to tell its provider and its contact."""

    number: int
    rng: random.Random
    created: int
    silent: bool
    contact: Contact

    @property
    def provider(self) -> str:
        """Agents start chats on WhatsApp; customers write where they are."""
        return "WHATSAPPB2CHAT" if self.silent else self.contact.channel


class ChatLifecycles:
    """Makes the account's chats, each from its number alone."""

    def __init__(
        self, account: Account, arrivals: ArrivalProcess, contacts: Contacts, local_hour: Callable[[int], int]
    ):
        self._account = account
        self._arrivals = arrivals
        self._contacts = contacts
        self._staff = Staff(account)
        self._local_hour = local_hour

    def start(self, number: int) -> Start:
        """The first draws of chat `number`."""
        rng, created = self._arrivals.draw(number)
        silent = rng.random() < self._account.silent_share
        contact = self._contacts.contact(self._contacts.number_in_chat(number, rng))
        return Start(number, rng, created, silent, contact)

    def life(self, start: Start) -> ChatLifecycle:
        """The whole life that follows from `start`."""
        rng = start.rng
        topic = TOPICS[bisect_right(_TOPIC_BOUNDS, rng.random() * 0.999)]
        hour = self._local_hour(start.created)
        agent = self._staff.pick(topic.department, hour, rng)
        life = ChatLifecycle(
            chat_id=_uuid(rng, start.number),
            viewer_key=_uuid(rng, rng.getrandbits(32)),
            contact=start.contact,
            provider=start.provider,
            department=department_label(topic.department, rng),
            agent=agent,
            agent_available=7 <= hour < 20 or rng.random() < 0.1,
            tags=[topic.tag] * (rng.random() < 0.3),
            created=start.created,
            opened=start.created,
        )
        if start.silent:
            self._live_silently(life, rng)
        else:
            self._live_talking(life, rng, topic)
        return life

    def _live_silently(self, life: ChatLifecycle, rng: random.Random) -> None:
        """An agent writes first; the export has the chat's times and none of its messages."""
        life.picked_up = life.opened
        if rng.random() > 0.03:
            life.responded = self._responded(life.opened, rng)
        if rng.random() < self._account.never_closed_share:
            return
        _close(life, rng, after=life.responded if life.responded < NEVER else life.opened)
        if rng.random() < 0.05:
            _offer_poll(life, rng)

    def _live_talking(self, life: ChatLifecycle, rng: random.Random, topic: Topic) -> None:
        draw = rng.random()
        kind = "bot" if draw < 0.6 else "broadcast" if draw < 0.75 else "direct"
        stuck = rng.random() < self._account.never_closed_share
        talk = Conversation(rng, self._outline(life, rng, kind, topic))
        talk.before(life.created)
        life.messages = talk.messages
        if kind == "broadcast" and rng.random() < 0.02:
            life.broadcast_vanishes = life.created + _DAY
        if kind == "bot" and rng.random() < (0.8 if stuck else 0.35):
            life.opened = NEVER if stuck else life.created + 20 + int(rng.expovariate(1 / 600))
            if stuck:
                return
        answered = rng.random() > 0.08
        if answered:
            life.responded = self._responded(life.opened, rng)
            life.picked_up = life.opened + int((life.responded - life.opened) * rng.random() ** 2)
            talk.wait(life.opened, until=life.responded)
            talk.talk(life.responded, no_later_than=life.opened + MAX_OPEN_SECONDS - _DAY)
        else:
            talk.wait(life.opened, until=life.opened + 4 * _HOUR)
            if rng.random() < 0.5:
                life.picked_up = life.opened + int(rng.expovariate(1 / _HOUR))
        if stuck:
            return
        _close(life, rng, after=talk.last_at if life.picked_up == NEVER else max(talk.last_at, life.picked_up))
        if answered and rng.random() < 0.04:
            talk.thank_late(life.closed)
        if answered and rng.random() < 0.25:
            _offer_poll(life, rng)
            talk.poll(life.closed, life.poll_ends if life.poll_answered else None)

    def _outline(self, life: ChatLifecycle, rng: random.Random, kind: str, topic: Topic) -> Outline:
        mean = self._account.messages_per_chat
        name = life.contact.name.split()[0].capitalize()
        fields = {
            "proyecto": _PROJECTS[int(rng.random() * 3)],
            "nombre": name,
            "asesor": life.agent["name"].split()[0],
            "valor": f"${60 + int(rng.random() * 240)}.000.000",
            "cuota": f"${400_000 + int(rng.random() * 440) * 5_000:,}".replace(",", "."),
            "lote": f"lote {1 + int(rng.random() * 180)}",
            "fecha": f"{1 + int(rng.random() * 28)} del próximo mes",
        }
        length = 1 + int(rng.expovariate(1 / mean))
        return Outline(kind, topic, fields, length, self._account.dirty_share)

    def _responded(self, opened: int, rng: random.Random) -> int:
        """The second of the first response. A slow one that would fall in the night waits for the morning."""
        seconds = _first_response_seconds(rng.random())
        if seconds > 900:
            hour = self._local_hour(opened + seconds)
            if hour < 7 or hour >= 21:
                seconds += (7 - hour) % 24 * _HOUR + int(rng.random() * _HOUR)
        return opened + min(seconds, MAX_RESPONSE_SECONDS)


def _first_response_seconds(share: float) -> int:
    upper = bisect_right(_RESPONSE_SHARES, share)
    low, high = _RESPONSE_SECONDS[upper - 1 : upper + 1]
    start, end = _RESPONSE_SHARES[upper - 1 : upper + 1]
    return int(low * (high / low) ** ((share - start) / (end - start)))


def _close(life: ChatLifecycle, rng: random.Random, *, after: int) -> None:
    """Close soon after the last event, or the next day, or when somebody tidies up: at most 20 days open."""
    draw = rng.random()
    if draw < 0.45:
        lag = 60 + int(rng.expovariate(1 / 900))
    elif draw < 0.8:
        lag = _HOUR + int(rng.random() * 20 * _HOUR)
    else:
        lag = int(_DAY * 20 ** rng.random())
    life.closed = max(after, min(after + lag, life.opened + MAX_OPEN_SECONDS))


def _offer_poll(life: ChatLifecycle, rng: random.Random) -> None:
    life.poll_offered = True
    life.poll_answered = rng.random() < 0.45
    life.poll_ends = life.closed + (30 + int(rng.expovariate(1 / 900)) if life.poll_answered else _DAY)


def _uuid(rng: random.Random, head: int) -> str:
    """A random UUID that starts with `head`: chats made in one second sort by their number."""
    bits = f"{rng.getrandbits(96):024x}"
    return f"{head & 0xFFFFFFFF:08x}-{bits[:4]}-4{bits[5:8]}-a{bits[9:12]}-{bits[12:]}"


def _duration(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"{day:02d}:{hour:02d}:{minute:02d}:{second:02d}"
