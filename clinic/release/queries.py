"""What does a release plan say now, who is about to leave, and who is on the way here?

A page never shows an old answer: the rules are asked again whenever the clock or another room may
have changed something since the last scoring.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from clinic.act import Act
from clinic.calendars import holiday_lists
from clinic.errors import NotFound
from clinic.patients.models import Allocation, Patient, Registration
from clinic.patients.queries import same_person
from clinic.release import scoring
from clinic.release.access import open_plan
from clinic.release.facts import Json, facts_known, forms_read, known_now, release_request
from clinic.release.models import (
    Premises,
    PremisesChange,
    PremisesFact,
    ReleaseAssessment,
    ReleaseFact,
    ReleaseFlag,
    ReleasePlan,
)
from clinic.release.places import premises_object
from clinic.release.sections import DESKS, OWNERS, SECTIONS
from clinic.release.supplies import FormSupply
from clinic.sites.models import Site
from clinic.staff.models import Staff
from dosing.shape import Refused
from scheduling.release import check
from scheduling.release_ends import any_day
from scheduling.release_flags import SEVERITIES


@dataclass(frozen=True)
class Raised:
    """One flag as a page shows it. `sections`: what can clear it."""

    flag: str
    severity: str
    message: str
    clears_when: str
    facts: Json
    owner: str
    since: datetime
    sections: tuple[str, ...]

    @property
    def gravity(self) -> int:
        return SEVERITIES.index(self.severity)


@dataclass(frozen=True)
class PlanNow:
    """A plan, what is recorded, and what the rules answer at this moment.

    `answer` None: the facts cannot be read, and `fault` says which. `recheck`: facts made for an
    earlier release date. `forms`: prescription forms from the day of release on.
    """

    plan: ReleasePlan
    patient: Patient
    facts: dict[str, list[ReleaseFact]]
    request: Json
    answer: Json | None
    flags: list[Raised]
    fault: str | None
    recheck: list[ReleaseFact]
    forms: list[FormSupply]


def plan_now(act: Act, plan_id: int, action: str = "release.plan_seen") -> PlanNow:
    """The plan as it stands at `act.at`; a closed one as it stood when it was closed. Audited."""
    plan, patient = open_plan(act, plan_id, action)
    at = plan.closed_at or known_now(act, plan)
    rows = facts_known(act.session, plan_id, at)
    facts: dict[str, list[ReleaseFact]] = {key: [] for key in SECTIONS}
    for row in rows:
        facts[row.section].append(row)
    request = release_request(act, plan_id, at, at)
    try:
        answer: Json | None = check(request, holiday_lists())
        fault = None
    except Refused as refused:
        answer, fault = None, f"{refused.field} {refused.message}"
    flags = _flags_now(act, plan, answer)
    return PlanNow(
        plan,
        patient,
        facts,
        request,
        answer,
        flags,
        fault,
        _recheck(request, flags, facts),
        forms_read(act, plan, at),
    )


def _flags_now(act: Act, plan: ReleasePlan, answer: Json | None) -> list[Raised]:
    """The flags of an answer, worst first; of the last scoring when there is no answer."""
    standing = {(row.flag, row.cause): row for row in scoring.standing_flags(act, plan.id)}
    keyworker = keyworkers(act, [plan.patient_id]).get(plan.patient_id)
    if answer is None:
        found: Iterable[tuple[tuple[str, str], Json]] = [
            (key, _as_answered(row)) for key, row in standing.items()
        ]
    else:
        found = scoring.with_causes(answer["flags"])
    raised = []
    for key, flag in found:
        row, desk = standing.get(key), DESKS[flag["flag"]]
        raised.append(
            Raised(
                **flag,
                owner=owner_name(desk.owner, keyworker),
                since=act.at if row is None else row.raised_at,
                sections=desk.sections,
            )
        )
    return sorted(raised, key=lambda each: (-each.gravity, each.since, each.flag))


def _as_answered(row: ReleaseFlag) -> Json:
    return {
        "flag": row.flag,
        "severity": row.severity,
        "message": row.message,
        "clears_when": row.clears_when,
        "facts": row.facts,
    }


def owner_name(owner: str, keyworker: str | None) -> str:
    """Whose desk a flag lies on, with the keyworker's name; that nobody is named is said."""
    if owner == "keyworker":
        return f"Keyworker, {keyworker}" if keyworker else "Keyworker, nobody named yet"
    return OWNERS[owner]


def keyworkers(act: Act, patient_ids: Sequence[int]) -> dict[int, str]:
    """The keyworker named at this site, by patient."""
    found = act.session.execute(
        select(Allocation.patient_id, Staff.name)
        .join(Staff, Staff.id == Allocation.staff_id)
        .where(
            Allocation.patient_id.in_(patient_ids),
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_(None),
        )
    )
    return {row.patient_id: row.name for row in found}


