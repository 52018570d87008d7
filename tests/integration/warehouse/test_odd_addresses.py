"""Addresses of a Postgres as people write them: each connects as who it says, or is refused in a line, and no part of a
password is ever seen."""

import logging
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import psycopg2
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse import connection, conninfo
from dagster_project.warehouse.access import bi_access
from tests.support import drivers

# Both ends of each password are looked for, so that half of one is found too.
HEAD, TAIL = "Zk7", "9qX"
DATABASE = "casa ñ/1"
NAME = quote(DATABASE, "")


def in_url(odd: str) -> str:
    return f"postgresql://ana:{HEAD}{odd}{TAIL}@{{place}}/{NAME}"


# (address, the password that it gives; None: it must be refused). {place}, {host} and {port} are the server's.
RAW = [
    "!",
    "$",
    "#",
    "?",
    ":",
    "&",
    "=",
    "+",
    "*",
    "(",
    ";",
    ",",
    "~",
    "^",
    "|",
    "'",
    '"',
    "\\",
    "{",
    "[",
    "<",
    "`",
    "ñ",
    "€",
    "😀",
    "$(id)",
    "${HOME}",
    "{{x}}",
    "None",
]
ESCAPED = ["/", "@", "%", " ", "#", "?", "ñ", ":", "&", "+", "%2f", "\n", "\\"]
CASES: list[tuple[str, str | None]] = [
    *((in_url(odd), f"{HEAD}{odd}{TAIL}") for odd in RAW),
    *((in_url(quote(odd, "")), f"{HEAD}{odd}{TAIL}") for odd in ESCAPED),
    (in_url("%2f"), f"{HEAD}/{TAIL}"),
    (in_url("%3a"), f"{HEAD}:{TAIL}"),
    *((in_url(odd), None) for odd in ("%", "%zz", "%2", "%00", "/", "@", "@@", " ", "/x@", "\x00", "\udcff")),
    (f"postgresql://ana:12/{HEAD}{TAIL}@{{place}}/{NAME}", None),
    (f"postgresql://ana:{HEAD}{TAIL}", None),
    (f"postgresql://{{host}}:{HEAD}{TAIL}/{NAME}", None),
    (f"postgresql://{{place}}/{NAME}?user=ana&password={HEAD}{TAIL}", f"{HEAD}{TAIL}"),
    (f"postgresql://{{place}}/{NAME}?user=ana&password={HEAD}@{TAIL}", f"{HEAD}@{TAIL}"),
    (f"postgresql://{{place}}/{NAME}?user=ana&password={HEAD}%26{TAIL}", f"{HEAD}&{TAIL}"),
    (f"postgresql://{{place}}/{NAME}?user=ana&password={HEAD}+{TAIL}", f"{HEAD}+{TAIL}"),
    (f"postgresql://{{place}}/{NAME}?user=ana&password={HEAD}&{TAIL}", None),
    (f"postgresql://{{place}}/{NAME}?user=ana&password={HEAD}&{TAIL}=1", None),
    (f"postgresql://ana:not@{{place}}/{NAME}?password={HEAD}{TAIL}", f"{HEAD}{TAIL}"),
    (f"postgres://ana:{HEAD}{TAIL}@{{place}}/{NAME}", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@localhost:{{port}}/{NAME}?hostaddr={{host}}", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}},localhost:{{port}}/{NAME}", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@127.0.0.9:{{port}},{{place}}/{NAME}", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@{{host}}:1,{{place}}/{NAME}", None),
    (f"postgresql://ana:{HEAD}{TAIL}@/{NAME}?host={{host}}&port={{port}}", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/{NAME}?options=-c%20work_mem%3D7MB&sslmode=disable", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/{NAME}?client_encoding=latin1&application_name=x", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/{NAME}?keepalives=1&connect_timeout=9", f"{HEAD}{TAIL}"),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/{NAME}?sslmode=require", None),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/{NAME}?sslmode=what", None),
    (f"postgresql://ana:x@{{place}}/{NAME}?sslpassword={HEAD}{TAIL}", None),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/{NAME}?ssl_mode=require", None),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/nothing", None),
    (f"postgresql://ana:{HEAD}{TAIL}@{{place}}/[/bold]", None),
    (f"postgresql://ana:{HEAD}{TAIL}@{'h' * 70}.invalid:{{port}}/{NAME}", None),
    (f"postgresql://ana:{HEAD}{TAIL}@..:{{port}}/{NAME}", None),
    (f"postgresql://ana:{HEAD}{TAIL}@[fe80::1%25none]:{{port}}/{NAME}", None),
    (f"postgresql://ana:{HEAD}{TAIL}@%2Fnowhere:{{port}}/{NAME}", None),
    (f"postgresql://ana:{HEAD}{TAIL}@{{host}}:99999/{NAME}", None),
    (f"host={{host}} port={{port}} user=ana dbname='{DATABASE}' password={HEAD}{TAIL}", f"{HEAD}{TAIL}"),
    (f"host={{host}} port={{port}} user=ana dbname='{DATABASE}' password='{HEAD} \\' {TAIL}'", f"{HEAD} ' {TAIL}"),
    (f"host={{host}} port={{port}} user=ana dbname='{DATABASE}' password={HEAD}%2f{TAIL}", f"{HEAD}%2f{TAIL}"),
    (f"host={{host}} port={{port}} user=ana password={HEAD} {TAIL} dbname=x", None),
    (f"host={{host}} port={{port}} user=ana password='{HEAD}{TAIL}", None),
    (f"host={HEAD}@{TAIL} port={{port}} user=ana", None),
    (f"mysql://ana:{HEAD}{TAIL}@{{place}}/{NAME}", None),
    (f"{HEAD}{TAIL}", None),
]


