"""The door of the release check: worked examples, refusals, the shape of the answer."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dosing.shape import Refused
from dosing.shape import answer as at_the_door
from scheduling.release import check, request_schema, response_schema
from scheduling.release_rules import RULES
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
)

EXAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "contracts" / "release-check.examples.jsonl")
    .read_text("utf-8")
    .splitlines()
]
FREE_ORDER = ("missing", "causes", "recheck")


def assert_holds(expected: Any, given: Any, name: str = "") -> None:
    """Everything expected is there: named fields equal, lists complete."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert_holds(value, given[key], key)
    elif isinstance(expected, list) and name in ("flags", "court_packs"):
        for one, other in zip(expected, given, strict=True):
            assert_holds(one, other)
    elif name in FREE_ORDER:
        assert sorted(given) == sorted(expected)
    else:
        assert given == expected, name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["request"]["case"])
def test_the_worked_examples_come_out_as_written(example: Json) -> None:
    given, _ = at_the_door(lambda asked: check(asked, HOLIDAYS), example["request"])

    assert_holds(example["expect"], given)


def test_a_case_in_order_raises_nothing() -> None:
    assert answer(a_case())["flags"] == []


# -- the answer ---------------------------------------------------------------------------

OUTPUTS = [
    a_case(),
    a_case(release=None),
    a_case(on_ost=False),
    a_case(exit=an_exit("2019-09-01T10:00+01:00", "died")),
    a_case(
        arrival={"received_at": "2019-09-02T09:00+01:00"},
        courts=[{"starts_at": "2019-09-03T10:00+01:00"}],
    ),
    out_since(appointment=None),
    *[example["request"] for example in EXAMPLES if "error" not in example["expect"]],
]


@pytest.mark.parametrize("request_", OUTPUTS, ids=range(len(OUTPUTS)))
def test_every_answer_has_every_key_and_fits_the_published_shape(request_: Json) -> None:
    Draft202012Validator(request_schema()).validate(request_)

    Draft202012Validator(response_schema()).validate(answer(request_))


def test_the_published_shapes_are_sound() -> None:
    Draft202012Validator.check_schema(request_schema())
    Draft202012Validator.check_schema(response_schema())


def test_the_answer_names_the_case_and_the_calendar_it_used() -> None:
    given = answer(a_case(case="case 7"))

    assert (given["case"], given["calendar_version"]) == ("case 7", HOLIDAYS.version)


def test_flags_come_in_the_order_of_the_rule_table_with_what_clears_them() -> None:
    given = answer(
        {
            "case": "bare",
            "as_at": "2019-09-18T10:00+01:00",
            "prison": {"nation": "england_and_wales"},
            "release": {"confirmed_on": "2019-09-18"},
        }
    )["flags"]

    ids = [flag["flag"] for flag in given]
    assert ids == sorted(ids)
    assert {"RG-01", "RG-02", "RG-11", "RG-13", "RG-16", "RG-19", "RG-20"} <= set(ids)
    assert all(flag["clears_when"] and flag["message"] for flag in given)


def test_no_message_names_an_amount_or_calls_a_dose_safe() -> None:
    for rule in RULES.values():
        words = f"{rule.message} {rule.clears_when}".lower()
        assert not any(word in words for word in (" mg", "mg ", "safe", " ml"))


# -- the data -----------------------------------------------------------------------------


def test_every_rule_and_limit_carries_a_source_that_is_listed() -> None:
    with (Path(__file__).parents[2] / "scheduling" / "release.toml").open("rb") as file:
        table = tomllib.load(file)

    listed = {source["id"] for source in table["source"]}
    cited = [row["source"] for row in (*table["rule"], *table["limit"], table["pharmacy"])]

    assert set(cited) == listed
    assert [row["id"] for row in table["rule"]] == [f"RG-{n:02}" for n in range(1, 22)]


# -- unknown, died, transfer, not on treatment ---------------------------------------------


@pytest.mark.parametrize("left_out", ["on_ost", "opioid_history"])
def test_treatment_and_history_not_known_read_as_yes(left_out: str) -> None:
    spoiled = {"naloxone": None, "prescriber": None, "as_at": "2019-09-18T08:00+01:00"}

    assert {"RG-01", "RG-11"} <= set(flags(a_case(**spoiled, **{left_out: None})))


