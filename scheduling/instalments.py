"""When does somebody collect medicine, how much each time, and which dates is it for?

Doses by date, the weekdays somebody collects on and the days the pharmacy is open come in; the
instalments go out. A collection that falls on a closed day is moved to the nearest open day before
it, never after, so that no date is left without its dose. Amounts are exact Decimals, and the
instalments always add up to the total. Nothing here says how much anybody should take.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from dosing.days import ONE_DAY

_HERE: Final = Path(__file__).parent
_THOUSANDTH: Final = Decimal("0.001")


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((_HERE / name).read_text("utf-8"))


# -- data ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """What a form writes of a product. `unit`: "millilitres" or "tablets"."""

    item: str
    schedule: str
    name: str
    form: str
    route: str
    unit: str


@dataclass(frozen=True, slots=True)
class Wording:
    """One approved wording, printed as it stands."""

    id: str
    version: str
    in_force_from: date
    text: str
    source: str
    confidence: str
    confirm: str


_TABLE: Final = _read("instalments.toml")
_LIMITS: Final[Mapping[str, int]] = {row["id"]: row["value"] for row in _TABLE["limit"]}
WARN_BEFORE: Final = timedelta(days=_LIMITS["warn_before"])
LOOK_BACK: Final = timedelta(days=_LIMITS["look_back"])
AHEAD: Final = timedelta(days=_LIMITS["ahead"])
WRITTEN: Final = {name: Written(**row) for name, row in _TABLE["products"]["written"].items()}
WORDINGS: Final = {
    row["id"]: Wording(**{name: row[name] for name in Wording.__slots__})
    for row in _read("wordings.toml")["wording"]
}


# -- doses ---------------------------------------------------------------------------------


class CannotWrite(ValueError):
    """There is no lawful or exact way to write these doses; the message says why."""


@dataclass(frozen=True, slots=True)
class DayDose:
    """Everything taken on one date: mg, and the same in millilitres or tablets."""

    mg: Decimal
    amount: Decimal


def millilitres(mg: Decimal, mg_per_ml: Decimal) -> Decimal:
    """The volume of a dose. CannotWrite when it does not come out in thousandths of a millilitre."""
    volume = (mg / mg_per_ml).quantize(_THOUSANDTH)
    if volume * mg_per_ml != mg:
        raise CannotWrite(f"{mg} mg at {mg_per_ml} mg/ml is no exact number of millilitres.")
    return volume


# -- instalments ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pattern:
    """The weekdays (0 is Monday) somebody collects on, and on which of those under supervision."""

    collects: frozenset[int]
    supervised: frozenset[int]


@dataclass(frozen=True, slots=True)
class Instalment:
    """What is handed out on one date, for which dates. `supervised`: the first is taken there."""

    due_on: date
    dates: tuple[date, ...]
    supervised: bool
    mg: Decimal
    amount: Decimal

    @property
    def taken_home(self) -> tuple[date, ...]:
        return self.dates[1:] if self.supervised else self.dates

    def collection(self) -> dict[str, Any]:
        """As the dose-check contract writes a collection.

        What is handed out before its first date, because that one is closed, is told from that
        first date on: the contract's dates of doses at home then stay exact.
        """
        return {
            "collect_on": self.dates[0].isoformat(),
            "supervised": self.supervised,
            "take_home_days": len(self.taken_home),
        }


@dataclass(frozen=True, slots=True)
class Moved:
    """A collection that would have fallen on a closed day, and the open day it was moved to."""

    from_on: date
    to_on: date


@dataclass(frozen=True, slots=True)
class Plan:
    """The instalments of one form, in order, and what they add up to."""

    instalments: tuple[Instalment, ...]
    moved: tuple[Moved, ...]
    closed: tuple[date, ...]
    total_mg: Decimal
    total: Decimal


def plan(
    doses: Mapping[date, DayDose],
    pattern: Pattern,
    is_open: Callable[[date], bool],
    earliest: date,
) -> Plan:
    """The instalments for these dates (one run of days, none left out).

    The first date is always collected, whatever its weekday; each other date comes with the last
    collection before it. Nothing is handed out before `earliest`. CannotWrite when the dates have
    a hole, or a collection has no open day to be moved to.
    """
    dates = sorted(doses)
    if not dates:
        raise CannotWrite("There is no dose to write.")
    for before, after in zip(dates, dates[1:], strict=False):
        if after != before + ONE_DAY:
            raise CannotWrite(f"No dose is decided on for {before + ONE_DAY:%d %b %Y}.")
    groups: dict[date, list[date]] = {}
    moved = []
    for nominal, covered in _by_collection(dates, pattern):
        due_on = _open_by(nominal, is_open, earliest)
        if due_on != nominal:
            moved.append(Moved(nominal, due_on))
        groups.setdefault(due_on, []).extend(covered)
    made = tuple(
        Instalment(
            due_on=due_on,
            dates=tuple(covered),
            supervised=covered[0] == due_on and due_on.weekday() in pattern.supervised,
            mg=sum((doses[day].mg for day in covered), Decimal(0)),
            amount=sum((doses[day].amount for day in covered), Decimal(0)),
        )
        for due_on, covered in groups.items()
    )
    first = min(dates[0], made[0].due_on)
    span = (first + timedelta(days=n) for n in range((dates[-1] - first).days + 1))
    return Plan(
        instalments=made,
        moved=tuple(moved),
        closed=tuple(day for day in span if not is_open(day)),
        total_mg=sum((dose.mg for dose in doses.values()), Decimal(0)),
        total=sum((dose.amount for dose in doses.values()), Decimal(0)),
    )


def _by_collection(dates: list[date], pattern: Pattern) -> Iterable[tuple[date, list[date]]]:
    """Each day something would be collected if nothing were closed, with the dates it is for."""
    collected: list[tuple[date, list[date]]] = []
    for day in dates:
        if not collected or day.weekday() in pattern.collects:
            collected.append((day, []))
        collected[-1][1].append(day)
    return collected


def _open_by(day: date, is_open: Callable[[date], bool], earliest: date) -> date:
    """The day itself if it is open, else the nearest open one before it."""
    looked = day
    while looked >= earliest:
        if is_open(looked):
            return looked
        looked -= ONE_DAY
    raise CannotWrite(
        f"The pharmacy is closed on {day:%d %b %Y}, and on every day before it from "
        f"{earliest:%d %b %Y} on."
    )


# -- wordings ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Need:
    """A wording this plan asks for, and why. `must`: the form is not written without it."""

    wording: str
    why: str
    must: bool


def wordings_for(made: Plan) -> list[Need]:
    """Which approved wordings does a form of these instalments ask for?"""
    several = any(len(each.dates) > 1 for each in made.instalments)
    needs = []
    if made.moved:
        days = ", ".join(
            f"{each.from_on:%a} {each.from_on.day} {each.from_on:%b}" for each in made.moved
        )
        needs.append(Need("closed_day", f"A collection falls on a closed day: {days}", True))
    if several:
        needs.append(Need("missed_collection", "An instalment is for more than one day", False))
    needs.append(Need("three_day", "Tolerance falls within days of missed doses", False))
    if any(each.supervised for each in made.instalments):
        needs.append(Need("supervise", "Doses are to be taken under supervision", True))
    if any(len(each.taken_home) > 1 for each in made.instalments):
        needs.append(Need("daily_packs", "Several days are taken home at once", False))
    return needs


def lacking(needs: Iterable[Need], chosen: Collection[str]) -> list[Need]:
    """The wordings a form cannot do without and does not carry."""
    return [need for need in needs if need.must and need.wording not in chosen]
