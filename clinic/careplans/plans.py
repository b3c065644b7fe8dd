"""A care plan, and who may touch it: what every command about one begins with."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from clinic.act import Act
from clinic.careplans.models import CarePlan, CarePlanAgreement, CarePlanVersion
from clinic.custody import facts
from clinic.custody.models import Reception
from clinic.errors import Invalid, NotFound, Stale
from clinic.patients.access import open_record
from clinic.staff.models import Staff

LONGEST = 4000
LONGEST_LINE = 500


def opened_stay(act: Act, reception_id: int, action: str) -> Reception:
    act.need("careplans.write")
    reception = act.session.get(Reception, reception_id)
    if reception is None or reception.undone_at is not None:
        raise NotFound("There is no such reception, or it was undone.")
    open_record(act, reception.patient_id, action, right="careplans.write")
    at_its_prison(act, reception)
    return reception


def at_its_prison(act: Act, reception: Reception) -> None:
    """A community team that looks after the same person reads the plan of a stay, no more."""
    if act.site_id not in facts.prisons_of(act.session, reception):
        raise NotFound("That plan belongs to a stay at a prison, and is written there.")


def opened(act: Act, plan_id: int, action: str, version: int | None = None) -> CarePlan:
    """The plan, held until this transaction ends. Stale when it moved on since `version`."""
    act.need("careplans.write")
    # Rows that point at the plan may still be added meanwhile: an event of the stay does not wait.
    plan = act.session.scalar(
        select(CarePlan)
        .where(CarePlan.id == plan_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if plan is None:
        raise NotFound("There is no such care plan.")
    open_record(act, plan.patient_id, action, right="careplans.write")
    if plan.reception_id is not None:
        at_its_prison(act, act.session.get_one(Reception, plan.reception_id))
    if version is not None and version != plan.version:
        by = act.session.get_one(Staff, plan.changed_by).name
        raise Stale(
            f"{by} {plan.changed_what} since you read it.",
            more={
                "version": plan.version,
                "changed_by": by,
                "changed_at": plan.changed_at.isoformat(),
            },
        )
    return plan


def standing_agreements(act: Act, version: CarePlanVersion) -> list[CarePlanAgreement]:
    return list(
        act.session.scalars(
            select(CarePlanAgreement).where(
                CarePlanAgreement.version_id == version.id,
                CarePlanAgreement.withdrawn_at.is_(None),
            )
        )
    )


def stay_version(act: Act, reception_id: int) -> int:
    """The stay's version, once nobody else can move it."""
    found = act.session.scalar(
        select(Reception)
        .where(Reception.id == reception_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert found is not None
    return found.version


def touch(act: Act, plan: CarePlan, what: str) -> None:
    plan.version += 1
    plan.changed_at, plan.changed_by, plan.changed_what = act.at, act.staff_id or 0, what
    act.session.flush()


def not_ahead(act: Act, field: str, on: date) -> None:
    if on > act.today:
        raise Invalid.field(field, "must not be in the future")
