"""Reviews of a person's dose, and contact with them. Added to, never overwritten (clinic/turns.py)."""

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base
from clinic.turns import Strikable, struck_whole

DECISIONS = {
    "start": "Start",
    "raise": "Raise",
    "hold": "Hold: the dose stays",
    "lower": "Lower",
    "withhold": "Withhold today's dose",
    "stop": "Stop the treatment",
}
SEEN = {"in_person": "Seen in person", "phone": "By phone"}
REASONS = {
    "withdrawal": "Withdrawal before the next dose",
    "using": "Still using opioids beside the dose",
    "settled": "Settled on the dose",
    "still_building": "The full effect of the last dose or rise is not reached yet",
    "sedated": "Sedated",
    "intoxicated": "Intoxicated by alcohol or other drugs",
    "missed_doses": "Doses were missed",
    "side_effects": "Side effects",
    "health": "Illness, a new medicine or an ECG",
    "patients_wish": "The patient's wish",
    "other": "Another reason, given below",
}
FITS = {
    "start": ("withdrawal", "using", "missed_doses", "patients_wish", "other"),
    "raise": ("withdrawal", "using", "patients_wish", "other"),
    "hold": (
        "settled", "still_building", "using", "missed_doses", "side_effects", "health",
        "patients_wish", "other",
    ),
    "lower": (
        "sedated", "intoxicated", "missed_doses", "side_effects", "health", "patients_wish", "other",
    ),
    "withhold": ("sedated", "intoxicated", "missed_doses", "side_effects", "health", "other"),
    "stop": (
        "sedated", "intoxicated", "missed_doses", "side_effects", "health", "patients_wish", "other",
    ),
}  # fmt: skip
"""Which reasons speak for which decision. Nothing that speaks against a dose speaks for more."""

ALLOW_A_DOSE = ("start", "raise", "hold", "lower")
CHANGE_THE_DOSE = ("start", "raise", "lower")


class TitrationReview(Strikable, Base):
    """One look at a person's dose, and what was decided (RP-35).

    `counts_until` is the last London day it counts for, that day included; `rests_on` the ids of
    the entries it rests on. A change it asks for is a prescriber's own dose decision: a review
    carries no amount.
    """

    __tablename__ = "titration_review"
    __table_args__ = (
        Index("ix_titration_review_patient", "patient_id", "reviewed_at"),
        Index("ix_titration_review_site", "site_id", "next_review_on"),
        Index("uq_titration_review_once", "patient_id", "once", unique=True),
        struck_whole(),
        CheckConstraint(
            "decision IN ('start', 'raise', 'hold', 'lower', 'withhold', 'stop')", name="decision"
        ),
        CheckConstraint("seen IN ('in_person', 'phone')", name="seen"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    once: Mapped[str | None]
    reviewed_at: Mapped[datetime]
    reviewed_on: Mapped[date]
    seen: Mapped[str]
    decision: Mapped[str]
    reason_code: Mapped[str]
    reason: Mapped[str]
    rests_on: Mapped[list[int]] = mapped_column(JSON)
    counts_until: Mapped[date]
    next_review_on: Mapped[date | None]

    @property
    def allows_a_dose(self) -> bool:
        """Does the decision leave a dose that may be given? Withheld and stopped do not."""
        return self.decision in ALLOW_A_DOSE

    @property
    def asks_for_a_decision(self) -> bool:
        """Is it for a prescriber to save a new dose decision?"""
        return self.decision in CHANGE_THE_DOSE


HOW = {
    "visit": "Seen at the service",
    "outreach": "Seen by outreach",
    "phone": "Spoken to by phone",
    "pharmacy": "A pharmacy says they were seen",
}


class Contact(Strikable, Base):
    """Contact with a person, or contact planned with them (RP-34).

    Planned for a London day (`planned_on`), or made at a moment (`happened_at`), never both.
    `reached`: whether it came about; a message left is a try, and no contact.
    """

    __tablename__ = "contact"
    __table_args__ = (
        Index("ix_contact_patient", "patient_id", "happened_at"),
        Index("uq_contact_once", "patient_id", "once", unique=True),
        struck_whole(),
        CheckConstraint("how IN ('visit', 'outreach', 'phone', 'pharmacy')", name="how"),
        CheckConstraint("(planned_on IS NULL) <> (happened_at IS NULL)", name="planned_or_made"),
        CheckConstraint("(happened_at IS NULL) = (reached IS NULL)", name="reached"),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    once: Mapped[str | None]
    how: Mapped[str]
    planned_on: Mapped[date | None]
    happened_at: Mapped[datetime | None]
    reached: Mapped[bool | None]
    note: Mapped[str | None]
