"""Where doses are taken, what was handed over, and at which pharmacy somebody works."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, Dated, Micrograms, Recorded, only_where
from clinic.turns import Strikable, struck_whole

_STANDING = "struck_at IS NULL"


class ConsumptionPlace(Strikable, Base):
    """Where somebody takes their doses, from a London date until the next such row (RP-33)."""

    __tablename__ = "consumption_place"
    __table_args__ = (
        Index("uq_consumption_place_standing", "patient_id", "from_on", unique=True,
              info=only_where(_STANDING)),
        Index("ix_consumption_place_premises", "premises_id"),
        struck_whole(),
        CheckConstraint("kind IN ('on_site', 'pharmacy')", name="kind"),
        CheckConstraint("(kind = 'pharmacy') = (premises_id IS NOT NULL)", name="premises"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    kind: Mapped[str]
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"))
    from_on: Mapped[date]
    note: Mapped[str | None]


class DispensedDose(Strikable, Base):
    """One dose handed over, for the London date it is for. Prescribed and consumed are other facts.

    A dose to take home covers its date: it is not missed, and counts as taken unless something
    else is recorded of it.
    """

    __tablename__ = "dispensed_dose"
    __table_args__ = (
        Index("uq_dispensed_dose_standing", "patient_id", "drug", "dose_on", "increment",
              unique=True, info=only_where(_STANDING)),
        struck_whole(),
        CheckConstraint("how IN ('supervised', 'take_home')", name="how"),
        CheckConstraint("dose_micrograms > 0", name="dose"),
        CheckConstraint("increment > 0", name="increment"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("dose_decision.id"), index=True)
    product: Mapped[str]
    drug: Mapped[str]
    dose_on: Mapped[date]
    increment: Mapped[int]
    dose_mg: Mapped[Decimal] = mapped_column("dose_micrograms", Micrograms)
    how: Mapped[str]
    handed_at: Mapped[datetime]
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"))
    place: Mapped[str | None]
    note: Mapped[str | None]


class PharmacyStaff(Dated, Recorded, Base):
    """At which pharmacy a member of staff (or another system's account) works, from when to when."""

    __tablename__ = "pharmacy_staff"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
