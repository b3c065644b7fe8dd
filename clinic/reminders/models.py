"""How somebody wants to be reached, and the reminders sent to them.

The guards stand in the database: one choice in force for a patient, one reminder for each visit,
time and window (`uq_reminder_once`), and one try of each number (`uq_reminder_try_number`).
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Recorded, only_where
from scheduling.reminders import BROKEN_OFF

CHANNELS = {
    "email": "Yes, by e-mail",
    "text": "Yes, by text message",
    "none": "No: do not remind me",
}
STANDS = {
    "sent": "Sent",
    "failed": "Failed: certainly not sent",
    "unsure": "Broken off: may have been sent",
    "sending": "Being sent",
}


class ContactChoice(Recorded, Base):
    """What a patient said when asked: may we remind you, how, and in which words? By whom and when.

    Ended when withdrawn or asked anew; never changed. `needs`: what else they need to be told in
    a way that suits them, in their own words (XX-18).
    """

    __tablename__ = "contact_choice"
    __table_args__ = (
        Index(
            "uq_contact_choice_in_force", "patient_id", unique=True,
            info=only_where("ended_at IS NULL"),
        ),
        CheckConstraint("channel IN ('email', 'text', 'none')", name="channel"),
        CheckConstraint("(channel = 'none') = (address IS NULL)", name="address"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    channel: Mapped[str]
    address: Mapped[str | None]
    language: Mapped[str]
    large_print: Mapped[bool]
    needs: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_because: Mapped[str | None]


class Reminder(Base):
    """One reminder: of this visit, at this time of it, in this window. There is never a second.

    A visit moved to another time gets its own. What was said can be said again from `language` and
    `for_starts_at`.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("visit_id", "for_starts_at", "window", name="uq_reminder_once"),
        Index("ix_reminder_site", "site_id", "for_starts_at"),
    )

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    for_starts_at: Mapped[datetime]
    window: Mapped[str]
    choice_id: Mapped[int] = mapped_column(ForeignKey("contact_choice.id"))

    tries: Mapped[list["ReminderTry"]] = relationship(
        order_by="ReminderTry.number", lazy="selectin"
    )

    def stands(self, at: datetime) -> str:
        """One word: sent, failed, unsure or sending."""
        last = self.tries[-1]
        if last.outcome is not None:
            return last.outcome
        return "unsure" if at - last.intended_at > BROKEN_OFF else "sending"


class ReminderTry(Base):
    """One try of sending. Written before anything leaves, and ended when it is known what came of it.

    One never ended was broken off: it may have gone, and nothing sends it again by itself.
    `by`: whoever asked for it; None: the sweep.
    """

    __tablename__ = "reminder_try"
    __table_args__ = (
        UniqueConstraint("reminder_id", "number", name="uq_reminder_try_number"),
        CheckConstraint("outcome IN ('sent', 'failed', 'unsure')", name="outcome"),
        CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    )

    reminder_id: Mapped[int] = mapped_column(ForeignKey("reminder.id"))
    number: Mapped[int]
    intended_at: Mapped[datetime]
    by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    says: Mapped[str | None]
