"""What is known, what was decided, what waits, and would it be decided the same again?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.errors import NotFound
from clinic.guidance.facts import read_limits, site_limits_on
from clinic.patients.access import open_record
from clinic.patients.models import Patient, Registration
from clinic.patients.queries import same_person
from clinic.prescriptions import facts
from clinic.prescriptions.doses import days_of, increments_of
from clinic.prescriptions.judging import answer_beside, beside, judged
from clinic.prescriptions.models import DoseDecision, DoseStop
from clinic.sites.queries import what_holds
from clinic.staff.models import Staff
from clinic.turns import RecordTurn
from dosing.check import check, rulebook
from dosing.days import london_day, start_of
from dosing.facts import Facts, derive
from dosing.reading import read_request
from dosing.rulebook import UnknownEdition
from dosing.shape import Refused


@dataclass(frozen=True)
class Record:
    """One person's prescribing record, newest first. `names`: who the staff ids are."""

    patient: Patient
    entries: list[ClinicalEntry]
    doses: list[DoseEvent]
    decisions: list[DoseDecision]
    stops: list[DoseStop]
    names: dict[int, str]
    missing: tuple[facts.Missing, ...]

    def of(self, kind: str) -> list[ClinicalEntry]:
        """Standing entries of a kind, newest first."""
        return [row for row in self.entries if row.kind == kind and row.struck_at is None]


def prescribing_record(act: Act, patient_id: int) -> Record:
    """Everything of the record, struck rows included; the look is audited."""
    patient = open_record(act, patient_id, "prescribing.read", right="prescribing.read")
    records = same_person(act, patient.id)

    def rows(model: Any, when: Any) -> list[Any]:
        return list(
            act.session.scalars(
                select(model)
                .where(model.patient_id.in_(records))
                .order_by(when.desc(), model.id.desc())
            )
        )

    entries = rows(ClinicalEntry, ClinicalEntry.happened_at)
    doses = rows(DoseEvent, DoseEvent.consumed_at)
    decisions = rows(DoseDecision, DoseDecision.decided_at)
    stops = rows(DoseStop, DoseStop.recorded_at)
    everyone = {row.recorded_by for row in (*entries, *doses, *decisions, *stops)}
    everyone |= {row.struck_by for row in (*entries, *doses)}
    everyone |= {row.agreed_by for row in doses} | {row.withdrawn_by for row in decisions}
    return Record(
        patient, entries, doses, decisions, stops, _names(act, everyone),
        missing_for(act, patient),
    )  # fmt: skip


def _names(act: Act, staff: set[int | None]) -> dict[int, str]:
    found = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(staff)))
    return {row.id: row.name for row in found}


def missing_for(act: Act, patient: Patient) -> tuple[facts.Missing, ...]:
    """What a dose check of this moment could not do without and nobody has recorded."""
    about = facts.outside(act, what_holds(act), patient, act.at)
    asked: dict[str, Any] = {"order": {}, "supply": None}
    return facts.dose_request(act, asked, act.at, _newest_stamp(act, patient.id), about).missing


def _newest_stamp(act: Act, patient_id: int) -> datetime:
    last = act.session.scalar(select(RecordTurn.last_at).where(RecordTurn.patient_id == patient_id))
    return max(act.at, last or act.at)


def decision(act: Act, patient_id: int, decision_id: int) -> tuple[Patient, DoseDecision]:
    """One decision of a patient's; the look is audited."""
    patient = open_record(act, patient_id, "prescribing.read", right="prescribing.read")
    row = act.session.get(DoseDecision, decision_id)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such decision for this patient.")
    return patient, row


