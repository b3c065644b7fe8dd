"""What holds at a site, from which day, and what cannot be set."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinic.act import Act
from clinic.calendars import calendar_of
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from clinic.sites import commands, queries
from clinic.sites.models import Site
from clinic.staff import commands as staff_commands
from tests.factories.base import NOW, a_member_of_staff, a_site, an_act

TODAY = date(2026, 11, 4)
DAY = timedelta(days=1)


@pytest.fixture
def manager(database: Database) -> Act:
    site = a_site(database)
    return an_act(database, a_member_of_staff(database, site, "manager"), site)


@pytest.fixture
def administrator(database: Database) -> Act:
    site = a_site(database)
    return an_act(database, a_member_of_staff(database, site, "administrator"), site)


def _site(act: Act) -> Site:
    act.session.rollback()
    return act.session.get_one(Site, act.site_id)


def _ready_for_model_3(act: Act) -> None:
    for feature in commands.MODEL_3_NEEDS:
        commands.add_feature(act, act.site_id or 0, feature)


@pytest.mark.proves("RP-01")
def test_a_service_holds_one_model_on_any_day(manager: Act) -> None:
    site_id = manager.site_id or 0

    commands.set_model(manager, site_id, 1, from_on=date(2026, 1, 1))
    commands.set_model(manager, site_id, 2, from_on=TODAY + 7 * DAY, reason="fast track opens")

    site = _site(manager)
    assert [site.model_on(day) for day in (TODAY, TODAY + 6 * DAY, TODAY + 7 * DAY)] == [1, 1, 2]
    for offset in range(-400, 400, 20):
        day = TODAY + offset * DAY
        assert sum(row.holds_on(day) for row in site.models) <= 1


def test_a_model_set_again_the_same_day_replaces_the_first(manager: Act) -> None:
    site_id = manager.site_id or 0
    commands.set_model(manager, site_id, 1)

    commands.set_model(manager, site_id, 2, reason="meant model 2")

    site = _site(manager)
    assert site.model_on(TODAY) == 2
    assert sum(row.holds_on(TODAY) for row in site.models) == 1


def test_a_coming_change_of_model_can_be_taken_back(manager: Act) -> None:
    site_id = manager.site_id or 0
    commands.set_model(manager, site_id, 1, from_on=date(2026, 1, 1))
    commands.set_model(manager, site_id, 2, from_on=TODAY + 7 * DAY, reason="too early")

    commands.set_model(manager, site_id, 1, from_on=TODAY + 3 * DAY, reason="not yet")

    site = _site(manager)
    assert [site.model_on(TODAY + days * DAY) for days in (0, 3, 7, 30)] == [1, 1, 1, 1]


def test_the_model_of_days_that_passed_is_history(manager: Act) -> None:
    site_id = manager.site_id or 0
    commands.set_model(manager, site_id, 1, from_on=date(2026, 1, 1))

    with pytest.raises(Invalid, match="history"):
        commands.set_model(manager, site_id, 2, from_on=TODAY - DAY, reason="too late")


@pytest.mark.proves("RP-09")
@pytest.mark.parametrize("missing", commands.MODEL_3_NEEDS)
def test_model_3_is_refused_without_either_of_its_needs(manager: Act, missing: str) -> None:
    site_id = manager.site_id or 0
    for feature in set(commands.MODEL_3_NEEDS) - {missing}:
        commands.add_feature(manager, site_id, feature)

    with pytest.raises(Invalid, match="cannot be 3 here"):
        commands.set_model(manager, site_id, 3)
    assert _site(manager).model_on(TODAY) is None


@pytest.mark.proves("RP-09")
def test_model_3_needs_them_on_its_first_day(manager: Act) -> None:
    site_id = manager.site_id or 0
    for feature in commands.MODEL_3_NEEDS:
        commands.add_feature(manager, site_id, feature, from_on=TODAY + 7 * DAY)

    with pytest.raises(Invalid):
        commands.set_model(manager, site_id, 3, from_on=TODAY + 6 * DAY)
    commands.set_model(manager, site_id, 3, from_on=TODAY + 7 * DAY)

    assert _site(manager).model_on(TODAY + 7 * DAY) == 3


@pytest.mark.proves("RP-09")
def test_a_feature_stays_while_model_3_needs_it(manager: Act) -> None:
    site_id = manager.site_id or 0
    _ready_for_model_3(manager)
    commands.set_model(manager, site_id, 3)

    with pytest.raises(Conflict, match="Model 3"):
        commands.end_feature(manager, site_id, "specialist_service")
    commands.set_model(manager, site_id, 2, reason="no doctor on site")
    commands.end_feature(manager, site_id, "specialist_service")

    assert not _site(manager).has("specialist_service", TODAY)


@pytest.mark.parametrize("model", [0, 4])
def test_there_are_three_models(manager: Act, model: int) -> None:
    with pytest.raises(Invalid):
        commands.set_model(manager, manager.site_id or 0, model)


def test_a_prison_has_no_rapid_prescribing_model(database: Database) -> None:
    prison = a_site(database, kind="prison")
    manager = an_act(database, a_member_of_staff(database, prison, "manager"), prison)

    with pytest.raises(Invalid, match="community"):
        commands.set_model(manager, prison.id, 2)


def test_a_change_of_model_says_why(manager: Act) -> None:
    site_id = manager.site_id or 0
    commands.set_model(manager, site_id, 1)

    with pytest.raises(Invalid, match="reason"):
        commands.set_model(manager, site_id, 2)


def test_a_rule_set_holds_from_a_day(manager: Act) -> None:
    site_id = manager.site_id or 0
    commands.choose_rule_set(manager, site_id, "era-2003", from_on=date(2026, 1, 1))

    commands.choose_rule_set(manager, site_id, "uk-2017", from_on=TODAY + DAY)

    site = _site(manager)
    assert [site.rule_set_on(TODAY), site.rule_set_on(TODAY + DAY)] == ["era-2003", "uk-2017"]
    with pytest.raises(Invalid):
        commands.choose_rule_set(manager, site_id, "us-2024")


def test_a_closed_day_counts_until_it_is_withdrawn(manager: Act) -> None:
    site_id = manager.site_id or 0
    with pytest.raises(Invalid, match="in the past"):
        commands.close_site(manager, site_id, TODAY - timedelta(days=1), "snow")
    closure = commands.close_site(manager, site_id, date(2026, 12, 24), "training")
    assert calendar_of(manager.session, _site(manager))["closure_days"] == ["2026-12-24"]

    with pytest.raises(Conflict, match="already closed"):
        commands.close_site(manager, site_id, date(2026, 12, 24), "again")
    commands.withdraw_closure(manager, closure)

    assert calendar_of(manager.session, _site(manager))["closure_days"] == []
    commands.close_site(manager, site_id, date(2026, 12, 24), "training after all")


def test_a_late_bank_holiday_counts_for_its_nation_until_it_is_withdrawn(
    administrator: Act,
) -> None:
    change = commands.change_calendar(
        administrator, "england_and_wales", date(2027, 5, 3), "added",
        announced_on=date(2026, 10, 1), name="Coronation",
    )  # fmt: skip
    shown = calendar_of(administrator.session, _site(administrator))["calendar_changes"]
    assert shown == [{"on": "2027-05-03", "change": "added", "announced_on": "2026-10-01"}]

    with pytest.raises(Conflict):
        commands.change_calendar(
            administrator, "england_and_wales", date(2027, 5, 3), "removed", announced_on=None,
            name=None,
        )  # fmt: skip
    commands.withdraw_calendar_change(administrator, change)

    assert calendar_of(administrator.session, _site(administrator))["calendar_changes"] == []
    with pytest.raises(NotFound):
        commands.withdraw_calendar_change(administrator, change)


def test_an_announcement_is_not_of_tomorrow(administrator: Act) -> None:
    with pytest.raises(Invalid, match="future"):
        commands.change_calendar(
            administrator, "scotland", date(2027, 5, 3), "added", announced_on=TODAY + DAY,
            name=None,
        )  # fmt: skip


def test_details_are_edited_under_a_version_and_what_they_were_is_kept(manager: Act) -> None:
    site_id = manager.site_id or 0
    was = _site(manager).name

    assert commands.edit_site(manager, site_id, version=1, name="Taff Vale", ods_code="xyz1") == 2
    with pytest.raises(Stale, match="Ann Probert") as refused:
        commands.edit_site(manager, site_id, version=1, name="Other")

    assert refused.value.more["changed_at"] == NOW.isoformat()
    changes = [(row.field, row.was, row.became) for row, _ in queries.changes_of(manager, site_id)]
    assert sorted(changes) == [("name", was, "Taff Vale"), ("ods_code", None, "XYZ1")]


def test_two_sites_do_not_share_a_name(administrator: Act) -> None:
    given = {"name": "HMP Parc", "kind": "prison", "nation": "england_and_wales"}
    commands.add_site(administrator, **given)

    with pytest.raises(Conflict, match="of this name"):
        commands.add_site(administrator, **given)


def test_a_manager_sets_up_their_own_site_and_no_other(manager: Act, administrator: Act) -> None:
    other = administrator.site_id or 0

    with pytest.raises(Forbidden):
        commands.close_site(manager, other, TODAY, "not mine")
    with pytest.raises(Forbidden):
        commands.add_site(manager, name="X", kind="prison", nation="scotland")
    assert [site.id for site in queries.sites_to_manage(manager)] == [manager.site_id]
    manager.session.rollback()

    commands.close_site(administrator, manager.site_id or 0, TODAY, "burst pipe")


def test_a_post_passes_from_one_to_the_next_and_can_stand_empty(
    manager: Act, database: Database
) -> None:
    site = _site(manager)
    first, second = (
        a_member_of_staff(database, site, "nurse", name=name) for name in ("Una", "Dai")
    )
    outsider = a_member_of_staff(database, a_site(database), "nurse")

    staff_commands.give_post(manager, site.id, "duty_nurse", first.id)
    staff_commands.give_post(manager, site.id, "duty_nurse", second.id)

    held = [name for row, name in queries.posts_at(manager, site.id) if row.holds_on(TODAY)]
    assert held == ["Dai"]
    with pytest.raises(Invalid, match="works at this site"):
        staff_commands.give_post(manager, site.id, "duty_nurse", outsider.id)
    staff_commands.end_post(manager, site.id, "duty_nurse")
    with pytest.raises(NotFound):
        staff_commands.end_post(manager, site.id, "duty_nurse")


@pytest.mark.parametrize("role", ["nurse", "auditor", "prescriber"])
def test_other_roles_set_up_nothing(database: Database, role: str) -> None:
    site = a_site(database)
    act = an_act(database, a_member_of_staff(database, site, role), site)

    with pytest.raises(Forbidden):
        commands.set_model(act, site.id, 1)
    with pytest.raises(Forbidden):
        commands.choose_rule_set(act, site.id, "uk-2017")
