"""A care plan, every version it has had, who agreed to which, and every look taken at it since.

A version is never changed. An agreement belongs to one version; in custody its truth is the
delivery it records, and this row says which version that delivery was for.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Recorded, codes_only, only_where
from clinic.turns import Strikable, struck_whole
from scheduling.careplans import EVENTS, PAID_BY, REFERRALS

MARKS = {"initial": "Initial plan", "complete": "Complete plan"}
AGREEING = {"patient": "The patient", "healthcare": "Healthcare", "carat": "CARAT team"}
GOAL_STATES = {
    "not_started": "Not started",
    "under_way": "Under way",
    "reached": "Reached",
    "set_back": "Set back",
}
OUTCOMES = {"no_change": "No change needed", "new_version": "The plan was changed"}
RESPONSES = {"accepted": "Accepted", "refused": "Refused", "waiting": "On a waiting list"}
PAYERS = {
    "pct": "The PCT",
    "prison": "The prison",
    "charity": "A charity",
    "other": "Somebody else",
}
assert tuple(PAYERS) == PAID_BY, "every code of PS-39 has its words"
INPUTS = {"attended": "CARATs attended", "report": "CARATs sent a written report"}

_STANDING = "withdrawn_at IS NULL"
_COMMUNITY = "reception_id IS NULL"


class CarePlan(Recorded, Base):
    """One person's plan in one stay, or, where `reception_id` is None, in the community.

    `version` is the ETag: it moves with the plan, its agreements, reviews and referrals. It is not
    the number of a `CarePlanVersion`. `reviewed_on`: the last review, or the day it was begun.
    """

    __tablename__ = "care_plan"
    __table_args__ = (
        UniqueConstraint("reception_id"),
        Index("uq_care_plan_community", "patient_id", unique=True,
              info=only_where(_COMMUNITY)),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    reception_id: Mapped[int | None] = mapped_column(ForeignKey("reception.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    reviewed_on: Mapped[date]
    version: Mapped[int] = mapped_column()
    changed_at: Mapped[datetime]
    changed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    changed_what: Mapped[str]

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class CarePlanVersion(Recorded, Base):
    """What the plan said from a moment on. Never changed.

    `answers`: by question; one left out was not asked. `goals`: by number, which a goal keeps from
    version to version; each has domain, what, who, by_on and dropped (why, or None).
    """

    __tablename__ = "care_plan_version"
    __table_args__ = (UniqueConstraint("plan_id", "number"), codes_only("mark", MARKS))

    plan_id: Mapped[int] = mapped_column(ForeignKey("care_plan.id"))
    number: Mapped[int]
    mark: Mapped[str]
    answers: Mapped[dict[str, Any]]
    goals: Mapped[dict[str, Any]]

    @property
    def goals_now(self) -> dict[int, dict[str, Any]]:
        """The goals worked for, by number."""
        return worked_for(self.goals)


def worked_for(goals: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """The goals that were not dropped, by number."""
    return {int(each): goal for each, goal in goals.items() if not goal["dropped"]}


class CarePlanDraft(Recorded, Base):
    """Changes collected over sections, until they are put forward as one version or discarded.

    A working paper: it binds nobody. Put forward, its text is the version's and it goes; discarded,
    it stays with who and when, and can be taken up again. Recorded: last changed. `number`: the
    version it was to change.
    """

    __tablename__ = "care_plan_draft"
    __table_args__ = (
        Index("uq_care_plan_draft_standing", "plan_id", unique=True,
              info=only_where("discarded_at IS NULL")),
        codes_only("mark", MARKS),
        CheckConstraint(
            "(discarded_at IS NULL) = (discarded_by IS NULL)", name="discarded_by_somebody"
        ),
    )  # fmt: skip

    plan_id: Mapped[int] = mapped_column(ForeignKey("care_plan.id"), index=True)
    number: Mapped[int]
    discarded_at: Mapped[datetime | None]
    discarded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    mark: Mapped[str]
    answers: Mapped[dict[str, Any]]
    goals: Mapped[dict[str, Any]]

    @property
    def goals_now(self) -> dict[int, dict[str, Any]]:
        return worked_for(self.goals)


class CarePlanAgreement(Recorded, Base):
    """A party agreed to a version. `agreed_by` None: the patient. `delivery_id` None: no stay."""

    __tablename__ = "care_plan_agreement"
    __table_args__ = (
        Index("uq_care_plan_agreement_standing", "version_id", "party", unique=True,
              info=only_where(_STANDING)),
        codes_only("party", AGREEING),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_with_reason"
        ),
    )  # fmt: skip

    version_id: Mapped[int] = mapped_column(ForeignKey("care_plan_version.id"))
    party: Mapped[str]
    agreed_at: Mapped[datetime]
    agreed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    withdrawn_reason: Mapped[str | None]


class CarePlanProgress(Strikable, Base):
    """How a goal stood on a day."""

    __tablename__ = "care_plan_progress"
    __table_args__ = (codes_only("state", GOAL_STATES), struck_whole())

    plan_id: Mapped[int] = mapped_column(ForeignKey("care_plan.id"), index=True)
    goal: Mapped[int]
    on: Mapped[date]
    state: Mapped[str]
    says: Mapped[str]


class CarePlanReview(Strikable, Base):
    """Somebody looked at version `number` with those who took part, and what came of it."""

    __tablename__ = "care_plan_review"
    __table_args__ = (codes_only("outcome", OUTCOMES), struck_whole())

    plan_id: Mapped[int] = mapped_column(ForeignKey("care_plan.id"), index=True)
    number: Mapped[int]
    reviewed_at: Mapped[datetime]
    outcome: Mapped[str]
    by: Mapped[list[str]]
    note: Mapped[str | None]


class CarePlanEvent(Strikable, Base):
    """Something that asks for a review. `review_id` None: nobody has looked yet."""

    __tablename__ = "care_plan_event"
    __table_args__ = (
        Index("ix_care_plan_event_open", "plan_id",
              info=only_where("review_id IS NULL")),
        codes_only("code", EVENTS),
        struck_whole(),
    )  # fmt: skip

    plan_id: Mapped[int] = mapped_column(ForeignKey("care_plan.id"))
    code: Mapped[str]
    on: Mapped[date]
    note: Mapped[str | None]
    review_id: Mapped[int | None] = mapped_column(ForeignKey("care_plan_review.id"))


class CarePlanReferral(Strikable, Base):
    """Help asked for elsewhere. What came back: `answers`, each as it was given, oldest first.

    `approved_by`, `paid_by`: where the kind needs approval and is not paid by IDTS (PS-39).
    """

    __tablename__ = "care_plan_referral"
    __table_args__ = (
        codes_only("kind", REFERRALS),
        codes_only("paid_by", PAYERS),
        struck_whole(),
    )

    plan_id: Mapped[int] = mapped_column(ForeignKey("care_plan.id"), index=True)
    kind: Mapped[str]
    to_whom: Mapped[str]
    made_at: Mapped[datetime]
    starts_on: Mapped[date | None]
    approved_by: Mapped[str | None]
    paid_by: Mapped[str | None]
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    answers: Mapped[list["CarePlanAnswer"]] = relationship(
        order_by="CarePlanAnswer.id", lazy="selectin", viewonly=True
    )

    @property
    def answer(self) -> "CarePlanAnswer | None":
        """The last answer that stands; None: no answer yet."""
        return next((each for each in reversed(self.answers) if each.struck_at is None), None)

    @property
    def response(self) -> str | None:
        return self.answer.response if self.answer else None

    @property
    def responded_on(self) -> date | None:
        return self.answer.responded_on if self.answer else None


class CarePlanAnswer(Strikable, Base):
    """What came back on a referral, and when. A place on a waiting list is answered once more.

    Of one referral one answer of a kind stands, and nothing follows "accepted" or "refused".
    """

    __tablename__ = "care_plan_answer"
    __table_args__ = (
        Index("uq_care_plan_answer_waiting", "referral_id", unique=True,
              info=only_where("struck_at IS NULL AND response = 'waiting'")),
        Index("uq_care_plan_answer_final", "referral_id", unique=True,
              info=only_where("struck_at IS NULL AND response <> 'waiting'")),
        codes_only("response", RESPONSES),
        struck_whole(),
    )  # fmt: skip

    referral_id: Mapped[int] = mapped_column(ForeignKey("care_plan_referral.id"), index=True)
    referral: Mapped[CarePlanReferral] = relationship(viewonly=True)
    response: Mapped[str]
    responded_on: Mapped[date]

    @property
    def plan_id(self) -> int:
        return self.referral.plan_id


class ClinicalReviewInput(Recorded, Base):
    """How CARATs took part in the day-5 review. It stands as long as its delivery does.

    `complex_needs` None: not asked.
    """

    __tablename__ = "clinical_review_input"
    __table_args__ = (codes_only("kind", INPUTS),)

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    kind: Mapped[str]
    says: Mapped[str | None]
    complex_needs: Mapped[bool | None]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
