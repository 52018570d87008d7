"""A Postgres behind TLS, client certificates or a socket is reached by all three drivers in the same way."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from dagster_project.cli import health_checks
from dagster_project.deployment.environment import Deployment
from dagster_project.settings import PROJECT_ROOT, Settings, SettingsError
from dagster_project.warehouse import binaries, connection, embedded
from tests.support import drivers
from tests.support.certificates import issue

HBA = """
local   all postgres           trust
local   all all                scram-sha-256
hostssl all carla 127.0.0.1/32 cert
hostssl all all   127.0.0.1/32 scram-sha-256
"""
QUERY = """
    select session_user::text, current_database()::text, coalesce(ssl, false)
    from pg_stat_ssl where pid = pg_backend_pid()
"""


@dataclass
class Server:
    folder: Path
    port: int


@pytest.fixture(scope="module")
def server(new_folder: Callable[[], str]) -> Iterator[Server]:
    """A Postgres that takes TLS on TCP and nothing else, and passwords on its socket."""
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not system:
        pytest.skip("no installed Postgres that speaks TLS (the packaged one does not)")
    programs = binaries.find(system[-1])
    folder = Path(new_folder())
    authority = issue(folder, "authority", None)
    issue(folder, "stranger", None)
    for name in ("server", "carla"):
        issue(folder, name, authority)
    data = folder / "data"
    data.mkdir(mode=0o700)
    for path in (data, folder, folder / "server.key"):
        os.chown(path, *programs.owner)
    programs.run("initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust")
    (data / "pg_hba.conf").write_text(HBA)
    port = embedded._free_port()
    with open(data / "postgresql.conf", "a") as conf:
        conf.write(
            f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\nssl = on\n"
            f"ssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'\n"
            f"ssl_ca_file = '{folder}/authority.crt'\nfsync = off\n"
        )
    programs.run("pg_ctl", "start", "--pgdata", data, "--wait", "--log", data / "log")
    try:
        with psycopg.connect(host=str(folder), port=port, user="postgres", autocommit=True) as conn:
            conn.execute("create role ana login password 'se/cret'; create role carla login")
            conn.execute("create database chats")
        yield Server(folder, port)
    finally:
        programs.run("pg_ctl", "stop", "--pgdata", data, "--mode", "immediate")


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


TCP = "postgresql://ana:se%2Fcret@127.0.0.1:{port}/chats"
WAYS = {
    "verify-full": (TCP + "?sslmode=verify-full&sslrootcert={folder}/authority.crt", "ana", True),
    "verify-ca, a relative path": (TCP + "?sslmode=verify-ca&sslrootcert={relative}/authority.crt", "ana", True),
    "require": (TCP + "?sslmode=require", "ana", True),
    "nothing said": (TCP, "ana", True),
    "client certificate": (
        "postgresql://carla@127.0.0.1:{port}/chats?sslmode=verify-full&sslrootcert={folder}/authority.crt"
        "&sslcert={folder}/carla.crt&sslkey={folder}/carla.key",
        "carla",
        True,
    ),
    "keywords": (
        "host=127.0.0.1 port={port} user=ana password=se/cret dbname=chats sslmode=verify-full "
        "sslrootcert={folder}/authority.crt",
        "ana",
        True,
    ),
    "socket": ("postgresql://ana:se%2Fcret@/chats?host={folder}&port={port}", "ana", False),
    "socket as the host": ("postgresql://ana:se%2Fcret@{escaped}:{port}/chats", "ana", False),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_three_drivers_connect_in_the_same_way(way: str, server: Server) -> None:
    address, user, protected = WAYS[way]
    with connection.warehouse(Settings.load(database_url=filled(address, server))) as url:
        assert drivers.met_by_all(url, QUERY) == {(user, "chats", protected)}


def test_a_socket_works_by_postgres_host_too_and_where_only_libpq_knows_its_folder(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(
        postgres_host=str(server.folder),
        postgres_port=server.port,
        postgres_user="ana",
        postgres_password="se/cret",
        postgres_db="chats",
    )
    with connection.warehouse(settings) as url:
        assert drivers.met_by_all(url, QUERY) == {("ana", "chats", False)}
    monkeypatch.setenv("PGHOST", str(server.folder))
    monkeypatch.setenv("PGPORT", str(server.port))
    with connection.warehouse(Settings.load(database_url="postgresql://ana:se%2Fcret@/chats")) as url:
        assert drivers.met_by_all(url, QUERY) == {("ana", "chats", False)}


@pytest.mark.parametrize("name", ["stranger", "nothing"])
def test_a_server_that_is_not_the_one_whose_certificate_is_known_is_refused_in_a_line(
    name: str, server: Server
) -> None:
    address = filled(TCP + f"?sslmode=verify-full&sslrootcert={{folder}}/{name}.crt", server)
    with pytest.raises(SettingsError) as caught, connection.warehouse(Settings.load(database_url=address)):
        pass
    assert "\n" not in str(caught.value) and "se/cret" not in str(caught.value)


def test_check_connects_with_each_driver_and_says_which_one_fails(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(database_url=filled(WAYS["client certificate"][0], server))
    with connection.warehouse(settings) as url:
        os.environ.update(connection.environment(url))
        standing = Deployment(settings, url)
        assert health_checks._drivers(standing) == "psycopg, Dagster and dbt connect to it"
        given = connection.environment(url)
        wrong = given | {"DAGSTER_PG_URL": given["DAGSTER_PG_URL"] + "&sslcert=/nowhere"}
        with monkeypatch.context() as patched:
            patched.setattr(connection, "environment", lambda url: wrong)
            with pytest.raises(health_checks._Wrong, match=r"^Dagster cannot connect: [^;]*$"):
                health_checks._drivers(standing)
        os.environ.update(connection.environment(urlsplit(url)._replace(path="/nowhere").geturl()))
        with pytest.raises(health_checks._Wrong, match=r"^Dagster .*\"nowhere\".*; dbt cannot connect: .*\"nowhere\""):
            health_checks._drivers(standing)


def filled(address: str, server: Server) -> str:
    folder = str(server.folder)
    relative = os.path.relpath(folder, PROJECT_ROOT)
    return address.format(port=server.port, folder=folder, relative=relative, escaped=folder.replace("/", "%2F"))
