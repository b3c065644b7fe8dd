"""The charts: one axis, limits from the rulebook, a band only from sourced and known doses."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest

from clinic.consumption.commands import record_dose_elsewhere
from clinic.consumption.models import DoseEvent
from clinic.patients.access import open_record
from clinic.titration import chart_words
from clinic.titration.charts import ATTENDANCE_CODES, attendance_letter, chart
from clinic.titration.drawing import draw
from dosing.units import as_text
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import a_clinic, a_decision, an_entry, an_observation
from tests.factories.titration import a_build_up, a_dosed_day, a_review

DAY = timedelta(days=1)


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.fixture
def person(clinic):
    """20, 25, missed, 25, 35, and today's not yet."""
    return a_build_up(clinic, "20", "25", None, "25", "35", at=NOW - 5 * DAY).patient


def charted(clinic, person, span=14, at=NOW):
    act = clinic.act(at=at)
    found = chart(act, open_record(act, person, "titration.read"), span)
    act.session.close()
    return found


def text_of(response):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))))


def test_each_day_holds_what_was_prescribed_swallowed_and_how_they_came(clinic, person):
    days = charted(clinic, person).days[-6:]

    assert [day.day for day in days] == [1, 2, 3, 4, 5, 6]
    assert [day.prescribed_mg for day in days] == [20, 25, None, 25, 35, None]
    assert [day.consumed_mg for day in days] == [20, 25, 0, 25, 35, 0]
    assert [day.attendance for day in days] == ["T", "T", "M", "T", "T", None]
    assert [len(day.reviews) for day in days] == [1, 1, 0, 1, 1, 0]


def test_the_limits_are_the_rulebooks_day_1_then_the_rise_above_the_start(clinic, person):
    days = charted(clinic, person).days[-6:]

    assert [(day.limit.to_mg, day.limit.rule) for day in days[:2]] == [
        (Decimal(40), "M-D1-08"), (Decimal(50), "M-TI-03"),
    ]  # fmt: skip
    assert {day.limit.from_mg for day in days[1:]} == {Decimal(20)}


def test_in_week_2_the_corridor_rises_from_the_dose_of_a_week_before(clinic):
    person = a_build_up(clinic, *["20"] * 3, *["30"] * 8, at=NOW - 10 * DAY).patient

    by_day = {day.day: day.limit for day in charted(clinic, person).days if day.day}

    assert (by_day[7].to_mg, by_day[7].rule) == (Decimal(50), "M-TI-03")
    assert (by_day[10].to_mg, by_day[10].rule) == (Decimal(50), "M-TI-04")
    assert (by_day[11].to_mg, by_day[11].rule) == (Decimal(60), "M-TI-04")


def test_the_band_is_drawn_when_every_dose_is_known_and_slow_is_its_upper_edge(clinic, person):
    found = charted(clinic, person)

    assert found.hidden is None
    assert all(each.slow_mg >= each.fast_mg for each in found.carry)
    assert found.days[-6].before.slow_mg == 0
    assert 0 < found.days[-1].before.fast_mg < found.days[-1].before.slow_mg < 105


def test_a_dose_nobody_recorded_hides_the_band_and_says_why(clinic, person):
    act = clinic.act(at=NOW - DAY + timedelta(hours=2))
    a_decision(act, person, "5")
    act.session.close()

    found = charted(clinic, person)

    assert "nobody recorded what became of the dose of Tue 3 Nov 2026" in found.hidden
    assert found.carry == [] and found.days[-1].before is None


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("steady_dose", {"product": "methadone_oral_solution", "daily_dose_mg": "40",
                         "from_on": "2026-10-01", "to_on": "2026-10-20"}, "taken elsewhere"),
        ("opioid_use", {"opioid": "methadone", "last_used_on": "2026-10-28"}, "taken elsewhere"),
    ],
)  # fmt: skip
def test_methadone_from_elsewhere_hides_the_band(clinic, person, kind, data, says):
    an_entry(clinic.act(clinic.nurse, at=NOW), person, kind, data)

    assert says in charted(clinic, person).hidden


def test_a_claimed_dose_hides_the_band(clinic, person):
    record_dose_elsewhere(
        clinic.act(clinic.nurse, at=NOW), person, product="methadone_oral_solution",
        dose_mg=Decimal(30), consumed_at=NOW - 3 * DAY,
    )  # fmt: skip

    assert "claim" in charted(clinic, person).hidden


def test_nobody_dosed_has_no_band_and_a_chart_all_the_same(clinic):
    found = charted(clinic, a_patient(clinic.act()))

    assert found.hidden == "no dose is on record"
    assert draw(found).bars == []


def test_scales_are_never_mixed_in_one_line(clinic, person):
    an_observation(clinic.act(clinic.nurse, at=NOW), person)
    an_entry(clinic.act(clinic.nurse, at=NOW), person, "observation",
             {"withdrawal_scale": "oows", "withdrawal_score": 4})  # fmt: skip

    found = charted(clinic, person)
    picture = draw(found)

    assert found.scales == ["cows", "oows"]
    assert [line["scale"] for line in picture.lines] == ["cows", "oows"]
    assert [panel.most for panel in picture.panels[1:3]] == [48, 13]
    assert [len(line["points"]) for line in picture.lines] == [5, 1]


