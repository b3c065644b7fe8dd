"""What can be reached in 14 days of methadone, when every order the rules let through is taken?

A walk keeps for each patient a *situation*: everything about the past that a rule able to STOP an
order of methadone can read. Patients in one situation are one patient to those rules, so the rules
are asked once for each situation and order, on a record made up to stand for all of them.

**What the rules read of the past** (the merging; `test_no_unsafe_start.py` checks it by watching
the rules read, by walking four days without merging, and by long walks at random):

| kept | read by |
|---|---|
| nothing taken yet, or the episode's day | M-FD, M-D1, M-TI: on which day of the episode is D |
| the day-1 total, on days 2 to 7 | M-TI-03 |
| the last dosing day's total, from day 2 | M-TI: is it an increase, and by how much (M-TI-02) |
| the total seven days ago, on days 8 to 14 | M-TI-04 |
| the missed days; 5 or more end the episode | M-MD-02, M-MD-04, first dose |
| today's mg so far; on day 1 the hours since | M-D1-01, M-D1-07, -08, -10, -12; totals |
| whether it follows a break, and of how long | tolerance: low or lost, whatever is recorded |

They read nothing else of it. How a total was divided is read on day 1 only (M-D1-01, -06), the way
up to it never: M-TI-05 and M-RD read the last change and M-TI-08 the last missed date, but these can
only ALERT, and an ALERT closes no way. After day 1 no rule that can STOP reads tolerance, risk,
prescriber (up to 120 mg), protocol or, outside prison, the phase of an unlapsed episode.

From day 8 the walk does not follow which day carried which total. It asks with *every* total that
stood on the day seven days before in any patient: more ways than there are, none fewer.

Nothing is held fixed on a way: tolerance, last use, risk, setting, phase and prescriber are chosen
anew for each order. So every patient is among them whose facts stay the same, every alternation of
two prescribers, and every transfer between settings. All other facts are the ones that open most
(assessed, tested, seen ten minutes ago, sober): a fact that is missing only ever adds a finding.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import dosing
from dosing.check import check

LONDON = ZoneInfo("Europe/London")
FIRST_DAYS = {"era-2003": date(2004, 3, 22), "uk-2017": date(2024, 3, 25)}
"""Day 1 of a walk. London's clocks go forward on its seventh day."""
MORNING, NOON = 9, 15
LATER_PLACES = (
    ("community", "maintenance"), ("prison", "induction"), ("prison", "maintenance"),
    ("prison", "continuation"),
)  # fmt: skip
"""The settings and phases that the rules can tell apart after day 1 of an unlapsed episode."""
PHASES = ("induction", "maintenance", "reduction", "re_induction", "continuation")
SETTINGS = ("community", "on_site", "prison")

Stops = frozenset[str]


def stops(request: dict[str, Any]) -> Stops:
    """The rules that STOP a request, asked at the one door. None: it is let through."""
    answer = check(request)
    found = frozenset(f["rule"] for f in answer["findings"] if f["severity"] == "STOP")
    assert (answer["outcome"] == "STOP") is bool(found)
    return found


# -- what is forbidden: plain arithmetic on what was taken, limits read from the rule files ---


class Limits:
    """The numbers of the rule files, read without the engine."""

    def __init__(self, rule_set: str) -> None:
        self._set = rule_set
        self.full_start = self._rule("induction", "M-FD-01", "from_mg")
        self.start = self._rule("induction", "M-FD-02", "above_mg")
        self.usual_start = self._rule("induction", "M-FD-03", "above_mg")
        self.lost_start = self._rule("induction", "M-FD-09", "above_mg")
        self.hours_between = self._rule("induction", "M-D1-01", "under_hours")
        self.protocol_day_1 = self._rule("induction", "M-D1-07", "above_mg")
        self.day_1 = self._rule("induction", "M-D1-08", "above_mg")
        self.inexperienced_day_1 = self._rule("induction", "M-D1-10", "above_mg")
        self.cautious_day_1 = self._rule("induction", "M-D1-12", "above_mg")
        self.step = self._rule("titration", "M-TI-02", "above_mg")
        self.week_1 = self._rule("titration", "M-TI-03", "above_mg")
        self.week_2 = self._rule("titration", "M-TI-04", "above_mg")
        self.envelope = self._rule("prison", "P-02", "prison_day_1_mg") + self._rule(
            "prison", "P-02", "over_by_mg"
        )
        self.low_from = self._rule("facts", "tolerance", "low_from")
        self.lost_from = self._rule("facts", "tolerance", "lost_from")
        self.new_episode_from = self._rule("facts", "missed-days", "new_episode_from")

    def _rule(self, family: str, rule: str, limit: str) -> int:
        folder = Path(dosing.__file__).parent
        read = tomllib.loads((folder / f"{family}.toml").read_text("utf-8"))
        for entry in read["definition" if family == "facts" else "rule"]:
            if entry["id"] == rule:
                versions = [v for v in entry["version"] if self._set in v["sets"]]
                return int(versions[0]["limits"][limit])
        raise LookupError(rule)


