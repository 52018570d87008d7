"""A person is forgotten: gone from a dump of the database and from every file; numbers stay; there is no way back."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from dagster_project.erasure import access_request, requests, run
from dagster_project.erasure.person import NoSuchPerson, contact_by_phone, find
from dagster_project.exports.stores.bucket import Bucket
from dagster_project.exports.stores.contract import manifest_key
from dagster_project.ingestion.records.quarantine import retry_quarantine
from dagster_project.ingestion.sync import sync
from dagster_project.settings import Settings
from dagster_project.sources.b2chat.records import Chat, Contact, Message
from dagster_project.sources.b2chat_audit.entities import MESSAGES
from dagster_project.sources.b2chat_audit.source import AuditFolder
from dagster_project.sources.catalog import SOURCES
from dagster_project.sources.contract import Scope
from dagster_project.warehouse import binaries, suppression
from dagster_project.warehouse.archive import restore, steps
from tests.support import s3
from tests.support.audit_files import COLUMNS, row, write_csv
from tests.support.killed import kill_at, whole
from tests.support.listed import AGENT, ListedSource, chat, contact, message, serving
from tests.support.world import TODAY, World

ID, PHONE, WORD = 7700077, "+57 399 815 7707", "zqkan"
BUILD = (
    "build",
    *("--select", "+contacts", "+contact_activity", "+reply_turns", "+chat_tags"),
    *("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"),
)
# Of every field the person's, but for those that hold times and codes.
TYPED = {"contact_id", "created", "updated", "tags", "custom_attributes", "row_index", "mobile"}
# Where an erasure is killed: before, in and after the transaction of the tables, at each kind of file, at the end.
STEPS = (
    "warehouse.suppression.add",
    "erasure.analyses.erase",
    "erasure.requests.move_on",
    "erasure.files._rename",
    "exports.service.delete",
    "warehouse.suppression.keep_copy",
    "erasure.analyses.forget_orphans",
    "erasure.leftovers.vacuum",
    "erasure.leftovers.search",
)
CANARIES = [str(ID), "3998157707", WORD]


def words(names: Any) -> dict[str, str]:
    return {name: f"{WORD}{name.replace('_', '')}" for name in names}


PERSON = {
    **words(get_type_hints(Contact).keys() - TYPED),
    "fullname": f"Quno {WORD}apellido",
    "mobile": PHONE,
    "custom_attributes": [{"name": f"{WORD}attribute", "value": WORD}],
    "tags": [{"name": f"{WORD}tag", "assigned_at": 1_700_000_000}],
}
OF_CHAT = words({"email", "identification", "name"}) | {
    "id": ID,
    "mobile_number": PHONE.replace(" ", ""),
    "phone_number": "",
    "tags": [f"{WORD}tag"],
    "custom_attributes": {f"{WORD}key": WORD},
}


def said(at: str, incoming: bool = True, **fields: Any) -> dict[str, Any]:
    typed = {"created_at": at, "incoming": incoming, "type": "TEXT", "broadcasted": False, "location": {"lat": WORD}}
    return words(get_type_hints(Message)) | typed | fields


def own(key: str, day: str, **fields: Any) -> dict[str, Any]:
    times = {
        "opened_at": f"{day} 09:00:00",
        "picked_up_at": f"{day} 09:01:00",
        "responded_at": f"{day} 09:02:00",
        "closed_at": f"{day} 10:00:00",
    }
    talk = [
        said(f"{day} 09:00:00"),
        said(f"{day} 09:00:00", body=f"{WORD} otra"),
        said(f"{day} 09:02:00", False),
        said(f"{day} 09:05:00", type="IMAGE", body=f"https://{WORD}.test/a.png"),
        said("", body=f"{WORD} sin hora"),
    ]
    free = words(get_type_hints(Chat).keys() & {"viewer_url"}) | {"a_field_of_tomorrow": {"deep": [WORD]}}
    return chat(
        key,
        day,
        **{**times, **free, "provider": "whatsapp", "agent": AGENT, "contact": OF_CHAT, "messages": talk}
        | {"tags": ["lead", f"cliente {WORD}name"], "department": {"name": "Ventas", "code": "VEN"}}
        | fields,
    )


def of_beto(key: str, body: str) -> dict[str, Any]:
    beto = {"id": 78, "name": "Beto Dos", "mobile_number": "+573000000078"}
    return chat(key, "2025-10-03", agent=AGENT, contact=beto, messages=[message("2025-10-03 09:00:00", body=body)])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("B2CHAT_DATA_DIR", str(folder))
        yield Settings.load()


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[Bucket]:
    keys: dict[str, str | None] = {"access_key_id": "id", "secret_access_key": "secret", "region": "us-east-1"}
    with s3.running() as address:
        yield Bucket(s3.BUCKET, "b2chat", keys | {"endpoint": address}, settings.exports_path)


@pytest.fixture(scope="module")
def world(
    new_database: Callable[[], str], settings: Settings, store: Bucket, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Two people, of whom one is in everything that can hold a person."""
    chats = [
        own("old", "2025-09-29"),
        own("closed", "2025-10-01"),
        own("open", "2025-10-08", status="PICKED_UP", closed_at=None),
        own("told", "2025-10-02", messages=[]),
        own("former", "2025-10-03"),
        of_beto("beto", "hola"),
        own("odd", "2025-10-04", status={"no": WORD}),
    ]
    with serving(ListedSource(chats, [contact(ID, **PERSON), contact(78, fullname="Beto Dos")])) as sandbox:
        made = World(new_database(), sandbox)
        made.sync()
        # A second version of everything, and a chat that is somebody else's since.
        made.source.records["contacts"][0] = contact(ID, **PERSON | {"company": f"{WORD} otra"})
        for one in chats:
            one["duration"] = "00:59:00"
        chats[4] = of_beto("former", "de Beto")
        made.sync()
        folder = tmp_path_factory.mktemp("audit")
        cells = words({name.replace(" ", "_") for name in COLUMNS if name.startswith(("Contact", "Ad"))})
        cells |= {"Contact_ID": str(ID), "Contact_Mobile_Number": PHONE}
        write_csv(
            folder / "a.csv",
            [
                row("told", "2025-10-02 09:00:00", f"{WORD} hola", by="Contact", **cells),
                row("told", "2025-10-02 09:03:00", f"{WORD} respuesta", by="Bot", **cells),
                row("told", "2025-10-02 09:04:00", f"{WORD} x", by="Contact", **cells | {"Message_Incoming": "?"}),
            ],
        )
        with AuditFolder(folder) as source:
            sync(made.url, source, MESSAGES, Scope("incremental", TODAY), triggered_by="test")
        assert made.dbt(*BUILD).returncode == 0
        analyse(made)
        export(made, store)
        steps.run(made.url, store, 12, date(2026, 10, 15))
        yield made