def decided(act: Act, patient_id: int, decision_id: int) -> DoseDecision:
    """A decision of this patient's, withdrawn or not: a dose may have been taken before that."""
    row = act.session.get(DoseDecision, decision_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound("There is no such decision for this patient.")
    return row


def doses_of(act: Act, decision_id: int) -> list[DoseEvent]:
    """What was recorded of a decision's doses, oldest first, struck rows included."""
    return list(
        act.session.scalars(
            select(DoseEvent)
            .where(DoseEvent.decision_id == decision_id)
            .order_by(DoseEvent.consumed_at, DoseEvent.id)
        )
    )


def staff_names(act: Act, *staff_ids: int | None) -> dict[int, str]:
    return _names(act, set(staff_ids))


def check_again(act: Act, row: DoseDecision) -> dict[str, Any] | None:
    """The same order judged on what is known now: what was recorded since may speak against it.

    A limit the site tightened since counts too.

    None where it cannot be judged now (facts are missing, or the day is not today).
    """
    if row.withdrawn_at is not None or row.dose_on != act.today:
        return None
    at = max(row.decided_at, act.at)
    known_at = _newest_stamp(act, row.patient_id)
    about = _about_now(act, row, same_person(act, row.patient_id))
    gathered = facts.dose_request(act, row.asked, at, known_at, about, {row.id})
    taken = any(
        dose.decision_id == row.id and dose.outcome in SWALLOWED for dose in doses_of(act, row.id)
    )
    if gathered.missing or taken:
        return None
    limits = site_limits_on(act, row.site_id, row.rule_set, act.today)
    try:
        return judged(gathered, read_limits(limits))[1]
    except Refused:
        return None


@dataclass(frozen=True)
class Judged:
    """A dose of a decision judged at the moment it is given.

    `outcome` None where it cannot be judged, with `missing` saying what nobody has recorded; `known`
    the facts the rules derived, None where the request could not be read.
    """

    outcome: str | None
    findings: list[dict[str, Any]]
    missing: tuple[facts.Missing, ...]
    known: Facts | None


def judge_dose(
    act: Act,
    row: DoseDecision,
    increment: int,
    at: datetime,
    known_at: datetime,
    *,
    without: Collection[int] = (),
) -> Judged:
    """One dose of a decision, judged as given `at` a moment on what is known at `known_at`.

    Whatever day of its supply it is, and whatever of it was taken before. What happened after `at`
    is left out, so that a dose written down later is judged as it was given.
    """
    records = same_person(act, row.patient_id)
    on = london_day(at)
    said = act.session.scalars(
        select(DoseEvent.increment).where(
            DoseEvent.patient_id.in_(records), DoseEvent.drug == row.drug, DoseEvent.dose_on == on,
            DoseEvent.struck_at.is_(None), DoseEvent.elsewhere.is_(False),
            DoseEvent.id.not_in(without),
        )
    )  # fmt: skip
    still_to_come = set(increments_of(row)) - set(said) - {increment}
    order = {**row.asked["order"], "doses_remaining_today": 1 + len(still_to_come)}
    gathered = facts.dose_request(
        act, {**row.asked, "order": order}, at, known_at, _about_now(act, row, records), {row.id},
        without=without, looking_back=True,
    )  # fmt: skip
    limits = read_limits(site_limits_on(act, row.site_id, row.rule_set, on))
    try:
        read = read_request(gathered.request)
        known = derive(read, rulebook().defined(read.rule_set, read.on))
        if gathered.missing:
            return Judged(None, [], gathered.missing, known)
        answer = judged(gathered, limits)[1]
    except Refused:
        return Judged(None, [], gathered.missing, None)
    return Judged(answer["outcome"], answer["findings"], (), known)


def _about_now(act: Act, row: DoseDecision, records: list[int]) -> facts.Data:
    """What other rooms said when it was decided, but for who it is and where they came from since."""
    came = facts.came_from_elsewhere(act, records, in_prison=row.outside["setting"] == "prison")
    return {**row.outside, "records": records, "arrived": came}


@dataclass(frozen=True)
class Replay:
    """A decision judged again on the facts of its moment. `same`: request and findings are equal."""

    decision_id: int
    same_request: bool
    same_findings: bool
    rule_set_version: str
    saved: dict[str, Any]
    now: dict[str, Any]

    @property
    def same(self) -> bool:
        return self.same_request and self.same_findings


def replay(act: Act, decision_id: int) -> Replay:
    """Rebuild a saved decision's request from the rows as they stood then, and judge it again."""
    row = act.session.get(DoseDecision, decision_id)
    if row is None:
        raise NotFound("There is no such decision.")
    gathered = facts.dose_request(
        act, row.asked, row.decided_at, row.known_at, row.outside, {row.id}
    )
    limits = read_limits(row.outside.get("site_limits", []))
    more = None if row.beside is None else beside(gathered)
    try:
        answer = check(gathered.request, limits, row.rule_set_version)
        if more is not None:
            answer = answer_beside(answer, more, limits, row.rule_set_version)
    except UnknownEdition as unknown:
        raise NotFound(f"This copy of the rules cannot judge it: {unknown}.") from unknown
    act.note("prescribing.replayed", patient_id=row.patient_id, decision=row.id)
    return Replay(
        decision_id=row.id,
        same_request=(gathered.request, more) == (row.request, row.beside),
        same_findings=answer["findings"] == row.findings and answer["outcome"] == row.outcome,
        rule_set_version=answer["rule_set_version"],
        saved=row.answer,
        now=answer,
    )


# -- worklists -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """Somebody's next step here: `why` says what, `due` by when."""

    patient_id: int
    why: str
    due: date | datetime
    risk: str | None = None


STOPPED, DOSE = "Stopped", "Dose due"


def waiting(act: Act) -> list[tuple[Patient, Waiting]]:
    """What waits for a prescriber or a nurse at this site, deadline first.

    A STOP met today with no decision since (RP-25); a decision for today with a dose not recorded;
    somebody observed today and no decision yet.
    """
    act.need("prescribing.read")
    decided = _decided_today(act)
    out = _stopped(act, decided) + _not_recorded(act, decided) + _to_decide(act, decided)
    names = select(Patient).where(Patient.id.in_([each.patient_id for each in out]))
    patients = {row.id: row for row in act.session.scalars(names)}
    ranks = {STOPPED: 0, DOSE: 1}
    out.sort(key=lambda each: (_when(each.due), ranks.get(each.risk or "", 2), each.patient_id))
    act.note_shown("prescribing.waiting", patients)
    return [(patients[each.patient_id], each) for each in out]


def _when(due: date | datetime) -> datetime:
    return due if isinstance(due, datetime) else start_of(due + timedelta(days=1))


def _here(act: Act) -> Any:
    """The patients on this site's caseload."""
    return select(Registration.patient_id).where(
        Registration.site_id == act.site_id, Registration.ended_at.is_(None)
    )


def _decided_today(act: Act) -> list[DoseDecision]:
    return list(
        act.session.scalars(
            select(DoseDecision).where(
                DoseDecision.patient_id.in_(_here(act)), DoseDecision.withdrawn_at.is_(None),
                DoseDecision.dose_on <= act.today, DoseDecision.last_on >= act.today,
            )
        )
    )  # fmt: skip


def _stopped(act: Act, decided: list[DoseDecision]) -> list[Waiting]:
    since = {row.patient_id: row.recorded_at for row in decided}
    stops = act.session.scalars(
        select(DoseStop)
        .where(
            DoseStop.site_id == act.site_id, DoseStop.stopped_on == act.today,
            DoseStop.patient_id.in_(_here(act)),
        )
        .order_by(DoseStop.id)
    )  # fmt: skip
    last = {row.patient_id: row.recorded_at for row in stops}
    return [
        Waiting(each, "An order was stopped today. Look again", act.today, STOPPED)
        for each, at in last.items()
        if each not in since or since[each] < at
    ]


def _not_recorded(act: Act, decided: list[DoseDecision]) -> list[Waiting]:
    recorded = {
        (row.decision_id, row.increment)
        for row in act.session.scalars(
            select(DoseEvent).where(
                DoseEvent.decision_id.in_([row.id for row in decided]),
                DoseEvent.dose_on == act.today, DoseEvent.struck_at.is_(None),
            )
        )
    }  # fmt: skip
    return [
        Waiting(
            row.patient_id, "Record today's dose",
            row.decided_at if row.dose_on == act.today else act.today, DOSE,
        )
        for row in decided
        if act.today in days_of(row)
        and any((row.id, each) not in recorded for each in increments_of(row))
    ]  # fmt: skip


def _to_decide(act: Act, decided: list[DoseDecision]) -> list[Waiting]:
    done = {row.patient_id for row in decided}
    seen = act.session.scalars(
        select(ClinicalEntry.patient_id)
        .where(
            ClinicalEntry.site_id == act.site_id, ClinicalEntry.kind == "observation",
            ClinicalEntry.struck_at.is_(None), ClinicalEntry.happened_at >= start_of(act.today),
            ClinicalEntry.patient_id.in_(_here(act)),
        )
        .distinct()
    )  # fmt: skip
    return [
        Waiting(each, "Observed today: no dose decision yet", act.today)
        for each in seen
        if each not in done
    ]
