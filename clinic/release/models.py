"""A release plan, the facts it rests on, what was worked out from them each time, and its flags.

A fact is never overwritten: a correction strikes the row out and adds another, so the facts known
at any moment can be read back. All facts share one table because they are recorded, corrected,
struck out, shown and replayed alike; the shape of each is its section of the release-check
contract.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.schema import SchemaItem

from clinic.appointments.models import Visit
from clinic.db import Base, Recorded, codes_only, only_where
from clinic.patients.models import Patient
from clinic.release.sections import ENDINGS, PREMISES, SECTIONS
from clinic.sites.models import Site

PREMISES_FACTS = ("hours", "closure", "opening")

_STANDING = "struck_at IS NULL"
_OPEN = "closed_at IS NULL"
_RAISED = "cleared_at IS NULL"


class ReleasePlan(Base):
    """One person's way out of prison; of the prison that answers for them (whose.py).

    `version` moves with everything a person records: it is the ETag, and keeps two people from
    changing the plan at once. What the last scoring gave is laid out beside it: the expected
    release date, the day they left, when the clock alone could next change a flag (`next_due_at`),
    the community service they go to, whether anything may be shared with it, and, in `fault`, why
    the facts could not be worked out.
    """

    __tablename__ = "release_plan"
    __table_args__ = (
        Index("uq_release_plan_open", "patient_id", unique=True,
              info=only_where(_OPEN)),
        Index("ix_release_plan_due", "next_due_at", info=only_where(_OPEN)),
        Index("ix_release_plan_site_open", "site_id", "release_on",
              info=only_where(_OPEN)),
        Index("ix_release_plan_destination_open", "destination_site_id", "release_on",
              info=only_where(_OPEN)),
        CheckConstraint(
            "(closed_at IS NULL) = (closed_reason IS NULL)", name="closed_with_reason"
        ),
        codes_only("closed_as", ENDINGS),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    opened_at: Mapped[datetime]
    opened_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    closed_as: Mapped[str | None]
    closed_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column()
    changed_at: Mapped[datetime]
    changed_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    changed_what: Mapped[str]
    scored_at: Mapped[datetime]
    next_due_at: Mapped[datetime]
    release_on: Mapped[date | None]
    left_on: Mapped[date | None]
    destination_site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    may_share: Mapped[bool]
    fault: Mapped[str | None]

    patient: Mapped["Patient"] = relationship()
    site: Mapped["Site"] = relationship(foreign_keys=[site_id])
    destination_site: Mapped["Site | None"] = relationship(foreign_keys=[destination_site_id])

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class PlanMove(Recorded, Base):
    """A plan went with the person to another prison, whose drug team accepted them, or came back.

    `accepted` False: that acceptance counts no more. `recorded_by` None: followed in a sweep.
    """

    __tablename__ = "release_plan_move"

    plan_id: Mapped[int] = mapped_column(ForeignKey("release_plan.id"), index=True)
    from_site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    to_site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    acceptance_id: Mapped[int] = mapped_column(ForeignKey("transfer_acceptance.id"))
    accepted: Mapped[bool]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # type: ignore[assignment]

    from_site: Mapped["Site"] = relationship(foreign_keys=[from_site_id])
    to_site: Mapped["Site"] = relationship(foreign_keys=[to_site_id])


class Struck:
    """A row that stands until somebody strikes it out, and says why."""

    struck_at: Mapped[datetime | None]
    struck_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    struck_reason: Mapped[str | None]

    @staticmethod
    def with_reason() -> SchemaItem:
        return CheckConstraint(
            "(struck_at IS NULL) = (struck_reason IS NULL)", name="struck_with_reason"
        )


class Premises(Recorded, Base):
    """A pharmacy or a clinic people are sent to. When it opens is in its facts."""

    __tablename__ = "premises"
    __table_args__ = (codes_only("kind", PREMISES),)

    kind: Mapped[str]
    name: Mapped[str]
    address: Mapped[str | None]
    telephone: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class PremisesChange(Recorded, Base):
    """What the address or telephone of a pharmacy or clinic was before, and who says otherwise."""

    __tablename__ = "premises_change"

    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"), index=True)
    field: Mapped[str]
    was: Mapped[str | None]
    became: Mapped[str | None]
    reason: Mapped[str]


class PremisesFact(Recorded, Struck, Base):
    """The week of a pharmacy or clinic (`hours` alone), a day it is closed, or a day it opens.

    `nation`: with the week, whose bank holidays it keeps; None where nobody was asked.
    """

    __tablename__ = "premises_fact"
    __table_args__ = (
        Index("uq_premises_fact_week", "premises_id", unique=True,
              info=only_where("struck_at IS NULL AND kind = 'hours'")),
        Index("uq_premises_fact_day", "premises_id", "on", unique=True,
              info=only_where(_STANDING)),
        CheckConstraint("(kind = 'hours') = (\"on\" IS NULL)", name="on"),
        CheckConstraint("kind = 'hours' OR nation IS NULL", name="nation"),
        codes_only("kind", PREMISES_FACTS),
        Struck.with_reason(),
    )  # fmt: skip

    premises_id: Mapped[int] = mapped_column(ForeignKey("premises.id"))
    kind: Mapped[str]
    on: Mapped[date | None]
    hours: Mapped[dict[str, Any] | None]
    nation: Mapped[str | None]
    reason: Mapped[str | None]


class ReleaseFact(Recorded, Struck, Base):
    """One fact of a plan, as it was recorded.

    `says` holds the section's fields as the contract writes them; a field left out is not known.
    `place` tells apart facts of a section that stand side by side and is kept by a correction.
    `visit_id`: the appointment is that visit, and the service's diary says when it is and whether
    they came.
    """

    __tablename__ = "release_fact"
    __table_args__ = (
        Index("uq_release_fact_standing", "plan_id", "section", "place", unique=True,
              info=only_where(_STANDING)),
        Index("ix_release_fact_premises_standing", "premises_id",
              info=only_where(_STANDING)),
        Index("ix_release_fact_plan_id", "plan_id"),
        codes_only("section", SECTIONS),
        Struck.with_reason(),
    )  # fmt: skip

    plan_id: Mapped[int] = mapped_column(ForeignKey("release_plan.id"))
    section: Mapped[str]
    place: Mapped[int]
    says: Mapped[dict[str, Any]]
    premises_id: Mapped[int | None] = mapped_column(ForeignKey("premises.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("visit.id"), index=True)

    premises: Mapped["Premises | None"] = relationship()
    site: Mapped["Site | None"] = relationship()
    visit: Mapped["Visit | None"] = relationship()


class ReleaseAssessment(Base):
    """What was asked of the rules and what they answered, at one moment. Never changed.

    `scored_by` None: the service itself, in a sweep.
    """

    __tablename__ = "release_assessment"

    plan_id: Mapped[int] = mapped_column(ForeignKey("release_plan.id"), index=True)
    as_at: Mapped[datetime]
    known_at: Mapped[datetime]
    scored_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    calendar_version: Mapped[str]
    request: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any]]


class ReleaseFlag(Base):
    """One cause for concern, from the scoring that first found it to the one that no longer did.

    `cause` tells two flags of one rule apart, such as two hearings. Severity and words are those
    of the newest scoring; what they were before is in the assessments.
    """

    __tablename__ = "release_flag"
    __table_args__ = (
        Index("uq_release_flag_raised", "plan_id", "flag", "cause", unique=True,
              info=only_where(_RAISED)),
        Index("ix_release_flag_plan_id", "plan_id"),
        codes_only("severity", ("info", "amber", "red", "critical")),
    )  # fmt: skip

    plan_id: Mapped[int] = mapped_column(ForeignKey("release_plan.id"))
    flag: Mapped[str]
    cause: Mapped[str]
    severity: Mapped[str]
    message: Mapped[str]
    clears_when: Mapped[str]
    facts: Mapped[dict[str, Any]]
    owner: Mapped[str]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
