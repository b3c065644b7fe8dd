"""Referrals, the rota, and visits with the time they hold.

Two guards stand in the database alone (migration 0004): `visit_hold_no_overlap`, no two unreleased
holds of one resource at the same time, and `visit_no_overlap_for_patient`, no two standing visits
of one patient at the same time. Commands ask first for a better sentence; the guards decide.
"""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, or_
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Dated, Recorded, only_where
from scheduling.booking import ROUTINE
from scheduling.chains import DAYS

SOURCES = {
    "self": "Self-referral",
    "arrest_referral": "Arrest referral",
    "police": "Police",
    "court": "Court",
    "probation": "Probation",
    "prison": "Prison (CARATs)",
    "gp": "GP or primary care",
    "hospital": "Hospital",
    "drug_service": "Another drug service",
    "family": "Family or somebody close",
    "other": "Another source",
}
DRUGS = {
    "heroin": "Heroin",
    "methadone": "Methadone",
    "buprenorphine": "Buprenorphine",
    "other_opioid": "Another opioid",
    "crack": "Crack",
    "cocaine": "Cocaine powder",
    "alcohol": "Alcohol",
    "benzodiazepines": "Benzodiazepines",
    "amphetamine": "Amphetamine",
    "cannabis": "Cannabis",
    "other": "Another drug",
    "not_known": "Not known yet",
}
RISKS = {"high": "High", "medium": "Medium", "low": "Low"}
SENT_TO = {
    "local_specialist": "Local specialist prescriber",
    "primary_care": "Primary care prescriber",
}
CLOSED_BECAUSE = {
    "declined": "The person does not want treatment now",
    "not_indicated": "Assessed: not indicated",
    "treated_elsewhere": "Treated elsewhere",
    "taken_by_dip": "Taken on by the drug interventions (DIP) team",
    "moved_away": "Moved away",
    "in_custody": "In custody",
    "lost_contact": "Contact lost",
    "died": "Died",
    "in_error": "Recorded in error",
}
CANCELLED_BECAUSE = {
    "unwell": "The patient is unwell",
    "cannot_come": "The patient cannot come then",
    "declined": "The patient no longer wants it",
    "in_custody": "The patient is in custody",
    "taken_by_dip": "The patient is taken on by the DIP team",
    "died": "The patient has died",
    "staff_absent": "Doctor or worker absent",
    "site_shut": "The site is shut",
    "in_error": "Booked in error",
    "other": "Another reason",
}
CANCELLED_BY = {
    "patient": "The patient",
    "service": "This service",
    "referrer": "Whoever referred",
    "other": "Somebody else",
}
RESOURCE_KINDS = {
    "room": "Room",
    "observation": "Observation place",
    "kit": "Kit",
}
ITEMS = {
    "testing_kit": "Urine or oral fluid testing kit",
    "breathalyser": "Breathalyser",
    "pregnancy_test": "Pregnancy test",
}
AWAY_BECAUSE = {
    "annual": "Annual leave",
    "sick": "Sick",
    "training": "Training",
    "other": "Another absence",
}
INDUCTION, REVIEW = "induction", "titration_review"
VISIT_KINDS = {
    INDUCTION: "Induction: assessment with doctor and drugs worker",
    REVIEW: "Titration review: day 2 or 3 of an induction",
    **ROUTINE,
}
KEPT_FOR = {"rapid": "Rapid work", "any": "Any work"}
VISIT_STATUSES = {
    "held": "Held for a few minutes",
    "booked": "Booked",
    "arrived": "Arrived",
    "did_not_attend": "Did not attend",
    "cancelled": "Cancelled",
    "let_go": "Held and let go",
}
NO_VISIT = ("held", "let_go", "cancelled")
"""Nobody came or is to come: for lists of visits that were, are or will be."""
REFERRAL_STATUSES = {"waiting": "Waiting", "seen": "Seen", "closed": "Closed"}


