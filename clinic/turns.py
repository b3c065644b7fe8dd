"""Whose turn is it to write on this person's prescribing record?

Everything there is added to and never overwritten. What was wrong is struck out, with who and why,
and stays, so what was known at an earlier moment can be read back. For that to be exact, everything
written about one patient is written in turn, and each stamp is later than the one before.
"""

from datetime import datetime, timedelta

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    and_,
    bindparam,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from clinic.act import Act
from clinic.db import Base, Recorded
from clinic.errors import Invalid
from clinic.patients.models import Patient

SHORTEST_REASON = 10
TICK = timedelta(microseconds=1)


class RecordTurn(Base):
    """One row for each patient: whoever writes to the prescribing record holds it meanwhile.

    `last_at` is the newest stamp given; the next is later, whatever the clocks of two servers say.
    """

    __tablename__ = "record_turn"

    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), unique=True)
    last_at: Mapped[datetime]


class Strikable(Recorded):
    """A row that can be struck out as wrong. It stays, with who and why."""

    struck_at: Mapped[datetime | None]
    struck_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    struck_reason: Mapped[str | None]

    @classmethod
    def standing_at(cls, at: BindParameter[datetime]) -> ColumnElement[bool]:
        """Written by this moment, and not struck out by then."""
        return and_(cls.recorded_at <= at, or_(cls.struck_at.is_(None), cls.struck_at > at))


def struck_whole() -> CheckConstraint:
    return CheckConstraint(
        "(struck_at IS NULL) = (struck_by IS NULL) AND (struck_at IS NULL) = (struck_reason IS NULL)",
        name="struck_by_and_why",
    )


def take_turn(act: Act, patient_id: int) -> datetime:
    """Hold this person's prescribing record until the transaction ends; the stamp to write under.

    The patient's own row is what is waited for, so a first entry has its turn too, and so has
    whoever joins records: a dose judged by one record is seen by the next judged by both.
    """
    connection, at = act.session.connection(), act.at
    if not connection.execute(_WAIT_AND_STAMP, {"of": patient_id, "at": at}).rowcount:
        connection.execute(_WAIT, {"of": patient_id})
        last_at = connection.execute(_LAST, {"of": patient_id}).scalar()
        if last_at is None:
            connection.execute(_FIRST, {"patient_id": patient_id, "last_at": at})
        else:
            at = max(at, last_at + TICK)
            connection.execute(_STAMP, {"of": patient_id, "at": at})
    return at


# Asked for at every write, so they are built once and know no mapped objects.
_WAIT = select(Patient.id).where(Patient.id == bindparam("of")).with_for_update(key_share=True)
_STAMP = (
    update(RecordTurn.__table__)
    .where(RecordTurn.patient_id == bindparam("of"), RecordTurn.last_at < bindparam("at"))
    .values(last_at=bindparam("at"))
)
# At once, as nearly everybody has a turn already. Where no row was stamped PostgreSQL may not have
# come as far as waiting, so then it is asked to.
_WAIT_AND_STAMP = _STAMP.where(RecordTurn.patient_id == _WAIT.scalar_subquery())
_LAST = select(RecordTurn.last_at).where(RecordTurn.patient_id == bindparam("of"))
_FIRST = insert(RecordTurn.__table__)


def why(reason: str | None, field: str = "reason") -> str:
    text = (reason or "").strip()
    if len(text) < SHORTEST_REASON:
        raise Invalid.field(field, f"must say why, in {SHORTEST_REASON} characters or more")
    return text


def past(act: Act, field: str, at: datetime) -> None:
    if at > act.at:
        raise Invalid.field(field, "cannot be in the future")


def strike(act: Act, row: Strikable, at: datetime, reason: str) -> None:
    """Strike a row out as wrong, under this turn's stamp."""
    row.struck_at, row.struck_by, row.struck_reason = at, act.staff_id, reason
    act.session.flush()
