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
