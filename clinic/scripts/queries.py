"""Which forms has somebody, until when are they covered, and what waits at this site?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select

from clinic.act import Act
from clinic.errors import NotFound
from clinic.patients.access import open_record
from clinic.patients.models import Patient, Registration
from clinic.patients.queries import same_person
from clinic.prescriptions.models import DoseDecision
from clinic.release.models import Premises
from clinic.scripts import shut
from clinic.scripts.models import (
    DRAFT,
    ENDED_OR_ISSUED,
    CollectionRegimen,
    Script,
    ScriptDay,
)
from dosing.days import ONE_DAY
from scheduling.instalments import LOOK_BACK, WARN_BEFORE


@dataclass(frozen=True)
class Held:
    """One person's forms and how they collect, newest first. `uncovered_on`: drug -> first such date."""

    patient: Patient
    scripts: list[Script]
    regimens: list[CollectionRegimen]
    uncovered_on: dict[str, date]


def held(act: Act, patient_id: int) -> Held:
    """Everything of this room about one person; the look is audited."""
    patient = open_record(act, patient_id, "scripts.read", right="prescribing.read")
    records = same_person(act, patient.id)
    scripts = list(
        act.session.scalars(
            select(Script)
            .where(Script.patient_id.in_(records))
            .order_by(Script.from_on.desc(), Script.id.desc())
        )
    )
    regimens = list(
        act.session.scalars(
            select(CollectionRegimen)
            .where(CollectionRegimen.patient_id.in_(records))
            .order_by(CollectionRegimen.from_on.desc(), CollectionRegimen.id.desc())
        )
    )
    return Held(patient, scripts, regimens, first_uncovered(act, records))


def first_uncovered(act: Act, records: list[int]) -> dict[str, date]:
    """For each drug covered today or later: the first date from then on that no form covers."""
    days = act.session.execute(
        select(ScriptDay.drug, ScriptDay.dose_on)
        .where(
            ScriptDay.patient_id.in_(records), ScriptDay.released_at.is_(None),
            ScriptDay.dose_on >= act.today,
        )
        .order_by(ScriptDay.drug, ScriptDay.dose_on)
    )  # fmt: skip
    out: dict[str, date] = {}
    for drug, day in days:
        if out.setdefault(drug, day) == day:
            out[drug] = day + ONE_DAY
    return out


def regimen_on(act: Act, records: list[int], day: date) -> CollectionRegimen | None:
    """How this person collects on a date: the newest standing row begun by then."""
    return act.session.scalar(
        select(CollectionRegimen)
        .where(
            CollectionRegimen.patient_id.in_(records), CollectionRegimen.struck_at.is_(None),
            CollectionRegimen.from_on <= day,
        )
        .order_by(CollectionRegimen.from_on.desc())
        .limit(1)
    )  # fmt: skip


def one(act: Act, patient_id: int, script_id: int) -> tuple[Patient, Script]:
    """One form of a patient's; the look is audited."""
    patient = open_record(act, patient_id, "scripts.read", right="prescribing.read")
    row = act.session.get(Script, script_id)
    if row is None or row.patient_id not in same_person(act, patient.id):
        raise NotFound("There is no such prescription form of this patient.")
    return patient, row


def last_address(act: Act, records: list[int]) -> str | None:
    """The patient's address as the last form gave it."""
    row = act.session.scalar(
        select(Script).where(Script.patient_id.in_(records)).order_by(Script.id.desc()).limit(1)
    )
    return None if row is None else str(row.asked["address"])


def pharmacies(act: Act) -> list[Premises]:
    """Every pharmacy recorded, by name."""
    act.need("prescribing.read")
    return list(
        act.session.scalars(
            select(Premises).where(Premises.kind == "pharmacy").order_by(Premises.name, Premises.id)
        )
    )


# -- worklist ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """Somebody's next step with a form. `risk`: words for how grave, None for routine."""

    patient_id: int
    script_id: int
    why: str
    due: date
    risk: str | None = None


VOID, UNTOLD = "Dose withdrawn", "Pharmacy not told"
UNCOVERED, SOON, SHUT = "Uncovered", "Ends soon", "Pharmacy shut"


def waiting(act: Act) -> list[tuple[Patient, Waiting]]:
    """What waits at this site about forms, deadline first. Costs what is due, not what is held."""
    act.need("prescribing.read")
    found = _void(act) + _uncalled(act) + _ending(act) + _closed(act) + _unfinished(act)
    found.sort(key=lambda each: (each.due, each.risk is None, each.patient_id, each.script_id))
    patients = {
        row.id: row
        for row in act.session.scalars(
            select(Patient).where(Patient.id.in_({each.patient_id for each in found}))
        )
    }
    act.note_shown("scripts.waiting", patients)
    return [(patients[each.patient_id], each) for each in found]


