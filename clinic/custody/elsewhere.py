"""Somebody came from a prison outside this system: since when are they in custody, and what was
done for them there?

The count of days goes on from the day they were first received (A10), which is a detail of the
reception; what was done there is a `ReportedElsewhere`. While nobody can say since when, the days are
counted from the arrival here, the latest they can have begun: observations, the keyworker's deadline
and the marker of the first days then end too late rather than too early, nothing counts as done, and
the stay is listed until somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from clinic import ui
from clinic.act import Act
from clinic.custody import facts, words
from clinic.custody.models import (
    DELIVERY_OUTCOMES,
    MODES,
    PARTIES,
    TOPIC_NAMES,
    WHO_SAID,
    Reception,
    ReceptionDetail,
    ReportedElsewhere,
)
from clinic.custody.stays import has_happened
from clinic.custody.wings import in_custody_here
from clinic.errors import Invalid, one_of, written
from clinic.patients.models import Patient
from clinic.sites.models import NATIONS
from dosing.days import london_day
from scheduling.custody_rules import BY_KEY, DELIVERABLE, GROUP_SESSION

CAME = (
    "came_from", "came_from_nation", "told_on", "first_received_on", "first_received_at",
    "count_said_by", "keyworker_there",
)  # fmt: skip
LONGEST_NAME, LONGEST_NOTE = 100, 2000
LONGEST_CUSTODY = timedelta(days=365 * 60)
"""More than anybody has been in custody: a year typed wrongly stops here."""
REPORTABLE = tuple(
    item
    for item in DELIVERABLE
    if item == GROUP_SESSION or BY_KEY[item].rule not in words.ON_THE_MOVE
)
ASK = (
    "the day they were first received into custody",
    "which sessions they had, and when",
    "whether the care plan was agreed and the day-5 review held",
    "who was their keyworker",
    "the last dose, when it was taken and who prescribes",
)
"""What to ask the prison they came from, as long as the count cannot be told."""


def came_checked(act: Act, details: dict[str, Any], patient: Patient) -> dict[str, Any]:
    """The details with where they came from and since when, as they can stand. Invalid names the field."""
    details = dict.fromkeys(CAME) | details
    details["came_from"] = written("came_from", details["came_from"], LONGEST_NAME)
    details["keyworker_there"] = written(
        "keyworker_there", details["keyworker_there"], LONGEST_NAME
    )
    if details["came_from"] is None:
        for name in CAME:
            if details[name] is not None:
                raise Invalid.field("came_from", "is required: which prison did they come from?")
        return details
    one_of("came_from_nation", details["came_from_nation"], NATIONS)
    arrived_on = london_day(details["received_at"])
    details["told_on"] = details["told_on"] or arrived_on
    if details["told_on"] > arrived_on:
        raise Invalid.field("told_on", "must not be after they came")
    _count_checked(act, details, arrived_on, patient)
    return details


def _count_checked(act: Act, details: dict[str, Any], arrived_on: date, patient: Patient) -> None:
    at, on = details["first_received_at"], details["first_received_on"]
    if at is not None:
        has_happened(act, "first_received_at", at)
        if at > details["received_at"]:
            raise Invalid.field("first_received_at", "must not be after they came here")
        if on is not None and on != london_day(at):
            raise Invalid.field("first_received_at", "must be on the day they were first received")
        details["first_received_on"] = on = london_day(at)
    if on is None:
        if details["count_said_by"] is not None:
            raise Invalid.field("first_received_on", "is required beside who says so")
        return
    if on > act.today:
        raise Invalid.field("first_received_on", "must not be in the future")
    if on > arrived_on:
        raise Invalid.field(
            "first_received_on", f"must not be after they came here on {ui.day(arrived_on)}"
        )
    if on < max(patient.born_on, arrived_on - LONGEST_CUSTODY):
        raise Invalid.field("first_received_on", "is too long ago: check the year")
    one_of("count_said_by", details["count_said_by"], WHO_SAID)


def fits_reports(act: Act, reception: Reception, details: dict[str, Any]) -> None:
    """Invalid where a corrected beginning leaves something reported before it, or from nowhere."""
    rows = facts.rows_of(act.session, ReportedElsewhere, reception.id)
    if rows and details["came_from"] is None:
        raise Invalid.field("came_from", "is needed while something is reported from there")
    first = details["first_received_on"]
    days = [row.on for row in rows if row.on is not None]
    if first is not None and days and min(days) < first:
        raise Invalid.field(
            "first_received_on",
            f"must not be after {ui.day(min(days))}, when something is reported to have been done",
        )
    if days and max(days) > london_day(details["received_at"]):
        raise Invalid.field("received_at", "must not be before something reported from elsewhere")


def reported_checked(act: Act, reception: Reception, given: dict[str, Any]) -> dict[str, Any]:
    """What is reported from the prison they came from, as it can stand. Invalid names the field."""
    detail = facts.detail_of(act.session, reception)
    if detail.came_from is None:
        raise Invalid("Say first which prison they came from.")
    values = dict(given)
    one_of("item", values["item"], REPORTABLE)
    one_of("outcome", values["outcome"], DELIVERY_OUTCOMES)
    one_of("said_by", values["said_by"], WHO_SAID)
    on = values["on"]
    if on is not None and on > london_day(detail.received_at):
        raise Invalid.field(
            "on", f"must not be after they came here on {ui.day(detail.received_at)}"
        )
    if on is not None and detail.first_received_on is not None and on < detail.first_received_on:
        raise Invalid.field(
            "on",
            f"must not be before they were first received on {ui.day(detail.first_received_on)}",
        )
    values["by"] = _parties(values["by"])
    for name, allowed in (("topic", TOPIC_NAMES), ("mode", MODES)):
        if values["item"] == GROUP_SESSION:
            one_of(name, values[name], allowed)
        elif values[name] is not None:
            raise Invalid.field(name, "belongs to a group session only")
    values["note"] = written("note", values["note"], LONGEST_NOTE)
    return values


def _parties(given: Iterable[str] | None) -> list[str]:
    """Who took part, as far as it is reported; nobody when that is not said."""
    if set(given or ()) - set(PARTIES):
        raise Invalid.field("by", f"must be of: {', '.join(PARTIES)}")
    return [party for party in PARTIES if party in (given or ())]


@dataclass(frozen=True)
class Uncounted:
    """Somebody here of whom nobody can say which day of custody it is."""

    reception_id: int
    patient_id: int
    person: str
    came_from: str
    came_on: date
    ppo: bool | None
    heightened_risk: bool | None


def uncounted(act: Act, *, limit: int = 200) -> Sequence[Uncounted]:
    """Who came from a prison outside and has no day first received yet; the longest here first."""
    act.need("custody.read")
    rows = act.session.execute(
        select(Reception.id, Patient, ReceptionDetail)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(ReceptionDetail, facts.detail_stands())
        .where(
            ReceptionDetail.came_from.is_not(None), ReceptionDetail.first_received_on.is_(None),
            ReceptionDetail.screening != "negative",
            Reception.undone_at.is_(None), in_custody_here(act),
        )
        .order_by(ReceptionDetail.received_at, Reception.id)
        .limit(limit)
    ).all()  # fmt: skip
    found = [
        Uncounted(
            reception_id, patient.id, patient.listed_name, detail.came_from or "",
            london_day(detail.received_at), detail.ppo, detail.heightened_risk,
        )
        for reception_id, patient, detail in rows
    ]  # fmt: skip
    act.note_shown("custody.uncounted_shown", [each.patient_id for each in found])
    return found
