"""What may the release check know about this plan? Rows -> the request of its contract.

Rows count as they were known at a moment, so the same function serves today's scoring and the
replay of an old one. What other rooms hold (the stay in custody, doses) is read from their tables
and kept nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from clinic.act import Act
from clinic.appointments.models import NO_VISIT
from clinic.calendars import holiday_lists
from clinic.custody.models import Exit, Hearing, KnownRelease, Transfer
from clinic.errors import NotFound
from clinic.release.arrivals import arrival_as_known
from clinic.release.consent_facts import with_recipient
from clinic.release.models import ReleaseFact, ReleasePlan
from clinic.release.places import (
    PlaceRows,
    calendar_as_known,
    destination_as_known,
    known_rows,
    pharmacy_as_known,
    premises_as_known,
)
from clinic.release.reading import Reading, stands
from clinic.release.sections import SECTIONS
from clinic.release.supplies import FormSupply, form_supplies
from clinic.release.whose import prison_as_known
from clinic.sites.models import Site
from dosing.days import london_day, start_of
from dosing.shape import Refused
from scheduling.release import check

Json = dict[str, Any]


def release_request(
    act: Act, plan_id: int, as_at: datetime, known_at: datetime, reading: Reading | None = None
) -> Json:
    """The request of `release check` for this plan at `as_at`, from what was known at `known_at`.

    Both instants are aware; rows recorded at `known_at` itself count, rows struck out then do not.
    `reading`: of this plan and others, when several are asked about. NotFound when there is no
    such plan.
    """
    plan = act.session.get(ReleasePlan, plan_id)
    if plan is None:
        raise NotFound("There is no such release plan.")
    reading = reading or Reading(act, [plan])
    places = reading.places
    rows = [row for row in reading.facts.get(plan_id, ()) if stands(row, known_at)]
    one = {row.section: row for row in rows}
    many = {key: [row for row in rows if row.section == key] for key in SECTIONS}
    stay = _Stay(reading, plan, as_at, known_at)
    prison = calendar_as_known(places, known_at, site=prison_as_known(reading, plan, known_at))
    destination = destination_as_known(places, known_at, one.get("destination"))
    release = _release(reading, plan, known_at, prison, destination, stay)
    says = {key: contract_says(row) for key, row in one.items()}
    if "appointment" in one:
        says["appointment"] = appointment_as_known(reading, one["appointment"], known_at)
    died = _died(reading, stay.patient_ids, as_at, known_at)
    left = died or _exit(one.get("exit"), stay)
    forms: list[FormSupply] = []
    if reading.with_forms.intersection(stay.patient_ids):
        leaves_on = _leaves_on(release, left, prison, destination, known_at)
        forms = _forms(act.session, stay.patient_ids, one, leaves_on, as_at, known_at)
    arrival, claimed = arrival_as_known(
        reading, stay.patient_ids, stay.received_at, as_at, known_at
    )

    request: Json = {
        "case": f"release-plan-{plan_id}",
        "as_at": as_at.isoformat(),
        **says.get("treatment", {}),
        "received_at": _iso(stay.received_at),
        "prison": prison,
        "destination": destination,
        "release": release,
        "exit": left,
        "courts": [
            {
                "starts_at": _iso(row.starts_at),
                "known_at": _iso(row.known_at),
                "outcome": row.outcome,
                "pack": _pack(many["court_pack"], row),
            }
            for row in stay.hearings
        ],
        "transfer": _transfer(places, known_at, stay.transfer, says.get("transfer_information")),
        "arrival": arrival or _arrival(says.get("arrival"), stay),
        "doses": [
            *claimed,
            *_doses(reading, stay.patient_ids, as_at, known_at),
            *(row.says for row in many["dose"]),
        ],
        **says.get("last_dose", {}),
        "bridging_supplies": [
            *(row.says for row in many["supply"]),
            *(each.says for each in forms if each.says is not None),
        ],
        "pharmacy": pharmacy_as_known(
            places, _pharmacy_id(one.get("pharmacy"), forms), destination, prison, as_at, known_at
        ),
        "clinic": _without(
            premises_as_known(places, _premises_id(one.get("clinic")), known_at), "name", "openings"
        ),
        "weekend_cover_acknowledged_at": _acknowledged(says.get("weekend"), release),
        **says.get("engagement", {}),
    }  # fmt: skip
    for key in (
        "community_prescription", "appointment", "prescriber", "notification", "consent",
        "dose_letter", "naloxone", "overdose_session",
    ):  # fmt: skip
        request[key] = says.get(key) or None
    request["consent"] = with_recipient(
        reading, request["consent"], stay.patient_ids, _site_id(one.get("destination")), known_at
    )
    return {name: value for name, value in request.items() if value is not None}


def forms_read(act: Act, plan: ReleasePlan, at: datetime) -> list[FormSupply]:
    """The prescription forms the request of this plan reads at a moment, and why one does not count."""
    reading = Reading(act, [plan])
    one = {row.section: row for row in reading.facts.get(plan.id, ()) if stands(row, at)}
    stay = _Stay(reading, plan, at, at)
    prison = calendar_as_known(reading.places, at, site=prison_as_known(reading, plan, at))
    destination = destination_as_known(reading.places, at, one.get("destination"))
    release = _release(reading, plan, at, prison, destination, stay)
    leaves_on = _leaves_on(release, _exit(one.get("exit"), stay), prison, destination, at)
    return _forms(act.session, stay.patient_ids, one, leaves_on, at, at)


def asked_on_arrival(act: Act, plan: ReleasePlan, at: datetime) -> bool:
    """Is there a reception, with which what was claimed on arrival is recorded and confirmed?

    Then that is the one source; a plan's own words of it count only where nobody was received here.
    """
    return _Stay(Reading(act, [plan]), plan, at, at).received_at is not None


def _forms(
    session: Session,
    patient_ids: Sequence[int],
    one: dict[str, ReleaseFact],
    leaves_on: date | None,
    as_at: datetime,
    known_at: datetime,
) -> list[FormSupply]:
    """Prescription forms from the day of leaving on; none while that day is not known."""
    if leaves_on is None:
        return []
    return form_supplies(
        session,
        patient_ids,
        release_on=leaves_on,
        pharmacy_id=one["pharmacy"].premises_id if "pharmacy" in one else None,
        medicine=one["treatment"].says.get("medicine") if "treatment" in one else None,
        as_at=as_at,
        known_at=known_at,
    )


def _pharmacy_id(row: ReleaseFact | None, forms: Sequence[FormSupply]) -> int | None:
    """The pharmacy the plan names; else the one its forms are made out to, if it is one."""
    forms_name = {each.premises_id for each in forms if each.says is not None}
    return _premises_id(row) or (forms_name.pop() if len(forms_name) == 1 else None)


def _site_id(row: ReleaseFact | None) -> int | None:
    return None if row is None else row.site_id


def _premises_id(row: ReleaseFact | None) -> int | None:
    return None if row is None else row.premises_id


def known_now(act: Act, plan: ReleasePlan) -> datetime:
    """The moment to ask at: now, and never before the plan's newest fact.

    Two clocks that differ, or two facts in one tick, must not hide the newer from the older.
    """
    return max(act.at, plan.changed_at)


def facts_known(session: Session, plan_id: int, known_at: datetime) -> list[ReleaseFact]:
    """The facts of a plan that stood at a moment, by section and place."""
    return list(
        session.scalars(
            select(ReleaseFact)
            .where(ReleaseFact.plan_id == plan_id, *known_rows(ReleaseFact, known_at))
            .order_by(ReleaseFact.section, ReleaseFact.place, ReleaseFact.id)
        )
    )


def _doses(
    reading: Reading, patient_ids: Sequence[int], as_at: datetime, known_at: datetime
) -> list[Json]:
    """The doses the prescribing record says were swallowed, as the contract's `doses[]`.

    A dose taken in part is a dose. One reported from another service counts as one outside prison.
    """
    rows = [
        row
        for each in patient_ids
        for row in reading.doses.get(each, ())
        if row.consumed_at <= as_at and stands(row, known_at)
    ]
    return [
        {
            "at": row.consumed_at.isoformat(),
            "where": "community" if row.elsewhere or row.kind != "prison" else "prison",
            "source": row.place or ("reported from elsewhere" if row.elsewhere else None),
        }
        for row in sorted(rows, key=lambda row: (row.consumed_at, row.id))
    ]


def _died(
    reading: Reading, patient_ids: Sequence[int], as_at: datetime, known_at: datetime
) -> Json | None:
    """A death the record knew of at a moment, as an exit: it ends every count and clears every flag."""
    known = [
        row
        for each in patient_ids
        for row in reading.deaths.get(each, ())
        if row.recorded_at <= known_at
    ]
    became = max(known, key=lambda row: (row.recorded_at, row.id)).became if known else None
    if became is None:
        return None
    return {"at": min(start_of(date.fromisoformat(became)), as_at).isoformat(), "how": "died"}


def contract_says(row: ReleaseFact) -> Json:
    """A fact's fields as the contract has them, without what is kept here alone."""
    own = {ask.name for ask in SECTIONS[row.section].asks if ask.own}
    return {name: value for name, value in row.says.items() if name not in own}


