"""Sessions not held, the file in its order, the end of the 28 days, transfers between prisons."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.casework import commands, moves, queries
from clinic.casework.models import CaseworkEntry, Certificate, Completion
from clinic.casework.pages import prisons_of
from clinic.custody import commands as custody
from clinic.custody import fact_commands
from clinic.custody import queries as custody_queries
from clinic.errors import Conflict, Invalid
from clinic.keyworkers import commands as keyworkers
from clinic.observations import commands as observations
from tests.clinic.custody.test_pages import boxes, send, text
from tests.factories.custody import RECEIVED, a_prison

DAY_10 = datetime(2026, 11, 13, 11, 0, tzinfo=UTC)
DAY_28 = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)


@pytest.fixture
def prison(database):
    made = a_prison(database)
    yield made
    made.close()


def work(prison):
    return prison.act(prison.keyworker)


def by(one, other, staff=None):
    """Work at one prison once the other's reading is let go."""
    other.close()
    return one.act(staff)


def status(prison, reception_id, item):
    answer = prison.stay(reception_id).answer
    return next(row["status"] for row in answer["items"] if row["item"] == item)


@pytest.mark.parametrize("item", ["final_review", "certificate"])
def test_the_last_duties_are_not_closed_by_a_bare_entry(prison, item):
    reception_id = prison.receives()

    with pytest.raises(Invalid, match="is recorded"):
        prison.delivers(reception_id, item)

    assert status(prison, reception_id, item) == "due"


@pytest.mark.proves("PS-32", "PS-35", "CW-05")
def test_the_file_keeps_what_was_tried_beside_what_was_done_and_what_was_struck_out(prison):
    reception_id = prison.receives()
    due = prison.due(reception_id, "initial_keywork")
    prison.at = RECEIVED + timedelta(days=1)
    given = {"kind": "light", "item": "initial_keywork", "at": prison.at}
    for reason, field in ((None, "reason"), ("busy", "reason"), ("other", "says")):
        with pytest.raises(Invalid) as refused:
            commands.record_entry(work(prison), reception_id, **given, reason=reason)
        assert refused.value.faults[0][0] == field
    entry = commands.record_entry(work(prison), reception_id, **given, reason="withdrawal")
    prison.at += timedelta(days=1)
    prison.delivers(reception_id, "initial_keywork", note="Options explained")
    wrong = commands.record_entry(
        work(prison), reception_id, kind="note", at=prison.at, says="About somebody else"
    )
    commands.strike_out(work(prison), "entry", wrong, reason="Wrong person")

    file = queries.casework_file(work(prison), reception_id)

    told = [(line.kind, line.what, line.struck) for line in file.lines]
    assert told == [
        ("stay", "Reception Wed 4 Nov 2026, 14:30, screening not done", None),
        ("not_held", "First keywork session: light contact instead", None),
        ("delivered", "First keywork session", None),
        ("note", "Note", "Wrong person"),
    ]
    assert "In withdrawal" in (file.lines[1].says or "")
    assert prison.due(reception_id, "initial_keywork") == due
    assert file.lines[1].entry_id == entry
    with pytest.raises(Conflict, match="already"):
        commands.strike_out(work(prison), "entry", wrong, reason="Again")
    assert prison.act().session.get(CaseworkEntry, wrong).says == "About somebody else"


@pytest.mark.proves("PS-32")
def test_what_was_seen_on_the_wing_and_held_already_is_in_the_file_too(prison):
    reception_id = prison.receives()
    prison.at = RECEIVED + timedelta(hours=2)
    seen = {"at": prison.at, "mood": "low"}
    wrong = observations.observe(work(prison), reception_id, seen="unwell", **seen)
    observations.strike_out(work(prison), "observation", wrong, reason="Wrong cell")
    observations.observe(work(prison), reception_id, seen="settled", says="Ate", **seen)
    observations.say_stimulants(work(prison), reception_id, uses=True)
    observations.hold_assessment(
        work(prison), reception_id, kind="dir", done_on=RECEIVED.date(), held_from="Taf CJIT"
    )
    observations.do_task(
        work(prison), reception_id, task="stabilise", phase=1, done_at=prison.at, says="No signs"
    )

    lines = queries.casework_file(work(prison), reception_id).lines[1:]

    assert [(line.kind, line.what, line.says, line.struck) for line in lines] == [
        ("observed", "Seen on the wing: unwell", "Mood low", "Wrong cell"),
        ("observed", "Seen on the wing: settled", "Mood low. Ate", None),
        ("observed", "Stimulant use: yes", None, None),
        ("observed", "Drug Interventions Record (DIR) of 4 Nov 2026 is here",
         "From Taf CJIT. Consent to share not asked", None),
        ("delivered", "Phase 1: Stabilise", "No signs", None),
    ]  # fmt: skip


