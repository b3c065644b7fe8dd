"""Who waits, and who comes when?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import not_, or_, select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.appointments import facts, overrides
from clinic.appointments.chain_preview import as_review
from clinic.appointments.models import (
    REVIEW,
    Referral,
    Visit,
)
from clinic.errors import Invalid
from clinic.patients.models import Patient
from clinic.staff.models import Staff
from dosing.days import end_of, london_day, start_of
from scheduling import chains, slots
from scheduling.booking import ROUTINE
from scheduling.prescribing_models import (
    Finding,
    PrescribingModel,
    Wait,
    support_missing,
    wait,
)
from scheduling.waiting import Person, urgency

LONGEST_SPAN = timedelta(days=92)


@dataclass(frozen=True)
class Waiting:
    """One person on the wait list, with their wait against the model's limit."""

    referral_id: int
    version: int
    patient_id: int
    family_name: str
    given_name: str
    referred_at: datetime
    risk: str | None
    drugs: tuple[str, ...]
    wait: Wait
    visit_id: int | None
    visit_at: datetime | None
    flags: tuple[Finding, ...]

    @property
    def listed_name(self) -> str:
        return f"{self.family_name.upper()}, {self.given_name}"

    @property
    def crack_pathway(self) -> bool:
        return slots.no_opioid(self.drugs)

    @property
    def person(self) -> Person:
        """What they are ranked by."""
        return Person(
            self.referral_id, self.wait.breaches_at, self.risk, self.referred_at, self.wait.over,
            self.visit_at,
        )  # fmt: skip


@dataclass(frozen=True)
class WaitList:
    """Everybody waiting at the site, most urgent first. `model` None: the site has none set."""

    model: PrescribingModel | None
    rows: tuple[Waiting, ...]


def wait_list(act: Act) -> WaitList:
    """Everybody referred here and not yet seen: by time left to the limit, then clinical risk.

    Never by name. Somebody without a place is shown the first one that is free (RP-05: full slots
    are no excuse).
    """
    act.need("appointments.read")
    first, last = act.today, act.today + facts.LOOK_AHEAD
    rows = act.session.execute(
        select(
            Referral.id, Referral.version, Referral.patient_id, Referral.referred_at,
            Referral.risk, Referral.drugs, Referral.support_at, Referral.outside_at,
            Patient.family_name, Patient.given_name, Visit.id.label("visit_id"), Visit.starts_at,
        )
        .join(Patient, Patient.id == Referral.patient_id)
        .outerjoin(Visit, (Visit.referral_id == Referral.id) & (Visit.status == "booked"))
        .where(Referral.site_id == act.site_id, Referral.status == "waiting")
    ).all()  # fmt: skip
    service = facts.service(act.session, act.site_id or 0)
    model = service.model_on(act.today)
    free = facts.places_to_offer(act.session, service, first, last, act.at) if rows else []
    act.note_shown("appointments.wait_listed", [row.patient_id for row in rows])
    made = [_waiting(row, model, act, free[0].starts_at if free else None, last) for row in rows]
    return WaitList(model, tuple(sorted(made, key=lambda row: urgency(row.person))))


def _waiting(
    row: Any, model: PrescribingModel | None, act: Act, first_free: datetime | None, last: date
) -> Waiting:
    # Under model 1 the place is elsewhere: nothing free on a rota of ours says anything.
    looked_to = None if model is PrescribingModel.MODEL_1 or slots.no_opioid(row.drugs) else last
    found = wait(
        model,
        row.referred_at,
        act.today,
        booked_at=row.starts_at or row.outside_at,
        first_free_at=None if looked_to is None else first_free,
        looked_to=looked_to,
    )
    flags = (found.flag, support_missing(model, row.support_at is not None))
    return Waiting(
        referral_id=row.id, version=row.version, patient_id=row.patient_id,
        family_name=row.family_name, given_name=row.given_name, referred_at=row.referred_at,
        risk=row.risk, drugs=tuple(row.drugs), wait=found, visit_id=row.visit_id,
        visit_at=row.starts_at or row.outside_at, flags=tuple(filter(None, flags)),
    )  # fmt: skip


def staff_names(act: Act, ids: Iterable[int | None]) -> dict[int | None, str]:
    """The names of these members of staff, by id."""
    wanted = sorted({each for each in ids if each is not None})
    rows = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(wanted)))
    return {row.id: row.name for row in rows}


@dataclass(frozen=True)
class Line:
    """One visit on the list of the clinic."""

    visit: Visit
    family_name: str
    given_name: str
    born_on: date
    doctor: str | None
    worker: str | None
    nurse: str | None
    off_rota: str | None

    @property
    def listed_name(self) -> str:
        return f"{self.family_name.upper()}, {self.given_name}"