def appointment_as_known(reading: Reading, row: ReleaseFact, known_at: datetime) -> Json:
    """The first appointment; one booked in a service's diary is when the diary says, and missed or
    kept as it says. A visit given up there is no appointment: empty."""
    says = contract_says(row)
    if row.visit_id is None:
        return says
    steps = [step for step in reading.visits[row.visit_id] if step.recorded_at <= known_at]
    state = steps[-1].state if steps else None
    if state is None or state["status"] in NO_VISIT:
        return {}
    says["at"] = state["starts_at"]
    attended = {"arrived": True, "did_not_attend": False}.get(state["status"])
    return says if attended is None else {**says, "attended": attended}


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _without(given: Json | None, *names: str) -> Json | None:
    return given and {name: value for name, value in given.items() if name not in names}


# -- the stay in custody -------------------------------------------------------------------


class _Stay:
    """The newest stay in custody that is known of, and what is known of it."""

    def __init__(
        self, reading: Reading, plan: ReleasePlan, as_at: datetime, known_at: datetime
    ) -> None:
        self.patient_ids = reading.people[plan.patient_id]
        self.hearings: list[Hearing] = []
        self.transfer: Transfer | None = None
        self.exit: Exit | None = None
        self.releases: list[KnownRelease] = []
        self.received_at: datetime | None = None
        known = [
            row
            for each in self.patient_ids
            for row in reading.stays.get(each, ())
            if stands(row, known_at)
            and row.received_at <= as_at
            and (row.undone_at is None or row.undone_at > known_at)
        ]
        if not known:
            return
        newest = max(known, key=lambda row: (row.received_at, row.id))
        self.received_at = received_at = newest.received_at

        def standing(model: Any) -> list[Any]:
            return [row for row in reading.of_stay(model, newest.id) if stands(row, known_at)]

        self.hearings = [row for row in standing(Hearing) if row.starts_at > received_at]
        self.transfer = next(iter(standing(Transfer)), None)
        self.exit = next((row for row in standing(Exit) if row.at <= as_at), None)
        self.releases = [
            row for row in reading.of_stay(KnownRelease, newest.id) if row.recorded_at <= known_at
        ]


