"""Record what was found or asked, strike out what was wrong, name who sees to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from clinic.act import Act, command
from clinic.assessments import arrival, dues
from clinic.assessments.checks import check_entry, standing_entry
from clinic.assessments.kinds import KINDS, WORKERS, right_to_record
from clinic.assessments.models import ClinicalEntry
from clinic.errors import Conflict, Invalid, one_of
from clinic.patients.access import open_record
from clinic.patients.commands import allocate
from clinic.patients.models import Patient
from clinic.sites.models import Site
from clinic.turns import past, strike, take_turn, why
from dosing.shape import FIRST_YEAR, Refused

Data = dict[str, Any]
Follower = Callable[[Act, int], None]
_FOLLOWERS: list[Follower] = []


def follows_arrivals(follower: Follower) -> Follower:
    """A room that hears, in the same transaction, what was asked, claimed or confirmed of an arrival."""
    _FOLLOWERS.append(follower)
    return follower


def _settle(act: Act, patient: Patient, at: datetime, *kinds: str) -> None:
    """What waits is worked out anew, and whoever follows arrivals hears."""
    dues.refresh(act, patient, at)
    if not set(kinds).isdisjoint(arrival.OF_ARRIVAL):
        for follow in _FOLLOWERS:
            follow(replace(act, at=at), patient.id)


NAMED = {"keyworker": "Keyworker", "case_manager": "Case manager"}


@command
def record_entry(
    act: Act,
    patient_id: int,
    kind: str,
    data: Data,
    *,
    happened_at: datetime,
    note: str | None = None,
    replaces_id: int | None = None,
    reason: str | None = None,
) -> int:
    """Record one thing found or asked. Returns its id.

    `data` is in the words of the dose-check contract (kinds.py). With `replaces_id` and `reason`
    it stands in place of an earlier entry of its kind, which is struck out.
    """
    _kind_known(kind)
    patient = open_record(act, patient_id, "prescribing.entry", right=right_to_record(kind, data))
    entry_id, at = _record(act, patient, kind, data, happened_at, note, replaces_id, reason)
    _settle(act, patient, at, kind)
    return entry_id


@command
def record_entries(act: Act, patient_id: int, entries: Sequence[Data]) -> list[int]:
    """Record what was found at one sitting, in this order: all of it, or none. Returns the ids.

    Each of `entries` has the arguments of `record_entry`. A refusal names its entry, counted from
    0: `entries.2.data`.
    """
    patient: Patient | None = None
    made: list[int] = []
    at = act.at
    for number, entry in enumerate(entries):
        with _naming(f"entries.{number}."):
            _kind_known(entry["kind"])
            right = right_to_record(entry["kind"], entry["data"])
            if patient is None:
                patient = open_record(act, patient_id, "prescribing.entry", right=right)
            act.need(right)
            entry_id, at = _record(act, patient, **entry)
            made.append(entry_id)
    if patient is None:
        raise Invalid.field("entries", "must name at least one entry")
    _settle(act, patient, at, *(entry["kind"] for entry in entries))
    return made


@contextmanager
def _naming(prefix: str) -> Iterator[None]:
    """Say of a refused field where in the list it stands."""
    try:
        yield
    except Invalid as refused:
        faults = [(f"{prefix}{field}", says) for field, says in refused.faults]
        raise Invalid(f"{prefix}{refused.detail}", faults=faults) from refused


def _kind_known(kind: str) -> None:
    if kind not in KINDS:
        raise Invalid.field("kind", f"must be one of: {', '.join(KINDS)}")


def _record(
    act: Act,
    patient: Patient,
    kind: str,
    data: Data,
    happened_at: datetime,
    note: str | None = None,
    replaces_id: int | None = None,
    reason: str | None = None,
) -> tuple[int, datetime]:
    """Check one entry and write it. Returns its id and the stamp it was written under."""
    past(act, "happened_at", happened_at)
    if happened_at.year < FIRST_YEAR:
        raise Invalid.field("happened_at", f"must be in {FIRST_YEAR} or later")
    given = {name: value for name, value in data.items() if value is not None}
    try:
        KINDS[kind].read(given, happened_at)
    except Refused as refused:
        raise Invalid.field(refused.field or "data", refused.message) from refused
    at = take_turn(act, patient.id)
    if replaces_id is not None:
        before = standing_entry(act, patient.id, replaces_id)
        if before.kind != kind:
            raise Invalid.field("replaces_id", "must be an entry of the same kind")
        act.need(right_to_record(kind, before.data))
        strike(act, before, at, why(reason))
    row = ClinicalEntry(
        patient_id=patient.id, site_id=act.site_id, kind=kind, happened_at=happened_at,
        data=check_entry(act, patient, kind, given, at), note=(note or "").strip() or None,
        replaces_id=replaces_id, recorded_at=at, recorded_by=act.staff_id, struck_at=None,
        struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("prescribing.entry_recorded", patient_id=patient.id, entry=row.id, kind=kind)
    return row.id, at


@command
def strike_entry(act: Act, patient_id: int, entry_id: int, reason: str) -> None:
    """Strike an entry out as wrong. It stays on the record and counts no longer."""
    patient = open_record(act, patient_id, "prescribing.entry", right=WORKERS)
    text = why(reason)
    at = take_turn(act, patient.id)
    row = standing_entry(act, patient.id, entry_id)
    act.need(right_to_record(row.kind, row.data))
    strike(act, row, at, text)
    _settle(act, patient, at, row.kind)
    act.note("prescribing.entry_struck", patient_id=patient.id, entry=entry_id)


@command
def name_worker(
    act: Act, patient_id: int, *, kind: str, staff_id: int, reason: str | None = None
) -> None:
    """Name the keyworker or case manager who sees to assessment and plan (RP-37).

    In a prison the keyworker is named with the reception, by whoever allocates there.
    """
    patient = open_record(act, patient_id, "assessments.naming", right=WORKERS)
    one_of("kind", kind, NAMED)
    if act.session.get_one(Site, act.site_id).kind == "prison":
        raise Conflict("In prison the keyworker is named with the reception.")
    if not allocate(act, patient.id, staff_id, kind, reason=reason):
        raise Invalid.field("staff_id", f"is already their {NAMED[kind].lower()}")
    act.note("assessments.worker_named", patient_id=patient.id, staff=staff_id, named_as=kind)
