"""What is known of one case at one moment? Dates, cover, first contact, courts, arrival.

Everything the rules read is worked out here once, for one way of having left or not. Dates are
London dates. Calendars are read as they are known today. Rules: release.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Final

from dosing.days import ONE_DAY, days_between, london_day
from scheduling.calendars import Calendar, CalendarFacts, HolidayLists
from scheduling.release_cover import (
    Clinic,
    Cover,
    FirstContact,
    Gap,
    Pharmacy,
    Supplied,
    by_appointment,
    by_collection,
    clock_of,
    find_gap,
    supplied,
)
from scheduling.release_request import (
    Appointment,
    Court,
    Dose,
    Exit,
    Pack,
    Place,
    Release,
    Request,
    Settings,
    Transfer,
)
from scheduling.release_rules import LIMITS, MOST_WORKING_DAYS, RULES

_OUT: Final = ("release", "court", "unplanned")
_SATURDAY: Final = 5
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Places:
    """Prison and destination as they are known today; `pharmacy` with nobody on the way to it."""

    prison: Calendar
    prison_nation: str
    destination: Calendar
    nation: str
    clinic: Clinic
    pharmacy: Pharmacy
    receiving: Calendar | None


@dataclass(frozen=True)
class ReleaseDates:
    """The expected release date, and the dates the weekend and Friday rules gave on the way."""

    release_on: date | None = None
    weekend_rule_on: date | None = None
    friday_rule_on: date | None = None


@dataclass(frozen=True)
class CourtAhead:
    """A hearing still to come: when its pack is due, and which ticks are missing."""

    on: date
    due_on: date
    missing: list[str]


@dataclass(frozen=True)
class ArrivalPicture:
    """What is known of doses before arrival; `missed_days` None: no community dose recorded."""

    causes: list[str]
    missed_days: list[date] | None
    last_dose: Dose | None
    dose_24h_at: datetime | None
    confirmation_due_on: date | None


@dataclass(frozen=True)
class Picture:
    """One case at one moment, for one way of having left or not.

    `contact` is A, the first community contact that still counts; `missed` the appointment that
    was missed. `working_days_left` runs from tomorrow to release, both included, is not counted
    beyond the longest count-down, 0 once out, None with the release date unknown.
    """

    given: Request
    places: Places
    today: date
    exit: Exit | None
    out: bool
    on_ost: bool
    dates: ReleaseDates
    supplied: Supplied
    cover: Cover
    gap: Gap
    contact: FirstContact | None
    contact_or_missed: FirstContact | None
    missed: Appointment | None
    working_days_left: int | None
    next_working_day_on: date | None
    continuity_deadline_on: date | None
    cjit_notice_due_on: date | None
    courts_ahead: tuple[CourtAhead, ...]
    arrival: ArrivalPicture | None

    @property
    def release_on(self) -> date | None:
        """The day they walked out, else the expected one; None when it is unknown."""
        return self.dates.release_on

    @property
    def planned(self) -> bool:
        """Is this a planned release: still inside, or left as planned?"""
        return not self.out or (self.exit is not None and self.exit.how == "release")


def places_of(given: Request, holidays: HolidayLists) -> Places:
    """Where are prison, destination, clinic and pharmacy, and when are they open?"""
    today = london_day(given.as_at)
    prison, there = given.prison, given.destination or Place()
    assert prison.nation is not None
    if there.nation is None:
        # Unknown nation: the prison's calendar, and whatever is known to be closed there.
        there = Place(
            prison.nation,
            (prison.closure_days or ()) + (there.closure_days or ()),
            (prison.calendar_changes or ()) + (there.calendar_changes or ()),
        )
    assert there.nation is not None
    destination = _calendar(there, holidays, today)
    return Places(
        prison=_calendar(prison, holidays, today),
        prison_nation=prison.nation,
        destination=destination,
        nation=there.nation,
        clinic=Clinic(given.clinic, destination),
        pharmacy=Pharmacy(given.pharmacy, there.nation, destination, left_at=None),
        receiving=_calendar(given.transfer, holidays, today) if given.transfer else None,
    )


def _calendar(place: Place | Transfer, holidays: HolidayLists, today: date) -> Calendar:
    facts = CalendarFacts(place.nation, place.closure_days, place.calendar_changes)
    return Calendar.of(facts, holidays, known_on=today)


def picture_of(given: Request, places: Places, left: Exit | None) -> Picture:
    """What is known of this case, if the person left like that (None: has not left)?

    Raises OutOfReach when a count runs beyond the pinned bank holidays.
    """
    today = london_day(given.as_at)
    out = left is not None and left.how in _OUT
    left_on = london_day(left.at) if out and left is not None else None
    dates = ReleaseDates(left_on) if left_on else _expected_release(given, places)
    release_on = dates.release_on
    on_ost = given.on_ost is not False

    pharmacy = places.pharmacy
    if out and left is not None:
        pharmacy = Pharmacy(given.pharmacy, places.nation, places.destination, left.at)
    supply, cover = Supplied(frozenset(), ()), Cover(None, frozenset())
    contact = contact_or_missed = missed = None
    if release_on is not None:
        base_on = _base_on(given, release_on, out)
        if on_ost:
            supply = supplied(given.bridging_supplies or (), release_on, pharmacy)
            cover = Cover(base_on, supply.days)
        appointment = given.appointment
        if appointment is not None and appointment.day < release_on:
            appointment = None
        if appointment is not None and _is_missed(appointment, today, out, places.destination):
            missed = appointment
        contact = _first_contact(
            given, None if missed else appointment, release_on, base_on, places, pharmacy
        )
        contact_or_missed = _first_contact(
            given, appointment, release_on, base_on, places, pharmacy
        )
    gap = Gap((), 0)
    if on_ost:
        gap = find_gap(cover, contact.dose_on if contact else None, today if out else None)
    return Picture(
        given=given,
        places=places,
        today=today,
        exit=left,
        out=out,
        on_ost=on_ost,
        dates=dates,
        supplied=supply,
        cover=cover,
        gap=gap,
        contact=contact,
        contact_or_missed=contact_or_missed,
        missed=missed,
        working_days_left=_working_days_left(places.prison, today, release_on, out),
        next_working_day_on=(
            places.destination.next_working_day(release_on + ONE_DAY) if release_on else None
        ),
        continuity_deadline_on=release_on + LIMITS.continuity if release_on else None,
        cjit_notice_due_on=_cjit_notice_due_on(given.release, release_on, places.prison),
        courts_ahead=() if out else tuple(_courts_ahead(given, today, places)),
        arrival=_arrival(given, today, places.pharmacy),
    )


def _expected_release(given: Request, places: Places) -> ReleaseDates:
    """On which date will they walk out, as far as it is known?

    The date OMU confirmed; else the calculated one after the weekend and Friday rules of the
    prison's nation. Other kinds than determinate do not move; an unknown kind counts as
    determinate, an unknown sentence date as long enough ago. Rule: RG-06.
    """
    release = given.release or Release()
    if release.confirmed_on is not None:
        return ReleaseDates(release.confirmed_on)
    day = release.calculated_on
    if day is None or release.kind not in (None, "determinate"):
        return ReleaseDates(day)
    if places.prison_nation == "northern_ireland":  # no rule found
        return ReleaseDates(day)
    if places.prison_nation == "scotland":
        while is_weekend(day) or places.destination.is_bank_holiday(day):
            day -= ONE_DAY
        return ReleaseDates(day, weekend_rule_on=day)
    weekend_rule_on = places.prison.previous_working_day(day)
    rule_from = (given.settings or Settings()).friday_rule_from or LIMITS.friday_rule_from
    long_enough = (
        release.sentenced_on is None or day - release.sentenced_on >= LIMITS.served_since_sentence
    )
    if day < rule_from or not long_enough:
        return ReleaseDates(weekend_rule_on, weekend_rule_on)
    while not (places.prison.is_working_day(day) and places.prison.is_working_day(day + ONE_DAY)):
        day -= ONE_DAY
    return ReleaseDates(day, weekend_rule_on, day)


def is_weekend(day: date) -> bool:
    """Is it a Saturday or a Sunday?"""
    return day.weekday() >= _SATURDAY


def _base_on(given: Request, release_on: date, out: bool) -> date | None:
    """The last day covered by a dose or a depot injection; None when it is not known."""
    if given.medicine == "buprenorphine_depot":
        return given.depot_cover_ends_on
    if out:
        dosed_on = max((dose.day for dose in given.doses or ()), default=None)
    else:
        dosed_on = release_on if given.dose_on_release_day is True else release_on - ONE_DAY
    known = [day for day in (dosed_on, given.depot_cover_ends_on) if day is not None]
    return max(known, default=None)


def _is_missed(appointment: Appointment, today: date, out: bool, there: Calendar) -> bool:
    """Was it missed? Not known counts as missed from the next working day on, once out."""
    if appointment.attended is not None:
        return not appointment.attended
    return out and today >= there.next_working_day(appointment.day + ONE_DAY)


def _first_contact(
    given: Request,
    appointment: Appointment | None,
    release_on: date,
    base_on: date | None,
    places: Places,
    pharmacy: Pharmacy,
) -> FirstContact | None:
    """A: the appointment or the collection, whichever is earlier; a collection on the same day."""
    settings = given.settings or Settings()
    late_after = settings.late_appointment_after or LIMITS.late_appointment_after
    contacts = []
    if given.community_prescription is not None:
        contacts.append(by_collection(given.community_prescription, release_on, base_on, pharmacy))
    if appointment is not None:
        contacts.append(by_appointment(appointment, places.clinic, pharmacy, late_after))
    return min((one for one in contacts if one), key=lambda one: one.on, default=None)


def _working_days_left(
    prison: Calendar, today: date, release_on: date | None, out: bool
) -> int | None:
    if out:
        return 0
    if release_on is None:
        return None
    left = 0
    for day in days_between(today + ONE_DAY, release_on):
        left += prison.is_working_day(day)
        if left > MOST_WORKING_DAYS:
            break
    return left


def _cjit_notice_due_on(
    release: Release | None, release_on: date | None, prison: Calendar
) -> date | None:
    """Six weeks before release, or the working day after the date became known when later."""
    if release_on is None:
        return None
    due_on = prison.previous_working_day(release_on - LIMITS.cjit_notice)
    known_at = (release.known_at or release.changed_at) if release else None
    if known_at is not None and london_day(known_at) > due_on:
        return prison.next_working_day(london_day(known_at) + ONE_DAY)
    return due_on


def _courts_ahead(given: Request, today: date, places: Places) -> Iterator[CourtAhead]:
    """The hearings known of that lie ahead, today's included."""
    for court in given.courts or ():
        on = london_day(court.starts_at)
        known = court.known_at is None or court.known_at <= given.as_at
        if known and court.outcome is None and today <= on:
            due_on = places.prison.previous_working_day(on - ONE_DAY)
            for since in (given.received_at, court.known_at):
                if since is not None:
                    due_on = max(due_on, london_day(since))
            yield CourtAhead(on, due_on, _missing_ticks(given, court, on, places.destination))


