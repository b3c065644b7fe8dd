"""Which places of a span are free, when the same span is asked for over and over?

The answer of `slots.still_free`, found from the holds and not from the places: what is held touches
few of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from scheduling.slots import Hold, Place, Rota, still_free

Whose = tuple[int | None, int | None]
TAKES_KEPT = 20_000


class LaidOut:
    """Places in order of time, laid out by the people and things they need by name."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._starts = [each.starts_at for each in places]
        self._observed = any(each.observed_until is not None for each in places)
        # Whose -> when their places start, when they are needed no more, and which places those are.
        self._of: dict[Whose, tuple[list[datetime], list[datetime], list[int]]] = {}
        self._longest: dict[Whose, timedelta] = {}
        self._takes: dict[str, tuple[int, ...]] = {}
        self._last: tuple[Mapping[str, Hold] | None, set[int]] = None, set()
        for nth, place in enumerate(places):
            for _, staff_id, resource_id, until in place.needs:
                whose = staff_id, resource_id
                starts, ends, which = self._of.setdefault(whose, ([], [], []))
                starts.append(place.starts_at)
                ends.append(until)
                which.append(nth)
                longest = self._longest.get(whose, timedelta())
                self._longest[whose] = max(longest, until - place.starts_at)

    def free(self, holds: Mapping[str, Hold], *, now: datetime, rota: Rota) -> list[Place]:
        """Those that nobody has taken and that have not begun, in their order.

        `holds`: each by words that say all of it, so that what one takes is found once. They are
        not changed afterwards: the very same, given again, are not looked at again.
        """
        last = self._last
        if holds is not last[0]:
            last = self._last = holds, self._taken(holds)
        taken = last[1]
        ahead = bisect_right(self._starts, now)
        left = [place for nth, place in enumerate(self._places[ahead:], ahead) if nth not in taken]
        return still_free(left, holds.values(), now=now, rota=rota) if self._observed else left

    def _taken(self, holds: Mapping[str, Hold]) -> set[int]:
        if len(self._takes) > TAKES_KEPT:
            self._takes.clear()
        found: set[int] = set()
        for words, hold in holds.items():
            if (taken := self._takes.get(words)) is None:
                taken = self._takes[words] = self._taken_by(hold)
            found.update(taken)
        return found

    def _taken_by(self, hold: Hold) -> tuple[int, ...]:
        whose = hold.staff_id, hold.resource_id
        known = self._of.get(whose)
        if known is None:
            return ()
        starts, ends, which = known
        first = bisect_left(starts, hold.starts_at - self._longest[whose])
        last = bisect_left(starts, hold.ends_at)
        return tuple(which[nth] for nth in range(first, last) if ends[nth] > hold.starts_at)
