"""Receive a prisoner, record what happens in the stay, and keep the 28-day timetable true to it.

Whatever is recorded about a stay goes through `stays.opened` (may this person, is it the version they
read?) and, when it can move a date, through `timetables.save`, which asks the rules once more and
saves their answer as the next version. Nothing that was recorded or planned is overwritten.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.assessments import dues
from clinic.calendars import holiday_lists
from clinic.careplans import events as plans
from clinic.custody import deliveries, facts, timetables
from clinic.custody.deliveries import SCREENING
from clinic.custody.models import (
    DAY_COUNTS,
    HEARING_OUTCOMES,
    PLACES_APART,
    SCREENINGS,
    SUITABILITIES,
    WAYS_OUT,
    DayCountChoice,
    Delivery,
    Exit,
    Fact,
    Hearing,
    KnownRelease,
    Location,
    Reception,
    ReceptionDetail,
    Transfer,
    Unavailable,
    Wing,
)
from clinic.custody.stays import (
    add,
    has_happened,
    held,
    opened,
    prison_of,
    said_why,
    standing,
    strike,
    touch,
)
from clinic.errors import Conflict, Invalid, NotFound, one_of
from clinic.groups.offers import release_after
from clinic.patients.commands import (
    add_number,
    correct_patient,
    leave_caseload,
    register_patient,
    take_onto_caseload,
)
from clinic.patients.models import Patient, Registration
from clinic.patients.queries import same_person
from clinic.release.commands import follow_patient
from clinic.sites.models import NATIONS, Site
from dosing.days import london_day
from scheduling.custody_request import RECEPTION_IS_DAY_1

# -- reception -----------------------------------------------------------------------------


@command
def receive_prisoner(
    act: Act,
    *,
    patient_id: int,
    received_at: datetime,
    screening: str,
    screened_at: datetime | None = None,
    heightened_risk: bool | None = None,
    ppo: bool | None = None,
    prison_number: str | None = None,
    wing_id: int | None = None,
    cell: str | None = None,
    demo: bool,
) -> int:
    """Record an arrival, take the person onto the caseload, and plan their 28 days. Returns its id.

    `received_at` is when they arrived, aware; it may be earlier than now, never later. A negative
    screening is recorded and plans nothing. `heightened_risk` and `ppo`: None when not asked.
    `wing_id`: where they were put on arrival; None when that is not settled yet.
    """
    act.need("custody.receive")
    site = prison_of(act)
    patient = _person(act, patient_id)
    details = _details_checked(
        act, {"received_at": received_at, "screening": screening, "heightened_risk": heightened_risk,
              "ppo": ppo, "group_suitability": None, "needs_post_28_programme": None},
    )  # fmt: skip
    take_onto_caseload(act, patient.id)
    act.session.flush()
    if prison_number and prison_number.strip():
        add_number(act, patient.id, "prison", prison_number, demo=demo)
    if ppo is not None and ppo != patient.ppo:
        correct_patient(
            act, patient.id, version=patient.version, reason="Asked at reception", ppo=ppo
        )
    reception = Reception(
        patient_id=patient.id, site_id=site.id, plan_made_on=act.today, left_at=None,
        day_count=_day_count_on(act, site.id, london_day(received_at)),
        undone_at=None, undone_by=None, undone_reason=None, version=1, changed_at=act.at,
        changed_by=act.staff_id, changed_what="recorded the reception", recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(reception)
    act.session.flush()
    add(act, reception, ReceptionDetail, details)
    _add_screening(act, reception, screening, screened_at)
    _put_on_arrival(act, reception, wing_id, cell, received_at)
    act.note("custody.received", patient_id=patient.id, reception=reception.id)
    plans.raise_event(
        act, "enters_prison", london_day(received_at), patient_ids=same_person(act, patient.id)
    )
    _planned(act, reception, "Reception recorded")
    dues.refresh(act, patient, act.at)  # what is asked on arrival waits from now on
    return reception.id


@command
def receive_new_person(act: Act, person: dict[str, Any], reception: dict[str, Any]) -> int:
    """Register somebody nobody has a record of and receive them, both or neither.

    `person` as `register_patient` takes it, `reception` as `receive_prisoner` does.
    """
    return receive_prisoner(act, patient_id=register_patient(act, **person), **reception)


@command
def receive_transfer(
    act: Act,
    reception_id: int,
    *,
    arrived_at: datetime,
    wing_id: int | None = None,
    cell: str | None = None,
) -> None:
    """Somebody under way in their 28 days arrives from another prison. Their days go on (A10).

    The move is recorded as it happened, whether or not the sending prison had booked it.
    """
    act.need("custody.receive")
    here = prison_of(act)
    reception = held(act, reception_id)
    if reception.left_at is not None or reception.site_id == here.id:
        raise Conflict("That stay is not under way at another prison.")
    take_onto_caseload(act, facts.kept_record(act.session, reception.patient_id).id)
    act.session.flush()
    booked = facts.row_of(act.session, Transfer, reception.id)
    move = {
        "on": london_day(arrived_at), "booked_on": booked.booked_on if booked else act.today,
        "receiving_site_id": here.id, "receiving_prison": here.name, "nation": here.nation,
        "prescriber_cover": booked.prescriber_cover if booked else None,
    }  # fmt: skip
    if booked is None or any(getattr(booked, name) != value for name, value in move.items()):
        if booked is not None:
            strike(act, reception, booked, "Moved otherwise than booked")
        add(act, reception, Transfer, _checked(act, reception, Transfer, move))
    add(
        act, reception, Exit,
        _checked(act, reception, Exit, {"at": arrived_at, "how": "transfer"}),
    )  # fmt: skip
    _put_on_arrival(act, reception, wing_id, cell, arrived_at)
    _follow_exit(act, reception)
    plans.raise_event(act, "transfer", london_day(arrived_at), reception_id=reception.id)
    touch(act, reception, "received them from the other prison")
    act.note("custody.transfer_received", patient_id=reception.patient_id, reception=reception.id)
    _planned(act, reception, f"Arrived at {here.name}")


def _planned(act: Act, reception: Reception, because: str) -> None:
    """The next version of the 28 days; and the way out of custody, which rests on the same facts."""
    timetables.save(act, reception, because)
    follow_patient(act, reception.patient_id)


def _person(act: Act, patient_id: int) -> Patient:
    """The patient who arrived. Standing at the gate opens the record: no other reason is asked."""
    if act.session.get(Patient, patient_id) is None:
        raise NotFound("There is no such patient.")
    patient = facts.kept_record(act.session, patient_id)
    if patient.died_on is not None:
        raise Invalid.field(
            "patient_id", "The record says this person has died. Check that it is the right one"
        )
    return patient


def _day_count_on(act: Act, site_id: int, day: date) -> str:
    rows = act.session.scalars(
        select(DayCountChoice)
        .where(DayCountChoice.site_id == site_id)
        .order_by(DayCountChoice.id.desc())
    )
    return next((row.day_count for row in rows if row.holds_on(day)), RECEPTION_IS_DAY_1)


def _details_checked(act: Act, details: dict[str, Any]) -> dict[str, Any]:
    one_of("screening", details["screening"], SCREENINGS)
    if details["group_suitability"] is not None:
        one_of("group_suitability", details["group_suitability"], SUITABILITIES)
    has_happened(act, "received_at", details["received_at"])
    return details


def _add_screening(
    act: Act, reception: Reception, screening: str, screened_at: datetime | None
) -> None:
    """A screening with a result was done at some time: that time makes the item done."""
    if screening == "not_done":
        if screened_at is not None:
            raise Invalid.field("screened_at", "must be left empty until the screening is done")
        return
    if screened_at is None:
        raise Invalid.field("screened_at", "is required when the screening has a result")
    given = {"item": SCREENING, "done_at": screened_at, "by": ["healthcare"]}
    try:
        checked = deliveries.checked(act, reception, given)
    except Invalid as refusal:
        raise Invalid.field("screened_at", refusal.faults[0][1]) from refusal
    add(act, reception, Delivery, checked)


def _put_on_arrival(
    act: Act, reception: Reception, wing_id: int | None, cell: str | None, at: datetime
) -> None:
    """Where they were put on arrival, if anybody said."""
    if wing_id is not None:
        given = {"wing_id": wing_id, "cell": cell, "from_at": at}
        add(act, reception, Location, _checked(act, reception, Location, given))
    elif (cell or "").strip():
        raise Invalid.field("wing_id", "is required beside a cell")


@command
def record_screening(act: Act, reception_id: int, *, screening: str, screened_at: datetime) -> None:
    """The reception screening that was not done at reception has a result now."""
    reception = opened(act, reception_id, "custody.deliver")
    row = facts.detail_of(act.session, reception)
    if row.screening != "not_done":
        raise Conflict("A screening is already recorded. Correct the reception if it is wrong.")
    one_of("screening", screening, [each for each in SCREENINGS if each != "not_done"])
    details = {name: getattr(row, name) for name in _DETAILS} | {"screening": screening}
    strike(act, reception, row, "Screening done")
    add(act, reception, ReceptionDetail, details)
    _add_screening(act, reception, screening, screened_at)
    touch(act, reception, "recorded the screening")
    act.note("custody.screened", patient_id=reception.patient_id, reception=reception.id)
    _planned(act, reception, "Screening recorded")


@command
def correct_reception(
    act: Act, reception_id: int, *, version: int, reason: str, **details: Any
) -> None:
    """Put right what the reception said. The first wording stays, and the 28 days are replanned.

    `details`: any of received_at, screening, heightened_risk, ppo, group_suitability and
    needs_post_28_programme. A screening that turns out not to have been done is open again.
    """
    reception = opened(act, reception_id, "custody.receive", version)
    row = facts.detail_of(act.session, reception)
    before = {name: getattr(row, name) for name in _DETAILS}
    if unknown := set(details) - set(_DETAILS):
        raise Invalid.field(sorted(unknown)[0], "cannot be changed here")
    after = _details_checked(act, before | details)
    if after == before:
        raise Invalid("Nothing was changed.")
    if before["screening"] == "not_done" != after["screening"]:
        raise Invalid.field("screening", "is recorded with the time it was done, as a delivery")
    strike(act, reception, row, reason)
    add(act, reception, ReceptionDetail, after)
    if after["screening"] == "not_done":
        for done in facts.rows_of(act.session, Delivery, reception.id):
            if done.item == SCREENING:
                strike(act, reception, done, reason)
    touch(act, reception, "corrected the reception")
    act.note(
        "custody.reception_corrected", patient_id=reception.patient_id, reception=reception.id,
        fields=sorted(name for name in _DETAILS if after[name] != before[name]),
    )  # fmt: skip
    _planned(act, reception, f"Reception corrected: {reason.strip()}")


_DETAILS = (
    "received_at", "screening", "heightened_risk", "ppo", "group_suitability",
    "needs_post_28_programme",
)  # fmt: skip


@command
def undo_reception(act: Act, reception_id: int, *, version: int, reason: str) -> None:
    """The reception was recorded in error: nothing of it is due any more. It stays as history.

    The person leaves this caseload again if it was this reception that put them on it.
    """
    reception = opened(act, reception_id, "custody.receive", version)
    reception.undone_at, reception.undone_by = act.at, act.staff_id
    reception.undone_reason = said_why(reason)
    timetables.supersede_items(act, reception)
    touch(act, reception, "undid the reception")
    act.session.flush()
    act.note("custody.reception_undone", patient_id=reception.patient_id, reception=reception.id)
    follow_patient(act, reception.patient_id)
    brought = act.session.scalar(
        select(Registration.id).where(
            Registration.patient_id == reception.patient_id,
            Registration.site_id == act.site_id,
            Registration.ended_at.is_(None),
            Registration.started_at == reception.recorded_at,
        )
    )
    if brought is not None:
        leave_caseload(act, reception.patient_id, f"Reception undone: {reason.strip()}")


# -- what lies ahead, and the way out --------------------------------------------------------


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

    For a prison that is not, give its name and nation.
    """
    fact = _record(
        act, reception_id, Transfer,
        {"on": on, "booked_on": booked_on, "receiving_site_id": receiving_site_id,
         "receiving_prison": receiving_prison, "nation": nation,
         "prescriber_cover": prescriber_cover},
    )  # fmt: skip
    if receiving_site_id is not None:
        reception = act.session.get_one(Reception, reception_id)
        take_onto_caseload(
            act, facts.kept_record(act.session, reception.patient_id).id, receiving_site_id
        )
    return fact


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
    _follow_exit(act, act.session.get_one(Reception, reception_id))
    return fact


