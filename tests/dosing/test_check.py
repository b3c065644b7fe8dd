"""Does the one door hold what it promises of the rules themselves?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from dosing.check import check, rulebook
from dosing.examples import a_request
from dosing.reasoning import REASONS, on_days, reasons
from dosing.rulebook import SEVERITIES, FaultyRulebook, UnknownEdition
from dosing.tightening import SiteLimit


def test_a_rule_without_reasoning_or_reasoning_without_a_rule_stops_the_service(monkeypatch):
    reason = REASONS["U-01"]
    monkeypatch.delitem(REASONS, "U-01")
    monkeypatch.setitem(REASONS, "X-99", reason)

    with pytest.raises(FaultyRulebook, match=r"the other way: U-01, X-99$"):
        rulebook.__wrapped__()


def test_an_edition_nobody_shipped_judges_nothing():
    request = a_request("start")

    assert check(request, edition=rulebook().set_versions["uk-2017"]) == check(request)
    with pytest.raises(UnknownEdition):
        check(request, edition="1066-10-14")


@pytest.mark.parametrize("as_shipped", [*SEVERITIES, None])
@pytest.mark.parametrize("at_site", [*SEVERITIES, None])
def test_the_graver_of_the_sites_and_the_shipped_answer_counts(as_shipped, at_site, monkeypatch):
    def says(facts, version):
        severity = as_shipped if version.shipped is None else at_site
        return severity and version.finding(severity=severity)

    monkeypatch.setitem(REASONS, "M-TI-02", says)
    here = (SiteLimit("M-TI-02", "above_mg", Decimal(12)),)

    found = check(a_request("day_4"), here)["findings"]

    graver = min(filter(None, (as_shipped, at_site)), key=SEVERITIES.index, default=None)
    assert [each["severity"] for each in found] == ([] if graver is None else [graver])


def test_a_rule_reasons_once():
    with pytest.raises(ValueError, match="U-01 reasons twice"):
        reasons("U-01")(lambda facts, version: None)


@pytest.mark.parametrize(
    ("limits", "days"),
    [
        ({}, [1, 2, 3, 4]),
        ({"first_day": Decimal(2)}, [2, 3, 4]),
        ({"last_day": Decimal(3)}, [1, 2, 3]),
        ({"first_day": Decimal(2), "last_day": Decimal(3)}, [2, 3]),
    ],
)
def test_a_rule_is_for_its_days_both_ends_counted(limits, days):
    version = replace(rulebook().rules["M-TI-02"].versions[0], limits=limits)

    assert [day for day in range(1, 5) if on_days(SimpleNamespace(day=day), version)] == days
