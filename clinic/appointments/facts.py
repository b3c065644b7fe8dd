"""What do the rules of slots need to know? Rows of the rota, staff, calendar and holds as facts.

The statements are built once: this is asked for every offer and every booking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, String, and_, bindparam, cast, null, or_, select, union_all
from sqlalchemy.orm import Session as Database
from sqlalchemy.orm import aliased

from clinic.appointments.models import Resource, RotaDayOff, RotaPattern, Visit, VisitHold
from clinic.calendars import holiday_lists
from clinic.sites.models import CalendarChange, Site, SiteClosure, SiteModel
from clinic.staff.models import PrescriberLevel, StaffCompetence
from dosing.days import end_of, start_of
from scheduling.calendars import Calendar
from scheduling.calendars import CalendarChange as Change
from scheduling.prescribing_models import PrescribingModel
from scheduling.slots import Clinician, Hold, Rota, Session

TRAINED, COMPETENT = "rapid_induction_doctor", "induction_worker"

_doctor, _worker = aliased(Resource), aliased(Resource)
_in_span = and_(
    RotaPattern.from_on <= bindparam("last"),
    or_(RotaPattern.to_on.is_(None), RotaPattern.to_on >= bindparam("first")),
)
_SESSION_COLUMNS = (
    RotaPattern.id, RotaPattern.weekday, RotaPattern.starts, RotaPattern.ends,
    RotaPattern.slot_minutes, RotaPattern.doctor_id, RotaPattern.worker_id, RotaPattern.from_on,
    RotaPattern.to_on, RotaPattern.despite_holiday,
)  # fmt: skip
_SESSIONS = (
    select(Site.nation, *_SESSION_COLUMNS)
    .join_from(Site, RotaPattern, and_(RotaPattern.site_id == Site.id, _in_span), isouter=True)
    .where(Site.id == bindparam("site_id"))
)
# The same for two people, with what a visit holds of them.
_SESSIONS_OF_TWO = (
    select(
        Site.nation, *_SESSION_COLUMNS,
        _doctor.id.label("doctor_resource"), _worker.id.label("worker_resource"),
    )
    .join_from(Site, RotaPattern, and_(RotaPattern.site_id == Site.id, _in_span))
    .join(_doctor, _doctor.staff_id == RotaPattern.doctor_id)
    .join(_worker, _worker.staff_id == RotaPattern.worker_id)
    .where(
        Site.id == bindparam("site_id"),
        RotaPattern.doctor_id == bindparam("doctor_id"),
        RotaPattern.worker_id == bindparam("worker_id"),
    )
)  # fmt: skip

_no_text, _no_day = cast(null(), String), cast(null(), Date)


def _spans(model: Any, fact: Any, subject: Any, word: Any) -> Any:
    return select(
        fact.label("fact"), subject.label("subject"), word.label("word"),
        model.from_on.label("from_on"), model.to_on.label("to_on"),
    ).where(
        model.from_on <= bindparam("last"),
        or_(model.to_on.is_(None), model.to_on >= bindparam("first")),
    )  # fmt: skip


def _literal(word: str) -> Any:
    return cast(bindparam(f"is_{word}", word), String)


# Everything dated that decides which places there are: one row a fact, whatever its table.
_DATED = union_all(
    _spans(
        StaffCompetence, _literal("competence"), StaffCompetence.staff_id,
        StaffCompetence.competence,
    ).where(StaffCompetence.staff_id.in_(bindparam("people", expanding=True))),
    _spans(
        PrescriberLevel, _literal("level"), PrescriberLevel.staff_id, PrescriberLevel.level
    ).where(PrescriberLevel.staff_id.in_(bindparam("people", expanding=True))),
    _spans(
        SiteModel, _literal("model"), SiteModel.model, _no_text
    ).where(SiteModel.site_id == bindparam("site_id")),
    select(_literal("off"), RotaDayOff.pattern_id, _no_text, RotaDayOff.on, _no_day)
    .join(RotaPattern, RotaPattern.id == RotaDayOff.pattern_id)
    .where(
        RotaPattern.site_id == bindparam("site_id"),
        RotaDayOff.withdrawn_at.is_(None),
        RotaDayOff.on.between(bindparam("first"), bindparam("last")),
    ),
    select(_literal("closed"), SiteClosure.site_id, _no_text, SiteClosure.on, _no_day).where(
        SiteClosure.site_id == bindparam("site_id"),
        SiteClosure.withdrawn_on.is_(None),
        SiteClosure.on.between(bindparam("first"), bindparam("last")),
    ),
    select(
        _literal("holiday"), CalendarChange.id, CalendarChange.change, CalendarChange.on,
        CalendarChange.announced_on,
    ).where(
        CalendarChange.nation == bindparam("nation"),
        CalendarChange.withdrawn_on.is_(None),
        CalendarChange.on.between(bindparam("first"), bindparam("last")),
    ),
)  # fmt: skip

_HOLDS = (
    select(Resource.staff_id, VisitHold.starts_at, VisitHold.ends_at)
    .join(Resource, Resource.id == VisitHold.resource_id)
    .where(
        Resource.staff_id.in_(bindparam("people", expanding=True)),
        VisitHold.released_at.is_(None),
        VisitHold.starts_at < bindparam("until"),
        VisitHold.ends_at > bindparam("since"),
    )
)


@dataclass(frozen=True)
class Service:
    """A site's rota over some days, and its prescribing model day by day."""

    rota: Rota
    models: tuple[tuple[PrescribingModel, date, date | None], ...]

    def model_on(self, day: date) -> PrescribingModel | None:
        """The model in force on a day; None when none is set."""
        return next(
            (
                model
                for model, from_on, to_on in self.models
                if from_on <= day and (to_on is None or day <= to_on)
            ),
            None,
        )


