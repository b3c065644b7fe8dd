"""Missed appointments and lost contact, and what was tried to reach the person (CM-26)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, only_where
from clinic.turns import Strikable, struck_whole

BEGAN = {"did_not_attend": "Did not attend", "lost_contact": "Contact lost"}
HOW = {
    "phone": "Rang them",
    "text": "Sent a text message",
    "outreach": "Went to look for them (outreach)",
    "told": "Told keyworker and referrer",
    "team": "Decided in the team",
}
OUTCOMES = {
    "reached": "Reached: spoken to them",
    "no_answer": "No answer",
    "message_left": "Message left",
    "wrong_number": "Wrong number, or it no longer works",
    "sent": "Sent",
    "not_sent": "Could not be sent",
    "not_found": "Not found",
    "told": "Told",
    "go_on": "Go on looking",
    "stop": "End the ladder",
}
FITS = {
    "phone": ("reached", "no_answer", "message_left", "wrong_number"),
    "text": ("reached", "sent", "not_sent"),
    "outreach": ("reached", "not_found", "message_left"),
    "told": ("told",),
    "team": ("go_on", "stop"),
}
REASONS = {
    "forgot": "Forgot, or had the time wrong",
    "unwell": "Unwell or in withdrawal",
    "travel": "Could not get there",
    "work_or_care": "Work, or looking after somebody",
    "custody": "In custody or at court",
    "hospital": "In hospital",
    "afraid": "Afraid of coming, or of somebody there",
    "unhappy": "Unhappy with the service",
    "not_wanted": "Does not want treatment now",
    "not_told": "Was not told of the time",
    "other": "Another reason, given in the note",
    "would_not_say": "Asked, and would not say",
}


class MissedContact(Strikable, Base):
    """Somebody missed a visit, or was lost sight of: the ladder begins. One for each visit.

    Whether it still goes on is worked out each time (clinic/appointments/missed.py). `missed_at` is
    when the visit began, or when contact was lost.
    """

    __tablename__ = "missed_contact"
    __table_args__ = (
        Index("uq_missed_contact_visit", "visit_id", unique=True),
        Index("ix_missed_contact_site", "site_id", "missed_at"),
        Index("ix_missed_contact_patient", "patient_id", "missed_at"),
        struck_whole(),
        CheckConstraint("because IN ('did_not_attend', 'lost_contact')", name="because"),
        CheckConstraint("(because = 'did_not_attend') = (visit_id IS NOT NULL)", name="visit"),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    because: Mapped[str]
    missed_at: Mapped[datetime]
    note: Mapped[str | None]


class MissedContactTry(Strikable, Base):
    """One thing tried. `reason`: why they stayed away, asked of whoever was reached.

    A call or a look by outreach is in the log of contact as well (`contact_id`).
    """

    __tablename__ = "missed_contact_try"
    __table_args__ = (
        Index(
            "uq_missed_contact_try_once", "missed_contact_id", "how", "at", unique=True,
            info=only_where("struck_at IS NULL"),
        ),
        struck_whole(),
        CheckConstraint("how IN ('phone', 'text', 'outreach', 'told', 'team')", name="how"),
        CheckConstraint("outcome <> 'reached' OR reason IS NOT NULL", name="asked_why"),
    )  # fmt: skip

    missed_contact_id: Mapped[int] = mapped_column(ForeignKey("missed_contact.id"))
    how: Mapped[str]
    at: Mapped[datetime]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
