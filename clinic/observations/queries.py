"""Who is to be seen this round, what was missed, and how one person's first days stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select

from clinic.act import Act
from clinic.custody import facts
from clinic.custody import queries as custody
from clinic.custody.models import Reception, ReceptionDetail
from clinic.custody.wings import in_custody_here, whereabouts
from clinic.keyworkers.queries import day_number
from clinic.observations.models import (
    HELD_KINDS,
    HeldAssessment,
    ObservationEnd,
    PhaseTask,
    StimulantUse,
    WingObservation,
)
from clinic.patients.models import Patient
from clinic.patients.queries import Where
from clinic.staff.models import Staff
from dosing.days import ONE_DAY, start_of
from scheduling.observations import (
    LAST_OBSERVED,
    End,
    Round,
    Task,
    heightened,
    last_usual,
    rounds,
    tasks_of,
    watch,
)

ASSESSING = ("smta", "collate_assessments", "csma")


@dataclass(frozen=True)
class FirstDays:
    """How the first days of a stay stand on the clinical side.

    `observations`, `held`: newest first, those struck out too. `stimulants` None: not asked.
    `end`: where a clinician set the last day with rounds, `ends` before it; `last_on`: that day.
    """

    stay: custody.Stay
    day: int
    rounds: Sequence[Round]
    end: ObservationEnd | None
    ends: Sequence[ObservationEnd]
    last_on: date
    observations: Sequence[WingObservation]
    stimulants: StimulantUse | None
    held: Sequence[HeldAssessment]
    tasks: Sequence[tuple[int, Sequence[tuple[Task, PhaseTask | None]]]]
    names: dict[int, str]
    watch: str | None
    heightened: str | None


def first_days(act: Act, reception_id: int) -> FirstDays:
    """The rounds, the watch, what is held and the tasks by phase, of one stay."""
    stay = custody.stay(act, reception_id)
    seen = _rows(act, WingObservation, reception_id)
    stimulants = next(
        (row for row in _rows(act, StimulantUse, reception_id) if row.struck_at is None), None
    )
    held = _rows(act, HeldAssessment, reception_id)
    done = {
        (row.task, row.phase): row
        for row in _rows(act, PhaseTask, reception_id)
        if row.struck_at is None
    }
    day = day_number(stay.reception, stay.detail, act.today)
    left_at = stay.exit.at if stay.exit and stay.exit.how != "transfer" else None
    first = facts.day_1(stay.reception, stay.detail)
    ends = _rows(act, ObservationEnd, reception_id)
    stand = [row for row in ends if row.struck_at is None]
    end = stand[0] if stand else None
    names = {row.recorded_by for row in (*seen, *held, *ends, *done.values())}
    return FirstDays(
        stay, day,
        rounds(stay.received_at, first, [row.at for row in seen if row.struck_at is None], act.at,
               left_at, [End(row.recorded_at, row.last_on) for row in stand[::-1]]),
        end, [row for row in ends if row is not end], end.last_on if end else
        last_usual(first), seen, stimulants, held,
        [(number, [(task, done.get((task.id, number))) for task in tasks_of(number)])
         for number in (1, 2, 3)],
        {row.id: row.name for row in act.session.scalars(select(Staff).where(Staff.id.in_(names)))},
        watch(day, stimulants.uses if stimulants else None), heightened(day),
    )  # fmt: skip


def _rows(act: Act, model: Any, reception_id: int) -> list[Any]:
    return list(
        act.session.scalars(
            select(model).where(model.reception_id == reception_id).order_by(model.id.desc())
        )
    )


def held_already(act: Act, reception_id: int, item: str) -> list[str]:
    """What to say when an assessment is about to be asked that is held already (PS-04)."""
    if item not in ASSESSING:
        return []
    return [
        f"{HELD_KINDS[row.kind]} of {row.done_on.day} {row.done_on:%b %Y} from {row.held_from}"
        f"{f' ({row.covers})' if row.covers else ''}"
        for row in _rows(act, HeldAssessment, reception_id)
        if row.struck_at is None
    ]


@dataclass(frozen=True)
class ToSee:
    """One person of this round. `now`: the round under way. `missed`: the rounds nobody saw them in."""

    reception_id: int
    patient_id: int
    person: str
    where: Where | None
    day: int
    count_unknown: bool
    now: Round | None
    missed: Sequence[Round]
    last: WingObservation | None
    watch: str | None
    ppo: bool | None
    heightened_risk: bool | None


def this_round(act: Act, wing_id: int | None = None) -> list[ToSee]:
    """Everybody here with rounds to be seen in: those not seen this round first, then by what was missed.

    Among equals heightened risk first, then the earlier reception; never by name.
    """
    act.need("custody.read")
    since = start_of(act.today - timedelta(days=LAST_OBSERVED))
    found = act.session.execute(
        select(Reception, ReceptionDetail, Patient)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(
            ReceptionDetail,
            and_(
                ReceptionDetail.reception_id == Reception.id, ReceptionDetail.known_until.is_(None)
            ),
        )
        .where(
            Reception.undone_at.is_(None),
            or_(
                ReceptionDetail.received_at >= since,
                Reception.id.in_(
                    select(ObservationEnd.reception_id).where(
                        ObservationEnd.struck_at.is_(None), ObservationEnd.last_on >= act.today
                    )
                ),
            ),
            ReceptionDetail.screening != "negative",
            in_custody_here(act),
        )
    ).all()
    ids = [reception.id for reception, _, _ in found]
    seen, stimulants, ends = _seen(act, ids), _stimulants(act, ids), ends_set(act, ids)
    where = whereabouts(act, {patient.id for _, _, patient in found})
    made = []
    for reception, detail, patient in found:
        day = day_number(reception, detail, act.today)
        own = seen.get(reception.id, [])
        first = act.today - (day - 1) * ONE_DAY
        own_ends = ends.get(reception.id, [])
        if (own_ends[-1].last_on if own_ends else last_usual(first)) < act.today:
            continue
        owed = rounds(detail.received_at, first, [row.at for row in own], act.at, ends=own_ends)
        today = next((each for each in owed if each.opens_at <= act.at < each.closes_at), None)
        missed = [each for each in owed if each.state == "missed"]
        made.append(
            ToSee(
                reception.id, patient.id, patient.listed_name, where.get(patient.id), day,
                detail.count_unknown, today,
                missed, newest(own),
                watch(day, stimulants.get(reception.id)), detail.ppo, detail.heightened_risk,
            )
        )  # fmt: skip
    made.sort(
        key=lambda each: (each.now is None or each.now.state != "open", -len(each.missed),
                          each.heightened_risk is not True, each.reception_id)
    )  # fmt: skip
    act.note_shown("observations.round_shown", [each.patient_id for each in made])
    return made


def _seen(act: Act, ids: Collection[int]) -> dict[int, list[WingObservation]]:
    rows = act.session.scalars(
        select(WingObservation).where(
            WingObservation.reception_id.in_(ids), WingObservation.struck_at.is_(None)
        )
    )
    found: dict[int, list[WingObservation]] = {}
    for row in rows:
        found.setdefault(row.reception_id, []).append(row)
    return found


def ends_set(act: Act, ids: Collection[int]) -> dict[int, list[End]]:
    """By stay: the last days with rounds that clinicians set (A40), in the order they did."""
    rows = act.session.execute(
        select(ObservationEnd.reception_id, ObservationEnd.recorded_at, ObservationEnd.last_on)
        .where(ObservationEnd.reception_id.in_(ids), ObservationEnd.struck_at.is_(None))
        .order_by(ObservationEnd.id)
    )
    found: dict[int, list[End]] = {}
    for reception_id, set_at, last_on in rows:
        found.setdefault(reception_id, []).append(End(set_at, last_on))
    return found


def _stimulants(act: Act, ids: Collection[int]) -> dict[int, bool]:
    rows = act.session.execute(
        select(StimulantUse.reception_id, StimulantUse.uses).where(
            StimulantUse.reception_id.in_(ids), StimulantUse.struck_at.is_(None)
        )
    )
    return dict(rows.all())


def newest(seen: Sequence[WingObservation]) -> WingObservation | None:
    """What was seen last and stands: it tells how they are, and earlier ones how they were."""
    standing = [row for row in seen if row.struck_at is None]
    return max(standing, key=lambda row: (row.at, row.id), default=None)


def at_a_glance(seen_at: datetime | None, now: datetime) -> str:
    """How long ago somebody was last seen, in hours."""
    if seen_at is None:
        return "not seen yet"
    hours = int((now - seen_at).total_seconds() // 3600)
    if hours == 0:
        return "seen within the hour"
    return f"seen {hours} {'hour' if hours == 1 else 'hours'} ago"