# -- situations and orders ----------------------------------------------------------------


class Situation(NamedTuple):
    """The past as the rules can tell it apart. Amounts in mg; `day` 0 has no episode running."""

    day: int = 0
    start: int = 0
    last: int = 0
    missed: int = 0
    today: int = 0
    since: int = 0
    """Hours since the last dose of today; 0 when there is none."""
    again: bool = False
    """Does the episode (or the one an order would begin) follow a break that ended one?"""
    clean: int = 0
    """Days from the last dose before that break to the episode's first date; told apart up to 7."""
    week_ago: int = 0
    """The total seven days ago or on the last dosing day before; followed in week 2 only."""


class Ask(NamedTuple):
    """One order, and the facts about patient and prescriber it is judged on."""

    dose: int
    doses: int = 1
    """How many of this dose are still to be taken today, this one included."""
    phase: str = "induction"
    setting: str = "community"
    experienced: bool = True
    tolerance: str = "high"
    used: int | None = 0
    """Days since another opioid was last used when the episode began; None: none is known."""
    risk: bool = False


TOLERANCES: tuple[tuple[str, int | None], ...] = (
    ("high", 0), ("moderate", 0), ("low", 0), ("uncertain", 0), ("high", 4), ("high", 8),
    ("high", None),
)  # fmt: skip
"""Recorded tolerance and days without opioids: the last three force it low, lost and uncertain."""


def tolerance_of(situation: Situation, ask: Ask, limits: Limits) -> str:
    """High, moderate, low, uncertain or lost, worked out from the days alone."""
    free = ask.used
    if situation.again:
        free = situation.clean if free is None else min(free, situation.clean)
    if free is not None and free >= limits.lost_from:
        return "lost"
    if situation.again or (free is not None and free >= limits.low_from):
        return "low"
    if free is None:
        return "low" if ask.tolerance == "low" else "uncertain"
    return ask.tolerance


def breaches(situation: Situation, ask: Ask, limits: Limits) -> Iterator[str]:
    """What would be wrong with taking this order, all of it: nothing when it is no unsafe start."""
    total = situation.today + ask.dose * ask.doses
    if situation.day <= 1:
        if ask.dose >= limits.full_start or total >= limits.full_start:
            yield "a full-dose start"
        if total > _day_1_limit(situation, ask, limits):
            yield "a day-1 total over its limit"
        if situation.today and situation.since < limits.hours_between:
            yield "a further dose too soon"
        if ask.setting == "prison" and not situation.again and total > limits.envelope:
            yield "a day-1 total over the envelope"
        return
    rise = total - situation.last
    if situation.day <= 7 and total - situation.start > limits.week_1:
        yield "a week-1 rise over its limit"
    if situation.day >= 8 and rise > 0 and total - situation.week_ago > limits.week_2:
        yield "a week-2 rise over its limit"
    if rise > limits.step:
        yield "a step over its limit"


def _day_1_limit(situation: Situation, ask: Ask, limits: Limits) -> int:
    tolerance = tolerance_of(situation, ask, limits)
    if not situation.today and ask.doses == 1:
        if tolerance == "lost":
            return limits.lost_start
        suited = ask.experienced and tolerance == "high" and not ask.risk
        return limits.start if suited else limits.usual_start
    if tolerance in ("lost", "low", "uncertain") or ask.risk:
        return limits.cautious_day_1
    if not ask.experienced:
        return limits.inexperienced_day_1
    return limits.protocol_day_1 if ask.setting == "on_site" else limits.day_1


# -- taking, waiting, sleeping ------------------------------------------------------------


def after_taking(situation: Situation, mg: int, hours: int = 3) -> Situation:
    """So many hours after a dose was taken, the same day."""
    day = situation.day or 1
    start = 0 if day == 1 else situation.start
    return situation._replace(
        day=day, start=start, missed=0 if day == 1 else situation.missed,
        today=situation.today + mg, since=hours,
    )  # fmt: skip


