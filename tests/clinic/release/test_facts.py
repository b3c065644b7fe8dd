"""What the rules are told about a plan: its own facts, the stay, the doses, as known at a moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from clinic.consumption.commands import record_dose_elsewhere
from clinic.consumption.models import DoseEvent
from clinic.release import premises, scoring
from clinic.release.facts import release_request
from clinic.release.models import ReleaseAssessment, ReleasePlan
from clinic.release.scoring import replay
from clinic.sites.models import CalendarChange, SiteClosure
from tests.factories.base import a_site
from tests.factories.release import (
    WEEK,
    a_fact,
    a_hearing,
    a_pharmacy,
    a_release_plan,
    a_stay,
    a_transfer,
    an_exit,
    corrected,
    instalment,
    struck,
)

RECEIVED = datetime(2026, 6, 1, 15, 0, tzinfo=UTC)


def asked(story, plan_id, known_at=None):
    """The request as it would be put now, or as it was known earlier."""
    if known_at is None:
        return story.now(plan_id).request
    return release_request(story.act(), plan_id, known_at, known_at)


def test_a_new_plan_tells_the_rules_nothing_but_the_prison(story):
    plan_id = a_release_plan(story.act())

    assert asked(story, plan_id) == {
        "case": f"release-plan-{plan_id}",
        "as_at": "2026-08-17T09:00:00+00:00",
        "prison": {"nation": "england_and_wales", "closure_days": [], "calendar_changes": []},
        "courts": [],
        "doses": [],
        "bridging_supplies": [],
    }


def test_the_stay_gives_reception_hearings_transfer_and_exit(story):
    patient_id = story.patient()
    stay = a_stay(story.act(), patient_id, RECEIVED)
    a_hearing(story.act(), stay, datetime(2026, 8, 24, 9, 0, tzinfo=UTC))
    a_transfer(story.act(), stay, on=date(2026, 8, 20), booked_on=date(2026, 8, 14))
    plan_id = a_release_plan(story.act(), patient_id)
    a_fact(story.act(), plan_id, "court_pack", court_on="2026-08-24", slot_on="2026-08-25")
    a_fact(story.act(), plan_id, "transfer_information", transfer_on="2026-08-20",
           drug="Methadone")  # fmt: skip

    request = asked(story, plan_id)

    assert request["received_at"] == RECEIVED.isoformat()
    assert request["courts"][0]["pack"] == {"slot_on": "2026-08-25"}
    assert request["transfer"]["drug"] == "Methadone"
    assert request["transfer"]["nation"] == "england_and_wales"
    an_exit(story.act(), stay, datetime(2026, 8, 17, 8, 0, tzinfo=UTC), "court")
    assert asked(story, plan_id)["exit"] == {"at": "2026-08-17T08:00:00+00:00", "how": "court"}


def test_released_at_a_hearing_counts_as_out_before_anybody_records_the_exit(story):
    patient_id = story.patient()
    stay = a_stay(story.act(), patient_id, RECEIVED)
    plan_id = a_release_plan(story.act(), patient_id)
    story.at += timedelta(hours=4)
    a_hearing(story.act(), stay, story.at - timedelta(hours=1), outcome="released")

    assert asked(story, plan_id)["exit"]["how"] == "court"
    assert story.flags(plan_id)["RG-08"] == "red"


def test_the_day_the_stay_knows_stands_in_for_a_release_date_not_yet_confirmed(story):
    from clinic.custody.models import KnownRelease
    from tests.factories.release import _fact

    patient_id = story.patient()
    stay = a_stay(story.act(), patient_id, RECEIVED)
    plan_id = a_release_plan(story.act(), patient_id)
    _fact(story.act(), KnownRelease, stay, on=date(2026, 9, 16), known_at=RECEIVED)

    assert asked(story, plan_id)["release"]["calculated_on"] == "2026-09-16"
    a_fact(story.act(), plan_id, "release", confirmed_on="2026-09-17")
    assert asked(story, plan_id)["release"]["confirmed_on"] == "2026-09-17"


def test_doses_come_from_the_prescribing_record_and_from_the_plan(story):
    act = story.act()
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id)
    a_fact(story.act(), plan_id, "dose", on="2026-08-15", where="police", source="Custody record")

    def a_dose(at, outcome="taken", elsewhere=False, **more):
        act.session.add(
            DoseEvent(
                patient_id=patient_id, site_id=act.site_id, decision_id=None,
                product="methadone_1mg_ml", drug="methadone", dose_on=at.date(), increment=1,
                outcome=outcome, dose_mg=Decimal(30) if outcome == "taken" else None,
                consumed_at=at, supervision=None, elsewhere=elsewhere, place=None, observer=None,
                note=None, agreed_at=None, agreed_by=None, recorded_at=at,
                recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
                **more,
            )
        )  # fmt: skip
        act.session.commit()

    a_dose(story.at - timedelta(hours=1))
    a_dose(story.at - timedelta(days=1), outcome="refused")
    a_dose(story.at - timedelta(days=2), elsewhere=True)

    assert [(dose.get("at", dose.get("on"))[:10], dose["where"]) for dose in
            asked(story, plan_id)["doses"]] == [
        ("2026-08-15", "community"), ("2026-08-17", "prison"), ("2026-08-15", "police"),
    ]  # fmt: skip


def test_a_service_of_ours_brings_its_own_calendar(story):
    there = a_site(story.database, nation="scotland", area="Southborough")
    act = story.act()
    act.session.add_all(
        [
            SiteClosure(site_id=there.id, on=date(2026, 9, 2), reason="Training",
                        withdrawn_on=None, recorded_at=act.at, recorded_by=act.staff_id),
            CalendarChange(nation="scotland", on=date(2026, 9, 3), change="added", name="Royal",
                           announced_on=date(2026, 8, 1), withdrawn_on=None, recorded_at=act.at,
                           recorded_by=act.staff_id),
        ]
    )  # fmt: skip
    act.session.commit()
    plan_id = a_release_plan(story.act())
    a_fact(story.act(), plan_id, "destination", site_id=there.id, contact="01632 960 001")

    destination = asked(story, plan_id)["destination"]

    assert destination["nation"] == "scotland"
    assert destination["area"] == "Southborough"
    assert destination["closure_days"] == ["2026-09-02"]
    assert [change["on"] for change in destination["calendar_changes"]] == ["2026-09-03"]


@pytest.mark.proves("RG-15")
def test_a_pharmacy_over_the_border_keeps_its_own_nations_holidays(story):
    """31 August is a holiday of England alone, 30 November of Scotland alone."""
    pharmacy = a_pharmacy(story.act())
    premises.set_week(story.act(), pharmacy, WEEK, nation="scotland", reason="As on its door")
    plan_id = a_release_plan(
        story.act(), release={"confirmed_on": "2026-08-28"},
        destination={"nation": "england_and_wales", "area": "Berwick", "contact": "01632 960 001"},
        supply={"form": "fp10mda", "in_hand": True, "instalments": [
            instalment("2026-08-31", "2026-08-31"), instalment("2026-11-30", "2026-11-30")]},
    )  # fmt: skip
    a_fact(story.act(), plan_id, "pharmacy", premises_id=pharmacy)

    def shut():
        now = story.now(plan_id)
        return [f["facts"]["dates"] for f in now.answer["flags"] if f["flag"] == "RG-15"]

    assert shut() == [["2026-11-30"]]
    asked_for = asked(story, plan_id)["pharmacy"]
    assert {"on": "2026-08-31", "hours": ["09:00-18:00"]} in asked_for["openings"]
    saved = story.act().session.scalars(select(ReleaseAssessment.id)).all()[-1]
    story.at += timedelta(hours=1)
    premises.close_premises(
        story.act(), pharmacy, date(2026, 8, 31), date(2026, 8, 31), reason="Refit"
    )
    assert shut() == [["2026-08-31", "2026-11-30"]], "its own closure wins over its nation's day"
    assert replay(story.act(), saved)["same"] and replay(story.act(), saved)["rebuilt"]


# -- the release date moves ----------------------------------------------------------------


def test_what_hung_on_the_old_release_date_is_stale_until_it_is_said_to_be_right(story):
    plan_id = a_release_plan(story.act(), release={"confirmed_on": "2026-09-16"})
    visit = {"at": "2026-09-21T09:00:00+00:00", "booked_at": "2026-08-17T08:00:00+00:00",
             "acknowledged_at": "2026-08-17T08:00:00+00:00"}  # fmt: skip
    booked = a_fact(story.act(), plan_id, "appointment", **visit)
    first = a_fact(story.act(), plan_id, "supply", form="gate_pack",
                   instalments=[instalment("2026-09-16", "2026-09-17")])  # fmt: skip
    assert "RG-14" not in story.flags(plan_id)

    story.at += timedelta(days=1)
    date_fact = story.now(plan_id).facts["release"][0].id
    corrected(story.act(), date_fact, reason="OMU moved it", confirmed_on="2026-09-18")

    now = story.now(plan_id)
    assert now.request["release"]["previous_on"] == "2026-09-16"
    assert {row.id for row in now.recheck} == {booked, first}
    from clinic.release.commands import reconfirm
    from tests.factories.release import version_of

    act = story.act()
    reconfirm(act, booked, version=version_of(act, plan_id))
    assert [row.id for row in story.now(plan_id).recheck] == [first]
    act = story.act()
    reconfirm(act, first, version=version_of(act, plan_id))
    assert "RG-14" not in story.flags(plan_id)

    # It moves once more: being right for the second date says nothing of the third.
    story.at += timedelta(days=1)
    date_fact = story.now(plan_id).facts["release"][0].id
    corrected(story.act(), date_fact, reason="OMU moved it", confirmed_on="2026-09-17")
    assert len(story.now(plan_id).recheck) == 2


def test_a_confirmed_date_equal_to_the_expected_one_moves_nothing(story):
    plan_id = a_release_plan(
        story.act(), release={"calculated_on": "2026-09-18", "kind": "determinate"}
    )  # a Friday, so the Thursday is expected
    assert story.now(plan_id).answer["expected_release_on"] == "2026-09-17"

    story.at += timedelta(days=1)
    fact_id = story.now(plan_id).facts["release"][0].id
    corrected(story.act(), fact_id, calculated_on="2026-09-18", confirmed_on="2026-09-17")

    assert "changed_at" not in story.now(plan_id).request["release"]


def test_a_look_at_the_weekend_cover_does_not_outlive_the_date_it_was_for(story):
    plan_id = a_release_plan(story.act(), release={"confirmed_on": "2026-08-28"})
    a_fact(story.act(), plan_id, "weekend",
           weekend_cover_acknowledged_at=story.at.isoformat())  # fmt: skip
    assert "weekend_cover_acknowledged_at" in asked(story, plan_id)

    story.at += timedelta(days=1)
    fact_id = story.now(plan_id).facts["release"][0].id
    corrected(story.act(), fact_id, confirmed_on="2026-09-04")

    assert "weekend_cover_acknowledged_at" not in asked(story, plan_id)


# -- as known then -------------------------------------------------------------------------


def test_every_scoring_replays_to_the_same_answer_from_the_rows_known_then(story):
    plan_id = a_release_plan(story.act(), treatment={"on_ost": True})
    hour = timedelta(hours=1)
    story.at += hour
    a_fact(story.act(), plan_id, "release", confirmed_on="2026-08-28")
    story.at += hour
    pharmacy = a_pharmacy(story.act())
    used = a_fact(story.act(), plan_id, "pharmacy", premises_id=pharmacy)
    story.at += hour
    from clinic.release.premises import close_premises

    close_premises(story.act(), pharmacy, date(2026, 8, 29), date(2026, 8, 29), reason="Refit")
    story.at += hour
    fact_id = story.now(plan_id).facts["release"][0].id
    corrected(story.act(), fact_id, confirmed_on="2026-08-27")
    story.at += hour
    struck(story.act(), used)
    story.at += timedelta(days=30)

    act = story.act()
    saved = act.session.query(ReleaseAssessment).filter_by(plan_id=plan_id).all()
    replays = [replay(act, each.id) for each in saved]

    assert len(replays) >= 5
    assert all(each["same"] and each["rebuilt"] for each in replays), replays


def test_a_scoring_saved_before_a_fact_does_not_know_it(story):
    plan_id = a_release_plan(story.act())
    early = story.at
    story.at += timedelta(hours=1)
    a_fact(story.act(), plan_id, "consent", given=True)

    assert "consent" not in asked(story, plan_id, known_at=early)
    assert asked(story, plan_id)["consent"] == {"given": True}


def test_the_next_look_is_due_when_the_rules_first_answer_otherwise(story):
    plan_id = a_release_plan(
        story.act(), treatment={"on_ost": True}, release={"confirmed_on": "2026-09-09"}
    )
    plan = story.act().session.get_one(ReleasePlan, plan_id)
    due_at, flags = plan.next_due_at, story.flags(plan_id)

    story.at = due_at - timedelta(seconds=1)
    before = [replace(flag, since=due_at) for flag in story.now(plan_id).flags]
    story.at = due_at
    after = [replace(flag, since=due_at) for flag in story.now(plan_id).flags]

    assert {flag.flag: flag.severity for flag in before} == flags
    assert before != after


def test_a_dose_is_on_record_though_the_plan_could_not_be_scored(story, monkeypatch):
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id)

    def fails(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scoring, "score", fails)
    dose = record_dose_elsewhere(
        story.act(), patient_id, product="methadone_oral_solution", dose_mg=Decimal(40),
        consumed_at=story.at - timedelta(hours=1),
    )  # fmt: skip

    plan = story.act().session.get_one(ReleasePlan, plan_id)
    assert story.act().session.get_one(DoseEvent, dose).outcome == "taken"
    assert plan.fault == "could not be scored: a fault of the service"
    assert plan.next_due_at == story.at
