"""The account's people: agents in departments, and contacts that come back. All of them are invented."""

import random
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from dagster_project.sources.b2chat.sandbox.account import Account
from dagster_project.sources.b2chat.sandbox.source import Record
from dagster_project.sources.invented_arrivals import ArrivalProcess
from dagster_project.sources.invented_people import FIRST_NAMES, LAST_NAMES, STAFF_NAMES, login_of

DEPARTMENTS = ("Ventas", "Cartera ", "Trámites y Escrituración", "Servicio al Cliente ", "Postventa")
DEPARTMENT_CODES = ("VEN", "CAR", "TRA", "SAC", "POS")
SHIFTS = ((7, 15), (9, 18), (12, 21))
_HOME_DEPARTMENTS = (0, 1, 2, 3, 4, 0, 1, 0, 2, 4, 0, 3, 1, 0, 0, 2, 1, 0, 3, 4)

_CITIES = ("", "", "", "Bogotá", "Medellín", "Rionegro", "Cali", "Pereira", "Villavicencio", "Barranquilla")
_COMPANIES = ("", "", "", "", "", "", "", "Independiente", "Transportes de Ejemplo SAS", "Colegio de Ejemplo")
_TAGS = ("VIP", "Prospecto", "Cliente", "Inversionista", "Referido", "En mora", "Escriturado", "No contactar")
_ATTRIBUTES = (
    ("proyecto", ("El Bosque", "Majagua", "La Colina")),
    ("origen", ("Instagram", "Feria inmobiliaria", "Referido", "Página web", "Valla")),
    ("presupuesto", ("Hasta 150 millones", "150 a 250 millones", "Más de 250 millones")),
    ("asesor", STAFF_NAMES[:5]),
)
_CHANNELS = ("WHATSAPPB2CHAT", "LIVECHAT", "FACEBOOK", "TELEGRAM", "B2CBOTAPI", "INSTAGRAM")
_CHANNEL_BOUNDS = (0.70, 0.80, 0.88, 0.93, 0.985)
_HOUR, _DAY = 3600, 86400
MAX_CHANGE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Contact:
    """What never changes about a contact, and so what chats show of it."""

    contact_id: int
    name: str
    mobile: str
    email: str
    landline: str
    identification: str
    channel: str

    def mentions(self, lookup: str) -> bool:
        """Whether lower-case `lookup` is part of the id, name, mobile or e-mail."""
        return any(lookup in text.lower() for text in (str(self.contact_id), self.name, self.mobile, self.email))


class Contacts:
    """The account's contacts, numbered by their first chat. Two chats in five bring a new one."""

    def __init__(self, account: Account, arrivals: ArrivalProcess) -> None:
        self._seed = account.seed
        self._arrivals = arrivals

    @staticmethod
    def known_before(chat_number: int) -> int:
        """How many contacts the chats before `chat_number` have brought."""
        return (chat_number * 2 + 4) // 5

    @staticmethod
    def first_chat(number: int) -> int:
        """The number of the chat that brings contact `number`."""
        return number * 5 // 2

    def number_in_chat(self, chat_number: int, rng: random.Random) -> int:
        """Whose chat it is: a new contact's, or one's who came before, a recent one more likely."""
        known = self.known_before(chat_number)
        if self.known_before(chat_number + 1) > known:
            return known
        return known - 1 - int(known * rng.random() ** 2)

    def contact(self, number: int) -> Contact:
        """Contact `number`."""
        return _contact(number, self._rng(number))

    def first_seen(self, number: int) -> int:
        """The Unix second in which contact `number` is created."""
        return self._arrivals.draw(self.first_chat(number))[1]

    def profile(self, number: int, now: int) -> "Profile":
        """The whole of contact `number`, as it is at the Unix second `now`."""
        rng = self._rng(number)
        return _profile(_contact(number, rng), rng, self.first_seen(number), now)

    def _rng(self, number: int) -> random.Random:
        return random.Random(f"{self._seed}:contact:{number}")