def after_night(situation: Situation, limits: Limits) -> Situation:
    """The next morning. A day without a dose was missed; five of them end the episode."""
    if situation.day == 0:
        longer = min(situation.clean + 1, limits.lost_from) if situation.again else 0
        return situation._replace(clean=longer)
    if situation.today:
        start = situation.today if situation.day == 1 else situation.start
        return Situation(situation.day + 1, start, situation.today, again=situation.again)
    missed = situation.missed + 1
    if missed >= limits.new_episode_from:
        return Situation(again=True, clean=missed + 1)
    return situation._replace(day=situation.day + 1, missed=missed)


# -- the record that stands for a situation ------------------------------------------------


class Taken(NamedTuple):
    """One dose: so many dates after the first day of the walk, at an hour of London."""

    date: int
    hour: int
    mg: int


class Record(NamedTuple):
    """What was taken, and the moment the next order is for."""

    taken: tuple[Taken, ...]
    date: int
    hour: int = NOON


def record_of(situation: Situation) -> Record:
    """A record in this situation: one of the many it stands for.

    The morning doses fill the dates from day 1 to the last dosing day, at the last total; an
    episode after a break has one dose of 5 mg long before it.
    """
    earlier: tuple[Taken, ...] = ()
    if situation.again:
        earlier = (Taken(-max(situation.clean, 6), MORNING, 5),)
    if situation.day == 0:
        return Record(earlier, 0)
    date_of_order = situation.day - 1
    last_on = date_of_order - situation.missed - 1
    amounts = dict.fromkeys(range(1, last_on + 1), situation.last)
    if situation.day > 1:
        amounts[0] = situation.start or situation.week_ago
    if situation.week_ago:
        amounts |= dict.fromkeys(range(date_of_order - 6), situation.week_ago)
    taken = (*earlier, *(Taken(on, MORNING, mg) for on, mg in sorted(amounts.items()) if mg))
    if situation.today:
        taken = (*taken, Taken(date_of_order, NOON - situation.since, situation.today))
    return Record(taken, date_of_order)


@cache
def _at(rule_set: str, on: int, hour: int, minutes: int = 0) -> str:
    day = FIRST_DAYS[rule_set] + timedelta(days=on)
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=LONDON)
    return (moment - timedelta(minutes=minutes)).isoformat()


@cache
def _on(rule_set: str, on: int) -> str:
    return (FIRST_DAYS[rule_set] + timedelta(days=on)).isoformat()


RISK = ["benzodiazepine"]


def request_for(rule_set: str, record: Record, ask: Ask) -> dict[str, Any]:
    """The whole request of the contract, every fact beside the order as open as it can be."""
    now = _at(rule_set, record.date, record.hour)
    just_before = _at(rule_set, record.date, record.hour, 10)
    began = _episode_from(record)
    use = []
    if ask.used is not None:
        before = _at(rule_set, began - ask.used, 0 if ask.used else MORNING, 0 if ask.used else 480)
        use = [{"opioid": "heroin", "last_used_at": min(before, now)}]
    request: dict[str, Any] = {
        "case": "a walk",
        "rule_set": rule_set,
        "decided_at": now,
        "setting": ask.setting,
        "on_site_titration_protocol": True,
        "patient": {
            "date_of_birth": "1980-05-01",
            "sex": "male",
            "conditions": [],
            "medicines": [],
            "substance_use": RISK if ask.risk else [],
            "children_at_home": False,
        },
        "prescriber": {"experienced": ask.experienced},
        "assessment": {
            "opioid_use_history_at": just_before,
            "dependence_evidence_at": just_before,
            "physical_examination_at": just_before,
            "mental_state_at": just_before,
            "risk_assessment_at": just_before,
            "consent_at": just_before,
            "tolerance": ask.tolerance,
            "prescriber_assessed_at": [just_before],
        },
        "drug_tests": [
            {"sample": "urine", "sample_taken_at": just_before, "result": "opioid_positive"}
        ],
        "observations": [
            {
                "at": just_before,
                "withdrawal_scale": "cows",
                "withdrawal_score": 14,
                "sedation": "1",
                "breath_alcohol_micrograms_per_100ml": "0",
            }
        ],
        "opioid_use": use,
        "treatment_history": {
            "doses": [
                {
                    "product": "methadone_oral_solution",
                    "dose_mg": str(dose.mg),
                    "consumed_at": _at(rule_set, dose.date, dose.hour),
                }
                for dose in record.taken
            ]
        },
        "order": {
            "product": "methadone_oral_solution",
            "phase": ask.phase,
            "dose_mg": str(ask.dose),
            "doses_remaining_today": ask.doses,
        },
    }
    if ask.setting == "prison":
        first = min(record.taken, default=Taken(record.date, record.hour, 0))
        request["supply"] = {"in_possession": False}
        request["prison"] = {
            "received_at": _at(rule_set, first.date, first.hour, 180),
            "status": "remand",
            "plan": "stabilisation",
        }
    else:
        collected = {"collect_on": _on(rule_set, record.date), "supervised": True}
        request["supply"] = {"collections": [collected]}
    return request


