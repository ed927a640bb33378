"""The people of the desk: their roles, what each role may do, and the lines and teams that bound what they see."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from cases.contract import MOVE_POLICY
from cases.text import same_name


class DeskRole(StrEnum):
    """What a person is at the desk."""

    AGENT = "agent"
    TEAM_LEAD = "team_lead"
    MANAGER = "manager"
    CLAIMS = "claims"
    AUDITOR = "auditor"
    ADMIN = "admin"


class May(StrEnum):
    """What a role may do."""

    SEE = "see cases"
    HANDLE = "handle cases"
    APPROVE = "approve offers beyond the limits"
    APPROVE_CLAIMS = "approve offers to claims"
    MOVE = "move cases to another policy"
    AUDIT = "read the log of acts"
    REVOKE = "end the sessions of others"


_HANDLES = frozenset({May.SEE, May.HANDLE})
GRANTS: dict[DeskRole, frozenset[May]] = {
    DeskRole.AGENT: _HANDLES,
    DeskRole.TEAM_LEAD: _HANDLES,
    DeskRole.MANAGER: _HANDLES | {May.APPROVE, May.APPROVE_CLAIMS, May.MOVE, May.AUDIT},
    DeskRole.CLAIMS: _HANDLES | {May.APPROVE_CLAIMS},
    DeskRole.AUDITOR: frozenset({May.SEE, May.AUDIT}),
    DeskRole.ADMIN: frozenset({May.AUDIT, May.REVOKE}),
}
"""What each role may do. An administrator sees no cases, and an auditor changes none."""
MESSAGE_NEEDS = {"approve": May.APPROVE_CLAIMS, "reject": May.APPROVE_CLAIMS, MOVE_POLICY: May.MOVE}
"""What a person needs for a message, if not `HANDLE`. An offer beyond the limits needs `APPROVE` in addition."""


class Person(BaseModel):
    """A person who is logged in, as known at log-in."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Messages are signed with it."""
    roles: frozenset[DeskRole]
    lines: frozenset[str] | None = None
    """The lines of business whose cases they see; None: all."""
    teams: frozenset[str] | None = None
    """The teams whose cases they see; None: all."""

    def may(self, what: May) -> bool:
        """Return whether one of the roles may do this."""
        return any(what in GRANTS[role] for role in self.roles)

    def sees(self, line: str | None, team: str | None) -> bool:
        """Return whether a case of that line and team is among theirs."""
        return (
            self.may(May.SEE)
            and (self.lines is None or line in self.lines)
            and (self.teams is None or team in self.teams)
        )

    def is_called(self, name: str | None) -> bool:
        """Return whether this is the person's name."""
        return name is not None and same_name(name) == same_name(self.name)


def _person(name: str, role: DeskRole, lines: str = "", teams: str = "") -> Person:
    bounds = {"lines": frozenset(lines.split()) or None, "teams": frozenset(teams.split()) or None}
    return Person(name=name, roles=frozenset({role}), **bounds)


DEMONSTRATION = {
    person.name: person
    for person in (
        _person("李娜", DeskRole.AGENT),
        _person("赵敏", DeskRole.AGENT, lines="fresh_food infant_formula organic_food"),
        _person("周凯", DeskRole.AGENT, lines="express", teams="delivery customer_service"),
        _person("吴刚", DeskRole.TEAM_LEAD, lines="building_materials fresh_food"),
        _person("陈静", DeskRole.MANAGER),
        _person("孙丽", DeskRole.CLAIMS, lines="express"),
        _person("何雨", DeskRole.AUDITOR),
        _person("钱进", DeskRole.ADMIN),
    )
}
"""The people of a demonstration, who log in without a password."""
