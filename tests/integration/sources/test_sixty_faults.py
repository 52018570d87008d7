"""Sixty ways in which a B2Chat can misbehave, each met by a full sync of chats and contacts.

No row is lost, no live row is marked as deleted, and no run hangs. What a run could not read, the next one reads. Syncs
are made as the raw assets make them; that `b2chat sync` ends by what they came to, the commands at the end show.
"""

import gzip
import random
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

from dagster_project.sources.b2chat.client import B2ChatClient
from dagster_project.sources.contract import SourceError
from dagster_project.warehouse.connection import connect
from tests.support.fake_b2chat import CHATS, CONTACTS, TOKEN, Account, Asked, Change, Reply, serving
from tests.support.listed import chat, contact
from tests.support.syncing import sync_b2chat

DEADLINE_SECONDS = 90.0  # on a busy machine; a run takes a part of one
TODAY = datetime.now(UTC).date()
DAY = str(TODAY - timedelta(days=1))
PAGE, TIMEOUT_SECONDS, ATTEMPTS = 5, 0.4, 3
OK, FAILED, PARTIAL = 0, 1, 3


def once(change: Change, nth: int = 2, path: str = CHATS) -> Change:
    return lambda asked, reply: change(asked, reply) if (asked.path, asked.nth) == (path, nth) else None


def always(change: Change, path: str = CHATS) -> Change:
    return lambda asked, reply: change(asked, reply) if asked.path == path else None


def status(code: int, **headers: str) -> Change:
    def change(_: Asked, reply: Reply) -> None:
        reply.status, reply.body = code, b'{"message": "no"}'
        reply.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    return change


def body(data: bytes, **headers: str) -> Change:
    def change(_: Asked, reply: Reply) -> None:
        reply.body = data
        reply.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    return change


def encoded(encode: Callable[[bytes], bytes], **headers: str) -> Change:
    def change(asked: Asked, reply: Reply) -> None:
        body(encode(reply.data()), **headers)(asked, reply)

    return change


def raw(*pieces: bytes, pause: float = 0.0, reset: bool = False) -> Change:
    def change(_: Asked, reply: Reply) -> None:
        reply.raw, reply.pause, reply.reset = list(pieces), pause, reset

    return change


def envelope(**values: Any) -> Change:
    return lambda _, reply: reply.envelope.update(values)


def rows(change: Callable[[Asked, list[Any]], list[Any]]) -> Change:
    """Other records in the place of a page's, the total as it is."""

    def changed(asked: Asked, reply: Reply) -> None:
        for entity in {"chats", "contacts"} & set(reply.envelope):
            reply.envelope[entity] = change(asked, reply.envelope[entity])

    return changed


def text(old: bytes, new: bytes) -> Change:
    return encoded(lambda data: data.replace(old, new, 1))


def added(*records: str) -> Change:
    """Records more on each first page, as JSON text, and in the total."""

    def change(asked: Asked, reply: Reply) -> None:
        if not asked.matching:
            return
        reply.envelope["total"] += len(records)
        if asked.offset == 0:
            more = "".join(f"{one}," for one in records).encode("utf-8", "surrogateescape")
            reply.body = reply.data().replace(b'": [', b'": [' + more, 1)

    return change


def only(choose: Callable[[list[Any]], list[Any]]) -> Change:
    """As if the account held only these."""

    def change(asked: Asked, reply: Reply) -> None:
        for entity in {"chats", "contacts"} & set(reply.envelope):
            there = choose(asked.matching)
            reply.envelope |= {entity: there[asked.offset : asked.offset + asked.limit], "total": len(there)}

    return change