_KINDS: dict[str, type[Fact]] = {
    "hearing": Hearing,
    "release": KnownRelease,
    "transfer": Transfer,
    "unavailable": Unavailable,
    "exit": Exit,
    "location": Location,
    "delivery": Delivery,
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
}
_RIGHTS: dict[type[Fact], str] = {Delivery: "custody.deliver"}


def _record(act: Act, reception_id: int, kind: type[Fact], values: dict[str, Any]) -> int:
    reception = opened(act, reception_id, _RIGHTS.get(kind, "release.plan"))
    if kind in _AT_MOST_ONE and facts.row_of(act.session, kind, reception.id) is not None:
        raise Conflict(f"There is already {_AT_MOST_ONE[kind]}: correct that one.")
    row = add(act, reception, kind, _checked(act, reception, kind, values))
    touch(act, reception, f"recorded a {_SAID[kind]}")
    act.note(
        f"custody.{kind.__name__.lower()}_recorded", patient_id=reception.patient_id,
        reception=reception.id, fact=row.id,
    )  # fmt: skip
    _ask_for_review(act, reception, row)
    _follow(act, reception, kind, f"{_SAID[kind].capitalize()} recorded")
    return row.id


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
    if kind is Delivery:
        timetables.refresh_items(act, reception)
    elif kind is not Location:
        _planned(act, reception, because)


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
    fresh = add(act, reception, model, _checked(act, reception, model, values | changes))
    touch(act, reception, f"corrected the {_SAID[model]}")
    act.note(
        f"custody.{model.__name__.lower()}_corrected", patient_id=reception.patient_id,
        reception=reception.id, fact=fresh.id, was=row.id,
    )  # fmt: skip
    if isinstance(row, Exit):
        _follow_exit(act, reception, undone=row)
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
    strike(act, reception, row, reason)
    touch(act, reception, f"struck out a {_SAID[model]}")
    act.note(
        f"custody.{model.__name__.lower()}_struck_out", patient_id=reception.patient_id,
        reception=reception.id, fact=row.id,
    )  # fmt: skip
    if isinstance(row, Exit):
        _follow_exit(act, reception, undone=row)
    _follow(act, reception, model, f"{_SAID[model].capitalize()} struck out: {reason.strip()}")


