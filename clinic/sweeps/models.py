"""Each sweep's run for each day: the row that lets one scheduler, and only one, do the work."""

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from clinic.db import Base


class SweepRun(Base):
    """One sweep on one day. Whoever writes the row runs it; a lease left to lapse is taken over.

    outcome: running, done, or failed (then tried again). `did` counts what was changed.
    """

    __tablename__ = "sweep_run"
    __table_args__ = (UniqueConstraint("name", "day"),)

    name: Mapped[str]
    day: Mapped[date]
    began_at: Mapped[datetime]
    lease_until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str]
    tries: Mapped[int]
    did: Mapped[int | None]
    says: Mapped[str | None]
