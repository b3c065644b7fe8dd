"""Places that became free again, and to whom each was offered until when.

Two guards stand in the database alone: one open task for a place (`uq_freed_place_open`), and one
standing offer of a place, and to a person (`uq_place_offer_standing`, `uq_place_offer_person`).
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, only_where
from clinic.turns import Strikable, struck_whole

FREED_BECAUSE = {
    "cancelled": "The visit there was cancelled",
    "moved": "The visit there was moved",
    "lapsed": "The hold on it lapsed",
    "let_go": "The hold on it was let go",
    "given_back": "The hours were given back",
}
ANSWERS = {"accepted": "Accepted", "declined": "Said no"}
_STANDING = "answer IS NULL AND lapsed_at IS NULL AND struck_at IS NULL"


class FreedPlace(Base):
    """One task: somebody gave this place up and it may be given to somebody who waits.

    Whether it is still to be had is asked anew each time (clinic/appointments/waiting.py): a place
    taken meanwhile needs nobody to close its task. `superseded_at`: freed once more since.
    """

    __tablename__ = "freed_place"
    __table_args__ = (
        Index(
            "uq_freed_place_open", "site_id", "doctor_id", "worker_id", "starts_at", unique=True,
            info=only_where("superseded_at IS NULL"),
        ),
        Index("ix_freed_place_site_starts", "site_id", "starts_at"),
        CheckConstraint("starts_at < ends_at", name="times"),
        CheckConstraint(
            "because IN ('cancelled', 'moved', 'lapsed', 'let_go', 'given_back')", name="because"
        ),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    because: Mapped[str]
    freed_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class PlaceOffer(Strikable, Base):
    """A freed place offered to somebody until a moment. It holds nothing: the booking does.

    Recorded when and by whom it was offered. `reason`: why not to the first in order. An offer
    nobody answered lapses by the clock; `lapsed_at` is written by whoever next offers.
    """

    __tablename__ = "place_offer"
    __table_args__ = (
        Index(
            "uq_place_offer_standing", "freed_place_id", unique=True,
            info=only_where(_STANDING),
        ),
        Index(
            "uq_place_offer_person", "referral_id", unique=True,
            info=only_where(_STANDING),
        ),
        struck_whole(),
        CheckConstraint("answer IN ('accepted', 'declined')", name="answer"),
        CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
            name="answered",
        ),
    )  # fmt: skip

    freed_place_id: Mapped[int] = mapped_column(ForeignKey("freed_place.id"), index=True)
    referral_id: Mapped[int] = mapped_column(ForeignKey("referral.id"))
    until_at: Mapped[datetime]
    reason: Mapped[str | None]
    lapsed_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    note: Mapped[str | None]
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"))

    def stands(self, at: datetime) -> bool:
        """May it still be said yes to at this moment?"""
        unanswered = self.answer is None and self.struck_at is None
        return unanswered and self.lapsed_at is None and at < self.until_at

    def standing(self, at: datetime) -> str:
        """One word: offered, accepted, declined, lapsed or taken_back."""
        if self.struck_at is not None:
            return "taken_back"
        return self.answer or ("offered" if self.stands(at) else "lapsed")
