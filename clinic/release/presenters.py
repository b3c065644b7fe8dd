"""How is a plan said and drawn? What is unknown, and the days from the last dose to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from clinic.appointments.models import VISIT_STATUSES
from clinic.calendars import holiday_lists
from clinic.release.facts import Json
from clinic.release.models import ReleaseFact
from clinic.release.queries import PlanNow
from clinic.release.sections import MEDICINE_ONLY, SECTIONS, Ask, Section
from clinic.ui import clock_time, day, moment
from dosing.days import ONE_DAY, days_between, london_day
from scheduling.calendars import Calendar, CalendarChange, CalendarFacts, OutOfReach
from scheduling.release_cover import Pharmacy
from scheduling.release_ends import any_day as any_day_reasons
from scheduling.release_ends import possible_ends
from scheduling.release_request import PHARMACY_SHAPE, WEEKDAYS

MOST_DAYS = 42
"""How many days the picture draws before it says how many more there are."""

STATES = {
    "dose": "Dose given or planned",
    "supply": "Covered by a supply",
    "uncovered": "No medicine",
    "community": "First community dose",
    "unknown": "Not known",
}


# -- what is not known ---------------------------------------------------------------------


MOST_NAMED = 5
"""How many days without medicine the first line names."""


def in_short(answer: Json, request: Json) -> str:
    """What is uncovered, in one breath: when they leave, how far the cover goes, which days lack it."""
    leaves = _day(answer, "expected_release_on")
    out = answer["released_today"] is None and request.get("exit")
    said = [
        f"{'Left' if out else 'Leaves'} {day(leaves)}." if leaves else "Release date not known."
    ]
    if request.get("on_ost") is False:
        return f"{said[0]} Not on opioid substitution treatment."
    appointment = (request.get("appointment") or {}).get("at")
    if leaves and appointment and london_day(datetime.fromisoformat(appointment)) < leaves:
        said.append(
            f"The appointment on {said_moment(appointment)} is before that and does not count."
        )
    cover = _day(answer, "cover_ends_on")
    said.append(f"Covered to {day(cover)}." if cover else "Cover not known.")
    days = [day(date.fromisoformat(on)) for on in answer["uncovered_days"]]
    more = f" and {len(days) - MOST_NAMED} more" if len(days) > MOST_NAMED else ""
    if days:
        said.append(
            f"{'Day' if len(days) == 1 else 'Days'} without medicine: {', '.join(days[:MOST_NAMED])}{more}."
        )
    elif answer["gap_days"] is None:
        said.append("Days without medicine cannot be counted yet.")
    else:
        said.append("No day without medicine.")
    return " ".join(said)


def on_arrival(now: PlanNow) -> list[tuple[str, str]] | None:
    """What the arrival's own record says of treatment claimed; None: nobody was received here."""
    if "received_at" not in now.request:
        return None
    arrival = now.request.get("arrival") or {}
    asks = {ask.name: ask for ask in SECTIONS["arrival"].asks}
    told = {"claims_ost": arrival.get("claims_ost"), **(arrival.get("confirmed") or {})}
    return [
        (asks[name].label.rstrip("?"), said(asks[name], value))
        for name, value in told.items()
        if name in asks and (value is not None or name == "claims_ost")
    ]


def unknown(now: PlanNow) -> list[str]:
    """What nobody has recorded, as sentences: none of it counts as done or covered."""
    without_medicine = now.request.get("on_ost") is False
    left = "exit" in now.request
    said = []
    for section in SECTIONS.values():
        if section.unknown is None or now.facts[section.key]:
            continue
        if section.key == "arrival" and "arrival" in now.request:
            continue
        if without_medicine and section.key in MEDICINE_ONLY:
            continue
        if section.key == "release" and (left or now.request.get("release")):
            continue
        if left and section.key in ("last_dose", "possible_earlier"):
            continue
        said.append(section.unknown)
    if not left and _dose_promised_today(now):
        said.append("Today's dose, said to be given before leaving: not recorded as given")
    said += [words for name, words in _ANSWERS.items() if _unanswered(now, name)]
    if not without_medicine and left and not now.request.get("doses"):
        said.append("Last dose before leaving: no dose is recorded")
    return said


def _dose_promised_today(now: PlanNow) -> bool:
    """Do they leave today, on the strength of a dose that nobody has recorded?"""
    today = london_day(_as_at(now.request))
    if now.answer is None or _day(now.answer, "expected_release_on") != today:
        return False
    taken = {
        london_day(datetime.fromisoformat(each["at"]))
        if "at" in each
        else date.fromisoformat(each["on"])
        for each in now.request.get("doses", ())
    }
    return now.request.get("dose_on_release_day") is True and today not in taken


_ANSWERS = {
    "treatment.on_ost": "Whether they are on opioid substitution: counted as yes",
    "treatment.opioid_history": "History of opioid use: counted as yes",
    "treatment.medicine": "Which medicine",
    "destination.nation": "Nation they return to: the prison's own calendar is used",
    "release.kind": "Kind of release: counted as determinate",
    "release.sentenced_on": "Day of sentence: counted as long enough ago for the Friday rule",
}