def service(session: Database, site_id: int, first: date, last: date) -> Service:
    """The site's rota from first to last, both included. Two statements."""
    rows = session.execute(_SESSIONS, {"site_id": site_id, "first": first, "last": last}).all()
    return _service(session, site_id, rows, first, last)


def service_for_booking(
    session: Database, site_id: int, day: date, doctor_id: int, worker_id: int
) -> tuple[Service, dict[int, int]]:
    """The rota of two people on one day, and the resource of each. Two statements.

    No resources when they share no session that day.
    """
    rows = session.execute(
        _SESSIONS_OF_TWO,
        {
            "site_id": site_id, "first": day, "last": day, "doctor_id": doctor_id,
            "worker_id": worker_id,
        },
    ).all()  # fmt: skip
    held = {doctor_id: rows[0].doctor_resource, worker_id: rows[0].worker_resource} if rows else {}
    return _service(session, site_id, rows, day, day), held


def _service(
    session: Database, site_id: int, rows: Collection[Any], first: date, last: date
) -> Service:
    nation = next((row.nation for row in rows), None)
    sessions = [row for row in rows if row.id is not None]
    people = {each for row in sessions for each in (row.doctor_id, row.worker_id)}
    dated = session.execute(
        _DATED,
        {
            "site_id": site_id, "first": first, "last": last, "people": sorted(people),
            "nation": nation,
        },
    ).all()  # fmt: skip
    off: dict[int, set[date]] = {}
    for row in dated:
        if row.fact == "off":
            off.setdefault(row.subject, set()).add(row.from_on)
    rota = Rota(
        sessions=tuple(_session(row, off.get(row.id, ())) for row in sessions),
        clinicians={each: _clinician(each, dated) for each in people},
        calendar=Calendar(
            nation or "england_and_wales",  # asked of nothing when there are no sessions
            holiday_lists(),
            changes=[
                Change(row.from_on, row.word, row.to_on) for row in dated if row.fact == "holiday"
            ],
        ),
        closed_on=frozenset(row.from_on for row in dated if row.fact == "closed"),
    )
    models = tuple(
        (PrescribingModel(row.subject), row.from_on, row.to_on)
        for row in dated
        if row.fact == "model"
    )
    return Service(rota, models)


def _session(row: Any, off: Iterable[date]) -> Session:
    return Session(
        id=row.id, weekday=row.weekday, starts=row.starts, ends=row.ends,
        slot_minutes=row.slot_minutes, doctor_id=row.doctor_id, worker_id=row.worker_id,
        from_on=row.from_on, to_on=row.to_on, despite_holiday=row.despite_holiday,
        off_on=frozenset(off),
    )  # fmt: skip


def _clinician(staff_id: int, dated: Collection[Any]) -> Clinician:
    def spans(fact: str, word: str | None = None) -> tuple[tuple[date, date | None], ...]:
        return tuple(
            (row.from_on, row.to_on)
            for row in dated
            if row.fact == fact and row.subject == staff_id and (word is None or row.word == word)
        )

    return Clinician(
        trained=spans("competence", TRAINED),
        prescribes=spans("level"),
        competent=spans("competence", COMPETENT),
    )


def holds(session: Database, rota: Rota, first: date, last: date) -> list[Hold]:
    """The time already given away of everybody on the rota, at this site or another."""
    people = {each for row in rota.sessions for each in (row.doctor_id, row.worker_id)}
    if not people:
        return []
    found = session.execute(
        _HOLDS, {"people": sorted(people), "since": start_of(first), "until": end_of(last)}
    )
    return [Hold(*row) for row in found]


def busy(session: Database, patient_id: int, since: datetime) -> list[tuple[datetime, datetime]]:
    """The patient's own standing visits that end after `since`, at any site."""
    return [
        (row.starts_at, row.ends_at)
        for row in session.execute(
            select(Visit.starts_at, Visit.ends_at).where(
                Visit.patient_id == patient_id,
                Visit.status.in_(("booked", "arrived")),
                Visit.ends_at > since,
            )
        )
    ]
