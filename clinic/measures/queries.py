"""What do the measures of this site say for a period, how did they go before, and who is behind them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from clinic.act import Act
from clinic.errors import NotFound
from clinic.measures import facts
from clinic.measures.models import BreachReason
from clinic.patients.models import Patient
from clinic.periods import Period, ending
from clinic.sites.models import Site
from scheduling.measures import LATE, MEASURES, Case, Count, Definition, count, in_period

BEFORE = 6
"""How many periods a trend shows, the one looked at included."""
HEADS = (
    "Site", "Period", "Measure", "In time", "Of", "Per cent", "Late", "Running", "Ended before",
    "Small number",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One period of a trend."""

    period: Period
    count: Count


@dataclass(frozen=True)
class Measured:
    """One measure in one period, and the periods before it, oldest first; the last is its own."""

    measure: Definition
    trend: Sequence[Point]

    @property
    def key(self) -> str:
        return self.measure.key

    @property
    def period(self) -> Period:
        return self.trend[-1].period

    @property
    def count(self) -> Count:
        return self.trend[-1].count


@dataclass(frozen=True)
class Behind:
    """One case behind a number. `reason`: why it was late, where somebody said so."""

    case: Case
    name: str
    stands: str
    reason: BreachReason | None


@dataclass(frozen=True)
class OneMeasure:
    """A measure in a period with everybody behind it: late ones first, then by day."""

    measured: Measured
    people: Sequence[Behind]


def of_site(act: Act) -> list[Definition]:
    """The measures of the kind of site somebody works at."""
    site = act.session.get(Site, act.site_id or 0)
    return [] if site is None else [each for each in MEASURES.values() if each.of_site(site.kind)]


def measures(act: Act, period: Period) -> list[Measured]:
    """Every measure of this site that had a case in these periods. The people counted are on the audit."""
    act.need("measures.read")
    found, people = [], set()
    for each in of_site(act):
        made, cases = _measured(act, each, period)
        if any(point.count.denominator or point.count.running for point in made.trend):
            found.append(made)
            people |= {case.patient_id for case in cases}
    act.note_shown("measures.counted", people)
    return found


def measure(act: Act, key: str, period: Period) -> OneMeasure:
    """One measure with the people behind its numbers. NotFound for none of this site's kind."""
    act.need("measures.read")
    definition = definition_of(act, key)
    made, cases = _measured(act, definition, period)
    shown = in_period(cases, period.first_on, period.last_on)
    ids = {case.patient_id for case in shown}
    act.note_shown("measures.people", ids)
    names = {
        row.id: row.listed_name
        for row in act.session.scalars(select(Patient).where(Patient.id.in_(sorted(ids))))
    }
    reasons = reasons_of(act, key)
    people = [
        Behind(case, names[case.patient_id], case.stands(act.today), reasons.get(case.key))
        for case in shown
    ]
    return OneMeasure(made, sorted(people, key=lambda each: each.stands != LATE))


def definition_of(act: Act, key: str) -> Definition:
    found = {each.key: each for each in of_site(act)}.get(key)
    if found is None:
        raise NotFound("There is no such measure at this kind of site.")
    return found


def late_case(act: Act, key: str, case_key: str, period: Period) -> Case:
    """A case of this period that was late. NotFound for any other: only a breach has a reason."""
    definition = definition_of(act, key)
    for case in facts.cases(act, definition, period.first_on, period.last_on):
        in_it = period.first_on <= case.due_on <= period.last_on
        if case.key == case_key and in_it and case.stands(act.today) == LATE:
            return case
    raise NotFound("No such late case in this period.")


def reasons_of(act: Act, key: str) -> dict[str, BreachReason]:
    """The standing reasons of a measure here, by case."""
    rows = act.session.scalars(
        select(BreachReason).where(
            BreachReason.site_id == act.site_id, BreachReason.measure == key,
            BreachReason.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    return {row.case_key: row for row in rows}


def export(act: Act, period: Period) -> Iterator[Sequence[object]]:
    """The numbers of a period as rows under HEADS. They name nobody."""
    found = measures(act, period)
    site = act.session.get_one(Site, act.site_id)
    for each in found:
        for point in each.trend:
            told = point.count
            yield (
                site.name, str(point.period), each.measure.title, told.numerator,
                told.denominator, told.percent, told.late, told.running, told.ended,
                "yes" if told.small else "no",
            )  # fmt: skip


def _measured(act: Act, definition: Definition, period: Period) -> tuple[Measured, list[Case]]:
    periods = ending(period, BEFORE)
    cases = facts.cases(act, definition, periods[0].first_on, period.last_on)
    points = [
        Point(each, count(in_period(cases, each.first_on, each.last_on), act.today))
        for each in periods
    ]
    return Measured(definition, points), cases
