"""Which days after release have medicine? Cover from doses and supplies, and the gap to the
first community dose.

All dates are London dates; clock times are London's. Nothing here knows today: it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from dosing.days import ONE_DAY, days_between, london_day, london_time
from scheduling.calendars import Calendar
from scheduling.release_request import (
    WEEKDAYS,
    Appointment,
    BridgingSupply,
    CommunityPrescription,
    Hours,
    Instalment,
    Premises,
)
from scheduling.release_rules import LIMITS, PHARMACY


def _first(day: date, fits: Callable[[date], bool]) -> date | None:
    """The first day that fits, from `day` on; None when there is none within the search limit."""
    last = day + LIMITS.search
    while day <= last:
        if fits(day):
            return day
        day += ONE_DAY
    return None


class Pharmacy:
    """When can medicine be collected? A pharmacy's opening days in the place of release.

    An opening for a day wins over everything, then a closure, then bank holidays and the named
    days; last the week, its own or the default one. Unnamed premises follow the same hours.
    `left_at`: on the day of leaving it must still close after that instant.
    """

    def __init__(
        self,
        premises: Premises | None,
        nation: str,
        calendar: Calendar,
        left_at: datetime | None,
    ) -> None:
        premises = premises or Premises()
        self.named = bool(premises.name and premises.name.strip())
        self._calendar = calendar
        self._week = PHARMACY.hours if premises.hours is None else premises.hours
        self._named_days = PHARMACY.named_days[nation]
        self._closures = frozenset(premises.closures or ())
        self._openings: dict[date, Hours] = {}
        for opening in premises.openings or ():
            self._openings[opening.on] = self._openings.get(opening.on, ()) + opening.hours
        self._left = None if left_at is None else (london_day(left_at), clock_of(left_at))

    def hours_on(self, day: date) -> Hours:
        """The hours of that day; empty when closed."""
        if day in self._openings:
            return self._openings[day]
        if (
            day in self._closures
            or (day.month, day.day) in self._named_days
            or self._calendar.is_bank_holiday(day)
        ):
            return ()
        return self._week.get(WEEKDAYS[day.weekday()]) or ()

    def closes_after(self, day: date, clock: time) -> bool:
        """Is it open that day, closing after that time? Closing at that very time is not after."""
        return any(closes > clock for _, closes in self.hours_on(day))

    def is_open(self, day: date) -> bool:
        """Can something be collected that day?"""
        if self._left is not None and day == self._left[0]:
            return self.closes_after(day, self._left[1])
        return bool(self.hours_on(day))

    def next_open(self, day: date) -> date | None:
        """The day itself if it is open, else the next one that is."""
        return _first(day, self.is_open)


class Clinic:
    """When is the community clinic open? Working days there, within its hours when known."""

    def __init__(self, premises: Premises | None, calendar: Calendar) -> None:
        premises = premises or Premises()
        self._calendar = calendar
        self._week = premises.hours
        self._closures = frozenset(premises.closures or ())

    def is_open_at(self, day: date, clock: time) -> bool:
        """Is it open at that moment? Its closing time is no longer open."""
        return self._works(day) and (
            self._week is None or any(o <= clock < c for o, c in self._hours(day))
        )

    def opens_on(self, day: date, clock: time) -> date | None:
        """The first day it is open at or after that moment."""
        if self._works(day) and (
            self._week is None or any(closes > clock for _, closes in self._hours(day))
        ):
            return day
        return _first(
            day + ONE_DAY,
            lambda later: self._works(later) and (self._week is None or bool(self._hours(later))),
        )

    def _works(self, day: date) -> bool:
        return day not in self._closures and self._calendar.is_working_day(day)

    def _hours(self, day: date) -> Hours:
        return (self._week or {}).get(WEEKDAYS[day.weekday()]) or ()


def clock_of(instant: datetime) -> time:
    """What London's clocks show at that instant."""
    return london_time(instant).time()


# -- cover --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Supplied:
    """Days covered by instalments that can be collected, and the instalments that cannot be."""

    days: frozenset[date]
    uncollectable: tuple[Instalment, ...]


