"""The page of rules says what the rule files say, and can be searched."""

from __future__ import annotations

import re
from datetime import date

import pytest
from markupsafe import escape

from clinic.sites.models import RULE_SETS
from dosing.check import rulebook
from tests.factories.prescriptions import a_clinic

ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""The page is made from files: the database only says which set the site chose."""


@pytest.fixture
def reader(database, clock, door):
    clinic = a_clinic(database)
    return door.by_page("pharmacist", site=clinic.site)


@ONE_ENGINE
@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_every_rule_in_force_has_its_place(reader, clock, rule_set):
    page = reader.get(f"/rules?set={rule_set}").get_data(as_text=True)

    rules = rulebook().in_force(rule_set, clock.now().date())
    assert re.findall(r'<section id="([^"]+)"', page) == list(rules)
    unsigned = sum(not version.signed for version in rules.values())
    assert page.count("Unsigned") == unsigned
    assert page.count("nhsuk-details__text") == len(rules), "each has its worked examples"


def test_the_sites_own_set_is_shown_first(reader):
    page = reader.get("/rules").get_data(as_text=True)

    assert "Doses here are checked against these." in page
    assert f"edition {rulebook().set_versions['uk-2017']}" in page


@ONE_ENGINE
@pytest.mark.parametrize(("words", "found"), [("M-FD-01", "M-FD-01"), ("full therapeutic", "M-FD-01"),
                                              ("m-fd-01", "M-FD-01")])  # fmt: skip
def test_a_rule_is_found_by_its_id_and_by_its_words(reader, words, found):
    page = reader.get("/rules", query_string={"q": words}).get_data(as_text=True)

    assert re.findall(r'<section id="([^"]+)"', page) == [found]
    assert "60" in page and "A full therapeutic start" in page


@ONE_ENGINE
def test_a_rule_leads_to_its_publications_where_their_address_is_certain(reader):
    page = reader.get("/rules?q=I-BZ-01").get_data(as_text=True)

    for key in rulebook().in_force("uk-2017", date(2026, 11, 4))["I-BZ-01"].sources:
        source = rulebook().sources[key]
        assert escape(source.title) in page
        assert (f'href="{source.url}"' in page) is (source.url is not None)
    assert "Medicines and Healthcare products Regulatory Agency" in page


@ONE_ENGINE
def test_words_no_rule_has_and_a_set_that_is_none(reader):
    assert "No rule has these words." in reader.get("/rules?q=zebra").get_data(as_text=True)
    assert reader.get("/rules?set=none").status_code == 404
