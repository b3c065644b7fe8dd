"""On which day is each item of the timetable due, and what moved it there?

The contract's section 4, in its order: the days and blocks of a stay, the calendar across a
transfer, `back(n)`, the pulls of hearings and release, and the day before a court or transfer
day. All days are London dates and every span includes both ends.

Four things can move a date away from the one its own rule gives: a calendar change announced
after the plan was made, the receiving prison's calendar, a pull, and a court or transfer day.
`due_dates` works out a whole timetable with any of them left out, and `moved_by` finds which of
them a date needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Final

from dosing.days import ONE_DAY, days_between, london_day
from dosing.shape import Refused
from scheduling.calendars import (
    Calendar,
    CalendarAcrossMove,
    CalendarFacts,
    HolidayLists,
    OutOfReach,
    WorkingDays,
)
from scheduling.custody_request import (
    DAY_AFTER_RECEPTION_IS_DAY_1,
    TimetableFacts,
    Unavailable,
)
from scheduling.custody_rules import (
    BLOCK_DAYS,
    DAY_5,
    ITEMS,
    LAST_DAY,
    RULES,
    WEEKS,
    Item,
    limit,
)


@dataclass(frozen=True)
class Event:
    """A hearing, a release or a transfer: its day, and the day it became known."""

    on: date
    known_on: date


@dataclass(frozen=True)
class Block:
    """A week of the timetable; the first also takes in the day of reception."""

    week: int
    from_on: date
    to_on: date
    inside_from: date

    def holds(self, day: date) -> bool:
        return self.inside_from <= day <= self.to_on


class Stay:
    """The days, blocks and known events of one stay. An event after day 28 is not read."""

    def __init__(self, facts: TimetableFacts) -> None:
        self.reception_on = london_day(facts.received_at)
        self._first_on = self.reception_on
        if facts.day_count == DAY_AFTER_RECEPTION_IS_DAY_1:
            self._first_on += ONE_DAY
        self.last_on = self.day(LAST_DAY)
        self.day_5 = self.day(DAY_5)
        self.blocks = {week: self._block(week) for week in WEEKS}
        self.hospital = tuple(
            period for period in facts.unavailable or () if period.reason == RULES["TT-14"]["away"]
        )
        self.needs_programme = facts.needs_post_28_programme is True
        self._as_at = facts.as_at
        self._as_at_on = london_day(facts.as_at)

        self.hearings = self._hearings(facts)
        self.courts = tuple(event for event in self.hearings if self._within(event.on))
        release = facts.known_release
        self.release = None
        if release is not None and self._known(release.known_at) and self._within(release.on):
            self.release = Event(release.on, self._known_on(release.known_at))
        transfer = facts.transfer
        self.transfer = None
        if transfer is not None and transfer.on <= self.last_on:
            known_on = transfer.booked_on or self.reception_on
            if known_on <= self._as_at_on:
                self.transfer = Event(transfer.on, known_on)
        self.move = None
        if self.transfer is not None and self._within(self.transfer.on):
            self.move = self.transfer
        self.taken_days = self._taken_days()

    def day(self, number: int) -> date:
        """The date of a numbered day of the stay, by the day count asked for."""
        return self._first_on + timedelta(days=number - 1)

    def block_holding(self, day: date) -> Block | None:
        return next((block for block in self.blocks.values() if block.holds(day)), None)

    def _block(self, week: int) -> Block:
        from_on = self.day((week - 1) * BLOCK_DAYS + 1)
        inside_from = min(from_on, self.reception_on) if week == 1 else from_on
        return Block(week, from_on, self.day(week * BLOCK_DAYS), inside_from)

    def _within(self, day: date) -> bool:
        return self.reception_on < day <= self.last_on

    def _known(self, known_at: datetime | None) -> bool:
        return known_at is None or known_at <= self._as_at

    def _known_on(self, known_at: datetime | None) -> date:
        return self.reception_on if known_at is None else london_day(known_at)

    def _hearings(self, facts: TimetableFacts) -> tuple[Event, ...]:
        """One event a hearing day, from the reception day on, known when the first was."""
        known: dict[date, date] = {}
        for court in facts.courts or ():
            on = london_day(court.starts_at)
            if self._known(court.known_at) and on <= self.last_on:
                known_on = self._known_on(court.known_at)
                known[on] = min(known_on, known.get(on, known_on))
        return tuple(Event(on, known[on]) for on in sorted(known))

    def _taken_days(self) -> Mapping[date, date]:
        """Court and transfer days, with the day each became known."""
        taken = {court.on: court.known_on for court in self.courts}
        if self.move is not None:
            known_on = self.move.known_on
            taken[self.move.on] = min(known_on, taken.get(self.move.on, known_on))
        return taken


@dataclass(frozen=True)
class Places:
    """The calendars of a stay: the sending prison's, the receiving one's and the two joined."""

    sending: WorkingDays
    receiving: WorkingDays
    joined: WorkingDays


def _places(facts: TimetableFacts, stay: Stay, holidays: HolidayLists, known_on: date) -> Places:
    def calendar(place: CalendarFacts) -> WorkingDays:
        return Calendar.of(place, holidays, known_on=known_on)

    sending = calendar(facts.prison)
    if facts.transfer is None or stay.transfer is None:
        return Places(sending, sending, sending)
    receiving = calendar(facts.transfer)
    return Places(sending, receiving, CalendarAcrossMove(sending, receiving, stay.transfer.on))


class Mover(Enum):
    """What can move a date from where its own rule puts it, in the order it acts."""

    ANNOUNCED = "TT-F6"
    RECEIVING = "TT-18"
    PULLED = "pulled"
    DAY_TAKEN = "TT-19"


ALL: Final = frozenset(Mover)

Key = tuple[str, date | None]
"""An item, and for a court pack the day of the hearing."""


class DueDates:
    """One person's due dates, None where an item is not required. Refused when out of reach."""

    def __init__(self, facts: TimetableFacts, holidays: HolidayLists) -> None:
        self.stay = Stay(facts)
        as_at_on = london_day(facts.as_at)
        planned_on = min(facts.plan_made_on or self.stay.reception_on, as_at_on)
        self._now = _places(facts, self.stay, holidays, as_at_on)
        self._at_planning = _places(facts, self.stay, holidays, planned_on)
        self._tables: dict[frozenset[Mover], _Table] = {}
        self.calendar = self._now.joined
        self.kw = self.calendar.next_working_day(self.stay.reception_on + ONE_DAY)
        self.rows: tuple[tuple[Item, date | None], ...] = tuple(self._listed())

    def _listed(self) -> Iterable[tuple[Item, date | None]]:
        """The items that apply, in their order, with the hearing day of a court pack."""
        for item in ITEMS:
            if item.due == "hearing":
                yield from ((item, hearing.on) for hearing in self.stay.hearings)
            elif item.due not in _ON_TRANSFER or self.stay.move is not None:
                yield item, None

    @property
    def final(self) -> Mapping[Key, date | None]:
        """The dates to work to."""
        return self._table(ALL).dates

    @property
    def original(self) -> Mapping[Key, date | None]:
        """The dates of each item's own rule: no hearing, no move, no release, no late change."""
        return self._table(frozenset()).dates

    def calendar_changed_a_date(self) -> bool:
        """Does a calendar change announced since the plan was made alter any date? TT-F6."""
        return self._table(ALL - {Mover.ANNOUNCED}).dates != self.final

    def moved_by(self, item: Item, for_on: date | None) -> list[str]:
        """The rules without which the date would be another one, in the order they act."""
        key = (item.key, for_on)
        due_on = self.final[key]
        if due_on == self.original[key]:
            return []
        needed = ALL
        for mover in reversed(Mover):
            if self._table(needed - {mover}).dates[key] == due_on:
                needed -= {mover}
        pulled_by = item.pull_rule if due_on is not None else "TT-26"
        return [
            pulled_by if mover is Mover.PULLED else mover.value
            for mover in Mover
            if mover in needed
        ]

    def sessions_required(self, week: int) -> int:
        """How many group or one-to-one sessions the week must have. TT-14."""
        return self._table(ALL).sessions_required(self.stay.blocks[week])

    def _table(self, movers: frozenset[Mover]) -> _Table:
        table = self._tables.get(movers)
        if table is None:
            places = self._now if Mover.ANNOUNCED in movers else self._at_planning
            table = self._tables[movers] = _Table(self.stay, places, movers, self.rows)
        return table


