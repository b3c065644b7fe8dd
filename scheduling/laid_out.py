"""Which places of a span are free, when the same span is asked for over and over?

The answer of `slots.still_free`, found from the holds and not from the places: what is held touches
few of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from scheduling.slots import Hold, Place, Rota, still_free

Whose = tuple[int | None, int | None]


class LaidOut:
    """Places in order of time, laid out by the people and things they need by name."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._starts = [each.starts_at for each in places]
        self._observed = any(each.observed_until is not None for each in places)
        # Whose -> when their places start, when they are needed no more, and which places those are.
        self._of: dict[Whose, tuple[list[datetime], list[datetime], list[int]]] = {}
        self._longest: dict[Whose, timedelta] = {}
        for nth, place in enumerate(places):
            for _, staff_id, resource_id, until in place.needs:
                whose = staff_id, resource_id
                starts, ends, which = self._of.setdefault(whose, ([], [], []))
                starts.append(place.starts_at)
                ends.append(until)
                which.append(nth)
                longest = self._longest.get(whose, timedelta())
                self._longest[whose] = max(longest, until - place.starts_at)

    def free(self, holds: Collection[Hold], *, now: datetime, rota: Rota) -> list[Place]:
        """Those that nobody has taken and that have not begun, in their order."""
        ahead = bisect_right(self._starts, now)
        taken = self._taken(holds)
        left = [place for nth, place in enumerate(self._places[ahead:], ahead) if nth not in taken]
        return still_free(left, holds, now=now, rota=rota) if self._observed else left

    def _taken(self, holds: Iterable[Hold]) -> set[int]:
        found: set[int] = set()
        for staff_id, starts_at, ends_at, resource_id in holds:
            known = self._of.get((staff_id, resource_id))
            if known is None:
                continue
            starts, ends, which = known
            first = bisect_left(starts, starts_at - self._longest[staff_id, resource_id])
            for nth in range(first, bisect_left(starts, ends_at)):
                if ends[nth] > starts_at:
                    found.add(which[nth])
        return found
