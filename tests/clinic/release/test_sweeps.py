"""The clock alone changes flags: once, for the plans that are due, whatever else fails."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from clinic.act import Act
from clinic.custody import commands as custody
from clinic.custody import fact_commands
from clinic.custody.models import Reception
from clinic.release import commands, following, sweeps
from clinic.release.models import ReleaseAssessment, ReleaseFlag, ReleasePlan
from clinic.sites.models import CalendarChange
from clinic.sweeps.runner import run
from tests.factories.release import a_fact, a_hearing, a_release_plan, a_stay

SEPTEMBER = {"release": {"confirmed_on": "2026-09-16"},
             "prescriber": {"name": "Dr A", "service": "S"}}  # fmt: skip


def flags_of(story, *plan_ids):
    """Every flag row of these plans: plan, rule, cause, severity, still standing."""
    act = story.act()
    rows = act.session.execute(
        select(
            ReleaseFlag.plan_id, ReleaseFlag.flag, ReleaseFlag.cause, ReleaseFlag.severity,
            ReleaseFlag.cleared_at.is_(None),
        )
        .where(ReleaseFlag.plan_id.in_(plan_ids))
        .order_by(ReleaseFlag.plan_id, ReleaseFlag.flag, ReleaseFlag.cause)
    )  # fmt: skip
    return [tuple(row) for row in rows]


def swept(story, clock, at):
    story.at = at
    clock.set(at)
    for earlier in story._acts:
        earlier.session.commit()
    return run(story.database, "release-plans", at.date(), again=True)


def test_a_sweep_raises_what_the_clock_alone_brings(story, clock):
    plan_id = a_release_plan(story.act(), **SEPTEMBER)

    outcome = swept(story, clock, datetime(2026, 9, 15, 23, 5, tzinfo=UTC))

    assert (outcome.outcome, outcome.did) == ("done", 1)
    standing = {flag: severity for _, flag, _, severity, stands in flags_of(story, plan_id)
                if stands}  # fmt: skip
    assert standing["RG-02"] == "critical"
    assert standing["RG-11"] == standing["RG-16"] == "red"


def test_a_sweep_costs_only_the_plans_that_are_due(story, clock):
    a_release_plan(story.act(), story.patient(), **SEPTEMBER)

    outcome = swept(story, clock, story.at + timedelta(minutes=5))

    assert outcome.did == 0


def test_a_repeated_sweep_changes_nothing_and_doubles_no_flag(story, clock):
    plan_id = a_release_plan(story.act(), **SEPTEMBER)
    midnight = datetime(2026, 9, 15, 23, 5, tzinfo=UTC)
    swept(story, clock, midnight)
    once = flags_of(story, plan_id)
    saved = story.act().session.scalar(select(func.count(ReleaseAssessment.id)))

    swept(story, clock, midnight)
    following.follow_plan(story.act(), plan_id)
    following.follow_plan(story.act(), plan_id)

    assert flags_of(story, plan_id) == once
    assert story.act().session.scalar(select(func.count(ReleaseAssessment.id))) == saved


def test_a_sweep_killed_half_way_and_run_again_gives_the_same_flags(story, clock, monkeypatch):
    plans = [a_release_plan(story.act(), story.patient(), **SEPTEMBER) for _ in range(4)]
    midnight = datetime(2026, 9, 15, 23, 5, tzinfo=UTC)
    honest, seen = sweeps.follow_plans, []

    def killed(act, plan_ids):
        if len(seen) == 2:
            raise SystemExit("power cut")
        seen.extend(plan_ids)
        honest(act, plan_ids)

    monkeypatch.setattr(sweeps, "AT_ONCE", 2)
    monkeypatch.setattr(sweeps, "follow_plans", killed)
    with pytest.raises(SystemExit):
        swept(story, clock, midnight)
    monkeypatch.setattr(sweeps, "follow_plans", honest)
    clock.forward(minutes=31)  # the lease of the run that died
    outcome = swept(story, clock, clock.now())

    assert outcome.did == 2
    rows = flags_of(story, *plans)
    by_plan = [[row[1:] for row in rows if row[0] == plan_id] for plan_id in plans]
    assert all(flags == by_plan[0] for flags in by_plan)


def test_a_plan_that_fails_is_kept_in_view_and_the_others_go_on(story, clock, monkeypatch):
    plans = [a_release_plan(story.act(), story.patient(), **SEPTEMBER) for _ in range(3)]
    midnight = datetime(2026, 9, 15, 23, 5, tzinfo=UTC)
    honest = sweeps.follow_plans

    def follow(act, plan_ids):
        if plans[1] in plan_ids:
            raise RuntimeError("cannot")
        honest(act, plan_ids)

    monkeypatch.setattr(sweeps, "follow_plans", follow)
    assert swept(story, clock, midnight).outcome == "done"

    act = story.act()
    rows = [act.session.get_one(ReleasePlan, plan_id) for plan_id in plans]
    assert [row.fault is None for row in rows] == [True, False, True]
    assert "RG-11" in {row[1] for row in flags_of(story, plans[2])}
    monkeypatch.setattr(sweeps, "follow_plans", honest)
    assert swept(story, clock, midnight + timedelta(minutes=1)).did == 1
    assert story.act().session.get_one(ReleasePlan, plans[1]).fault is None


def test_what_is_recorded_of_the_stay_changes_the_flags_before_the_command_ends(story, clock):
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id)

    def standing():
        return {flag for _, flag, *_, stands in flags_of(story, plan_id) if stands}

    reception_id = custody.receive_prisoner(
        story.act(), patient_id=patient_id, received_at=story.at, screening="positive",
        screened_at=story.at, demo=True,
    )  # fmt: skip
    assert not {"RG-02", "RG-07"} & standing()

    hearing = fact_commands.record_hearing(
        story.act(), reception_id, starts_at=story.at + timedelta(days=1), known_at=story.at
    )
    assert "RG-07" in standing()
    fact_commands.record_release(
        story.act(), reception_id, on=story.at.date() + timedelta(days=3), known_at=story.at
    )
    assert "RG-02" in standing()

    fact_commands.strike_out(
        story.act(), reception_id, "hearing", hearing, reason="Another person",
        version=story.act().session.get_one(Reception, reception_id).version,
    )  # fmt: skip
    assert "RG-07" not in standing()
    assert swept(story, clock, story.at + timedelta(minutes=5)).did == 0


def test_a_sweep_picks_up_what_other_rooms_recorded_meanwhile(story, clock):
    patient_id = story.patient()
    plan_id = a_release_plan(story.act(), patient_id)
    story.at += timedelta(minutes=10)
    stay = a_stay(story.act(), patient_id, story.at - timedelta(days=9))
    a_hearing(story.act(), stay, datetime(2026, 8, 18, 9, 0, tzinfo=UTC))

    outcome = swept(story, clock, story.at + timedelta(minutes=10))

    assert outcome.did == 1
    assert "RG-07" in {row[1] for row in flags_of(story, plan_id)}


@pytest.mark.parametrize("withdrawn_on", [None, date(2026, 8, 17)])
def test_a_sweep_picks_up_a_bank_holiday_announced_or_withdrawn(story, clock, withdrawn_on):
    a_release_plan(story.act(), release={"confirmed_on": "2026-12-16"})
    story.at += timedelta(minutes=10)
    act = story.act()
    at = act.at - timedelta(days=20) if withdrawn_on else act.at
    act.session.add(
        CalendarChange(
            nation="england_and_wales", on=date(2026, 9, 4), change="added", name="Royal",
            announced_on=None, withdrawn_on=withdrawn_on, recorded_at=at,
            recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.session.commit()

    assert swept(story, clock, story.at + timedelta(minutes=10)).did == 1
    if withdrawn_on is None:
        assert swept(story, clock, story.at + timedelta(minutes=20)).did == 0


def test_a_closed_plan_is_left_alone(story, clock):
    plan_id = a_release_plan(story.act(), **SEPTEMBER)
    act = story.act()
    commands.close_release_plan(
        act, plan_id, version=act.session.get_one(ReleasePlan, plan_id).version,
        closed_as="opened_in_error", reason="Another person",
    )  # fmt: skip

    assert swept(story, clock, datetime(2026, 9, 15, 23, 5, tzinfo=UTC)).did == 0


def test_somebody_saving_while_the_sweep_reads_loses_nothing(fresh_database):
    """The sweep's scoring is refused when a person changed the plan after the sweep read it."""
    from tests.factories.base import a_member_of_staff, a_site, an_act

    prison = a_site(fresh_database, kind="prison")
    nurse = a_member_of_staff(fresh_database, prison, "prison_healthcare")
    act = an_act(fresh_database, nurse, prison)
    plan_id = a_release_plan(act, release={"confirmed_on": "2026-11-18"})
    act.session.close()
    slow = fresh_database.reading()
    slow.get_one(ReleasePlan, plan_id)

    fast = an_act(fresh_database, nurse, prison)
    a_fact(fast, plan_id, "consent", given=True)
    fast.session.close()

    slow.commit()
    sweep = Act(session=fresh_database.session(), at=datetime(2026, 11, 18, tzinfo=UTC),
                staff_id=None, role="sweep")  # fmt: skip
    following.follow_plan(sweep, plan_id)
    assert "RG-19" not in {
        row.flag
        for row in sweep.session.scalars(
            select(ReleaseFlag).where(ReleaseFlag.cleared_at.is_(None))
        )
    }
    sweep.session.close()
    slow.close()
