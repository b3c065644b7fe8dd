"""Why a keyworker was changed, and who looks after whose people while somebody is away.

Who is whose keyworker is an `Allocation` (clinic/patients): one row a person and keyworker.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Dated, Recorded, codes_only, only_where
from scheduling.keyworkers import CHANGES

CHANGE_WORDS = {
    "left_the_post": "The keyworker left this team or post",
    "long_absence": "The keyworker is away for long",
    "caseload": "The keyworker carries too many people",
    "asked_by_patient": "The patient asked for it",
    "safety": "Safety or a conflict of interest",
    "language_or_sex": "Somebody of another language or sex is needed",
    "known_before": "Somebody else knows the patient already",
    "recorded_wrongly": "The wrong person was recorded",
    "other": "Another reason",
}
assert tuple(CHANGE_WORDS) == CHANGES, "every code of KW-04 has its words"


class KeyworkerChange(Recorded, Base):
    """Why one keyworker took the place of another. The allocation is the new one's."""

    __tablename__ = "keyworker_change"
    __table_args__ = (codes_only("code", CHANGE_WORDS),)

    allocation_id: Mapped[int] = mapped_column(ForeignKey("allocation.id"), unique=True)
    code: Mapped[str]


class KeyworkerCeiling(Recorded, Base):
    """How many people a keyworker of this prison carries at the most, from a day on (KW-05).

    `most` None: the default again. Of rows for one day the later one counts; none is changed.
    """

    __tablename__ = "keyworker_ceiling"
    __table_args__ = (CheckConstraint("most IS NULL OR most > 0", name="most"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    most: Mapped[int | None]
    from_on: Mapped[date]
    reason: Mapped[str]


class KeyworkerCover(Dated, Recorded, Base):
    """A colleague looks after all of a keyworker's people, both days included.

    A change is a withdrawal and a new row.
    """

    __tablename__ = "keyworker_cover"
    __table_args__ = (
        CheckConstraint("staff_id <> cover_id", name="somebody_else"),
        CheckConstraint("to_on IS NOT NULL AND from_on <= to_on", name="days"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_with_reason"
        ),
        Index(
            "uq_keyworker_cover_standing", "site_id", "staff_id", "from_on", unique=True,
            info=only_where("withdrawn_at IS NULL"),
        ),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    cover_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    withdrawn_reason: Mapped[str | None]
