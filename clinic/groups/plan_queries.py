"""What does a plan of groups propose? Its sessions with names, what it changes, who is short and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.models import Resource
from clinic.custody.models import Reception
from clinic.custody.wings import whereabouts
from clinic.groups.models import GroupPlan
from clinic.groups.plan_commands import pins_of, plan_here
from clinic.groups.queries import need_a_prison, staff_names
from clinic.patients.models import Patient
from clinic.patients.queries import Where, root_of
from dosing.days import london_day

MOST_LISTED = 20


@dataclass(frozen=True)
class Planned:
    """One session of a plan. `nth`: its place in the plan; `before`: who sits in it as it stands."""

    nth: int
    told: Mapping[str, Any]
    room: str
    carat: str
    clinical: str
    starts_at: datetime
    ends_at: datetime

    @property
    def on(self) -> date:
        return london_day(self.starts_at)


@dataclass(frozen=True)
class ShownPlan:
    """A plan as a page shows it. `pins`: (reception, nth) that were pinned in it and not planned yet."""

    row: GroupPlan
    state: str
    sessions: Sequence[Planned]
    people: Mapping[int, Patient]
    where: Mapping[int, Where]
    names: Mapping[int, str]
    rooms: Mapping[int, str]
    pins: frozenset[tuple[int, int]]

    @property
    def result(self) -> Mapping[str, Any]:
        return self.row.result or {}

    def moves(self, *what: str) -> list[Mapping[str, Any]]:
        return [each for each in self.result.get("moves", ()) if each["what"] in what]

    def of_person(self, reception_id: int) -> list[Planned]:
        """The sessions this plan has them in, in time order."""
        return [each for each in self.sessions if reception_id in each.told["seats"]]


def plans(act: Act) -> list[GroupPlan]:
    """The newest plans of this prison, the last asked for first."""
    need_a_prison(act)
    return list(
        act.session.scalars(
            select(GroupPlan)
            .where(GroupPlan.site_id == act.site_id)
            .order_by(GroupPlan.id.desc())
            .limit(MOST_LISTED)
        )
    )


def one_plan(act: Act, plan_id: int) -> ShownPlan:
    """A plan with everybody in it; audited by whom it shows."""
    need_a_prison(act)
    row = plan_here(act, plan_id)
    result = row.result or {}
    told = result.get("sessions", [])
    clash = (result.get("clash") or {}).get("pins", [])
    ids = {who for each in told for who in each["seats"]}
    ids |= {each["reception"] for name in ("short", "moves") for each in result.get(name, [])}
    ids |= {each["reception"] for each in [*clash, *row.pins]}
    stays = act.session.scalars(select(Reception).where(Reception.id.in_(ids - {None})))
    people = {
        stay.id: act.session.get_one(Patient, root_of(act, stay.patient_id)) for stay in stays
    }
    where = whereabouts(act, {each.id for each in people.values()})
    act.note_shown("groups.plan_shown", [each.id for each in people.values()])
    staff = staff_names(
        act,
        {each[kind] for each in told for kind in ("carat_id", "clinical_id")}
        | {each for each in (row.recorded_by, row.accepted_by, row.undone_by) if each},
    )
    rooms = {
        each.id: each.name or ""
        for each in act.session.scalars(
            select(Resource).where(Resource.site_id == act.site_id, Resource.kind == "room")
        )
    }
    return ShownPlan(
        row, row.stands(act.at),
        [
            Planned(
                nth, each, rooms.get(each["room_id"], ""), staff.get(each["carat_id"], ""),
                staff.get(each["clinical_id"], ""), datetime.fromisoformat(each["starts_at"]),
                datetime.fromisoformat(each["ends_at"]),
            )
            for nth, each in enumerate(told)
        ],
        people, {each: where[patient.id] for each, patient in people.items() if patient.id in where},
        staff, rooms,
        frozenset((pin.reception_id, pin.session_nth) for pin in pins_of(act, row.id)),
    )  # fmt: skip
