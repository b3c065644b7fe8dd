"""What was seen on the wing in the first days, what is held already, and which tasks are done.

Nothing is overwritten: what was wrong is struck out, with who and why, and written anew.
"""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, codes_only, only_where
from clinic.turns import Strikable, struck_whole
from scheduling.observations import SEEN, TASKS

SEEN_WORDS = {
    "settled": "Settled",
    "asleep": "Asleep, breathing seen",
    "withdrawal": "Signs of withdrawal",
    "intoxicated": "Intoxicated or hard to rouse",
    "unwell": "Unwell",
    "distressed": "Distressed, or talk of self-harm",
}
assert tuple(SEEN_WORDS) == SEEN, "every code of WO-04 has its words"
MOODS = {"steady": "Steady", "low": "Low", "agitated": "Agitated", "odd": "Odd or suspicious"}
HELD_KINDS = {
    "dir": "Drug Interventions Record (DIR)",
    "community": "Community assessment",
    "prison": "Assessment of an earlier stay",
}
_STANDS = "struck_at IS NULL"


def _one_standing(table: str, *columns: str) -> Index:
    return Index(
        f"uq_{table}_standing", *columns, unique=True, info=only_where(_STANDS),
    )  # fmt: skip


class WingObservation(Strikable, Base):
    """Somebody was seen. `mood` None: not looked at."""

    __tablename__ = "wing_observation"
    __table_args__ = (
        codes_only("seen", SEEN_WORDS),
        codes_only("mood", MOODS),
        struck_whole(),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    at: Mapped[datetime]
    seen: Mapped[str]
    mood: Mapped[str | None]
    says: Mapped[str | None]


class StimulantUse(Strikable, Base):
    """Do they use stimulants? No standing row: not asked. A new answer strikes the last."""

    __tablename__ = "stimulant_use"
    __table_args__ = (_one_standing("stimulant_use", "reception_id"), struck_whole())

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    asked_at: Mapped[datetime]
    uses: Mapped[bool]


class HeldAssessment(Strikable, Base):
    """An assessment made elsewhere that is here already: the base, not to be asked again (PS-04).

    `consent` None: not asked whether it may be shared.
    """

    __tablename__ = "held_assessment"
    __table_args__ = (codes_only("kind", HELD_KINDS), struck_whole())

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    kind: Mapped[str]
    done_on: Mapped[date]
    held_from: Mapped[str]
    covers: Mapped[str | None]
    consent: Mapped[bool | None]


class ObservationEnd(Strikable, Base):
    """A clinician set the last day with rounds of observations (A40). The newest that stands holds."""

    __tablename__ = "observation_end"
    __table_args__ = (struck_whole(),)

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    last_on: Mapped[date]
    reason: Mapped[str]


class PhaseTask(Strikable, Base):
    """A task of the responsibility matrix was done in a phase."""

    __tablename__ = "phase_task"
    __table_args__ = (
        codes_only("task", TASKS),
        _one_standing("phase_task", "reception_id", "task", "phase"),
        struck_whole(),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    task: Mapped[str]
    phase: Mapped[int]
    done_at: Mapped[datetime]
    says: Mapped[str | None]
