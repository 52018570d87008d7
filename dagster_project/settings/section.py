"""What all sections of settings share: where a value comes from, and values that more than one section has."""

import ipaddress
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PROJECT_ROOT = Path(__file__).resolve().parents[2]
One = TypeVar("One")
_PREFIX = "B2CHAT_"


class SettingsError(Exception):
    """A setting is missing or wrong. Its text is one line that names the setting and never holds its value."""


class SecretFiles(PydanticBaseSettingsSource):
    """Each secret setting from a file that the variable with _FILE at its end names, as containers and systemd do it.

    Args:
        source: where the variables stand: the environment, or `.env`.

    Raises:
        SettingsError: on reading: a file cannot be read, or the variable stands there with and without _FILE.
    """

    def __init__(self, source: EnvSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self._given = source.env_vars

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = variable_of(field_name, field)
        file = self._given.get(f"{variable}_FILE".lower()) if is_secret(field) else None
        if file and self._given.get(variable.lower()):
            raise SettingsError(f"{variable} and {variable}_FILE are both set: which one is meant?")
        return file and _content(file, f"{variable}_FILE"), str(field.validation_alias or field_name), False

    def __call__(self) -> dict[str, Any]:
        found = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {key: value for value, key, _ in found if value is not None}


class Section(BaseSettings):
    """A part of the settings; its docstring is the heading in `.env.example` and docs/settings.md."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        extra="ignore",
        env_ignore_empty=True,
        frozen=True,
        env_prefix=_PREFIX,
        populate_by_name=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What `load` is given, then the environment, then `.env`; of both also what their _FILE variables name."""
        assert isinstance(env_settings, EnvSettingsSource) and isinstance(dotenv_settings, EnvSettingsSource)
        return init_settings, env_settings, SecretFiles(env_settings), dotenv_settings, SecretFiles(dotenv_settings)


def variable_of(name: str, field: FieldInfo) -> str:
    """The environment variable that sets a field."""
    return str(field.validation_alias or f"{_PREFIX}{name.upper()}")


def is_secret(field: FieldInfo) -> bool:
    """Whether a field holds a secret, which may be given as a file."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _content(file: str, setting: str) -> str:
    """What a file says, without the end of its line. The error does not quote the name: somebody may have put the
    secret itself there."""
    try:
        text = (PROJECT_ROOT / Path(file).expanduser()).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError(f"{setting} names no file that can be read: {reason}") from None
    if not text:
        raise SettingsError(f"{setting} names an empty file")
    return text


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
