"""Does the one door hold what it promises of the rules themselves?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from dosing.check import check, rulebook
from dosing.examples import a_request
from dosing.reasoning import REASONS
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
