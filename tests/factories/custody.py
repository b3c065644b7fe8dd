"""Who arrived at the prison, and what happened in the stay? Made by the service's own commands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.custody import commands, deliveries, facts, queries, timetables
from clinic.custody.models import Reception, Timetable, TimetableItem
from clinic.db import Database
from clinic.sites.models import CalendarChange, Site
from clinic.staff.models import Staff
from dosing.days import at_london
from tests.factories import base
from tests.support import people

# A Wednesday without bank holidays near; reception at 14:30.
RECEIVED = datetime(2026, 11, 4, 14, 30, tzinfo=UTC)


@dataclass
class Prison:
    """A prison with healthcare, a CARAT keyworker and a manager. `at` is when things are done."""

    database: Database
    site: Site
    healthcare: Staff
    keyworker: Staff
    manager: Staff
    at: datetime = RECEIVED
    _acts: list[Act] = field(default_factory=list)

    def act(self, staff: Staff | None = None, *, at: datetime | None = None, **more: Any) -> Act:
        """A piece of work by healthcare, or by somebody else, once earlier reads are let go."""
        self.close()
        made = base.an_act(
            self.database, staff or self.healthcare, self.site, at=at or self.at, **more
        )
        self._acts.append(made)
        return made

    def close(self) -> None:
        while self._acts:
            self._acts.pop().session.close()

    def patient(self, **details: Any) -> int:
        return base.a_patient(self.act(), **details)

    def receives(self, **reception: Any) -> int:
        """Somebody arrives now, screened on arrival unless told otherwise; the reception's id."""
        given: dict[str, Any] = {
            "received_at": self.at,
            "screening": "not_done",
            "demo": True,
            **reception,
        }
        if "patient_id" not in given:
            given["patient_id"] = self.patient()
        return commands.receive_prisoner(self.act(), **given)

    def delivers(self, reception_id: int, item: str, **delivery: Any) -> int:
        given = {"item": item, "done_at": self.at, "by": ["carat"], **delivery}
        if item == "initial_keywork" and given.get("outcome") != "declined":
            given.setdefault("explained", True)
        return deliveries.record_delivery(self.act(), reception_id, **given)

    def version(self, reception_id: int) -> int:
        """The stay's version, as somebody about to change it reads it."""
        with self.database.reading() as session:
            return session.get_one(Reception, reception_id).version

    def stay(self, reception_id: int, *, at: datetime | None = None) -> queries.Stay:
        return queries.stay(self.act(at=at), reception_id)

    def due(self, reception_id: int, item: str) -> date | None:
        """The day an item is due, by the newest version."""
        rows = self.items(reception_id)
        return next(row.due_on for row in rows if row.item == item)

    def items(self, reception_id: int) -> list[TimetableItem]:
        """The rows of the newest version."""
        act = self.act()
        reception = act.session.get_one(Reception, reception_id)
        saved = timetables.current_timetable(act, reception)
        assert saved is not None
        return list(saved.items)

    def timetables(self, reception_id: int) -> list[Timetable]:
        act = self.act()
        reception = act.session.get_one(Reception, reception_id)
        count = timetables.last_version(act, reception)
        found = list(
            act.session.scalars(
                select(Timetable)
                .where(Timetable.reception_id == reception_id)
                .order_by(Timetable.version)
            )
        )
        assert len(found) == count
        return found

    def standing(self, model: Any, reception_id: int) -> list[Any]:
        """The facts of a kind that stand."""
        return facts.rows_of(self.act().session, model, reception_id)


def a_prison(database: Database, *, at: datetime = RECEIVED, **site: Any) -> Prison:
    """A prison in England with its three people."""
    where = base.a_site(database, kind="prison", **site)
    return Prison(
        database,
        where,
        base.a_member_of_staff(database, where, "prison_healthcare", name="Ann Probert"),
        base.a_member_of_staff(database, where, "carat_keyworker", name="Tom Lewis"),
        base.a_member_of_staff(database, where, "manager", name="Mair Rees"),
        at,
    )


def london(text: str) -> datetime:
    """An instant from London's clocks: "2026-11-04 14:30"."""
    shown = datetime.fromisoformat(text)  # noqa: DTZ007 - given its zone on the next line
    return at_london(shown.date(), shown.time())


def a_calendar_change(
    prison: Prison, on: date, *, change: str = "added", announced_on: date | None = None
) -> None:
    """A bank holiday added or removed in the prison's nation."""
    prison.close()
    with prison.database.transaction() as session:
        row: dict[str, Any] = {
            column.name: None for column in CalendarChange.__table__.columns if column.name != "id"
        }
        row |= {
            "nation": prison.site.nation,
            "on": on,
            "change": change,
            "announced_on": announced_on,
            "recorded_at": people.LONG_AGO,
            "recorded_by": prison.manager.id,
        }
        session.add(CalendarChange(**row))
