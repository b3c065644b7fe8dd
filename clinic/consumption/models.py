"""What became of each dose. Added to, never overwritten (clinic/turns.py)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Micrograms
from clinic.turns import Strikable, struck_whole

OUTCOMES = {
    "taken": "Taken, all of it",
    "part": "Taken in part",
    "not_taken": "Not taken: did not come, or was withheld",
    "refused": "Refused by the patient",
}
SWALLOWED = ("taken", "part")
SUPERVISION = {"supervised": "Supervised", "take_home": "Taken at home"}


class DoseEvent(Strikable, Base):
    """What became of one dose on one London day (RP-33). `dose_mg`: what was swallowed, if any.

    `increment` numbers the doses of one drug on one day, so that none is written twice. A dose
    written as taken and then struck out still counts in that day's checks until somebody else has
    agreed that it was not taken.
    """

    __tablename__ = "dose_event"
    __table_args__ = (
        Index(
            "uq_dose_event_standing", "patient_id", "drug", "dose_on", "increment", unique=True,
            sqlite_where=text("struck_at IS NULL AND NOT elsewhere"),
            postgresql_where=text("struck_at IS NULL AND NOT elsewhere"),
        ),
        struck_whole(),
        CheckConstraint("outcome IN ('taken', 'part', 'not_taken', 'refused')", name="outcome"),
        CheckConstraint(
            "(outcome IN ('taken', 'part')) = (dose_micrograms IS NOT NULL)", name="dose_swallowed"
        ),
        CheckConstraint("dose_micrograms IS NULL OR dose_micrograms > 0", name="dose"),
        CheckConstraint("increment > 0", name="increment"),
        CheckConstraint(
            "agreed_by IS NULL OR (struck_by IS NOT NULL AND agreed_by <> struck_by)",
            name="second_person",
        ),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("dose_decision.id"), index=True)
    product: Mapped[str]
    drug: Mapped[str]
    dose_on: Mapped[date]
    increment: Mapped[int]
    outcome: Mapped[str]
    dose_mg: Mapped[Decimal | None] = mapped_column("dose_micrograms", Micrograms)
    consumed_at: Mapped[datetime]
    supervision: Mapped[str | None]
    elsewhere: Mapped[bool]
    place: Mapped[str | None]
    observer: Mapped[str | None]
    note: Mapped[str | None]
    agreed_at: Mapped[datetime | None]
    agreed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
