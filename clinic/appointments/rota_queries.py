"""Who works when, and does the rota keep the promise of the model?"""

from __future__ import annotations

from calendar import day_name as day_names
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from clinic.act import Act
from clinic.appointments import facts
from clinic.appointments.models import (
    Resource,
    RotaDayOff,
    RotaPattern,
)
from clinic.appointments.queries import staff_names
from clinic.sites.models import Site
from clinic.staff.models import PrescriberLevel, Staff, StaffCompetence, StaffRole
from dosing.days import london_day
from scheduling import slots
from scheduling.checklist import missing
from scheduling.prescribing_models import (
    RULES,
    Finding,
    PrescribingModel,
    rota_findings,
)

ROTA_WEEKS = 8


@dataclass(frozen=True)
class SessionLine:
    """A session of the rota, named, with its days off ahead and what it lacks (RP-19)."""

    pattern: RotaPattern
    doctor: str
    worker: str
    nurse: str | None
    room: str | None
    off: tuple[RotaDayOff, ...]
    missing: tuple[Finding, ...]


@dataclass(frozen=True)
class RotaPage:
    """The rota of a site and where it breaks the model over the weeks ahead."""

    model: PrescribingModel | None
    sessions: tuple[SessionLine, ...]
    findings: tuple[Finding, ...]
    unstaffed: tuple[tuple[int, Finding], ...]
    first: date
    last: date

    @property
    def lacking_everywhere(self) -> tuple[Finding, ...]:
        """What none of several sessions has (RP-19): said once, and not again at each of them."""
        if len(self.sessions) < 2:
            return ()
        lists = [each.missing for each in self.sessions]
        return tuple(each for each in lists[0] if all(each in others for others in lists))


def rota_page(act: Act) -> RotaPage:
    """Every session not over yet, and the check of the weeks ahead (RP-04, RP-08, RP-18)."""
    act.need("appointments.read")
    doctor, worker, nurse = aliased(Staff), aliased(Staff), aliased(Staff)
    rows = act.session.execute(
        select(RotaPattern, doctor.name, worker.name, nurse.name, Resource.name)
        .join(doctor, doctor.id == RotaPattern.doctor_id)
        .join(worker, worker.id == RotaPattern.worker_id)
        .outerjoin(nurse, nurse.id == RotaPattern.nurse_id)
        .outerjoin(Resource, Resource.id == RotaPattern.room_id)
        .where(
            RotaPattern.site_id == act.site_id,
            RotaPattern.to_on.is_(None) | (RotaPattern.to_on >= act.today),
        )
        .order_by(RotaPattern.weekday, RotaPattern.starts, RotaPattern.id)
    ).all()
    off = act.session.scalars(
        select(RotaDayOff)
        .where(
            RotaDayOff.pattern_id.in_([row[0].id for row in rows]),
            RotaDayOff.on >= act.today,
            RotaDayOff.withdrawn_at.is_(None),
        )
        .order_by(RotaDayOff.on)
    ).all()
    first = act.today
    last = first + timedelta(weeks=ROTA_WEEKS) - timedelta(days=1)
    # A gap or a week that runs into today is judged with the days before it.
    since = first - timedelta(weeks=1)
    service = facts.service(act.session, act.site_id or 0)
    sessions = {each.id: each for each in service.rota.sessions}
    slot_days = {london_day(each.starts_at) for each in service.places(since, last)}
    model = service.model_on(act.today)
    return RotaPage(
        model=model,
        sessions=tuple(
            SessionLine(
                row, doctor_name, worker_name, nurse_name, room_name,
                tuple(each for each in off if each.pattern_id == row.id),
                tuple(missing(service.rota, sessions[row.id], max(first, row.from_on))),
            )
            for row, doctor_name, worker_name, nurse_name, room_name in rows
        ),
        findings=tuple(
            rota_findings(
                model, slot_days, first, last, slots.lacking_on(service.rota, first, last),
                slots.not_held(service.rota, first, last),
            )
        ),
        unstaffed=tuple(
            (session.id, missing) for session, missing in slots.unstaffed(service.rota, first, last)
        ),
        first=first,
        last=last,
    )  # fmt: skip


def clinicians(act: Act) -> list[tuple[int, str]]:
    """Everybody on the rota of the site, past or present: (id, name) pairs, by name."""
    people = facts.service(act.session, act.site_id or 0).resources
    names = staff_names(act, people)
    return sorted(((each, names[each]) for each in people), key=lambda each: (each[1], each[0]))


@dataclass(frozen=True)
class ModelCheck:
    """What would break a model at this site over the weeks ahead, each with its day."""

    model: PrescribingModel
    findings: tuple[Finding, ...]
    unstaffed: tuple[tuple[str, Finding], ...]


def against_models(act: Act, site_id: int) -> list[ModelCheck]:
    """Could the rota as it is keep each of the models over the weeks ahead (RP-04, RP-08, RP-12)?"""
    first = act.today
    last = first + timedelta(weeks=ROTA_WEEKS) - timedelta(days=1)
    since = first - timedelta(weeks=1)
    rota = facts.service(act.session, site_id).rota
    checks = []
    for model in PrescribingModel:
        observed = RULES["RP-12"]["model"]
        as_if = replace(rota, observed=((since, None),) if model in observed else ())
        days = {london_day(each.starts_at) for each in slots.places(as_if, since, last)}
        checks.append(
            ModelCheck(
                model,
                tuple(
                    rota_findings(
                        model,
                        days,
                        first,
                        last,
                        slots.lacking_on(as_if, first, last),
                        slots.not_held(as_if, first, last),
                    )  # fmt: skip
                ),
                tuple(
                    (f"{day_names[session.weekday - 1]} {session.starts:%H:%M}", lacking)
                    for session, lacking in slots.unstaffed(as_if, first, last)
                ),
            )
        )
    return checks


def possible_staff(act: Act) -> tuple[list[tuple[int, str]], ...]:
    """Who here may be a session's doctor, its drugs worker, its nurse, today: (id, name) pairs."""
    here = (
        select(StaffRole.staff_id)
        .where(
            StaffRole.site_id == act.site_id,
            StaffRole.from_on <= act.today,
            StaffRole.to_on.is_(None) | (StaffRole.to_on >= act.today),
        )
        .distinct()
    )

    def having(competence: str) -> Any:
        return select(StaffCompetence.staff_id).where(
            StaffCompetence.competence == competence,
            StaffCompetence.from_on <= act.today,
            StaffCompetence.to_on.is_(None) | (StaffCompetence.to_on >= act.today),
        )

    prescribing = select(PrescriberLevel.staff_id).where(
        PrescriberLevel.from_on <= act.today,
        PrescriberLevel.to_on.is_(None) | (PrescriberLevel.to_on >= act.today),
    )
    named = select(Staff.id, Staff.name).where(Staff.id.in_(here)).order_by(Staff.name, Staff.id)
    doctors = named.where(Staff.id.in_(having(facts.TRAINED)), Staff.id.in_(prescribing))
    workers = named.where(Staff.id.in_(having(facts.COMPETENT)))
    nurses = named.where(Staff.id.in_(here.where(StaffRole.role == "nurse")))
    return tuple(
        [(staff_id, name) for staff_id, name in act.session.execute(each)]
        for each in (doctors, workers, nurses)
    )


def is_community(act: Act) -> bool:
    """Is this a community service, which has referrals and a clinic?"""
    return act.session.get_one(Site, act.site_id).kind == "community"
