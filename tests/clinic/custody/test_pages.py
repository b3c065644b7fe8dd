"""The pages of custody, walked as a browser walks them: CSRF on, scripts off."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest

from clinic.custody import fact_commands
from clinic.custody.models import Delivery, Exit, Hearing, KnownRelease, Reception
from clinic.patients.commands import take_onto_caseload
from clinic.patients.models import Patient
from tests.clinic.custody.conftest import AFTERNOON
from tests.factories.custody import RECEIVED, a_calendar_change, a_prison, london


def hidden(page: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            found[name[1]] = unescape(value[1])
    return found


def send(client: Any, url: str, follow: bool = True, **form: Any) -> Any:
    """Open the form at an address and send it filled in, as a browser would."""
    page = client.get(url)
    assert page.status_code == 200, (url, page.status_code)
    return client.post(url, data={**hidden(page.text), **form}, follow_redirects=follow)


def confirm(client: Any, url: str, checked: Any, step: str = "confirm") -> Any:
    """Press a button of a check-answers page: everything typed goes along hidden."""
    return client.post(url, data={**hidden(checked.text), "step": step}, follow_redirects=True)


def boxes(name: str, day: int, month: int = 11, year: int = 2026, time: str | None = None) -> dict:
    typed = {f"{name}-day": day, f"{name}-month": month, f"{name}-year": year}
    return typed | ({f"{name}-time": time} if time else {})


def text(answer: Any) -> str:
    """What a page says, without its tags, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


# -- arrivals ---------------------------------------------------------------------------------


def test_somebody_known_is_found_checked_and_received(healthcare, prison):
    patient_id = prison.patient(family_name="Okafor", given_name="Ann")
    prison.close()
    found = send(healthcare, "/custody/arrivals", words="okafor")
    url = f"/custody/arrivals/{patient_id}"
    assert url in found.text

    checked = send(
        healthcare, url, **boxes("received_at", 4, time="14:30"), prison_number="a1234bc",
        screening="positive", **boxes("screened_at", 4, time="15:00"), ppo="yes", came="no",
        heightened_risk="",
    )  # fmt: skip
    assert "Check the arrival" in checked.text
    assert "Wed 4 Nov 2026, 14:30" in text(checked)
    assert "A1234BC" in checked.text
    assert prison.act().session.query(Reception).count() == 0
    prison.close()

    stay = confirm(healthcare, url, checked)

    assert "The arrival is recorded and the 28 days are planned." in stay.text
    assert "The day of reception is day 1" in stay.text
    assert "not asked or not known" in text(stay)
    assert "Okafor".upper() in stay.text


def test_answers_are_changed_before_anything_is_saved(healthcare, prison):
    patient_id = prison.patient()
    prison.close()
    url = f"/custody/arrivals/{patient_id}"
    checked = send(
        healthcare, url, **boxes("received_at", 4, time="14:30"), screening="not_done", came="no"
    )

    again = confirm(healthcare, url, checked, step="change")

    assert again.status_code == 200
    assert 'value="14:30"' in again.text
    assert prison.act().session.query(Reception).count() == 0


def test_somebody_new_is_registered_and_received_together(healthcare, prison):
    url = "/custody/arrivals/new"
    person = {"family_name": "Vaughan", "given_name": "Carys", "sex": "female",
              **boxes("born_on", 1, 5, 1990), "nhs_number": "999 000 0018"}  # fmt: skip
    arrival = {**boxes("received_at", 4, time="14:30"), "screening": "not_done", "came": "no"}

    wrong = send(healthcare, url, **person, **arrival | {"received_at-time": "25:00"})
    assert wrong.status_code == 422
    assert "Vaughan" in wrong.text
    stay = confirm(healthcare, url, send(healthcare, url, **person, **arrival))

    assert "VAUGHAN, Carys" in stay.text


def test_a_refusal_of_the_command_is_shown_on_the_form_with_what_was_typed(healthcare, prison):
    patient_id = prison.patient()
    prison.close()
    url = f"/custody/arrivals/{patient_id}"
    checked = send(
        healthcare, url, **boxes("received_at", 4, time="18:30"), screening="not_done", came="no"
    )

    refused = confirm(healthcare, url, checked)

    assert refused.status_code == 422
    assert "The arrival must not be in the future" in refused.text
    assert 'value="18:30"' in refused.text


