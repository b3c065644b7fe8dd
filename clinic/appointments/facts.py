"""What do the rules of slots need to know? Rows of the rota, staff, calendar and holds as facts.

A site's rota is asked for with every offer and every booking and changes once in a while, so it is
kept for as long as its stamp stands (see RotaStamp). Who holds which time is always asked anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, reduce
from typing import Any

from sqlalchemy import Connection, Date, String, bindparam, cast, func, null, select, union_all
from sqlalchemy.orm import Session as Database

from clinic.appointments.models import (
    Resource,
    RotaDayOff,
    RotaPattern,
    RotaStamp,
    SiteOpening,
    StaffLeave,
    Visit,
    VisitHold,
)
from clinic.calendars import holiday_lists
from clinic.sites.models import CalendarChange, Site, SiteClosure, SiteModel
from clinic.staff.models import PrescriberLevel, StaffCompetence
from dosing.days import days_between, end_of, london_day, start_of
from scheduling import booking, slots
from scheduling.calendars import Calendar
from scheduling.calendars import CalendarChange as Change
from scheduling.chains import Review
from scheduling.laid_out import LaidOut
from scheduling.prescribing_models import RULES, PrescribingModel
from scheduling.slots import Clinician, Hold, Opening, Place, Rota, Session

TRAINED, COMPETENT, TESTER = "rapid_induction_doctor", "induction_worker", "drug_tester"
DAYS_KEPT, SPANS_KEPT, HOLDS_KEPT, TEXTS_KEPT = 400, 30, 20_000, 8
LOOK_AHEAD = timedelta(days=28)
"""How far ahead places are offered."""

LONGEST_HOLD = timedelta(days=1)
"""No place takes longer (RotaPattern.slot_minutes, RP-12): what began before holds nothing now, so
that years of history are not looked through.
"""

STAMP = select(RotaStamp.value).scalar_subquery()
"""The stamp of every rota, to be asked for beside something else."""

_STAMPED = select(RotaStamp.value)

# Of the table and not of the class: a class is joined up with all others once it is asked for.
_doctor, _worker, _nurse = (Resource.__table__.alias() for _ in range(3))
SESSIONS = (
    select(
        Site.nation, RotaPattern.id, RotaPattern.weekday, RotaPattern.starts, RotaPattern.ends,
        RotaPattern.slot_minutes, RotaPattern.doctor_id, RotaPattern.worker_id,
        RotaPattern.from_on, RotaPattern.to_on, RotaPattern.despite_holiday,
        RotaPattern.nurse_id, RotaPattern.room_id, RotaPattern.kept_for,
        RotaPattern.routine_from_hours, _nurse.c.id.label("nurse_resource"),
        _doctor.c.id.label("doctor_resource"), _worker.c.id.label("worker_resource"),
    )
    .join_from(Site, RotaPattern, RotaPattern.site_id == Site.id, isouter=True)
    .join(_doctor, _doctor.c.staff_id == RotaPattern.doctor_id, isouter=True)
    .join(_worker, _worker.c.staff_id == RotaPattern.worker_id, isouter=True)
    .join(_nurse, _nurse.c.staff_id == RotaPattern.nurse_id, isouter=True)
    .where(Site.id == bindparam("site_id"))
)  # fmt: skip

_no_text, _no_day = cast(null(), String), cast(null(), Date)


def _spans(model: Any, fact: Any, subject: Any, word: Any) -> Any:
    return select(
        fact.label("fact"), subject.label("subject"), word.label("word"),
        model.from_on.label("from_on"), model.to_on.label("to_on"),
    )  # fmt: skip


def _literal(word: str) -> Any:
    return cast(bindparam(f"is_{word}", word), String)


# Everything dated that decides which places there are: one row a fact, whatever its table.
DATED = union_all(
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
    .where(RotaPattern.site_id == bindparam("site_id"), RotaDayOff.withdrawn_at.is_(None)),
    select(_literal("closed"), SiteClosure.site_id, _no_text, SiteClosure.on, _no_day).where(
        SiteClosure.site_id == bindparam("site_id"), SiteClosure.withdrawn_on.is_(None)
    ),
    select(
        _literal("holiday"), CalendarChange.id, CalendarChange.change, CalendarChange.on,
        CalendarChange.announced_on,
    ).where(
        CalendarChange.nation == bindparam("nation"), CalendarChange.withdrawn_on.is_(None)
    ),
)  # fmt: skip

AWAY = select(StaffLeave.staff_id, StaffLeave.starts_at, StaffLeave.ends_at).where(
    StaffLeave.staff_id.in_(bindparam("people", expanding=True)), StaffLeave.withdrawn_at.is_(None)
)
OPENINGS = select(
    SiteOpening.weekday, SiteOpening.from_on, SiteOpening.opens, SiteOpening.closes
).where(SiteOpening.site_id == bindparam("site_id"), SiteOpening.withdrawn_at.is_(None))

THINGS = (
    select(Resource.id, Resource.kind, Resource.item, Resource.gone_on)
    .where(Resource.site_id == bindparam("site_id"))
    .order_by(Resource.id)
)

_hold = VisitHold.__table__.c
_in_words = (_hold.resource_id, _hold.starts_at, _hold.ends_at)
# Hundreds are held at once, so they travel as one text: what was read of each is known by its words.
_HELD = select(
    RotaStamp.value,
    select(
        func.aggregate_strings(
            reduce(lambda one, next: one + "|" + next, (cast(each, String) for each in _in_words)),
            ";",
        )
    )
    .where(
        _hold.resource_id.in_(bindparam("resources", expanding=True)),
        _hold.released_at.is_(None),
        _hold.starts_at < bindparam("until"),
        _hold.starts_at > bindparam("earliest"),
        _hold.ends_at > bindparam("since"),
        _hold.visit_id.not_in(
            select(Visit.id).where(Visit.lapsed(bindparam("now", type_=Visit.lapses_at.type)))
        ),
    )
    .scalar_subquery()
    .label("held"),
)


@dataclass(frozen=True, eq=False)
class Service:
    """A site's rota, its prescribing model day by day, and what a visit holds of each person.

    `resources`: the resource of each member of staff; those of rooms and places are their own.
    """

    rota: Rota
    models: tuple[tuple[PrescribingModel, date, date | None], ...]
    resources: Mapping[int, int]
    _days: dict[date, list[Place]] = field(default_factory=dict, repr=False)
    _laid_out: dict[tuple[date, date], LaidOut] = field(default_factory=dict, repr=False)
    _read: dict[str, Hold] = field(default_factory=dict, repr=False)
    _held: dict[str | None, dict[str, Hold]] = field(default_factory=dict, repr=False)
    reviews: dict[date, list[Review]] = field(default_factory=dict, repr=False)
    """The reviews of each day that was asked for, whoever has taken them (chains.Diary)."""

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

    def holds(self, held: str | None) -> dict[str, Hold]:
        """Held time as the rules take it, by the words it came in; the same again for the same."""
        if (found := self._held.get(held)) is not None:
            return found
        if len(self._held) > TEXTS_KEPT:
            self._held.clear()
        if len(self._read) > HOLDS_KEPT:
            self._read.clear()
        read, found = self._read, {}
        for words in held.split(";") if held else ():
            if (hold := read.get(words)) is None:
                hold = read[words] = self._hold(*words.split("|"))
            found[words] = hold
        self._held[held] = found
        return found

    def _hold(self, resource: str, starts: str, ends: str) -> Hold:
        resource_id, between = int(resource), (_instant(starts), _instant(ends))
        staff_id = self._staff.get(resource_id)
        return Hold(staff_id, *between, resource_id if staff_id is None else None)

    @cached_property
    def _staff(self) -> dict[int, int]:
        return {resource_id: staff_id for staff_id, resource_id in self.resources.items()}

    @cached_property
    def held_of(self) -> list[int]:
        """Every resource whose holds decide what is free here."""
        return sorted({*self._staff, *self.rota.in_use})

    def places(self, first: date, last: date) -> list[Place]:
        """Every bookable place from first to last, whoever has taken it. Each day worked out once."""
        if len(self._days) > DAYS_KEPT:
            self._days.clear()
        found: list[Place] = []
        for day in days_between(first, last):
            if (of_day := self._days.get(day)) is None:
                of_day = self._days[day] = slots.places(self.rota, day, day)
            found += of_day
        return found

    def laid_out(self, first: date, last: date) -> LaidOut:
        """The same, laid out to find the free ones. Each span worked out once."""
        if (found := self._laid_out.get((first, last))) is None:
            if len(self._laid_out) > SPANS_KEPT:
                self._laid_out.clear()
            found = self._laid_out[first, last] = LaidOut(self.places(first, last))
        return found


_kept: dict[int, tuple[str, Service]] = {}


def service(session: Database, site_id: int, stamp: str | None = None) -> Service:
    """The site's rota as it stands in this transaction. `stamp`: the present one, if known."""
    stamp = stamp or _past_the_objects(session).execute(_STAMPED).scalar_one()
    known = _kept.get(site_id)
    if known is None or known[0] != stamp:
        known = _kept[site_id] = stamp, _read(session, site_id)
    return known[1]