def _columns(model: type[Fact]) -> list[str]:
    """The facts' own columns, without those every fact has."""
    table: Any = model
    common = set(Fact.__annotations__) | {"id", "recorded_at", "recorded_by"}
    return [name for name in table.__table__.columns.keys() if name not in common]  # noqa: SIM118


def _checked(
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


def _follow_exit(act: Act, reception: Reception, undone: Exit | None = None) -> None:
    """The stay and the record say what the exit that stands says."""
    act.session.flush()
    left = facts.row_of(act.session, Exit, reception.id)
    reception.left_at = left.at if left else None
    if left is not None:
        release_after(act, reception, left.at)
    patient = facts.kept_record(act.session, reception.patient_id)
    died_on = london_day(left.at) if left and left.how == "died" else None
    recorded = bool(undone and undone.how == "died")
    if died_on != patient.died_on and (died_on or recorded):
        correct_patient(
            act, patient.id, version=patient.version, reason="Exit from custody", died_on=died_on
        )


# -- the settings of a prison ----------------------------------------------------------------


@command
def set_day_count(act: Act, day_count: str, *, from_on: date, reason: str) -> None:
    """Say how this prison numbers the days, for receptions from a day on (TT-01).

    Stays that have begun keep the numbering they began with.
    """
    act.need("sites.manage")
    site = prison_of(act)
    one_of("day_count", day_count, DAY_COUNTS)
    if from_on < act.today:
        raise Invalid.field("from_on", "must be today or later: days that have passed are history")
    for row in act.session.scalars(select(DayCountChoice).where(DayCountChoice.site_id == site.id)):
        if row.to_on is None or row.to_on >= from_on:
            row.to_on = from_on - timedelta(days=1)
    act.session.add(
        DayCountChoice(
            site_id=site.id, day_count=day_count, reason=said_why(reason), from_on=from_on,
            to_on=None, recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.note("custody.day_count_set", site_id=site.id)


# -- timetables ----------------------------------------------------------------------------


@command
def replan(act: Act, reception_id: int) -> bool:
    """Work the 28 days out again with today's calendars. Was there anything to change?

    Needed after bank holidays or closure days changed; facts of the stay replan by themselves.
    """
    return _replanned(act, opened(act, reception_id, "custody.read"))


@command
def replan_in_sweep(act: Act, reception_id: int) -> bool:
    """The same, done by the service itself: it shows nobody's record to anybody."""
    return _replanned(act, held(act, reception_id))


def _replanned(act: Act, reception: Reception) -> bool:
    if not timetables.calendar_moved_dates(act, reception):
        reception.calendar_seen = reception.calendar_seen and holiday_lists().version
        return False
    touch(act, reception, "saw the dates moved by the calendar")
    act.note("custody.replanned", patient_id=reception.patient_id, reception=reception.id)
    timetables.save(act, reception, "The calendar changed")
    return True
