"""Does any sequence of orders that the rules let through reach an unsafe start of methadone?

For every tolerance, risk, prescriber and setting, under both rule sets, over 14 days on a grid of
5 mg: through split doses, two prescribers, transfers between settings, missed days, re-inductions,
corrections, and however an order is written. `induction_walk.py` says how the walk goes, what it
merges and why. An unsafe start is worked out beside the engine, by plain arithmetic on what was
taken and limits read from the rule files: a day-1 total over its limit, a rise in week 1 over its
limit, a full-dose start; and as well a further dose too soon, a step and a week-2 rise over theirs.

What the rule tables themselves let through is named here, one test for each, and nothing else is.
"""

from __future__ import annotations

import dataclasses
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from dosing.check import rulebook
from dosing.facts import Facts, derive
from dosing.reading import read_request
from dosing.reasoning import REASONS
from dosing.request import DoseRequest
from tests.proofs.induction_walk import (
    FIRST_DAYS,
    PHASES,
    SETTINGS,
    TOLERANCES,
    Ask,
    Grid,
    Record,
    Situation,
    Taken,
    Walk,
    breaches,
    every,
    record_of,
    request_for,
    situation_of,
    stops,
)

pytestmark = pytest.mark.proves("RP-23")

WHOLE = Grid(every(5, 65), every(5, 120))
"""The walk of `make proof`."""
FEW = (("high", 0), ("moderate", 0), ("low", 0), ("high", 8))
SHORT = Grid((20, 30, 40, 50, 60), (40, 60, 80), (1,), waits=(2,), tolerances=FEW, in_a_day=3)
"""That of `make test`: few doses, on both sides of every limit."""
RULE_SETS = sorted(FIRST_DAYS)


long = pytest.mark.proof
rule_sets = pytest.mark.parametrize("rule_set", RULE_SETS)


# -- what the rule tables let through, and why ---------------------------------------------

ENVELOPE_BY_ANOTHER_NAME = "a further dose on prison day 1, its phase named maintenance"


def by_the_tables(breach: str, situation: Situation, ask: Ask) -> str | None:
    """Is this one of the ways the rule tables leave open? Its name, or None."""
    if (
        breach == "a day-1 total over the envelope"
        and situation.today
        and ask.phase in ("maintenance", "reduction")
    ):
        return ENVELOPE_BY_ANOTHER_NAME
    return None


# -- the walk -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "grid", [pytest.param(SHORT, id="short"), pytest.param(WHOLE, id="whole", marks=long)]
)
@rule_sets
def test_no_way_of_orders_let_through_reaches_an_unsafe_start(rule_set, grid):
    walked = Walk(rule_set, grid).run()

    assert [found for found in walked.found if by_the_tables(*found) is None] == []
    assert {by_the_tables(*found) for found in walked.found} == {ENVELOPE_BY_ANOTHER_NAME}
    it_went_right_up_to_every_limit(walked)
    a_break_of_five_days_ends_in_re_induction_only(walked)


def it_went_right_up_to_every_limit(walked: Walk) -> None:
    """A walk that got nowhere would find nothing either."""
    limits = walked.limits
    reached = {situation for here in walked.mornings for situation in here}

    assert {s.day for s in reached} == {0, *range(2, 15)}
    assert max(s.last for s in reached if s.day == 2) == limits.protocol_day_1
    assert max(s.last - s.start for s in reached if 2 < s.day <= 8) == limits.week_1
    assert {s.missed for s in reached} == set(range(limits.new_episode_from))
    assert any(s.again and s.day > 2 for s in reached), "nobody was inducted again"


def a_break_of_five_days_ends_in_re_induction_only(walked: Walk) -> None:
    lapsed = {s for here in walked.mornings for s in here if s.day == 0 and s.again}
    held = [
        stops(request_for(walked.rule_set, record_of(situation), Ask(5, 1, phase, setting)))
        for situation in lapsed
        for phase in PHASES
        for setting in SETTINGS
        if phase != "re_induction"
    ]

    assert {s.clean for s in lapsed} == {6, 7}
    assert all("M-MD-04" in each for each in held)


