"""All rows of a made-up firm's days, each with all that becomes of it."""

from collections.abc import Iterator

from dagster_project.sources.calls.sandbox.duties import duties_of, lives_of, stray_status
from dagster_project.sources.calls.sandbox.firm import Firm
from dagster_project.sources.calls.sandbox.life import Life
from dagster_project.sources.calls.sandbox.product import product_rows
from dagster_project.sources.calls.sandbox.ringing import Ringing
from dagster_project.sources.calls.sandbox.staff import Staff
from dagster_project.sources.calls.sandbox.visits import Visitors

LONGEST_LIFE_DAYS = 5  # whatever happens to a row happens by then; agents and their pools apart


def lives(firm: Firm, days: range) -> Iterator[Life]:
    """The rows of some local days, and those that are there from the beginning. It costs these days alone."""
    staff = Staff(firm)
    visitors = Visitors(firm, staff)
    yield from staff.founding()
    for day in days:
        visits, duties = visitors.day(day), duties_of(firm, staff, day)
        yield from visits.pageviews
        yield from Ringing(firm, staff, day, duties).calls(visits.requests)
        for duty in duties:
            yield from lives_of(duty, firm, staff, day)
        yield from stray_status(firm, staff, day)
        yield from staff.invites(day)
        yield from product_rows(firm, staff, day)
