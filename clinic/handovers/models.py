"""A hand-over to the next service: the package as it was kept, and every step it took.

The package is never changed. What is wrong in one is put right by another that takes its place.
One hangs on a release plan, or on nobody's plan: the community team's about somebody gone into
custody, with the sentence it knows of and a decision that nothing is sent.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Recorded, codes_only, only_where
from clinic.patients.models import Patient
from clinic.release.models import Struck
from clinic.release.sections import HOW
from clinic.sites.models import Site
from scheduling.handover import ACCEPTED, BASES, PREPARED, REFUSED, SENT, WITHDRAWN

STATES = {
    PREPARED: "Prepared, not sent",
    SENT: "Sent, waiting for an answer",
    ACCEPTED: "Accepted",
    REFUSED: "Refused",
    WITHDRAWN: "Withdrawn",
}
VERBS = {
    "prepared": "Prepared",
    "basis": "What it rests on was changed",
    "sent": "Sent",
    "accepted": "Accepted",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
    "taken_back": "The last step was taken back",
}
OPEN = (PREPARED, SENT, REFUSED)
"""States in which it is still the sender's work."""
WHY_NOTHING = {
    "refused": "They do not consent, and nobody decided otherwise for safety's sake",
    "out": "They are not in custody, or are out again",
    "other": "Another reason",
}


class ReleaseHandover(Recorded, Base):
    """One package for one recipient. `state` and the columns after it follow the newest step.

    `plan_id` None: from a community team to a prison's, of somebody gone into custody. `to_site_id`
    None: a service that does not use this system, named in `recipient`. `basis` None: nothing lets
    it leave yet. `package` and `digest` (SHA-256 of its JSON) are kept as they were.
    """

    __tablename__ = "release_handover"
    __table_args__ = (
        Index("ix_release_handover_from_state", "from_site_id", "state"),
        Index("ix_release_handover_to_state", "to_site_id", "state"),
        codes_only("state", STATES),
        CheckConstraint("basis IS NULL OR basis IN ('consent', 'lawful_basis', 'safety')",
                        name="basis"),
        CheckConstraint("state <> 'sent' OR (sent_at IS NOT NULL AND basis IS NOT NULL)",
                        name="sent_on_a_basis"),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("release_plan.id"), index=True)
    from_site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    to_site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    recipient: Mapped[str]
    package: Mapped[dict[str, Any]]
    digest: Mapped[str]
    basis: Mapped[str | None]
    because: Mapped[str | None]
    state: Mapped[str]
    sent_at: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("release_handover.id"))
    version: Mapped[int] = mapped_column()

    patient: Mapped["Patient"] = relationship()
    from_site: Mapped["Site"] = relationship(foreign_keys=[from_site_id])
    to_site: Mapped["Site | None"] = relationship(foreign_keys=[to_site_id])

    __mapper_args__ = {"version_id_col": version}

    STATE = ("basis", "because", "state", "sent_at", "answer_by")


class ReleaseHandoverStep(Recorded, Base):
    """What was done with a hand-over, and how it stood then. Never changed.

    `how` and `who`: the way it went and the person it went to, or who answered. `proof`: what shows
    it, such as a receipt or a reference. `says`: why.
    """

    __tablename__ = "release_handover_step"
    __table_args__ = (
        codes_only("verb", VERBS),
        CheckConstraint(
            f"how IS NULL OR how IN ({', '.join(repr(each) for each in HOW)})", name="how"
        ),
    )

    handover_id: Mapped[int] = mapped_column(ForeignKey("release_handover.id"), index=True)
    verb: Mapped[str]
    at: Mapped[datetime]
    how: Mapped[str | None]
    who: Mapped[str | None]
    proof: Mapped[str | None]
    says: Mapped[str | None]
    state: Mapped[dict[str, Any]]


class SentencedToCustody(Recorded, Struck, Base):
    """A community team heard that somebody was sentenced to custody. A wrong entry is struck out.

    `site_id`: the team's. `prison_site_id`: a prison of this system; else `prison` names it, and
    with neither it is not known yet. `days`: of the sentence; None: not known.
    """

    __tablename__ = "sentenced_to_custody"
    __table_args__ = (
        Index("uq_sentenced_to_custody_standing", "patient_id", "site_id", "sentenced_on",
              unique=True, info=only_where("struck_at IS NULL")),
        CheckConstraint("prison_site_id IS NULL OR prison IS NULL", name="one_prison"),
        CheckConstraint("days IS NULL OR days > 0", name="days"),
        Struck.with_reason(),
    )  # fmt: skip

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    sentenced_on: Mapped[date]
    prison_site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    prison: Mapped[str | None]
    days: Mapped[int | None]
    says: Mapped[str]

    prison_site: Mapped["Site | None"] = relationship(foreign_keys=[prison_site_id])

    @property
    def where(self) -> str | None:
        return self.prison_site.name if self.prison_site is not None else self.prison


class NothingSent(Recorded, Struck, Base):
    """A community team decided that it hands nothing over to the prison this time, and why."""

    __tablename__ = "nothing_sent"
    __table_args__ = (codes_only("because", WHY_NOTHING), Struck.with_reason())

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    because: Mapped[str]
    says: Mapped[str]


assert set(BASES) == {"consent", "lawful_basis", "safety"}, "the basis has its words"
