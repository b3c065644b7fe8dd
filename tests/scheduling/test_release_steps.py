"""The fewest steps out of a gap, and the promise behind them: take a step back and its flag is back."""

from __future__ import annotations

from datetime import date, datetime
from itertools import combinations

import pytest

from scheduling.release_rules import RULES
from scheduling.release_steps import GRAVE, _trials, fewest_steps
from tests.scheduling.release_cases import (
    HOLIDAYS,
    Json,
    a_case,
    a_supply,
    an_exit,
    answer,
    flags,
    laid_over,
    out_since,
    without,
)

BARE: Json = {
    "case": "bare", "as_at": "2019-09-17T10:00+01:00", "prison": {"nation": "england_and_wales"},
    "release": {"confirmed_on": "2019-09-20", "kind": "determinate"},
}  # fmt: skip


def sections(request: Json) -> list[str]:
    return [each.section for each in fewest_steps(request, HOLIDAYS).steps]


def test_a_case_without_a_grave_flag_needs_no_step():
    assert sections(a_case()) == []


def test_a_plan_of_which_nothing_is_known_is_told_every_step_consent_first():
    found = fewest_steps(BARE, HOLIDAYS)

    assert [each.section for each in found.steps] == [
        "consent", "destination", "prescriber", "appointment", "notification",
    ]  # fmt: skip
    assert found.remains == ()


def test_one_appointment_on_the_day_closes_what_a_dose_and_a_supply_together_would():
    late = a_case(
        as_at="2019-09-17T10:00+01:00", dose_on_release_day=None, pharmacy=None,
        appointment={"at": "2019-09-25T10:00+01:00"},
    )  # fmt: skip

    steps = fewest_steps(late, HOLIDAYS).steps

    assert [(each.section, each.on, each.clears) for each in steps] == [
        ("appointment", date(2019, 9, 18), ("RG-03",))
    ]


def test_a_place_that_is_free_is_tried_and_one_that_is_too_late_is_passed_over():
    bare = a_case(as_at="2019-09-17T10:00+01:00", appointment=None)
    free = [datetime.fromisoformat(f"2019-09-{day}T15:00+01:00") for day in ("25", "18")]

    (step,) = fewest_steps(bare, HOLIDAYS, free_at=free).steps

    assert (step.section, step.on) == ("appointment", date(2019, 9, 18))


def test_a_step_that_sends_something_comes_after_consent_even_while_its_flag_is_only_amber():
    early = a_case(
        consent=None, notification=None,
        appointment={"at": "2019-09-25T10:00+01:00"}, release={"confirmed_on": "2019-09-18"},
        dose_on_release_day=None, pharmacy=None,
    )  # fmt: skip
    assert flags(early)["RG-19"]["severity"] == "amber"

    assert sections(early) == ["consent", "appointment"]


def test_what_happens_by_itself_is_no_step_and_is_said_to_remain():
    out = out_since(
        appointment={"attended": True}, as_at="2019-10-10T12:00+01:00",
    )  # fmt: skip

    found = fewest_steps(out, HOLIDAYS)

    assert "RG-21" in found.remains
    assert "engagement" not in [each.section for each in found.steps]


SPOILED = [
    BARE,
    {**BARE, "on_ost": False},
    a_case(as_at="2019-09-17T10:00+01:00", appointment=None, dose_on_release_day=None),
    out_since(how="court", appointment=None, dose_letter=None),
    out_since(how="unplanned", doses=[], naloxone=None),
    out_since("2019-09-20T10:00+01:00", appointment={"at": "2019-09-24T10:00+01:00"},
              pharmacy=None),
    a_case(as_at="2019-09-17T10:00+01:00", release={"confirmed_on": "2019-09-20"},
           bridging_supplies=[a_supply(("2019-09-22", ["2019-09-22"]), in_hand=False)]),
    a_case(as_at="2019-09-17T10:00+01:00",
           courts=[{"starts_at": f"2019-09-{day}T10:00+01:00"} for day in ("17", "18")]),
]  # fmt: skip


@pytest.mark.parametrize("request_", SPOILED, ids=range(len(SPOILED)))
def test_no_smaller_choice_of_the_same_steps_would_do(request_):
    """Every smaller set of the trials is tried by hand; the steps found are as few as can be."""
    found = fewest_steps(request_, HOLIDAYS)
    trials = list(_trials(request_, answer(request_), HOLIDAYS, ()))

    def left(chosen) -> set[str]:
        tried = request_
        for each in chosen:
            tried = each.lay(tried)
        return {f["flag"] for f in answer(tried)["flags"] if f["severity"] in GRAVE}

    enough = [each for each in found.steps if each.clears]  # consent alone may clear nothing grave
    alone = {each.section for each in trials} - {"weekend", "dose"}
    assert left(trials) == set(found.remains)
    assert len(enough) <= len(alone)
    for size in range(min(len(enough), 3)):
        for chosen in combinations(trials, size):
            assert left(chosen) - set(found.remains), (size, chosen)


# -- every closing fact ---------------------------------------------------------------------

