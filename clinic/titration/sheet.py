"""The day on site: doses and findings in order, what is due, and when the rules allow the next dose.

The sheet is one person's London day; the board is everyone being titrated at the site now. Times
between doses are the dosing rules' own limits, read from this site's rulebook; no amount is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from clinic.act import Act
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.patients.models import Patient, Registration
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import days_of, increments_of
from clinic.prescriptions.facts import setting_of
from clinic.prescriptions.models import DoseDecision
from clinic.sites.queries import what_holds
from clinic.titration import facts
from clinic.titration.queries import names_of
from clinic.titration.standing import Standing, standing_of
from dosing.days import end_of, london_day, start_of
from dosing.medicines import METHADONE
from dosing.rulebook import RuleVersion
from scheduling.reviews import (
    DONE,
    DONE_LATE,
    DUE,
    LOOKED_AFTER_DAYS,
    OVERDUE,
    PASSED,
    Look,
    looks_due,
)

STOPPED_UNTIL, ALERT_UNTIL, LOOK_WITHIN = "M-D1-01", "M-D1-02", "M-D1-03"
AWAKE = ("G-IN-01", "G-IN-02")
DAY_LIMITS = ("M-D1-07", "M-D1-08", "M-D1-10", "M-D1-12", "M-D1-13", "B-D1-01", "B-D1-02")
"""The dosing rules on a day-1 total: their words are shown beside the running total."""
WATCHED = ("on_site", "prison")
"""Settings in which a person stays and can be watched."""


@dataclass(frozen=True)
class NextTime:
    """When may the next dose of the day be given, by the rules? A time, and never an amount.

    Before `stopped_until` rule M-D1-01 stops it; up to `alert_until` M-D1-02 asks for a reason.
    Both None where no rule sets a time: `says` tells why.
    """

    stopped_until: datetime | None
    alert_until: datetime | None
    look_within: timedelta | None
    says: str


def next_time(
    in_force: Mapping[str, RuleVersion], drug: str, day: int | None, last_dose_at: datetime | None,
    setting: str,
) -> NextTime:  # fmt: skip
    """The rules' own times between two doses of day 1, put to the last dose of the day."""
    if not in_force:
        return NextTime(None, None, None, "No rule set is chosen for this site")
    if last_dose_at is None:
        return NextTime(None, None, None, "No dose yet today")
    if drug != METHADONE or day != 1:
        return NextTime(None, None, None, "No rule sets a time between doses of this day")
    stop, alert, look = (in_force.get(each) for each in (STOPPED_UNTIL, ALERT_UNTIL, LOOK_WITHIN))
    until = None if stop is None else last_dose_at + stop.hours("under_hours")
    reason = None
    if alert is not None and setting not in alert.words("settings_excused"):
        reason = last_dose_at + alert.hours("under_hours")
    within = None if look is None else timedelta(minutes=look.whole("within_minutes"))
    return NextTime(until, reason, within, "By the rules of day 1")


@dataclass(frozen=True)
class SheetDose:
    """One dose of the day, what was found just before it, and the total when it was taken."""

    row: DoseEvent
    before: ClinicalEntry | None
    total_mg: Decimal


