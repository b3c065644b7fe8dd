"""What the casework file holds beside the stay: sessions not held, notes, completion, transfers.

Nothing is overwritten: what was wrong is struck out, with who and why, and written anew.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinic.db import Base, codes_only, only_where
from clinic.turns import Strikable, struck_whole
from scheduling.completion import NEXT_STEPS, NOT_HELD

NOTE = "note"
ENTRIES = {
    "offered": "Offered",
    "missed": "Missed",
    "moved": "Moved to another time",
    "light": "Light contact instead",
    NOTE: "Note",
}
NOT_HELD_WORDS = {
    "withdrawal": "In withdrawal",
    "unwell": "Unwell",
    "lock_down": "Not unlocked, or regime curtailed",
    "court": "At court",
    "transfer": "Moved, or about to be",
    "visit": "On a visit or at another appointment",
    "would_not_come": "Did not come, no reason known",
    "staff_away": "Staff not there",
    "no_room": "No room to be had",
    "other": "Another reason",
}
NEXT_STEP_WORDS = {
    "carat_goes_on": "CARAT keywork goes on in this prison",
    "programme": "A programme after the 28 days",
    "drug_testing_unit": "Voluntary drug testing",
    "next_prison": "The CARAT team of the next prison goes on",
    "community": "The community team (CJIT) goes on",
    "declined": "Nothing more is wanted",
    "other": "Another step",
}
assert tuple(NOT_HELD_WORDS) == NOT_HELD and tuple(NEXT_STEP_WORDS) == NEXT_STEPS
_STANDS = "struck_at IS NULL"


def _one_standing(table: str, column: str) -> Index:
    return Index(f"uq_{table}_standing", column, unique=True, info=only_where(_STANDS))


class CaseworkEntry(Strikable, Base):
    """A session offered, missed, moved or made lighter, or a note. What was done is a `Delivery`.

    `item`: the duty it was about; None for a note about none. It moves no date.
    """

    __tablename__ = "casework_entry"
    __table_args__ = (
        codes_only("kind", ENTRIES),
        codes_only("reason", NOT_HELD_WORDS),
        CheckConstraint(
            "(kind IN ('missed', 'moved', 'light')) = (reason IS NOT NULL)", name="why"
        ),
        struck_whole(),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    item: Mapped[str | None]
    reason: Mapped[str | None]
    says: Mapped[str | None]


class Completion(Strikable, Base):
    """The final case review: the exit strategy and the step that follows (PS-20, PS-30, PS-37)."""

    __tablename__ = "completion"
    __table_args__ = (
        codes_only("next_step", NEXT_STEP_WORDS),
        _one_standing("completion", "reception_id"),
        struck_whole(),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    reviewed_at: Mapped[datetime]
    exit_strategy: Mapped[str]
    next_step: Mapped[str]
    next_says: Mapped[str | None]
    next_on: Mapped[date | None]


class Certificate(Strikable, Base):
    """A certificate as it was given: the sessions it lists never change with the stay.

    `sessions`: item, on, topic and mode of each, in the order printed.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("reception_id", "number"),
        _one_standing("certificate", "reception_id"),
        struck_whole(),
    )

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"))
    number: Mapped[int]
    issued_at: Mapped[datetime]
    sessions: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))


class Acceptance(Strikable, Base):
    """The receiving prison's drug team took somebody over. `accepted_by`: in words, where that
    prison is no site here and so has nobody to record it.
    """

    __tablename__ = "transfer_acceptance"
    __table_args__ = (_one_standing("transfer_acceptance", "transfer_id"), struck_whole())

    reception_id: Mapped[int] = mapped_column(ForeignKey("reception.id"), index=True)
    transfer_id: Mapped[int] = mapped_column(ForeignKey("transfer.id"))
    accepted_at: Mapped[datetime]
    accepted_by: Mapped[str | None]
    says: Mapped[str | None]
