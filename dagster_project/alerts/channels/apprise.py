"""Apprise (extra notify): Slack, Teams, Telegram and a hundred others, an address each."""

import logging
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.message import Message


@dataclass(frozen=True)
class Apprise:
    """What apprise's addresses name. Where one of several fails, all are told again: at least once, not exactly."""

    urls: SecretStr
    name: str = "apprise"

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        services = self.services()
        failures = 0
        for service in services:
            try:
                failures += not service.notify(body=message.text, title=message.subject)
            except Exception:  # whatever a service's own code raises; its text may hold the address
                failures += 1
        if failures:
            raise DeliveryFailed(f"{failures} of {len(services)} services did not take it")

    def services(self) -> list[Any]:
        """The services that are named.

        Raises:
            DeliveryFailed: the extra is not installed, or apprise does not know an address.
        """
        try:
            import apprise  # noqa: PLC0415  an extra
        except ImportError:
            raise DeliveryFailed("install the extra notify: pip install 'b2chat-analytics[notify]'") from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        asset = apprise.AppriseAsset(http_redirects=False)
        made = [apprise.Apprise.instantiate(url, asset=asset) for url in self.urls.get_secret_value().split()]
        if not made or None in made:
            raise DeliveryFailed("B2CHAT_ALERTS_APPRISE_URLS holds an address that apprise does not know")
        return made
