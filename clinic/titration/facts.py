"""Where does each person stand in their treatment? Stored rows -> the dosing rules' own facts.

Days of the episode, missed days and totals are derived where the dose check derives them
(dosing/facts.py); nothing is counted here in a second way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import DoseEvent
from clinic.prescriptions.facts import recorded_history
from clinic.sites.models import Site
from dosing.check import rulebook
from dosing.days import london_day
from dosing.facts import Facts, derive
from dosing.request import read_request
from dosing.rulebook import RuleVersion
from dosing.shape import Refused
from scheduling.reviews import in_build_up

Data = dict[str, Any]
HISTORY_KINDS = ("steady_dose", "confirmation")


@dataclass(frozen=True)
class Course:
    """One person's treatment with one drug at a moment, as the dosing rules see it.

    `day`: the day of the episode, its first dose being day 1; None when no dose counts yet.
    """

    product: str
    known: Facts

    @property
    def day(self) -> int | None:
        return None if self.known.first_dose else self.known.day

    @property
    def broken(self) -> bool:
        """Do missed doses wait for the prescriber?"""
        return self.known.missed_dose_order

    @property
    def in_build_up(self) -> bool:
        return in_build_up(self.day, self.broken)


def site_rule_set(act: Act, at: datetime) -> str | None:
    """The rule set of this site on that London day; None when nobody chose one."""
    return act.session.get_one(Site, act.site_id).rule_set_on(london_day(at))


def rules_in_force(rule_set: str, at: datetime) -> Mapping[str, RuleVersion]:
    """The rules this site works under on that London day."""
    return rulebook().in_force(rule_set, london_day(at))


def course_of(act: Act, records: list[int], at: datetime) -> Course | None:
    """This person's course of the drug they took last. None when no dose is recorded."""
    return courses_of(act, {records[0]: records}, at).get(records[0])


def courses_of(act: Act, people: Mapping[int, list[int]], at: datetime) -> dict[int, Course]:
    """The course of each person (their id -> all their records). Without a dose: left out."""
    owner = {record: person for person, records in people.items() for record in records}
    doses = _by_person(
        owner,
        act.session.scalars(
            select(DoseEvent)
            .where(DoseEvent.patient_id.in_(owner), DoseEvent.written_by(at))
            .order_by(DoseEvent.consumed_at, DoseEvent.id)
        ),
    )
    entries = _by_person(
        owner,
        act.session.scalars(
            select(ClinicalEntry)
            .where(
                ClinicalEntry.patient_id.in_(owner), ClinicalEntry.kind.in_(HISTORY_KINDS),
                ClinicalEntry.standing_at(at),
            )
            .order_by(ClinicalEntry.happened_at, ClinicalEntry.id)
        ),
    )  # fmt: skip
    rule_set = site_rule_set(act, at)
    if rule_set is None:
        return {}
    found = {
        person: _course(recorded_history(entries[person], doses[person], at), rule_set, at)
        for person in people
        if doses[person] or entries[person]
    }
    return {person: course for person, course in found.items() if course is not None}


def _by_person(owner: Mapping[int, int], rows: Iterable[Any]) -> defaultdict[int, list[Any]]:
    out: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        out[owner[row.patient_id]].append(row)
    return out


def _course(history: Data, rule_set: str, at: datetime) -> Course | None:
    """None as well where the rows contradict each other: then nothing is taken for granted."""
    history["doses"] = [
        each for each in history["doses"] if datetime.fromisoformat(each["consumed_at"]) <= at
    ]
    taken = [(each["consumed_at"], each["product"]) for each in history["doses"]]
    taken += [(each["to_on"], each["product"]) for each in history["steady_doses"]]
    if not taken:
        return None
    order: Data = {"phase": "maintenance", "product": max(taken)[1], "dose_mg": "1"}
    asked: Data = {
        "case": "", "rule_set": rule_set, "setting": "hospital", "decided_at": at.isoformat(),
        "patient": _NOBODY, "prescriber": {"experienced": False}, "opioid_use": [],
        "treatment_history": history, "order": order,
        "supply": {"administered_by": "health_professional"},
    }  # fmt: skip
    try:
        read = read_request(asked)
    except Refused:
        return None
    return Course(order["product"], derive(read, rulebook().defined(read.rule_set, read.on)))


_NOBODY: Data = {
    "date_of_birth": "1900-01-01", "sex": "unknown", "conditions": [], "medicines": [],
    "substance_use": [],
}  # fmt: skip
