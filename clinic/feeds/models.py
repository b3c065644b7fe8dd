"""Private calendar addresses, each with its secret kept as a hash alone."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Recorded

KINDS = {
    "own": "Your own bookings, at every site where you work",
    "clinic": "Every booking of this clinic",
}


class CalendarFeed(Recorded, Base):
    """An address a calendar may read. `site_id`: the clinic shown; none for one's own bookings.

    Revoked for good: a new address is made instead.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (
        CheckConstraint("kind IN ('own', 'clinic')", name="kind"),
        CheckConstraint("(kind = 'clinic') = (site_id IS NOT NULL)", name="site"),
    )

    secret_hash: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    label: Mapped[str]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
