"""Record what lies ahead of somebody in custody, where they are, and how they left.

Each is a fact of the stay: recorded once, put right or struck out with a reason, its first wording
kept. A fact that can move a date has the 28 days worked out once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update

from clinic.act import Act, command
from clinic.assessments import dues
from clinic.careplans import events as plans
from clinic.custody import elsewhere, facts, moving_on, timetables, words
from clinic.custody.models import (
    HEARING_OUTCOMES,
    PLACES_APART,
    WAYS_OUT,
    Delivery,
    Exit,
    Fact,
    Hearing,
    KnownRelease,
    Location,
    Reception,
    ReportedElsewhere,
    Transfer,
    Unavailable,
    Wing,
)
from clinic.custody.passed_models import PassedMove
from clinic.custody.stays import add, has_happened, opened, standing, strike, touch
from clinic.errors import Conflict, Invalid, one_of
from clinic.groups.offers import release_after
from clinic.patients.commands import correct_patient, take_onto_caseload
from clinic.patients.models import Allocation, Registration
from clinic.release.following import follow_patient
from clinic.sites.models import NATIONS, Site
from dosing.days import london_day


def planned(act: Act, reception: Reception, because: str) -> None:
    """The next version of the 28 days; and the way out of custody, which rests on the same facts."""
    timetables.save(act, reception, because)
    follow_patient(act, reception.patient_id)


@command
def record_hearing(
    act: Act,
    reception_id: int,
    *,
    starts_at: datetime,
    known_at: datetime | None = None,
    court: str | None = None,
    outcome: str | None = None,
) -> int:
    """A court hearing is known. Returns its id; the dates before it are pulled forward."""
    values = {"starts_at": starts_at, "known_at": known_at, "court": court, "outcome": outcome}
    return _record(act, reception_id, Hearing, values)


@command
def record_release(
    act: Act, reception_id: int, *, on: date, known_at: datetime | None = None
) -> int:
    """The day of release is known, after any weekend or Friday rule. Returns the fact's id."""
    return _record(act, reception_id, KnownRelease, {"on": on, "known_at": known_at})


@command
def record_transfer(
    act: Act,
    reception_id: int,
    *,
    on: date,
    booked_on: date | None = None,
    receiving_site_id: int | None = None,
    receiving_prison: str | None = None,
    nation: str | None = None,
    prescriber_cover: bool | None = None,
) -> int:
    """A move to another prison is booked. The 28 days go on; a prison that is a site here sees it.

    For a prison that is not, give its name and nation. Booked by the prison they were moved to before,
    once it has accepted them, it is the next move of the same stay.
    """
    moving_on.before_next_move(act, opened(act, reception_id, "release.plan"))
    fact = _record(
        act, reception_id, Transfer,
        {"on": on, "booked_on": booked_on, "receiving_site_id": receiving_site_id,
         "receiving_prison": receiving_prison, "nation": nation,
         "prescriber_cover": prescriber_cover},
    )  # fmt: skip
    reception = act.session.get_one(Reception, reception_id)
    _look_after(act, reception, None, receiving_site_id)
    return fact


def _look_after(act: Act, reception: Reception, was: int | None, now: int | None) -> None:
    """The prison somebody is booked to move to has their record; one they do not go to has it no more.

    What the move did not bring stays: a prison that knew them before goes on knowing them.
    """
    patient = facts.kept_record(act.session, reception.patient_id)
    left = facts.row_of(act.session, Exit, reception.id)
    been_there = select(PassedMove.id).where(
        PassedMove.reception_id == reception.id, PassedMove.to_site_id == was
    )
    gone = left is not None and left.how == "transfer"
    if was not in (None, now) and not gone and act.session.scalar(been_there.limit(1)) is None:
        booked = select(Transfer.recorded_at).where(
            Transfer.reception_id == reception.id, Transfer.receiving_site_id == was
        )
        for row in act.session.scalars(
            select(Registration).where(
                Registration.patient_id == patient.id, Registration.site_id == was,
                Registration.ended_at.is_(None), Registration.started_at.in_(booked),
            )
        ):  # fmt: skip
            row.ended_at, row.ended_reason = act.at, "The move there was struck out"
            act.session.execute(
                update(Allocation)
                .where(
                    Allocation.patient_id == patient.id, Allocation.site_id == was,
                    Allocation.ended_at.is_(None),
                )
                .values(ended_at=act.at)
            )  # fmt: skip
            act.note("patients.caseload_left", patient_id=patient.id, site_id=was)
    if now is not None:
        take_onto_caseload(act, patient.id, now)


