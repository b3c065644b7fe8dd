"""What became of each dose, and what stood at the hatch before it. Added to, never overwritten.

See clinic/turns.py. Codes and their words are in words.py.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.consumption.words import GLASS_KINDS, OUTCOMES, SUPERVISION, SWALLOWED
from clinic.db import Base, Micrograms, Recorded, codes_only, only_where
from clinic.turns import Strikable, struck_whole

__all__ = [
    "OUTCOMES", "SUPERVISION", "SWALLOWED", "BrokenGate", "DoseEvent", "DoseVomited", "GateCheck",
]  # fmt: skip


class DoseEvent(Strikable, Base):
    """What became of one dose on one London day (RP-33). `dose_mg`: what was swallowed, if any.

    `increment` numbers the doses of one drug on one day, so that none is written twice. A dose
    written as taken and then struck out still counts in that day's checks until somebody else has
    agreed that it was not taken. `observer_id`: a second person, never who gave it. `corrects_id`:
    the struck-out event this one restates. `replaces_id`: the vomited dose this one was decided on
    to replace. `incident`: swallowed although the gates were shut, and found out afterwards.
    """

    __tablename__ = "dose_event"
    __table_args__ = (
        Index(
            "uq_dose_event_standing", "patient_id", "drug", "dose_on", "increment", unique=True,
            info=only_where("struck_at IS NULL AND NOT elsewhere"),
        ),
        Index("ix_dose_event_site_day", "site_id", "dose_on"),
        Index("ix_dose_event_recorded_at", "recorded_at"),
        Index(
            "ix_dose_event_struck_at", "struck_at", info=only_where("struck_at IS NOT NULL")
        ),
        struck_whole(),
        codes_only("outcome", OUTCOMES),
        CheckConstraint(
            "(outcome IN ('taken', 'part')) = (dose_micrograms IS NOT NULL)", name="dose_swallowed"
        ),
        CheckConstraint("dose_micrograms IS NULL OR dose_micrograms > 0", name="dose"),
        CheckConstraint("increment > 0", name="increment"),
        CheckConstraint(
            "agreed_by IS NULL OR (struck_by IS NOT NULL AND agreed_by <> struck_by)",
            name="second_person",
        ),
        CheckConstraint(
            "observer_id IS NULL OR observer_id <> recorded_by", name="observer_is_another"
        ),
        CheckConstraint(
            "outcome <> 'withheld' OR (why_code IS NOT NULL AND withheld_by IS NOT NULL)",
            name="withheld_by_and_why",
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
    rest: Mapped[str | None]
    why_code: Mapped[str | None]
    withheld_by: Mapped[str | None]
    observer_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("dose_event.id"))
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("dose_event.id"))
    incident: Mapped[bool] = mapped_column(default=False)
    agreed_at: Mapped[datetime | None]
    agreed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class DoseVomited(Strikable, Base):
    """A dose taken was brought up again. The dose stays whole in every check."""

    __tablename__ = "dose_vomited"
    __table_args__ = (
        Index(
            "uq_dose_vomited_standing", "dose_id", unique=True,
            info=only_where("struck_at IS NULL"),
        ),
        struck_whole(),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    dose_id: Mapped[int] = mapped_column(ForeignKey("dose_event.id"))
    vomited_at: Mapped[datetime]
    seen: Mapped[str]
    seen_by: Mapped[str | None]
    note: Mapped[str | None]


class GateCheck(Strikable, Base):
    """Somebody made sure who this is, or looked for intoxication. `clear`: it speaks for a dose.

    `how` names the way for an identity check. `signs` and `note`: what was seen. `entry_id`: the
    sedation and alcohol measured with it, as an observation of the assessment.
    """

    __tablename__ = "gate_check"
    __table_args__ = (
        Index("ix_gate_check_patient", "patient_id", "kind", "checked_at"),
        struck_whole(),
        codes_only("kind", ("identity", "intoxication")),
        CheckConstraint("kind <> 'identity' OR how IS NOT NULL", name="identity_how"),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str]
    checked_at: Mapped[datetime]
    clear: Mapped[bool]
    how: Mapped[str | None]
    signs: Mapped[list[str]]
    note: Mapped[str | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("clinical_entry.id"))


class BrokenGate(Recorded, Base):
    """Somebody passed a gate, or one was found to have been passed. The clinical lead sees each.

    `kind` glass: before the dose, with a reason, for what was missing. `kind` incident: a dose found
    to have been swallowed against these gates; it opened nothing. For one dose of one day, and no
    other. Acknowledged once, by somebody else; never struck out.
    """

    __tablename__ = "broken_gate"
    __table_args__ = (
        Index("ix_broken_gate_dose", "decision_id", "dose_on", "increment"),
        Index("ix_broken_gate_site", "site_id", "acknowledged_at"),
        codes_only("kind", GLASS_KINDS),
        CheckConstraint("length(reason) > 0", name="reason"),
        CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged_by"
        ),
        CheckConstraint(
            "acknowledged_by IS NULL OR acknowledged_by <> recorded_by", name="second_person"
        ),
    )

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str]
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("dose_decision.id"))
    dose_on: Mapped[date]
    increment: Mapped[int]
    gates: Mapped[list[str]]
    broken_at: Mapped[datetime]
    reason_code: Mapped[str]
    reason: Mapped[str]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    acknowledged_note: Mapped[str | None]
