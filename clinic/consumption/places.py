"""Where does this person take their doses, and who may record them there?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.consumption.supply_models import ConsumptionPlace, PharmacyStaff
from clinic.errors import Forbidden
from clinic.release.models import Premises


@dataclass(frozen=True)
class Place:
    """Here at the service, or at a pharmacy (then `premises_id`)."""

    kind: str
    premises_id: int | None
    from_on: date
    name: str


HERE = "Here, at this service"


def places_on(act: Act, people: Mapping[int, Collection[int]], on: date) -> dict[int, Place]:
    """The place of each person (their id -> all their records) on a London date.

    The newest row that had begun by then. Without one: left out.
    """
    owner = {record: person for person, records in people.items() for record in records}
    rows = act.session.execute(
        select(ConsumptionPlace, Premises.name)
        .outerjoin(Premises, Premises.id == ConsumptionPlace.premises_id)
        .where(
            ConsumptionPlace.patient_id.in_(owner), ConsumptionPlace.struck_at.is_(None),
            ConsumptionPlace.from_on <= on,
        )
        .order_by(ConsumptionPlace.from_on, ConsumptionPlace.id)
    )  # fmt: skip
    return {
        owner[row.patient_id]: Place(row.kind, row.premises_id, row.from_on, name or HERE)
        for row, name in rows
    }


def place_on(act: Act, records: list[int], on: date) -> Place | None:
    return places_on(act, {records[0]: records}, on).get(records[0])


def pharmacies_of(act: Act) -> set[int] | None:
    """The pharmacies this member of staff works at today, for this site; None: they never did.

    Somebody who works at none any longer has none. It does not open the service's own hatch to them.
    """
    rows = act.session.scalars(
        select(PharmacyStaff).where(
            PharmacyStaff.staff_id == act.staff_id, PharmacyStaff.site_id == act.site_id
        )
    )
    held = [row for row in rows if row.to_on is None or row.from_on <= row.to_on]
    return {row.premises_id for row in held if row.holds_on(act.today)} if held else None


def is_theirs(act: Act, place: Place | None, mine: set[int] | None) -> bool:
    """May this member of staff record doses taken at this place? `mine`: see `pharmacies_of`.

    Whoever works or worked at a pharmacy, for that pharmacy's people alone; others without the right
    to the whole caseload, for the people who take their doses at this service.
    """
    if mine is not None:
        return place is not None and place.premises_id in mine
    if act.may("consumption.anywhere"):
        return True
    return place is not None and place.kind == "on_site"


def must_be_theirs(act: Act, records: list[int], on: date) -> Place | None:
    """The place that day. Forbidden where it is not this member of staff's to record."""
    place = place_on(act, records, on)
    if not is_theirs(act, place, pharmacies_of(act)):
        raise Forbidden(
            "This person does not take their doses where you work. "
            "Ask the service to set the place first."
        )
    return place


def place_words(place: Place | None) -> str | None:
    return None if place is None else place.name


def choices(act: Act) -> list[tuple[str, str]]:
    """Where somebody of this site can take their doses: here, or at a pharmacy known to it."""
    rows: Any = act.session.execute(
        select(Premises.id, Premises.name)
        .where(Premises.kind == "pharmacy")
        .order_by(Premises.name, Premises.id)
    )
    return [("on_site", HERE), *((str(row.id), row.name) for row in rows)]
