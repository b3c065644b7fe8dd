"""Group sessions of a prison, the seats in them, the plans of them, and what decides who may sit.

The database alone decides (migration create_groups): `group_hold_no_overlap`, no two standing holds
of one room or member of staff at the same time; `group_seat_no_overlap`, no two standing seats of
one stay at the same time; `group_seat_not_on_offer`, a seat only in a published session, under its
times and within its places; `group_seat_kept_apart`, no seat beside somebody kept apart. A seat
that is written first takes the row of its session, so two at once see each other.
"""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.appointments.models import Resource
from clinic.custody.models import Reception, Wing
from clinic.db import Base, Recorded, codes_only, only_where
from clinic.staff.models import Staff
from scheduling.groups import ESTATES, KINDS, PLACES, RULES

ESTATE_NAMES = {
    "main": "Main",
    "vulnerable": "Vulnerable prisoners",
    "young_adult": "Young adults",
    "women": "Women",
}
LEVELS = {
    "cell": "Not in one cell",
    "cell_landing": "Not in one cell or landing",
    "cell_landing_wing": "Not in one cell, landing or wing",
}
PARTS = {"am": "Morning", "pm": "Afternoon"}
STATUSES = {
    "draft": "Draft",
    "published": "Published",
    "held": "Held",
    "cancelled": "Cancelled",
}
CANCELLED_BECAUSE = {
    "staff_absent": "Facilitator absent",
    "room_lost": "The room cannot be had",
    "regime": "Regime curtailed or lock-down",
    "too_few": "Too few people",
    "material": "The material is not valid",
    "in_error": "Planned in error",
    "other": "Another reason",
    "replanned": "Left out of a plan that was accepted",
    "plan_undone": "The plan it came with was undone",
}
RELEASED_BECAUSE = {
    "declined": "The person does not want it",
    "moved": "Moved to another session",
    "kept_apart": "Somebody they are kept apart from is there",
    "cannot_come": "The person cannot come then",
    "left": "Left the prison",
    "session_cancelled": "The session is cancelled",
    "in_error": "Seated in error",
    "other": "Another reason",
    "replanned": "Left out of a plan that was accepted",
    "plan_undone": "The plan it came with was undone",
}
SAID_BY_THE_SERVICE = frozenset({"moved", "session_cancelled", "replanned", "plan_undone"})
"""Reasons that follow from something else that was done; nobody chooses them."""
SEAT_STATES = {"offered": "Offered", "seated": "Seated", "released": "Released"}
OUTCOMES = {
    "attended": "Attended",
    "declined": "Offered and declined",
    "missed": "Missed",
}
MISSED_BECAUSE = {
    "court": "Court",
    "transfer": "Moved",
    "adjudication": "Adjudication",
    "visit": "Visit",
    "appointment": "Appointment",
    "unwell": "Unwell",
    "not_unlocked": "Not unlocked or not escorted",
    "did_not_attend": "Did not attend, no reason known",
    "other": "Another reason",
}
COMMITMENTS = {"adjudication": "Adjudication", "visit": "Social visit"}
PLAN_STATES = {
    "running": "Being worked out",
    "ready": "Ready",
    "failed": "Failed",
    "accepted": "Accepted",
    "withdrawn": "Withdrawn",
    "undone": "Accepted, then undone",
}
assert tuple(ESTATE_NAMES) == ESTATES and tuple(LEVELS) == tuple(RULES["GP-08"]["levels"])

_STANDS = "ended_at IS NULL"
_SEATED = "state <> 'released'"
_RUNNING = "state = 'running'"
_PLAIN = JSON(none_as_null=True)


def _one_standing(name: str, *columns: str) -> Index:
    return Index(name, *columns, unique=True, info=only_where(_STANDS))


class _Ends(Recorded):
    """Something that stands until somebody ends it, with a reason. Never changed otherwise."""

    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_reason: Mapped[str | None]