def _recheck(
    request: Json, flags: list[Raised], facts: dict[str, list[ReleaseFact]]
) -> list[ReleaseFact]:
    """The facts that were made for another release date; of several supplies, those alone."""
    items = {item for flag in flags if flag.flag == "RG-14" for item in flag.facts["recheck"]}
    stale = [row for key in ("appointment", "notification") if key in items for row in facts[key]]
    for row in facts["supply"] if "supply" in items else ():
        alone = {**request, "appointment": None, "notification": None,
                 "bridging_supplies": [row.says]}  # fmt: skip
        if any(flag["flag"] == "RG-14" for flag in check(alone, holiday_lists())["flags"]):
            stale.append(row)
    return stale


# -- lists ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Coming:
    """One open plan in a list. `worst` None: no flag stands; `fault`: it cannot be worked out."""

    plan_id: int
    patient: Patient
    release_on: date | None
    left_on: date | None
    worst: str | None
    flags: list[Raised]
    fault: str | None
    prison: str

    @property
    def gravity(self) -> int:
        if self.fault:
            return len(SEVERITIES)
        return -1 if self.worst is None else SEVERITIES.index(self.worst)


def open_plan_here(act: Act, patient_id: int) -> ReleasePlan | None:
    """The open plan of an opened record for leaving this prison, or for coming to this service once
    that may be shared; None elsewhere."""
    act.need("release.read")
    return act.session.scalar(
        select(ReleasePlan).where(
            ReleasePlan.patient_id.in_(same_person(act, patient_id)),
            or_(
                ReleasePlan.site_id == act.site_id,
                and_(
                    ReleasePlan.destination_site_id == act.site_id, ReleasePlan.may_share.is_(True)
                ),
            ),
            ReleasePlan.closed_at.is_(None),
        )
    )


def coming_exits(act: Act) -> list[Coming]:
    """The open plans of this prison: what cannot be worked out, then worst flag, then date."""
    act.need("release.read")
    return _listed(act, ReleasePlan.site_id == act.site_id, action="release.exits_listed")


def coming_here(act: Act) -> list[Coming]:
    """The open plans that end at this service, of those whose sharing is agreed or lawful."""
    act.need("release.read")
    return _listed(
        act,
        ReleasePlan.destination_site_id == act.site_id,
        ReleasePlan.may_share.is_(True),
        action="release.arrivals_listed",
    )


def _listed(act: Act, *where: Any, action: str) -> list[Coming]:
    plans = act.session.scalars(
        select(ReleasePlan).where(ReleasePlan.closed_at.is_(None), *where)
    ).all()
    ids = [plan.id for plan in plans]
    standing: dict[int, list[ReleaseFlag]] = defaultdict(list)
    for row in act.session.scalars(
        select(ReleaseFlag).where(ReleaseFlag.plan_id.in_(ids), ReleaseFlag.cleared_at.is_(None))
    ):
        standing[row.plan_id].append(row)
    names = keyworkers(act, [plan.patient_id for plan in plans])
    found = []
    for plan in plans:
        release_on, fault = plan.release_on, plan.fault
        if fault is None and plan.next_due_at <= act.at:
            flags, release_on, fault = _asked_again(act, plan)
        else:
            keyworker = names.get(plan.patient_id)
            flags = [
                Raised(
                    **_as_answered(row), owner=owner_name(row.owner, keyworker),
                    since=row.raised_at, sections=DESKS[row.flag].sections,
                )
                for row in standing[plan.id]
            ]  # fmt: skip
            flags.sort(key=lambda each: (-each.gravity, each.since, each.flag))
        found.append(
            Coming(
                plan.id, plan.patient, release_on, plan.left_on, flags[0].severity if flags else None, flags,
                fault, plan.site.name,
            )
        )  # fmt: skip
    act.note_shown(action, [plan.patient_id for plan in plans])
    found.sort(key=lambda each: (-each.gravity, each.release_on or date.max, each.plan_id))
    return found


