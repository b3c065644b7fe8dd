"""What is done for a leaver besides the plan's facts, and who is told of a critical flag."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Recorded, codes_only, only_where
from clinic.release.models import ReleasePlan, Struck

TASKS = {
    "pre_release_contact": "Contact before release",
    "gate_pickup": "Meet them at the gate",
    "release_day_contact": "Contact on the day of release",
    "housing": "Somewhere to live",
    "gp": "Registered with a GP",
    "outreach": "Outreach after a missed appointment",
    "other": "Something else",
}
OWNERS = {
    "healthcare": "Prison healthcare",
    "keyworker": "Keyworker",
    "community": "Community service",
    "home_cjit": "CJIT of the home area",
    "host_cjit": "CJIT at the prison",
    "probation": "Probation",
}
OUTSIDE = ("community", "home_cjit")
"""Owners whose work shows at the service they go to; the others' shows at the prison."""
OUTCOMES = {
    "done": "Done",
    "declined": "The person declined",
    "not_possible": "Not possible",
}


class LeaverTask(Recorded, Struck, Base):
    """One thing to do around a release, whose it is and by when. A wrong one is struck out."""

    __tablename__ = "leaver_task"
    __table_args__ = (
        Index("ix_leaver_task_open", "due_at",
              info=only_where("done_at IS NULL AND struck_at IS NULL")),
        codes_only("kind", TASKS),
        codes_only("owner", OWNERS),
        CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="done_with_outcome"),
        Struck.with_reason(),
    )  # fmt: skip

    plan_id: Mapped[int] = mapped_column(ForeignKey("release_plan.id"), index=True)
    kind: Mapped[str]
    owner: Mapped[str]
    due_at: Mapped[datetime]
    note: Mapped[str | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str | None]
    done_says: Mapped[str | None]

    plan: Mapped["ReleasePlan"] = relationship()


class DutyAddress(Recorded, Base):
    """The mailbox of a site that hears of critical flags. A former one is ended and kept."""

    __tablename__ = "duty_address"
    __table_args__ = (
        Index("uq_duty_address_in_force", "site_id", unique=True,
              info=only_where("ended_at IS NULL")),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    address: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class FlagNotice(Base):
    """The one message about a critical flag. Written before it leaves; `outcome` None: on its way.

    `tries`: only one that certainly did not go is tried again.
    """

    __tablename__ = "flag_notice"

    flag_id: Mapped[int] = mapped_column(ForeignKey("release_flag.id"), unique=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty_address.id"))
    tries: Mapped[int]
    intended_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    says: Mapped[str | None]
