"""A heartbeat: an outside service is told that all is at work, and raises the alarm when it hears nothing."""

from dagster_project.alerts.channels import http
from dagster_project.settings import Settings


def beat(settings: Settings) -> bool:
    """Ask for the heartbeat's address once; whether there is one.

    Raises:
        DeliveryFailed: it did not answer 2xx.
    """
    if not settings.heartbeat_url:
        return False
    http.send("GET", settings.heartbeat_url.get_secret_value())
    return True