def test_null_is_the_same_as_absent() -> None:
    nulls = dict.fromkeys(("naloxone", "appointment", "exit", "arrival", "settings"))

    assert answer({**a_case(), **nulls}) == answer(a_case(naloxone=None, appointment=None))


def test_after_a_death_no_flag_and_no_date_is_worked_out() -> None:
    given = answer(
        a_case(
            naloxone=None,
            arrival={"received_at": "2019-09-01T10:00+01:00"},
            exit=an_exit("2019-09-01T10:00+01:00", "died"),
        )
    )

    empty = {
        name: value for name, value in given.items() if name not in ("case", "calendar_version")
    }
    assert all(value in (None, []) for value in empty.values())


def test_a_transfer_is_not_out_so_the_release_still_lies_ahead() -> None:
    given = answer(a_case(exit=an_exit("2019-09-01T10:00+01:00", "transfer")))

    assert given["expected_release_on"] == "2019-09-18"
    assert given["released_today"] is not None


def test_with_the_release_date_unknown_only_some_rules_can_speak() -> None:
    spoiled = a_case(
        release={"confirmed_on": None, "possible_earlier": [{"on": "2019-10-01", "why": "hdc"}]},
        prescriber=None,
        appointment=None,
        notification=None,
        consent=None,
        destination=None,
        dose_letter=None,
        naloxone=None,
        overdose_session=None,
        pharmacy=None,
        bridging_supplies=[a_supply(("2019-09-19", ["2019-09-19"]))],
        courts=[{"starts_at": "2019-09-03T10:00+01:00"}],
        transfer={"on": "2019-09-03", "nation": "england_and_wales"},
        arrival={"received_at": "2019-09-02T09:00+01:00"},
    )
    given = answer(spoiled)

    severities = {flag["flag"]: flag["severity"] for flag in given["flags"]}
    assert severities == {
        "RG-01": "red",
        "RG-07": "red",
        "RG-09": "red",
        "RG-10": "red",
        "RG-13": "amber",
        "RG-18": "amber",
        "RG-19": "amber",
    }
    assert (given["gap_days"], given["uncovered_days"], given["cover_ends_on"]) == (None, [], None)


def test_with_the_release_date_unknown_and_no_court_the_missing_prescriber_is_amber() -> None:
    assert flags(a_case(release=None, prescriber=None))["RG-01"]["severity"] == "amber"


def test_without_opioid_treatment_cover_dates_are_null_and_the_gap_is_none() -> None:
    given = answer(a_case(on_ost=False, appointment=None))

    assert (given["cover_ends_on"], given["gap_free_by_on"]) == (None, None)
    assert (given["first_community_dose_on"], given["uncovered_days"]) == (None, [])
    assert (given["gap_days"], given["released_today"]["gap_days"]) == (0, 0)


OST_ONLY = {"RG-01", "RG-03", "RG-05", "RG-08", "RG-09", "RG-15", "RG-20"}


def test_without_opioid_treatment_the_treatment_rules_are_silent_and_the_others_are_not() -> None:
    bare = {
        "case": "bare",
        "prison": {"nation": "england_and_wales"},
        "as_at": "2019-09-20T18:00+01:00",
        "transfer": {"on": "2019-09-21", "nation": "scotland"},
        "bridging_supplies": [a_supply(("2019-09-22", ["2019-09-22"]))],
    }
    planned = bare | {"release": {"confirmed_on": "2019-09-20"}}
    unplanned = bare | {"exit": an_exit("2019-09-20T17:00+01:00", "court")}

    treated = set(flags(planned)) | set(flags(unplanned))
    untreated = set(flags(planned | {"on_ost": False})) | set(flags(unplanned | {"on_ost": False}))

    assert treated >= OST_ONLY
    assert untreated == treated - OST_ONLY


