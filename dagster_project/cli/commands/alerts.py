"""`b2chat alerts …`: what fires, a test of each channel, and what is not to be sent."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import typer

from dagster_project.alerts import episodes, heartbeat, outbox
from dagster_project.alerts.channels.configured import channels_of, faults
from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.message import trial
from dagster_project.alerts.troubles import KINDS
from dagster_project.cli.command_line import FAILED, JsonOption, console, print_answer
from dagster_project.deployment import environment
from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.access import users

alerts = typer.Typer(no_args_is_help=True, help="Alerts: list them, test the channels, acknowledge, mute.")

Kind = Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")]
Subject = Annotated[
    str | None, typer.Argument(help="One subject of it, as `b2chat alerts list` shows it; default: all of the kind.")
]


@alerts.command("list")
def list_alerts(
    past: Annotated[bool, typer.Option("--all", help="Also those that are over, and weekly reports.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what fires, since when, and what was sent of it."""
    settings = Settings.load()
    with environment.running(settings) as deployment, connection.connect(deployment.url) as conn:
        found, waiting = episodes.listed(conn, past=past), outbox.waiting(conn)
    answer = {
        "alerts": [asdict(one) for one in found],
        "channels": [channel.name for channel in channels_of(settings)],
        "waiting": {channel: {"count": count, "error": error} for channel, (count, error) in waiting.items()},
    }
    print_answer(as_json, answer, lambda: _print_list(found, answer))


@alerts.command("test")
def try_channels(as_json: JsonOption = False) -> None:
    """Send a test through each channel that is set up, ask for the heartbeat's address, and say what happened."""
    settings = Settings.load()
    tries: list[tuple[str, Callable[[], Any]]] = [
        (channel.name, partial(channel.send, trial(datetime.now(UTC)))) for channel in channels_of(settings)
    ]
    if settings.heartbeat_url:
        tries.append(("heartbeat", partial(heartbeat.beat, settings)))
    results: list[dict[str, Any]] = []
    for name, send in tries:
        try:
            send()
            results.append({"channel": name, "ok": True, "text": "taken"})
        except DeliveryFailed as fault:
            results.append({"channel": name, "ok": False, "text": str(fault)})
    results += [{"channel": "settings", "ok": False, "text": fault} for fault in faults(settings)]
    print_answer(as_json, {"results": results}, lambda: _print_results(results))
    if not all(result["ok"] for result in results):
        raise typer.Exit(FAILED)


@alerts.command("ack")
def acknowledge(
    alert: Annotated[str, typer.Argument(help="How its id begins, as `b2chat alerts list` shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Say that you know of an alert: no reminders of it, only that it is over."""
    with (
        environment.running(Settings.load()) as deployment,
        connection.connect(deployment.url, autocommit=True) as conn,
    ):
        title = episodes.acknowledge(conn, alert)
    if not title:
        raise typer.BadParameter(f"no alert that lasts, or more than one, has an id that begins with {alert!r}")
    print_answer(as_json, {"acknowledged": title}, lambda: console.print(f"acknowledged: {title}", markup=False))


@alerts.command()
def mute(
    kind: Kind,
    subject: Subject = None,
    hours: Annotated[int, typer.Option("--hours", min=1, max=24 * 90, help="For how long.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Send nothing of a kind of alert, or of one subject of it, for some hours; it is written down all the same."""
    _require_kind(kind)
    until = datetime.now(UTC) + timedelta(hours=hours)
    with (
        environment.running(Settings.load()) as deployment,
        connection.connect(deployment.url, autocommit=True) as conn,
    ):
        episodes.mute(conn, kind, subject, until, users.account())
    answer = {"kind": kind, "subject": subject, "muted_until": until.isoformat(timespec="seconds")}
    text = f"{kind} {subject or '(all)'} is muted until {until:%Y-%m-%d %H:%M} UTC"
    print_answer(as_json, answer, lambda: console.print(text, markup=False))


@alerts.command()
def unmute(kind: Kind, subject: Subject = None, as_json: JsonOption = False) -> None:
    """End a mute; what lasts is sent then."""
    _require_kind(kind)
    with (
        environment.running(Settings.load()) as deployment,
        connection.connect(deployment.url, autocommit=True) as conn,
    ):
        was_muted = bool(episodes.unmute(conn, kind, subject))
    text = f"{kind} {subject or '(all)'} is {'no longer' if was_muted else 'not'} muted"
    print_answer(
        as_json,
        {"kind": kind, "subject": subject, "was_muted": was_muted},
        lambda: console.print(text, markup=False),
    )


def _require_kind(kind: str) -> None:
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} is not one of {', '.join(KINDS)}")


def _print_list(found: list[episodes.Episode], answer: dict[str, Any]) -> None:
    for one in found:
        state = f"over since {_minute(one.recovered_at)}" if one.recovered_at else f"since {_minute(one.opened_at)}"
        notes = [
            "acknowledged" if one.acknowledged_at else "",
            f"muted until {_minute(one.muted_until)}" if one.muted_until else "",
            f"{one.sent_count} sent" + (f", {one.waiting_count} wait" if one.waiting_count else ""),
        ]
        console.print(
            f"{one.id[:8]}  {one.severity:<7}  {one.kind} {one.subject}: {one.title}  "
            f"({state}; {'; '.join(filter(None, notes))})",
            markup=False,
            soft_wrap=True,
        )
    if not found:
        console.print("nothing fires")
    channels = ", ".join(answer["channels"]) or "none: docs/alerts.md says how to set one up"
    console.print(f"channels: {channels}", markup=False, soft_wrap=True)
    for channel, state in answer["waiting"].items():
        reason = f" ({state['error']})" if state["error"] else ""
        console.print(f"{channel}: {state['count']} messages wait{reason}", markup=False, soft_wrap=True)


def _print_results(results: list[dict[str, Any]]) -> None:
    for result in results:
        console.print(
            f"{'ok   ' if result['ok'] else 'wrong'} {result['channel']:<10} {result['text']}",
            markup=False,
            soft_wrap=True,
        )
    if not results:
        console.print("no channel is set up: docs/alerts.md says how")


def _minute(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""
