"""What there is before anybody calls: organizations, websites, pools, agents with their shifts, and invitations."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dagster_project.sources.calls.sandbox.firm import Firm
from dagster_project.sources.calls.sandbox.life import Life, begun
from dagster_project.sources.invented_people import FIRST_NAMES, LAST_NAMES, STAFF_NAMES, login_of

ORGANIZATIONS = ("Inmobiliaria Ejemplo", "Constructora Modelo")
SITES = (("Portal inmobiliario", "inmobiliaria.example"), ("Proyectos nuevos", "constructora.example"))
POOLS = ("Línea de ventas", "Línea de arriendos", "Línea de proyectos")
ORGANIZATION_OF_POOL = (0, 0, 1)
DISPOSITIONS = (
    ("Cita agendada", "#2e7d32", True),
    ("Interesado", "#66bb6a", True),
    ("Volver a llamar", "#f9a825", None),
    ("No interesado", "#c62828", False),
    ("Número equivocado", "#757575", False),
)
LEAVES_AFTER_DAYS = 30  # the last agent goes then
# Whoever answers, by organization: the pools, the shift (local hours), and whether also on Saturdays and Sundays.
_POSTS: tuple[tuple[tuple[int, ...], tuple[float, float], bool, bool], ...] = (
    ((0,), (7, 15), True, False),
    ((0,), (8, 17), False, False),
    ((0, 1), (9, 18), True, True),
    ((0,), (12, 20), False, False),
    ((1,), (8, 17), True, False),
    ((1,), (11, 20), False, False),
    ((2,), (8, 17), True, False),
    ((2,), (10, 19), False, False),
    ((2,), (9, 18), False, False),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who answers. `shift` in local hours; `number` is its place among all."""

    number: int
    id: str
    user_id: str
    name: str
    organization: int
    pools: tuple[int, ...]
    shift: tuple[float, float]
    on_saturdays: bool
    on_sundays: bool


class Staff:
    """Everybody and everything that is there from the first day."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self.organizations = [firm.id("organization", number) for number in range(len(ORGANIZATIONS))]
        self.sites = [firm.id("site", number) for number in range(len(SITES))]
        self.pools = [firm.id("pool", number) for number in range(len(POOLS))]
        self.dispositions = [
            [firm.id("disposition", number, name) for name, _, _ in DISPOSITIONS]
            for number in range(len(ORGANIZATIONS))
        ]
        self.agents = [
            Agent(
                number,
                firm.id("agent", number),
                firm.id("user", number),
                STAFF_NAMES[-1 - number],
                ORGANIZATION_OF_POOL[pools[0]],
                pools,
                shift,
                saturdays,
                sundays,
            )
            for number, (pools, shift, saturdays, sundays) in enumerate(_POSTS)
        ]

    def founding(self) -> Iterator[Life]:
        """All rows of the directory."""
        at = self._firm.local(0, 0) - timedelta(days=1)
        for number, name in enumerate(ORGANIZATIONS):
            yield begun("organizations", self.organizations[number], at, name=name, timezone=self._firm.zone)
        for number, (name, domain) in enumerate(SITES):
            site, organization = self.sites[number], self.organizations[number]
            yield begun("sites", site, at, organization_id=organization, name=name, domain=domain)
        for number, name in enumerate(POOLS):
            organization = self.organizations[ORGANIZATION_OF_POOL[number]]
            yield begun("pools", self.pools[number], at, organization_id=organization, name=name)
            rule = {"page_prefix": f"/{name.lower()}"}
            identity = self._firm.id("rule", number)
            yield begun("pool_routing_rules", identity, at, pool_id=self.pools[number], condition=rule)
        for number, organization in enumerate(self.organizations):
            for identity, (name, color, is_success) in zip(self.dispositions[number], DISPOSITIONS, strict=True):
                kind = {"name": name, "color": color, "is_success": is_success}
                yield Life("dispositions", identity, at, {"organization_id": organization} | kind, at)
        for agent in self.agents:
            yield from self._agent(agent, at)

    def invites(self, day: int) -> Iterator[Life]:
        """Invitations of a day, most of them on Mondays: some are accepted within two days, others expire unused."""
        rng = self._firm.random("invites", day)
        for number in range(4 if self._firm.date(day).weekday() == 0 else int(rng.random() < 0.2)):
            organization = int(rng.random() < 0.3)
            at = self._firm.local(day, 9 + 8 * rng.random())
            name = f"{FIRST_NAMES[int(rng.random() * 30)]} {LAST_NAMES[int(rng.random() * 18)]}"
            invite = begun(
                "invites",
                self._firm.id("invite", day, number),
                at,
                organization_id=self.organizations[organization],
                email=f"{login_of(name)}.{day}@example.com",
                token=f"invite-{self._firm.id('token', day, number)}",
                invited_by=next(one.user_id for one in self.agents if one.organization == organization),
                expires_at=at + timedelta(days=7),
            )
            if rng.random() < 0.4:
                accepted = at + timedelta(hours=1 + 40 * rng.random())
                invite.then(accepted, accepted_at=accepted)
            yield invite

    def _agent(self, agent: Agent, at: datetime) -> Iterator[Life]:
        organization = self.organizations[agent.organization]
        email = f"{login_of(agent.name)}@example.com"
        role = "supervisor" if agent.number in (0, 6) else "agent"
        yield begun("users", agent.user_id, at, organization_id=organization, email=email, name=agent.name, role=role)
        profile = begun(
            "agent_profiles",
            agent.id,
            at,
            organization_id=organization,
            user_id=agent.user_id,
            display_name=agent.name,
        )
        leaves = self._firm.local(LEAVES_AFTER_DAYS, 0) if agent is self.agents[-1] else None
        if leaves:
            profile.then(leaves, is_active=False)
        yield profile
        for pool in agent.pools:
            identity = self._firm.id("member", agent.number, pool)
            member = begun(
                "agent_pool_members", identity, at, pool_id=self.pools[pool], agent_profile_id=agent.id, added_at=at
            )
            if leaves:
                member.then(leaves, removed_at=leaves)
            yield member
