"""Who is told when something is wrong."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from dagster_project.settings.section import CommaSeparated, Section, is_this_machine, safe_address


class AlertsSettings(Section):
    """Alerts, the weekly report by e-mail, and the heartbeat: all off until an address is set"""

    alerts_webhook_url: SecretStr | None = Field(
        None,
        description="Address that alerts are posted to as JSON; Slack's and Mattermost's webhooks read it.",
    )
    alerts_webhook_secret: SecretStr | None = Field(
        None, description="Secret that each of these posts is signed with (HMAC-SHA256, header X-B2Chat-Signature)."
    )
    alerts_email_to: CommaSeparated[str] = Field(
        default_factory=list, description="Who gets alerts by e-mail, separated by commas."
    )
    alerts_apprise_urls: SecretStr | None = Field(
        None, description="Services of apprise (extra notify) that get alerts: its addresses, separated by spaces."
    )
    alerts_reminder_hours: int = Field(
        24, ge=1, le=720, description="Hours after which an alert is sent again while what it is about lasts."
    )
    alerts_ai_budget_share: float = Field(
        0.8, gt=0, le=1, description="Share of B2CHAT_AI_MONTHLY_USD from which an alert says that it is being spent."
    )
    alerts_ui_url: str | None = Field(None, description="Address of the Dagster UI, for links in alerts.")
    smtp_host: str | None = Field(None, description="SMTP server that sends e-mail.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls (from the first byte, port 465), or none, for a server on this machine."
    )
    smtp_user: str | None = Field(None, description="User to log in with there.")
    smtp_password: SecretStr | None = Field(None, description="The password that belongs to it.")
    smtp_from: str | None = Field(None, description="Address that e-mail is sent from.")
    report_email_to: CommaSeparated[str] = Field(
        default_factory=list, description="Who gets the weekly report by e-mail, separated by commas."
    )
    report_email_max_mb: float = Field(
        10, gt=0, le=50, description="Size of a report, in MB, above which the mail holds a link instead of it."
    )
    heartbeat_url: SecretStr | None = Field(
        None, description="Address that is asked for while all is at work, so that an outside service notices an end."
    )
    heartbeat_minutes: int = Field(5, ge=1, le=60, description="Minutes between two heartbeats.")

    @field_validator("alerts_email_to", "report_email_to", "smtp_from")
    @classmethod
    def _mail_addresses(cls, value: list[str] | str | None) -> list[str] | str | None:
        for address in [value] if isinstance(value, str) else value or []:
            if not re.fullmatch(r"[^@\s<>,;:\"]+@[A-Za-z0-9.-]+", address):
                raise ValueError("holds what is no e-mail address, such as ana@example.com")
        return value

    @field_validator("alerts_webhook_url", "heartbeat_url")
    @classmethod
    def _secret_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url:
            safe_address(url.get_secret_value())
        return url  # with a slash at its end, where it has one: to a receiver that is another address

    @model_validator(mode="after")
    def _mail_is_not_read_on_the_way(self) -> "AlertsSettings":
        if self.smtp_host and self.smtp_security == "none" and not is_this_machine(self.smtp_host):
            raise ValueError("B2CHAT_SMTP_SECURITY: none is for an SMTP server on this machine alone")
        return self
