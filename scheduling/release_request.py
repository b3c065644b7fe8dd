"""What does a release check ask? The facts of one case, read strictly from a request.

Every record here is one object of the request; a field is None when absent or null, which means
unknown. Instants are aware and in UTC, dates are London dates. Rule ids: release.toml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from dosing.days import london_day
from dosing.shape import (
    Day,
    Instant,
    JsonSchema,
    Kind,
    ListOf,
    OneOf,
    Record,
    Refused,
    Required,
    Text,
    YesNo,
    join,
)
from scheduling.calendars import CALENDAR_FIELDS, NATIONS, CalendarChange, HolidayLists

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]"

Hours = tuple[tuple[time, time], ...]
"""The times a place is open on one day: from (included) to (excluded). None of them: closed."""


@dataclass(frozen=True)
class _Hours:
    """One stretch of opening hours, such as 09:00-18:00; it may run to 24:00."""

    _text = Text(rf"{_CLOCK}-({_CLOCK}|24:00)", 'must be opening hours such as "09:00-18:00"')

    def read(self, value: Any, path: str) -> tuple[time, time]:
        opens, closes = (clock_time(part) for part in self._text.read(value, path).split("-"))
        if closes <= opens:
            raise Refused(path, "must close after it opens, on the same day")
        return opens, closes

    def schema(self) -> JsonSchema:
        return self._text.schema()


@dataclass(frozen=True)
class _Clock:
    """A time of day, HH:MM."""

    _text = Text(_CLOCK, 'must be a time such as "16:00"')

    def read(self, value: Any, path: str) -> time:
        return clock_time(self._text.read(value, path))

    def schema(self) -> JsonSchema:
        return self._text.schema()


def clock_time(text: str) -> time:
    """HH:MM as a time of day; 24:00 is the last instant of the day."""
    return time.max if text == "24:00" else time.fromisoformat(text)


# -- the records, in the order of the contract -------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A calendar object, with the area and contact a destination adds."""

    nation: str | None = None
    closure_days: tuple[date, ...] | None = None
    calendar_changes: tuple[CalendarChange, ...] | None = None
    area: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class PossibleEarlier:
    on: date
    why: str
    known_at: datetime | None
    ruled_out_at: datetime | None


@dataclass(frozen=True, slots=True)
class Release:
    calculated_on: date | None = None
    confirmed_on: date | None = None
    kind: str | None = None
    sentenced_on: date | None = None
    known_at: datetime | None = None
    previous_on: date | None = None
    changed_at: datetime | None = None
    possible_earlier: tuple[PossibleEarlier, ...] | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    at: datetime
    how: str


@dataclass(frozen=True, slots=True)
class Pack:
    """The court contingency pack: each tick a time, the appointment slot a date."""

    cjit_contact_at: datetime | None = None
    slot_on: date | None = None
    dose_letter_at: datetime | None = None
    bridging_decided_at: datetime | None = None
    naloxone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Court:
    starts_at: datetime
    known_at: datetime | None
    outcome: str | None
    pack: Pack | None


@dataclass(frozen=True, slots=True)
class Transfer:
    on: date
    booked_on: date | None
    nation: str | None
    closure_days: tuple[date, ...] | None
    calendar_changes: tuple[CalendarChange, ...] | None
    drug: str | None
    dose_form: str | None
    last_dose_at: datetime | None
    next_dose_at: datetime | None
    prescriber_cover: bool | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    by: str
    at: datetime
    dose: bool | None
    last_consumed: bool | None


@dataclass(frozen=True, slots=True)
class Arrival:
    received_at: datetime
    claims_ost: bool | None
    confirmed: Confirmation | None


@dataclass(frozen=True, slots=True)
class Dose:
    at: datetime | None
    on: date | None
    where: str
    source: str | None

    @property
    def day(self) -> date:
        """The London day of the dose."""
        if self.at is not None:
            return london_day(self.at)
        assert self.on is not None
        return self.on


@dataclass(frozen=True, slots=True)
class Instalment:
    collect_on: date
    covers: tuple[date, ...]
    collected: bool | None


