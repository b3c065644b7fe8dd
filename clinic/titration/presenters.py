"""What do doses, scores and flags of a build-up say, in the words of the clinic?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from clinic import ui
from clinic.assessments.kinds import SEDATION
from clinic.assessments.models import ClinicalEntry
from clinic.assessments.scales import SCALES
from clinic.consumption.models import OUTCOMES, DoseEvent
from clinic.prescriptions.doses import days_of
from clinic.prescriptions.models import DoseDecision
from clinic.titration.sheet import NextTime, Sheet
from clinic.titration.standing import Standing
from dosing.days import london_day
from scheduling.reviews import Look, source_of

ALCOHOL = {
    "breath_alcohol_micrograms_per_100ml": "micrograms/100 ml breath",
    "breath_alcohol_mg_per_l": "mg/l breath",
    "blood_alcohol_mg_per_100ml": "mg/100 ml blood",
}


@dataclass(frozen=True)
class DoseDay:
    """One London day of a build-up: what was decided for it, and what became of that."""

    on: date
    day: int | None
    decided_mg: Decimal | None
    doses: tuple[DoseEvent, ...]
    missed: bool
    counted_mg: Decimal | None
    """What counts as taken that day without an event: daily elsewhere, or handed over to take home."""

    @property
    def says(self) -> str:
        """Each dose with its time and outcome; or that nothing was recorded or decided."""
        if self.doses:
            return "; ".join(dose_words(row) for row in self.doses)
        if self.missed:
            return "Missed: no dose recorded"
        if self.counted_mg is not None:
            return f"{ui.mg(self.counted_mg)} counted as taken: elsewhere, or at home"
        return "Not recorded yet" if self.decided_mg is not None else "No dose decided"


def dose_words(row: DoseEvent) -> str:
    """10:05, taken, 20 mg, seen by Nia Lloyd."""
    said = [ui.clock_time(row.consumed_at), OUTCOMES.get(row.outcome, row.outcome).lower()]
    if row.dose_mg is not None:
        said.append(ui.mg(row.dose_mg))
    if row.elsewhere:
        said.append("elsewhere: a claim until confirmed")
    elif row.supervision == "supervised":
        said.append(f"seen by {row.observer}" if row.observer else "supervised")
    return ", ".join(said)


def decided_on(decisions: Iterable[DoseDecision], day: date) -> Decimal | None:
    """The mg decided for a London day by decisions that stood on it; None when there was none."""
    amounts = [
        row.dose_mg * row.doses_that_day
        for row in decisions
        if day in days_of(row) and (row.withdrawn_at is None or london_day(row.withdrawn_at) > day)
    ]
    return sum(amounts, Decimal(0)) if amounts else None


def dose_days(standing: Standing, days: int) -> list[DoseDay]:
    """The last so many days, newest first."""
    course = standing.course
    first = None if course is None or course.day is None else course.known.episode_from
    missed = set() if course is None else set(course.known.missed_within(days))
    if course is not None and first is not None:
        after = course.known.last_covered_on
        missed |= {
            day
            for back in range(1, days)
            if (day := standing.today - timedelta(days=back)) > (after or first)
        }
    out = []
    for back in range(days):
        on = standing.today - timedelta(days=back)
        doses = tuple(row for row in standing.doses if row.dose_on == on)
        number = None if first is None or on < first else (on - first).days + 1
        span = None if course is None else course.known.taken_daily_on(on)
        out.append(
            DoseDay(
                on, number, decided_on(standing.decisions, on), doses, on in missed,
                None if span is None else span.total_mg,
            )
        )  # fmt: skip
    return out


def trend(observations: Iterable[ClinicalEntry], most: int = 6) -> list[tuple[str, str]]:
    """The last scores of each scale, oldest first: never two scales in one line."""
    by_scale: dict[str, list[str]] = {}
    for row in observations:
        if row.data.get("withdrawal_score") is not None:
            said = f"{row.data['withdrawal_score']} ({_when(row)})"
            by_scale.setdefault(row.data["withdrawal_scale"], []).append(said)
    return [(SCALES[scale], " then ".join(said[-most:])) for scale, said in by_scale.items()]


def _when(row: ClinicalEntry) -> str:
    return f"{row.happened_at:%a} {ui.clock_time(row.happened_at)}"


def last_sedation(observations: Iterable[ClinicalEntry]) -> str | None:
    """The newest sedation level with its time; None when never recorded."""
    row = _newest(observations, "sedation")
    if row is None:
        return None
    snoring = row.data.get("hard_to_rouse_or_heavy_snoring")
    more = ", hard to rouse or snoring heavily" if snoring else ""
    return f"{SEDATION[row.data['sedation']]}{more}, {ui.moment(row.happened_at)}"


def last_alcohol(observations: Iterable[ClinicalEntry]) -> str | None:
    """The newest alcohol reading with its unit and time; None when never recorded."""
    row = _newest(observations, *ALCOHOL)
    if row is None:
        return None
    name = next(each for each in ALCOHOL if row.data.get(each) is not None)
    return f"{row.data[name]} {ALCOHOL[name]}, {ui.moment(row.happened_at)}"


def _newest(observations: Iterable[ClinicalEntry], *names: str) -> ClinicalEntry | None:
    found = [row for row in observations if any(row.data.get(name) is not None for name in names)]
    return found[-1] if found else None


def observation_words(row: ClinicalEntry) -> str:
    """Wed 4 Nov 2026, 10:05: COWS 14; sedation 1."""
    said = []
    if row.data.get("withdrawal_score") is not None:
        said.append(f"{SCALES[row.data['withdrawal_scale']]} {row.data['withdrawal_score']}")
    if row.data.get("sedation") is not None:
        said.append(f"sedation {row.data['sedation']}")
    return f"{ui.moment(row.happened_at)}: {'; '.join(said) or 'no score'}"


def flag_rows(flags: Iterable[Any]) -> list[dict[str, Any]]:
    """Flags as the page lists them: the message, and its rule with where that stands."""
    return [{"message": each.message, "rule": f"{each.rule}. {each.source}"} for each in flags]


def facts_now(standing: Standing) -> list[dict[str, Any]]:
    """Today's facts in one look, as rows of a summary list. None reads "not known"."""
    course = standing.course
    scores = trend(standing.observations)
    missed = None if course is None else course.known.missed_within(14)
    newest = standing.decisions[-1] if standing.decisions else None
    rows: list[dict[str, Any]] = [
        {"label": "Day of the episode", "value": _day_words(standing)},
        {"label": "Missed days, last 14", "value": _missed_words(standing, missed)},
        *({"label": f"Withdrawal, {scale}", "value": said} for scale, said in scores),
        {"label": "Sedation", "value": last_sedation(standing.observations)},
        {"label": "Alcohol", "value": last_alcohol(standing.observations)},
        {"label": "Last dose decision", "value": _decision_words(newest)},
    ]
    if not scores:
        rows.insert(2, {"label": "Withdrawal", "value": None})
    if standing.contact is not None:
        rows.append(
            {
                "label": "Contact",
                "value": standing.contact.says or f"Last on {ui.day(standing.contact.last_on)}",
            }
        )
    return rows