class Resource(Base):
    """What a visit can hold: a member of staff everywhere they work, or a room or place of a site.

    Kit is of a site as well and is held by nobody: it is at hand or missing. `item`: which one of
    the checklist. `gone_on`: the first day a thing of the site is no longer there.
    `confidential`: nobody hears what is said in this room; None: not known (GP-09).
    """

    __tablename__ = "resource"
    __table_args__ = (
        CheckConstraint("(kind = 'staff') = (staff_id IS NOT NULL)", name="staff"),
        CheckConstraint("(kind = 'staff') = (site_id IS NULL)", name="site"),
        CheckConstraint("(kind = 'kit') = (item IS NOT NULL)", name="item"),
        Index(
            "uq_resource_name", "site_id", "kind", "name", unique=True,
            info=only_where("site_id IS NOT NULL AND gone_on IS NULL"),
        ),
    )  # fmt: skip

    kind: Mapped[str]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), unique=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    name: Mapped[str | None]
    item: Mapped[str | None]
    gone_on: Mapped[date | None]
    confidential: Mapped[bool | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class ResourceChange(Recorded, Base):
    """What a room, observation place or piece of kit was before somebody changed it."""

    __tablename__ = "resource_change"

    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"), index=True)
    field: Mapped[str]
    was: Mapped[str | None]
    became: Mapped[str | None]


class RotaPattern(Dated, Recorded, Base):
    """A session of the rota, each week on a weekday (Monday is 1), in London clock time.

    One that runs on a single day may be agreed for a bank holiday. `kept_for`: what its places are
    for; `routine_from_hours`: so long before one begins a rapid one may be routine; None: never.
    """

    __tablename__ = "rota_pattern"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("starts < ends", name="times"),
        CheckConstraint("slot_minutes > 0", name="slot_minutes"),
        CheckConstraint("doctor_id <> worker_id", name="two_people"),
        CheckConstraint(
            "nurse_id IS NULL OR nurse_id NOT IN (doctor_id, worker_id)", name="nurse_apart"
        ),
        CheckConstraint("to_on IS NULL OR from_on <= to_on", name="dates"),
        CheckConstraint("NOT despite_holiday OR from_on = to_on", name="despite_holiday"),
        CheckConstraint("kept_for IN ('rapid', 'any')", name="kept_for"),
        CheckConstraint(
            "routine_from_hours IS NULL OR (routine_from_hours > 0 AND kept_for = 'rapid')",
            name="routine_from_hours",
        ),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    weekday: Mapped[int]
    starts: Mapped[time]
    ends: Mapped[time]
    slot_minutes: Mapped[int]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    worker_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    nurse_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    room_id: Mapped[int | None] = mapped_column(ForeignKey("resource.id"))
    despite_holiday: Mapped[bool]
    kept_for: Mapped[str]
    routine_from_hours: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class RotaDayOff(Recorded, Base):
    """A day on which a session of the rota is not held. Withdrawn, never deleted."""

    __tablename__ = "rota_day_off"
    __table_args__ = (
        Index(
            "uq_rota_day_off_standing", "pattern_id", "on", unique=True,
            info=only_where("withdrawn_at IS NULL"),
        ),
    )  # fmt: skip

    pattern_id: Mapped[int] = mapped_column(ForeignKey("rota_pattern.id"))
    on: Mapped[date]
    reason: Mapped[str]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class StaffLeave(Recorded, Base):
    """Somebody is away, at every site, from one instant up to another. Withdrawn, never deleted."""

    __tablename__ = "staff_leave"
    __table_args__ = (CheckConstraint("starts_at < ends_at", name="times"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class SiteOpening(Recorded, Base):
    """A site's hours on a weekday from a day on, in London clock time; neither time: shut.

    The standing row with the latest first day counts, so withdrawing one brings back the one
    before. A weekday without any is open as its sessions say.
    """

    __tablename__ = "site_opening"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="both"),
        CheckConstraint("opens IS NULL OR opens < closes", name="times"),
        Index(
            "uq_site_opening_standing", "site_id", "weekday", "from_on", unique=True,
            info=only_where("withdrawn_at IS NULL"),
        ),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    weekday: Mapped[int]
    opens: Mapped[time | None]
    closes: Mapped[time | None]
    from_on: Mapped[date]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class RotaStamp(Base):
    """One row. Its value is another after every change to what decides which places there are.

    The database changes it, whoever writes (migrations: stamp_the_rota). No value comes twice, not
    even one that was rolled back, so a rota read under it may be kept for as long as it stands.
    """

    __tablename__ = "rota_stamp"

    value: Mapped[str]


class Referral(Recorded, Base):
    """Somebody asks this site to treat a patient. The row is how it stands; its events, how it came.

    `referred_at` starts every wait. `sent_to`: the outside prescriber of a model 1 service, with
    the appointment there when it is known.
    """

    __tablename__ = "referral"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'seen', 'closed')", name="status"),
        CheckConstraint("status <> 'seen' OR seen_at IS NOT NULL", name="seen"),
        Index(
            "uq_referral_waiting", "patient_id", "site_id", unique=True,
            info=only_where("status = 'waiting'"),
        ),
        Index("ix_referral_site_status", "site_id", "status"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    received_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    referred_at: Mapped[datetime]
    source: Mapped[str]
    drugs: Mapped[list[str]]
    risk: Mapped[str | None]
    status: Mapped[str]
    seen_at: Mapped[datetime | None]
    support_at: Mapped[datetime | None]
    sent_to: Mapped[str | None]
    sent_to_name: Mapped[str | None]
    outside_at: Mapped[datetime | None]
    closed_because: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    STATE = (
        "referred_at", "source", "drugs", "risk", "status", "seen_at", "support_at", "sent_to",
        "sent_to_name", "outside_at", "closed_because",
    )  # fmt: skip


_ON_A_DAY = "chain_id IS NOT NULL AND status IN ('booked', 'arrived')"


class Visit(Recorded, Base):
    """A patient comes to a site at a time. The row is how it stands; its events, how it came.

    `ends_at`: when the patient may go; the doctor and the worker may be free sooner (its holds).
    `lapses_at`: a place only held; from that instant it counts for nothing (`stands`).
    `room_id` and `observation_id` are resources. `chain_id`, `day_number`: which day of which
    induction (chain_models.py); days 2 and 3 have their referral through the chain.
    """

    __tablename__ = "visit"
    __table_args__ = (
        CheckConstraint(
            "status IN ('held', 'booked', 'arrived', 'did_not_attend', 'cancelled', 'let_go')",
            name="status",
        ),
        CheckConstraint("(status = 'held') = (lapses_at IS NOT NULL)", name="lapses"),
        CheckConstraint("starts_at < ends_at", name="times"),
        Index(
            "uq_visit_booked_for_referral", "referral_id", "kind", unique=True,
            info=only_where("status = 'booked'"),
        ),
        Index(
            "uq_visit_held_for_patient", "patient_id", unique=True,
            info=only_where("status = 'held'"),
        ),
        Index(
            "ix_visit_lapses_at", "lapses_at",
            info=only_where("status = 'held'"),
        ),
        Index("ix_visit_site_starts", "site_id", "starts_at"),
        CheckConstraint(
            "(chain_id IS NULL) = (day_number IS NULL) AND (day_number IS NULL OR day_number > 0)",
            name="day_number",
        ),
        Index(
            "uq_visit_chain_day", "chain_id", "day_number", unique=True,
            info=only_where(_ON_A_DAY),
        ),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    referral_id: Mapped[int | None] = mapped_column(ForeignKey("referral.id"), index=True)
    kind: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    nurse_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("resource.id"))
    observation_id: Mapped[int | None] = mapped_column(ForeignKey("resource.id"))
    status: Mapped[str]
    lapses_at: Mapped[datetime | None]
    chain_id: Mapped[int | None] = mapped_column(ForeignKey("visit_chain.id"))
    day_number: Mapped[int | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    STATE = (
        "starts_at", "ends_at", "doctor_id", "worker_id", "nurse_id", "room_id", "observation_id",
        "status", "lapses_at",
    )  # fmt: skip

    @classmethod
    def lapsed(cls, at: datetime) -> ColumnElement[bool]:
        """Held, and the clock has passed it: it counts for nothing, whoever writes that down."""
        return and_(cls.status == "held", cls.lapses_at <= at)

    @classmethod
    def takes_time(cls, at: datetime) -> ColumnElement[bool]:
        """Does the patient have this time taken at this moment?"""
        return or_(
            cls.status.in_(("booked", "arrived")), and_(cls.status == "held", cls.lapses_at > at)
        )

    @property
    def day_in_words(self) -> str | None:
        """Day 2 of 3; None for a visit that is no day of a chain."""
        return None if self.day_number is None else f"Day {self.day_number} of {DAYS}"


class VisitHold(Base):
    """The time of one resource that a visit takes. Released when the visit moves or is cancelled."""

    __tablename__ = "visit_hold"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="times"),
        Index("ix_visit_hold_resource_starts", "resource_id", "starts_at"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resource.id"))
    needed_as: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    released_at: Mapped[datetime | None]


class _Event(Recorded):
    """One step of a history: what was done, when it happened, and how things stood after it."""

    verb: Mapped[str]
    at: Mapped[datetime]
    reason: Mapped[str | None]
    by_whom: Mapped[str | None]
    note: Mapped[str | None]
    state: Mapped[dict[str, Any]]


class ReferralEvent(_Event, Base):
    """A step in the history of a referral. Never changed."""

    __tablename__ = "referral_event"

    referral_id: Mapped[int] = mapped_column(ForeignKey("referral.id"), index=True)


class VisitEvent(_Event, Base):
    """A step in the history of a visit. Never changed."""

    __tablename__ = "visit_event"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
