"""Visitors of the websites: the pages that they see, the popups that they are shown, the calls that they ask for."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dagster_project.sources.calls.sandbox import faults
from dagster_project.sources.calls.sandbox.firm import Firm, new_id, seconds
from dagster_project.sources.calls.sandbox.life import Life, begun
from dagster_project.sources.calls.sandbox.staff import ORGANIZATION_OF_POOL, POOLS, SITES, Staff

COUNTRIES = ("CO", "US", "ES", "MX", "EC", "PA", "PE", "CL", "VE", "AR", "BR", "CR")
_COUNTRY_WEIGHTS = (700, 90, 50, 35, 30, 25, 20, 15, 12, 10, 8, 5)
_POOL_WEIGHTS = (5, 3, 3)
_REFERRERS = (None, "google.example", "google.example", "facebook.example", "portal.example")
_NO_COUNTRIES = (None, "ZZZ", "--")
_COMES_BACK, _RECENT_VISITS = 0.3, 250
_SPOT_WEEKDAYS, _SPOT_HOURS, _SPOT_SHARE = (1, 3), (10, 12), 0.16


@dataclass(frozen=True, slots=True)
class Request:
    """A call that a visitor asks for. `pool` is its number; `patience` in seconds; from `rng` the rest is drawn."""

    at: datetime
    pool: int
    visitor_id: str | None
    country: str | None
    page_url: str
    pageview_id: str | None
    patience: float
    rng: random.Random


@dataclass(slots=True)
class Visits:
    """What the visits of some time were: their pageviews, and the calls that came of them."""

    pageviews: list[Life]
    requests: list[Request]


class Visitors:
    """All visitors, from the firm's parameters alone."""

    def __init__(self, firm: Firm, staff: Staff) -> None:
        self._firm, self._staff = firm, staff
        self._arrivals = {kind: firm.arrivals(kind) for kind in ("visit", "campaign")}

    def day(self, day: int) -> Visits:
        """The visits that begin on a local day."""
        visits = Visits([], [])
        for kind, arrivals in self._arrivals.items():
            if kind == "campaign" and not self._firm.has_campaign(day):
                continue
            first, last = (arrivals.before_day(self._firm.date(one)) for one in (day, day + 1))
            for number in range(first, last):
                rng, second = arrivals.draw(number)
                self._visit(visits, kind, number, datetime.fromtimestamp(second, UTC), rng)
        if self._firm.date(day).weekday() in _SPOT_WEEKDAYS:
            self._after_a_spot(visits, day)
        if faults.falls_on(day, faults.SUSPECTED_BOT):
            visits.pageviews += self._suspected_bot(day)
        return visits

    def _after_a_spot(self, visits: Visits, day: int) -> None:
        """Who has heard of the firm on the radio wants to call its salespeople."""
        count = round(self._firm.visits_per_day * _SPOT_SHARE)
        for number in range(day * count, (day + 1) * count):
            rng = self._firm.random("spot", number)
            self._visit(visits, "spot", number, self._firm.local(day, rng.uniform(*_SPOT_HOURS)), rng)

    def _visit(self, visits: Visits, kind: str, number: int, at: datetime, rng: random.Random) -> None:
        wants_to_call = kind == "spot"
        pool = 0 if wants_to_call else rng.choices(range(len(POOLS)), _POOL_WEIGHTS)[0]
        country: str | None = rng.choices(COUNTRIES, _COUNTRY_WEIGHTS)[0]
        if rng.random() < faults.UNKNOWN_COUNTRY:
            country = rng.choice(_NO_COUNTRIES)
        back = number - 1 - int(rng.random() * _RECENT_VISITS) if rng.random() < _COMES_BACK else number
        visitor = self._firm.id("visitor", kind, max(back, 0)) if rng.random() > 0.04 else None
        is_bot = rng.random() < faults.BOT
        referrer = "anuncios.example" if kind == "campaign" else rng.choice(_REFERRERS)
        campaign = "?utm_campaign=feria" if kind == "campaign" else ""
        popup_share = 0 if is_bot else 1 if wants_to_call else 0.36
        shown, page = None, ""
        for _ in range(12 if is_bot else 1 + min(int(rng.expovariate(1 / 1.2)), 7)):
            page = f"https://{self._domain(pool)}/{POOLS[pool].lower()}/{int(rng.random() * 40)}{campaign}"
            late = timedelta(days=1 + 2 * rng.random()) if rng.random() < faults.LATE_PAGEVIEW else timedelta(0)
            pageview = begun(
                "widget_pageviews",
                new_id(rng),
                at,
                at + late,
                organization_id=self._staff.organizations[ORGANIZATION_OF_POOL[pool]],
                site_id=self._site(pool),
                pool_id=self._staff.pools[pool],
                visitor_id=visitor,
                visitor_country_code=country,
                page_url=page,
                referrer_domain=referrer,
                is_bot=is_bot,
            )
            visits.pageviews.append(pageview)
            campaign = ""
            if shown is None and rng.random() < popup_share:
                shown = at + seconds(8 + rng.expovariate(1 / 12))
                pageview.then(shown, popup_shown_at=shown)
                if rng.random() < (0.1 if wants_to_call else 0.5):
                    dismissed = shown + seconds(1 + rng.expovariate(1 / 6))
                    pageview.then(dismissed, popup_dismissed_at=dismissed)
                elif rng.random() < 0.62:
                    asked = shown + seconds(2 + rng.expovariate(1 / 10))
                    visits.requests.append(self._request(asked, pool, pageview, rng))
                    return
            at += seconds(2 if is_bot else 8 + rng.expovariate(1 / (240 if rng.random() < 0.1 else 45)))
        if not is_bot and shown is None and rng.random() < 0.03:  # by the button of the page, without any popup
            visits.requests.append(self._request(at, pool, visits.pageviews[-1], rng))

    def _request(self, at: datetime, pool: int, pageview: Life, rng: random.Random) -> Request:
        known = rng.random() >= faults.WITHOUT_PAGEVIEW
        seen = pageview.values
        patience = 1.5 + rng.expovariate(1 / 70)
        return Request(
            at,
            pool,
            seen["visitor_id"],
            seen["visitor_country_code"],
            seen["page_url"],
            pageview.id if known else None,
            patience,
            random.Random(f"{rng.random()}"),
        )

    def _suspected_bot(self, day: int) -> Iterator[Life]:
        rng = self._firm.random("suspected", day)
        at, visitor = self._firm.local(day, 2), self._firm.id("suspected", day)
        for number in range(1001):
            yield begun(
                "widget_pageviews",
                new_id(rng),
                at + timedelta(seconds=3 * number),
                organization_id=self._staff.organizations[0],
                site_id=self._staff.sites[0],
                pool_id=self._staff.pools[0],
                visitor_id=visitor,
                visitor_country_code="US",
                page_url=f"https://{self._domain(0)}/ventas/{number}",
            )

    def _site(self, pool: int) -> str:
        return self._staff.sites[ORGANIZATION_OF_POOL[pool]]

    def _domain(self, pool: int) -> str:
        return SITES[ORGANIZATION_OF_POOL[pool]][1]