def bomb() -> bytes:
    """300 MB of blanks, as gzip."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * 2**20) for _ in range(300)), packer.flush()])


def shuffled(asked: Asked, _: list[Any]) -> list[Any]:
    there = list(asked.matching)
    random.Random(asked.nth).shuffle(there)
    return there[asked.offset : asked.offset + asked.limit]


DRIPPING = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
SOUND_TIME = f'"created_at":"{DAY} 09:00:00"'
ANSWERS: list[tuple[str, Change, set[int]]] = [
    *((f"{code} once", once(status(code)), {OK}) for code in (500, 502, 503, 504, 429, 408, 425)),
    *(
        (f"429, retry after {after[:40]}", once(status(429, retry_after=after)), {OK})
        for after in (
            "-5",
            "soon",
            "1e9",
            "9" * 400,
            "Mon, 01 Jan 1990 00:00:00 GMT",
            f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT",
        )
    ),
    (
        "a clock of another year",
        once(status(503, retry_after="Fri, 01 Jan 2100 00:00:10 GMT", date="Fri, 01 Jan 2100 00:00:00 GMT")),
        {OK},
    ),
    *((f"{code} for ever", always(status(code)), {FAILED}) for code in (400, 401, 403, 404, 204, 500)),
    *((f"{code} to elsewhere", always(status(code, location="/login")), {FAILED}) for code in (301, 302, 307)),
    ("401 in the middle", once(status(401)), {OK}),
    (
        "each second request is a 401",
        always(lambda asked, reply: status(401)(asked, reply) if asked.nth % 2 else None),
        {OK},
    ),
    ("no token for once", once(status(500), 1, TOKEN), {OK}),
    ("a login page for a token", once(body(b"<html>"), 1, TOKEN), {OK}),
    ("a token that would be two headers", once(body(b'{"access_token": "a\\r\\nx: y"}'), 1, TOKEN), {OK}),
    ("a token of no life", always(body(b'{"access_token": "t", "expires_in": 0}'), TOKEN), {OK}),
    ("an empty body", once(body(b"")), {OK}),
    ("a login page with 200", once(body(b"<html>Ingresar</html>", content_type="text/html")), {OK}),
    ("a login page for ever", always(body(b"<html>Ingresar</html>")), {FAILED}),
    ("JSON that says it is text", always(encoded(bytes, content_type="text/plain")), {OK}),
    ("a byte order mark", always(encoded(lambda data: b"\xef\xbb\xbf" + data)), {OK}),
    ("UTF-16", once(encoded(lambda data: data.decode().encode("utf-16"))), {OK}),
    ("a body cut by its end", once(encoded(lambda data: data[:-9])), {OK}),
    ("a body shorter than its length", once(raw(DRIPPING + b"content-length: 999\r\n\r\n{")), {OK}),
    ("a length that is none", once(raw(DRIPPING + b"content-length: -1\r\n\r\n{}")), {OK}),
    ("a reset before the answer", once(raw(reset=True)), {OK}),
    ("a reset in the middle", once(raw(DRIPPING + b"content-length: 999\r\n\r\n{", reset=True)), {OK}),
    ("another protocol", once(raw(b"SSH-2.0-OpenSSH_9.6\r\n")), {OK}),
    ("a chunk that is none", once(raw(DRIPPING + b"transfer-encoding: chunked\r\n\r\nzz\r\n")), {OK}),
    ("gzip that is none", once(body(b"not gzip", content_encoding="gzip")), {OK}),
    ("gzip cut short", once(encoded(lambda data: gzip.compress(data)[:-20], content_encoding="gzip")), {OK}),
    ("a gzip bomb", once(encoded(lambda _: bomb(), content_encoding="gzip")), {OK}),
    ("no answer", once(raw(b"", pause=1.5)), {OK}),
    ("a body that drips", once(raw(DRIPPING + b"\r\n", *[b" "] * 1000, pause=0.1)), {OK}),
    ("headers that drip", once(raw(b"HTTP/1.1 200 OK\r\nx: ", *[b"x"] * 1000, pause=0.1)), {OK}),
    (
        "the head of a chunk that drips",
        once(raw(DRIPPING + b"transfer-encoding: chunked\r\n\r\n1;x=", *[b"x"] * 1000, pause=0.1)),
        {OK},
    ),
    *(
        (f"a total of {total}", once(text(b'"total": ', b'"total": ' + total + b', "was": ')), {OK})
        for total in (b'"many"', b"-1", b"1e30", b"99999999999999999999", b"null", b"4294967296")
    ),
    ("no total", once(text(b'"total"', b'"Total"')), {OK}),
    ("no list", once(envelope(chats={})), {OK}),
    ("two totals, the last one right", once(text(b'"total"', b'"total": 3, "total"')), {OK}),
    ("a total that is too low", once(envelope(total=1), 1), {OK}),
    ("a total that is too high", always(envelope(total=1000)), {PARTIAL}),
    ("a page for ever", always(rows(lambda asked, _: asked.matching[:PAGE])), {PARTIAL}),
    ("all rows on each page", always(rows(lambda asked, _: asked.matching)), {OK}),
    ("a row more than asked for", always(rows(lambda _, page: [*page, *page[-1:]])), {OK}),
    ("every row twice", always(rows(lambda _, page: [one for row in page for one in (row, row)])), {OK}),
    (
        "every row twice, cut to the limit",
        always(rows(lambda _, page: [one for row in page for one in (row, row)][: len(page)])),
        {OK, PARTIAL},
    ),
    ("a row in the place of another", once(rows(lambda _, page: [page[0], page[0], *page[2:]])), {OK}),
    ("rows in another order on each page", always(rows(shuffled)), {OK, PARTIAL}),
    ("newest first", always(only(lambda there: there[::-1])), {OK}),
    ("nothing at all", always(only(lambda there: [])), {OK}),
    ("nothing at all, for once", once(only(lambda there: []), 1), {OK, PARTIAL}),
    ("no contacts", always(only(lambda there: []), CONTACTS), {OK}),
    ("no contacts, for once", once(only(lambda there: []), 1, CONTACTS), {OK}),
    ("a tenth of the rows", always(only(lambda there: there[::10])), {OK}),
    ("all but one, in one answer", once(only(lambda there: there[1:]), 1, CONTACTS), {OK, PARTIAL}),
    ("a record of NaN", always(added("NaN")), {OK}),
    ("a record of 5,000 digits", always(added('{"chat_id":' + "9" * 5000 + "}")), {OK}),
    ("a record nested too deep", always(added("[" * 100_000 + "]" * 100_000)), {OK}),
    ("a lone surrogate in a key", always(added('{"chat_id":"x\\ud800",' + SOUND_TIME + "}")), {OK}),
    ("bytes that are no UTF-8 in a key", always(added('{"chat_id":"\udcff",' + SOUND_TIME + "}")), {OK}),
    ("records without a key", always(added("{}", "null", '{"chat_id":""}')), {OK}),
    ("a key of an object", always(added('{"chat_id":{"a":1}}')), {OK}),
]


def head_goes_tail_comes(records: list[Any], new: Any) -> None:
    records.append(new)
    del records[0]


def head_comes(records: list[Any], new: Any) -> None:
    records.insert(0, new)


def head_goes(records: list[Any], _: Any) -> None:
    del records[0]


def head_moves_to_the_tail(records: list[Any], _: Any) -> None:
    records.append(records.pop(0))


MOVES = [
    (kind, entity, nths)
    for kind in (head_goes_tail_comes, head_comes, head_goes, head_moves_to_the_tail)
    for entity in ("chats", "contacts")
    for nths in ({2}, {2, 5})
]
assert len(ANSWERS) + len(MOVES) >= 60


class Trial:
    """An account that is read, and what the warehouse holds of it."""

    def __init__(self, account: Account, url: str) -> None:
        self.account, self.url, self.made = account, url, 0

    def new(self, entity: str) -> Any:
        self.made += 1
        return chat(f"c{self.made:04}", DAY) if entity == "chats" else contact(10_000 + self.made)

    def sync(self) -> int:
        """Read all of it. Returns what the command would exit by."""
        codes: list[int] = []
        reading = Thread(target=lambda: codes.extend(map(self._code_of, self.account.records)), daemon=True)
        reading.start()
        reading.join(DEADLINE_SECONDS)
        assert len(codes) == len(self.account.records), "it hangs, or failed otherwise than by its source"
        return FAILED if FAILED in codes else max(codes)

    def _code_of(self, entity: str) -> int:
        with B2ChatClient(
            self.account.base_url,
            "ana",
            "secret",
            requests_per_second=1000,
            timeout_seconds=TIMEOUT_SECONDS,
            max_attempts=ATTEMPTS,
            page_size=PAGE,
            sleep=lambda seconds: time.sleep(min(seconds, 0.02)),
        ) as client:
            days = {"start_date": TODAY - timedelta(days=1), "today": TODAY}
            try:
                result = sync_b2chat(self.url, client, entity=entity, mode="full", keep_responses=False, **days)
            except SourceError:
                return FAILED
        return PARTIAL if result.windows_incomplete else OK

    def read_the_rest(self, code: int) -> None:
        """What the run left, the next one reads; after a success that left nothing, there is nothing to see."""
        self.account.begin()
        if code != OK or self.lost():
            assert self.sync() == OK
        assert (self.lost(), self.wrongly_marked()) == (set(), set())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.url, autocommit=True) as conn:
            return conn.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]

    def lost(self) -> set[str]:
        """Keys of records that are there and have not landed."""
        landed = {
            row[0]
            for row in self.ask("select chat_id from raw.b2chat_chats union select contact_id from raw.b2chat_contacts")
        }
        return self.live() - landed

    def wrongly_marked(self) -> set[str]:
        """Keys of records that are there and count as deleted."""
        return self.live() & {
            row[0]
            for row in self.ask(
                "select chat_id from raw.b2chat_chats where deleted_at is not null "
                "union select contact_id from raw.b2chat_contacts where deleted_at is not null"
            )
        }

    def live(self) -> set[str]:
        return {str(one.get("chat_id", one.get("contact_id"))) for of in self.account.records.values() for one in of}


@pytest.fixture(scope="module")
def trial(new_database: Callable[[], str]) -> Iterator[Trial]:
    account = Account()
    with serving(account):
        made = Trial(account, new_database())
        for entity, records in account.records.items():
            records += [made.new(entity) for _ in range(3 * PAGE + 2)]
        assert made.sync() == OK
        yield made


@pytest.mark.parametrize(("change", "codes"), [one[1:] for one in ANSWERS], ids=[one[0] for one in ANSWERS])
def test_answers_that_are_wrong_cost_no_row(trial: Trial, change: Change, codes: set[int]) -> None:
    for entity, records in trial.account.records.items():
        records.append(trial.new(entity))
        del records[0]
    trial.account.begin(change)
    code = trial.sync()
    assert (code in codes, trial.wrongly_marked()) == (True, set()), code
    trial.read_the_rest(code)


@pytest.mark.parametrize(("move", "entity", "nths"), MOVES)
def test_records_that_move_while_they_are_paged_through_are_all_read(
    trial: Trial, move: Callable[[list[Any], Any], None], entity: str, nths: set[int]
) -> None:
    records = trial.account.records[entity]
    records[:] = [*records[: 3 * PAGE], trial.new(entity)]
    path = f"/{entity}/export"
    # Not before the first page: what goes then is gone for good.
    trial.account.begin(
        before=lambda asked, nth: move(records, trial.new(entity)) if asked == path and nth in nths else None
    )
    code = trial.sync()
    assert (code in (OK, PARTIAL), trial.wrongly_marked()) == (True, set())
    assert code == PARTIAL or not trial.lost()
    trial.read_the_rest(code)


BY_NAME = {name: (change, codes) for name, change, codes in ANSWERS}


@pytest.mark.parametrize(
    "name",
    [
        "a lone surrogate in a key",
        "records without a key",
        "nothing at all",
        "a page for ever",
        "headers that drip",
        "404 for ever",
    ],
)
def test_a_command_in_a_process_of_its_own_ends_the_same(
    trial: Trial, b2chat: Callable[..., subprocess.CompletedProcess[str]], new_folder: Callable[[], str], name: str
) -> None:
    change, codes = BY_NAME[name]
    for entity, records in trial.account.records.items():
        records[:] = [*records[: 3 * PAGE], trial.new(entity)]
    trial.account.begin(change)
    done = b2chat("sync", "--full", "--json", **variables(trial, new_folder()))
    assert (done.returncode in codes, trial.wrongly_marked()) == (True, set()), done.stderr[-2000:]
    trial.read_the_rest(done.returncode)


def variables(trial: Trial, folder: str) -> dict[str, str]:
    return {
        "DATABASE_URL": trial.url,
        "B2CHAT_API_URL": trial.account.base_url,
        "B2CHAT_CLIENT_ID": "ana",
        "B2CHAT_CLIENT_SECRET": "secret",
        "B2CHAT_DATA_DIR": folder,
        "B2CHAT_TIMEZONE": "UTC",
        "B2CHAT_START_DATE": DAY,
        "B2CHAT_PAGE_SIZE": str(PAGE),
        "B2CHAT_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "B2CHAT_MAX_ATTEMPTS": str(ATTEMPTS),
        "B2CHAT_REQUESTS_PER_SECOND": "1000",
        "B2CHAT_REQUESTS_PER_DAY": "100000",
        "B2CHAT_KEEP_RESPONSES": "false",
    }


def test_what_is_really_gone_is_still_marked(trial: Trial) -> None:
    gone = {
        str(records.pop(2).get(key))
        for (records, key) in (
            (trial.account.records["chats"], "chat_id"),
            (trial.account.records["contacts"], "contact_id"),
        )
    }
    assert trial.sync() == OK
    assert gone <= {
        row[0]
        for row in trial.ask(
            "select chat_id from raw.b2chat_chats where deleted_at is not null "
            "union select contact_id from raw.b2chat_contacts where deleted_at is not null"
        )
    }
    assert trial.wrongly_marked() == set()
