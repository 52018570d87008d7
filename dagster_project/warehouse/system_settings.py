"""Settings that are changed at run time (ops.system_settings): each counts over the environment's from then on.

Only what takes effect at once and asks for no rebuild is one of them; docs/access.md says why the others are not. A
value is validated as the environment's is, by the settings themselves, when it is set and when it is read.
"""

import difflib
import logging
from dataclasses import dataclass
from typing import Any

import psycopg

from dagster_project.settings import Settings, SettingsError, secret_variables, variable_name

log = logging.getLogger(__name__)

# By field of Settings, with the dictionary's category.
CHANGEABLE = {
    "ai_monthly_usd": "claude",
    "review_confidence": "claude",
    "review_share": "claude",
    "freshness_minutes": "notification",
    "quarantine_error_share": "notification",
    "alerts_reminder_hours": "notification",
    "alerts_ai_budget_share": "notification",
    "exports_keep_days": "app",
    "exports_link_hours": "app",
    "exports_language": "app",
    "company": "app",
    "dashboard_weeks": "app",
}


@dataclass(frozen=True, slots=True)
class Changeable:
    """A setting that may be changed at run time.

    Attributes:
        value: as it counts now, NULL where it has none.
        environment: what it would be without the change.
        is_changed: whether it is changed.
        fault: why a changed value does not count; None where it does.
    """

    key: str
    value: Any
    environment: Any
    is_changed: bool
    category: str
    description: str
    fault: str | None = None


def effective(conn: psycopg.Connection, settings: Settings) -> Settings:
    """The settings with what was changed at run time; a value that is not valid is left out, with a warning."""
    values: dict[str, Any] = {}
    for field, text in _changed(conn).items():
        try:
            values[field] = _validated(field, text)
        except SettingsError as fault:
            log.warning("ops.system_settings: %s; the environment's counts", fault)
    return settings.model_copy(update=values) if values else settings


def listed(conn: psycopg.Connection, settings: Settings) -> list[Changeable]:
    """What may be changed, as it counts now.

    Args:
        settings: as the environment gives them.
    """
    changed, found = _changed(conn), []
    for field, category in CHANGEABLE.items():
        before = value = getattr(settings, field)
        fault = None
        if field in changed:
            try:
                value = _validated(field, changed[field])
            except SettingsError as error:
                fault = str(error)
        text = Settings.model_fields[field].description or ""
        found.append(Changeable(variable_name(field), value, before, field in changed, category, text, fault))
    return found


def change(conn: psycopg.Connection, name: str, value: str) -> str:
    """Let a value count from now on. Returns the setting's name.

    Args:
        name: of the environment variable, or of the field.
        value: as the environment would have it.

    Raises:
        SettingsError: it cannot be changed at run time, is a secret, or the value is not valid; one line without it.
    """
    field = _field(name)
    if not value.strip():
        raise SettingsError(f"{variable_name(field)}: no value; `b2chat settings unset` gives the environment's back")
    _validated(field, value)
    conn.execute(
        """
        insert into ops.system_settings (key, value, category, description, is_system_setting)
        values (%s, %s, %s, %s, true)
        on conflict (key) do update set
            value = excluded.value, category = excluded.category, description = excluded.description, updated_at = now()
        """,
        [variable_name(field), value, CHANGEABLE[field], Settings.model_fields[field].description],
    )
    return variable_name(field)


def reset(conn: psycopg.Connection, name: str) -> bool:
    """Let the environment's value count again. Returns whether another one did.

    Raises:
        SettingsError: it is no setting that may be changed at run time.
    """
    key = variable_name(_field(name))
    return bool(conn.execute("delete from ops.system_settings where key = %s", [key]).rowcount)


def _changed(conn: psycopg.Connection) -> dict[str, str]:
    fields = {variable_name(field): field for field in CHANGEABLE}
    rows = conn.execute(
        "select key, value from ops.system_settings where is_system_setting and key = any(%s)", [list(fields)]
    ).fetchall()
    return {fields[key]: value for key, value in rows}


def _validated(field: str, text: str) -> Any:
    return getattr(Settings.load(**{field: text}), field)


def _field(name: str) -> str:
    """The field of a setting that may be changed."""
    known = {variable_name(field).lower(): field for field in Settings.model_fields}
    given = name.strip().lower()
    field = known.get(given, given)
    if field in CHANGEABLE:
        return field
    changeable = [variable_name(one) for one in CHANGEABLE]
    if field not in Settings.model_fields:
        guess = difflib.get_close_matches(name.upper(), changeable, 1)
        raise SettingsError(f"there is no setting {name}{f': {guess[0]}?' if guess else ''}")
    variable = variable_name(field)
    if variable in secret_variables():
        raise SettingsError(f"{variable} is a secret: secrets stay in the environment, never in the warehouse")
    raise SettingsError(f"{variable} is changed in the environment alone; at run time: {', '.join(changeable)}")