def _unanswered(now: PlanNow, name: str) -> bool:
    """Is the section recorded, but not this answer of it?"""
    section, _, field = name.partition(".")
    rows = now.facts[section]
    if not rows or field in (now.request.get(section) or {}) or field in rows[0].says:
        return False
    if section == "release":
        kind = rows[0].says.get("kind")
        return "confirmed_on" not in rows[0].says and kind in (None, "determinate")
    return True


def newly_out(now: PlanNow) -> bool:
    """Are they out, and still within the days by which treatment must have gone on? DR-08."""
    answer = now.answer
    deadline_on = _day(answer, "continuity_deadline_on")
    if answer is None or deadline_on is None or answer["released_today"] is not None:
        return False
    return london_day(_as_at(now.request)) <= deadline_on


# -- the days they could leave on ----------------------------------------------------------

END_WORDS = {
    "today": "Today, unplanned",
    "expected": "Expected release",
    "court": "Court hearing",
    "hdc": "Home detention curfew",
    "early_release": "Early release",
    "other": "Another possible end",
}
ANY_DAY_WORDS = {
    "remand": "on remand",
    "short_sentence": "a short sentence",
    "court": "a hearing ahead",
    "possible_now": "an earlier date that has come and is not ruled out",
    "no_date": "no release date known",
}


def ends(now: PlanNow) -> list[dict[str, Any]]:
    """Every day they could leave on, in words, with what is known of a date beside its own name."""
    if now.answer is None or now.plan.closed_at is not None:
        return []
    named = {
        row.says["on"]: said(ask, row.says["which"])
        for row in now.facts["possible_earlier"]
        if "which" in row.says and (ask := SECTIONS["possible_earlier"].ask("which"))
    }
    found = possible_ends(now.request, holiday_lists())
    return [
        {
            "end": each,
            "what": named.get(each.on.isoformat(), END_WORDS[each.why])
            if each.why not in ("today", "expected", "court")
            else END_WORDS[each.why],
        }
        for each in found
    ]


def any_day(now: PlanNow) -> list[str]:
    """Why they could leave on any day, in words; empty when nothing says so."""
    if now.answer is None or now.plan.closed_at is not None:
        return []
    return [ANY_DAY_WORDS[each] for each in any_day_reasons(now.request, now.answer)]


# -- the picture ---------------------------------------------------------------------------


@dataclass(frozen=True)
class StripDay:
    """One day of the picture. `notes`: what else falls on it."""

    on: date
    state: str
    notes: tuple[str, ...]

    @property
    def words(self) -> str:
        return STATES[self.state]


def day_strip(now: PlanNow) -> tuple[list[StripDay], int]:
    """The days from the last dose to the first community dose, and how many more are not drawn.

    Without a release date there is nothing to draw. A day nobody can say anything about is drawn
    as not known, never as covered.
    """
    answer = now.answer
    release_on = _day(answer, "expected_release_on")
    if answer is None or release_on is None or now.request.get("on_ost") is False:
        return [], 0
    cover_ends_on = _day(answer, "cover_ends_on")
    first_dose_on = _day(answer, "first_community_dose_on")
    uncovered = {date.fromisoformat(text) for text in answer["uncovered_days"]}
    supplied = {
        date.fromisoformat(text)
        for supply in now.request.get("bridging_supplies", ())
        for instalment in supply["instalments"]
        for text in instalment["covers"]
    }
    # The closed days after release are drawn even while nothing is known of them.
    works_on = _day(answer, "next_working_day_on") if first_dose_on is None else None
    ends = [
        cover_ends_on,
        first_dose_on,
        max(uncovered, default=None),
        release_on + ONE_DAY,
        works_on,
    ]
    first = min(release_on - ONE_DAY, cover_ends_on or release_on)
    last = max(each for each in ends if each is not None)
    notes = _notes(now, release_on)
    if first_dose_on and cover_ends_on and first_dose_on <= cover_ends_on:
        notes.setdefault(first_dose_on, []).append("Covered already by an earlier dose")
    drawn = min(last, first + timedelta(days=MOST_DAYS - 1))

    def state(on: date) -> str:
        if on == first_dose_on:
            return "community"
        if on in uncovered:
            return "uncovered"
        if cover_ends_on is not None and (
            on <= cover_ends_on or (first_dose_on and on in supplied)
        ):
            return "supply" if on in supplied and on >= release_on else "dose"
        return "unknown"

    strip = [
        StripDay(on, state(on), tuple(notes.get(on, ())) + _closed(now.request, on))
        for on in days_between(first, drawn)
    ]
    return strip, (last - drawn).days