def _episode_from(record: Record, new_episode_from: int = 5) -> int:
    """The date the episode of the order began, by the dates of the doses alone."""
    began, before = record.date, None
    for dose in sorted(record.taken):
        if before is None or dose.date - before - 1 >= new_episode_from:
            began = dose.date
        before = dose.date
    if before is not None and record.date - before - 1 >= new_episode_from:
        began = record.date
    return began


def situation_of(record: Record, limits: Limits) -> Situation:
    """The situation a record is in, by its dates and amounts alone."""
    totals: dict[int, int] = defaultdict(int)
    for dose in record.taken:
        totals[dose.date] += dose.mg
    before = [on for on in sorted(totals) if on < record.date]
    began = _episode_from(record, limits.new_episode_from)
    earlier = [on for on in before if on < began]
    again = bool(earlier)
    clean = min(began - earlier[-1], limits.lost_from) if again else 0
    today = totals.get(record.date, 0)
    since = record.hour - max((d.hour for d in record.taken if d.date == record.date), default=0)
    if began == record.date:
        return Situation(
            day=1 if today else 0, today=today, since=since if today else 0, again=again,
            clean=clean,
        )  # fmt: skip
    in_episode = [on for on in before if on >= began]
    day = record.date - began + 1
    week_ago = max((on for on in in_episode if on <= record.date - 7), default=None)
    return Situation(
        day,
        start=totals[began],
        last=totals[in_episode[-1]],
        missed=record.date - in_episode[-1] - 1,
        today=today,
        since=since if today else 0,
        again=again,
        week_ago=totals[week_ago] if week_ago is not None and day >= 8 else 0,
    )


# -- the merging --------------------------------------------------------------------------


def as_rules_see(situation: Situation, ask: Ask) -> tuple[Situation, Ask]:
    """The situation and order that stand for these: the same to every rule that can STOP."""
    if situation.day == 0 and situation.again and ask.phase != "re_induction":
        # A break of five days or more, and no re-induction: M-MD-04 reads nothing further.
        return Situation(again=True, clean=6), Ask(5, phase="maintenance")
    if situation.day <= 1:
        return situation, _first_day(situation, ask)
    ask = Ask(situation.today + ask.dose * ask.doses, phase=ask.phase, setting=ask.setting)
    in_prison = ask.setting == "prison" and not (
        # The envelope ends with prison day 5, but for a continuation nobody confirmed.
        (situation.day > 5 or situation.again) and ask.phase != "continuation"
    )
    ask = _one_word(ask) if in_prison else ask._replace(setting="community", phase="maintenance")
    situation = situation._replace(today=0, since=0, clean=0, again=situation.again and in_prison)
    if situation.day >= 8:
        situation = situation._replace(start=0, day=14 if situation.day == 14 else 8)
    return situation, ask


def _first_day(situation: Situation, ask: Ask) -> Ask:
    if situation.again:
        ask = ask._replace(tolerance="high")  # the break alone makes it low or lost
    if ask.setting == "prison" and (ask.phase == "continuation" or not situation.again):
        return _one_word(ask)
    # After a break the prison day is past the envelope's.
    setting = "on_site" if ask.setting == "on_site" else "community"
    lapsed = situation.day == 0 and situation.again
    return ask._replace(setting=setting, phase="re_induction" if lapsed else "induction")


def _one_word(ask: Ask) -> Ask:
    """In prison a re-induction is an induction while the episode runs; a reduction, maintenance."""
    same = {"re_induction": "induction", "reduction": "maintenance"}
    return ask._replace(phase=same.get(ask.phase, ask.phase))


# -- the walk -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """Which orders are tried. Doses and totals in mg."""

    doses: tuple[int, ...]
    """Single doses of day 1."""
    totals: tuple[int, ...]
    """Totals of a later day."""
    parts: tuple[int, ...] = (1, 2, 3)
    """In how many equal doses an order of day 1 is to be taken."""
    waits: tuple[int, ...] = (2, 6)
    """Hours between two doses of day 1, beside the three that the walk itself waits."""
    tolerances: tuple[tuple[str, int | None], ...] = TOLERANCES
    in_a_day: int = 8
    """Doses on day 1: as many as lie three hours apart."""


def every(step: int, most: int) -> tuple[int, ...]:
    return tuple(range(step, most + 1, step))


