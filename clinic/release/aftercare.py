"""Somebody leaves: what waits about them starts by itself, and ends by itself when it no longer holds.

Asked anew with every scoring of the plan, so it follows a fact at once and the clock otherwise, and
a second look adds nothing. Whether they came is asked once the time of the first appointment has
passed; unsaid, outreach begins as if they had not. A first appointment missed in a service's diary
begins that service's ladder of missed contact there; one kept elsewhere begins the same ladder at the
service they go to, and where no service of this system is named the outreach is a task of the plan.
Before release every party is reminded of the first collection, and the community team is told of a
move to another prison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments import missed
from clinic.appointments.missed_models import MissedContact
from clinic.assessments import dues
from clinic.assessments.models import ClinicalEntry
from clinic.calendars import working_days
from clinic.custody.models import Reception, Transfer
from clinic.patients.queries import same_person
from clinic.release.care_models import NOT_NEEDED, REMINDED, LeaverTask
from clinic.release.models import ReleaseFact, ReleasePlan
from clinic.turns import strike
from clinic.ui import day, moment
from dosing.days import london_day
from scheduling.aftercare import (
    HANDOVER,
    OFFER,
    FollowUp,
    drr,
    follow_ups,
    gate_meeting,
    gate_offer,
    next_asked,
    overdose_advice,
    owner_after,
    reminded_of,
    reminders,
    reminders_begin,
    told_of_move,
)

NOTE = "Did not come to the first appointment after release"
AFTER = ("day_14", "day_21")
WHOSE = {**REMINDED, HANDOVER: "home_cjit"}
"""Whose a task is where that hangs on its kind alone; the others are the community service's."""
NO_LONGER = "No longer needed: the facts it rested on changed"


def keep(
    act: Act,
    plan: ReleasePlan,
    request: Mapping[str, Any],
    standing: list[ReleaseFact],
    known: Sequence[LeaverTask],
    at: datetime,
    *,
    out: bool,
) -> None:
    """Open what waits around release and close what no longer does; part of a scoring.

    `known`: what started by itself before, however it ended. `out`: they left, or had until now.
    """
    about = _first_appointment(plan, request)
    wanted = follow_ups(*about, at)
    _, engaged_on, visit_at, attended = about
    in_diary = any(row.section == "appointment" and row.visit_id is not None for row in standing)
    missed = attended is False and plan.left_on is not None and engaged_on is None
    if missed and (in_diary or plan.destination_site_id is not None):
        wanted = [each for each in wanted if each.kind != "outreach"]
    if out:
        _keep_ladder(act, plan, visit_at if missed and not in_diary else None)
    ahead, notes = _ahead(act, plan, request, known, at)
    under = _requirement(plan, standing)
    if under:
        notes[HANDOVER] = "When it ends is not known" if under[-1].cause == "" else ""
    if visit_at is not None:
        notes["attendance"] = f"It began {moment(visit_at)}"
        if attended is None:
            notes["outreach"] = f"Nobody has said whether they came {moment(visit_at)}"
    _keep_tasks(act, plan, [*wanted, *ahead, *under], notes, standing, known, at)


def _requirement(plan: ReleasePlan, standing: Sequence[ReleaseFact]) -> list[FollowUp]:
    """What a drug rehabilitation requirement owes them, where they left under one."""
    said = next((row.says for row in standing if row.section == "release"), {})
    if said.get("supervision") != "drr":
        return []
    ends_on = said.get("drr_ends_on")
    return drr(plan.left_on, date.fromisoformat(ends_on) if ends_on else None)


def next_asked_at(plan: ReleasePlan, request: Mapping[str, Any], at: datetime) -> datetime | None:
    """When the clock alone next begins something about the first appointment of this plan."""
    return next_asked(*_first_appointment(plan, request), at)


def _first_appointment(
    plan: ReleasePlan, request: Mapping[str, Any]
) -> tuple[date | None, date | None, datetime | None, bool | None]:
    """When they left, when treatment began, the first appointment, and whether they came to it."""
    engaged, visit = request.get("engaged_on"), request.get("appointment") or {}
    return (
        plan.left_on, date.fromisoformat(engaged) if engaged else None,
        datetime.fromisoformat(visit["at"]) if visit else None, visit.get("attended"),
    )  # fmt: skip


