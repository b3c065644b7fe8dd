"""Expect somebody from a prison outside this system, say who will be their keyworker, and how it ended.

Nothing is overwritten: what was wrong is struck out with a reason, and written anew.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select

from clinic.act import Act, command
from clinic.custody import facts
from clinic.custody.elsewhere import CAME, LONGEST_NAME, LONGEST_NOTE, came_checked
from clinic.custody.expected_models import CAME as HAS_COME
from clinic.custody.expected_models import NOT_COMING, ExpectedArrival
from clinic.custody.models import Delivery, Reception
from clinic.custody.stays import add, prison_of, said_why, strike_entry
from clinic.custody.wings import in_custody_here
from clinic.errors import Conflict, Invalid, NotFound, needed, says, written
from clinic.patients.access import open_record
from clinic.patients.commands import allocate, register_patient, take_onto_caseload
from clinic.patients.models import Allocation, Patient, Registration
from clinic.patients.queries import same_person
from dosing.days import end_of

_EXPECTED = "This person is expected already. Correct that entry."
says("uq_expected_arrival_open", _EXPECTED)
says("expected_arrival.patient_id, expected_arrival.site_id", _EXPECTED)

_MOMENT = timedelta(seconds=1)
_VALUES = ("on", "told_on", "told_by", "note", *(name for name in CAME if name != "told_on"))


@command
def expect_arrival(act: Act, *, patient_id: int, **given: Any) -> int:
    """A prison outside says that somebody is coming (RC-11). Returns the entry's id.

    `given`: on (the day of the move), told_by (who said so, by name and prison), told_on (today when
    not said), note, and of `elsewhere.CAME` what is known. The person joins this caseload, so that a
    keyworker is named before they come: as with a referral, whoever is in nobody's care here needs
    a reason first (OutsideCaseload).
    """
    act.need("custody.deliver")
    site = prison_of(act)
    patient = open_record(act, patient_id, "custody.expecting", right="custody.deliver")
    if patient.died_on is not None:
        raise Invalid.field("patient_id", "The record says this person has died")
    here = select(Reception.id).where(
        Reception.patient_id.in_(same_person(act, patient.id)), Reception.undone_at.is_(None),
        in_custody_here(act),
    )  # fmt: skip
    if act.session.scalar(here.limit(1)) is not None:
        raise Conflict("This person is in custody here already.")
    if unknown := set(given) - set(_VALUES):
        raise Invalid.field(sorted(unknown)[0], "is not known")
    values = _checked(act, patient, given)
    take_onto_caseload(act, patient.id)
    act.session.flush()
    return _add(act, patient, site.id, values)


@command
def expect_new_person(act: Act, person: dict[str, Any], given: dict[str, Any]) -> int:
    """Register somebody nobody has a record of and expect them, both or neither."""
    return expect_arrival(act, patient_id=register_patient(act, **person), **given)


@command
def correct_expected(act: Act, row_id: int, *, reason: str, **changes: Any) -> int:
    """Put an expected arrival right; what was said first stays, struck out. Returns the new id."""
    row = _open_one(act, row_id)
    values = {name: getattr(row, name) for name in _VALUES}
    if unknown := set(changes) - set(values):
        raise Invalid.field(sorted(unknown)[0], "cannot be changed here")
    if all(values[name] == value for name, value in changes.items()):
        raise Invalid("Nothing was changed.")
    fresh = _checked(act, row.patient, values | changes)
    strike_entry(act, row, reason)
    return _add(act, row.patient, row.site_id, fresh)


@command
def not_coming(act: Act, row_id: int, *, reason: str) -> None:
    """They will not come: the entry is over. The keyworker named for them is no longer theirs, and
    where they were looked after here only because they were expected, they are no longer.
    """
    row = _open_one(act, row_id)
    row.ended_reason = said_why(reason)
    row.ended_as, row.ended_at, row.ended_by = NOT_COMING, act.at, act.staff_id
    named = _keyworker(act, row.patient_id)
    if named is not None:
        named.ended_at = act.at
    for registration in act.session.scalars(_only_expected(act, row.patient_id)):
        registration.ended_at = act.at
        registration.ended_reason = f"Will not come: {row.ended_reason}"
    act.note("custody.expected_not_coming", patient_id=row.patient_id, expected=row.id)


@command
def still_coming(act: Act, row_id: int, *, reason: str) -> int:
    """It was wrong that they will not come: they are expected again. Returns the new entry's id."""
    row = _one(act, row_id)
    if row.ended_as != NOT_COMING:
        raise Conflict("Nobody said that they will not come.")
    take_onto_caseload(act, row.patient_id)
    return _again(act, row, reason)


@command
def name_for_expected(act: Act, row_id: int, staff_id: int) -> None:
    """Who will be keyworker of somebody who is to come: before the move (RC-11)."""
    row = _open_one(act, row_id, "custody.allocate")
    patient_id = facts.kept_record(act.session, row.patient_id).id
    named = _keyworker(act, patient_id)
    if named is not None and named.staff_id != staff_id:
        named.ended_at = act.at  # nobody has met them yet: there is no change to give a reason for
        act.session.flush()
    if not allocate(act, patient_id, staff_id, "keyworker"):
        raise Invalid.field("staff_id", "is named already")
    act.note("custody.expected_keyworker", patient_id=patient_id, expected=row.id, staff=staff_id)


