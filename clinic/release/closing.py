"""Close a gap where it is seen: what would do it in the fewest steps, and the first appointment
booked in the receiving service's own diary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments import commands as visits
from clinic.appointments import facts as diary
from clinic.appointments import history, referral_commands
from clinic.appointments.chain import Arranged
from clinic.appointments.models import Referral, Visit
from clinic.appointments.place_queries import place_key
from clinic.appointments.queries import staff_names
from clinic.assessments.commands import follows_arrivals
from clinic.calendars import holiday_lists
from clinic.errors import Conflict, Invalid
from clinic.patients.commands import follows_deaths, take_onto_caseload
from clinic.release import commands, following
from clinic.release.diary import at_the_service
from clinic.release.facts import known_now, release_request
from clinic.release.models import ReleaseFact, ReleasePlan
from clinic.release.queries import PlanNow
from clinic.release.sections import SECTIONS
from clinic.sites.models import Site
from dosing.days import ONE_DAY
from scheduling import slots
from scheduling.release import check
from scheduling.release_steps import WayOut, fewest_steps

Place = slots.Place
_DRUGS = {"methadone": "methadone", "buprenorphine": "buprenorphine",
          "buprenorphine_depot": "buprenorphine"}  # fmt: skip


def way_out(now: PlanNow) -> WayOut | None:
    """The fewest steps out of this plan's grave flags; None where the facts cannot be read."""
    return None if now.answer is None else fewest_steps(now.request, holiday_lists())


@dataclass(frozen=True)
class FreePlace:
    """A place at the receiving service on the day of release or the next day worked there."""

    place: Place
    doctor: str
    worker: str

    @property
    def key(self) -> str:
        return place_key(self.place)


def service_of(plan: ReleasePlan) -> Site | None:
    """The service of ours they go to, once something may be sent there."""
    return plan.destination_site if plan.may_share else None


def first_places(act: Act, plan: ReleasePlan) -> tuple[Site, list[FreePlace]]:
    """The service, and its free places on the first two days that count. Shows no patient.

    Conflict while no service of ours is named, nothing may be shared with it, or no day is known.
    """
    site, first, last = _where_and_when(act, plan)
    service = diary.service(act.session, site.id)
    found = diary.places_to_offer(act.session, service, first, last, act.at)
    people = staff_names(
        act, [each for place in found for each in (place.doctor_id, place.worker_id)]
    )
    return site, [
        FreePlace(place, people[place.doctor_id], people[place.worker_id]) for place in found
    ]


def _where_and_when(act: Act, plan: ReleasePlan) -> tuple[Site, date, date]:
    if plan.destination_site is None:
        raise Conflict("Record first which service of this system they go to.")
    if not plan.may_share:
        raise Conflict("Nothing may be sent yet: record consent or the lawful basis first.")
    at = known_now(act, plan)
    answer = check(release_request(act, plan.id, at, at), holiday_lists())
    if answer["expected_release_on"] is None:
        raise Conflict("Record first when they leave.")
    release_on = date.fromisoformat(answer["expected_release_on"])
    first = max(release_on, act.today)
    last = date.fromisoformat(answer["next_working_day_on"])
    if last < first + ONE_DAY:  # out for some days already
        last = first + ONE_DAY * 7
    return plan.destination_site, first, last


@command
def book_first_appointment(
    act: Act, plan_id: int, *, version: int, starts_at: datetime, doctor_id: int, worker_id: int,
    arrangements: Sequence[Arranged] = (),
) -> int:  # fmt: skip
    """Take a place in the receiving service's diary, and record it as the plan's appointment.

    The person is referred there and joins its caseload, which is why consent or a lawful basis
    comes first. Returns the fact's id. Conflict when the place went meanwhile, or, under model 3,
    while a shut day of the first three is not arranged for (`arrangements`).
    """
    plan = commands.plan_to_change(act, plan_id, version, "release.appointment_booked")
    standing = commands.standing_facts(act, plan.id, "appointment")
    if standing:
        raise Conflict("An appointment is recorded already. Strike it out before booking another.")
    site, places = first_places(act, plan)
    if (starts_at, doctor_id, worker_id) not in {
        (each.place.starts_at, each.place.doctor_id, each.place.worker_id) for each in places
    }:
        raise Conflict("This place has just been taken, or is not among those that count here.")
    there = at_the_service(act, site)
    take_onto_caseload(act, plan.patient_id, site.id)
    booked = visits.book_visit(
        there, referral_id=_referral(there, plan), starts_at=starts_at, doctor_id=doctor_id,
        worker_id=worker_id, arrangements=arrangements,
    )  # fmt: skip
    given = {
        "at": starts_at.isoformat(), "booked_at": act.at.isoformat(),
        "acknowledged_at": act.at.isoformat(),
    }  # fmt: skip
    kind = SECTIONS["appointment"]
    return commands.add_fact(act, plan, kind, given, "booked appointment", visit_id=booked.id).id


def _referral(there: Act, plan: ReleasePlan) -> int:
    """The referral that waits at the service, or a new one from this prison."""
    waiting = there.session.scalar(
        select(Referral.id).where(
            Referral.patient_id == plan.patient_id, Referral.site_id == there.site_id,
            Referral.status == "waiting",
        )
    )  # fmt: skip
    if waiting is not None:
        return waiting
    treatment = commands.standing_facts(there, plan.id, "treatment")
    medicine = treatment[0].says.get("medicine") if treatment else None
    return referral_commands.register_referral(
        there, patient_id=plan.patient_id, referred_at=there.at, source="prison",
        drugs=[_DRUGS.get(medicine or "", "not_known")], note="Release from prison",
    )  # fmt: skip


@history.follows_visits
def visit_changed(act: Act, visit: Visit) -> None:
    """Moved, cancelled, arrived, missed: the plan whose appointment it is follows at once."""
    plan_id = act.session.scalar(
        select(ReleaseFact.plan_id)
        .join(ReleasePlan, ReleasePlan.id == ReleaseFact.plan_id)
        .where(
            ReleaseFact.visit_id == visit.id, ReleaseFact.struck_at.is_(None),
            ReleasePlan.closed_at.is_(None),
        )
    )  # fmt: skip
    if plan_id is not None:
        following.follow_plan(act, plan_id)


def at_key(places: list[FreePlace], key: str) -> Place:
    """The place chosen. Invalid when it is not (or no longer) among them."""
    for each in places:
        if each.key == key:
            return each.place
    raise Invalid.field("place", "has just been taken. Choose another")


@follows_arrivals
def arrival_recorded(act: Act, patient_id: int) -> None:
    """What was claimed on arrival, and who confirmed it, is read by the plan."""
    following.follow_patient(act, patient_id)


@follows_deaths
def death_recorded(act: Act, patient_id: int) -> None:
    """Everything stops, or goes on again where the entry was wrong."""
    following.follow_patient(act, patient_id)