def test_left_today_is_the_whole_check_again_from_the_last_dose_given() -> None:
    given = answer(
        a_case(doses=[{"at": "2019-09-01T09:00+01:00", "where": "prison"}], naloxone=None)
    )

    today = given["released_today"]
    assert given["flags"] == []
    assert today["cover_ends_on"] == "2019-09-01"
    # Asked on Monday the 2nd; the clinic is on Thursday the 19th.
    assert today["uncovered_days"] == [f"2019-09-{day:02}" for day in range(2, 19)]
    assert today["gap_days"] == 17
    assert today["continuity_deadline_on"] == "2019-09-23"
    severities = {flag["flag"]: flag["severity"] for flag in today["flags"]}
    assert severities == {"RG-03": "critical", "RG-08": "red", "RG-11": "red"}


def test_left_today_is_null_once_out() -> None:
    assert answer(out_since())["released_today"] is None


def test_left_today_makes_what_was_booked_for_another_date_stale() -> None:
    given = answer(a_case(appointment={"for_release_on": "2019-09-18"}))

    assert given["flags"] == []
    assert "RG-14" in {flag["flag"] for flag in given["released_today"]["flags"]}


def test_once_out_and_engaged_only_naloxone_and_the_overdose_session_remain() -> None:
    gone = out_since(
        as_at="2019-10-20T10:00+01:00",
        naloxone=None,
        overdose_session=None,
        prescriber=None,
        consent=None,
        appointment=None,
        destination=None,
        arrival={"received_at": "2019-03-04T15:00+00:00"},
    )

    assert set(flags(gone)) >= {"RG-01", "RG-02", "RG-03", "RG-10", "RG-13", "RG-19", "RG-21"}
    assert set(flags(laid_over(gone, {"engaged_on": "2019-09-30"}))) == {"RG-11", "RG-16"}


# -- refusals -----------------------------------------------------------------------------

LATER = "2019-09-02T10:00:01+01:00"
TOMORROW = "2019-09-03"
A_SUPPLY = a_supply(("2019-09-19", ["2019-09-19"]))

