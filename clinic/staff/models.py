"""Staff, what they may do where and since when, and how they prove who they are."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Dated, Recorded

LEVELS = {
    "prescriber": "Prescriber",
    "experienced": "Prescriber experienced in opioid substitution treatment",
}
POSTS = {
    "clinical_lead": "Clinical lead",
    "duty_nurse": "Duty nurse",
    "carat_manager": "CARAT manager",
    "drug_strategy_lead": "Drug strategy lead",
}
COMPETENCES = {
    "rapid_induction_doctor": "Trained for rapid induction (doctor)",
    "induction_worker": "Competent drugs worker or nurse for induction",
    "drug_tester": "Trained in drug testing",
}


class Staff(Base):
    """A member of staff, or another system's account. Rights come from dated roles at sites."""

    __tablename__ = "staff"

    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    registration: Mapped[str | None]
    left_on: Mapped[date | None]

    registrations: Mapped[list["RegistrationChange"]] = relationship(
        foreign_keys="RegistrationChange.staff_id", order_by="RegistrationChange.number"
    )
    roles: Mapped[list["StaffRole"]] = relationship(
        foreign_keys="StaffRole.staff_id", order_by="StaffRole.id"
    )
    levels: Mapped[list["PrescriberLevel"]] = relationship(foreign_keys="PrescriberLevel.staff_id")
    competences: Mapped[list["StaffCompetence"]] = relationship(
        foreign_keys="StaffCompetence.staff_id"
    )

    @property
    def registration_version(self) -> int:
        """Moves with each change of the registration: its ETag."""
        return len(self.registrations) + 1

    def level_on(self, day: date) -> str | None:
        """The prescriber level held on a day; None for somebody who does not prescribe."""
        return next((row.level for row in self.levels if row.holds_on(day)), None)

    def competent(self, competence: str, day: date) -> bool:
        return any(row.competence == competence and row.holds_on(day) for row in self.competences)


class RegistrationChange(Recorded, Base):
    """What somebody's professional registration was, what it became, and why.

    `number` counts the changes of one account: two at once cannot both be the next.
    """

    __tablename__ = "registration_change"
    __table_args__ = (
        UniqueConstraint("staff_id", "number", name="uq_registration_change_number"),
        CheckConstraint("length(reason) > 0", name="reason"),
    )

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    number: Mapped[int]
    was: Mapped[str | None]
    became: Mapped[str | None]
    reason: Mapped[str]


class StaffRole(Dated, Recorded, Base):
    """A role held at a site."""

    __tablename__ = "staff_role"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    role: Mapped[str]


class PrescriberLevel(Dated, Recorded, Base):
    """Whether, and how far, somebody may prescribe. Set by the service, never by the person."""

    __tablename__ = "prescriber_level"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    level: Mapped[str]


class StaffCompetence(Dated, Recorded, Base):
    """A training that a booking asks for by name (RP-18, RP-19)."""

    __tablename__ = "staff_competence"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    competence: Mapped[str]


class SitePost(Dated, Recorded, Base):
    """Who holds a post that overdue work is escalated to."""

    __tablename__ = "site_post"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    post: Mapped[str]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))


class StaffSession(Base):
    """One sign-in in one browser. The browser holds the token; only its hash is kept."""

    __tablename__ = "staff_session"

    token_hash: Mapped[str] = mapped_column(unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """A failed sign-in, counted to slow down guessing. The address is kept as a hash."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_key_at", "key", "at"),)

    key: Mapped[str]
    at: Mapped[datetime]


class ApiToken(Recorded, Base):
    """A bearer token for another system or a script: its scopes are the most it may ever do."""

    __tablename__ = "api_token"

    token_hash: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class BreakGlass(Base):
    """A record opened outside the caseload: who, why, until when, and which manager looked at it."""

    __tablename__ = "break_glass"
    __table_args__ = (UniqueConstraint("staff_id", "patient_id", "opened_at"),)

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    reason_code: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    until_at: Mapped[datetime]
    seen_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    seen_at: Mapped[datetime | None]