class GroupMaterial(_Ends, Base):
    """Material of a topic, validated under PSO 4350; both days included, no last day: open."""

    __tablename__ = "group_material"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR validated_on <= valid_until", name="dates"),
        Index("ix_group_material_site_topic", "site_id", "topic"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    topic: Mapped[str]
    title: Mapped[str]
    edition: Mapped[str]
    validated_on: Mapped[date]
    valid_until: Mapped[date | None]
    validated_by: Mapped[str]


class RegimeBlock(_Ends, Base):
    """A half-day of the regime on a weekday (Monday is 1) from a day on; neither time: no groups.

    The standing row with the latest first day counts. A half-day without any keeps GP-05.
    """

    __tablename__ = "regime_block"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("(starts IS NULL) = (ends IS NULL)", name="both"),
        CheckConstraint("starts IS NULL OR starts < ends", name="times"),
        codes_only("part", PARTS),
        _one_standing("uq_regime_block_standing", "site_id", "weekday", "part", "from_on"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    weekday: Mapped[int]
    part: Mapped[str]
    starts: Mapped[time | None]
    ends: Mapped[time | None]
    from_on: Mapped[date]


class GroupFacilitator(_Ends, Base):
    """Who leads which topics at a prison, as whom (GP-04); `a_week` None: no limit."""

    __tablename__ = "group_facilitator"
    __table_args__ = (
        codes_only("kind", KINDS),
        CheckConstraint("a_week IS NULL OR a_week > 0", name="a_week"),
        _one_standing("uq_group_facilitator_standing", "site_id", "staff_id"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str]
    topics: Mapped[list[str]]
    a_week: Mapped[int | None]

    staff: Mapped["Staff"] = relationship(foreign_keys=[staff_id])


class EstatePlacement(_Ends, Base):
    """Of which estate somebody is in this stay (GP-07). None standing: not known."""

    __tablename__ = "estate_placement"
    __table_args__ = (
        codes_only("estate", ESTATES),
        _one_standing("uq_estate_placement_standing", "reception_id"),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    estate: Mapped[str]


class NonAssociation(_Ends, Base):
    """Two people kept apart, at any level out of one group (GP-08). The lower id comes first.

    It holds at every prison and for every record of either person.
    """

    __tablename__ = "non_association"
    __table_args__ = (
        CheckConstraint("one_id < other_id", name="pair"),
        codes_only("level", LEVELS),
        _one_standing("uq_non_association_standing", "one_id", "other_id"),
        Index("ix_non_association_other_id", "other_id"),
    )

    one_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    level: Mapped[str]
    reason: Mapped[str]


class GroupSession(Recorded, Base):
    """One group at a time and in a room. Its times and its estate never change: another session."""

    __tablename__ = "group_session"
    __table_args__ = (
        codes_only("status", STATUSES),
        codes_only("estate", ESTATES),
        CheckConstraint("starts_at < ends_at", name="times"),
        CheckConstraint(f"places BETWEEN 1 AND {PLACES}", name="places"),
        CheckConstraint("carat_id <> clinical_id", name="two_people"),
        CheckConstraint(
            "(status = 'cancelled') = (cancelled_because IS NOT NULL)", name="cancelled"
        ),
        Index("ix_group_session_site_starts", "site_id", "starts_at"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    topic: Mapped[str]
    material_id: Mapped[int] = mapped_column(ForeignKey("group_material.id"))
    room_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    carat_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    clinical_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    places: Mapped[int]
    estate: Mapped[str]
    runs_on_bank_holiday: Mapped[bool]
    status: Mapped[str]
    cancelled_because: Mapped[str | None]
    pinned: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column()

    material: Mapped["GroupMaterial"] = relationship()
    room: Mapped["Resource"] = relationship()
    carat: Mapped["Staff"] = relationship(foreign_keys=[carat_id])
    clinical: Mapped["Staff"] = relationship(foreign_keys=[clinical_id])

    __mapper_args__ = {"version_id_col": version}


class GroupEvent(Recorded, Base):
    """A step in the history of a session: what was done, and how it stood after it. Never changed."""

    __tablename__ = "group_event"

    session_id: Mapped[int] = mapped_column(ForeignKey("group_session.id"), index=True)
    verb: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str | None]
    state: Mapped[dict[str, Any]]
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("group_plan.id"), index=True)


class GroupHold(Base):
    """The time of a room or a member of staff that a session takes, a draft's too."""

    __tablename__ = "group_hold"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="times"),
        Index("ix_group_hold_resource_starts", "resource_id", "starts_at"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("group_session.id"), index=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    needed_as: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class GroupSeat(Recorded, Base):
    """One stay's seat in a session, with the session's times. Released, never deleted.

    `offered`: the person was asked and has not said yes; it takes a seat all the same. `pinned`:
    staff want it kept, whatever is planned anew. `plan_id`, `released_by_plan_id`: the plan whose
    acceptance gave it or took it away.
    """

    __tablename__ = "group_seat"
    __table_args__ = (
        CheckConstraint(f"number BETWEEN 1 AND {PLACES}", name="number"),
        codes_only("state", SEAT_STATES),
        CheckConstraint(
            "(state = 'released') = (released_because IS NOT NULL)", name="released"
        ),
        Index(
            "uq_group_seat_number", "session_id", "number", unique=True,
            info=only_where(_SEATED),
        ),
        Index(
            "uq_group_seat_person", "session_id", "reception_id", unique=True,
            info=only_where(_SEATED),
        ),
        Index("ix_group_seat_reception_starts", "reception_id", "starts_at"),
    )  # fmt: skip

    session_id: Mapped[int] = mapped_column(ForeignKey("group_session.id"))
    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    number: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[str]
    pinned: Mapped[bool]
    released_because: Mapped[str | None]
    released_at: Mapped[datetime | None]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("group_plan.id"), index=True)
    released_by_plan_id: Mapped[int | None] = mapped_column(ForeignKey("group_plan.id"), index=True)

    session: Mapped["GroupSession"] = relationship()
    reception: Mapped["Reception"] = relationship()


class GroupAttendance(_Ends, Base):
    """What became of a seat. A correction ends this row and adds another.

    `delivery_id`: the entry of the stay it made; none for a session that was missed.
    """

    __tablename__ = "group_attendance"
    __table_args__ = (
        codes_only("outcome", OUTCOMES),
        CheckConstraint("(outcome = 'missed') = (missed_because IS NOT NULL)", name="missed"),
        CheckConstraint("(outcome = 'missed') = (delivery_id IS NULL)", name="delivery"),
        _one_standing("uq_group_attendance_standing", "seat_id"),
    )

    seat_id: Mapped[int] = mapped_column(ForeignKey("group_seat.id"))
    outcome: Mapped[str]
    missed_because: Mapped[str | None]
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))


class Commitment(_Ends, Base):
    """An adjudication or a social visit: where somebody must be, or wants to be, instead of a group.

    A correction ends this row and adds another. Court, moves and appointments have rows of their own.
    """

    __tablename__ = "commitment"
    __table_args__ = (
        codes_only("kind", COMMITMENTS),
        CheckConstraint("starts_at < ends_at", name="times"),
        Index("ix_commitment_reception_starts", "reception_id", "starts_at"),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    kind: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class GroupPlan(Recorded, Base):
    """A plan of 28 days of groups: asked for, worked out by a process of its own, accepted or not.

    `alive_until`: the process says so again and again that it is at work; past it, it has died
    (`stands`). `known`: a digest of every fact it was worked out from, by kind and id. `pins`: what
    had to be kept beside the pins that stand. `result`: what was found (plan_results.py), never
    changed. `applied`: what accepting it did that its rows do not say.
    """

    __tablename__ = "group_plan"
    __table_args__ = (
        codes_only("state", PLAN_STATES),
        CheckConstraint("(state IN ('accepted', 'undone')) = (accepted_at IS NOT NULL)",
                        name="accepted"),
        CheckConstraint("(state = 'undone') = (undone_at IS NOT NULL)", name="undone"),
        CheckConstraint("(state = 'failed') = (failed_because IS NOT NULL)", name="failed"),
        Index(
            "uq_group_plan_running", "site_id", unique=True,
            info=only_where(_RUNNING),
        ),
        Index("ix_group_plan_site", "site_id", "id"),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    wing_id: Mapped[int | None] = mapped_column(ForeignKey("wing.id"))
    first_on: Mapped[date]
    last_on: Mapped[date]
    based_on_id: Mapped[int | None] = mapped_column(ForeignKey("group_plan.id"))
    pins: Mapped[list[Any]] = mapped_column(JSON)
    weights: Mapped[dict[str, Any]]
    state: Mapped[str]
    began_at: Mapped[datetime | None]
    alive_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    progress: Mapped[dict[str, Any] | None] = mapped_column(_PLAIN)
    known: Mapped[dict[str, Any] | None] = mapped_column(_PLAIN)
    result: Mapped[dict[str, Any] | None] = mapped_column(_PLAIN)
    failed_because: Mapped[str | None]
    applied: Mapped[dict[str, Any] | None] = mapped_column(_PLAIN)
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    undone_reason: Mapped[str | None]

    wing: Mapped["Wing | None"] = relationship()

    def stands(self, at: datetime) -> str:
        """Its state at this moment: a plan whose process fell silent has failed, by the clock."""
        if self.state == "running" and self.alive_until < at:
            return "failed"
        return self.state


class PlannerWeights(Recorded, Base):
    """What this prison's plans weigh, from a day on (GP-15). Empty: the defaults again.

    Of rows for one day the later one counts; none is changed.
    """

    __tablename__ = "planner_weights"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    weights: Mapped[dict[str, Any]]
    from_on: Mapped[date]
    reason: Mapped[str]


class GroupPlanPin(_Ends, Base):
    """What staff want kept of a plan that is not accepted: this person in this session of it.

    `session_nth`: its place in the plan's result. It counts once a new plan is made from this one.
    """

    __tablename__ = "group_plan_pin"
    __table_args__ = (
        _one_standing("uq_group_plan_pin_standing", "plan_id", "reception_id", "session_nth"),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("group_plan.id"))
    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    session_nth: Mapped[int]
