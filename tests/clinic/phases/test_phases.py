"""Phases moved and merged, the minimum set, CPA, consent to share the triage, and who was told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.careplans import agreement_commands, follow_up_commands
from clinic.careplans import commands as plans
from clinic.careplans.models import CarePlan
from clinic.casework import queries as casework
from clinic.custody import fact_commands
from clinic.custody import queries as stays
from clinic.errors import Conflict, Invalid
from clinic.keyworkers import commands as keyworkers
from clinic.observations import commands as observations
from clinic.patients.commands import take_onto_caseload
from clinic.phases import commands, queries
from tests.clinic.custody.test_pages import boxes, send, text
from tests.factories.base import a_site
from tests.factories.custody import RECEIVED, a_prison

DAY_2 = RECEIVED + timedelta(days=1)
DAY_8 = datetime(2026, 11, 11, 11, 0, tzinfo=UTC)


@pytest.fixture
def prison(database):
    made = a_prison(database)
    yield made
    made.close()


def work(prison):
    return prison.act(prison.keyworker)


def seen(prison, reception_id):
    return queries.pathway(work(prison), reception_id)


def a_plan(prison, reception_id, **answers):
    patient_id = prison.stay(reception_id).patient.id
    plan_id = plans.start_plan(work(prison), patient_id, reception_id=reception_id)
    if answers:
        changes(prison, plan_id, **answers)
    return plan_id


def changes(prison, plan_id, **answers):
    with prison.database.reading() as session:
        version = session.get_one(CarePlan, plan_id).version
    return plans.change_plan(work(prison), plan_id, version=version, answers=answers)


@pytest.mark.proves("PS-19", "PS-22")
def test_phase_2_waits_for_what_comes_before_and_moves_with_a_reason_alone(prison):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    prison.at = DAY_8
    view = seen(prison, reception_id)
    waits = view.phases[1].waits or ""
    for words in ("stabilisation", "CSMA", "joint care plan", "clinical review"):
        assert words in waits
    assert view.now == [2]
    with pytest.raises(Invalid, match="reason"):
        commands.move_phase(
            work(prison), reception_id, phase=2, from_on=date(2026, 11, 13), reason=" "
        )
    with pytest.raises(Invalid, match="day 8"):
        commands.move_phase(
            work(prison), reception_id, phase=3, from_on=date(2026, 11, 10), reason="Keen"
        )

    commands.move_phase(
        work(prison), reception_id, phase=2, from_on=date(2026, 11, 9), reason="Well enough"
    )
    first = commands.move_phase(
        work(prison), reception_id, phase=3, from_on=date(2026, 11, 12), reason="Leaves soon"
    )
    prison.at = datetime(2026, 11, 13, 11, 0, tzinfo=UTC)

    view = seen(prison, reception_id)
    assert (view.phases[1].waits, view.now) == (None, [2, 3])
    commands.move_phase(
        work(prison), reception_id, phase=3, from_on=date(2026, 11, 20), reason="Court put off"
    )
    assert seen(prison, reception_id).now == [2]
    with pytest.raises(Conflict, match="already"):
        commands.strike_out(work(prison), "move", first, reason="Again")
    fact_commands.record_release(prison.act(), reception_id, on=date(2026, 11, 24))
    *_, second, third = seen(prison, reception_id).phases
    assert (third.from_on, third.to_on) == (second.from_on, date(2026, 11, 24))
    assert third.merged == "They leave on day 21: completion is part of phase 2"
    lines = casework.casework_file(work(prison), reception_id).lines
    assert [line.struck for line in lines if line.what.startswith("Phase 3 begins")] == [
        "Moved again: Court put off", None
    ]  # fmt: skip


@pytest.mark.proves("PS-16")
def test_however_short_the_stay_three_things_are_offered_and_the_answer_is_logged(prison):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    prison.at = DAY_2
    assert len(queries.lacking_before_leaving(work(prison), reception_id)) == 3
    prison.delivers(reception_id, "smta", by=["healthcare"])
    plan_id = a_plan(prison, reception_id)
    assert len(queries.lacking_before_leaving(work(prison), reception_id)) == 3
    changes(prison, plan_id, release_planning="Back to Taf, to be arranged")
    prison.delivers(reception_id, "harm_minimisation", by=["carat", "healthcare"])
    prison.delivers(reception_id, "overdose_session", outcome="declined")
    referral = follow_up_commands.refer(
        work(prison), plan_id, kind="cjit", to_whom="Taf CJIT", made_at=prison.at
    )

    assert queries.lacking_before_leaving(work(prison), reception_id) == []
    assert [each.response for each in seen(prison, reception_id).minimum] == [None] * 3
    follow_up_commands.record_response(
        work(prison), plan_id, referral, response="accepted", responded_on=prison.at.date()
    )
    *_, asked = seen(prison, reception_id).minimum
    assert (asked.part.offered, asked.response) == (True, "accepted")
    due = {row.item: row.due_on for row in prison.items(reception_id)}
    fact_commands.record_hearing(
        prison.act(), reception_id, starts_at=datetime(2026, 11, 6, 10, 0, tzinfo=UTC)
    )
    brought = {row.item: row.due_on for row in prison.items(reception_id)}
    assert brought["csma"] < due["csma"]
    assert brought["joint_care_plan"] < due["joint_care_plan"]


@pytest.mark.proves("PS-13", "PS-14", "PS-15")
def test_the_checklist_of_phase_1_is_whole_and_says_whether_treatment_was_explained(prison):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    prison.at = DAY_2
    with pytest.raises(Invalid, match="explained"):
        prison.delivers(reception_id, "initial_keywork", explained=None)
    with pytest.raises(Invalid, match="belongs to a first keywork session"):
        prison.delivers(reception_id, "relaxation", explained=True)
    prison.delivers(reception_id, "initial_keywork", explained=False)
    observations.do_task(work(prison), reception_id, task="induction", phase=1, done_at=prison.at)

    view = seen(prison, reception_id)

    listed = {each.key: each.done for each in view.checklist}
    assert {
        "keyworker_named", "induction", "initial_keywork", "collate_assessments", "csma",
        "joint_care_plan", "harm_minimisation", "overdose_session", "relaxation",
        "clinical_review", "carat_report",
    } <= set(listed)  # fmt: skip
    assert [key for key, done in listed.items() if done] == [
        "reception_screening", "initial_keywork", "induction"
    ]  # fmt: skip
    assert view.explained is False
    assert not any(each.late for each in view.checklist if each.key == "gather")
    prison.at = RECEIVED + timedelta(days=6)
    late = {each.key for each in seen(prison, reception_id).checklist if each.late}
    assert {"gather", "relaxation"} <= late and "induction" not in late


@pytest.mark.proves("PS-17")
def test_phase_2_has_keywork_review_two_groups_and_a_word_with_healthcare_every_week(prison):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    prison.at = DAY_8
    view = seen(prison, reception_id)
    assert [each.number for each in view.weeks] == [2, 3, 4]
    for week in view.weeks:
        stems = sorted(duty.item.partition("_week_")[0] for duty in week.duties)
        assert stems == ["case_review", "groups", "keywork"]
        assert [duty.counted for duty in week.duties if duty.counted] == ["0 of 2 had or declined"]
    assert view.needs == []
    a_plan(prison, reception_id, group_first="crack", group_second="relapse_prevention")
    assert seen(prison, reception_id).needs == ["Crack", "Relapse prevention"]
    commands.tell(
        work(prison), reception_id, party="healthcare", at=prison.at, says="Sleeps badly: seen"
    )
    assert seen(prison, reception_id).weeks[0].talked_on == [date(2026, 11, 11)]
    assert seen(prison, reception_id).silent is None
    prison.at += timedelta(days=8)
    assert seen(prison, reception_id).silent == "Not talked over with healthcare for 8 days"


@pytest.mark.proves("PS-34")
def test_whoever_has_a_dual_diagnosis_follows_cpa_in_every_phase(prison):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    assert seen(prison, reception_id).cpa == ["Whether there is a dual diagnosis was not asked"]
    plan_id = a_plan(prison, reception_id, cpa="no_dual_diagnosis")
    assert seen(prison, reception_id).cpa == []
    changes(prison, plan_id, cpa="to_arrange")
    for phase, at in enumerate((DAY_2, DAY_8, DAY_8 + timedelta(days=21)), start=1):
        prison.at = at
        assert seen(prison, reception_id).cpa == [
            f"Dual diagnosis: CPA is not recorded in phase {phase}"
        ]
        observations.do_task(work(prison), reception_id, task="cpa", phase=phase, done_at=at)
        assert seen(prison, reception_id).cpa == []


@pytest.mark.proves("PS-03")
def test_the_triage_underlies_later_assessments_and_leaves_the_prison_with_consent_alone(
    prison, app, door, clock
):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    prison.at = DAY_2
    found = "Heroin and crack daily"
    prison.delivers(reception_id, "smta", by=["healthcare"], note=found)
    patient_id = prison.stay(reception_id).patient.id
    prison.close()
    community = a_site(prison.database)

    def outside():
        act = prison.act()
        act.site_id = community.id
        return act

    take_onto_caseload(outside(), patient_id)
    told = {"party": "cjit", "at": prison.at, "says": "On our list", "with_triage": True}
    with pytest.raises(Invalid, match="was not asked"):
        commands.tell(work(prison), reception_id, **told)
    for consents in (False, True):
        commands.ask_consent(work(prison), reception_id, consents=consents)
        [triage] = stays.stay(outside(), reception_id).deliveries[-1:]
        assert (triage.note == found) is consents
        shown = [line.says for line in casework.casework_file(outside(), reception_id).lines]
        assert any(found in (says or "") for says in shown) is consents
        assert any("Withheld" in (says or "") for says in shown) is not consents
        if not consents:
            with pytest.raises(Invalid, match="withhold it"):
                commands.tell(work(prison), reception_id, **told)
    commands.tell(work(prison), reception_id, **told)
    assert prison.standing(stays.Delivery, reception_id)[-1].note == found

    clock.set(prison.at)
    prison.close()
    keyworker = door.by_page("carat_keyworker", site=prison.site)
    for item in ("collate_assessments", "csma"):
        assert found in text(keyworker.get(f"/custody/stays/{reception_id}/deliver/{item}"))


@pytest.mark.proves("PS-07", "PS-40")
def test_the_keyworker_makes_the_first_plan_tells_the_parties_and_need_not_deliver_all(prison):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    prison.at = DAY_2
    keyworkers.name_keyworker(prison.act(prison.manager), reception_id, prison.keyworker.id)
    plan_id = a_plan(prison, reception_id, drugs_needs="Heroin daily")
    prison.delivers(reception_id, "csma")
    for party in ("patient", "carat"):
        agreement_commands.agree(work(prison), plan_id, number=2, party=party, agreed_at=prison.at)
    prison.delivers(reception_id, "relaxation", by=["healthcare"], done_by=prison.healthcare.id)
    for party in ("wing", "cjit"):
        commands.tell(work(prison), reception_id, party=party, at=prison.at, says="Plan agreed")
    wrong = commands.attach_peer(
        work(prison), reception_id, name="Somebody", from_on=prison.at.date()
    )
    commands.strike_out(work(prison), "peer", wrong, reason="Another prisoner's")
    peer = commands.attach_peer(
        work(prison), reception_id, name="P. Evans", from_on=prison.at.date(),
        past_participant=True,
    )  # fmt: skip
    prison.at += timedelta(days=2)
    commands.end_peer(work(prison), reception_id, peer, to_on=prison.at.date())
    with pytest.raises(Conflict, match="ended already"):
        commands.end_peer(work(prison), reception_id, peer, to_on=prison.at.date())

    file = casework.casework_file(work(prison), reception_id)

    assert file.plan is not None
    assert file.plan.now.mark == "initial"
    assert set(file.plan.standing) == {"patient", "carat"}
    done = next(
        row for row in prison.stay(reception_id).answer["items"] if row["item"] == "relaxation"
    )
    assert done["status"] == "done"
    assert [line.what for line in file.lines if line.kind == "told"] == [
        "Told: Wing staff", "Told: Community team (CJIT)"
    ]  # fmt: skip
    [kept] = seen(prison, reception_id).peers
    assert (kept.name, kept.past_participant, kept.to_on) == (
        "P. Evans", True, date(2026, 11, 7)
    )  # fmt: skip


def test_the_phases_by_page_and_over_http(app, prison, door, clock):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    prison.close()
    clock.set(DAY_8)
    app.config["WTF_CSRF_ENABLED"] = True
    keyworker = door.by_page("carat_keyworker", site=prison.site)
    url = f"/phases/stays/{reception_id}"
    assert "Phases: now in phase 2" in text(keyworker.get(url))
    refused = send(keyworker, f"{url}/moves/3", reason="Keen", **boxes("from_on", 10))
    assert "must not be before day 8" in text(refused)
    assert "Keen" in refused.text
    moved = send(keyworker, f"{url}/moves/3", reason="Leaves soon", **boxes("from_on", 11))
    assert "Phases: now in phase 2 and 3" in text(moved)
    told = {"party": "cjit", "says": "Released soon", **boxes("at", 11, time="10:00")}
    assert "was not asked: ask first" in text(
        send(keyworker, f"{url}/tellings/new", with_triage="yes", **told)
    )
    send(keyworker, f"{url}/consent", consents="no")
    send(keyworker, f"{url}/tellings/new", with_triage="no", **told)
    send(keyworker, f"{url}/peers/new", name="P. Evans", **boxes("from_on", 11))
    shown = text(keyworker.get(url))
    for words in ("Released soon", "P. Evans", ": withheld", "Not offered yet", "Leaves soon"):
        assert words in shown
    leaving = text(keyworker.get(f"/custody/stays/{reception_id}"))
    assert "who was told, peer supporters" in leaving
    app.config["WTF_CSRF_ENABLED"] = False

    api = door.by_token("carat_keyworker", site=prison.site)
    stay = f"/api/v1/receptions/{reception_id}"
    body = api.get(f"{stay}/phases").get_json()
    assert (body["now"], body["consent"]["consents"]) == ([2, 3], False)
    given = {"phase": 3, "from_on": "2026-11-10", "reason": "Keen"}
    assert api.post(f"{stay}/phase-moves", json=given).status_code == 422
    again = api.post(f"{stay}/phase-moves", json={**given, "from_on": "2026-11-20"})
    assert (again.status_code, again.get_json()["now"]) == (201, [2])
    [move] = again.get_json()["moves"]
    struck = api.post(f"/api/v1/phases/move/{move['id']}/strike-out", json={"reason": "A slip"})
    assert struck.status_code == 204
    assert api.get(f"{stay}/phases").get_json()["moves"] == []
