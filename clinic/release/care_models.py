"""What is done for a leaver besides the plan's facts, and who is told of a critical flag."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Recorded, codes_only, only_where
from clinic.release.models import ReleasePlan, Struck
from clinic.sites.models import Site

TASKS = {
    "pre_release_contact": "Contact before release",
    "gate_pickup": "Meet them at the gate",
    "release_day_contact": "Contact on the day of release",
    "housing": "Somewhere to live",
    "gp": "Registered with a GP",
    "outreach": "Outreach after a missed appointment",
    "attendance": "Say whether they came to the first appointment",
    "day_14": "Day 14 after release: has treatment begun?",
    "day_21": "Day 21 after release: has treatment begun?",
    "remind_healthcare": "Check the last dose, the script and the letter for the first collection",
    "remind_keyworker": "Tell the person when and where the first collection is",
    "remind_community": "Check that the first collection and appointment stand",
    "remind_pharmacy": "Telephone the pharmacy about the first collection",
    "transfer": "Note that they move to another prison, and contact its drug team",
    "gate_offer": "Offer to meet them at the gate",
    "overdose_advice": "Give overdose advice",
    "drr_groups": "Offer relapse-prevention groups under the DRR",
    "drr_handover": "Plan the hand-over to the CJIT before the DRR ends",
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
REMINDED = {
    "remind_healthcare": "healthcare",
    "remind_keyworker": "keyworker",
    "remind_community": "community",
    "remind_pharmacy": "healthcare",
}
"""The reminders before release, and whose each is: healthcare telephone the pharmacy."""
BY_THEMSELVES = (
    "attendance", "day_14", "day_21", "transfer", "gate_offer", "overdose_advice",
    "drr_groups", "drr_handover", *REMINDED,
)  # fmt: skip
"""Kinds that start by themselves from the plan's facts (aftercare.py), and by nobody's hand."""
OUTCOMES = {
    "done": "Done",
    "declined": "The person declined",
    "not_possible": "Not possible",
}
ANSWERS = {
    "gate_offer": {
        "done": "Offered: they want to be met",
        "declined": "Offered: they do not want to be met",
        "not_possible": "They could not be asked",
    },
    "overdose_advice": {
        "done": "Given",
        "declined": "Offered and declined",
        "not_possible": "Not possible",
    },
    "drr_groups": {
        "done": "Offered: they take part",
        "declined": "Offered and declined",
        "not_possible": "None can be had",
    },
}
"""What the outcomes of a kind mean, where that is more than done or not."""
NOT_NEEDED = "not_needed"
FINISHED = {**OUTCOMES, NOT_NEEDED: "No longer needed"}
"""How a task can have ended: one that started by itself ends so when it no longer holds."""


def outcomes_of(kind: str) -> dict[str, str]:
    """How a task of this kind can end, in words."""
    return {**OUTCOMES, **ANSWERS.get(kind, {})}


class LeaverTask(Recorded, Struck, Base):
    """One thing to do around a release, whose it is and by when. A wrong one is struck out.

    `cause`: what it started from, where it started by itself; then `recorded_by` may be nobody.
    """

    __tablename__ = "leaver_task"
    __table_args__ = (
        Index("ix_leaver_task_open", "due_at",
              info=only_where("done_at IS NULL AND struck_at IS NULL")),
        Index("uq_leaver_task_by_itself", "plan_id", "kind", "cause", unique=True,
              info=only_where("cause IS NOT NULL AND done_at IS NULL AND struck_at IS NULL")),
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
    cause: Mapped[str | None]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # type: ignore[assignment]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str | None]
    done_says: Mapped[str | None]

    plan: Mapped["ReleasePlan"] = relationship()


CONSENTS = {
    "given": "Consent given",
    "refused": "Consent refused",
    "withdrawn": "Consent withdrawn",
    "lawful_basis": "No consent: another lawful basis",
}


class SharingConsent(Recorded, Struck, Base):
    """What was said, on one day, about telling one recipient. The newest that stands decides."""

    __tablename__ = "sharing_consent"
    __table_args__ = (
        codes_only("says", CONSENTS),
        CheckConstraint("(to_site_id IS NULL) <> (recipient IS NULL)", name="one_recipient"),
        CheckConstraint("says <> 'lawful_basis' OR because IS NOT NULL", name="basis_said"),
        Struck.with_reason(),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    to_site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    recipient: Mapped[str | None]
    says: Mapped[str]
    because: Mapped[str | None]
    decided_at: Mapped[datetime]

    to_site: Mapped[Site | None] = relationship()

    @property
    def whom(self) -> str:
        return self.to_site.name if self.to_site is not None else self.recipient or ""


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
