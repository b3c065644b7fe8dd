"""Rounds seen and missed, the watch, what is held already, tasks by phase; pages and API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

import clinic.custody.risk  # noqa: F401 - it tells the banner of the first days
from clinic.custody import fact_commands
from clinic.custody.models import Reception
from clinic.errors import Conflict, Forbidden, Invalid
from clinic.observations import commands, queries
from clinic.observations.models import StimulantUse
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from tests.clinic.custody.test_pages import boxes, send, text
from tests.factories.custody import RECEIVED

DAY_2 = datetime(2026, 11, 5, 15, 0, tzinfo=UTC)


def states(prison, reception_id):
    view = queries.first_days(prison.act(), reception_id)
    return [(each.day, each.part, each.state) for each in view.rounds[:4]]


@pytest.mark.proves("TT-25", "PS-33")
def test_a_missed_round_is_flagged_until_what_was_seen_is_recorded_and_again_once_struck(prison):
    reception_id = prison.receives()
    quiet = prison.receives(patient_id=prison.patient(), screening="negative",
                            screened_at=RECEIVED)  # fmt: skip
    prison.at = DAY_2
    assert states(prison, reception_id) == [
        (1, "evening", "missed"), (2, "morning", "missed"), (2, "evening", "open"),
        (3, "morning", "to_come"),
    ]  # fmt: skip
    with pytest.raises(Invalid, match="before the reception"):
        commands.observe(
            prison.act(), reception_id, at=RECEIVED - timedelta(hours=1), seen="settled"
        )
    wrong = commands.observe(
        prison.act(), reception_id, at=RECEIVED + timedelta(hours=4), seen="settled"
    )
    commands.observe(prison.act(), reception_id, at=DAY_2, seen="unwell", mood="low")

    assert [state for *_, state in states(prison, reception_id)][:3] == ["seen", "missed", "seen"]
    (row,) = queries.this_round(prison.act())
    assert (row.reception_id, row.now.state, len(row.missed)) == (reception_id, "seen", 1)
    commands.strike_out(prison.act(), "observation", wrong, reason="The next cell")
    assert states(prison, reception_id)[0] == (1, "evening", "missed")
    with pytest.raises(Conflict, match="already"):
        commands.strike_out(prison.act(), "observation", wrong, reason="Again")
    assert quiet not in [each.reception_id for each in queries.this_round(prison.act())]


def test_nobody_who_left_is_to_be_seen_and_none_of_it_was_missed(prison):
    reception_id = prison.receives()
    fact_commands.record_exit(prison.act(), reception_id, at=RECEIVED, how="court")
    prison.at = DAY_2

    assert queries.this_round(prison.act()) == []
    assert states(prison, reception_id) == []
    with pytest.raises(Invalid, match="after they left"):
        commands.observe(prison.act(), reception_id, at=DAY_2, seen="settled")


@pytest.mark.proves("PS-33", "DR-08")
def test_stimulant_use_not_asked_is_watched_and_every_answer_is_kept(prison):
    reception_id = prison.receives()
    assert "not asked" in queries.first_days(prison.act(), reception_id).watch

    commands.say_stimulants(prison.act(), reception_id, uses=False)
    view = queries.first_days(prison.act(), reception_id)
    assert (view.watch, view.heightened) == (None, "Heightened risk: the first 28 days")
    commands.say_stimulants(prison.act(), reception_id, uses=True)

    assert "Stimulant user" in queries.first_days(prison.act(), reception_id).watch
    rows = prison.act().session.query(StimulantUse).order_by(StimulantUse.id).all()
    assert [(row.uses, row.struck_at is None) for row in rows] == [(False, False), (True, True)]
    prison.at = RECEIVED + timedelta(days=28)
    later = queries.first_days(prison.act(), reception_id)
    assert (later.day, later.watch, later.heightened) == (29, None, None)


@pytest.mark.proves("PS-33", "WO-05")
def test_a_clinician_goes_on_observing_or_ends_earlier_and_each_entry_is_kept(prison):
    reception_id = prison.receives()
    prison.at = RECEIVED + timedelta(days=1)
    with pytest.raises(Forbidden):
        commands.end_observations(
            prison.act(prison.keyworker), reception_id, last_on=date(2026, 11, 12), reason="Settled"
        )
    with pytest.raises(Invalid, match="is the last day already"):
        commands.end_observations(
            prison.act(), reception_id, last_on=date(2026, 11, 10), reason="Settled"
        )
    commands.end_observations(
        prison.act(), reception_id, last_on=date(2026, 11, 12), reason="Low mood"
    )
    prison.at = RECEIVED + timedelta(days=8)  # day 9: longer than the first week
    (row,) = queries.this_round(prison.act())
    assert (row.day, row.now.state) == (9, "open")

    made = commands.end_observations(
        prison.act(), reception_id, last_on=date(2026, 11, 16), reason="Still low"
    )
    with pytest.raises(Forbidden):
        commands.strike_out(prison.act(prison.keyworker), "end", made, reason="Wrong person")
    commands.strike_out(prison.act(), "end", made, reason="Wrong person")

    view = queries.first_days(prison.act(), reception_id)
    assert (view.end.reason, view.last_on) == ("Low mood", date(2026, 11, 12))
    assert [each.struck_reason for each in view.ends] == ["Wrong person"]
    assert view.rounds[-1].on == date(2026, 11, 12)


@pytest.mark.proves("DR-08")
def test_the_banner_says_the_first_days_in_custody_and_out_of_it(prison):
    reception_id = prison.receives()
    patient = prison.act().session.get(Reception, reception_id).patient_id

    def risk(days):
        work = prison.act(at=RECEIVED + timedelta(days=days))
        return banner(work, work.session.get(Patient, patient)).risk

    assert risk(27) == "Heightened risk: the first 28 days"
    assert risk(28) is None
    fact_commands.record_exit(prison.act(), reception_id, at=RECEIVED, how="court")
    assert risk(21) == "Heightened risk: out of custody since Wed 4 Nov 2026"
    assert risk(22) is None


@pytest.mark.proves("PS-38")
def test_a_task_belongs_to_its_phases_and_is_done_once_in_each(prison):
    reception_id = prison.receives()
    given = {"task": "other_health", "done_at": RECEIVED}
    with pytest.raises(Invalid, match="must be one of: 1, 2"):
        commands.do_task(prison.act(), reception_id, phase=3, **given)

    commands.do_task(prison.act(), reception_id, phase=1, **given)

    view = queries.first_days(prison.act(), reception_id)
    done = {(number, task.id) for number, tasks in view.tasks for task, row in tasks if row}
    assert done == {(1, "other_health")}
    with pytest.raises(Conflict, match="done already"):
        commands.do_task(prison.act(), reception_id, phase=1, **given)


@pytest.mark.proves("PS-01", "PS-04", "PS-33")
def test_a_round_is_recorded_by_page_and_a_dir_held_already_warns_of_asking_again(
    app, prison, door, clock
):
    clock.set(DAY_2)
    app.config["WTF_CSRF_ENABLED"] = True
    reception_id = prison.receives(patient_id=prison.patient(family_name="Wren"))
    prison.close()
    nurse = door.by_page("prison_healthcare", site=prison.site)
    url = f"/observations/stays/{reception_id}"

    assert "Observe, day 2 (2 missed)" in text(nurse.get("/"))
    seen = send(nurse, f"{url}/observe", seen="distressed", **boxes("at", 5, time="14:50"))
    assert "Recorded. Tell the duty nurse now." in text(seen)
    assert "Tell the duty nurse now" in text(nurse.get("/observations/"))
    later = send(nurse, f"{url}/observe", seen="settled", **boxes("at", 5, time="14:55"))
    assert "Tell the duty nurse now" not in text(later)
    assert "2 missed" in text(nurse.get("/observations/"))
    held = send(
        nurse, f"{url}/held/new", kind="dir", held_from="CJIT", covers="to item 6.2", consent="",
        **boxes("done_on", 1),
    )  # fmt: skip
    assert "Consent to share not asked" in text(held)
    assert "it passes to the CARAT team" not in text(held)  # day 2: it has passed
    asked = text(nurse.get(f"/custody/stays/{reception_id}/deliver/smta"))
    assert "Drug Interventions Record (DIR) of 1 Nov 2026 from CJIT (to item 6.2)" in asked
    assert "duplication" in asked
    app.config["WTF_CSRF_ENABLED"] = False


def test_the_same_over_http(prison, door):
    reception_id = prison.receives()
    prison.close()
    api = door.by_token("prison_healthcare", site=prison.site)
    url = f"/api/v1/receptions/{reception_id}"

    refused = api.post(f"{url}/observations", json={"at": RECEIVED.isoformat(), "seen": "fine"})
    assert refused.status_code == 422
    made = api.post(f"{url}/observations", json={"at": RECEIVED.isoformat(), "seen": "settled"})
    assert (made.status_code, made.json["rounds"][0]["state"]) == (201, "seen")
    assert api.post(f"{url}/stimulants", json={"uses": True}).json["stimulants"] is True
    day = date(2026, 11, 1).isoformat()
    given = {"kind": "dir", "done_on": day, "held_from": "CJIT"}
    assert api.post(f"{url}/held-assessments", json=given).json["held"][0]["consent"] is None
    task = {"task": "stabilise", "phase": 1, "done_at": RECEIVED.isoformat()}
    assert api.post(f"{url}/phase-tasks", json=task).status_code == 201
    assert api.post(f"{url}/phase-tasks", json=task).status_code == 409
    assert api.get(f"{url}/first-days").json["tasks"][0]["done"]["done_at"]
    gone = f"/api/v1/first-days/observation/{made.json['observations'][0]['id']}/strike-out"
    assert api.post(gone, json={"reason": "Wrong cell"}).status_code == 204
    assert isinstance(api.get("/api/v1/observations/round").json["people"], list)
