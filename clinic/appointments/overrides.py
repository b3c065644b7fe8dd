"""A soft block is passed with the right, a coded reason and a note; each is kept and counted (BK-04)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select

from clinic.act import Act
from clinic.appointments.models import Visit
from clinic.appointments.override_models import BookingOverride
from clinic.errors import Invalid
from clinic.staff.models import Staff
from dosing.days import end_of, london_day, start_of
from scheduling.booking import REASONS
from scheduling.slots import Refusal

MONTHS = 12


@dataclass
class Override:
    """Why soft blocks are passed, and (`passed`) which were met."""

    reason: str
    note: str
    passed: list[str] = field(default_factory=list)

    def passes(self, act: Act, refusal: Refusal) -> bool:
        """May this block be passed? Then it is noted as passed. Forbidden without the right."""
        if refusal.soft is None:
            return False
        act.need("appointments.override")
        if self.reason not in REASONS:
            raise Invalid.field("override.reason", f"must be one of: {', '.join(REASONS)}")
        if not self.note.strip():
            raise Invalid.field("override.note", "must say why this person, and why now")
        self.passed.append(refusal.soft)
        return True


def record(act: Act, visit_id: int, override: Override | None, waited_days: int | None) -> None:
    """Keep each block passed for a visit just booked, in its transaction."""
    if override is None:
        return
    for block in override.passed:
        act.session.add(
            BookingOverride(
                visit_id=visit_id, block=block, reason=override.reason, note=override.note.strip(),
                waited_days=waited_days, recorded_at=act.at, recorded_by=act.staff_id,
            )
        )  # fmt: skip
        act.note(
            "appointments.overridden", visit=visit_id, block=block, reason=override.reason
        )  # fmt: skip
    act.session.flush()


def passed_for(act: Act, visit_ids: Iterable[int]) -> dict[int, set[str]]:
    """Which blocks were passed for each of these visits."""
    found: dict[int, set[str]] = {}
    for row in act.session.scalars(
        select(BookingOverride).where(BookingOverride.visit_id.in_(list(visit_ids)))
    ):
        found.setdefault(row.visit_id, set()).add(row.block)
    return found


@dataclass(frozen=True)
class Passed:
    """One block passed: for which visit, by whom. No patient is named."""

    visit_id: int
    starts_at: datetime
    kind: str
    status: str
    block: str
    reason: str
    note: str
    waited_days: int | None
    by: str
    at: datetime


@dataclass(frozen=True)
class Report:
    """Blocks passed at this site, the newest first, and how many by month and reason."""

    rows: tuple[Passed, ...]
    counts: tuple[tuple[date, str, int], ...]
    first: date
    last: date


def report(act: Act) -> Report:
    """The last twelve months and this one. For whoever sets the rota."""
    act.need("appointments.rota")
    last = act.today
    first = (last.replace(day=1) - timedelta(days=365)).replace(day=1)
    found = act.session.execute(
        select(BookingOverride, Visit, Staff.name)
        .join(Visit, Visit.id == BookingOverride.visit_id)
        .join(Staff, Staff.id == BookingOverride.recorded_by)
        .where(
            Visit.site_id == act.site_id, BookingOverride.recorded_at >= start_of(first),
            BookingOverride.recorded_at < end_of(last),
        )
        .order_by(BookingOverride.recorded_at.desc(), BookingOverride.id.desc())
    ).all()  # fmt: skip
    rows = tuple(
        Passed(
            visit.id, visit.starts_at, visit.kind, visit.status, row.block, row.reason, row.note,
            row.waited_days, by, row.recorded_at,
        )
        for row, visit, by in found
    )  # fmt: skip
    counts = Counter((london_day(each.at).replace(day=1), each.reason) for each in rows)
    act.note("appointments.overrides_listed", visits=sorted({each.visit_id for each in rows}))
    ordered = sorted(counts.items(), key=lambda each: (each[0][0], each[0][1]), reverse=True)
    return Report(
        rows, tuple((month, reason, count) for (month, reason), count in ordered), first, last
    )
