"""Record what was found or asked, and strike out what was wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clinic.act import Act, command
from clinic.assessments.kinds import KINDS
from clinic.assessments.models import ClinicalEntry
from clinic.errors import Conflict, Invalid, NotFound
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.staff.queries import as_prescriber
from clinic.turns import past, strike, take_turn, why
from dosing.shape import Refused

Data = dict[str, Any]


@command
def record_entry(
    act: Act,
    patient_id: int,
    kind: str,
    data: Data,
    *,
    happened_at: datetime,
    note: str | None = None,
    replaces_id: int | None = None,
    reason: str | None = None,
) -> int:
    """Record one thing found or asked. Returns its id.

    `data` is in the words of the dose-check contract (kinds.py). With `replaces_id` and `reason`
    it stands in place of an earlier entry of its kind, which is struck out.
    """
    patient = open_record(act, patient_id, "prescribing.entry", right="prescribing.assess")
    if kind not in KINDS:
        raise Invalid.field("kind", f"must be one of: {', '.join(KINDS)}")
    past(act, "happened_at", happened_at)
    given = {name: value for name, value in data.items() if value is not None}
    try:
        KINDS[kind].read(given, happened_at)
    except Refused as refused:
        raise Invalid.field(refused.field or "data", refused.message) from refused
    if given.get("item") == "prescriber_assessed":
        as_prescriber(act)
    at = take_turn(act, patient.id)
    _check_against_others(act, patient.id, kind, given)
    if replaces_id is not None:
        before = _entry(act, patient.id, replaces_id)
        if before.kind != kind:
            raise Invalid.field("replaces_id", "must be an entry of the same kind")
        strike(act, before, at, why(reason))
    row = ClinicalEntry(
        patient_id=patient.id, site_id=act.site_id, kind=kind, happened_at=happened_at, data=given,
        note=(note or "").strip() or None, replaces_id=replaces_id, recorded_at=at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("prescribing.entry_recorded", patient_id=patient.id, entry=row.id, kind=kind)
    return row.id


def _check_against_others(act: Act, patient_id: int, kind: str, given: Data) -> None:
    """What one entry alone cannot show: the sample a laboratory result belongs to."""
    confirms = given.get("confirms_id") if kind == "drug_test" else None
    if confirms is not None and _entry(act, patient_id, confirms).kind != "drug_test":
        raise Invalid.field("confirms_id", "must be a drug test of this patient")


def _entry(act: Act, patient_id: int, entry_id: int) -> ClinicalEntry:
    row = act.session.get(ClinicalEntry, entry_id, populate_existing=True)
    if row is None or row.patient_id not in same_person(act, patient_id):
        raise NotFound("There is no such entry for this patient.")
    if row.struck_at is not None:
        raise Conflict("That entry was already struck out.")
    return row


@command
def strike_entry(act: Act, patient_id: int, entry_id: int, reason: str) -> None:
    """Strike an entry out as wrong. It stays on the record and counts no longer."""
    patient = open_record(act, patient_id, "prescribing.entry", right="prescribing.assess")
    text = why(reason)
    at = take_turn(act, patient.id)
    strike(act, _entry(act, patient.id, entry_id), at, text)
    act.note("prescribing.entry_struck", patient_id=patient.id, entry=entry_id)
