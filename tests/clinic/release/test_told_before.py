"""Before release: every party is reminded of the first collection, and the CJIT is told of moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.custody import fact_commands, facts
from clinic.custody.models import Transfer
from clinic.errors import Conflict, OutsideCaseload
from clinic.release import care
from clinic.release.care_models import REMINDED
from clinic.release.models import ReleasePlan
from clinic.release.queries import plan_now
from clinic.release.sweeps import score_due_plans
from tests.factories.base import a_member_of_staff, a_site, an_act
from tests.factories.custody import RECEIVED, a_prison
from tests.factories.release import (
    a_fact,
    a_pharmacy,
    a_release_plan,
    corrected,
    instalment,
    struck,
)

BEGINS = datetime(2026, 8, 24, 9, 0, tzinfo=UTC)


def reminded(story, plan_id):
    """The reminders that wait: by kind, the London day and hour each is due, and its words."""
    rows = care.tasks_of(story.act(), plan_id)
    return {row.kind: row for row in rows if row.kind in REMINDED and row.done_at is None}


def due(story, plan_id):
    return {kind: row.due_at.date().isoformat() for kind, row in reminded(story, plan_id).items()}


def said(client) -> str:
    page = client.get("/")
    assert page.status_code == 200
    return page.get_data(as_text=True)


@pytest.mark.proves("RC-05", "AF-03", "AF-04")
def test_all_parties_are_reminded_of_the_first_collection_and_at_once_when_release_comes_early(
    story, door, clock
):
    # Given a plan three weeks ahead with its first collection; the day seven before is a bank holiday.
    service = a_site(story.database, name="Northborough drug service")
    plan = a_release_plan(
        story.act(), release={"confirmed_on": "2026-09-07"}, consent={"given": True},
        supply={"form": "fp10", "in_hand": True,
                "instalments": [instalment("2026-09-07", "2026-09-07", "2026-09-08")]},
    )  # fmt: skip
    a_fact(story.act(), plan, "destination", site_id=service.id)
    a_fact(story.act(), plan, "pharmacy", premises_id=a_pharmacy(story.act()))
    [release] = plan_now(story.act(), plan).facts["release"]
    assert due(story, plan) == {}

    # When release nears, the sweep begins each party's reminder, by its own day.
    story.at = BEGINS - timedelta(days=1)
    score_due_plans(story.act(), story.at.date())
    assert due(story, plan) == {}
    story.at = BEGINS
    score_due_plans(story.act(), story.at.date())
    assert due(story, plan) == {
        "remind_healthcare": "2026-08-28", "remind_keyworker": "2026-08-28",
        "remind_community": "2026-09-02", "remind_pharmacy": "2026-09-04",
    }  # fmt: skip

    # Then each finds it on its first page, with the date and the place.
    clock.set(story.at)
    where = "First collection Mon 7 Sep 2026, High Street Pharmacy"
    prison = [
        door.by_page(role, site=story.prison) for role in ("prison_healthcare", "carat_keyworker")
    ]
    outside = door.by_page("drugs_worker", site=service)
    for client in prison:
        page = said(client)
        assert page.count(where) == 3
        for words in ("Telephone the pharmacy", "Check the last dose", "Tell the person when"):
            assert words in page
    assert said(outside).count(where) == 1
    assert "Check that the first collection and appointment stand" in said(outside)

    # Done it waits no more; taken back it waits as it did; asked again nothing is added.
    told = reminded(story, plan)["remind_pharmacy"]
    care.finish_task(story.act(), told.id, outcome="done", says="Mr Rowe", done_at=story.at)
    score_due_plans(story.act(), story.at.date())
    assert "remind_pharmacy" not in due(story, plan)
    again = prison[0].post(f"/release/tasks/{told.id}/undo", data={"reason": "Another pharmacy"})
    assert again.status_code == 302
    assert due(story, plan)["remind_pharmacy"] == "2026-09-04"
    with pytest.raises(Conflict, match="nothing to undo"):
        care.undo_task(story.act(), reminded(story, plan)["remind_pharmacy"].id, reason="Again")
    told = reminded(story, plan)["remind_pharmacy"]
    care.finish_task(story.act(), told.id, outcome="done", says="Mr Rowe", done_at=story.at)

    # When the date moves forward, all are told anew, within hours where their day has passed.
    corrected(story.act(), release.id, confirmed_on="2026-08-28")
    waits = reminded(story, plan)
    assert set(waits) == set(REMINDED)
    assert waits["remind_healthcare"].due_at == story.at + timedelta(hours=2)
    assert due(story, plan)["remind_pharmacy"] == "2026-08-26"
    early = "Release moved forward from Mon 7 Sep 2026 to Fri 28 Aug 2026"
    assert early in said(prison[0]) and early in said(outside)

    # When they are out today, it is at once for everybody; struck out, the former stand again.
    story.at += timedelta(hours=1)
    left = a_fact(story.act(), plan, "exit", at=story.at.isoformat(), how="release")
    waits = reminded(story, plan)
    assert {row.due_at for row in waits.values()} == {story.at + timedelta(hours=2)}
    assert set(waits) == set(REMINDED) and "24 Aug 2026" in waits["remind_pharmacy"].note
    struck(story.act(), left)
    assert due(story, plan)["remind_pharmacy"] == "2026-08-26"

    # Not on opioid substitution there is nothing to collect; and nothing waits once treatment began.
    off = a_fact(story.act(), plan, "treatment", on_ost=False)
    assert due(story, plan) == {}
    struck(story.act(), off)
    assert set(due(story, plan)) == set(REMINDED)
    a_fact(story.act(), plan, "exit", at=story.at.isoformat(), how="release")
    a_fact(story.act(), plan, "engagement", engaged_on="2026-08-24")
    assert due(story, plan) == {}


def test_nobody_is_reminded_of_a_collection_where_there_is_nothing_to_collect(story):
    plan = a_release_plan(story.act(), release={"confirmed_on": "2026-08-31"})
    daily = a_fact(story.act(), plan, "treatment", on_ost=True, medicine="methadone")
    story.at = BEGINS - timedelta(days=1)
    score_due_plans(story.act(), story.at.date())
    assert set(due(story, plan)) == set(REMINDED)

    # A pack at the gate is no pharmacy's; an injection is nobody's to collect.
    pack = a_fact(
        story.act(), plan, "supply", form="gate_pack", in_hand=True,
        instalments=[instalment("2026-08-31", "2026-08-31", "2026-09-01")],
    )  # fmt: skip
    assert set(due(story, plan)) == set(REMINDED) - {"remind_pharmacy"}
    struck(story.act(), pack)
    corrected(story.act(), daily, on_ost=True, medicine="buprenorphine_depot")
    assert due(story, plan) == {}


def test_the_prison_sees_to_a_services_part_while_that_service_may_not_be_shown_it(story):
    service = a_site(story.database, name="Northborough drug service")
    nurse = a_member_of_staff(story.database, service, "nurse")
    plan = a_release_plan(story.act(), release={"confirmed_on": "2026-08-18"})
    a_fact(story.act(), plan, "destination", site_id=service.id)

    assert {row.kind for row in care.tasks_here(story.act())} == {*REMINDED, "gate_offer"}
    assert list(care.tasks_here(story.act(nurse, service))) == []

    a_fact(story.act(), plan, "consent", given=True)
    assert "remind_community" not in {row.kind for row in care.tasks_here(story.act())}
    there = {row.kind for row in care.tasks_here(story.act(nurse, service))}
    assert there == {"remind_community", "gate_offer"}


@pytest.mark.proves("RC-13")
def test_the_cjit_takes_part_in_the_plan_and_is_told_of_a_move_to_another_prison(
    database, door, clock
):
    # Given somebody in prison whose plan ends at a community team, agreed to.
    clock.set(RECEIVED)
    here = a_prison(database, name="HMP Marlfield")
    there = a_prison(database, name="HMP Glenmoor")
    service = a_site(database, name="Northborough CJIT")
    worker = a_member_of_staff(database, service, "drugs_worker")
    patient = here.patient(family_name="Lomax", given_name="Reece")
    stay = here.receives(patient_id=patient, screening="positive", screened_at=RECEIVED)
    plan = a_release_plan(here.act(), patient, release={"confirmed_on": "2027-03-01"})
    a_fact(here.act(), plan, "destination", site_id=service.id)

    def cjit():
        return an_act(database, worker, service, at=here.at)

    def seen():
        return said(door.by_page("drugs_worker", site=service))

    with pytest.raises(OutsideCaseload):
        plan_now(cjit(), plan)
    a_fact(here.act(), plan, "consent", given=True)
    here.close()

    # Then the team sees who is coming, opens the plan and adds to it; the prison reads what it added.
    page = door.by_page("drugs_worker", site=service)
    assert "On the way here from prison" in said(page) and "LOMAX, Reece" in said(page)
    assert page.get(f"/release/plans/{plan}").status_code == 200
    a_fact(cjit(), plan, "prescriber", name="Dr Rowe")
    care.add_task(cjit(), plan, kind="gate_pickup", owner="home_cjit", due_at=here.at)
    found = plan_now(here.act(), plan)
    assert found.facts["prescriber"][0].recorded_by == worker.id
    assert "move to another prison" not in seen()

    # When the prison books a move, the keyworker is to tell the team, and the team reads it at once.
    here.at = RECEIVED + timedelta(days=2)
    clock.set(here.at)
    here.close()
    fact_commands.record_transfer(
        here.act(), stay, on=date(2026, 11, 14), receiving_site_id=there.site.id
    )
    assert here.due(stay, "tell_cjit_of_move") == date(2026, 11, 16)
    assert "they move to another prison, and contact its drug team: HMP Glenmoor, Sat 14 Nov" in (
        seen()
    )
    [told] = [row for row in care.tasks_here(cjit()) if row.kind == "transfer"]
    assert (told.owner, told.due_at.date()) == ("community", date(2026, 11, 16))
    here.close()

    # The team says that it knows; another day or another prison is told of anew, and none when struck.
    care.finish_task(cjit(), told.id, outcome="done", says="Rang Ms Ward there", done_at=here.at)
    assert "move to another prison" not in seen()
    row = facts.row_of(here.act().session, Transfer, stay)
    moved = fact_commands.correct_fact(
        here.act(), stay, "transfer", row.id, version=here.version(stay), reason="A later van",
        on=date(2026, 11, 17),
    )  # fmt: skip
    assert "HMP Glenmoor, Tue 17 Nov 2026" in seen()
    fact_commands.strike_out(
        here.act(), stay, "transfer", moved, version=here.version(stay), reason="Stays here"
    )
    assert "move to another prison" not in seen()
    fact_commands.record_transfer(
        here.act(), stay, on=date(2026, 11, 17), receiving_site_id=there.site.id
    )
    here.at = datetime(2026, 11, 17, 10, tzinfo=UTC)
    fact_commands.record_exit(here.act(), stay, at=here.at, how="transfer")
    here.delivers(stay, "tell_cjit_of_move")
    clock.set(here.at)
    assert "HMP Glenmoor, Tue 17 Nov 2026" in seen()
    with here.database.reading() as session:
        assert session.get_one(ReleasePlan, plan).destination_site_id == service.id
    here.close()
    there.close()
