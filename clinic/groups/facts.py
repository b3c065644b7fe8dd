"""What may the checks know? Rows of a prison -> GroupFacts. What a plan knows beside: plan_facts.py."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, time, timedelta

from sqlalchemy import ColumnElement, exists, or_, select

from clinic.act import Act
from clinic.appointments.models import Resource, StaffLeave, Visit, VisitHold
from clinic.calendars import working_days
from clinic.custody import facts as custody_facts
from clinic.custody import timetables
from clinic.custody.models import Hearing, KnownRelease, Reception, Transfer, Unavailable
from clinic.groups.models import (
    Commitment,
    EstatePlacement,
    GroupFacilitator,
    GroupMaterial,
    GroupSeat,
    GroupSession,
    NonAssociation,
    RegimeBlock,
)
from clinic.patients.queries import records_of, same_person
from clinic.sites.models import Site
from dosing.days import at_london, days_between, end_of, london_day, start_of
from scheduling.groups import (
    PLACES,
    RULES,
    Away,
    Block,
    Facilitator,
    GroupFacts,
    Material,
    Person,
    Room,
    Seat,
    Session,
    Week,
)

STANDING = ("draft", "published", "held")


def standing_sessions(act: Act, site_id: int, first_on: date, last_on: date) -> list[GroupSession]:
    """Every session of the prison in these days that is not cancelled, in time order."""
    return list(
        act.session.scalars(
            select(GroupSession)
            .where(
                GroupSession.site_id == site_id,
                GroupSession.status.in_(STANDING),
                GroupSession.starts_at >= start_of(first_on),
                GroupSession.starts_at < end_of(last_on),
            )
            .order_by(GroupSession.starts_at, GroupSession.id)
        )
    )


def standing_seats(act: Act, session_ids: Collection[int]) -> list[GroupSeat]:
    """The seats taken in these sessions, by number."""
    return list(
        act.session.scalars(
            select(GroupSeat)
            .where(GroupSeat.session_id.in_(session_ids), GroupSeat.state != "released")
            .order_by(GroupSeat.session_id, GroupSeat.number)
        )
    )


def as_session(row: GroupSession) -> Session:
    return Session(
        id=row.id, topic=row.topic, estate=row.estate, starts_at=row.starts_at,
        ends_at=row.ends_at, room_id=row.room_id, carat_id=row.carat_id,
        clinical_id=row.clinical_id, places=row.places, published=row.status == "published",
        pinned=row.pinned, runs_on_bank_holiday=row.runs_on_bank_holiday,
    )  # fmt: skip


def group_facts(
    act: Act, first_on: date, last_on: date, receptions: Iterable[Reception] = ()
) -> GroupFacts:
    """All that is known of this prison's groups in these days, and of these people."""
    assert act.site_id is not None
    site = act.session.get_one(Site, act.site_id)
    rows = standing_sessions(act, site.id, first_on, last_on)
    stays = list(receptions)
    calendar = working_days(act.session, site)
    here = {stay.id for stay in stays}
    return GroupFacts(
        blocks=tuple(_blocks(act, site.id, first_on, last_on)),
        working_days=frozenset(
            on for on in days_between(first_on, last_on) if calendar.is_working_day(on)
        ),
        people=tuple(person_of(act, stay, last_on) for stay in stays),
        facilitators=tuple(_facilitators(act, site.id, first_on, last_on)),
        rooms=tuple(_rooms(act, site.id, first_on, last_on)),
        materials=tuple(_materials(act, site.id)),
        apart=apart_of(act, stays),
        sessions=tuple(as_session(row) for row in rows),
        seats=tuple(
            Seat(seat.session_id, seat.reception_id, seat.pinned)
            for seat in standing_seats(act, [row.id for row in rows])
            if seat.reception_id in here
        ),
    )


def seat_facts(act: Act, stay: Reception, stays: Collection[Reception], on: date) -> GroupFacts:
    """What `may_sit` asks for: this person, and whom of these stays they are kept apart from."""
    return GroupFacts(
        blocks=(), working_days=frozenset(), people=(person_of(act, stay, on),), facilitators=(),
        rooms=(), materials=(), apart=apart_of(act, stays),
    )  # fmt: skip


def regime_rows(act: Act, site_id: int) -> list[RegimeBlock]:
    """What the prison says of its half-days, what counts last coming last."""
    return list(
        act.session.scalars(
            select(RegimeBlock)
            .where(RegimeBlock.site_id == site_id, RegimeBlock.ended_at.is_(None))
            .order_by(RegimeBlock.from_on)
        )
    )