def test_somebody_in_custody_here_is_shown_their_stay(healthcare, prison):
    patient_id = prison.patient()
    prison.receives(patient_id=patient_id)
    prison.close()

    shown = healthcare.get(f"/custody/arrivals/{patient_id}", follow_redirects=True)

    assert "already in custody here" in shown.text


@pytest.mark.parametrize(
    ("moved", "day_1", "screening"),
    [("yes", "day 3", {}), ("no", "day 1", {"screening": "not_done"})],
)
def test_somebody_in_custody_elsewhere_is_asked_whether_they_were_moved(
    healthcare, prison, database, moved, day_1, screening
):
    other = a_prison(database, at=london("2026-11-02 10:00"), name="HMP Elsewhere")
    patient_id = other.patient()
    other.receives(patient_id=patient_id)
    other.close()
    url = f"/custody/arrivals/{patient_id}"
    assert "in custody at HMP Elsewhere" in text(healthcare.get(url))

    bare = send(healthcare, url, **boxes("received_at", 4, time="14:30"), moved=moved)
    assert ("Reception screening: choose an answer" in text(bare)) == (moved == "no")
    checked = send(
        healthcare,
        url,
        **boxes("received_at", 4, time="14:30"),
        moved=moved,
        came="no",
        **screening,
    )
    stay = confirm(healthcare, url, checked)

    assert f"The first 28 days: {day_1}" in text(stay)
    assert ("Mon 2 Nov 2026, 10:00, HMP Elsewhere" in text(stay)) == (moved == "yes")


# -- a stay -----------------------------------------------------------------------------------


@pytest.fixture
def url(prison, clock):
    reception_id = prison.receives()
    prison.close()
    return f"/custody/stays/{reception_id}"


def test_a_hearing_is_recorded_and_the_page_says_what_moved_and_why(healthcare, prison, url):
    stay = send(healthcare, f"{url}/hearing/new", **boxes("starts_at", 9, time="10:00"),
                court="Northborough Magistrates")  # fmt: skip

    said = text(stay)
    assert "Dates changed on Wed 4 Nov 2026, 16:00" in said
    assert "Harm minimisation session Was Tue 10 Nov 2026 Is now Fri 6 Nov 2026" in said
    assert "the CARAT manager may override this" in said
    assert "TT-F3" in said
    assert "Northborough Magistrates" in said


def test_a_hearing_is_corrected_and_struck_out(healthcare, prison, url):
    send(healthcare, f"{url}/hearing/new", **boxes("starts_at", 9, time="10:00"))
    reception_id = int(url.rpartition("/")[2])
    (row,) = prison.standing(Hearing, reception_id)
    prison.close()

    form = {**boxes("starts_at", 12, time="10:00"), "reason": "Listed later"}
    stay = send(healthcare, f"{url}/hearing/{row.id}/correct", **form)
    assert "Thu 12 Nov 2026, 10:00" in stay.text
    (row,) = prison.standing(Hearing, reception_id)
    prison.close()
    stay = send(healthcare, f"{url}/hearing/{row.id}/strike-out", reason="Another prisoner's")

    said = text(stay)
    assert "no hearing known" in said
    assert "Corrected and struck out (2)" in said
    assert "Another prisoner's" in said


def test_a_correction_of_a_stay_somebody_changed_meanwhile_is_not_lost_and_not_saved(
    healthcare, prison, url
):
    reception_id = int(url.rpartition("/")[2])
    page = healthcare.get(f"{url}/correct")
    form = {**hidden(page.text), **boxes("received_at", 4, time="13:00"),
            "screening": "not_done", "ppo": "yes", "reason": "Asked again"}  # fmt: skip
    fact_commands.record_hearing(
        prison.act(at=AFTERNOON), reception_id, starts_at=london("2026-11-20 10:00")
    )
    prison.close()

    stale = healthcare.post(f"{url}/correct", data=form)
    assert stale.status_code == 422
    assert "Ann Probert recorded a hearing since you read it" in text(stale)
    assert "Asked again" in stale.text
    again = healthcare.post(
        f"{url}/correct", data={**form, **hidden(stale.text)}, follow_redirects=True
    )

    assert "The reception is corrected" in again.text
    assert "Wed 4 Nov 2026, 13:00" in text(again)


