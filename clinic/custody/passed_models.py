"""Moves of a stay that were followed by another: what a second move within 28 days leaves behind."""

from datetime import date, datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Recorded


class PassedMove(Recorded, Base):
    """One move within a stay, once they have moved on from where it led, or come back from it.

    The stay then belongs to the prison it led to (`reception.site_id`), and the next move is its
    `Transfer`. `from_site_id`, `to_site_id` None: a prison that is no site here. `known_from`: the
    version of the timetable that first knew of it. `steps_since`: what a move asks for (TT-18) counts
    for this one where it was recorded from then on. Never changed.
    """

    __tablename__ = "passed_move"

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    transfer_id: Mapped[int | None] = mapped_column(ForeignKey("transfer.id"), index=True)
    from_site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    from_prison: Mapped[str]
    from_nation: Mapped[str]
    to_site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"), index=True)
    to_prison: Mapped[str]
    booked_on: Mapped[date]
    moved_at: Mapped[datetime]
    steps_since: Mapped[datetime | None]
    known_from: Mapped[int]