def half_days(rows: Iterable[RegimeBlock], on: date) -> dict[str, tuple[time, time]]:
    """The half-days of one date by part: the prison's own, or those of GP-05."""
    rule = RULES["GP-05"]
    found: dict[str, tuple[time, time]] = {}
    if on.isoweekday() in rule["weekdays"]:
        found = {each["part"]: (each["starts"], each["ends"]) for each in rule["blocks"]}
    for row in rows:
        if row.weekday == on.isoweekday() and row.from_on <= on:
            if row.starts is None or row.ends is None:
                found.pop(row.part, None)
            else:
                found[row.part] = (row.starts, row.ends)
    return found


def _blocks(act: Act, site_id: int, first_on: date, last_on: date) -> Iterable[Block]:
    rows = regime_rows(act, site_id)
    for on in days_between(first_on, last_on):
        for part, (starts, ends) in half_days(rows, on).items():
            yield Block(at_london(on, starts), at_london(on, ends), part)


def _materials(act: Act, site_id: int) -> Iterable[Material]:
    rows = act.session.scalars(
        select(GroupMaterial).where(
            GroupMaterial.site_id == site_id, GroupMaterial.ended_at.is_(None)
        )
    )
    return [Material(row.topic, row.validated_on, row.valid_until) for row in rows]


def _rooms(act: Act, site_id: int, first_on: date, last_on: date) -> Iterable[Room]:
    rows = act.session.scalars(
        select(Resource).where(Resource.site_id == site_id, Resource.kind == "room")
    ).all()
    held = _visits_holding(act, [row.id for row in rows], first_on, last_on)
    for row in rows:
        away = held.get(row.id, [])
        if row.gone_on is not None and row.gone_on <= last_on:
            away = [*away, Away(start_of(row.gone_on), end_of(last_on))]
        yield Room(row.id, PLACES, row.confidential, tuple(away))


def _facilitators(act: Act, site_id: int, first_on: date, last_on: date) -> Iterable[Facilitator]:
    rows = act.session.scalars(
        select(GroupFacilitator).where(
            GroupFacilitator.site_id == site_id, GroupFacilitator.ended_at.is_(None)
        )
    ).all()
    ids = [row.staff_id for row in rows]
    resources = {
        row.id: row.staff_id
        for row in act.session.scalars(select(Resource).where(Resource.staff_id.in_(ids)))
    }
    away: dict[int, list[Away]] = {each: [] for each in ids}
    for resource_id, spans in _visits_holding(act, list(resources), first_on, last_on).items():
        away[resources[resource_id] or 0].extend(spans)
    for leave in act.session.scalars(
        select(StaffLeave).where(
            StaffLeave.staff_id.in_(ids),
            StaffLeave.withdrawn_at.is_(None),
            StaffLeave.starts_at < end_of(last_on),
            StaffLeave.ends_at > start_of(first_on),
        )
    ):
        away[leave.staff_id].append(Away(leave.starts_at, leave.ends_at))
    for row in rows:
        yield Facilitator(
            row.staff_id, row.kind, frozenset(row.topics), row.a_week, tuple(away[row.staff_id])
        )


def _visits_holding(
    act: Act, resource_ids: Collection[int], first_on: date, last_on: date
) -> dict[int, list[Away]]:
    found: dict[int, list[Away]] = {}
    for hold in act.session.scalars(
        select(VisitHold).where(
            VisitHold.resource_id.in_(resource_ids),
            VisitHold.released_at.is_(None),
            VisitHold.starts_at < end_of(last_on),
            VisitHold.ends_at > start_of(first_on),
        )
    ):
        found.setdefault(hold.resource_id, []).append(
            Away(hold.starts_at, hold.ends_at, "appointment")
        )
    return found


# -- people -------------------------------------------------------------------------------------


def estate_of(act: Act, reception_id: int) -> EstatePlacement | None:
    """Of which estate they are, as it stands; None: not known."""
    return act.session.scalar(
        select(EstatePlacement).where(
            EstatePlacement.reception_id == reception_id, EstatePlacement.ended_at.is_(None)
        )
    )


def person_of(act: Act, stay: Reception, last_on: date) -> Person:
    """This stay, as groups may know it: weeks, absences, estate. No name."""
    session = act.session
    detail = custody_facts.detail_of(session, stay)
    estate = estate_of(act, stay.id)
    topics = RULES["GP-01"]["topics"]
    return Person(
        id=stay.id,
        received_at=detail.received_at,
        estate=estate and estate.estate,
        weeks=tuple(_weeks(act, stay)),
        topics=tuple(topics),
        ppo=detail.ppo is True,
        one_to_one=detail.group_suitability == "one_to_one",
        away=tuple(away_of(act, stay, last_on)),
    )


