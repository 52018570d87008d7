"""Delivers what waits: one message a channel, as long as there is time; what is not taken waits for the next time."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

import psycopg

from dagster_project.alerts import outbox, weekly_report
from dagster_project.alerts.channels.configured import channels_of
from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.message import Message
from dagster_project.settings import Settings

_MAX_SECONDS = 25.0  # after which nothing more is begun: Dagster gives a sensor a minute

log = logging.getLogger(__name__)


def deliver(conn: psycopg.Connection, settings: Settings) -> Sequence[str]:
    """Send what is due through each channel of the settings, and the weekly report.

    A message leaves at least once: its process killed between sending it and noting so, it is sent again.

    Args:
        conn: in autocommit.

    Returns:
        what happened, a line each.
    """
    channels, ui_url = channels_of(settings), settings.alerts_ui_url
    outbox.enqueue(conn, [channel.name for channel in channels], timedelta(hours=settings.alerts_reminder_hours))
    lines, began = [], time.monotonic()
    for channel in channels:
        while time.monotonic() - began < _MAX_SECONDS and (alerts := outbox.claim(conn, channel.name, ui_url)):
            try:
                channel.send(Message(alerts))
            except DeliveryFailed as fault:
                outbox.failed(conn, alerts, str(fault))
                log.warning("%s: %d alerts wait: %s", channel.name, len(alerts), fault)
                lines.append(f"{channel.name}: {len(alerts)} wait: {fault}")
                break
            outbox.sent(conn, alerts)
            lines.append(f"{channel.name}: {len(alerts)} sent")
    if time.monotonic() - began < _MAX_SECONDS:
        lines += weekly_report.deliver(conn, settings)
    return lines
