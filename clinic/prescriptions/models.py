"""What is known of a patient before a dose, the doses decided on, and the doses taken.

Everything here is added to and never overwritten. What was wrong is struck out, with who and why,
and stays, so what was known at an earlier moment can be read back. For that to be exact, everything
written about one patient is written in turn, and each stamp is later than the one before
(`RecordTurn`).
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    and_,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Micrograms, Recorded

OUTCOMES = {
    "taken": "Taken, all of it",
    "part": "Taken in part",
    "not_taken": "Not taken: did not come, or was withheld",
    "refused": "Refused by the patient",
}
SWALLOWED = ("taken", "part")
SUPERVISION = {"supervised": "Supervised", "take_home": "Taken at home"}
OVERRIDES = {
    "benefit": "The benefit outweighs the named risk for this patient",
    "specialist_advice": "Specialist advice was taken",
    "confirmed_dose": "The dose was confirmed with its earlier prescriber",
    "closer_monitoring": "Closer monitoring is arranged",
    "does_not_apply": "The fact behind the alert does not hold for this patient",
}


class RecordTurn(Base):
    """One row for each patient: whoever writes to the prescribing record holds it meanwhile.

    `last_at` is the newest stamp given; the next is later, whatever the clocks of two servers say.
    """

    __tablename__ = "record_turn"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), unique=True)
    last_at: Mapped[datetime]


class Strikable(Recorded):
    """A row that can be struck out as wrong. It stays, with who and why."""

    struck_at: Mapped[datetime | None]
    struck_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    struck_reason: Mapped[str | None]

    @classmethod
    def written_by(cls, at: datetime) -> ColumnElement[bool]:
        return cls.recorded_at <= at

    @classmethod
    def standing_at(cls, at: datetime) -> ColumnElement[bool]:
        """Written by this moment, and not struck out by then."""
        return and_(cls.recorded_at <= at, or_(cls.struck_at.is_(None), cls.struck_at > at))


def _struck_whole() -> CheckConstraint:
    return CheckConstraint(
        "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_reason IS NULL)",
        name="struck_by_and_why",
    )


class ClinicalEntry(Strikable, Base):
    """One thing found or asked. `kind` says what `data` holds (kinds.py), in the contract's words.

    `happened_at` is when it was so, `recorded_at` when it was written down (XX-07). `replaces_id`:
    the struck-out entry this one was written in place of.
    """

    __tablename__ = "clinical_entry"
    __table_args__ = (
        Index("ix_clinical_entry_patient_kind", "patient_id", "kind", "happened_at"),
        Index("ix_clinical_entry_site_kind", "site_id", "kind", "happened_at"),
        _struck_whole(),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str]
    happened_at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("clinical_entry.id"))


class DoseDecision(Recorded, Base):
    """A dose a prescriber decided on, with everything it was judged on.

    `asked`: the order and supply as given. `outside`: what other rooms said then (site, prescriber,
    date of birth, custody) and which records were read. `known_at`: its place in the order of
    writing. `request` and `answer`: the check exactly as it was made. For `dose_on` to `last_on`,
    both included; a withdrawn decision is for no day from its withdrawal on.
    """

    __tablename__ = "dose_decision"
    __table_args__ = (
        Index("ix_dose_decision_patient", "patient_id", "dose_on"),
        Index("ix_dose_decision_site", "site_id", "dose_on"),
        Index("uq_dose_decision_once", "patient_id", "once", unique=True),
        CheckConstraint("outcome IN ('ALERT', 'INFO', 'PASS')", name="never_a_stop"),
        CheckConstraint(
            "outcome <> 'ALERT' OR (reason_code IS NOT NULL AND length(reason) > 0)",
            name="alert_has_reason",
        ),
        CheckConstraint("dose_micrograms > 0 AND doses_that_day > 0", name="dose"),
        CheckConstraint("dose_on <= last_on", name="days"),
        CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_reason IS NULL)",
            name="withdrawn_by_and_why",
        ),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    once: Mapped[str | None]
    decided_at: Mapped[datetime]
    dose_on: Mapped[date]
    last_on: Mapped[date]
    known_at: Mapped[datetime]
    product: Mapped[str]
    drug: Mapped[str]
    dose_mg: Mapped[Decimal] = mapped_column("dose_micrograms", Micrograms)
    doses_that_day: Mapped[int]
    first_increment: Mapped[int]
    asked: Mapped[dict[str, Any]]
    outside: Mapped[dict[str, Any]]
    rule_set: Mapped[str]
    rule_set_version: Mapped[str]
    request: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any]]
    outcome: Mapped[str]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    withdrawn_reason: Mapped[str | None]

    @property
    def findings(self) -> list[dict[str, Any]]:
        return self.answer["findings"]  # type: ignore[no-any-return]


class DoseEvent(Strikable, Base):
    """What became of one dose on one London day (RP-33). `dose_mg`: what was swallowed, if any.

    `increment` numbers the doses of one drug on one day, so that none is written twice. A dose
    written as taken and then struck out still counts in that day's checks until somebody else has
    agreed that it was not taken.
    """

    __tablename__ = "dose_event"
    __table_args__ = (
        Index(
            "uq_dose_event_standing", "patient_id", "drug", "dose_on", "increment", unique=True,
            sqlite_where=text("struck_at IS NULL AND NOT elsewhere"),
            postgresql_where=text("struck_at IS NULL AND NOT elsewhere"),
        ),
        _struck_whole(),
        CheckConstraint("outcome IN ('taken', 'part', 'not_taken', 'refused')", name="outcome"),
        CheckConstraint(
            "(outcome IN ('taken', 'part')) = (dose_micrograms IS NOT NULL)", name="dose_swallowed"
        ),
        CheckConstraint("dose_micrograms IS NULL OR dose_micrograms > 0", name="dose"),
        CheckConstraint("increment > 0", name="increment"),
        CheckConstraint(
            "agreed_by IS NULL OR (struck_by IS NOT NULL AND agreed_by <> struck_by)",
            name="second_person",
        ),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("dose_decision.id"), index=True)
    product: Mapped[str]
    drug: Mapped[str]
    dose_on: Mapped[date]
    increment: Mapped[int]
    outcome: Mapped[str]
    dose_mg: Mapped[Decimal | None] = mapped_column("dose_micrograms", Micrograms)
    consumed_at: Mapped[datetime]
    supervision: Mapped[str | None]
    elsewhere: Mapped[bool]
    place: Mapped[str | None]
    observer: Mapped[str | None]
    note: Mapped[str | None]
    agreed_at: Mapped[datetime | None]
    agreed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class DoseStop(Recorded, Base):
    """An order a STOP kept from being saved: whoever decides next sees it, and looks again (RP-25)."""

    __tablename__ = "dose_stop"
    __table_args__ = (Index("ix_dose_stop_site", "site_id", "stopped_on"),)

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    stopped_on: Mapped[date]
    request: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any]]