def _read(session: Database, site_id: int) -> Service:
    rows = session.execute(SESSIONS, {"site_id": site_id}).all()
    nation = next((row.nation for row in rows), None)
    sessions = [row for row in rows if row.id is not None]
    resources = {row.doctor_id: row.doctor_resource for row in sessions}
    resources |= {row.worker_id: row.worker_resource for row in sessions}
    resources |= {row.nurse_id: row.nurse_resource for row in sessions if row.nurse_id}
    things = session.execute(THINGS, {"site_id": site_id}).all()
    dated = session.execute(
        DATED, {"site_id": site_id, "people": sorted(resources), "nation": nation}
    ).all()
    off: dict[int, set[date]] = {}
    for row in dated:
        if row.fact == "off":
            off.setdefault(row.subject, set()).add(row.from_on)
    rota = Rota(
        sessions=tuple(_session(row, off.get(row.id, ())) for row in sessions),
        clinicians={each: _clinician(each, dated) for each in resources},
        calendar=Calendar(
            nation or "england_and_wales",  # asked of nothing when there are no sessions
            holiday_lists(),
            changes=[
                Change(row.from_on, row.word, row.to_on) for row in dated if row.fact == "holiday"
            ],
        ),
        closed_on=frozenset(row.from_on for row in dated if row.fact == "closed"),
        away=tuple(Hold(*row) for row in session.execute(AWAY, {"people": sorted(resources)})),
        openings=tuple(Opening(*row) for row in session.execute(OPENINGS, {"site_id": site_id})),
        observed=tuple(
            (row.from_on, row.to_on)
            for row in dated
            if row.fact == "model" and row.subject in RULES["RP-12"]["model"]
        ),
        in_use={each.id: each.gone_on for each in things if each.kind != "kit"},
        observation=tuple(each.id for each in things if each.kind == "observation"),
        kit=tuple((each.item, each.gone_on) for each in things if each.kind == "kit"),
    )
    models = tuple(
        (PrescribingModel(row.subject), row.from_on, row.to_on)
        for row in dated
        if row.fact == "model"
    )
    return Service(rota, models, resources)


