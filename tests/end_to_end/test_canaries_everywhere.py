"""Two hundred invented secrets through the commands that people run, also where they fail: none is where it must not.

Searched: what the commands print, each file that they leave, the arguments of processes, Postgres' own log, Dagster's
events and each other table. The schema raw and kept answers of the API hold personal data by their purpose: of a person
who was erased neither does, nor a dump of the whole server, Dagster's tables included.
"""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from dagster_project.analysis.claude import fake
from dagster_project.warehouse import binaries, embedded
from tests.support.audit_files import row, write_csv
from tests.support.command_host import Host, hosting
from tests.support.fake_b2chat import CHATS, TOKEN, Account, Asked, Reply, serving
from tests.support.listed import AGENT, chat, contact

DAYS = [f"{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}" for back in range(3, 12)]
SECRETS = {
    "database": "Zq!$#/ñ%2f:@kan-db",
    "client": "zq-kan-client-77",
    "claude": "sk-ant-zqkan-88",
    "s3": "zqkan/S3+secret==",
    "bi": "b/i@%2f zqkan#",
}
PERSONS = 40


class Person:
    """A contact whose every value is a canary, and how it speaks of itself."""

    def __init__(self, number: int) -> None:
        sign = "".join("bcdfghjklm"[int(digit)] for digit in f"{number:02}")
        self.number = number
        self.name = f"Quno{sign}a Tzab{sign}ul"
        self.mobile = f"57399{number:02}55{number:02}7"[:12]
        self.document = f"88{number:02}77{number:02}"
        self.mail = f"zxk{sign}@kan.example"
        self.words = f"zbtext{sign}o"

    @property
    def canaries(self) -> list[str]:
        return [self.name.split()[0], self.mobile[2:], self.document, self.mail, self.words]

    def chat(self, day: str, **fields: Any) -> dict[str, Any]:
        said = f"{self.words} soy {self.name}, cédula {self.document}, cel {self.mobile[2:]}, {self.mail}"
        return chat(
            f"chat-{self.number}",
            day,
            **{
                "provider": "whatsapp",
                "department": f"Ventas {self.name}",
                "alias": "linea",
                "agent": {"name": f"Agente {self.name}", "email": self.mail, "username": self.mail},
                "contact": {
                    "id": 1000 + self.number,
                    "name": self.name,
                    "email": self.mail,
                    "identification": self.document,
                    "mobile_number": "+" + self.mobile,
                    "phone_number": "",
                    "tags": None,
                    "custom_attributes": {"conyuge": self.name, "cuenta": self.document},
                },
                "picked_up_at": f"{day} 09:10:00",
                "responded_at": f"{day} 09:20:00",
                "opened_at": f"{day} 09:01:00",
                "messages": [message(said, True, f"{day} 09:00:00"), message("con gusto", False, f"{day} 09:20:00")],
            }
            | fields,
        )


def message(text: str, incoming: bool, at: str) -> dict[str, Any]:
    return {
        "body": text,
        "incoming": incoming,
        "created_at": at,
        "type": "TEXT",
        "caption": None,
        "broadcasted": False,
        "location": None,
    }


PEOPLE = [Person(number) for number in range(PERSONS)]
FORGOTTEN = PEOPLE[2]  # the only one after whom no agent and no department is called
CANARIES = [
    *SECRETS.values(),
    quote(SECRETS["database"], safe=""),
    quote(SECRETS["bi"], safe=""),
    "kan-db",
    *(canary for person in PEOPLE for canary in person.canaries),
]


