"""The rule book says what the rule files say, can be searched, filtered, tried and printed."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date

import pytest
from markupsafe import escape

from clinic.guidance import commands, presenters
from clinic.guidance.hazards import hazards
from clinic.sites.commands import choose_rule_set
from clinic.sites.models import RULE_SETS
from dosing.check import rulebook
from dosing.examples import all_examples
from scheduling import practice
from tests.factories.base import a_member_of_staff
from tests.factories.prescriptions import a_clinic, a_decision, a_lead, an_assessed_patient

ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
"""The page is made from files: the database only says which set the site chose."""


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.fixture
def reader(clinic, door):
    return door.by_page("pharmacist", site=clinic.site)


def ids(page):
    return re.findall(r'class="nhsuk-table__row" id="([^"]+)"', page)


def listed(reader, **asked):
    return ids(reader.get("/rules", query_string=asked).get_data(as_text=True))


@ONE_ENGINE
@pytest.mark.parametrize("rule_set", RULE_SETS)
def test_every_rule_in_force_and_every_definition_has_its_place(reader, clock, rule_set):
    found = listed(reader, set=rule_set)

    rules = rulebook().in_force(rule_set, clock.now().date())
    assert sorted(found) == sorted([*rules, *rulebook().definitions, *practice.rules()])


def test_the_sites_own_set_is_shown_first(reader):
    page = reader.get("/rules").get_data(as_text=True)

    assert "Doses here are checked against these, since Sat 1 Jan 2000." in page
    assert f"edition {rulebook().set_versions['uk-2017']}" in page
    assert "147 of 147 rules are unsigned" in page


def test_the_set_a_site_is_to_work_under_is_shown_with_its_day(clinic, reader, database):
    manager = a_member_of_staff(database, clinic.site, "manager")
    choose_rule_set(
        clinic.act(manager), clinic.site.id, "era-2003", from_on=date(2026, 12, 1)
    )  # fmt: skip

    assert "From Tue 1 Dec 2026: era-2003." in reader.get("/rules").text


@ONE_ENGINE
@pytest.mark.parametrize("words", ["M-FD-01", "full therapeutic", "m-fd-01"])
def test_a_rule_is_found_by_its_id_and_by_its_words(reader, words):
    assert listed(reader, q=words) == ["M-FD-01"]


@ONE_ENGINE
def test_a_rule_leads_to_its_publications_where_their_address_is_certain(reader, clock):
    page = reader.get("/rules/I-BZ-01").get_data(as_text=True)

    for key in rulebook().in_force("uk-2017", clock.now().date())["I-BZ-01"].sources:
        source = rulebook().sources[key]
        assert escape(source.title) in page
        assert (f'href="{source.url}"' in page) is (source.url is not None)
    assert "Medicines and Healthcare products Regulatory Agency" in page


@ONE_ENGINE
def test_words_no_rule_has_and_choices_nobody_has(reader):
    assert "No rule fits." in reader.get("/rules?q=zebra").get_data(as_text=True)
    for address in (
        "/rules?set=none",
        "/rules?severity=LOUD",
        "/rules/M-XX-99",
        "/rules/to-sign?set=x",
    ):
        assert reader.get(address).status_code == 404


@ONE_ENGINE
@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ({"severity": "STOP"}, lambda rule, version: version.severity == "STOP"),
        ({"confidence": "D"}, lambda rule, version: version.confidence == "D"),
        ({"family": "prison"}, lambda rule, version: rule.family == "prison"),
        ({"medicine": "buprenorphine"}, lambda rule, version: not rule.id.startswith("M-")),
    ],
)
def test_rules_are_filtered(reader, clock, asked, fits):
    book = rulebook()
    wanted = {
        name
        for name, version in book.in_force("uk-2017", clock.now().date()).items()
        if fits(book.rules[name], version)
    }

    assert set(listed(reader, **asked)) - {*book.definitions, *practice.rules()} == wanted


def test_what_was_signed_tightened_or_fired_here_is_found(clinic, door, reader):
    lead = a_lead(clinic)
    rule = rulebook().rules["M-FD-02"]
    version = next(v for v in rule.versions if v.set == "uk-2017")
    commands.sign(
        clinic.act(lead), rule=rule.id, fingerprint=version.fingerprint(rule.asks),
        registration="GMC 1234567",
    )  # fmt: skip
    commands.tighten(
        clinic.act(lead), rule=rule.id, limit="above_mg", value=35, reason="Agreed in October 2026"
    )
    a_decision(clinic.act(), an_assessed_patient(clinic, substance_use=["alcohol"]), "25")

    assert "M-FD-02" not in listed(reader, unsigned=1)
    assert listed(reader, tightened=1) == ["M-FD-02"]
    assert listed(reader, fired=1) == ["M-FD-05"]
    shown = reader.get("/rules/M-FD-02").get_data(as_text=True)
    assert "As shipped: above 40 mg" in shown and "Here: above 35 mg" in shown
    assert "Agreed in October 2026" in shown and "Dr Mair Ellis" in shown
    assert "GMC 1234567" in shown
    assert "145 of 147" not in reader.get("/rules").text
    assert "146 of 147 rules are unsigned" in reader.get("/rules").text
    assert "M-FD-02" in reader.get("/rules/tightened").text


@ONE_ENGINE
@pytest.mark.parametrize("rule", ["M-FD-05", "G-DT-01", "B-DP-05", "P-09", "U-06", "tolerance"])
def test_a_rule_has_a_page_with_both_sets_its_source_and_its_hazard(reader, rule):
    page = reader.get(f"/rules/{rule}").get_data(as_text=True)

    held = {**rulebook().rules, **rulebook().definitions}[rule]
    for version in held.versions:
        assert version.set in page and version.where.split(";")[0] in page
    assert ("rests on" in page) == any(v.confidence in ("M", "D") for v in held.versions)
    assert "Overdue" not in page
    if held.hazard:
        assert f"/rules/hazards#{held.hazard}" in page


@ONE_ENGINE
@pytest.mark.parametrize("name", ["CX-06", "IL-03", "AS-06", "RV-04", "MS-03", "PF-04", "PW-05"])
def test_a_rule_of_practice_has_its_page_with_numbers_source_and_mark(reader, name):
    page = reader.get(f"/rules/{name}").text

    (version,) = practice.rules()[name].versions
    assert escape(version.where) in page and "nobody yet" in page
    assert ("rests on" in page) == (version.confidence in ("M", "D"))
    assert "{" not in page.split("<h1>")[1].split("</main>")[0]
    examples = presenters.examples_of(name)
    tried = reader.post(f"/rules/{name}/examples").text
    if examples:
        assert f"all {len(examples)} did as they say" in tried
    else:
        assert "nothing is reasoned from it" in page
    assert reader.get(f"/rules/{name}/try").status_code == 404


@ONE_ENGINE
def test_every_rule_can_be_read_with_its_examples_and_they_hold_when_tried(reader, monkeypatch):
    for rule in ("M-FD-02", "P-09", "U-01"):
        count = len([each for each in all_examples(rulebook()) if each.rule == rule])

        page = reader.post(f"/rules/{rule}/examples").get_data(as_text=True)

        assert f"all {count} did as they say" in page
        assert page.count("As it says") == count

    book = rulebook()
    version = next(v for v in book.rules["M-FD-02"].versions if v.set == "uk-2017")
    moved = replace(version, limits={**version.limits, "above_mg": version.number("above_mg") + 1})
    monkeypatch.setattr(presenters, "rulebook", lambda: book.with_versions([moved]))
    page = reader.post("/rules/M-FD-02/examples").get_data(as_text=True)
    assert "did otherwise" in page and "Otherwise" in page


def test_times_and_values_of_examples_are_said_in_words():
    said = {
        value
        for rule in rulebook().rules
        for each in presenters.examples_of(rule)
        for _, value in each.changes
    }

    assert "1441 minutes before the decision" in said
    assert "2 days before the day of the dose" in said
    assert "not given" in said
    assert not [value for value in said if "@" in value]


@ONE_ENGINE
def test_a_made_up_order_is_put_to_a_rule_and_nothing_is_kept(reader, clinic):
    start = presenters.example_request("M-FD-02", 0)
    start["order"]["dose_mg"] = "45"

    page = reader.post("/rules/M-FD-02/try", data={"request": json.dumps(start)}).text
    unreadable = reader.post("/rules/M-FD-02/try", data={"request": "{"})
    refused = reader.post("/rules/M-FD-02/try", data={"request": "{}"})

    assert "M-FD-02 speaks" in page and "First dose above 40 mg." in page
    assert unreadable.status_code == refused.status_code == 422
    assert "Request must be JSON" in unreadable.text
    assert "cannot be judged" in refused.text
    assert reader.get("/rules/M-FD-02/try/3").status_code == 200
    assert reader.get("/rules/M-FD-02/try/999").status_code == 404
    assert reader.get("/rules/tolerance/try").status_code == 404


def test_the_list_to_be_signed_is_read_printed_and_taken_away(reader, clock):
    page = reader.get("/rules/to-sign?set=uk-2017").get_data(as_text=True)
    sheet = reader.get("/rules/to-sign.csv")

    rows = list(csv.DictReader(io.StringIO(sheet.get_data(as_text=True))))
    assert sheet.mimetype == "text/csv"
    both = sum(len(rulebook().in_force(each, clock.now().date())) for each in RULE_SETS)
    assert len(rows) == both + 2 * len(rulebook().definitions) + len(practice.rules())
    resting = [row for row in rows if row["rule"] == "M-D1-03"]
    assert {row["rests_on"] for row in resting} == {"Our own number: no published one was found"}
    assert "<strong>Memory</strong>" in page and "<strong>Our own choice</strong>" in page
    assert not [row for row in rows for value in row.values() if value.startswith(("=", "+", "@"))]


@ONE_ENGINE
def test_every_hazard_of_a_rule_is_in_the_log_and_on_the_page(reader):
    page = reader.get("/rules/hazards").get_data(as_text=True)

    for rule in rulebook().rules.values():
        assert rule.hazard in hazards(), rule.id
        assert f'id="{rule.hazard}"' in page
    assert "not signed by a Clinical Safety Officer" in page


def test_a_live_service_says_over_every_page_how_many_rules_are_unsigned(app, reader, monkeypatch):
    told = f"{147 + len(practice.rules())} rules unsigned"
    assert told not in reader.get("/rules").text

    live = replace(app.config["SETTINGS"], mode="production")
    monkeypatch.setitem(app.config, "SETTINGS", live)

    assert told in reader.get("/").text


@ONE_ENGINE
def test_a_review_date_that_has_passed_is_said(database, clock, door):
    clock.set(clock.now().replace(year=2027, month=12))
    clinic = a_clinic(database, at=clock.now())

    shown = door.by_page("pharmacist", site=clinic.site).get("/rules/M-FD-02").text

    assert "Overdue" in shown