def supplied(supplies: Sequence[BridgingSupply], release_on: date, pharmacy: Pharmacy) -> Supplied:
    """Which days do bridging supplies really cover?

    An instalment counts when it is not known to be uncollected, its collection day is release
    day or later, and, unless it is a gate pack, the script is in hand and a named pharmacy is
    open. It covers none of its days that lie before it is collected. Rule: RG-15.
    """
    days: set[date] = set()
    uncollectable: list[Instalment] = []
    for supply in supplies:
        for instalment in supply.instalments:
            if _can_be_collected(supply, instalment, release_on, pharmacy):
                days.update(day for day in instalment.covers if day >= instalment.collect_on)
            else:
                uncollectable.append(instalment)
    return Supplied(frozenset(days), tuple(uncollectable))


def _can_be_collected(
    supply: BridgingSupply, instalment: Instalment, release_on: date, pharmacy: Pharmacy
) -> bool:
    if instalment.collected is False or instalment.collect_on < release_on:
        return False
    if supply.form == "gate_pack":
        return True
    return supply.in_hand is True and pharmacy.named and pharmacy.is_open(instalment.collect_on)


@dataclass(frozen=True)
class Cover:
    """The last day covered by a dose (`base_on`, None: unknown) and the days supplied after it."""

    base_on: date | None
    supplied: frozenset[date]

    @property
    def ends_on(self) -> date | None:
        """The last day of unbroken cover; None when the last dose is unknown."""
        day = self.base_on
        while day is not None and day + ONE_DAY in self.supplied:
            day += ONE_DAY
        return day


@dataclass(frozen=True)
class Gap:
    """The uncovered days in order; `days` is None while the gap is open-ended or unknown."""

    uncovered_days: tuple[date, ...]
    days: int | None


def find_gap(cover: Cover, first_dose_on: date | None, counted_to: date | None) -> Gap:
    """Which days lie without medicine between the last dose and the first community dose?

    Whole London days, both ends excluded, less the days a supply covers. Without a first dose
    the gap is open: days up to and including `counted_to` (None before leaving: none yet). An
    unknown last dose gives an unknown gap, never none. Rules: RG-03, RG-15.
    """
    if cover.base_on is None:
        return Gap((), None)
    last = counted_to if first_dose_on is None else first_dose_on - ONE_DAY
    if last is None:
        return Gap((), None)
    uncovered = tuple(
        day for day in days_between(cover.base_on + ONE_DAY, last) if day not in cover.supplied
    )
    return Gap(uncovered, None if first_dose_on is None else len(uncovered))


# -- the first community contact: A -------------------------------------------------------


@dataclass(frozen=True)
class FirstContact:
    """The appointment (or, with none, a collection) that treatment outside begins with.

    `on` is its London date, `dose_on` the first day it can lead to a dose.
    """

    on: date
    dose_on: date
    appointment: Appointment | None


def by_appointment(
    appointment: Appointment, clinic: Clinic, pharmacy: Pharmacy, late_after: time
) -> FirstContact | None:
    """The contact an appointment gives; None when no open day follows it.

    The dose is on the day the clinic is open at or after it; when that is the same day and the
    time is after `late_after`, on the next day the pharmacy is open.
    """
    day, clock = appointment.day, clock_of(appointment.at)
    dose_on = clinic.opens_on(day, clock)
    if dose_on == day and clock > late_after:
        dose_on = pharmacy.next_open(day + ONE_DAY)
    return None if dose_on is None else FirstContact(day, dose_on, appointment)


def by_collection(
    prescription: CommunityPrescription,
    release_on: date,
    base_on: date | None,
    pharmacy: Pharmacy,
) -> FirstContact | None:
    """The contact a live, confirmed community prescription gives, or None.

    The next collection must be on release day or later and come before the prescription lapses
    (three missed days); with the last dose unknown that cannot be said.
    """
    day = prescription.next_collection_on
    if (
        prescription.live is not True
        or prescription.confirmed_valid_at is None
        or day is None
        or base_on is None
        or not release_on <= day <= base_on + LIMITS.collection_within
    ):
        return None
    dose_on = pharmacy.next_open(day)
    return None if dose_on is None else FirstContact(day, dose_on, None)
