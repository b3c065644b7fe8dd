"""A review is recorded with its reason, counts for the days it may, and is never overwritten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from clinic.errors import Conflict, Forbidden, Invalid
from clinic.titration import queries
from clinic.titration.commands import strike_review
from clinic.titration.models import DECISIONS, FITS, REASONS, TitrationReview
from dosing.days import london_day
from tests.factories.base import NOW, a_patient
from tests.factories.prescriptions import a_clinic, an_assessed_patient, an_entry
from tests.factories.titration import a_review

DAY = timedelta(days=1)


@pytest.fixture
def clinic(database, clock):
    return a_clinic(database)


@pytest.fixture
def steady(clinic):
    """Somebody whose daily dose of the last 60 days prescriber and pharmacy confirmed."""
    act = clinic.act(clinic.nurse)
    patient = a_patient(act)
    last = london_day(act.at) - DAY
    an_entry(
        act, patient, "steady_dose",
        {"product": "methadone_oral_solution", "daily_dose_mg": "60",
         "from_on": (last - 60 * DAY).isoformat(), "to_on": last.isoformat()},
    )  # fmt: skip
    for by in ("prescriber", "pharmacy"):
        an_entry(act, patient, "confirmation",
                 {"by": by, "outcome": "verified", "source": "By phone"})  # fmt: skip
    act.session.close()
    return patient


def counting(clinic, patient, at):
    act = clinic.act(at=at)
    row = queries.review_counting(act, [patient], at)
    act.session.close()
    return row and row.id


@pytest.mark.proves("RP-35")
@pytest.mark.parametrize("decision", DECISIONS)
def test_each_review_stores_its_decision_and_reason(clinic, decision):
    act = clinic.act(clinic.nurse)
    patient = a_patient(act)

    review = a_review(act, patient, decision, reason_code=FITS[decision][0])

    row = clinic.act().session.get(TitrationReview, review)
    assert (row.decision, row.reason_code, row.reason) == (
        decision, FITS[decision][0], "Looked at this morning",
    )  # fmt: skip
    assert (row.recorded_by, row.reviewed_on) == (clinic.nurse.id, london_day(NOW))
    assert row.allows_a_dose == (decision not in ("withhold", "stop"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"decision": "double"}, "decision"),
        ({"decision": "raise", "reason_code": "sedated"}, "reason_code"),
        ({"decision": "raise", "reason_code": "settled"}, "reason_code"),
        ({"reason": "ok"}, "reason"),
        ({"seen": "post"}, "seen"),
        ({"decision": "raise", "seen": "phone"}, "seen"),
        ({"reviewed_at": NOW + timedelta(minutes=1)}, "reviewed_at"),
        ({"next_review_on": None}, "next_review_on"),
        ({"next_review_on": london_day(NOW)}, "next_review_on"),
        ({"next_review_on": london_day(NOW) + 29 * DAY}, "next_review_on"),
        ({"rests_on": [999]}, "rests_on"),
    ],
)
def test_a_review_that_cannot_be_names_the_field_and_leaves_nothing(clinic, given, field):
    act = clinic.act()
    patient = a_patient(act)

    with pytest.raises(Invalid) as refused:
        a_review(act, patient, **given)

    assert [name for name, _ in refused.value.faults] == [field]
    assert clinic.act().session.scalars(select(TitrationReview)).all() == []


def test_every_reason_fits_some_decision_and_nothing_against_a_dose_speaks_for_more():
    assert set(FITS) == set(DECISIONS)
    assert {code for codes in FITS.values() for code in codes} == set(REASONS)
    against = {"sedated", "intoxicated", "side_effects", "health"}
    assert not against & {*FITS["start"], *FITS["raise"]}


def test_a_review_rests_only_on_what_stands_on_the_persons_own_record(clinic):
    act = clinic.act()
    own, other = an_assessed_patient(clinic), an_assessed_patient(clinic)
    mine = an_entry(act, own, "observation", {"sedation": "1"})
    theirs = an_entry(act, other, "observation", {"sedation": "1"})

    review = a_review(act, own, rests_on=[mine, mine])

    assert act.session.get(TitrationReview, review).rests_on == [mine]
    with pytest.raises(Invalid):
        a_review(act, own, rests_on=[theirs])


def test_a_drugs_worker_cannot_review_a_dose(clinic, door):
    worker = door.by_token("drugs_worker", site=clinic.site)
    patient = a_patient(clinic.act())

    answer = worker.post(f"/api/v1/patients/{patient}/titration-reviews", json=a_body())

    assert answer.status_code == 403


def test_a_repeat_finds_the_first_review(clinic):
    act = clinic.act()
    patient = a_patient(act)

    first = a_review(act, patient, once="k1")

    assert a_review(act, patient, once="k1") == first


def test_in_build_up_a_review_counts_on_its_own_day_and_not_the_next(clinic):
    patient = a_patient(clinic.act())
    review = a_review(clinic.act(), patient, next_review_on=london_day(NOW) + 2 * DAY)

    assert counting(clinic, patient, NOW - timedelta(minutes=1)) is None
    assert counting(clinic, patient, NOW + timedelta(hours=9)) == review
    assert counting(clinic, patient, NOW + DAY) is None


def test_in_maintenance_a_review_counts_until_the_next_is_due(clinic, steady):
    review = a_review(clinic.act(), steady, next_review_on=london_day(NOW) + 2 * DAY)

    assert counting(clinic, steady, NOW + 2 * DAY) == review
    assert counting(clinic, steady, NOW + 3 * DAY) is None


def test_a_long_review_counts_no_longer_once_missed_doses_wait_for_the_prescriber(clinic, steady):
    review = a_review(clinic.act(), steady, next_review_on=london_day(NOW) + 20 * DAY)

    # The last dose was the day before NOW: two days later the third day has passed without one.
    assert counting(clinic, steady, NOW + 2 * DAY) == review
    assert counting(clinic, steady, NOW + 3 * DAY) is None


def test_a_later_review_ends_an_earlier_one_that_was_good_for_longer(clinic, steady):
    a_review(clinic.act(), steady, next_review_on=london_day(NOW) + 20 * DAY)
    withheld = a_review(
        clinic.act(at=NOW + timedelta(hours=1)), steady, "withhold",
        next_review_on=london_day(NOW) + DAY,
    )  # fmt: skip

    assert counting(clinic, steady, NOW + timedelta(hours=2)) == withheld
    assert counting(clinic, steady, NOW + 2 * DAY) is None


def test_a_struck_review_stays_on_the_record_and_counts_no_longer(clinic):
    patient = a_patient(clinic.act())
    review = a_review(clinic.act(), patient)

    strike_review(clinic.act(), patient, review, "Wrong patient's notes")

    assert counting(clinic, patient, NOW + timedelta(hours=1)) is None
    _, rows = queries.reviews_of(clinic.act(), patient)
    assert [row.struck_reason for row in rows] == ["Wrong patient's notes"]
    with pytest.raises(Conflict):
        strike_review(clinic.act(), patient, review, "Wrong patient's notes")


def test_nobody_without_the_right_strikes_a_review(clinic):
    patient = a_patient(clinic.act())
    review = a_review(clinic.act(), patient)
    reader = clinic.act()
    reader.rights = frozenset({"prescribing.read"})

    with pytest.raises(Forbidden):
        strike_review(reader, patient, review, "Wrong patient's notes")


def test_the_database_itself_deletes_no_review(clinic):
    act = clinic.act()
    a_review(act, a_patient(act))

    with pytest.raises(DBAPIError, match="never deleted"):
        act.session.execute(text("DELETE FROM titration_review"))


def a_body(**more):
    return {
        "decision": "hold", "reason_code": "settled", "reason": "Comfortable all day",
        "seen": "in_person", "reviewed_at": NOW.isoformat(), "next_review_on": "2026-11-05", **more,
    }  # fmt: skip


@pytest.mark.proves("RP-35")
def test_a_review_is_recorded_read_and_struck_over_http(clinic, door):
    nurse = door.by_token("nurse", site=clinic.site)
    patient = a_patient(clinic.act())
    at = f"/api/v1/patients/{patient}/titration-reviews"

    made = nurse.post(at, json=a_body())
    refused = nurse.post(at, json=a_body(decision="raise"))
    struck = nurse.post(f"{at}/{made.json['id']}/strike", json={"reason": "On the wrong day"})

    assert made.status_code == 201
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "reason_code"
    assert struck.status_code == 204
    (row,) = nurse.get(at).json
    assert row["decision"] == "hold" and row["counts_until"] == "2026-11-04"
    assert row["struck_reason"] == "On the wrong day"
