"""Every minute: write down which holds have lapsed, so that their places are offered at once."""

from __future__ import annotations

from datetime import date

from clinic.act import Act
from clinic.appointments import lapses
from clinic.sweeps.schedule import sweep


@sweep(
    "lapsed-holds", "Give back places held too long", at=(6, 0), look_back_days=0, every_minutes=1
)
def give_back_lapsed_holds(act: Act, day: date) -> int:
    return lapses.release_all(act)
