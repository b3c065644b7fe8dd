"""Who is referred, which clinic runs, who is booked? Made by the same commands the service uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from clinic.act import Act
from clinic.appointments import (
    commands,
    place_queries,
    referral_commands,
    rota_commands,
    things_commands,
)
from clinic.appointments.chain import Arranged
from clinic.appointments.taking import Booked
from clinic.db import Database
from clinic.errors import Conflict
from clinic.sites.models import Site, SiteModel
from clinic.staff.models import Staff, StaffCompetence
from tests.factories import base
from tests.support import people

EVERY_RIGHT = frozenset(
    {
        "patients.read", "patients.register", "appointments.read", "appointments.refer",
        "appointments.book", "appointments.override", "appointments.rota",
    }
)  # fmt: skip
MON_WED_FRI = (1, 3, 5)


def works_under(database: Database, site: Site, model: int, *, since: date = people.SINCE) -> None:
    """Let the site work under a prescribing model since a day."""
    with database.transaction() as session:
        somebody = people.a_member_of_staff(session, site, "manager", name="Mair Rees")
        session.add(
            SiteModel(
                site_id=site.id, model=model, reason=None, from_on=since, to_on=None,
                recorded_at=people.LONG_AGO, recorded_by=somebody.id,
            )
        )  # fmt: skip


def trained(
    database: Database, staff: Staff, competence: str, *, to_on: date | None = None
) -> None:
    """Put a competence on record since 2000."""
    with database.transaction() as session:
        session.add(
            StaffCompetence(
                staff_id=staff.id, competence=competence, from_on=people.SINCE, to_on=to_on,
                recorded_at=people.LONG_AGO, recorded_by=staff.id,
            )
        )  # fmt: skip


def a_doctor(database: Database, site: Site, name: str = "Dr Owen Hughes") -> Staff:
    """A prescriber trained for rapid induction."""
    doctor = base.a_member_of_staff(database, site, "prescriber", name=name, level="prescriber")
    trained(database, doctor, "rapid_induction_doctor")
    return doctor


def a_worker(database: Database, site: Site, name: str = "Sian Price") -> Staff:
    """A drugs worker competent for induction."""
    worker = base.a_member_of_staff(database, site, "drugs_worker", name=name)
    trained(database, worker, "induction_worker")
    return worker


@dataclass
class Clinic:
    """A model 2 service with its people and its rota; `act` may do everything here."""

    database: Database
    site: Site
    nurse: Staff
    doctor: Staff
    worker: Staff
    act: Act
    sessions: list[int] = field(default_factory=list)

    def at(self, moment: datetime, *, staff: Staff | None = None) -> Act:
        """A piece of work at a moment, with every right, by the nurse unless somebody is named."""
        by = staff or self.nurse
        return base.an_act(self.database, by, self.site, at=moment, rights=EVERY_RIGHT)

    def place(self, nth: int = 0) -> dict[str, Any]:
        """The nth place that is free from the act's moment on, as the commands take it."""
        with self.database.reading() as session:
            act = replace(self.act, session=session)
            found = place_queries.free_places(
                act, self.site.id, act.today, act.today + timedelta(days=28)
            )[nth]
        return {
            "starts_at": found.starts_at,
            "doctor_id": found.doctor_id,
            "worker_id": found.worker_id,
        }


def a_clinic(
    database: Database,
    *,
    model: int | None = 2,
    weekdays: Sequence[int] = MON_WED_FRI,
    at: datetime = base.NOW,
    starts: time = time(9, 30),
    ends: time = time(12, 30),
    slot_minutes: int = 90,
    **site: Any,
) -> Clinic:
    """A community service whose doctor and worker hold a morning session on these weekdays."""
    where = base.a_site(database, **site)
    if model is not None:
        works_under(database, where, model)
    nurse = base.a_member_of_staff(database, where, "nurse", name="Nia Bevan")
    more: dict[str, Any] = {}
    if model == 3:  # an induction ends under observation, one nurse for each place
        more["nurse_id"] = nurse.id
    doctor, worker = a_doctor(database, where), a_worker(database, where)
    clinic = Clinic(
        database, where, nurse, doctor, worker,
        base.an_act(database, nurse, where, at=at, rights=EVERY_RIGHT),
    )  # fmt: skip
    if model == 3:
        an_observation_place(clinic)
    for weekday in weekdays:
        clinic.sessions.append(
            a_session(
                clinic, weekday=weekday, starts=starts, ends=ends, slot_minutes=slot_minutes, **more
            )
        )
    return clinic


def a_session(clinic: Clinic, **details: Any) -> int:
    """A session of the clinic's rota from today on; the id."""
    given: dict[str, Any] = {
        "weekday": 1,
        "starts": time(9, 30),
        "ends": time(12, 30),
        "slot_minutes": 90,
        "doctor_id": clinic.doctor.id,
        "worker_id": clinic.worker.id,
        "from_on": clinic.act.today,
        **details,
    }
    return rota_commands.add_session(clinic.act, **given).id


def an_observation_place(clinic: Clinic, name: str = "Chair 1") -> int:
    """One more observation place of the clinic; the resource's id."""
    return things_commands.add_thing(clinic.act, kind="observation", name=name).id


def a_referral(clinic: Clinic, *, act: Act | None = None, **details: Any) -> int:
    """Somebody who uses heroin, referred to the clinic this moment; the referral's id."""
    by = act or clinic.act
    given: dict[str, Any] = {
        "referred_at": by.at,
        "source": "arrest_referral",
        "drugs": ["heroin"],
        **details,
    }
    if "patient_id" not in given:
        given["patient_id"] = base.a_patient(by)
    return referral_commands.register_referral(by, **given)


def a_booking(clinic: Clinic, referral_id: int | None = None, **place: Any) -> Booked:
    """A booked visit: the first free place unless another is given.

    Under model 3 its next days come with it, and a shut day among them is arranged for.
    """
    asked = {"referral_id": referral_id or a_referral(clinic), **(place or clinic.place())}
    try:
        return commands.book_visit(clinic.act, **asked)
    except Conflict as refused:
        if refused.more.get("reason") != "to_arrange":
            raise
        given = [an_arrangement(day) for day in refused.more["to_arrange"]]
        return commands.book_visit(clinic.act, **asked, arrangements=given)


def an_arrangement(on: date | str, **more: Any) -> Arranged:
    """What is arranged for a shut day: the on-call doctor, unless told otherwise."""
    given: dict[str, Any] = {
        "kind": "on_call_doctor", "who": "Dr Sunita Rao, Castle Hospital",
        "contact": "01632 960123", "by_time": time(12), **more,
    }  # fmt: skip
    return Arranged(on=date.fromisoformat(str(on)), **given)


def agreed(work: Callable[..., Any], *args: Any, **given: Any) -> Any:
    """Look at what becomes of the other days, say yes to it, and arrange for what must be."""
    try:
        return work(*args, **given)
    except Conflict as refused:
        picture = refused.more.get("preview")
        if picture is None:
            raise
    days = [an_arrangement(day) for day in picture["to_arrange"]]
    more = {"arrangements": days} if days else {}
    return work(*args, **given, preview=picture["version"], **more)