def test_a_release_and_days_away_are_recorded(healthcare, prison, url):
    reception_id = int(url.rpartition("/")[2])

    send(healthcare, f"{url}/unavailable/new", **boxes("from_on", 11), place="segregation")
    stay = send(healthcare, f"{url}/release/new", **boxes("on", 20))

    assert "until further notice" in stay.text
    (row,) = prison.standing(KnownRelease, reception_id)
    prison.close()
    stay = send(healthcare, f"{url}/release/{row.id}/correct", **boxes("on", 23), reason="Moved on")
    assert "Mon 23 Nov 2026" in stay.text


def test_a_move_is_recorded_to_a_prison_of_the_list_or_another(healthcare, prison, url, database):
    other = a_prison(database, name="HMP Elsewhere")
    other.close()

    stay = send(
        healthcare, f"{url}/transfer/new", **boxes("on", 12),
        receiving_site_id=other.site.id, prescriber_cover="no",
    )  # fmt: skip

    assert "Thu 12 Nov 2026 to HMP Elsewhere" in text(stay)
    assert "Tell the receiving team" in text(stay)


def test_a_move_to_a_prison_outside_is_booked_and_its_keyworker_noted(healthcare, url):
    moved = send(
        healthcare, f"{url}/transfer/new", **boxes("on", 12), receiving_site_id=0,
        receiving_prison="HMP Faraway", nation="scotland", prescriber_cover="",
    )  # fmt: skip
    assert "Thu 12 Nov 2026 to HMP Faraway" in text(moved)
    told = f"{url}/deliver/receiving_keyworker_named"
    form = text(healthcare.get(told))
    assert "Who is the keyworker there?" in form
    given = {**boxes("done_at", 4, time="15:30"), "by": ["carat"]}
    done_by = re.search(r'<option value="(\d+)" selected', healthcare.get(told).text)[1]
    refused = send(healthcare, told, **given, done_by=done_by)
    assert (refused.status_code, "is required" in text(refused)) == (422, True)

    noted = send(healthcare, told, **given, done_by=done_by, note="J. Doe")

    assert "Receiving prison names a keyworker: recorded." in text(noted)


def test_an_exit_is_checked_before_it_closes_anything(healthcare, prison, url):
    reception_id = int(url.rpartition("/")[2])
    address = f"{url}/exit/new"

    checked = send(healthcare, address, **boxes("at", 4, time="15:30"), how="died")
    assert "This records that the person has died" in checked.text
    assert prison.standing(Exit, reception_id) == []
    prison.close()
    stay = confirm(healthcare, address, checked)

    assert "Died, Wed 4 Nov 2026, 15:30" in text(stay)
    (row,) = prison.standing(Exit, reception_id)
    prison.close()
    stay = send(healthcare, f"{url}/exit/{row.id}/strike-out", reason="Wrong person")
    assert "in custody" in text(stay)
    act = prison.act()
    reception = act.session.get_one(Reception, reception_id)
    assert act.session.get_one(Patient, reception.patient_id).died_on is None


def test_a_duty_is_recorded_corrected_and_struck_out(healthcare, prison, url):
    reception_id = int(url.rpartition("/")[2])
    stay = send(
        healthcare, f"{url}/deliver/smta", **boxes("done_at", 4, time="15:00"), by="healthcare",
        done_by=healthcare.staff_id, note="Uses daily",
    )  # fmt: skip
    assert "Triage assessment (SMTA): recorded." in stay.text
    assert "Uses daily" in stay.text
    (row,) = prison.standing(Delivery, reception_id)
    prison.close()

    stay = send(
        healthcare, f"{url}/deliveries/{row.id}/correct", **boxes("done_at", 4, time="15:20"),
        by="healthcare", done_by=healthcare.staff_id, reason="Twenty minutes later",
    )  # fmt: skip
    assert "15:20" in stay.text
    (row,) = prison.standing(Delivery, reception_id)
    prison.close()
    stay = send(healthcare, f"{url}/delivery/{row.id}/strike-out", reason="Somebody else's")

    assert "Nothing yet." in stay.text


