"""Where does an assessment stand, what continues, and what is due at this site?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from clinic.act import Act
from clinic.assessments import gate, words
from clinic.assessments.arrival import answers
from clinic.assessments.case import Case
from clinic.assessments.claims import STATES, Claim
from clinic.assessments.dues import UNCONFIRMED, case_now
from clinic.assessments.kinds import CONFIRMERS
from clinic.assessments.models import AssessmentDue, ClinicalEntry
from clinic.assessments.tasks import Section, Task, sections_of
from clinic.consumption.models import DoseEvent
from clinic.patients.access import open_record
from clinic.patients.models import Allocation, Patient, Registration
from clinic.patients.queries import same_person
from clinic.prescriptions.facts import recorded_history
from clinic.staff.models import Staff
from clinic.titration.worklist import withdrawal_waits_here
from clinic.turns import RecordTurn
from dosing.complexity import Complexity
from dosing.continuation import Treatment, treatment_of
from dosing.days import london_day
from dosing.medicines import PRODUCTS
from dosing.shape import Refused
from scheduling.assessment import asked_since

Data = dict[str, Any]


@dataclass(frozen=True)
class Assessment:
    """A person's assessment as the page and the API show it. `names`: who the staff ids are.

    `lacking`: what keeps a first dose (or any dose) from being saved here today.
    """

    patient: Patient
    case: Case
    sections: list[Section]
    complexity: Complexity
    lacking: list[gate.Lack]
    first_dose: bool
    entries: list[ClinicalEntry]
    names: dict[int, str]

    @property
    def tasks(self) -> list[Task]:
        return [task for section in self.sections for task in section.tasks]

    @property
    def days(self) -> list[tuple[date, list[ClinicalEntry]]]:
        """What was found on each day of this case, first day first (RP-28)."""
        found: dict[date, list[ClinicalEntry]] = {}
        for row in self.case.own.rows:
            found.setdefault(london_day(row.happened_at), []).append(row)
        return sorted(found.items())

    @property
    def state(self) -> str:
        """The whole in one line."""
        done = sum(task.done for task in self.tasks)
        row = self.case.own_outcome or self.case.refused_by_outcome
        signed = "no outcome signed" if row is None else words.OUTCOMES[row.data["outcome"]]
        if self.case.began_on is None:
            return f"No assessment is open; {signed}"
        return f"{done} of {len(self.tasks)} parts completed; {signed}"


def assessment(act: Act, patient_id: int) -> Assessment:
    """The assessment as it stands; the look is audited."""
    return assessment_of(
        act, open_record(act, patient_id, "assessments.read", right="prescribing.read")
    )


def assessment_of(act: Act, patient: Patient) -> Assessment:
    """The assessment of a patient whose record is open already."""
    records = same_person(act, patient.id)
    case = case_now(act, patient, newest_stamp(act, patient.id))
    entries = list(
        act.session.scalars(
            select(ClinicalEntry)
            .where(ClinicalEntry.patient_id.in_(records))
            .order_by(ClinicalEntry.happened_at.desc(), ClinicalEntry.id.desc())
        )
    )
    everyone = {row.recorded_by for row in entries} | {row.struck_by for row in entries}
    everyone |= {row.data["owner_id"] for row in entries if row.kind == "risk_action"}
    first_dose = not any(line.treatment and not line.starts for line in lines_of(act, case))
    lacking = gate.for_any_dose(case)
    if first_dose:
        lacking += gate.for_a_first_dose(case)
    return Assessment(
        patient, case, sections_of(case, keyworker_of(act, records)), case.complexity(), lacking,
        first_dose, entries, _names(act, everyone),
    )  # fmt: skip


def newest_stamp(act: Act, patient_id: int) -> datetime:
    last = act.session.scalar(select(RecordTurn.last_at).where(RecordTurn.patient_id == patient_id))
    return max(act.at, last or act.at)


def _names(act: Act, staff: Iterable[int | None]) -> dict[int, str]:
    found = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(set(staff))))
    return {row.id: row.name for row in found}


def keyworker_of(act: Act, records: list[int]) -> str | None:
    """The keyworker, or failing that the case manager, named at this site (RP-37)."""
    rows = act.session.execute(
        select(Allocation.kind, Staff.name)
        .join(Staff, Staff.id == Allocation.staff_id)
        .where(
            Allocation.patient_id.in_(records), Allocation.site_id == act.site_id,
            Allocation.kind.in_(("keyworker", "case_manager")), Allocation.ended_at.is_(None),
        )
    )  # fmt: skip
    named = {row.kind: row.name for row in rows}
    return named.get("keyworker") or named.get("case_manager")


# -- start or continuation ------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One medicine, or one claim of it, as the dosing rules see it now. `treatment` None: refused.

    `lacking`: what a claim still needs to count; `contradiction`: what the check refused.
    """

    drug: str
    treatment: Treatment | None
    claim: Claim | None = None
    lacking: tuple[str, ...] = ()
    contradiction: str | None = None

    @property
    def starts(self) -> bool:
        """Would a dose now be a first dose, or a new induction?"""
        return self.treatment is None or self.treatment.kind in ("start", "broken")


@dataclass(frozen=True)
class Continuity:
    """Every claim on its own, and each medicine with everything taken here and elsewhere."""

    patient: Patient
    case: Case
    claims: list[Line]
    medicines: list[Line]
    names: dict[int, str]