def _void(act: Act) -> list[Waiting]:
    """Issued forms whose dose decision was withdrawn: to be cancelled, and the pharmacy called."""
    rows = act.session.execute(
        select(Script.patient_id, Script.id, DoseDecision.id)
        .join(ScriptDay, ScriptDay.script_id == Script.id)
        .join(DoseDecision, DoseDecision.id == ScriptDay.decision_id)
        .where(
            Script.site_id == act.site_id, Script.last_on >= act.today,
            ScriptDay.released_at.is_(None), ScriptDay.dose_on >= act.today,
            DoseDecision.withdrawn_at.is_not(None),
        )
        .distinct()
    )  # fmt: skip
    return [
        Waiting(
            patient, script,
            f"Dose decision {decision} was withdrawn: cancel form {script} and call the pharmacy",
            act.today, VOID,
        )
        for patient, script, decision in rows
    ]  # fmt: skip


def _uncalled(act: Act) -> list[Waiting]:
    rows = act.session.scalars(
        select(Script).where(
            Script.site_id == act.site_id, Script.call_due, Script.called_at.is_(None)
        )
    )
    return [
        Waiting(
            row.patient_id, row.id,
            f"Call the pharmacy: form {row.id} is {row.status}",
            min(act.today, row.ended_from_on or act.today), UNTOLD,
        )
        for row in rows
    ]  # fmt: skip


def _ending(act: Act) -> list[Waiting]:
    """People of this site whose last covered date is near or past, with no form for the next."""
    rows = list(
        act.session.scalars(
            select(Script).where(
                Script.site_id == act.site_id,
                Script.status.in_(ENDED_OR_ISSUED),
                Script.last_on >= act.today - LOOK_BACK,
                Script.last_on < act.today + WARN_BEFORE,
                Script.settled_at.is_(None),
                exists().where(
                    Registration.patient_id == Script.patient_id,
                    Registration.site_id == act.site_id,
                    Registration.ended_at.is_(None),
                ),
            )
        )
    )
    if not rows:
        return []
    covered: dict[Course, set[date]] = {}
    for patient_id, drug, day in act.session.execute(
        select(ScriptDay.patient_id, ScriptDay.drug, ScriptDay.dose_on).where(
            ScriptDay.patient_id.in_({row.patient_id for row in rows}),
            ScriptDay.released_at.is_(None),
            ScriptDay.dose_on >= act.today - LOOK_BACK,
        )
    ):
        covered.setdefault((patient_id, drug), set()).add(day)
    ends: dict[Course, dict[date, Script]] = {}
    for row in rows:
        of = (row.patient_id, row.drug)
        if _after(row) not in covered.get(of, ()):
            ends.setdefault(of, {})[_after(row)] = row
    return [
        made
        for of, by_day in ends.items()
        if (made := _first_end(act, by_day, covered.get(of, set()))) is not None
    ]


Course = tuple[int, str | None]
"""A person and a drug."""


def _after(row: Script) -> date:
    """The first date a form does not cover."""
    assert row.last_on is not None, "an issued form has a last date"
    return row.last_on + ONE_DAY


def _first_end(act: Act, ends: dict[date, Script], covered: set[date]) -> Waiting | None:
    """The next uncovered date; failing that the newest one passed, unless they are covered again."""
    to_come = [day for day in ends if day > act.today]
    passed = [day for day in ends if day <= act.today]
    if passed and not any(day >= act.today for day in covered):
        first = max(passed)
        says = f"No form covers {_said(first)} or any day since"
        return Waiting(ends[first].patient_id, ends[first].id, says, first, UNCOVERED)
    if not to_come:
        return None
    first = min(to_come)
    says = f"Write the next form: {_said(first)} is the first day without one"
    return Waiting(ends[first].patient_id, ends[first].id, says, first, SOON)


def _said(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


def _closed(act: Act) -> list[Waiting]:
    """Collections still to come on a day the pharmacy is shut, as it is known now (S-06)."""
    return [
        Waiting(
            each.script.patient_id, each.script.id, shut.said(each, _said(each.due_on)),
            each.act_by, SHUT,
        )
        for each in shut.shut_here(act)
    ]  # fmt: skip


def _unfinished(act: Act) -> list[Waiting]:
    """Drafts for a prescriber to look at."""
    rows = act.session.scalars(
        select(Script).where(
            Script.site_id == act.site_id, Script.status == DRAFT, Script.to_on >= act.today
        )
    )
    return [
        Waiting(row.patient_id, row.id, f"A form is drafted and not issued (form {row.id})",
                row.from_on)
        for row in rows
    ]  # fmt: skip
