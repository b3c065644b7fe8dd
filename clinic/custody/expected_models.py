"""Somebody is to come from a prison outside this system, as that prison said beforehand."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.custody.models import WHO_SAID
from clinic.db import Base, codes_only, only_where
from clinic.patients.models import Patient
from clinic.turns import Strikable, struck_whole

CAME, NOT_COMING = "came", "not_coming"
ENDS = {CAME: "Received here", NOT_COMING: "Not coming"}


class ExpectedArrival(Strikable, Base):
    """Who is to come, from where and on which day, and who told of it.

    `ended_as` None: still expected. Never changed otherwise: what was wrong, and an end that was, is
    struck out and written anew. `first_received_on` and the rest as in `ReceptionDetail`.
    """

    __tablename__ = "expected_arrival"
    __table_args__ = (
        Index(
            "uq_expected_arrival_open", "patient_id", "site_id", unique=True,
            info=only_where("struck_at IS NULL AND ended_as IS NULL"),
        ),
        codes_only("ended_as", ENDS),
        codes_only("count_said_by", WHO_SAID),
        CheckConstraint("(ended_as IS NULL) = (ended_at IS NULL)", name="ended_whole"),
        struck_whole(),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    on: Mapped[date]
    told_on: Mapped[date]
    told_by: Mapped[str]
    came_from: Mapped[str]
    came_from_nation: Mapped[str]
    first_received_on: Mapped[date | None]
    first_received_at: Mapped[datetime | None]
    count_said_by: Mapped[str | None]
    keyworker_there: Mapped[str | None]
    note: Mapped[str | None]
    ended_as: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_reason: Mapped[str | None]
    reception_id: Mapped[int | None] = mapped_column(ForeignKey("reception.id"), index=True)

    patient: Mapped["Patient"] = relationship()
