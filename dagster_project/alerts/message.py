"""A message: one or several episodes, told in one go, so that one cause is not ten messages."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PAYLOAD_VERSION = 1
_STATES = {"opened": "", "reminder": "still: ", "recovered": "recovered: ", "test": "test: "}


@dataclass(frozen=True, slots=True)
class Alert:
    """What a message says of one episode.

    Attributes:
        delivery_id: of this message about this episode; a receiver that has seen it has been told already.
        event: opened, reminder or recovered; test for one that somebody asked for.
        link: a page of the Dagster UI, where its address is known.
    """

    delivery_id: int
    event: str
    kind: str
    subject: str
    severity: str
    title: str
    value: float | None
    opened_at: datetime
    last_seen_at: datetime
    recovered_at: datetime | None
    link: str | None = None

    @property
    def line(self) -> str:
        """The alert in one line: characters that steer a terminal or are not seen are shown as ·."""
        severity = self.severity if self.event in ("opened", "reminder") else ""
        text = f"{severity}: " if severity else ""
        return "".join(
            character if character.isprintable() else "·" for character in f"{text}{_STATES[self.event]}{self.title}"
        )


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once through one channel."""

    alerts: Sequence[Alert]

    @property
    def id(self) -> str:
        """The same for the same alerts: one that is sent again after a kill can be told."""
        ids = " ".join(str(alert.delivery_id) for alert in self.alerts)
        return hashlib.sha256(ids.encode()).hexdigest()[:32]

    @property
    def subject(self) -> str:
        """One line that says what it is about."""
        first = self.alerts[0].line
        return f"[b2chat] {first}" if len(self.alerts) == 1 else f"[b2chat] {len(self.alerts)} alerts, first {first}"

    @property
    def text(self) -> str:
        """All of it, a paragraph an alert."""
        return "\n\n".join(_paragraph(alert) for alert in self.alerts)

    def payload(self) -> Mapping[str, Any]:
        """What a webhook gets as JSON. `text` is what Slack, Mattermost and the like show."""
        return {
            "version": PAYLOAD_VERSION,
            "id": self.id,
            "text": f"{self.subject}\n\n{self.text}" if len(self.alerts) > 1 else self.text,
            "alerts": [
                {
                    "delivery_id": alert.delivery_id,
                    "event": alert.event,
                    "kind": alert.kind,
                    "subject": alert.subject,
                    "severity": alert.severity,
                    "title": alert.line,
                    "value": alert.value,
                    "opened_at": _iso(alert.opened_at),
                    "last_seen_at": _iso(alert.last_seen_at),
                    "recovered_at": _iso(alert.recovered_at),
                    "link": alert.link,
                }
                for alert in self.alerts
            ],
        }


def trial(now: datetime) -> Message:
    """What `b2chat alerts test` sends."""
    title = "this is a test of b2chat's alerts; nothing is wrong"
    return Message([Alert(0, "test", "test", "test", "warning", title, None, now, now, None)])


def _paragraph(alert: Alert) -> str:
    times = f"since {_minute(alert.opened_at)}"
    if alert.recovered_at:
        times = f"from {_minute(alert.opened_at)} to {_minute(alert.recovered_at)}"
    lines = [alert.line, f"{alert.kind} {alert.subject}, {times} UTC", *([alert.link] if alert.link else [])]
    return "\n".join(lines)


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None