@dataclass(frozen=True)
class Sheet:
    """One person's day on site. `observations` oldest first; `open`: doses decided, not recorded."""

    patient: Patient
    on: date
    at: datetime
    standing: Standing
    day: int | None
    doses: Sequence[SheetDose]
    observations: Sequence[ClinicalEntry]
    looks: Sequence[Look]
    next: NextTime
    limits: Sequence[RuleVersion]
    open: Sequence[tuple[DoseDecision, int]]
    names: Mapping[int, str]
    watcher: str | None

    @property
    def total_mg(self) -> Decimal:
        return self.doses[-1].total_mg if self.doses else Decimal(0)

    @property
    def last_dose(self) -> DoseEvent | None:
        taken = [each.row for each in self.doses if each.row.outcome in SWALLOWED]
        return taken[-1] if taken else None

    @property
    def next_look(self) -> Look | None:
        """The observation that has waited longest, or the next to fall due."""
        waiting = (
            each for each in self.looks if each.state(self.at) not in (DONE, DONE_LATE, PASSED)
        )
        return min(waiting, key=lambda look: look.due_at, default=None)

    @property
    def urgency(self) -> tuple[int, datetime]:
        """Overdue rises over due, due over what is to come, and within each the earliest."""
        look = self.next_look
        if look is None:
            return 3, self.at
        return {OVERDUE: 0, DUE: 1}.get(look.state(self.at), 2), look.due_at

    def last(self, name: str) -> ClinicalEntry | None:
        """The newest observation of the day that recorded this."""
        found = [row for row in self.observations if row.data.get(name) is not None]
        return found[-1] if found else None


def sheet_of(act: Act, patient: Patient, on: date) -> Sheet:
    """One person's sheet for a London day; the record has been opened."""
    at = act.at if on == act.today else end_of(on) - timedelta(microseconds=1)
    standing = standing_of(act, {patient.id: same_person(act, patient.id)}, at)[patient.id]
    return _sheets(act, [(patient, standing)], at)[0]


def _sheets(act: Act, people: Sequence[tuple[Patient, Standing]], at: datetime) -> list[Sheet]:
    on, in_force = london_day(at), facts.rules_in_force(act, at)
    setting = setting_of(what_holds(act), on)
    staff: set[int | None] = set()
    for _, standing in people:
        staff |= {row.recorded_by for row in standing.doses}
        staff |= {row.recorded_by for row in standing.observations}
        staff |= {visit.worker_id for visit in standing.visits}
    names = names_of(act, staff)
    return [_sheet(each, standing, at, in_force, setting, names) for each, standing in people]


def _sheet(
    patient: Patient,
    standing: Standing,
    at: datetime,
    in_force: Mapping[str, RuleVersion],
    setting: str,
    names: Mapping[int, str],
) -> Sheet:
    on = london_day(at)
    rows = [row for row in standing.doses if row.dose_on == on and not row.elsewhere]
    seen = [row for row in standing.observations if london_day(row.happened_at) == on]
    day = None if standing.course is None else standing.course.day
    taken = [row.consumed_at for row in rows if row.outcome in SWALLOWED]
    open_doses = _open(standing.decisions, rows, on)
    drug = rows[-1].drug if rows else (open_doses[0][0].drug if open_doses else METHADONE)
    watched = setting in WATCHED and (day is None or day <= LOOKED_AFTER_DAYS)
    look = in_force.get(LOOK_WITHIN)
    within = timedelta(minutes=look.whole("within_minutes")) if look else timedelta(0)
    total, doses = Decimal(0), []
    for row in rows:
        total += row.dose_mg or 0
        oldest = row.consumed_at - within
        before = [each for each in seen if oldest <= each.happened_at <= row.consumed_at]
        doses.append(SheetDose(row, before[-1] if before else None, total))
    looked = [row.happened_at for row in seen if row.data.get("sedation") is not None]
    prefix = "M-" if drug == METHADONE else "B-"
    return Sheet(
        patient=patient, on=on, at=at, standing=standing, day=day, doses=doses, observations=seen,
        looks=looks_due(taken, looked) if watched else [],
        next=next_time(in_force, drug, day, max(taken, default=None), setting),
        limits=[
            in_force[rule]
            for rule in DAY_LIMITS
            if rule in in_force and rule.startswith(prefix) and day in (None, 1)
        ],
        open=open_doses, names=names, watcher=_watcher(standing, rows, seen, on, names),
    )  # fmt: skip


def _open(
    decisions: Sequence[DoseDecision], rows: Sequence[DoseEvent], on: date
) -> list[tuple[DoseDecision, int]]:
    """Doses of the day in force and not recorded, by decision and increment."""
    recorded = {(row.decision_id, row.increment) for row in rows}
    return [
        (decision, number)
        for decision in decisions
        if decision.withdrawn_at is None and on in days_of(decision)
        for number in increments_of(decision)
        if (decision.id, number) not in recorded
    ]


