"""Where does each person stand in their treatment? Stored rows -> the dosing rules' own facts.

Days of the episode, missed days and totals are derived where the dose check derives them
(dosing/facts.py); nothing is counted here in a second way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from clinic.act import Act
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.consumption.supply_models import DispensedDose
from clinic.guidance.facts import read_limits, site_limits_on
from clinic.patients.models import Patient
from clinic.prescriptions.doses import taken_home
from clinic.prescriptions.facts import recorded_history
from clinic.sites.models import Site
from dosing.check import rulebook, site_rulebook
from dosing.days import days_between, london_day
from dosing.facts import Facts, derive
from dosing.reading import read_request
from dosing.rulebook import RuleVersion
from dosing.shape import Refused
from scheduling.reviews import build_up_ends, in_build_up, steps_up

Data = dict[str, Any]
HISTORY_KINDS = ("steady_dose", "confirmation")
STEP_RULE = "M-TI-01"
"""The dosing rule that says how large a step up of methadone usually is."""
FAR_BACK = timedelta(days=90)
"""A steady dose of years is looked at no further back than this."""


@dataclass(frozen=True)
class Course:
    """One person's treatment with one drug at a moment, as the dosing rules see it.

    `day`: the day of the episode, its first dose being day 1; None when no dose counts yet.
    """

    product: str
    known: Facts
    new_episode_from: int

    @property
    def day(self) -> int | None:
        return None if self.known.first_dose else self.known.day

    @property
    def broken(self) -> bool:
        """Do missed doses wait for the prescriber?"""
        return self.known.missed_dose_order

    @property
    def lapsed(self) -> bool:
        """Have missed doses ended the episode, so that only a new start remains?"""
        return self.known.missed_days >= self.new_episode_from

    @property
    def in_build_up(self) -> bool:
        """Does only the day's own review count?"""
        return in_build_up(self.day, self.broken)

    @property
    def totals(self) -> dict[date, Decimal]:
        """What was taken on each dosing day of the episode, from some months back on."""
        since = self.known.on - FAR_BACK
        return {
            day: span.total_mg
            for span in self.known.spans
            for day in days_between(max(span.first_on, since), span.last_on)
        }

    @property
    def build_up_ends_on(self) -> date:
        """The last day on which contact every other day is owed."""
        return build_up_ends(self.known.episode_from, (step.on for step in steps_up(self.totals)))


def site_rule_set(act: Act, at: datetime) -> str | None:
    """The rule set of this site on that London day; None when nobody chose one."""
    return act.session.get_one(Site, act.site_id).rule_set_on(london_day(at))


def rules_in_force(act: Act, at: datetime) -> Mapping[str, RuleVersion]:
    """The dosing rules of this site on that London day, its own tighter limits in them.

    None when nobody chose a rule set.
    """
    rule_set, on = site_rule_set(act, at), london_day(at)
    if rule_set is None:
        return {}
    limits = read_limits(site_limits_on(act, act.site_id or 0, rule_set, on))
    return site_rulebook(rule_set, limits).in_force(rule_set, on)


def largest_step(in_force: Mapping[str, RuleVersion], drug: str) -> tuple[str, Decimal] | None:
    """The dosing rule that limits a step up of this drug here, and its limit in mg."""
    version = in_force.get(STEP_RULE) if drug == "methadone" else None
    return None if version is None else (STEP_RULE, version.number("above_mg"))


def course_of(act: Act, records: list[int], at: datetime) -> Course | None:
    """This person's course at a moment of the drug they took last. None when no dose is recorded."""
    return courses_of(act, {records[0]: records}, at).get(records[0])


