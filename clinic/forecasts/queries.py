"""What does a service's own record say about the weeks and the year ahead?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments import facts, occupancy
from clinic.appointments.models import Referral, Visit
from clinic.appointments.queries import Waiting, wait_list
from clinic.errors import Invalid
from dosing.days import days_between, end_of, london_day, start_of
from scheduling import forecast, simulation
from scheduling.chairs import Chairs
from scheduling.forecast import Prospect, Rates, Waits
from scheduling.occupancy import late
from scheduling.prescribing_models import PrescribingModel
from scheduling.simulation import Access
from scheduling.slots import Hold, Place, places_of, runs_on, withdrawn

BACK: Final = timedelta(days=forecast.TABLE["evidence"]["looked_back_days"])
AHEAD: Final = timedelta(days=forecast.TABLE["change"]["look_ahead_days"])
MOST_A_WEEK: Final = 100
_CAME = ("arrived", "did_not_attend")


@dataclass(frozen=True)
class Ahead:
    """Somebody on the wait list and what lies ahead of them."""

    waiting: Waiting
    prospect: Prospect


@dataclass(frozen=True)
class Outlook:
    """The weeks ahead of a service. `change`: the fewest extra sessions that leave no breach; None:
    no set of them keeps the model. `beyond_help`: people without a place in time whom no session would help.
    """

    model: PrescribingModel | None
    rows: tuple[Ahead, ...]
    change: tuple[date, ...] | None
    beyond_help: int
    rates: Rates
    first: date
    last: date


def outlook(act: Act) -> Outlook:
    """Who will breach in the weeks ahead, and the smallest change of the rota that prevents it.

    People on the crack pathway need no place of the rota and are left out. Under model 1 places
    are elsewhere: what is said then of places here is about people's own appointments alone.
    """
    waiting = [row for row in wait_list(act).rows if not row.crack_pathway]
    first, last = act.today, act.today + AHEAD
    service = facts.service(act.session, act.site_id or 0)
    model = service.model_on(act.today)
    free = facts.places_to_offer(act.session, service, first, last, act.at)
    holds = facts.holds(act.session, service, start_of(first), end_of(last), act.at)
    chairs = Chairs(service.rota, holds)
    rates = rates_of(act)
    people = _people(act, waiting)
    found = forecast.prospects(people, free, rates, chairs, looked_to=last)
    remedy = forecast.Remedy((), 0)
    if model is not PrescribingModel.MODEL_1:
        remedy = _remedy(act, service, free, people, last, holds)
    return Outlook(
        model=model,
        rows=tuple(Ahead(*each) for each in zip(waiting, found, strict=True)),
        change=remedy.extra, beyond_help=remedy.beyond_help,
        rates=rates, first=first, last=last,
    )  # fmt: skip


def _remedy(
    act: Act, service: facts.Service, free: Sequence[Place], people: Sequence[Waits], last: date,
    holds: Sequence[Hold],
) -> forecast.Remedy:  # fmt: skip
    """The smallest change from tomorrow on: today's is too late to arrange, but its places count.

    Whoever is booked for after their last day, and that is still to come, is to be moved: they need
    a place in time as well, and theirs is free for others.
    """
    model, tomorrow = service.model_on(act.today), act.today + timedelta(days=1)
    to_move = [
        each
        for each in people
        if each.booked is not None and each.last_on is not None
        and tomorrow <= each.last_on < london_day(each.booked.starts_at)
    ]  # fmt: skip
    no_place = sorted(
        each.last_on for each in people if each.last_on and (each.booked is None or each in to_move)
    )
    free = sorted([*free, *(each.booked for each in to_move if each.booked)])
    seen_today = len(
        forecast.together(
            (each for each in free if london_day(each.starts_at) == act.today),
            Chairs(service.rota, holds).of_day(act.today),
        )
    )
    back = service.places(act.today - timedelta(days=7), act.today)
    return forecast.remedy(
        model, _days(service, free, tomorrow, last, holds),
        {london_day(each.starts_at) for each in back}, no_place[seen_today:],
    )  # fmt: skip


def _people(act: Act, waiting: Sequence[Waiting]) -> list[Waits]:
    ids = [row.patient_id for row in waiting]
    visits = act.session.scalars(
        select(Visit).where(
            Visit.patient_id.in_(ids), Visit.status == "booked", Visit.ends_at > act.at
        )
    ).all()
    busy: dict[int, list[Visit]] = {}
    for visit in visits:
        busy.setdefault(visit.patient_id, []).append(visit)
    made = []
    for row in waiting:
        theirs = busy.get(row.patient_id, [])
        own = next((each for each in theirs if each.id == row.visit_id), None)
        made.append(
            Waits(
                row.referral_id,
                row.wait.last_on,
                tuple((each.starts_at, each.ends_at) for each in theirs if each is not own),
                None
                if own is None
                else Place(own.starts_at, own.ends_at, own.doctor_id or 0, own.worker_id or 0),
            )
        )
    return made


def _days(
    service: facts.Service, free: Sequence[Place], first: date, last: date, holds: Sequence[Hold]
) -> list[forecast.Day]:
    having = {london_day(each.starts_at) for each in service.places(first, last)}
    free_on: dict[date, list[Place]] = {}
    for place in free:
        free_on.setdefault(london_day(place.starts_at), []).append(place)
    held: dict[date, list[Hold]] = {}
    for hold in holds:
        held.setdefault(london_day(hold.starts_at), []).append(hold)
    made = []
    for day in days_between(first, last):
        of_day = held.get(day, [])
        given = forecast.together(free_on.get(day, ()), Chairs(service.rota, of_day))
        extra = forecast.extra_sessions(service.rota, of_day, day, given)
        made.append(forecast.Day(day, day in having, len(given), extra))
    return made


# -- the service's own rates ---------------------------------------------------------------


def rates_of(act: Act) -> Rates:
    """What went wrong with places here in the last half year, how often; defaults for too few cases."""
    since, until = act.today - BACK, act.today - timedelta(days=1)
    visits = occupancy.visits(act, since, until)
    came = [each for each in visits if each.status in _CAME]
    gone = [each for each in visits if late(each)]
    used = {(each.starts_at, each.doctor_id) for each in visits if each.status != "cancelled"}
    refilled = sum((each.starts_at, each.doctor_id) in used for each in gone)
    lost, planned = _sessions(act, since, until)
    return Rates(
        did_not_attend=forecast.rate(
            "did_not_attend", sum(each.status == "did_not_attend" for each in came), len(came)
        ),
        cancelled_late=forecast.rate("cancelled_late", len(gone), len(came) + len(gone)),
        refilled=forecast.rate("refilled", refilled, len(gone)),
        session_lost=forecast.rate("session_lost", lost, planned),
    )


def _sessions(act: Act, since: date, until: date) -> tuple[int, int]:
    """Sessions lost to days off and leave, and sessions the rota had, from since to until."""
    rota = facts.service(act.session, act.site_id or 0).rota
    lost = planned = 0
    for session in rota.sessions:
        for day in days_between(since, until):
            if runs_on(rota, replace(session, off_on=frozenset()), day):
                planned += 1
                gone = [withdrawn(rota, each) for each in places_of(session, day)]
                lost += day in session.off_on or all(
                    each and each.reason == "leave" for each in gone
                )
    return lost, planned


# -- a year --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrivals:
    """People referred here, on average on each weekday (Monday is 1), over `weeks` with `cases`."""

    by_weekday: Mapping[int, float]
    weeks: float
    cases: int

    @property
    def a_week(self) -> float:
        return sum(self.by_weekday.values())

    @property
    def says(self) -> str:
        return f"{round(self.weeks)} weeks" if self.weeks >= 2 else f"{round(self.weeks * 7)} days"


def arrivals_of(act: Act) -> Arrivals:
    """The service's own referrals of the last half year, or since its first one if that is later."""
    since = act.today - BACK
    moments = act.session.scalars(
        select(Referral.referred_at).where(
            Referral.site_id == act.site_id,
            Referral.referred_at >= start_of(since), Referral.referred_at < start_of(act.today),
        )
    ).all()  # fmt: skip
    if not moments:
        return Arrivals({}, 0, 0)
    begun = min(map(london_day, moments))
    weeks = max((act.today - max(begun, since)).days / 7, 1.0)
    counts: dict[int, float] = {}
    for moment in moments:
        weekday = london_day(moment).isoweekday()
        counts[weekday] = counts.get(weekday, 0) + 1 / weeks
    return Arrivals(counts, weeks, len(moments))


def spread(model: int, a_week: int) -> dict[int, int]:
    """So many places a week, as evenly as they go, on the weekdays of a model."""
    weekdays = simulation.MODELS[model]["weekdays"]
    each, more = divmod(a_week, len(weekdays))
    return {day: each + (nth < more) for nth, day in enumerate(weekdays)}


def years(act: Act, a_week: Mapping[int, int]) -> list[simulation.Year]:
    """A year from today under models 1, 2 and 3, with so many places a week for each.

    Invalid when the service has had no referral to go by, or names the field of a number of places
    that is none.
    """
    act.need("appointments.read")
    arrivals = arrivals_of(act)
    if not arrivals.cases:
        raise Invalid("There is no referral of the last half year to go by.")
    for model in simulation.MODELS:
        if not 1 <= a_week[model] <= MOST_A_WEEK:
            raise Invalid.field(f"model_{model}", f"must be from 1 to {MOST_A_WEEK}")
    rates = rates_of(act)
    calendar = facts.service(act.session, act.site_id or 0).rota.calendar
    return [
        simulation.year(
            Access(PrescribingModel(model), spread(model, a_week[model])),
            arrivals.by_weekday, rates, calendar, act.today,
        )
        for model in simulation.MODELS
    ]  # fmt: skip
