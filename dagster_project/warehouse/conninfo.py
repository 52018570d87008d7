"""An address of a Postgres: read by libpq's own rules, then written as a URL, as an environment, or to be shown.

Every driver reads its address in another way: psycopg 3 and psql by libpq, Dagster by SQLAlchemy, dbt field by field.
So an address is read once, by `read` and `complete`. All that comes after gets parameters, or a URL made of them.
"""

import itertools
import os
import re
from collections.abc import Collection, Mapping
from urllib.parse import quote, urlencode

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from dagster_project.settings import PROJECT_ROOT, SettingsError
from dagster_project.settings.section import is_this_machine

Parameters = dict[str, str]

_FILES = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "passfile"}
_SHOWN = {"host", "hostaddr", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert"}
# What says where a server is and how a connection to it is protected; the rest says who we are.
_PLACE = {
    "host",
    "hostaddr",
    "port",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "sslnegotiation",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "channel_binding",
    "gssencmode",
    "target_session_attrs",
    "load_balance_hosts",
    "connect_timeout",
}
# No variable of libpq's carries these to dbt, and none is needed there: a connection is the same without them.
_TUNING = {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}
# We speak UTF-8, and each program gives its own name.
_DROPPED = {"client_encoding", "application_name", "fallback_application_name"}


def read(text: str, setting: str = "DATABASE_URL") -> Parameters:
    """The parameters of an address, a URL or `host=… user=…`, that stand in it.

    Args:
        text: the address.
        setting: the setting that holds it, for the error's text.

    Raises:
        SettingsError: one line that says what is wrong with it, and quotes nothing of it.
    """
    if text.startswith(("postgresql://", "postgres://")) and _is_ambiguous(text.partition("://")[2]):
        raise SettingsError(f"{setting}: an @ or a / in a user, password or database is written %40 or %2F")
    try:
        text.encode()
        found = {} if "\0" in text else conninfo_to_dict(text)
    except UnicodeEncodeError:
        raise SettingsError(f"{setting}: it holds bytes that are no UTF-8") from None
    except psycopg.Error as error:
        raise SettingsError(f"{setting}: {_reason(str(error))}") from None
    return checked({name: str(value) for name, value in found.items() if value not in (None, "")}, setting)


def checked(parameters: Parameters, setting: str = "DATABASE_URL") -> Parameters:
    """The parameters, if all our drivers can be given them.

    Raises:
        SettingsError: one line that names the parameter, without its value.
    """
    for name, value in parameters.items():
        if "\0" in value or not _is_utf8(value):
            raise SettingsError(f"{setting}: {name} holds a NUL or bytes that are no UTF-8")
        if name not in _variables() and name not in _TUNING | _DROPPED:
            raise SettingsError(f"{setting}: {name} cannot be used: there is no way to hand it to dbt")
    for host in parameters.get("host", "").split(","):
        if host and not host.startswith(("/", "@")) and not re.fullmatch(r"[\w.:%-]+", host):
            raise SettingsError(f"{setting}: the host is no name, IP address or folder of a socket")
    ports = {port or "5432" for port in parameters.get("port", "5432").split(",")}
    if not all(port.isascii() and port.isdigit() and 0 < int(port) < 65536 for port in ports):
        raise SettingsError(f"{setting}: the port is no number from 1 to 65535 (a / in a password is written %2F)")
    if len(ports) > 1:
        raise SettingsError(f"{setting}: several hosts need the same port: dbt takes one")
    kept = {name: value for name, value in parameters.items() if name not in _DROPPED}
    return kept | ({"port": ports.pop()} if "port" in kept else {})


def complete(parameters: Parameters, setting: str = "DATABASE_URL") -> Parameters:
    """The parameters with what libpq adds to them: those of the service, of the environment, and the login's name.

    Paths are absolute then, so that a program that runs in another folder finds the same file.

    Raises:
        SettingsError: there is no such service, or it or the environment holds what our drivers cannot be given.
    """
    given = {name: _absolute(name, value, str(PROJECT_ROOT)) for name, value in parameters.items()}
    service = given.pop("service", None) or os.environ.get("PGSERVICE", "")
    added = _defaults(service)
    if service and added == _defaults(""):
        raise SettingsError(f"{setting}: its service is in no service file, or has no parameters there")
    added = {name: _absolute(name, value, os.getcwd()) for name, value in checked(added, setting).items()}
    if "host" in given:
        added.pop("hostaddr", None)  # that of another server
    whole = added | given
    return {"dbname": whole["user"]} | whole if "user" in whole else whole


def protected(parameters: Parameters, plain_hosts: Collection[str] = (), setting: str = "DATABASE_URL") -> Parameters:
    """The parameters, so that a server on another machine is met over TLS by each driver, or not at all.

    Args:
        plain_hosts: hosts that may be met without it.

    Raises:
        SettingsError: they ask for a connection that may be in the clear.
    """
    if not is_away(parameters, plain_hosts):
        return parameters
    if (mode := parameters.get("sslmode")) in ("disable", "allow", "prefer"):
        raise SettingsError(
            f"{setting}: with sslmode={mode} others on the way may read the password and the chats: take verify-full, "
            "or name the host in B2CHAT_PLAIN_HOSTS"
        )
    return {"sslmode": "verify-full" if "sslrootcert" in parameters else "require"} | parameters


def is_away(parameters: Parameters, near: Collection[str] = ()) -> bool:
    """Whether a server may be on another machine, or one that is not among the hosts named as near."""
    hosts, addresses = (parameters.get(name, "").split(",") for name in ("host", "hostaddr"))
    # libpq goes to the address, where there is one beside the name.
    for host, address in itertools.zip_longest(hosts, addresses, fillvalue=""):
        place = address or host
        is_socket = not place or place.startswith(("/", "@"))
        if not is_socket and not is_this_machine(place) and not {place, host} & set(near):
            return True
    return False


def to_url(parameters: Mapping[str, str]) -> str:
    """The parameters as a URL, which libpq and SQLAlchemy read alike."""
    rest = dict(parameters)
    user, password, database = (quote(rest.pop(name, ""), "*") for name in ("user", "password", "dbname"))
    login = f"{user}:{password}@" if password else f"{user}@" if user else ""
    host, place = rest.get("host", ""), ""
    if re.fullmatch(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*", host):
        place = f"[{host}]" if ":" in host else host
        port = rest.pop("port", "")
        place += f":{port}" if port else ""
        del rest["host"]
    options = urlencode(rest, safe="/", quote_via=quote)
    return f"postgresql://{login}{place}/{database}{'?' if options else ''}{options}"


def masked(url: str) -> str:
    """The one form in which an address is shown: without its password, and without what nobody looks for there."""
    shown = {name: value for name, value in read(url).items() if name in _SHOWN}
    return to_url(shown | ({"password": "***"} if "password" in shown else {}))


def reason_of(error: Exception, parameters: Mapping[str, str]) -> str:
    """A driver's error as one line, with no password in it."""
    text = " ".join(str(error).split()) or type(error).__name__
    password = parameters.get("password")
    public = [value for name, value in parameters.items() if name != "password"]
    if password and not any(password in value for value in public):
        for form in (quote(password, ""), quote(password), password):
            text = text.replace(form, "***")
    return text


def for_role(url: str, role: str, password: str) -> str:
    """The address of the same database for another role, with nothing of our own login.

    Raises:
        SettingsError: the password cannot be one.
    """
    place = {name: value for name, value in read(url).items() if name in _PLACE}
    return to_url(place | checked({"user": role, "password": password}, f"the login of {role}"))


def for_part(url: str, given: str, setting: str) -> Parameters:
    """The parameters of another login to the same database: what they do not say of the way is as in its address.

    Raises:
        SettingsError: it is no address.
    """
    place, own = ({name: value for name, value in read(url).items() if name in _PLACE}, read(given, setting))
    if "host" in own:
        place.pop("hostaddr", None)
    return place | own


def to_environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters as the variables that libpq reads, in each of our drivers."""
    return {_variables()[name]: value for name, value in parameters.items() if name in _variables()}


def clear_environment() -> None:
    """Take libpq's variables out of this process's environment: an address that is complete must stay as it is."""
    for variable in {*_variables().values(), "PGSERVICE", "PGSERVICEFILE", "PGREQUIRESSL"}:
        os.environ.pop(variable, None)


def _is_ambiguous(rest: str) -> bool:
    """Whether an unescaped @ or / cuts a URL elsewhere than its writer meant: a part of the password becomes a host."""
    authority, _, path = rest.partition("/")
    after_login = authority.partition("@")[2].partition("?")[0]
    return "@" in after_login or "@" in path.partition("?")[0]


def _reason(message: str) -> str:
    """What libpq says of a text that it cannot read, without the part of it that it quotes."""
    reasons = {
        "invalid percent-encoded": "a % in it is no escape: it is written %25",
        "forbidden value %00": "it holds a %00",
        "unexpected spaces": "a space in it is written %20",
        "invalid URI query parameter": "it has an option after the ? that Postgres does not know (& is written %26)",
        "missing key/value separator": "it has an option after the ? without a value (& is written %26)",
        "extra key/value separator": "an = in an option after the ? is written %3D",
        "invalid connection option": "it has a keyword that Postgres does not know",
    }
    known = next((reason for start, reason in reasons.items() if message.startswith(start)), None)
    return known or "it is no address that Postgres understands"


def _defaults(service: str) -> Parameters:
    """What libpq takes from a service and from the environment. A service is looked up by its variable alone."""
    before = os.environ.get("PGSERVICE")
    try:
        os.environ["PGSERVICE"] = service
        return {
            option.keyword.decode(): option.val.decode(errors="surrogateescape")
            for option in pq.Conninfo.get_defaults()
            if option.val and option.val != option.compiled and option.keyword != b"service"
        }
    finally:
        os.environ.pop("PGSERVICE")
        os.environ.update({"PGSERVICE": before} if before else {})


def _variables() -> dict[str, str]:
    options = pq.Conninfo.get_defaults()
    return {option.keyword.decode(): option.envvar.decode() for option in options if option.envvar}


def _absolute(name: str, value: str, folder: str) -> str:
    return os.path.join(folder, value) if name in _FILES and value != "system" else value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