@pytest.fixture(scope="module")
def place(server_url: str) -> Iterator[dict[str, str]]:
    """The server's address, with a database of an odd name, and the role ana."""
    names = [sql.Identifier(name) for name in (DATABASE, "ana")]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(sql.SQL("create database {}").format(names[0]))
        conn.execute(sql.SQL("create role {} login").format(names[1]))
        parts = urlsplit(server_url)
        yield {"host": str(parts.hostname), "port": str(parts.port), "place": f"{parts.hostname}:{parts.port}"}
        conn.execute(sql.SQL("drop database {} with (force)").format(names[0]))
        conn.execute(sql.SQL("drop role {}").format(names[1]))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing of libpq's in the environment, and everything logged."""
    for variable in [name for name in os.environ if name.startswith(("PG", "POSTGRES", "DATABASE_URL"))]:
        monkeypatch.delenv(variable)
    before = dict(os.environ)
    caplog.set_level(logging.DEBUG)
    yield
    os.environ.clear()
    os.environ.update(before)


def set_password(server_url: str, password: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(sql.SQL("alter role ana password {}").format(sql.Literal(password)))


def who_and_where(settings: Settings) -> tuple[str, set[tuple[object, ...]]]:
    """What is shown of the settings' warehouse, and as whom each of the three drivers is where."""
    with connection.warehouse(settings) as url:
        met = drivers.met_by_all(url, "select current_user, current_database()")
        bi = bi_access._url(url, "bi's")
        assert conninfo.read(bi)["user"] == "bi_reader" and HEAD not in bi and TAIL not in bi and "ana" not in bi
        return conninfo.masked(url), met


@pytest.mark.parametrize(("address", "password"), CASES, ids=range(len(CASES)))
def test_an_odd_address_connects_as_who_it_says_or_is_refused_in_a_line_without_its_password(
    address: str,
    password: str | None,
    place: dict[str, str],
    server_url: str,
    said: None,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, value in place.items():
        address = address.replace(f"{{{name}}}", value)
    set_password(server_url, password or f"{HEAD}{TAIL}")
    caplog.clear()
    met, told = set(), ""
    try:
        shown, met = who_and_where(Settings.load(database_url=address))
    except SettingsError as error:
        shown, told = str(error), "".join(traceback.format_exception(error))
    assert met == ({("ana", DATABASE)} if password else set()), shown
    assert len(shown.splitlines()) == 1
    everything = shown + told + caplog.text + "".join(capfd.readouterr())
    assert HEAD not in everything and TAIL not in everything


@pytest.mark.parametrize("odd", ["!", "%", "%2f", "/", "@", "ñ", "'", '"', " ", "\\", "#", "12345", "{{ x }}"])
def test_a_password_of_its_own_setting_is_taken_as_it_is(
    odd: str, place: dict[str, str], server_url: str, said: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = odd if odd.isdigit() else f"{HEAD}{odd}{TAIL}"
    set_password(server_url, password)
    for name, value in {"HOST": place["host"], "PORT": place["port"], "USER": "ana", "DB": DATABASE}.items():
        monkeypatch.setenv(f"POSTGRES_{name}", value)
    monkeypatch.setenv("POSTGRES_PASSWORD", password)
    shown, met = who_and_where(Settings.load())
    assert met == {("ana", DATABASE)}
    assert shown == f"postgresql://ana:***@{place['place']}/{NAME}"


def test_an_address_as_the_host_is_refused_without_its_password(said: None) -> None:
    settings = Settings.load(
        postgres_host=f"postgresql://ana:{HEAD}@h/d", postgres_user="ana", postgres_db="d", postgres_password=TAIL
    )
    with pytest.raises(SettingsError, match=r"^POSTGRES_HOST: the host is no name") as caught:
        connection.configured_url(settings)
    assert HEAD not in str(caught.value)


@pytest.mark.parametrize("way", ["service", "PGSERVICE", "passfile", "PGPASSFILE", "PGPASSWORD", "all of PG*"])
def test_what_libpq_takes_from_elsewhere_reaches_all_three_drivers(
    way: str,
    place: dict[str, str],
    server_url: str,
    said: None,
    monkeypatch: pytest.MonkeyPatch,
    new_folder: Callable[[], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    password = f"{HEAD}\\:/ñ{TAIL}"
    set_password(server_url, password)
    file = Path(new_folder()) / "file"
    file.touch(mode=0o600)
    host, port, base = place["host"], place["port"], f"postgresql://ana@{place['place']}/{NAME}"
    if "service" in way.lower():
        file.write_text(f"[ours]\nhost={host}\nport={port}\nuser=ana\ndbname={DATABASE}\npassword={password}\n")
        monkeypatch.setenv("PGSERVICEFILE", str(file))
        if way == "PGSERVICE":
            monkeypatch.setenv(way, "ours")
        address = "service=ours" if way == "service" else "postgresql://"
    elif "passfile" in way.lower():
        file.write_text(f"*:*:*:ana:{password.replace(chr(92), chr(92) * 2).replace(':', chr(92) + ':')}\n")
        if way == "PGPASSFILE":
            monkeypatch.setenv(way, str(file))
        address = base if way == "PGPASSFILE" else f"{base}?passfile={file}"
    else:
        monkeypatch.setenv("PGPASSWORD", password)
        given = {"PGHOST": host, "PGPORT": port, "PGUSER": "ana", "PGDATABASE": DATABASE}
        for name, value in given.items() if way.startswith("all") else ():
            monkeypatch.setenv(name, value)
        address = "postgresql://" if way.startswith("all") else base
    shown, met = who_and_where(Settings.load(database_url=address))
    assert met == {("ana", DATABASE)}
    assert HEAD not in shown + caplog.text and TAIL not in shown + caplog.text


def test_a_service_that_is_in_no_file_is_refused(said: None) -> None:
    with (
        pytest.raises(SettingsError, match="service is in no service file"),
        connection.warehouse(Settings.load(database_url="service=nobody")),
    ):
        pass


def test_other_servers_variables_do_not_lead_the_embedded_postgres_astray(
    said: None, monkeypatch: pytest.MonkeyPatch, new_folder: Callable[[], str]
) -> None:
    variables = {"PGHOSTADDR": "127.0.0.9", "PGSSLMODE": "verify-full", "PGOPTIONS": "-c x=", "PGSERVICE": "nobody"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with connection.warehouse(Settings.load(data_dir=new_folder())) as url, connection.connect(url) as conn:
        assert conn.execute("show timezone").fetchone() == ("UTC",)
        os.environ.update(connection.environment(url))
        psycopg2.connect(**drivers.dbts_fields()).close()


def test_options_of_the_address_and_our_own_hold_together(place: dict[str, str], server_url: str, said: None) -> None:
    set_password(server_url, HEAD)
    address = f"postgresql://ana:{HEAD}@{place['place']}/{NAME}?options=-c%20work_mem%3D7MB"
    with connection.warehouse(Settings.load(database_url=address)) as url:
        with connection.connect(url) as conn:
            rows = conn.execute("select current_setting('work_mem'), current_setting('timezone')").fetchall()
        os.environ.update(connection.environment(url))
        with sqlalchemy.create_engine(os.environ["DAGSTER_PG_URL"]).connect() as dagster:
            rows += dagster.exec_driver_sql("select current_setting('work_mem'), current_setting('search_path')").all()
    assert rows == [("7MB", "UTC"), ("7MB", "dagster")]


def test_the_address_for_bi_keeps_place_and_protection_and_nothing_of_the_owners_login() -> None:
    owner = (
        "postgresql://own:er@db.example.test:6543/chats?user=root&password=secret&sslmode=verify-full&sslrootcert=/ca"
        "&sslcert=/own.crt&sslkey=/own.key&passfile=/own.pass&options=-c%20role%3Down&target_session_attrs=read-write"
    )
    assert conninfo.read(bi_access._url(owner, "a/b@ñ%2f&?")) == {
        "user": "bi_reader",
        "password": "a/b@ñ%2f&?",
        "host": "db.example.test",
        "port": "6543",
        "dbname": "chats",
        "sslmode": "verify-full",
        "sslrootcert": "/ca",
        "target_session_attrs": "read-write",
    }


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)


@given(
    user=VALUES,
    password=VALUES,
    dbname=VALUES,
    host=st.sampled_from(
        ["db.example.test", "::1", "fe80::1%eth0", "10.0.0.1", "/var/run/postgresql", "h1,h2", "@abstract"]
    ),
)
def test_a_url_that_we_write_is_read_as_what_was_written_and_its_mask_holds_no_password(**given: str) -> None:
    whole = given | {"port": "5433", "sslmode": "require"}
    assert conninfo.read(conninfo.to_url(whole)) == whole
    masked = conninfo.read(conninfo.masked(conninfo.to_url(whole)))
    assert masked == whole | {"password": "***"}
