"""What a channel is."""

from typing import Protocol

from dagster_project.alerts.message import Message


class DeliveryFailed(Exception):
    """The message was not taken; one line without an address, a credential or what the receiver said."""


class Channel(Protocol):
    """A way by which messages leave."""

    @property
    def name(self) -> str:
        """webhook, email or apprise."""

    def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            DeliveryFailed: it was not taken; it is tried again later.
        """
