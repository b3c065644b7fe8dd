"""Somebody comes from a prison that does not run this system: their days and what was done go on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinic.casework import commands as casework
from clinic.casework import moves, queries
from clinic.casework.models import Certificate
from clinic.custody import board, commands, elsewhere, fact_commands
from clinic.custody.models import ReceptionDetail
from clinic.custody.risk import risk_of
from clinic.custody.wing_commands import add_wing
from clinic.errors import Conflict, Invalid
from clinic.keyworkers import commands as keyworkers
from clinic.keyworkers import queries as caseloads
from clinic.measures import queries as measures
from clinic.observations import queries as observations
from clinic.periods import Quarter
from tests.clinic.custody.test_pages import boxes, confirm, send, text
from tests.factories.custody import RECEIVED

FIRST = date(2026, 10, 26)  # a Monday: the Wednesday of RECEIVED is day 10
FROM = {"came_from": "HMP Faraway", "came_from_nation": "england_and_wales"}
KNOWN = {**FROM, "first_received_on": FIRST, "count_said_by": "paper_file"}


def row(prison, reception_id, item):
    answer = prison.stay(reception_id).answer
    return next(each for each in answer["items"] if each["item"] == item)


@pytest.mark.proves("RC-12")
def test_the_days_of_somebody_from_a_prison_outside_are_counted_on_everywhere(prison):
    wing = add_wing(prison.act(prison.manager), "A")
    patient_id = prison.patient()
    stay = prison.receives(patient_id=patient_id, wing_id=wing, keyworker_there="J. Doe", **KNOWN)
    reported = fact_commands.report_elsewhere(
        prison.act(), stay, item="joint_care_plan", on=date(2026, 10, 30), said_by="paper_file",
        by=["patient", "carat", "healthcare"],
    )  # fmt: skip
    undated = fact_commands.report_elsewhere(
        prison.act(), stay, item="relaxation", said_by="patient"
    )

    (coming,) = moves.arrivals(prison.act())
    assert (coming.day, coming.day_moved, coming.other_prison, coming.unnamed) == (
        10, 10, "HMP Faraway", True,
    )  # fmt: skip
    assert coming.from_outside
    (waiting,) = caseloads.worklists.to_be_named(prison.act())
    assert (waiting.item, waiting.due_on) == ("receiving_keyworker_named", RECEIVED.date())
    keyworkers.name_keyworker(prison.act(prison.manager), stay, prison.keyworker.id)
    assert not caseloads.worklists.to_be_named(prison.act())
    (carried,) = caseloads.caseload(prison.act())
    (seen,) = board.board(prison.act(), wing).people
    assert (carried.day, seen.day, seen.phase, seen.round) == (10, 10, 2, None)
    assert not observations.this_round(prison.act())
    assert prison.stay(stay).answer["day_28"] == "2026-11-22"
    assert row(prison, stay, "keywork_week_2")["due_on"] == "2026-11-06"
    assert row(prison, stay, "receiving_keyworker_contact")["due_on"] == "2026-11-05"
    assert row(prison, stay, "tell_receiving_team")["status"] == "done"
    assert row(prison, stay, "joint_care_plan")["on_time"] is True
    assert row(prison, stay, "relaxation")["status"] == "overdue"  # reported without a day
    items = {each.item: each for each in prison.items(stay)}
    assert items["joint_care_plan"].state == "done"
    assert (items["csma"].state, items["csma"].clock_elsewhere) == ("open", True)
    assert not items["keywork_week_2"].clock_elsewhere
    for day, marker in ((19, True), (20, False)):  # after day 28
        act = prison.act(at=RECEIVED + timedelta(days=day - 1))
        assert (risk_of(act, [patient_id]) is not None) is marker
    fact_commands.strike_out(
        prison.act(), stay, "reported", reported, version=prison.version(stay), reason="Not theirs"
    )
    assert row(prison, stay, "joint_care_plan")["status"] == "overdue"
    assert [each.id for each in prison.stay(stay).reported] == [undated]


def test_clocks_that_ran_out_at_the_other_prison_are_not_this_ones(prison):
    prison.receives(**KNOWN)
    own = prison.receives()
    prison.at = RECEIVED + timedelta(days=6)

    found = measures.measure(prison.act(prison.manager), "joint_care_plan", Quarter(2026, 4))

    assert {each.case.key for each in found.people} == {f"stay-{own}-joint_care_plan"}


@pytest.mark.proves("RC-12")
def test_without_the_day_first_received_the_count_is_said_to_be_unknown_until_it_is_entered(
    prison, staff
):
    stay = prison.receives(**FROM)
    fact_commands.report_elsewhere(
        prison.act(), stay, item="csma", on=date(2026, 10, 29), said_by="patient"
    )

    view = prison.stay(stay)
    assert view.detail.count_unknown
    assert view.answer["day_1"] == RECEIVED.date().isoformat()  # the latest it can have begun
    assert row(prison, stay, "csma")["status"] == "due"
    (listed,) = elsewhere.uncounted(prison.act())
    assert listed.reception_id == stay
    (coming,) = moves.arrivals(prison.act())
    assert coming.count_unknown
    keyworker = staff("carat_keyworker")
    assert "Day count unknown" in text(keyworker.get("/"))
    assert "Day count unknown" in text(keyworker.get("/custody/"))
    assert "Day count unknown 1 or later" in text(keyworker.get("/casework/moves"))
    shown = text(keyworker.get(f"/custody/stays/{stay}"))
    assert "day 1 or later" in shown
    assert "Day count unknown" in shown
    healthcare = staff("prison_healthcare")
    url = f"/custody/stays/{stay}/elsewhere/since"
    told = {**FROM, "came": "outside", "first_known": "yes", "count_said_by": "prison",
            "reason": "They rang"}  # fmt: skip
    wrong = send(healthcare, url, **told, **boxes("first_received_on", 5))
    assert wrong.status_code == 422
    assert "First received into custody on (if known) must not be in the future" in text(wrong)
    before = send(healthcare, url, **told, **boxes("first_received_on", 30, 10))
    assert "when something is reported to have been done" in text(before)
    saved = text(send(healthcare, url, **told, **boxes("first_received_on", 26, 10)))
    assert "The first 28 days: day 10" in saved
    assert "Dates changed on" in saved
    assert "Reception corrected: They rang" in saved
    assert not elsewhere.uncounted(prison.act())
    assert row(prison, stay, "csma")["status"] == "done"
    standing, first = prison.standing(ReceptionDetail, stay)[0], prison.stay(stay).earlier[0]
    assert standing.first_received_on == FIRST
    assert (first.first_received_on, first.struck_reason) == (None, "They rang")


def test_a_beginning_that_cannot_be_is_refused_at_its_field(prison):
    tomorrow = RECEIVED.date() + timedelta(days=1)
    patient_id = prison.patient()

    for given, field in (
        ({"came_from": None}, "came_from"),
        ({"came_from_nation": "france"}, "came_from_nation"),
        ({"first_received_on": tomorrow}, "first_received_on"),
        ({"first_received_on": date(1906, 10, 26)}, "first_received_on"),
        ({"first_received_on": None}, "first_received_on"),
        ({"count_said_by": None}, "count_said_by"),
        ({"first_received_at": datetime(2026, 10, 27, 9, tzinfo=UTC)}, "first_received_at"),
        ({"told_on": tomorrow}, "told_on"),
    ):
        with pytest.raises(Invalid) as refused:
            prison.receives(patient_id=patient_id, **KNOWN | given)
        assert refused.value.faults[0][0] == field


def test_whoever_comes_after_their_28_days_has_none_planned_and_may_be_put_right(prison):
    stay = prison.receives(**KNOWN | {"first_received_on": date(2026, 9, 1)})

    view = prison.stay(stay)
    assert (view.over_on_arrival, view.answer) == (True, None)
    assert not moves.arrivals(prison.act())
    commands.correct_reception(
        prison.act(), stay, version=view.reception.version, reason="Read wrongly",
        first_received_on=FIRST,
    )  # fmt: skip
    assert prison.stay(stay).answer["day_1"] == FIRST.isoformat()
    with pytest.raises(Conflict, match="nothing to certify|session"):
        casework.certify(prison.act(prison.keyworker), stay)


def test_an_hour_changes_no_deadline_unless_it_is_late_in_the_day(prison):
    days = [
        prison.receives(**KNOWN),
        prison.receives(**KNOWN, first_received_at=datetime(2026, 10, 26, 8, tzinfo=UTC)),
    ]

    unknown, early = ([each.deadline for each in prison.items(stay)] for stay in days)

    assert unknown == early
    assert not {each["flag"] for each in prison.stay(days[0]).answer["flags"]} & {"TT-F7"}


@pytest.mark.proves("RC-12", "PS-30", "PS-32")
def test_what_was_attended_elsewhere_is_filed_and_certified_as_reported(prison, staff):
    stay = prison.receives(patient_id=prison.patient(family_name="Wren"), **KNOWN)
    given = {"item": "group_session", "on": date(2026, 11, 2), "said_by": "paper_file",
             "topic": "alcohol", "mode": "group"}  # fmt: skip
    fact_commands.report_elsewhere(prison.act(), stay, **given)
    prison.delivers(stay, "group_session", topic="crack", mode="group")

    lines = queries.casework_file(prison.act(prison.keyworker), stay).lines
    (line,) = [each for each in lines if each.kind == "reported"]
    assert (line.on, "HMP Faraway" in line.says) == (date(2026, 11, 2), True)
    assert row(prison, stay, "groups_week_2")["counted"] == 2  # 2 and 4 Nov, days 8 and 10
    number = casework.certify(prison.act(prison.keyworker), stay)
    kept = prison.act().session.get_one(Certificate, number)
    assert [(each["topic"], each.get("elsewhere")) for each in kept.sessions] == [
        ("crack", None), ("alcohol", "HMP Faraway"),
    ]  # fmt: skip
    keyworker = staff("carat_keyworker")
    assert keyworker.get(f"/casework/certificates/{number}.pdf").data.startswith(b"%PDF")
    assert "2026-11-02" in keyworker.get(f"/casework/stays/{stay}/file.csv").text


def test_an_arrival_from_outside_is_entered_checked_and_corrected_by_page(healthcare, prison):
    patient_id = prison.patient(family_name="Okafor")
    prison.close()
    url = f"/custody/arrivals/{patient_id}"
    arrival = {**boxes("received_at", 4, time="14:30"), "screening": "not_done", "came": "outside",
               "came_from": "HMP Faraway"}  # fmt: skip
    wrong = send(healthcare, url, **arrival, first_known="no", **boxes("first_received_on", 26, 10))
    assert wrong.status_code == 422
    assert "Choose where it is" in text(wrong)
    assert "must be empty, or say above that the day is known" in text(wrong)
    late = text(send(healthcare, url, **{**arrival, "screening": "positive", "came": "no"},
                     prison_number="zzz"))  # fmt: skip
    assert "Which prison? Leave it empty, or say above that they came from another" in late
    assert "must be a letter, 4 digits and 2 letters" in late  # before it is checked, not after
    assert "Enter a day and a time, as it has a result" in late
    given = {**arrival, "came_from_nation": "scotland", "first_known": "yes",
             "count_said_by": "escort_record", "first_received_time": "16:20",
             **boxes("first_received_on", 26, 10)}  # fmt: skip
    checked = send(healthcare, url, **given)
    assert "Mon 26 Oct 2026: day 10 of custody on arrival (the escort record (PER))" in text(
        checked
    )

    stay = text(confirm(healthcare, url, checked))

    assert "The first 28 days: day 10" in stay
    prison_id = prison.act().session.query(ReceptionDetail).one().reception_id
    prison.close()
    page = f"/custody/stays/{prison_id}/elsewhere"
    bare = {"item": "group_session", "outcome": "delivered", "said_by": "prison"}
    unsaid = text(send(healthcare, f"{page}/reported/new", **bare))
    assert "Topic (of a group session): choose an answer" in unsaid
    send(
        healthcare, f"{page}/reported/new", item="csma", outcome="delivered", said_by="prison",
        **boxes("on", 29, 10),
    )  # fmt: skip
    assert "Comprehensive assessment (CSMA): delivered" in text(healthcare.get(page))
    fact = prison.stay(prison_id).reported[0].id
    prison.close()
    corrected = send(
        healthcare, f"{page}/reported/{fact}/correct", reason="Misread", **boxes("on", 28, 10),
        item="csma", outcome="delivered", said_by="prison",
    )  # fmt: skip
    assert "Wed 28 Oct 2026" in text(corrected)
    fact = prison.stay(prison_id).reported[0].id
    prison.close()
    gone = send(healthcare, f"{page}/reported/{fact}/strike-out", reason="Another person")
    assert "Nothing is reported yet" in text(gone)


def test_the_same_over_http(prison, door, clock):
    clock.set(RECEIVED)
    patient_id = prison.patient()
    prison.close()
    api = door.by_token("prison_healthcare", site=prison.site)
    given = {"patient_id": patient_id, "received_at": RECEIVED.isoformat(), "screening": "not_done",
             **FROM}  # fmt: skip

    refused = api.post("/api/v1/receptions", json={**given, "first_received_on": "2026-10-26"})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "count_said_by")
    made = api.post("/api/v1/receptions", json=given)
    assert made.json["reception"]["count_unknown"] is True
    url = f"/api/v1/receptions/{made.json['id']}"
    assert [
        each["reception_id"] for each in api.get("/api/v1/custody/uncounted").json["people"]
    ] == [made.json["id"]]
    put = api.patch(
        url, headers={"If-Match": made.headers["ETag"]},
        json={"reason": "They rang", "first_received_on": "2026-10-26", "count_said_by": "prison"},
    )  # fmt: skip
    assert put.json["timetable"]["day_1"] == "2026-10-26"
    told = api.post(
        f"{url}/reported", json={"item": "smta", "on": "2026-10-27", "said_by": "prison"}
    )
    (fact,) = told.json["reported"]
    kept = api.patch(
        f"{url}/reported/{fact['id']}", headers={"If-Match": told.headers["ETag"]},
        json={"reason": "Misheard", "on": "2026-10-28"},
    )  # fmt: skip
    (fact,) = kept.json["reported"]
    assert fact["on"] == "2026-10-28"
    gone = api.post(
        f"{url}/reported/{fact['id']}/strike-out", headers={"If-Match": kept.headers["ETag"]},
        json={"reason": "In error"},
    )  # fmt: skip
    assert (gone.status_code, gone.json["reported"]) == (200, [])
    (move,) = api.get("/api/v1/custody/moves").json["arrivals"]
    assert (move["from_outside"], move["day"]) == (True, 10)
