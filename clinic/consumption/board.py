"""Who is to take a dose on this day, who has been, and whose absence matters most?

One row for each dose. What a row says next is advice on where to look; whether a dose may be given
is the interlock's own answer, asked when somebody is at the hatch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.consumption.closed import closed_days
from clinic.consumption.facts import as_decision, assessments_of, missed_limits
from clinic.consumption.models import DoseEvent
from clinic.consumption.places import Place, is_theirs, pharmacies_of, places_on
from clinic.consumption.supply_models import DispensedDose
from clinic.consumption.words import OUTCOMES
from clinic.errors import Invalid
from clinic.patients.models import Patient, PatientAlert, Registration
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import days_of, increments_of
from clinic.prescriptions.models import DoseDecision
from clinic.titration.facts import Course, courses_of
from clinic.titration.models import TitrationReview
from clinic.titration.queries import counts_on
from dosing.days import end_of, start_of
from dosing.interlock import GATES, RULES, GiveFacts, MissedLimits
from scheduling.consumption import Ladder, ladder, urgency

AT_HOME = "at_home"


@dataclass(frozen=True)
class OnBoard:
    """One dose on the board of a day.

    `event` is what stands on record of it; `at_home`, that it was handed over to be taken home.
    `lock` is the code of the lock after missed days, None while it is open. `unanswered` is an
    earlier day of the same decision of which nobody has said what became of it.
    """

    patient: Patient
    decision: DoseDecision
    increment: int
    on: date
    event: DoseEvent | None
    at_home: bool
    place: Place | None
    closed: bool
    course: Course | None
    ladder: Ladder
    lock: str | None
    unanswered: date | None
    review_says: str | None
    risks: tuple[str, ...] = field(default=())

    @property
    def patient_id(self) -> int:
        return self.patient.id

    @property
    def attended(self) -> bool:
        """Is nothing more to be done for this dose today?"""
        return self.event is not None or self.at_home

    @property
    def outcome(self) -> str | None:
        if self.event is not None:
            return self.event.outcome
        return AT_HOME if self.at_home else None

    @property
    def missed_days(self) -> int:
        return self.ladder.missed_days

    @property
    def locked(self) -> bool:
        return self.lock is not None

    @property
    def induction_day(self) -> int | None:
        """The day of the episode; None before its first dose."""
        return None if self.course is None else self.course.day

    @property
    def next_step(self) -> str:
        """What to do next for this dose, in a sentence."""
        if self.event is not None:
            return f"Recorded: {OUTCOMES[self.event.outcome].lower()}."
        if self.at_home:
            return "Handed over to take home."
        if self.unanswered is not None:
            day = self.unanswered
            return f"First say what became of the dose of {day:%a} {day.day} {day:%b}."
        if self.lock is not None:
            return RULES["missed_doses"].shut[self.lock]
        if self.place is None:
            return RULES["place"].shut["not_set"]
        if self.closed:
            return "The place is closed today and no dose was supplied in advance."
        if self.review_says in ("withhold", "stop"):
            return "The review leaves no dose today."
        if self.review_says is None:
            return "A review is needed before the dose."
        if self.ladder.step is not None:
            return self.ladder.step.says
        return "To attend."


@dataclass(frozen=True)
class Board:
    """The doses of one day, those still to come first and by urgency."""

    on: date
    rows: list[OnBoard]

    @property
    def to_attend(self) -> list[OnBoard]:
        return [row for row in self.rows if not row.attended]

    @property
    def attended(self) -> list[OnBoard]:
        return [row for row in self.rows if row.attended]


def board(act: Act, on: date | None = None, place: str = "") -> Board:
    """The doses of a London day at this site. `place`: on_site, a pharmacy's id, or all.

    Whoever works at a pharmacy sees that pharmacy's people alone. The list is audited.
    """
    act.need("consumption.read")
    day = on or act.today
    if day > act.today:
        raise Invalid.field("on", "cannot be a day to come")
    people = _people(act)
    decisions = _decisions(act, people, day)
    owner = {record: person for person, records in people.items() for record in records}
    concerned = {owner[row.patient_id] for row in decisions}
    people = {person: people[person] for person in concerned}
    places = places_on(act, people, day)
    mine = pharmacies_of(act)
    reads_all = mine is None and not (
        act.may("consumption.record") and not act.may("consumption.anywhere")
    )
    people = {
        person: records
        for person, records in people.items()
        if (reads_all or is_theirs(act, places.get(person), mine))
        and _at(places.get(person), place)
    }
    at = min(end_of(day), max(act.at, start_of(day)))
    rows = _Rows(act, day, at, people, places).of(
        [row for row in decisions if owner[row.patient_id] in people], owner
    )
    rows.sort(
        key=lambda row: (
            row.attended,
            urgency(row.missed_days, row.induction_day, len(row.risks)),
            row.patient.family_name.lower(), row.patient.given_name.lower(), row.patient.id,
            row.increment,
        )
    )  # fmt: skip
    act.note_shown("consumption.board", [row.patient.id for row in rows])
    return Board(day, rows)


def _at(place: Place | None, wanted: str) -> bool:
    if not wanted:
        return True
    if place is None:
        return wanted == "none"
    return wanted == (place.kind if place.premises_id is None else str(place.premises_id))


def _people(act: Act) -> dict[int, list[int]]:
    """Everybody on this site's caseload: the kept record -> all their records."""
    found = act.session.scalars(
        select(Registration.patient_id).where(
            Registration.site_id == act.site_id, Registration.ended_at.is_(None)
        )
    )
    merged = set(
        act.session.scalars(
            select(Patient.merged_into_id).where(Patient.merged_into_id.is_not(None))
        )
    )
    joined = set(act.session.scalars(select(Patient.id).where(Patient.merged_into_id.is_not(None))))
    people: dict[int, list[int]] = {}
    for each in found:
        if each in joined or each in merged:
            records = same_person(act, each)
            people[records[0]] = records
        else:
            people[each] = [each]
    return people


