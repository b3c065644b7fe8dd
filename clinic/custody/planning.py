"""A prison's own figures: whom it receives, how long they stay, and what it has for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import func, select

from clinic.act import Act
from clinic.custody import facts
from clinic.custody.models import Reception, ReceptionDetail
from clinic.custody.queries import at_a_prison
from clinic.custody.wings import in_custody_here
from clinic.errors import NotFound
from clinic.groups.facts import group_facts
from clinic.keyworkers.queries import ceiling, day_number, keyworkers_here
from clinic.patients.models import Allocation, Patient
from dosing.days import ONE_DAY, london_day, start_of
from scheduling.custody_rules import LAST_DAY
from scheduling.groups import PLACES
from scheduling.site_planning import A_WEEK, WEEKS_BACK, Figures, Outlook, outlook


@dataclass(frozen=True)
class Planning:
    """The figures of a prison, week by week, and what they come to. `weeks`: Monday and receptions."""

    weeks: Sequence[tuple[date, int]]
    figures: Figures
    outlook: Outlook
    places: int


def site_planning(act: Act) -> Planning:
    """Throughput and length of stay against keyworkers and group seats (PS-41). Counts alone."""
    act.need("custody.read")
    if not at_a_prison(act):
        raise NotFound("This belongs to a prison. This site is a community service.")
    monday = act.today - timedelta(days=act.today.weekday())
    first = monday - timedelta(weeks=WEEKS_BACK)
    stays = _stays(act, first - LAST_DAY * ONE_DAY)
    began = _first_ever(act)
    weeks = [first + timedelta(weeks=number) for number in range(WEEKS_BACK)]
    weeks = [week for week in weeks if began is not None and week + timedelta(days=6) >= began]
    received: Counter[date] = Counter()
    for _, detail in stays:
        on = london_day(detail.received_at)
        received[on - timedelta(days=on.weekday())] += 1
    figures = _figures(act, stays, [received[week] for week in weeks])
    return Planning(
        [(week, received[week]) for week in weeks], figures, outlook(figures),
        figures.keyworkers * figures.ceiling,
    )  # fmt: skip


def _stays(act: Act, since: date) -> list[tuple[Reception, ReceptionDetail]]:
    """Everybody received here since a day, negative screenings apart."""
    rows = act.session.execute(
        select(Reception, ReceptionDetail)
        .join(ReceptionDetail, facts.detail_stands())
        .where(
            Reception.site_id == act.site_id, Reception.undone_at.is_(None),
            ReceptionDetail.screening != "negative",
            ReceptionDetail.received_at >= start_of(since),
        )
        .order_by(Reception.id)
    )  # fmt: skip
    return [(reception, detail) for reception, detail in rows]


def _first_ever(act: Act) -> date | None:
    at = act.session.scalar(
        select(func.min(ReceptionDetail.received_at))
        .join(Reception, facts.detail_stands())
        .where(Reception.site_id == act.site_id, Reception.undone_at.is_(None))
    )
    return london_day(at) if at else None


def _figures(
    act: Act, stays: Sequence[tuple[Reception, ReceptionDetail]], received: Sequence[int]
) -> Figures:
    stayed = []
    for reception, detail in stays:
        if day_number(reception, detail, act.today) <= LAST_DAY:
            continue
        left_on = london_day(reception.left_at) if reception.left_at else act.today
        came = max(1, day_number(reception, detail, london_day(detail.received_at)))
        if came <= LAST_DAY:  # days at a prison they came from are none of this one's
            last = min(LAST_DAY, day_number(reception, detail, left_on))
            stayed.append(max(1, last - came + 1))
    asked = [detail.group_suitability for _, detail in stays if detail.group_suitability]
    days = 4 * A_WEEK
    known = group_facts(act, act.today, act.today + timedelta(days=days - 1))
    openings = len(known.openings())
    rooms = sum(1 for room in known.rooms if room.confidential)
    return Figures(
        received=list(received), stayed=stayed, suited=asked.count("group"), asked=len(asked),
        beyond=_beyond(act), keyworkers=len(keyworkers_here(act)), ceiling=ceiling(act).most,
        seats=Fraction(sum(each.places for each in known.sessions) * A_WEEK, days),
        could=openings * rooms * PLACES * A_WEEK // days,
    )  # fmt: skip


def _beyond(act: Act) -> int:
    """How many people here have a keyworker though their 28 days are over."""
    rows = act.session.execute(
        select(Reception, ReceptionDetail)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(ReceptionDetail, facts.detail_stands())
        .join(Allocation, facts.is_keyworker_here(act))
        .where(Reception.undone_at.is_(None), in_custody_here(act))
    )
    return sum(day_number(reception, detail, act.today) > LAST_DAY for reception, detail in rows)
