"""The list of people who were erased, as hashes, and the salt that makes it useless to whoever has the list alone.

The salt is a secret of the deployment: B2CHAT_ERASURE_SALT, else a private file of the data folder. Beside it a copy of
the list is kept, for a restored database is as old as its backup.
"""

import hashlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterable

import psycopg

from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse.private_files import NotOurs, PrivateFolder

_SALT, _COPY = "erasure_salt", "erased_people"  # files of the data folder
_known: dict[str, bytes] = {}  # salts by their fingerprint: settings are not read for each page

Hash = Callable[[str], bytes]


class WrongSalt(SettingsError):
    """The salt is not the one that the list was made with: nobody on it would be known."""


def reader(conn: psycopg.Connection) -> Hash | None:
    """How the people on the list are hashed; None where nobody is on it.

    Raises:
        WrongSalt: the salt is lost, or another one.
    """
    row = conn.execute(
        "select fingerprint from ops.suppression_salt where exists (select from ops.suppressed_people)"
    ).fetchone()
    return _hash(_salt_of(row[0])) if row else None


def writer(conn: psycopg.Connection, settings: Settings) -> Hash:
    """How whoever is added to the list is hashed; the salt is made where there is none.

    Raises:
        WrongSalt: the list was made with another one.
    """
    row = conn.execute("select fingerprint from ops.suppression_salt").fetchone()
    if row:
        return _hash(_salt_of(row[0]))
    salt = _salt(settings, make=True)
    conn.execute("insert into ops.suppression_salt (fingerprint) values (%s)", [_fingerprint(salt)])
    return _hash(salt)


def add(conn: psycopg.Connection, hashes: Iterable[bytes], token: str) -> int:
    """Put hashes on the list. Returns how many were new."""
    return conn.execute(
        "insert into ops.suppressed_people (hash, token) select unnest(%s::bytea[]), %s on conflict do nothing",
        [list(hashes), token],
    ).rowcount


def tokens(conn: psycopg.Connection, hashes: Iterable[bytes]) -> dict[bytes, str]:
    """Those of the hashes that are on the list, each with the token of its person."""
    rows = conn.execute(
        "select hash, token from ops.suppressed_people where hash = any(%s::bytea[])", [list(hashes)]
    ).fetchall()
    return {bytes(one): token for one, token in rows}


def pseudonym(token: str, hashed: bytes) -> str:
    """An id in the place of one of an erased person's, each time the same one."""
    return str(uuid.UUID(bytes=hashlib.blake2b(hashed, key=token.encode(), digest_size=16).digest()))


def keep_copy(conn: psycopg.Connection, settings: Settings) -> None:
    """Write the list beside the salt, in the data folder, and which archives there are now: a backup of the database
    cannot know who is erased later, nor that a file was written anew for it."""
    salt = conn.execute("select fingerprint from ops.suppression_salt").fetchone()
    people = conn.execute("select encode(hash, 'hex'), token from ops.suppressed_people order by 1").fetchall()
    archives = conn.execute(_ARCHIVES_KEPT).fetchall()
    kept: dict[str, object] = {
        "fingerprint": salt and salt[0],
        "people": dict(people),
        "archives": [one for (one,) in archives],
    }
    with _folder(settings) as folder:
        folder.write(_COPY, json.dumps(kept))


def take_copy(conn: psycopg.Connection, settings: Settings) -> int:
    """Add to the list whom the copy in the data folder has beside, and name the archives' present files.

    Returns:
        how many hashes were not on the list.

    Raises:
        WrongSalt: the copy was made with another salt than the database's list.
    """
    with _folder(settings) as folder:
        kept = json.loads(folder.read(_COPY) or "{}")
    if not kept.get("people"):
        return 0
    conn.execute(
        "insert into ops.suppression_salt (fingerprint) values (%s) on conflict do nothing", [kept["fingerprint"]]
    )
    row = conn.execute("select fingerprint from ops.suppression_salt").fetchone()
    if row != (kept["fingerprint"],):
        raise WrongSalt("the list of erased people in the data folder was made with another salt than the database's")
    conn.execute(_ARCHIVES_TAKEN, [json.dumps(kept["archives"])])
    by_token: dict[str, list[bytes]] = {}
    for one, token in kept["people"].items():
        by_token.setdefault(token, []).append(bytes.fromhex(one))
    return sum(add(conn, hashes, token) for token, hashes in by_token.items())


_ARCHIVES_KEPT = """
    select to_jsonb(archives) from ops.archives where state in ('detached', 'dropped', 'restored') order by id
"""
_ARCHIVES_TAKEN = """
    update ops.archives as known set object_key = file.object_key, row_count = file.row_count,
        content_sum = file.content_sum, first_key = file.first_key, last_key = file.last_key,
        largest_row = file.largest_row, bytes = file.bytes, sha256 = file.sha256
    from jsonb_populate_recordset(null::ops.archives, %s::jsonb) as file
    where (known.id, known.table_name, known.month) = (file.id, file.table_name, file.month)
        and known.state in ('detached', 'dropped', 'restored') and known.sha256 <> file.sha256
"""


def _hash(salt: bytes) -> Hash:
    keyed = hashlib.blake2b(key=salt, digest_size=16)

    def one(text: str) -> bytes:
        of_text = keyed.copy()
        of_text.update(text.encode(errors="replace"))
        return of_text.digest()

    return one


def _salt_of(fingerprint: str) -> bytes:
    if fingerprint not in _known:
        salt = _salt(Settings.load())
        if _fingerprint(salt) != fingerprint:
            raise WrongSalt(
                "the salt of the list of erased people is missing, or not the one that it was made with: set "
                "B2CHAT_ERASURE_SALT, or put back the file erasure_salt of the data folder: else they would return"
            )
        _known[fingerprint] = salt
    return _known[fingerprint]


def _salt(settings: Settings, *, make: bool = False) -> bytes:
    if settings.erasure_salt:
        text = settings.erasure_salt.get_secret_value()
    else:
        with _folder(settings) as folder:
            if make and folder.read(_SALT) is None:
                folder.write(_SALT, secrets.token_urlsafe(32))
            text = folder.read(_SALT) or ""
    return hashlib.sha256(text.encode()).digest()


def _folder(settings: Settings) -> PrivateFolder:
    try:
        return PrivateFolder(settings.data_path)
    except NotOurs as error:
        raise SettingsError(str(error)) from None


def _fingerprint(salt: bytes) -> str:
    return hashlib.blake2b(b"fingerprint", key=salt, digest_size=8).hexdigest()
