"""The days of an induction on pages and over HTTP: looked at before anything changes."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest

from clinic.appointments import (
    commands,
    hold_commands,
    rota_commands,
    waiting_commands,
    waiting_queries,
)
from clinic.appointments.models import Visit
from dosing.days import at_london
from tests.clinic.appointments.test_chains import WED, arrive, day, misses, place_on, standing
from tests.factories import appointments as made

THU, FRI, SAT, SUN, MON, TUE = (WED + timedelta(days=each) for each in range(1, 7))
ARRANGED = {
    "kind": "phone", "who": "Duty worker", "contact": "01632 960777", "by_time": "16:00"
}  # fmt: skip
CANCEL = {"reason": "unwell", "by_whom": "patient", "version": "1"}


@pytest.fixture
def clinic(database, clock) -> made.Clinic:
    return made.a_clinic(database, model=3, weekdays=(1, 2, 3, 4, 5))


@pytest.fixture
def nurse(clinic, door):
    return door.by_page("nurse", site=clinic.site)


def version_of(page) -> str:
    return re.search(r'name="preview" value="([0-9a-f]{32})"', page.text)[1]


@pytest.mark.proves("RP-10")
def test_a_missed_day_is_planned_anew_from_the_visit_in_two_steps(database, clinic, door, clock):
    booked = made.a_booking(clinic)
    here = arrive(clinic, day(database, booked.chain_id, 1))
    here = misses(here, day(database, booked.chain_id, 2), at_london(THU, time(18)))
    clock.set(here.act.at)
    nurse = door.by_page("nurse", site=clinic.site)

    visit = nurse.get(f"/appointments/visits/{booked.id}")
    where = f"/appointments/chains/{booked.chain_id}/replan"
    assert where in visit.text
    assert "See what becomes of the days" in nurse.get(where).text
    shown = nurse.post(where, data={})
    assert standing(database, booked.chain_id) == [WED, FRI]
    assert "Thu 5 Nov 2026, 09:30 to 10:00, missed or cancelled" in shown.text
    # Day 2 on Friday, day 3 on Monday: somebody must see them on Sunday.
    assert "While the service is shut: Sun 8 Nov 2026" in shown.text
    confirm = {"preview": version_of(shown), "step": "confirm"}
    left_out = nurse.post(where, data=confirm)
    assert left_out.status_code == 422 and "Name, and where: enter an answer" in left_out.text

    saved = nurse.post(
        where,
        data={
            **confirm, "arranged_kind": "outreach", "arranged_who": "Tomos Evans",
            "arranged_contact": "01632 960777", "arranged_by": "11:30",
        },
        follow_redirects=True,
    )  # fmt: skip

    assert "The days are planned anew." in saved.text and "Tomos Evans, by 11:30" in saved.text
    assert standing(database, booked.chain_id) == [WED, FRI, MON]


def test_a_missed_day_1_shows_on_its_page_what_goes_with_it_and_may_be_left_for_the_worklist(
    database, clinic, door, clock
):
    booked = made.a_booking(clinic)
    clock.set(at_london(WED, time(12)))
    nurse = door.by_page("nurse", site=clinic.site)
    where = f"/appointments/visits/{booked.id}/did-not-attend"

    shown = nurse.post(where, data={"version": "1", "note": "Telephone off"})
    assert shown.text.count("Is cancelled") == 2 and "Was missed" in shown.text
    assert "Record it, and leave the other days for now" in shown.text
    assert standing(database, booked.chain_id) == [WED, THU, FRI]
    stays = {"version": "1", "note": "Telephone off", "step": "leave"}
    done = nurse.post(where, data=stays)
    assert "The other days wait on the worklist." in nurse.get(done.location).text
    assert "Day 1 was missed and later days stand" in nurse.get("/").text
    undo = f"/appointments/visits/{booked.id}/undo"
    nurse.post(undo, data={"version": "2", "reason": "The wrong person"})
    shown = nurse.post(where, data={"version": "3"})
    sure = {"version": "3", "step": "confirm", "preview": version_of(shown)}
    done = nurse.post(where, data=sure)

    assert "Recorded: did not attend. The person waits on." in nurse.get(done.location).text
    assert standing(database, booked.chain_id) == []
    assert "Day 1 was missed and later days stand" not in nurse.get("/").text


def test_a_missed_day_over_the_api_is_refused_with_the_preview_and_taken_with_its_version(
    database, clinic, door, clock
):
    booked = made.a_booking(clinic)
    arrive(clinic, day(database, booked.chain_id, 1))
    second = day(database, booked.chain_id, 2)
    clock.set(at_london(THU, time(18)))
    api = door.by_token("nurse", site=clinic.site)
    gone = f"/api/v1/visits/{second.id}/did-not-attend"

    looked = api.post(gone, json={}, headers={"If-Match": '"1"'})
    assert (looked.status_code, looked.json["reason"]) == (409, "look_first")
    preview = looked.json["preview"]
    assert [each["what"] for each in preview["days"]] == ["arrived", "booked", "moves"]
    asked = api.post(gone, json={"preview": preview["version"]}, headers={"If-Match": '"1"'})
    assert (asked.status_code, asked.json["to_arrange"]) == (409, preview["to_arrange"])
    assert standing(database, booked.chain_id) == [WED, THU, FRI]
    agreed = api.post(
        gone, headers={"If-Match": '"1"'},
        json={"preview": preview["version"], "arrangements": [{**ARRANGED, "on": "2026-11-08"}]},
    )  # fmt: skip

    assert agreed.json["status"] == "did_not_attend"
    assert standing(database, booked.chain_id) == [WED, FRI, MON]


def test_a_move_shows_the_other_days_and_a_world_that_changed_shows_them_again(
    database, clinic, nurse
):
    booked = made.a_booking(clinic)
    where = f"/appointments/visits/{booked.id}/move"
    place = f"20261109T0930Z-{clinic.doctor.id}-{clinic.worker.id}"
    assert place in nurse.get(where).text

    shown = nurse.post(where, data={"place": place, "version": "1"})
    for words in ("Mon 9 Nov 2026", "Tue 10 Nov 2026", "Moves", "Nothing is saved yet"):
        assert words in shown.text
    rota_commands.take_day_off(clinic.act, clinic.sessions[1], on=TUE, reason="Training")
    confirm = {"place": place, "version": "1", "step": "confirm"}
    again = nurse.post(where, data={**confirm, "preview": version_of(shown)})

    assert again.status_code == 422 and "Something changed since you looked" in again.text
    assert "While the service is shut: Tue 10 Nov 2026" in again.text
    assert standing(database, booked.chain_id) == [WED, THU, FRI]


def test_a_cancel_shows_the_later_days_that_go_with_it_and_day_2_may_go_alone(
    database, clinic, nurse
):
    booked = made.a_booking(clinic)
    second = day(database, booked.chain_id, 2)
    where = f"/appointments/visits/{second.id}/cancel"
    assert "Keep the days of this induction after this one" in nurse.get(where).text
    assert "Keep the days" not in nurse.get(f"/appointments/visits/{booked.id}/cancel").text

    shown = nurse.post(where, data=CANCEL)
    assert shown.text.count("Is cancelled") == 2
    kept = nurse.post(where, data={**CANCEL, "keep_rest": "y"}, follow_redirects=True)

    assert "The visit is cancelled" in kept.text
    assert standing(database, booked.chain_id) == [WED, FRI]
    third = day(database, booked.chain_id, 3)
    gone = f"/appointments/visits/{booked.id}/cancel"
    shown = nurse.post(gone, data=CANCEL)
    nurse.post(gone, data={**CANCEL, "preview": version_of(shown), "step": "confirm"})
    assert standing(database, booked.chain_id) == []
    back = nurse.get(f"/appointments/visits/{third.id}").text
    assert "Take back: cancelled" in back


def test_day_3_moves_on_its_own_page(database, clinic, nurse):
    booked = made.a_booking(clinic)
    third = day(database, booked.chain_id, 3)
    where = f"/appointments/visits/{third.id}/move-day"
    page = nurse.get(f"{where}?from={MON.isoformat()}").text
    review = re.findall(r'name="review"[^>]*value="([^"]+)"', page)[0]

    shown = nurse.post(where, data={"review": review, "version": "1"})
    given = {
        "arranged_kind": "phone", "arranged_who": "Duty worker", "arranged_contact": "01632 960777",
        "arranged_by": "16:00",
    }  # fmt: skip
    nurse.post(
        where,
        data={
            "review": review, "version": "1", "step": "confirm", "preview": version_of(shown), **given,
        },
    )  # fmt: skip

    assert standing(database, booked.chain_id) == [WED, THU, MON]
    assert nurse.post(where, data={"review": "no", "version": "2"}).status_code == 422


@pytest.mark.proves("RP-10")
def test_the_clinics_list_and_its_sheet_name_the_people_of_day_2(database, clinic, nurse):
    made.a_booking(clinic)

    for page in ("clinic?on=2026-11-05", "clinic/2026-11-05/print", "clinic?on=2026-11-05&with="):
        with_whom = str(clinic.nurse.id) if page.endswith("=") else ""
        text = nurse.get(f"/appointments/{page}{with_whom}").text
        assert "Day 2 of 3" in text and "Nia Bevan" in text and "Nobody is booked" not in text


def test_the_api_books_shows_previews_and_changes_whole_chains(database, clinic, door, clock):
    client = door.by_token("nurse", site=clinic.site)
    referral = made.a_referral(clinic)
    wanted = {
        "referral_id": referral, "starts_at": at_london(THU, time(9, 30)).isoformat(),
        "doctor_id": clinic.doctor.id, "worker_id": clinic.worker.id,
    }  # fmt: skip

    refused = client.post("/api/v1/visits", json=wanted)
    assert refused.status_code == 409 and refused.json["to_arrange"] == [SAT.isoformat()]
    assert len(refused.json["free_next"]) == 2
    arrangement = {
        "on": SAT.isoformat(), "kind": "other_site", "who": "Harbour Clinic, Quay Street",
        "contact": "01632 960444", "by_time": "13:00",
    }  # fmt: skip
    booked = client.post("/api/v1/visits", json={**wanted, "arrangements": [arrangement]}).json
    assert booked["day_number"] == 1
    chain = client.get(f"/api/v1/chains/{booked['chain_id']}").json
    assert [each["day_number"] for each in chain["visits"]] == [1, 2, 3]
    assert chain["arrangements"][0]["who"] == "Harbour Clinic, Quay Street"
    assert chain["to_replan"] is False
    second = chain["visits"][1]
    moved = client.post(
        f"/api/v1/visits/{booked['id']}/move", headers={"If-Match": '"1"'},
        json={**{k: wanted[k] for k in ("doctor_id", "worker_id")},
              "starts_at": at_london(MON, time(9, 30)).isoformat()},
    )  # fmt: skip
    assert moved.status_code == 409 and moved.json["reason"] == "look_first"
    assert moved.json["preview"]["no_longer_needed"] == [
        "What was arranged for Sat 7 Nov 2026 is no longer needed. Tell them: 01632 960444."
    ]
    cancelled = client.post(
        f"/api/v1/visits/{second['id']}/cancel", headers={"If-Match": '"1"'},
        json={"reason": "unwell", "by_whom": "patient", "keep_rest": True},
    )  # fmt: skip
    assert cancelled.status_code in (200, 409)
    if cancelled.status_code == 409:
        version = cancelled.json["preview"]["version"]
        cancelled = client.post(
            f"/api/v1/visits/{second['id']}/cancel", headers={"If-Match": '"1"'},
            json={"reason": "unwell", "by_whom": "patient", "keep_rest": True, "preview": version},
        )  # fmt: skip
    assert cancelled.status_code == 200
    path = f"/api/v1/chains/{booked['chain_id']}"
    assert client.get(path).json["to_replan"] is True

    seen = client.post(f"{path}/preview").json
    done = client.post(f"{path}/replan", json={"preview": seen["version"]})

    assert done.status_code == 200, done.json
    assert done.json["to_replan"] is False
    reviews = client.get(
        f"/api/v1/visits/{done.json['visits'][-1]['id']}/reviews?from=2026-11-09&to=2026-11-10"
    ).json
    assert reviews and all(each["nurse_id"] == clinic.nurse.id for each in reviews)
    elsewhere = door.by_token("nurse", site=made.a_clinic(database).site)
    assert elsewhere.get(path).status_code == 404
    assert elsewhere.post(f"{path}/replan", json={}).status_code == 404


def test_the_first_start_offered_on_a_thursday_says_what_it_leaves_to_arrange(
    database, clinic, door, clock
):
    clock.set(at_london(THU, time(8)))
    nurse = door.by_page("nurse", site=clinic.site)
    referral = made.a_referral(clinic)

    page = nurse.get(f"/appointments/referrals/{referral}/offers").text

    assert "Then Fri 6 Nov 2026, " in page and "To be arranged for: Sat 7 Nov 2026." in page


SHUT = {
    "arranged_kind": "phone", "arranged_who": "Duty worker", "arranged_contact": "01632 960777",
    "arranged_by": "16:00",
}  # fmt: skip


@pytest.mark.proves("RP-10")
def test_a_place_held_for_a_thursday_is_confirmed_with_what_is_arranged_for_the_saturday(
    database, clinic, nurse
):
    referral = made.a_referral(clinic)
    held = hold_commands.hold_place(clinic.act, referral_id=referral, **place_on(clinic, THU))
    where = f"/appointments/visits/{held.id}/confirm"

    asked = nurse.post(where, data={"version": "1"})
    assert asked.status_code == 200 and "While the service is shut: Sat 7 Nov 2026" in asked.text
    assert 'name="arranged_for" value="2026-11-07"' in asked.text
    wrong = {**SHUT, "arranged_by": "noon", "arranged_for": "2026-11-07", "version": "1"}
    again = nurse.post(where, data=wrong)
    assert again.status_code == 422 and "must be a time such as 09:30" in again.text
    assert "Duty worker" in again.text and standing(database, held.chain_id) == []
    other = nurse.post(where, data={**SHUT, "arranged_for": "2026-11-08", "version": "1"})
    assert other.status_code == 422 and "Something changed since you looked" in other.text
    done = nurse.post(where, data={**SHUT, "arranged_for": "2026-11-07", "version": "1"})

    shown = nurse.get(done.location).text
    assert "The visit is booked." in shown and "Duty worker, by 16:00" in shown
    with database.reading() as session:
        chain_id = session.get_one(Visit, held.id).chain_id
    assert standing(database, chain_id) == [THU, FRI, MON]


def test_a_freed_thursday_is_accepted_with_what_is_arranged_on_the_page_and_over_the_api(
    database, clinic, door, nurse
):
    offers = []
    for _ in range(2):
        booked = made.a_booking(clinic, **place_on(clinic, THU))
        made.agreed(
            commands.cancel_visit, clinic.act, booked.id, version=1, reason="declined",
            by_whom="patient",
        )  # fmt: skip
        waiting = made.a_referral(clinic)
        task = next(
            each
            for each in waiting_queries.freed_places(clinic.act)
            if each.row.starts_at == booked.place.starts_at
        )
        offers.append(
            waiting_commands.offer_place(
                clinic.act, task.row.id, referral_id=waiting,
                reason=None if task.candidates[0].referral_id == waiting else "Asked for by name",
            )
        )  # fmt: skip
        if len(offers) == 1:
            where = f"/appointments/offers/{offers[0]}"
            assert "While the service" not in nurse.get(where).text
            asked = nurse.post(where, data={"answer": "accepted"})
            assert "While the service is shut: Sat 7 Nov 2026" in asked.text
            sent = {"answer": "accepted", "arranged_for": "2026-11-07", **SHUT}
            done = nurse.post(where, data=sent)
            shown = nurse.get(done.location).text
            assert "the place is booked" in shown and "Duty worker, by 16:00" in shown
            visit = re.search(r"visits/([0-9]+)", done.location)[1]
            made.agreed(
                commands.cancel_visit, clinic.act, int(visit), version=1, reason="declined",
                by_whom="patient",
            )  # fmt: skip

    api = door.by_token("nurse", site=clinic.site)
    answer = f"/api/v1/place-offers/{offers[1]}/answer"
    refused = api.post(answer, json={"answer": "accepted"})
    assert refused.status_code == 409 and refused.json["to_arrange"] == [SAT.isoformat()]
    arranged = {**ARRANGED, "on": SAT.isoformat()}
    said = api.post(answer, json={"answer": "accepted", "arrangements": [arranged]})
    assert (said.status_code, said.json["stands"]) == (200, "accepted")


def test_nobody_without_the_right_to_book_plans_days_anew(database, clinic, door):
    booked = made.a_booking(clinic)
    reader = door.by_token("pharmacist", site=clinic.site)

    assert reader.post(f"/api/v1/chains/{booked.chain_id}/replan", json={}).status_code == 403


def test_a_start_on_a_later_page_is_shown_whole_and_asks_what_is_arranged(clinic, nurse):
    referral = made.a_referral(clinic)
    where = f"/appointments/referrals/{referral}/offers?from=2026-11-12"
    thursday, *_, monday = re.findall(
        r'name="place"[^>]*value="(20261112T0930Z[^"]+|20261116T0930Z[^"]+)"', nurse.get(where).text
    )

    asked = nurse.post(where, data={"place": thursday})
    shown = nurse.post(where, data={"place": monday})

    assert "What is arranged while the service is shut?" in asked.text
    assert "Sat 14 Nov 2026" in asked.text
    assert "Book this visit?" in shown.text
    for days in ("Tue 17 Nov 2026", "Wed 18 Nov 2026"):
        assert days in shown.text
    gone = nurse.post(where, data={"place": monday.replace("0930", "0935")})
    assert gone.status_code == 422 and "The rota has no such place." in gone.text
    answers = {
        "arranged_kind": "phone", "arranged_who": "Duty worker", "arranged_by": "16:00",
        "arranged_contact": "01632 960777", "step": "confirm",
    }  # fmt: skip
    booked = nurse.post(where, data={"place": thursday, **answers})
    assert "The visit is booked." in nurse.get(booked.location).text