def continuity(act: Act, patient_id: int) -> Continuity:
    """Is each claimed treatment a start or a continuation today? The look is audited."""
    patient = open_record(act, patient_id, "assessments.read", right="prescribing.read")
    case = case_now(act, patient, newest_stamp(act, patient.id))
    claims = [
        _line(case, claim.drug, [claim], claim, _lacking(claim)) for claim in reversed(case.claims)
    ]
    rows = [row for claim in case.claims for by in claim.answers for row in claim.answers[by]]
    rows += [claim.row for claim in case.claims]
    rows += [*answers(case.of), *case.of.all("onward")]
    return Continuity(
        patient, case, claims, lines_of(act, case), _names(act, [row.recorded_by for row in rows])
    )


def lines_of(act: Act, case: Case) -> list[Line]:
    """Each medicine taken here or claimed, with all that counts of it."""
    drugs = {claim.drug for claim in case.claims} | {row.drug for row in case.doses}
    return [_line(case, drug, None) for drug in sorted(drugs)]


def _lacking(claim: Claim) -> tuple[str, ...]:
    return tuple(
        f"{CONFIRMERS[by]}: {STATES[claim.state(by)].lower()}"
        for by in CONFIRMERS
        if claim.state(by) != "verified"
    )


def _line(
    case: Case, drug: str, claims: list[Claim] | None, claim: Claim | None = None,
    lacking: tuple[str, ...] = (),
) -> Line:  # fmt: skip
    """One line, judged by the dosing rules. `claims`: these alone; None: everything on record."""
    wanted = {each.row.id for each in claims or () if isinstance(each.row, ClinicalEntry)}
    doses = {each.row.id for each in claims or () if isinstance(each.row, DoseEvent)}
    entries = [
        row
        for row in case.of.rows
        if row.kind == "confirmation"
        or (row.kind == "steady_dose" and (claims is None or row.id in wanted))
    ]
    taken = [
        row
        for row in case.doses
        if row.consumed_at <= case.at and (claims is None or row.id in doses)
    ]
    history = recorded_history(entries, taken, case.supplied if claims is None else [], case.at)
    products = [each["product"] for each in (*history["doses"], *history["steady_doses"])]
    mine = [product for product in products if PRODUCTS[product].drug == drug]
    order: Data = {
        "phase": "continuation", "product": mine[-1] if mine else _ANY[drug], "dose_mg": "1",
        "stocked_strengths_mg": ["1"],
    }  # fmt: skip
    asked: Data = {
        **_NOBODY, "rule_set": case.place.rule_set, "decided_at": case.at.isoformat(),
        "treatment_history": history, "order": order,
    }  # fmt: skip
    try:
        return Line(drug, treatment_of(asked), claim, lacking)
    except Refused as refused:
        return Line(drug, None, claim, lacking, refused.message)


_ANY = {"methadone": "methadone_oral_solution", "buprenorphine": "buprenorphine_sublingual"}
# Who it is does not bear on whether it is a start: only what was taken, when, and who confirmed it.
_NOBODY: Data = {
    "case": "", "setting": "hospital", "prescriber": {"experienced": False}, "opioid_use": [],
    "patient": {
        "date_of_birth": "1900-01-01", "sex": "unknown", "conditions": [], "medicines": [],
        "substance_use": [],
    },
    "supply": {"administered_by": "health_professional"},
}  # fmt: skip


# -- worklists ------------------------------------------------------------------------------


def unconfirmed(act: Act) -> list[tuple[AssessmentDue, Patient, str | None]]:
    """What nobody has asked or confirmed of people who came from elsewhere, the oldest first.

    With what was asked and waits for an answer, whether or not it is time to chase it.
    """
    listed = AssessmentDue.what.in_(UNCONFIRMED)
    waits = or_(AssessmentDue.due_on <= act.today, AssessmentDue.what == "confirmation")
    return _due(act, and_(listed, waits), "assessments.unconfirmed")


def due_now(act: Act) -> list[tuple[AssessmentDue, Patient, str | None]]:
    """What is due about assessments at this site, oldest first, with whose keyworker it is.

    Withdrawal found on treatment stands with reviews and contact, for those who see that list.
    """
    return _due(act, AssessmentDue.due_on <= act.today, "assessments.due")


def _due(
    act: Act, which: ColumnElement[bool], action: str
) -> list[tuple[AssessmentDue, Patient, str | None]]:
    act.need("prescribing.read")
    found = act.session.execute(
        select(AssessmentDue, Patient)
        .join(Patient, Patient.id == AssessmentDue.patient_id)
        .where(
            AssessmentDue.site_id == act.site_id, AssessmentDue.closed_at.is_(None),
            which, Patient.died_on.is_(None),
            # nobody writes down that a question is no more asked: days pass of themselves
            or_(AssessmentDue.key != "arrival", AssessmentDue.due_on >= asked_since(act.today)),
            select(Registration.id)
            .where(
                Registration.patient_id == AssessmentDue.patient_id,
                Registration.site_id == act.site_id, Registration.ended_at.is_(None),
            )
            .exists(),
        )
        .order_by(AssessmentDue.due_on, AssessmentDue.id)
    ).all()  # fmt: skip
    withdrawal = {due.patient_id for due, _ in found if due.what == "withdrawal"}
    shown = bool(withdrawal) and act.may("prescribing.assess")
    elsewhere = withdrawal_waits_here(act, withdrawal) if shown else set()
    rows = [
        (due, patient)
        for due, patient in found
        if due.what != "withdrawal" or due.patient_id not in elsewhere
    ]
    ids = {patient.id for _, patient in rows}
    workers = act.session.execute(
        select(Allocation.patient_id, Staff.name)
        .join(Staff, Staff.id == Allocation.staff_id)
        .where(
            Allocation.patient_id.in_(ids), Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker", Allocation.ended_at.is_(None),
        )
    )  # fmt: skip
    names = {row.patient_id: row.name for row in workers}
    act.note_shown(action, ids)
    return [(due, patient, names.get(patient.id)) for due, patient in rows]