def _watcher(
    standing: Standing,
    rows: Sequence[DoseEvent],
    seen: Sequence[ClinicalEntry],
    on: date,
    names: Mapping[int, str],
) -> str | None:
    """The drugs worker of today's visit; failing that whoever last saw them."""
    for visit in standing.visits:
        if london_day(visit.starts_at) == on and visit.worker_id is not None:
            return names.get(visit.worker_id)
    last = max(
        [(row.consumed_at, row.recorded_by) for row in rows]
        + [(row.happened_at, row.recorded_by) for row in seen],
        default=None,
    )
    return None if last is None else names.get(last[1])


# -- the board -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Board:
    """Everyone being titrated at this site now, the most urgent first. `watched`: can they stay?"""

    at: datetime
    watched: bool
    sheets: Sequence[Sheet]

    @property
    def overdue(self) -> int:
        return sum(1 for each in self.sheets if each.urgency[0] == 0)


def board(act: Act) -> Board:
    """Who is in the first days of an episode and has been dosed, observed or decided on today.

    The people shown are audited. At a service where nobody can stay the board is empty.
    """
    act.need("prescribing.read")
    if setting_of(what_holds(act), act.today) not in WATCHED:
        return Board(act.at, False, [])
    early = facts.maybe_in_first_days(act, _today(act), LOOKED_AFTER_DAYS)
    people = facts.people_of(act, early)
    standing = standing_of(act, people, act.at)
    patients = {
        row.id: row for row in act.session.scalars(select(Patient).where(Patient.id.in_(people)))
    }
    now = [
        (patients[person], each)
        for person, each in standing.items()
        if each.course is None or each.course.day is None or each.course.day <= LOOKED_AFTER_DAYS
    ]
    sheets = [
        each
        for each in _sheets(act, now, act.at)
        if each.doses or each.open or each.day is not None  # not one who is only being assessed
    ]
    sheets.sort(key=lambda each: (*each.urgency, each.patient.id))
    act.note_shown("titration.board", [each.patient.id for each in sheets])
    return Board(act.at, True, sheets)


def _today(act: Act) -> set[int]:
    """Whoever of this site was dosed, observed or has a dose decided for today."""
    here = select(Registration.patient_id).where(
        Registration.site_id == act.site_id, Registration.ended_at.is_(None)
    )
    dosed = select(DoseEvent.patient_id).where(
        DoseEvent.site_id == act.site_id, DoseEvent.dose_on == act.today,
        DoseEvent.struck_at.is_(None), DoseEvent.patient_id.in_(here),
    )  # fmt: skip
    observed = select(ClinicalEntry.patient_id).where(
        ClinicalEntry.site_id == act.site_id, ClinicalEntry.kind == "observation",
        ClinicalEntry.struck_at.is_(None), ClinicalEntry.happened_at >= start_of(act.today),
        ClinicalEntry.patient_id.in_(here),
    )  # fmt: skip
    decided = select(DoseDecision.patient_id).where(
        DoseDecision.site_id == act.site_id, DoseDecision.withdrawn_at.is_(None),
        DoseDecision.dose_on <= act.today, DoseDecision.last_on >= act.today,
        DoseDecision.patient_id.in_(here),
    )  # fmt: skip
    found: set[int] = set()
    for wanted in (dosed, observed, decided):
        found |= set(act.session.scalars(wanted))
    return found


def rules_of_day_1(act: Act) -> list[RuleVersion]:
    """The rules on times and totals of day 1 at this site, for the sheet on paper."""
    in_force = facts.rules_in_force(act, act.at)
    wanted = (*AWAKE, STOPPED_UNTIL, ALERT_UNTIL, LOOK_WITHIN, *DAY_LIMITS)
    return [in_force[each] for each in wanted if each in in_force]