DAY_1, WEEK_1, WEEK_2 = 1, 7, 14
# A rule the walk does not hear, what it then finds, and within how many dates.
GUARDS = {
    "M-FD-01": ("a full-dose start", DAY_1),
    "M-FD-02": ("a day-1 total over its limit", DAY_1),
    "M-FD-03": ("a day-1 total over its limit", DAY_1),
    "M-FD-09": ("a day-1 total over its limit", DAY_1),
    "M-D1-01": ("a further dose too soon", DAY_1),
    "M-D1-07": ("a day-1 total over its limit", DAY_1),
    "M-D1-08": ("a day-1 total over its limit", DAY_1),
    "M-D1-10": ("a day-1 total over its limit", DAY_1),
    "M-D1-12": ("a day-1 total over its limit", DAY_1),
    "M-TI-02": ("a step over its limit", WEEK_1),
    "M-TI-03": ("a week-1 rise over its limit", WEEK_1),
    "M-TI-04": ("a week-2 rise over its limit", WEEK_2),
    "P-02": ("a day-1 total over the envelope", DAY_1),
}


@rule_sets
def test_a_walk_that_does_not_hear_one_rule_finds_the_way_it_held_back(rule_set):
    first_day = dataclasses.replace(SHORT, parts=(1,))
    later = dataclasses.replace(first_day, doses=(30,), waits=(), tolerances=FEW[:1])
    asked: dict = {}
    missed = {}

    for rule, (breach, dates) in GUARDS.items():
        grid = first_day if dates == DAY_1 else later
        walked = Walk(rule_set, grid, frozenset({rule}), asked=asked).run(dates)
        found = {name for name, *where in walked.found if not by_the_tables(name, *where)}
        if breach not in found:
            missed[rule] = found

    assert missed == {}


# -- is the merging sound? ----------------------------------------------------------------

OF_THE_PAST = {
    "first_dose": "is an episode running, and has it begun",
    "day": "the episode's day",
    "missed_days": "the missed days",
    "last_covered_on": "the missed days, as a date",
    "on": "D itself, to count days back",
    "episode_from": "the episode's day, as a date",
    "spans": "the day-1 total and the total seven days ago",
    "previous": "the last dosing day's total",
    "previous_on": "the missed days, as a date",
    "change": "the last dosing day's total against today's",
    "consumed_today": "today's mg and hours",
    "total_mg": "today's mg and the order",
    "dose_mg": "the order",
    "tolerance": "the break before, and the order's facts",
    "opioid_free_days": "the break before, and the order's facts",
    "risk_modifiers": "the order's facts",
    "confirmed": "no dose here is from elsewhere",
    "prison_day": "the episode's day, or past the envelope after a break",
    "last_dose_at": "everybody was seen ten minutes ago",
}
"""The derived facts that a rule able to STOP reads, and what of a situation they come from."""
NOT_OF_THE_PAST = {
    "request", "drug", "depot", "age", "alcohol", "cows", "sedation", "sedation_at",
    "hard_to_rouse", "drug_test", "ecg", "observed_at", "short_acting_at", "methadone_before",
}  # fmt: skip
"""Those that the walk leaves alone, or that are another drug's."""


def watched(kind: type, note: set[str]) -> type:
    """A kind whose fields are noted as they are read."""
    names = {each.name for each in dataclasses.fields(kind)}

    def read(self: Any, name: str) -> Any:
        if name in names:
            note.add(name)
        return object.__getattribute__(self, name)

    return type(kind.__name__, (kind,), {"__slots__": (), "__getattribute__": read})


def as_a(kind: type, of: Any, **changed: Any) -> Any:
    out = object.__new__(kind)
    for each in dataclasses.fields(of):
        object.__setattr__(out, each.name, changed.get(each.name, getattr(of, each.name)))
    return out


