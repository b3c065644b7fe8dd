"""Is treatment a start, a continuation or broken, and from which day on?"""

from __future__ import annotations

import pytest

from dosing.continuation import treatment_of
from dosing.days import ONE_DAY
from dosing.examples import a_request
from dosing.reading import read_request

STEADY = "treatment_history.steady_doses"


@pytest.mark.proves("RP-32")
@pytest.mark.parametrize(
    ("days_ago", "kind"),
    [
        (1, "continuation"), (3, "continuation"), (4, "see_first"), (5, "see_first"),
        (6, "broken"), (7, "broken"),
    ],
)  # fmt: skip
def test_three_missed_days_are_seen_first_and_five_break_treatment(days_ago, kind):
    request = a_request("maintained", **{f"{STEADY}.1.to_on": f"@D-{days_ago}"})

    treatment = treatment_of(request)

    assert (treatment.drug, treatment.kind) == ("methadone", kind)
    assert treatment.missed_days == days_ago - 1
    assert treatment.last_on == read_request(request).on - days_ago * ONE_DAY
    assert not treatment.first_dose


def test_without_a_dose_that_counts_treatment_starts():
    treatment = treatment_of(a_request("start"))

    assert (treatment.kind, treatment.first_dose, treatment.missed_days) == ("start", True, 0)
    assert treatment.last_on is None
    assert not treatment.confirmed


def test_the_medicine_of_the_order_is_the_one_asked_about():
    treatment = treatment_of(a_request("buprenorphine_maintained"))

    assert (treatment.drug, treatment.kind) == ("buprenorphine", "continuation")


def test_treatment_elsewhere_continues_once_both_confirm_it():
    confirmed = treatment_of(a_request("claimed"))
    claim = treatment_of(
        a_request(
            "claimed", **{"treatment_history.elsewhere_confirmed_by_prescriber_at": "@absent"}
        )
    )

    assert (confirmed.kind, confirmed.confirmed) == ("continuation", True)
    assert (claim.kind, claim.confirmed) == ("start", False)