def _exit(row: ReleaseFact | None, stay: _Stay) -> Json | None:
    """How they left: as the plan or the stay says, whichever was recorded last.

    Released at a hearing counts as out from that hearing even before anybody records the exit.
    """
    own = None if row is None else (row.recorded_at, row.says)
    theirs = stay.exit and (
        stay.exit.recorded_at, {"at": stay.exit.at.isoformat(), "how": stay.exit.how}
    )  # fmt: skip
    known = [each for each in (own, theirs) if each]
    if known:
        return max(known, key=lambda each: each[0])[1]
    freed = [hearing for hearing in stay.hearings if hearing.outcome == "released"]
    if not freed:
        return None
    return {"at": max(hearing.starts_at for hearing in freed).isoformat(), "how": "court"}


def _pack(packs: Iterable[ReleaseFact], hearing: Hearing) -> Json | None:
    """The contingency pack made up for the day of a hearing."""
    on = london_day(hearing.starts_at).isoformat()
    says = next((row.says for row in packs if row.says.get("court_on") == on), None)
    return _without(says, "court_on")


def _transfer(
    places: PlaceRows, known_at: datetime, transfer: Transfer | None, says: Json | None
) -> Json | None:
    """The move the stay knows of, with the information prepared for that day."""
    if transfer is None:
        return None
    receiving = transfer.receiving_site_id and places.session.get(Site, transfer.receiving_site_id)
    on = transfer.on.isoformat()
    information = says if says is not None and says.get("transfer_on") == on else {}
    return {
        "on": on,
        "booked_on": transfer.booked_on.isoformat(),
        **calendar_as_known(places, known_at, site=receiving or None, nation=transfer.nation),
        "prescriber_cover": transfer.prescriber_cover,
        **(_without(information, "transfer_on") or {}),
    }