def _session(row: Any, off: Iterable[date]) -> Session:
    return Session(
        id=row.id, weekday=row.weekday, starts=row.starts, ends=row.ends,
        slot_minutes=row.slot_minutes, doctor_id=row.doctor_id, worker_id=row.worker_id,
        from_on=row.from_on, to_on=row.to_on, despite_holiday=row.despite_holiday,
        off_on=frozenset(off), nurse_id=row.nurse_id, room_id=row.room_id,
        kept_for=row.kept_for, routine_from_hours=row.routine_from_hours,
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
        tests=spans("competence", TESTER),
    )


def free_places(
    session: Database, service: Service, first: date, last: date, now: datetime
) -> list[Place]:
    """The places nobody has taken, here or elsewhere, and that have not begun. One statement."""
    if not service.resources:
        return []
    _, found = _held(session, service, start_of(first), end_of(last), now)
    return service.laid_out(first, last).free(found, now=now, rota=service.rota)


def places_to_offer(
    session: Database, service: Service, first: date, last: date, now: datetime
) -> list[Place]:
    """The free places somebody who is not here yet can still come to (BK-05)."""
    free = free_places(session, service, first, last, now)
    return [each for each in free if booking.in_reach(each.starts_at, now)]


def free_places_of(
    session: Database, site_id: int, first: date, last: date, now: datetime
) -> list[Place]:
    """The same of a site whose rota has not been asked for: one statement for both, as a rule."""
    stamp, known = _kept.get(site_id, ("", None))
    if known is not None and known.held_of:
        now_stamped, found = _held(session, known, start_of(first), end_of(last), now)
        if now_stamped == stamp:
            return known.laid_out(first, last).free(found, now=now, rota=known.rota)
    return free_places(session, service(session, site_id), first, last, now)


