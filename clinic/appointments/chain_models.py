"""Days 1, 2 and 3 of an induction as one chain, and what is arranged for days the service is shut.

One guard stands in the database alone: `uq_visit_chain_day`, one standing visit for each day of a
chain (see models.Visit).
"""

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Recorded, only_where
from clinic.turns import Strikable, struck_whole

ARRANGED = {
    "on_call_doctor": "The on-call doctor sees them",
    "pharmacy": "A pharmacy sees them and reports it",
    "other_site": "Another open site sees them",
    "outreach": "Outreach visits them",
    "phone": "They are phoned",
}


class VisitChain(Recorded, Base):
    """The days of one induction, booked together. `version`: the changes made to it so far."""

    __tablename__ = "visit_chain"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    referral_id: Mapped[int] = mapped_column(ForeignKey("referral.id"), index=True)
    version: Mapped[int] = mapped_column()


class ChainArrangement(Strikable, Base):
    """Who sees the person on a London day on which the service is shut, where, and by when.

    `by_time`: London clock time. `change`, `struck_change`: the change of the chain that brought it,
    and the one that ended it.
    """

    __tablename__ = "chain_arrangement"
    __table_args__ = (
        Index(
            "uq_chain_arrangement_day", "chain_id", "on", unique=True,
            info=only_where("struck_at IS NULL"),
        ),
        struck_whole(),
        CheckConstraint(
            "kind IN ('on_call_doctor', 'pharmacy', 'other_site', 'outreach', 'phone')", name="kind"
        ),
        CheckConstraint("length(who) > 0 AND length(contact) > 0", name="said"),
    )  # fmt: skip

    chain_id: Mapped[int] = mapped_column(ForeignKey("visit_chain.id"))
    on: Mapped[date]
    kind: Mapped[str]
    who: Mapped[str]
    contact: Mapped[str]
    by_time: Mapped[time]
    note: Mapped[str | None]
    change: Mapped[int]
    struck_change: Mapped[int | None]