@pytest.fixture(scope="module")
def kept(world: World, server_url: str) -> Iterator[str]:
    """The database as a backup has it that was made before anybody was erased."""
    name = urlsplit(world.url).path[1:]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f'create database "{name}_20251010_120000" template "{name}" strategy file_copy')  # type: ignore[arg-type]
        yield urlunsplit(urlsplit(world.url)._replace(path=f"/{name}_20251010_120000"))
        conn.execute(f'drop database "{name}_20251010_120000" with (force)')  # type: ignore[arg-type]


def analyse(world: World) -> None:
    """What a classifier and a person said of chats; two that say the same share a classification."""
    with psycopg.connect(world.url) as conn:
        conn.execute(
            """
            insert into analysis.classifications (
                cache_key, classifier, version, model_vendor, model, is_llm, customer_intent, sentiment,
                confidence_score, confidence_source, reasoning_notes, cost_usd, classified_at, recommendations,
                analysis_data)
            select key, 'rules', '1', 'rules', 'rules-1', false, 'PAYMENT', 'NEUTRAL', 0.9, 'rule_margin', note, 0,
                now(), jsonb_build_array(jsonb_build_object('text', note, 'source', 'rule')),
                jsonb_build_object('evidence', note)
            from (values ('shared', 'de ambos'), ('own', %(word)s), ('orphan', %(word)s)) as one (key, note)
            """,
            {"word": WORD},
        )
        conn.execute("""
            insert into analysis.classification_queue (
                chat_id, classifier, version, state, cache_key, classification_id, load_id, processed_at, content_key)
            select chat_id, 'rules', '1', 'classified', key,
                (select classification_id from analysis.classifications where cache_key = key), 1, now(), 'of ' || key
            from (values ('closed', 'shared'), ('beto', 'shared'), ('old', 'own')) as one (chat_id, key)
            union all select 'open', 'rules', '1', 'ongoing', null, null, 1, now(), null
        """)
        conn.execute(
            "insert into analysis.human_labels (chat_id, content_key, customer_intent, labelled_by, note) "
            "values ('closed', 'of shared', 'LEGAL', 'eva', %s)",
            [WORD],
        )
        conn.execute(
            """
            insert into analysis.customer_analyses (id, triggered_by, filters, sample_rate, classifier, is_llm)
            select 'a1', 'eva', jsonb_build_object('contact_ids', array[%s::text, '78']), 1, 'rules', false
            """,
            [str(ID)],
        )
        conn.execute(
            """
            insert into analysis.customer_categorizations (
                analysis_id, chat_id, customer_intent, reasoning_notes, model_vendor, model, is_llm, classified_by,
                classification_id)
            select 'a1', 'closed', 'PAYMENT', %s, 'rules', 'rules-1', false, 'rules', classification_id
            from analysis.classifications where cache_key = 'shared'
            """,
            [WORD],
        )
        conn.execute(
            """
            insert into analysis.effectiveness_analysis (
                chat_id, user_id, classification_id, resolution_score, customer_satisfaction, model_vendor, model,
                is_llm, classified_by, recommendations, analysis_data, created_at)
            select 'old', 'eva', classification_id, 80, 60, 'rules', 'rules-1', false, 'rules', recommendations,
                analysis_data, now()
            from analysis.classifications where cache_key = 'own'
            """
        )