# -- for receptions ------------------------------------------------------------------------------


def expected_here(act: Act, patient_id: int) -> ExpectedArrival | None:
    """The entry by which somebody is still expected here."""
    return act.session.scalar(
        select(ExpectedArrival).where(
            ExpectedArrival.patient_id.in_(same_person(act, patient_id)),
            ExpectedArrival.site_id == act.site_id, ExpectedArrival.struck_at.is_(None),
            ExpectedArrival.ended_as.is_(None),
        )
    )  # fmt: skip


def has_come(act: Act, reception: Reception, row: ExpectedArrival, at: datetime, item: str) -> None:
    """They were received: the entry is over, and the keyworker named before is theirs from now on.

    `item`: the duty of this prison that the naming fulfils.
    """
    row.ended_as, row.ended_at, row.ended_by = HAS_COME, act.at, act.staff_id
    row.reception_id = reception.id
    named = _keyworker(act, facts.kept_record(act.session, reception.patient_id).id)
    if named is None:
        return
    began = facts.first_received(facts.detail_of(act.session, reception))
    add(
        act, reception, Delivery,
        {"item": item, "for_on": None, "done_at": min(max(named.started_at, began), at),
         "by": ["carat"], "done_by": act.staff_id, "outcome": "delivered", "topic": None,
         "mode": None, "note": "Named before they came", "explained": None},
    )  # fmt: skip


def reception_undone(act: Act, reception: Reception, reason: str) -> None:
    """The reception was recorded in error: whoever it was is expected as before."""
    row = act.session.scalar(
        select(ExpectedArrival).where(
            ExpectedArrival.reception_id == reception.id, ExpectedArrival.struck_at.is_(None)
        )
    )
    if row is not None:
        _again(act, row, f"Reception undone: {reason.strip()}")


def _again(act: Act, row: ExpectedArrival, reason: str) -> int:
    strike_entry(act, row, reason)
    return _add(act, row.patient, row.site_id, {name: getattr(row, name) for name in _VALUES})


def _add(act: Act, patient: Patient, site_id: int, values: dict[str, Any]) -> int:
    row = ExpectedArrival(
        **values, patient_id=patient.id, site_id=site_id, ended_as=None, ended_at=None,
        ended_by=None, ended_reason=None, reception_id=None, struck_at=None, struck_by=None,
        struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("custody.arrival_expected", patient_id=patient.id, expected=row.id)
    return row.id


def _checked(act: Act, patient: Patient, given: dict[str, Any]) -> dict[str, Any]:
    values = dict.fromkeys(_VALUES) | given
    on, told_on = values["on"], values["told_on"] or act.today
    if not isinstance(on, date):
        raise Invalid.field("on", "is required")
    if told_on > act.today:
        raise Invalid.field("told_on", "must not be in the future")
    if on < told_on:
        raise Invalid.field("on", "must not be before this prison was told")
    if not values["came_from"]:
        raise Invalid.field("came_from", "is required")
    values["told_by"] = needed("told_by", values["told_by"], LONGEST_NAME)
    values["note"] = written("note", values["note"], LONGEST_NOTE)
    came = {name: values[name] for name in CAME if name != "told_on"}
    # As if they came at the end of that day: nothing of it can have begun later.
    checked = came_checked(
        act, came | {"received_at": end_of(on) - _MOMENT, "told_on": on}, patient
    )
    return {name: checked.get(name, values[name]) for name in _VALUES} | {"told_on": told_on}


def _only_expected(act: Act, patient_id: int) -> Select[tuple[Registration]]:
    """The registration here that began with an entry of their being expected."""
    expected = select(ExpectedArrival.recorded_at).where(
        ExpectedArrival.patient_id.in_(same_person(act, patient_id)),
        ExpectedArrival.site_id == act.site_id,
    )
    return select(Registration).where(
        Registration.patient_id.in_(same_person(act, patient_id)),
        Registration.site_id == act.site_id, Registration.ended_at.is_(None),
        Registration.started_at.in_(expected),
    )  # fmt: skip


def _keyworker(act: Act, patient_id: int) -> Allocation | None:
    return act.session.scalar(
        select(Allocation).where(
            Allocation.patient_id == patient_id, Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker", Allocation.ended_at.is_(None),
        )
    )  # fmt: skip


def _one(act: Act, row_id: int, right: str = "custody.deliver") -> ExpectedArrival:
    act.need(right)
    row = act.session.get(ExpectedArrival, row_id, with_for_update=True)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such entry here.")
    if row.struck_at is not None:
        raise Conflict("That entry was corrected or struck out already.")
    return row


def _open_one(act: Act, row_id: int, right: str = "custody.deliver") -> ExpectedArrival:
    row = _one(act, row_id, right)
    if row.ended_as is not None:
        raise Conflict("They came, or it was said that they will not come.")
    return row
