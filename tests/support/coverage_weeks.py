"""Random weeks of agents' sessions and calls, each of an organization of its own; coverage counted second by second."""

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from dagster_project.sources.calls.entities import ENTITIES
from dagster_project.warehouse import partitions

# New York's and Madrid's clocks change in the first four of them, Kathmandu's hours begin at a quarter to.
CLOCKS_CHANGE = [
    ("America/New_York", date(2025, 3, 3)),
    ("America/New_York", date(2025, 10, 27)),
    ("Europe/Madrid", date(2025, 3, 24)),
    ("Europe/Madrid", date(2025, 10, 20)),
    ("Asia/Kathmandu", date(2025, 6, 2)),
]

Row = dict[str, Any]


class Week:
    """A week of an organization of its own: sessions of three agents, two of whom are in a pool, and calls."""

    def __init__(self, number: int) -> None:
        rng = random.Random(number)
        zones = ["America/Bogota", "America/New_York", "Europe/Madrid", "Asia/Kathmandu", "Australia/Sydney"]
        drawn = rng.choice(zones), date(2025, 1, 6) + timedelta(weeks=rng.randrange(50))
        self.zone, self.monday = CLOCKS_CHANGE[number] if number < len(CLOCKS_CHANGE) else drawn
        self.organization, self.pool = _id(1000 + number), _id(2000 + number)
        self.agents = [_id(3000 + 3 * number + one) for one in range(3)]
        self.start = int(datetime.combine(self.monday, datetime.min.time(), ZoneInfo(self.zone)).timestamp())
        self.sessions = []
        for _ in range(40):
            begun = self.start + rng.randrange(6 * 86400)
            lasts = rng.choice([rng.randrange(1, 600), rng.randrange(1, 6 * 3600), rng.randrange(1, 24 * 3600)])
            self.sessions.append((rng.choice(self.agents), begun, begun + lasts))
        edges = [edge for _, *both in self.sessions for edge in both]
        self.calls = [rng.choice([*edges, self.start + rng.randrange(7 * 86400)]) for _ in range(60)]

    def rows(self) -> Mapping[str, list[Row]]:
        """As the source would have them."""
        made = {"created_at": _at(self.start), "updated_at": _at(self.start)}
        own = {"organization_id": self.organization} | made
        members = [self.agents[0], self.agents[1], self.agents[1]]
        return {
            "organizations": [{"id": self.organization, "name": "Theirs", "timezone": self.zone} | made],
            "pools": [{"id": self.pool, "name": "A pool"} | own],
            "agent_pool_members": [
                {"id": _id(number * 10**6 + int(UUID(self.pool)) % 10**6), "pool_id": self.pool}
                | {"agent_profile_id": agent, "added_at": _at(self.start - 86400), "removed_at": None}
                | made
                for number, agent in enumerate(members)
            ],
            "agent_sessions": [
                {"id": f"{self.organization}-{number}", "agent_id": agent, "ended_by": "agent"}
                | {"started_at": _at(begun), "ended_at": _at(ended)}
                | own
                for number, (agent, begun, ended) in enumerate(self.sessions)
            ],
            "call_logs": [
                own
                | {
                    "id": f"{self.organization}-{number}",
                    "pool_id": self.pool,
                    "status": "missed",
                    "ended_by": "system",
                }
                | {"created_at": _at(asked), "ended_at": _at(asked + 30)}
                for number, asked in enumerate(self.calls)
            ],
        }

    def check(self, conn: psycopg.Connection) -> None:
        """Compare the hours of the organization and of its pool, as built, with the count of every second."""
        for scope, member, agents in (
            ("organization", self.organization, self.agents),
            ("pool", self.pool, self.agents[:2]),
        ):
            found = conn.execute(
                "select local_date, hour, covered_seconds, agent_seconds, peak_agent_count, call_count, "
                "uncovered_call_count from intermediate.int_coverage_hours where scope = %s and scope_id = %s",
                [scope, f"calls:{member}"],
            ).fetchall()
            assert {(row[0], row[1]): row[2:] for row in found} == self.counted(agents), (self.zone, self.monday)

    def counted(self, agents: Iterable[str]) -> dict[tuple[date, int], tuple[int, int, int, int, int]]:
        """By local hour: seconds with somebody, agent-seconds, most at once, calls, and calls with nobody there."""
        there = [0] * (9 * 86400)
        for agent in agents:
            present = bytearray(len(there))
            for _, begun, ended in (one for one in self.sessions if one[0] == agent):
                present[begun - self.start : ended - self.start] = b"\1" * (ended - begun)
            for second, is_there in enumerate(present):
                there[second] += is_there
        found: dict[tuple[date, int], list[int]] = defaultdict(lambda: [0] * 5)
        for minute in range(0, len(there), 60):
            seconds = there[minute : minute + 60]
            if any(seconds):
                cell = found[self._hour(minute)]
                cell[0] += sum(one > 0 for one in seconds)
                cell[1] += sum(seconds)
                cell[2] = max(cell[2], *seconds)
        for asked in self.calls:
            cell = found[self._hour(asked - self.start)]
            cell[3] += 1
            cell[4] += not there[asked - self.start]
        return {key: (*cell,) for key, cell in found.items()}  # type: ignore[misc]

    def _hour(self, second: int) -> tuple[date, int]:
        local = datetime.fromtimestamp(self.start + second, ZoneInfo(self.zone))
        return local.date(), local.hour


def land(conn: psycopg.Connection, found: Mapping[str, list[Row]], at: datetime) -> None:
    """What ingestion leaves behind: a load a table."""
    for entity in ENTITIES:
        assert entity.copied
        of_table = found.get(entity.name, [])
        (load,) = conn.execute(
            "insert into ops.page_loads (source, entity_type, loaded_at, record_count, new_count, changed_count, "
            "sync_id, page_offset, unchanged_count, quarantined_count, response_bytes, request_ms) "
            "values ('calls', %s, %s, %s, %s, 0, 'test', 0, 0, 0, 0, 0) returning load_id",
            [entity.name, at, len(of_table), len(of_table)],
        ).fetchone() or (0,)
        month = entity.copied.month
        unique = "row_key, row_month" if month else "row_key"
        if month:
            partitions.keep(conn, f"raw.{entity.table}", [_month(row[month]) for row in of_table])
        conn.cursor().executemany(
            f"insert into raw.calls_{entity.name} as kept ({unique}, payload, content_hash, load_id, first_load_id, "
            f"loaded_at) values ({'%s, ' * len(unique.split())}%s, %s, %s, %s, %s) on conflict ({unique}) do update "
            "set payload = excluded.payload, load_id = excluded.load_id, loaded_at = excluded.loaded_at",
            [
                (
                    "|".join(str(row[key]) for key in entity.copied.keys),
                    *([_month(row[month])] if month else []),
                    payload := json.dumps(row, default=lambda value: value.isoformat()),
                    hashlib.md5(payload.encode()).hexdigest(),
                    load,
                    load,
                    at,
                )
                for row in of_table
            ],
        )


def _month(time: object) -> date:
    return date.fromisoformat(f"{str(time)[:7]}-01")


def _id(number: int) -> str:
    return str(UUID(int=number, version=4))


def _at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