@pytest.mark.proves("PS-20", "PS-21", "PS-37")
def test_day_28_asks_for_a_next_step_and_a_review_put_right_keeps_the_first(prison):
    reception_id = prison.receives(screening="positive", screened_at=RECEIVED)
    assert not queries.without_next_step(work(prison))
    prison.at = DAY_28
    (lacking,) = queries.without_next_step(work(prison))
    assert (lacking.reception_id, lacking.day_28) == (reception_id, date(2026, 12, 1))
    given = {"reviewed_at": DAY_28, "exit_strategy": "Keeps seeing the team"}
    with pytest.raises(Invalid, match="next_says"):
        commands.complete(work(prison), reception_id, next_step="declined", **given)

    commands.complete(work(prison), reception_id, next_step="carat_goes_on", **given)

    assert not queries.without_next_step(work(prison))
    assert status(prison, reception_id, "final_review") == "done"
    file = queries.casework_file(work(prison), reception_id)
    assert [kind for kind, _ in file.asked] == ["post_28_programme", "vdt", "mutual_aid"]
    with pytest.raises(Invalid, match="reason"):
        commands.complete(work(prison), reception_id, next_step="programme", **given)
    second = commands.complete(
        work(prison), reception_id, next_step="programme", reason="A place came up", **given
    )
    rows = prison.act().session.query(Completion).order_by(Completion.id).all()
    assert [row.struck_reason for row in rows] == ["A place came up", None]
    commands.strike_out(work(prison), "completion", second, reason="Not held after all")
    assert status(prison, reception_id, "final_review") == "due"
    assert len(queries.without_next_step(work(prison))) == 1


@pytest.mark.proves("PS-30", "TT-16")
def test_a_certificate_lists_what_was_attended_and_a_second_takes_its_place(prison):
    reception_id = prison.receives()
    prison.at = DAY_10
    group = {"topic": "crack", "mode": "group"}
    prison.delivers(reception_id, "group_session", outcome="declined", **group)
    with pytest.raises(Conflict, match="No session was attended"):
        commands.certify(work(prison), reception_id)
    prison.delivers(reception_id, "group_session", topic="alcohol", mode="one_to_one")
    first = commands.certify(work(prison), reception_id)
    prison.delivers(reception_id, "relaxation")

    with pytest.raises(Invalid, match="reason"):
        commands.certify(work(prison), reception_id)
    second = commands.certify(work(prison), reception_id, reason="Relaxation was left out")

    session = prison.act().session
    assert [each["topic"] for each in session.get_one(Certificate, first).sessions] == ["alcohol"]
    kept = session.get_one(Certificate, second)
    assert (kept.number, {each["item"] for each in kept.sessions}) == (
        2, {"group_session", "relaxation"},
    )  # fmt: skip
    assert status(prison, reception_id, "certificate") == "done"
    commands.strike_out(work(prison), "certificate", second, reason="Given to the wrong person")
    assert status(prison, reception_id, "certificate") == "due"


@pytest.mark.proves("RC-10", "RC-11", "RC-12", "RC-15", "TT-18")
def test_a_move_keeps_its_day_count_and_the_sender_until_the_receiving_team_accepts(
    prison, database
):
    reception_id = prison.receives()
    receiving = a_prison(database, name="HMP Receiving", at=RECEIVED)
    prison.close()
    prison.at = receiving.at = RECEIVED + timedelta(days=5)
    fact_commands.record_transfer(
        by(prison, receiving),
        reception_id,
        on=date(2026, 11, 12),
        receiving_site_id=receiving.site.id, prescriber_cover=False,
    )  # fmt: skip
    (coming,) = moves.arrivals(by(receiving, prison))
    assert (coming.day, coming.day_moved, coming.unnamed, coming.moved) == (6, 9, True, False)
    assert coming.prescriber_there is False
    assert [each.reception_id for each in moves.handing_over(by(prison, receiving))] == [
        reception_id
    ]
    with pytest.raises(Conflict, match="not moved yet"):
        commands.accept_transfer(by(receiving, prison), reception_id)

    receiving.at = prison.at = datetime(2026, 11, 12, 15, 0, tzinfo=UTC)
    custody.receive_transfer(by(receiving, prison), reception_id, arrived_at=receiving.at)
    with pytest.raises(Conflict, match="Name a keyworker first"):
        commands.accept_transfer(by(receiving, prison), reception_id)
    keyworkers.name_keyworker(
        by(receiving, prison, receiving.manager), reception_id, receiving.keyworker.id
    )
    with pytest.raises(Conflict, match="receiving prison accepts"):
        commands.accept_transfer(by(prison, receiving), reception_id, accepted_by="Somebody")
    (arrived,) = moves.arrivals(by(receiving, prison))
    assert (arrived.day, arrived.moved, arrived.unnamed) == (9, True, False)
    assert moves.handing_over(by(prison, receiving))
    stay = custody_queries.stay(by(receiving, prison), reception_id)
    assert prisons_of(stay, receiving.at) == [prison.site.name, "HMP Receiving"]
    assert prisons_of(stay, RECEIVED) == [prison.site.name]

    accepted = commands.accept_transfer(
        by(receiving, prison), reception_id, says="Plan to be agreed"
    )

    assert not moves.handing_over(by(prison, receiving))
    (there,) = moves.arrivals(by(receiving, prison))
    assert there.accepted is not None
    with pytest.raises(Conflict, match="accepted already"):
        commands.accept_transfer(by(receiving, prison), reception_id)
    commands.strike_out(by(receiving, prison), "acceptance", accepted, reason="Accepted too early")
    assert moves.handing_over(by(prison, receiving))
    receiving.close()