_ON_TRANSFER: Final = frozenset({"eve", "move", "after_move", "next_contact"})


class _Table:
    """Every due date of a stay under some of the movers."""

    def __init__(
        self,
        stay: Stay,
        places: Places,
        movers: frozenset[Mover],
        rows: Iterable[tuple[Item, date | None]],
    ) -> None:
        self._stay = stay
        self._places = places
        self._calendar = places.joined if Mover.RECEIVING in movers else places.sending
        pulls = Mover.PULLED in movers
        self._courts = stay.courts if pulls else ()
        self._release = stay.release if pulls else None
        self._taken = stay.taken_days if Mover.DAY_TAKEN in movers else {}
        events = pulls or Mover.DAY_TAKEN in movers
        self._day_5_taken = events and stay.day_5 in stay.taken_days
        self._kw = self._calendar.next_working_day(stay.reception_on + ONE_DAY)
        self.dates: dict[Key, date | None] = {}
        for item, for_on in rows:
            # The report waits for the plan and the review; it keeps its place in the list.
            due_on = None if item.due == "report" else self._due(item, for_on)
            self.dates[item.key, for_on] = due_on
        self.dates["carat_report", None] = self._report()

    # -- an item's own rule -----------------------------------------------------------------

    def back(self, item: Item) -> date:
        """The last working day up to the item's day, inside its block and not before kw.

        Where there is none, the first working day after it.
        """
        assert item.day is not None
        assert item.week is not None
        day = self._stay.day(item.day)
        earlier = self._calendar.previous_working_day(day)
        if earlier >= self._kw and self._stay.blocks[item.week].holds(earlier):
            return earlier
        return self._calendar.next_working_day(day)

    def _own(self, item: Item, for_on: date | None) -> date:
        match item.due:
            case "reception":
                return self._stay.reception_on
            case "keyworker":
                return self._kw
            case "day_5":
                return self._stay.day_5
            case "by_day":
                return self.back(item)
            case "hearing":
                return self.pack_due_on(for_on)
        return self._on_transfer(item)

    def _due(self, item: Item, for_on: date | None) -> date | None:
        own = self._own(item, for_on)
        pulled, pullers = self._pull(item, own)
        if pulled is None or item.keeps_day:
            return pulled
        if item.is_groups and not self.sessions_required(self._stay.blocks[item.week or 0]):
            return None
        if item.rule == "TT-17" and not self._stay.needs_programme:
            return None
        return self._off_a_taken_day(pulled, pullers)

    def _report(self) -> date | None:
        """Due with the care plan when nobody can come to a review on a day off or taken."""
        plan_on = self.dates["joint_care_plan", None]
        day_5 = self._stay.day_5
        nobody_comes = self._day_5_taken or not self._calendar.is_working_day(day_5)
        if plan_on is not None and plan_on < day_5 and nobody_comes:
            return plan_on if self.dates["clinical_review", None] is not None else None
        return None

    def _on_transfer(self, item: Item) -> date:
        move = self._stay.move
        assert move is not None
        try:
            if item.due == "eve":
                eve = self._calendar.previous_working_day(move.on - ONE_DAY)
                return max(self._stay.reception_on, eve, move.known_on)
            if item.due == "after_move":
                return self._places.sending.next_working_day(move.on)
            if item.due == "next_contact":
                return self._places.receiving.next_working_day(move.on + ONE_DAY)
        except OutOfReach as beyond:
            raise Refused("transfer.on", str(beyond)) from None
        return move.on

    # -- pulls ------------------------------------------------------------------------------

    def pull(self, event: Event) -> date:
        """The last working day before the event, never before it was known or reception."""
        eve = self._calendar.previous_working_day(event.on - ONE_DAY)
        return max(self._stay.reception_on, eve, event.known_on)

    def pack_due_on(self, hearing_on: date | None) -> date:
        """When the pack for a hearing must be complete. RG-07."""
        return next(self.pull(each) for each in self._stay.hearings if each.on == hearing_on)

    def _pull(self, item: Item, own: date) -> tuple[date | None, frozenset[date]]:
        """The pulled date, None if the release makes it pointless, and the hearings that pull."""
        release = self._release
        if item.dropped_after_release and release is not None and own > release.on:
            return None, frozenset()
        if item.pulled_by is None:
            return own, frozenset()
        courts: Iterable[Event] = ()
        if item.pulled_by == "week_1":
            first_week = self._stay.blocks[1]
            courts = [court for court in self._courts if first_week.holds(court.on)]
            if release is not None and not first_week.holds(release.on):
                release = None
        elif item.pulled_by == "stay":
            courts = self._courts
        elif release is not None:
            floor = self._kw
            if item.pulled_by == "week":
                block = self._stay.blocks[item.week or 0]
                if block.to_on < release.on:
                    return own, frozenset()
                floor = block.inside_from
            if self._calendar.previous_working_day(release.on - ONE_DAY) < floor:
                return None, frozenset()
        dates = [own, *(self.pull(court) for court in courts)]
        if release is not None:
            dates.append(self.pull(release))
        return min(dates), frozenset(court.on for court in courts)

    # -- court and transfer days --------------------------------------------------------------

    def _off_a_taken_day(self, due_on: date, pullers: frozenset[date]) -> date:
        """The date itself, or the nearest day that is not spent at court or on the road. TT-19."""
        taken = self._taken
        if due_on not in taken or due_on in pullers:
            return due_on
        block = self._stay.block_holding(due_on)
        assert block is not None  # a taken day lies after reception and by day 28
        floor = max(block.inside_from, self._kw, taken[due_on])
        earlier = due_on
        while earlier in taken:
            earlier = self._calendar.previous_working_day(earlier - ONE_DAY)
        if earlier >= floor:
            return earlier
        later = due_on
        while later in taken:
            later = self._calendar.next_working_day(later + ONE_DAY)
        return later

    # -- groups -------------------------------------------------------------------------------

    def sessions_required(self, block: Block) -> int:
        """Two, or fewer when the block has fewer days on which a session can be had. TT-14."""
        available = [
            day
            for day in self._calendar.working_days(block.from_on, block.to_on)
            if day not in self._taken
            and (self._release is None or day < self._release.on)
            and not _any_holds(self._stay.hospital, day)
        ]
        return min(limit("TT-14", "sessions"), len(available))


def _any_holds(periods: Iterable[Unavailable], day: date) -> bool:
    return any(period.holds(day) for period in periods)


def bars(periods: Iterable[Unavailable], block: Block) -> bool:
    """Does one of the periods touch the block?"""
    return any(_any_holds(periods, day) for day in days_between(block.from_on, block.to_on))
