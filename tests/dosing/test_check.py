"""Does the one door hold what it promises of the rules themselves?"""

from __future__ import annotations

import pytest

from dosing.check import check, rulebook
from dosing.examples import a_request
from dosing.reasoning import REASONS
from dosing.rulebook import FaultyRulebook, UnknownEdition


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
