"""An empty service is set up once; after that accounts, roles and trainings are given and ended."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from clinic import create_app
from clinic.act import Act
from clinic.audit import AuditEntry
from clinic.db import Database
from clinic.errors import Conflict, Forbidden, Invalid, NotFound
from clinic.sites.models import Site
from clinic.staff import commands
from clinic.staff.models import ApiToken, RegistrationChange, Staff
from config.settings import Settings
from tests.factories.base import NOW, a_member_of_staff, a_site, an_act
from tests.support.people import Door

TODAY = date(2026, 11, 4)
PASSWORD = "correct horse battery"
FIRST = {
    "site_name": "Taff Vale", "kind": "community", "nation": "england_and_wales",
    "rule_set": "uk-2017", "name": "Ann", "email": "ann@example.org", "password": PASSWORD,
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(commands, "_hasher", lambda: quick)


@pytest.fixture
def nobody(database: Database) -> Act:
    """A visitor of an empty service."""
    return Act(session=database.session(), at=NOW, staff_id=None)


@pytest.fixture
def boss(database: Database) -> Act:
    site = a_site(database)
    return an_act(database, a_member_of_staff(database, site, "administrator"), site)


@pytest.fixture
def una(database: Database, boss: Act) -> Staff:
    """A nurse at the administrator's site."""
    with database.reading() as session:
        site = session.get_one(Site, boss.site_id)
    return a_member_of_staff(database, site, "nurse", name="Una")


# -- the first of all ----------------------------------------------------------------------


def test_an_empty_service_is_set_up_once(nobody: Act) -> None:
    staff_id = commands.set_up(nobody, **FIRST)

    staff = nobody.session.get_one(Staff, staff_id)
    site = nobody.session.scalars(select(Site)).one()
    assert [(row.role, row.site_id) for row in staff.roles] == [("administrator", site.id)]
    assert (site.name, site.rule_set_on(TODAY)) == ("Taff Vale", "uk-2017")
    nobody.session.rollback()
    with pytest.raises(NotFound):
        commands.set_up(replace(nobody, staff_id=None), **{**FIRST, "email": "b@example.org"})


@pytest.mark.parametrize(
    "wrong",
    [{"password": "short"}, {"email": "ann"}, {"kind": "hospital"}, {"rule_set": "x"},
     {"site_name": " "}, {"name": ""}],
)  # fmt: skip
def test_a_set_up_that_cannot_stand_leaves_the_service_empty(
    nobody: Act, wrong: dict[str, str]
) -> None:
    with pytest.raises(Invalid):
        commands.set_up(nobody, **{**FIRST, **wrong})

    assert not commands.anybody(nobody)
    assert nobody.session.scalar(select(func.count(Site.id))) == 0