def routine_places(
    session: Database, service: Service, first: date, last: date, now: datetime
) -> list[Place]:
    """The free places routine visits may have (BK-03)."""
    found = holds(session, service, start_of(first), end_of(last), now)
    wanted = slots.routine_places(service.rota, first, last, now=now)
    return slots.still_free(wanted, found, now=now, rota=service.rota)


def kept_back(
    session: Database, service: Service, first: date, last: date, now: datetime, routine: bool
) -> list[tuple[Place, slots.Refusal]]:
    """Free places that a soft block keeps back, each with the block (BK-04)."""
    found = holds(session, service, start_of(first), end_of(last), now)
    back = slots.kept_back(service.rota, first, last, now=now, routine=routine)
    free = set(slots.still_free((place for place, _ in back), found, now=now, rota=service.rota))
    return [(place, block) for place, block in back if place in free]


def walk_in_places(session: Database, service: Service, now: datetime) -> list[Place]:
    """Today's places nobody has taken, begun ones included, of which enough is left."""
    day = london_day(now)
    found = holds(session, service, start_of(day), end_of(day), now)
    return slots.walk_in_places(service.rota, found, now=now)


def holds(
    session: Database, service: Service, since: datetime, until: datetime, now: datetime
) -> list[Hold]:
    """Who and what of this service is held, here or elsewhere, between two instants."""
    if not service.held_of:
        return []
    _, found = _held(session, service, since, until, now)
    return list(found.values())


def _held(
    session: Database, service: Service, since: datetime, until: datetime, now: datetime
) -> tuple[str, dict[str, Hold]]:
    """The stamp of every rota, and what is held, each by the words it came in."""
    asked = {
        "resources": service.held_of, "since": since, "until": until, "now": now,
        "earliest": since - LONGEST_HOLD,
    }  # fmt: skip
    stamp, held = _past_the_objects(session).execute(_HELD, asked).one()
    return stamp, service.holds(held)


def _instant(text: str) -> datetime:
    """An instant as a database writes it; SQLite leaves out that it is UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _past_the_objects(session: Database) -> Connection:
    """For what is asked with every look at what is free; what is not written yet is written first."""
    session.flush()
    return session.connection()


def busy(session: Database, patient_id: int, now: datetime) -> list[tuple[datetime, datetime]]:
    """The patient's own time taken from now on, at any site."""
    return [
        (row.starts_at, row.ends_at)
        for row in session.execute(
            select(Visit.starts_at, Visit.ends_at).where(
                Visit.patient_id == patient_id,
                Visit.takes_time(now),
                Visit.ends_at > now,
            )
        )
    ]