def _decisions(act: Act, people: Mapping[int, list[int]], day: date) -> list[DoseDecision]:
    """Decisions with a dose for this day that were not withdrawn before it ended, or were used."""
    records = [record for found in people.values() for record in found]
    rows = act.session.scalars(
        select(DoseDecision)
        .where(
            DoseDecision.patient_id.in_(records), DoseDecision.dose_on <= day,
            DoseDecision.last_on >= day,
        )
        .order_by(DoseDecision.id)
    )  # fmt: skip
    return [row for row in rows if day in days_of(row)]


class _Rows:
    """Everything the rows of a board need, read once for all of them."""

    def __init__(
        self,
        act: Act,
        day: date,
        at: datetime,
        people: Mapping[int, list[int]],
        places: Mapping[int, Place],
    ) -> None:
        self._act, self._day, self._at = act, day, at
        self._people, self._places = people, places
        records = [record for found in people.values() for record in found]
        session = act.session
        self._patients = {
            row.id: row for row in session.scalars(select(Patient).where(Patient.id.in_(people)))
        }
        self._events: dict[tuple[int, str, date, int], DoseEvent] = {
            (row.patient_id, row.drug, row.dose_on, row.increment): row
            for row in session.scalars(
                select(DoseEvent).where(
                    DoseEvent.patient_id.in_(records), DoseEvent.struck_at.is_(None),
                    DoseEvent.elsewhere.is_(False),
                )
            )
        }  # fmt: skip
        self._home = {
            (row.patient_id, row.drug, row.dose_on, row.increment)
            for row in session.scalars(
                select(DispensedDose).where(
                    DispensedDose.patient_id.in_(records), DispensedDose.how == "take_home",
                    DispensedDose.struck_at.is_(None),
                )
            )
        }  # fmt: skip
        self._alerts: defaultdict[int, list[str]] = defaultdict(list)
        for row in session.scalars(
            select(PatientAlert).where(
                PatientAlert.patient_id.in_(records), PatientAlert.ended_at.is_(None),
                PatientAlert.kind == "alert",
            )
        ):  # fmt: skip
            self._alerts[row.patient_id].append(row.says)
        self._courses = courses_of(act, people, start_of(day))
        owner = {record: person for person, found in people.items() for record in found}
        self._reviews = {
            owner[row.patient_id]: row
            for row in session.scalars(
                select(TitrationReview)
                .where(
                    TitrationReview.patient_id.in_(records), TitrationReview.reviewed_at <= at,
                    TitrationReview.struck_at.is_(None),
                )
                .order_by(TitrationReview.reviewed_at, TitrationReview.id)
            )
        }  # fmt: skip
        self._closed: dict[Any, dict[date, bool]] = {}
        self._limits: dict[tuple[str, str], MissedLimits] = {}

    def of(self, decisions: list[DoseDecision], owner: Mapping[int, int]) -> list[OnBoard]:
        out = []
        for decision in decisions:
            person = owner[decision.patient_id]
            for number in increments_of(decision):
                event = self._event(person, decision.drug, self._day, number)
                gone = decision.withdrawn_at is not None and decision.withdrawn_at < end_of(
                    self._day
                )
                if gone and (event is None or event.decision_id != decision.id):
                    continue
                out.append(self._row(person, decision, number, event))
        return out

    def _event(self, person: int, drug: str, on: date, number: int) -> DoseEvent | None:
        found = (self._events.get((record, drug, on, number)) for record in self._people[person])
        return next((row for row in found if row is not None), None)

    def _supplied(self, person: int, drug: str, on: date, number: int) -> bool:
        return any((record, drug, on, number) in self._home for record in self._people[person])

    def _row(
        self, person: int, decision: DoseDecision, number: int, event: DoseEvent | None
    ) -> OnBoard:
        day, records = self._day, self._people[person]
        place, course = self._places.get(person), self._courses.get(person)
        at_home = self._supplied(person, decision.drug, day, number)
        limits = self._limits_for(decision)
        same = course is not None and course.known.drug == decision.drug
        last = course.known.last_covered_before if course is not None and same else None
        steps = ladder(last, day, limits)
        waits = event is None and not at_home
        if steps.missed_days:
            closed = self._closed_at(place, steps.missed_on)
            steps = ladder(last, day, limits, closed)
        review = self._reviews.get(person)
        if not waits or not counts_on(review, course, day):
            review = None
        lock = None
        if waits and steps.missed_days >= limits.prescriber_from:
            lock = self._lock(records, decision, steps.missed_days, last, limits)
        return OnBoard(
            patient=self._patients[person], decision=decision, increment=number, on=day,
            event=event, at_home=at_home, place=place,
            closed=waits and day in self._closed_at(place, (day,)), course=course, ladder=steps,
            lock=lock, unanswered=self._unanswered(person, decision) if waits else None,
            review_says=None if review is None else review.decision,
            risks=tuple(each for record in records for each in self._alerts[record]),
        )  # fmt: skip

    def _limits_for(self, decision: DoseDecision) -> MissedLimits:
        key = decision.drug, decision.rule_set
        if key not in self._limits:
            self._limits[key] = missed_limits(self._act, *key, self._day)
        return self._limits[key]

    def _closed_at(self, place: Place | None, days: Collection[date]) -> set[date]:
        key = None if place is None else (place.kind, place.premises_id)
        known = self._closed.setdefault(key, {})
        asked = [day for day in days if day not in known]
        shut = closed_days(self._act, place, asked)
        known.update({day: day in shut for day in asked})
        return {day for day in days if known[day]}

    def _unanswered(self, person: int, decision: DoseDecision) -> date | None:
        for day in sorted(days_of(decision)):
            if day >= self._day:
                return None
            known = any(
                self._event(person, decision.drug, day, number)
                or self._supplied(person, decision.drug, day, number)
                for number in increments_of(decision)
            )
            if not known:
                return day
        return None

    def _lock(
        self,
        records: list[int],
        decision: DoseDecision,
        missed_days: int,
        last_covered_on: date | None,
        limits: MissedLimits,
    ) -> str | None:
        """The interlock's own gate, asked alone."""
        return GATES["missed_doses"](
            GiveFacts(
                at=self._at, increment=decision.first_increment, place_set=None, identity=(),
                intoxication=(), review=None, decision=as_decision(decision),
                missed_days=missed_days, last_covered_on=last_covered_on, missed_limits=limits,
                assessments=assessments_of(self._act, records), rules=None, recorded=None,
            )
        )  # fmt: skip


def locked(act: Act) -> list[OnBoard]:
    """Whose dose waits for a prescriber after missed days, the longest missed first.

    Asked of today's board: somebody with no decision for today is found by the titration room.
    """
    seen: set[int] = set()
    out = []
    for row in board(act).to_attend:
        if row.locked and row.patient.id not in seen:
            seen.add(row.patient.id)
            out.append(row)
    return out
