"""Receive a prisoner, put right or undo the reception, and work the 28 days out again.

Whatever is recorded about a stay goes through `stays.opened` (may this person, is it the version they
read?) and, when it can move a date, through `timetables.save`, which asks the rules once more and
saves their answer as the next version. Nothing that was recorded or planned is overwritten.
What lies ahead and the way out: `fact_commands`. What was done: `deliveries`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.assessments import dues
from clinic.calendars import holiday_lists
from clinic.careplans import events as plans
from clinic.custody import (
    deliveries,
    elsewhere,
    expected_commands,
    facts,
    moving_on,
    timetables,
)
from clinic.custody.deliveries import SCREENING
from clinic.custody.fact_commands import checked, follow_exit, planned
from clinic.custody.models import (
    SCREENINGS,
    SUITABILITIES,
    CompletionChoice,
    DayCountChoice,
    Delivery,
    Exit,
    Location,
    Reception,
    ReceptionDetail,
    Transfer,
)
from clinic.custody.stays import add, has_happened, held, opened, prison_of, said_why, strike, touch
from clinic.errors import Conflict, Invalid, NotFound, one_of
from clinic.patients.commands import (
    add_number,
    correct_patient,
    leave_caseload,
    register_patient,
    take_onto_caseload,
)
from clinic.patients.models import Patient, Registration
from clinic.patients.queries import same_person
from clinic.release.following import follow_patient
from clinic.sites.models import Site
from dosing.days import london_day
from scheduling.custody_request import RECEPTION_IS_DAY_1
from scheduling.phases import COMPLETION_DAY


@command
def receive_prisoner(
    act: Act,
    *,
    patient_id: int,
    received_at: datetime,
    screening: str,
    screened_at: datetime | None = None,
    heightened_risk: bool | None = None,
    ppo: bool | None = None,
    prison_number: str | None = None,
    wing_id: int | None = None,
    cell: str | None = None,
    demo: bool,
    **came: Any,
) -> int:
    """Record an arrival, take the person onto the caseload, and plan their 28 days. Returns its id.

    `received_at` is when they arrived, aware; it may be earlier than now, never later. A negative
    screening is recorded and plans nothing. `heightened_risk` and `ppo`: None when not asked.
    `wing_id`: where they were put on arrival; None when that is not settled yet. `came`: from which
    prison outside this system and since when they are in custody (`elsewhere.CAME`); nothing for
    somebody who came from no prison.
    """
    act.need("custody.receive")
    site = prison_of(act)
    patient = _person(act, patient_id)
    if unknown := set(came) - set(elsewhere.CAME):
        raise Invalid.field(sorted(unknown)[0], "is not known")
    expected = expected_commands.expected_here(act, patient.id)
    if expected is not None and came.get("came_from") and came.get("told_on") is None:
        came["told_on"] = min(expected.told_on, london_day(received_at))
    details = _details_checked(
        act, patient,
        {"received_at": received_at, "screening": screening, "heightened_risk": heightened_risk,
         "ppo": ppo, "group_suitability": None, "needs_post_28_programme": None, **came},
    )  # fmt: skip
    began_on = details["first_received_on"] or london_day(received_at)
    take_onto_caseload(act, patient.id)
    act.session.flush()
    if prison_number and prison_number.strip():
        add_number(act, patient.id, "prison", prison_number, demo=demo)
    if ppo is not None and ppo != patient.ppo:
        correct_patient(
            act, patient.id, version=patient.version, reason="Asked at reception", ppo=ppo
        )
    reception = Reception(
        patient_id=patient.id, site_id=site.id, plan_made_on=act.today, left_at=None,
        day_count=_day_count_on(act, site.id, began_on),
        completion_day=_completion_on(act, site.id, began_on),
        undone_at=None, undone_by=None, undone_reason=None, version=1, changed_at=act.at,
        changed_by=act.staff_id, changed_what="recorded the reception", recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(reception)
    act.session.flush()
    add(act, reception, ReceptionDetail, details)
    _add_screening(act, reception, screening, screened_at)
    _put_on_arrival(act, reception, wing_id, cell, received_at)
    if expected is not None:
        expected_commands.has_come(act, reception, expected, received_at, "keyworker_named")
    act.note("custody.received", patient_id=patient.id, reception=reception.id)
    plans.raise_event(
        act, "enters_prison", london_day(received_at), patient_ids=same_person(act, patient.id)
    )
    planned(act, reception, "Reception recorded")
    dues.refresh(act, patient, act.at)  # what is asked on arrival waits from now on
    return reception.id


@command
def receive_new_person(act: Act, person: dict[str, Any], reception: dict[str, Any]) -> int:
    """Register somebody nobody has a record of and receive them, both or neither.

    `person` as `register_patient` takes it, `reception` as `receive_prisoner` does.
    """
    return receive_prisoner(act, patient_id=register_patient(act, **person), **reception)


@command
def receive_transfer(
    act: Act,
    reception_id: int,
    *,
    arrived_at: datetime,
    wing_id: int | None = None,
    cell: str | None = None,
) -> None:
    """Somebody under way in their 28 days arrives from another prison. Their days go on (A10).

    The move is recorded as it happened, whether or not the sending prison had booked it.
    """
    act.need("custody.receive")
    here = prison_of(act)
    reception = held(act, reception_id)
    made = moving_on.moved_to(act, reception)
    if made is None and (reception.left_at is not None or reception.site_id == here.id):
        raise Conflict("That stay is not under way at another prison.")
    if made is not None and made[0].receiving_site_id == here.id:
        raise Conflict("They have come here already.")
    has_happened(act, "arrived_at", arrived_at)
    if made is not None and arrived_at < made[1].at:
        raise Invalid.field(
            "arrived_at", f"must not be before they left for {made[0].receiving_prison}"
        )
    take_onto_caseload(act, facts.kept_record(act.session, reception.patient_id).id)
    act.session.flush()
    if made is not None and made[0].receiving_site_id is None:
        moving_on.came_back(act, reception, here, arrived_at)
        if reception.site_id == here.id:
            _arrived(act, reception, here, arrived_at, wing_id, cell)
            return
    elif made is not None:
        moving_on.pass_on(act, reception)
    try:
        left = checked(act, reception, Exit, {"at": arrived_at, "how": "transfer"})
    except Invalid as refusal:
        raise Invalid.field("arrived_at", refusal.faults[0][1]) from refusal
    booked = facts.row_of(act.session, Transfer, reception.id)
    move = {
        "on": london_day(arrived_at), "booked_on": booked.booked_on if booked else act.today,
        "receiving_site_id": here.id, "receiving_prison": here.name, "nation": here.nation,
        "prescriber_cover": booked.prescriber_cover if booked else None,
    }  # fmt: skip
    if booked is None or any(getattr(booked, name) != value for name, value in move.items()):
        if booked is not None:
            strike(act, reception, booked, "Moved otherwise than booked")
        add(act, reception, Transfer, checked(act, reception, Transfer, move))
    add(act, reception, Exit, left)
    follow_exit(act, reception)
    _arrived(act, reception, here, arrived_at, wing_id, cell)


def _arrived(
    act: Act, reception: Reception, here: Site, at: datetime, wing_id: int | None, cell: str | None
) -> None:
    """They are here, from another prison, within the same stay."""
    _put_on_arrival(act, reception, wing_id, cell, at)
    expected = expected_commands.expected_here(act, reception.patient_id)
    if expected is not None:
        expected_commands.has_come(act, reception, expected, at, "receiving_keyworker_named")
    plans.raise_event(act, "transfer", london_day(at), reception_id=reception.id)
    touch(act, reception, "received them from the other prison")
    act.note("custody.transfer_received", patient_id=reception.patient_id, reception=reception.id)
    planned(act, reception, f"Arrived at {here.name}")


def _person(act: Act, patient_id: int) -> Patient:
    """The patient who arrived. Standing at the gate opens the record: no other reason is asked."""
    if act.session.get(Patient, patient_id) is None:
        raise NotFound("There is no such patient.")
    patient = facts.kept_record(act.session, patient_id)
    if patient.died_on is not None:
        raise Invalid.field(
            "patient_id", "The record says this person has died. Check that it is the right one"
        )
    return patient


def _day_count_on(act: Act, site_id: int, day: date) -> str:
    rows = act.session.scalars(
        select(DayCountChoice)
        .where(DayCountChoice.site_id == site_id)
        .order_by(DayCountChoice.id.desc())
    )
    return next((row.day_count for row in rows if row.holds_on(day)), RECEPTION_IS_DAY_1)


def _completion_on(act: Act, site_id: int, day: date) -> int:
    found = act.session.scalar(
        select(CompletionChoice.begins)
        .where(CompletionChoice.site_id == site_id, CompletionChoice.from_on <= day)
        .order_by(CompletionChoice.from_on.desc(), CompletionChoice.id.desc())
        .limit(1)
    )
    return found or COMPLETION_DAY


def _details_checked(act: Act, patient: Patient, details: dict[str, Any]) -> dict[str, Any]:
    one_of("screening", details["screening"], SCREENINGS)
    if details["group_suitability"] is not None:
        one_of("group_suitability", details["group_suitability"], SUITABILITIES)
    has_happened(act, "received_at", details["received_at"])
    return elsewhere.came_checked(act, details, patient)


def _add_screening(
    act: Act, reception: Reception, screening: str, screened_at: datetime | None
) -> None:
    """A screening with a result was done at some time: that time makes the item done."""
    if screening == "not_done":
        if screened_at is not None:
            raise Invalid.field("screened_at", "must be left empty until the screening is done")
        return
    if screened_at is None:
        raise Invalid.field("screened_at", "is required when the screening has a result")
    given = {"item": SCREENING, "done_at": screened_at, "by": ["healthcare"]}
    try:
        checked = deliveries.checked(act, reception, given)
    except Invalid as refusal:
        raise Invalid.field("screened_at", refusal.faults[0][1]) from refusal
    add(act, reception, Delivery, checked)


def _put_on_arrival(
    act: Act, reception: Reception, wing_id: int | None, cell: str | None, at: datetime
) -> None:
    """Where they were put on arrival, if anybody said."""
    if wing_id is not None:
        given = {"wing_id": wing_id, "cell": cell, "from_at": at}
        add(act, reception, Location, checked(act, reception, Location, given))
    elif (cell or "").strip():
        raise Invalid.field("wing_id", "is required beside a cell")


@command
def record_screening(act: Act, reception_id: int, *, screening: str, screened_at: datetime) -> None:
    """The reception screening that was not done at reception has a result now."""
    reception = opened(act, reception_id, "custody.deliver")
    row = facts.detail_of(act.session, reception)
    if row.screening != "not_done":
        raise Conflict("A screening is already recorded. Correct the reception if it is wrong.")
    one_of("screening", screening, [each for each in SCREENINGS if each != "not_done"])
    details = {name: getattr(row, name) for name in _DETAILS} | {"screening": screening}
    strike(act, reception, row, "Screening done")
    add(act, reception, ReceptionDetail, details)
    _add_screening(act, reception, screening, screened_at)
    touch(act, reception, "recorded the screening")
    act.note("custody.screened", patient_id=reception.patient_id, reception=reception.id)
    planned(act, reception, "Screening recorded")


@command
def correct_reception(
    act: Act, reception_id: int, *, version: int, reason: str, **details: Any
) -> None:
    """Put right what the reception said. The first wording stays, and the 28 days are replanned.

    `details`: any of received_at, screening, heightened_risk, ppo, group_suitability,
    needs_post_28_programme and, of somebody from a prison outside, `elsewhere.CAME`. A screening that
    turns out not to have been done is open again.
    """
    # Whoever asks the other prison enters what it says; the rest is for those who receive.
    right = "custody.deliver" if set(details) <= set(elsewhere.CAME) else "custody.receive"
    reception = opened(act, reception_id, right, version)
    row = facts.detail_of(act.session, reception)
    before = {name: getattr(row, name) for name in _DETAILS}
    if unknown := set(details) - set(_DETAILS):
        raise Invalid.field(sorted(unknown)[0], "cannot be changed here")
    patient = facts.kept_record(act.session, reception.patient_id)
    after = _details_checked(act, patient, before | details)
    elsewhere.fits_reports(act, reception, after)
    if after == before:
        raise Invalid("Nothing was changed.")
    if before["screening"] == "not_done" != after["screening"]:
        raise Invalid.field("screening", "is recorded with the time it was done, as a delivery")
    strike(act, reception, row, reason)
    add(act, reception, ReceptionDetail, after)
    if after["screening"] == "not_done":
        for done in facts.rows_of(act.session, Delivery, reception.id):
            if done.item == SCREENING:
                strike(act, reception, done, reason)
    touch(act, reception, "corrected the reception")
    act.note(
        "custody.reception_corrected", patient_id=reception.patient_id, reception=reception.id,
        fields=sorted(name for name in _DETAILS if after[name] != before[name]),
    )  # fmt: skip
    planned(act, reception, f"Reception corrected: {reason.strip()}")
    dues.refresh(act, facts.kept_record(act.session, reception.patient_id), act.at)


_DETAILS = (
    "received_at", "screening", "heightened_risk", "ppo", "group_suitability",
    "needs_post_28_programme", *elsewhere.CAME,
)  # fmt: skip


@command
def undo_reception(act: Act, reception_id: int, *, version: int, reason: str) -> None:
    """The reception was recorded in error: nothing of it is due any more. It stays as history.

    The person leaves this caseload again if it was this reception that put them on it.
    """
    reception = opened(act, reception_id, "custody.receive", version)
    reception.undone_at, reception.undone_by = act.at, act.staff_id
    reception.undone_reason = said_why(reason)
    timetables.supersede_items(act, reception)
    touch(act, reception, "undid the reception")
    act.session.flush()
    act.note("custody.reception_undone", patient_id=reception.patient_id, reception=reception.id)
    expected_commands.reception_undone(act, reception, reason)
    follow_patient(act, reception.patient_id)
    dues.refresh(act, facts.kept_record(act.session, reception.patient_id), act.at)
    brought = act.session.scalar(
        select(Registration.id).where(
            Registration.patient_id == reception.patient_id,
            Registration.site_id == act.site_id,
            Registration.ended_at.is_(None),
            Registration.started_at == reception.recorded_at,
        )
    )
    if brought is not None:
        leave_caseload(act, reception.patient_id, f"Reception undone: {reason.strip()}")


@command
def replan(act: Act, reception_id: int) -> bool:
    """Work the 28 days out again with today's calendars. Was there anything to change?

    Needed after bank holidays or closure days changed; facts of the stay replan by themselves.
    """
    return _replanned(act, opened(act, reception_id, "custody.read"))


@command
def replan_in_sweep(act: Act, reception_id: int) -> bool:
    """The same, done by the service itself: it shows nobody's record to anybody."""
    return _replanned(act, held(act, reception_id))


def _replanned(act: Act, reception: Reception) -> bool:
    if not timetables.calendar_moved_dates(act, reception):
        reception.calendar_seen = reception.calendar_seen and holiday_lists().version
        return False
    touch(act, reception, "saw the dates moved by the calendar")
    act.note("custody.replanned", patient_id=reception.patient_id, reception=reception.id)
    timetables.save(act, reception, "The calendar changed")
    return True
