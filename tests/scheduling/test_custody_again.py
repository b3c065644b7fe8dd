"""The due dates worked out a second time, by listing days and picking, and the two compared.

Nothing here is shared with the engine but the contract: bank holidays come from the library the
pinned files were written from, and each date is chosen from a list of all the days around the
stay. The short form runs with every test run, the long one as a proof.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from config.holidays import bank_holidays
from scheduling.calendars import HolidayLists
from scheduling.custody import plan
from tests.config.write_bank_holidays import days_off

HOLIDAYS = HolidayLists(**bank_holidays())
LISTED = {nation: set(days_off(nation)) for nation in HOLIDAYS.days}
LONDON = ZoneInfo("Europe/London")
SOMETHING_HAPPENS = [  # days around which the calendars and the clocks are awkward
    "2011-04-22",
    "2012-06-01",
    "2016-02-26",
    "2018-03-23",
    "2018-12-20",
    "2019-10-25",
    "2019-12-30",
    "2020-02-27",
    "2021-07-09",
    "2022-05-31",
    "2022-09-15",
    "2026-06-12",
]


def plus(day: date, days: int) -> date:
    return day + timedelta(days=days)


def worked_days(prison: dict[str, Any], known: date, around: list[date]) -> set[date]:
    worked = set()
    for day in around:
        off = day in LISTED[prison["nation"]]
        for change in prison.get("calendar_changes", []):
            if date.fromisoformat(change["on"]) == day:
                announced = change.get("announced_on")
                in_force = announced is None or date.fromisoformat(announced) <= known
                off = (change["change"] == "added") is in_force
        closed = day.isoformat() in prison.get("closure_days", [])
        if day.strftime("%a") not in ("Sat", "Sun") and not off and not closed:
            worked.add(day)
    return worked


def again(request: dict[str, Any], *, events: bool = True, known: date | None = None) -> Any:
    """Every due date of the request, by item (a court pack by item and hearing day)."""
    london: Callable[[str], date] = lambda at: (  # noqa: E731
        datetime.fromisoformat(at).astimezone(LONDON).date()
    )
    as_at_on = known or london(request["as_at"])
    r = london(request["received_at"])
    first = r if request.get("day_count") != "day_after_reception_is_day_1" else plus(r, 1)
    day = {number: plus(first, number - 1) for number in range(1, 30)}
    around = [plus(r, number) for number in range(-40, 80)]

    hearings: dict[date, date] = {}
    for court in request.get("courts", []) if events else []:
        known_on = london(court.get("known_at") or request["received_at"])
        on = london(court["starts_at"])
        if r < on <= day[28]:
            hearings[on] = min(known_on, hearings.get(on, known_on))
    release = request.get("known_release") if events else None
    leaves = date.fromisoformat(release["on"]) if release else None
    if leaves and not r < leaves <= day[28]:
        leaves = None
    leaves_known = london((release or {}).get("known_at") or request["received_at"])
    move = request.get("transfer") if events else None
    moves = date.fromisoformat(move["on"]) if move else None
    if moves and not r < moves <= day[28]:
        move = moves = None
    moves_known = date.fromisoformat((move or {}).get("booked_on") or r.isoformat())

    sending = worked_days(request["prison"], as_at_on, around)
    receiving = worked_days(move, as_at_on, around) if move else sending
    worked = sorted(
        each for each in around if each in (receiving if moves and each >= moves else sending)
    )
    blocks = {week: [day[n] for n in range(7 * week - 6, 7 * week + 1)] for week in range(1, 5)}
    inside = {**blocks, 1: [plus(r, n) for n in range((day[7] - r).days + 1)]}
    kw = next(each for each in worked if each > r)

    def nwd(to: date) -> date:
        return next(each for each in worked if each >= to)

    def pwd(to: date) -> date:
        return [each for each in worked if each <= to][-1]

    def back(number: int) -> date:
        week = (number + 6) // 7
        fitting = [w for w in worked if w in inside[week] and kw <= w <= day[number]]
        return fitting[-1] if fitting else nwd(day[number])

    def pull(on: date, known_on: date) -> date:
        return sorted([r, pwd(plus(on, -1)), known_on])[-1]

    taken = {**hearings, **({moves: moves_known} if moves else {})}

    def untaken(due: date | None, pulled_by: set[date]) -> date | None:
        if due is None or due not in taken or due in pulled_by:
            return due
        block = next(days for days in inside.values() if due in days)
        known_on = min(at for on, at in [*hearings.items(), (moves, moves_known)] if on == due)
        before = [w for w in worked if w < due and w not in taken]
        if before and before[-1] in block and before[-1] >= kw and before[-1] >= known_on:
            return before[-1]
        return next(w for w in worked if w > due and w not in taken)

    out: dict[Any, date | None] = {"reception_screening": r}
    for key in ("keyworker_named", "smta"):
        out[key] = None if leaves and kw > leaves else kw
    out["clinical_review"] = None if leaves and day[5] > leaves else day[5]

    early = {on: at for on, at in hearings.items() if on <= day[7]}
    pulls = [pull(*each) for each in early.items()]
    if leaves and leaves <= day[7]:
        pulls.append(pull(leaves, leaves_known))
    cp = untaken(min([back(5), *pulls]), set(early))
    assert cp is not None
    for key in ("initial_keywork", "collate_assessments", "csma", "joint_care_plan"):
        out[key] = cp
    day_5_off = day[5] not in worked or day[5] in taken
    out["carat_report"] = cp if cp < day[5] and day_5_off and out["clinical_review"] else None

    pulls = [pull(*each) for each in hearings.items()]
    if leaves:
        pulls.append(pull(leaves, leaves_known))
    for key in ("harm_minimisation", "overdose_session", "community_referral"):
        out[key] = untaken(min([back(7), *pulls]), set(hearings))

    for week in range(1, 5):
        due: date | None = back(7 * week)
        if leaves and leaves < inside[week][0]:
            due = None
        elif leaves and leaves in inside[week]:
            fits = pwd(plus(leaves, -1)) >= inside[week][0]
            due = min(back(7 * week), pull(leaves, leaves_known)) if fits else None
        due = untaken(due, set())
        if week == 1:
            out["relaxation"] = due
            continue
        out[f"keywork_week_{week}"] = out[f"case_review_week_{week}"] = due
        available = [
            each
            for each in blocks[week]
            if each in worked and each not in taken and not (leaves and each >= leaves)
        ]
        out[f"groups_week_{week}"] = due if available else None

    last: date | None = back(28)
    if leaves:
        fits = pwd(plus(leaves, -1)) >= kw
        last = min(back(28), pull(leaves, leaves_known)) if fits else None
    out["final_review"] = out["certificate"] = untaken(last, set())
    needed = request.get("needs_post_28_programme")
    out["post_28_referral"] = out["certificate"] if needed else None

    for on, known_on in hearings.items():
        out["court_pack", on] = pull(on, known_on)
    if moves:
        eve = sorted([r, pwd(plus(moves, -1)), moves_known])[-1]
        out["tell_receiving_team"] = out["receiving_keyworker_named"] = eve
        out["file_sent"] = moves
        out["tell_cjit_of_move"] = min(each for each in sending if each >= moves)
        out["receiving_keyworker_contact"] = min(each for each in receiving if each > moves)
    return out


def a_random_request(chance: random.Random) -> dict[str, Any]:
    near = date.fromisoformat(chance.choice(SOMETHING_HAPPENS))
    r = plus(near, chance.randint(-28, 6))
    if chance.random() < 0.4:
        r = plus(date(2007, 1, 1), chance.randrange(7000))
    clock = time(chance.randrange(24), chance.randrange(60))
    received_at = datetime.combine(r, clock, tzinfo=LONDON).astimezone(UTC)

    def a_day(least: int = 1, most: int = 32) -> date:
        return plus(r, chance.randint(least, most))

    def a_prison() -> dict[str, Any]:
        prison: dict[str, Any] = {"nation": chance.choice(sorted(LISTED))}
        if chance.random() < 0.4:
            start = a_day(-3, 28)
            closed = [plus(start, n) for n in range(chance.randint(1, 9))]
            prison["closure_days"] = [each.isoformat() for each in closed]
        if chance.random() < 0.4:
            change: dict[str, Any] = {
                "on": a_day(-3, 28).isoformat(),
                "change": chance.choice(["added", "removed"]),
            }
            if chance.random() < 0.8:
                change["announced_on"] = a_day(-5, 20).isoformat()
            prison["calendar_changes"] = [change]
        return prison

    as_at = received_at + timedelta(hours=chance.randint(0, 900))

    def a_known_moment() -> str | None:
        since = chance.choice([None, 0, -100, chance.randint(0, 400)])
        if since is None:
            return None
        return min(received_at + timedelta(hours=since), as_at).isoformat()

    request: dict[str, Any] = {
        "case": "generated",
        "as_at": as_at.isoformat(),
        "received_at": received_at.isoformat(),
        "prison": a_prison(),
        "needs_post_28_programme": chance.choice([True, False, None]),
        "day_count": chance.choice([None, "reception_is_day_1", "day_after_reception_is_day_1"]),
        "courts": [
            {
                "starts_at": datetime.combine(a_day(), time(10), tzinfo=LONDON).isoformat(),
                "known_at": a_known_moment(),
            }
            for _ in range(chance.choice([0, 0, 1, 1, 2, 4]))
        ],
    }
    if chance.random() < 0.5:
        request["plan_made_on"] = a_day(0, 10).isoformat()
    if chance.random() < 0.4:
        request["known_release"] = {"on": a_day(0).isoformat(), "known_at": a_known_moment()}
    if chance.random() < 0.4:
        booked = min(a_day(-2, 12), as_at.astimezone(LONDON).date())
        request["transfer"] = {
            "on": a_day().isoformat(),
            "booked_on": chance.choice([None, booked.isoformat()]),
            **a_prison(),
        }
    return request


def compare(count: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(count):
        request = a_random_request(chance)
        rows = plan(request, HOLIDAYS)["items"]

        as_at_on = datetime.fromisoformat(request["as_at"]).astimezone(LONDON).date()
        r = datetime.fromisoformat(request["received_at"]).astimezone(LONDON).date()
        made_on = date.fromisoformat(request.get("plan_made_on") or r.isoformat())
        dates = again(request)
        own = again(request, events=False, known=min(made_on, as_at_on))
        assert len(rows) == len(dates)
        for row in rows:
            for_on = row["for_on"]
            key = (row["item"], date.fromisoformat(for_on)) if for_on else row["item"]
            due_on = dates[key]
            assert row["due_on"] == (due_on.isoformat() if due_on else None), (key, request)
            if key in own and row["item"] != "court_pack":
                original = own[key] if own[key] != due_on else None
                wanted = original.isoformat() if original else None
                assert row["original_due_on"] == wanted, (key, request)
                assert bool(row["moved_by"]) is (own[key] != due_on), (key, request)


@pytest.mark.proves("TT-01", "TT-10", "TT-19", "TT-20", "TT-26")
def test_a_second_calculation_gives_the_same_dates() -> None:
    compare(300, seed=28)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(10))
def test_a_second_calculation_gives_the_same_dates_at_length(seed: int) -> None:
    compare(500, seed)