DAY_BEFORE = a_case(as_at="2019-09-17T15:00+01:00")
THAT_DAY = a_case(as_at="2019-09-18T08:00+01:00")
FRIDAY = a_case(
    as_at="2019-09-20T08:00+01:00",
    release={"confirmed_on": "2019-09-20"},
    appointment={"at": "2019-09-23T10:00+01:00"},
    bridging_supplies=[a_supply(("2019-09-21", ["2019-09-21", "2019-09-22"]))],
    weekend_cover_acknowledged_at="2019-09-19T10:00+01:00",
)
MOVED = a_case(
    as_at="2019-09-10T08:00+01:00",
    release={"previous_on": "2019-09-25", "changed_at": "2019-09-05T10:00+01:00"},
    appointment={"reconfirmed_at": "2019-09-06T10:00+01:00"},
    notification={"reconfirmed_at": "2019-09-06T10:00+01:00"},
)
EARLIER = a_case(
    release={
        "possible_earlier": [
            {"on": "2019-09-10", "why": "hdc", "ruled_out_at": "2019-08-30T10:00+01:00"}
        ]
    }
)
COURT = a_case(
    courts=[
        {
            "starts_at": "2019-09-03T10:00+01:00",
            "pack": {
                "cjit_contact_at": "2019-09-01T10:00+01:00", "slot_on": "2019-09-04",
                "dose_letter_at": "2019-09-01T10:00+01:00",
                "bridging_decided_at": "2019-09-01T10:00+01:00",
                "naloxone_at": "2019-09-01T10:00+01:00",
            },
        }
    ]
)  # fmt: skip
MOVING = a_case(
    transfer={
        "on": "2019-09-03", "nation": "england_and_wales", "drug": "methadone",
        "dose_form": "mixture", "last_dose_at": "2019-09-02T08:00+01:00",
        "next_dose_at": "2019-09-03T08:00+01:00", "prescriber_cover": True,
    }
)  # fmt: skip
ARRIVED = a_case(
    arrival={
        "received_at": "2019-09-01T15:00+01:00",
        "confirmed": {"by": "prescriber", "at": "2019-09-01T17:00+01:00", "dose": True,
                      "last_consumed": True},
    },
    doses=[{"on": "2019-09-01", "where": "police"}],
)  # fmt: skip
FROM_COURT = out_since(
    exit=an_exit("2019-09-18T10:00+01:00", "court"),
    dose_letter={"sent_at": "2019-09-18T11:00+01:00"},
)
ATTENDED = out_since(
    as_at="2019-10-10T12:00+01:00", appointment={"attended": True}, engaged_on="2019-09-25"
)
NOT_YET = out_since(as_at="2019-09-23T12:00+01:00", appointment={"attended": True})
HOLIDAY = a_case(
    release={"confirmed_on": "2019-12-24"},
    appointment={"at": "2019-12-26T10:00+00:00"},
    destination={"calendar_changes": [{"on": "2019-12-26", "change": "removed"}]},
)
FRIDAY_RULE = a_case(release={"confirmed_on": "2024-09-20", "calculated_on": "2024-09-20"})

CLOSING = [
    ("RG-01", DAY_BEFORE, "prescriber"),
    ("RG-01", DAY_BEFORE, "prescriber.service"),
    ("RG-02", DAY_BEFORE, "appointment"),
    ("RG-02", DAY_BEFORE, "appointment.acknowledged_at"),
    ("RG-03", FRIDAY, "bridging_supplies"),
    ("RG-04", HOLIDAY, "destination.calendar_changes.0"),
    ("RG-05", FRIDAY, "weekend_cover_acknowledged_at"),
    ("RG-06", FRIDAY_RULE, "release.confirmed_on"),
    *(("RG-07", COURT, f"courts.0.pack.{tick}") for tick in COURT["courts"][0]["pack"]),
    ("RG-08", FROM_COURT, "dose_letter"),
    ("RG-08", FROM_COURT, "appointment"),
    *(("RG-09", MOVING, f"transfer.{name}")
      for name in ("drug", "dose_form", "last_dose_at", "next_dose_at", "prescriber_cover")),
    ("RG-10", ARRIVED, "arrival.confirmed"),
    ("RG-11", THAT_DAY, "naloxone"),
    ("RG-12", DAY_BEFORE, "notification"),
    ("RG-12", DAY_BEFORE, "notification.acknowledged_at"),
    ("RG-13", DAY_BEFORE, "destination.contact"),
    ("RG-14", MOVED, "appointment.reconfirmed_at"),
    ("RG-14", MOVED, "notification.reconfirmed_at"),
    ("RG-15", FRIDAY, "pharmacy"),
    ("RG-15", FRIDAY, "bridging_supplies.0.in_hand"),
    ("RG-16", THAT_DAY, "overdose_session"),
    ("RG-17", NOT_YET, "appointment.attended"),
    ("RG-18", EARLIER, "release.possible_earlier.0.ruled_out_at"),
    ("RG-19", DAY_BEFORE, "consent"),
    ("RG-20", DAY_BEFORE, "dose_letter.sent_at"),
    ("RG-21", ATTENDED, "engaged_on"),
]  # fmt: skip


def test_the_closing_facts_below_are_those_of_every_flag_there_is():
    assert {rule for rule, _, _ in CLOSING} == set(RULES)


@pytest.mark.parametrize(("rule", "case", "path"), CLOSING, ids=[f"{r} {p}" for r, _, p in CLOSING])
@pytest.mark.proves("RC-02")
def test_deleting_any_single_closing_fact_brings_its_flag_back(rule, case, path):
    assert rule not in flags(case)

    assert rule in flags(without(case, path))


def test_a_step_once_taken_is_asked_for_again_when_it_is_taken_back():
    taken = laid_over(DAY_BEFORE, {})
    assert fewest_steps(taken, HOLIDAYS).steps == ()

    back = fewest_steps(without(taken, "notification"), HOLIDAYS).steps

    assert [(each.section, each.clears) for each in back] == [("notification", ("RG-12",))]
