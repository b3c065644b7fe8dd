"""A release plan goes with the person to the prison that accepts them, and not before (RC-15)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from clinic.casework import commands as casework
from clinic.custody import commands as custody
from clinic.custody import fact_commands
from clinic.errors import Conflict, Invalid
from clinic.keyworkers import commands as keyworkers
from clinic.release import care, queries, scoring, whose
from clinic.release.commands import close_release_plan
from clinic.release.models import ReleaseAssessment, ReleasePlan
from tests.factories.base import a_site
from tests.factories.custody import RECEIVED, a_prison
from tests.factories.release import a_fact, a_release_plan, version_of

MOVE = datetime(2026, 11, 12, 15, 0, tzinfo=ZoneInfo("UTC"))


@pytest.fixture
def two(database):
    """Somebody received at one prison, planned for, and on the way to another in Scotland."""
    here = a_prison(database, name="HMP Marlfield")
    there = a_prison(database, name="HMP Glenmoor", at=RECEIVED, nation="scotland")
    here.there = there
    here.patient_id = here.patient(family_name="Lomax", given_name="Reece")
    here.reception = here.receives(
        patient_id=here.patient_id, screening="positive", screened_at=RECEIVED
    )
    service = a_site(database, name="Northborough drug service")
    here.plan = a_release_plan(
        here.act(), here.patient_id,
        release={"confirmed_on": "2026-11-30", "kind": "determinate"}, consent={"given": True},
    )  # fmt: skip
    a_fact(here.act(), here.plan, "destination", site_id=service.id)
    yield here
    here.close()
    there.close()


def by(prison, *others):
    """A new piece of work: what the others read ends, so that what they saved is seen."""
    for each in (prison, *others):
        each.close()
    return prison.act()


def moves_them(two):
    there = two.there
    two.at = there.at = MOVE - timedelta(days=3)
    fact_commands.record_transfer(
        by(two, there), two.reception, on=MOVE.date(), receiving_site_id=there.site.id
    )
    two.at = there.at = MOVE
    custody.receive_transfer(by(there, two), two.reception, arrived_at=MOVE)
    there.close()
    manager = there.act(there.manager)
    keyworkers.name_keyworker(manager, two.reception, there.keyworker.id)
    there.close()


def site_of_plan(two):
    plan = by(two, two.there).session.get_one(ReleasePlan, two.plan)
    return plan.site.name


def listed(prison, other):
    return [each.plan_id for each in queries.coming_exits(by(prison, other))]


@pytest.mark.proves("RC-15")
def test_the_plan_is_the_senders_until_the_receiving_prison_accepts_and_again_if_that_is_struck(
    two, door, clock
):
    there = two.there
    moves_them(two)
    assert (listed(two, there), listed(there, two)) == ([two.plan], [])
    saved = by(two, there).session.scalar(select(ReleaseAssessment.id).limit(1))
    clock.set(MOVE + timedelta(minutes=1))
    page = door.by_page("prison_healthcare", site=two.site).get(f"/release/plans/{two.plan}").text
    assert "HMP Glenmoor, whose drug team has not accepted them" in page

    there.at = two.at = MOVE + timedelta(minutes=2)
    accepted = casework.accept_transfer(by(there, two), two.reception)

    assert (listed(two, there), listed(there, two)) == ([], [two.plan])
    now = queries.plan_now(by(there, two), two.plan)
    assert now.request["prison"]["nation"] == "scotland"
    assert now.plan.changed_what == "went to HMP Glenmoor"
    assert scoring.replay(by(two, there), saved)["rebuilt"] is True
    clock.set(MOVE + timedelta(minutes=3))
    page = door.by_page("prison_healthcare", site=there.site)
    assert "Taken over from HMP Marlfield" in page.get(f"/release/plans/{two.plan}").text

    there.at = two.at = MOVE + timedelta(minutes=4)
    casework.strike_out(by(there, two), "acceptance", accepted, reason="Accepted too early")
    assert site_of_plan(two) == "HMP Marlfield"
    there.at = two.at = MOVE + timedelta(minutes=5)
    casework.accept_transfer(by(there, two), two.reception)
    assert site_of_plan(two) == "HMP Glenmoor"
    clock.set(MOVE + timedelta(minutes=6))
    page = door.by_page("prison_healthcare", site=there.site)
    history = page.get(f"/release/plans/{two.plan}/history").text
    assert "came back, as the acceptance counts no more" in history
    assert [row.accepted for row in whose.moves_of(by(there, two), two.plan)] == [
        True, False, True,
    ]  # fmt: skip


@pytest.mark.proves("RC-15")
def test_closing_the_plan_does_not_hide_a_move_nobody_has_answered(two):
    there = two.there
    moves_them(two)

    def close(prison, other, closed_as):
        act = by(prison, other)
        close_release_plan(
            act, two.plan, version=version_of(act, two.plan), closed_as=closed_as, reason="Moved"
        )

    with pytest.raises(Conflict, match="HMP Glenmoor has not accepted"):
        close(two, there, "finished")
    there.at = two.at = MOVE + timedelta(minutes=2)
    casework.accept_transfer(by(there, two), two.reception)
    [told] = [row for row in care.tasks_of(by(there, two), two.plan) if row.kind == "transfer"]
    assert told.done_at is None and told.due_at.date() == date(2026, 11, 12)
    for closed_as in ("finished", "opened_in_error"):
        with pytest.raises(Conflict, match="finish that task"):
            close(there, two, closed_as)
    care.finish_task(
        by(there, two), told.id, outcome="done", says="CJIT rang Ms Ward", done_at=there.at
    )

    close(there, two, "opened_in_error")

    assert listed(there, two) == []


@pytest.mark.proves("RC-15")
def test_a_prison_outside_that_accepted_them_cannot_take_the_plan_and_it_ends_as_left_there(two):
    there = two.there
    a_fact(two.act(), two.plan, "treatment", medicine="methadone", on_ost=True)
    two.at = MOVE - timedelta(days=3)
    fact_commands.record_transfer(
        by(two, there), two.reception, on=MOVE.date(), receiving_prison="HMP Faraway",
        nation="england_and_wales",
    )  # fmt: skip
    two.at = MOVE
    fact_commands.record_exit(by(two, there), two.reception, at=MOVE, how="transfer")
    open_items = {row.item for row in two.items(two.reception) if row.state == "open"}
    assert open_items == {
        "tell_receiving_team", "receiving_keyworker_named", "file_sent", "tell_cjit_of_move",
        "receiving_keyworker_contact",
    }  # fmt: skip
    assert {row.site_id for row in two.items(two.reception) if row.state == "open"} == {two.site.id}
    with pytest.raises(Invalid, match="say who is the keyworker"):
        two.delivers(two.reception, "receiving_keyworker_named")
    two.delivers(two.reception, "receiving_keyworker_named", note="J. Doe")

    def close():
        act = by(two, there)
        close_release_plan(
            act, two.plan, version=version_of(act, two.plan), closed_as="finished",
            reason="Printed and posted",
        )  # fmt: skip

    two.at = MOVE + timedelta(hours=3)
    with pytest.raises(Conflict, match="HMP Faraway has not accepted"):
        close()
    casework.accept_transfer(
        by(two, there), two.reception, accepted_by="J. Doe", accepted_at=MOVE + timedelta(hours=2)
    )
    for task in care.tasks_of(by(two, there), two.plan):
        if task.kind == "transfer":
            care.finish_task(
                by(two, there), task.id, outcome="done", says="CJIT told", done_at=two.at
            )
    with pytest.raises(Conflict, match="RG-09"):
        close()  # never silent on what medicine went with them
    a_fact(
        by(two, there), two.plan, "transfer_information", transfer_on=MOVE.date().isoformat(),
        confirmed_at=MOVE.isoformat(),
    )  # fmt: skip
    close()

    plan = by(two, there).session.get_one(ReleasePlan, two.plan)
    assert plan.closed_reason == (
        "Left to HMP Faraway, accepted by J. Doe on 2026-11-12: Printed and posted"
    )
