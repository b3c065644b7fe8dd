"""A prison outside says that somebody is coming: named for before they come, received, or not coming."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.casework import moves
from clinic.custody import commands, expected_commands
from clinic.custody.expected import expected
from clinic.errors import Conflict, Invalid, OutsideCaseload
from clinic.patients.access import break_glass, in_caseload
from tests.clinic.custody.test_elsewhere import FIRST, FROM, KNOWN, row
from tests.clinic.custody.test_pages import boxes, send, text
from tests.factories.base import a_member_of_staff, a_patient, a_site, an_act
from tests.factories.custody import RECEIVED

COMES = RECEIVED.date() + timedelta(days=2)


def test_whoever_is_expected_has_a_keyworker_before_they_come(prison):
    patient_id = prison.patient()
    told = {"on": COMES, "told_by": "A. Smith, by telephone", **KNOWN}
    expecting = expected_commands.expect_arrival(prison.act(), patient_id=patient_id, **told)
    with pytest.raises(Conflict, match="expected already"):
        expected_commands.expect_arrival(prison.act(), patient_id=patient_id, **told)
    (coming,) = expected(prison.act())
    assert (coming.day, coming.keyworker, coming.late) == (12, None, False)
    expected_commands.name_for_expected(prison.act(prison.manager), expecting, prison.keyworker.id)
    prison.at = RECEIVED + timedelta(days=2)

    stay = prison.receives(patient_id=patient_id, **KNOWN)

    assert not expected(prison.act())
    named = row(prison, stay, "receiving_keyworker_named")
    assert (named["status"], named["on_time"], named["due_on"]) == ("done", True, "2026-11-05")
    assert row(prison, stay, "tell_receiving_team")["done_at"].startswith("2026-11-04")
    (arrived,) = moves.arrivals(prison.act())
    assert (arrived.unnamed, arrived.keyworker) == (False, "Tom Lewis")
    commands.undo_reception(
        prison.act(), stay, version=prison.version(stay), reason="Another person"
    )
    (again,) = expected(prison.act())
    assert (again.row.id != expecting, again.open) == (True, True)


def test_who_does_not_come_is_said_and_taken_back(prison, door, clock):
    clock.set(RECEIVED)
    patient_id = prison.patient()
    prison.close()
    api = door.by_token("prison_healthcare", site=prison.site)
    url = "/api/v1/custody/expected"
    given = {"patient_id": patient_id, "on": COMES.isoformat(), "told_by": "A. Smith", **FROM}
    for wrong, field in (
        ({"on": "2026-11-03"}, "on"), ({"told_by": " "}, "told_by"),
        ({"first_received_on": FIRST.isoformat()}, "count_said_by"),
        ({"told_on": "2026-11-05"}, "told_on"),
    ):  # fmt: skip
        refused = api.post(url, json=given | wrong)
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, field)
    one = api.post(url, json=given).json["id"]
    two = api.patch(f"{url}/{one}", json={"reason": "They rang again", "on": "2026-11-07"}).json[
        "id"
    ]
    assert api.post(f"{url}/{one}/not-coming", json={"reason": "x"}).status_code == 409
    manager = door.by_token("manager", site=prison.site)
    staff = {"staff_id": prison.keyworker.id}
    assert manager.post(f"{url}/{two}/keyworker", json=staff).status_code == 204
    assert (
        api.post(f"{url}/{two}/not-coming", json={"reason": "Released at court"}).status_code == 204
    )

    (gone,) = api.get(url).json["expected"]
    assert (gone["ended_as"], gone["keyworker"], gone["on"]) == ("not_coming", None, "2026-11-07")

    three = api.post(f"{url}/{two}/still-coming", json={"reason": "Wrong name"}).json["id"]
    (coming,) = api.get(url).json["expected"]
    assert (coming["id"], coming["ended_as"], coming["late"]) == (three, None, False)
    assert expected(prison.act(at=RECEIVED + timedelta(days=4)))[0].late
    assert moves.arrivals(prison.act()) == []
    prison.receives(patient_id=patient_id)
    with pytest.raises(Conflict, match="in custody here"):
        expected_commands.expect_arrival(
            prison.act(), patient_id=patient_id, on=date(2026, 11, 9), told_by="A. Smith", **FROM
        )
    with pytest.raises(Invalid, match="came_from"):
        expected_commands.expect_arrival(
            prison.act(), patient_id=prison.patient(), on=COMES, told_by="A. Smith"
        )


def test_somebody_of_another_service_is_expected_with_a_reason_and_leaves_with_the_entry(
    prison, database
):
    community = a_site(database)
    theirs = an_act(database, a_member_of_staff(database, community, "nurse"), community)
    patient_id = a_patient(theirs)
    theirs.session.close()
    told = {"patient_id": patient_id, "on": COMES, "told_by": "A. Smith", **KNOWN}
    with pytest.raises(OutsideCaseload):
        expected_commands.expect_arrival(prison.act(), **told)
    break_glass(prison.act(), patient_id, "arriving", "Their prison rang: they are to come")

    entry = expected_commands.expect_arrival(prison.act(), **told)

    assert in_caseload(prison.act(), patient_id)
    expected_commands.not_coming(prison.act(), entry, reason="They rang again")
    assert not in_caseload(prison.act(), patient_id)
    expected_commands.still_coming(prison.act(), entry, reason="They rang once more")
    assert in_caseload(prison.act(), patient_id)


def test_an_expected_arrival_is_entered_named_for_and_received_by_page(staff, prison):
    keyworker, healthcare = staff("carat_keyworker"), staff("prison_healthcare")
    patient_id = prison.patient(family_name="Okafor")
    prison.close()
    assert "Expect OKAFOR" in text(send(keyworker, "/custody/expected", words="okafor"))
    url = f"/custody/expected/patients/{patient_id}"
    given = {"came_from": "HMP Faraway", "came_from_nation": "england_and_wales",
             "first_known": "yes", "count_said_by": "prison", **boxes("first_received_on", 26, 10),
             **boxes("on", 6)}  # fmt: skip
    wrong = send(keyworker, url, **given)
    assert (wrong.status_code, "Who told this prison? Enter an answer" in text(wrong)) == (
        422,
        True,
    )

    listed = text(send(keyworker, url, **given, told_by="A. Smith, by letter"))

    assert "12 on the move" in listed
    assert "OKAFOR" in listed
    manager = staff("manager")
    assert "Name a keyworker before they come from HMP Faraway" in text(manager.get("/"))
    row_id = expected(prison.act())[0].row.id
    prison.close()
    choose = f"/custody/expected/{row_id}/keyworker"
    assert "The keyworker is named." in text(send(manager, choose, staff_id=prison.keyworker.id))
    corrected = send(
        healthcare, f"/custody/expected/{row_id}/correct", **given, told_by="A. Smith, by letter",
        note="Methadone 40 mg", reason="The letter came",
    )  # fmt: skip
    assert "It is corrected." in text(corrected)
    form = healthcare.get(f"/custody/arrivals/{patient_id}").text
    assert 'value="HMP Faraway"' in form
    assert "Methadone 40 mg" in form
    new = send(
        healthcare, "/custody/expected/new", **given, told_by="A. Smith", family_name="Vaughan",
        given_name="Carys", sex="female", **boxes("born_on", 1, 5, 1990), nhs_number="",
    )  # fmt: skip
    assert "VAUGHAN, Carys" in text(new)
