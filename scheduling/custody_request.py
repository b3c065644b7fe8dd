"""What facts does a timetable need, and which requests are refused?

The wire shape of `timetable plan`: every field of the contract's section 3, read strictly, with
the faults that need two fields to see. Instants come out aware in UTC, dates as London dates,
and whatever is absent or null as None, which is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from dosing.days import london_day
from dosing.shape import (
    Day,
    Instant,
    ListOf,
    OneOf,
    Record,
    Refused,
    Required,
    Text,
    Whole,
    YesNo,
)
from scheduling.calendars import (
    CALENDAR_FIELDS,
    CALENDAR_SHAPE,
    CalendarFacts,
)
from scheduling.custody_rules import BY_KEY, DELIVERABLE

RECEPTION_IS_DAY_1: Final = "reception_is_day_1"
DAY_AFTER_RECEPTION_IS_DAY_1: Final = "day_after_reception_is_day_1"

TOPICS: Final = (
    "harm_reduction",
    "drug_awareness",
    "crack",
    "alcohol",
    "relapse_prevention",
    "motivation_to_change",
    "relaxation",
    "health_promotion",
)


@dataclass(frozen=True)
class Court:
    """A hearing. Its outcome never undoes it: a hearing counts for ever."""

    starts_at: datetime
    known_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class KnownRelease:
    """The day they will walk out, weekend and Friday rules already applied."""

    on: date
    known_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Transfer(CalendarFacts):
    """A planned move inside custody, with the receiving prison's calendar."""

    on: date
    booked_on: date | None
    prescriber_cover: bool | None


@dataclass(frozen=True)
class Exit:
    """How and when they left: court, release, transfer or died."""

    at: datetime
    how: str


@dataclass(frozen=True)
class Unavailable:
    """Days, both ends included, on which a group is out of reach; to_on None: still so."""

    from_on: date
    to_on: date | None
    reason: str

    def holds(self, day: date) -> bool:
        return self.from_on <= day and (self.to_on is None or day <= self.to_on)


@dataclass(frozen=True)
class Session:
    """A group session on offer."""

    starts_at: datetime
    topic: str
    place_taken: bool | None
    non_associate_booked: bool | None
    places_left: int | None
    runs_on_bank_holiday: bool | None


@dataclass(frozen=True)
class Delivery:
    """Something done for the patient, or offered and declined."""

    item: str
    done_at: datetime
    by: tuple[str, ...] | None
    outcome: str | None
    topic: str | None
    mode: str | None
    for_on: date | None


@dataclass(frozen=True)
class EarlierAssessment:
    """An assessment made in an earlier stay."""

    item: str
    done_on: date


@dataclass(frozen=True)
class EarlierStay:
    """A time in custody before this one. It completes nothing now."""

    received_at: datetime
    left_at: datetime
    assessments: tuple[EarlierAssessment, ...] | None


@dataclass(frozen=True)
class TimetableFacts:
    """Everything a timetable may know about one person."""

    case: str
    as_at: datetime
    received_at: datetime
    prison: CalendarFacts
    plan_made_on: date | None
    day_count: str | None
    courts: tuple[Court, ...] | None
    known_release: KnownRelease | None
    transfer: Transfer | None
    exit: Exit | None
    unavailable: tuple[Unavailable, ...] | None
    sessions: tuple[Session, ...] | None
    group_suitability: str | None
    ppo: bool | None
    needs_post_28_programme: bool | None
    delivered: tuple[Delivery, ...] | None
    earlier_stays: tuple[EarlierStay, ...] | None


def _period_runs_forward(period: Unavailable, path: str) -> None:
    if period.to_on is not None and period.to_on < period.from_on:
        raise Refused(f"{path}.to_on", "is before from_on")


def _may_be_declined(delivery: Delivery, path: str) -> None:
    item = BY_KEY.get(delivery.item)
    if delivery.outcome == "declined" and item is not None and not item.declined:
        raise Refused(f"{path}.outcome", f"{delivery.item} cannot be declined")


