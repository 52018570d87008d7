"""What the product's owner keeps of the organizations that pay for it: revenue by day, feedback, surveys, steps."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dagster_project.sources.calls.sandbox.firm import Firm
from dagster_project.sources.calls.sandbox.life import Life
from dagster_project.sources.calls.sandbox.staff import Staff

_FIRST_MRR = (120, 340)
_SEATS = 15  # a month and seat
_STEPS = ("signed_up", "widget_installed", "first_call", "paid")


def product_rows(firm: Firm, staff: Staff, day: int) -> Iterator[Life]:
    """The rows of a local day."""
    for number, organization in enumerate(staff.organizations):
        for table, hour, kind, value, payload in _of_day(firm, number, day):
            at = firm.local(day, hour)
            values = {"organization_id": organization, "kind": kind, "value": value, "payload": payload}
            yield Life(table, firm.id(table, day, number), at, values, at)


def _of_day(firm: Firm, number: int, day: int) -> Iterator[tuple[str, float, str, float | None, dict[str, Any]]]:
    """By organization: table, local hour, kind, value and payload of its rows of a day."""
    rng = firm.random("product", day, number)
    before, now = (_mrr(firm, number, one) for one in (day - 1, day))
    if rng.random() > 0.02:  # now and then the job that writes it does not run
        yield "mrr_snapshots", 1, "daily", now, {}
    if now != before:
        kind = "expansion" if now > before else "contraction"
        yield "mrr_changes", 0.9, kind, now - before, {"seats": (now - before) // _SEATS}
    if rng.random() < 0.15:
        yield "feedback_items", 9 + 8 * rng.random(), rng.choice(("idea", "bug", "praise")), None, {}
    if day % 30 == 12:
        answers = ("very_disappointed", "somewhat_disappointed", "not_disappointed")
        yield "pmf_surveys", 10, rng.choice(answers), None, {}
    if day < len(_STEPS) * 2 and day % 2 == 0:
        yield "funnel_events", 11, _STEPS[day // 2], None, {}


def _mrr(firm: Firm, number: int, day: int) -> int:
    """The revenue of a month, as it stands on a day: seats come and go at the beginning of weeks."""
    weeks = (firm.date(day) - firm.date(0) + timedelta(days=firm.date(0).weekday())).days // 7
    seats = sum(firm.random("seats", number, week).choice((0, 0, 1, 2, -1)) for week in range(1, weeks + 1))
    return _FIRST_MRR[number] + _SEATS * max(seats, 0)
