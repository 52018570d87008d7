"""`b2chat review …`: the chats that a person should look at, and what he says of them."""

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from dagster_project.analysis.review import labelled, labels, queue, reader
from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.analysis.taxonomy.taxonomy import Taxonomy
from dagster_project.cli.command_line import JsonOption, console, print_json
from dagster_project.cli.harmless import visible
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection, seeds
from dagster_project.warehouse.access import audit_log, users

review = typer.Typer(no_args_is_help=True, help="Chats that a person should look at, and what he says of them.")
FAULTS = (reader.NoSuchChat, labels.BadLabel)  # one line each
Reason = StrEnum("Reason", {name.upper(): name for name in queue.REASONS})  # type: ignore[misc]

ChatId = Annotated[str, typer.Argument(help="B2Chat's id of the chat.")]
By = Annotated[str, typer.Option(help="Who says so.")]


@review.command(name="list")
def list_waiting(
    reason: Annotated[list[Reason] | None, typer.Option(help="Only these; may be given several times.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most rows.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the chats of the queue that are open, the gravest first; no message is shown."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        rows, counts = reader.waiting(conn, [str(one) for one in reason or ()], limit), queue.counts(conn)
    if as_json:
        print_json({"open": counts, "chats": [_flat(row) for row in rows]})
        return
    for row in rows:
        _print(f"{row.chat_id}  {', '.join(row.reasons)}\n    {_opinion(row)}")
    _print(f"{counts.pop('open')} open: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@review.command()
def show(chat_id: ChatId, as_json: JsonOption = False) -> None:
    """Print a chat with what the machine and people say of it. It holds personal data, and goes nowhere else."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        users.require(conn, users.account(), "read a chat")
        shown = reader.show(conn, chat_id)
        audit_log.record(conn, "data.read", resource="chat", resource_id=chat_id, user=users.account())
    if as_json:
        print_json(asdict(shown) | {"row": _flat(shown.row), "said": [_flat(one) for one in shown.said]})
        return
    for message in shown.conversation.messages:
        minutes = "" if message.minutes is None else f"{message.minutes:7.0f} min"
        _print(f"{minutes}  {'customer' if message.incoming else 'agent   '}  {_indented(message.text)}")
    row = shown.row
    _print(
        f"\n{_opinion(row)}\n  {_indented(row.reasoning_notes or '')[:600]}\n"
        f"{row.state}: {', '.join(row.reasons) or 'no reason to review it'}"
    )
    for said in shown.said:
        _print(
            f"{said.labelled_by}, {said.labelled_at:%Y-%m-%d %H:%M}: {_opinions(said)}"
            f"{' (the chat has changed since)' if said.is_outdated else ''}"
        )
    if shown.has_changed:
        _print("The chat has changed since it was categorized: run the categorization before you label it.")


@review.command()
def label(
    chat_id: ChatId,
    by: By,
    intent: Annotated[str | None, typer.Option(help="What the customer wants: see `review labels`.")] = None,
    stage: Annotated[str | None, typer.Option(help="How far the customer is, or none.")] = None,
    sentiment: Annotated[str | None, typer.Option(help="The customer's mood.")] = None,
    other: Annotated[
        list[str] | None, typer.Option("--label", help="FIELD=LABEL, for any field; may be given several times.")
    ] = None,
    quality: Annotated[str | None, typer.Option(help="1 to 10; none where no agent wrote.")] = None,
    note: Annotated[str | None, typer.Option(help="Anything to remember.")] = None,
) -> None:
    """Say what a chat is. What you leave out is no opinion: there the machine's label stays."""
    given = labels.Label.read(
        {
            "chat_id": chat_id,
            "by": by,
            "intent": intent,
            "stage": stage,
            "sentiment": sentiment,
            "quality": quality,
            "note": note,
        }
        | dict(_pair(one) for one in other or ()),
        _taxonomy(),
    )
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        _require_labeller(conn, by)
        kept = labels.keep(conn, [given])
    if kept.refused:
        raise labels.BadLabel(f"{chat_id}: {kept.refused[0][1]}")
    _print("labelled" if kept.taken else "you said so already")


@review.command(name="labels")
def list_labels(as_json: JsonOption = False) -> None:
    """List the labels that a chat may have, by field, with what they mean."""
    fields = _taxonomy().fields
    if as_json:
        print_json({field.name: [asdict(label) for label in field.labels] for field in fields})
        return
    for field in fields:
        _print(f"{field.name} (--{field.short}){f', or none: {field.none}' if field.none else ''}")
        for one in field.labels:
            _print(f"    {one.name}: {one.means}")


@review.command()
def dismiss(chat_id: ChatId, by: By) -> None:
    """Close a chat's row in the queue without a label."""
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        _require_labeller(conn, by)
        if not labels.dismiss(conn, chat_id, by):
            raise reader.NoSuchChat(f"chat {chat_id} is not open in the queue")
    _print("dismissed")


@review.command(name="import")
def import_labels(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL: chat_id, intent, stage, sentiment, quality, by, note.")],
    as_json: JsonOption = False,
) -> None:
    """Take labels from a file; lines that cannot be taken are named (exit code 1), the others are taken."""
    given, bad = labels.read_file(file, _taxonomy())
    with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
        _require_labeller(conn, *sorted({one.labelled_by for _, one in given}))
        kept = labels.keep(conn, [one for _, one in given])
    bad = sorted([*bad, *((given[place][0], why) for place, why in kept.refused)])
    if as_json:
        print_json({"taken": kept.taken, "known": kept.known, "bad": [{"line": n, "why": why} for n, why in bad]})
    else:
        for number, why in bad:
            print(f"{file.name}, line {number}: {visible(why)}", file=sys.stderr)  # noqa: T201
        _print(f"{kept.taken} labels taken, {kept.known} known already, {len(bad)} lines not taken")
    if bad:
        raise typer.Exit(1)


@review.command(name="export")
def export_labels(
    file: Annotated[Path, typer.Argument(help="JSONL to write; `b2chat evaluate` reads it.")],
    as_json: JsonOption = False,
) -> None:
    """Write the labelled chats to a file, with names, numbers and addresses taken out."""
    keep = _taxonomy().words_to_keep
    try:
        with environment.running(Settings.load()) as deployment, connection.connect(deployment.url) as conn:
            users.require(conn, users.account(), "export labels")
            found = labelled.write(conn, file, keep)
            audit_log.record(
                conn, "data.export", resource="labels", user=users.account(), metadata={"chats": found.written}
            )
    except OSError as error:
        raise labels.BadLabel(str(error)) from None
    if as_json:
        print_json(asdict(found))
    else:
        _print(
            f"{found.written} labelled chats written to {file}; left out: {found.changed} that have changed since, "
            f"{found.blocked} that may still hold personal data"
        )


def _require_labeller(conn: psycopg.Connection, *names: str) -> None:
    """That the account that runs this may label, and those in whose names it does."""
    for name in (users.account(), *names):
        users.require(conn, name, "label chats")
    audit_log.acting(conn, users.account())


def _taxonomy() -> Taxonomy:
    try:
        return taxonomy.load(Settings.load().ai_taxonomy)
    except taxonomy.TaxonomyError as error:
        raise labels.BadLabel(str(error)) from None


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals:
        raise labels.BadLabel(f"--label {given[:60]}: has to be FIELD=LABEL")
    return name, value


def _flat(shown: reader.Row | reader.Said) -> dict[str, Any]:
    """As JSON shows it: the labels beside the rest."""
    fields = asdict(shown)
    return fields | fields.pop("labels", {}) | fields.pop("opinions", {})


def _opinion(row: reader.Row) -> str:
    if row.confidence_score is None:
        return f"not categorized: {row.classification_state}"
    said = {field.short: row.labels[field.name] for field in taxonomy.fields()}
    intent = said.pop("intent")
    rest = ", ".join(label or f"no {short}" for short, label in said.items())
    return (
        f"{intent} ({row.confidence_score:.2f}), {rest}, agent {row.agent_quality_score or 'not scored'}; "
        f"{_classified_by(row)}"
    )


def _classified_by(row: reader.Row) -> str:
    """Who gave the machine's labels; a language model goes by its name."""
    names = seeds.classifiers()
    known = names.get(row.model_vendor or "")
    return f"{names['badge'][1]} {known[1]}" if known else str(row.model)


def _opinions(said: reader.Said) -> str:
    short = {field.name: field.short for field in taxonomy.fields()} | {"agent_quality_score": "quality"}
    named = ", ".join(f"{short[name]} {said.opinions[name]}" for name in labels.OPINIONS if name in said.opinions)
    return named + (f" ({_indented(said.note)})" if said.note else "")


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 23)


def _print(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
