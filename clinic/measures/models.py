"""Why a case was late, in somebody's judgement. It stands beside the breach and removes nothing."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Recorded, codes_only, only_where
from scheduling.measures import REASONS

_STANDING = "withdrawn_at IS NULL"


class BreachReason(Recorded, Base):
    """One reason for one late case of a measure at a site. Another takes its place when this is withdrawn.

    `case_key` names the case for good (scheduling.measures.Case).
    """

    __tablename__ = "breach_reason"
    __table_args__ = (
        Index(
            "uq_breach_reason_standing", "site_id", "measure", "case_key", unique=True,
            info=only_where(_STANDING),
        ),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn_with_reason"
        ),
        codes_only("code", REASONS),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    measure: Mapped[str]
    case_key: Mapped[str]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    code: Mapped[str]
    note: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    withdrawn_reason: Mapped[str | None]
