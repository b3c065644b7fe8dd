"""How were a clinic's places used, week by week, how long did people wait, and what was lost to what?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from clinic.act import Act
from clinic.appointments import facts
from clinic.appointments.models import INDUCTION, Referral, Visit, VisitEvent
from dosing.days import days_between, end_of, london_day, start_of
from scheduling import occupancy
from scheduling.occupancy import FATES, LOST, Came
from scheduling.prescribing_models import wait_limit

WEEKS_BACK: Final = 12


@dataclass(frozen=True)
class Week:
    """A week from its Monday. `places`: by fate. `waits`: days from referral of people seen in it."""

    monday: date
    places: Counter[str]
    waits: tuple[int, ...]
    late: int | None

    @property
    def had(self) -> int:
        return sum(self.places.values())

    @property
    def lost(self) -> int:
        return sum(self.places[each] for each in LOST)

    @property
    def mean_wait(self) -> float | None:
        return sum(self.waits) / len(self.waits) if self.waits else None


def weeks(act: Act, *, weeks_back: int = WEEKS_BACK) -> list[Week]:
    """The weeks behind us since there was a rota, and this one, the oldest first. Shows no patient."""
    act.need("appointments.read")
    last = act.today + timedelta(days=6 - act.today.weekday())
    first = last - timedelta(days=7 * (weeks_back + 1) - 1)
    service = facts.service(act.session, act.site_id or 0)
    places: dict[date, Counter[str]] = {}
    for place, fate in occupancy.fates(service.rota, visits(act, first, last), first, last, act.at):
        places.setdefault(monday_of(london_day(place.starts_at)), Counter())[fate] += 1
    seen = _seen(act, first, last)
    found = [
        Week(
            monday,
            places.get(monday, Counter()),
            waits := tuple(days for on, days in seen if monday_of(on) == monday),
            _late(service, monday, waits),
        )
        for monday in days_between(first, last)
        if monday.isoweekday() == 1
    ]
    begun = next((nth for nth, each in enumerate(found) if each.had or each.waits), len(found))
    return found[min(begun, weeks_back) :]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _late(service: facts.Service, monday: date, waits: tuple[int, ...]) -> int | None:
    """How many of them waited longer than the model of that week allows; None without a limit."""
    limit = wait_limit(service.model_on(monday))
    return None if limit is None else sum(each > limit for each in waits)


def visits(act: Act, first: date, last: date) -> list[Came]:
    """Every visit of the site from first to last, as what becomes of places is judged by."""
    cancelled_at = (
        select(func.max(VisitEvent.recorded_at, type_=VisitEvent.recorded_at.type))
        .where(VisitEvent.visit_id == Visit.id, VisitEvent.verb == "cancelled")
        .scalar_subquery()
    )
    rows = act.session.execute(
        select(Visit.starts_at, Visit.doctor_id, Visit.status, cancelled_at.label("cancelled_at"))
        .where(
            Visit.site_id == act.site_id, Visit.kind == INDUCTION,
            Visit.status.not_in(("held", "let_go")),
            Visit.starts_at >= start_of(first), Visit.starts_at < end_of(last),
        )
    )  # fmt: skip
    return [Came(row.starts_at, row.doctor_id or 0, row.status, row.cancelled_at) for row in rows]


def _seen(act: Act, first: date, last: date) -> list[tuple[date, int]]:
    rows: Any = act.session.execute(
        select(Referral.referred_at, Referral.seen_at).where(
            Referral.site_id == act.site_id,
            Referral.seen_at >= start_of(first), Referral.seen_at < end_of(last),
        )
    )  # fmt: skip
    return [
        (on := london_day(row.seen_at), (on - london_day(row.referred_at)).days) for row in rows
    ]


# -- a month at a glance -------------------------------------------------------------------


@dataclass(frozen=True)
class DayGlance:
    """One day of a month. `reason`: why there is no place, where the rota would have had one."""

    on: date
    taken: int
    free: int
    lost: int
    reason: str | None


def month(act: Act, first: date, last: date, with_staff: int | None = None) -> list[DayGlance]:
    """Each day from first to last: places taken, free and lost; of one clinician, or of all."""
    act.need("appointments.read")
    service = facts.service(act.session, act.site_id or 0)
    by_day: dict[date, Counter[str]] = {}
    for place, fate in occupancy.fates(service.rota, visits(act, first, last), first, last, act.at):
        if with_staff is None or with_staff in (place.doctor_id, place.worker_id):
            by_day.setdefault(london_day(place.starts_at), Counter())[fate] += 1
    return [_glance(day, by_day.get(day, Counter())) for day in days_between(first, last)]


def _glance(day: date, of_day: Counter[str]) -> DayGlance:
    not_held = [each for each in ("staff_away", "not_staffed", "closed", "holiday") if of_day[each]]
    return DayGlance(
        day,
        taken=sum(of_day[each] for each in ("used", "booked", "unrecorded", "did_not_attend")),
        free=of_day["empty"] + of_day["cancelled_late"],
        lost=sum(of_day[each] for each in not_held),
        reason=not_held[0] if not_held else None,
    )


__all__ = ["FATES", "LOST", "DayGlance", "Week", "month", "weeks"]
