"""What is due in this prison, in which order, for whom, and who is told when it is late."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from clinic.custody import fact_commands, presenters, queries, words, worklists
from clinic.custody.models import TimetableItem
from clinic.errors import Forbidden
from clinic.keyworkers import commands as keyworkers
from clinic.keyworkers import queries as caseloads
from clinic.staff.models import SitePost
from tests.factories import base
from tests.factories.custody import a_prison, london
from tests.support import people


def shown(act):
    return next(note for note in act.session.info["audit_notes"])


@pytest.mark.proves("PS-31")
def test_equal_deadlines_put_ppos_first_then_heightened_risk_never_the_name(prison):
    plain = prison.receives(patient_id=prison.patient(family_name="Aaron"))
    risky = prison.receives(patient_id=prison.patient(family_name="Baker"), heightened_risk=True)
    ppo = prison.receives(patient_id=prison.patient(family_name="Young"), ppo=True)

    rows = worklists.due_work(prison.act(), owners=worklists.OWNED_BY_HEALTHCARE)

    screenings = [row.reception_id for row in rows if row.item == "reception_screening"]
    assert screenings == [ppo, risky, plain]


def test_an_earlier_deadline_comes_before_any_risk(prison):
    prison.at = london("2026-11-02 14:30")
    earlier = prison.receives()
    prison.at = london("2026-11-04 14:30")
    later = prison.receives(ppo=True, heightened_risk=True)

    rows = worklists.due_work(prison.act())

    assert [row.deadline for row in rows] == sorted(row.deadline for row in rows)
    assert rows[0].reception_id == earlier
    assert rows[-1].reception_id == later


@pytest.mark.proves("TT-03")
def test_naming_turns_amber_after_a_day_and_overdue_after_the_deadline(database):
    prison = a_prison(database, at=london("2026-11-06 15:00"))  # a Friday
    prison.receives()

    def naming(when):
        rows = worklists.due_work(prison.act(at=london(when)))
        return [(row.amber, row.overdue) for row in rows if row.item == "keyworker_named"]

    assert naming("2026-11-07 14:59") == []
    assert naming("2026-11-07 15:00") == [(True, False)]
    assert naming("2026-11-09 17:00") == [(True, False)]
    assert naming("2026-11-09 17:01") == [(True, True)]
    prison.close()


@pytest.mark.proves("TT-04", "PS-02")
def test_the_triage_assessment_passes_to_carats_on_its_day(prison):
    prison.receives(screening="positive", screened_at=prison.at)
    on_the_day = london("2026-11-05 09:00")

    healthcare = worklists.due_work(prison.act(at=on_the_day), owners=worklists.OWNED_BY_HEALTHCARE)
    carats = worklists.due_work(prison.act(at=on_the_day), owners=worklists.OWNED_BY_CARAT)

    assert "smta" not in [row.item for row in healthcare]
    assert [(row.item, row.owner) for row in carats] == [("smta", "carat")]


@pytest.mark.proves("PS-15")
def test_what_phase_1_did_not_deliver_is_overdue_once_day_7_has_passed(prison):
    reception_id = prison.receives(screening="positive", screened_at=prison.at)
    prison.at = london("2026-11-10 11:00")
    prison.delivers(reception_id, "relaxation")

    rows = worklists.overdue_work(prison.act(at=london("2026-11-11 00:01")))

    assert [row.item for row in rows] == [
        "keyworker_named", "smta", "initial_keywork", "collate_assessments", "csma",
        "joint_care_plan", "carat_report", "clinical_review", "harm_minimisation",
        "overdose_session", "community_referral",
    ]  # fmt: skip


def test_what_is_done_leaves_the_list(prison):
    reception_id = prison.receives(screening="positive", screened_at=prison.at)
    prison.at += timedelta(days=1)
    assert "smta" in [row.item for row in worklists.due_work(prison.act())]

    prison.delivers(reception_id, "smta", by=["healthcare"])

    assert "smta" not in [row.item for row in worklists.due_work(prison.act())]


def test_a_list_shows_this_prison_only_and_is_audited_by_the_people_on_it(prison, database):
    patient_id = prison.patient()
    prison.receives(patient_id=patient_id)
    other = a_prison(database)
    other.receives()
    other.close()

    act = prison.act()
    rows = worklists.due_work(act)

    assert {row.patient_id for row in rows} == {patient_id}
    assert shown(act).detail == {"patients": [patient_id]}
    with pytest.raises(Forbidden):
        worklists.due_work(prison.act(rights=frozenset()))


def test_late_work_names_who_holds_the_post_it_goes_to(prison):
    with prison.database.transaction() as session:
        session.add(
            SitePost(
                site_id=prison.site.id, post="clinical_lead", staff_id=prison.manager.id,
                from_on=people.SINCE, to_on=None, recorded_at=people.LONG_AGO,
                recorded_by=prison.manager.id,
            )
        )  # fmt: skip

    posts = queries.post_holders(prison.act())

    assert queries.escalation("clinical_lead_and_carat_manager", posts) == (
        "Clinical lead (Mair Rees) and CARAT manager (nobody holds this post)"
    )
    assert queries.escalation(None, posts) is None


@pytest.mark.proves("CM-42")
def test_the_keyworker_with_fewest_people_is_suggested_and_over_25_is_flagged(prison, database):
    second = base.a_member_of_staff(database, prison.site, "carat_keyworker", name="Eve Hall")
    for _ in range(2):
        keyworkers.name_keyworker(
            prison.act(prison.manager), prison.receives(), prison.keyworker.id
        )
    left = prison.receives()
    keyworkers.name_keyworker(prison.act(prison.manager), left, prison.keyworker.id)
    fact_commands.record_exit(prison.act(), left, at=prison.at, how="court")

    loads = caseloads.loads(prison.act())

    assert [(load.staff_id, load.people) for load in loads] == [
        (second.id, 0), (prison.keyworker.id, 2),
    ]  # fmt: skip
    assert not caseloads.Load(1, "x", 25, None).over
    assert caseloads.Load(1, "x", 26, None).over


def test_everybody_is_listed_once_by_what_is_due_next_for_them(prison):
    ids = [prison.receives(), prison.receives(received_at=prison.at - timedelta(days=3))]

    rows = worklists.next_work(prison.act())

    assert [row.reception_id for row in rows] == ids[::-1]


def test_the_worklist_is_read_by_its_index(prison, engine_name):
    """The size of the caseload must not matter: the open rows of a site are found by deadline."""
    if engine_name == "postgresql":
        names = prison.act().session.connection().exec_driver_sql(
            "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_timetable_item_open'"
        )  # fmt: skip
        assert "WHERE" in names.scalar_one()
        return
    query = (
        select(TimetableItem.id)
        .where(
            TimetableItem.site_id == prison.site.id,
            TimetableItem.state == "open",
            TimetableItem.deadline <= prison.at,
        )
        .compile(compile_kwargs={"literal_binds": True})
    )
    plan = prison.act().session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")

    assert "ix_timetable_item_open" in " ".join(str(row) for row in plan)


# -- how a stay is laid out --------------------------------------------------------------------


def test_the_strip_shows_each_of_the_28_days_and_what_happens_on_it(prison):
    reception_id = prison.receives()
    fact_commands.record_hearing(prison.act(), reception_id, starts_at=london("2026-11-09 10:00"))
    fact_commands.record_release(prison.act(), reception_id, on=date(2026, 11, 26))
    fact_commands.record_unavailable(
        prison.act(), reception_id, from_on=date(2026, 11, 17), to_on=date(2026, 11, 18),
        place="segregation",
    )  # fmt: skip
    prison.delivers(reception_id, "group_session", topic="crack", mode="group")

    days = presenters.strip(prison.stay(reception_id), date(2026, 11, 5))

    assert [day.number for day in days] == list(range(1, 29))
    assert days[0].on == date(2026, 11, 4)
    assert {day.number: list(day.marks) for day in days if day.marks} == {
        1: ["Reception", "Group"], 6: ["Court"], 14: ["Away"], 15: ["Away"], 23: ["Release"],
    }  # fmt: skip
    assert [day.number for day in days if day.today] == [2]
    assert [day.number for day in days if not day.working][:2] == [4, 5]
    assert "Joint care plan" in days[2].due
    assert days[2].says.endswith("to do")
    assert days[2].lines == [(days[2].says, False)]


def test_phases_hold_every_duty_once(prison):
    reception_id = prison.receives()
    fact_commands.record_hearing(prison.act(), reception_id, starts_at=london("2026-11-09 10:00"))

    view = prison.stay(reception_id)
    rows = [row.item for _, duties in presenters.phases(view) for row in duties]

    assert sorted(rows) == sorted(row["item"] for row in view.answer["items"])
    assert [name for name, _ in presenters.phases(view)] == list(words.PHASES)


@pytest.mark.parametrize(
    ("ppo", "heightened", "says"),
    [
        (True, True, "PPO, heightened risk"),
        (None, True, "Heightened risk"),
        (True, None, "PPO"),
        (None, None, "Risk not asked"),
        (False, False, "First 28 days"),
    ],
)
def test_what_is_not_known_of_a_risk_is_not_shown_as_none(ppo, heightened, says):
    assert presenters.risk(ppo, heightened)[0] == says