@command
def record_unavailable(
    act: Act, reception_id: int, *, from_on: date, to_on: date | None, place: str
) -> int:
    """They cannot come to groups on these days, both included (no end: until further notice)."""
    values = {"from_on": from_on, "to_on": to_on, "place": place}
    return _record(act, reception_id, Unavailable, values)


@command
def record_location(
    act: Act,
    reception_id: int,
    *,
    wing_id: int,
    cell: str | None = None,
    from_at: datetime | None = None,
) -> int:
    """They live on this wing of this prison, from a moment that has passed (now when not said)."""
    values = {"wing_id": wing_id, "cell": cell, "from_at": from_at or act.at}
    return _record(act, reception_id, Location, values)


@command
def record_exit(act: Act, reception_id: int, *, at: datetime, how: str) -> int:
    """They left, and how. What was still open is closed as left; a transfer closes nothing.

    Leaving the prison they were moved to takes the place of the transfer as the way out.
    """
    reception = opened(act, reception_id, "release.plan")
    moved = facts.row_of(act.session, Exit, reception.id)
    if moved is not None and moved.how == "transfer" and how != "transfer":
        strike(act, reception, moved, "Left the prison they were moved to")
    fact = _record(act, reception_id, Exit, {"at": at, "how": how})
    follow_exit(act, act.session.get_one(Reception, reception_id))
    return fact


@command
def report_elsewhere(
    act: Act,
    reception_id: int,
    *,
    item: str,
    said_by: str,
    on: date | None = None,
    outcome: str = "delivered",
    by: Iterable[str] = (),
    topic: str | None = None,
    mode: str | None = None,
    note: str | None = None,
) -> int:
    """Something was done at the prison outside they came from, as somebody or its file says.

    `on`: None where nobody says when; it then counts for nothing. Returns the fact's id.
    """
    values = {"item": item, "said_by": said_by, "on": on, "outcome": outcome, "by": list(by),
              "topic": topic, "mode": mode, "note": note}  # fmt: skip
    return _record(act, reception_id, ReportedElsewhere, values)


_KINDS: dict[str, type[Fact]] = {
    "hearing": Hearing,
    "release": KnownRelease,
    "transfer": Transfer,
    "unavailable": Unavailable,
    "exit": Exit,
    "location": Location,
    "delivery": Delivery,
    "reported": ReportedElsewhere,
}


_AT_MOST_ONE = {KnownRelease: "a release date", Transfer: "a transfer", Exit: "an exit"}


_SAID = {
    Hearing: "hearing",
    KnownRelease: "release date",
    Transfer: "transfer",
    Unavailable: "days away from groups",
    Exit: "exit",
    Location: "location",
    Delivery: "delivery",
    ReportedElsewhere: "report from elsewhere",
}


_RIGHTS: dict[type[Fact], str] = {
    Delivery: "custody.deliver", ReportedElsewhere: "custody.deliver",
}  # fmt: skip


def _record(act: Act, reception_id: int, kind: type[Fact], values: dict[str, Any]) -> int:
    reception = opened(act, reception_id, _RIGHTS.get(kind, "release.plan"))
    if act.site_id not in facts.current_prisons(act.session, reception):
        raise Conflict("They are at another prison now, which records this.")
    if kind is Exit and values["how"] == "transfer" and moving_on.moved_to(act, reception):
        raise Conflict("Record first which prison they move to from here.")
    if kind in _AT_MOST_ONE and facts.row_of(act.session, kind, reception.id) is not None:
        raise Conflict(f"There is already {_AT_MOST_ONE[kind]}: correct that one.")
    row = add(act, reception, kind, checked(act, reception, kind, values))
    touch(act, reception, f"recorded a {_SAID[kind]}")
    act.note(
        f"custody.{kind.__name__.lower()}_recorded", patient_id=reception.patient_id,
        reception=reception.id, fact=row.id,
    )  # fmt: skip
    _ask_for_review(act, reception, row)
    _follow(act, reception, kind, f"{_SAID[kind].capitalize()} recorded")
    return row.id


_ASKED = {
    Hearing: ("hearing",), Transfer: ("transfer",), Exit: ("exit", "transfer"),
    Unavailable: ("segregation",),
}  # fmt: skip
"""What each kind of fact asks the care plan to be looked at for."""


