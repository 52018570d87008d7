"""What all sections of settings share: where a value comes from, and values that more than one section has."""

import ipaddress
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[2]
One = TypeVar("One")


class Section(BaseSettings):
    """A part of the settings; its docstring is the heading in `.env.example` and docs/settings.md."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        env_prefix="B2CHAT_",
        populate_by_name=True,
    )


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


# A list that is written with commas.
CommaSeparated = Annotated[list[One], NoDecode, BeforeValidator(_split)]


def safe_address(url: str) -> str:
    """An address that a secret may be sent to, without a slash at its end.

    Raises:
        ValueError: it is not one of https://, or of http:// on this machine, where nobody listens in.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not an address such as https://api.b2chat.io") from None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise ValueError("must be an address that begins with https:// and holds no user and no password")
    if parts.scheme == "http" and not is_this_machine(host):
        raise ValueError("must begin with https://: over http:// anybody on the way reads the secret and the chats")
    return url.rstrip("/")


def is_this_machine(host: str) -> bool:
    """Whether a host name or address is of this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
