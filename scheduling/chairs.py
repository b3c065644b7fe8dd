"""Who sits in which observation place, when people are given theirs one after the other (RP-12, A15)?

As a booking chooses: the first that is in use and free for the whole time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from dosing.days import london_day
from scheduling.slots import Hold, Place, Rota, in_use


class Chairs:
    """The observation places of a rota, and from when to when each is taken, ends excluded."""

    def __init__(self, rota: Rota, holds: Iterable[Hold] = ()) -> None:
        taken: dict[int, list[tuple[datetime, datetime]]] = {each: [] for each in rota.observation}
        for hold in holds:
            if hold.resource_id in taken:
                taken[hold.resource_id].append((hold.starts_at, hold.ends_at))
        self._rota = rota
        self._taken: dict[int, tuple[tuple[datetime, datetime], ...]] = {
            each: tuple(spans) for each, spans in taken.items()
        }

    def of_day(self, day: date) -> Chairs:
        """The same with what is taken on that London day alone, to be given out apart."""
        made = Chairs(self._rota)
        made._taken = {
            each: tuple(span for span in spans if london_day(span[0]) == day)
            for each, spans in self._taken.items()
        }
        return made

    def take(self, place: Place) -> bool:
        """Give this place its chair: False when none is free for it. One without observation needs none."""
        if place.observed_until is None:
            return True
        day = london_day(place.starts_at)
        for each, spans in self._taken.items():
            free = all(end <= place.starts_at or place.until <= start for start, end in spans)
            if free and in_use(self._rota, each, day):
                self._taken[each] = (*spans, (place.starts_at, place.until))
                return True
        return False

    def copy(self) -> Chairs:
        """The same, to be given out apart."""
        made = Chairs(self._rota)
        made._taken = dict(self._taken)
        return made