def clinic_list(
    act: Act, first: date, last: date, *, cancelled: bool = False, with_staff: int | None = None
) -> list[Line]:
    """Who comes from first to last (London dates, both included), in order of time.

    `with_staff`: only to this doctor, worker or nurse.
    """
    act.need("appointments.read")
    if last < first or last - first > LONGEST_SPAN:
        raise Invalid.field("to", f"must be on or after from, within {LONGEST_SPAN.days} days")
    doctor, worker, nurse = aliased(Staff), aliased(Staff), aliased(Staff)
    wanted = (
        select(Visit, Patient.family_name, Patient.given_name, Patient.born_on,
               doctor.name.label("doctor"), worker.name.label("worker"),
               nurse.name.label("nurse"))
        .join(Patient, Patient.id == Visit.patient_id)
        .outerjoin(doctor, doctor.id == Visit.doctor_id)
        .outerjoin(worker, worker.id == Visit.worker_id)
        .outerjoin(nurse, nurse.id == Visit.nurse_id)
        .where(
            Visit.site_id == act.site_id,
            Visit.starts_at >= start_of(first),
            Visit.starts_at < end_of(last),
        )
        .order_by(Visit.starts_at, Visit.id)
    )  # fmt: skip
    wanted = wanted.where(Visit.status != "let_go", not_(Visit.lapsed(act.at)))
    if not cancelled:
        wanted = wanted.where(Visit.status != "cancelled")
    if with_staff is not None:
        named = Visit.doctor_id, Visit.worker_id, Visit.nurse_id
        wanted = wanted.where(or_(*(each == with_staff for each in named)))
    rows = act.session.execute(wanted).all()
    act.note_shown("appointments.clinic_listed", [row.Visit.patient_id for row in rows])
    lost = off_rota(act, [row.Visit for row in rows])
    return [
        Line(
            row.Visit, row.family_name, row.given_name, row.born_on, row.doctor, row.worker, row.nurse,
            lost.get(row.Visit.id),
        )
        for row in rows
    ]  # fmt: skip


def off_rota(act: Act, visits: Iterable[Visit]) -> dict[int, str]:
    """Booked visits ahead that the rota no longer carries, each with what is wrong.

    A session that ended, a day taken off, a closed day, a training that lapsed: the visit stands
    until somebody moves it.
    """
    ahead = [each for each in visits if each.status == "booked" and each.starts_at > act.at]
    if not ahead:
        return {}
    rota = facts.service(act.session, act.site_id or 0).rota
    found = {}
    passed = overrides.passed_for(act, [each.id for each in ahead])
    for each in ahead:
        if each.kind == REVIEW:
            if as_review(each) not in chains.reviews_on(rota, london_day(each.starts_at)):
                found[each.id] = chains.RULES["CH-02"]["unknown"]
            continue
        answer = slots.may_book(
            rota, each.starts_at, each.doctor_id or 0, each.worker_id or 0, now=act.at, drugs=(),
            routine=each.kind in ROUTINE, passed=passed.get(each.id, ()),
        )  # fmt: skip
        if isinstance(answer, slots.Refusal):
            found[each.id] = answer.message
        elif answer.until != each.ends_at:
            found[each.id] = "The rota now gives this place another length."
    return found


def visits_to_settle(act: Act) -> list[Line]:
    """Visits that passed without a word whether the patient came, and visits off the rota."""
    act.need("appointments.read")
    lines = clinic_list(act, act.today - timedelta(days=28), act.today + facts.LOOK_AHEAD)
    return [
        line
        for line in lines
        if line.off_rota or (line.visit.status == "booked" and line.visit.ends_at < act.at)
    ]


@dataclass(frozen=True)
class Standing:
    """How somebody stands with this site. `next`: booked or held, not over; `last`: what was before."""

    referral: Referral | None
    next: Visit | None
    last: Visit | None


def standing_here(act: Act, records: list[int]) -> Standing:
    """The newest referral here, the next visit and the last. For pages that have opened the record."""
    mine = (Visit.patient_id.in_(records), Visit.site_id == act.site_id)
    to_come = (Visit.ends_at > act.at) & ((Visit.status == "booked") | (Visit.lapses_at > act.at))
    return Standing(
        referral=act.session.scalar(
            select(Referral)
            .where(Referral.patient_id.in_(records), Referral.site_id == act.site_id)
            .order_by(Referral.referred_at.desc(), Referral.id.desc())
            .limit(1)
        ),
        next=act.session.scalar(
            select(Visit).where(*mine, to_come).order_by(Visit.starts_at, Visit.id).limit(1)
        ),
        last=act.session.scalar(
            select(Visit)
            .where(
                *mine, Visit.starts_at <= act.at, Visit.status.not_in(("held", "let_go")), ~to_come
            )
            .order_by(Visit.starts_at.desc(), Visit.id.desc())
            .limit(1)
        ),
    )
