"""On which wing somebody lives: from when, by whom, and where it is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.custody import commands, fact_commands, wing_commands, wings, worklists
from clinic.custody.models import Location, Reception
from clinic.errors import Conflict, Invalid, NotFound
from clinic.patients.models import Patient
from clinic.patients.queries import banner
from tests.factories import base
from tests.factories.custody import RECEIVED, a_prison

LATER = RECEIVED + timedelta(days=2)


@pytest.fixture
def wing(prison):
    """`wing("B")`: the id of a wing of this prison, added by its manager."""
    return lambda name, at=prison: wing_commands.add_wing(at.act(at.manager), name)


def shown(prison, reception_id, at=LATER):
    """Wing and prison number as the banner shows them to this prison's staff."""
    act = prison.act(at=at)
    patient_id = act.session.get_one(Reception, reception_id).patient_id
    return banner(act, act.session.get_one(Patient, patient_id))


def test_the_wing_given_at_reception_is_on_the_banner_beside_the_prison_number(prison, wing):
    b = wing("B")

    stay = prison.receives(wing_id=b, cell=" 2-14 ", prison_number="A1234BC")

    assert shown(prison, stay).wing == "B, cell 2-14"
    assert shown(prison, stay).prison_number == "A1234BC"
    assert shown(prison, stay).in_prison


def test_a_wing_nobody_recorded_is_not_known_and_never_guessed(prison, wing):
    wing("B")

    stay = prison.receives()

    assert shown(prison, stay).wing is None


def test_a_move_to_another_wing_adds_a_row_and_moves_no_date(prison, wing):
    stay = prison.receives(wing_id=wing("B"))
    c = wing("C")

    fact_commands.record_location(prison.act(at=LATER), stay, wing_id=c, cell="1-01")

    assert shown(prison, stay).wing == "C, cell 1-01"
    rows = [(row.wing.name, row.from_at) for row in prison.standing(Location, stay)]
    assert rows == [("B", RECEIVED), ("C", LATER)]
    assert len(prison.timetables(stay)) == 1
    assert prison.version(stay) == 2


def test_a_move_heard_of_late_takes_its_place_in_time(prison, wing):
    b, c = wing("B"), wing("C")
    stay = prison.receives(wing_id=b)
    fact_commands.record_location(prison.act(at=LATER), stay, wing_id=c)

    fact_commands.record_location(
        prison.act(at=LATER), stay, wing_id=b, cell="9", from_at=RECEIVED + timedelta(hours=5)
    )

    assert shown(prison, stay).wing == "C"


def test_a_wrong_wing_is_corrected_and_kept_struck_out(prison, wing):
    stay = prison.receives(wing_id=wing("B"))
    (row,) = prison.standing(Location, stay)

    fact_commands.correct_fact(
        prison.act(at=LATER), stay, "location", row.id, version=1, reason="Misheard",
        wing_id=wing("D"),
    )  # fmt: skip

    assert shown(prison, stay).wing == "D"
    act = prison.act()
    assert act.session.get_one(Location, row.id).struck_reason == "Misheard"
    with pytest.raises(Conflict):
        fact_commands.correct_fact(
            act, stay, "location", row.id, version=2, reason="Again", cell="3"
        )  # fmt: skip


def test_a_location_that_cannot_stand_names_its_field(prison, wing, database):
    b, closed = wing("B"), wing("Old")
    wing_commands.close_wing(prison.act(prison.manager), closed)
    elsewhere = a_prison(database)
    theirs = wing("A", elsewhere)
    elsewhere.close()
    stay = prison.receives(wing_id=b)

    for given, field in (
        ({"wing_id": theirs}, "wing_id"),
        ({"wing_id": closed}, "wing_id"),
        ({"wing_id": 10**6}, "wing_id"),
        ({"wing_id": b}, "wing_id"),
        ({"wing_id": b, "cell": "1" * 21}, "cell"),
        ({"wing_id": b, "cell": "2", "from_at": RECEIVED - timedelta(minutes=1)}, "from_at"),
        ({"wing_id": b, "cell": "2", "from_at": LATER + timedelta(minutes=1)}, "from_at"),
    ):
        with pytest.raises(Invalid) as refusal:
            fact_commands.record_location(prison.act(at=LATER), stay, **given)
        assert refusal.value.faults[0][0] == field, given
    with pytest.raises(Invalid) as refusal:
        prison.receives(cell="2-14")
    assert refusal.value.faults[0] == ("wing_id", "is required beside a cell")


def test_the_same_moment_twice_is_refused_by_the_database(prison, wing):
    b, c = wing("B"), wing("C")
    stay = prison.receives(wing_id=b)

    with pytest.raises(Conflict, match="a moment ago"):
        fact_commands.record_location(prison.act(at=LATER), stay, wing_id=c, from_at=RECEIVED)


def test_whoever_moved_prison_is_shown_on_a_wing_of_the_new_one_only(prison, wing, database):
    stay = prison.receives(wing_id=wing("B"))
    other = a_prison(database, at=LATER)
    fact_commands.record_transfer(
        prison.act(at=LATER), stay, on=LATER.date(), receiving_site_id=other.site.id
    )
    prison.close()
    theirs = wing("E", other)
    with pytest.raises(Invalid, match="have not come"):
        fact_commands.record_location(other.act(), stay, wing_id=theirs)

    commands.receive_transfer(other.act(), stay, arrived_at=LATER, wing_id=theirs, cell="4")

    assert shown(other, stay).wing == "E, cell 4"
    other.close()
    assert shown(prison, stay).wing is None


