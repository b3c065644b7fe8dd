"""What follows from a request? The derivations of the contract, one by one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from dosing.check import check, rulebook
from dosing.days import london_day, london_time
from dosing.examples import a_request, all_examples
from dosing.facts import Facts, derive
from dosing.reading import read_request

DOSES = "treatment_history.doses"
STEADY = "treatment_history.steady_doses"
SOLUTION = "methadone_oral_solution"
TABLET = "buprenorphine_sublingual"
WEEKLY = "buprenorphine_depot_weekly"
MONTHLY = "buprenorphine_depot_monthly"


def facts_of(base: str, **changes) -> Facts:
    request = read_request(a_request(base, **changes))
    return derive(request, rulebook().defined(request.rule_set, request.on))


def fired(base: str, **changes) -> dict[str, str]:
    return {
        each["rule"]: each["severity"] for each in check(a_request(base, **changes))["findings"]
    }


def dose(at: str, mg: str = "30", product: str = SOLUTION, **more) -> dict:
    return {"product": product, "dose_mg": mg, "consumed_at": at, **more}


def steady(first: str, last: str, mg: str = "30", product: str = SOLUTION, **more) -> dict:
    return {"product": product, "daily_dose_mg": mg, "from_on": first, "to_on": last, **more}


def history(*taken: dict) -> dict:
    return {
        DOSES: [each for each in taken if "consumed_at" in each],
        STEADY: [each for each in taken if "from_on" in each],
    }


BOTH_CONFIRM = {
    "treatment_history.elsewhere_confirmed_by_prescriber_at": "@-2h",
    "treatment_history.elsewhere_confirmed_by_pharmacy_at": "@-2h",
}


# -- what counts --------------------------------------------------------------------------


@pytest.mark.parametrize("missing", BOTH_CONFIRM)
def test_a_dose_from_elsewhere_is_a_claim_until_both_confirm(missing):
    claim = history(steady("@D-9", "@D-1", recorded_by="elsewhere"))

    assert not facts_of("start", **claim, **BOTH_CONFIRM).first_dose
    assert facts_of("start", **claim, **{**BOTH_CONFIRM, missing: "@absent"}).first_dose


def test_an_unconfirmed_continuation_is_a_first_dose_and_a_confirmed_one_is_not():
    unconfirmed = {"treatment_history.elsewhere_confirmed_by_prescriber_at": "@absent"}

    assert facts_of("claimed", **unconfirmed).first_dose
    assert facts_of("prison_confirmed", **unconfirmed).first_dose
    assert not facts_of("claimed").first_dose


def test_a_claim_still_ends_the_opioid_free_days():
    claim = {"opioid_use": [], **history(steady("@D-9", "@D-4", recorded_by="elsewhere"))}

    assert facts_of("start", **claim).opioid_free_days == 4


def test_the_other_drug_starts_afresh():
    methadone = history(steady("@D-90", "@D-1"))

    facts = facts_of("buprenorphine_start", **methadone)

    assert facts.first_dose
    assert facts.day == 1


def test_an_unconfirmed_claim_of_methadone_still_delays_buprenorphine():
    claim = {"opioid_use": [], **history(dose("@-23h", "40", recorded_by="elsewhere"))}

    rules = fired("buprenorphine_start", **claim)

    assert {"B-PW-04", "B-PW-08"} <= set(rules)


@pytest.mark.parametrize("claim", [steady("@D-9", "@D-1"), dose("@-30h")])
def test_an_unconfirmed_claim_is_no_treatment_here(claim):
    claimed = {**claim, "recorded_by": "elsewhere"}

    assert facts_of("start", **history(claimed)).first_dose
    assert not facts_of("start", **history(claimed)).confirmed
    assert facts_of("start", **history(claimed), **BOTH_CONFIRM).confirmed


def test_treatment_is_a_confirmed_continuation_when_any_of_it_came_from_elsewhere():
    ours, theirs = dose("@-30h"), dose("@-60h", recorded_by="elsewhere")

    assert facts_of("start", **history(ours, theirs), **BOTH_CONFIRM).confirmed
    assert not facts_of("start", **history(ours), **BOTH_CONFIRM).confirmed


# -- missed days --------------------------------------------------------------------------


@pytest.mark.parametrize(("last", "missed"), [("@D-1", 0), ("@D-2", 1), ("@D-4", 3), ("@D-9", 8)])
def test_missed_days_lie_strictly_between_the_last_dose_and_the_decision(last, missed):
    assert facts_of("maintained", **history(steady("@D-90", last))).missed_days == missed


def test_a_date_covered_by_a_take_home_dose_is_not_missed():
    taken = history(steady("@D-90", "@D-4"), dose("@D-3 09:00", supervision="take_home"))

    assert facts_of("maintained", **taken).missed_days == 2


def test_the_missed_dates_of_the_last_days_are_named_in_order():
    facts = facts_of("maintained", **history(steady("@D-90", "@D-6"), dose("@D-3 09:00")))

    missed = [(facts.on - day).days for day in facts.missed_within(5)]

    assert missed == [5, 4, 2, 1]


def test_a_dose_taken_today_leaves_nothing_missed_but_does_not_make_good_the_days_before():
    taken = history(steady("@D-90", "@D-4"), dose("@D 09:00"))

    facts = facts_of("maintained", **taken)

    assert (facts.missed_days, facts.missed_before) == (0, 3)
    assert facts.last_covered_before == facts.on - timedelta(days=4)
    assert facts_of("start").last_covered_before is None
    assert facts_of("start", **history(dose("@-1h"))).missed_before == 0


def test_of_several_ranges_the_latest_before_today_counts():
    facts = facts_of("maintained", **history(steady("@D-90", "@D-60"), steady("@D-59", "@D-4")))

    assert facts.last_covered_before == facts.on - timedelta(days=4)


def test_a_date_after_today_is_not_within_the_days_before_it():
    facts = facts_of("start")

    assert facts.within_days(facts.on, 5)
    assert not facts.within_days(facts.on + timedelta(days=1), 5)


def test_a_time_without_an_offset_has_no_london_day():
    with pytest.raises(ValueError, match="naive"):
        london_day(datetime.fromisoformat("2024-02-06T12:00"))


def test_dates_before_the_episode_are_not_missed():
    assert facts_of("prison_day_3").missed_within(14) == []


def test_a_depot_covers_its_dates_whatever_daily_dose_came_after_it():
    on_top = history(dose("@D-8 11:00", "16", WEEKLY), dose("@D-6 11:00", "4", TABLET))

    assert facts_of("buprenorphine_maintained", **on_top).missed_days == 0


def test_nothing_ever_taken_is_nothing_missed():
    assert facts_of("start").missed_days == 0


@pytest.mark.parametrize(
    ("product", "given", "missed"),
    [(WEEKLY, "@D-10 11:00", 0), (WEEKLY, "@D-11 11:00", 1), (MONTHLY, "@D-36 11:00", 0),
     (MONTHLY, "@D-37 11:00", 1)],
)  # fmt: skip
def test_a_depot_covers_the_dates_to_the_late_edge_of_its_window(product, given, missed):
    taken = history(dose(given, "24", product))

    assert facts_of("buprenorphine_maintained", **taken).missed_days == missed


def test_a_dose_at_half_past_midnight_in_july_belongs_to_the_new_london_day():
    summer = {"decided_at": "2024-07-10T12:00:00+01:00"}
    just_after = history(dose("2024-07-08T23:30:00Z"))
    just_before = history(dose("2024-07-08T22:30:00Z"))

    assert facts_of("maintained", **summer, **just_after).missed_days == 0
    assert facts_of("maintained", **summer, **just_before).missed_days == 1


def test_the_decision_itself_falls_on_its_london_date():
    facts = facts_of("start", decided_at="2024-07-09T23:30:00Z")

    assert facts.on == date(2024, 7, 10)


# -- hours across the clock changes -------------------------------------------------------


@pytest.mark.parametrize(
    ("decided_at", "taken_at", "stopped"),
    [
        # Spring: 00:30 GMT to 04:29 BST is 2 h 59 min; the wall clock says almost four hours.
        ("2024-03-31T04:29:00+01:00", "2024-03-31T00:30:00+00:00", True),
        ("2024-03-31T04:30:00+01:00", "2024-03-31T00:30:00+00:00", False),
        # Autumn: 00:30 BST to 02:30 GMT is three hours; the wall clock says two.
        ("2024-10-27T02:29:00+00:00", "2024-10-27T00:30:00+01:00", True),
        ("2024-10-27T02:30:00+00:00", "2024-10-27T00:30:00+01:00", False),
    ],
)
@pytest.mark.proves("M-D1-01")
def test_hours_are_exact_across_the_clock_changes(decided_at, taken_at, stopped):
    rules = fired("further_dose", **{"decided_at": decided_at, f"{DOSES}.0.consumed_at": taken_at})

    assert ("M-D1-01" in rules) is stopped


def test_days_are_dates_across_the_clock_changes():
    spring = {"decided_at": "2024-04-01T00:10:00+01:00"}

    facts = facts_of("maintained", **spring, **history(dose("2024-03-30T23:50:00+00:00")))

    assert facts.missed_days == 1
    assert facts.day == 3


# -- episodes and days --------------------------------------------------------------------


@pytest.mark.parametrize(("resumed", "starts"), [("@D-20", "@D-60"), ("@D-19", "@D-19")])
def test_an_episode_begins_again_after_five_missed_days(resumed, starts):
    taken = history(steady("@D-60", "@D-25"), steady(resumed, "@D-1"))
    base = facts_of("maintained", **taken)

    assert base.day_number(base.on) == int(starts.removeprefix("@D-")) + 1


def test_missed_days_count_as_days_of_the_episode():
    facts = facts_of("maintained", **history(dose("@D-6 10:00"), dose("@D-2 10:00")))

    assert facts.day == 7


@pytest.mark.parametrize(
    ("phase", "last", "first"),
    [
        ("re_induction", "@D-6", True),
        ("re_induction", "@D-5", False),
        ("maintenance", "@D-6", False),
        ("induction", "@D-6", False),
    ],
)
def test_only_a_re_induction_after_five_missed_days_is_a_first_dose(phase, last, first):
    taken = history(steady("@D-60", last))

    facts = facts_of("maintained", **taken, **{"order.phase": phase})

    assert facts.first_dose is first
    assert facts.day == (1 if first else 61)


@pytest.mark.proves("M-MD-04")
def test_of_two_episodes_only_the_present_one_counts():
    before = (steady("@D-100", "@D-40", "90"), dose("@D-39 10:00", "90"))
    facts = facts_of("maintained", **history(*before, steady("@D-3", "@D-1", "20")))

    assert [span.total_mg for span in facts.spans] == [20]
    assert facts.earlier_doses
    assert facts.day == 4
    # Low after the break, though three weeks and more without opioids are already lost.
    assert (facts.opioid_free_days, facts.tolerance) == (36, "lost")
    assert facts.last_increase_on is None


def test_a_break_inside_the_history_leaves_tolerance_low():
    used = {"opioid_use": [{"opioid": "heroin", "last_used_at": "@D-3 05:00"}]}
    facts = facts_of("maintained", **used, **history(steady("@D-90", "@D-12"), dose("@D-3 10:00")))

    assert (facts.opioid_free_days, facts.tolerance) == (0, "low")


def test_a_depot_of_an_earlier_episode_is_none_of_this_one():
    twice = history(dose("@D-90 11:00", "16", WEEKLY), dose("@D-4 11:00", "16", WEEKLY))

    facts = facts_of("depot_start", **twice)

    assert [each.on for each in facts.depots] == [facts.on - timedelta(days=4)]


def test_another_phase_after_five_missed_days_stops_and_keeps_the_old_episode():
    rules = fired("maintained", **history(steady("@D-60", "@D-6")))

    assert rules["M-MD-04"] == "STOP"
    assert "G-AL-04" not in rules


# -- totals and changes -------------------------------------------------------------------


def test_the_total_is_what_was_taken_today_and_what_is_still_to_come():
    facts = facts_of("further_dose", **{"order.doses_remaining_today": 3})

    assert facts.total_mg == Decimal(45)


def test_a_second_dose_on_a_later_day_is_added_up_and_is_no_further_dose_of_day_1():
    facts = facts_of("day_10", **history(steady("@D-9", "@D-1", "50"), dose("@-2h", "20")))

    assert facts.total_mg == 70
    assert facts.previous_on == facts.on - timedelta(days=1)
    assert not facts.further_dose
    assert not facts.divided_day_1


def test_a_depot_given_today_is_no_part_of_the_daily_total():
    given = history(dose("@-1h", "16", WEEKLY))

    facts = facts_of("buprenorphine_start", **given)

    assert (facts.total_mg, facts.consumed_today) == (4, ())
    assert facts.spans == ()


def test_the_previous_dosing_day_is_the_last_with_a_dose_however_many_were_missed():
    facts = facts_of("maintained", **history(dose("@D-4 09:00", "20"), dose("@D-4 17:00", "25")))

    assert facts.previous is not None
    assert facts.previous.total_mg == Decimal(45)
    assert facts.previous_on == facts.on.replace(day=2)


def test_day_1_is_a_start_and_a_depot_is_no_change():
    assert facts_of("start").change == "start"
    assert facts_of("further_dose").change == "start"
    assert facts_of("depot_maintained").change is None
    assert facts_of("maintained").change == "same"


def test_the_dose_seven_days_ago_is_that_of_the_last_dosing_day_before_it():
    taken = history(
        steady("@D-20", "@D-9", "40"), dose("@D-8 10:00", "45"), dose("@D-5 10:00", "60")
    )

    facts = facts_of("maintained", **taken)

    assert facts.total_on_or_before(facts.on.replace(day=30, month=1)) == Decimal(45)


def test_the_last_increase_is_the_last_dosing_date_that_rose():
    taken = history(
        steady("@D-30", "@D-9", "40"), steady("@D-8", "@D-4", "50"), steady("@D-3", "@D-1", "45")
    )

    facts = facts_of("maintained", **taken)

    assert (facts.on - facts.last_increase_on).days == 8
    assert (facts.on - facts.last_reduction_on).days == 3


@pytest.mark.proves("M-TI-02", "M-TI-10")
@pytest.mark.parametrize(
    ("totals", "rose", "fell"),
    [
        ("30 30 30", None, None), ("30 40 40", 2, None), ("40 30 30", None, 2),
        ("30 20 40", 1, 2), ("30 40 20", 2, 1), ("10 20 30", 1, None), ("30 20 10", None, 1),
    ],
)  # fmt: skip
def test_the_last_rise_and_the_last_fall_are_each_remembered(totals, rose, fell):
    days = [
        steady(f"@D-{d}", f"@D-{d}", mg) for d, mg in zip((3, 2, 1), totals.split(), strict=True)
    ]

    facts = facts_of("maintained", **history(*days))

    changed = (facts.last_increase_on, facts.last_reduction_on)
    assert changed == tuple(d and facts.on - timedelta(days=d) for d in (rose, fell))


def test_after_three_missed_days_only_the_titration_stops_speak():
    taken = history(steady("@D-30", "@D-5", "40"))
    seen = {"assessment.prescriber_assessed_at": ["@-1h"]}

    rules = fired("maintained", **taken, **seen, **{"order.dose_mg": "61"})

    assert {rule for rule in rules if rule.startswith("M-TI")} == {"M-TI-02"}


@pytest.mark.proves("M-TI-08")
@pytest.mark.parametrize(("missed", "speaks"), [(3, True), (4, False)])
def test_an_increase_waits_three_days_after_a_missed_dose(missed, speaks):
    taken = history(
        steady("@D-30", f"@D-{missed + 1}", "80"), steady(f"@D-{missed - 1}", "@D-1", "80")
    )

    rules = fired("maintained", **taken, **{"order.dose_mg": "85"})

    assert ("M-TI-08" in rules) is speaks


# -- opioid-free days and tolerance -------------------------------------------------------


def test_opioid_use_after_the_first_dose_of_the_episode_is_ignored():
    use = [
        {"opioid": "heroin", "last_used_on": "@D-12"},
        {"opioid": "heroin", "last_used_on": "@D-2"},
    ]

    facts = facts_of("maintained", **history(steady("@D-9", "@D-1")), opioid_use=use)

    assert facts.opioid_free_days == 3


def test_the_latest_opioid_before_the_episode_counts_whatever_kind_of_record_it_is():
    used = [{"opioid": "heroin", "last_used_on": f"@D-{days}"} for days in (20, 10, 12)]
    depot = dose("@D-9 11:00", "16", WEEKLY)
    daily = steady("@D-8", "@D-7", "8", TABLET)

    def free(*taken, use=()):
        return facts_of("start", opioid_use=list(use), **history(*taken)).opioid_free_days

    assert free(use=used) == 10
    assert free(depot, use=used[:1]) == 9
    assert free(depot, daily, use=used) == 7
    assert free(steady("@D-7", "@D-7", "8", TABLET)) == 7
    assert free() is None


def test_opioid_free_days_run_to_the_first_dose_of_the_episode():
    use = {"opioid_use": [{"opioid": "heroin", "last_used_at": "@D-9 09:00"}]}
    at_it = {"opioid_use": [{"opioid": "heroin", "last_used_at": "@D-5 09:00"}]}

    assert (
        facts_of("start", **use, **history(dose("@D-5 09:00"), dose("@D-1 09:00"))).opioid_free_days
        == 4
    )
    assert (
        facts_of("start", **use, **history(steady("@D-5", "@D-2"), dose("@-1h"))).opioid_free_days
        == 4
    )
    assert facts_of("start", **at_it, **history(dose("@D-5 09:00"))).opioid_free_days is None


def test_use_known_only_by_its_date_is_timed_at_the_end_of_it():
    on = {"opioid": "heroin", "last_used_on": "@D"}
    first = history(dose("@D-9 10:00"), steady("@D-8", "@D-1"))

    today = facts_of("start", opioid_use=[on])
    that_day = facts_of("maintained", **first, opioid_use=[{**on, "last_used_on": "@D-9"}])

    assert today.opioid_free_days == 0
    assert today.short_acting_at == today.request.decided_at
    assert that_day.opioid_free_days is None


@pytest.mark.parametrize(
    ("last", "recorded", "tolerance"),
    [
        ("@D-2", "high", "high"),
        ("@D-3", "high", "low"),
        ("@D-6", "high", "low"),
        ("@D-7", "high", "lost"),
        ("@D-40", "low", "lost"),
        ("@D-2", "@absent", "uncertain"),
    ],
)
def test_opioid_free_days_lower_tolerance(last, recorded, tolerance):
    use = [{"opioid": "heroin", "last_used_on": last}]

    facts = facts_of("start", opioid_use=use, **{"assessment.tolerance": recorded})

    assert facts.tolerance == tolerance


@pytest.mark.parametrize(("recorded", "tolerance"), [("high", "uncertain"), ("low", "low")])
def test_with_no_opioid_known_tolerance_is_uncertain_unless_low(recorded, tolerance):
    facts = facts_of("start", opioid_use=[], **{"assessment.tolerance": recorded})

    assert facts.tolerance == tolerance


def test_five_missed_days_before_the_episode_leave_tolerance_low_despite_use_on_top():
    use = [{"opioid": "heroin", "last_used_on": "@D-1"}]
    taken = history(steady("@D-60", "@D-6"))

    facts = facts_of("maintained", **taken, opioid_use=use, **{"order.phase": "re_induction"})

    assert facts.tolerance == "low"


@pytest.mark.proves("M-FD-08", "M-FD-05")
def test_lost_tolerance_has_its_own_rules_and_reads_as_low_elsewhere():
    lost = {"opioid_use": [{"opioid": "heroin", "last_used_on": "@D-8"}]}
    divided = {"order.dose_mg": "12", "order.doses_remaining_today": 2}

    assert set(fired("start", **lost, **{"order.dose_mg": "18"})) == {"M-FD-08"}
    assert "M-D1-13" in fired("start", **lost, **divided)


# -- readings -----------------------------------------------------------------------------


def observed(*seen: dict) -> dict:
    return {"observations": list(seen)}


def test_the_latest_reading_counts_and_each_kind_on_its_own():
    facts = facts_of(
        "start",
        **observed(
            {"at": "@-1h", "sedation": "1"},
            {"at": "@-3h", "withdrawal_scale": "cows", "withdrawal_score": 9, "sedation": "3"},
            {"at": "@-5h", "withdrawal_scale": "cows", "withdrawal_score": 20},
            {"at": "@-2h", "withdrawal_scale": "oows", "withdrawal_score": 3},
        ),
    )

    assert facts.sedation == "1"
    assert facts.cows is not None
    assert facts.cows.value == 9
    assert facts.alcohol is None


def test_the_latest_ecg_counts_and_of_two_on_one_day_the_longer():
    def qtc(*ecgs):
        taken = [{"recorded_on": on, "qtc_ms": ms} for on, ms in ecgs]
        return facts_of("start", **{"patient.ecgs": taken}).ecg.qtc_ms

    assert qtc(("@D-9", 510), ("@D-2", 430)) == 430
    assert qtc(("@D-2", 430), ("@D-9", 510)) == 430
    assert qtc(("@D-2", 470), ("@D-2", 430)) == 470


def test_a_look_at_sedation_or_withdrawal_is_an_observation_and_a_breath_reading_is_not():
    breath = {"at": "@-4h", "breath_alcohol_mg_per_l": "0"}
    sedation = {"at": "@-3h", "sedation": "1"}
    score = {"at": "@-2h", "withdrawal_scale": "oows", "withdrawal_score": 3}

    facts = facts_of("start", **observed(breath, sedation, score))

    decided_at = facts.request.decided_at
    assert [decided_at - at for at in facts.observed_at] == [timedelta(hours=h) for h in (3, 2)]


def test_a_reading_older_than_a_day_is_missing():
    score = {"withdrawal_scale": "cows", "withdrawal_score": 9}

    assert facts_of("start", **observed({"at": "@-1440m", **score})).cows is not None
    assert facts_of("start", **observed({"at": "@-1441m", **score})).cows is None


@pytest.mark.proves("G-IN-01")
def test_heavy_snoring_stops_until_somebody_looks_again():
    snoring = {"at": "@-3h", "hard_to_rouse_or_heavy_snoring": True}
    score = {"at": "@-2h", "withdrawal_scale": "cows", "withdrawal_score": 9}
    awake = {"at": "@-1h", "sedation": "1"}

    assert "G-IN-01" in fired("maintained", **observed(snoring, score))
    assert "G-IN-01" not in fired("maintained", **observed(snoring, score, awake))


def test_a_missing_cows_is_spoken_of_once():
    assert set(fired("buprenorphine_start", observations=[])) == {"B-PW-07", "G-AL-04"}
    assert set(fired("start", observations=[])) == {"G-WD-01", "G-AL-04"}


@pytest.mark.parametrize(
    ("reading", "micrograms"),
    [
        ({"breath_alcohol_micrograms_per_100ml": "20.5"}, "20.5"),
        ({"breath_alcohol_mg_per_l": "0.35"}, "35"),
        ({"blood_alcohol_mg_per_100ml": "80"}, "35"),
        ({"blood_alcohol_mg_per_100ml": "46"}, "20.125"),
    ],
)
def test_alcohol_is_compared_in_breath_micrograms(reading, micrograms):
    facts = facts_of("start", **observed({"at": "@-1h", **reading}))

    assert facts.alcohol is not None
    assert facts.alcohol.value == Decimal(micrograms)


# -- drug test and medicines --------------------------------------------------------------


def test_the_latest_sample_with_a_result_is_the_test_even_when_another_is_pending():
    tests = [
        {"sample": "urine", "sample_taken_at": "@-1h", "result": "pending"},
        {"sample": "urine", "sample_taken_at": "@-5h", "result": "opioid_positive"},
        {"sample": "urine", "sample_taken_at": "@-9h", "result": "opioid_negative"},
    ]

    test = facts_of("start", drug_tests=tests).drug_test
    pending = facts_of("start", drug_tests=tests[:1]).drug_test

    assert test is not None
    assert test.result == "opioid_positive"
    assert pending is not None
    assert pending.result == "pending"


@pytest.mark.parametrize(
    ("dates", "current"),
    [
        ({}, True),
        ({"started_on": "@D"}, True),
        ({"started_on": "@D+1"}, False),
        ({"stopped_on": "@D"}, True),
        ({"stopped_on": "@D-1"}, False),
    ],
)
def test_a_medicine_is_current_from_its_start_to_its_last_date(dates, current):
    medicine = {"name": "diazepam", "classes": ["benzodiazepine_or_z_drug"], **dates}

    facts = facts_of("start", **{"patient.medicines": [medicine]})

    assert bool(facts.risk_modifiers) is current


def test_a_medicine_of_several_classes_counts_for_each_and_one_of_none_for_none():
    def known(*classes):
        taken = {"patient.medicines": [{"name": "it", "classes": list(classes)}]}
        facts = facts_of("start", **taken)
        return [m.name for m in facts.taking("gabapentinoid")], facts.risk_modifiers

    assert known("qt_prolonging", "gabapentinoid") == (["it"], ("it",))
    assert known() == ([], ())


def test_a_breath_reading_alone_is_no_risk_modifier():
    drunk = {"observations.0.breath_alcohol_micrograms_per_100ml": "60"}

    assert facts_of("start", **drunk).risk_modifiers == ()
    assert facts_of("start", **{"patient.substance_use": ["alcohol"]}).risk_modifiers == (
        "alcohol",
    )


# -- methadone before buprenorphine -------------------------------------------------------


@pytest.mark.proves("B-PW-04")
def test_a_steady_methadone_dose_is_timed_at_the_end_of_its_date():
    methadone = {"opioid_use": [], **history(steady("@D-60", "@D-1"))}

    assert fired("buprenorphine_start", **methadone)["B-PW-04"] == "STOP"


@pytest.mark.proves("B-PW-08")
def test_the_last_methadone_day_is_added_up_and_unknown_is_above_the_limit():
    split = {
        "opioid_use": [],
        **history(dose("@D-3 09:00", "20"), dose("@D-3 17:00", "11"), dose("@D-4 09:00", "5")),
    }
    unknown = {"opioid_use": [{"opioid": "methadone", "last_used_on": "@D-3"}]}

    assert "B-PW-08" in fired("buprenorphine_start", **split)
    assert "B-PW-08" in fired("buprenorphine_start", **unknown)


def test_only_methadone_is_methadone_before_buprenorphine():
    other = history(steady("@D-9", "@D-3", "8", TABLET), dose("@D-2 11:00", "8", TABLET))
    heroin = {"opioid_use": [{"opioid": "heroin", "last_used_at": "@-14h"}]}

    assert facts_of("buprenorphine_start", **heroin, **other).methadone_before is None


def test_the_last_methadone_is_the_latest_and_its_amount_that_of_its_day():
    use = {"opioid_use": [{"opioid": "methadone", "last_used_at": "@-60h", "daily_dose_mg": "5"}]}
    taken = history(steady("@D-60", "@D-4", "80"), dose("@D-1 10:00", "20"))

    before = facts_of("buprenorphine_start", **use, **taken).methadone_before

    assert before.total_mg == 20
    assert london_time(before.last_at).hour == 10


def test_the_latest_use_of_a_short_acting_opioid_counts():
    used = [{"opioid": "heroin", "last_used_at": at} for at in ("@-40h", "@-14h", "@-30h")]

    facts = facts_of("buprenorphine_start", opioid_use=used)

    assert facts.request.decided_at - facts.short_acting_at == timedelta(hours=14)


# -- depots -------------------------------------------------------------------------------


@pytest.mark.proves("B-DP-02")
@pytest.mark.parametrize(
    "known",
    [
        {"treatment_history.ever_taken_buprenorphine": True},
        history(steady("@D-2", "@D-1", "4", TABLET)),
        history(dose("@D-7 11:00", "16", WEEKLY)),
        history(steady("@D-90", "@D-60", "8", TABLET), dose("@-30m", "2", TABLET)),
    ],
    ids=["ever taken", "on sublingual", "an earlier depot", "an earlier episode"],
)
def test_someone_who_knows_buprenorphine_needs_no_test_dose(known):
    rules = fired("depot_start", **{DOSES: [], **known})

    assert "B-DP-02" not in rules


@pytest.mark.proves("B-DP-06")
def test_an_extra_of_week_1_neither_opens_nor_closes_a_window():
    week_1 = history(
        dose("@D-7 09:00", "4", TABLET),
        dose("@D-7 11:00", "16", WEEKLY),
        dose("@D-4 11:00", "8", WEEKLY),
    )

    assert "B-DP-06" not in fired("depot_start", **week_1, **{"order.dose_mg": "24"})


@pytest.mark.proves("B-DP-06")
def test_the_window_is_that_of_the_last_depot_given():
    monthly = history(dose("@D-28 11:00", "96", MONTHLY))

    assert "B-DP-06" not in fired("depot_maintained", **monthly)


@pytest.mark.proves("B-DP-05")
def test_a_depot_after_the_first_is_not_held_to_the_switch_table():
    assert "B-DP-05" not in fired("depot_maintained", **{"order.dose_mg": "32"})


# -- pregnancy, age -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivery", "trimester"),
    [("@D+183", 1), ("@D+182", 2), ("@D+85", 2), ("@D+84", 3), ("@D-5", 3), ("@absent", None)],
)
def test_the_trimester_follows_from_the_expected_delivery(delivery, trimester):
    facts = facts_of("pregnant", **{"patient.pregnancy.expected_delivery_on": delivery})

    assert facts.trimester == trimester


@pytest.mark.parametrize(
    ("decided_at", "age"), [("2024-02-28T12:00:00Z", 15), ("2024-02-29T12:00:00Z", 16)]
)
def test_a_leap_day_birthday_is_counted_exactly(decided_at, age):
    born = {"patient.date_of_birth": "2008-02-29"}

    assert facts_of("start", decided_at=decided_at, **born).age == age


# -- prison -------------------------------------------------------------------------------


def test_the_prison_day_counts_from_the_first_dose_since_reception():
    assert facts_of("prison_start").prison_day == 1
    assert facts_of("prison_day_3").prison_day == 3
    assert facts_of("prison_confirmed").prison_day == 1
    assert facts_of("maintained").prison_day is None


def in_prison(*taken: dict, at: str = "@D-2 16:00", confirmed: bool = True) -> tuple:
    """The prison day, whether none was taken inside yet, whether the last outside was watched."""
    both = dict.fromkeys(BOTH_CONFIRM, "@-2h" if confirmed else "@absent")
    facts = facts_of("prison_confirmed", **{"prison.received_at": at}, **history(*taken), **both)
    return facts.prison_day, facts.first_in_prison, facts.last_outside_supervised


WATCHED, THEIRS = {"supervision": "supervised"}, {"recorded_by": "elsewhere"}


@pytest.mark.parametrize(
    ("taken", "known"),
    [
        ((dose("@D-2 16:00"),), (3, False, False)),
        ((dose("@D-2 15:59", **WATCHED),), (1, True, True)),
        ((dose("@D-1 09:00", product=TABLET),), (1, True, False)),
        ((dose("@D-9 09:00", product=TABLET, **WATCHED),), (1, True, False)),
        ((steady("@D-9", "@D-1", product=TABLET, **WATCHED),), (1, True, False)),
        ((dose("@D-9 09:00", **WATCHED), dose("@D-5 09:00")), (1, True, False)),
        ((dose("@D-9 09:00"), dose("@D-5 09:00", **WATCHED)), (1, True, True)),
        ((dose("@D-9 09:00", **WATCHED), dose("@D-9 09:00")), (1, True, True)),
        ((steady("@D-1", "@D-1", **WATCHED, **THEIRS),), (2, False, False)),
        ((steady("@D-2", "@D-1", **WATCHED),), (3, False, False)),
        ((steady("@D-30", "@D-10", **WATCHED), dose("@D-5 09:00")), (1, True, False)),
        ((steady("@D-30", "@D-1", **WATCHED, **THEIRS),), (2, False, True)),
    ],
)  # fmt: skip
def test_doses_before_and_since_reception_are_told_apart(taken, known):
    assert in_prison(*taken) == known


@pytest.mark.parametrize(
    "claim",
    [
        steady("@D-9", "@D-1", **WATCHED, **THEIRS),
        dose("@D-5 09:00", **WATCHED, **THEIRS),
        dose("@D-1 09:00", **THEIRS),
    ],
)
def test_a_claim_nobody_confirmed_was_taken_neither_inside_nor_outside(claim):
    assert in_prison(claim, confirmed=False) == (1, True, False)


def test_outside_prison_there_is_no_prison_day():
    facts = facts_of("maintained")

    assert (facts.prison_day, facts.first_in_prison, facts.last_outside_supervised) == (
        None,
        False,
        False,
    )


@pytest.mark.proves("P-06")
def test_a_daily_dose_from_elsewhere_on_the_day_of_reception_was_taken_outside():
    came_in_yesterday = {
        "prison.received_at": "@D-1 16:00",
        "order.dose_mg": "31",
        **history(steady("@D-200", "@D-1", "31", recorded_by="elsewhere")),
    }

    assert facts_of("prison_confirmed", **came_in_yesterday).prison_day == 1
    assert fired("prison_confirmed", **came_in_yesterday)["P-06"] == "ALERT"


def test_a_daily_dose_of_ours_on_the_day_of_reception_was_taken_inside():
    came_in_yesterday = {"prison.received_at": "@D-1 16:00", **history(steady("@D-200", "@D-1"))}

    assert facts_of("prison_confirmed", **came_in_yesterday).prison_day == 2


@pytest.mark.proves("P-05")
def test_the_envelope_of_day_5_goes_on_for_an_unconfirmed_continuation():
    later = {
        "setting": "prison",
        "supply": {"in_possession": False},
        "prison": {"received_at": "@D-20 09:00", "status": "remand", "plan": "stabilisation"},
        "order.phase": "continuation",
        **history(steady("@D-19", "@D-1", "40")),
    }

    assert "P-05" not in fired("maintained", **later, **{"order.dose_mg": "40"})
    assert "P-05" in fired("maintained", **later, **{"order.dose_mg": "40.001"})


@pytest.mark.proves("P-01")
def test_the_envelope_holds_in_a_re_induction():
    again = {"order.phase": "re_induction", "order.dose_mg": "31"}

    assert "P-01" in fired("prison_day_3", **again)


@pytest.mark.proves("P-09")
def test_a_review_held_in_an_earlier_custody_is_not_this_ones():
    held = {"prison.reviews_held": [{"review": "day_5", "held_on": "@D-30"}]}

    rules = fired("prison_day_3", **held, **{"prison.received_at": "@D-12 16:00"})

    assert rules["P-09"] == "ALERT"


# -- units --------------------------------------------------------------------------------


@pytest.mark.proves("U-06")
@pytest.mark.parametrize(
    "base", ["start", "maintained", "buprenorphine_start", "depot_start", "prison_start"]
)
def test_without_a_unit_only_rules_that_need_no_dose_speak(base):
    no_unit = {"order.dose_mg": "@absent", "order.dose_without_unit": "99"}

    rules = fired(base, **no_unit, **{"patient.conditions": ["coma"]})

    assert rules.pop("U-06") == "STOP"
    assert set(rules) <= {"G-CI-01"}


@pytest.mark.proves("U-06")
def test_whatever_else_makes_a_rule_speak_a_dose_without_a_unit_is_never_compared():
    """Comparing one raises, so a rule that reads the amount without saying so would be seen."""
    no_unit = {"order.dose_mg": "@absent", "order.dose_without_unit": "99"}
    examples = [each for each in all_examples(rulebook()) if each.fires]

    answers = [
        check(a_request(each.base, each.rule_set, **{**each.changes, **no_unit}))
        for each in examples
        if "order.dose_micrograms" not in each.changes
    ]

    assert len(answers) > 1000
    assert all("U-06" in {found["rule"] for found in each["findings"]} for each in answers)


@pytest.mark.proves("U-06")
def test_micrograms_are_a_unit():
    micrograms = {"order.dose_mg": "@absent", "order.dose_micrograms": "400"}

    assert set(fired("buprenorphine_start", **micrograms)) == {"B-FD-03"}


# -- supply -------------------------------------------------------------------------------


@pytest.mark.proves("S-01")
def test_each_take_home_date_has_its_own_day():
    taken = history(steady("@D-12", "@D-1", "80"))
    collection = {"collect_on": "@D", "supervised": True, "take_home_days": 2}

    day_14_open = fired("maintained", **taken, **{"supply.collections": [collection]})
    day_14_closed = fired(
        "maintained",
        **taken,
        **{"supply.collections": [collection], "supply.pharmacy_closed_on": ["@D+1"]},
    )

    assert {"S-01", "S-02"} <= set(day_14_open)
    assert "S-01" not in day_14_closed
    assert "S-02" in day_14_closed


# -- the answer ---------------------------------------------------------------------------


def test_findings_come_most_severe_first_and_then_by_rule():
    answer = check(
        a_request(
            "start",
            **{
                "order.dose_mg": "45",
                "patient.conditions": ["copd_stable", "coma"],
                "patient.date_of_birth": "2007-01-01",
                "drug_tests": [],
            },
        )
    )

    named = [(each["severity"], each["rule"]) for each in answer["findings"]]
    assert answer["outcome"] == "STOP"
    assert named == sorted(
        named, key=lambda each: (["STOP", "ALERT", "INFO"].index(each[0]), each[1])
    )
    assert named[0] == ("STOP", "G-CI-01")


def test_an_answer_says_which_edition_judged_it():
    assert check(a_request("start"))["rule_set_version"] == rulebook().set_versions["uk-2017"]


def test_a_finding_shows_the_values_it_used():
    finding = check(a_request("start", **{"order.dose_mg": "45"}))["findings"][0]

    assert finding["facts"] == {"dose_mg": "45", "limit_mg": "40"}
    assert finding["message"] == "First dose above 40 mg."
    assert finding["source"] == "S10 [S], S20 [S]; S3/S4 [M]"


def told(rule: str, base: str, **changes) -> dict:
    """The values the finding of a rule tells."""
    answer = check(a_request(base, **changes))
    return next(each["facts"] for each in answer["findings"] if each["rule"] == rule)


def test_a_finding_tells_what_about_the_person_moved_the_limit():
    frail = {"order.dose_mg": "25", "patient.conditions": ["frailty_or_older_age"]}

    assert told("M-FD-05", "start", **frail) == {
        "dose_mg": "25", "limit_mg": "20", "tolerance": "moderate", "opioid_free_days": 1,
        "risk_modifiers": ["frailty_or_older_age"], "experienced": False,
    }  # fmt: skip


@pytest.mark.parametrize(("missed", "limit"), [("@D-4", "45"), ("@D-5", "40")])
def test_after_missed_days_the_limit_told_is_the_share_or_the_cap(missed, limit):
    after = {
        "assessment.prescriber_assessed_at": ["@-1h"], "order.dose_mg": "60",
        **history(steady("@D-90", missed, "90")),
    }  # fmt: skip

    assert told("M-MD-03", "maintained", **after)["limit_mg"] == limit
