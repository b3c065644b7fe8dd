"""A phase moved for one person, consent to share the triage, who was told, and peer supporters.

Nothing is overwritten: what was wrong is struck out, with who and why, and written anew.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, codes_only, only_where
from clinic.turns import Strikable, struck_whole
from scheduling.phases import PARTIES

PARTY_WORDS = {
    "healthcare": "Healthcare of this prison",
    "wing": "Wing staff",
    "receiving_carat": "CARAT team of the next prison",
    "cjit": "Community team (CJIT)",
    "community_prescriber": "Community prescriber",
    "probation": "Probation",
    "family": "Family",
    "housing": "Housing",
    "mental_health": "Mental health team",
    "other": "Somebody else (say who)",
}
assert tuple(PARTY_WORDS) == PARTIES, "every code of PH-06 has its words"


def _one_standing(table: str, *columns: str) -> Index:
    return Index(
        f"uq_{table}_standing", *columns, unique=True, info=only_where("struck_at IS NULL")
    )


class PhaseMove(Strikable, Base):
    """A phase begins on another day than usual for this person, and why (PS-19, PS-22)."""

    __tablename__ = "phase_move"
    __table_args__ = (
        CheckConstraint("phase IN (2, 3)", name="movable"),
        _one_standing("phase_move", "reception_id", "phase"),
        struck_whole(),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    phase: Mapped[int]
    from_on: Mapped[date]
    reason: Mapped[str]


class TriageConsent(Strikable, Base):
    """May the triage assessment be shared? No standing row: not asked. A new answer strikes the last."""

    __tablename__ = "triage_consent"
    __table_args__ = (_one_standing("triage_consent", "reception_id"), struck_whole())

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    asked_at: Mapped[datetime]
    consents: Mapped[bool]


class Telling(Strikable, Base):
    """A party was told, or talked with, about somebody's treatment (PS-07, PS-17)."""

    __tablename__ = "telling"
    __table_args__ = (codes_only("party", PARTY_WORDS), struck_whole())

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    at: Mapped[datetime]
    party: Mapped[str]
    says: Mapped[str]
    with_triage: Mapped[bool]


class PeerSupporter(Strikable, Base):
    """A peer supporter stands by somebody. `past_participant` None: not asked. `to_on` None: still."""

    __tablename__ = "peer_supporter"
    __table_args__ = (
        CheckConstraint("to_on IS NULL OR from_on <= to_on", name="days"),
        struck_whole(),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    name: Mapped[str]
    past_participant: Mapped[bool | None]
    from_on: Mapped[date]
    to_on: Mapped[date | None]
