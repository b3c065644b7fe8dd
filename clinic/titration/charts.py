"""What do a person's last weeks look like? The days of the chart, its limits, and the carry-over.

One day is one row, whether drawn, told in words or listed as a table: all three come from here.
Limits are read from the site's rulebook; the carry-over band is dosing/carry_over.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import select

from clinic.act import Act
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent, DoseVomited
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import days_of
from clinic.prescriptions.models import DoseDecision
from clinic.sites.models import Site
from clinic.titration import facts
from clinic.titration.models import TitrationReview
from clinic.titration.presenters import decided_on
from clinic.titration.standing import Standing, standing_of
from dosing.carry_over import WINDOW, Carried, Swallowed, carried, has_parameters
from dosing.days import at_london, days_between, london_day
from dosing.medicines import METHADONE, PRODUCTS
from dosing.rulebook import RuleVersion

SPANS = (14, 28)
ATTENDANCE = {
    "T": "Taken", "P": "Taken in part", "V": "Vomited", "R": "Refused", "W": "Withheld",
    "M": "Missed", "?": "Decided and not recorded",
}  # fmt: skip
ATTENDANCE_CODES = {
    "T": "taken", "P": "part", "V": "vomited", "R": "refused", "W": "withheld", "M": "missed",
    "?": "not_recorded",
}  # fmt: skip
_OUTCOMES = {"taken": "T", "part": "P", "refused": "R", "withheld": "W", "missed": "M",
             "not_taken": "M"}  # fmt: skip
_WEIGHT = "VTPRWM?"
NOON = time(12)


@dataclass(frozen=True)
class Limit:
    """The highest daily total the rules let anybody have on a day, from where, and by which rule."""

    from_mg: Decimal
    to_mg: Decimal
    rule: str


@dataclass(frozen=True)
class ChartDay:
    """One London day. `consumed_mg` None: nobody has recorded what became of what was decided."""

    on: date
    day: int | None
    prescribed_mg: Decimal | None
    consumed_mg: Decimal | None
    attendance: str | None
    limit: Limit | None
    scores: Mapping[str, Sequence[tuple[datetime, int]]]
    reviews: Sequence[TitrationReview]
    decided: Sequence[DoseDecision]
    before: Carried | None
    """What earlier doses leave at the day's first dose, or at noon."""


@dataclass(frozen=True)
class Chart:
    """A person's last weeks, oldest day first. `hidden`: why the carry-over is not drawn."""

    patient: Patient
    at: datetime
    standing: Standing
    days: Sequence[ChartDay]
    carry: Sequence[Carried]
    hidden: str | None
    scales: Sequence[str]

    @property
    def first_on(self) -> date:
        return self.days[0].on

    @property
    def last_on(self) -> date:
        return self.days[-1].on


def chart(act: Act, patient: Patient, span: int) -> Chart:
    """The last so many days of one person; the record has been opened."""
    records = same_person(act, patient.id)
    standing = standing_of(act, {patient.id: records}, act.at)[patient.id]
    in_force = facts.rules_in_force(act, act.at)
    protocol = act.session.get_one(Site, act.site_id).has("on_site_titration_protocol", act.today)
    vomited = set(
        act.session.scalars(
            select(DoseVomited.dose_id).where(
                DoseVomited.patient_id.in_(records), DoseVomited.struck_at.is_(None)
            )
        )
    )
    first = act.today - timedelta(days=span - 1)
    hidden = _why_hidden(standing, _told_otherwise(act, records), vomited, first)
    taken = [
        Swallowed(row.consumed_at, row.dose_mg)
        for row in standing.doses
        if row.outcome in SWALLOWED and row.dose_mg is not None and row.drug == METHADONE
    ]
    days = [
        _day(standing, on, in_force, protocol, vomited, None if hidden else taken)
        for on in days_between(first, act.today)
    ]
    carry = [] if hidden else _carry(taken, first, act.at)
    scales = list(dict.fromkeys(scale for day in days for scale in day.scores))
    return Chart(patient, act.at, standing, days, carry, hidden, scales)


def _day(
    standing: Standing,
    on: date,
    in_force: Mapping[str, RuleVersion],
    protocol: bool,
    vomited: set[int],
    taken: Sequence[Swallowed] | None,
) -> ChartDay:
    course = standing.course
    started = course is not None and course.day is not None
    number = course.known.day_number(on) if course is not None and started else None
    rows = [row for row in standing.doses if row.dose_on == on and not row.elsewhere]
    prescribed = decided_on(standing.decisions, on)
    missed = course is not None and on in course.known.missed_within((standing.today - on).days + 1)
    scores: dict[str, list[tuple[datetime, int]]] = {}
    for row in standing.observations:
        if london_day(row.happened_at) == on and row.data.get("withdrawal_score") is not None:
            scores.setdefault(row.data["withdrawal_scale"], []).append(
                (row.happened_at, row.data["withdrawal_score"])
            )
    first_at = min((row.consumed_at for row in rows), default=at_london(on, NOON))
    consumed = None
    if rows or prescribed is None:
        consumed = sum((row.dose_mg or Decimal(0) for row in rows), Decimal(0))
    return ChartDay(
        on=on,
        day=number if number is not None and number > 0 else None,
        prescribed_mg=prescribed,
        consumed_mg=consumed,
        attendance=attendance_letter(rows, vomited, prescribed is not None, missed),
        limit=_limit(standing, on, in_force, protocol),
        scores=scores,
        reviews=[row for row in reversed(standing.reviews) if row.reviewed_on == on],
        decided=[row for row in standing.decisions if row.dose_on == on],
        before=None if taken is None else carried(taken, min(first_at, standing.at)),
    )