@rule_sets
def test_a_rule_that_can_stop_reads_nothing_of_the_past_but_what_a_situation_keeps(rule_set):
    of_facts: set[str] = set()
    of_request: set[str] = set()
    facts_kind, request_kind = watched(Facts, of_facts), watched(DoseRequest, of_request)
    book = rulebook()

    walked = Walk(rule_set, dataclasses.replace(FEWEST, totals=(30, 60), waits=(2,))).run()
    for situation, ask in walked.asked:
        request = read_request(request_for(rule_set, record_of(situation), ask))
        facts = derive(request, book.defined(rule_set, request.on))
        facts = as_a(facts_kind, facts, request=as_a(request_kind, request))
        for rule, version in book.in_force(rule_set, request.on).items():
            if version.severity == "STOP":
                REASONS[rule](facts, version)

    assert of_facts <= set(OF_THE_PAST) | NOT_OF_THE_PAST
    assert set(OF_THE_PAST) <= of_facts
    assert "treatment_history" not in of_request
    assert "opioid_use" not in of_request


def any_facts(choose: random.Random, dose: int, parts: int) -> Ask:
    """An order with facts drawn anew."""
    tolerance, used = choose.choice(TOLERANCES)
    return Ask(
        dose, parts, choose.choice(PHASES), choose.choice(SETTINGS),
        choose.random() < 0.5, tolerance, used, choose.random() < 0.5,
    )  # fmt: skip


def shuffled(record: Record, choose: random.Random) -> Record:
    """The same doses in another order, as when one was struck out and entered again."""
    return record._replace(taken=tuple(choose.sample(record.taken, len(record.taken))))


