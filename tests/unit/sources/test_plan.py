"""How often a day with a chat that never ended is read again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from dagster_project.sources.b2chat.plan import plan_chats
from dagster_project.sources.contract import Scope

DAY = date(2020, 1, 1)


@dataclass
class EndlessChat:
    """A history of one day, whose chat may change for ever."""

    last_read: date

    def days_read(self) -> Mapping[date, datetime]:
        return {DAY: datetime.now(UTC)}

    def days_that_may_change(self, today: date) -> Mapping[date, date | None]:
        return {DAY: self.last_read} if self.last_read != today else {}


def test_the_older_a_day_the_less_often_it_is_read_and_thirty_days_apart_at_most() -> None:
    history, ages = EndlessChat(DAY), [0]
    for age in range(1, 1000):
        today = DAY + timedelta(days=age)
        for _ in range(2):  # of a day's syncs one reads it
            plan = plan_chats(Scope("incremental", today, DAY, 0, 0), history)  # type: ignore[arg-type]
            if DAY in [window.day_from for window in plan.windows]:
                history.last_read = today
                ages.append(age)
    assert ages[:60] == list(range(60))
    gaps = {later: later - earlier for earlier, later in pairwise(ages)}
    assert all(gap <= max(1, age // 30) for age, gap in gaps.items())
    assert max(gaps.values()) == 30
    assert len(ages) < 170