@dataclass(frozen=True, slots=True)
class BridgingSupply:
    form: str
    in_hand: bool | None
    written_at: datetime | None
    sent_at: datetime | None
    sent_to: str | None
    for_release_on: date | None
    reconfirmed_at: datetime | None
    instalments: tuple[Instalment, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    on: date
    hours: Hours


@dataclass(frozen=True, slots=True)
class Premises:
    """A pharmacy or clinic: its week as given, days closed, days open out of the ordinary."""

    name: str | None = None
    hours: Mapping[str, Hours | None] | None = None
    closures: tuple[date, ...] | None = None
    openings: tuple[Opening, ...] | None = None


@dataclass(frozen=True, slots=True)
class CommunityPrescription:
    live: bool | None
    next_collection_on: date | None
    confirmed_valid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Appointment:
    at: datetime
    booked_at: datetime | None
    acknowledged_at: datetime | None
    attended: bool | None
    for_release_on: date | None
    reconfirmed_at: datetime | None

    @property
    def day(self) -> date:
        """The London day of the appointment."""
        return london_day(self.at)


@dataclass(frozen=True, slots=True)
class Prescriber:
    name: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    sent_at: datetime | None
    acknowledged_at: datetime | None
    for_release_on: date | None
    reconfirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Consent:
    given: bool | None = None
    lawful_basis: str | None = None


@dataclass(frozen=True, slots=True)
class DoseLetter:
    prepared_at: datetime | None = None
    sent_at: datetime | None = None
    sent_to: str | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """Naloxone or the overdose session: what came of it, and when."""

    outcome: str
    on: date


@dataclass(frozen=True, slots=True)
class Settings:
    late_appointment_after: time | None = None
    friday_rule_from: date | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One case at one moment. `opioid_history` and `on_ost` unknown read as true."""

    case: str
    as_at: datetime
    on_ost: bool | None
    opioid_history: bool | None
    medicine: str | None
    received_at: datetime | None
    prison: Place
    destination: Place | None
    release: Release | None
    exit: Exit | None
    courts: tuple[Court, ...] | None
    transfer: Transfer | None
    arrival: Arrival | None
    doses: tuple[Dose, ...] | None
    dose_on_release_day: bool | None
    depot_cover_ends_on: date | None
    bridging_supplies: tuple[BridgingSupply, ...] | None
    pharmacy: Premises | None
    community_prescription: CommunityPrescription | None
    appointment: Appointment | None
    clinic: Premises | None
    prescriber: Prescriber | None
    notification: Notification | None
    consent: Consent | None
    dose_letter: DoseLetter | None
    naloxone: Offered | None
    overdose_session: Offered | None
    weekend_cover_acknowledged_at: datetime | None
    engaged_on: date | None
    settings: Settings | None


# -- their shapes -------------------------------------------------------------------------


def _one_time(dose: Dose, path: str) -> None:
    if dose.at is None and dose.on is None:
        raise Refused(join(path, "at"), "is required, unless the date is given as on")
    if dose.at is not None and dose.on is not None:
        raise Refused(join(path, "on"), "must not be given beside at: one of them")


_TEXT: Final = Text()
_YES_NO: Final = YesNo()
_DAY: Final = Day()
_INSTANT: Final = Instant()
_DAYS: Final = ListOf(_DAY)
_HOURS: Final = ListOf(_Hours())

_WEEK: Final = Record(dict, dict.fromkeys(WEEKDAYS, _HOURS))

_FOR_A_DATE: Final[dict[str, Kind | Required]] = {
    "for_release_on": _DAY,
    "reconfirmed_at": _INSTANT,
}

_RELEASE: Final = Record(
    Release,
    {
        "calculated_on": _DAY,
        "confirmed_on": _DAY,
        "kind": OneOf("determinate", "hdc", "parole", "indeterminate", "remand"),
        "sentenced_on": _DAY,
        "known_at": _INSTANT,
        "previous_on": _DAY,
        "changed_at": _INSTANT,
        "possible_earlier": ListOf(
            Record(
                PossibleEarlier,
                {
                    "on": Required(_DAY),
                    "why": Required(OneOf("hdc", "early_release", "other")),
                    "known_at": _INSTANT,
                    "ruled_out_at": _INSTANT,
                },
            )
        ),
    },
)

_COURT: Final = Record(
    Court,
    {
        "starts_at": Required(_INSTANT),
        "known_at": _INSTANT,
        "outcome": OneOf("returned", "released"),
        "pack": Record(
            Pack,
            {
                "cjit_contact_at": _INSTANT,
                "slot_on": _DAY,
                "dose_letter_at": _INSTANT,
                "bridging_decided_at": _INSTANT,
                "naloxone_at": _INSTANT,
            },
        ),
    },
)

_TRANSFER: Final = Record(
    Transfer,
    {
        "on": Required(_DAY),
        "booked_on": _DAY,
        **CALENDAR_FIELDS,
        "drug": _TEXT,
        "dose_form": _TEXT,
        "last_dose_at": _INSTANT,
        "next_dose_at": _INSTANT,
        "prescriber_cover": _YES_NO,
        "confirmed_at": _INSTANT,
    },
)

_ARRIVAL: Final = Record(
    Arrival,
    {
        "received_at": Required(_INSTANT),
        "claims_ost": _YES_NO,
        "confirmed": Record(
            Confirmation,
            {
                "by": Required(OneOf("pharmacy", "prescriber")),
                "at": Required(_INSTANT),
                "dose": _YES_NO,
                "last_consumed": _YES_NO,
            },
        ),
    },
)

_DOSE: Final = Record(
    Dose,
    {
        "at": _INSTANT,
        "on": _DAY,
        "where": Required(OneOf("prison", "police", "court", "hospital", "community")),
        "source": _TEXT,
    },
    also=_one_time,
)

_SUPPLY: Final = Record(
    BridgingSupply,
    {
        "form": Required(OneOf("fp10mda", "fp10", "gate_pack")),
        "in_hand": _YES_NO,
        "written_at": _INSTANT,
        "sent_at": _INSTANT,
        "sent_to": _TEXT,
        **_FOR_A_DATE,
        "instalments": Required(
            ListOf(
                Record(
                    Instalment,
                    {
                        "collect_on": Required(_DAY),
                        "covers": Required(_DAYS),
                        "collected": _YES_NO,
                    },
                )
            )
        ),
    },
)

PHARMACY_SHAPE: Final = Record(
    Premises,
    {
        "name": _TEXT,
        "hours": _WEEK,
        "closures": _DAYS,
        "openings": ListOf(Record(Opening, {"on": Required(_DAY), "hours": Required(_HOURS)})),
    },
)

_SHAPE: Final = Record(
    Request,
    {
        "case": Required(_TEXT),
        "as_at": Required(_INSTANT),
        "on_ost": _YES_NO,
        "opioid_history": _YES_NO,
        "medicine": OneOf("methadone", "buprenorphine", "buprenorphine_depot"),
        "received_at": _INSTANT,
        "prison": Required(Record(Place, CALENDAR_FIELDS)),
        "destination": Record(
            Place,
            {**CALENDAR_FIELDS, "nation": OneOf(*NATIONS), "area": _TEXT, "contact": _TEXT},
        ),
        "release": _RELEASE,
        "exit": Record(
            Exit,
            {
                "at": Required(_INSTANT),
                "how": Required(OneOf("release", "court", "unplanned", "transfer", "died")),
            },
        ),
        "courts": ListOf(_COURT),
        "transfer": _TRANSFER,
        "arrival": _ARRIVAL,
        "doses": ListOf(_DOSE),
        "dose_on_release_day": _YES_NO,
        "depot_cover_ends_on": _DAY,
        "bridging_supplies": ListOf(_SUPPLY),
        "pharmacy": PHARMACY_SHAPE,
        "community_prescription": Record(
            CommunityPrescription,
            {"live": _YES_NO, "next_collection_on": _DAY, "confirmed_valid_at": _INSTANT},
        ),
        "appointment": Record(
            Appointment,
            {
                "at": Required(_INSTANT),
                "booked_at": _INSTANT,
                "acknowledged_at": _INSTANT,
                "attended": _YES_NO,
                **_FOR_A_DATE,
            },
        ),
        "clinic": Record(Premises, {"hours": _WEEK, "closures": _DAYS}),
        "prescriber": Record(Prescriber, {"name": _TEXT, "service": _TEXT}),
        "notification": Record(
            Notification,
            {"sent_at": _INSTANT, "acknowledged_at": _INSTANT, **_FOR_A_DATE},
        ),
        "consent": Record(Consent, {"given": _YES_NO, "lawful_basis": _TEXT}),
        "dose_letter": Record(
            DoseLetter, {"prepared_at": _INSTANT, "sent_at": _INSTANT, "sent_to": _TEXT}
        ),
        "naloxone": Record(
            Offered, {"outcome": Required(OneOf("issued", "declined")), "on": Required(_DAY)}
        ),
        "overdose_session": Record(
            Offered, {"outcome": Required(OneOf("delivered", "declined")), "on": Required(_DAY)}
        ),
        "weekend_cover_acknowledged_at": _INSTANT,
        "engaged_on": _DAY,
        "settings": Record(
            Settings, {"late_appointment_after": _Clock(), "friday_rule_from": _DAY}
        ),
    },
)


def request_schema() -> JsonSchema:
    """The request as JSON Schema 2020-12."""
    return _SHAPE.schema()


# -- what needs more than one field to see ------------------------------------------------


def read(request: Any, holidays: HolidayLists) -> Request:
    """The facts of a request (parsed JSON), or Refused with the path of the field at fault.

    Refused: a wrong shape; anything recorded as done after `as_at`; a hearing not after the
    reception, or one that released a person who has not left; a date that working days are
    counted from and that `holidays` does not reach.
    """
    given: Request = _SHAPE.read(request, "")
    today = london_day(given.as_at)
    for field, done in _done(given):
        late = done > given.as_at if isinstance(done, datetime) else done > today
        if late:
            raise Refused(field, "is later than as_at, so it cannot have happened yet")
    for place, court in enumerate(given.courts or ()):
        if given.received_at is not None and court.starts_at <= given.received_at:
            raise Refused(f"courts[{place}].starts_at", "must be after received_at")
        if court.outcome == "released" and given.exit is None:
            raise Refused(f"courts[{place}].outcome", "released needs the exit")
    for field, day in calendar_dates(given):
        if not holidays.first_on <= day <= holidays.last_on:
            raise Refused(field, out_of_reach(holidays))
    return given


def out_of_reach(holidays: HolidayLists) -> str:
    """What a refusal says about a date beyond the pinned bank holidays."""
    return (
        f"needs bank holidays outside the list, which runs"
        f" from {holidays.first_on} to {holidays.last_on}"
    )


def calendar_dates(given: Request) -> Iterator[tuple[str, date]]:
    """Each field whose date working or opening days are counted from, with that date."""
    yield "as_at", london_day(given.as_at)
    if given.release is not None:
        if given.release.calculated_on is not None:
            yield "release.calculated_on", given.release.calculated_on
        if given.release.confirmed_on is not None:
            yield "release.confirmed_on", given.release.confirmed_on
    if given.exit is not None:
        yield "exit.at", london_day(given.exit.at)
    for place, court in enumerate(given.courts or ()):
        yield f"courts[{place}].starts_at", london_day(court.starts_at)
    if given.transfer is not None:
        yield "transfer.on", given.transfer.on
    if given.arrival is not None:
        yield "arrival.received_at", london_day(given.arrival.received_at)
    for place, supply in enumerate(given.bridging_supplies or ()):
        for number, instalment in enumerate(supply.instalments):
            yield (
                f"bridging_supplies[{place}].instalments[{number}].collect_on",
                instalment.collect_on,
            )
    prescription = given.community_prescription
    if prescription is not None and prescription.next_collection_on is not None:
        yield "community_prescription.next_collection_on", prescription.next_collection_on
    if given.appointment is not None:
        yield "appointment.at", given.appointment.day


_TICKS_AT: Final = ("cjit_contact_at", "dose_letter_at", "bridging_decided_at", "naloxone_at")
_DONE: Final = (
    ("appointment", ("booked_at", "acknowledged_at", "reconfirmed_at")),
    ("notification", ("sent_at", "acknowledged_at", "reconfirmed_at")),
    ("dose_letter", ("prepared_at", "sent_at")),
    ("community_prescription", ("confirmed_valid_at",)),
    ("transfer", ("confirmed_at",)),
    ("release", ("known_at", "changed_at")),
    ("arrival", ("received_at",)),
    ("exit", ("at",)),
    ("naloxone", ("on",)),
    ("overdose_session", ("on",)),
)


def _done(given: Request) -> Iterator[tuple[str, date | datetime]]:
    """Each field that records something done, with its moment or its date."""
    for name in ("received_at", "weekend_cover_acknowledged_at", "engaged_on"):
        yield from _given(given, "", (name,))
    for part, names in _DONE:
        record = getattr(given, part)
        if record is not None:
            yield from _given(record, part, names)
    if given.arrival is not None and given.arrival.confirmed is not None:
        yield "arrival.confirmed.at", given.arrival.confirmed.at
    for place, dose in enumerate(given.doses or ()):
        yield from _given(dose, f"doses[{place}]", ("at", "on"))
    for place, court in enumerate(given.courts or ()):
        if court.pack is not None:
            yield from _given(court.pack, f"courts[{place}].pack", _TICKS_AT)
    for place, supply in enumerate(given.bridging_supplies or ()):
        yield from _given(
            supply, f"bridging_supplies[{place}]", ("written_at", "sent_at", "reconfirmed_at")
        )
    if given.release is not None:
        for place, earlier in enumerate(given.release.possible_earlier or ()):
            yield from _given(earlier, f"release.possible_earlier[{place}]", ("ruled_out_at",))


def _given(
    record: object, path: str, names: tuple[str, ...]
) -> Iterator[tuple[str, date | datetime]]:
    for name in names:
        value = getattr(record, name)
        if value is not None:
            yield join(path, name), value