def test_the_joint_care_plan_says_whose_agreement_is_missing(healthcare, prison, url):
    stay = send(
        healthcare, f"{url}/deliver/joint_care_plan", **boxes("done_at", 4, time="15:00"),
        by=["patient", "carat"], outcome="delivered", done_by=healthcare.staff_id,
    )  # fmt: skip

    assert "agreement is missing from: healthcare" in stay.text


def test_one_session_covers_harm_minimisation_and_overdose_each_ticked(healthcare, prison, url):
    given = {**boxes("done_at", 4, time="15:00"), "by": "healthcare", "outcome": "delivered",
             "done_by": healthcare.staff_id}  # fmt: skip
    asked = send(healthcare, f"{url}/deliver/overdose_session", **given)
    assert "What was it about?" in text(asked) and asked.status_code == 422

    send(
        healthcare, f"{url}/deliver/overdose_session", **given,
        topics=["harm_minimisation", "overdose_session"],
    )  # fmt: skip

    page = text(healthcare.get(url))
    recorded = page[page.index("What was recorded") :]
    assert "Harm minimisation session" in recorded and "Overdose session" in recorded


def test_a_duty_of_the_staff_cannot_be_declined_and_a_group_has_its_topic(healthcare, url):
    assert "Offered and declined" not in healthcare.get(f"{url}/deliver/smta").text
    wrong = send(
        healthcare, f"{url}/deliver/group_session", **boxes("done_at", 4, time="15:00"),
        by="carat", outcome="declined", done_by=healthcare.staff_id,
    )  # fmt: skip

    assert wrong.status_code == 422
    assert "Topic: choose an answer" in wrong.text


def test_the_screening_is_recorded_from_its_row(healthcare, url):
    assert f"{url}/screening" in healthcare.get(url).text
    moved_on = healthcare.get(f"{url}/deliver/reception_screening")
    assert moved_on.location == f"{url}/screening"

    stay = send(
        healthcare, f"{url}/screening", screening="positive",
        **boxes("screened_at", 4, time="15:00"),
    )  # fmt: skip

    assert "Positive: drug misuse found" in stay.text


def test_a_duty_nobody_knows_is_not_found(healthcare, url):
    assert healthcare.get(f"{url}/deliver/breakfast").status_code == 404
    assert healthcare.get(f"{url}/deliver/court_pack/soon").status_code == 404
    assert healthcare.get(f"{url}/hearing/999/correct").status_code == 404


def test_a_manager_names_the_suggested_keyworker(staff, prison, url):
    manager = staff("manager")
    page = manager.get(f"{url}/keyworker")
    assert "Suggested, carries fewest: 0 of 25 people" in page.text
    assert "To be named by Thu 5 Nov 2026, 17:00" in text(page)

    stay = send(manager, f"{url}/keyworker", staff_id=prison.keyworker.id)

    assert "The keyworker is named." in stay.text
    assert "Tom Lewis" in stay.text
    again = send(
        manager, f"{url}/keyworker", staff_id=prison.keyworker.id, reason_code="long_absence"
    )
    assert "already their keyworker" in text(again)


def test_a_change_of_the_calendar_is_announced_and_replanned_on_request(healthcare, prison, url):
    a_calendar_change(prison, datetime(2026, 11, 6, tzinfo=UTC).date(), announced_on=None)
    page = healthcare.get(url)
    assert "The calendar has changed" in page.text

    stay = healthcare.post(f"{url}/replan", data=hidden(page.text), follow_redirects=True)

    assert "The dates were worked out again." in stay.text
    assert "The calendar has changed" not in stay.text


def test_a_reception_is_undone_with_a_reason(healthcare, prison, url):
    page = send(healthcare, f"{url}/undo", reason="Wrong person")

    assert "The reception is undone" in page.text
    assert "Nothing is due today" in page.text


# -- worklists and settings -------------------------------------------------------------------


def test_each_role_has_its_list_on_the_first_page(staff, prison, url):
    assert "Healthcare: due today and overdue" in staff("prison_healthcare").get("/").text
    keyworker = staff("carat_keyworker").get("/").text
    assert "Your people first" in keyworker
    manager = staff("manager").get("/").text
    assert "Keyworkers to name" in manager
    assert f"{url}/keyworker" in manager


