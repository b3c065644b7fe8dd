"""Patients, the numbers and names they go by, and which sites look after them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Recorded, only_where

SEXES = {"female": "Female", "male": "Male", "unknown": "Not known"}
ETHNICITIES = {
    "white_british": "White: British",
    "white_irish": "White: Irish",
    "white_other": "White: any other",
    "mixed": "Mixed or multiple ethnic groups",
    "asian": "Asian or Asian British",
    "black": "Black, Black British, Caribbean or African",
    "other": "Any other ethnic group",
    "declined": "Prefers not to say",
}
IDENTIFIER_KINDS = {
    "nhs": "NHS number",
    "prison": "Prison number",
    "pnc": "PNC id",
    "crn": "CRN (probation)",
}
NO_KNOWN_ALLERGIES = "no_known_allergies"
ALERT_KINDS = {
    "alert": "Alert",
    "allergy": "Allergy",
    NO_KNOWN_ALLERGIES: "Asked: no known allergies",
}
ALLOCATIONS = {"keyworker": "Keyworker", "case_manager": "Case manager", "cover": "Cover"}


def listed(family_name: str, given_name: str) -> str:
    """A name as lists show it."""
    return f"{family_name.upper()}, {given_name}"


class Patient(Base):
    """The person treated, in every setting. Blank means not asked; nothing is assumed (XX-06)."""

    __tablename__ = "patient"
    __table_args__ = (
        CheckConstraint("sex IN ('female', 'male', 'unknown')", name="sex"),
        Index(
            "ix_patient_joined", "merged_into_id",
            info=only_where("merged_into_id IS NOT NULL"),
        ),
    )  # fmt: skip

    family_name: Mapped[str] = mapped_column(index=True)
    given_name: Mapped[str]
    title: Mapped[str | None]
    born_on: Mapped[date]
    sex: Mapped[str]
    gender: Mapped[str | None]
    ethnicity: Mapped[str | None]
    ppo: Mapped[bool | None]
    died_on: Mapped[date | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    version: Mapped[int] = mapped_column()

    identifiers: Mapped[list["PatientIdentifier"]] = relationship(
        order_by="PatientIdentifier.id", lazy="selectin"
    )
    aliases: Mapped[list["PatientAlias"]] = relationship(order_by="PatientAlias.id")
    registrations: Mapped[list["Registration"]] = relationship(order_by="Registration.id")

    __mapper_args__ = {"version_id_col": version}

    @property
    def listed_name(self) -> str:
        return listed(self.family_name, self.given_name)

    def number(self, kind: str) -> str | None:
        """The current identifier of a kind, as stored; None when none is known."""
        return next(
            (
                row.value
                for row in reversed(self.identifiers)
                if row.kind == kind and row.ended_at is None
            ),
            None,
        )


class PatientIdentifier(Recorded, Base):
    """A number somebody knows this patient by. Ended ones are kept; one owner at a time."""

    __tablename__ = "patient_identifier"
    __table_args__ = (
        Index(
            "uq_patient_identifier_current", "kind", "value", unique=True,
            info=only_where("ended_at IS NULL"),
        ),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    value: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    ended_reason: Mapped[str | None]


class PatientAlias(Recorded, Base):
    """Another name the patient has gone by."""

    __tablename__ = "patient_alias"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    family_name: Mapped[str] = mapped_column(index=True)
    given_name: Mapped[str]


class PatientChange(Recorded, Base):
    """What a detail of the record was before somebody changed it, and why they did."""

    __tablename__ = "patient_change"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    field: Mapped[str]
    was: Mapped[str | None]
    became: Mapped[str | None]
    reason: Mapped[str | None]


class PatientMerge(Recorded, Base):
    """Two records found to be one person. Undoing it is recorded, not erased."""

    __tablename__ = "patient_merge"

    kept_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    merged_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    undone_reason: Mapped[str | None]


class PatientAlert(Recorded, Base):
    """An alert or allergy for the banner. Ended, never deleted."""

    __tablename__ = "patient_alert"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    says: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class Registration(Recorded, Base):
    """A site looks after this patient from one moment to another: the site's caseload."""

    __tablename__ = "registration"
    __table_args__ = (
        Index(
            "uq_registration_open", "patient_id", "site_id", unique=True,
            info=only_where("ended_at IS NULL"),
        ),
        Index("ix_registration_site_open", "site_id", "ended_at"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]


class Allocation(Recorded, Base):
    """Who is this patient's keyworker (or case manager, or cover) at a site, from when to when."""

    __tablename__ = "allocation"
    __table_args__ = (
        Index(
            "uq_allocation_current", "patient_id", "site_id", "kind", unique=True,
            info=only_where("ended_at IS NULL"),
        ),
        Index("ix_allocation_staff_open", "staff_id", "ended_at"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]