def test_nobody_is_on_a_wing_after_they_left(prison, wing):
    b = wing("B")
    stay = prison.receives(wing_id=b)

    fact_commands.record_exit(prison.act(at=LATER), stay, at=LATER, how="release")

    assert shown(prison, stay).wing is None
    with pytest.raises(Invalid, match="after they left"):
        fact_commands.record_location(
            prison.act(at=LATER + timedelta(days=1)), stay, wing_id=b, cell="2"
        )


def test_every_worklist_of_the_prison_says_the_wing(prison, wing):
    stay = prison.receives(wing_id=wing("B"), cell="2-14")
    unknown = prison.receives()

    rows = worklists.next_work(prison.act(at=LATER))

    assert {row.reception_id: row.where for row in rows} == {stay: ("B", "2-14"), unknown: None}


def test_a_wing_is_added_once_and_closed_once_by_who_sets_up_the_prison(prison, wing, database):
    b = wing(" First   night ")
    act = prison.act(prison.manager)

    with pytest.raises(Conflict, match="already a wing"):
        wing_commands.add_wing(act, "first night")
    with pytest.raises(Invalid):
        wing_commands.add_wing(act, " ")
    wing_commands.close_wing(act, b)
    with pytest.raises(Conflict):
        wing_commands.close_wing(act, b)
    elsewhere = a_prison(database)
    prison.close()
    with pytest.raises(NotFound):
        wing_commands.close_wing(elsewhere.act(elsewhere.manager), b)
    elsewhere.close()
    assert wings.wings_here(prison.act()) == []
    again = wing("First night")
    assert [row.id for row in wings.wings_here(prison.act(), closed=True)] == [b, again]


def test_a_community_service_has_no_wings(database):
    site = base.a_site(database)
    act = base.an_act(database, base.a_member_of_staff(database, site, "manager"), site)

    with pytest.raises(Invalid, match="community service"):
        wing_commands.add_wing(act, "B")
    act.session.close()


def test_a_manager_lists_wings_and_healthcare_puts_somebody_on_one(prison, door, clock):
    clock.set(LATER)
    stay = prison.receives()
    prison.close()
    manager = door.by_page("manager", site=prison.site)
    healthcare = door.by_page("prison_healthcare", site=prison.site)
    url = f"/custody/stays/{stay}"
    assert healthcare.get(f"{url}/location/new").status_code == 404
    assert healthcare.get("/custody/wings").status_code == 403

    for name in ("B", "C"):
        page = manager.post("/custody/wings", data={"name": name}, follow_redirects=True)
        assert "The wing is added." in page.text
    b, c = (row.id for row in wings.wings_here(prison.act()))
    prison.close()
    manager.post(f"/custody/wings/{c}/close")
    form = healthcare.get(f"{url}/location/new").text
    refused = healthcare.post(f"{url}/location/new", data={"wing_id": "", "cell": "2-14"})
    moved = healthcare.post(
        f"{url}/location/new", data={"wing_id": b, "cell": "2-14"}, follow_redirects=True
    )

    assert ">B</option>" in form
    assert ">C</option>" not in form
    assert refused.status_code == 422
    assert "Wing: choose an answer" in refused.text
    assert "2-14" in refused.text
    assert "B, cell 2-14" in moved.text.partition("</section>")[0]
    assert ">Wing B<" in healthcare.get("/custody/").text
    assert ">Wing B<" in healthcare.get("/").text


def test_the_api_records_corrects_and_strikes_out_a_location(prison, door, clock, wing):
    clock.set(LATER)
    b, stay = wing("B"), prison.receives()
    prison.close()
    api = door.by_token("prison_healthcare", site=prison.site)
    url = f"/api/v1/receptions/{stay}"

    made = api.post(f"{url}/locations", json={"wing_id": b})
    (row,) = made.json["locations"]
    put_right = api.patch(
        f"{url}/locations/{row['id']}", json={"cell": "2-14", "reason": "Told later"},
        headers={"If-Match": made.headers["ETag"]},
    )  # fmt: skip
    listed = api.get("/api/v1/custody/worklist").json["work"]
    gone = api.post(
        f"{url}/locations/{put_right.json['location']['id']}/strike-out",
        json={"reason": "Another prisoner's"}, headers={"If-Match": put_right.headers["ETag"]},
    )  # fmt: skip

    assert (made.status_code, row["wing"], row["cell"]) == (201, "B", None)
    assert put_right.json["location"]["cell"] == "2-14"
    assert {(each["wing"], each["cell"]) for each in listed} == {("B", "2-14")}
    assert (gone.json["location"], gone.json["locations"]) == (None, [])
    assert api.get("/api/v1/wings").json["wings"][0]["name"] == "B"
    assert api.post("/api/v1/wings", json={"name": "C"}).status_code == 403
    manager = door.by_token("manager", site=prison.site)
    added = manager.post("/api/v1/wings", json={"name": "C"})
    assert (added.status_code, added.json["name"]) == (201, "C")
    assert manager.post("/api/v1/wings", json={"name": "c"}).status_code == 409
    assert manager.post(f"/api/v1/wings/{added.json['id']}/close").status_code == 204