def test_the_worklist_and_the_keyworkers_page_show_the_stay(staff, url):
    manager = staff("manager")

    assert url in manager.get("/custody/").text
    assert f"{url}/keyworker" in manager.get("/custody/keyworkers").text


def test_a_community_service_has_no_custody_worklist_and_a_stay_leads_back_to_the_record(
    staff, database, prison, url
):
    from tests.factories import base

    there = base.a_site(database)
    act = prison.act()
    patient_id = act.session.get_one(Reception, int(url.rpartition("/")[2])).patient_id
    take_onto_caseload(act, patient_id, there.id)
    act.session.commit()
    prison.close()
    nurse = staff("nurse", site=there)

    assert nurse.get("/custody/").status_code == 404
    assert nurse.get("/").status_code == 200
    stay = nurse.get(url).text
    assert 'href="/custody/"' not in stay
    assert f'href="/patients/{patient_id}">Back to the record' in stay


def test_a_stay_is_found_from_the_patient(healthcare, prison, url):
    reception_id = int(url.rpartition("/")[2])
    patient_id = prison.act().session.get_one(Reception, reception_id).patient_id
    prison.close()

    assert healthcare.get(f"/custody/patients/{patient_id}").location == url
    record = healthcare.get(f"/patients/{patient_id}")
    assert f'href="{url}"' in record.text
    assert ": in custody" in text(record)


def test_the_settings_are_read_by_all_and_set_by_a_manager_with_name_and_reason(staff, prison):
    manager, url = staff("manager"), "/custody/settings"
    page = send(
        manager, f"{url}/day-count", day_count="day_after_reception_is_day_1",
        **boxes("from_on", 5), reason="Agreed locally",
    )  # fmt: skip
    assert "The numbering of days is set." in page.text
    wrong = send(manager, f"{url}/completion", begins="7", **boxes("from_on", 5), reason="Early")
    assert "must be a day from 8 to 29" in wrong.text
    send(manager, f"{url}/completion", begins="8", **boxes("from_on", 5), reason="As 16.4 says")

    read = text(staff("prison_healthcare").get(url))

    for said in ("Agreed locally", "As 16.4 says", "Day 8", "Bank holidays of England and Wales"):
        assert said in read
    assert staff("prison_healthcare").get(f"{url}/completion").status_code == 403


def test_another_prison_is_asked_for_a_reason_before_it_sees_the_stay(staff, database, url):
    other = a_prison(database)
    other.close()

    refused = staff("prison_healthcare", site=other.site).get(url)

    assert refused.status_code == 403
    assert "outside your caseload" in refused.text


def test_who_may_only_read_is_offered_no_change(staff, url):
    page = staff("manager").get(url).text

    assert f"{url}/hearing/new" not in page
    assert f"{url}/deliver/" not in page
    assert staff("manager").get(f"{url}/hearing/new").status_code == 403


def a_stay_in_a_browser(served, clock, page):
    """The address of a stay with a hearing, for somebody who may do everything in this prison."""
    clock.set(RECEIVED)
    prison = a_prison(served.database)
    reception_id = prison.receives(ppo=True)
    fact_commands.record_hearing(prison.act(), reception_id, starts_at=london("2026-11-09 10:00"))
    prison.close()
    served.door.in_browser(page, served.url, "prison_healthcare", "manager", site=prison.site)
    return f"/custody/stays/{reception_id}"


@pytest.mark.proof  # the short form has the crawl, which shows axe each of these pages
@pytest.mark.browser
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_axe_finds_nothing_on_the_pages_of_custody(served, clock, page, axe):
    here = a_stay_in_a_browser(served, clock, page)

    for path in (
        "/custody/", "/custody/keyworkers", "/custody/arrivals/new", here,
        f"{here}/deliver/group_session", f"{here}/keyworker",
    ):  # fmt: skip
        page.goto(served.url + path)
        axe(page)


@pytest.mark.browser
def test_the_picture_of_the_28_days_has_a_table_that_says_the_same_without_scripts(
    served, clock, no_scripts_page
):
    page = no_scripts_page
    here = a_stay_in_a_browser(served, clock, page)

    page.goto(served.url + here)

    assert page.get_by_role("img", name="The 28 days").is_visible()
    page.get_by_text("The same as a table").click()
    assert page.get_by_role("cell", name="Court", exact=True).is_visible()