class Unmerged:
    """Every way of a few dates, each with its own whole record, asked order by order."""

    def __init__(self, rule_set: str, grid: Grid, varied: int) -> None:
        self.walk, self.grid, self.varied = Walk(rule_set, grid), grid, varied
        self.choose = random.Random(4)
        self.disagreed: list[tuple[Record, Ask]] = []
        self.unsafe: list[tuple[str, Situation, Ask]] = []
        self.asked = 0

    def go(self, dates: int) -> list[set[Situation]]:
        """The situations on each date, before its first dose."""
        mornings: list[set[Situation]] = [set() for _ in range(dates)]
        self._go((), mornings, 0)
        return mornings

    def _go(self, taken: tuple[Taken, ...], mornings: list[set[Situation]], date: int) -> None:
        if date == len(mornings):
            return
        morning = Record(taken, date, HOURS[0])
        mornings[date].add(situation_of(morning, self.walk.limits))
        for evening in self._evenings(morning):
            self._go(evening, mornings, date + 1)

    def _evenings(self, record: Record) -> Iterator[tuple[Taken, ...]]:
        yield record.taken
        later = [hour for hour in HOURS if hour > record.hour]
        for mg in sorted({ask.dose for ask in self._asks(record) if self.given(record, ask)}):
            taken = (*record.taken, Taken(record.date, record.hour, mg))
            if later:
                yield from self._evenings(Record(taken, record.date, later[0]))
            else:
                yield taken

    def _asks(self, record: Record) -> Iterator[Ask]:
        """Each dose of the grid: as the order that opens most, and with facts drawn anew."""
        situation = situation_of(record, self.walk.limits)
        if situation.day <= 1:
            doses = [(dose, parts) for dose in self.grid.doses for parts in self.grid.parts]
        else:
            left = [total - situation.today for total in self.grid.totals]
            doses = [(dose, 1) for dose in left if dose > 0]
            if not situation.today:
                doses += [(dose // 2, 2) for dose in left if dose % 10 == 0]
        for dose, parts in doses:
            yield Ask(dose, parts, "re_induction", "on_site")
            for _ in range(self.varied):
                yield any_facts(self.choose, dose, parts)

    def given(self, record: Record, ask: Ask) -> bool:
        """Is it let through? Notes where the walk says otherwise, and what is unsafe."""
        self.asked += 1
        situation = situation_of(record, self.walk.limits)
        given = not stops(request_for(self.walk.rule_set, shuffled(record, self.choose), ask))
        if given is not self.walk.lets_through(situation, ask):
            self.disagreed.append((record, ask))
        if given:
            for breach in breaches(situation, ask, self.walk.limits):
                if by_the_tables(breach, situation, ask) is None:
                    self.unsafe.append((breach, situation, ask))
        return given


HOURS = (9, 12, 15)


@pytest.mark.parametrize(
    ("grid", "varied"),
    [
        pytest.param(Grid((10, 30), (20, 40), (1, 2)), 1, id="short"),
        pytest.param(Grid((5, 10, 30), (5, 20, 40, 60), (1, 2)), 2, id="whole", marks=long),
    ],
)
@rule_sets
def test_four_days_walked_without_merging_come_to_the_same(rule_set, grid, varied):
    unmerged = Unmerged(rule_set, grid, varied)

    reached = unmerged.go(4)

    assert unmerged.disagreed == []
    assert unmerged.unsafe == []
    assert reached == Walk(rule_set, grid).run(4).mornings


@pytest.mark.parametrize(
    "ways", [pytest.param(40, id="short"), pytest.param(2000, id="whole", marks=long)]
)
@rule_sets
def test_ways_of_14_days_drawn_at_random_agree_with_the_merging(rule_set, ways):
    unmerged = Unmerged(rule_set, WHOLE, 1)
    choose = unmerged.choose

    for _ in range(ways):
        taken: tuple[Taken, ...] = ()
        date = 0
        while date < 14:
            for hour in choose.sample(HOURS, choose.choice((1, 1, 2))):
                record = Record(tuple(d for d in taken), date, hour)
                if any(dose.date == date and dose.hour >= hour for dose in taken):
                    continue
                last = situation_of(record, unmerged.walk.limits).last
                mg = max(5, last + choose.choice((-30, -5, 0, 5, 10, 20, 20, 25, 30)))
                ask = any_facts(choose, mg, choose.choice((1, 1, 2)))
                if ask.dose * ask.doses <= 100 and unmerged.given(record, ask):
                    taken = (*taken, Taken(date, hour, mg))
            date += choose.choices((1, 2, 4, 5, 6, 8), (20, 3, 1, 1, 1, 1))[0]

    assert unmerged.disagreed == []
    assert unmerged.unsafe == []


# -- corrections --------------------------------------------------------------------------

HELD = "a dose held, whose day 1 was corrected to less"


@pytest.mark.parametrize("step", [pytest.param(20, id="short"), pytest.param(5, marks=long)])
@rule_sets
def test_whatever_a_record_was_corrected_to_no_order_raises_beyond_a_limit(rule_set, step):
    """A correction can leave any amounts behind; what is judged is the record as it stands.

    So every record of the grid is asked about, reached by orders or not. All that is let through
    beyond 30 mg above a day 1 corrected downward is a dose that raises nothing.
    """
    walk, amounts = Walk(rule_set, WHOLE), every(step, 120)
    records = [Situation(1, today=today, since=3) for today in amounts]
    records += [
        Situation(day, start, last) for day in (3, 7) for start in amounts for last in amounts
    ]
    records += [
        Situation(day, last=last, week_ago=week_ago)
        for day in (8, 14)
        for week_ago in amounts
        for last in amounts
    ]

    named = set()
    for situation in records:
        for total in amounts:
            ask = Ask(total, setting="on_site", phase="maintenance")
            if walk.lets_through(situation, ask):
                for breach in breaches(situation, ask, walk.limits):
                    held = breach == "a week-1 rise over its limit" and total <= situation.last
                    named.add(HELD if held else (breach, situation, ask))

    assert named == {HELD}


def test_a_dose_struck_out_and_entered_again_stands_where_it_stood():
    """Whatever its place in the list: the rules go by when it was taken."""
    taken = (Taken(0, 9, 30), Taken(1, 9, 40), Taken(2, 9, 50), Taken(2, 12, 5))
    ask = Ask(10, phase="maintenance")

    in_every_order = {
        stops(request_for("uk-2017", Record(tuple(order), 2, 15), ask))
        for order in permutations(taken)
    }

    assert in_every_order == {frozenset({"M-TI-02", "M-TI-03"})}


# -- however an order is written ----------------------------------------------------------


def in_micrograms(request: dict) -> None:
    order = request["order"]
    order["dose_micrograms"] = str(int(order.pop("dose_mg")) * 1000)


def as_a_volume(request: dict) -> None:
    order = request["order"]
    order |= {"volume_ml": order["dose_mg"], "strength_mg_per_ml": "1"}


def as_a_diluted_concentrate(request: dict) -> None:
    order = request["order"]
    ml = Decimal(order["dose_mg"]) / 10
    order |= {"volume_ml": str(ml), "strength_mg_per_ml": "10", "diluted": True}


def as_tablets(request: dict) -> None:
    order = request["order"]
    count = int(order["dose_mg"]) // 5
    order |= {
        "product": "methadone_tablets",
        "tablets": [{"strength_mg": "5", "count": count}],
    }


def of_tablets_before(request: dict) -> None:
    for dose in request["treatment_history"]["doses"]:
        dose["product"] = "methadone_tablets"


def with_days_before_as_ranges(request: dict) -> None:
    history, on = request["treatment_history"], request["decided_at"][:10]
    totals: dict[str, int] = defaultdict(int)
    for dose in history["doses"]:
        totals[dose["consumed_at"][:10]] += int(dose["dose_mg"])
    history["doses"] = [d for d in history["doses"] if d["consumed_at"][:10] == on]
    history["steady_doses"] = [
        {
            "product": "methadone_oral_solution", "daily_dose_mg": str(mg), "from_on": day,
            "to_on": day,
        }
        for day, mg in totals.items()
        if day != on
    ]  # fmt: skip


def timed_elsewhere(request: dict) -> None:
    """The same instants, written with the offset of another country."""
    for holder in (request, *request["treatment_history"]["doses"]):
        for name in ("decided_at", "consumed_at"):
            if name in holder:
                at = datetime.fromisoformat(holder[name])
                holder[name] = at.astimezone(timezone(timedelta(hours=9))).isoformat()


def beside_a_claim(request: dict) -> None:
    """80 mg a day elsewhere, the year before, that nobody has confirmed."""
    doses = request["treatment_history"]["doses"]
    first = min((dose["consumed_at"] for dose in doses), default=request["decided_at"])[:10]
    until = date.fromisoformat(first) - timedelta(days=1)
    request["treatment_history"]["steady_doses"] = [
        {
            "product": "methadone_oral_solution", "daily_dose_mg": "80",
            "from_on": str(until - timedelta(days=365)), "to_on": str(until),
            "recorded_by": "elsewhere",
        }
    ]  # fmt: skip


SAME_ORDER = [
    in_micrograms, as_a_volume, as_a_diluted_concentrate, as_tablets, of_tablets_before,
    with_days_before_as_ranges, timed_elsewhere, beside_a_claim,
]  # fmt: skip


def with_no_unit(request: dict) -> None:
    request["order"]["dose_without_unit"] = request["order"].pop("dose_mg")


def with_two_units(request: dict) -> None:
    request["order"]["dose_micrograms"] = request["order"]["dose_mg"]


def as_a_volume_alone(request: dict) -> None:
    request["order"]["volume_ml"] = request["order"]["dose_mg"]


def as_a_volume_of_ten_times_the_strength(request: dict) -> None:
    as_a_volume(request)
    request["order"] |= {"strength_mg_per_ml": "10", "diluted": True}


def as_an_undiluted_concentrate(request: dict) -> None:
    as_a_diluted_concentrate(request)
    del request["order"]["diluted"]


def as_linctus(request: dict) -> None:
    request["order"]["product"] = "methadone_linctus"


MISWRITTEN = [
    with_no_unit, with_two_units, as_a_volume_alone, as_a_volume_of_ten_times_the_strength,
    as_an_undiluted_concentrate, as_linctus,
]  # fmt: skip


FEWEST = Grid((20, 40), (50, 70), (1,), waits=(), tolerances=FEW[:1], in_a_day=2)


@pytest.mark.proves("U-01", "U-02", "U-03", "U-04", "U-06")
@pytest.mark.parametrize(
    "grid", [pytest.param(FEWEST, id="short"), pytest.param(SHORT, id="whole", marks=long)]
)
@rule_sets
def test_however_an_order_is_written_the_same_is_let_through(rule_set, grid):
    walked = Walk(rule_set, grid).run(8)

    otherwise = []
    for situation, ask in list(walked.asked):
        held = bool(walked.asked[situation, ask])
        for write in SAME_ORDER + MISWRITTEN:
            if (write is in_micrograms and ask.dose >= 100) or (
                write is beside_a_claim and (situation.again or ask.used != 0)
            ):
                continue  # five digits at most; a claim is an opioid like any other
            request = request_for(rule_set, record_of(situation), ask)
            write(request)
            if bool(stops(request)) is not (held or write in MISWRITTEN):
                otherwise.append((write.__name__, situation, ask))

    assert otherwise == []


# -- what the rule tables themselves leave open --------------------------------------------
#
# Each is let through as the contract and the rule tables are written. None is an order that
# itself makes a day-1 total, a week-1 rise or a start unsafe on the record it is judged on.


def let_through(*taken: Taken, on: int, hour: int, ask: Ask, **changed: Any) -> bool:
    request = request_for("uk-2017", Record(taken, on, hour), ask)
    for name, value in changed.items():
        request["treatment_history"][name] = value
    return not stops(request)


def test_left_open_the_prison_envelope_binds_an_induction_by_name_only():
    """P-01 and P-02 speak of a first dose or an induction phase; M-D1 binds a further dose still."""
    first = Taken(0, 9, 20)

    named = {
        phase: let_through(first, on=0, hour=12, ask=Ask(20, phase=phase, setting="prison"))
        for phase in PHASES
    }

    assert named == {
        "induction": False, "re_induction": False, "continuation": False,
        "maintenance": True, "reduction": True,
    }  # fmt: skip
    assert not let_through(first, on=0, hour=12, ask=Ask(25, phase="maintenance", setting="prison"))


def test_left_open_a_dose_is_held_though_day_1_was_corrected_to_less():
    """The M-TI rules run on an increase only: 60 mg, as yesterday, 50 above what day 1 became."""
    taken = (Taken(0, 9, 10), Taken(1, 9, 50), Taken(2, 9, 60))

    assert let_through(*taken, on=3, hour=9, ask=Ask(60, phase="maintenance"))
    assert not let_through(*taken, on=3, hour=9, ask=Ask(65, phase="maintenance"))


def test_left_open_a_first_day_struck_out_makes_the_second_day_the_first():
    """What was judged as day 2 stands as day 1; nothing more is let through on it."""
    second = Taken(1, 9, 55)

    assert let_through(Taken(0, 9, 40), on=1, hour=9, ask=Ask(55, phase="maintenance"))
    assert not let_through(second, on=1, hour=12, ask=Ask(5))
    assert let_through(second, on=2, hour=9, ask=Ask(75, phase="maintenance"))


def test_left_open_what_was_swallowed_and_is_not_in_the_record_is_not_counted():
    """A dose struck out though taken, or an order let through and not yet taken.

    The check knows no more than it is told. The service counts both as taken: a dose struck out,
    until a second person agrees; a dose decided on, until its outcome is recorded.
    """
    first = Taken(0, 9, 40)

    assert let_through(on=0, hour=12, ask=Ask(40))
    assert not let_through(first, on=0, hour=12, ask=Ask(40))


def test_left_open_a_claimed_dose_of_today_is_not_added():
    """A dose from elsewhere counts once prescriber and pharmacy confirm it; until then, not at all."""
    claimed = {
        "product": "methadone_oral_solution", "dose_mg": "40", "recorded_by": "elsewhere",
        "consumed_at": "2024-03-25T09:00:00+00:00",
    }  # fmt: skip
    confirmed = {
        "elsewhere_confirmed_by_prescriber_at": "2024-03-25T10:00:00+00:00",
        "elsewhere_confirmed_by_pharmacy_at": "2024-03-25T10:00:00+00:00",
    }

    assert let_through(on=0, hour=12, ask=Ask(40), doses=[claimed])
    assert not let_through(on=0, hour=12, ask=Ask(40), doses=[claimed], **confirmed)


def test_left_open_two_days_meet_at_midnight():
    """Day 1 is a calendar date: 40 mg late on it, and 20 more than that an hour after midnight."""
    late = Taken(0, 23, 40)

    assert let_through(late, on=1, hour=0, ask=Ask(60, phase="maintenance"))
    assert not let_through(Taken(0, 22, 40), on=0, hour=23, ask=Ask(5))