def _notes(now: PlanNow, release_on: date) -> dict[date, list[str]]:
    left = now.request.get("exit")
    notes: dict[date, list[str]] = {release_on: ["Left custody" if left else "Release"]}
    for supply in now.request.get("bridging_supplies", ()):
        for instalment in supply["instalments"]:
            on = date.fromisoformat(instalment["collect_on"])
            what = "Pack at the gate" if supply["form"] == "gate_pack" else "Collection"
            notes.setdefault(on, []).append(what)
    appointment = (now.request.get("appointment") or {}).get("at")
    if appointment:
        at = datetime.fromisoformat(appointment)
        notes.setdefault(london_day(at), []).append(f"Appointment {clock_time(at)}")
    return notes


def pharmacy_shut(request: Json, days: Sequence[date]) -> list[date]:
    """On which of these days is the pharmacy shut that its week would have open?"""
    given = request.get("pharmacy") or {}
    week = given.get("hours") or {}
    place, calendar = _there(request)
    pharmacy = Pharmacy(PHARMACY_SHAPE.read(given, "pharmacy"), place["nation"], calendar, None)
    try:
        return [on for on in days if week.get(WEEKDAYS[on.weekday()]) and not pharmacy.is_open(on)]
    except OutOfReach:
        return []


def _there(request: Json) -> tuple[Json, Calendar]:
    """Where they return to, or the prison while that is not known, and its calendar."""
    place = request.get("destination") or {}
    if not place.get("nation"):
        place = request["prison"]
    changes = tuple(
        CalendarChange(
            date.fromisoformat(change["on"]), change["change"],
            date.fromisoformat(change["announced_on"]) if change["announced_on"] else None,
        )
        for change in place.get("calendar_changes", ())
    )  # fmt: skip
    facts = CalendarFacts(place["nation"], None, changes)
    return place, Calendar.of(facts, holiday_lists(), known_on=london_day(_as_at(request)))


def _closed(request: Json, on: date) -> tuple[str, ...]:
    """What is shut on a day where they return to?"""
    place, calendar = _there(request)
    try:
        holiday = calendar.is_bank_holiday(on)
    except OutOfReach:
        return ("Bank holidays not known",)
    notes = ["Bank holiday"] if holiday else [] if calendar.is_working_day(on) else ["Weekend"]
    if pharmacy := request.get("pharmacy"):
        known = PHARMACY_SHAPE.read(pharmacy, "pharmacy")
        if not Pharmacy(known, place["nation"], calendar, None).is_open(on):
            notes.append("Pharmacy shut")
    return tuple(notes)


def _as_at(request: Json) -> datetime:
    return datetime.fromisoformat(request["as_at"])


def _day(answer: Json | None, name: str) -> date | None:
    text = (answer or {}).get(name)
    return date.fromisoformat(text) if text else None


# -- facts in words ------------------------------------------------------------------------


def fact_lines(row: ReleaseFact) -> list[tuple[str, str]]:
    """What a fact says, question by question, in the order of its form."""
    section = SECTIONS[row.section]
    lines = [(ask.label.rstrip("?"), said(ask, row.says.get(ask.name))) for ask in section.asks]
    if section.premises:
        lines.insert(0, ("Name", row.premises.name if row.premises else "not known"))
    if section.service:
        lines.insert(0, ("Service of ours", row.site.name if row.site else "none named"))
    if row.visit is not None:
        state = VISIT_STATUSES[row.visit.status]
        lines.append(("In the service's diary now", f"{state}, {moment(row.visit.starts_at)}"))
    if "reconfirmed_at" in row.says:
        lines.append(("Still right for the new date", said_moment(row.says["reconfirmed_at"])))
    return lines


def said(ask: Ask, value: Any) -> str:
    """One answer in words; an unknown one says so."""
    if value is None:
        return "not known"
    if ask.kind == "instalments":
        return "; ".join(_instalment(each) for each in value)
    if ask.kind == "instant":
        return said_moment(value)
    if ask.kind == "day":
        return day(date.fromisoformat(value))
    if ask.kind == "yes_no":
        return "Yes" if value else "No"
    return ask.choices.get(value, str(value))


def said_moment(text: str) -> str:
    return moment(datetime.fromisoformat(text))


def _instalment(given: Json) -> str:
    covers = [date.fromisoformat(text) for text in given["covers"]]
    days = ", ".join(day(on) for on in covers)
    if len(covers) > 2 and covers == list(days_between(covers[0], covers[-1])):
        days = f"{day(covers[0])} to {day(covers[-1])}"
    known = {True: ", collected", False: ", not collected", None: ""}[given.get("collected")]
    return f"{day(date.fromisoformat(given['collect_on']))} for {days or 'no day'}{known}"


def one_line(row: ReleaseFact) -> str:
    """A fact in one line, what is not known left out."""
    section: Section = SECTIONS[row.section]
    parts = []
    if section.premises and row.premises:
        parts.append(row.premises.name)
    if section.service and row.site:
        parts.append(row.site.name)
    parts += [
        f"{ask.label.rstrip('?')}: {said(ask, row.says[ask.name])}"
        for ask in section.asks
        if ask.name in row.says
    ]
    return "; ".join(parts)
