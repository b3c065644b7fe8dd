"""What is known of a patient before a dose. Added to, never overwritten (clinic/turns.py)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, only_where
from clinic.turns import Strikable, struck_whole


class ClinicalEntry(Strikable, Base):
    """One thing found or asked. `kind` says what `data` holds (kinds.py), in the contract's words.

    `happened_at` is when it was so, `recorded_at` when it was written down (XX-07). `replaces_id`:
    the struck-out entry this one was written in place of.
    """

    __tablename__ = "clinical_entry"
    __table_args__ = (
        Index("ix_clinical_entry_patient_kind", "patient_id", "kind", "happened_at"),
        Index("ix_clinical_entry_site_kind", "site_id", "kind", "happened_at"),
        struck_whole(),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str]
    happened_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("clinical_entry.id"))


class AssessmentDue(Base):
    """Something about a person's assessment that waits for somebody at a site, from a day on.

    Worked out anew from the record after every entry (dues.py), so that a worklist reads what is
    due and nothing else. `key` tells two of one kind apart; a settled one is closed, not deleted.
    """

    __tablename__ = "assessment_due"
    __table_args__ = (
        Index(
            "uq_assessment_due_open", "patient_id", "site_id", "key", unique=True,
            info=only_where("closed_at IS NULL"),
        ),
        Index(
            "ix_assessment_due_site_open", "site_id", "due_on",
            info=only_where("closed_at IS NULL"),
        ),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    what: Mapped[str]
    key: Mapped[str]
    says: Mapped[str]
    due_on: Mapped[date]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
