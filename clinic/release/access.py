"""May this person open this plan? The prison's own staff, and the service the patient is going to."""

from __future__ import annotations

from typing import Any

from clinic.act import Act
from clinic.errors import NotFound, OutsideCaseload
from clinic.patients.access import glass_broken, in_caseload
from clinic.patients.models import Patient
from clinic.release.models import ReleasePlan


def open_plan(
    act: Act, plan_id: int, action: str, *, right: str = "release.read", **detail: Any
) -> tuple[ReleasePlan, Patient]:
    """The plan and its patient, once it is certain that this person may see them; audited.

    As for any record, and besides: a community service sees the open plan of somebody on the way
    to it as soon as consent or a lawful basis is recorded, before they are on its caseload.
    NotFound when there is none, Forbidden without the right, OutsideCaseload when a reason is
    needed first.
    """
    act.need(right)
    plan = act.session.get(ReleasePlan, plan_id)
    if plan is None:
        raise NotFound("There is no such release plan.")
    patient = plan.patient
    while patient.merged_into_id is not None:
        patient = act.session.get_one(Patient, patient.merged_into_id)
    on_the_way_here = (
        plan.may_share and plan.closed_at is None and plan.destination_site_id == act.site_id
    )
    if not (on_the_way_here or in_caseload(act, patient.id) or glass_broken(act, patient.id)):
        raise OutsideCaseload(patient.id)
    act.note(action, patient_id=patient.id, plan=plan.id, **detail)
    return plan, patient