class House:
    """A warehouse whose owner has a difficult password, an account that misbehaves, and the commands on both."""

    def __init__(self, folder: Path, owner_url: str, account: Account, claude: fake.FakeClaude) -> None:
        self.folder, self.account, self.claude = folder, account, claude
        self.printed: list[tuple[str, str]] = []
        self.host: Host
        self.owner_url = owner_url
        with psycopg.connect(owner_url, autocommit=True) as conn:
            conn.execute(sql.SQL("create role kan superuser login password {}").format(SECRETS["database"]))
            conn.execute("create database house owner kan")
        place = owner_url.rpartition("@")[2].rpartition("/")[0]
        self.url = f"postgresql://kan:{quote(SECRETS['database'], safe='')}@{place}/house"
        for name in ("data", "audit"):
            (folder / name).mkdir()
        self.variables = {
            "B2CHAT_DATA_DIR": str(folder / "data"),
            "DATABASE_URL": self.url,
            "B2CHAT_BI_PASSWORD": SECRETS["bi"],
            "B2CHAT_API_URL": account.base_url,
            "B2CHAT_CLIENT_ID": "kan",
            "B2CHAT_CLIENT_SECRET": SECRETS["client"],
            "ANTHROPIC_API_KEY": SECRETS["claude"],
            "ANTHROPIC_BASE_URL": claude.url,
            "B2CHAT_AUDIT_FOLDER": str(folder / "audit"),
            "B2CHAT_MAX_ATTEMPTS": "2",
            "B2CHAT_START_DATE": DAYS[-1],
        }

    def run(self, *words: str, **variables: str) -> int:
        done = self.host.run(*words, **variables)
        self.printed.append((" ".join(words), done.out + done.err))
        return done.code

    def sql(self, query: str) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as conn:
            cursor = conn.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def house(new_folder: Callable[[], str]) -> Iterator[House]:
    with ExitStack() as stack:
        folder, account = Path(new_folder()), Account()
        owner_url = stack.enter_context(embedded.running(folder / "server" / "pg", throwaway=True))
        stack.enter_context(serving(account))
        house = House(folder, owner_url, account, stack.enter_context(fake.running()))
        house.host = stack.enter_context(hosting(str(folder / "data"), house.variables))
        yield house