def could_leave_any_day(act: Act, plan_ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Who of these could leave on any day, unplanned, and why (RC-07); the others are left out.

    Read from what was last asked of the rules about each plan, at this moment.
    """
    newest = (
        select(func.max(ReleaseAssessment.id))
        .where(ReleaseAssessment.plan_id.in_(list(plan_ids)))
        .group_by(ReleaseAssessment.plan_id)
    )
    rows = act.session.scalars(select(ReleaseAssessment).where(ReleaseAssessment.id.in_(newest)))
    found = {
        row.plan_id: any_day({**row.request, "as_at": act.at.isoformat()}, row.answer)
        for row in rows
    }
    return {plan_id: reasons for plan_id, reasons in found.items() if reasons}


def _asked_again(act: Act, plan: ReleasePlan) -> tuple[list[Raised], date | None, str | None]:
    try:
        at = known_now(act, plan)
        answer = check(release_request(act, plan.id, at, at), holiday_lists())
    except Refused as refused:
        return _flags_now(act, plan, None), plan.release_on, f"{refused.field} {refused.message}"
    expected = answer["expected_release_on"]
    return _flags_now(act, plan, answer), expected and date.fromisoformat(expected), None


def patients_without_a_plan(act: Act) -> list[Patient]:
    """Who is registered at this prison and has no open plan. Audited by the ids shown."""
    act.need("release.plan")
    found = list(
        act.session.scalars(
            select(Patient)
            .join(Registration, Registration.patient_id == Patient.id)
            .where(
                Registration.site_id == act.site_id,
                Registration.ended_at.is_(None),
                Patient.merged_into_id.is_(None),
                Patient.id.not_in(
                    select(ReleasePlan.patient_id).where(ReleasePlan.closed_at.is_(None))
                ),
            )
            .order_by(Patient.family_name, Patient.given_name, Patient.id)
        )
    )
    act.note_shown("release.unplanned_listed", [patient.id for patient in found])
    return found


def open_plan_of(act: Act, patient_id: int) -> int | None:
    """The id of a patient's open plan, for the rooms that link to it."""
    return act.session.scalar(
        select(ReleasePlan.id).where(
            ReleasePlan.patient_id == patient_id, ReleasePlan.closed_at.is_(None)
        )
    )


# -- history and premises ------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """Everything that was ever recorded on a plan, newest first, and every flag it had."""

    plan: ReleasePlan
    patient: Patient
    facts: list[ReleaseFact]
    flags: list[ReleaseFlag]
    names: dict[int, str]


def history(act: Act, plan_id: int) -> History:
    """The whole history of a plan. Audited."""
    plan, patient = open_plan(act, plan_id, "release.history_seen")
    facts = act.session.scalars(
        select(ReleaseFact).where(ReleaseFact.plan_id == plan_id).order_by(ReleaseFact.id.desc())
    ).all()
    flags = act.session.scalars(
        select(ReleaseFlag)
        .where(ReleaseFlag.plan_id == plan_id)
        .order_by(ReleaseFlag.raised_at.desc(), ReleaseFlag.id.desc())
    ).all()
    return History(plan, patient, list(facts), list(flags), _names(act, facts))


def _names(act: Act, rows: Iterable[Any]) -> dict[int, str]:
    ids = {row.recorded_by for row in rows} | {row.struck_by for row in rows}
    found = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids - {None})))
    return {row.id: row.name for row in found}


def fact_to_change(
    act: Act, fact_id: int, *, struck: bool = False
) -> tuple[ReleaseFact, ReleasePlan, Patient]:
    """A fact that stands (or was struck out), for the form that changes it. Audited."""
    row = act.session.get(ReleaseFact, fact_id)
    if row is None or (row.struck_at is not None) != struck:
        raise NotFound("There is no such fact, or it was changed meanwhile.")
    plan, patient = open_plan(act, row.plan_id, "release.plan_seen", right="release.plan")
    return row, plan, patient


def premises_list(act: Act, kind: str | None = None) -> list[Premises]:
    """Pharmacies and clinics, by name."""
    act.need("release.read")
    query = select(Premises).order_by(Premises.name, Premises.id)
    return list(act.session.scalars(query.where(Premises.kind == kind) if kind else query))


def premises_shown(
    act: Act, premises_id: int
) -> tuple[Premises, Json, list[PremisesFact], dict[int, str]]:
    """A pharmacy or clinic, its hours as known now, and every fact of it, newest first."""
    act.need("release.read")
    premises = act.session.get(Premises, premises_id)
    if premises is None:
        raise NotFound("There is no such pharmacy or clinic.")
    rows = act.session.scalars(
        select(PremisesFact)
        .where(PremisesFact.premises_id == premises_id)
        .order_by(PremisesFact.id.desc())
    ).all()
    return premises, premises_object(act.session, premises, act.at), list(rows), _names(act, rows)


def premises_changes(act: Act, premises_id: int) -> list[tuple[PremisesChange, str]]:
    """How its address and telephone were corrected, and by whom, newest first."""
    act.need("release.read")
    rows = act.session.execute(
        select(PremisesChange, Staff.name)
        .outerjoin(Staff, Staff.id == PremisesChange.recorded_by)
        .where(PremisesChange.premises_id == premises_id)
        .order_by(PremisesChange.id.desc())
    )
    return [(row, name or "not known") for row, name in rows]


def community_services(act: Act) -> list[Site]:
    """The services somebody may be going to."""
    return list(
        act.session.scalars(select(Site).where(Site.kind == "community").order_by(Site.name))
    )


def prisons(act: Act) -> list[Site]:
    return list(act.session.scalars(select(Site).where(Site.kind == "prison").order_by(Site.name)))


def fact_of_plan(act: Act, plan_id: int, fact_id: int) -> None:
    """NotFound unless the fact is one of this plan's."""
    row = act.session.get(ReleaseFact, fact_id)
    if row is None or row.plan_id != plan_id:
        raise NotFound("There is no such fact on this plan.")


def standing_for_a_date(act: Act, plan_id: int) -> list[ReleaseFact]:
    """What was made for a release date and would have to be looked at again if it moved."""
    plan = act.session.get_one(ReleasePlan, plan_id)
    rows = facts_known(act.session, plan_id, known_now(act, plan))
    return [row for row in rows if SECTIONS[row.section].for_a_date]