def test_the_first_visitor_is_led_to_the_set_up_and_the_second_finds_no_such_page(
    client: FlaskClient,
) -> None:
    assert client.get("/sign-in").location == "/set-up"
    assert "Set-up code" not in client.get("/set-up").text  # a demonstration asks for none

    assert client.post("/set-up", data=FIRST).location == "/sign-in"

    assert client.get("/set-up").status_code == 404
    assert client.post("/set-up", data=FIRST).status_code == 404
    assert client.get("/sign-in").status_code == 200
    answer = client.post("/sign-in", data={"email": FIRST["email"], "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get("/staff").status_code == 200


def test_an_empty_production_asks_for_its_set_up_code(fresh_url: str) -> None:
    app = create_app(
        Settings(mode="production", database_url=fresh_url, secret_key="x" * 32,
                 set_up_code="sixteen-letters!", log_level="ERROR")
    )  # fmt: skip
    client = app.test_client()

    def send(**more: str) -> int:
        page = client.get("/set-up").text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None
        return client.post("/set-up", data={**FIRST, "csrf_token": token[1], **more}).status_code

    assert send() == 422
    assert send(code="sixteen-letters?") == 422
    assert send(code="sixteen-letters!") == 302
    app.extensions["database"].engine.dispose()


def test_an_empty_production_without_a_code_keeps_its_set_up_page_shut(fresh_url: str) -> None:
    app = create_app(
        Settings(mode="production", database_url=fresh_url, secret_key="x" * 32, log_level="ERROR")
    )

    assert app.test_client().get("/set-up").status_code == 404
    app.extensions["database"].engine.dispose()


# -- accounts ------------------------------------------------------------------------------


def test_a_new_account_can_do_nothing_until_it_has_a_role(boss: Act, client: FlaskClient) -> None:
    staff_id = commands.add_staff(
        boss, name="Una", email=" Una@Example.org ", password=PASSWORD, registration="NMC 1"
    )

    sent = {"email": "una@example.org", "password": PASSWORD}
    assert client.post("/sign-in", data=sent).status_code == 403
    commands.give_role(boss, staff_id, boss.site_id or 0, "nurse", from_on=date(2020, 1, 1))
    assert client.post("/sign-in", data=sent).status_code == 302


def test_an_address_has_one_account(boss: Act) -> None:
    given = {"name": "Una", "email": "una@example.org", "password": None}
    commands.add_staff(boss, **given)

    with pytest.raises(Conflict, match="e-mail address"):
        commands.add_staff(boss, **{**given, "email": "UNA@example.org"})


@pytest.mark.parametrize("email", ["una", "@example.org", "una@", "u na@example.org", ""])
def test_what_is_not_an_address_is_refused(boss: Act, email: str) -> None:
    with pytest.raises(Invalid, match="email"):
        commands.add_staff(boss, name="Una", email=email, password=None)


@pytest.mark.parametrize(("length", "stands"), [(11, False), (12, True), (200, True), (201, False)])
def test_a_password_has_twelve_characters_or_more(boss: Act, length: int, stands: bool) -> None:
    if stands:
        commands.add_staff(boss, name="U", email="u@example.org", password="x" * length)
    else:
        with pytest.raises(Invalid, match="password"):
            commands.add_staff(boss, name="U", email="u@example.org", password="x" * length)


def test_a_role_is_given_for_a_site_from_a_day_and_ended_at_once(boss: Act, una: Staff) -> None:
    site_id = boss.site_id or 0

    commands.give_role(boss, una.id, site_id, "manager", from_on=TODAY + timedelta(days=1))
    assert commands.roles_at(boss, una.id, site_id) == ["nurse"]
    boss.session.rollback()
    commands.end_role(boss, una.roles[0].id)

    assert commands.roles_at(boss, una.id, site_id) == []
    boss.session.rollback()
    with pytest.raises(NotFound):
        commands.end_role(boss, una.roles[0].id)


@pytest.mark.parametrize("wrong", [{"role": "wizard"}, {"role": "nurse"}, {"site_id": 4711}])
def test_a_role_that_cannot_stand_is_refused(
    boss: Act, una: Staff, wrong: dict[str, object]
) -> None:
    given = {"site_id": boss.site_id or 0, "role": "manager", **wrong}

    with pytest.raises(Invalid):
        commands.give_role(boss, una.id, **given)  # type: ignore[arg-type]


def test_the_last_administrator_stays(boss: Act, una: Staff) -> None:
    mine = boss.session.get_one(Staff, boss.staff_id).roles[0].id

    with pytest.raises(Conflict, match="Nobody else"):
        commands.end_role(boss, mine)
    commands.give_role(boss, una.id, boss.site_id or 0, "administrator")
    commands.end_role(boss, mine)


def test_a_prescriber_level_holds_from_today_and_can_be_taken_away(boss: Act, una: Staff) -> None:
    def level() -> str | None:
        boss.session.rollback()
        return boss.session.get_one(Staff, una.id, populate_existing=True).level_on(TODAY)

    assert level() is None
    commands.set_level(boss, una.id, "prescriber")
    assert level() == "prescriber"
    commands.set_level(boss, una.id, "experienced")
    assert level() == "experienced"
    commands.set_level(boss, una.id, None)
    assert level() is None
    with pytest.raises(Invalid):
        commands.set_level(boss, una.id, "wizard")


def test_a_competence_is_recorded_and_ended(boss: Act, una: Staff) -> None:
    commands.record_competence(boss, una.id, "drug_tester")
    assert boss.session.get_one(Staff, una.id).competent("drug_tester", TODAY)
    boss.session.rollback()

    commands.end_competence(boss, una.id, "drug_tester")

    held = boss.session.get_one(Staff, una.id, populate_existing=True)
    assert not held.competent("drug_tester", TODAY)
    boss.session.rollback()
    with pytest.raises(NotFound):
        commands.end_competence(boss, una.id, "drug_tester")
    with pytest.raises(Invalid):
        commands.record_competence(boss, una.id, "juggling")


def test_somebody_leaves_and_comes_back(boss: Act, una: Staff) -> None:
    commands.leave(boss, una.id, TODAY)
    assert boss.session.get_one(Staff, una.id).left_on == TODAY
    boss.session.rollback()
    commands.come_back(boss, una.id)
    assert boss.session.get_one(Staff, una.id).left_on is None
    boss.session.rollback()
    with pytest.raises(Invalid, match="own account"):
        commands.leave(boss, boss.staff_id or 0, TODAY)


# -- tokens --------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_kept_as_a_hash(boss: Act, una: Staff) -> None:
    issued = commands.issue_token(
        boss, staff_id=una.id, site_id=boss.site_id or 0, label="till", scopes=["patients.read"],
        days=90,
    )  # fmt: skip

    row = boss.session.get_one(ApiToken, issued.token_id)
    assert issued.token not in (row.token_hash, row.label)
    assert issued.expires_at == NOW + timedelta(days=90)
    boss.session.rollback()
    commands.revoke_token(boss, issued.token_id)
    assert boss.session.get_one(ApiToken, issued.token_id).revoked_by == boss.staff_id


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["patients.read", "everything"]}, "scopes"),
        ({"scopes": ["staff.manage"]}, "scopes"),  # beyond a nurse
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
        ({"site_id": 4711}, "site_id"),
    ],
)
def test_a_token_that_cannot_stand_is_refused(
    boss: Act, una: Staff, wrong: dict[str, object], field: str
) -> None:
    given = {
        "staff_id": una.id, "site_id": boss.site_id or 0, "label": "x",
        "scopes": ["patients.read"], "days": 1, **wrong,
    }  # fmt: skip

    with pytest.raises(Invalid) as refused:
        commands.issue_token(boss, **given)  # type: ignore[arg-type]
    assert refused.value.faults[0][0] == field