def test_a_prison_outside_the_service_is_said_by_the_sender_to_have_accepted(prison):
    reception_id = prison.receives()
    prison.at = RECEIVED + timedelta(days=2)
    fact_commands.record_transfer(
        prison.act(), reception_id, on=prison.at.date(), receiving_prison="HMP Elsewhere",
        nation="scotland",
    )  # fmt: skip
    fact_commands.record_exit(prison.act(), reception_id, at=prison.at, how="transfer")
    assert moves.handing_over(prison.act())
    with pytest.raises(Invalid, match="accepted_by"):
        commands.accept_transfer(prison.act(), reception_id)

    commands.accept_transfer(prison.act(), reception_id, accepted_by="J. Doe, CARATs")

    assert not moves.handing_over(prison.act())


@pytest.mark.proves("PS-30", "PS-32")
def test_the_file_is_read_printed_and_exported_by_page(app, prison, door, clock):
    clock.set(DAY_28)
    app.config["WTF_CSRF_ENABLED"] = True
    reception_id = prison.receives(patient_id=prison.patient(family_name="Wren"))
    prison.at = DAY_10
    prison.delivers(reception_id, "relaxation")
    prison.close()
    keyworker = door.by_page("carat_keyworker", site=prison.site)
    url = f"/casework/stays/{reception_id}"

    assert "Say what comes next" in text(keyworker.get("/"))
    assert "say what comes next" in text(keyworker.get(url))
    refused = send(keyworker, f"{url}/entries/new", kind="missed", item="smta")
    assert "The time" in text(refused)
    noted = send(
        keyworker, f"{url}/entries/new", kind="note", item="", reason="", says="Seen at work",
        **boxes("at", 20, time="10:00"),
    )  # fmt: skip
    assert "It is in the casework file." in text(noted)
    done = send(
        keyworker, f"{url}/completion", by=["carat"], exit_strategy="Keeps his room",
        next_step="community",
        **{"reviewed_at-day": 1, "reviewed_at-month": 12, "reviewed_at-year": 2026,
           "reviewed_at-time": "10:00"},
    )  # fmt: skip
    assert "The final review is recorded." in text(done)
    given = send(keyworker, f"{url}/certificate")
    assert "1 session. Print (PDF)" in text(given)
    certificate = prison.act().session.query(Certificate).one()
    prison.close()
    paper = keyworker.get(f"/casework/certificates/{certificate.id}.pdf")
    assert paper.data.startswith(b"%PDF")
    table = keyworker.get(f"{url}/file.csv").text
    assert "WREN" not in table.upper()
    assert "Relaxation session" in table
    sheet = text(keyworker.get(f"{url}/transfer"))
    assert "day 28 of 28" in sheet
    assert "Nobody inside their 28 days" in text(keyworker.get("/casework/moves"))
    app.config["WTF_CSRF_ENABLED"] = False


def test_the_same_over_http(prison, door):
    reception_id = prison.receives()
    prison.delivers(reception_id, "relaxation")
    prison.close()
    api = door.by_token("carat_keyworker", site=prison.site)
    url = f"/api/v1/receptions/{reception_id}"
    at = RECEIVED.isoformat()

    made = api.post(f"{url}/casework", json={"kind": "note", "at": at, "says": "Seen briefly"})
    assert made.status_code == 201
    assert made.json["lines"][-1]["says"] == "Seen briefly"
    review = {"reviewed_at": at, "exit_strategy": "None yet", "next_step": "other"}
    refused = api.post(f"{url}/completion", json=review)
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "next_says")
    assert api.post(f"{url}/completion", json={**review, "next_says": "x"}).status_code == 201
    assert api.post(f"{url}/certificate", json={}).json["certificate"]["number"] == 1
    file = api.get(f"{url}/casework").json
    assert file["completion"]["next_step"] == "other"
    gone = f"/api/v1/casework/certificate/{file['certificate']['id']}/strike-out"
    assert api.post(gone, json={"reason": "In error"}).status_code == 204
    assert api.post(gone, json={"reason": "In error"}).status_code == 409
    assert api.post(f"{url}/acceptance", json={}).status_code == 409
    assert api.get("/api/v1/custody/moves").json == {"arrivals": [], "handing_over": []}
