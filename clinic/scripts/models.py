"""Prescription forms with their instalments, days and prints, and how each person collects.

An issued form is never changed: it is replaced or cancelled from a date on, and stays.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Micrograms, Recorded, only_where
from clinic.release.models import Premises
from clinic.turns import Strikable, struck_whole

FORMS = {"fp10mda": "FP10MDA (England)", "wp10mda": "WP10MDA (Wales)"}
DRAFT, ISSUED, REPLACED, CANCELLED, DISCARDED = (
    "draft", "issued", "replaced", "cancelled", "discarded",
)  # fmt: skip
STATUSES = {
    DRAFT: "Draft", ISSUED: "Issued", REPLACED: "Replaced", CANCELLED: "Cancelled",
    DISCARDED: "Discarded",
}  # fmt: skip
ENDED_OR_ISSUED = (ISSUED, CANCELLED, REPLACED)
"""On paper once. Ended ones still hold until their `last_on`."""
SUPERVISED, TAKEN_AWAY = "supervised", "taken_away"
HOW = {
    SUPERVISED: "Collected and taken there, supervised",
    TAKEN_AWAY: "Collected and taken away",
}
"""How a weekday's collection goes. A weekday that is in neither is not collected on."""

_STANDING = "released_at IS NULL"
_UNSTRUCK = "struck_at IS NULL"


