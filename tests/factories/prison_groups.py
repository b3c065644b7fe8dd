"""Which groups does the prison hold, and who sits where? Made by the service's own commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clinic.appointments import things_commands
from clinic.appointments.models import Visit
from clinic.custody.models import Reception
from clinic.db import Database
from clinic.groups import commands, seat_commands, session_commands
from clinic.groups.models import GroupSeat, GroupSession
from clinic.staff.models import Staff
from dosing.days import london_day
from scheduling.groups import TOPICS
from tests.factories import base
from tests.factories.custody import RECEIVED, Prison, a_prison


@dataclass
class Groups:
    """A prison with a confidential room, material and two facilitators, and its days from 8 on."""

    prison: Prison
    room_id: int
    carat: Staff
    clinical: Staff

    def act(self, staff: Staff | None = None, **more: Any) -> Any:
        return self.prison.act(staff or self.prison.keyworker, **more)

    def someone(self, estate: str | None = "main", **reception: Any) -> int:
        """Somebody received now, of this estate; the reception's id."""
        stay = self.prison.receives(**reception)
        if estate is not None:
            commands.set_estate(self.act(), stay, estate=estate)
        return stay

    def draft(self, **session: Any) -> GroupSession:
        """A session eight days on, at half past nine."""
        given: dict[str, Any] = {
            "topic": "alcohol", "estate": "main", "room_id": self.room_id,
            "starts_at": (self.prison.at + timedelta(days=8)).replace(
                hour=9, minute=30, second=0, microsecond=0
            ),
            "carat_id": self.carat.id, "clinical_id": self.clinical.id, **session,
        }  # fmt: skip
        return session_commands.plan_session(self.act(), **given)

    def session(self, **session: Any) -> int:
        """The same, published."""
        row = self.draft(**session)
        session_commands.publish_session(self.act(), row.id, version=row.version)
        return row.id

    def session_beside(self) -> int:
        """One at the same hours as `session`, in another room and with other staff."""
        prison, act = self.prison, self.act(self.prison.manager)
        room = things_commands.add_thing(act, kind="room", name="Chapel")
        things_commands.say_confidential(act, room.id, confidential=True)
        led = {}
        for kind, role in (("carat", "carat_keyworker"), ("clinical", "prison_healthcare")):
            staff = base.a_member_of_staff(prison.database, prison.site, role, name="Sue Park")
            commands.set_facilitator(
                self.act(prison.manager), staff_id=staff.id, kind=kind, topics=["alcohol"]
            )
            led[f"{kind}_id"] = staff.id
        return self.session(room_id=room.id, **led)

    def every_topic(self) -> None:
        """Material for all eight topics, and both facilitators lead them."""
        act = self.act(self.prison.manager)
        for staff, kind in ((self.carat, "carat"), (self.clinical, "clinical")):
            commands.set_facilitator(act, staff_id=staff.id, kind=kind, topics=TOPICS)
        for topic in TOPICS[:3] + TOPICS[5:]:
            commands.add_material(
                act, topic=topic, title=topic, edition="1", validated_by="Area panel",
                validated_on=london_day(self.prison.at) - timedelta(days=100),
            )  # fmt: skip

    def seat(self, session_id: int, reception_id: int, **more: Any) -> int:
        return seat_commands.give_seat(self.act(), session_id, reception_id=reception_id, **more).id

    def apart(self, one: int, other: int) -> int:
        return commands.keep_apart(
            self.act(), one, other_reception_id=other, level="cell", reason="Told by security"
        ).id


def a_prison_with_groups(database: Database, *, at: datetime = RECEIVED) -> Groups:
    prison = a_prison(database, at=at)
    nurse = base.a_member_of_staff(database, prison.site, "prison_healthcare", name="Owen Hale")
    act = prison.act(prison.manager)
    room = things_commands.add_thing(act, kind="room", name="Classroom 2")
    things_commands.say_confidential(act, room.id, confidential=True)
    for staff, kind in ((prison.keyworker, "carat"), (nurse, "clinical")):
        commands.set_facilitator(
            act, staff_id=staff.id, kind=kind, topics=["alcohol", "relapse_prevention"]
        )
    for topic in ("alcohol", "relapse_prevention"):
        commands.add_material(
            act, topic=topic, title="Thinking about drink", edition="2", validated_by="Area panel",
            validated_on=london_day(at) - timedelta(days=100),
        )  # fmt: skip
    return Groups(prison, room.id, prison.keyworker, nurse)


def a_visit(work: Any, groups: Groups, stay: int) -> Visit:
    """Somebody's visit to healthcare from ten to eleven on the day of its sessions."""
    starts_at = (groups.prison.at + timedelta(days=8)).replace(hour=10, minute=0, second=0)
    return Visit(
        patient_id=work.get_one(Reception, stay).patient_id, site_id=groups.prison.site.id,
        referral_id=None, kind="titration_review", starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1), doctor_id=None, worker_id=None, nurse_id=None,
        room_id=None, observation_id=None, status="booked", lapses_at=None, chain_id=None,
        day_number=None, recorded_at=groups.prison.at, recorded_by=groups.carat.id,
    )  # fmt: skip


def a_seat(session: GroupSession, stay: int, number: int) -> GroupSeat:
    """A seat past every command."""
    return GroupSeat(
        session_id=session.id, reception_id=stay, number=number, starts_at=session.starts_at,
        ends_at=session.ends_at, state="seated", pinned=False, released_because=None,
        released_at=None, released_by=None, plan_id=None, released_by_plan_id=None,
        recorded_at=session.recorded_at, recorded_by=session.recorded_by,
    )  # fmt: skip
