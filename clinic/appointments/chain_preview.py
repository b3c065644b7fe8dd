"""What would become of the other days of an induction? Shown before one of them is changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from clinic.appointments.models import Visit
from scheduling.chains import Review


@dataclass(frozen=True)
class Row:
    """One day of the chain, before and after the change. `was`: of a day booked anew, what was
    missed or cancelled.
    """

    number: int
    visit_id: int | None
    version: int | None
    was: tuple[datetime, datetime] | None
    becomes: tuple[datetime, datetime] | None
    what: str
    doctor_id: int | None = None
    nurse_id: int | None = None


STAYS, MOVES, BOOKED, CANCELLED, ARRIVED, MISSED = (
    "stays", "moves", "booked", "cancelled", "arrived", "missed",
)  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """What the rest of a chain becomes. `version` says which picture it is."""

    chain_id: int | None
    rows: tuple[Row, ...]
    to_arrange: tuple[date, ...] = ()
    no_longer: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    warning: str | None = None
    doses: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        told = json.dumps(self.as_json(), sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:32]

    @property
    def changes(self) -> bool:
        """Does anything but the day that was asked about change, or wait to be arranged?"""
        touched = [each for each in self.rows if each.what not in (STAYS, ARRIVED)]
        return len(touched) > 1 or bool(self.to_arrange)

    def as_json(self) -> dict[str, Any]:
        """As the API gives it, its version aside."""
        return {
            "chain_id": self.chain_id,
            "days": [_row_as_json(each) for each in self.rows],
            "to_arrange": [each.isoformat() for each in self.to_arrange],
            "no_longer_needed": list(self.no_longer), "passed_over": list(self.passed_over),
            "broken": list(self.broken), "warning": self.warning, "doses": list(self.doses),
        }  # fmt: skip


def _row_as_json(row: Row) -> dict[str, Any]:
    def span(times: tuple[datetime, datetime] | None) -> dict[str, str] | None:
        return times and {"starts_at": times[0].isoformat(), "ends_at": times[1].isoformat()}

    return {
        "number": row.number, "visit_id": row.visit_id, "version": row.version,
        "was": span(row.was), "becomes": span(row.becomes), "what": row.what,
        "doctor_id": row.doctor_id, "nurse_id": row.nurse_id,
    }  # fmt: skip


def stays(number: int, visit: Visit) -> Row:
    span = visit.starts_at, visit.ends_at
    return Row(
        number, visit.id, visit.version, span, span, ARRIVED if visit.status == ARRIVED else STAYS,
        visit.doctor_id, visit.nurse_id,
    )  # fmt: skip


def changed(
    number: int, visit: Visit | None, wanted: Review | None, lost: Visit | None = None
) -> Row:
    """A day that is planned. `lost`: its visit that was missed or cancelled, where none stands."""
    before = visit or lost
    was = None if before is None else (before.starts_at, before.ends_at)
    if wanted is None:
        return Row(number, visit and visit.id, visit and visit.version, was, None, CANCELLED)
    what = BOOKED if visit is None else STAYS if wanted == as_review(visit) else MOVES
    return Row(
        number, visit and visit.id, visit and visit.version, was,
        (wanted.starts_at, wanted.ends_at), what, wanted.doctor_id, wanted.nurse_id,
    )  # fmt: skip


def as_review(visit: Visit) -> Review:
    """Where day 2 or 3 is booked now."""
    return Review(visit.starts_at, visit.ends_at, visit.nurse_id or 0, visit.doctor_id)
