"""Who passed a soft block to give somebody a place, which, and why? Added to and never changed."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Recorded


class BookingOverride(Recorded, Base):
    """One block passed for one visit. `waited_days`: the person's wait with that place, if any."""

    __tablename__ = "booking_override"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), index=True)
    block: Mapped[str]
    reason: Mapped[str]
    note: Mapped[str]
    waited_days: Mapped[int | None]
