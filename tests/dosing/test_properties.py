"""What holds for every dose, every gap and every assessment, not only the ones written down?"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosing.check import check
from dosing.examples import a_request, bases
from dosing.shape import answer

RANK = {"PASS": 0, "INFO": 1, "ALERT": 2, "STOP": 3}
OVER_LIMIT = (
    "M-FD-",
    "M-D1-0",
    "M-D1-1",
    "M-TI-",
    "M-MX-",
    "B-FD-",
    "B-D1-",
    "B-TI-",
    "B-MX-",
    "B-LY-",
    "P-0",
)

amounts = st.decimals(Decimal("0.001"), Decimal(300), places=3)
sets = st.sampled_from(["era-2003", "uk-2017"])
mg_bases = st.sampled_from(
    [
        "start",
        "further_dose",
        "day_4",
        "day_10",
        "maintained",
        "claimed",
        "prison_start",
        "prison_day_3",
        "prison_confirmed",
        "buprenorphine_start",
        "buprenorphine_day_2",
        "buprenorphine_maintained",
        "lyophilisate_start",
        "lyophilisate_maintained",
    ]
)


def findings(request: dict) -> dict[str, str]:
    return {each["rule"]: each["severity"] for each in check(request)["findings"]}


def over_limit(request: dict) -> int:
    """How severe is the worst thing said about the amount?"""
    said = findings(request).items()
    return max(
        (RANK[s] for rule, s in said if s != "INFO" and rule.startswith(OVER_LIMIT)), default=0
    )


@settings(max_examples=150, deadline=None)
@given(base=mg_bases, rule_set=sets, one=amounts, other=amounts)
def test_raising_a_dose_never_turns_an_over_limit_stop_into_less(base, rule_set, one, other):
    low, high = sorted((one, other))

    before = over_limit(a_request(base, rule_set, **{"order.dose_mg": str(low)}))
    after = over_limit(a_request(base, rule_set, **{"order.dose_mg": str(high)}))

    assert before < RANK["STOP"] or after == RANK["STOP"]


@settings(max_examples=100, deadline=None)
@given(
    base=st.sampled_from(["maintained", "buprenorphine_maintained"]),
    rule_set=sets,
    missed=st.integers(0, 40),
)
def test_one_more_missed_day_never_lowers_the_verdict(base, rule_set, missed):
    last = "treatment_history.steady_doses." + ("1" if base == "maintained" else "0") + ".to_on"

    def verdict(days: int) -> int:
        said = findings(a_request(base, rule_set, **{last: f"@D-{days + 1}"}))
        return max((RANK[s] for rule, s in said.items() if "-MD-" in rule), default=0)

    assert verdict(missed + 1) >= verdict(missed)


ITEMS = [
    "opioid_use_history_at",
    "dependence_evidence_at",
    "physical_examination_at",
    "mental_state_at",
    "risk_assessment_at",
    "consent_at",
]


@pytest.mark.proves("G-AS-01", "RP-20")
@settings(max_examples=60, deadline=None)
@given(
    base=st.sampled_from(["start", "buprenorphine_start", "prison_start"]),
    rule_set=sets,
    left_out=st.sets(st.sampled_from(ITEMS), min_size=1),
)
def test_no_first_dose_passes_with_an_assessment_item_left_out(base, rule_set, left_out):
    request = a_request(base, rule_set, **{f"assessment.{item}": "@absent" for item in left_out})

    assert check(request)["outcome"] == "STOP"


@settings(max_examples=150, deadline=None)
@given(
    base=st.sampled_from(bases()), rule_set=sets, mg=amounts, seed=st.randoms(use_true_random=False)
)
def test_leaving_a_part_out_never_breaks_the_check(base, rule_set, mg, seed):
    request = a_request(base, rule_set, **{"order.dose_mg": str(mg)})
    at = request
    while True:
        name = seed.choice(sorted(at))
        if isinstance(at[name], dict) and at[name] and seed.random() < 0.7:
            at = at[name]
            continue
        del at[name]
        break

    given_back, evaluated = answer(check, request)

    assert evaluated is ("outcome" in given_back)
    assert evaluated is ("error" not in given_back)


@pytest.mark.proves("M-FD-01", "RP-23")
@settings(max_examples=80, deadline=None)
@given(
    rule_set=sets,
    mg=st.decimals(60, 500, places=3),
    experienced=st.booleans(),
    setting=st.sampled_from(["community", "on_site", "hospital"]),
)
def test_nobody_can_start_at_a_full_therapeutic_dose(rule_set, mg, experienced, setting):
    request = a_request(
        "start",
        rule_set,
        setting=setting,
        on_site_titration_protocol=True,
        **{
            "order.dose_mg": str(mg),
            "prescriber.experienced": experienced,
            "assessment.tolerance": "high",
        },
    )

    assert findings(request)["M-FD-01"] == "STOP"
