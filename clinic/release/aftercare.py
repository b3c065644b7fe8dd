"""Somebody left: what waits about them starts by itself, and ends by itself when it no longer holds.

Asked anew with every scoring of the plan, so it follows a fact at once and the clock otherwise, and
a second look adds nothing. A first appointment missed in a service's diary begins that service's
ladder of missed contact there; one kept elsewhere begins the same ladder at the service they go to,
and where no service of this system is named the outreach is a task of the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments import missed
from clinic.appointments.missed_models import MissedContact
from clinic.assessments import dues
from clinic.assessments.models import ClinicalEntry
from clinic.patients.queries import same_person
from clinic.release.care_models import NOT_NEEDED, LeaverTask
from clinic.release.models import ReleaseFact, ReleasePlan
from clinic.turns import strike
from scheduling.aftercare import FollowUp, follow_ups, owner_after

NOTE = "Did not come to the first appointment after release"
NO_LONGER = "No longer needed: the facts it rested on changed"


def keep(
    act: Act,
    plan: ReleasePlan,
    request: Mapping[str, Any],
    standing: list[ReleaseFact],
    at: datetime,
) -> None:
    """Open what waits after release and close what no longer does; part of a scoring."""
    engaged = request.get("engaged_on")
    visit = request.get("appointment") or {}
    wanted = follow_ups(
        plan.left_on, date.fromisoformat(engaged) if engaged else None,
        datetime.fromisoformat(visit["at"]) if visit else None, visit.get("attended"),
    )  # fmt: skip
    in_diary = any(row.section == "appointment" and row.visit_id is not None for row in standing)
    missed_at = next((each.due_at for each in wanted if each.kind == "outreach"), None)
    if missed_at is not None and (in_diary or plan.destination_site_id is not None):
        wanted = [each for each in wanted if each.kind != "outreach"]
    _keep_ladder(
        act, plan,
        datetime.fromisoformat(visit["at"]) if missed_at is not None and not in_diary else None,
    )  # fmt: skip
    _keep_tasks(act, plan, wanted, standing, at)


def ask_there(act: Act, plan: ReleasePlan, at: datetime) -> None:
    """They have just left: the service they go to is to ask them about treatment and doses."""
    if plan.destination_site_id is None or not plan.may_share:
        return
    dues.refresh(replace(act, site_id=plan.destination_site_id, at=at), plan.patient, at)


def _keep_tasks(
    act: Act, plan: ReleasePlan, wanted: list[FollowUp], standing: list[ReleaseFact], at: datetime
) -> None:
    rows = act.session.scalars(
        select(LeaverTask).where(LeaverTask.plan_id == plan.id, LeaverTask.cause.is_not(None))
    ).all()
    open_now = {(row.kind, row.cause): row for row in rows if _is_open(row)}
    answered = {
        (row.kind, row.cause) for row in rows if not _is_open(row) and row.outcome != NOT_NEEDED
    }
    keys = {(each.kind, each.cause) for each in wanted}
    for key in open_now.keys() - keys:
        row = open_now[key]
        row.done_at, row.done_by, row.outcome, row.done_says = (
            at,
            act.staff_id,
            NOT_NEEDED,
            NO_LONGER,
        )
    new = [
        each
        for each in wanted
        if (each.kind, each.cause) not in open_now and (each.kind, each.cause) not in answered
    ]
    if not new:
        return
    after = owner(act, plan, standing) or "community"
    for each in new:
        whose = "community" if each.kind in ("attendance", "outreach") else after
        act.session.add(
            LeaverTask(
                plan_id=plan.id, kind=each.kind, owner=whose, due_at=each.due_at, note=None,
                cause=each.cause, done_at=None, done_by=None, outcome=None, done_says=None,
                struck_at=None, struck_by=None, struck_reason=None, recorded_at=at,
                recorded_by=act.staff_id,
            )
        )  # fmt: skip
    act.session.flush()


def _is_open(row: LeaverTask) -> bool:
    return row.done_at is None and row.struck_at is None


def owner(act: Act, plan: ReleasePlan, standing: list[ReleaseFact]) -> str | None:
    """Whose they are after release: as recorded of the licence, else by the length of the sentence."""
    said = next((row.says for row in standing if row.section == "release"), {})
    supervised = {"licence": True, "none": False}.get(said.get("supervision", ""))
    days = None
    if supervised is None:
        entry = act.session.scalar(
            select(ClinicalEntry.data)
            .where(
                ClinicalEntry.patient_id.in_(same_person(act, plan.patient_id)),
                ClinicalEntry.kind == "custody", ClinicalEntry.struck_at.is_(None),
            )
            .order_by(ClinicalEntry.happened_at.desc(), ClinicalEntry.id.desc())
            .limit(1)
        )  # fmt: skip
        days = (entry or {}).get("sentence_days")
    return owner_after(supervised, days)


def _keep_ladder(act: Act, plan: ReleasePlan, missed_at: datetime | None) -> None:
    """The missed-contact ladder of an appointment that stands in no diary here.

    It begins when somebody records that it was missed, and is struck out when that is taken back.
    """
    site_id = plan.destination_site_id
    if site_id is None or act.staff_id is None:
        return
    there = replace(act, site_id=site_id)
    rows = act.session.scalars(
        select(MissedContact).where(
            MissedContact.patient_id.in_(same_person(act, plan.patient_id)),
            MissedContact.site_id == site_id, MissedContact.note == NOTE,
            MissedContact.struck_at.is_(None),
        )
    ).all()  # fmt: skip
    for row in rows:
        if row.missed_at != missed_at:
            strike(there, row, act.at, "Taken back in the release plan")
    if missed_at is not None and all(row.missed_at != missed_at for row in rows):
        missed.add(
            there, patient_id=plan.patient_id, visit_id=None, because="lost_contact",
            missed_at=missed_at, note=NOTE,
        )  # fmt: skip