def _weeks(act: Act, stay: Reception) -> Iterable[Week]:
    saved = timetables.current_timetable(act, stay)
    if saved is None:
        return
    release = custody_facts.row_of(act.session, KnownRelease, stay.id)
    items = {row["item"]: row for row in saved.answer["items"]}
    for block in saved.answer["weeks"]:
        item = items.get(f"groups_week_{block['week']}")
        first_on, last_on = date.fromisoformat(block["from_on"]), date.fromisoformat(block["to_on"])
        if release is not None:
            last_on = min(last_on, release.on - timedelta(days=1))
        if item is not None and first_on <= last_on:
            required = max(0, (item["required"] or 0) - (item["counted"] or 0))
            yield Week(block["week"], first_on, last_on, required, item["hard"])


def away_of(act: Act, stay: Reception, last_on: date) -> Iterable[Away]:
    """When they cannot come, and why: court, moves, commitments, visits, days apart."""
    session = act.session
    for hearing in custody_facts.rows_of(session, Hearing, stay.id):
        on = london_day(hearing.starts_at)
        yield Away(start_of(on), end_of(on), "court")
    move = custody_facts.row_of(session, Transfer, stay.id)
    if move is not None and move.receiving_site_id != act.site_id:
        yield Away(start_of(move.on), max(end_of(move.on), end_of(last_on)), "transfer")
    elif move is not None:
        yield Away(start_of(move.on), end_of(move.on), "transfer")
    for row in custody_facts.rows_of(session, Unavailable, stay.id):
        ends = end_of(max(row.from_on, row.to_on or last_on))
        yield Away(start_of(row.from_on), ends, row.place)
    for other in commitments_of(act, stay.id):
        yield Away(other.starts_at, other.ends_at, other.kind)
    for visit in session.scalars(
        select(Visit).where(
            Visit.patient_id.in_(same_person(act, stay.patient_id)), Visit.takes_time(act.at)
        )
    ):
        yield Away(visit.starts_at, visit.ends_at, "appointment")


def may_be_away(act: Act) -> ColumnElement[bool]:
    """Of a seat: is anything known that may keep its person away? `away_of` says whether it does."""
    stay, today = GroupSeat.reception_id, act.today
    ahead = (
        (Hearing, Hearing.known_until.is_(None), Hearing.starts_at >= start_of(today)),
        (Transfer, Transfer.known_until.is_(None)),
        (Unavailable, Unavailable.known_until.is_(None),
         or_(Unavailable.to_on.is_(None), Unavailable.to_on >= today)),
        (Commitment, Commitment.ended_at.is_(None), Commitment.ends_at > act.at),
    )  # fmt: skip
    visit = select(Visit.id).join(Reception, Reception.patient_id == Visit.patient_id).where(
        Reception.id == stay, Visit.ends_at > act.at, Visit.takes_time(act.at)
    )  # fmt: skip
    return or_(
        visit.exists(),
        *(exists().where(kind.reception_id == stay, *which) for kind, *which in ahead),
    )


def commitments_of(act: Act, reception_id: int) -> list[Commitment]:
    """The adjudications and social visits of a stay that stand, in time order."""
    return list(
        act.session.scalars(
            select(Commitment)
            .where(Commitment.reception_id == reception_id, Commitment.ended_at.is_(None))
            .order_by(Commitment.starts_at, Commitment.id)
        )
    )


def apart_of(act: Act, stays: Collection[Reception]) -> frozenset[frozenset[int]]:
    """The pairs of stays, both among these, whose people are kept apart."""
    by_patient: dict[int, list[int]] = {}
    for stay in stays:
        by_patient.setdefault(stay.patient_id, []).append(stay.id)
    person = records_of(act, by_patient)
    kept_apart = act.session.execute(
        select(NonAssociation.one_id, NonAssociation.other_id).where(
            NonAssociation.ended_at.is_(None),
            NonAssociation.one_id.in_(person), NonAssociation.other_id.in_(person),
        )
    )  # fmt: skip
    return frozenset(
        frozenset({one, two})
        for one_id, other_id in kept_apart
        for one in by_patient[person[one_id]]
        for two in by_patient[person[other_id]]
    )
