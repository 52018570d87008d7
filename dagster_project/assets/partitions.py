"""The days that can be read again."""

from datetime import date

import dagster as dg

from dagster_project.settings import Settings


def creation_days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Creation days of chats in the account's zone, today's among them, since the start date (default: 2020)."""
    first = settings.start_date or date(2020, 1, 1)
    return dg.DailyPartitionsDefinition(start_date=first.isoformat(), timezone=settings.timezone, end_offset=1)