@dataclass(frozen=True, slots=True)
class Profile:
    """A contact as the contacts export shows it. Times are Unix seconds."""

    contact: Contact
    created: int
    updated: int
    address: str
    city: str
    company: str
    tags: list[Record]
    custom_attributes: list[Record]


class Staff:
    """The agents: who of a department is on duty at which hour."""

    def __init__(self, account: Account) -> None:
        homes = _HOME_DEPARTMENTS[: account.agents]
        roster = [
            (home, SHIFTS[homes[:number].count(home) % len(SHIFTS)], _agent(STAFF_NAMES[number]))
            for number, home in enumerate(homes)
        ]
        self._on_duty = [
            [
                [agent for home, (start, end), agent in roster if home == department and start <= hour < end]
                or [agent for home, _, agent in roster if home == department]
                for hour in range(24)
            ]
            for department in range(len(DEPARTMENTS))
        ]

    def pick(self, department: int, hour: int, rng: random.Random) -> Record:
        """One of the department's agents whose shift holds the local `hour`; any of them where no shift does."""
        on_duty = self._on_duty[department][hour]
        return on_duty[int(rng.random() * len(on_duty))]


def department_label(department: int, rng: random.Random) -> Any:
    """A department as chats name it: a string, null for one chat in eight, and rarely an object."""
    draw = rng.random()
    if draw < 0.125:
        return None
    if draw < 0.13:
        return {"name": DEPARTMENTS[department].strip(), "code": DEPARTMENT_CODES[department]}
    return DEPARTMENTS[department]


def _agent(name: str) -> Record:
    login = login_of(name)
    return {"email": f"{login}@example.test", "name": name, "username": login.replace(".", "")}


def _contact(number: int, rng: random.Random) -> Contact:
    name = f"{_pick(FIRST_NAMES, rng)} {_pick(LAST_NAMES, rng)} {_pick(LAST_NAMES, rng)}"
    login = login_of(name)
    channel = _CHANNELS[bisect_right(_CHANNEL_BOUNDS, rng.random())]
    style = rng.random()
    if style < 0.15:
        name = f"{name.upper()} "
    elif style < 0.17:
        name = f"{name} 🌸"
    return Contact(
        contact_id=90_000_001 + number,
        name=name,
        mobile="" if channel == "LIVECHAT" and rng.random() < 0.5 else f"+5700{number:08d}",
        email=f"{login}{number}@example.test" if rng.random() < 0.4 else "",
        landline=f"+57600{number:07d}" if rng.random() < 0.05 else "",
        identification=f"00{number:08d}" if rng.random() < 0.3 else "",
        channel=channel,
    )


def _profile(contact: Contact, rng: random.Random, created: int, now: int) -> Profile:
    tag_names = rng.sample(_TAGS, k=int(rng.random() ** 2 * 4))
    tags: list[Record] = [{"name": name, "assigned_at": created + _delay(rng)} for name in tag_names]
    attributes = [
        (created + _delay(rng), {"name": name, "value": _pick(values, rng)})
        for name, values in _ATTRIBUTES
        if rng.random() < 0.35
    ]
    shown_tags = [tag for tag in tags if tag["assigned_at"] <= now]
    shown_attributes = [(at, attribute) for at, attribute in attributes if at <= now]
    changes = [tag["assigned_at"] for tag in shown_tags] + [at for at, _ in shown_attributes]
    return Profile(
        contact=contact,
        created=created,
        updated=max(changes, default=created),
        address=f"Calle de Ejemplo {1 + int(rng.random() * 120)}" if rng.random() < 0.15 else "",
        city=_pick(_CITIES, rng),
        company=_pick(_COMPANIES, rng),
        tags=shown_tags,
        custom_attributes=[attribute for _, attribute in shown_attributes],
    )


def _delay(rng: random.Random) -> int:
    """Seconds from a contact's creation to a change of it: minutes as often as days."""
    return int(_HOUR / 12 * (MAX_CHANGE_DAYS * _DAY / (_HOUR / 12)) ** rng.random())


def _pick(options: tuple[str, ...], rng: random.Random) -> str:
    return options[int(rng.random() * len(options))]
