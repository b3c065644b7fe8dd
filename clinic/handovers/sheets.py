"""Three sheets of one page, made from a release plan as it stands: the leaver's own, the court pack,
and the sheet that goes with somebody to another prison. What nobody has recorded is said to be missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from clinic.act import Act
from clinic.errors import NotFound
from clinic.handovers import package
from clinic.release import presenters
from clinic.release.models import Premises
from clinic.release.queries import PlanNow
from clinic.release.sections import SECTIONS
from clinic.sites.models import Site
from clinic.ui import clock_time, day
from dosing.days import days_between, london_day
from scheduling.release_request import WEEKDAYS
from scheduling.release_rules import LIMITS

Json = dict[str, Any]
WEEKDAY_WORDS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_CLOSED = 4
NOT_ARRANGED = "This is not arranged yet. Ask healthcare before you leave."


@dataclass(frozen=True)
class Part:
    """A headed part of a sheet. `lines` empty: nothing is recorded, and `missing` says so."""

    head: str
    lines: Sequence[str]
    missing: str = "Not recorded"


# -- the leaver's own ----------------------------------------------------------------------


def leaver(act: Act, now: PlanNow) -> list[Part]:
    """What they take, where and when next, and whom to ring, in plain words."""
    service = now.plan.destination_site
    lines = list(filter(None, (
        service and service.out_of_hours_line, now.plan.site.out_of_hours_line,
    )))  # fmt: skip
    return [
        Part("Your medicine", _last_dose(act, now), "Your last dose is not recorded here."),
        Part("Your first appointment", _appointment(now, service), NOT_ARRANGED),
        Part("Your medicine outside: where and when", _collections(now), NOT_ARRANGED),
        Part("When the pharmacy is open", _opening(act, now), NOT_ARRANGED),
        Part(
            "Help at any time, day or night", [f"Ring {line}" for line in lines[:1]],
            "No number is recorded. Ask healthcare. In an emergency ring 999.",
        ),
    ]  # fmt: skip


def _last_dose(act: Act, now: PlanNow) -> list[str]:
    made = package.make(act, now, "the leaver")
    taken = [each for each in made["last_doses"] if each["at"]]
    told = next((each for each in made["doses_told"] if each["at"]), None)
    if told and (not taken or told["at"] > taken[0]["at"]):
        return [f"Last taken on {_at(told['at'])}"]
    if not taken:
        return []
    what = f"{taken[0]['drug'].capitalize()} {taken[0]['mg']} mg"
    return [f"{what}, last taken on {_at(taken[0]['at'])}"]


def _at(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{_long_day(london_day(at))} at {clock_time(at)}"


def _appointment(now: PlanNow, service: Site | None) -> list[str]:
    given = now.request.get("appointment")
    if not given:
        return []
    at = datetime.fromisoformat(given["at"])
    where = [service.name, service.address, service.telephone] if service else []
    prescriber = _one(now, "prescriber")
    if not where:
        where = [prescriber.get("service"), None, None]
    said = [f"{_long_day(london_day(at))} at {clock_time(at)}"]
    said += [f"At {where[0]}"] if where[0] else ["The place is not recorded. Ask healthcare."]
    said += [each for each in where[1:] if each]
    return said


def _collections(now: PlanNow) -> list[str]:
    found = sorted(
        (each["collect_on"], len(each["covers"]), supply["form"])
        for supply in now.request.get("bridging_supplies", ())
        for each in supply["instalments"]
        if supply["form"] == "gate_pack" or supply.get("in_hand") is True
    )
    name = (now.request.get("pharmacy") or {}).get("name")
    answer = now.answer or {}
    if not found and answer.get("gap_days") == 0 and answer.get("first_community_dose_on"):
        return (
            ["Nothing to collect before your first appointment."]
            if now.request.get("appointment")
            else []
        )
    return [
        f"{_long_day(date.fromisoformat(on))}: "
        + (f"given to you at the gate, for {_days(count)}" if form == "gate_pack"
           else f"collect at {name}, for {_days(count)}")
        for on, count, form in found
        if form == "gate_pack" or name
    ]  # fmt: skip


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _opening(act: Act, now: PlanNow) -> list[str]:
    pharmacy = now.request.get("pharmacy") or {}
    if not pharmacy.get("name"):
        return []
    rows = now.facts["pharmacy"]
    premises = rows[0].premises if rows else None
    said = [", ".join(filter(None, (pharmacy["name"], _address(premises))))]
    week = pharmacy.get("hours")
    if week is None:
        said.append("Its hours are not recorded. Ring before you go.")
    else:
        said += _week([", ".join(week.get(key) or ()) or "closed" for key in WEEKDAYS])
    release_on = now.answer and now.answer["expected_release_on"]
    first = max(act.today, date.fromisoformat(release_on)) if release_on else act.today
    shut = presenters.pharmacy_shut(now.request, days_between(first, first + LIMITS.continuity))
    return [*said, *(f"Closed on {_long_day(on)}" for on in shut[:MOST_CLOSED])]


def _week(hours: Sequence[str]) -> list[str]:
    """The week in few lines: days in a row with the same hours stand together."""
    said = []
    for same, days in groupby(range(len(hours)), key=lambda number: hours[number]):
        first, *rest = [WEEKDAY_WORDS[number] for number in days]
        said.append(f"{first} to {rest[-1]}: {same}" if rest else f"{first}: {same}")
    return said


def _address(premises: Premises | None) -> str | None:
    return premises and ", ".join(filter(None, (premises.address, premises.telephone))) or None


def _long_day(on: date) -> str:
    return f"{on:%A} {on.day} {on:%B}"


# -- the court pack ------------------------------------------------------------------------


def court(act: Act, now: PlanNow, court_on: str) -> list[Part]:
    """What travels to a hearing. NotFound when the plan knows of no hearing ahead on that day."""
    ahead = {pack["court_on"] for pack in (now.answer or {}).get("court_packs", ())}
    if court_on not in ahead:
        raise NotFound("There is no hearing ahead on that day.")
    made = package.make(act, now, "the court")
    found = [row.says for row in now.facts["court_pack"] if row.says["court_on"] == court_on]
    pack = found[0] if found else {}
    end = next((each for each in presenters.ends(now)
                if each["end"].why == "court" and each["end"].on.isoformat() == court_on), None)  # fmt: skip
    if_released = []
    if end is not None:
        gap = end["end"].gap_days
        covered = "cannot be counted" if gap is None else str(gap)
        if_released = [f"If released at court: days without medicine {covered}"]
    ticks = [
        f"{ask.label}: {presenters.said(ask, pack.get(ask.name))}"
        for ask in SECTIONS["court_pack"].asks
        if ask.name != "court_on"
    ]
    return [
        Part(f"Contingency pack for {day(date.fromisoformat(court_on))}", [*ticks, *if_released]),
        *_of_package(made, skip=("From and to", "Risks", "Not known")),
    ]


# -- the transfer --------------------------------------------------------------------------


def transfer(act: Act, now: PlanNow) -> list[Part]:
    """What goes with somebody to another prison. NotFound while no transfer is planned."""
    moving = now.request.get("transfer")
    if not moving:
        raise NotFound("No transfer is planned for this stay.")
    made = package.make(act, now, "the receiving prison")
    said = [
        f"{ask.label}: {presenters.said(ask, moving.get(ask.name))}"
        for ask in SECTIONS["transfer_information"].asks
        if ask.name != "transfer_on"
    ]
    cover = {True: "yes", False: "no"}.get(moving.get("prescriber_cover"), "not known")
    due = ("Next dose due",) if moving.get("next_dose_at") else ()  # said above, by who sends them
    return [
        Part(
            f"Transfer on {day(date.fromisoformat(moving['on']))}",
            [*said, f"Somebody there can prescribe on the day and the next: {cover}"],
        ),
        *_of_package(made, skip=("From and to", "Risks", "Not known", "Prescriber after release",
                                 "First appointment", "First collection", "Medicine", "The plan", *due)),
    ]  # fmt: skip


def _of_package(made: Mapping[str, Any], skip: Sequence[str]) -> list[Part]:
    return [Part(head, said) for head, said in package.lines(made) if head not in skip]


def _one(now: PlanNow, section: str) -> Json:
    rows = now.facts[section]
    return dict(rows[0].says) if rows else {}