def _ahead(
    act: Act,
    plan: ReleasePlan,
    request: Mapping[str, Any],
    known: Sequence[LeaverTask],
    at: datetime,
) -> tuple[list[FollowUp], dict[str, str]]:
    """What waits before release, and by kind what it is about in words."""
    move, wanted, notes = request.get("transfer"), [], {}
    wanted += overdose_advice(plan.left_on)
    wanted += gate_meeting(plan.release_on, _wants_to_be_met(known))
    if not (move or _reminds(plan, known, at)):
        return wanted, {}
    calendar = working_days(act.session, plan.site)
    if move:
        on = date.fromisoformat(move["on"])
        prison = _receiving_prison(act, plan, on)
        wanted.append(told_of_move(on, prison, calendar))
        notes["transfer"] = f"{prison}, {day(on)}"
    wanted += gate_offer(plan.release_on, plan.left_on, at, calendar)
    if _reminds(plan, known, at) and request.get("on_ost") is not False:
        engaged = request.get("engaged_on")
        collection_on, where, says = _collection(request)
        found = reminders(
            plan.release_on, plan.left_on, date.fromisoformat(engaged) if engaged else None,
            collection_on, where, at, calendar,
        )  # fmt: skip
        supplies = request.get("bridging_supplies", ())
        meant = reminded_of(request.get("medicine"), [each["form"] for each in supplies])
        found = [each for each in found if each.kind in meant]
        wanted += found
        early = _early(plan, request)
        notes |= {each.kind: f"{early}{says}" for each in found}
    return wanted, notes


def _wants_to_be_met(known: Sequence[LeaverTask]) -> bool:
    """What they last answered when a meeting at the gate was offered."""
    asked = [row for row in known if row.kind == OFFER and row.struck_at is None and row.done_at]
    return bool(asked) and max(asked, key=lambda row: row.id).outcome == "done"


def _receiving_prison(act: Act, plan: ReleasePlan, on: date) -> str:
    """Where they move to on a day, by the newest move of theirs that stands."""
    found = act.session.scalar(
        select(Transfer.receiving_prison)
        .join(Reception, Reception.id == Transfer.reception_id)
        .where(
            Reception.patient_id.in_(same_person(act, plan.patient_id)),
            Reception.undone_at.is_(None), Transfer.known_until.is_(None), Transfer.on == on,
        )
        .order_by(Transfer.id.desc())
        .limit(1)
    )  # fmt: skip
    return found or ""


def _reminds(plan: ReleasePlan, known: Sequence[LeaverTask], at: datetime) -> bool:
    """Has the time of the reminders come, or does one wait already?"""
    begun = plan.release_on is not None and reminders_begin(plan.release_on) <= london_day(at)
    return begun or any(row.kind in REMINDED and _is_open(row) for row in known)


def _collection(request: Mapping[str, Any]) -> tuple[date | None, str, str]:
    """The day of the first collection, what tells its place from another, and both in words."""
    found = [
        (each["collect_on"], supply["form"] == "gate_pack")
        for supply in request.get("bridging_supplies", ())
        for each in supply["instalments"]
    ]
    if not found:
        return None, "", "The date of the first collection is not known yet"
    on, at_gate = min(found)
    pharmacy = (request.get("pharmacy") or {}).get("name")
    where = "the gate" if at_gate else pharmacy or ""
    says = f"First collection {day(date.fromisoformat(on))}"
    return date.fromisoformat(on), where, f"{says}, {where or 'the pharmacy is not known yet'}"


def _early(plan: ReleasePlan, request: Mapping[str, Any]) -> str:
    """That release came early, in words: moved forward, or out already."""
    before = (request.get("release") or {}).get("previous_on")
    if plan.release_on and before and date.fromisoformat(before) > plan.release_on:
        moved = f"Release moved forward from {day(date.fromisoformat(before))} to"
        return f"{moved} {day(plan.release_on)}. "
    return f"Out since {day(plan.left_on)}. " if plan.left_on else ""


def ask_there(act: Act, plan: ReleasePlan, at: datetime) -> None:
    """They have just left: the service they go to is to ask them about treatment and doses."""
    if plan.destination_site_id is None or not plan.may_share:
        return
    dues.refresh(replace(act, site_id=plan.destination_site_id, at=at), plan.patient, at)


def _keep_tasks(
    act: Act, plan: ReleasePlan, wanted: list[FollowUp], notes: Mapping[str, str],
    standing: list[ReleaseFact], rows: Sequence[LeaverTask], at: datetime,
) -> None:  # fmt: skip
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
        if each.starts and not {(each.kind, each.cause)} & (open_now.keys() | answered)
    ]
    if not new:
        return
    for each in new:
        if each.kind in AFTER:
            whose = owner(act, plan, standing) or "community"
        else:
            whose = WHOSE.get(each.kind, "community")
        act.session.add(
            LeaverTask(
                plan_id=plan.id, kind=each.kind, owner=whose, due_at=each.due_at,
                note=notes.get(each.kind) or None,
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
    supervised = {"licence": True, "drr": True, "none": False}.get(said.get("supervision", ""))
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
