"""The channels that the settings name, and what is missing where one is named by halves."""

from collections.abc import Iterator

from dagster_project.alerts.channels.apprise import Apprise
from dagster_project.alerts.channels.contract import Channel, DeliveryFailed
from dagster_project.alerts.channels.mail import MailAlerts, Mailbox
from dagster_project.alerts.channels.webhook import Webhook
from dagster_project.settings import Settings


def channels_of(settings: Settings) -> list[Channel]:
    """The channels for alerts that are named as a whole; none by default."""
    made: list[Channel] = []
    if settings.alerts_webhook_url:
        made.append(Webhook(settings.alerts_webhook_url, settings.alerts_webhook_secret))
    mailbox = mailbox_of(settings)
    if mailbox and settings.alerts_email_to:
        made.append(MailAlerts(mailbox, settings.alerts_email_to))
    if settings.alerts_apprise_urls:
        made.append(Apprise(settings.alerts_apprise_urls))
    return made


def mailbox_of(settings: Settings) -> Mailbox | None:
    """The SMTP server, where it is named with a sender."""
    if not settings.smtp_host or not settings.smtp_from:
        return None
    return Mailbox(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_from,
    )


def faults(settings: Settings) -> Iterator[str]:
    """What is missing, a line each."""
    recipients = [*settings.alerts_email_to, *settings.report_email_to]
    if recipients and not settings.smtp_host:
        yield "B2CHAT_SMTP_HOST is missing: recipients of e-mail are named"
    if settings.smtp_host and not settings.smtp_from:
        yield "B2CHAT_SMTP_FROM is missing: B2CHAT_SMTP_HOST is set"
    if settings.smtp_host and not recipients:
        yield "B2CHAT_ALERTS_EMAIL_TO or B2CHAT_REPORT_EMAIL_TO is missing: B2CHAT_SMTP_HOST is set"
    if bool(settings.smtp_user) != bool(settings.smtp_password):
        missing = "B2CHAT_SMTP_PASSWORD" if settings.smtp_user else "B2CHAT_SMTP_USER"
        yield f"{missing} is missing: its other half is set"
    if settings.alerts_webhook_secret and not settings.alerts_webhook_url:
        yield "B2CHAT_ALERTS_WEBHOOK_URL is missing: B2CHAT_ALERTS_WEBHOOK_SECRET is set"
    if settings.alerts_apprise_urls:
        try:
            Apprise(settings.alerts_apprise_urls).services()
        except DeliveryFailed as fault:
            yield str(fault)
