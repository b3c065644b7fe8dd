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
from tests.factories.release import (
    a_hearing,
    a_release_plan,
    a_stay,
    a_transfer,
    instalment,
)

NOW = datetime(2026, 8, 17, 9, 0, tzinfo=UTC)


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


def send(client, url: str, form: dict[str, Any] | None = None, follow: bool = True):
    """Open the form at an address and send it filled in, as a browser would."""
    page = client.get(url).get_data(as_text=True)
    return client.post(url, data={**_hidden(page), **(form or {})}, follow_redirects=follow)


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
    ("arrival", {"claims_ost": "yes"}, {"claims_ost": "yes", "by": "pharmacy", "at": AT},
     {"claims_ost": True, "by": "pharmacy", "at": "2026-08-17T08:30:00+00:00"}),
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
            data[f"{name}{_SEPARATOR}{box}"] = str(part)
    return data


_SEPARATOR = "-"


@pytest.mark.parametrize(
    ("section", "first", "then", "stands"), FORMS, ids=[each[0] for each in FORMS]
)
def test_every_section_is_recorded_and_corrected_by_its_form(
    app, story, staff_client, section, first, then, stands
):
    patient_id = story.patient()
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