def _facts_agree(facts: TimetableFacts, path: str) -> None:
    _nothing_has_happened_later(facts)
    if facts.exit is not None and facts.exit.at < facts.received_at:
        raise Refused("exit.at", "is before received_at")
    for place, court in enumerate(facts.courts or ()):
        if court.starts_at <= facts.received_at:
            raise Refused(f"courts[{place}].starts_at", "is not after received_at")
        if court.outcome == "released" and facts.exit is None:
            raise Refused(f"courts[{place}].outcome", "is released, and no exit is given")
    reception_on = london_day(facts.received_at)
    for place, delivery in enumerate(facts.delivered or ()):
        if london_day(delivery.done_at) < reception_on:
            raise Refused(f"delivered[{place}].done_at", "is before the day of reception")


def _nothing_has_happened_later(facts: TimetableFacts) -> None:
    happened = [("received_at", facts.received_at)]
    if facts.exit is not None:
        happened.append(("exit.at", facts.exit.at))
    for place, delivery in enumerate(facts.delivered or ()):
        happened.append((f"delivered[{place}].done_at", delivery.done_at))
    for place, stay in enumerate(facts.earlier_stays or ()):
        happened.append((f"earlier_stays[{place}].left_at", stay.left_at))
    for field, at in happened:
        if at > facts.as_at:
            raise Refused(field, "has happened, so it cannot be after as_at")


REQUEST: Final = Record(
    TimetableFacts,
    {
        "case": Required(Text()),
        "as_at": Required(Instant()),
        "received_at": Required(Instant()),
        "prison": Required(CALENDAR_SHAPE),
        "plan_made_on": Day(),
        "day_count": OneOf(RECEPTION_IS_DAY_1, DAY_AFTER_RECEPTION_IS_DAY_1),
        "courts": ListOf(
            Record(
                Court,
                {
                    "starts_at": Required(Instant()),
                    "known_at": Instant(),
                    "outcome": OneOf("returned", "released"),
                },
            )
        ),
        "known_release": Record(KnownRelease, {"on": Required(Day()), "known_at": Instant()}),
        "transfer": Record(
            Transfer,
            {
                "on": Required(Day()),
                "booked_on": Day(),
                **CALENDAR_FIELDS,
                "prescriber_cover": YesNo(),
            },
        ),
        "exit": Record(
            Exit,
            {
                "at": Required(Instant()),
                "how": Required(OneOf("court", "release", "transfer", "died")),
            },
        ),
        "unavailable": ListOf(
            Record(
                Unavailable,
                {
                    "from_on": Required(Day()),
                    "to_on": Day(),
                    "reason": Required(OneOf("segregation", "healthcare", "hospital", "other")),
                },
                also=_period_runs_forward,
            )
        ),
        "sessions": ListOf(
            Record(
                Session,
                {
                    "starts_at": Required(Instant()),
                    "topic": Required(OneOf(*TOPICS)),
                    "place_taken": YesNo(),
                    "non_associate_booked": YesNo(),
                    "places_left": Whole(least=0),
                    "runs_on_bank_holiday": YesNo(),
                },
            )
        ),
        "group_suitability": OneOf("group", "one_to_one"),
        "ppo": YesNo(),
        "needs_post_28_programme": YesNo(),
        "delivered": ListOf(
            Record(
                Delivery,
                {
                    "item": Required(OneOf(*DELIVERABLE)),
                    "done_at": Required(Instant()),
                    "by": ListOf(OneOf("healthcare", "carat", "patient", "cjit")),
                    "outcome": OneOf("delivered", "declined"),
                    "topic": OneOf(*TOPICS),
                    "mode": OneOf("group", "one_to_one"),
                    "for_on": Day(),
                },
                also=_may_be_declined,
            )
        ),
        "earlier_stays": ListOf(
            Record(
                EarlierStay,
                {
                    "received_at": Required(Instant()),
                    "left_at": Required(Instant()),
                    "assessments": ListOf(
                        Record(
                            EarlierAssessment,
                            {"item": Required(Text()), "done_on": Required(Day())},
                        )
                    ),
                },
            )
        ),
    },
    also=_facts_agree,
)


def read(request: Any) -> TimetableFacts:
    """The facts of one request, from parsed JSON. Refused names the field at fault."""
    facts = REQUEST.read(request, "")
    assert isinstance(facts, TimetableFacts)
    return facts