def attendance_letter(
    rows: Sequence[DoseEvent], vomited: set[int], decided: bool, missed: bool
) -> str | None:
    """One letter for the day, the one that matters most; None when no dose was for it."""
    letters = ["V" if row.id in vomited else _OUTCOMES.get(row.outcome, "?") for row in rows]
    if not letters:
        letters = ["M"] if missed else (["?"] if decided else [])
    return min(letters, key=_WEIGHT.index, default=None)


def _limit(
    standing: Standing, on: date, in_force: Mapping[str, RuleVersion], protocol: bool
) -> Limit | None:
    """The day's limit for anybody: of day 1, or so much above the start or a week before.

    Methadone only. The rules that need more facts (tolerance, prescriber) may stop less; where two
    speak of a day, the lower stands.
    """
    course = standing.course
    if course is None or course.day is None or course.known.drug != METHADONE:
        return None
    number = course.known.day_number(on)
    found: list[Limit] = []
    if number == 1:
        rule = in_force.get("M-D1-07" if protocol else "M-D1-08")
        if rule is not None:
            found.append(Limit(Decimal(0), rule.number("above_mg"), rule.rule))
    for name in ("M-TI-03", "M-TI-04"):
        rule = in_force.get(name)
        if rule is None or not rule.whole("first_day") <= number <= rule.whole("last_day"):
            continue
        since = course.known.episode_from
        if "days_ago" in rule.limits:
            since = max(since, on - timedelta(days=rule.whole("days_ago")))
        start = course.known.total_on_or_before(since)
        if start is not None:
            found.append(Limit(start, start + rule.number("above_mg"), rule.rule))
    return min(found, key=lambda limit: limit.to_mg, default=None)


# -- carry-over ----------------------------------------------------------------------------


def _carry(taken: Sequence[Swallowed], first: date, now: datetime) -> list[Carried]:
    """The band every six hours, and just before and just after each dose."""
    start = at_london(first, time(0))
    steps = int((now - start) / timedelta(hours=6))
    times = {start + number * timedelta(hours=6) for number in range(steps + 1)} | {now}
    for dose in taken:
        if start <= dose.at <= now:
            times |= {dose.at, min(dose.at + timedelta(seconds=1), now)}
    return [carried(taken, at) for at in sorted(times)]


def _told_otherwise(act: Act, records: Sequence[int]) -> list[ClinicalEntry]:
    """Methadone somebody took that is not in the doses: claimed, steady elsewhere, or not prescribed."""
    rows = act.session.scalars(
        select(ClinicalEntry).where(
            ClinicalEntry.patient_id.in_(records), ClinicalEntry.struck_at.is_(None),
            ClinicalEntry.kind.in_(("steady_dose", "opioid_use")),
        )
    )  # fmt: skip
    return [
        row
        for row in rows
        if row.data.get("opioid") == METHADONE
        or PRODUCTS.get(row.data.get("product", "")) is not None
        and PRODUCTS[row.data["product"]].drug == METHADONE
    ]


def _why_hidden(
    standing: Standing, elsewhere: Sequence[ClinicalEntry], vomited: set[int], first: date
) -> str | None:
    """Why the carry-over cannot be drawn for these days; None when every dose is known."""
    course = standing.course
    if course is None:
        return "no dose is on record"
    if not has_parameters(course.known.drug):
        return f"no source gives a half-life for {course.known.drug} that could be drawn"
    since = first - WINDOW
    if any(row.drug != METHADONE for row in standing.doses if row.dose_on >= since):
        return "another medicine was taken in these days"
    if any(row.elsewhere for row in standing.doses if row.dose_on >= since):
        return "a dose taken elsewhere is only a claim, or its place in the day is not known"
    if any(_until(row) >= since for row in elsewhere):
        return "methadone was taken elsewhere in these days, at times nobody recorded"
    if any(row.id in vomited for row in standing.doses if row.dose_on >= since):
        return "a dose was vomited: how much of it stayed is not known"
    if any(row.outcome == "not_taken" for row in standing.doses if row.dose_on >= since):
        return "an older record does not say why a dose was not taken"
    recorded = {(row.decision_id, row.dose_on) for row in standing.doses}
    for decision in standing.decisions:
        for day in sorted(days_of(decision)):
            gone = decision.withdrawn_at is not None and london_day(decision.withdrawn_at) <= day
            if since <= day < standing.today and not gone and (decision.id, day) not in recorded:
                return f"nobody recorded what became of the dose of {day:%a} {day.day} {day:%b %Y}"
    return None


def _until(row: ClinicalEntry) -> date:
    """The last day an entry speaks of."""
    data = row.data
    on = data.get("to_on") or data.get("last_used_on")
    if on is not None:
        return date.fromisoformat(on)
    at = data.get("last_used_at")
    return london_day(datetime.fromisoformat(at)) if at else london_day(row.happened_at)
