"""A webhook: one POST of JSON a message, signed where there is a secret."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass

from pydantic import SecretStr

from dagster_project.alerts.channels import http
from dagster_project.alerts.message import Message

SIGNATURE = "X-B2Chat-Signature"


@dataclass(frozen=True)
class Webhook:
    """A receiver of JSON, whose address is a secret.

    The signature is `t=<seconds since 1970>,v1=<hex>`: HMAC-SHA256 with the secret over `<t>.<body>`. A receiver that
    refuses an old `t` cannot be told the same twice by somebody else.
    """

    url: SecretStr
    secret: SecretStr | None = None
    name: str = "webhook"

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        body = json.dumps(message.payload(), ensure_ascii=False, allow_nan=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": message.id}
        if self.secret:
            headers[SIGNATURE] = signature(self.secret.get_secret_value(), body, int(time.time()))
        http.send("POST", self.url.get_secret_value(), body=body, headers=headers)


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of the header that a receiver checks a message by."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
