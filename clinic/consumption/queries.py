"""What stands on somebody's record at the hatch, and what waits for the clinical lead?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.consumption.closed import closed_days
from clinic.consumption.facts import (
    AtTheHatch,
    at_the_hatch,
    missed_limits,
    newest_stamp,
    which_dose,
)
from clinic.consumption.models import SWALLOWED, BrokenGate, DoseEvent, DoseVomited, GateCheck
from clinic.consumption.places import Place, place_on
from clinic.consumption.supply_models import ConsumptionPlace, DispensedDose, PharmacyStaff
from clinic.patients.access import open_record
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import days_at_home, days_of, increments_of
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.queries import decided
from clinic.release.models import Premises
from clinic.staff.models import Staff
from clinic.titration.facts import course_of
from dosing.days import start_of
from dosing.interlock import Verdict, may_give
from scheduling.consumption import Ladder, ladder

HANDED_AHEAD = timedelta(days=31)
"""How far ahead a dose to take home may be handed over."""


@dataclass(frozen=True)
class HatchRecord:
    """Everything of one person at the hatch, newest first, struck rows included.

    `to_hand_over`: today's decisions with a dose that may be handed over to take home.
    """

    patient: Patient
    today: list[tuple[DoseDecision, int, DoseEvent | None, bool]]
    to_hand_over: frozenset[int]
    doses: list[DoseEvent]
    vomited: dict[int, DoseVomited]
    dispensed: list[DispensedDose]
    checks: list[GateCheck]
    broken: list[BrokenGate]
    places: list[ConsumptionPlace]
    place: Place | None
    ladder: Ladder
    names: dict[int, str]
    pharmacies: dict[int, str]


def hatch_record(act: Act, patient_id: int) -> HatchRecord:
    """The doses, looks, places and broken gates of a person; the look is audited."""
    patient = open_record(act, patient_id, "consumption.read", right="consumption.read")
    records = same_person(act, patient.id)

    def rows(model: Any, when: Any) -> list[Any]:
        return list(
            act.session.scalars(
                select(model)
                .where(model.patient_id.in_(records))
                .order_by(when.desc(), model.id.desc())
            )
        )

    doses = rows(DoseEvent, DoseEvent.consumed_at)
    vomited = rows(DoseVomited, DoseVomited.vomited_at)
    dispensed = rows(DispensedDose, DispensedDose.dose_on)
    checks = rows(GateCheck, GateCheck.checked_at)
    broken = rows(BrokenGate, BrokenGate.broken_at)
    places = rows(ConsumptionPlace, ConsumptionPlace.from_on)
    place = place_on(act, records, act.today)
    people = {row.recorded_by for row in (*doses, *dispensed, *checks, *broken, *places, *vomited)}
    people |= {row.struck_by for row in (*doses, *dispensed, *checks, *places)}
    people |= {row.observer_id for row in doses} | {row.agreed_by for row in doses}
    people |= {row.acknowledged_by for row in broken}
    names = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(people - {None})))
    shops = act.session.execute(
        select(Premises.id, Premises.name).where(Premises.id.in_({p.premises_id for p in places}))
    )
    decisions = in_force(act, records, act.today)
    return HatchRecord(
        patient=patient, today=_today(decisions, doses, dispensed, act.today),
        to_hand_over=frozenset(
            row.id
            for row in decisions
            if days_to_hand_over(act, row, act.today, act.today + HANDED_AHEAD)
        ),
        doses=doses,
        vomited={row.dose_id: row for row in vomited if row.struck_at is None},
        dispensed=dispensed, checks=checks, broken=broken, places=places, place=place,
        ladder=_ladder(act, records, decisions, place),
        names={row.id: row.name for row in names}, pharmacies={row.id: row.name for row in shops},
    )  # fmt: skip


def in_force(act: Act, records: list[int], on: date) -> list[DoseDecision]:
    """The decisions with a dose for this day that stand, oldest first."""
    rows = act.session.scalars(
        select(DoseDecision)
        .where(
            DoseDecision.patient_id.in_(records), DoseDecision.withdrawn_at.is_(None),
            DoseDecision.dose_on <= on, DoseDecision.last_on >= on,
        )
        .order_by(DoseDecision.id)
    )  # fmt: skip
    return [row for row in rows if on in days_of(row)]


def last_taken(act: Act, records: list[int]) -> DoseEvent | None:
    """The newest dose recorded as swallowed and not struck out, claims of elsewhere as well."""
    found: DoseEvent | None = act.session.scalar(
        select(DoseEvent)
        .where(
            DoseEvent.patient_id.in_(records), DoseEvent.struck_at.is_(None),
            DoseEvent.outcome.in_(SWALLOWED),
        )
        .order_by(DoseEvent.consumed_at.desc(), DoseEvent.id.desc())
        .limit(1)
    )  # fmt: skip
    return found


def _today(
    decisions: list[DoseDecision],
    doses: list[DoseEvent],
    dispensed: list[DispensedDose],
    on: date,
) -> list[tuple[DoseDecision, int, DoseEvent | None, bool]]:
    """Each dose of today: of which decision, which number, what is recorded, and is it at home."""
    events = {
        (row.drug, row.increment): row
        for row in doses
        if row.dose_on == on and row.struck_at is None and not row.elsewhere
    }
    home = {
        (row.drug, row.increment)
        for row in dispensed
        if row.dose_on == on and row.struck_at is None and row.how == "take_home"
    }
    return [
        (row, number, events.get((row.drug, number)), (row.drug, number) in home)
        for row in decisions
        for number in increments_of(row)
    ]


def _ladder(
    act: Act, records: list[int], decisions: list[DoseDecision], place: Place | None
) -> Ladder:
    """Where this person stands after missed days, by the medicine they took last."""
    course = course_of(act, records, start_of(act.today))
    if course is None:
        return Ladder((), None, ())
    rule_set = course.known.request.rule_set
    limits = missed_limits(act, course.known.drug, rule_set, act.today)
    last = course.known.last_covered_before
    found = ladder(last, act.today, limits)
    closed = closed_days(act, place, found.missed_on)
    return ladder(last, act.today, limits, closed)


def verdict_at(
    act: Act, patient_id: int, decision_id: int, increment: int | None
) -> tuple[AtTheHatch, Verdict]:
    """The hatch as it stands now, and what the interlock says to it; the look is audited."""
    patient = open_record(act, patient_id, "consumption.looked", right="consumption.read")
    decision = decided(act, patient.id, decision_id)
    number = which_dose(decision, increment)
    stamp = newest_stamp(act, patient.id)
    hatch = at_the_hatch(act, decision, number, stamp, stamp)
    return hatch, may_give(hatch.facts)


def to_acknowledge(act: Act) -> list[tuple[BrokenGate, Patient, str]]:
    """Gates passed here that nobody has acknowledged, oldest first, with the patient and by whom."""
    act.need("consumption.acknowledge")
    rows = act.session.execute(
        select(BrokenGate, Patient, Staff.name)
        .join(Patient, Patient.id == BrokenGate.patient_id)
        .join(Staff, Staff.id == BrokenGate.recorded_by)
        .where(BrokenGate.site_id == act.site_id, BrokenGate.acknowledged_at.is_(None))
        .order_by(BrokenGate.recorded_at, BrokenGate.id)
    ).all()
    act.note_shown("consumption.broken_gates", [patient.id for _, patient, _ in rows])
    return [(row, patient, name) for row, patient, name in rows]


def observers(act: Act) -> list[tuple[int, str]]:
    """Who else works at this site today, by name: a second person to watch a dose."""
    from clinic.sites.queries import staff_at

    return [(row.id, row.name) for row in staff_at(act, act.site_id or 0) if row.id != act.staff_id]


def links_of(act: Act, staff_id: int) -> list[tuple[PharmacyStaff, str]]:
    """The pharmacies an account works or worked at for this site, newest first."""
    act.need("staff.manage")
    rows = act.session.execute(
        select(PharmacyStaff, Premises.name)
        .join(Premises, Premises.id == PharmacyStaff.premises_id)
        .where(PharmacyStaff.staff_id == staff_id, PharmacyStaff.site_id == act.site_id)
        .order_by(PharmacyStaff.id.desc())
    )
    return [(row, name) for row, name in rows]


def vomited_today(act: Act, patient_id: int, decision: DoseDecision) -> list[tuple[int, str]]:
    """Doses of this medicine that were vomited today, which a new decision could replace."""
    from clinic import ui

    rows = act.session.scalars(
        select(DoseEvent)
        .join(DoseVomited, DoseVomited.dose_id == DoseEvent.id)
        .where(
            DoseEvent.patient_id.in_(same_person(act, patient_id)),
            DoseEvent.drug == decision.drug, DoseEvent.dose_on == act.today,
            DoseEvent.struck_at.is_(None), DoseVomited.struck_at.is_(None),
            DoseEvent.decision_id != decision.id,
        )
        .order_by(DoseEvent.consumed_at)
    )  # fmt: skip
    return [
        (row.id, f"Yes, the {ui.mg(row.dose_mg)} taken at {ui.clock_time(row.consumed_at)}")
        for row in rows
    ]


def days_to_hand_over(act: Act, decision: DoseDecision, first: date, last: date) -> list[date]:
    """The days from `first` to `last` whose dose may be handed over now and has not been."""
    records = same_person(act, decision.patient_id)
    covered = {day for day in days_of(decision) if first <= day <= last}
    place = place_on(act, records, first)
    may = covered & (days_at_home(decision) | closed_days(act, place, covered))
    done = set(
        act.session.scalars(
            select(DispensedDose.dose_on).where(
                DispensedDose.patient_id.in_(records), DispensedDose.drug == decision.drug,
                DispensedDose.struck_at.is_(None),
            )
        )
    ) | set(
        act.session.scalars(
            select(DoseEvent.dose_on).where(
                DoseEvent.patient_id.in_(records), DoseEvent.drug == decision.drug,
                DoseEvent.struck_at.is_(None), DoseEvent.elsewhere.is_(False),
            )
        )
    )  # fmt: skip
    return sorted(may - done)