@dataclass
class Walk:
    """Every situation that orders let through can reach under one rule set."""

    rule_set: str
    grid: Grid
    without: Stops = frozenset()
    """Rules that are not heard: to see that a walk finds what they hold back."""
    asked: dict[tuple[Situation, Ask], Stops] = field(default_factory=dict)
    """The rules that stopped an order in a situation, by what the rules can tell apart."""
    found: dict[tuple[str, Situation, Ask], None] = field(default_factory=dict)
    """Every order let through that is an unsafe start."""
    mornings: list[set[Situation]] = field(default_factory=list)
    """The situations on each date of the walk, before its first dose."""

    def __post_init__(self) -> None:
        self.limits = Limits(self.rule_set)
        self._taken: dict[Situation, frozenset[int]] = {}
        self._began: dict[Situation, set[Situation]] = {}

    def lets_through(self, situation: Situation, ask: Ask) -> bool:
        """Is the order anything but STOPped in this situation?"""
        seen = as_rules_see(situation, ask)
        if seen not in self.asked:
            self.asked[seen] = stops(request_for(self.rule_set, record_of(seen[0]), seen[1]))
        return self.asked[seen] <= self.without

    def run(self, dates: int = 14) -> Walk:
        """Walk so many dates from nothing taken at all."""
        here = {Situation()}
        for _ in range(dates):
            self.mornings.append(here)
            here = {
                after_night(evening, self.limits)
                for morning in here
                for evening in self._evenings(morning)
            }
        return self

    def _evenings(self, morning: Situation) -> Iterator[Situation]:
        """Everything the day can come to, no dose at all included."""
        if morning.day == 0:
            yield from self._first_days(morning)
            return
        yield morning
        for week_ago in self._weeks_ago(morning.day):
            for mg in self._later_day(morning._replace(week_ago=week_ago)):
                yield after_taking(morning, mg)

    def _first_days(self, morning: Situation) -> set[Situation]:
        if morning not in self._began:
            reached, here = {morning}, {morning}
            for _ in range(self.grid.in_a_day):
                here = {
                    after_taking(situation, ask.dose)
                    for situation in here
                    for ask in self.first_day_asks(situation)
                    if self._given(situation, ask)
                } - reached
                reached |= here
                for situation in here:
                    # Sooner than three hours, and later: asked, though neither opens a new total.
                    for hours in self.grid.waits:
                        at = situation._replace(since=hours)
                        for ask in self.first_day_asks(at):
                            self._given(at, ask)
            self._began[morning] = reached
        return self._began[morning]

    def first_day_asks(self, situation: Situation) -> list[Ask]:
        """Every order of the grid on a first day that the rules can tell from the others."""
        lapsed = situation.day == 0 and situation.again
        tolerances = (("high", 0), ("high", None)) if situation.again else self.grid.tolerances
        words = [(setting, phase) for setting in SETTINGS for phase in PHASES]
        told = {as_rules_see(situation, Ask(5, 1, phase, setting))[1] for setting, phase in words}
        places = sorted({(ask.setting, ask.phase) for ask in told})
        if lapsed:
            places = [(setting, "re_induction") for setting, _ in places] + [
                ("prison", "induction")
            ]
        return [
            Ask(dose, doses, phase, setting, experienced, tolerance, used, risk)
            for dose in self.grid.doses
            for doses in self.grid.parts
            for tolerance, used in tolerances
            for risk in (False, True)
            for experienced in (True, False)
            for setting, phase in places
        ]

    def _later_day(self, situation: Situation) -> frozenset[int]:
        """The doses a later day can have: each total let through, or one half of it."""
        same = situation._replace(clean=0)
        if situation.day >= 8:
            same = as_rules_see(situation, Ask(5, setting="prison", phase="continuation"))[0]
        if same not in self._taken:
            taken: set[int] = set()
            for total in self.grid.totals:
                for setting, phase in LATER_PLACES:
                    if self._given(situation, Ask(total, 1, phase, setting)):
                        taken |= {total} if total % 10 else {total, total // 2}
            self._taken[same] = frozenset(taken)
        return self._taken[same]

    def _weeks_ago(self, day: int) -> list[int]:
        """In week 2, every total that any patient had seven days ago, or last before it."""
        if day < 8:
            return [0]
        return sorted({s.last for here in self.mornings for s in here if s.day == day - 6})

    def _given(self, situation: Situation, ask: Ask) -> bool:
        if not self.lets_through(situation, ask):
            return False
        for breach in breaches(situation, ask, self.limits):
            self.found[breach, situation, ask] = None
        return True
