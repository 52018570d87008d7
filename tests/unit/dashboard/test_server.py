"""The served dashboard where the warehouse is away."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from starlette.testclient import TestClient

from dagster_project.dashboard.errors import DashboardFailed
from dagster_project.dashboard.reader import Reader
from dagster_project.dashboard.server import Dashboard

_WAIT = 0.3


class _Away:
    """A warehouse that nobody reaches, which one learns after a while."""

    def read(self, make: Callable[..., Any]) -> Any:
        time.sleep(_WAIT)
        raise DashboardFailed("the warehouse does not answer")


def test_whoever_waits_for_a_warehouse_that_is_away_waits_once_not_once_for_each_who_came_before() -> None:
    pages = Dashboard(cast(Reader, _Away()), timezone="America/Bogota", company=None, language="en")
    with TestClient(cast(Any, pages.app()), base_url="http://127.0.0.1") as client:
        began = time.monotonic()
        with ThreadPoolExecutor(10) as people:
            answers = list(people.map(client.get, ["/en/overview"] * 10))
        assert time.monotonic() - began < 5 * _WAIT
    assert {answer.status_code for answer in answers} == {503}
    assert "the warehouse does not answer" in answers[0].text


def test_an_address_with_a_slash_too_many_leads_to_the_page_on_whatever_host_and_scheme_it_was_asked_for() -> None:
    pages = Dashboard(cast(Reader, _Away()), timezone="America/Bogota", company=None, language="en")
    with TestClient(cast(Any, pages.app()), base_url="http://127.0.0.1", follow_redirects=False) as client:
        for asked, leads_to in {
            "/es/overview/?week=2025-09-29": "/es/overview?week=2025-09-29",
            "/en/heatmap/cell/?day=1&hour=9": "/en/heatmap/cell?day=1&hour=9",
            "/%2Fexample.com/sla/": None,
            "/\\example.com/sla/": None,
        }.items():
            answer = client.get(asked)
            assert (answer.status_code, answer.headers.get("location")) == (308 if leads_to else 404, leads_to), asked
