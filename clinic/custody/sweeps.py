"""A bank holiday was announced or a prison closes: the timetables it moves are made again."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from clinic import logs
from clinic.act import Act
from clinic.custody.commands import replan_in_sweep
from clinic.custody.models import TimetableItem
from clinic.sweeps.schedule import sweep


@sweep(
    "custody-calendars", "Replan the stays whose dates a change of the calendar moved", at=(3, 0)
)
def replan_moved_stays(act: Act, day: date) -> int:
    """One transaction a stay: one that cannot be planned is logged and the others go on."""
    ids = list(
        act.session.scalars(
            select(TimetableItem.reception_id)
            .where(TimetableItem.state == "open", TimetableItem.deadline > act.at)
            .distinct()
            .order_by(TimetableItem.reception_id)
        )
    )
    act.session.rollback()  # let go of the reading, each stay takes its own turn to write
    moved = 0
    for reception_id in ids:
        try:
            moved += replan_in_sweep(act, reception_id)
        except Exception:
            logs.exception("stay not replanned", reception=reception_id)
        act.session.expunge_all()
    return moved