def _ask_for_review(act: Act, reception: Reception, row: Any) -> None:
    """A hearing, a move, a way out or segregation asks for the care plan to be looked at."""
    match row:
        case Hearing():
            code, on = "hearing", london_day(row.starts_at)
        case Transfer():
            code, on = "transfer", row.on
        case Exit():
            code, on = "exit", london_day(row.at)
        case Unavailable(place="segregation"):
            code, on = "segregation", row.from_on
        case _:
            return
    plans.raise_event(act, code, min(on, act.today), reception_id=reception.id)


def _follow(act: Act, reception: Reception, kind: type[Fact], because: str) -> None:
    """The timetable after a fact: a version of its own, unless the fact cannot move a date."""
    if kind in (Delivery, ReportedElsewhere):
        timetables.refresh_items(act, reception)
    elif kind is not Location:
        planned(act, reception, because)


@command
def correct_fact(
    act: Act,
    reception_id: int,
    kind: str,
    fact_id: int,
    *,
    version: int,
    reason: str,
    **changes: Any,
) -> int:
    """Put a hearing, release, transfer, absence, exit or location right. Returns the new id.

    The first wording is kept, struck out with the reason.
    """
    model = _KINDS[kind]
    reception = opened(act, reception_id, _RIGHTS.get(model, "release.plan"), version)
    row = standing(act, reception, model, fact_id)
    values = {name: getattr(row, name) for name in _columns(model)}
    if unknown := set(changes) - set(values):
        raise Invalid.field(sorted(unknown)[0], "cannot be changed here")
    if all(values[name] == value for name, value in changes.items()):
        raise Invalid("Nothing was changed.")
    if "known_at" in values and "known_at" not in changes:
        # A date that was put right became known when it was put right, not before.
        changes["known_at"] = None if _moves(values, changes) else values["known_at"]
    strike(act, reception, row, reason)
    fresh = add(act, reception, model, checked(act, reception, model, values | changes))
    touch(act, reception, f"corrected the {_SAID[model]}")
    act.note(
        f"custody.{model.__name__.lower()}_corrected", patient_id=reception.patient_id,
        reception=reception.id, fact=fresh.id, was=row.id,
    )  # fmt: skip
    if isinstance(row, Exit):
        follow_exit(act, reception, undone=row)
    if isinstance(row, Transfer):
        _look_after(act, reception, row.receiving_site_id, fresh.receiving_site_id)
    _follow(act, reception, model, f"{_SAID[model].capitalize()} corrected: {reason.strip()}")
    return fresh.id


def _moves(values: dict[str, Any], changes: dict[str, Any]) -> bool:
    return any(
        changes.get(name, values.get(name)) != values.get(name) for name in ("on", "starts_at")
    )


@command
def strike_out(
    act: Act, reception_id: int, kind: str, fact_id: int, *, version: int, reason: str
) -> None:
    """This was recorded in error: it counts no more and stays visible, struck out with the reason."""
    model = _KINDS[kind]
    reception = opened(act, reception_id, _RIGHTS.get(model, "release.plan"), version)
    row = standing(act, reception, model, fact_id)
    if isinstance(row, Delivery) and row.item in words.NAMING:
        raise Conflict("This is the naming of the keyworker. Take it back beside their name.")
    strike(act, reception, row, reason)
    touch(act, reception, f"struck out a {_SAID[model]}")
    act.note(
        f"custody.{model.__name__.lower()}_struck_out", patient_id=reception.patient_id,
        reception=reception.id, fact=row.id,
    )  # fmt: skip
    if isinstance(row, Exit):
        follow_exit(act, reception, undone=row)
    if isinstance(row, Transfer):
        _look_after(act, reception, row.receiving_site_id, None)
    if codes := _ASKED.get(model):
        plans.take_event_back(act, reception.id, codes, row.recorded_at, reason)
    _follow(act, reception, model, f"{_SAID[model].capitalize()} struck out: {reason.strip()}")


def _columns(model: type[Fact]) -> list[str]:
    """The facts' own columns, without those every fact has."""
    table: Any = model
    common = set(Fact.__annotations__) | {"id", "recorded_at", "recorded_by"}
    return [name for name in table.__table__.columns.keys() if name not in common]  # noqa: SIM118


