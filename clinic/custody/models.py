"""A stay in custody, the facts its timetable is worked out from, and every timetable it has had.

A fact is never overwritten. Each row says with which version of the timetable it came to be known
(`known_from`) and from which on it no longer stood (`known_until`), so the facts of any version
can be read back exactly as they were, whatever was corrected later.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship
from sqlalchemy.schema import SchemaItem

from clinic.db import Base, Dated, Recorded, codes_only, only_where
from clinic.patients.models import Patient
from clinic.patients.queries import Where
from clinic.sites.models import Site
from scheduling.custody_request import (
    DAY_AFTER_RECEPTION_IS_DAY_1,
    RECEPTION_IS_DAY_1,
    TOPICS,
)
from scheduling.phases import COMPLETION_DAY

DAY_COUNTS = {
    RECEPTION_IS_DAY_1: "The day of reception is day 1",
    DAY_AFTER_RECEPTION_IS_DAY_1: "The day after reception is day 1",
}
SCREENINGS = {
    "positive": "Positive: drug misuse found",
    "negative": "Negative: no drug misuse found",
    "not_done": "Not done yet",
}
PARTIES = {
    "healthcare": "Healthcare",
    "carat": "CARAT team",
    "patient": "The patient",
    "cjit": "Community team (CJIT)",
}
DELIVERY_OUTCOMES = {"delivered": "Delivered", "declined": "Offered and declined"}
MODES = {"group": "In a group", "one_to_one": "One to one"}
HEARING_OUTCOMES = {"returned": "Came back", "released": "Released from court"}
WAYS_OUT = {
    "court": "Released from court",
    "release": "Released from this prison",
    "transfer": "Moved to another prison",
    "died": "Died",
}
PLACES_APART = {
    "segregation": "Segregation",
    "healthcare": "Prison healthcare unit",
    "hospital": "Outside hospital",
    "other": "Other",
}
WHO_SAID = {
    "paper_file": "The paper file that came with them",
    "escort_record": "The escort record (PER)",
    "prison": "The prison they came from",
    "court_papers": "Warrant or court papers",
    "patient": "The patient",
}
"""Who says since when somebody is in custody, or what was done at the prison they came from."""
SUITABILITIES = {"group": "Groups", "one_to_one": "One to one only"}

_STANDING = "known_until IS NULL"


class Reception(Recorded, Base):
    """One arrival in custody, and what became of it. Its details are in `ReceptionDetail`.

    `version` moves with everything recorded about the stay: it is the ETag, and keeps two people
    from changing the stay at once. `left_at` follows the exit that stands, so that the people in
    custody now can be found without reading every stay there has been. `calendar_seen`: the holiday
    lists its dates were last planned from or found unmoved by; None while nothing is planned.
    `day_count`, `completion_day`: as the prison had them on the day of reception (TT-01, PH-08).
    """

    __tablename__ = "reception"
    __table_args__ = (
        Index(
            "uq_reception_in_custody", "patient_id", "site_id", unique=True,
            info=only_where("left_at IS NULL AND undone_at IS NULL"),
        ),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_reason IS NULL)", name="undone_with_reason"
        ),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    day_count: Mapped[str]
    completion_day: Mapped[int] = mapped_column(server_default=str(COMPLETION_DAY))
    plan_made_on: Mapped[date]
    left_at: Mapped[datetime | None]
    calendar_seen: Mapped[str | None] = mapped_column(index=True)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    undone_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column()
    changed_at: Mapped[datetime]
    changed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    changed_what: Mapped[str]

    patient: Mapped["Patient"] = relationship()
    site: Mapped["Site"] = relationship()

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class Fact(Recorded):
    """Something a timetable may know. A correction strikes this row out and adds another.

    `known_from`, `known_until`: versions of the timetable, the first included, the second not.
    """

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    known_from: Mapped[int]
    known_until: Mapped[int | None]
    struck_at: Mapped[datetime | None]
    struck_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    struck_reason: Mapped[str | None]

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem, ...]:
        return (
            CheckConstraint(
                "(known_until IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
            ),
            *cls.more_constraints(),
        )

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return ()


def _one_standing(table: str) -> Index:
    return Index(
        f"uq_{table}_standing", "reception_id", unique=True,
        info=only_where(_STANDING),
    )  # fmt: skip


class ReceptionDetail(Fact, Base):
    """When they arrived and what was asked then. None: not asked, never assumed.

    `came_from`: the prison outside this system they came from, `came_from_nation` where it is; None
    for somebody who came into custody here. `first_received_on`: the London day on which they were
    first received into custody, `first_received_at` the moment where it is known and `count_said_by`
    who says so; None: not known, and the count of days cannot be told. `told_on`: the day this prison
    learnt of the move. `keyworker_there`: by name, as told.
    """

    __tablename__ = "reception_detail"

    received_at: Mapped[datetime]
    came_from: Mapped[str | None]
    came_from_nation: Mapped[str | None]
    told_on: Mapped[date | None]
    first_received_on: Mapped[date | None]
    first_received_at: Mapped[datetime | None]
    count_said_by: Mapped[str | None]
    keyworker_there: Mapped[str | None]
    screening: Mapped[str]
    heightened_risk: Mapped[bool | None]
    ppo: Mapped[bool | None]
    group_suitability: Mapped[str | None]
    needs_post_28_programme: Mapped[bool | None]

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (
            _one_standing("reception_detail"),
            Index(
                "ix_reception_detail_uncounted", "reception_id",
                info=only_where(
                    "came_from IS NOT NULL AND first_received_on IS NULL AND known_until IS NULL"
                ),
            ),
            codes_only("screening", SCREENINGS),
        )  # fmt: skip

    @property
    def count_unknown(self) -> bool:
        """Can nobody say which day of custody it is?"""
        return self.came_from is not None and self.first_received_on is None


class Hearing(Fact, Base):
    """A court hearing. Whatever its outcome, it stays a day they might not come back from."""

    __tablename__ = "hearing"

    starts_at: Mapped[datetime]
    known_at: Mapped[datetime]
    court: Mapped[str | None]
    outcome: Mapped[str | None]


class KnownRelease(Fact, Base):
    """The day they will walk out, after any weekend or Friday rule."""

    __tablename__ = "known_release"

    on: Mapped[date]
    known_at: Mapped[datetime]

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (_one_standing("known_release"),)


class Transfer(Fact, Base):
    """A planned move to another prison. `receiving_site_id` None: a prison that is not a site here."""

    __tablename__ = "transfer"

    on: Mapped[date]
    booked_on: Mapped[date]
    receiving_site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    receiving_prison: Mapped[str]
    nation: Mapped[str]
    prescriber_cover: Mapped[bool | None]

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (_one_standing("transfer"),)


class Exit(Fact, Base):
    """They left, and how."""

    __tablename__ = "custody_exit"

    at: Mapped[datetime]
    how: Mapped[str]

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (_one_standing("custody_exit"), codes_only("how", WAYS_OUT))


class Unavailable(Fact, Base):
    """Days, both ends included, on which they cannot come to a group; no end: still so."""

    __tablename__ = "unavailable"

    from_on: Mapped[date]
    to_on: Mapped[date | None]
    place: Mapped[str]

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (codes_only("place", PLACES_APART),)


class Wing(Recorded, Base):
    """A part of a prison where people live, as staff call it. A closed one takes nobody new."""

    __tablename__ = "wing"
    __table_args__ = (
        Index(
            "uq_wing_open", "site_id", "name", unique=True,
            info=only_where("closed_at IS NULL"),
        ),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    name: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class Location(Fact, Base):
    """On which wing they live, from a moment until the next row says otherwise.

    It moves no date of the timetable. `cell` None: not recorded.
    """

    __tablename__ = "location"

    wing_id: Mapped[int] = mapped_column(ForeignKey("wing.id"), index=True)
    cell: Mapped[str | None]
    from_at: Mapped[datetime]

    wing: Mapped["Wing"] = relationship(lazy="joined", innerjoin=True)

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (
            Index(
                "uq_location_moment", "reception_id", "from_at", unique=True,
                info=only_where(_STANDING),
            ),
        )  # fmt: skip

    @property
    def says(self) -> str:
        """Wing and cell, as staff say it: "B, cell 2-14"."""
        return Where(self.wing.name, self.cell).says


class Delivery(Fact, Base):
    """Something done for them, or offered and declined. A joint care plan has one row an agreement.

    `by`: the parties taking part; `done_by`: the member of staff who did it. `explained`: of a first
    keywork session, were IDTS and the treatment there is in custody explained (PS-14)?
    """

    __tablename__ = "delivery"

    item: Mapped[str]
    for_on: Mapped[date | None]
    done_at: Mapped[datetime]
    by: Mapped[list[str]]
    done_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str]
    topic: Mapped[str | None]
    mode: Mapped[str | None]
    note: Mapped[str | None]
    explained: Mapped[bool | None]

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (codes_only("outcome", DELIVERY_OUTCOMES),)


class ReportedElsewhere(Fact, Base):
    """Something done at the prison outside this system they came from, as the file or somebody says.

    It is shown as reported and never among what was recorded here. `on` None: nobody says when, and
    it counts for nothing until somebody does. `by`: the parties taking part, as reported.
    """

    __tablename__ = "reported_elsewhere"

    item: Mapped[str]
    on: Mapped[date | None]
    by: Mapped[list[str]]
    outcome: Mapped[str]
    topic: Mapped[str | None]
    mode: Mapped[str | None]
    said_by: Mapped[str]
    note: Mapped[str | None]

    @classmethod
    def more_constraints(cls) -> tuple[SchemaItem, ...]:
        return (
            codes_only("outcome", DELIVERY_OUTCOMES),
            codes_only("said_by", WHO_SAID),
            codes_only("mode", MODES),
        )


class Timetable(Base):
    """One version of somebody's 28 days, as it was worked out and saved. Never changed.

    `made_by` None: the service itself, in a sweep. `because`: what was recorded that made this
    version. `elsewhere`: what was read from outside the stay's own rows (calendars, earlier
    stays), as it stood at `made_at`. `moved`: how many dates differ from the version before; None
    for versions older than this was counted.
    """

    __tablename__ = "timetable"
    __table_args__ = (UniqueConstraint("reception_id", "version"),)

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    version: Mapped[int]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    plan_made_on: Mapped[date]
    calendar_version: Mapped[str]
    because: Mapped[str]
    elsewhere: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any]]
    moved: Mapped[int | None]

    items: Mapped[list["TimetableItem"]] = relationship(order_by="TimetableItem.place")


class TimetableItem(Base):
    """One duty of a timetable, laid out so that a worklist is read by deadline alone.

    `deadline`: the instant it is late from; None for a duty that is not required. `state` is open,
    done, not_required or closed_left, and superseded once a later version took its place.
    `clock_elsewhere`: it fell due at a prison outside this system, whose clock it is; what is not
    known to be done is done here all the same.
    """

    __tablename__ = "timetable_item"
    __table_args__ = (
        UniqueConstraint("timetable_id", "place"),
        Index(
            "ix_timetable_item_open", "site_id", "deadline",
            info=only_where("state = 'open'"),
        ),
        codes_only("state", ("open", "done", "not_required", "closed_left", "superseded")),
    )  # fmt: skip

    timetable_id: Mapped[int] = mapped_column(ForeignKey("timetable.id"))
    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    place: Mapped[int]
    rule: Mapped[str]
    item: Mapped[str]
    for_on: Mapped[date | None]
    owner: Mapped[str]
    escalate_to: Mapped[str | None]
    hard: Mapped[bool]
    due_on: Mapped[date | None]
    due_at: Mapped[datetime | None]
    deadline: Mapped[datetime | None]
    amber_from: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    state: Mapped[str]
    clock_elsewhere: Mapped[bool] = mapped_column(server_default=false())


class DayCountChoice(Dated, Recorded, Base):
    """How a prison numbers the days, from which day of reception on."""

    __tablename__ = "day_count_choice"
    __table_args__ = (codes_only("day_count", DAY_COUNTS),)

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    day_count: Mapped[str]
    reason: Mapped[str]


class CompletionChoice(Recorded, Base):
    """On which day of custody completion begins at a prison, from which day of reception on (PH-08).

    Of rows for one day the later one counts; none is changed.
    """

    __tablename__ = "completion_choice"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    begins: Mapped[int]
    from_on: Mapped[date]
    reason: Mapped[str]


TOPIC_NAMES = {
    "harm_reduction": "Harm reduction, overdose, safer injecting, blood-borne viruses",
    "drug_awareness": "Basic drug awareness",
    "crack": "Crack",
    "alcohol": "Alcohol",
    "relapse_prevention": "Relapse prevention",
    "motivation_to_change": "Motivation to change",
    "relaxation": "Relaxation",
    "health_promotion": "Health promotion",
}
assert tuple(TOPIC_NAMES) == TOPICS, "every topic of the contract has its words"
