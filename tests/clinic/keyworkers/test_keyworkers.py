"""Naming, changing and taking back a keyworker; cover; a caseload and its week; pages and API."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from clinic.appointments.models import StaffLeave
from clinic.custody import fact_commands, worklists
from clinic.errors import Conflict, Forbidden, Invalid
from clinic.keyworkers import commands, queries
from clinic.keyworkers.models import KeyworkerChange, KeyworkerCover
from clinic.patients.models import Allocation
from tests.clinic.custody.test_pages import boxes, send, text
from tests.factories import base
from tests.factories.custody import RECEIVED, a_prison

DAY_2 = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)


@pytest.fixture
def prison(database):
    made = a_prison(database)
    made.second = base.a_member_of_staff(database, made.site, "carat_keyworker", name="Eve Hall")
    yield made
    made.close()


def names(prison, reception_id, staff, **more):
    commands.name_keyworker(prison.act(prison.manager), reception_id, staff.id, **more)


def suggested(prison):
    work = prison.act(prison.manager)
    loads = queries.loads(work)
    return {
        key: each.staff_id
        for key, each in queries.suggestions(work, worklists.to_be_named(work), loads).items()
    }


@pytest.mark.proves("PS-06", "KW-04")
def test_a_change_is_coded_and_kept_and_what_is_recorded_wrongly_is_taken_back(prison):
    reception_id = prison.receives()
    prison.at = DAY_2
    names(prison, reception_id, prison.keyworker)

    with pytest.raises(Invalid, match="reason_code: must be one of"):
        names(prison, reception_id, prison.second, reason_code="prefers")
    with pytest.raises(Invalid, match="say which reason"):
        names(prison, reception_id, prison.second, reason_code="other")
    names(prison, reception_id, prison.second, reason_code="asked_by_patient")

    session = prison.act().session
    assert session.scalars(select(KeyworkerChange.code)).all() == ["asked_by_patient"]

    def undo():
        version = prison.version(reception_id)
        commands.undo_naming(
            prison.act(prison.manager), reception_id, version=version, reason="Wrong one picked"
        )

    undo()
    assert prison.stay(reception_id).keyworker.id == prison.keyworker.id
    rows = prison.act().session.scalars(select(Allocation).order_by(Allocation.id)).all()
    assert [row.ended_at is None for row in rows] == [False, False, True]


@pytest.mark.proves("PS-05")
def test_a_first_naming_taken_back_leaves_the_duty_open_again(prison):
    reception_id = prison.receives()
    names(prison, reception_id, prison.keyworker)
    assert not worklists.to_be_named(prison.act())
    [named] = [row for row in prison.stay(reception_id).deliveries if row.item == "keyworker_named"]
    with pytest.raises(Conflict, match="beside their name"):
        fact_commands.strike_out(
            prison.act(), reception_id, "delivery", named.id,
            version=prison.version(reception_id), reason="Wrong person",
        )  # fmt: skip

    commands.undo_naming(
        prison.act(prison.manager), reception_id, version=prison.version(reception_id),
        reason="Wrong person",
    )  # fmt: skip

    assert [row.reception_id for row in worklists.to_be_named(prison.act())] == [reception_id]
    with pytest.raises(Conflict, match="Nobody is named"):
        commands.undo_naming(
            prison.act(prison.manager), reception_id, version=prison.version(reception_id),
            reason="Again",
        )  # fmt: skip


def test_suggested_is_whoever_is_there_and_carries_fewest_counting_those_covered(prison):
    carried = [prison.receives() for _ in range(3)]
    for reception_id in carried[:2]:
        names(prison, reception_id, prison.second)
    names(prison, carried[2], prison.keyworker)
    waiting = prison.receives()
    assert suggested(prison) == {waiting: prison.keyworker.id}

    cover = commands.arrange_cover(
        prison.act(prison.manager), prison.second.id, prison.keyworker.id,
        from_on=RECEIVED.date(), to_on=date(2026, 11, 12),
    )  # fmt: skip

    loads = {each.staff_id: each for each in queries.loads(prison.act())}
    assert (loads[prison.keyworker.id].people, loads[prison.keyworker.id].covered) == (3, 2)
    assert loads[prison.second.id].away
    assert loads[prison.second.id].covered_by == "Tom Lewis"
    assert suggested(prison) == {waiting: prison.keyworker.id}  # the other one is away

    commands.withdraw_cover(prison.act(prison.manager), cover, reason="Back early")
    names(prison, waiting, prison.keyworker)
    names(prison, prison.receives(), prison.keyworker)
    with prison.database.transaction() as session:
        session.add(
            StaffLeave(
                staff_id=prison.second.id, starts_at=RECEIVED, ends_at=RECEIVED + timedelta(days=2),
                reason="annual", withdrawn_at=None, withdrawn_by=None, recorded_at=RECEIVED,
                recorded_by=prison.manager.id,
            )
        )  # fmt: skip
    last = prison.receives()
    assert suggested(prison) == {last: prison.keyworker.id}


def test_nobody_is_covered_twice_nor_by_somebody_who_is_covered(prison):
    def arrange(away, cover, first, last):
        return commands.arrange_cover(
            prison.act(prison.manager), away.id, cover.id, from_on=date(2026, 11, first),
            to_on=date(2026, 11, last),
        )  # fmt: skip

    arrange(prison.second, prison.keyworker, 6, 12)

    with pytest.raises(Conflict, match="covered on some of these days"):
        arrange(prison.second, prison.keyworker, 12, 13)
    with pytest.raises(Invalid, match="somebody covers for them"):
        arrange(prison.keyworker, prison.second, 12, 13)
    with pytest.raises(Invalid, match="somebody else"):
        arrange(prison.second, prison.second, 20, 21)
    with pytest.raises(Invalid, match="must be a keyworker of this prison"):
        arrange(prison.second, prison.manager, 20, 21)
    arrange(prison.second, prison.keyworker, 13, 13)
    kept = prison.act().session.scalars(select(KeyworkerCover)).all()
    assert len(kept) == 2


def test_whoever_covers_sees_the_others_people_in_their_week(prison):
    reception_id = prison.receives()
    prison.at = DAY_2
    names(prison, reception_id, prison.second)
    assert queries.caseload(prison.act(), prison.keyworker.id) == []
    commands.arrange_cover(
        prison.act(prison.manager), prison.second.id, prison.keyworker.id,
        from_on=DAY_2.date(), to_on=DAY_2.date(),
    )  # fmt: skip

    late, days = queries.week(prison.act(), prison.keyworker.id)

    assert {row.item for row in late} == {"reception_screening"}
    assert [day.on for day in days] == [date(2026, 11, 5) + timedelta(days=n) for n in range(7)]
    assert "smta" in {row.item for row in days[0].work}
    (mine,) = queries.caseload(prison.act(), prison.second.id)
    assert (mine.day, mine.reception_id) == (2, reception_id)
    assert queries.dates_changed(prison.act(), prison.keyworker.id) == []
    fact_commands.record_release(prison.act(), reception_id, on=date(2026, 11, 9))
    (told,) = queries.dates_changed(prison.act(), prison.keyworker.id)
    assert (told.reception_id, told.because) == (reception_id, "Release date recorded")
    assert told.dates == len(prison.stay(reception_id).versions[0].changes) > 0
    prison.at += timedelta(days=8)
    assert queries.dates_changed(prison.act(), prison.second.id) == []


@pytest.mark.proves("PS-05", "CM-42")
def test_a_manager_names_covers_and_reads_a_caseload_by_page(app, prison, door, clock):
    clock.set(DAY_2)
    app.config["WTF_CSRF_ENABLED"] = True
    reception_id = prison.receives(patient_id=prison.patient(family_name="Wren"))
    prison.close()
    manager = door.by_page("manager", site=prison.site)

    team = text(manager.get("/custody/keyworkers"))
    assert "Tom Lewis: carries fewest: 0 people" in team
    send(manager, f"/custody/stays/{reception_id}/keyworker", staff_id=prison.second.id)
    refused = send(
        manager, "/custody/covers/new", staff_id=prison.second.id, cover_id=prison.second.id,
        **{"from_on-day": 5, "from_on-month": 11, "from_on-year": 2026, "to_on-day": 9,
           "to_on-month": 11, "to_on-year": 2026},
    )  # fmt: skip
    assert "must be somebody else" in text(refused)
    arranged = send(
        manager, "/custody/covers/new", staff_id=prison.second.id, cover_id=prison.keyworker.id,
        **{"from_on-day": 5, "from_on-month": 11, "from_on-year": 2026, "to_on-day": 9,
           "to_on-month": 11, "to_on-year": 2026},
    )  # fmt: skip
    assert "looks after the people of Eve Hall" in text(arranged)
    mine = text(manager.get(f"/custody/caseload/{prison.second.id}"))
    assert "1 of 25 people" in mine
    assert "Covered by Tom Lewis" in mine
    assert "WREN" in mine
    assert "WREN" in text(manager.get("/custody/caseload/team"))
    own = door.by_page("carat_keyworker", site=prison.site)
    assert "<h1>Your people and your week</h1>" in own.get("/custody/caseload").text
    app.config["WTF_CSRF_ENABLED"] = False


def test_the_same_over_http(prison, door):
    reception_id = prison.receives()
    prison.close()
    manager = door.by_token("manager", site=prison.site)

    team = manager.get("/api/v1/keyworkers").json
    assert team["suggestions"][0]["staff_id"] == prison.keyworker.id
    url = f"/api/v1/receptions/{reception_id}/keyworker"
    named = manager.post(url, json={"staff_id": prison.keyworker.id})
    assert named.status_code == 201
    refused = manager.post(url, json={"staff_id": prison.second.id})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "reason_code")
    undone = manager.post(
        f"{url}/undo", json={"reason": "Wrong"}, headers={"If-Match": named.headers["ETag"]}
    )
    assert (undone.status_code, undone.json["keyworker_id"]) == (200, None)
    given = {"staff_id": prison.second.id, "cover_id": prison.keyworker.id}
    today = datetime.now(UTC).date()
    days = {"from_on": today.isoformat(), "to_on": (today + timedelta(days=9)).isoformat()}
    cover = manager.post("/api/v1/keyworkers/covers", json={**given, **days})
    assert cover.status_code == 201
    assert manager.post("/api/v1/keyworkers/covers", json={**given, **days}).status_code == 409
    gone = f"/api/v1/keyworkers/covers/{cover.json['id']}/withdraw"
    assert manager.post(gone, json={"reason": "Back"}).status_code == 204
    assert manager.post(gone, json={"reason": "Back"}).status_code == 409
    assert manager.get("/api/v1/caseload").json == {"people": []}
    assert manager.get("/api/v1/caseload/99999").status_code == 404


@pytest.mark.proves("CM-42")
def test_a_prison_sets_its_own_ceiling_from_a_day_on_with_a_reason(prison, app, door, clock):
    reception_id = prison.receives()
    names(prison, reception_id, prison.keyworker)
    given = {"most": 5, "from_on": date(2026, 11, 5)}
    with pytest.raises(Invalid, match="reason"):
        commands.set_ceiling(prison.act(prison.manager), **given, reason=" ")
    with pytest.raises(Invalid, match="from 5 to 40"):
        commands.set_ceiling(prison.act(prison.manager), **given | {"most": 4}, reason="Few")
    with pytest.raises(Forbidden):
        commands.set_ceiling(prison.act(prison.keyworker), **given, reason="Few")
    commands.set_ceiling(prison.act(prison.manager), **given, reason="Two are new here")
    assert {load.most for load in queries.loads(prison.act())} == {25}
    prison.at = DAY_2
    assert {load.most for load in queries.loads(prison.act())} == {5}
    assert queries.ceiling(prison.act()).row.reason == "Two are new here"

    clock.set(DAY_2)
    prison.close()
    app.config["WTF_CSRF_ENABLED"] = True
    manager = door.by_page("manager", site=prison.site)
    shown = text(manager.get("/custody/keyworkers"))
    assert "5 people to one keyworker was set here by Mair Rees from Thu 5 Nov 2026" in shown
    refused = send(
        manager, "/custody/keyworkers/ceiling", most="99", reason="Many", **boxes("from_on", 5)
    )
    assert "from 5 to 40" in text(refused)
    again = send(
        manager, "/custody/keyworkers/ceiling", most="", reason="A slip", **boxes("from_on", 5)
    )
    assert "25 people to one worker is the ratio" in text(again)
    assert "Annex D" in text(again)
    app.config["WTF_CSRF_ENABLED"] = False
    api = door.by_token("manager", site=prison.site)
    body = {"most": 30, "from_on": "2026-11-05", "reason": "Nobody to be had"}
    set_ = api.post("/api/v1/keyworkers/ceiling", json=body)
    assert (set_.status_code, set_.get_json()["ceiling"]) == (201, 30)
    assert api.post("/api/v1/keyworkers/ceiling", json={**body, "most": 41}).status_code == 422
