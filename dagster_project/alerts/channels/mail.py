"""E-mail: an SMTP server with TLS, whose certificate is checked; the alerts' channel, and the mail of the report."""

import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Literal

from pydantic import SecretStr

from dagster_project.alerts.channels.contract import DeliveryFailed
from dagster_project.alerts.channels.deadline import Deadline
from dagster_project.alerts.message import Message

_SECONDS = 15.0  # that each byte of an answer is waited for
WHOLE_SECONDS = 60.0  # for all of a mail
_LATE = "the SMTP server did not answer in time"


@dataclass(frozen=True)
class Mailbox:
    """An SMTP server, and who sends by it."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    user: str | None
    password: SecretStr | None
    sender: str

    def new(self, to: Sequence[str], subject: str, text: str, key: str) -> EmailMessage:
        """A mail; the same key makes the same Message-ID, so that one that is sent twice can be told."""
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, ", ".join(to)
        mail["Subject"] = subject[:200]
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{key}@{self.sender.rpartition('@')[2].strip('> ') or 'b2chat'}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        return mail

    def send(self, mail: EmailMessage) -> None:
        """Hand a mail to the server, for all its recipients.

        Raises:
            DeliveryFailed: it did not take it, for one of them or at all; or what it is was not certain.
        """
        deadline = Deadline(WHOLE_SECONDS)
        with _one_line(deadline), deadline, self._server(deadline) as server:
            if refused := server.send_message(mail):
                raise DeliveryFailed(f"it took the mail, but not for {len(refused)} of the recipients")

    @contextmanager
    def _server(self, deadline: Deadline) -> Iterator[smtplib.SMTP]:
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = _TlsServer(deadline, self.host, self.port, timeout=_SECONDS, context=context)
        else:
            server = _Server(deadline, self.host, self.port, timeout=_SECONDS)
        with server:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user and self.password:
                server.login(self.user, self.password.get_secret_value())
            yield server


class _Watched:
    """A server that a deadline watches from before its first word, which is read where it is made."""

    sock: socket.socket | None

    def __init__(self, deadline: Deadline, *args: Any, **options: Any) -> None:
        deadline.watch(lambda: self.sock)
        super().__init__(*args, **options)


class _Server(_Watched, smtplib.SMTP):
    """In the open, until it is asked for TLS."""


class _TlsServer(_Watched, smtplib.SMTP_SSL):
    """With TLS from the first byte."""


@dataclass(frozen=True)
class MailAlerts:
    """Alerts by e-mail."""

    mailbox: Mailbox
    to: Sequence[str]
    name: str = "email"

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        self.mailbox.send(self.mailbox.new(self.to, message.subject, message.text, f"alert-{message.id}"))


@contextmanager
def _one_line(deadline: Deadline) -> Iterator[None]:
    """Faults as one line. What the server said, which may quote addresses and user names, is not part of it."""
    reason = ""
    try:
        yield
    except DeliveryFailed:
        raise
    except ssl.SSLCertVerificationError:
        reason = "the SMTP server's certificate is refused"
    except smtplib.SMTPNotSupportedError:
        reason = "the SMTP server does not offer what is asked for (STARTTLS, or a login)"
    except smtplib.SMTPAuthenticationError as error:
        reason = f"the SMTP server refuses user or password ({error.smtp_code})"
    except smtplib.SMTPRecipientsRefused:
        reason = "the SMTP server refuses all recipients"
    except smtplib.SMTPResponseException as error:
        reason = f"the SMTP server answered {error.smtp_code}"
    except TimeoutError:
        reason = _LATE
    except (smtplib.SMTPException, OSError) as error:
        reason = f"the SMTP server cannot be reached ({type(error).__name__})"
    if reason:
        raise DeliveryFailed(_LATE if deadline.is_over else reason)
