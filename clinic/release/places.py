"""Where would they be released to, and when can medicine be collected there, as known at a moment?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from clinic.calendars import holiday_lists
from clinic.release.models import Premises, PremisesFact, ReleaseFact
from clinic.sites.models import CalendarChange, Site, SiteClosure
from dosing.days import days_between, london_day
from scheduling.calendars import CALENDAR_SHAPE, Calendar
from scheduling.release_cover import Pharmacy
from scheduling.release_request import PHARMACY_SHAPE, WEEKDAYS

Json = dict[str, Any]
BEFORE, AHEAD = timedelta(days=366), timedelta(days=731)
"""How far around the moment of asking a pharmacy's own holidays are said day by day."""


def known_rows(table: Any, known_at: datetime) -> tuple[Any, ...]:
    """Written by then, and not struck out by then."""
    return (
        table.recorded_at <= known_at,
        or_(table.struck_at.is_(None), table.struck_at > known_at),
    )


class PlaceRows:
    """Calendars and opening hours as rows, each place read once however many plans ask for it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._changes: dict[str, Sequence[CalendarChange]] = {}
        self._closures: dict[int, Sequence[SiteClosure]] = {}
        self._premises: dict[int, Sequence[PremisesFact]] = {}

    def changes(self, nation: str) -> Sequence[CalendarChange]:
        """Bank holidays of a nation added or removed since the list; withdrawn ones too."""
        if nation not in self._changes:
            self._changes[nation] = self.session.scalars(
                select(CalendarChange)
                .where(CalendarChange.nation == nation)
                .order_by(CalendarChange.on, CalendarChange.id)
            ).all()
        return self._changes[nation]

    def closures(self, site_id: int) -> Sequence[SiteClosure]:
        """The days a site is shut beyond its bank holidays; withdrawn ones too."""
        if site_id not in self._closures:
            self._closures[site_id] = self.session.scalars(
                select(SiteClosure).where(SiteClosure.site_id == site_id).order_by(SiteClosure.on)
            ).all()
        return self._closures[site_id]

    def of_premises(self, premises_id: int, known_at: datetime) -> list[PremisesFact]:
        """What is recorded of a pharmacy or clinic, as known at a moment."""
        if premises_id not in self._premises:
            self._premises[premises_id] = self.session.scalars(
                select(PremisesFact)
                .where(PremisesFact.premises_id == premises_id)
                .order_by(PremisesFact.on, PremisesFact.id)
            ).all()
        return [
            row
            for row in self._premises[premises_id]
            if row.recorded_at <= known_at and (row.struck_at is None or row.struck_at > known_at)
        ]


def calendar_as_known(
    rows: PlaceRows, known_at: datetime, *, site: Site | None = None, nation: str | None = None
) -> Json:
    """A calendar object as it was known; a nation nobody recorded is left out."""
    nation = site.nation if site is not None else nation
    known_on = london_day(known_at)

    def counts(row: CalendarChange | SiteClosure) -> bool:
        withdrawn = row.withdrawn_on is not None and row.withdrawn_on <= known_on
        return row.recorded_at <= known_at and not withdrawn

    calendar: Json = {}
    if nation is not None:
        calendar["nation"] = nation
        calendar["calendar_changes"] = [
            {
                "on": row.on.isoformat(),
                "change": row.change,
                "announced_on": row.announced_on and row.announced_on.isoformat(),
            }
            for row in rows.changes(nation)
            if counts(row)
        ]
    if site is not None:
        calendar["closure_days"] = [
            row.on.isoformat() for row in rows.closures(site.id) if counts(row)
        ]
    return calendar


def destination_as_known(
    rows: PlaceRows, known_at: datetime, row: ReleaseFact | None
) -> Json | None:
    """Where they return to; a service of ours adds its calendar, and its area where none is said."""
    if row is None:
        return None
    calendar = calendar_as_known(rows, known_at, site=row.site, nation=row.says.get("nation"))
    area = row.says.get("area") or (row.site.area if row.site else None)
    return {**calendar, "area": area, "contact": row.says.get("contact")}


def premises_as_known(rows: PlaceRows, premises_id: int | None, known_at: datetime) -> Json | None:
    """A pharmacy or clinic with its week, closures and openings as known; None for none."""
    if premises_id is None:
        return None
    premises = rows.session.get_one(Premises, premises_id)
    return _premises_object(premises, rows.of_premises(premises_id, known_at))


def premises_object(session: Session, premises: Premises, known_at: datetime) -> Json:
    """The contract's object for a pharmacy or clinic. An unknown week is left out."""
    return _premises_object(premises, PlaceRows(session).of_premises(premises.id, known_at))


def _premises_object(premises: Premises, facts: Sequence[PremisesFact]) -> Json:
    made: Json = {"name": premises.name, "closures": [], "openings": []}
    for fact in facts:
        if fact.kind == "hours":
            made["hours"] = fact.hours
        elif fact.on is not None and fact.kind == "closure":
            made["closures"].append(fact.on.isoformat())
        elif fact.on is not None:
            made["openings"].append(
                {"on": fact.on.isoformat(), "hours": (fact.hours or {}).get("hours", [])}
            )
    return made


def nation_of(session: Session, premises_id: int, known_at: datetime) -> str | None:
    """Whose bank holidays a pharmacy or clinic keeps, as said with its week; None: nobody knows."""
    return _nation(PlaceRows(session).of_premises(premises_id, known_at))


def _nation(facts: Sequence[PremisesFact]) -> str | None:
    return next((row.nation for row in facts if row.kind == "hours"), None)


def pharmacy_as_known(
    rows: PlaceRows,
    premises_id: int | None,
    destination: Json | None,
    prison: Json,
    as_at: datetime,
    known_at: datetime,
) -> Json | None:
    """The pharmacy of a plan, open on the days of its own nation.

    The release contract gives a pharmacy the holidays of the destination (else of the prison). One
    over the border keeps others: those days are said as closures and openings, which the contract
    lets win. What is recorded of a single day stands as it is.
    """
    made = premises_as_known(rows, premises_id, known_at)
    if premises_id is None or made is None:
        return None
    own = _nation(rows.of_premises(premises_id, known_at))
    there = destination if destination and destination.get("nation") else prison
    if own in (None, there["nation"]):
        return made
    kept = calendar_as_known(rows, known_at, nation=own)
    ours, read = (_opening(made, each, as_at) for each in (kept, there))
    lists, today = holiday_lists(), london_day(as_at)
    closures, openings = list(made["closures"]), list(made["openings"])
    for day in days_between(max(lists.first_on, today - BEFORE), min(lists.last_on, today + AHEAD)):
        if ours.is_open(day) == read.is_open(day):
            continue
        if read.is_open(day):
            closures.append(day.isoformat())
        else:
            hours = made["hours"][WEEKDAYS[day.weekday()]]
            openings.append({"on": day.isoformat(), "hours": hours})
    return {**made, "closures": closures, "openings": openings}


def _opening(pharmacy: Json, calendar: Json, as_at: datetime) -> Pharmacy:
    """A pharmacy's days under a nation's holidays; days its service is shut do not close it."""
    nation, changes = calendar["nation"], calendar["calendar_changes"]
    facts = CALENDAR_SHAPE.read({"nation": nation, "calendar_changes": changes}, "")
    return Pharmacy(
        PHARMACY_SHAPE.read(pharmacy, "pharmacy"), nation,
        Calendar.of(facts, holiday_lists(), known_on=london_day(as_at)), None,
    )  # fmt: skip
