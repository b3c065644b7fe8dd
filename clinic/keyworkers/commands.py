"""Name a keyworker, change them with a reason, take a naming back, and arrange cover."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from clinic.act import Act, command
from clinic.custody import deliveries, facts, timetables
from clinic.custody.models import Delivery, Reception
from clinic.custody.stays import add, opened, prison_of, said_why, strike, touch
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.keyworkers.models import CHANGE_WORDS, KeyworkerCeiling, KeyworkerChange, KeyworkerCover
from clinic.keyworkers.queries import KEYWORKER_ROLE
from clinic.patients.commands import allocate
from clinic.patients.models import Allocation
from clinic.staff.models import Staff, StaffRole
from scheduling.keyworkers import EXPLAINED, own_ceiling_refused

_COVERED = "These people are covered on some of these days already. Withdraw that cover first."
for _name in (
    "uq_keyworker_cover_standing",
    "keyworker_cover.site_id, keyworker_cover.staff_id, keyworker_cover.from_on",
):
    says(_name, _COVERED)  # SQLite names the columns of a unique index, PostgreSQL the index


def naming_item(act: Act, reception: Reception) -> str:
    """Which duty a naming fulfils: at a prison awaiting a transfer, or come back to from one outside,
    it is the receiving one."""
    passed = facts.last_passed(act.session, reception.id)
    back = passed is not None and passed.from_site_id is None
    here = act.site_id == reception.site_id and not back
    return "keyworker_named" if here else "receiving_keyworker_named"


@command
def name_keyworker(
    act: Act,
    reception_id: int,
    staff_id: int,
    *,
    named_at: datetime | None = None,
    reason_code: str | None = None,
    reason: str | None = None,
) -> None:
    """Name the keyworker at this prison, or change them with a coded reason (PS-05, PS-06).

    `named_at`: when it was settled (now when not said). `reason`: words beside the code, required
    where the code says too little.
    """
    reception = opened(act, reception_id, "custody.allocate")
    gone = act.site_id not in facts.current_prisons(act.session, reception)
    if gone or (reception.left_at is not None and act.site_id == reception.site_id):
        raise Conflict("They have left this prison: there is nobody to be a keyworker for.")
    item = naming_item(act, reception)
    patient_id = facts.kept_record(act.session, reception.patient_id).id
    standing = current(act, patient_id)
    if standing is not None and standing.staff_id != staff_id:
        if not reason_code:
            raise Invalid.field("reason_code", "is required when somebody else is already named")
        one_of("reason_code", reason_code, CHANGE_WORDS)
        if reason_code in EXPLAINED and not (reason or "").strip():
            raise Invalid.field("reason", "is required: say which reason")
        reason = (reason or "").strip() or CHANGE_WORDS[reason_code]
    named = allocate(
        act, patient_id, staff_id, "keyworker", started_at=named_at or act.at, reason=reason
    )
    act.session.flush()
    done = facts.done_for_this_move(act.session, reception, item)
    if not named and done:
        raise Invalid.field("staff_id", "is already their keyworker")
    fresh = current(act, patient_id)
    if named and reason_code and fresh is not None:
        act.session.add(
            KeyworkerChange(
                allocation_id=fresh.id, code=reason_code, recorded_at=act.at,
                recorded_by=act.staff_id,
            )
        )  # fmt: skip
    if not done:
        given = {"item": item, "done_at": named_at or act.at, "by": ["carat"]}
        add(act, reception, Delivery, deliveries.checked(act, reception, given))
    touch(act, reception, "named the keyworker")
    act.note(
        "custody.keyworker_named", patient_id=patient_id, reception=reception.id, staff=staff_id
    )
    timetables.refresh_items(act, reception)


@command
def undo_naming(act: Act, reception_id: int, *, version: int, reason: str) -> None:
    """The last naming was recorded in error. Whoever was keyworker before it is so again, as a new
    row; with nobody before, the duty to name somebody is open again.
    """
    reception = opened(act, reception_id, "custody.allocate", version)
    patient_id = facts.kept_record(act.session, reception.patient_id).id
    standing, why = current(act, patient_id), said_why(reason)
    if standing is None:
        raise Conflict("Nobody is named: there is nothing to take back.")
    before = act.session.scalar(
        select(Allocation)
        .where(
            Allocation.patient_id == patient_id, Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker", Allocation.id < standing.id,
            Allocation.started_at >= facts.detail_of(act.session, reception).received_at,
        )
        .order_by(Allocation.id.desc())
        .limit(1)
    )  # fmt: skip
    standing.ended_at = act.at
    act.session.flush()
    if before is not None:
        allocate(act, patient_id, before.staff_id, "keyworker", reason=why)
        act.session.flush()
        act.session.add(
            KeyworkerChange(
                allocation_id=current(act, patient_id).id, code="recorded_wrongly",  # type: ignore[union-attr]
                recorded_at=act.at, recorded_by=act.staff_id,
            )
        )  # fmt: skip
    else:
        item = naming_item(act, reception)
        for row in facts.done_for_this_move(act.session, reception, item):
            strike(act, reception, row, why)
    touch(act, reception, "took back the naming of the keyworker")
    act.note("custody.keyworker_undone", patient_id=patient_id, reception=reception.id)
    timetables.refresh_items(act, reception)


def current(act: Act, patient_id: int) -> Allocation | None:
    """Who is keyworker at this prison, if anybody is."""
    return act.session.scalar(
        select(Allocation).where(
            Allocation.patient_id == patient_id,
            Allocation.site_id == act.site_id,
            Allocation.kind == "keyworker",
            Allocation.ended_at.is_(None),
        )
    )


@command
def set_ceiling(act: Act, *, most: int | None, from_on: date, reason: str) -> int:
    """How many people one keyworker of this prison carries at the most, from a day on (KW-05).

    `most` None: the default again. Returns the row's id; what was set before stays.
    """
    act.need("custody.allocate")
    site = prison_of(act)
    if refused := own_ceiling_refused(most):
        raise Invalid.field("most", refused)
    if from_on < act.today:
        raise Invalid.field("from_on", "must be today or later: days that have passed are history")
    row = KeyworkerCeiling(
        site_id=site.id, most=most, from_on=from_on, reason=said_why(reason), recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("custody.ceiling_set", site_id=site.id, ceiling=row.id)
    return row.id


@command
def arrange_cover(act: Act, staff_id: int, cover_id: int, *, from_on: date, to_on: date) -> int:
    """A colleague looks after a keyworker's people, both days included. Returns the cover's id."""
    act.need("custody.allocate")
    site = prison_of(act)
    for field, who in (("staff_id", staff_id), ("cover_id", cover_id)):
        if not _keyworker_here(act, who):
            raise Invalid.field(field, "must be a keyworker of this prison")
    if staff_id == cover_id:
        raise Invalid.field("cover_id", "must be somebody else")
    if to_on < max(from_on, act.today):
        raise Invalid.field("to_on", "must not be before the first day, nor have passed")
    for who in sorted((staff_id, cover_id)):  # one at a time for these two, whoever covers whom
        act.session.get(Staff, who, with_for_update=True)
    for field, who, says_it in (
        ("from_on", staff_id, _COVERED),
        ("cover_id", cover_id, "is away on some of these days: somebody covers for them"),
    ):
        taken = select(KeyworkerCover.id).where(
            KeyworkerCover.site_id == site.id, KeyworkerCover.staff_id == who,
            KeyworkerCover.withdrawn_at.is_(None), KeyworkerCover.from_on <= to_on,
            KeyworkerCover.to_on >= from_on,
        )  # fmt: skip
        if act.session.scalar(taken.limit(1)) is not None:
            if field == "from_on":
                raise Conflict(says_it)
            raise Invalid.field(field, says_it)
    row = KeyworkerCover(
        site_id=site.id, staff_id=staff_id, cover_id=cover_id, from_on=from_on, to_on=to_on,
        withdrawn_at=None, withdrawn_by=None, withdrawn_reason=None, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("custody.cover_arranged", site_id=site.id, cover=row.id)
    return row.id


def _keyworker_here(act: Act, staff_id: int) -> bool:
    held = act.session.scalars(
        select(StaffRole).where(
            StaffRole.staff_id == staff_id,
            StaffRole.site_id == act.site_id,
            StaffRole.role == KEYWORKER_ROLE,
        )
    )
    return any(row.holds_on(act.today) for row in held)


@command
def withdraw_cover(act: Act, cover_id: int, *, reason: str) -> None:
    """The cover ends or was recorded in error: it counts no more and stays visible."""
    act.need("custody.allocate")
    row = act.session.get(KeyworkerCover, cover_id, with_for_update=True)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such cover here.")
    if row.withdrawn_at is not None:
        raise Conflict("That cover was withdrawn already.")
    row.withdrawn_reason = said_why(reason)
    row.withdrawn_at, row.withdrawn_by = act.at, act.staff_id
    act.note("custody.cover_withdrawn", site_id=row.site_id, cover=row.id)
