"""The 28-day timetable, sentence by sentence of its contract.

Most stays here begin on Monday 2 September 2019 in England, a month without a holiday: day 5 is
Friday 6, day 7 Sunday 8, the weeks end on Sundays 15, 22 and 29.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest

from config.holidays import bank_holidays
from dosing.shape import Refused
from scheduling.calendars import HolidayLists
from scheduling.custody import plan, response_schema
from scheduling.custody_rules import DELIVERABLE, ITEMS, RULES, TABLE, clock, limit

HOLIDAYS = HolidayLists(**bank_holidays())
ANSWER = jsonschema.Draft202012Validator(response_schema())
ENGLAND = {"nation": "england_and_wales"}
CP_SET = ["initial_keywork", "collate_assessments", "csma", "joint_care_plan"]
PHASE_1 = ["harm_minimisation", "overdose_session", "community_referral"]
EVERYONE = ["patient", "carat", "healthcare"]

Timetable = dict[str, Any]


def a_request(received: str = "2019-09-02T10:00:00+01:00", **facts: Any) -> dict[str, Any]:
    """A stay from Monday 2 September 2019, asked about an hour after reception."""
    return {
        "case": "a",
        "as_at": "2019-09-02T11:00:00+01:00",
        "received_at": received,
        "prison": ENGLAND,
        **({} if received.startswith("2019-09-02") else {"as_at": received}),
        **facts,
    }


def a_timetable(*received: str, **facts: Any) -> Timetable:
    answer = plan(a_request(*received, **facts), HOLIDAYS)
    ANSWER.validate(answer)
    return answer


def row(timetable: Timetable, item: str, for_on: str | None = None) -> dict[str, Any]:
    (found,) = [
        each
        for each in timetable["items"]
        if each["item"] == item and for_on in (None, each["for_on"])
    ]
    return found


def due(timetable: Timetable, *items: str) -> set[str | None]:
    return {row(timetable, item)["due_on"] for item in items}


def flags(timetable: Timetable) -> list[str]:
    return [each["flag"] for each in timetable["flags"]]


def a_court(on: str, **facts: Any) -> dict[str, Any]:
    return {"starts_at": f"{on}T10:00:00+01:00", **facts}


def a_transfer(on: str, **facts: Any) -> dict[str, Any]:
    return {"on": on, **ENGLAND, **facts}


def a_delivery(item: str, on: str, **facts: Any) -> dict[str, Any]:
    return {"item": item, "done_at": f"{on}T15:00:00+01:00", **facts}


def a_session(on: str, **facts: Any) -> dict[str, Any]:
    return {"starts_at": f"{on}T13:30:00+01:00", "topic": "alcohol", **facts}


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"cases": 1}, "cases"),
        ({"case": None}, "case"),
        ({"case": 7}, "case"),
        ({"as_at": "2019-09-02T11:00:00"}, "as_at"),
        ({"as_at": None}, "as_at"),
        ({"received_at": "2019-09-02"}, "received_at"),
        ({"received_at": "2019-09-02T12:00:00+01:00"}, "received_at"),
        ({"prison": None}, "prison"),
        ({"prison": {}}, "prison.nation"),
        ({"prison": {"nation": "wales"}}, "prison.nation"),
        ({"prison": {**ENGLAND, "closure_days": "2019-09-03"}}, "prison.closure_days"),
        ({"plan_made_on": "2019-02-29"}, "plan_made_on"),
        ({"day_count": "day_0"}, "day_count"),
        ({"courts": [{}]}, "courts[0].starts_at"),
        ({"courts": [{"starts_at": "2019-09-02T10:00:00+01:00"}]}, "courts[0].starts_at"),
        ({"courts": [a_court("2019-09-05"), a_court("2019-09-01")]}, "courts[1].starts_at"),
        ({"courts": [a_court("2019-09-05", outcome="bailed")]}, "courts[0].outcome"),
        ({"courts": [a_court("2019-09-05", outcome="released")]}, "courts[0].outcome"),
        ({"known_release": {}}, "known_release.on"),
        ({"known_release": {"on": "2019-09-05", "known_on": "x"}}, "known_release.known_on"),
        ({"transfer": {"on": "2019-09-05"}}, "transfer.nation"),
        ({"transfer": {**ENGLAND}}, "transfer.on"),
        (
            {"transfer": a_transfer("2019-09-05", prescriber_cover="yes")},
            "transfer.prescriber_cover",
        ),
        ({"exit": {"at": "2019-09-02T12:00:00+01:00", "how": "court"}}, "exit.at"),
        ({"exit": {"at": "2019-09-02T09:00:00+01:00", "how": "court"}}, "exit.at"),
        ({"exit": {"at": "2019-09-02T10:30:00+01:00"}}, "exit.how"),
        ({"exit": {"at": "2019-09-02T10:30:00+01:00", "how": "bail"}}, "exit.how"),
        (
            {"unavailable": [{"from_on": "2019-09-05", "to_on": "2019-09-04", "reason": "other"}]},
            "unavailable[0].to_on",
        ),
        ({"unavailable": [{"from_on": "2019-09-05"}]}, "unavailable[0].reason"),
        ({"sessions": [a_session("2019-09-10", topic="yoga")]}, "sessions[0].topic"),
        ({"sessions": [a_session("2019-09-10", places_left=-1)]}, "sessions[0].places_left"),
        ({"sessions": [a_session("2019-09-10", places_left="2")]}, "sessions[0].places_left"),
        ({"group_suitability": "neither"}, "group_suitability"),
        ({"ppo": "yes"}, "ppo"),
        ({"needs_post_28_programme": 1}, "needs_post_28_programme"),
        ({"delivered": [a_delivery("groups_week_2", "2019-09-02")]}, "delivered[0].item"),
        ({"delivered": [a_delivery("keywork", "2019-09-02")]}, "delivered[0].item"),
        ({"delivered": [a_delivery("csma", "2019-09-02")]}, "delivered[0].done_at"),
        ({"delivered": [a_delivery("csma", "2019-09-01")]}, "delivered[0].done_at"),
        ({"delivered": [a_delivery("csma", "2019-09-01", by=["probation"])]}, "delivered[0].by[0]"),
        ({"delivered": [a_delivery("csma", "2019-09-01", mode="pair")]}, "delivered[0].mode"),
        (
            {
                "earlier_stays": [
                    {
                        "received_at": "2019-01-01T10:00:00Z",
                        "left_at": "2019-09-02T11:00:01+01:00",
                    }
                ]
            },
            "earlier_stays[0].left_at",
        ),
        (
            {
                "earlier_stays": [
                    {
                        "received_at": "2019-01-01T10:00:00Z",
                        "left_at": "2019-02-01T10:00:00Z",
                        "assessments": [{"item": "csma"}],
                    }
                ]
            },
            "earlier_stays[0].assessments[0].done_on",
        ),
    ],
)
def test_a_request_that_cannot_be_evaluated_is_refused_by_the_field_at_fault(
    facts: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        plan({**a_request(), **facts}, HOLIDAYS)

    assert refused.value.field == field


def test_a_request_that_is_no_object_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        plan(["not", "one"], HOLIDAYS)

    assert refused.value.field == ""


NOT_DECLINABLE = [
    "reception_screening",
    "keyworker_named",
    "smta",
    "clinical_review",
    "court_pack",
    "tell_receiving_team",
    "receiving_keyworker_named",
    "file_sent",
    "tell_cjit_of_move",
    "receiving_keyworker_contact",
]


@pytest.mark.parametrize("item", DELIVERABLE)
def test_declining_is_refused_only_where_the_patient_has_no_say(item: str) -> None:
    later = "2019-09-09T10:00:00+01:00"
    declined = [a_delivery(item, "2019-09-06", outcome="declined")]
    request = a_request(as_at=later, delivered=declined)

    if item in NOT_DECLINABLE:
        with pytest.raises(Refused) as refused:
            plan(request, HOLIDAYS)
        assert refused.value.field == "delivered[0].outcome"
    else:
        plan(request, HOLIDAYS)


@pytest.mark.parametrize("received", ["1999-12-20T10:00:00Z", "2035-12-10T10:00:00Z"])
def test_a_stay_beyond_the_pinned_holidays_is_refused(received: str) -> None:
    with pytest.raises(Refused, match="list runs from") as refused:
        plan(a_request(received), HOLIDAYS)

    assert refused.value.field == "received_at"


def test_a_transfer_whose_next_working_day_is_beyond_the_list_is_refused_by_its_date() -> None:
    received = "2035-12-03T10:00:00Z"
    closed = {**ENGLAND, "closure_days": ["2035-12-31"]}

    with pytest.raises(Refused) as refused:
        plan(a_request(received, transfer={"on": "2035-12-30", **closed}), HOLIDAYS)

    assert refused.value.field == "transfer.on"


@pytest.mark.parametrize("nation", sorted(HOLIDAYS.days))
@pytest.mark.parametrize("received", ["2007-01-01T10:00:00Z", "2027-12-03T10:00:00Z"])
def test_every_nation_is_answered_from_2007_to_2027(nation: str, received: str) -> None:
    a_timetable(received, prison={"nation": nation})


def test_a_release_years_away_does_not_stop_the_plan() -> None:
    far = a_timetable(known_release={"on": "2041-01-01"})

    assert far["items"] == a_timetable()["items"]


def test_an_instant_in_any_offset_is_the_same_request() -> None:
    there = a_timetable("2019-09-02T14:30:00+05:30", as_at="2019-09-02T10:00:00Z")

    assert there == a_timetable("2019-09-02T10:00:00+01:00")


@pytest.mark.parametrize(
    "field",
    ["plan_made_on", "courts", "known_release", "transfer", "exit", "sessions", "delivered", "ppo"],
)
def test_null_is_the_same_as_absent(field: str) -> None:
    assert a_timetable(**{field: None}) == a_timetable()


# -- days, blocks and the calendar ------------------------------------------------------------


@pytest.mark.proves("TT-01", "TT-17", "TT-25")
def test_reception_is_day_1() -> None:
    timetable = a_timetable()

    assert timetable["day_count"] == "reception_is_day_1"
    assert [timetable[f"day_{n}"] for n in (1, 5, 28, 29)] == [
        "2019-09-02",
        "2019-09-06",
        "2019-09-29",
        "2019-09-30",
    ]
    assert timetable["weeks"] == [
        {"week": 1, "from_on": "2019-09-02", "to_on": "2019-09-08", "working_days": 5},
        {"week": 2, "from_on": "2019-09-09", "to_on": "2019-09-15", "working_days": 5},
        {"week": 3, "from_on": "2019-09-16", "to_on": "2019-09-22", "working_days": 5},
        {"week": 4, "from_on": "2019-09-23", "to_on": "2019-09-29", "working_days": 5},
    ]
    assert timetable["observations"] == {
        "rule": "TT-25",
        "from_on": "2019-09-02",
        "to_on": "2019-09-08",
        "per_day": 2,
    }


@pytest.mark.proves("TT-01")
def test_a_prison_may_count_the_day_after_reception_as_day_1() -> None:
    timetable = a_timetable(day_count="day_after_reception_is_day_1")

    assert timetable["day_count"] == "day_after_reception_is_day_1"
    assert [timetable[f"day_{n}"] for n in (1, 5, 28, 29)] == [
        "2019-09-03",
        "2019-09-07",
        "2019-09-30",
        "2019-10-01",
    ]
    assert timetable["weeks"][0]["from_on"] == "2019-09-03"
    assert due(timetable, "reception_screening") == {"2019-09-02"}
    assert due(timetable, "keyworker_named", "smta") == {"2019-09-03"}
    assert due(timetable, *CP_SET, "carat_report") == {"2019-09-06"}
    assert due(timetable, "clinical_review") == {"2019-09-07"}
    assert due(timetable, "final_review") == {"2019-09-30"}


@pytest.mark.proves("TT-20")
def test_counting_from_the_day_after_the_minimum_set_may_still_be_pulled_to_reception() -> None:
    timetable = a_timetable(
        day_count="day_after_reception_is_day_1", courts=[a_court("2019-09-03")]
    )

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-02"}


@pytest.mark.proves("TT-01")
@pytest.mark.parametrize(
    ("received", "day_1"),
    [
        ("2019-03-30T23:59:00+00:00", "2019-03-30"),
        ("2019-03-31T23:30:00+01:00", "2019-03-31"),  # 22:30 UTC
        ("2019-07-01T23:30:00+00:00", "2019-07-02"),  # 00:30 in London
        ("2019-10-27T00:30:00+01:00", "2019-10-27"),  # 23:30 UTC the day before
        ("2019-10-27T01:30:00+01:00", "2019-10-27"),  # the first of two
        ("2019-10-27T01:30:00+00:00", "2019-10-27"),  # the second
    ],
)
def test_the_day_of_an_instant_is_the_london_date(received: str, day_1: str) -> None:
    timetable = a_timetable(received)

    assert timetable["day_1"] == day_1
    assert timetable["day_28"] == (date.fromisoformat(day_1) + timedelta(days=27)).isoformat()


@pytest.mark.parametrize(
    ("received", "day_28"),
    [
        ("2020-02-10T10:00:00Z", "2020-03-08"),
        ("2019-02-10T10:00:00Z", "2019-03-09"),
        ("2020-02-29T10:00:00Z", "2020-03-27"),
    ],
)
@pytest.mark.proves("TT-01")
def test_a_leap_day_is_a_day(received: str, day_28: str) -> None:
    assert a_timetable(received)["day_28"] == day_28


@pytest.mark.proves("TT-08", "TT-F8")
@pytest.mark.parametrize(
    ("nation", "cp", "week_1_by", "raised"),
    [
        # Received on Maundy Thursday: day 5 is Easter Monday.
        ("england_and_wales", "2019-04-23", "2019-04-24", ["TT-F1", "TT-F2", "TT-F5", "TT-F8"]),
        ("scotland", "2019-04-22", "2019-04-24", ["TT-F2"]),
        ("northern_ireland", "2019-04-23", "2019-04-24", ["TT-F1", "TT-F2", "TT-F5", "TT-F8"]),
    ],
)
def test_easter_by_nation(nation: str, cp: str, week_1_by: str, raised: list[str]) -> None:
    timetable = a_timetable("2019-04-18T10:00:00+01:00", prison={"nation": nation})

    assert due(timetable, *CP_SET) == {cp}
    assert due(timetable, "relaxation") == {week_1_by}
    assert due(timetable, "clinical_review") == {"2019-04-22"}
    assert flags(timetable) == raised


@pytest.mark.proves("TT-03", "TT-13")
@pytest.mark.parametrize(
    ("nation", "worked", "week_2_by"),
    [
        ("england_and_wales", [3, 4, 5, 5], "2021-01-06"),
        ("scotland", [3, 3, 5, 5], "2021-01-06"),
        ("northern_ireland", [3, 4, 5, 5], "2021-01-06"),
    ],
)
def test_christmas_and_new_year(nation: str, worked: list[int], week_2_by: str) -> None:
    # Thursday 24 December 2020: 25 and 28 are holidays, then 1 January (Scotland: 4 as well).
    timetable = a_timetable("2020-12-24T10:00:00Z", prison={"nation": nation})

    assert due(timetable, "keyworker_named", "smta") == {"2020-12-29"}
    assert [each["working_days"] for each in timetable["weeks"]] == worked
    assert due(timetable, "keywork_week_2") == {week_2_by}


@pytest.mark.proves("TT-03", "TT-13")
def test_a_local_closure_day_is_not_worked() -> None:
    timetable = a_timetable(prison={**ENGLAND, "closure_days": ["2019-09-03", "2019-09-13"]})

    assert due(timetable, "keyworker_named") == {"2019-09-04"}
    assert due(timetable, "keywork_week_2") == {"2019-09-12"}
    assert timetable["weeks"][1]["working_days"] == 4


def test_where_no_day_of_the_block_is_worked_the_next_working_day_is_taken() -> None:
    closed = [f"2019-09-{day:02}" for day in range(9, 16)]

    timetable = a_timetable(prison={**ENGLAND, "closure_days": closed})

    assert due(timetable, "keywork_week_2", "case_review_week_2") == {"2019-09-16"}
    assert row(timetable, "groups_week_2")["status"] == "not_required"
    assert {"flag": "TT-F5", "week": 2} in [
        {"flag": each["flag"], "week": each["week"]} for each in timetable["flags"]
    ]


@pytest.mark.proves("TT-08", "TT-11", "TT-F1")
def test_a_week_without_a_working_day_after_reception_takes_the_next_one() -> None:
    closed = [f"2019-09-{day:02}" for day in range(3, 9)]

    timetable = a_timetable(prison={**ENGLAND, "closure_days": closed})

    # Reception day itself was worked, but nothing is due before the keyworker is.
    assert due(timetable, "keyworker_named", *CP_SET, *PHASE_1, "relaxation") == {"2019-09-09"}
    assert flags(timetable) == ["TT-F1", "TT-F2", "TT-F5", "TT-F8"]


# -- the items that have an hour --------------------------------------------------------------


@pytest.mark.proves("TT-02")
@pytest.mark.parametrize(
    ("received", "due_at"),
    [
        ("2019-09-02T19:59:00+01:00", "2019-09-03T00:00:00+01:00"),
        ("2019-09-02T20:00:00+01:00", "2019-09-03T00:00:00+01:00"),
        ("2019-09-02T20:01:00+01:00", "2019-09-03T00:01:00+01:00"),
        ("2019-03-30T23:00:00+00:00", "2019-03-31T04:00:00+01:00"),  # the hour lost
        ("2019-10-26T23:00:00+01:00", "2019-10-27T02:00:00+00:00"),  # the hour gained
    ],
)
def test_screening_is_due_by_midnight_or_four_hours_after_reception(
    received: str, due_at: str
) -> None:
    screening = row(a_timetable(received, as_at=received), "reception_screening")

    assert (screening["due_on"], screening["due_at"]) == (received[:10], due_at)
    assert screening["amber_from"] is None


@pytest.mark.proves("TT-03", "PS-05")
@pytest.mark.parametrize(
    ("received", "kw", "due_at", "amber_from"),
    [
        (
            "2019-09-02T10:00:00+01:00",
            "2019-09-03",
            "2019-09-03T17:00:00+01:00",
            "2019-09-03T10:00:00+01:00",
        ),
        (
            "2019-09-02T16:59:00+01:00",
            "2019-09-03",
            "2019-09-03T17:00:00+01:00",
            "2019-09-03T16:59:00+01:00",
        ),
        (
            "2019-09-02T17:00:00+01:00",
            "2019-09-03",
            "2019-09-03T17:00:00+01:00",
            "2019-09-03T13:00:00+01:00",
        ),
        (
            "2019-09-02T23:30:00+01:00",
            "2019-09-03",
            "2019-09-03T23:30:00+01:00",
            "2019-09-03T13:00:00+01:00",
        ),
        (  # Friday: the first working day is Monday
            "2019-09-06T10:00:00+01:00",
            "2019-09-09",
            "2019-09-09T17:00:00+01:00",
            "2019-09-07T10:00:00+01:00",
        ),
        (  # across the spring change 24 elapsed hours end an hour later by the clock
            "2019-03-30T12:00:00+00:00",
            "2019-04-01",
            "2019-04-01T17:00:00+01:00",
            "2019-03-31T13:00:00+01:00",
        ),
        (  # and an hour earlier in autumn
            "2019-10-26T12:00:00+01:00",
            "2019-10-28",
            "2019-10-28T17:00:00+00:00",
            "2019-10-27T11:00:00+00:00",
        ),
    ],
)
def test_a_keyworker_is_due_after_a_day_or_by_the_end_of_the_first_working_day(
    received: str, kw: str, due_at: str, amber_from: str
) -> None:
    named = row(a_timetable(received, as_at=received), "keyworker_named")

    assert (named["due_on"], named["due_at"], named["amber_from"]) == (kw, due_at, amber_from)


@pytest.mark.proves("TT-04", "PS-02")
@pytest.mark.parametrize(
    ("as_at", "owner"),
    [
        ("2019-09-02T23:59:00+01:00", "healthcare"),
        ("2019-09-03T00:00:00+01:00", "carat"),
        ("2019-09-04T09:00:00+01:00", "carat"),
    ],
)
def test_carats_own_the_triage_assessment_from_the_keyworker_date(as_at: str, owner: str) -> None:
    smta = row(a_timetable(as_at=as_at), "smta")

    assert (smta["owner"], smta["due_on"], smta["escalate_to"]) == (
        owner,
        "2019-09-03",
        "clinical_lead",
    )


@pytest.mark.proves("TT-04", "TT-26")
@pytest.mark.parametrize(
    ("as_at", "owner"),
    [("2019-09-08T23:59:00+01:00", "healthcare"), ("2019-09-09T00:00:00+01:00", "carat")],
)
def test_carats_own_it_from_then_on_even_when_a_release_leaves_no_date_for_it(
    as_at: str, owner: str
) -> None:
    # Received on Friday, out on Sunday: the keyworker date is the Monday after.
    timetable = a_timetable(
        "2019-09-06T10:00:00+01:00", as_at=as_at, known_release={"on": "2019-09-08"}
    )

    smta = row(timetable, "smta")

    assert (smta["due_on"], smta["status"], smta["owner"]) == (None, "not_required", owner)


# -- the list of items -------------------------------------------------------------------------

ORDER = [
    "reception_screening",
    "keyworker_named",
    "smta",
    "initial_keywork",
    "collate_assessments",
    "csma",
    "joint_care_plan",
    "carat_report",
    "clinical_review",
    "harm_minimisation",
    "overdose_session",
    "relaxation",
    "community_referral",
    "keywork_week_2",
    "keywork_week_3",
    "keywork_week_4",
    "groups_week_2",
    "groups_week_3",
    "groups_week_4",
    "case_review_week_2",
    "case_review_week_3",
    "case_review_week_4",
    "final_review",
    "certificate",
    "post_28_referral",
]
ON_TRANSFER = [
    "tell_receiving_team",
    "receiving_keyworker_named",
    "file_sent",
    "tell_cjit_of_move",
    "receiving_keyworker_contact",
]


@pytest.mark.proves("TT-05", "TT-06", "TT-07", "TT-11", "TT-12", "TT-15", "TT-16", "PS-38")
def test_every_item_is_listed_in_order_with_its_rule_owner_and_escalation() -> None:
    timetable = a_timetable()

    assert [each["item"] for each in timetable["items"]] == ORDER
    listed = {
        each["item"]: (each["rule"], each["owner"], each["escalate_to"], each["hard"])
        for each in timetable["items"]
    }
    assert listed["reception_screening"] == ("TT-02", "healthcare", "duty_nurse", True)
    assert listed["keyworker_named"] == ("TT-03", "carat_manager", "drug_strategy_lead", True)
    assert listed["smta"] == ("TT-04", "healthcare", "clinical_lead", True)
    assert listed["initial_keywork"] == ("TT-05", "keyworker", "carat_manager", True)
    assert listed["collate_assessments"] == ("TT-06", "keyworker", None, False)
    assert listed["csma"] == ("TT-07", "keyworker", "carat_manager", True)
    assert listed["joint_care_plan"] == (
        "TT-08",
        "keyworker_and_healthcare",
        "clinical_lead_and_carat_manager",
        True,
    )
    assert listed["carat_report"] == ("TT-09", "keyworker", "clinical_lead", True)
    assert listed["clinical_review"] == ("TT-09", "healthcare", "clinical_lead", True)
    for item in ("harm_minimisation", "overdose_session"):
        assert listed[item] == ("TT-10", "carat_and_healthcare", "carat_manager", True)
    assert listed["relaxation"] == ("TT-11", "carat", None, False)
    assert listed["community_referral"] == ("TT-12", "keyworker", "carat_manager", True)
    for week in (2, 3, 4):
        assert listed[f"keywork_week_{week}"] == ("TT-13", "keyworker", "carat_manager", True)
        assert listed[f"groups_week_{week}"] == (
            "TT-14",
            "carat_and_healthcare",
            "carat_manager",
            True,
        )
        assert listed[f"case_review_week_{week}"] == ("TT-15", "keyworker", None, False)
    for item in ("final_review", "certificate"):
        assert listed[item] == ("TT-16", "keyworker", "carat_manager", True)
    assert listed["post_28_referral"] == ("TT-17", "keyworker", None, False)


@pytest.mark.proves("TT-05", "TT-06", "TT-07", "TT-08", "TT-09", "TT-11", "TT-13", "TT-16")
def test_an_undisturbed_stay_is_due_on_the_last_working_day_of_each_stretch() -> None:
    timetable = a_timetable()

    assert due(timetable, *CP_SET, "clinical_review") == {"2019-09-06"}
    assert due(timetable, *PHASE_1, "relaxation") == {"2019-09-06"}
    for week, day in ((2, "13"), (3, "20"), (4, "27")):
        kinds = ("keywork", "groups", "case_review")
        assert due(timetable, *(f"{kind}_week_{week}" for kind in kinds)) == {f"2019-09-{day}"}
    assert due(timetable, "final_review", "certificate") == {"2019-09-27"}
    assert flags(timetable) == []
    for each in timetable["items"]:
        assert each["original_due_on"] is None
        assert each["moved_by"] == []
        assert each["prison"] is None


@pytest.mark.proves("TT-17")
@pytest.mark.parametrize(
    ("needs", "due_on", "status"),
    [(True, "2019-09-27", "due"), (False, None, "not_required"), (None, None, "not_required")],
)
def test_a_referral_beyond_day_28_is_due_only_where_a_need_is_recorded(
    needs: bool | None, due_on: str | None, status: str
) -> None:
    referral = row(a_timetable(needs_post_28_programme=needs), "post_28_referral")

    assert (referral["due_on"], referral["status"]) == (due_on, status)
    assert referral["original_due_on"] is None


@pytest.mark.proves("TT-09", "TT-F8")
def test_a_report_is_due_with_the_plan_when_day_5_is_not_worked() -> None:
    timetable = a_timetable("2019-09-04T10:00:00+01:00")  # day 5 is Sunday 8

    assert due(timetable, "joint_care_plan", "carat_report") == {"2019-09-06"}
    assert due(timetable, "clinical_review") == {"2019-09-08"}
    assert flags(timetable) == ["TT-F8"]


@pytest.mark.proves("TT-09")
def test_no_report_is_due_when_the_plan_cannot_come_first() -> None:
    closed = ["2019-09-03", "2019-09-04", "2019-09-05", "2019-09-06"]

    timetable = a_timetable(prison={**ENGLAND, "closure_days": closed})

    assert due(timetable, "joint_care_plan") == {"2019-09-09"}
    report = row(timetable, "carat_report")
    assert (report["due_on"], report["status"]) == (None, "not_required")


@pytest.mark.proves("TT-09", "TT-F4")
def test_a_report_is_due_with_the_plan_when_day_5_is_a_court_day() -> None:
    timetable = a_timetable(courts=[a_court("2019-09-06")])

    assert due(timetable, "joint_care_plan", "carat_report") == {"2019-09-05"}
    assert due(timetable, "clinical_review") == {"2019-09-06"}
    assert flags(timetable) == ["TT-F3", "TT-F4"]
    report = row(timetable, "carat_report")
    assert (report["original_due_on"], report["moved_by"]) == (None, ["TT-20"])


@pytest.mark.proves("TT-09")
def test_no_report_is_due_when_the_review_is_not_required() -> None:
    timetable = a_timetable(
        "2019-09-04T10:00:00+01:00", known_release={"on": "2019-09-07"}
    )  # day 5 is Sunday 8

    assert due(timetable, "clinical_review", "carat_report") == {None}
    report = row(timetable, "carat_report")
    assert (report["original_due_on"], report["moved_by"]) == ("2019-09-06", ["TT-26"])


# -- pulls ------------------------------------------------------------------------------------


@pytest.mark.proves("TT-10", "TT-12", "TT-20", "TT-F3")
def test_a_hearing_in_the_first_week_pulls_the_minimum_set_to_the_day_before() -> None:
    timetable = a_timetable(courts=[a_court("2019-09-05")])

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-04"}
    assert due(timetable, "relaxation") == {"2019-09-06"}
    assert due(timetable, "final_review") == {"2019-09-27"}
    assert flags(timetable) == ["TT-F3"]
    for item in CP_SET:
        assert row(timetable, item)["moved_by"] == ["TT-20"]
        assert row(timetable, item)["original_due_on"] == "2019-09-06"
    assert row(timetable, "harm_minimisation")["moved_by"] == ["TT-10"]
    assert row(timetable, "overdose_session")["moved_by"] == ["TT-10"]
    assert row(timetable, "community_referral")["moved_by"] == ["TT-12"]


@pytest.mark.proves("TT-20")
def test_a_hearing_the_day_after_reception_pulls_the_minimum_set_to_reception() -> None:
    timetable = a_timetable(courts=[a_court("2019-09-03")])

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-02"}


@pytest.mark.proves("TT-20")
def test_a_pull_goes_to_the_working_day_before_the_weekend() -> None:
    timetable = a_timetable("2019-09-05T10:00:00+01:00", courts=[a_court("2019-09-09")])

    # Day 5 is Monday 9, the hearing; Friday 6 is the last working day before it.
    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-06"}


@pytest.mark.proves("TT-20")
def test_a_pull_is_never_before_the_day_the_hearing_became_known() -> None:
    timetable = a_timetable(
        courts=[a_court("2019-09-05", known_at="2019-09-05T08:00:00+01:00")],
        as_at="2019-09-05T09:00:00+01:00",
    )

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-05"}


@pytest.mark.parametrize("known_at", ["2019-09-02T11:00:01+01:00", "2019-09-04T10:00:00+01:00"])
def test_what_becomes_known_after_the_moment_of_asking_is_ignored(known_at: str) -> None:
    booked_on = "2019-09-03"

    timetable = a_timetable(
        courts=[a_court("2019-09-05", known_at=known_at)],
        known_release={"on": "2019-09-19", "known_at": known_at},
        transfer=a_transfer("2019-09-12", booked_on=booked_on),
    )

    assert timetable == a_timetable()


@pytest.mark.proves("TT-20")
def test_of_several_hearings_the_earliest_pull_counts() -> None:
    timetable = a_timetable(courts=[a_court("2019-09-06"), a_court("2019-09-04")])

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-03"}
    assert flags(timetable) == ["TT-F2", "TT-F3", "TT-F4"]


@pytest.mark.proves("TT-20")
def test_a_hearing_counts_whatever_came_of_it() -> None:
    returned = a_timetable(courts=[a_court("2019-09-05", outcome="returned")])

    assert returned == a_timetable(courts=[a_court("2019-09-05")])


@pytest.mark.proves("TT-10", "TT-12")
def test_a_hearing_after_the_first_week_does_not_pull_the_plan() -> None:
    closed = {**ENGLAND, "closure_days": ["2019-09-05", "2019-09-06"]}

    timetable = a_timetable(courts=[a_court("2019-09-10")])
    shut = a_timetable(prison=closed, courts=[a_court("2019-09-09")])

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-06"}
    assert row(timetable, "harm_minimisation")["moved_by"] == []
    assert due(shut, *PHASE_1) == {"2019-09-04"}
    assert flags(timetable) == []


@pytest.mark.proves("TT-10", "TT-12")
def test_a_hearing_later_in_the_stay_pulls_an_overflowing_harm_session() -> None:
    closed = {**ENGLAND, "closure_days": [f"2019-09-{day:02}" for day in range(3, 12)]}

    timetable = a_timetable(prison=closed, courts=[a_court("2019-09-12")])

    # kw and the plan fall on Thursday 12, the hearing; only its pull reaches before it.
    assert due(timetable, *PHASE_1) == {"2019-09-02"}
    assert due(timetable, *CP_SET) == {"2019-09-13"}  # TT-19: no working day before it from kw
    assert row(timetable, "csma")["moved_by"] == ["TT-19"]


@pytest.mark.proves("TT-26", "TT-16")
def test_a_release_pulls_its_week_and_drops_the_later_ones() -> None:
    timetable = a_timetable(known_release={"on": "2019-09-18"}, needs_post_28_programme=True)

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-06"}
    assert due(timetable, "keywork_week_2", "groups_week_2") == {"2019-09-13"}
    third = ["keywork_week_3", "groups_week_3", "case_review_week_3"]
    assert due(timetable, *third) == {"2019-09-17"}
    assert due(timetable, "final_review", "certificate", "post_28_referral") == {"2019-09-17"}
    for item in ("keywork_week_4", "groups_week_4", "case_review_week_4"):
        dropped = row(timetable, item)
        assert (dropped["due_on"], dropped["status"]) == (None, "not_required")
        assert (dropped["original_due_on"], dropped["moved_by"]) == ("2019-09-27", ["TT-26"])
    for item in (*third, "final_review", "certificate", "post_28_referral"):
        assert row(timetable, item)["moved_by"] == ["TT-26"]


@pytest.mark.proves("TT-26")
def test_a_release_early_in_a_week_leaves_nothing_of_that_week() -> None:
    timetable = a_timetable(known_release={"on": "2019-09-16"})  # a Monday, day 15

    assert due(timetable, "keywork_week_3", "groups_week_3", "case_review_week_3") == {None}
    assert due(timetable, "keywork_week_2") == {"2019-09-13"}
    assert due(timetable, "final_review") == {"2019-09-13"}


@pytest.mark.proves("TT-20", "TT-26", "TT-F3")
def test_a_release_in_the_first_week_pulls_everything_before_it() -> None:
    timetable = a_timetable(known_release={"on": "2019-09-05"})

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-04"}
    assert due(timetable, "relaxation", "final_review", "certificate") == {"2019-09-04"}
    assert due(timetable, "clinical_review") == {None}  # day 5 is after the release
    assert due(timetable, "keyworker_named", "smta") == {"2019-09-03"}
    assert row(timetable, "csma")["moved_by"] == ["TT-20"]
    assert row(timetable, "harm_minimisation")["moved_by"] == ["TT-10"]
    assert row(timetable, "community_referral")["moved_by"] == ["TT-12"]
    assert row(timetable, "relaxation")["moved_by"] == ["TT-26"]
    assert flags(timetable) == ["TT-F3"]


@pytest.mark.proves("TT-26")
def test_a_release_on_day_5_keeps_the_clinical_review() -> None:
    assert due(a_timetable(known_release={"on": "2019-09-06"}), "clinical_review") == {"2019-09-06"}


@pytest.mark.proves("TT-26")
def test_a_release_before_the_first_working_day_drops_keyworker_and_final_review() -> None:
    # Received on Friday, out on Sunday.
    timetable = a_timetable("2019-09-06T10:00:00+01:00", known_release={"on": "2019-09-08"})

    dropped = ("keyworker_named", "smta", "clinical_review", "final_review", "certificate")
    assert due(timetable, *dropped) == {None}
    named = row(timetable, "keyworker_named")
    assert (named["due_at"], named["amber_from"], named["status"]) == (None, None, "not_required")
    assert (named["original_due_on"], named["moved_by"]) == ("2019-09-09", ["TT-26"])
    assert due(timetable, *CP_SET, *PHASE_1, "relaxation") == {"2019-09-06"}


@pytest.mark.proves("TT-26")
def test_relaxation_is_dropped_when_no_working_day_lies_between_reception_and_release() -> None:
    # Received on Saturday, out on Monday: the working day before is Friday.
    timetable = a_timetable("2019-09-07T10:00:00+01:00", known_release={"on": "2019-09-09"})

    assert due(timetable, "relaxation") == {None}
    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-07"}


@pytest.mark.proves("TT-26")
def test_a_release_heard_of_late_pulls_no_further_than_that_day() -> None:
    timetable = a_timetable(
        as_at="2019-09-18T12:00:00+01:00",
        known_release={"on": "2019-09-18", "known_at": "2019-09-18T09:00:00+01:00"},
    )

    assert due(timetable, "keywork_week_3", "final_review") == {"2019-09-18"}


@pytest.mark.parametrize("on", ["2019-09-30", "2019-10-15", "2019-09-02", "2019-08-30"])
def test_a_release_outside_the_28_days_is_not_read(on: str) -> None:
    assert a_timetable(known_release={"on": on}) == a_timetable()


def test_a_hearing_or_transfer_after_day_28_is_not_read() -> None:
    beyond = a_timetable(courts=[a_court("2019-09-30")], transfer=a_transfer("2019-09-30"))

    assert beyond == a_timetable()


def test_a_hearing_on_day_28_is_read() -> None:
    timetable = a_timetable(courts=[a_court("2019-09-29")])

    assert row(timetable, "court_pack", "2019-09-29")["due_on"] == "2019-09-27"


# -- court and transfer days --------------------------------------------------------------------


@pytest.mark.proves("TT-19")
def test_an_item_due_on_a_court_day_goes_to_the_working_day_before() -> None:
    timetable = a_timetable(courts=[a_court("2019-09-13")])

    for item in ("keywork_week_2", "groups_week_2", "case_review_week_2"):
        moved = row(timetable, item)
        assert moved["due_on"] == "2019-09-12"
        assert (moved["original_due_on"], moved["moved_by"]) == ("2019-09-13", ["TT-19"])


@pytest.mark.proves("TT-19")
def test_the_day_before_must_not_be_a_court_or_transfer_day_either() -> None:
    timetable = a_timetable(
        courts=[a_court("2019-09-13"), a_court("2019-09-12")], transfer=a_transfer("2019-09-11")
    )

    assert due(timetable, "keywork_week_2") == {"2019-09-10"}


@pytest.mark.proves("TT-19")
def test_an_item_moves_on_when_no_earlier_day_of_its_week_is_left() -> None:
    hearings = [a_court(f"2019-09-{day:02}") for day in (9, 10, 11, 12, 13, 16)]

    timetable = a_timetable(courts=hearings)

    assert due(timetable, "keywork_week_2", "case_review_week_2") == {"2019-09-17"}
    groups = row(timetable, "groups_week_2")
    assert (groups["due_on"], groups["required"]) == (None, 0)
    assert (groups["original_due_on"], groups["moved_by"]) == ("2019-09-13", ["TT-19"])


@pytest.mark.proves("TT-19")
def test_an_item_moves_on_when_the_hearing_was_not_yet_known_the_day_before() -> None:
    timetable = a_timetable(
        as_at="2019-09-13T12:00:00+01:00",
        courts=[a_court("2019-09-13", known_at="2019-09-13T08:00:00+01:00")],
    )

    assert due(timetable, "keywork_week_2") == {"2019-09-16"}


@pytest.mark.proves("TT-19")
def test_a_plan_due_on_the_transfer_day_moves_to_the_day_before() -> None:
    timetable = a_timetable(transfer=a_transfer("2019-09-06"))

    assert due(timetable, *CP_SET, *PHASE_1, "relaxation", "carat_report") == {"2019-09-05"}
    assert row(timetable, "csma")["moved_by"] == ["TT-19"]
    assert flags(timetable) == ["TT-F4"]


@pytest.mark.proves("TT-19")
def test_a_plan_due_on_the_transfer_day_moves_on_when_nothing_lies_between_it_and_kw() -> None:
    # Received on Friday: kw is Monday 9, day 5 Tuesday 10.
    timetable = a_timetable("2019-09-06T10:00:00+01:00", transfer=a_transfer("2019-09-09"))

    assert due(timetable, *CP_SET) == {"2019-09-10"}
    assert due(timetable, "keyworker_named", "smta") == {"2019-09-09"}  # TT-19 leaves these


@pytest.mark.proves("TT-19")
def test_a_transfer_day_on_the_plan_date_equal_to_kw_moves_the_plan_after_it() -> None:
    closed = {**ENGLAND, "closure_days": ["2019-09-04", "2019-09-05", "2019-09-06"]}

    timetable = a_timetable(
        prison=closed, transfer={"on": "2019-09-03", **ENGLAND, "closure_days": []}
    )

    # The receiving prison works on from the day of the move, so day 5 itself is free.
    assert due(timetable, *CP_SET) == {"2019-09-06"}


@pytest.mark.proves("TT-19")
def test_an_item_pulled_by_a_hearing_is_not_moved_by_that_hearing() -> None:
    timetable = a_timetable(
        as_at="2019-09-06T12:00:00+01:00",
        courts=[a_court("2019-09-06", known_at="2019-09-06T08:00:00+01:00")],
    )

    assert due(timetable, *CP_SET, *PHASE_1) == {"2019-09-06"}
    assert due(timetable, "relaxation") == {"2019-09-09"}  # not pulled, so TT-19 moves it


@pytest.mark.proves("TT-19")
def test_screening_review_packs_and_transfer_items_stay_on_their_day() -> None:
    timetable = a_timetable(
        courts=[a_court("2019-09-03"), a_court("2019-09-06"), a_court("2019-09-05")],
        transfer=a_transfer("2019-09-04"),
    )

    assert due(timetable, "keyworker_named", "smta") == {"2019-09-03"}
    assert due(timetable, "clinical_review") == {"2019-09-06"}
    assert row(timetable, "court_pack", "2019-09-06")["due_on"] == "2019-09-05"
    assert row(timetable, "court_pack", "2019-09-05")["due_on"] == "2019-09-04"
    assert due(timetable, "tell_receiving_team") == {"2019-09-03"}
    assert due(timetable, "receiving_keyworker_contact") == {"2019-09-05"}


@pytest.mark.proves("TT-19", "TT-26")
def test_a_final_review_pulled_onto_a_court_day_stays_before_the_release() -> None:
    timetable = a_timetable(known_release={"on": "2019-09-19"}, courts=[a_court("2019-09-18")])

    assert due(timetable, "final_review", "certificate", "keywork_week_3") == {"2019-09-17"}
    assert row(timetable, "final_review")["moved_by"] == ["TT-26", "TT-19"]


# -- court packs --------------------------------------------------------------------------------


@pytest.mark.proves("RG-07")
def test_each_hearing_day_has_a_pack_due_the_working_day_before() -> None:
    timetable = a_timetable(
        courts=[a_court("2019-09-23"), a_court("2019-09-12"), a_court("2019-09-12")]
    )

    packs = [each for each in timetable["items"] if each["item"] == "court_pack"]
    assert [(each["for_on"], each["due_on"]) for each in packs] == [
        ("2019-09-12", "2019-09-11"),
        ("2019-09-23", "2019-09-20"),
    ]
    assert [each["item"] for each in timetable["items"]] == [*ORDER, "court_pack", "court_pack"]
    assert (packs[0]["rule"], packs[0]["owner"], packs[0]["escalate_to"], packs[0]["hard"]) == (
        "RG-07",
        "keyworker",
        "carat_manager",
        True,
    )
    assert packs[0]["original_due_on"] is None


def test_a_pack_is_not_due_before_the_hearing_became_known() -> None:
    timetable = a_timetable(
        as_at="2019-09-12T12:00:00+01:00",
        courts=[a_court("2019-09-12", known_at="2019-09-12T08:00:00+01:00")],
    )

    assert due(timetable, "court_pack") == {"2019-09-12"}


def test_a_hearing_later_on_the_day_of_reception_has_a_pack_and_pulls_nothing() -> None:
    timetable = a_timetable(courts=[{"starts_at": "2019-09-02T14:00:00+01:00"}])

    assert due(timetable, "court_pack") == {"2019-09-02"}
    assert timetable["items"][:-1] == a_timetable()["items"]
    assert flags(timetable) == []


@pytest.mark.parametrize(
    ("for_on", "statuses"),
    [
        ("2019-09-12", ["done", "due"]),
        ("2019-09-19", ["due", "done"]),
        ("2019-09-18", ["due", "due"]),
        (None, ["due", "due"]),
    ],
)
def test_a_pack_is_done_for_the_hearing_it_names(for_on: str | None, statuses: list[str]) -> None:
    timetable = a_timetable(
        as_at="2019-09-10T12:00:00+01:00",
        courts=[a_court("2019-09-12"), a_court("2019-09-19")],
        delivered=[a_delivery("court_pack", "2019-09-09", for_on=for_on)],
    )

    packs = [each for each in timetable["items"] if each["item"] == "court_pack"]
    assert [each["status"] for each in packs] == statuses


# -- transfer -----------------------------------------------------------------------------------


@pytest.mark.proves("TT-18")
def test_a_transfer_adds_its_items_at_the_end() -> None:
    timetable = a_timetable(transfer=a_transfer("2019-09-16", booked_on="2019-09-02"))

    assert [each["item"] for each in timetable["items"]] == [*ORDER, *ON_TRANSFER]
    assert due(timetable, "tell_receiving_team", "receiving_keyworker_named") == {"2019-09-13"}
    assert due(timetable, "file_sent", "tell_cjit_of_move") == {"2019-09-16"}
    assert due(timetable, "receiving_keyworker_contact") == {"2019-09-17"}
    owners = {item: row(timetable, item)["owner"] for item in ON_TRANSFER}
    assert owners == {
        "tell_receiving_team": "carat",
        "receiving_keyworker_named": "receiving_carat",
        "file_sent": "carat",
        "tell_cjit_of_move": "carat",
        "receiving_keyworker_contact": "receiving_carat",
    }
    for item in ON_TRANSFER:
        each = row(timetable, item)
        assert (each["rule"], each["escalate_to"], each["hard"]) == ("TT-18", "carat_manager", True)


@pytest.mark.proves("TT-18")
@pytest.mark.parametrize(
    ("on", "booked_on", "told_by"),
    [
        ("2019-09-12", "2019-09-11", "2019-09-11"),
        ("2019-09-12", "2019-09-12", "2019-09-12"),
        ("2019-09-16", "2019-09-14", "2019-09-14"),  # booked on the Saturday between
        ("2019-09-03", "2019-08-20", "2019-09-02"),
        ("2019-09-03", None, "2019-09-02"),
    ],
)
def test_the_receiving_team_is_told_the_working_day_before_or_when_it_is_booked(
    on: str, booked_on: str | None, told_by: str
) -> None:
    timetable = a_timetable(
        as_at="2019-09-20T12:00:00+01:00", transfer=a_transfer(on, booked_on=booked_on)
    )

    assert due(timetable, "tell_receiving_team", "receiving_keyworker_named") == {told_by}


@pytest.mark.proves("TT-18")
def test_dates_from_the_transfer_follow_the_receiving_prisons_calendar() -> None:
    # Friday 12 July is a holiday in Northern Ireland; the move is on Monday 8 July.
    timetable = a_timetable(
        "2019-07-01T10:00:00+01:00",
        transfer={"on": "2019-07-08", "nation": "northern_ireland"},
    )

    week_2 = row(timetable, "keywork_week_2")
    assert (week_2["due_on"], week_2["original_due_on"]) == ("2019-07-11", "2019-07-12")
    assert (week_2["moved_by"], week_2["prison"]) == (["TT-18"], "receiving")
    assert timetable["weeks"][1]["working_days"] == 4
    assert due(timetable, "keywork_week_3") == {"2019-07-19"}


@pytest.mark.proves("TT-18")
def test_the_community_team_is_told_by_the_sending_prisons_calendar() -> None:
    # Monday 5 August 2019 is a holiday in Scotland only.
    into_scotland = a_timetable(
        "2019-07-22T10:00:00+01:00", transfer={"on": "2019-08-05", "nation": "scotland"}
    )
    from_scotland = a_timetable(
        "2019-07-22T10:00:00+01:00",
        prison={"nation": "scotland"},
        transfer=a_transfer("2019-08-05"),
    )

    assert due(into_scotland, "tell_cjit_of_move") == {"2019-08-05"}
    assert due(from_scotland, "tell_cjit_of_move") == {"2019-08-06"}
    assert due(into_scotland, "receiving_keyworker_contact") == {"2019-08-06"}
    assert due(from_scotland, "receiving_keyworker_contact") == {"2019-08-06"}


@pytest.mark.proves("TT-18")
def test_each_item_says_which_prison_it_falls_to() -> None:
    timetable = a_timetable(transfer=a_transfer("2019-09-12"), needs_post_28_programme=False)

    prison = {each["item"]: each["prison"] for each in timetable["items"]}
    assert prison["csma"] == "sending"
    assert prison["keywork_week_2"] == "receiving"
    assert prison["file_sent"] == "receiving"
    assert prison["tell_receiving_team"] == "sending"
    assert prison["receiving_keyworker_named"] == "receiving"
    assert prison["post_28_referral"] == "sending"


@pytest.mark.proves("TT-18")
def test_a_transfer_pulls_nothing() -> None:
    moved = a_timetable(transfer=a_transfer("2019-09-05"))
    still = a_timetable()

    for each in still["items"]:
        assert row(moved, each["item"])["due_on"] == each["due_on"]


@pytest.mark.parametrize(("cover", "said"), [(True, "yes"), (False, "no"), (None, "not known")])
def test_the_review_quotes_prescriber_cover_at_the_receiving_prison(
    cover: bool | None, said: str
) -> None:
    timetable = a_timetable(transfer=a_transfer("2019-09-12", prescriber_cover=cover))

    why = row(timetable, "clinical_review")["why"]
    assert f"prescriber cover at the receiving prison: {said}" in why


# -- a calendar that changes --------------------------------------------------------------------

FUNERAL = {"on": "2022-09-19", "change": "added", "announced_on": "2022-09-10"}


@pytest.mark.proves("TT-F6")
def test_a_holiday_announced_after_the_plan_moves_dates_and_says_so() -> None:
    # Monday 19 September 2022 is day 14.
    timetable = a_timetable(
        "2022-09-06T10:00:00+01:00",
        as_at="2022-09-12T10:00:00+01:00",
        prison={**ENGLAND, "calendar_changes": [FUNERAL]},
    )

    moved = row(timetable, "keywork_week_2")
    assert (moved["due_on"], moved["original_due_on"]) == ("2022-09-16", "2022-09-19")
    assert moved["moved_by"] == ["TT-F6"]
    assert "TT-F6" in flags(timetable)


@pytest.mark.proves("TT-F6")
@pytest.mark.parametrize(
    ("as_at", "plan_made_on", "due_on", "raised"),
    [
        ("2022-09-09T10:00:00+01:00", None, "2022-09-19", False),  # not yet announced
        ("2022-09-10T10:00:00+01:00", None, "2022-09-16", True),
        ("2022-09-12T10:00:00+01:00", "2022-09-09", "2022-09-16", True),
        ("2022-09-12T10:00:00+01:00", "2022-09-10", "2022-09-16", False),  # made knowing it
        ("2022-09-09T10:00:00+01:00", "2022-09-12", "2022-09-19", False),
    ],
)
def test_a_change_counts_from_its_announcement(
    as_at: str, plan_made_on: str | None, due_on: str, raised: bool
) -> None:
    timetable = a_timetable(
        "2022-09-06T10:00:00+01:00",
        as_at=as_at,
        plan_made_on=plan_made_on,
        prison={**ENGLAND, "calendar_changes": [FUNERAL]},
    )

    assert due(timetable, "keywork_week_2") == {due_on}
    assert ("TT-F6" in flags(timetable)) is raised


@pytest.mark.proves("TT-F6")
def test_a_change_that_alters_no_date_is_not_flagged() -> None:
    change = {"on": "2019-09-10", "change": "added", "announced_on": "2019-09-03"}

    timetable = a_timetable(
        as_at="2019-09-04T10:00:00+01:00", prison={**ENGLAND, "calendar_changes": [change]}
    )

    assert flags(timetable) == []
    assert timetable["weeks"][1]["working_days"] == 4


@pytest.mark.proves("TT-F6")
def test_a_removed_holiday_gives_its_day_back() -> None:
    removed = {"on": "2019-08-26", "change": "removed", "announced_on": "2019-08-22"}

    timetable = a_timetable(
        "2019-08-20T10:00:00+01:00",
        as_at="2019-08-23T10:00:00+01:00",
        prison={**ENGLAND, "calendar_changes": [removed]},
    )

    # Day 7 is that Monday.
    relaxation = row(timetable, "relaxation")
    assert (relaxation["due_on"], relaxation["original_due_on"]) == ("2019-08-26", "2019-08-23")
    assert relaxation["moved_by"] == ["TT-F6"]


@pytest.mark.proves("TT-18", "TT-F6")
def test_a_change_in_the_receiving_prison_counts_from_the_move() -> None:
    change = {"on": "2019-09-27", "change": "added", "announced_on": "2019-09-10"}

    timetable = a_timetable(
        as_at="2019-09-11T10:00:00+01:00",
        transfer=a_transfer("2019-09-18", calendar_changes=[change]),
    )

    assert due(timetable, "keywork_week_4") == {"2019-09-26"}
    assert "TT-F6" in flags(timetable)


# -- states -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_at", "status"),
    [
        ("2019-09-06T23:59:59+01:00", "due"),
        ("2019-09-07T00:00:00+01:00", "due"),
        ("2019-09-07T00:00:01+01:00", "overdue"),
    ],
)
@pytest.mark.proves("TT-07", "TT-13")
def test_an_item_is_overdue_after_the_end_of_its_day(as_at: str, status: str) -> None:
    assert row(a_timetable(as_at=as_at), "csma")["status"] == status


@pytest.mark.proves("TT-03")
@pytest.mark.parametrize(
    ("as_at", "status"),
    [("2019-09-03T17:00:00+01:00", "due"), ("2019-09-03T17:00:01+01:00", "overdue")],
)
def test_an_item_with_an_hour_is_overdue_after_it(as_at: str, status: str) -> None:
    assert row(a_timetable(as_at=as_at), "keyworker_named")["status"] == status


@pytest.mark.parametrize(
    ("done_at", "on_time"),
    [
        ("2019-09-06T23:59:59+01:00", True),
        ("2019-09-07T00:00:01+01:00", False),
    ],
)
def test_what_is_delivered_is_done_in_time_or_late(done_at: str, on_time: bool) -> None:
    csma = row(
        a_timetable(
            as_at="2019-09-09T10:00:00+01:00", delivered=[{"item": "csma", "done_at": done_at}]
        ),
        "csma",
    )

    assert (csma["status"], csma["on_time"], csma["done_at"]) == ("done", on_time, done_at)


def test_what_is_not_done_has_no_time_of_doing() -> None:
    csma = row(a_timetable(), "csma")

    assert (csma["status"], csma["done_at"], csma["on_time"]) == ("due", None, None)


def test_of_several_deliveries_the_earliest_counts() -> None:
    delivered = [a_delivery("csma", "2019-09-09"), a_delivery("csma", "2019-09-05")]

    csma = row(a_timetable(as_at="2019-09-10T10:00:00+01:00", delivered=delivered), "csma")

    assert (csma["done_at"], csma["on_time"]) == ("2019-09-05T15:00:00+01:00", True)


def test_a_delivery_earlier_on_the_day_of_reception_counts() -> None:
    early = {"item": "reception_screening", "done_at": "2019-09-02T09:00:00+01:00"}

    assert row(a_timetable(delivered=[early]), "reception_screening")["status"] == "done"


def test_declining_an_item_makes_it_done() -> None:
    declined = [a_delivery("overdose_session", "2019-09-05", outcome="declined")]

    session = row(
        a_timetable(as_at="2019-09-09T10:00:00+01:00", delivered=declined), "overdose_session"
    )

    assert (session["status"], session["on_time"]) == ("done", True)


def test_an_item_delivered_though_not_required_is_done() -> None:
    delivered = [a_delivery("post_28_referral", "2019-09-05")]

    referral = row(
        a_timetable(as_at="2019-09-09T10:00:00+01:00", delivered=delivered), "post_28_referral"
    )

    assert (referral["status"], referral["due_on"], referral["on_time"]) == ("done", None, None)


@pytest.mark.proves("TT-08")
@pytest.mark.parametrize(
    ("by", "status", "missing"),
    [
        (EVERYONE, "done", None),
        ([*EVERYONE, "cjit"], "done", None),
        (["carat", "healthcare"], "overdue", "patient"),
        (["patient"], "overdue", "carat, healthcare"),
        ([], "overdue", "patient, carat, healthcare"),
        (None, "overdue", "patient, carat, healthcare"),
    ],
)
def test_a_joint_care_plan_needs_all_three_to_agree(
    by: list[str] | None, status: str, missing: str | None
) -> None:
    joint = row(
        a_timetable(
            as_at="2019-09-09T10:00:00+01:00",
            delivered=[a_delivery("joint_care_plan", "2019-09-05", by=by)],
        ),
        "joint_care_plan",
    )

    assert joint["status"] == status
    assert (f"agreement is missing from: {missing}" in joint["why"]) is (missing is not None)


@pytest.mark.proves("TT-08")
def test_a_joint_care_plan_is_done_when_the_third_agreement_is_in() -> None:
    delivered = [
        a_delivery("joint_care_plan", "2019-09-04", by=["carat", "healthcare"]),
        a_delivery("joint_care_plan", "2019-09-05", by=EVERYONE),
    ]

    joint = row(
        a_timetable(as_at="2019-09-09T10:00:00+01:00", delivered=delivered), "joint_care_plan"
    )

    assert joint["done_at"] == "2019-09-05T15:00:00+01:00"


@pytest.mark.proves("TT-09")
def test_a_clinical_review_before_day_5_does_not_close_it() -> None:
    early = a_delivery("clinical_review", "2019-09-05")
    as_at = "2019-09-09T10:00:00+01:00"

    assert (
        row(a_timetable(as_at=as_at, delivered=[early]), "clinical_review")["status"] == "overdue"
    )
    again = a_timetable(as_at=as_at, delivered=[early, a_delivery("clinical_review", "2019-09-06")])
    assert row(again, "clinical_review")["done_at"] == "2019-09-06T15:00:00+01:00"


@pytest.mark.proves("TT-26")
@pytest.mark.parametrize("how", ["court", "release", "died"])
def test_leaving_closes_what_was_still_open_and_keeps_what_was_late(how: str) -> None:
    timetable = a_timetable(
        as_at="2019-09-25T10:00:00+01:00", exit={"at": "2019-09-11T14:00:00+01:00", "how": how}
    )

    assert row(timetable, "csma")["status"] == "overdue"
    assert row(timetable, "keywork_week_2")["status"] == "closed_left"
    assert row(timetable, "final_review")["status"] == "closed_left"


@pytest.mark.proves("TT-18")
def test_a_transfer_closes_nothing() -> None:
    timetable = a_timetable(
        as_at="2019-09-17T10:00:00+01:00",
        transfer=a_transfer("2019-09-11"),
        exit={"at": "2019-09-11T14:00:00+01:00", "how": "transfer"},
    )

    assert row(timetable, "csma")["status"] == "overdue"
    assert row(timetable, "keywork_week_2")["status"] == "overdue"
    assert row(timetable, "keywork_week_3")["status"] == "due"


# -- groups -----------------------------------------------------------------------------------


def groups(week: int = 2, as_at: str = "2019-09-30T10:00:00+01:00", **facts: Any) -> dict[str, Any]:
    return row(a_timetable(as_at=as_at, **facts), f"groups_week_{week}")


@pytest.mark.proves("TT-14", "TT-23", "PS-28")
def test_groups_are_done_when_enough_sessions_are_counted() -> None:
    one = [a_delivery("group_session", "2019-09-10", topic="alcohol", mode="group")]
    two = [*one, a_delivery("group_session", "2019-09-12", mode="one_to_one")]

    counted_one, counted_two = groups(delivered=one), groups(delivered=two)

    assert (counted_one["required"], counted_one["counted"]) == (2, 1)
    assert counted_one["status"] == "overdue"
    assert (counted_two["counted"], counted_two["status"]) == (2, "done")
    assert counted_two["done_at"] == "2019-09-12T15:00:00+01:00"
    assert counted_two["on_time"] is True


@pytest.mark.proves("TT-14")
def test_declined_sessions_and_sessions_on_a_holiday_count() -> None:
    delivered = [
        a_delivery("group_session", "2019-09-14", outcome="declined"),  # a Saturday
        a_delivery("group_session", "2019-09-09"),
    ]

    counted = groups(delivered=delivered)

    assert (counted["counted"], counted["status"]) == (2, "done")
    assert counted["on_time"] is False  # the week's sessions were due on Friday 13


@pytest.mark.parametrize(("on", "week"), [("2019-09-09", 2), ("2019-09-15", 2), ("2019-09-16", 3)])
def test_a_session_counts_in_the_week_it_was_held(on: str, week: int) -> None:
    timetable = a_timetable(
        as_at="2019-09-30T10:00:00+01:00", delivered=[a_delivery("group_session", on)]
    )

    for each in (2, 3, 4):
        assert row(timetable, f"groups_week_{each}")["counted"] == (1 if each == week else 0)


@pytest.mark.proves("TT-14")
@pytest.mark.parametrize(
    ("facts", "required"),
    [
        ({"courts": [a_court(f"2019-09-{d:02}") for d in (9, 10, 11)]}, 2),
        ({"courts": [a_court(f"2019-09-{d:02}") for d in (9, 10, 11, 12)]}, 1),
        ({"courts": [a_court(f"2019-09-{d:02}") for d in (9, 10, 11, 12, 13)]}, 0),
        ({"known_release": {"on": "2019-09-11"}}, 2),
        ({"known_release": {"on": "2019-09-10"}}, 1),
        ({"known_release": {"on": "2019-09-09"}}, 0),
        ({"known_release": {"on": "2019-09-11"}, "transfer": a_transfer("2019-09-09")}, 1),
        (
            {
                "unavailable": [
                    {"from_on": "2019-09-04", "to_on": "2019-09-11", "reason": "hospital"}
                ]
            },
            2,
        ),
        (
            {
                "unavailable": [
                    {"from_on": "2019-09-04", "to_on": "2019-09-12", "reason": "hospital"}
                ]
            },
            1,
        ),
        ({"unavailable": [{"from_on": "2019-09-04", "reason": "hospital"}]}, 0),
        ({"unavailable": [{"from_on": "2019-09-04", "reason": "segregation"}]}, 2),
        ({"unavailable": [{"from_on": "2019-09-04", "reason": "healthcare"}]}, 2),
    ],
)
def test_two_sessions_are_required_or_as_many_as_there_are_days(
    facts: dict[str, Any], required: int
) -> None:
    week_2 = groups(as_at="2019-09-02T11:00:00+01:00", **facts)

    assert week_2["required"] == required
    assert week_2["counted"] == 0
    assert week_2["status"] == ("due" if required else "not_required")
    assert (week_2["due_on"] is None) is (required == 0)


@pytest.mark.proves("TT-14")
@pytest.mark.parametrize("reason", ["segregation", "healthcare", "hospital", "other"])
def test_groups_are_a_soft_duty_in_a_week_the_patient_was_out_of_reach(reason: str) -> None:
    away = [{"from_on": "2019-09-15", "to_on": "2019-09-15", "reason": reason}]

    timetable = a_timetable(unavailable=away)

    hard = [row(timetable, f"groups_week_{week}")["hard"] for week in (2, 3, 4)]
    assert hard == [False, True, True]
    assert row(timetable, "keywork_week_2")["hard"] is True


def test_only_groups_are_counted() -> None:
    for each in a_timetable()["items"]:
        is_groups = each["item"].startswith("groups_")
        assert (each["required"] is not None) is is_groups
        assert (each["counted"] is not None) is is_groups


# -- sessions ---------------------------------------------------------------------------------


def sessions(*offered: dict[str, Any], **facts: Any) -> list[dict[str, Any]]:
    answered: list[dict[str, Any]] = a_timetable(
        **{"as_at": "2019-09-30T10:00:00+01:00", **facts}, sessions=list(offered)
    )["sessions"]
    return answered


def outcomes(*offered: dict[str, Any], **facts: Any) -> list[str]:
    return [each["outcome"] for each in sessions(*offered, **facts)]


@pytest.mark.proves("TT-22")
def test_sessions_are_answered_in_time_order_until_two_are_found() -> None:
    answered = sessions(a_session("2019-09-12"), a_session("2019-09-10"), a_session("2019-09-11"))

    assert [each["starts_at"][:10] for each in answered] == [
        "2019-09-10",
        "2019-09-11",
        "2019-09-12",
    ]
    assert [each["outcome"] for each in answered] == ["group", "group", "not_needed"]
    assert [each["week"] for each in answered] == [2, 2, 2]
    assert [each["by_on"] for each in answered] == [None, None, None]


@pytest.mark.parametrize(
    ("on", "outcome", "week"),
    [
        ("2019-09-02", "outside", 1),
        ("2019-09-08", "outside", 1),
        ("2019-09-09", "group", 2),
        ("2019-09-27", "group", 4),
        ("2019-09-30", "outside", None),
        ("2045-09-30", "outside", None),
    ],
)
def test_a_session_outside_days_8_to_28_is_outside(on: str, outcome: str, week: int | None) -> None:
    (answered,) = sessions(a_session(on))

    assert (answered["outcome"], answered["week"]) == (outcome, week)


def test_a_session_from_the_release_or_the_exit_on_is_outside() -> None:
    offered = [a_session("2019-09-10"), a_session("2019-09-11"), a_session("2019-09-12")]

    released = outcomes(*offered, known_release={"on": "2019-09-11"})
    left = outcomes(*offered, exit={"at": "2019-09-11T16:00:00+01:00", "how": "court"})
    moved = outcomes(*offered, exit={"at": "2019-09-11T16:00:00+01:00", "how": "transfer"})

    assert released == left == ["group", "outside", "outside"]
    assert moved == ["group", "group", "not_needed"]


@pytest.mark.proves("TT-14")
def test_a_session_held_that_day_on_that_topic_is_delivered_and_fills_the_week() -> None:
    delivered = [
        a_delivery("group_session", "2019-09-10", topic="alcohol", outcome="declined"),
        a_delivery("group_session", "2019-09-11", topic="crack"),
    ]

    answered = outcomes(
        a_session("2019-09-10"),
        a_session("2019-09-11"),
        a_session("2019-09-12"),
        delivered=delivered,
    )

    assert answered == ["delivered", "group", "not_needed"]


@pytest.mark.proves("TT-22", "TT-23", "TT-F9", "TT-F10")
@pytest.mark.parametrize(
    ("session", "facts", "barred_by"),
    [
        ({"non_associate_booked": True}, {}, ["TT-F9"]),
        ({"non_associate_booked": True, "place_taken": True}, {}, ["TT-F9"]),
        ({}, {"unavailable": [{"from_on": "2019-09-11", "reason": "segregation"}]}, ["TT-F10"]),
        (
            {},
            {"unavailable": [{"from_on": "2019-09-11", "to_on": "2019-09-11", "reason": "other"}]},
            ["TT-F10"],
        ),
        ({}, {"courts": [a_court("2019-09-11")]}, ["court_day"]),
        ({}, {"transfer": a_transfer("2019-09-11")}, ["transfer_day"]),
        ({}, {"prison": {**ENGLAND, "closure_days": ["2019-09-11"]}}, ["not_working_day"]),
        ({"places_left": 0}, {}, ["full"]),
        ({"places_left": 0, "place_taken": False}, {}, ["full"]),
        ({}, {"group_suitability": "one_to_one"}, ["one_to_one_only"]),
        (
            {"places_left": 0, "non_associate_booked": True},
            {"group_suitability": "one_to_one"},
            ["TT-F9", "full", "one_to_one_only"],
        ),
    ],
)
def test_a_barred_session_is_offered_one_to_one_by_the_end_of_its_week(
    session: dict[str, Any], facts: dict[str, Any], barred_by: list[str]
) -> None:
    (answered,) = sessions(a_session("2019-09-11", **session), **facts)

    assert answered["barred_by"] == barred_by
    assert (answered["outcome"], answered["by_on"]) == ("one_to_one", "2019-09-13")


@pytest.mark.parametrize(
    ("session", "facts"),
    [
        ({"places_left": 0, "place_taken": True}, {}),
        ({"places_left": 1}, {}),
        ({"places_left": None}, {}),
        ({"non_associate_booked": False}, {"group_suitability": "group"}),
        (
            {"runs_on_bank_holiday": True},
            {"prison": {**ENGLAND, "closure_days": ["2019-09-11"]}},
        ),
        (
            {},
            {"unavailable": [{"from_on": "2019-09-03", "to_on": "2019-09-10", "reason": "other"}]},
        ),
    ],
)
def test_a_session_with_nothing_against_it_is_a_group(
    session: dict[str, Any], facts: dict[str, Any]
) -> None:
    (answered,) = sessions(a_session("2019-09-11", **session), **facts)

    assert (answered["outcome"], answered["barred_by"]) == ("group", [])


def test_one_to_one_work_fills_the_week_like_a_group() -> None:
    barred = {"non_associate_booked": True}

    answered = outcomes(
        a_session("2019-09-10", **barred),
        a_session("2019-09-11", **barred),
        a_session("2019-09-12"),
    )

    assert answered == ["one_to_one", "one_to_one", "not_needed"]


def test_no_session_is_needed_in_a_week_spent_in_hospital() -> None:
    away = [{"from_on": "2019-09-09", "to_on": "2019-09-15", "reason": "hospital"}]

    assert outcomes(a_session("2019-09-11"), unavailable=away) == ["not_needed"]


# -- flags ------------------------------------------------------------------------------------


@pytest.mark.proves("TT-F2")
def test_keyworker_and_plan_on_one_day_are_flagged() -> None:
    # Received on Thursday before a closed Friday: kw and day 5 are Monday.
    timetable = a_timetable(
        "2019-09-05T10:00:00+01:00", prison={**ENGLAND, "closure_days": ["2019-09-06"]}
    )

    assert due(timetable, "keyworker_named", "joint_care_plan") == {"2019-09-09"}
    assert flags(timetable) == ["TT-F2"]


@pytest.mark.proves("TT-F3")
@pytest.mark.parametrize(
    ("facts", "raised"),
    [
        ({"courts": [a_court("2019-09-08")]}, True),
        ({"courts": [a_court("2019-09-09")]}, False),
        ({"known_release": {"on": "2019-09-08"}}, True),
        ({"known_release": {"on": "2019-09-09"}}, False),
        ({"transfer": a_transfer("2019-09-05")}, False),
    ],
)
def test_a_hearing_or_release_by_day_7_is_flagged(facts: dict[str, Any], raised: bool) -> None:
    assert ("TT-F3" in flags(a_timetable(**facts))) is raised


@pytest.mark.proves("TT-F4")
@pytest.mark.parametrize(
    ("facts", "raised"),
    [
        ({"courts": [a_court("2019-09-06")]}, True),
        ({"transfer": a_transfer("2019-09-06")}, True),
        ({"known_release": {"on": "2019-09-06"}}, False),
        ({"transfer": a_transfer("2019-09-05")}, False),
    ],
)
def test_a_court_or_transfer_on_day_5_is_flagged(facts: dict[str, Any], raised: bool) -> None:
    assert ("TT-F4" in flags(a_timetable(**facts))) is raised


def weeks_flagged(timetable: Timetable) -> list[int]:
    return [each["week"] for each in timetable["flags"] if each["flag"] == "TT-F5"]


@pytest.mark.proves("TT-F5")
def test_a_week_with_three_or_fewer_working_days_is_flagged() -> None:
    closed = ["2019-09-10", "2019-09-17", "2019-09-18", "2019-09-24", "2019-09-25", "2019-09-26"]

    timetable = a_timetable(prison={**ENGLAND, "closure_days": closed})

    assert [each["working_days"] for each in timetable["weeks"]] == [5, 4, 3, 2]
    assert weeks_flagged(timetable) == [3, 4]


@pytest.mark.proves("TT-F5")
def test_hearings_do_not_count_off_working_days() -> None:
    courts = [a_court(f"2019-09-{day}") for day in (10, 11, 12)]

    assert weeks_flagged(a_timetable(courts=courts)) == []


@pytest.mark.proves("TT-F5")
@pytest.mark.parametrize(
    ("facts", "flagged"),
    [
        ({"known_release": {"on": "2019-09-16"}}, [2, 3]),
        ({"known_release": {"on": "2019-09-15"}}, [2]),
        ({"exit": {"at": "2019-09-16T10:00:00+01:00", "how": "court"}}, [2, 3]),
        ({"exit": {"at": "2019-09-15T10:00:00+01:00", "how": "died"}}, [2]),
        ({"exit": {"at": "2019-09-15T10:00:00+01:00", "how": "transfer"}}, [2, 3, 4]),
    ],
)
def test_a_week_that_starts_after_they_have_gone_is_not_flagged(
    facts: dict[str, Any], flagged: list[int]
) -> None:
    closed = [f"2019-09-{day:02}" for day in (9, 10, 16, 17, 23, 24)]

    timetable = a_timetable(
        as_at="2019-09-30T10:00:00+01:00", prison={**ENGLAND, "closure_days": closed}, **facts
    )

    assert weeks_flagged(timetable) == flagged


@pytest.mark.proves("TT-F7")
@pytest.mark.parametrize(
    ("received", "raised"),
    [
        ("2019-09-02T06:59:59+01:00", True),
        ("2019-09-02T07:00:00+01:00", False),
        ("2019-09-02T18:59:59+01:00", False),
        ("2019-09-02T19:00:00+01:00", True),
        ("2019-09-02T06:30:00+00:00", False),  # 07:30 in London
        ("2019-12-02T18:30:00+00:00", False),
    ],
)
def test_a_late_reception_is_flagged_by_the_london_clock(received: str, raised: bool) -> None:
    assert ("TT-F7" in flags(a_timetable(received, as_at=received))) is raised


@pytest.mark.proves("TT-F9", "TT-F10")
def test_each_session_that_is_barred_by_people_or_place_is_flagged_on_its_day() -> None:
    away = [{"from_on": "2019-09-18", "to_on": "2019-09-18", "reason": "healthcare"}]

    timetable = a_timetable(
        sessions=[
            a_session("2019-09-18"),
            a_session("2019-09-19", non_associate_booked=True),
            a_session("2019-09-12", non_associate_booked=True),
            a_session("2019-09-05", non_associate_booked=True),
            a_session("2019-09-30", non_associate_booked=True),
        ],
        unavailable=away,
    )

    assert [(each["flag"], each["on"], each["week"]) for each in timetable["flags"]] == [
        ("TT-F9", "2019-09-12", None),
        ("TT-F9", "2019-09-19", None),
        ("TT-F10", "2019-09-18", None),
    ]
    assert "alcohol session at 13:30 on 2019-09-12" in timetable["flags"][0]["message"]


# -- the rest of the answer ---------------------------------------------------------------------


@pytest.mark.proves("TT-24", "PS-31")
@pytest.mark.parametrize(("ppo", "placing"), [(True, "first"), (False, "normal"), (None, "normal")])
def test_a_priority_offender_is_placed_first(ppo: bool | None, placing: str) -> None:
    assert a_timetable(ppo=ppo)["placing"] == placing


@pytest.mark.proves("TT-21")
def test_assessments_of_earlier_stays_are_offered_and_complete_nothing() -> None:
    earlier = [
        {
            "received_at": "2019-01-07T10:00:00Z",
            "left_at": "2019-02-01T10:00:00Z",
            "assessments": [{"item": "csma", "done_on": "2019-01-10"}],
        },
        {"received_at": "2018-01-07T10:00:00Z", "left_at": "2018-02-01T10:00:00Z"},
    ]

    timetable = a_timetable(earlier_stays=earlier)

    assert timetable["reuse_offers"] == [{"rule": "TT-21", "item": "csma", "done_on": "2019-01-10"}]
    assert timetable["items"] == a_timetable()["items"]


def test_the_answer_names_the_case_and_the_calendar_it_used() -> None:
    timetable = a_timetable(case="HMP/é-7")

    assert timetable["case"] == "HMP/é-7"
    assert timetable["calendar_version"] == HOLIDAYS.version


def test_a_moved_date_says_why_and_who_may_override_it() -> None:
    timetable = a_timetable(courts=[a_court("2019-09-05")])

    assert row(timetable, "csma")["why"] == (
        "TT-07: the comprehensive assessment before the joint care plan; moved from 2019-09-06 to"
        " 2019-09-04, because there is a hearing or a release in the first week (TT-20); the CARAT"
        " manager may override this."
    )


@pytest.mark.parametrize(
    "given", [{}, {"courts": [a_court("2019-09-06")]}, {"known_release": {"on": "2019-09-10"}}]
)
def test_every_reason_is_one_plain_sentence(given: dict[str, Any]) -> None:
    for each in a_timetable(**given)["items"]:
        assert each["why"].startswith(f"{each['rule']}: ")
        assert each["why"].count(".") == 1
        assert each["why"].endswith(".")
        assert "None" not in each["why"]


# -- the rule table -----------------------------------------------------------------------------


def test_every_rule_has_a_source_that_is_listed() -> None:
    known = {source["id"] for source in TABLE["source"]}
    for rule in RULES.values():
        assert rule["source"] in known
        assert rule["where"]
        assert rule["confidence"] in ("seen", "convention")
    assert {item.rule for item in ITEMS} - set(RULES) == {"RG-07"}


def test_all_the_rules_of_the_timetable_are_in_the_table() -> None:
    wanted = [f"TT-{number:02}" for number in range(1, 27)]
    wanted += [f"TT-F{number}" for number in range(1, 11)]

    assert list(RULES) == wanted


@pytest.mark.parametrize("ask", [limit, clock])
def test_a_number_of_the_wrong_kind_in_the_table_is_an_error(ask: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        ask("TT-26", "moved")
