"""What was taken, what is planned, what nobody has said, and which days does a decision cover?"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, bindparam, select

from clinic.act import Act
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.consumption.supply_models import DispensedDose
from clinic.prescriptions.models import DoseDecision
from dosing.days import at_london, days_between, london_day
from dosing.medicines import PRODUCTS
from dosing.units import as_text

Data = dict[str, Any]


def _stands(row: DoseEvent, known_at: datetime) -> bool:
    return row.struck_at is None or row.struck_at > known_at


class Doses:
    """What was taken, what is planned, and what nobody has said, as known at one moment.

    A dose handed over to take home counts as taken on its date, unless something is recorded of it.
    """

    def __init__(
        self,
        doses: list[DoseEvent],
        decisions: list[DoseDecision],
        supplied: list[DispensedDose],
        known_at: datetime,
        decided_at: datetime,
    ) -> None:
        self._doses = doses
        self._decisions = decisions
        self._known_at = known_at
        self._decided_at = decided_at
        self._on = london_day(decided_at)
        said = {_dose_of(row) for row in doses if not row.elsewhere and self._said(row)}
        self._at_home = [
            row for row in supplied if row.dose_on <= self._on and _dose_of(row) not in said
        ]

    def _said(self, row: DoseEvent) -> bool:
        """Is it said what became of this dose, if only in doubt?"""
        return _stands(row, self._known_at) or self._in_doubt(row)

    def _in_doubt(self, row: DoseEvent) -> bool:
        """Struck out today's dose, and nobody else has agreed that it was not taken."""
        return (
            not _stands(row, self._known_at)
            and row.dose_on == self._on
            and row.outcome in SWALLOWED
            and (row.agreed_at is None or row.agreed_at > self._known_at)
        )

    def doubtful(self) -> bool:
        """Is a dose of the day struck out and not agreed on?"""
        return any(self._in_doubt(row) for row in self._doses)

    def _counting(self, *, unsure: bool = True) -> list[tuple[DoseEvent, Decimal]]:
        """Each dose swallowed, with its mg: of a dose and its doubtful correction the larger.

        `unsure`: with those in doubt.
        """
        best: dict[Any, tuple[DoseEvent, Decimal]] = {}
        for row in self._doses:
            if row.outcome not in SWALLOWED or row.dose_mg is None:
                continue
            if not (self._said(row) if unsure else _stands(row, self._known_at)):
                continue
            key = row.id if row.elsewhere else _dose_of(row)
            if key not in best or row.dose_mg > best[key][1]:
                best[key] = row, row.dose_mg
        return list(best.values())

    def planned(self) -> list[DoseDecision]:
        """Decisions in force whose days include the day of the order, not all of it recorded."""
        return [
            row
            for row in self._decisions
            if self._in_force(row) and self._on in days_of(row) and self._open(row)
        ]

    def _in_force(self, row: DoseDecision) -> bool:
        return row.withdrawn_at is None or row.withdrawn_at > self._known_at

    def _open(self, decision: DoseDecision) -> list[int]:
        """The doses of a decision, by increment, of which nothing is recorded for the day."""
        answered = {_dose_of(row) for row in self._doses if not row.elsewhere and self._said(row)}
        answered |= {_dose_of(row) for row in self._at_home}
        return [
            each
            for each in increments_of(decision)
            if (decision.drug, self._on, each) not in answered
        ]

    def elsewhere(self) -> list[DoseEvent]:
        """The doses said to have been taken elsewhere."""
        return [row for row, _ in self._counting() if row.elsewhere]

    def taken(self, but: Collection[Any] = (), *, unsure: bool = True) -> list[Data]:
        """Every dose for the request: recorded, and planned for the day. `but`: rows left out.

        `unsure`: with the day's doses nobody knows to have been taken.
        """
        out = [
            {
                "product": row.product,
                "dose_mg": as_text(dose),
                "consumed_at": row.consumed_at.isoformat(),
                "supervision": row.supervision,
                "recorded_by": "elsewhere" if row.elsewhere else "this_service",
            }
            for row, dose in self._counting(unsure=unsure)
            if row not in but
        ]
        out += [
            {
                "product": row.product,
                "dose_mg": as_text(row.dose_mg),
                "consumed_at": self._taken_at_home(row).isoformat(),
                "supervision": "take_home",
                "recorded_by": "this_service",
            }
            for row in self._at_home
        ]
        for decision in self.planned() if unsure else ():
            # One timed after this order counts as taken at its moment: it cannot be waited out.
            first_day = decision.dose_on == self._on
            at = min(decision.decided_at, self._decided_at) if first_day else self._decided_at
            out += [
                {
                    "product": decision.product,
                    "dose_mg": as_text(decision.dose_mg),
                    "consumed_at": at.isoformat(),
                    "recorded_by": "this_service",
                }
                for _ in self._open(decision)
            ]
        return out

    def _taken_at_home(self, row: DispensedDose) -> datetime:
        """At noon of its date; today at the moment of the order, for nobody knows better."""
        if row.dose_on == self._on:
            return self._decided_at
        return max(row.handed_at, at_london(row.dose_on, time(12)))

    def unanswered(
        self, steady: list[ClinicalEntry], decisions: list[DoseDecision]
    ) -> Iterable[tuple[DoseDecision, date]]:
        """Days before the order's for which a dose was decided on and its outcome is not known.

        Counted as taken it could hide missed days, as missed it could hide methadone still there.
        """
        standing = [row for row in self._doses if _stands(row, self._known_at)]
        known = {(row.drug, row.dose_on) for row in standing if row.elsewhere}
        said = {_dose_of(row) for row in (*standing, *self._at_home)}
        for row in steady:
            for day in days_between(
                date.fromisoformat(row.data["from_on"]), date.fromisoformat(row.data["to_on"])
            ):
                known.add((PRODUCTS[row.data["product"]].drug, day))
        for decision in decisions:
            for day in sorted(days_of(decision)):
                ended = not self._in_force(decision) and day >= london_day(_withdrawn(decision))
                whole = all((decision.drug, day, each) in said for each in increments_of(decision))
                if day < self._on and not (ended or whole or (decision.drug, day) in known):
                    known.add((decision.drug, day))
                    yield decision, day