def courses_of(act: Act, people: Mapping[int, list[int]], at: datetime) -> dict[int, Course]:
    """The course of each person (their id -> all their records), on what is recorded now.

    Somebody without a dose is left out.
    """
    owner = owners(people)
    doses = by_person(
        owner,
        act.session.scalars(
            select(DoseEvent)
            .where(DoseEvent.patient_id.in_(owner))
            .order_by(DoseEvent.consumed_at, DoseEvent.id)
        ),
    )
    entries = by_person(
        owner,
        act.session.scalars(
            select(ClinicalEntry)
            .where(
                ClinicalEntry.patient_id.in_(owner), ClinicalEntry.kind.in_(HISTORY_KINDS),
                ClinicalEntry.struck_at.is_(None), ClinicalEntry.happened_at <= at,
            )
            .order_by(ClinicalEntry.happened_at, ClinicalEntry.id)
        ),
    )  # fmt: skip
    supplied = by_person(owner, taken_home(act, owner))
    rule_set = site_rule_set(act, at)
    if rule_set is None:
        return {}
    found = {
        person: _course(
            _history(entries[person], doses[person], supplied[person], at), rule_set, at
        )
        for person in people
        if doses[person] or entries[person]
    }
    return {person: course for person, course in found.items() if course is not None}


def people_of(act: Act, patient_ids: Iterable[int]) -> dict[int, list[int]]:
    """The persons these records belong to: the kept record -> all records, itself first.

    Few records are joined to another, so those are read once for everybody.
    """
    joined = {
        row.id: row.merged_into_id
        for row in act.session.execute(
            select(Patient.id, Patient.merged_into_id).where(Patient.merged_into_id.is_not(None))
        )
    }

    def root(each: int) -> int:
        while each in joined:
            each = joined[each]
        return each

    people = {root(each): [root(each)] for each in patient_ids}
    for each in joined:
        if root(each) in people:
            people[root(each)].append(each)
    return people


def owners(people: Mapping[int, list[int]]) -> dict[int, int]:
    """Whose each record is."""
    return {record: person for person, records in people.items() for record in records}


def by_person(owner: Mapping[int, int], rows: Iterable[Any]) -> defaultdict[int, list[Any]]:
    """Rows by the person their record belongs to, in the order they came."""
    out: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        out[owner[row.patient_id]].append(row)
    return out


def _history(
    entries: list[ClinicalEntry],
    doses: list[DoseEvent],
    supplied: list[DispensedDose],
    at: datetime,
) -> Data:
    """What was taken, as known by the newest stamp there is: stamps can run ahead of a clock."""
    stamps = [stamp for row in doses for stamp in (row.recorded_at, row.struck_at, row.agreed_at)]
    known_at = max([at, *(each for each in stamps if each)])
    return recorded_history(entries, doses, supplied, known_at)


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
    defined = rulebook().defined(read.rule_set, read.on)
    return Course(
        order["product"], derive(read, defined), defined["missed-days"].whole("new_episode_from")
    )


_NOBODY: Data = {
    "date_of_birth": "1900-01-01", "sex": "unknown", "conditions": [], "medicines": [],
    "substance_use": [],
}  # fmt: skip


def maybe_in_first_days(act: Act, records: Collection[int], days: int) -> set[int]:
    """Of these records, those that may be in the first so many days of an episode.

    A cheap sieve before the whole history is read: an episode begins after days without a dose, so
    whoever swallowed one on more than `days` of the days that long ago is certainly past them.
    """
    rule_set = site_rule_set(act, act.at)
    if rule_set is None or not records:
        return set(records)
    gap = rulebook().defined(rule_set, act.today)["missed-days"].whole("new_episode_from")
    past = act.session.scalars(
        select(DoseEvent.patient_id)
        .where(
            DoseEvent.patient_id.in_(records), DoseEvent.struck_at.is_(None),
            DoseEvent.elsewhere.is_(False), DoseEvent.outcome.in_(SWALLOWED),
            DoseEvent.dose_on > act.today - timedelta(days=days + gap),
            DoseEvent.dose_on <= act.today,
        )
        .group_by(DoseEvent.patient_id)
        .having(func.count(DoseEvent.dose_on.distinct()) > days)
    )  # fmt: skip
    return set(records) - set(past)
