"""Somebody left: what waits about them starts by itself and ends by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.appointments.missed_models import MissedContact
from clinic.errors import Invalid
from clinic.release import care, sweeps  # noqa: F401 - its sweeps join the schedule
from clinic.release.care_models import REMINDED, LeaverTask
from clinic.release.following import follow_plan
from clinic.release.queries import plan_now
from clinic.sweeps.runner import run
from tests.factories.base import a_member_of_staff, a_site
from tests.factories.release import a_fact, a_release_plan, corrected, struck

APART = (*REMINDED, "gate_offer", "overdose_advice")
LEFT = datetime(2026, 8, 17, 8, 0, tzinfo=UTC)
VISIT = datetime(2026, 8, 18, 9, 0, tzinfo=UTC)


def open_tasks(story, plan_id) -> dict[str, str]:
    """What waits by itself of attendance and treatment after release, and whose it is."""
    rows = care.tasks_of(story.act(), plan_id)
    return {row.kind: row.owner for row in rows if row.done_at is None and row.kind not in APART}


@pytest.mark.proves("RC-21")
def test_day_14_and_21_belong_to_whoever_has_them_after_release(story):
    licence = a_release_plan(
        story.act(), release={"confirmed_on": "2026-08-17", "supervision": "licence"}
    )
    short = a_release_plan(
        story.act(), release={"confirmed_on": "2026-08-17", "supervision": "none"}
    )
    assert open_tasks(story, licence) == {}
    for plan in (licence, short):
        a_fact(story.act(), plan, "exit", at=LEFT.isoformat(), how="release")

    assert open_tasks(story, licence) == {"day_14": "probation", "day_21": "probation"}
    assert open_tasks(story, short) == {"day_14": "home_cjit", "day_21": "home_cjit"}
    a_fact(story.act(), licence, "engagement", engaged_on="2026-08-17")
    assert open_tasks(story, licence) == {}
    with pytest.raises(Invalid, match="kind"):
        care.add_task(story.act(), short, kind="day_14", owner="probation", due_at=VISIT)


def test_a_missed_first_appointment_starts_outreach_within_24_hours_and_undoing_it_ends_that(story):
    plan = a_release_plan(story.act(), release={"confirmed_on": "2026-08-17"})
    left = a_fact(story.act(), plan, "exit", at=LEFT.isoformat(), how="release")
    visit = a_fact(story.act(), plan, "appointment", at=VISIT.isoformat())
    assert "attendance" not in open_tasks(story, plan)

    story.at = VISIT + timedelta(hours=3)
    visit = corrected(story.act(), visit, at=VISIT.isoformat(), attended=False)
    assert set(open_tasks(story, plan)) == {"outreach", "day_14", "day_21"}
    [outreach] = [row for row in care.tasks_of(story.act(), plan) if row.kind == "outreach"]
    assert outreach.due_at == VISIT + timedelta(hours=24)
    for _ in range(2):  # asked again it adds nothing
        follow_plan(story.act(), plan)
    after = LeaverTask.kind.not_in(APART)
    assert story.act().session.query(LeaverTask).filter(after).count() == 3

    visit = corrected(story.act(), visit, at=VISIT.isoformat(), attended=True)
    assert set(open_tasks(story, plan)) == {"day_14", "day_21"}
    visit = corrected(story.act(), visit, at=VISIT.isoformat(), attended=False)
    assert "outreach" in open_tasks(story, plan)
    corrected(story.act(), visit, at=VISIT.isoformat())  # said in error: it is not known yet
    assert set(open_tasks(story, plan)) == {"attendance", "day_14", "day_21"}

    struck(story.act(), left)  # they never left
    assert open_tasks(story, plan) == {}


def test_the_service_they_go_to_is_told_of_a_missed_appointment_by_its_own_ladder(story):
    service = a_site(story.database, name="Northborough drug service")
    a_member_of_staff(story.database, service, "nurse")
    plan = a_release_plan(story.act(), release={"confirmed_on": "2026-08-17"})
    a_fact(story.act(), plan, "destination", site_id=service.id)
    a_fact(story.act(), plan, "consent", given=True)
    a_fact(story.act(), plan, "exit", at=LEFT.isoformat(), how="release")
    visit = a_fact(story.act(), plan, "appointment", at=VISIT.isoformat())
    story.at = VISIT + timedelta(hours=3)
    visit = corrected(story.act(), visit, at=VISIT.isoformat(), attended=False)

    [ladder] = story.act().session.query(MissedContact).all()
    assert (ladder.site_id, ladder.missed_at, ladder.struck_at) == (service.id, VISIT, None)
    assert "outreach" not in open_tasks(story, plan)
    assert "RG-17" in {flag.flag for flag in plan_now(story.act(), plan).flags}

    corrected(story.act(), visit, at=VISIT.isoformat(), attended=True)
    [ladder] = story.act().session.query(MissedContact).all()
    assert ladder.struck_reason == "Taken back in the release plan"


@pytest.mark.proves("AF-02", "AF-05")
def test_nobody_said_whether_they_came_so_it_is_asked_and_then_outreach_begins_by_the_clock(
    story, clock, door
):
    """Release on a Friday, the appointment that afternoon, and a weekend nobody works."""
    friday = datetime(2026, 8, 21, 13, 0, tzinfo=UTC)
    plan = a_release_plan(story.act(), release={"confirmed_on": "2026-08-21"})
    story.at = friday - timedelta(hours=4)
    a_fact(story.act(), plan, "exit", at=story.at.isoformat(), how="release")
    visit = a_fact(story.act(), plan, "appointment", at=friday.isoformat())
    seen = {}
    for minutes in (59, 61, 239, 241, 60 * 70):
        story.at = friday + timedelta(minutes=minutes)
        clock.set(story.at)
        story.act()
        for _ in range(2):  # a second run adds nothing
            run(story.database, "first-appointments", story.at.date(), again=True)
        seen[minutes] = set(open_tasks(story, plan)) - {"day_14", "day_21"}

    assert seen == {
        59: set(), 61: {"attendance"}, 239: {"attendance"}, 241: {"attendance", "outreach"},
        60 * 70: {"attendance", "outreach"},
    }  # fmt: skip
    [outreach] = [row for row in care.tasks_here(story.act()) if row.kind == "outreach"]
    assert outreach.due_at == friday + timedelta(hours=24)  # on the Saturday
    assert outreach.note == "Nobody has said whether they came Fri 21 Aug 2026, 14:00"
    page = door.by_page("prison_healthcare", site=story.prison).get(f"/release/plans/{plan}").text
    assert f'/release/facts/{visit}/correct">Say whether they came</a>' in page

    corrected(story.act(), visit, at=friday.isoformat(), attended=True)
    assert set(open_tasks(story, plan)) == {"day_14", "day_21"}


@pytest.mark.proves("AF-06", "AF-07", "DR-03")
def test_a_meeting_at_the_gate_is_offered_overdose_advice_given_and_outreach_told(
    story, door, clock
):
    """The answer is kept; wanted, the meeting is a task of the day of release and moves with it."""
    plan = a_release_plan(story.act(), release={"confirmed_on": "2026-08-28"})

    def waits(kind):
        rows = care.tasks_of(story.act(), plan)
        return [row for row in rows if row.kind == kind and row.done_at is None]

    [offer] = waits("gate_offer")
    assert (offer.owner, offer.due_at.date()) == ("community", date(2026, 8, 21))  # Sunday is 23
    with pytest.raises(Invalid, match="kind"):
        care.add_task(story.act(), plan, kind="gate_offer", owner="community", due_at=VISIT)
    clock.set(story.at)
    page = door.by_page("prison_healthcare", site=story.prison)
    form = page.get(f"/release/tasks/{offer.id}/finish").text
    assert "Offered: they do not want to be met" in form and "checked" not in form
    care.finish_task(
        story.act(), offer.id, outcome="done", says="Asked on the wing", done_at=story.at
    )
    assert [row.due_at.date() for row in waits("gate_pickup")] == [date(2026, 8, 28)]
    assert "Offered: they want to be met" in page.get(f"/release/plans/{plan}").text
    row = story.now(plan).facts["release"][0]
    corrected(story.act(), row.id, confirmed_on="2026-08-27")
    assert [row.due_at.date() for row in waits("gate_pickup")] == [date(2026, 8, 27)]
    again = care.undo_task(story.act(), offer.id, reason="Another person's answer")
    assert waits("gate_pickup") == []
    care.finish_task(story.act(), again, outcome="declined", says="Met by family", done_at=story.at)
    assert waits("gate_pickup") == waits("gate_offer") == []

    story.at = datetime(2026, 8, 27, 8, 0, tzinfo=UTC)
    a_fact(story.act(), plan, "exit", at=story.at.isoformat(), how="release")
    [advice] = waits("overdose_advice")
    assert (advice.owner, advice.due_at.date()) == ("community", date(2026, 8, 28))
    care.finish_task(
        story.act(), advice.id, outcome="done", says="Given in person, N. Bevan", done_at=story.at
    )
    missed = story.at + timedelta(hours=2)
    a_fact(story.act(), plan, "appointment", at=missed.isoformat(), attended=False)
    assert [row.due_at - missed for row in waits("outreach")] == [timedelta(hours=24)]
    assert waits("overdose_advice") == []  # answered once


@pytest.mark.proves("AF-08", "AF-09", "DR-04")
def test_somebody_under_a_drr_is_offered_groups_advice_and_a_planned_hand_over(story):
    """Once out; the hand-over is planned four weeks before the end, and asked for at once without it."""
    release = {"confirmed_on": "2026-08-17", "supervision": "drr"}
    plan = a_release_plan(story.act(), release=release)
    assert not {"drr_groups", "drr_handover"} & set(open_tasks(story, plan))
    left = a_fact(story.act(), plan, "exit", at=LEFT.isoformat(), how="court")

    def due():
        rows = care.tasks_of(story.act(), plan)
        return {
            row.kind: (row.owner, row.due_at.date(), row.note)
            for row in rows
            if row.done_at is None and row.kind in ("drr_groups", "drr_handover", "overdose_advice")
        }

    assert due() == {
        "drr_groups": ("community", date(2026, 8, 24), None),
        "drr_handover": ("home_cjit", date(2026, 8, 24), "When it ends is not known"),
        "overdose_advice": ("community", date(2026, 8, 18), None),
    }
    row = story.now(plan).facts["release"][0]
    corrected(story.act(), row.id, **release, drr_ends_on="2027-02-16")
    assert due()["drr_handover"] == ("home_cjit", date(2027, 1, 19), None)
    assert open_tasks(story, plan)["day_14"] == "probation"
    struck(story.act(), left)
    assert due() == {}
