"""A site is set up by pages, and by a script, through the same commands."""

from __future__ import annotations

import pytest

from clinic.db import Database
from tests.factories.base import a_site
from tests.support.people import Door, StaffClient


def _path(client: StaffClient) -> str:
    return f"/sites/{client.site_id}"


@pytest.mark.proves("RP-09")
def test_model_3_is_refused_on_its_page_until_the_site_has_what_it_needs(door: Door) -> None:
    manager = door.by_page("manager")
    path = _path(manager)

    refused = manager.post(f"{path}/model", data={"model": "3"})
    assert refused.status_code == 422
    assert "existing specialist drug service and supervised dispensing" in refused.text
    assert 'value="3" checked' in refused.text  # what was chosen is kept
    for feature in ("specialist_service", "supervised_dispensing"):
        manager.post(f"{path}/features", data={"feature": feature})

    assert manager.post(f"{path}/model", data={"model": "3"}).location == path
    assert "Model 3" in manager.get(path).text
    # Set by mistake and replaced the same day it stays on the page, with who set it and why.
    back = {"model": "2", "reason": "It was a mistake"}
    manager.post(f"{path}/model", data=back)
    page = manager.get(path).text
    assert "replaced before it held" in page and "It was a mistake" in page
    again = {"model": "3", "reason": "The right one after all"}
    manager.post(f"{path}/model", data=again)
    refused = manager.post(f"{path}/features/specialist_service/end")
    assert (refused.status_code, "Model 3 needs this" in refused.text) == (422, True)


def test_dose_rules_are_chosen_after_a_look_at_the_answers(door: Door) -> None:
    manager = door.by_page("manager")
    path = f"{_path(manager)}/rule-set"

    check = manager.post(path, data={"rule_set": "era-2003"})
    assert "Check before you change the dose rules" in check.text
    assert "none recorded" not in manager.get(_path(manager)).text.split("Dose rules")[0]
    manager.post(path, data={"rule_set": "era-2003", "step": "confirm"})

    assert "UK 2003 to 2010" in manager.get(_path(manager)).text


def test_a_closure_and_its_withdrawal_stay_on_the_page(door: Door) -> None:
    manager = door.by_page("manager")
    path = _path(manager)
    day = {"on-day": "24", "on-month": "12", "on-year": "2026", "reason": "Training"}

    manager.post(f"{path}/closures", data=day)
    assert manager.post(f"{path}/closures", data=day).status_code == 422
    page = manager.get(path).text
    closure = page.split("/closures/")[1].split("/withdraw")[0]
    manager.post(f"{path}/closures/{closure}/withdraw")

    assert "withdrawn on" in manager.get(path).text


def test_two_who_edit_a_site_at_once_see_each_other(door: Door) -> None:
    manager = door.by_page("manager", name="Mair Manager")
    path = f"{_path(manager)}/edit"
    assert manager.post(path, data={"name": "Taff Vale A", "version": "1"}).status_code == 302

    second = manager.post(path, data={"name": "Taff Vale B", "version": "1"})

    assert second.status_code == 412
    for shown in ("Mair Manager changed this", "Taff Vale A", 'value="Taff Vale B"'):
        assert shown in second.text


def test_a_manager_does_not_reach_another_site(door: Door, database: Database) -> None:
    manager, other = door.by_page("manager"), a_site(database).id

    for page in ("", "/edit", "/model", "/rule-set", "/features", "/closures", "/posts"):
        assert manager.get(f"/sites/{other}{page}").status_code == 403
    assert manager.get("/sites/add").status_code == 403
    assert manager.get("/sites/calendar/add").status_code == 403


def test_an_administrator_adds_a_site_and_a_late_bank_holiday(door: Door) -> None:
    boss = door.by_page("administrator")

    made = boss.post(
        "/sites/add",
        data={"name": "HMP Parc", "kind": "prison", "nation": "england_and_wales",
              "rule_set": "uk-2017"},
    )  # fmt: skip
    boss.post(
        "/sites/calendar/add",
        data={"nation": "scotland", "on-day": "3", "on-month": "5", "on-year": "2027",
              "change": "added", "name": "A coronation"},
    )  # fmt: skip

    assert "Rapid prescribing model" not in boss.get(made.location).text
    assert "A coronation" in boss.get("/sites/calendar").text


def test_a_script_sets_up_a_site_under_its_version(door: Door) -> None:
    script = door.by_token("manager")
    path = f"/api/v1/sites/{script.site_id}"

    assert script.get(path).headers["ETag"] == '"1"'
    assert script.patch(path, json={"area": "Rhondda"}).status_code == 428
    saved = script.patch(path, json={"area": "Rhondda"}, headers={"If-Match": '"1"'})
    assert (saved.status_code, saved.headers["ETag"]) == (200, '"2"')
    assert script.patch(path, json={}, headers={"If-Match": '"1"'}).status_code == 412

    refused = script.post(f"{path}/models", json={"model": 3})
    assert refused.status_code == 422
    assert refused.json is not None
    assert refused.json["errors"][0]["field"] == "model"
    made = script.post(f"{path}/models", json={"model": 2, "from_on": "2020-01-01"})
    assert made.json is not None
    assert made.json["model"] == 2
    made = script.post(f"{path}/closures", json={"on": "2026-12-24", "reason": "Training"})
    assert made.json is not None
    closure = made.json["closures"][0]["id"]
    assert (
        script.post(f"{path}/closures", json={"on": "2026-12-24", "reason": "x"}).status_code == 409
    )
    assert script.post(f"/api/v1/closures/{closure}/withdraw").status_code == 204
    told = script.get(path).json
    assert told is not None
    assert told["closures"] == []
