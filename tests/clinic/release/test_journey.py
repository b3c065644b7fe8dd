"""A Friday release before a bank holiday, from nothing known to no red flag."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.factories.release import a_fact, a_pharmacy, a_release_plan, corrected, instalment

FRIDAY = "2026-08-28"  # the Monday after it is the summer bank holiday
CLOSED = ["2026-08-29", "2026-08-30", "2026-08-31"]


@pytest.mark.proves("RC-02", "RC-23", "A26", "A27")
def test_a_friday_release_before_a_bank_holiday_is_made_safe_step_by_step(story):
    act = story.act()
    plan_id = a_release_plan(act, treatment={"on_ost": True, "opioid_history": True,
                                             "medicine": "methadone"})  # fmt: skip

    # Nothing is known: nothing is shown as covered.
    now = story.now(plan_id)
    assert now.answer["gap_days"] is None
    assert {"RG-01", "RG-13", "RG-19"} == set(story.flags(plan_id))

    # OMU confirms the Friday. The service outside can see her only on Tuesday afternoon.
    act = story.act()
    a_fact(act, plan_id, "release", confirmed_on=FRIDAY, kind="remand")
    a_fact(act, plan_id, "last_dose", dose_on_release_day=True)
    visit = {"at": "2026-09-01T14:00:00+01:00", "booked_at": "2026-08-17T09:30:00+01:00"}
    booked = a_fact(act, plan_id, "appointment", **visit)
    now = story.now(plan_id)
    assert now.answer["uncovered_days"] == CLOSED
    assert story.flags(plan_id)["RG-03"] == "critical"
    assert story.flags(plan_id)["RG-05"] == "red"

    # A script for the closed days, but the paper is not in anybody's hands and no pharmacy named.
    act = story.act()
    script = {"form": "fp10mda", "written_at": "2026-08-17T09:00:00+01:00",
              "instalments": [instalment("2026-08-29", *CLOSED)]}  # fmt: skip
    supply = a_fact(act, plan_id, "supply", **script)
    assert story.flags(plan_id)["RG-15"] == "critical"
    assert story.now(plan_id).answer["uncovered_days"] == CLOSED

    # The pharmacy is open on the Saturday and has the paper.
    act = story.act()
    a_fact(act, plan_id, "pharmacy", premises_id=a_pharmacy(act))
    corrected(act, supply, in_hand=True, sent_at="2026-08-17T09:10:00+01:00",
              sent_to="High Street Pharmacy", **script)  # fmt: skip
    now = story.now(plan_id)
    assert now.answer["uncovered_days"] == []
    assert now.answer["cover_ends_on"] == "2026-08-31"
    assert not {"RG-03", "RG-15"} & set(story.flags(plan_id))

    # Everybody who must know is told, and the cover over the weekend is looked at.
    act = story.act()
    a_fact(act, plan_id, "prescriber", name="Dr A. Example", service="Northborough drug service")
    a_fact(act, plan_id, "destination", area="Northborough", contact="01632 960 001",
           nation="england_and_wales")  # fmt: skip
    a_fact(act, plan_id, "consent", given=True)
    corrected(act, booked, acknowledged_at="2026-08-17T10:00:00+01:00", **visit)
    a_fact(act, plan_id, "notification", sent_at="2026-08-17T09:00:00+01:00",
           acknowledged_at="2026-08-17T09:30:00+01:00")  # fmt: skip
    a_fact(act, plan_id, "weekend", weekend_cover_acknowledged_at="2026-08-17T09:45:00+01:00")
    assert story.flags(plan_id) == {}

    # On the Thursday and the Friday nothing may be missing either.
    story.at = datetime(2026, 8, 27, 8, 0, tzinfo=UTC)
    act = story.act()
    a_fact(act, plan_id, "dose_letter", prepared_at="2026-08-27T08:30:00+01:00",
           sent_at="2026-08-27T08:40:00+01:00", sent_to="Northborough drug service")  # fmt: skip
    story.at = datetime(2026, 8, 28, 8, 0, tzinfo=UTC)
    assert set(story.flags(plan_id)) == {"RG-11", "RG-16"}
    act = story.act()
    a_fact(act, plan_id, "naloxone", outcome="issued", on=FRIDAY)
    a_fact(act, plan_id, "overdose_session", outcome="delivered", on=FRIDAY)
    assert story.flags(plan_id) == {}

    # Out after breakfast. She comes on Tuesday, and treatment begins.
    story.at = datetime(2026, 8, 28, 9, 0, tzinfo=UTC)
    act = story.act()
    a_fact(act, plan_id, "dose", at="2026-08-28T08:30:00+01:00", where="prison")
    a_fact(act, plan_id, "exit", at="2026-08-28T09:15:00+01:00", how="release")
    assert story.flags(plan_id) == {}
    story.at = datetime(2026, 9, 2, 9, 0, tzinfo=UTC)
    a_fact(story.act(), plan_id, "engagement", engaged_on="2026-09-01")
    assert story.flags(plan_id) == {}
