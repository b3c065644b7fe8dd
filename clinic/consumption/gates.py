"""Look before a dose, answer for a gate that is passed, and acknowledge that it was.

What a check found is a fact of its own: it is kept when the dose it was made for is not given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from clinic.act import Act, command
from clinic.assessments.commands import record_entry
from clinic.consumption.facts import AtTheHatch, at_the_hatch, which_dose, within
from clinic.consumption.models import BrokenGate, DoseEvent, GateCheck
from clinic.consumption.places import must_be_theirs
from clinic.consumption.words import (
    GLASS_REASONS,
    IDENTIFIED_BY,
    LOOKS,
    NOT_CONFIRMED,
    SIGNS,
)
from clinic.errors import Conflict, Invalid, NotFound, Trouble, one_of
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.prescriptions.models import DoseDecision
from clinic.prescriptions.queries import decided
from clinic.turns import past, strike, take_turn, why
from dosing.days import london_day
from dosing.interlock import Verdict, may_give

Data = dict[str, Any]
MEASURED = (
    "sedation", "hard_to_rouse_or_heavy_snoring", "breath_alcohol_micrograms_per_100ml",
    "breath_alcohol_mg_per_l", "blood_alcohol_mg_per_100ml",
)  # fmt: skip


class GatesShut(Trouble):
    """The dose may not be given: every gate that is shut, why, and who can open it."""

    status, title, kind = 422, "This dose may not be given", "gates-shut"

    def __init__(self, verdict: Verdict, hatch: AtTheHatch) -> None:
        super().__init__(
            " ".join(each.says for each in verdict.shut),
            more={"gates": [shut_json(each) for each in verdict.shut]},
        )
        self.verdict = verdict
        self.hatch = hatch


def shut_json(shut: Any) -> Data:
    return {
        "gate": shut.gate, "code": shut.code, "message": shut.says, "opened_by": shut.opens,
        "breakable": shut.breakable,
    }  # fmt: skip


def pass_through(
    act: Act, at: datetime, look: Callable[[], AtTheHatch], glass: Data | None = None
) -> None:
    """GatesShut unless every gate stands open, or the glass over what is missing is broken."""
    hatch = look()
    if glass and not may_give(hatch.facts).open:
        add_glass(act, at, hatch, glass, hatch.facts.at)
        hatch = look()
    verdict = may_give(hatch.facts)
    if not verdict.open:
        raise GatesShut(verdict, hatch)


# -- checks ----------------------------------------------------------------------------------


@command
def record_checks(
    act: Act,
    patient_id: int,
    *,
    identity: Data | None = None,
    intoxication: Data | None = None,
    checked_at: datetime | None = None,
) -> list[int]:
    """Record that somebody looked before a dose; see `add_check`. Returns the ids of the checks."""
    patient = open_record(act, patient_id, "consumption.checking", right="consumption.record")
    if not identity and not intoxication:
        raise Invalid.field("identity", "or intoxication must be given")
    at = take_turn(act, patient.id)
    must_be_theirs(act, same_person(act, patient.id), act.today)
    when = checked_at or act.at
    return add_checks(act, patient.id, at, when, identity=identity, intoxication=intoxication)


def add_checks(
    act: Act, patient_id: int, at: datetime, when: datetime, **checks: Data | None
) -> list[int]:
    """The checks that were made together, those that were."""
    return [
        add_check(act, patient_id, at, kind, what, when).id for kind, what in checks.items() if what
    ]


def add_check(
    act: Act, patient_id: int, at: datetime, kind: str, what: Data, checked_at: datetime
) -> GateCheck:
    """One check of this turn, with what was measured as an observation of the assessment.

    Identity: `how` (a code of IDENTIFIED_BY). Intoxication: `result` clear or signs, then at least
    one of `signs`, and optionally the fields of MEASURED. Both: `note`.
    """
    past(act, "checked_at", checked_at)
    note = (what.get("note") or "").strip() or None
    how, signs, entry_id = None, [], None
    if kind == "identity":
        how = what.get("how")
        one_of("identity", how, IDENTIFIED_BY)
        clear = how != NOT_CONFIRMED
    else:
        one_of("intoxication", what.get("result"), LOOKS)
        clear = what["result"] == "clear"
        signs = list(what.get("signs") or [])
        for each in signs:
            one_of("signs", each, SIGNS)
        if clear and signs:
            raise Invalid.field("signs", "cannot stand beside “no signs of intoxication”")
        if not clear and not signs:
            raise Invalid.field("signs", f"must say what was seen: {', '.join(SIGNS)}")
        if "other" in signs and note is None:
            raise Invalid.field("note", "must say what else was seen")
        entry_id = _measured(act, patient_id, what, checked_at)
    row = GateCheck(
        patient_id=patient_id, site_id=act.site_id, kind=kind, checked_at=checked_at, clear=clear,
        how=how, signs=signs, note=note, entry_id=entry_id, recorded_at=at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("consumption.checked", patient_id=patient_id, check=row.id, kind=kind, clear=clear)
    return row


def _measured(act: Act, patient_id: int, what: Data, at: datetime) -> int | None:
    given = {name: what[name] for name in MEASURED if what.get(name) is not None}
    if not given:
        return None
    # Whoever may look for intoxication may write down what the look measured.
    looking = replace(act, rights=act.rights | {"prescribing.assess"})
    return record_entry(looking, patient_id, "observation", given, happened_at=at)


@command
def strike_check(act: Act, patient_id: int, check_id: int, reason: str) -> None:
    """Strike a check out as wrong. It stays on the record and opens or shuts no gate."""
    patient = open_record(act, patient_id, "consumption.checking", right="consumption.correct")
    text = why(reason)
    at = take_turn(act, patient.id)
    records = same_person(act, patient.id)
    must_be_theirs(act, records, act.today)
    row = act.session.get(GateCheck, check_id, populate_existing=True)
    if row is None or row.patient_id not in records:
        raise NotFound("There is no such check of this patient.")
    if row.struck_at is not None:
        raise Conflict("That check was already struck out.")
    if not row.clear and row.recorded_by == act.staff_id:
        raise Invalid.field(
            "reason", "cannot undo your own finding against a dose: somebody else must look"
        )
    strike(act, row, at, text)
    act.note("consumption.check_struck", patient_id=patient.id, check=row.id)


# -- break-glass -----------------------------------------------------------------------------


@command
def break_glass(
    act: Act,
    patient_id: int,
    decision_id: int,
    increment: int | None,
    *,
    reason_code: str,
    reason: str,
) -> int:
    """Answer for passing the gates that are merely missing, for this one dose. Returns its id.

    Conflict where nothing it could pass is missing.
    """
    patient = open_record(act, patient_id, "consumption.glass", right="consumption.glass")
    at = take_turn(act, patient.id)
    decision = decided(act, patient.id, decision_id)
    must_be_theirs(act, same_person(act, patient.id), act.today)
    number = which_dose(decision, increment)
    hatch = at_the_hatch(act, decision, number, at, at)
    row = add_glass(act, at, hatch, {"reason_code": reason_code, "reason": reason}, at)
    if row is None:
        raise Conflict("Nothing is missing here that break-glass could pass.")
    return row.id


def add_glass(
    act: Act, at: datetime, hatch: AtTheHatch, what: Data, broken_at: datetime
) -> BrokenGate | None:
    """Break the glass over whatever is missing at this hatch. None when nothing is."""
    act.need("consumption.glass")
    one_of("reason_code", what.get("reason_code"), GLASS_REASONS)
    text = why(what.get("reason"))
    gates = [each.gate for each in may_give(hatch.facts).shut if each.breakable]
    if not gates:
        return None
    return add_broken(
        act, hatch.decision, hatch.facts.increment, at, kind="glass", gates=gates,
        broken_at=broken_at, reason_code=what["reason_code"], reason=text,
    )  # fmt: skip


def add_broken(
    act: Act, decision: DoseDecision, increment: int, at: datetime, **what: Any
) -> BrokenGate:
    return write_broken(
        act, decision.patient_id, decision.id, london_day(what["broken_at"]), increment, at, **what
    )


def write_broken(
    act: Act,
    patient_id: int,
    decision_id: int | None,
    on: date,
    increment: int,
    at: datetime,
    **what: Any,
) -> BrokenGate:
    """A gate that was passed: shown on the record, and to the clinical lead until acknowledged."""
    row = BrokenGate(
        patient_id=patient_id, site_id=act.site_id, decision_id=decision_id, dose_on=on,
        increment=increment, acknowledged_at=None, acknowledged_by=None, acknowledged_note=None,
        recorded_at=at, recorded_by=act.staff_id, **what,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note(
        "consumption.gate_passed", patient_id=patient_id, purpose=row.reason_code, entry=row.id,
        kind=row.kind, gates=row.gates,
    )  # fmt: skip
    return row


@command
def acknowledge(act: Act, entry_id: int, note: str | None = None) -> None:
    """The clinical lead has looked at why a gate was passed. Nobody acknowledges their own."""
    act.need("consumption.acknowledge")
    row = act.session.get(BrokenGate, entry_id, with_for_update=True, populate_existing=True)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such entry at this site.")
    if row.recorded_by == act.staff_id:
        raise Invalid.field("entry", "is your own: another clinical lead must look at it")
    if row.acknowledged_at is not None:
        raise Conflict("That was already acknowledged.")
    row.acknowledged_at, row.acknowledged_by = act.at, act.staff_id
    row.acknowledged_note = (note or "").strip() or None
    act.note("consumption.acknowledged", patient_id=row.patient_id, entry=row.id)


def hatch_for(
    act: Act, decision: DoseDecision, increment: int, consumed_at: datetime | None, at: datetime
) -> AtTheHatch:
    """The hatch now, or as it was at a moment somebody typed."""
    return at_the_hatch(
        act, decision, increment, at if consumed_at is None else within(consumed_at, at), at
    )


def restated(
    act: Act, old: DoseEvent, when: datetime, decision: DoseDecision, at: datetime
) -> AtTheHatch:
    """The hatch as it was for a dose that is being put right, as if nothing were recorded of it."""
    return at_the_hatch(act, decision, old.increment, within(when, at), at, without={old.id})
