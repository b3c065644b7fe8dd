"""The pages of release, walked as a browser walks them: CSRF on, no scripts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest

from clinic.release.forms import section_form
from clinic.release.models import ReleaseFact
from clinic.release.sections import SECTIONS
from tests.factories.base import a_site
from tests.factories.release import (
    a_fact,
    a_hearing,
    a_pharmacy,
    a_release_plan,
    a_stay,
    a_transfer,
    instalment,
    version_of,
)


@pytest.fixture
def staff_client(app, story, door, clock):
    """A signed-in browser at the story's prison, with CSRF switched on."""
    clock.set(story.at)
    app.config["WTF_CSRF_ENABLED"] = True
    yield door.by_page("prison_healthcare", site=story.prison)
    app.config["WTF_CSRF_ENABLED"] = False


def _hidden(page: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        name = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and value:
            found[name[1]] = unescape(value[1])
    return found


def send(
    client, url: str, form: dict[str, Any] | None = None, follow: bool = True, at: str | None = None
):
    """Open the form at an address and send it filled in, as a browser would; `at`: where it goes."""
    page = client.get(url).get_data(as_text=True)
    return client.post(at or url, data={**_hidden(page), **(form or {})}, follow_redirects=follow)


def boxes(app, section: str, correcting: bool, **values: Any) -> dict[str, str]:
    """The form data of a section, box by box. A tuple is a date, or a date and a time."""
    with app.test_request_context():
        form = section_form(SECTIONS[section], correcting=correcting)()
        data: dict[str, str] = {}
        for name, value in values.items():
            if isinstance(value, tuple):
                named = ("day", "month", "year", "time")
                for box, part in zip(named, value, strict=False):
                    data[form[name].box_name(box)] = str(part)
            else:
                data[name] = str(value)
        return data


# section, what is typed first, what it is corrected to, and what then stands
AT = (17, 8, 2026, "09:30")
CAME = (1, 6, 2026, "15:00")
FORMS = [
    ("treatment", {"on_ost": "yes", "medicine": "methadone"}, {"opioid_history": "yes",
     "on_ost": "not_known"},
     {"opioid_history": True}),
    ("possible_earlier", {"on": (21, 8, 2026), "why": "hdc"},
     {"on": (24, 8, 2026), "why": "other"}, {"on": "2026-08-24", "why": "other"}),
    ("last_dose", {"dose_on_release_day": "yes"}, {"dose_on_release_day": "no"},
     {"dose_on_release_day": False}),
    ("dose", {"on": (16, 8, 2026), "where": "police", "source": "Custody record"},
     {"at": (16, 8, 2026, "08:00"), "where": "police"},
     {"at": "2026-08-16T07:00:00+00:00", "where": "police"}),
    ("prescriber", {"name": "Dr A. Example"},
     {"name": "Dr A. Example", "service": "Drug service"},
     {"name": "Dr A. Example", "service": "Drug service"}),
    ("appointment", {"at": (1, 9, 2026, "14:00")}, {"at": (1, 9, 2026, "10:00")},
     {"at": "2026-09-01T09:00:00+00:00"}),
    ("community_prescription", {"live": "yes"}, {"live": "no"}, {"live": False}),
    ("destination", {"area": "Northborough"}, {"area": "Southborough", "nation": "scotland"},
     {"area": "Southborough", "nation": "scotland"}),
    ("consent", {"given": "yes"}, {"given": "no"}, {"given": False}),
    ("notification", {"sent_at": (17, 8, 2026, "09:00")},
     {"sent_at": (17, 8, 2026, "09:00"), "acknowledged_at": AT},
     {"sent_at": "2026-08-17T08:00:00+00:00", "acknowledged_at": "2026-08-17T08:30:00+00:00"}),
    ("dose_letter", {"prepared_at": AT}, {"prepared_at": AT, "sent_at": AT, "sent_to": "CJIT"},
     {"prepared_at": "2026-08-17T08:30:00+00:00", "sent_at": "2026-08-17T08:30:00+00:00",
      "sent_to": "CJIT"}),
    ("naloxone", {"outcome": "issued", "on": (17, 8, 2026)},
     {"outcome": "declined", "on": (17, 8, 2026)}, {"outcome": "declined", "on": "2026-08-17"}),
    ("overdose_session", {"outcome": "delivered", "on": (17, 8, 2026)},
     {"outcome": "declined", "on": (17, 8, 2026)}, {"outcome": "declined", "on": "2026-08-17"}),
    ("weekend", {"weekend_cover_acknowledged_at": AT},
     {"weekend_cover_acknowledged_at": (17, 8, 2026, "09:00")},
     {"weekend_cover_acknowledged_at": "2026-08-17T08:00:00+00:00"}),
    ("court_pack", {"court_on": (24, 8, 2026), "cjit_contact_at": AT},
     {"court_on": (24, 8, 2026), "naloxone_at": AT},
     {"court_on": "2026-08-24", "naloxone_at": "2026-08-17T08:30:00+00:00"}),
    ("transfer_information", {"transfer_on": (20, 8, 2026), "drug": "Methadone"},
     {"transfer_on": (20, 8, 2026), "drug": "Buprenorphine"},
     {"transfer_on": "2026-08-20", "drug": "Buprenorphine"}),
    ("arrival", {"received_at": CAME, "claims_ost": "yes"},
     {"received_at": CAME, "claims_ost": "yes", "by": "pharmacy", "at": AT},
     {"received_at": "2026-06-01T14:00:00+00:00", "claims_ost": True, "by": "pharmacy",
      "at": "2026-08-17T08:30:00+00:00"}),
    ("engagement", {"engaged_on": (17, 8, 2026)}, {"engaged_on": (14, 8, 2026)},
     {"engaged_on": "2026-08-14"}),
    ("supply",
     {"form": "fp10mda", "instalments-0-collect_on": (29, 8, 2026),
      "instalments-0-first_on": (29, 8, 2026), "instalments-0-last_on": (31, 8, 2026)},
     {"form": "gate_pack", "instalments-0-collect_on": (28, 8, 2026),
      "instalments-0-first_on": (29, 8, 2026)},
     {"form": "gate_pack", "instalments": [instalment("2026-08-28", "2026-08-29")]}),
]  # fmt: skip


def _typed(app, section: str, correcting: bool, values: dict[str, Any]) -> dict[str, str]:
    data = {}
    for name, value in values.items():
        if not name.startswith("instalments"):
            data.update(boxes(app, section, correcting, **{name: value}))
            continue
        for box, part in zip(("day", "month", "year"), value, strict=True):
            data[f"{name}-{box}"] = str(part)
    return data


@pytest.mark.parametrize(
    ("section", "first", "then", "stands"), FORMS, ids=[each[0] for each in FORMS]
)
def test_every_section_is_recorded_and_corrected_by_its_form(
    app, story, staff_client, section, first, then, stands
):
    patient_id = story.patient()
    if section != "arrival":  # of whom a reception is known, that is recorded with the arrival
        stay = a_stay(story.act(), patient_id, datetime(2026, 6, 1, 15, 0, tzinfo=UTC))
        a_hearing(story.act(), stay, datetime(2026, 8, 24, 9, 0, tzinfo=UTC))
        a_transfer(story.act(), stay, on=date(2026, 8, 20), booked_on=date(2026, 8, 14))
    plan_id = a_release_plan(story.act(), patient_id)

    saved = send(
        staff_client, f"/release/plans/{plan_id}/facts/{section}",
        _typed(app, section, False, first),
    )  # fmt: skip

    assert saved.status_code == 200, saved.get_data(as_text=True)
    assert f"{SECTIONS[section].title}: saved." in unescape(saved.get_data(as_text=True))
    row = story.now(plan_id).facts[section][0]
    corrected = send(
        staff_client, f"/release/facts/{row.id}/correct",
        {**_emptied(staff_client, row.id), **_typed(app, section, True, then),
         "reason": "Entered wrongly"},
    )  # fmt: skip
    assert f"{SECTIONS[section].title}: saved." in unescape(corrected.get_data(as_text=True))
    standing = story.now(plan_id).facts[section]
    assert [fact.says for fact in standing] == [stands]
    old = story.act().session.get_one(ReleaseFact, row.id)
    assert old.struck_reason == "Entered wrongly"


def _emptied(client, fact_id: int) -> dict[str, str]:
    """Every text box of the correction form, emptied: the form starts from what stands."""
    page = client.get(f"/release/facts/{fact_id}/correct").get_data(as_text=True)
    found = re.findall(r'<input[^>]*class="nhsuk-input[^>]*>', page)
    return {name[1]: "" for tag in found if (name := re.search(r'name="([^"]*)"', tag))}


# -- sections that name something, or are shown once more before they are saved --------------


@pytest.mark.parametrize(("section", "kind"), [("pharmacy", "pharmacy"), ("clinic", "clinic")])
def test_a_plan_names_its_pharmacy_and_its_clinic_by_a_choice(
    app, story, staff_client, section, kind
):
    first, second = (a_pharmacy(story.act(), name, kind) for name in ("First", "Second"))
    plan_id = a_release_plan(story.act())

    send(staff_client, f"/release/plans/{plan_id}/facts/{section}", {"premises_id": first})
    [row] = story.now(plan_id).facts[section]
    send(
        staff_client, f"/release/facts/{row.id}/correct",
        {"premises_id": second, "reason": "Moved house"},
    )  # fmt: skip

    [row] = story.now(plan_id).facts[section]
    assert row.premises_id == second
    assert story.now(plan_id).request[section].get("name") == (
        "Second" if section == "pharmacy" else None
    )


def test_a_release_date_is_shown_once_more_with_what_hangs_on_it(app, story, staff_client):
    plan_id = a_release_plan(
        story.act(), release={"confirmed_on": "2026-09-16"},
        appointment={"at": "2026-09-17T09:00:00Z", "booked_at": "2026-08-16T09:00:00Z"},
    )  # fmt: skip
    fact_id = story.now(plan_id).facts["release"][0].id
    url = f"/release/facts/{fact_id}/correct"
    typed = {**boxes(app, "release", True, confirmed_on=(15, 9, 2026)), "reason": "OMU"}

    check = send(staff_client, url, typed)

    page = unescape(check.get_data(as_text=True))
    assert "Check before you save" in page
    assert "Leaves Tue 15 Sep 2026. Covered to Mon 14 Sep 2026." in page  # what it would come to
    assert "first community prescribing appointment" in page
    assert story.now(plan_id).facts["release"][0].id == fact_id
    again = staff_client.post(url, data={**_hidden(page), "step": "change"})
    assert 'value="15"' in again.get_data(as_text=True)
    saved = staff_client.post(url, data={**_hidden(page), "step": "confirm"}, follow_redirects=True)
    assert "RG-14" in saved.get_data(as_text=True)
    recheck = story.now(plan_id).recheck[0].id
    plan = f"/release/plans/{plan_id}"
    right = staff_client.post(
        f"/release/facts/{recheck}/still-right",
        data=_hidden(staff_client.get(plan).get_data(as_text=True)), follow_redirects=True,
    )  # fmt: skip
    assert "still right." in right.get_data(as_text=True)
    assert story.now(plan_id).recheck == []


def test_an_exit_is_checked_and_the_plan_then_speaks_of_the_risk_outside(app, story, staff_client):
    plan_id = a_release_plan(story.act(), release={"confirmed_on": "2026-08-17"})
    url = f"/release/plans/{plan_id}/facts/exit"

    check = send(
        staff_client, url,
        {**boxes(app, "exit", False, at=(17, 8, 2026, "09:00")), "how": "release"},
    )  # fmt: skip
    page = check.get_data(as_text=True)
    assert "The plan counts from this moment on" in page
    saved = staff_client.post(url, data={**_hidden(page), "step": "confirm"}, follow_redirects=True)

    assert "Heightened risk." in saved.get_data(as_text=True)
    assert "Out since" in staff_client.get("/release").get_data(as_text=True)
    [row] = story.now(plan_id).facts["exit"]
    struck_out = send(staff_client, f"/release/facts/{row.id}/strike", {"reason": "Not yet"})
    assert "Heightened risk." not in struck_out.get_data(as_text=True)


# -- the way through -----------------------------------------------------------------------


def test_a_plan_is_started_once_and_closed_and_opened_again(story, staff_client):
    patient_id = story.patient()
    listed = unescape(staff_client.get("/release").get_data(as_text=True))
    assert f"/release/start/{patient_id}" in listed

    started = send(staff_client, f"/release/start/{patient_id}")
    assert "Nothing in it is known yet" in started.get_data(as_text=True)
    again = staff_client.get(f"/release/start/{patient_id}")
    assert again.status_code == 302
    plan = again.headers["Location"]
    assert f'href="{plan}"' in staff_client.get(f"/patients/{patient_id}").get_data(as_text=True)

    closed = send(
        staff_client, f"{plan}/close", {"closed_as": "finished", "reason": "In treatment"}
    )
    assert "as it stood then" in closed.get_data(as_text=True)
    assert plan not in staff_client.get(f"/patients/{patient_id}").get_data(as_text=True)
    opened = send(staff_client, f"{plan}/reopen")
    assert "The plan is open again." in opened.get_data(as_text=True)


def test_what_was_typed_is_kept_beside_what_is_wrong_with_it(app, story, staff_client):
    plan_id = a_release_plan(story.act())
    typed = boxes(
        app, "appointment", False, at=(1, 9, 2026, "10:00"), booked_at=(1, 9, 2026, "9:00")
    )

    refused = send(staff_client, f"/release/plans/{plan_id}/facts/appointment", typed)

    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "<title>Error: " in page
    assert 'value="9:00"' in page
    later = boxes(
        app, "appointment", False, at=(1, 9, 2026, "10:00"), booked_at=(1, 9, 2026, "09:00")
    )
    refused = send(staff_client, f"/release/plans/{plan_id}/facts/appointment", later)
    assert "is later than now" in refused.get_data(as_text=True)
    empty = send(staff_client, f"/release/plans/{plan_id}/facts/release")
    assert "Answer at least one question" in empty.get_data(as_text=True)  # before the check


def test_a_collection_is_of_a_day_and_covers_days(app, story, staff_client):
    plan_id = a_release_plan(story.act())
    url = f"/release/plans/{plan_id}/facts/supply"
    row = "instalments-0-"
    typed: dict[str, Any] = {"form": "fp10mda", f"{row}collect_on": (29, 8, 2026)}
    day = _typed(app, "supply", False, typed)
    typed |= {f"{row}first_on": (29, 8, 2026), f"{row}last_on": (31, 8, 2126)}
    slip = _typed(app, "supply", False, typed)

    assert "First day it covers: enter an answer" in send(staff_client, url, day).get_data(
        as_text=True
    )
    assert "must be within 60 days" in send(staff_client, url, slip).get_data(as_text=True)
    assert story.now(plan_id).facts["supply"] == []


def test_somebody_who_saved_first_is_named_and_what_was_typed_is_kept(story, staff_client):
    plan_id = a_release_plan(story.act())
    url = f"/release/plans/{plan_id}/facts/prescriber"
    hidden = _hidden(staff_client.get(url).get_data(as_text=True))
    a_fact(story.act(), plan_id, "consent", given=True)

    late = staff_client.post(url, data={**hidden, "name": "Dr A. Example"})

    page = unescape(late.get_data(as_text=True))
    assert late.status_code == 422
    assert "Ann Probert changed this plan" in page
    assert "Dr A. Example" in page
    kept = {**_hidden(page), "name": "Dr A. Example"}
    assert staff_client.post(url, data=kept).status_code == 302


def test_a_form_without_its_token_is_refused(story, staff_client):
    plan_id = a_release_plan(story.act())

    sent = staff_client.post(
        f"/release/plans/{plan_id}/facts/consent",
        data={"version": version_of(story.act(), plan_id), "given": "yes"},
    )

    assert sent.status_code in (400, 422)
    assert story.now(plan_id).facts["consent"] == []


def test_the_plan_says_what_is_not_known_and_never_that_it_is_covered(story, staff_client):
    plan_id = a_release_plan(story.act())

    page = unescape(staff_client.get(f"/release/plans/{plan_id}").get_data(as_text=True))

    assert "Whether they are on opioid substitution: counted as yes" in page
    assert "cannot be counted yet" in page
    assert "Covered" not in page


@pytest.mark.proves("RC-02")
def test_uncovered_days_are_drawn_and_told(story, staff_client):
    plan_id = a_release_plan(
        story.act(), release={"confirmed_on": "2026-08-28"},
        last_dose={"dose_on_release_day": True}, appointment={"at": "2026-09-01T13:00:00Z"},
    )  # fmt: skip

    page = unescape(staff_client.get(f"/release/plans/{plan_id}").get_data(as_text=True))

    assert page.count("app-strip--uncovered") == 3
    assert page.count("app-strip--community") == 1  # however many days lie between
    assert "Bank holiday" in page
    assert "Uncovered days: 3 (29 Aug 2026 to 31 Aug 2026)" in page
    assert "If released today" in page


@pytest.mark.parametrize("role", ["pharmacist", "manager"])
def test_a_reader_sees_the_plan_and_no_way_to_change_it(story, door, staff_client, role):
    plan_id = a_release_plan(story.act())
    reader = door.by_page(role, site=story.prison)

    page = reader.get(f"/release/plans/{plan_id}").get_data(as_text=True)

    assert "What stands in the way" in page
    assert "/correct" not in page
    assert reader.get(f"/release/plans/{plan_id}/facts/consent").status_code == 403
    assert reader.get(f"/release/plans/{plan_id}/print").status_code == 200


def test_a_stranger_is_asked_for_a_reason_before_any_page_of_the_plan(story, door, staff_client):
    plan_id = a_release_plan(story.act(), consent={"given": True})
    fact_id = story.now(plan_id).facts["consent"][0].id
    stranger = door.by_page("nurse")

    for path in (
        f"plans/{plan_id}", f"plans/{plan_id}/print", f"plans/{plan_id}/history",
        f"plans/{plan_id}/facts/consent", f"facts/{fact_id}/correct", f"facts/{fact_id}/strike",
        f"plans/{plan_id}/close", f"start/{story.now(plan_id).patient.id}",
    ):  # fmt: skip
        assert stranger.get(f"/release/{path}").status_code == 403, path


def test_the_first_page_lists_the_gravest_release_first(story, staff_client):
    a_release_plan(story.act(), story.patient())
    soon = a_release_plan(story.act(), story.patient(), release={"confirmed_on": "2026-08-18"})

    page = unescape(staff_client.get("/").get_data(as_text=True))

    rows = re.findall(r"/release/plans/(\d+)", page)
    assert rows[0] == str(soon)
    assert "critical" in page


def test_the_first_page_of_a_service_lists_who_is_on_the_way(story, door, staff_client):
    service = a_site(story.database)
    plan_id = a_release_plan(
        story.act(),
        destination={"site_id": service.id},
        consent={"lawful_basis": "Vital interests"},
    )
    worker = door.by_page("drugs_worker", site=service)

    assert f"/release/plans/{plan_id}" in worker.get("/").get_data(as_text=True)
    assert worker.get(f"/release/plans/{plan_id}").status_code == 200


def test_a_pharmacy_is_added_and_its_days_recorded_by_forms(story, staff_client):
    added = send(staff_client, "/release/premises/add", {"kind": "pharmacy", "name": "High Street"})
    page = added.get_data(as_text=True)
    here = re.search(r"/release/premises/(\d+)/week", page)[0].removesuffix("/week")

    where = {"version": "1", "address": "2 High Street", "telephone": "01632 960002"}
    corrected = send(staff_client, f"{here}/correct", {**where, "reason": "Phoned"})
    assert "<td>01632 960002</td><td>Phoned</td>" in corrected.get_data(as_text=True)
    assert "looked at again" not in corrected.get_data(as_text=True)  # no plan reads it
    stale = send(staff_client, f"{here}/correct", {**where, "address": "4", "reason": "Letter"})
    assert stale.status_code == 422
    assert "It now reads: 2 High Street, 01632 960002" in stale.get_data(as_text=True)

    phoned = {"nation": "scotland", "reason": "Phoned"}
    wrong = send(staff_client, f"{here}/week", {"mon": "9 to 5", **phoned})
    week = send(staff_client, f"{here}/week", {"mon": "09:00-13:00, 14:00-18:00", **phoned})
    shut = send(
        staff_client, f"{here}/closed",
        {"first_on-day": "29", "first_on-month": "8", "first_on-year": "2026",
         "last_on-day": "29", "last_on-month": "8", "last_on-year": "2026", "reason": "Refit"},
    )  # fmt: skip
    fact = re.search(rf"{here}/facts/(\d+)/strike", shut.get_data(as_text=True))[0]
    struck_out = send(staff_client, fact, {"reason": "Put off"})
    opened = send(
        staff_client, f"{here}/open",
        {"on-day": "30", "on-month": "8", "on-year": "2026", "hours": "10:00-12:00",
         "reason": "Duty"},
    )  # fmt: skip

    assert wrong.status_code == 422
    assert "09:00-13:00, 14:00-18:00" in week.get_data(as_text=True)
    assert "Closed on the bank holidays of Scotland" in week.get_data(as_text=True)
    assert "Refit" in shut.get_data(as_text=True)
    assert "Put off" in struck_out.get_data(as_text=True)
    assert "10:00-12:00" in opened.get_data(as_text=True)
    assert "High Street" in staff_client.get("/release/premises").get_data(as_text=True)
