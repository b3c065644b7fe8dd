"""What this service's own clinicians added to the shipped rules: signatures, tighter limits, reviews.

Nothing here is overwritten or deleted; the database refuses it.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Recorded, only_where

STANDING = "withdrawn_at IS NULL"


class RuleSignature(Recorded, Base):
    """A named clinician has checked one version of a rule or definition against its source.

    It is put under the version's fingerprint: a changed word or number leaves it unsigned again.
    `name`, `role` and `registration` are as they were on the day. `edition`: of the set, then.
    """

    __tablename__ = "rule_signature"
    __table_args__ = (
        Index(
            "uq_rule_signature_standing", "fingerprint", unique=True,
            info=only_where(STANDING),
        ),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_reason IS NULL)",
            name="withdrawn_by_and_why",
        ),
        CheckConstraint("length(registration) > 0", name="registration"),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    rule: Mapped[str] = mapped_column(index=True)
    rule_set: Mapped[str]
    edition: Mapped[str]
    fingerprint: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    registration: Mapped[str]
    note: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    withdrawn_reason: Mapped[str | None]


class LimitTightening(Recorded, Base):
    """A site's own value of one limit from a London date on; no value: as shipped again.

    The row written last holds for its first day and every later one. `nth` counts the rows of one
    limit, so that of two written at once one is refused. `value` is exact decimal text.
    """

    __tablename__ = "limit_tightening"
    __table_args__ = (
        UniqueConstraint("site_id", "rule_set", "rule", "limit_name", "nth"),
        CheckConstraint("value IS NULL OR length(value) > 0", name="value"),
        CheckConstraint("length(reason) > 0", name="reason"),
        CheckConstraint("nth > 0", name="nth"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    rule_set: Mapped[str]
    rule: Mapped[str]
    limit_name: Mapped[str]
    nth: Mapped[int]
    value: Mapped[str | None]
    from_on: Mapped[date]
    reason: Mapped[str]


class OverrideReview(Recorded, Base):
    """A clinical lead looked at an alert somebody had gone against, and says what of it."""

    __tablename__ = "override_review"
    __table_args__ = (CheckConstraint("length(comment) > 0", name="comment"),)

    finding_id: Mapped[int] = mapped_column(ForeignKey("dose_finding.id"), index=True)
    comment: Mapped[str]