REFUSED: list[tuple[str, Json]] = [
    ("as_at", {"as_at": None}),
    ("as_at", {"as_at": "2019-09-02T10:00"}),
    ("as_at", {"as_at": "2019-09-02"}),
    ("case", {"case": 7}),
    ("prison", {"prison": None}),
    ("prison.nation", {"prison": {"nation": "wales"}}),
    ("prison.nations", {"prison": {"nations": "scotland"}}),
    ("prison.closure_days[1]", {"prison": {"closure_days": ["2019-09-02", "2019-09-31"]}}),
    ("prison.area", {"prison": {"area": "Northborough"}}),
    ("destination.town", {"destination": {"town": "Northborough"}}),
    ("prison.calendar_changes[0].change",
     {"prison": {"calendar_changes": [{"on": "2019-09-02", "change": "moved"}]}}),
    ("released", {"released": True}),
    ("on_ost", {"on_ost": "yes"}),
    ("medicine", {"medicine": "heroin"}),
    ("release.kind", {"release": {"kind": "life"}}),
    ("release.possible_earlier[0].why", {"release": {"possible_earlier": [{"on": "2019-09-10"}]}}),
    ("exit.how", {"exit": {"at": "2019-09-01T10:00Z"}}),
    ("courts[0].starts_at", {"courts": [{"outcome": "returned"}]}),
    ("courts[0].outcome", {"courts": [{"starts_at": "2019-09-01T10:00Z", "outcome": "released"}]}),
    ("courts[0].starts_at", {"courts": [{"starts_at": "2019-03-04T15:00Z"}]}),
    ("courts[0].pack.done", {"courts": [{"starts_at": "2019-09-03T10:00Z", "pack": {"done": 1}}]}),
    ("transfer.nation", {"transfer": {"on": "2019-09-10"}}),
    ("transfer.on", {"transfer": {"nation": "scotland"}}),
    ("arrival.received_at", {"arrival": {"claims_ost": True}}),
    ("arrival.confirmed.by",
     {"arrival": {"received_at": "2019-09-01T10:00Z", "confirmed": {"at": "2019-09-01T10:00Z"}}}),
    ("doses[0].where", {"doses": [{"on": "2019-09-01"}]}),
    ("doses[0].where", {"doses": [{"on": "2019-09-01", "where": "gp"}]}),
    ("doses[0].at", {"doses": [{"where": "prison"}]}),
    ("doses[0].on",
     {"doses": [{"at": "2019-09-01T10:00Z", "on": "2019-09-01", "where": "prison"}]}),
    ("bridging_supplies[0].form", {"bridging_supplies": [{"instalments": []}]}),
    ("bridging_supplies[0].instalments", {"bridging_supplies": [{"form": "fp10"}]}),
    ("bridging_supplies[0].instalments[0].covers",
     {"bridging_supplies": [{"form": "fp10", "instalments": [{"collect_on": "2019-09-19"}]}]}),
    ("pharmacy.hours.mon[0]", {"pharmacy": {"hours": {"mon": ["9-18"]}}}),
    ("pharmacy.hours.mon[1]", {"pharmacy": {"hours": {"mon": ["09:00-12:00", "18:00-13:00"]}}}),
    ("pharmacy.hours.monday", {"pharmacy": {"hours": {"monday": []}}}),
    ("pharmacy.openings[0].hours", {"pharmacy": {"openings": [{"on": "2019-09-22"}]}}),
    ("clinic.name", {"clinic": {"name": "clinic"}}),
    ("appointment.at", {"appointment": {"at": "2019-09-19T10:00"}}),
    ("appointment.attended", {"appointment": {"attended": "no"}}),
    ("naloxone.on", {"naloxone": {"outcome": "issued", "on": None}}),
    ("naloxone.outcome", {"naloxone": {"outcome": "given"}}),
    ("settings.late_appointment_after", {"settings": {"late_appointment_after": "4pm"}}),
    # what has happened, later than the moment of asking
    ("received_at", {"received_at": LATER}),
    ("arrival.received_at", {"arrival": {"received_at": LATER}}),
    ("arrival.confirmed.at",
     {"arrival": {"received_at": "2019-09-02T09:00+01:00", "confirmed": {"by": "pharmacy", "at": LATER}}}),
    ("exit.at", {"exit": {"at": LATER, "how": "release"}}),
    ("doses[1].at", {"doses": [{"on": "2019-09-02", "where": "prison"}, {"at": LATER, "where": "prison"}]}),
    ("doses[0].on", {"doses": [{"on": TOMORROW, "where": "prison"}]}),
    ("release.known_at", {"release": {"known_at": LATER}}),
    ("release.changed_at", {"release": {"changed_at": LATER}}),
    ("engaged_on", {"engaged_on": TOMORROW}),
    ("appointment.booked_at", {"appointment": {"booked_at": LATER}}),
    ("appointment.acknowledged_at", {"appointment": {"acknowledged_at": LATER}}),
    ("appointment.reconfirmed_at", {"appointment": {"reconfirmed_at": LATER}}),
    ("notification.sent_at", {"notification": {"sent_at": LATER}}),
    ("notification.acknowledged_at", {"notification": {"acknowledged_at": LATER}}),
    ("notification.reconfirmed_at", {"notification": {"reconfirmed_at": LATER}}),
    ("weekend_cover_acknowledged_at", {"weekend_cover_acknowledged_at": LATER}),
    ("dose_letter.prepared_at", {"dose_letter": {"prepared_at": LATER}}),
    ("dose_letter.sent_at", {"dose_letter": {"sent_at": LATER}}),
    ("bridging_supplies[0].written_at", {"bridging_supplies": [A_SUPPLY | {"written_at": LATER}]}),
    ("bridging_supplies[0].sent_at", {"bridging_supplies": [A_SUPPLY | {"sent_at": LATER}]}),
    ("bridging_supplies[0].reconfirmed_at",
     {"bridging_supplies": [A_SUPPLY | {"reconfirmed_at": LATER}]}),
    ("community_prescription.confirmed_valid_at",
     {"community_prescription": {"confirmed_valid_at": LATER}}),
    ("transfer.confirmed_at",
     {"transfer": {"on": TOMORROW, "nation": "scotland", "confirmed_at": LATER}}),
    ("release.possible_earlier[0].ruled_out_at",
     {"release": {"possible_earlier": [{"on": TOMORROW, "why": "hdc", "ruled_out_at": LATER}]}}),
    *[
        (f"courts[0].pack.{tick}",
         {"courts": [{"starts_at": "2019-09-10T10:00+01:00", "pack": {tick: LATER}}]})
        for tick in ("cjit_contact_at", "dose_letter_at", "bridging_decided_at", "naloxone_at")
    ],
    ("naloxone.on", {"naloxone": {"on": TOMORROW}}),
    ("overdose_session.on", {"overdose_session": {"on": TOMORROW}}),
    # beyond the pinned bank holidays
    ("release.confirmed_on", {"release": {"confirmed_on": "2190-01-01"}}),
    ("release.calculated_on", {"release": {"confirmed_on": None, "calculated_on": "1950-01-01"}}),
    ("appointment.at", {"appointment": {"at": "2150-01-01T10:00Z"}}),
    ("courts[0].starts_at", {"courts": [{"starts_at": "2150-01-01T10:00Z"}]}),
    ("transfer.on", {"transfer": {"on": "2150-01-01", "nation": "scotland"}}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "changes"), REFUSED, ids=[field for field, _ in REFUSED])