def export(world: World, store: Bucket) -> None:
    """A file of chats of the person's days, one of other days, and one of sums."""
    made = [
        ("chats", "2025-10-01", "2025-10-05"),
        ("chats", "2025-09-01", "2025-09-05"),
        ("kpis", "2025-10-01", "2025-10-05"),
    ]
    with psycopg.connect(world.url) as conn:
        for number, (kind, first, last) in enumerate(made):
            key = f"{kind}/x-{number}.csv"
            for name in (key, manifest_key(key)):
                file = store.scratch / "one"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(WORD if number == 0 else "sums")
                store.put(name, file, "x.csv", "text/csv")
            conn.execute(
                """
                insert into ops.export_logs (
                    id, user_id, export_type, format, language, filters, file_name, file_url, store, key, status,
                    size_bytes, sha256, completed_at, expires_at)
                values (%s, 'eva', %s, 'csv', 'es', jsonb_build_object('from', %s::text, 'to', %s::text), 'x', %s, %s,
                    %s, 'completed', 1, 'x', now(), now() + interval '7 days')
                """,
                [str(number), kind, first, last, store.place(key), store.name, key],
            )


def everything_in(world: World, *places: Path | Bucket) -> str:
    """A dump of the database, and all files and objects."""
    program = binaries.find(None).folder / "pg_dump"
    done = subprocess.run([program, world.url], capture_output=True, text=True, check=True)
    held: dict[Any, bytes] = {}
    for place in places:
        if isinstance(place, Bucket):
            held |= s3.objects(place)
        else:
            held |= {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
    return "\n".join([done.stdout, *(content.decode(errors="replace") + str(name) for name, content in held.items())])


def numbers(world: World) -> dict[str, list[str]]:
    """What the tables say, but for what an erasure is to take away, and our own bookkeeping."""
    tables = world.ask("""
        select format('%%I.%%I', nspname, relname) as name from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname in ('core', 'intermediate', 'marts') and relkind in ('r', 'p') and not relispartition
    """)
    taken = "{load_id,text,caption,image_url,file_url,contact_id,superseded_by_load_id,tags}"
    found = {}
    for one in tables:
        name = one["name"]
        if name == "core.contacts":
            query = "select is_stub::text as row from core.contacts order by 1"
        else:
            more = " - 'id'" if name == "core.messages" else ""
            query = f"select (to_jsonb(t) - '{taken}'::text[]{more})::text as row from {name} as t order by 1"
        found[name] = [row["row"] for row in world.ask(query) if WORD not in row["row"]]
    return found


@pytest.mark.usefixtures("kept")
def test_a_person_is_forgotten_whoever_is_killed_and_numbers_stay(
    world: World, settings: Settings, store: Bucket
) -> None:
    places = (settings.data_path, store)
    held_before, before = everything_in(world, *places), numbers(world)
    assert all(canary in held_before for canary in CANARIES)
    with psycopg.connect(world.url) as conn:
        assert contact_by_phone(conn, "57 (399) 815-7707") == str(ID)
        person = find(conn, str(ID))
        assert person.chats == ("closed", "old", "open", "told") and person.former_chats == ("former",)

    promised = run.dry_run(world.url, settings, store, str(ID), "eva")
    assert numbers(world) == before and everything_in(world, store).count(WORD) > 50, "a dry run changes nothing"

    with psycopg.connect(world.url) as conn:
        request = requests.ask(conn, str(ID), "eva")

    for step in STEPS:
        kill_at(step, whole, world.url, settings, store, request)
        with psycopg.connect(world.url) as conn:
            request = requests.of_id(conn, request.id)
    request = run.erase(world.url, settings, store, request)
    assert world.dbt(*BUILD).returncode == 0
    request = run.finish(world.url, settings, request)

    assert (request.state, request.contact_id, request.searched) == ("done", None, None)
    counted = {place: count for place, count in promised.items() if "." in place}
    assert counted == {place: count for place, count in request.counts.items() if place in counted}
    assert request.counts["exports"] == 1 and request.counts["archived files"] == 2
    assert not [place for place in request.counts if place.startswith("left")]
    assert request.counts["databases that a restore kept"] == 1, "nobody is erased from those"
    with psycopg.connect(world.url) as conn, pytest.raises(NoSuchPerson, match="was erased"):
        find(conn, request.token)
    assert nothing_of_the_person(world, *places)
    assert numbers(world) == before
    names = (f"{key}{end}" for key in ("chats/x-1.csv", "kpis/x-2.csv") for end in ("", ".json"))
    assert sorted(key for key in s3.objects(store) if "/x-" in key) == [f"b2chat/{name}" for name in names]

    # The next sync brings the same again, and finds nothing changed. A full refresh from what is left says the same.
    loads = world.ask("select count(*) from ops.page_loads where new_count + changed_count > 0")
    world.sync()
    assert world.ask("select count(*) from ops.page_loads where new_count + changed_count > 0") == loads
    restore.restore_all(world.url, store)
    assert world.dbt(*BUILD, "--full-refresh").returncode == 0
    kept = ("marts.reply_turns", "marts.contact_activity", "marts.chat_tags", "core.chats", "core.contacts")
    again = numbers(world)
    assert {name: again[name] for name in kept} == {name: before[name] for name in kept}

    # What comes later lands without the person: a chat, a message, and what could not be read.
    world.source.records["chats"] += [own("new", "2025-10-09"), own("odder", "2025-10-09", status={"no": WORD})]
    world.source.records["chats"][2]["messages"].append(said("2025-10-08 11:00:00"))
    world.sync()
    retry_quarantine(world.url, SOURCES, triggered_by="test")
    rows = world.ask(
        """
        select chat_id, jsonb_array_length(payload -> 'messages') as messages, version from raw.b2chat_chats
        where payload -> 'contact' ->> 'id' = %s order by 1
    """,
        request.token,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("closed", 5, 2),
        ("new", 5, 1),
        ("old", 5, 2),
        ("open", 6, 3),
        ("told", 0, 2),
    ]
    assert nothing_of_the_person(world, *places)


def nothing_of_the_person(world: World, *places: Path | Bucket) -> bool:
    everything = everything_in(world, *places).lower().splitlines()
    assert [line[:300] for line in everything if any(canary in line for canary in CANARIES)] == []
    return True


def test_a_restored_backup_forgets_again_whom_it_still_knew(
    world: World, settings: Settings, store: Bucket, kept: str
) -> None:
    restored = World(kept, world.sandbox)
    assert WORD in everything_in(restored)
    with psycopg.connect(kept) as conn:  # of the contact nothing is left but in its chats
        conn.execute("delete from raw.b2chat_contacts where contact_id = %s", [str(ID)])
        conn.execute("delete from core.contacts where id = %s", [str(ID)])
    done = run.reapply(kept, settings, store, "operator")
    assert [request.state for request in done] == ["stored"]
    assert run.finish(kept, settings, done[0]).state == "done"
    assert nothing_of_the_person(restored, settings.data_path, store)
    assert run.reapply(kept, settings, store, "operator") == []


def test_nothing_lands_where_nobody_can_tell_who_was_erased(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suppression, "_known", {})
    monkeypatch.setenv("B2CHAT_ERASURE_SALT", "another")
    before = world.ask("select count(*) from ops.page_loads")
    with pytest.raises(suppression.WrongSalt, match="erasure_salt"):
        world.sync()
    assert world.ask("select count(*) from ops.page_loads") == before


def test_the_audit_log_says_who_asked_and_how_much_went_and_not_who_it_was(world: World) -> None:
    rows = world.ask("""
        select event_type, resource, user_email, metadata -> 'counts' ->> 'raw.b2chat_contacts' as contacts
        from ops.audit_logs where event_type like 'erasure.%%' order by timestamp
    """)
    told = [(row["event_type"], row["contacts"]) for row in rows]
    assert told == [("erasure.dry_run", "1"), ("erasure.start", None), ("erasure.complete", "1")]
    assert {row["resource"] for row in rows[1:]} == {
        f"erasure:{world.ask('select token from ops.erased_chats')[0]['token']}"
    }


def test_labels_stay_and_words_go_and_an_equal_text_of_another_keeps_its_own(world: World) -> None:
    rows = world.ask("""
        select queue.chat_id, queue.state, customer_intent, reasoning_notes, queue.cache_key as key
        from analysis.classification_queue as queue left join analysis.classifications using (classification_id)
        order by 1
    """)
    assert [tuple(row.values()) for row in rows] == [
        ("beto", "classified", "PAYMENT", "de ambos", "shared"),
        ("closed", "classified", "PAYMENT", "", None),
        ("old", "classified", "PAYMENT", "", None),
        ("open", "skipped", None, None, None),
    ]
    label = world.one("analysis.human_labels", "chat_id", "closed")
    queue = world.one("analysis.classification_queue", "chat_id", "closed")
    assert (label["customer_intent"], label["note"]) == ("LEGAL", None) and label["content_key"] == queue["content_key"]
    assert world.one("analysis.effectiveness_analysis", "chat_id", "old")["effectiveness_score"] == 72


def test_a_person_gets_all_that_is_held_of_them_in_one_private_file(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    with psycopg.connect(world.url) as conn:
        counts = access_request.write(conn, settings, find(conn, "78"), tmp_path / "beto.json", "eva")
        with pytest.raises(access_request.FileIsThere):
            access_request.write(conn, settings, find(conn, "78"), tmp_path / "beto.json", "eva")
    document = json.loads((tmp_path / "beto.json").read_text())
    assert (tmp_path / "beto.json").stat().st_mode & 0o777 == 0o600
    assert {row["id"] for row in document["tables"]["core.chats"]} == {"beto", "former"}
    assert {row["text"] for row in document["tables"]["core.messages"]} == {"hola", "de Beto"}
    assert counts["raw.b2chat_contacts"] == 1