def _day_words(standing: Standing) -> str:
    course = standing.course
    if course is None or course.day is None:
        return "No dose counts yet"
    first = f"first dose {ui.day(course.known.episode_from)}"
    if course.lapsed:
        return f"The episode is over: {course.known.missed_days} days missed ({first})"
    return f"Day {course.day}, {first}; build-up to {ui.day(course.build_up_ends_on)}"


def _missed_words(standing: Standing, missed: list[date] | None) -> str:
    if missed is None:
        return "none, no dose yet"
    return ", ".join(ui.day(each) for each in missed) or "none"


def _decision_words(row: DoseDecision | None) -> str | None:
    if row is None:
        return "none"
    fired = [each["rule"] for each in row.findings if each["severity"] == "ALERT"]
    alerts = f"; alerts given a reason: {', '.join(fired)}" if fired else ""
    gone = "; withdrawn" if row.withdrawn_at else ""
    total = row.dose_mg * row.doses_that_day
    return f"{ui.mg(total)} from {ui.day(row.dose_on)} to {ui.day(row.last_on)}{alerts}{gone}"


# -- the day on site -----------------------------------------------------------------------

LOOK_STATES = {
    "not_yet": "Not yet",
    "due": "Due now",
    "overdue": "Overdue",
    "done": "Done",
    "done_late": "Done late",
    "passed": "Not done: the next dose came first",
}
LOOK_COLOURS = {"due": "yellow", "overdue": "red", "done": "green"}


@dataclass(frozen=True)
class SheetEvent:
    """One line of the sheet: a dose with its running total, or an observation."""

    at: datetime
    what: str
    amount_mg: Decimal | None
    total_mg: Decimal | None
    withdrawal: str
    sedation: str
    who: str


def events(found: Sheet) -> list[SheetEvent]:
    """The day in order. A dose shows what was found just before it."""
    lines = [
        SheetEvent(
            each.row.consumed_at, f"Dose {each.row.increment}: {OUTCOMES[each.row.outcome].lower()}",
            each.row.dose_mg, each.total_mg,
            _withdrawal(each.before) if each.before else "nothing found just before",
            _sedation(each.before) if each.before else "nothing found just before",
            each.row.observer or found.names.get(each.row.recorded_by, ui.NOT_KNOWN),
        )
        for each in found.doses
    ]  # fmt: skip
    lines += [
        SheetEvent(
            row.happened_at, "Observation", None, None, _withdrawal(row), _sedation(row),
            found.names.get(row.recorded_by, ui.NOT_KNOWN),
        )
        for row in found.observations
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (line.at, line.amount_mg is not None))


