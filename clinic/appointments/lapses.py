"""Which holds of a place are over by the clock? Written down by whoever next wants their time.

From the instant a hold lapses it counts for nothing, here or anywhere; the row is put right later,
by the next command that wants the time, in its own transaction, or by the sweep.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_, select

from clinic.act import Act, command
from clinic.appointments import freed, history
from clinic.appointments.models import Visit
from scheduling.booking import ROUTINE

LAPSED, LET_GO = "lapsed", "let_go"


def release(
    act: Act,
    since: datetime,
    until: datetime,
    patient_id: int,
    own: int | None = None,
    *,
    routine: bool = False,
) -> None:
    """Give back what lapsed holds have of this time and of this patient, before it is taken.

    `own`: the referral a place is booked for; what is held for it is let go with that. `routine`:
    what is held for routine work of this patient likewise. Rows that another transaction has just
    taken up are left to it: the guards tell which of the two was first.
    """
    over = and_(
        Visit.lapsed(act.at),
        or_(
            Visit.patient_id == patient_id,
            and_(Visit.starts_at < until, Visit.ends_at > since),
        ),
    )
    if own is not None:
        over = or_(over, and_(Visit.status == "held", Visit.referral_id == own))
    if routine:
        theirs = and_(Visit.patient_id == patient_id, Visit.kind.in_(ROUTINE))
        over = or_(over, and_(Visit.status == "held", theirs))
    _release(act, over)


@command
def release_all(act: Act) -> int:
    """Give back whatever is held beyond its time, at every site; how many holds that were."""
    return _release(act, Visit.lapsed(act.at))


def _release(act: Act, which: object) -> int:
    rows = act.session.scalars(
        select(Visit)
        .where(which)  # type: ignore[arg-type]
        .order_by(Visit.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for visit in rows:
        let_go(act, visit)
    return len(rows)


def let_go(act: Act, visit: Visit) -> None:
    """End a hold: by the clock, if it has passed, else by whoever does this."""
    over = visit.lapses_at is not None and visit.lapses_at <= act.at
    verb, at = (LAPSED, visit.lapses_at) if over else (LET_GO, act.at)
    visit.status, visit.lapses_at = LET_GO, None
    act.session.flush()
    freed.release(act, visit.id, because=verb)
    history.add(act, visit, verb, at=at, by=visit.recorded_by if over else None)
    act.note(
        f"appointments.hold_{verb}", patient_id=visit.patient_id, site_id=visit.site_id,
        visit=visit.id,
    )  # fmt: skip