class Watch:
    """The arguments of all processes, looked at while commands run."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.1):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(process.read_text(errors="replace").replace("\0", " "))
                except OSError:
                    continue


def echo(asked: Asked, reply: Reply) -> None:
    """An error whose body says back who asked and what there is."""
    if asked.path == CHATS:
        reply.status = 500 if asked.nth % 2 else 400
        reply.body = f"{SECRETS['client']} {PEOPLE[0].chat(DAYS[0])}".encode()


def no_json(asked: Asked, reply: Reply) -> None:
    if asked.path == CHATS:
        reply.body = reply.data()[:-40]


def no_token(asked: Asked, reply: Reply) -> None:
    if asked.path == TOKEN:
        reply.status, reply.body = 401, f"bad secret {SECRETS['client']}".encode()


def plant(house: House) -> None:
    records = [person.chat(DAYS[person.number % 8]) for person in PEOPLE if person is not FORGOTTEN]
    odd = PEOPLE[1]
    records += [
        FORGOTTEN.chat(DAYS[2], agent=AGENT, department="Ventas"),
        FORGOTTEN.chat(DAYS[2], chat_id="forgotten-odd", agent=AGENT, status=[FORGOTTEN.words]),
    ]
    records += [
        odd.chat(DAYS[1], chat_id=None),
        odd.chat(DAYS[1], chat_id="odd-1", messages=odd.words),
        odd.chat(DAYS[1], chat_id="odd-2", created_at=f"{DAYS[1]} {odd.name}"),
        odd.chat(DAYS[1], chat_id="odd-3", status=odd.name),
        odd.chat(DAYS[1], chat_id="odd-4", contact=[odd.document]),
        odd.chat(DAYS[1], chat_id="odd-5", provider=odd.name, duration=odd.document),
    ]
    contacts = [
        contact(
            1000 + one.number,
            fullname=one.name,
            email=one.mail,
            identification=one.document,
            mobile=one.mobile,
            custom_attributes={"conyuge": one.name},
        )
        for one in PEOPLE
    ]
    contacts += [contact(0, contact_id=None, fullname=odd.name), contact(7, created=odd.document)]
    house.account.records = {"chats": records, "contacts": contacts}
    day = DAYS[0]
    write_csv(
        house.folder / "audit" / "a.csv",
        [
            row("chat-0", f"{day} 09:00:00", f"{odd.words} {odd.document}"),
            row("odd-6", f"{day} 10:00:00", odd.name) | {"Message Created At": odd.document},
            row("", f"{day} 10:00:00", odd.words),
        ],
    )
    (house.folder / "audit" / "torn.xlsx").write_bytes(odd.words.encode() * 100)


def test_no_canary_is_where_it_must_not_be(house: House) -> None:
    assert len(CANARIES) >= 200
    plant(house)
    wrong = house.url.replace("kan:", "kan:x")
    bucket = {
        "BUCKET": "kan",
        "S3_ENDPOINT": "http://127.0.0.1:9",
        "S3_ACCESS_KEY_ID": "kan",
        "S3_SECRET_ACCESS_KEY": SECRETS["s3"],
    }
    with Watch() as watch:
        assert house.run("check", DATABASE_URL=wrong) == 2
        assert house.run("check") == 0
        for fault, code in ((no_token, 1), (echo, 1), (no_json, 1), (None, 0)):
            house.account.begin(fault)
            assert house.run("sync") == code
        assert house.run("retry-quarantine") == 0
        assert house.run("export", "chats", **{f"B2CHAT_EXPORTS_{name}": value for name, value in bucket.items()}) == 1
        for command in ("status", "review list", "exports list", "analyses"):
            assert house.run(*command.split()) == 0
    read = house.sql("select count(*) from raw.b2chat_chats"), house.sql("select count(*) from raw.quarantine")
    assert read[0] >= [(PERSONS,)] and read[1] >= [(5,)]
    found = [f"printed by {command}: {one}" for command, text in house.printed for one in CANARIES if one in text]
    found += [f"argument: {one}" for text in watch.seen for one in CANARIES if one in text]
    found += [f"{place}: {one}" for place, one in in_files(house.folder)]
    found += [f"{place}: {one}" for place, one in in_tables(house)]
    assert found == []


def test_a_person_who_was_erased_is_in_no_dump_and_no_file_and_the_next_sync_brings_nobody_back(house: House) -> None:
    number = str(1000 + FORGOTTEN.number)
    before = dump(house)
    assert all(canary in before for canary in FORGOTTEN.canaries)
    handed_out = house.folder / "person.json"
    assert house.run("person", "--contact", number, "--out", str(handed_out)) == 0
    assert all(canary in handed_out.read_text() for canary in FORGOTTEN.canaries)
    handed_out.unlink()
    house.printed.clear()
    assert house.run("erase", "--phone", f"+{FORGOTTEN.mobile}", "--dry-run") == 0
    assert house.run("erase", "--contact", number) == 0, house.printed
    again = house.run("erase", "--contact", number)
    assert again == 1, "there is no such person any more"
    assert nowhere(house) == []
    house.account.begin(None)
    assert house.run("sync", "--full") == 0
    assert house.run("retry-quarantine") == 0
    assert nowhere(house) == []
    stays = "select payload -> 'contact' ->> 'id' like 'erased-%' from raw.b2chat_chats where chat_id = 'chat-2'"
    assert house.sql(stays) == [(True,)]


def nowhere(house: House) -> list[str]:
    """Where the forgotten person still is: in what was printed, in a dump of the whole server, in a file."""
    printed = "\n".join(text for _, text in house.printed)
    places = {"printed": printed, "a dump": dump(house)}
    places |= {str(file): text for file, text in texts_in(house.folder)}
    return [f"{place}: {one}" for place, text in places.items() for one in FORGOTTEN.canaries if one in text]


def dump(house: House) -> str:
    """Each database of the server as text; Dagster's tables are in one of them."""
    program = binaries.find(None).folder / "pg_dump"
    names = house.sql("select datname from pg_database where datallowconn and not datistemplate")
    urls = [house.owner_url.rpartition("/")[0] + f"/{name}" for (name,) in names]
    return "".join(subprocess.run([program, url], capture_output=True, text=True, check=True).stdout for url in urls)


def in_files(folder: Path) -> Iterator[tuple[str, str]]:
    for file, text in texts_in(folder):
        for one in CANARIES:
            if one in text or one in str(file):
                yield str(file.relative_to(folder)), one


def texts_in(folder: Path) -> Iterator[tuple[Path, str]]:
    for file in folder.rglob("*"):
        if not file.is_file() or file.is_symlink():
            continue
        if (folder / "audit") in file.parents:
            continue
        if "pg" in file.parts and file.name != "server.log":
            continue
        yield file, file.read_bytes().decode(errors="replace")


def in_tables(house: House) -> Iterator[tuple[str, str]]:
    for schema, table in house.sql(
        "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|information_schema|raw)' "
        "and tablename !~ '^api_response_logs'"
    ):
        rows = house.sql(f'select one::text from "{schema}"."{table}" as one')
        text = "\n".join(row for (row,) in rows)
        yield from ((f"{schema}.{table}", one) for one in CANARIES if one in text)
