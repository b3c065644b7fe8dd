"""The rules RG-01 to RG-21: just before, at and after each limit, and back when a fact goes.

The case in order is released on Wednesday 18 September 2019, clinic on Thursday 19.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scheduling.release_cases import (
    Json,
    a_case,
    a_supply,
    an_exit,
    answer,
    flag,
    flags,
    laid_over,
    out_since,
    severity,
    without,
)

MORNING = "T08:00+01:00"


def asked_on(day: str, **changes: Any) -> Json:
    return a_case(as_at=day + MORNING, **changes)


# -- every flag comes back when the fact that closed it goes ------------------------------

RELEASE_DAY = asked_on("2019-09-18")
OUT_MISSED = out_since(as_at="2019-09-20T10:00+01:00", appointment={"attended": True})
FROM_COURT = out_since(
    how="court", dose_letter={"sent_at": "2019-09-18T11:00+01:00"},
)  # fmt: skip
MOVED = a_case(
    release={"changed_at": "2019-08-20T10:00+01:00", "previous_on": "2019-10-02"},
    appointment={"reconfirmed_at": "2019-08-21T10:00+01:00"},
    notification={"reconfirmed_at": "2019-08-21T10:00+01:00"},
)
WEEKEND = a_case(
    release={"confirmed_on": "2019-09-20"},
    appointment={"at": "2019-09-21T10:00+01:00", "attended": None},
    weekend_cover_acknowledged_at="2019-09-01T10:00+01:00",
    prison={"nation": "england_and_wales"},
    depot_cover_ends_on="2019-09-23",
)
COURT = {
    "starts_at": "2019-09-03T10:00+01:00",
    "pack": {
        "cjit_contact_at": "2019-09-01T10:00+01:00",
        "slot_on": "2019-09-04",
        "dose_letter_at": "2019-09-01T10:00+01:00",
        "bridging_decided_at": "2019-09-01T10:00+01:00",
        "naloxone_at": "2019-09-01T10:00+01:00",
    },
}
TRANSFER = {
    "on": "2019-09-03",
    "nation": "england_and_wales",
    "drug": "methadone",
    "dose_form": "oral solution",
    "last_dose_at": "2019-09-03T08:00+01:00",
    "next_dose_at": "2019-09-04T08:00+01:00",
    "prescriber_cover": True,
}
CONFIRMED = {
    "received_at": "2019-09-02T09:00+01:00",
    "confirmed": {
        "by": "pharmacy", "at": "2019-09-02T09:30+01:00", "dose": True, "last_consumed": True,
    },
}  # fmt: skip
FRIDAY = asked_on("2024-06-03", release={"calculated_on": "2024-06-15", "confirmed_on": "2024-06-13"},
                  appointment={"at": "2024-06-14T10:00+01:00"})  # fmt: skip

CLOSED_BY: list[tuple[str, Json, str]] = [
    ("RG-01", a_case(), "prescriber.name"),
    ("RG-01", a_case(), "prescriber.service"),
    ("RG-01", a_case(), "prescriber"),
    ("RG-02", a_case(), "appointment"),
    ("RG-02", a_case(), "appointment.acknowledged_at"),
    ("RG-03", a_case(appointment={"at": "2019-09-20T10:00+01:00"},
                     bridging_supplies=[a_supply(("2019-09-19", ["2019-09-19"]))]),
     "bridging_supplies.0"),
    ("RG-04", a_case(appointment={"at": "2019-09-19T17:30+01:00"},
                     clinic={"hours": {"thu": ["09:00-12:00", "13:00-18:00"]}}),
     "clinic.hours.thu.1"),
    ("RG-05", WEEKEND, "weekend_cover_acknowledged_at"),
    ("RG-06", FRIDAY, "release.confirmed_on"),
    *[("RG-07", a_case(courts=[COURT]), f"courts.0.pack.{tick}") for tick in COURT["pack"]],
    ("RG-07", a_case(courts=[COURT]), "courts.0.pack"),
    ("RG-07", a_case(courts=[COURT | {"pack": {}, "outcome": "returned"}]), "courts.0.outcome"),
    ("RG-08", FROM_COURT, "dose_letter.sent_at"),
    ("RG-08", FROM_COURT, "dose_letter.sent_to"),
    ("RG-08", FROM_COURT, "appointment"),
    *[("RG-09", a_case(transfer=TRANSFER), f"transfer.{name}")
      for name in ("drug", "dose_form", "last_dose_at", "next_dose_at", "prescriber_cover")],
    ("RG-09", a_case(transfer={"on": "2019-09-03", "nation": "scotland",
                               "confirmed_at": "2019-09-01T10:00+01:00"}), "transfer.confirmed_at"),
    ("RG-10", a_case(arrival=CONFIRMED), "arrival.confirmed"),
    ("RG-10", a_case(arrival=CONFIRMED), "arrival.confirmed.dose"),
    ("RG-10", a_case(arrival=CONFIRMED), "arrival.confirmed.last_consumed"),
    ("RG-10", a_case(arrival={"received_at": "2019-09-02T09:00+01:00", "claims_ost": False}),
     "arrival.claims_ost"),
    ("RG-11", RELEASE_DAY, "naloxone"),
    ("RG-12", a_case(), "notification"),
    ("RG-12", a_case(), "notification.sent_at"),
    ("RG-12", a_case(), "notification.acknowledged_at"),
    ("RG-13", a_case(), "destination.area"),
    ("RG-13", a_case(), "destination.contact"),
    ("RG-13", a_case(), "destination"),
    ("RG-14", MOVED, "appointment.reconfirmed_at"),
    ("RG-14", MOVED, "notification.reconfirmed_at"),
    ("RG-15", a_case(appointment={"at": "2019-09-20T10:00+01:00"},
                     bridging_supplies=[a_supply(("2019-09-19", ["2019-09-19"]))]),
     "bridging_supplies.0.in_hand"),
    ("RG-15", a_case(bridging_supplies=[a_supply(("2019-09-19", ["2019-09-19"]))]),
     "pharmacy.name"),
    ("RG-16", RELEASE_DAY, "overdose_session"),
    ("RG-17", OUT_MISSED, "appointment.attended"),
    ("RG-18", a_case(release={"possible_earlier": [
        {"on": "2019-09-10", "why": "hdc", "ruled_out_at": "2019-09-01T10:00+01:00"}]}),
     "release.possible_earlier.0.ruled_out_at"),
    ("RG-19", a_case(), "consent"),
    ("RG-19", a_case(), "consent.given"),
    ("RG-19", a_case(consent={"given": False, "lawful_basis": "vital interests"}),
     "consent.lawful_basis"),
    ("RG-20", asked_on("2019-09-17"), "dose_letter.sent_at"),
    ("RG-20", asked_on("2019-09-17"), "dose_letter.sent_to"),
    ("RG-20", RELEASE_DAY, "dose_letter"),
    ("RG-20", asked_on("2019-09-17", bridging_supplies=[
        a_supply(written_at="2019-09-10T10:00+01:00")]), "bridging_supplies.0.in_hand"),
    ("RG-21", out_since(as_at="2019-10-02T10:00+01:00", engaged_on="2019-09-25",
                        appointment={"attended": True}), "engaged_on"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "closed", "fact"),
    [
        pytest.param(rule, closed, fact, id=f"{rule} {fact}", marks=pytest.mark.proves(rule))
        for rule, closed, fact in CLOSED_BY
    ],
)
def test_taking_away_the_fact_that_closed_a_flag_brings_it_back(
    rule: str, closed: Json, fact: str
) -> None:
    assert flag(closed, rule) is None

    assert flag(without(closed, fact), rule) is not None


# What can only ever clear a flag: taken away, it is not known, and nothing is better for that. (A
# letter prepared and not sent is flagged a day before one nobody prepared: RG-20.)
ONLY_CLEARS = (
    "prescriber", "prescriber.name", "prescriber.service", "consent", "dose_letter.sent_at",
    "dose_letter.sent_to", "naloxone", "overdose_session", "weekend_cover_acknowledged_at",
    "engaged_on", "destination.area", "destination.contact", "dose_on_release_day",
    "appointment.acknowledged_at", "appointment.reconfirmed_at", "notification.sent_at",
    "notification.acknowledged_at", "notification.reconfirmed_at", "opioid_history", "on_ost",
)  # fmt: skip


@given(st.sampled_from(CLOSED_BY), st.sets(st.sampled_from(ONLY_CLEARS)))
@settings(max_examples=300)
def test_whatever_else_is_missing_no_flag_goes_with_a_fact_and_the_closing_one_brings_its_own(
    closed: tuple[str, Json, str], missing: set[str]
) -> None:
    rule, case, path = closed
    less = taken_away(case, missing)

    assert flags(case).keys() <= flags(less).keys()
    assert rule in flags(taken_away(less, {path}))


def taken_away(case: Json, paths: set[str]) -> Json:
    """A case less the facts at these paths, as far as it holds them."""
    for path in sorted(paths):
        with contextlib.suppress(KeyError, IndexError):
            case = without(case, path)
    return case


def test_every_rule_has_a_closing_fact_that_was_tried() -> None:
    # RG-03 is closed by a supply here; by an earlier appointment below.
    assert {rule for rule, _, _ in CLOSED_BY} == {f"RG-{n:02}" for n in range(1, 22)}


@pytest.mark.parametrize(
    ("rule", "spoiled"),
    [
        ("RG-01", a_case(prescriber={"name": "  "})),
        ("RG-13", a_case(destination={"contact": ""})),
        ("RG-19", a_case(consent={"given": None, "lawful_basis": " "})),
        ("RG-08", laid_over(FROM_COURT, {"dose_letter": {"sent_to": ""}})),
        ("RG-09", a_case(transfer=TRANSFER | {"drug": " "})),
        ("RG-15", a_case(pharmacy={"name": " "},
                         bridging_supplies=[a_supply(("2019-09-19", ["2019-09-19"]))])),
    ],
)  # fmt: skip
def test_an_empty_text_is_not_a_recorded_fact(rule: str, spoiled: Json) -> None:
    assert flag(spoiled, rule) is not None


@pytest.mark.proves("RC-02")
@pytest.mark.parametrize(
    ("missing", "rule"),
    [
        ({"prescriber": None}, "RG-01"),
        ({"dose_letter": None}, "RG-20"),
        ({"appointment": None}, "RG-02"),
        ({"appointment": {"at": "2019-09-20T10:00+01:00"}}, "RG-03"),
    ],
)
def test_a_release_gap_is_any_of_no_prescriber_no_confirmed_dose_no_first_date_an_uncovered_day(
    missing: Json, rule: str
) -> None:
    assert rule not in flags(RELEASE_DAY)

    assert rule in flags(laid_over(RELEASE_DAY, missing))


# -- severities by the count-down ---------------------------------------------------------

NO_APPOINTMENT = {"appointment": None}
NOT_TOLD = {"notification": None}
NO_AREA = {"destination": None}
NO_CONSENT = {"consent": None}
NO_PRESCRIBER = {"prescriber": None}

COUNT_DOWN = [
    # Working days from tomorrow to Wednesday 18 September, both included; asked that morning.
    ("RG-01", NO_PRESCRIBER, "2019-09-10", "amber"),      # 8 days
    ("RG-01", NO_PRESCRIBER, "2019-09-11", "red"),        # 7 days
    ("RG-01", NO_PRESCRIBER, "2019-09-12", "red"),
    ("RG-02", NO_APPOINTMENT, "2019-09-10", "amber"),     # 6 working days
    ("RG-02", NO_APPOINTMENT, "2019-09-11", "red"),       # 5
    ("RG-02", NO_APPOINTMENT, "2019-09-16", "red"),       # 2
    ("RG-02", NO_APPOINTMENT, "2019-09-17", "critical"),  # 1
    ("RG-02", NO_APPOINTMENT, "2019-09-18", "critical"),  # 0
    ("RG-12", NOT_TOLD, "2019-09-10", "amber"),
    ("RG-12", NOT_TOLD, "2019-09-11", "red"),
    ("RG-12", NOT_TOLD, "2019-09-18", "red"),
    ("RG-13", NO_AREA, "2019-09-03", "amber"),            # 11
    ("RG-13", NO_AREA, "2019-09-04", "red"),              # 10
    ("RG-13", NO_AREA, "2019-09-05", "red"),
    ("RG-19", NO_CONSENT, "2019-09-10", "amber"),
    ("RG-19", NO_CONSENT, "2019-09-11", "red"),
    ("RG-19", NO_CONSENT, "2019-09-12", "red"),
]  # fmt: skip


@pytest.mark.proves("RG-01", "RG-02", "RG-12", "RG-13", "RG-19")
@pytest.mark.parametrize(("rule", "spoiled", "day", "grave"), COUNT_DOWN)
def test_a_flag_grows_graver_as_release_comes_near(
    rule: str, spoiled: Json, day: str, grave: str
) -> None:
    assert severity(asked_on(day, **spoiled), rule) == grave


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"sent_at": None, "acknowledged_at": None}, "CJIT not told; due "),
        ({"sent_at": "2019-09-10T09:00Z", "acknowledged_at": None}, "CJIT told, not acknowledged; due "),
        ({"sent_at": "2019-09-10T09:00Z", "acknowledged_at": "2019-09-10T09:30Z",
          "for_release_on": "2019-09-25"}, "CJIT not told of the new date; due "),
    ],
)  # fmt: skip
def test_what_is_still_owed_to_the_community_team_is_said(told: Json, says: str) -> None:
    found = flags(asked_on("2019-09-12", notification=told))["RG-12"]

    assert found["message"].startswith(says)


@pytest.mark.parametrize(
    ("rule", "spoiled", "grave"),
    [
        ("RG-01", NO_PRESCRIBER, "red"),
        ("RG-02", NO_APPOINTMENT, "critical"),
        ("RG-12", NOT_TOLD, "red"),
        ("RG-13", NO_AREA, "red"),
        ("RG-19", NO_CONSENT, "red"),
    ],
)
def test_once_out_no_working_day_is_left(rule: str, spoiled: Json, grave: str) -> None:
    assert severity(out_since(**spoiled), rule) == grave


def test_the_count_down_leaves_out_the_prisons_holidays_and_closure_days() -> None:
    # Christmas 2019: from Thursday 19 December to Monday 30 there are 20, 23, 24, 27, 30.
    christmas = {
        "release": {"confirmed_on": "2019-12-30"},
        "as_at": "2019-12-19T10:00+00:00",
        "destination": {"nation": "scotland"},
    }

    assert severity(a_case(**christmas, appointment=None), "RG-02") == "red"
    assert (
        severity(a_case(**christmas | {"as_at": "2019-12-18T10:00Z"}, appointment=None), "RG-02")
        == "amber"
    )
    closed = (
        {"prison": {"closure_days": ["2019-12-24"]}} | christmas | {"as_at": "2019-12-18T10:00Z"}
    )
    assert severity(a_case(**closed, appointment=None), "RG-02") == "red"


def test_a_release_date_that_has_passed_leaves_no_working_day() -> None:
    assert severity(asked_on("2019-09-20", appointment=None), "RG-02") == "critical"


# -- RG-01 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-01")
def test_a_court_ahead_makes_the_missing_prescriber_red() -> None:
    court = {"starts_at": "2019-09-06T10:00+01:00"}

    assert severity(a_case(prescriber=None), "RG-01") == "amber"
    assert severity(a_case(prescriber=None, courts=[court]), "RG-01") == "red"
    gone_by = [court | {"outcome": "returned"}]
    assert severity(a_case(prescriber=None, courts=gone_by), "RG-01") == "amber"


@pytest.mark.proves("RG-01")
def test_the_message_names_the_area() -> None:
    named, unnamed = a_case(prescriber=None), a_case(prescriber=None, destination=None)

    assert flags(named)["RG-01"]["message"] == "No prescriber named in Northborough"
    assert flags(unnamed)["RG-01"]["message"] == "No prescriber named in area not known"


# -- RG-02 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-02")
def test_no_appointment_says_when_cover_ends() -> None:
    found = flags(a_case(appointment=None))["RG-02"]

    assert found["facts"] == {"cover_ends_on": "2019-09-18"}
    assert found["message"] == "No appointment; cover ends 18 Sep 2019"


@pytest.mark.proves("RG-02")
def test_an_appointment_before_release_counts_as_none() -> None:
    assert flag(a_case(appointment={"at": "2019-09-18T09:00+01:00"}), "RG-02") is None
    assert flag(a_case(appointment={"at": "2019-09-17T10:00+01:00"}), "RG-02") is not None


@pytest.mark.proves("RG-02")
def test_a_collection_needs_no_acknowledgement() -> None:
    collection = {
        "live": True, "next_collection_on": "2019-09-19",
        "confirmed_valid_at": "2019-09-01T10:00+01:00",
    }  # fmt: skip

    assert flag(a_case(appointment=None, community_prescription=collection), "RG-02") is None
    not_treated = a_case(appointment=None, community_prescription=collection, on_ost=False)
    assert flag(not_treated, "RG-02") is None  # a known fact asks for no more than an unknown one
    unacknowledged = {"at": "2019-09-18T14:00+01:00", "acknowledged_at": None}
    earlier = a_case(appointment=unacknowledged, community_prescription=collection)
    assert flags(earlier)["RG-02"]["message"].startswith("Appointment not acknowledged")


@pytest.mark.proves("RG-02")
def test_after_a_missed_appointment_outreach_speaks_instead() -> None:
    missed = out_since(as_at="2019-09-20T10:00+01:00", appointment={"attended": False})

    assert "RG-17" in flags(missed)
    assert "RG-02" not in flags(missed)


@pytest.mark.proves("RG-02")
def test_a_missed_appointment_that_was_before_leaving_is_no_appointment() -> None:
    left = out_since(
        at="2019-09-20T10:00+01:00", appointment={"at": "2019-09-19T10:00+01:00", "attended": False}
    )

    assert "RG-02" in flags(left)
    assert "RG-17" not in flags(left)


@pytest.mark.proves("RG-02")
def test_an_appointment_known_as_missed_while_still_inside_does_not_count() -> None:
    overdue = asked_on("2019-09-20", appointment={"attended": False})

    assert severity(overdue, "RG-02") == "critical"


# -- RG-03 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-03")
@pytest.mark.parametrize(
    ("seen_on", "days", "grave"),
    [
        ("2019-09-19", 0, None), ("2019-09-20", 1, "red"), ("2019-09-23", 4, "critical"),
    ],
)  # fmt: skip
def test_days_before_the_first_community_dose_are_uncovered(
    seen_on: str, days: int, grave: str | None
) -> None:
    case = a_case(appointment={"at": f"{seen_on}T10:00+01:00"})

    assert answer(case)["gap_days"] == days
    assert severity(case, "RG-03") == grave


@pytest.mark.proves("RG-03")
@pytest.mark.parametrize(("dose_on_release_day", "grave"), [(True, "red"), (False, "critical")])
def test_two_uncovered_days_are_red_and_three_critical(
    dose_on_release_day: bool, grave: str
) -> None:
    # Late on Friday: the first dose is on Saturday, so Thursday and Friday are uncovered.
    late = {"at": "2019-09-20T16:30+01:00"}
    case = a_case(appointment=late, dose_on_release_day=dose_on_release_day)

    assert severity(case, "RG-03") == grave


@pytest.mark.proves("RG-03")
def test_the_uncovered_days_are_named_as_facts_and_in_words() -> None:
    found = flags(a_case(appointment={"at": "2019-09-23T10:00+01:00"}))["RG-03"]

    assert found["facts"]["uncovered_days"] == [f"2019-09-{day}" for day in (19, 20, 21, 22)]
    assert found["facts"]["gap_days"] == 4
    assert found["message"] == "Uncovered days: 4 (19 Sep 2019 to 22 Sep 2019)"
    two = flags(a_case(appointment={"at": "2019-09-20T16:30+01:00"}))["RG-03"]
    assert two["message"] == "Uncovered days: 2 (19 Sep 2019, 20 Sep 2019)"


@pytest.mark.proves("RG-03")
def test_an_unknown_last_dose_is_a_red_flag_never_no_gap() -> None:
    for unknown in (out_since(doses=None), a_case(medicine="buprenorphine_depot")):
        found = flags(unknown)["RG-03"]
        assert found["severity"] == "red"
        assert found["facts"] == {"uncovered_days": [], "gap_days": None}


# -- RG-04 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-04")
@pytest.mark.parametrize(
    ("at", "open_on"),
    [
        ("2019-09-21T10:00+01:00", "2019-09-23"),
        ("2019-09-22T10:00+01:00", "2019-09-23"),
        ("2019-09-23T10:00+01:00", None),
    ],
)
def test_an_appointment_at_a_weekend_is_flagged_with_the_next_open_day(
    at: str, open_on: str | None
) -> None:
    found = flag(a_case(appointment={"at": at}), "RG-04")

    assert (found and found["facts"]) == (open_on and {"open_on": open_on})


@pytest.mark.proves("RG-04")
@pytest.mark.parametrize(
    ("clock", "raised"),
    [("08:59", True), ("09:00", False), ("11:59", False), ("12:00", True), ("13:00", False),
     ("16:59", False), ("17:00", True)],
)  # fmt: skip
def test_an_appointment_outside_the_clinics_hours_is_flagged(clock: str, raised: bool) -> None:
    hours = {"thu": ["09:00-12:00", "13:00-17:00"], "fri": ["09:00-17:00"]}
    case = a_case(appointment={"at": f"2019-09-19T{clock}+01:00"}, clinic={"hours": hours})

    assert (flag(case, "RG-04") is not None) == raised


@pytest.mark.proves("RG-04")
def test_a_clinic_closure_and_a_destination_holiday_close_the_clinic() -> None:
    closure = a_case(clinic={"closures": ["2019-09-19"]})
    holiday = a_case(destination={"closure_days": ["2019-09-19"]})
    changed = a_case(destination={"calendar_changes": [{"on": "2019-09-19", "change": "added"}]})

    for case in (closure, holiday, changed):
        found = flags(case)["RG-04"]
        assert found["facts"] == {"open_on": "2019-09-20"}
        assert found["message"] == "Clinic closed 19 Sep 2019 in England and Wales"


@pytest.mark.proves("RG-04")
def test_the_prisons_holiday_does_not_close_the_clinic() -> None:
    # Monday 6 May 2019 is a bank holiday in all nations; 2 January only in Scotland.
    case = {"as_at": "2018-12-20T10:00Z", "release": {"confirmed_on": "2018-12-31"},
            "appointment": {"at": "2019-01-02T10:00Z", "booked_at": None, "acknowledged_at": None},
            "notification": None, "dose_letter": None, "naloxone": None,
            "overdose_session": None, "received_at": None}  # fmt: skip

    assert flag(a_case(**case, prison={"nation": "scotland"}), "RG-04") is None
    assert flag(a_case(**case, destination={"nation": "scotland"}), "RG-04") is not None


@pytest.mark.proves("RG-04")
def test_an_appointment_that_has_passed_is_no_longer_flagged_as_closed() -> None:
    weekend = {"appointment": {"at": "2019-09-21T10:00+01:00"}}

    assert flag(out_since(as_at="2019-09-21T18:00+01:00", **weekend), "RG-04") is not None
    assert flag(out_since(as_at="2019-09-22T00:00+01:00", **weekend), "RG-04") is None


# -- RG-05 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-05")
@pytest.mark.parametrize(
    ("release_on", "next_on"),
    [("2019-09-19", None), ("2019-09-20", "2019-09-23"), ("2019-09-21", "2019-09-23"),
     ("2019-09-22", None)],
)  # fmt: skip
def test_release_before_a_weekend_is_flagged(release_on: str, next_on: str | None) -> None:
    found = flag(a_case(release={"confirmed_on": release_on}), "RG-05")

    assert (found and found["facts"]) == (next_on and {"next_working_day_on": next_on})


@pytest.mark.proves("RG-05")
def test_release_before_a_weekend_is_red_while_a_gap_is_open_or_unknown() -> None:
    friday = {"release": {"confirmed_on": "2019-09-20"}}
    covered = a_case(
        **friday, depot_cover_ends_on="2019-09-22", appointment={"at": "2019-09-23T10:00+01:00"}
    )
    gap = a_case(**friday, appointment={"at": "2019-09-23T10:00+01:00"})
    unknown = a_case(**friday, appointment=None)

    assert severity(covered, "RG-05") == "amber"
    assert severity(gap, "RG-05") == "red"
    assert severity(unknown, "RG-05") == "red"


@pytest.mark.proves("RG-05")
def test_acknowledging_the_weekend_does_not_clear_it_while_a_gap_is_open() -> None:
    said = {"weekend_cover_acknowledged_at": "2019-09-01T10:00+01:00"}
    friday = {
        "release": {"confirmed_on": "2019-09-20"},
        "appointment": {"at": "2019-09-23T10:00+01:00"},
    }

    assert flag(a_case(**friday, **said), "RG-05") is not None
    assert flag(a_case(**friday, **said, depot_cover_ends_on="2019-09-22"), "RG-05") is None


@pytest.mark.proves("RG-05")
def test_the_weekend_flag_ends_on_the_next_working_day() -> None:
    left = {"at": "2019-09-20T10:00+01:00", "appointment": {"at": "2019-09-24T10:00+01:00"}}

    assert flag(out_since(**left, as_at="2019-09-22T23:59+01:00"), "RG-05") is not None
    assert flag(out_since(**left, as_at="2019-09-23T00:00+01:00"), "RG-05") is None


@pytest.mark.proves("RG-05")
def test_the_day_after_release_is_read_in_the_destinations_calendar() -> None:
    # Easter Monday 13 April 2020: worked in Scotland only.
    thursday = {"as_at": "2020-03-02T10:00Z", "release": {"confirmed_on": "2020-04-12"}}

    here = flags(a_case(**thursday))["RG-05"]
    assert here["facts"] == {"next_working_day_on": "2020-04-14"}
    assert here["message"] == "Release before holiday; next working day 14 Apr 2020"
    assert flag(a_case(**thursday, destination={"nation": "scotland"}), "RG-05") is None


@pytest.mark.parametrize(
    ("left_on", "closed"),
    [("2026-05-01", "weekend and holiday"), ("2026-05-08", "weekend"), ("2026-05-03", "holiday")],
)  # a Friday before a bank holiday Monday, a common one, and the Sunday between
@pytest.mark.proves("RG-05")
def test_the_weekend_flag_names_the_holiday_after_the_weekend(left_on: str, closed: str) -> None:
    found = flags(a_case(as_at="2026-04-20T10:00Z", release={"confirmed_on": left_on}))["RG-05"]

    assert found["message"].startswith(f"Release before {closed}; next working day ")


# -- RG-06: the date itself is tried in test_release_dates.py ------------------------------

FRIDAY_CASE = {
    "as_at": "2024-06-03T10:00+01:00",
    "release": {"confirmed_on": None, "calculated_on": "2024-06-14", "sentenced_on": "2024-01-02"},
}


@pytest.mark.proves("RG-06")
def test_a_date_the_friday_rule_moves_is_flagged_until_it_is_confirmed() -> None:
    found = flags(a_case(**FRIDAY_CASE))["RG-06"]

    assert found["severity"] == "amber"
    assert found["facts"] == {
        "calculated_on": "2024-06-14", "weekend_rule_on": "2024-06-14", "friday_rule_on": "2024-06-13",
    }  # fmt: skip
    assert found["message"] == "Release likely 13 Jun 2024, not 14 Jun 2024"


@pytest.mark.proves("RG-06")
def test_a_date_the_friday_rule_does_not_move_is_not_flagged() -> None:
    thursday = laid_over(FRIDAY_CASE, {"release": {"calculated_on": "2024-06-13"}})

    assert flag(a_case(**thursday), "RG-06") is None


@pytest.mark.proves("RG-06")
def test_the_friday_flag_says_what_is_not_known() -> None:
    unsure = laid_over(FRIDAY_CASE, {"release": {"sentenced_on": None}})
    case = a_case(**unsure)
    case["release"]["kind"] = None
    case["release"]["sentenced_on"] = None

    message = flags(case)["RG-06"]["message"]
    assert message.endswith("kind of release not known; sentence date not known")


@pytest.mark.proves("RG-06")
def test_the_friday_flag_ends_at_the_exit() -> None:
    gone = laid_over(
        FRIDAY_CASE, {"as_at": "2024-06-13T12:00+01:00", "exit": an_exit("2024-06-13T10:00+01:00")}
    )

    assert flag(a_case(**gone), "RG-06") is None


# -- RG-07 --------------------------------------------------------------------------------


def a_court(on: str = "2019-09-10", **changes: Any) -> Json:
    return {"starts_at": f"{on}T10:00+01:00", **changes}


def court_pack(request: Json) -> Json:
    (pack,) = answer(request)["court_packs"]
    assert isinstance(pack, dict)
    return pack


@pytest.mark.proves("RG-07")
@pytest.mark.parametrize(
    ("day", "raised"),
    [("2019-09-08", False), ("2019-09-09", True), ("2019-09-10", True), ("2019-09-11", False)],
)
def test_the_pack_is_due_the_working_day_before_court(day: str, raised: bool) -> None:
    case = asked_on(day, courts=[a_court()])

    assert (flag(case, "RG-07") is not None) == raised


@pytest.mark.proves("RG-07")
@pytest.mark.parametrize(
    ("court", "due_on"),
    [
        (a_court("2019-09-10"), "2019-09-09"),
        (a_court("2019-09-09"), "2019-09-06"),                                     # a Monday
        (a_court("2019-09-10", known_at="2019-09-02T09:00+01:00"), "2019-09-09"),
        (a_court("2019-09-03", known_at="2019-09-02T09:00+01:00"), "2019-09-02"),
        (a_court("2019-09-02", known_at="2019-09-02T09:00+01:00"), "2019-09-02"),  # told late
    ],
)  # fmt: skip
def test_the_pack_is_due_no_earlier_than_the_hearing_was_known(court: Json, due_on: str) -> None:
    assert court_pack(a_case(courts=[court]))["due_on"] == due_on


@pytest.mark.proves("RG-07")
def test_the_pack_is_due_no_earlier_than_reception() -> None:
    case = a_case(received_at="2019-09-01T15:00+01:00", courts=[a_court("2019-09-02")])

    assert court_pack(case)["due_on"] == "2019-09-01"


@pytest.mark.proves("RG-07")
@pytest.mark.parametrize(
    ("slot_on", "ticks"),
    [("2019-09-05", False), ("2019-09-06", True), ("2019-09-09", True), ("2019-09-10", False)],
)
def test_the_slot_ticks_from_court_to_the_next_working_day_after_it(
    slot_on: str, ticks: bool
) -> None:
    # Court on Friday the 6th; the next working day is Monday the 9th.
    pack = COURT["pack"] | {"slot_on": slot_on}
    case = a_case(courts=[a_court("2019-09-06", pack=pack)])

    assert court_pack(case)["missing"] == ([] if ticks else ["slot_on"])


@pytest.mark.proves("RG-07")
def test_the_slot_is_read_in_the_destinations_calendar() -> None:
    # Court on Thursday 9 April 2020; Friday and Easter Monday are holidays, Monday not in Scotland.
    pack = COURT["pack"] | {"slot_on": "2020-04-14"}
    case = {"as_at": "2020-04-08T10:00+01:00", "release": None,
            "courts": [a_court("2020-04-09", pack=pack)]}  # fmt: skip

    assert court_pack(a_case(**case))["missing"] == []
    there = a_case(**case, destination={"nation": "scotland"})
    assert court_pack(there)["missing"] == ["slot_on"]


@pytest.mark.proves("RG-07")
def test_without_treatment_only_contact_slot_and_naloxone_are_needed() -> None:
    case = a_case(on_ost=False, courts=[a_court("2019-09-03")])

    assert court_pack(case)["missing"] == ["cjit_contact_at", "naloxone_at", "slot_on"]


@pytest.mark.proves("RG-07")
def test_each_court_ahead_has_its_own_pack_and_flag() -> None:
    courts = [a_court("2019-09-02"), a_court("2019-09-03"), a_court("2019-09-20"),
              a_court("2019-09-01"), a_court("2019-09-04", outcome="returned")]  # fmt: skip
    given = answer(a_case(courts=courts))

    assert [pack["court_on"] for pack in given["court_packs"]] == [
        "2019-09-02", "2019-09-03", "2019-09-20",
    ]  # fmt: skip
    raised = [flag["facts"]["court_on"] for flag in given["flags"] if flag["flag"] == "RG-07"]
    assert raised == ["2019-09-02", "2019-09-03"]


@pytest.mark.proves("RG-07")
def test_once_out_no_court_lies_ahead() -> None:
    assert answer(out_since(courts=[a_court("2019-09-19")]))["court_packs"] == []


@pytest.mark.proves("RG-07")
def test_the_court_message_names_what_is_missing() -> None:
    pack = COURT["pack"] | {"slot_on": None, "naloxone_at": None}
    found = flags(a_case(courts=[a_court("2019-09-03", pack=pack)]))["RG-07"]

    assert found["message"] == "Court 3 Sep 2019: pack incomplete (naloxone, appointment slot)"


# -- RG-08 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-08")
@pytest.mark.parametrize("how", ["court", "unplanned"])
def test_out_from_court_or_unplanned_needs_a_letter_and_an_appointment(how: str) -> None:
    gone = out_since(how=how, appointment=None)

    assert flags(gone)["RG-08"]["facts"] == {"missing": ["appointment", "dose_letter"]}


@pytest.mark.proves("RG-08")
def test_a_planned_release_does_not() -> None:
    assert flag(out_since(appointment=None), "RG-08") is None


@pytest.mark.proves("RG-08")
@pytest.mark.parametrize(
    ("sent_at", "missing"),
    [("2019-09-17T23:59+01:00", True), ("2019-09-18T00:00+01:00", False),
     ("2019-09-18T11:00+01:00", False)],
)  # fmt: skip
def test_the_letter_must_be_sent_on_the_exit_day_or_later(sent_at: str, missing: bool) -> None:
    gone = out_since(how="court", dose_letter={"sent_at": sent_at})

    assert (flag(gone, "RG-08") is not None) == missing


@pytest.mark.proves("RG-08")
@pytest.mark.parametrize(
    ("seen_on", "missing"), [("2019-09-18", False), ("2019-09-19", False), ("2019-09-20", True)]
)
def test_the_appointment_must_be_by_the_next_working_day(seen_on: str, missing: bool) -> None:
    gone = laid_over(FROM_COURT, {"appointment": {"at": f"{seen_on}T14:00+01:00"}})

    assert (flag(gone, "RG-08") is not None) == missing


@pytest.mark.proves("RG-08")
def test_after_a_friday_exit_monday_is_soon_enough() -> None:
    gone = out_since(
        at="2019-09-20T10:00+01:00", how="court", appointment={"at": "2019-09-23T14:00+01:00"},
        dose_letter={"sent_at": "2019-09-20T11:00+01:00"},
    )  # fmt: skip

    assert flag(gone, "RG-08") is None


@pytest.mark.proves("RG-08")
def test_an_appointment_soon_enough_counts_here_even_when_it_was_missed() -> None:
    missed = laid_over(
        FROM_COURT, {"as_at": "2019-09-25T10:00+01:00", "appointment": {"attended": False}}
    )

    assert flag(missed, "RG-08") is None


@pytest.mark.proves("RG-08")
def test_the_message_tells_when_they_left_and_the_last_dose() -> None:
    gone = out_since(
        how="court", appointment=None, doses=[{"at": "2019-09-18T08:10+01:00", "where": "prison"}]
    )

    message = flags(gone)["RG-08"]["message"]
    assert message == "Out from court 18 Sep 2019 10:00; last dose 18 Sep 2019 08:10"


# -- RG-09 --------------------------------------------------------------------------------

BARE_TRANSFER = {"on": "2019-09-10", "nation": "england_and_wales"}


@pytest.mark.proves("RG-09")
@pytest.mark.parametrize(
    ("day", "raised"), [("2019-09-08", False), ("2019-09-09", True), ("2019-09-12", True)]
)
def test_prescription_information_is_due_the_working_day_before_transfer(
    day: str, raised: bool
) -> None:
    assert (flag(asked_on(day, transfer=BARE_TRANSFER), "RG-09") is not None) == raised


@pytest.mark.proves("RG-09")
def test_everything_missing_for_the_next_prescriber_is_named() -> None:
    found = flags(asked_on("2019-09-09", transfer=BARE_TRANSFER | {"prescriber_cover": False}))

    assert found["RG-09"]["facts"]["missing"] == [
        "dose_form", "drug", "last_dose_at", "next_dose_at", "prescriber_cover",
    ]  # fmt: skip
    assert found["RG-09"]["severity"] == "red"
    assert found["RG-09"]["message"].endswith("next dose, prescriber there on the day and the next")


@pytest.mark.proves("RG-09")
@pytest.mark.parametrize(
    ("on", "nation", "grave"),
    [
        ("2020-04-08", "england_and_wales", "red"),       # Thursday follows
        ("2020-04-09", "england_and_wales", "critical"),  # Good Friday follows
        ("2020-04-12", "england_and_wales", "critical"),  # Easter Monday follows
        ("2020-04-12", "scotland", "red"),                # worked in Scotland
    ],
)  # fmt: skip
def test_a_transfer_before_a_day_nobody_works_there_is_critical(
    on: str, nation: str, grave: str
) -> None:
    case = a_case(as_at=f"{on}T10:00+01:00", transfer={"on": on, "nation": nation})

    assert severity(case, "RG-09") == grave


@pytest.mark.proves("RG-09")
def test_a_closure_day_of_the_receiving_prison_counts() -> None:
    closed = BARE_TRANSFER | {"closure_days": ["2019-09-11"]}

    assert severity(asked_on("2019-09-09", transfer=closed), "RG-09") == "critical"


# -- RG-10 --------------------------------------------------------------------------------


def arriving(*doses: Json, confirmed: Json | None = None, **changes: Any) -> Json:
    arrival: Json = {"received_at": "2019-09-02T09:00+01:00", "confirmed": confirmed}
    return a_case(doses=list(doses), arrival=arrival, **changes)


def causes(request: Json) -> list[str] | None:
    found = flag(request, "RG-10")
    return None if found is None else found["facts"]["causes"]


def confirmed_by(who: str, **changes: Any) -> Json:
    return {
        "by": who,
        "at": "2019-09-02T09:30+01:00",
        "dose": True,
        "last_consumed": True,
        **changes,
    }


YESTERDAY_10_00 = {"at": "2019-09-01T10:00+01:00", "where": "community"}


@pytest.mark.proves("RG-10")
@pytest.mark.parametrize(
    ("dose", "doubled"),
    [
        ({"at": "2019-09-01T09:59+01:00", "where": "police"}, False),
        ({"at": "2019-09-01T10:00+01:00", "where": "police"}, False),   # 24 hours to the minute
        ({"at": "2019-09-01T10:01+01:00", "where": "police"}, True),
        ({"at": "2019-09-02T08:00+01:00", "where": "prison"}, False),
        ({"at": "2019-09-02T08:00+01:00", "where": "court"}, True),
        ({"at": "2019-09-02T08:00+01:00", "where": "hospital"}, True),
        ({"at": "2019-09-02T08:00+01:00", "where": "community"}, True),
        ({"on": "2019-09-02", "where": "police"}, True),
        ({"on": "2019-09-01", "where": "police"}, True),
        ({"on": "2019-08-31", "where": "police"}, False),
    ],
)  # fmt: skip
def test_a_dose_elsewhere_less_than_a_day_ago_could_be_doubled(dose: Json, doubled: bool) -> None:
    found = causes(arriving(dose, confirmed=confirmed_by("pharmacy")))

    assert found == (["double_dose"] if doubled else None)


@pytest.mark.proves("RG-10")
def test_twenty_four_hours_are_elapsed_hours_across_the_clock_change() -> None:
    # Clocks go forward in the night to 31 March 2019: 10:00 to 10:30 is 23 and a half hours.
    spring = arriving({"at": "2019-03-30T10:00+00:00", "where": "police"})
    spring |= {"as_at": "2019-03-31T10:30+01:00", "received_at": None, "appointment": None,
               "arrival": {"received_at": "2019-03-31T09:00+01:00"}, "notification": None,
               "dose_letter": None, "naloxone": None, "overdose_session": None}  # fmt: skip
    assert causes(spring) == ["double_dose", "unconfirmed"]

    # And back in the night to 27 October 2019: 10:00 to 09:30 is 24 and a half hours.
    autumn = arriving({"at": "2019-10-26T10:00+01:00", "where": "police"})
    autumn |= {"as_at": "2019-10-27T09:30+00:00"}
    assert causes(autumn) == ["unconfirmed"]


@pytest.mark.proves("RG-10")
@pytest.mark.parametrize(
    ("last", "others", "missed_days", "critical"),
    [
        ("2019-09-01", [], [], False),
        ("2019-08-30", [], ["2019-08-31", "2019-09-01"], False),
        ("2019-08-29", [], ["2019-08-30", "2019-08-31", "2019-09-01"], True),
        ("2019-08-28", ["2019-08-30"], ["2019-08-29", "2019-08-31", "2019-09-01"], False),
        ("2019-08-27", ["2019-08-28"], ["2019-08-29", "2019-08-30", "2019-08-31", "2019-09-01"], True),
    ],
)  # fmt: skip
def test_three_days_missed_in_a_row_may_have_lost_tolerance(
    last: str, others: list[str], missed_days: list[str], critical: bool
) -> None:
    doses = [{"at": f"{last}T09:00+01:00", "where": "community"}]
    doses += [{"on": day, "where": "hospital"} for day in others]
    case = arriving(*doses, confirmed=confirmed_by("pharmacy"))

    assert answer(case)["arrival"]["missed_days"] == missed_days
    assert ("missed_days" in (causes(case) or [])) == critical
    assert severity(case, "RG-10") in ("critical" if critical else None, "critical")


@pytest.mark.proves("RG-10")
def test_without_a_community_dose_missed_days_are_unknown() -> None:
    given = answer(arriving({"on": "2019-08-20", "where": "police"}))

    assert given["arrival"]["missed_days"] is None


@pytest.mark.proves("RG-10")
@pytest.mark.parametrize(
    ("confirmed", "expected"),
    [
        (None, ["double_dose", "missed_days", "unconfirmed"]),
        (confirmed_by("pharmacy", dose=False), ["double_dose", "missed_days", "unconfirmed"]),
        (confirmed_by("prescriber", last_consumed=None), ["double_dose", "missed_days", "unconfirmed"]),
        (confirmed_by("pharmacy"), ["double_dose", "missed_days"]),
        (confirmed_by("prescriber"), None),
    ],
)  # fmt: skip
def test_only_a_prescriber_clears_a_double_dose_and_missed_days(
    confirmed: Json | None, expected: list[str] | None
) -> None:
    doses = ({"on": "2019-08-25", "where": "community"}, {"on": "2019-09-02", "where": "police"})

    assert causes(arriving(*doses, confirmed=confirmed)) == expected


@pytest.mark.proves("RG-10")
def test_an_unconfirmed_claim_alone_is_red() -> None:
    found = flags(arriving({"on": "2019-08-31", "where": "community", "source": "the patient"}))

    assert found["RG-10"]["severity"] == "red"
    assert found["RG-10"]["message"] == "Last consumed 31 Aug 2019, source the patient"
    assert flags(arriving())["RG-10"]["message"] == "Last consumed unknown, source unknown"


@pytest.mark.proves("RG-10")
def test_arrival_tells_the_last_dose_and_when_a_day_has_passed_since() -> None:
    given = answer(arriving(YESTERDAY_10_00))["arrival"]

    assert given["last_dose_at"] == "2019-09-01T10:00:00+01:00"
    assert given["dose_24h_at"] == "2019-09-02T10:00:00+01:00"
    later = {"at": "2019-09-01T19:00+01:00", "where": "police"}
    twice = answer(arriving(later, YESTERDAY_10_00))["arrival"]
    assert twice["last_dose_at"] == "2019-09-01T19:00:00+01:00"
    dated = answer(arriving(YESTERDAY_10_00, {"on": "2019-09-01", "where": "police"}))["arrival"]
    assert (dated["last_dose_at"], dated["dose_24h_at"]) == (None, None)


@pytest.mark.proves("RG-10")
@pytest.mark.parametrize(
    ("received_at", "due_on"),
    [
        ("2019-08-30T17:59+01:00", "2019-08-30"),
        ("2019-08-30T18:00+01:00", "2019-08-31"),   # closing time; open on Saturday
        ("2019-08-31T18:30+01:00", "2019-09-02"),   # closed on Sunday
        ("2019-08-26T09:00+01:00", "2019-08-27"),   # bank holiday
    ],
)  # fmt: skip
def test_confirmation_is_due_while_the_pharmacy_is_still_open(
    received_at: str, due_on: str
) -> None:
    case = a_case(arrival={"received_at": received_at})

    assert answer(case)["arrival"]["confirmation_due_on"] == due_on


@pytest.mark.proves("RG-10")
def test_nobody_claiming_treatment_has_no_arrival_to_confirm() -> None:
    case = a_case(arrival={"received_at": "2019-09-02T09:00+01:00", "claims_ost": False})

    assert answer(case)["arrival"] is None


# -- RG-11, RG-16 -------------------------------------------------------------------------


@pytest.mark.proves("RG-11", "RG-16")
@pytest.mark.parametrize("fact", ["naloxone", "overdose_session"])
@pytest.mark.parametrize(
    ("day", "raised"), [("2019-09-17", False), ("2019-09-18", True), ("2019-09-19", True)]
)
def test_naloxone_and_the_overdose_session_are_asked_for_from_release_day(
    fact: str, day: str, raised: bool
) -> None:
    rule = {"naloxone": "RG-11", "overdose_session": "RG-16"}[fact]

    assert severity(asked_on(day, **{fact: None}), rule) == ("red" if raised else None)


@pytest.mark.proves("RG-11", "RG-16")
def test_without_an_opioid_history_naloxone_is_not_asked_for() -> None:
    assert flag(asked_on("2019-09-18", naloxone=None, opioid_history=False), "RG-11") is None


@pytest.mark.proves("RG-11", "RG-16")
@pytest.mark.parametrize(("fact", "rule"), [("naloxone", "RG-11"), ("overdose_session", "RG-16")])
def test_declining_is_an_outcome(fact: str, rule: str) -> None:
    assert flag(asked_on("2019-09-18", **{fact: {"outcome": "declined"}}), rule) is None


# -- RG-12 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-12")
@pytest.mark.parametrize(
    ("day", "grave"), [("2019-08-06", None), ("2019-08-07", None), ("2019-08-08", "amber")]
)
def test_the_community_team_is_to_be_told_six_weeks_before(day: str, grave: str | None) -> None:
    # 18 September less 42 days is Wednesday 7 August.
    early = a_case(as_at=day + MORNING, notification=None, dose_letter=None, naloxone=None,
                   overdose_session=None)  # fmt: skip

    assert answer(early)["cjit_notice_due_on"] == "2019-08-07"
    assert severity(early, "RG-12") == grave


@pytest.mark.proves("RG-12")
@pytest.mark.parametrize(
    ("known", "due_on"),
    [
        ({"known_at": "2019-08-07T10:00+01:00"}, "2019-08-07"),
        ({"known_at": "2019-08-08T10:00+01:00"}, "2019-08-09"),
        ({"known_at": "2019-08-09T10:00+01:00"}, "2019-08-12"),       # a Friday
        ({"changed_at": "2019-08-09T10:00+01:00"}, "2019-08-12"),
        ({"known_at": "2019-08-01T10:00+01:00", "changed_at": "2019-08-09T10:00+01:00"}, "2019-08-07"),
    ],
)  # fmt: skip
def test_a_date_known_late_gives_until_the_next_working_day(known: Json, due_on: str) -> None:
    assert answer(a_case(release=known))["cjit_notice_due_on"] == due_on


@pytest.mark.proves("RG-12")
def test_a_notice_day_at_a_weekend_or_holiday_comes_forward() -> None:
    # 7 October 2019 less 42 days is the summer bank holiday, 26 August.
    assert (
        answer(a_case(release={"confirmed_on": "2019-10-07"}))["cjit_notice_due_on"] == "2019-08-23"
    )


@pytest.mark.proves("RG-12")
def test_a_date_known_late_is_red_at_five_working_days_even_before_the_notice_is_due() -> None:
    late = {"release": {"known_at": "2019-09-11T07:00+01:00"}, "notification": None}

    assert severity(asked_on("2019-09-11", **late), "RG-12") == "red"
    early = {"release": {"known_at": "2019-09-10T07:00+01:00"}, "notification": None}
    assert severity(asked_on("2019-09-10", **early), "RG-12") is None


@pytest.mark.proves("RG-12")
def test_a_stale_notification_does_not_count_as_told() -> None:
    assert severity(a_case(notification={"for_release_on": "2019-09-17"}), "RG-12") == "amber"
    assert flag(a_case(notification={"for_release_on": "2019-09-18"}), "RG-12") is None


@pytest.mark.proves("RG-12")
@pytest.mark.parametrize(
    ("how", "raised"), [("release", True), ("court", False), ("unplanned", False)]
)
def test_only_a_planned_release_could_have_been_announced(how: str, raised: bool) -> None:
    assert (flag(out_since(how=how, notification=None), "RG-12") is not None) == raised


# -- RG-14 --------------------------------------------------------------------------------

CHANGED = {"changed_at": "2019-08-20T10:00+01:00", "previous_on": "2019-10-02"}


def recheck(request: Json) -> list[str] | None:
    found = flag(request, "RG-14")
    return None if found is None else found["facts"]["recheck"]


@pytest.mark.proves("RG-14")
@pytest.mark.parametrize(
    ("booked_at", "stale"),
    [("2019-08-20T09:59+01:00", True), ("2019-08-20T10:00+01:00", False),
     ("2019-08-20T10:01+01:00", False), (None, True)],
)  # fmt: skip
def test_an_appointment_booked_before_the_date_changed_is_stale(
    booked_at: str | None, stale: bool
) -> None:
    case = a_case(release=CHANGED, appointment={"booked_at": booked_at},
                  notification={"sent_at": "2019-08-21T10:00+01:00"})  # fmt: skip

    assert recheck(case) == (["appointment"] if stale else None)


@pytest.mark.proves("RG-14")
def test_the_date_it_was_made_for_decides_when_it_is_given() -> None:
    named = {"for_release_on": "2019-09-18"}
    assert recheck(a_case(release=CHANGED, appointment=named, notification=named)) is None
    other = {"for_release_on": "2019-09-17"}
    assert recheck(a_case(appointment=other, notification=other)) == ["appointment", "notification"]


@pytest.mark.proves("RG-14")
@pytest.mark.parametrize(
    ("again", "stale"),
    [("2019-08-20T09:59+01:00", True), ("2019-08-20T10:00+01:00", False), (None, True)],
)
def test_confirming_again_clears_it_only_after_the_change(again: str | None, stale: bool) -> None:
    case = a_case(release=CHANGED, appointment={"reconfirmed_at": again},
                  notification={"sent_at": "2019-08-21T10:00+01:00"})  # fmt: skip

    assert recheck(case) == (["appointment"] if stale else None)


@pytest.mark.proves("RG-14")
def test_confirming_again_clears_another_date_when_no_change_is_recorded() -> None:
    made = {"for_release_on": "2019-09-17", "reconfirmed_at": "2019-08-21T10:00+01:00"}

    assert recheck(a_case(appointment=made)) is None


@pytest.mark.proves("RG-14")
def test_a_supply_goes_stale_by_the_time_it_was_written() -> None:
    before = a_supply(written_at="2019-08-19T10:00+01:00")
    after = a_supply(written_at="2019-08-21T10:00+01:00")
    fresh = {"booked_at": "2019-08-21T10:00+01:00"}
    told = {"sent_at": "2019-08-21T10:00+01:00"}
    case = a_case(release=CHANGED, appointment=fresh, notification=told)

    assert recheck(case | {"bridging_supplies": [after]}) is None
    assert recheck(case | {"bridging_supplies": [after, before, before]}) == ["supply"]


@pytest.mark.proves("RG-14")
def test_the_message_tells_the_old_and_the_new_date() -> None:
    found = flags(a_case(release=CHANGED))["RG-14"]

    assert found["message"] == (
        "Release moved 2 Oct 2019→18 Sep 2019; re-check appointment, notification"
    )


# -- RG-15 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-15")
def test_an_instalment_that_cannot_be_collected_is_named_by_its_collection_day() -> None:
    # Collected on Saturday for Sunday too, but the pharmacy is closed that Saturday.
    case = a_case(
        release={"confirmed_on": "2019-09-20"}, appointment={"at": "2019-09-23T10:00+01:00"},
        pharmacy={"closures": ["2019-09-21"]},
        bridging_supplies=[a_supply(("2019-09-21", ["2019-09-21", "2019-09-22"]))],
    )  # fmt: skip

    found = flags(case)["RG-15"]
    assert found["facts"] == {"dates": ["2019-09-21"]}
    assert found["severity"] == "red"
    assert found["message"] == "Cannot be collected on 21 Sep 2019"


@pytest.mark.proves("RG-15")
def test_a_day_that_another_supply_or_the_last_dose_covers_needs_no_collection() -> None:
    closed = a_supply(("2019-09-22", ["2019-09-22"]))
    pack = a_supply(("2019-09-20", ["2019-09-21", "2019-09-22"]), form="gate_pack")
    case = {
        "release": {"confirmed_on": "2019-09-20"},
        "appointment": {"at": "2019-09-23T10:00+01:00"},
    }

    assert flag(a_case(**case, bridging_supplies=[closed]), "RG-15") is not None
    assert flag(a_case(**case, bridging_supplies=[closed, pack]), "RG-15") is None
    assert (
        flag(a_case(**case, bridging_supplies=[closed], depot_cover_ends_on="2019-09-22"), "RG-15")
        is None
    )


@pytest.mark.proves("RG-15")
@pytest.mark.parametrize(("days", "grave"), [(2, "red"), (3, "critical")])
def test_three_uncovered_days_that_cannot_be_collected_are_critical(days: int, grave: str) -> None:
    covers = [f"2019-09-{19 + day}" for day in range(days)]
    one_each = [a_supply((day, [day]), in_hand=False) for day in covers]
    at_once = [a_supply((covers[0], covers), in_hand=False)]
    seen = {"at": "2019-09-23T10:00+01:00"}

    for supplies in (one_each, at_once):
        case = a_case(bridging_supplies=supplies, appointment=seen)
        assert severity(case, "RG-15") == grave


@pytest.mark.proves("RG-15")
def test_days_that_cannot_be_collected_but_leave_no_gap_are_red() -> None:
    covers = ["2019-09-19", "2019-09-20", "2019-09-21"]
    case = a_case(bridging_supplies=[a_supply((covers[0], covers), in_hand=False)])

    assert severity(case, "RG-15") == "red"


# -- RG-17 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-17")
def test_a_missed_appointment_calls_for_outreach_within_a_day() -> None:
    missed = out_since(as_at="2019-09-20T10:00+01:00", appointment={"attended": False})

    found = flags(missed)["RG-17"]
    assert found["severity"] == "red"
    assert found["facts"] == {
        "appointment_on": "2019-09-19",
        "outreach_by_at": "2019-09-20T10:00:00+01:00",
        "days_left": 19,
    }
    assert found["message"] == "Did not attend 19 Sep 2019; 19 days left of 21"


@pytest.mark.proves("RG-17")
@pytest.mark.parametrize(
    ("as_at", "raised"),
    [("2019-09-19T23:59+01:00", False), ("2019-09-20T00:00+01:00", True)],
)
def test_attendance_not_known_counts_as_missed_from_the_next_working_day(
    as_at: str, raised: bool
) -> None:
    assert (flag(out_since(as_at=as_at), "RG-17") is not None) == raised


@pytest.mark.proves("RG-17")
def test_after_a_friday_appointment_the_next_working_day_is_monday() -> None:
    friday = {"appointment": {"at": "2019-09-20T10:00+01:00"}}

    assert flag(out_since(**friday, as_at="2019-09-22T23:00+01:00"), "RG-17") is None
    assert flag(out_since(**friday, as_at="2019-09-23T08:00+01:00"), "RG-17") is not None


@pytest.mark.proves("RG-17")
def test_known_not_to_have_attended_counts_at_once() -> None:
    left = out_since(appointment={"at": "2019-09-18T11:00+01:00", "attended": False})

    assert flag(left, "RG-17") is not None


@pytest.mark.proves("RG-17")
def test_outreach_hours_are_elapsed_across_the_clock_change() -> None:
    left = out_since(
        at="2019-10-25T10:00+01:00", as_at="2019-10-27T10:00+00:00",
        appointment={"at": "2019-10-26T10:00+01:00", "attended": False},
    )  # fmt: skip

    assert flags(left)["RG-17"]["facts"]["outreach_by_at"] == "2019-10-27T09:00:00+00:00"


@pytest.mark.proves("RG-17")
@pytest.mark.parametrize(("day", "left"), [("2019-10-08", 1), ("2019-10-09", 0), ("2019-10-10", 0)])
def test_days_left_of_the_three_weeks_never_fall_below_none(day: str, left: int) -> None:
    missed = out_since(as_at=day + MORNING, appointment={"attended": False})

    assert flags(missed)["RG-17"]["facts"]["days_left"] == left


@pytest.mark.proves("RG-17")
def test_inside_no_appointment_is_missed_by_the_calendar() -> None:
    assert flag(asked_on("2019-09-25"), "RG-17") is None


# -- RG-18 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-18")
@pytest.mark.parametrize(
    ("on", "raised"), [("2019-09-17", True), ("2019-09-18", False), ("2019-09-19", False)]
)
def test_an_earlier_date_than_the_expected_one_is_flagged(on: str, raised: bool) -> None:
    found = flag(a_case(release={"possible_earlier": [{"on": on, "why": "hdc"}]}), "RG-18")

    assert (found and found["facts"]) == ({"on": on} if raised else None)


@pytest.mark.proves("RG-18")
def test_each_earlier_date_is_flagged_and_none_once_out() -> None:
    dates = [{"on": "2019-09-10", "why": "hdc"}, {"on": "2019-09-12", "why": "early_release"}]
    given = answer(a_case(release={"possible_earlier": dates}))

    assert [flag["facts"]["on"] for flag in given["flags"]] == ["2019-09-10", "2019-09-12"]
    assert flag(out_since(release={"possible_earlier": dates}), "RG-18") is None


# -- RG-20 --------------------------------------------------------------------------------

UNSENT = {"dose_letter": {"sent_at": None, "sent_to": None}}


@pytest.mark.proves("RG-20")
@pytest.mark.parametrize(
    ("day", "raised"), [("2019-09-16", False), ("2019-09-17", True), ("2019-09-18", True)]
)
def test_a_letter_ready_but_not_sent_is_flagged_from_the_working_day_before(
    day: str, raised: bool
) -> None:
    found = flag(asked_on(day, **UNSENT), "RG-20")

    assert (found and found["facts"]) == ({"unsent": ["dose_letter"]} if raised else None)


@pytest.mark.proves("RG-20")
def test_before_a_monday_release_that_is_friday() -> None:
    monday = {"release": {"confirmed_on": "2019-09-23"}}

    assert flag(asked_on("2019-09-19", **monday, **UNSENT), "RG-20") is None
    assert flag(asked_on("2019-09-20", **monday, **UNSENT), "RG-20") is not None


@pytest.mark.proves("RG-20")
@pytest.mark.parametrize(("day", "raised"), [("2019-09-17", False), ("2019-09-18", True)])
def test_no_letter_at_all_is_flagged_from_release_day(day: str, raised: bool) -> None:
    assert (flag(asked_on(day, dose_letter=None), "RG-20") is not None) == raised


@pytest.mark.proves("RG-20")
def test_a_letter_that_was_sent_must_have_been_prepared() -> None:
    assert flag(asked_on("2019-09-18", dose_letter={"prepared_at": None}), "RG-20") is None


@pytest.mark.proves("RG-20")
@pytest.mark.parametrize(
    ("changes", "raised"),
    [
        ({"in_hand": False, "written_at": "2019-09-10T10:00+01:00"}, True),
        ({"in_hand": None, "written_at": "2019-09-10T10:00+01:00"}, True),
        ({"in_hand": True, "written_at": "2019-09-10T10:00+01:00"}, False),
        ({"in_hand": False}, False),
        ({"in_hand": False, "written_at": "2019-09-10T10:00+01:00",
          "sent_at": "2019-09-11T10:00+01:00"}, True),
        ({"in_hand": False, "written_at": "2019-09-10T10:00+01:00",
          "sent_at": "2019-09-11T10:00+01:00", "sent_to": "the pharmacy"}, False),
    ],
)  # fmt: skip
def test_a_script_written_and_not_in_hand_needs_proof_of_sending(
    changes: Json, raised: bool
) -> None:
    found = flag(asked_on("2019-09-17", bridging_supplies=[a_supply(**changes)]), "RG-20")

    assert (found and found["facts"]) == ({"unsent": ["supply"]} if raised else None)
    assert (found and found["message"]) == ("Not shown as sent: script" if raised else None)


@pytest.mark.proves("RG-20")
@pytest.mark.parametrize(
    ("how", "raised"), [("release", True), ("court", False), ("unplanned", False)]
)
def test_after_an_exit_nobody_planned_another_rule_asks_for_the_letter(
    how: str, raised: bool
) -> None:
    assert (flag(out_since(how=how, dose_letter=None), "RG-20") is not None) == raised


# -- RG-21 --------------------------------------------------------------------------------


@pytest.mark.proves("RG-21")
@pytest.mark.parametrize(
    ("day", "grave"),
    [
        ("2019-10-01", None), ("2019-10-02", "amber"), ("2019-10-03", "amber"),
        ("2019-10-08", "amber"), ("2019-10-09", "red"), ("2019-10-10", "red"),
    ],
)  # fmt: skip
def test_not_engaged_is_amber_after_two_weeks_and_red_after_three(
    day: str, grave: str | None
) -> None:
    out = out_since(as_at=day + MORNING, appointment={"attended": True})

    assert severity(out, "RG-21") == grave


@pytest.mark.proves("RG-21")
def test_not_engaged_tells_the_day_counted_from_release_as_none() -> None:
    found = flags(out_since(as_at="2019-10-02" + MORNING))["RG-21"]

    assert found["facts"] == {"day": 14}
    assert found["message"] == "Day 14 of 21, not engaged"


@pytest.mark.proves("RG-21")
def test_nobody_inside_is_expected_to_be_engaged() -> None:
    assert flag(asked_on("2019-10-20"), "RG-21") is None
