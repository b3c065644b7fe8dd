"""May this person open this patient's record? By role, by site, and otherwise only with a reason.

The caseload of a member of staff is everybody registered at the site they are working at. Any
other record opens for one hour after a coded and written reason (break-glass), which the managers
of the site see and sign off.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import lazyload

from clinic.act import Act, command
from clinic.errors import Invalid, NotFound, OutsideCaseload
from clinic.patients.models import Patient
from clinic.patients.queries import registered_here, root_of, same_person
from clinic.staff.models import BreakGlass

OPEN_FOR = timedelta(hours=1)
SHORTEST_REASON = 10
REASONS = {
    "emergency": "Emergency: needed now to keep somebody safe",
    "arriving": "Arriving or about to be referred here",
    "cover": "Covering for another team",
    "follow_up": "Following up after a transfer or release",
    "complaint": "Looking into a complaint or an incident",
}


def open_record(act: Act, patient_id: int, action: str, *, right: str = "patients.read") -> Patient:
    """The patient, once it is certain that this person may see them; the look is audited.

    A merged record leads to the one that was kept. NotFound when there is none, Forbidden without
    the right, OutsideCaseload when a reason is needed first.
    """
    act.need(right)
    opened = act.session.execute(_OPENED, {"joined": patient_id, "site_id": act.site_id})
    found = opened.one_or_none()
    if found is None:
        raise NotFound("There is no such patient.")
    patient, here = found
    if patient.merged_into_id is not None:
        patient = act.session.get_one(Patient, root_of(act, patient.id))
        here = in_caseload(act, patient.id)
    if not here and not glass_broken(act, patient.id):
        raise OutsideCaseload(patient.id)
    act.note(action, patient_id=patient.id)
    return patient


def in_caseload(act: Act, patient_id: int) -> bool:
    """Is any record of the patient registered at the site this person is working at?"""
    about = {"joined": root_of(act, patient_id), "site_id": act.site_id}
    return bool(act.session.scalar(_HERE, about))


# Every record is opened this way, so it is one look, built once; nobody's numbers are shown yet.
_HERE = select(registered_here())
_OPENED = (
    select(Patient, registered_here())
    .where(Patient.id == bindparam("joined"))
    .options(lazyload("*"))
)


def glass_broken(act: Act, patient_id: int) -> bool:
    """Did this person give a reason within the hour?"""
    return (
        act.session.scalar(
            select(BreakGlass.id)
            .where(
                BreakGlass.staff_id == act.staff_id,
                BreakGlass.patient_id.in_(same_person(act, patient_id)),
                BreakGlass.site_id == act.site_id,
                BreakGlass.until_at > act.at,
            )
            .limit(1)
        )
        is not None
    )


@command
def break_glass(act: Act, patient_id: int, reason_code: str, reason: str) -> int:
    """Open a record outside the caseload for one hour. Returns the id of the entry."""
    act.need("breakglass.use")
    act.need("patients.read")
    if reason_code not in REASONS:
        raise Invalid.field("reason_code", f"must be one of: {', '.join(REASONS)}")
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid.field("reason", f"must say why, in {SHORTEST_REASON} characters or more")
    if act.session.get(Patient, patient_id) is None:
        raise NotFound("There is no such patient.")
    row = BreakGlass(
        staff_id=act.staff_id, site_id=act.site_id, patient_id=patient_id, reason_code=reason_code,
        reason=reason.strip(), opened_at=act.at, until_at=act.at + OPEN_FOR, seen_by=None,
        seen_at=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("patients.glass_broken", patient_id=patient_id, purpose=reason_code, entry=row.id)
    return row.id


@command
def review_break_glass(act: Act, entry_id: int) -> None:
    """A manager has looked at why a record was opened. Nobody signs off their own."""
    act.need("breakglass.review")
    row = act.session.get(BreakGlass, entry_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such entry at this site.")
    if row.staff_id == act.staff_id:
        raise Invalid.field("entry", "is your own: another manager must look at it")
    if row.seen_at is None:
        row.seen_by, row.seen_at = act.staff_id, act.at
        act.note("patients.glass_reviewed", patient_id=row.patient_id, entry=row.id)
