"""Say what groups need: validated material, half-days, facilitators, estates, who is kept apart.

Each row stands until somebody ends it with a reason; a change ends one and adds another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from sqlalchemy import select

from clinic.act import Act, command
from clinic.appointments.rota_commands import make_holdable
from clinic.custody.models import Reception
from clinic.custody.stays import prison_of
from clinic.custody.wings import in_custody_here
from clinic.errors import Conflict, Invalid, NotFound, one_of, says
from clinic.groups import facts
from clinic.groups.models import (
    COMMITMENTS,
    ESTATE_NAMES,
    LEVELS,
    PARTS,
    Commitment,
    EstatePlacement,
    GroupFacilitator,
    GroupMaterial,
    NonAssociation,
    RegimeBlock,
)
from clinic.groups.offers import kept_from
from clinic.patients.access import open_record
from clinic.patients.queries import root_of, same_person
from clinic.staff.models import StaffRole
from scheduling.groups import KINDS, SESSION, TOPICS

LONGEST = 200
MOST_A_WEEK = 20

_ONE_AT_A_TIME = "This was recorded a moment ago by somebody else. Look again."
for _name in (
    "uq_regime_block_standing", "regime_block.site_id",
    "uq_group_facilitator_standing", "group_facilitator.site_id",
    "uq_estate_placement_standing", "estate_placement.reception_id",
):  # fmt: skip
    says(_name, _ONE_AT_A_TIME)
for _name in ("uq_non_association_standing", "non_association.one_id"):
    says(_name, "These two are kept apart already.")

E = TypeVar(
    "E", GroupMaterial, RegimeBlock, GroupFacilitator, EstatePlacement, NonAssociation, Commitment
)


def text_of(field: str, given: str | None) -> str:
    """The words given, trimmed; refused when there are none or too many."""
    words = " ".join((given or "").split())
    if not words:
        raise Invalid.field(field, "is required")
    if len(words) > LONGEST:
        raise Invalid.field(field, f"must be {LONGEST} characters or fewer")
    return words


def _add(act: Act, row: E) -> E:
    row.recorded_at, row.recorded_by = act.at, act.staff_id or 0
    row.ended_at = row.ended_by = row.ended_reason = None
    act.session.add(row)
    act.session.flush()
    return row


def _end(act: Act, row: E, reason: str | None) -> None:
    if row.ended_at is not None:
        raise Conflict("That was ended already.")
    row.ended_reason = text_of("reason", reason)
    row.ended_at, row.ended_by = act.at, act.staff_id
    act.session.flush()


# -- material (GP-10) ---------------------------------------------------------------------------


@command
def add_material(
    act: Act,
    *,
    topic: str,
    title: str,
    edition: str,
    validated_on: date,
    validated_by: str,
    valid_until: date | None = None,
) -> GroupMaterial:
    """Material of a topic validated under PSO 4350, from a day until another, both included."""
    act.need("groups.manage")
    one_of("topic", topic, TOPICS)
    if validated_on > act.today:
        raise Invalid.field("validated_on", "cannot be in the future")
    if valid_until is not None and valid_until < validated_on:
        raise Invalid.field("valid_until", "cannot be before the day of validation")
    row = GroupMaterial(
        site_id=prison_of(act).id, topic=topic, title=text_of("title", title),
        edition=text_of("edition", edition), validated_on=validated_on, valid_until=valid_until,
        validated_by=text_of("validated_by", validated_by),
    )  # fmt: skip
    _add(act, row)
    act.note("groups.material_added", material=row.id)
    return row


@command
def end_material(act: Act, material_id: int, *, reason: str) -> GroupMaterial:
    """It is used no more. Sessions planned with it stand, and show that their material ended."""
    act.need("groups.manage")
    row = act.session.get(GroupMaterial, material_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such material here.")
    _end(act, row, reason)
    act.note("groups.material_ended", material=row.id)
    return row


# -- half-days (GP-05) --------------------------------------------------------------------------


@command
def set_half_day(
    act: Act, *, weekday: int, part: str, starts: time | None, ends: time | None, from_on: date
) -> RegimeBlock:
    """From this day on, groups may be held within these hours; neither hour: not at all."""
    act.need("groups.manage")
    one_of("part", part, PARTS)
    if weekday not in range(1, 8):
        raise Invalid.field("weekday", "must be from 1 (Monday) to 7")
    if (starts is None) != (ends is None):
        raise Invalid.field("ends", "must be given with the beginning, or neither")
    if starts is not None and ends is not None:
        minutes = (ends.hour - starts.hour) * 60 + ends.minute - starts.minute
        if minutes * 60 < SESSION.total_seconds():
            raise Invalid.field("ends", "must leave room for a session of 90 minutes")
    if from_on < act.today:
        raise Invalid.field("from_on", "cannot be in the past")
    site = prison_of(act)
    same = select(RegimeBlock).where(
        RegimeBlock.site_id == site.id, RegimeBlock.weekday == weekday, RegimeBlock.part == part,
        RegimeBlock.from_on == from_on, RegimeBlock.ended_at.is_(None),
    )  # fmt: skip
    if (was := act.session.scalar(same)) is not None:
        _end(act, was, "Replaced")
    row = _add(
        act,
        RegimeBlock(
            site_id=site.id, weekday=weekday, part=part, starts=starts, ends=ends, from_on=from_on
        ),
    )
    act.note("groups.half_day_set", block=row.id)
    return row


@command
def end_half_day(act: Act, block_id: int, *, reason: str) -> RegimeBlock:
    """Take it back: what stood before it counts again."""
    act.need("groups.manage")
    row = act.session.get(RegimeBlock, block_id)
    if row is None or row.site_id != act.site_id:
        raise NotFound("There is no such half-day here.")
    _end(act, row, reason)
    act.note("groups.half_day_ended", block=row.id)
    return row


# -- facilitators (GP-04) -----------------------------------------------------------------------


@command
def set_facilitator(
    act: Act, *, staff_id: int, kind: str, topics: Sequence[str], a_week: int | None = None
) -> GroupFacilitator:
    """This member of staff leads these topics as CARAT or clinical facilitator. Replaces what stood."""
    act.need("groups.manage")
    one_of("kind", kind, KINDS)
    chosen = [topic for topic in TOPICS if topic in topics]
    if not chosen or set(topics) - set(TOPICS):
        raise Invalid.field("topics", f"must be one or more of: {', '.join(TOPICS)}")
    if a_week is not None and not 1 <= a_week <= MOST_A_WEEK:
        raise Invalid.field("a_week", f"must be from 1 to {MOST_A_WEEK}")
    site = prison_of(act)
    works_here = select(StaffRole.id).where(
        StaffRole.staff_id == staff_id, StaffRole.site_id == site.id, StaffRole.to_on.is_(None)
    )
    if act.session.scalar(works_here.limit(1)) is None:
        raise Invalid.field("staff_id", "must be somebody who works here")
    if (was := _facilitator(act, staff_id)) is not None:
        _end(act, was, "Replaced")
    make_holdable(act, staff_id)
    row = _add(
        act,
        GroupFacilitator(
            site_id=site.id, staff_id=staff_id, kind=kind, topics=chosen, a_week=a_week
        ),
    )
    act.note("groups.facilitator_set", facilitator=row.id)
    return row


@command
def end_facilitator(act: Act, staff_id: int, *, reason: str) -> GroupFacilitator:
    """They lead no more sessions. Those planned stand until somebody else is named."""
    act.need("groups.manage")
    row = _facilitator(act, staff_id)
    if row is None:
        raise NotFound("They lead no groups here.")
    _end(act, row, reason)
    act.note("groups.facilitator_ended", facilitator=row.id)
    return row


def _facilitator(act: Act, staff_id: int) -> GroupFacilitator | None:
    return act.session.scalar(
        select(GroupFacilitator).where(
            GroupFacilitator.site_id == act.site_id, GroupFacilitator.staff_id == staff_id,
            GroupFacilitator.ended_at.is_(None),
        )
    )  # fmt: skip


# -- people: estate (GP-07), kept apart (GP-08) ---------------------------------------------------


def stay_here(act: Act, reception_id: int, action: str) -> Reception:
    """A stay in this prison, its record opened for seating."""
    row = act.session.scalar(
        select(Reception).where(
            Reception.id == reception_id, Reception.undone_at.is_(None), in_custody_here(act)
        )
    )
    if row is None:
        raise NotFound("There is nobody in custody here under that number.")
    open_record(act, row.patient_id, action, right="groups.seat")
    return row


@command
def set_estate(act: Act, reception_id: int, *, estate: str) -> EstatePlacement:
    """Of which estate they are from now on: they share sessions with nobody of another."""
    act.need("groups.seat")
    one_of("estate", estate, ESTATE_NAMES)
    stay = stay_here(act, reception_id, "groups.estate_opened")
    if (was := facts.estate_of(act, stay.id)) is not None:
        if was.estate == estate:
            return was
        _end(act, was, "Replaced")
    row = _add(act, EstatePlacement(reception_id=stay.id, estate=estate))
    act.note("groups.estate_set", patient_id=stay.patient_id, placement=row.id)
    return row


@command
def keep_apart(
    act: Act, reception_id: int, *, other_reception_id: int, level: str, reason: str
) -> NonAssociation:
    """These two share no session from now on. Sessions they share already are shown until one moves."""
    act.need("groups.seat")
    one_of("level", level, LEVELS)
    if reception_id == other_reception_id:
        raise Invalid.field("other_reception_id", "must be somebody else")
    stays = [
        stay_here(act, each, "groups.apart_opened") for each in (reception_id, other_reception_id)
    ]
    one, other = sorted(root_of(act, stay.patient_id) for stay in stays)
    if one == other:
        raise Invalid.field("other_reception_id", "must be somebody else")
    if other in kept_from(act, one):
        raise Conflict("These two are kept apart already.")
    row = _add(
        act,
        NonAssociation(one_id=one, other_id=other, level=level, reason=text_of("reason", reason)),
    )
    for patient_id in (one, other):
        act.note("groups.kept_apart", patient_id=patient_id, pair=row.id)
    return row


@command
def end_keep_apart(act: Act, pair_id: int, *, reason: str) -> NonAssociation:
    """They need be kept apart no longer. The row stays, with the reason."""
    act.need("groups.seat")
    row = act.session.get(NonAssociation, pair_id)
    if row is None:
        raise NotFound("There is no such pair.")
    here = select(Reception.id).where(
        Reception.patient_id.in_([*same_person(act, row.one_id), *same_person(act, row.other_id)]),
        Reception.undone_at.is_(None), in_custody_here(act),
    )  # fmt: skip
    if act.session.scalar(here.limit(1)) is None:
        raise NotFound("There is no such pair.")
    for patient_id in (row.one_id, row.other_id):
        act.note("groups.kept_apart_ended", patient_id=patient_id, pair=row.id)
    _end(act, row, reason)
    return row


# -- people: adjudications and social visits (GP-06) ----------------------------------------------

LONGEST_COMMITMENT = timedelta(hours=12)


@command
def record_commitment(
    act: Act, reception_id: int, *, kind: str, starts_at: datetime, ends_at: datetime
) -> Commitment:
    """An adjudication or a social visit: no group then. A seat they have then is shown as clashing."""
    one_of("kind", kind, COMMITMENTS)
    if not timedelta(0) < ends_at - starts_at <= LONGEST_COMMITMENT:
        raise Invalid.field("ends_at", "must be after the beginning, within 12 hours of it")
    act.need("groups.seat")
    stay = stay_here(act, reception_id, "groups.commitment_opened")
    row = _add(
        act,
        Commitment(reception_id=stay.id, kind=kind, starts_at=starts_at, ends_at=ends_at),
    )
    act.note("groups.commitment_recorded", patient_id=stay.patient_id, commitment=row.id)
    return row


@command
def correct_commitment(
    act: Act, commitment_id: int, *, kind: str, starts_at: datetime, ends_at: datetime, reason: str
) -> Commitment:
    """It was recorded wrongly, or is moved: the old row ends with the reason, a new one stands."""
    row = end_commitment(act, commitment_id, reason=reason)
    return record_commitment(act, row.reception_id, kind=kind, starts_at=starts_at, ends_at=ends_at)


@command
def end_commitment(act: Act, commitment_id: int, *, reason: str) -> Commitment:
    """It does not take place, or never was. The row stays, with the reason."""
    act.need("groups.seat")
    row = act.session.get(Commitment, commitment_id)
    if row is None:
        raise NotFound("There is no such entry.")
    stay = stay_here(act, row.reception_id, "groups.commitment_opened")
    _end(act, row, reason)
    act.note("groups.commitment_ended", patient_id=stay.patient_id, commitment=row.id)
    return row
