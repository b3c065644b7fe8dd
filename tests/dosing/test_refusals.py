"""Which field does a refusal name? Each way a dose check can be unreadable, by its path."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosing.check import check
from dosing.examples import a_request
from dosing.reading import read_request
from dosing.shape import Refused, answer


def refused_at(base: str, **changes) -> str:
    with pytest.raises(Refused) as refusal:
        check(a_request(base, **changes))
    return refusal.value.field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("colour", "blue"),
        ("rule_set", "uk-2018"),
        ("rule_set", None),
        ("setting", "police"),
        ("patient.date_of_birth", None),
        ("patient.sex", "f"),
        ("patient.conditions", None),
        ("patient.medicines", "none"),
        ("patient.substance_use", None),
        ("patient.children_at_home", "no"),
        ("prescriber.experienced", None),
        ("opioid_use", None),
        ("order", None),
        ("order.product", "morphine"),
        ("order.phase", None),
        ("order.dose_mg", 26),
        ("order.dose_mg", "26 mg"),
        ("order.dose_mg", "-26"),
        ("order.dose_mg", "1e2"),
        ("order.dose_mg", "26.0001"),
        ("order.dose_mg", "123456"),
        ("order.dose_mg", "0"),
        ("order.dose_mg", "0.000"),
        ("order.dose_micrograms", "0"),
        ("order.dose_without_unit", "0"),
        ("order.doses_remaining_today", 0),
        ("order.doses_remaining_today", "1"),
        ("order.doses_remaining_today", True),
        ("supply.collections", None),
        ("patient.ecgs.0.recorded_on", None),
    ],
)
def test_a_field_of_the_wrong_shape_is_named(field, value):
    changes = {"patient.ecgs": [{"recorded_on": "@D", "qtc_ms": 400}]} if "ecgs" in field else {}

    assert refused_at("start", **changes, **{field: value}) == field.replace(".0.", "[0].")


@pytest.mark.parametrize(
    "missing", ["case", "rule_set", "decided_at", "setting", "patient", "order"]
)
def test_a_required_field_that_is_missing_is_named(missing):
    request = a_request("start")
    del request[missing]

    with pytest.raises(Refused) as refusal:
        check(request)

    assert refusal.value.field == missing


@pytest.mark.parametrize("moment", ["2024-02-06T12:00:00", "2024-02-30T12:00:00Z", "2024-02-06", 1])
def test_a_decision_at_no_real_moment_is_named(moment):
    with pytest.raises(Refused) as refusal:
        check({**a_request("start"), "decided_at": moment})

    assert refusal.value.field == "decided_at"


def test_a_dose_with_no_amount_at_all_lacks_its_dose():
    assert refused_at("start", **{"order.dose_mg": "@absent"}) == "order.dose_mg"


@pytest.mark.parametrize(
    ("base", "field"),
    [
        ("start", "supply.collections"),
        ("prison_start", "supply.in_possession"),
        ("prison_start", "prison"),
        ("depot_start", "supply.administered_by"),
        ("buprenorphine_start", "order.stocked_strengths_mg"),
        ("sentenced", "prison.sentence_days"),
    ],
)
def test_a_field_the_circumstances_require_is_named(base, field):
    assert refused_at(base, **{field: "@absent"}) == field


def test_what_the_setting_requires_is_named_even_without_a_supply():
    assert refused_at("start", supply="@absent") == "supply.collections"
    assert refused_at("start", setting="on_site", supply="@absent") == "supply.collections"
    assert refused_at("depot_start", supply="@absent") == "supply.administered_by"


def test_prison_facts_outside_prison_are_refused():
    prison = {"received_at": "@-3h", "status": "remand", "plan": "stabilisation"}

    assert refused_at("start", prison=prison) == "prison"


def test_what_one_setting_requires_is_left_out_in_another():
    hospital = a_request("start", setting="hospital", supply="@absent")

    assert read_request(hospital).supply.collections is None
    for setting in ("community", "on_site", "hospital"):
        assert refused_at("prison_start", setting=setting, **{
            "supply.collections": [{"collect_on": "@D", "supervised": True}]
        }) == "prison"  # fmt: skip
    remand = a_request("prison_start", **{"prison.status": "remand"})
    assert read_request(remand).prison.sentence_days is None


def test_a_depot_needs_neither_collections_nor_possession():
    check(a_request("depot_start"))
    check(a_request("depot_start", setting="hospital"))


LATER = [
    ("start", "patient.date_of_birth", "@D+1"),
    *(
        ("start", f"assessment.{name}_at", "@D 12:01")
        for name in (
            "opioid_use_history",
            "dependence_evidence",
            "physical_examination",
            "mental_state",
            "risk_assessment",
            "consent",
        )
    ),
    ("start", "assessment.prescriber_assessed_at", ["@-1h", "@D 12:01"]),
    ("start", "drug_tests.0.sample_taken_at", "@D 12:01"),
    ("start", "observations.0.at", "@D 12:01"),
    ("start", "opioid_use.0.last_used_at", "@D 12:01"),
    ("start", "opioid_use", [{"opioid": "heroin", "last_used_on": "@D+1"}]),
    ("start", "patient.ecgs", [{"recorded_on": "@D+1", "qtc_ms": 400}]),
    (
        "start",
        "patient.medicines",
        [{"name": "naltrexone", "classes": ["naltrexone_oral"], "last_taken_at": "@D 12:01"}],
    ),
    ("further_dose", "treatment_history.doses.0.consumed_at", "@D 15:01"),
    ("maintained", "treatment_history.steady_doses.1.to_on", "@D"),
    ("claimed", "treatment_history.elsewhere_confirmed_by_pharmacy_at", "@D 12:01"),
    ("claimed", "treatment_history.elsewhere_confirmed_by_prescriber_at", "@D 12:01"),
    ("start", "order.retitration_plan_recorded_at", "@D 12:01"),
    ("start", "supply.safe_storage_recorded_on", "@D+1"),
    ("form", "prescription.signed_on", "@D+1"),
    ("form", "prescription.supplies.0.supplied_on", "@D+1"),
    ("prison_start", "prison.received_at", "@D 12:01"),
    ("prison_start", "prison.informed_choice_recorded_at", "@D 12:01"),
    ("prison_start", "prison.naloxone_offered_on", "@D+1"),
    ("sentenced", "prison.maintenance_justified_on.0", "@D+1"),
    ("sentenced", "prison.reviews_held.0.held_on", "@D+1"),
]


@pytest.mark.parametrize(("base", "field", "value"), LATER)
def test_a_recorded_fact_later_than_the_decision_is_refused(base, field, value):
    named = {
        "assessment.prescriber_assessed_at": "assessment.prescriber_assessed_at[1]",
        "opioid_use": "opioid_use[0].last_used_on",
        "patient.ecgs": "patient.ecgs[0].recorded_on",
        "patient.medicines": "patient.medicines[0].last_taken_at",
    }.get(field, field)
    for place in "01":
        named = named.replace(f".{place}", f"[{place}]")

    assert refused_at(base, **{field: value}) == named


def sooner(value):
    """The last day or minute that is not later than the decision."""
    if isinstance(value, list):
        return [sooner(each) for each in value]
    if isinstance(value, dict):
        return {name: sooner(each) for name, each in value.items()}
    if not isinstance(value, str):
        return value
    return {"@D+1": "@D", "@D": "@D-1"}.get(value, value.replace(":01", ":00"))


@pytest.mark.parametrize(("base", "field", "value"), LATER)
def test_a_fact_recorded_at_the_moment_of_the_decision_is_read(base, field, value):
    read_request(a_request(base, **{field: sooner(value)}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("patient.pregnancy", {"expected_delivery_on": "@D+100"}),
        ("patient.medicines", [{"name": "sertraline", "classes": ["other"], "stopped_on": "@D+9"}]),
        ("supply.pharmacy_closed_on", ["@D+5"]),
        ("assessment.sedative_monitoring_plan", {"from_on": "@D", "to_on": "@D+20"}),
    ],
)
def test_a_plan_may_lie_in_the_future(field, value):
    check(a_request("start", **{field: value}))


# -- observations -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "top"),
    [("cows", 48), ("sows_handelsman", 64), ("oows", 13), ("sows_gossop", 30), ("cina", 31)],
)
def test_a_score_beyond_its_scale_is_refused(scale, top):
    changes = {"observations.0.withdrawal_scale": scale}

    check(a_request("start", **changes, **{"observations.0.withdrawal_score": top}))

    assert (
        refused_at("start", **changes, **{"observations.0.withdrawal_score": top + 1})
        == "observations[0].withdrawal_score"
    )


def test_a_scale_and_its_score_come_together():
    score, scale = "observations.0.withdrawal_score", "observations.0.withdrawal_scale"

    assert refused_at("start", **{score: "@absent"}) == "observations[0].withdrawal_score"
    assert refused_at("start", **{scale: "@absent"}) == "observations[0].withdrawal_scale"


def test_an_observation_of_nothing_and_two_alcohol_readings_are_refused():
    assert refused_at("start", observations=[{"at": "@-1h"}]) == "observations[0]"
    two = {"observations.0.breath_alcohol_mg_per_l": "0.1"}
    assert refused_at("start", **two) == "observations[0]"


ALCOHOL = (
    "breath_alcohol_micrograms_per_100ml",
    "breath_alcohol_mg_per_l",
    "blood_alcohol_mg_per_100ml",
)


def test_any_one_finding_makes_an_observation_and_two_or_three_alcohol_readings_none():
    def observed(**found):
        return {"observations": [{"at": "@-1h", **found}]}

    for one in (
        {"withdrawal_scale": "cows", "withdrawal_score": 0}, {"sedation": "S"},
        {"hard_to_rouse_or_heavy_snoring": False}, *({name: "0"} for name in ALCOHOL),
    ):  # fmt: skip
        read_request(a_request("start", **observed(**one)))
    for several in (*combinations(ALCOHOL, 2), ALCOHOL):
        assert refused_at("start", **observed(**dict.fromkeys(several, "0"))) == "observations[0]"


def test_opioid_use_says_once_when_it_was():
    for one in ({"last_used_at": "@-1h"}, {"last_used_on": "@D"}):
        read_request(a_request("start", opioid_use=[{"opioid": "heroin", **one}]))
    assert refused_at("start", opioid_use=[{"opioid": "heroin"}]) == "opioid_use[0]"
    twice = {"opioid": "heroin", "last_used_at": "@-1h", "last_used_on": "@D"}
    assert refused_at("start", opioid_use=[twice]) == "opioid_use[0]"


# -- history ------------------------------------------------------------------------------


def steady(first: str, last: str, product: str = "methadone_oral_solution") -> dict:
    return {"product": product, "daily_dose_mg": "30", "from_on": first, "to_on": last}


def test_a_date_stated_twice_for_one_drug_is_refused():
    ranges = "treatment_history.steady_doses"
    overlapping = [steady("@D-9", "@D-5"), steady("@D-5", "@D-1")]
    inside = [steady("@D-9", "@D-1"), steady("@D-5", "@D-4", "methadone_tablets")]

    assert refused_at("start", **{ranges: overlapping}) == "treatment_history.steady_doses[1]"
    assert refused_at("start", **{ranges: inside}) == "treatment_history.steady_doses[1]"

    dose = {"product": "methadone_tablets", "dose_mg": "5", "consumed_at": "@D-5 00:10"}
    both = {ranges: [steady("@D-9", "@D-5")], "treatment_history.doses": [dose]}
    assert refused_at("start", **both) == "treatment_history.doses[0].consumed_at"


def test_ranges_that_touch_and_other_drugs_are_not_stated_twice():
    ranges = [
        steady("@D-4", "@D-1"),
        steady("@D-9", "@D-5"),
        steady("@D-9", "@D-1", "buprenorphine_sublingual"),
    ]

    check(a_request("start", **{"treatment_history.steady_doses": ranges}))


PRODUCTS = ("methadone_oral_solution", "methadone_tablets", "buprenorphine_sublingual")
A_RANGE = st.tuples(st.integers(1, 9), st.integers(0, 3), st.sampled_from(PRODUCTS))


@given(
    st.lists(A_RANGE, max_size=5), st.lists(st.tuples(st.integers(1, 9), st.sampled_from(PRODUCTS)))
)
def test_no_date_is_stated_twice_for_one_drug_in_whatever_order(ranges, singly):
    """`ranges`: the first day before D, how many further ones; `singly`: one day before D."""
    spans = [(first, max(1, first - more), product) for first, more, product in ranges]
    stated: set[tuple[str, int]] = set()
    faulty = None
    for place, (first, last, product) in enumerate(spans):
        days = {(product[:3], day) for day in range(last, first + 1)}
        if faulty is None and days & stated:
            faulty = f"treatment_history.steady_doses[{place}]"
        stated |= days
    for place, (day, product) in enumerate(singly):
        if faulty is None and (product[:3], day) in stated:
            faulty = f"treatment_history.doses[{place}].consumed_at"
    history = {
        "steady_doses": [
            steady(f"@D-{first}", f"@D-{last}", product) for first, last, product in spans
        ],
        "doses": [
            {"product": product, "dose_mg": "5", "consumed_at": f"@D-{day} 10:00"}
            for day, product in singly
        ],
    }
    request = a_request("start", treatment_history=history)

    if faulty is None:
        read_request(request)
        return
    with pytest.raises(Refused) as refusal:
        read_request(request)
    assert refusal.value.field == faulty


def test_a_range_runs_forwards_and_is_not_of_a_depot():
    backwards = [steady("@D-5", "@D-6")]
    depot = [steady("@D-9", "@D-1", "buprenorphine_depot_weekly")]
    ranges = "treatment_history.steady_doses"

    read_request(a_request("start", **{ranges: [steady("@D-5", "@D-5")]}))
    assert refused_at("start", **{ranges: backwards}) == f"{ranges}[0].to_on"
    assert refused_at("start", **{ranges: depot}) == f"{ranges}[0].product"


# -- spans and amounts --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "field", "before", "same"),
    [
        ("start", "assessment.sedative_monitoring_plan.to_on",
         {"from_on": "@D", "to_on": "@D-1"}, {"from_on": "@D", "to_on": "@D"}),
        ("start", "supply.collections[0].daily_until_on",
         [{"collect_on": "@D+1", "supervised": True, "daily_until_on": "@D"}],
         [{"collect_on": "@D", "supervised": True, "daily_until_on": "@D"}]),
        ("form", "prescription.supply_to_on", "@D-999", None),
    ],
)  # fmt: skip
def test_a_span_does_not_end_before_it_begins(base, field, before, same):
    at = field.removesuffix(".to_on").removesuffix("[0].daily_until_on")

    assert refused_at(base, **{at: before}) == field
    if same is not None:
        read_request(a_request(base, **{at: same}))


def test_a_form_may_be_for_one_day_and_states_at_most_one_total():
    one_day = {"prescription.supply_from_on": "@D", "prescription.supply_to_on": "@D"}
    totals = ("total_ml", "total_tablets", "total_syringes")
    none = {f"prescription.{name}": "@absent" for name in totals}

    for several in ((), *combinations(totals, 1), *combinations(totals, 2), totals):
        stated = {**one_day, **none, **{f"prescription.{name}": "1" for name in several}}
        if len(several) < 2:
            read_request(a_request("form", **stated))
        else:
            assert refused_at("form", **stated) == "prescription"


def test_an_instalment_holds_one_amount():
    def instalments(**amounts):
        return {"prescription.instalments": [{"due_on": "@D", **amounts}]}

    for one in ({}, {"amount_ml": "1"}, {"amount_tablets": "1"}):
        read_request(a_request("form", **instalments(**one)))
    both = instalments(amount_ml="1", amount_tablets="1")
    assert refused_at("form", **both) == "prescription.instalments[0]"


# -- the answer ---------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, [], "text", 4])
def test_what_is_no_object_is_refused_as_a_whole(given):
    assert answer(check, given) == (
        {"case": None, "error": {"field": "", "message": "must be a JSON object"}},
        False,
    )


def test_null_and_absent_are_one_unknown():
    request = a_request("start")
    with_nulls = {
        **request,
        "prescription": None,
        "prison": None,
        "patient": {**request["patient"], "pregnancy": None, "ecgs": None},
    }

    assert check(with_nulls) == check(request)