def _withdrawal(row: ClinicalEntry) -> str:
    if row.data.get("withdrawal_score") is None:
        return "not scored"
    return f"{SCALES[row.data['withdrawal_scale']]} {row.data['withdrawal_score']}"


def _sedation(row: ClinicalEntry) -> str:
    level = row.data.get("sedation")
    if level is None:
        return "not looked at"
    snoring = row.data.get("hard_to_rouse_or_heavy_snoring")
    return SEDATION[level] + (", hard to rouse or snoring heavily" if snoring else "")


def look_rows(found: Sheet) -> list[dict[str, Any]]:
    """Each observation due: after which dose, when, and how it stands in a word."""
    return [
        {
            "dose_at": look.dose_at, "says": look.says, "due_at": look.due_at,
            "late_at": look.late_at, "done_at": look.done_at,
            "state": LOOK_STATES[look.state(found.at)],
            "colour": LOOK_COLOURS.get(look.state(found.at), "grey"),
            "rule": look.rule,
        }
        for look in found.looks
    ]  # fmt: skip


def look_sources(found: Sheet) -> list[str]:
    """Where each kind of observation is asked for."""
    return [f"{rule}: {source_of(rule)}" for rule in sorted({look.rule for look in found.looks})]


def next_rows(found: Sheet) -> list[str]:
    """When the next dose of the day may be given by the rules: times, and never an amount."""
    told, now = found.next, found.at
    if told.stopped_until is None and told.alert_until is None:
        return [f"{told.says}."]
    said = []
    if told.stopped_until is not None:
        at = ui.clock_time(told.stopped_until)
        said.append(
            f"The stop after the last dose is over since {at} (rule M-D1-01)."
            if told.stopped_until <= now
            else f"A dose is stopped before {at} "
            f"(in {elapsed(told.stopped_until - now)}; rule M-D1-01)."
        )
    if told.alert_until is not None:
        at = ui.clock_time(told.alert_until)
        said.append(
            f"Since {at} its time needs no reason any more (rule M-D1-02)."
            if told.alert_until <= now
            else f"Before {at} it needs a prescriber's reason "
            f"(in {elapsed(told.alert_until - now)}; rule M-D1-02)."
        )
    if told.look_within is not None:
        minutes = int(told.look_within.total_seconds() // 60)
        said.append(
            f"Withdrawal and sedation must be recorded in the {minutes} minutes before it "
            "(rule M-D1-03)."
        )
    return said


def card(found: Sheet) -> dict[str, Any]:
    """One person on the board, in few words that can be read from across a room."""
    look, last = found.next_look, found.last_dose
    state = None if look is None else look.state(found.at)
    told = found.next
    cows, sedation = found.last("withdrawal_score"), found.last("sedation")
    return {
        "patient_id": found.patient.id,
        "name": found.patient.listed_name,
        "born_on": found.patient.born_on,
        "day": found.day,
        "state": state,
        "watch": _watch_words(look, state, found.at),
        "last_dose": None if last is None else last.consumed_at,
        "last_mg": None if last is None else last.dose_mg,
        "since": None if last is None else elapsed(found.at - last.consumed_at),
        "total_mg": found.total_mg,
        "withdrawal": None if cows is None else f"{_withdrawal(cows)} at {_clock(cows)}",
        "sedation": None
        if sedation is None
        else f"{sedation.data['sedation']} at {_clock(sedation)}",
        "next": _next_words(told, found.at),
        "to_record": len(found.open),
        "watcher": found.watcher,
    }


def _clock(row: ClinicalEntry) -> str:
    return ui.clock_time(row.happened_at)


def _watch_words(look: Look | None, state: str | None, now: datetime) -> str:
    if look is None or state is None:
        return "Nothing due"
    if state == "overdue":
        return f"Overdue by {elapsed(now - look.late_at)}: look {look.says}"
    if state == "due":
        return f"Look now: {look.says}, by {ui.clock_time(look.late_at)}"
    return f"Next look {ui.clock_time(look.due_at)}: {look.says}"


def _next_words(told: NextTime, now: datetime) -> str:
    if told.stopped_until is None and told.alert_until is None:
        return told.says
    times = [each for each in (told.stopped_until, told.alert_until) if each is not None]
    if told.stopped_until is not None and told.stopped_until > now:
        more = ""
        if told.alert_until is not None and told.alert_until > told.stopped_until:
            more = f", with a reason until {ui.clock_time(told.alert_until)}"
        return f"Not before {ui.clock_time(told.stopped_until)}{more}"
    if max(times) > now:
        return f"Only with a reason until {ui.clock_time(max(times))}"
    return "No rule on time is in the way"


def elapsed(span: timedelta) -> str:
    """1 h 20 min."""
    minutes = max(0, int(span.total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"