def checked(
    act: Act, reception: Reception, kind: type[Fact], values: dict[str, Any]
) -> dict[str, Any]:
    """The values of a fact that can stand. Invalid names the field."""
    values = dict(values)
    received_at = facts.detail_of(act.session, reception).received_at
    if "known_at" in values:
        # Known from reception at the earliest: that is what the timetable counts it from.
        values["known_at"] = values["known_at"] or act.at
        has_happened(act, "known_at", values["known_at"])
    if kind is Hearing:
        if values["starts_at"] <= received_at:
            raise Invalid.field("starts_at", "must be after the reception")
        if values["outcome"] is not None:
            one_of("outcome", values["outcome"], HEARING_OUTCOMES)
            has_happened(act, "starts_at", values["starts_at"])
        left = facts.row_of(act.session, Exit, reception.id)
        if values["outcome"] == "released" and left is None:
            raise Invalid.field("outcome", "needs the exit to be recorded first")
        values["court"] = (values["court"] or "").strip() or None
    if kind is KnownRelease and values["on"] < london_day(received_at):
        raise Invalid.field("on", "must not be before the day of reception")
    if kind is Transfer:
        values = _transfer_checked(act, reception, values, london_day(received_at))
    if kind is Unavailable:
        one_of("place", values["place"], PLACES_APART)
        if values["to_on"] is not None and values["to_on"] < values["from_on"]:
            raise Invalid.field("to_on", "must not be before the first day")
    if kind is Exit:
        one_of("how", values["how"], WAYS_OUT)
        has_happened(act, "at", values["at"])
        if values["at"] < received_at:
            raise Invalid.field("at", "must not be before the reception")
    if kind is Location:
        values = _location_checked(act, reception, values, received_at)
    if kind is ReportedElsewhere:
        values = elsewhere.reported_checked(act, reception, values)
    return values


LONGEST_CELL = 20


def _location_checked(
    act: Act, reception: Reception, values: dict[str, Any], received_at: datetime
) -> dict[str, Any]:
    from_at = values["from_at"]
    has_happened(act, "from_at", from_at)
    if from_at < received_at:
        raise Invalid.field("from_at", "must not be before the reception")
    left = facts.row_of(act.session, Exit, reception.id)
    if left is not None:
        moved_in = left.how == "transfer" and act.site_id != reception.site_id
        if moved_in and from_at < left.at:
            raise Invalid.field("from_at", "must not be before they came to this prison")
        if not moved_in and from_at > left.at:
            raise Invalid.field("from_at", "must not be after they left this prison")
    elif act.site_id != reception.site_id:
        raise Invalid("They have not come to this prison yet.")
    wing = act.session.get(Wing, values["wing_id"])
    if wing is None or wing.site_id != act.site_id:
        raise Invalid.field("wing_id", "must be a wing of this prison")
    if wing.closed_at is not None and from_at >= wing.closed_at:
        raise Invalid.field("wing_id", "is closed: choose a wing in use")
    values["cell"] = (values["cell"] or "").strip() or None
    if values["cell"] is not None and len(values["cell"]) > LONGEST_CELL:
        raise Invalid.field("cell", f"must be {LONGEST_CELL} characters or fewer")
    stands = facts.location_of(act.session, reception, act.site_id, at=from_at)
    if stands and (stands.wing_id, stands.cell) == (wing.id, values["cell"]):
        raise Invalid.field("wing_id", "is where they already are")
    return values


def _transfer_checked(
    act: Act, reception: Reception, values: dict[str, Any], received_on: date
) -> dict[str, Any]:
    if values["on"] < received_on:
        raise Invalid.field("on", "must not be before the day of reception")
    values["booked_on"] = values["booked_on"] or act.today
    if values["booked_on"] > act.today:
        raise Invalid.field("booked_on", "must not be in the future")
    if values["receiving_site_id"] is not None:
        site = act.session.get(Site, values["receiving_site_id"])
        if site is None or site.kind != "prison" or site.id == reception.site_id:
            raise Invalid.field("receiving_site_id", "must be another prison")
        values["receiving_prison"], values["nation"] = site.name, site.nation
    values["receiving_prison"] = (values["receiving_prison"] or "").strip()
    if not values["receiving_prison"]:
        raise Invalid.field("receiving_prison", "is required")
    one_of("nation", values["nation"], NATIONS)
    return values


def follow_exit(act: Act, reception: Reception, undone: Exit | None = None) -> None:
    """The stay and the record say what the exit that stands says."""
    act.session.flush()
    left = facts.row_of(act.session, Exit, reception.id)
    reception.left_at = left.at if left else None
    if left is not None:
        release_after(act, reception, left.at)
    patient = facts.kept_record(act.session, reception.patient_id)
    dues.refresh(act, patient, act.at)  # nothing is asked of an arrival that is over
    died_on = london_day(left.at) if left and left.how == "died" else None
    recorded = bool(undone and undone.how == "died")
    if died_on != patient.died_on and (died_on or recorded):
        correct_patient(
            act, patient.id, version=patient.version, reason="Exit from custody", died_on=died_on
        )