def _dose_of(row: DoseEvent | DispensedDose) -> tuple[str, date, int]:
    """Which dose of which day of which medicine."""
    return row.drug, row.dose_on, row.increment


def _withdrawn(decision: DoseDecision) -> datetime:
    assert decision.withdrawn_at is not None
    return decision.withdrawn_at


def increments_of(decision: DoseDecision) -> range:
    """The numbers of this decision's doses among the day's doses of the drug."""
    return range(decision.first_increment, decision.first_increment + decision.doses_that_day)


def days_of(decision: DoseDecision) -> set[date]:
    """The London dates this decision has a dose for."""
    return supplied_days(decision.dose_on, decision.asked.get("supply"))


def supplied_days(dose_on: date, supply: Data | None) -> set[date]:
    """The date of the dose itself, and every date its supply has a dose for.

    Take-home doses follow a supervised collection; unsupervised, collection day is the first.
    """
    days = {dose_on}
    for each in (supply or {}).get("collections") or ():
        first = date.fromisoformat(each["collect_on"])
        last = date.fromisoformat(each.get("daily_until_on") or each["collect_on"])
        days.update(days_between(first, last))
        home = (each.get("take_home_days") or 0) - (0 if each["supervised"] else 1)
        for day in days_between(first, last):
            days.update(day + timedelta(days=number) for number in range(1, home + 1))
    return days


def days_at_home(decision: DoseDecision) -> set[date]:
    """The dates whose dose this decision lets be taken home, by its own supply."""
    home: set[date] = set()
    for each in (decision.asked.get("supply") or {}).get("collections") or ():
        days = supplied_days(date.fromisoformat(each["collect_on"]), {"collections": [each]})
        if each["supervised"]:
            last = date.fromisoformat(each.get("daily_until_on") or each["collect_on"])
            days = {day for day in days if day > last}
        home |= days
    return home


def later_decision(
    decisions: Iterable[DoseDecision], on: date, but: Collection[int] = ()
) -> DoseDecision | None:
    """The first in force that begins after this day: an order before it would go unseen by it."""
    later = [
        row
        for row in decisions
        if row.withdrawn_at is None and row.dose_on > on and row.id not in but
    ]
    return min(later, key=lambda row: row.dose_on, default=None)


def taken_home(
    act: Act, records: Collection[int], known_at: datetime | None = None
) -> list[DispensedDose]:
    """The doses handed over to be taken home, as they stood at a moment (now), by their dates."""
    if known_at is None:
        return list(act.session.scalars(_AT_HOME_NOW, {"records": list(records)}))
    return list(act.session.scalars(_AT_HOME, {"records": list(records), "known_at": known_at}))


# Asked whenever a dose is judged, so they are built once. What was read before the turn is read anew.
_RECORDS = bindparam("records", expanding=True)
_KNOWN_AT: BindParameter[datetime] = bindparam("known_at")
_HOME = (
    select(DispensedDose)
    .where(DispensedDose.patient_id.in_(_RECORDS), DispensedDose.how == "take_home")
    .order_by(DispensedDose.dose_on, DispensedDose.id)
    .execution_options(populate_existing=True)
)
_AT_HOME_NOW = _HOME.where(DispensedDose.struck_at.is_(None))
_AT_HOME = _HOME.where(DispensedDose.standing_at(_KNOWN_AT))