def _missing_ticks(given: Request, court: Court, on: date, there: Calendar) -> list[str]:
    table = RULES["RG-07"].table
    ticks = table["ticks_without_ost"] if given.on_ost is False else table["ticks"]
    pack = court.pack or Pack()
    missing = []
    for tick in ticks:
        value = getattr(pack, tick)
        if tick == "slot_on" and value is not None:
            # A slot is of use from the hearing day to the next working day after it.
            in_time = on <= value <= there.next_working_day(on + ONE_DAY)
            value = value if in_time else None
        if value is None:
            missing.append(tick)
    return sorted(missing)


def last_dose(doses: Iterable[Dose]) -> Dose | None:
    """The latest dose; one with only a date counts as the last of that day."""
    return max(
        doses,
        key=lambda dose: (dose.day, dose.at is None, dose.at or _BEGINNING),
        default=None,
    )


def _arrival(given: Request, today: date, pharmacy: Pharmacy) -> ArrivalPicture | None:
    """What speaks against dosing as claimed on arrival? None when nobody claims treatment."""
    arrival = given.arrival
    if arrival is None or arrival.claims_ost is False:
        return None
    doses = given.doses or ()
    last_outside = last_dose(dose for dose in doses if dose.where != "prison")
    double_until = (
        last_outside.at + LIMITS.double_dose if last_outside and last_outside.at else None
    )
    missed_days = _missed_days(doses, today)

    confirmed = arrival.confirmed
    both = confirmed is not None and confirmed.dose is True and confirmed.last_consumed is True
    causes = [] if both else ["unconfirmed"]
    if not (both and confirmed is not None and confirmed.by == "prescriber"):
        if any(_could_be_doubled(dose, given.as_at, today) for dose in doses):
            causes.append("double_dose")
        if _longest_run(missed_days or ()) >= LIMITS.missed_in_a_row:
            causes.append("missed_days")

    received_on = london_day(arrival.received_at)
    due_on: date | None = received_on
    if not pharmacy.closes_after(received_on, clock_of(arrival.received_at)):
        due_on = pharmacy.next_open(received_on + ONE_DAY)
    return ArrivalPicture(sorted(causes), missed_days, last_dose(doses), double_until, due_on)


def _could_be_doubled(dose: Dose, as_at: datetime, today: date) -> bool:
    """A dose elsewhere less than 24 hours ago; with only a date, one today or yesterday."""
    if dose.where == "prison":
        return False
    if dose.at is not None:
        return as_at - dose.at < LIMITS.double_dose
    return dose.day >= today - ONE_DAY


def _missed_days(doses: Sequence[Dose], today: date) -> list[date] | None:
    """Whole days after the last community dose and before today with no dose of any kind."""
    community = [dose.day for dose in doses if dose.where == "community"]
    if not community:
        return None
    dosed = {dose.day for dose in doses}
    return [
        day for day in days_between(max(community) + ONE_DAY, today - ONE_DAY) if day not in dosed
    ]


def _longest_run(days: Sequence[date]) -> int:
    """How many of these days, in order, follow each other without a break, at most?"""
    longest = run = min(len(days), 1)
    for earlier, later in pairwise(days):
        run = run + 1 if later - earlier == ONE_DAY else 1
        longest = max(longest, run)
    return longest