class CollectionRegimen(Strikable, Base):
    """On which weekdays somebody collects, and how, from a date until the next such row.

    Where is a row of its own (clinic/consumption/supply_models.py).

    `days`: weekday (mon to sun) -> how. `answer`: what the supervision rules said to it, None where
    no dose was decided on for them to judge.
    """

    __tablename__ = "collection_regimen"
    __table_args__ = (
        Index("uq_collection_regimen_from", "patient_id", "from_on", unique=True,
              info=only_where(_UNSTRUCK)),
        struck_whole(),
        CheckConstraint("outcome IS NULL OR outcome IN ('ALERT', 'INFO', 'PASS')",
                        name="never_a_stop"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    from_on: Mapped[date]
    days: Mapped[dict[str, Any]]
    reason: Mapped[str]
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    outcome: Mapped[str | None]


class Script(Recorded, Base):
    """One prescription form, from its draft on. `recorded_by` drafted it.

    `asked`: what the writer chose, while it is a draft and after. The rest is fixed when it is
    issued: `paper` is what is printed, word for word; `judged` the requests and answers of the
    check, one for each decision it rests on. `last_on` is the last date it still covers;
    `ended_from_on` the first it no longer does. `settled_*`: no next form is to follow.
    `earlier_endings`: how it was ended before, from a later date, and what the pharmacy was told then;
    and a call or a settling that was taken back, with who, when and why.
    """

    __tablename__ = "script"
    __table_args__ = (
        Index("ix_script_patient", "patient_id", "from_on"),
        Index("ix_script_site", "site_id", "status", "last_on"),
        Index("ix_script_uncalled", "site_id", info=only_where("call_due AND called_at IS NULL")),
        CheckConstraint(
            "status IN ('draft', 'issued', 'replaced', 'cancelled', 'discarded')", name="status"
        ),
        CheckConstraint("form IN ('fp10mda', 'wp10mda')", name="form"),
        CheckConstraint("from_on <= to_on", name="dates"),
        CheckConstraint(
            "(status IN ('draft', 'discarded')) = (issued_at IS NULL)"
            " AND (issued_at IS NULL) = (issued_by IS NULL)"
            " AND (issued_at IS NULL) = (signed_on IS NULL)"
            " AND (issued_at IS NULL) = (last_on IS NULL)"
            " AND (issued_at IS NULL) = (outcome IS NULL)",
            name="issued_whole",
        ),
        CheckConstraint("outcome IN ('ALERT', 'INFO', 'PASS')", name="never_a_stop"),
        CheckConstraint(
            "outcome <> 'ALERT' OR (reason_code IS NOT NULL AND length(reason) > 0)",
            name="alert_has_reason",
        ),
        CheckConstraint(
            "(status IN ('replaced', 'cancelled', 'discarded')) = (ended_at IS NOT NULL)"
            " AND (ended_at IS NULL) = (ended_by IS NULL)"
            " AND (ended_at IS NULL) = (ended_reason IS NULL)",
            name="ended_by_and_why",
        ),
        CheckConstraint("(called_at IS NULL) = (called_who IS NULL)", name="called_whom"),
        CheckConstraint(
            "(settled_at IS NULL) = (settled_reason IS NULL)", name="settled_with_reason"
        ),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    status: Mapped[str]
    version: Mapped[int] = mapped_column()
    form: Mapped[str]
    from_on: Mapped[date]
    to_on: Mapped[date]
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("script.id"))
    asked: Mapped[dict[str, Any]]

    product: Mapped[str | None]
    drug: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    issued_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    signed_on: Mapped[date | None]
    start_on: Mapped[date | None]
    valid_until_on: Mapped[date | None]
    last_on: Mapped[date | None]
    total_mg: Mapped[Decimal | None] = mapped_column("total_micrograms", Micrograms)
    total: Mapped[Decimal | None] = mapped_column("total_thousandths", Micrograms)
    paper: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    judged: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    outcome: Mapped[str | None]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]

    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_from_on: Mapped[date | None]
    ended_reason: Mapped[str | None]
    earlier_endings: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    call_due: Mapped[bool]
    called_at: Mapped[datetime | None]
    called_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    called_who: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    settled_reason: Mapped[str | None]

    premises: Mapped["Premises"] = relationship()
    instalments: Mapped[list["ScriptInstalment"]] = relationship(
        order_by="ScriptInstalment.number", lazy="selectin"
    )
    prints: Mapped[list["ScriptPrint"]] = relationship(
        order_by="ScriptPrint.number", lazy="selectin"
    )

    __mapper_args__ = {"version_id_col": version}


class ScriptInstalment(Base):
    """What is handed out on one date, for first_on to last_on. `amount`: ml or tablets."""

    __tablename__ = "script_instalment"
    __table_args__ = (
        UniqueConstraint("script_id", "number"),
        Index("ix_script_instalment_due", "due_on"),
        CheckConstraint("due_on <= first_on AND first_on <= last_on", name="dates"),
        CheckConstraint("total_micrograms > 0 AND amount_thousandths > 0", name="amount"),
    )

    script_id: Mapped[int] = mapped_column(ForeignKey("script.id"))
    number: Mapped[int]
    due_on: Mapped[date]
    first_on: Mapped[date]
    last_on: Mapped[date]
    supervised: Mapped[bool]
    mg: Mapped[Decimal] = mapped_column("total_micrograms", Micrograms)
    amount: Mapped[Decimal] = mapped_column("amount_thousandths", Micrograms)


class ScriptDay(Base):
    """One date an issued form covers. `released_at`: from then on it no longer does.

    The unique index keeps two issued forms of one person and drug from covering the same date,
    whoever issues them at once.
    """

    __tablename__ = "script_day"
    __table_args__ = (
        Index("uq_script_day_standing", "patient_id", "drug", "dose_on", unique=True,
              info=only_where(_STANDING)),
        Index("ix_script_day_decision", "decision_id",
              info=only_where(_STANDING)),
        CheckConstraint("dose_micrograms > 0", name="dose"),
    )  # fmt: skip

    script_id: Mapped[int] = mapped_column(ForeignKey("script.id"), index=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("dose_decision.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    drug: Mapped[str]
    dose_on: Mapped[date]
    mg: Mapped[Decimal] = mapped_column("dose_micrograms", Micrograms)
    supervised: Mapped[bool]
    released_at: Mapped[datetime | None]


class ScriptPrint(Base):
    """One time the form was put on paper. From the second on it is marked as a reprint."""

    __tablename__ = "script_print"
    __table_args__ = (
        UniqueConstraint("script_id", "number"),
        CheckConstraint("(number = 1) = (reason IS NULL)", name="reprint_with_reason"),
    )

    script_id: Mapped[int] = mapped_column(ForeignKey("script.id"))
    number: Mapped[int]
    printed_at: Mapped[datetime]
    printed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str | None]


class ShutArranged(Strikable, Base):
    """What is due on a shut day is handed out before it, under the form's own wording.

    The pharmacy (`who`) agreed to hand it out on `before_on`, and the patient was told how.
    """

    __tablename__ = "script_shut_arranged"
    __table_args__ = (
        Index("uq_script_shut_arranged", "script_id", "due_on", unique=True,
              info=only_where(_UNSTRUCK)),
        struck_whole(),
        CheckConstraint("before_on < due_on", name="before"),
    )  # fmt: skip

    script_id: Mapped[int] = mapped_column(ForeignKey("script.id"))
    due_on: Mapped[date]
    before_on: Mapped[date]
    who: Mapped[str]
    patient_told: Mapped[str]
