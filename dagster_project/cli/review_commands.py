"""`b2chat review …`: the chats that a person should look at, and what he says of them."""

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dagster_project.analysis.review import desk, labelled, labels, queue
from dagster_project.analysis.taxonomy import taxonomy
from dagster_project.cli.command_line import JsonOption, console, print_json
from dagster_project.cli.harmless import visible
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection

review = typer.Typer(no_args_is_help=True, help="Chats that a person should look at, and what he says of them.")
_CLASSIFIED_BY = {"rules": "classified by rules", "fake": "classified by a stand-in, for trying"}
FAULTS = (desk.NoSuchChat, labels.BadLabel)  # one line each
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
    with environment.running(Settings.load()) as standing, connection.connect(standing.url) as conn:
        rows, counts = desk.waiting(conn, [str(one) for one in reason or ()], limit), queue.counts(conn)
    if as_json:
        print_json({"open": counts, "chats": [asdict(row) for row in rows]})
        return
    for row in rows:
        _say(f"{row.chat_id}  {', '.join(row.reasons)}\n    {_opinion(row)}")
    _say(f"{counts.pop('open')} open: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


@review.command()
def show(chat_id: ChatId, as_json: JsonOption = False) -> None:
    """Print a chat with what the machine and people say of it. It holds personal data, and goes nowhere else."""
    with environment.running(Settings.load()) as standing, connection.connect(standing.url) as conn:
        shown = desk.show(conn, chat_id)
    if as_json:
        print_json(asdict(shown))
        return
    for message in shown.conversation.messages:
        minutes = "" if message.minutes is None else f"{message.minutes:7.0f} min"
        _say(f"{minutes}  {'customer' if message.incoming else 'agent   '}  {_indented(message.text)}")
    row = shown.row
    _say(
        f"\n{_opinion(row)}\n  {_indented(row.reasoning_notes or '')[:600]}\n"
        f"{row.state}: {', '.join(row.reasons) or 'no reason to review it'}"
    )
    for said in shown.said:
        _say(
            f"{said.labelled_by}, {said.labelled_at:%Y-%m-%d %H:%M}: {_told(said)}"
            f"{' (the chat has changed since)' if said.is_outdated else ''}"
        )
    if shown.has_changed:
        _say("The chat has changed since it was categorized: run the categorization before you label it.")


@review.command()
def label(
    chat_id: ChatId,
    by: By,
    intent: Annotated[str | None, typer.Option(help="PROJECT_INFO, PAYMENT, LEGAL, POST_PURCHASE or OTHER.")] = None,
    stage: Annotated[str | None, typer.Option(help="PROSPECT, ACTIVE_BUYER, POST_PURCHASE, or none.")] = None,
    sentiment: Annotated[str | None, typer.Option(help="POSITIVE, NEUTRAL or FRICTION.")] = None,
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
    )
    with environment.running(Settings.load()) as standing, connection.connect(standing.url) as conn:
        kept = labels.keep(conn, [given])
    if kept.refused:
        raise labels.BadLabel(f"{chat_id}: {kept.refused[0][1]}")
    _say("labelled" if kept.taken else "you said so already")


@review.command()
def dismiss(chat_id: ChatId, by: By) -> None:
    """Close a chat's row in the queue without a label."""
    with environment.running(Settings.load()) as standing, connection.connect(standing.url) as conn:
        if not labels.dismiss(conn, chat_id, by):
            raise desk.NoSuchChat(f"chat {chat_id} is not open in the queue")
    _say("dismissed")


@review.command(name="import")
def import_labels(
    file: Annotated[Path, typer.Argument(help="CSV or JSONL: chat_id, intent, stage, sentiment, quality, by, note.")],
    as_json: JsonOption = False,
) -> None:
    """Take labels from a file; lines that cannot be taken are named (exit code 1), the others are taken."""
    given, bad = labels.read_file(file)
    with environment.running(Settings.load()) as standing, connection.connect(standing.url) as conn:
        kept = labels.keep(conn, [one for _, one in given])
    bad = sorted([*bad, *((given[place][0], why) for place, why in kept.refused)])
    if as_json:
        print_json({"taken": kept.taken, "known": kept.known, "bad": [{"line": n, "why": why} for n, why in bad]})
    else:
        for number, why in bad:
            print(f"{file.name}, line {number}: {visible(why)}", file=sys.stderr)  # noqa: T201
        _say(f"{kept.taken} labels taken, {kept.known} known already, {len(bad)} lines not taken")
    if bad:
        raise typer.Exit(1)


@review.command(name="export")
def export_labels(
    file: Annotated[Path, typer.Argument(help="JSONL to write; `b2chat evaluate` reads it.")],
    as_json: JsonOption = False,
) -> None:
    """Write the labelled chats to a file, with names, numbers and addresses taken out."""
    settings = Settings.load()
    try:
        keep = taxonomy.load(settings.ai_taxonomy or taxonomy.SHIPPED).words_to_keep
        with environment.running(settings) as standing, connection.connect(standing.url) as conn:
            found = labelled.write(conn, file, keep)
    except (taxonomy.TaxonomyError, OSError) as error:
        raise labels.BadLabel(str(error)) from None
    if as_json:
        print_json(asdict(found))
    else:
        _say(
            f"{found.written} labelled chats written to {file}; left out: {found.changed} that have changed since, "
            f"{found.blocked} that may still hold personal data"
        )


def _opinion(row: desk.Row) -> str:
    if row.confidence_score is None:
        return f"not categorized: {row.answer_state}"
    return (
        f"{row.customer_intent} ({row.confidence_score:.2f}), {row.journey_stage or 'no stage'}, {row.sentiment}, "
        f"agent {row.agent_quality_score or 'not scored'}; {_CLASSIFIED_BY.get(row.provider or '', row.model)}"
    )


def _told(said: desk.Said) -> str:
    opinions = (
        ("intent", said.customer_intent),
        ("stage", "none" if said.no_stage_applies else said.journey_stage),
        ("sentiment", said.sentiment),
        ("quality", "none" if said.no_quality_applies else said.agent_quality_score),
    )
    told = ", ".join(f"{name} {value}" for name, value in opinions if value is not None)
    return told + (f" ({_indented(said.note)})" if said.note else "")


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 23)


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