def _arrival(says: Json | None, stay: _Stay) -> Json | None:
    if says is None:
        return None
    confirmed = {name: says[name] for name in ("by", "at", "dose", "last_consumed") if name in says}
    return {
        "received_at": says.get("received_at") or _iso(stay.received_at),
        "claims_ost": says.get("claims_ost"),
        "confirmed": confirmed or None,
    }


# -- the release date ----------------------------------------------------------------------


def _release(
    reading: Reading,
    plan: ReleasePlan,
    known_at: datetime,
    prison: Json,
    destination: Json | None,
    stay: _Stay,
) -> Json | None:
    """The release dates, and what the expected date was before it last moved.

    The plan's own dates count; without any, the day the stay knows of, as not confirmed. The date
    moves when what counted from one moment to the next leads to another expected date, whatever
    the reason: what was made for the earlier one needs a new look even if that was a slip.
    """
    facts = reading.facts.get(plan.id, ())
    own = sorted(
        (row for row in facts if row.section == "release" and row.recorded_at <= known_at),
        key=lambda row: row.id,
    )

    def counted(at: datetime) -> Json | None:
        for row in reversed([row for row in own if stands(row, at)]):
            return contract_says(row)
        for row in reversed([row for row in stay.releases if stands(row, at)]):
            return {"calculated_on": row.on.isoformat(), "known_at": _iso(row.known_at)}
        return None

    release: Json = counted(known_at) or {}
    possible = [
        contract_says(row)
        for row in facts
        if row.section == "possible_earlier" and stands(row, known_at)
    ]
    if possible:
        release["possible_earlier"] = possible
    moments = {
        at
        for row in (*own, *stay.releases)
        for at in (row.recorded_at, row.struck_at)
        if at is not None and at <= known_at
    }
    if len(moments) > 1:
        before: str | None = None
        for at in sorted(moments):
            says = counted(at)
            expected = says and _expected_on(says, prison, destination, known_at)
            if before is not None and expected is not None and expected != before:
                release["previous_on"], release["changed_at"] = before, at.isoformat()
            before = expected or before
    return release or None


def _expected_on(
    says: Json, prison: Json, destination: Json | None, known_at: datetime
) -> str | None:
    """The day these dates lead to, asked of the rules themselves."""
    answer = check(
        {
            "case": "release date",
            "as_at": known_at.isoformat(),
            "prison": prison,
            "destination": destination,
            "release": _without(says, "known_at"),
        },
        holiday_lists(),
    )
    expected: str | None = answer["expected_release_on"]
    return expected


def _leaves_on(
    release: Json | None,
    left: Json | None,
    prison: Json,
    destination: Json | None,
    known_at: datetime,
) -> date | None:
    """The day they left, or are expected to; None while neither is known or can be read."""
    if left is not None:
        return london_day(datetime.fromisoformat(left["at"]))
    try:
        expected = release and _expected_on(release, prison, destination, known_at)
    except Refused:  # the check refuses the whole request for it, and says which field
        return None
    return date.fromisoformat(expected) if expected else None


def _acknowledged(says: Json | None, release: Json | None) -> str | None:
    """The look at the weekend's cover, unless the release date has moved since."""
    at: str | None = (says or {}).get("weekend_cover_acknowledged_at")
    changed_at = (release or {}).get("changed_at")
    if at and changed_at and datetime.fromisoformat(at) < datetime.fromisoformat(changed_at):
        return None
    return at