def test_a_request_that_cannot_be_evaluated_is_refused_by_the_field_at_fault(
    field: str, changes: Json
) -> None:
    with pytest.raises(Refused) as refused:
        answer(a_case(**changes))

    assert refused.value.field == field
    assert refused.value.message


def test_a_moment_beyond_the_bank_holidays_is_refused() -> None:
    bare = {"case": "late", "as_at": "2199-01-01T10:00Z", "prison": {"nation": "scotland"}}

    with pytest.raises(Refused) as refused:
        answer(bare)

    assert refused.value.field == "as_at"


def test_a_count_that_runs_past_the_bank_holidays_is_refused_by_the_date_it_started_from() -> None:
    last = HOLIDAYS.last_on.isoformat()

    with pytest.raises(Refused) as refused:
        answer(a_case(release={"confirmed_on": last}, appointment=None))

    assert refused.value.field == "release.confirmed_on"


def test_what_was_done_at_the_very_moment_of_asking_is_accepted() -> None:
    now = "2019-09-02T10:00+01:00"
    exact = a_case(
        received_at=now, appointment={"booked_at": now}, doses=[{"at": now, "where": "prison"}],
        naloxone={"on": "2019-09-02"}, engaged_on="2019-09-02",
    )  # fmt: skip

    assert answer(exact)["case"] == "in order"


def test_what_is_planned_may_lie_ahead_and_is_ignored_until_it_is_known() -> None:
    planned = a_case(
        courts=[{"starts_at": "2019-09-03T10:00+01:00", "known_at": LATER}],
        transfer={"on": TOMORROW, "nation": "scotland", "booked_on": TOMORROW},
        release={"possible_earlier": [{"on": "2019-09-10", "why": "hdc", "known_at": LATER}]},
    )
    given = answer(planned)

    assert (given["flags"], given["court_packs"]) == ([], [])
    known = flags(
        laid_over(
            planned,
            {
                "courts": [{"starts_at": "2019-09-03T10:00+01:00"}],
                "transfer": {"booked_on": "2019-09-02"},
                "release": {"possible_earlier": [{"on": "2019-09-10", "why": "hdc"}]},
            },
        )
    )
    assert set(known) == {"RG-07", "RG-09", "RG-18"}


def test_what_became_known_at_the_very_moment_of_asking_is_known() -> None:
    now = "2019-09-02T10:00+01:00"
    known = a_case(
        courts=[{"starts_at": "2019-09-03T10:00+01:00", "known_at": now}],
        release={"possible_earlier": [{"on": "2019-09-10", "why": "hdc", "known_at": now}]},
    )

    assert set(flags(known)) == {"RG-07", "RG-18"}


def test_the_day_of_asking_is_the_london_day() -> None:
    # 00:30 on the 18th in London, still the 17th in UTC.
    given = flags(a_case(as_at="2019-09-17T23:30Z", naloxone=None))

    assert "RG-11" in given


def test_what_is_no_object_is_refused_without_a_case() -> None:
    given, evaluated = at_the_door(lambda asked: check(asked, HOLIDAYS), ["case"])

    assert (given["case"], given["error"]["field"], evaluated) == (None, "", False)