def test_everything_drawn_stands_inside_the_drawing(clinic, person):
    picture = draw(charted(clinic, person, 28))

    for box in (*picture.bars, *picture.limits):
        assert float(box["x"]) >= 0 and float(box["x"]) + float(box["width"]) <= 360
        assert float(box["y"]) >= 0 and float(box["y"]) + float(box["height"]) <= float(
            picture.height
        )
    for pair in picture.band.split():
        x, y = pair.split(",")
        assert 0 <= float(x) <= 360 and 0 <= float(y) <= float(picture.height)


def test_the_same_is_said_in_words_and_listed_as_a_table(clinic, person, door):
    nurse = door.by_page("nurse", site=clinic.site)

    said = text_of(nurse.get(f"/patients/{person}/titration/charts"))

    for words in (
        "Swallowed first in these days: 20 mg on Fri 30 Oct 2026; most: 35 mg on Tue 3 Nov 2026",
        "what was swallowed stayed within it",
        "Attendance: taken on 4 days, missed on 1 day.",
        "Earlier doses still present now:",
        "half-life of 20 to 37 hours [S]",
        "COWS 14 at 09:00",
    ):
        assert words in said
    assert said.count("Review: hold: the dose stays") == 3


@pytest.mark.parametrize(
    ("outcomes", "vomited", "decided", "missed", "letter"),
    [
        (["taken", "withheld"], set(), True, False, "T"),
        (["part", "refused"], set(), True, False, "P"),
        (["taken"], {1}, True, False, "V"),
        (["withheld"], set(), True, True, "W"),
        ([], set(), True, False, "?"),
        ([], set(), False, True, "M"),
        ([], set(), False, False, None),
    ],
)
def test_a_day_shows_the_letter_that_matters_most(outcomes, vomited, decided, missed, letter):
    rows = [DoseEvent(id=place, outcome=each) for place, each in enumerate(outcomes, start=1)]

    assert attendance_letter(rows, vomited, decided, missed) == letter


@pytest.mark.parametrize("span", ["7", "365"])
def test_only_the_spans_offered_have_a_chart(clinic, person, door, span):
    nurse = door.by_page("nurse", site=clinic.site)

    assert nurse.get(f"/patients/{person}/titration/charts/{span}").status_code == 404


def test_marks_of_reviews_and_decisions_stand_on_their_days(clinic, person):
    a_review(clinic.act(clinic.nurse), person, "raise")
    a_dosed_day(clinic, person, "40", NOW + timedelta(minutes=5), decision="raise")

    strip = draw(charted(clinic, person, at=NOW + timedelta(minutes=10))).strip[-1]

    assert (strip["attendance"], strip["review"], strip["decided"]) == ("T", "+", True)
    assert chart_words.mg_about(Decimal("12.34")) == "12.3 mg"


def test_the_api_tells_what_the_page_shows(clinic, person, door):
    an_observation(clinic.act(at=NOW - DAY / 24), person)
    nurse = door.by_token("nurse", site=clinic.site)

    told = nurse.get(f"/api/v1/patients/{person}/titration/chart").json
    found = charted(clinic, person)

    assert told["patient_id"] == person and len(told["days"]) == 14
    for said, day in zip(told["days"], found.days, strict=True):
        assert (said["on"], said["day"]) == (day.on.isoformat(), day.day)
        assert said["prescribed_mg"] == (day.prescribed_mg and as_text(day.prescribed_mg))
        assert said["consumed_mg"] == (
            None if day.consumed_mg is None else as_text(day.consumed_mg)
        )
        assert said["attendance"] == (day.attendance and ATTENDANCE_CODES[day.attendance])
        assert [each["id"] for each in said["reviews"]] == [row.id for row in day.reviews]
        assert (said["limit"] or {}).get("rule") == (day.limit and day.limit.rule)
        assert said["carried"] is not None
    assert {(each["scale"], each["score"]) for each in told["days"][-1]["scores"]} == {("cows", 14)}
    assert told["carry_over"]["hidden"] is None
    assert len(told["carry_over"]["band"]) == len(found.carry)
    assert told["words"] == chart_words.summary(found)


def test_the_api_says_why_the_band_is_hidden_and_refuses_another_span(clinic, person, door):
    a_decision(clinic.act(at=NOW - DAY + timedelta(hours=2)), person, "5")
    nurse = door.by_token("nurse", site=clinic.site)
    at = f"/api/v1/patients/{person}/titration/chart"

    told = nurse.get(f"{at}?days=28").json

    assert told["carry_over"]["band"] == [] and told["carry_over"]["hidden"]
    assert told["carry_over"]["hidden"] in " ".join(told["words"])
    assert all(day["carried"] is None for day in told["days"]) and len(told["days"]) == 28
    assert nurse.get(f"{at}?days=7").status_code == 422
    assert door.by_token("auditor", site=clinic.site).get(at).status_code == 403