@pytest.mark.parametrize("role", ["nurse", "manager", "auditor"])
def test_nobody_but_an_administrator_changes_accounts(database: Database, role: str) -> None:
    site = a_site(database)
    act = an_act(database, a_member_of_staff(database, site, role), site)

    for attempt in (
        lambda: commands.add_staff(act, name="x", email="x@example.org", password=None),
        lambda: commands.give_role(act, act.staff_id or 0, site.id, "administrator"),
        lambda: commands.set_level(act, act.staff_id or 0, "experienced"),
        lambda: commands.set_password(act, act.staff_id or 0, PASSWORD),
        lambda: commands.record_competence(act, act.staff_id or 0, "drug_tester"),
        lambda: commands.issue_token(
            act, staff_id=act.staff_id or 0, site_id=site.id, label="x", scopes=["patients.read"],
            days=1,
        ),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            attempt()


def test_changes_of_accounts_are_on_the_audit(boss: Act, una: Staff) -> None:
    commands.set_level(boss, una.id, "prescriber")
    commands.record_competence(boss, una.id, "drug_tester")

    rows = boss.session.execute(select(AuditEntry.action, AuditEntry.detail)).all()
    assert [tuple(row) for row in rows] == [
        ("staff.level_set", {"staff": una.id, "level": "prescriber"}),
        ("staff.competence", {"staff": una.id, "competence": "drug_tester"}),
    ]


# -- the pages -----------------------------------------------------------------------------


def test_an_administrator_makes_a_working_nurse_by_pages(door: Door, client: FlaskClient) -> None:
    boss = door.by_page("administrator")

    made = boss.post(
        "/staff/add",
        data={"name": "Una", "email": "una@example.org", "password": PASSWORD, "registration": ""},
    )
    path = made.location.removesuffix("/roles")
    for sub, data in (
        ("roles", {"site_id": str(boss.site_id), "role": "prescriber"}),
        ("level", {"level": "experienced"}),
        ("competences", {"competence": "rapid_induction_doctor"}),
    ):
        assert boss.post(f"{path}/{sub}", data=data).location == path
    shown = boss.get(path).text

    for words in ("Prescriber experienced", "Trained for rapid induction", "una@example.org"):
        assert words in shown
    client.post("/sign-in", data={"email": "una@example.org", "password": PASSWORD})
    assert client.get("/patients").status_code == 200


def test_a_token_issued_by_page_opens_the_api(door: Door, client: FlaskClient) -> None:
    boss, nurse = door.by_page("administrator"), door.by_page("nurse")

    page = boss.post(
        f"/staff/{nurse.staff_id}/tokens",
        data={"site_id": str(nurse.site_id), "label": "till", "scopes": ["patients.read"],
              "days": "1"},
    ).text  # fmt: skip

    token = re.search(r"<code>(.+)</code>", page)
    assert token is not None
    headers = {"Authorization": f"Bearer {token[1]}"}
    assert client.get("/api/v1/patients", headers=headers).status_code == 200
    assert token[1] not in boss.get(f"/staff/{nurse.staff_id}").text


def test_two_at_the_door_of_an_empty_service_make_one_administrator(
    fresh_database: Database,
) -> None:
    start, ended = threading.Barrier(2), []

    def arrive(number: int) -> None:
        act = Act(session=fresh_database.session(), at=NOW, staff_id=None)
        start.wait()
        try:
            commands.set_up(
                act, **{**FIRST, "site_name": f"S{number}", "email": f"{number}@example.org"}
            )
            ended.append("in")
        except NotFound:
            ended.append("shut")
        finally:
            act.session.close()

    arriving = [threading.Thread(target=arrive, args=(number,)) for number in range(2)]
    for each in arriving:
        each.start()
    for each in arriving:
        each.join(timeout=60)

    assert sorted(ended) == ["in", "shut"]
    with fresh_database.reading() as session:
        assert session.scalar(select(func.count(Staff.id))) == 1


def test_a_registration_is_put_right_and_shown(door, database):
    admin = door.by_page("administrator")
    with database.reading() as session:
        site = session.get_one(Site, admin.site_id)
    doctor = a_member_of_staff(database, site, "prescriber").id

    given = {"registration": " GMC 9990001 ", "reason": "Seen on the register", "version": "1"}
    admin.post(f"/staff/{doctor}/registration", data=given)
    again = admin.post(
        f"/staff/{doctor}/registration", data={**given, "registration": "GMC 9990002"}
    )
    later = {"registration": "GMC 9990002", "reason": "A slip of the pen", "version": "2"}
    admin.post(f"/staff/{doctor}/registration", data=later)

    page = admin.get(f"/staff/{doctor}").text
    assert again.status_code == 412
    assert page.count("GMC 9990001") == 2  # it became so, and it was so
    assert "A slip of the pen" in page
    too_long = admin.post(
        f"/staff/{doctor}/registration", data={**later, "registration": "9" * 51, "version": "3"}
    )
    assert too_long.status_code == 422


def test_a_registration_is_corrected_over_http_and_what_it_was_stays(door, database):
    admin = door.by_token("administrator")
    nurse = door.by_token("nurse")
    with database.reading() as session:
        site = session.get_one(Site, admin.site_id)
    doctor = a_member_of_staff(database, site, "prescriber").id
    path = f"/api/v1/staff/{doctor}/registration"
    given = {"registration": "GMC 9990001", "reason": "Seen on the register"}

    first = admin.put(path, json=given, headers={"If-Match": admin.get(path).headers["ETag"]})
    blind = admin.put(path, json=given)
    stale = admin.put(path, json={**given, "registration": "X"}, headers={"If-Match": '"1"'})
    same = admin.put(path, json=given, headers={"If-Match": first.headers["ETag"]})
    ended = admin.put(
        path, json={"registration": None, "reason": "Left the register"},
        headers={"If-Match": first.headers["ETag"]},
    )  # fmt: skip

    assert (first.status_code, ended.status_code) == (200, 200)
    assert (blind.status_code, stale.status_code, same.status_code) == (428, 412, 422)
    assert nurse.get(path).status_code == nurse.put(path, json=given).status_code == 403
    assert [(each["was"], each["became"]) for each in ended.json["changes"]] == [
        (None, "GMC 9990001"), ("GMC 9990001", None),
    ]  # fmt: skip
    assert ended.json["changes"][0]["recorded_by"] == admin.staff_id
    with pytest.raises(IntegrityError), database.transaction() as session:
        change = session.scalars(select(RegistrationChange)).first()
        session.add(
            RegistrationChange(
                staff_id=doctor, number=change.number, was=None, became="X", reason="At once",
                recorded_at=NOW, recorded_by=doctor,
            )
        )  # fmt: skip
