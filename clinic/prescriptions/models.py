"""The doses decided on, and the orders a STOP kept from being saved."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Micrograms, Recorded

OVERRIDES = {
    "benefit": "The benefit outweighs the named risk for this patient",
    "specialist_advice": "Specialist advice was taken",
    "confirmed_dose": "The dose was confirmed with its earlier prescriber",
    "closer_monitoring": "Closer monitoring is arranged",
    "does_not_apply": "The fact behind the alert does not hold for this patient",
}


class DoseDecision(Recorded, Base):
    """A dose a prescriber decided on, with everything it was judged on.

    `asked`: the order and supply as given. `outside`: what other rooms said then (site, prescriber,
    date of birth, custody) and which records were read. `known_at`: its place in the order of
    writing. `request` and `answer`: the check exactly as it was made; `beside`: the requests judged
    with it where days were missed and a dose of the day was not known to be taken (facts.judged).
    For `dose_on` to `last_on`, both included; a withdrawn decision is for no day from its
    withdrawal on.
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
    beside: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
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


class DoseStop(Recorded, Base):
    """An order a STOP kept from being saved: whoever decides next sees it, and looks again (RP-25)."""

    __tablename__ = "dose_stop"
    __table_args__ = (Index("ix_dose_stop_site", "site_id", "stopped_on"),)

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    stopped_on: Mapped[date]
    request: Mapped[dict[str, Any]]
    beside: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    answer: Mapped[dict[str, Any]]


class DoseFinding(Recorded, Base):
    """One rule that fired on an order when it was saved, or stopped. An ALERT saved was gone against.

    Written with the decision, the prescription form or the stop in one transaction, so that how
    often a rule fires is one question to one table. `saved`: the order was; `found_on`: the London
    date it was written; `reason_code` and `reason`: of an ALERT saved.
    """

    __tablename__ = "dose_finding"
    __table_args__ = (
        Index("ix_dose_finding_site", "site_id", "found_on", "rule"),
        CheckConstraint(
            "(decision_id IS NOT NULL AND stop_id IS NULL AND script_id IS NULL)"
            " OR (decision_id IS NULL AND stop_id IS NOT NULL AND script_id IS NULL)"
            " OR (decision_id IS NULL AND stop_id IS NULL AND script_id IS NOT NULL)",
            name="of_one_order",
        ),
        CheckConstraint("severity IN ('STOP', 'ALERT', 'INFO')", name="severity"),
        CheckConstraint("NOT (saved AND severity = 'STOP')", name="no_stop_saved"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("dose_decision.id"), index=True)
    stop_id: Mapped[int | None] = mapped_column(ForeignKey("dose_stop.id"), index=True)
    script_id: Mapped[int | None] = mapped_column(ForeignKey("script.id"), index=True)
    found_on: Mapped[date]
    rule: Mapped[str]
    rule_set: Mapped[str]
    severity: Mapped[str]
    saved: Mapped[bool]
    message: Mapped[str]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
