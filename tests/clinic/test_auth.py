"""Who gets in, for how long, and what ends it."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic import create_app
from clinic.auth import token_hash
from clinic.db import Database
from clinic.sites.models import Site
from clinic.staff import commands
from clinic.staff.models import SignInAttempt, Staff, StaffSession
from config.settings import Settings
from tests.conftest import Clock
from tests.factories.base import NOW, a_member_of_staff, a_site, an_act
from tests.support.people import Door

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at its least cost: hundreds of sign-ins need not be slow on purpose."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(commands, "_hasher", lambda: quick)


@pytest.fixture
def site(database: Database) -> Site:
    return a_site(database)


@pytest.fixture
def ann(database: Database, site: Site, clock: Clock) -> Staff:
    """A nurse with a password."""
    staff = a_member_of_staff(database, site, "nurse", name="Ann Probert")
    boss = a_member_of_staff(database, site, "administrator")
    commands.set_password(an_act(database, boss, site), staff.id, PASSWORD)
    return staff


def _sign_in(client: FlaskClient, staff: Staff, password: str = PASSWORD) -> int:
    return client.post("/sign-in", data={"email": staff.email, "password": password}).status_code


def _is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def test_the_right_password_lets_in(client: FlaskClient, ann: Staff) -> None:
    assert client.get("/").location == "/sign-in"

    answer = client.post("/sign-in", data={"email": f" {ann.email.upper()} ", "password": PASSWORD})

    assert (answer.status_code, answer.location) == (302, "/")
    assert "Ann Probert" in client.get("/account").text


def test_a_wrong_password_and_a_wrong_address_look_the_same(
    client: FlaskClient, ann: Staff
) -> None:
    wrong = client.post("/sign-in", data={"email": ann.email, "password": "something else"})
    nobody = client.post("/sign-in", data={"email": "no@example.org", "password": PASSWORD})

    assert (wrong.status_code, nobody.status_code) == (422, 422)
    said = [re.findall(r"summary__list.*?</ul>", page.text, re.S) for page in (wrong, nobody)]
    assert said[0] == said[1]
    assert f'value="{ann.email}"' in wrong.text  # what was typed is kept
    assert "something else" not in wrong.text  # but never a password
    assert not _is_in(client)


def test_a_guess_is_slow_on_purpose() -> None:
    """The library's own parameters, which follow RFC 9106's second recommendation."""
    in_use = PasswordHasher()

    assert (in_use.time_cost, in_use.memory_cost, in_use.type.name) == (3, 65536, "ID")


def test_passwords_are_kept_as_argon2_only(database: Database, ann: Staff) -> None:
    with database.reading() as session:
        stored = session.get_one(Staff, ann.id).password_hash or ""

    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_tokens_are_kept_as_hashes_only(
    client: FlaskClient, database: Database, ann: Staff
) -> None:
    _sign_in(client, ann)

    with client.session_transaction() as cookie:
        token = cookie["token"]
    with database.reading() as session:
        stored = session.scalars(select(StaffSession.token_hash)).all()
    assert stored == [token_hash(token)]


def test_five_failures_shut_the_door_for_a_while(
    client: FlaskClient, ann: Staff, clock: Clock
) -> None:
    for _ in range(5):
        assert _sign_in(client, ann, "wrong") == 422
        clock.forward(minutes=1)

    answer = client.post("/sign-in", data={"email": ann.email, "password": PASSWORD})

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == str(10 * 60)  # the first of the five was 5 minutes ago
    assert "Try again in 10 minutes" in answer.text
    clock.forward(minutes=10)
    assert _sign_in(client, ann) == 302


def test_four_failures_do_not_and_a_success_forgets_them(
    client: FlaskClient, ann: Staff, database: Database
) -> None:
    for _ in range(4):
        assert _sign_in(client, ann, "wrong") == 422

    assert _sign_in(client, ann) == 302

    with database.reading() as session:
        key = token_hash(f"email {ann.email}")
        assert session.scalar(select(SignInAttempt.id).where(SignInAttempt.key == key)) is None


def test_one_address_cannot_guess_at_everybody(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        session.add_all(
            SignInAttempt(key=token_hash("address 127.0.0.1"), at=NOW) for _ in range(50)
        )
    from clinic import clock

    clock_now = clock.now
    try:
        clock.now = lambda: NOW  # type: ignore[assignment]
        answer = client.post("/sign-in", data={"email": "x@example.org", "password": "y"})
    finally:
        clock.now = clock_now  # type: ignore[assignment]

    assert answer.status_code == 429


def test_an_unused_sign_in_ends(client: FlaskClient, ann: Staff, clock: Clock) -> None:
    _sign_in(client, ann)

    clock.forward(minutes=20)
    assert _is_in(client)
    clock.forward(minutes=20, seconds=1)
    assert not _is_in(client)


def test_a_used_sign_in_goes_on(client: FlaskClient, ann: Staff, clock: Clock) -> None:
    _sign_in(client, ann)

    for _ in range(5):
        clock.forward(minutes=15)
        assert _is_in(client)


def test_signing_out_kills_the_token_everywhere(
    app: Flask, client: FlaskClient, ann: Staff
) -> None:
    _sign_in(client, ann)
    with client.session_transaction() as cookie:
        token = cookie["token"]
    thief = app.test_client()
    with thief.session_transaction() as cookie:
        cookie["token"] = token
    assert _is_in(thief)

    assert client.post("/sign-out").status_code == 302

    assert not _is_in(client)
    assert not _is_in(thief)


def test_a_role_ended_today_cuts_access_at_the_next_click(
    database: Database, ann: Staff, site: Site, client: FlaskClient, clock: Clock
) -> None:
    _sign_in(client, ann)
    assert client.get("/patients").status_code == 200

    boss = an_act(database, a_member_of_staff(database, site, "administrator"), site)
    commands.end_role(boss, ann.roles[0].id)

    assert client.get("/patients").status_code == 302  # to the sign-in
    assert _sign_in(client, ann) == 403


def test_somebody_who_left_is_not_let_in_the_day_after(
    database: Database, ann: Staff, site: Site, client: FlaskClient, clock: Clock
) -> None:
    boss = an_act(database, a_member_of_staff(database, site, "administrator"), site)
    commands.leave(boss, ann.id, date(2026, 11, 4))

    assert _sign_in(client, ann) == 302
    clock.forward(days=1)
    assert _sign_in(client, ann) == 422


def test_a_role_of_another_site_opens_nothing_here(
    database: Database, ann: Staff, client: FlaskClient, clock: Clock
) -> None:
    elsewhere = a_site(database)
    boss = an_act(database, a_member_of_staff(database, elsewhere, "administrator"), elsewhere)
    commands.give_role(boss, ann.id, elsewhere.id, "manager")

    assert (
        client.post("/sign-in", data={"email": ann.email, "password": PASSWORD}).location
        == "/choose-site"
    )
    assert client.get("/sites").status_code == 403
    client.post("/choose-site", data={"site_id": str(elsewhere.id)})
    assert client.get("/sites").status_code == 200


@pytest.mark.parametrize(
    ("then", "goes_to"),
    [("/patients", "/patients"), ("//evil.example", "/"), ("/\\evil.example", "/"),
     ("https://evil.example", "/"), (None, "/")],
)  # fmt: skip
def test_a_sign_in_goes_on_to_a_page_of_ours_only(
    client: FlaskClient, ann: Staff, then: str | None, goes_to: str
) -> None:
    with client.session_transaction() as cookie:
        cookie["then"] = then

    answer = client.post("/sign-in", data={"email": ann.email, "password": PASSWORD})

    assert answer.location == goes_to


def test_a_page_that_needed_a_sign_in_is_gone_on_to(client: FlaskClient, ann: Staff) -> None:
    assert client.get("/patients?x=1").location == "/sign-in"

    assert (
        client.post("/sign-in", data={"email": ann.email, "password": PASSWORD}).location
        == "/patients"
    )


def test_a_new_password_ends_every_sign_in(client: FlaskClient, ann: Staff) -> None:
    _sign_in(client, ann)

    wrong = client.post("/account/password", data={"current": "no", "new": "another long one"})
    assert wrong.status_code == 422
    short = client.post("/account/password", data={"current": PASSWORD, "new": "short"})
    assert short.status_code == 422
    right = client.post("/account/password", data={"current": PASSWORD, "new": "another long one"})

    assert right.status_code == 302
    assert not _is_in(client)
    assert _sign_in(client, ann) == 422
    assert _sign_in(client, ann, "another long one") == 302


def test_a_form_without_its_token_is_refused(fresh_url: str) -> None:
    app = create_app(Settings(mode="test", database_url=fresh_url, log_level="ERROR"))
    client = Door(app, app.extensions["database"]).by_page("nurse")

    answer = client.post("/sign-out")

    assert answer.status_code == 400
    assert "The request could not be read" in answer.text
    assert _is_in(client)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/account").text)
    assert token is not None
    assert client.post("/sign-out", data={"csrf_token": token[1]}).status_code == 302
    app.extensions["database"].engine.dispose()


def test_production_sends_its_cookie_over_https_only(fresh_url: str) -> None:
    app = create_app(
        Settings(mode="production", database_url=fresh_url, secure_cookies=True, secret_key="x" * 32,
                 log_level="ERROR")
    )  # fmt: skip

    cookie = app.test_client().get("/account").headers["Set-Cookie"]

    for word in ("Secure", "HttpOnly", "SameSite=Lax"):
        assert word in cookie
    app.extensions["database"].engine.dispose()


# -- bearer tokens -------------------------------------------------------------------------


def _open(client: FlaskClient, staff: Staff, **more: object) -> tuple[int, dict[str, object]]:
    answer = client.post(
        "/api/v1/tokens", json={"email": staff.email, "password": PASSWORD, **more}
    )
    return answer.status_code, answer.json or {}


def _me(client: FlaskClient, token: object) -> tuple[int, dict[str, object]]:
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.json or {}


def test_a_script_gets_a_token_for_eight_hours(
    client: FlaskClient, ann: Staff, site: Site, clock: Clock
) -> None:
    status, opened = _open(client, ann)

    assert status == 201
    assert opened["expires_at"] == (NOW + timedelta(hours=8)).isoformat()
    status, me = _me(client, opened["token"])
    assert (status, me["staff_id"], me["site_id"], me["roles"]) == (200, ann.id, site.id, ["nurse"])
    assert "patients.read" in me["rights"]  # type: ignore[operator]
    clock.forward(hours=7, minutes=59)
    assert _me(client, opened["token"])[0] == 200
    clock.forward(minutes=1)
    assert _me(client, opened["token"])[0] == 401


def test_a_script_names_a_site_where_its_account_works(
    client: FlaskClient, ann: Staff, database: Database
) -> None:
    assert _open(client, ann, site_id=a_site(database).id)[0] == 403


def test_a_script_is_refused_like_anybody(client: FlaskClient, ann: Staff) -> None:
    wrong = {"email": ann.email, "password": "wrong"}
    for _ in range(5):
        answer = client.post("/api/v1/tokens", json=wrong)
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    answer = client.post("/api/v1/tokens", json=wrong)

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_a_token_is_ended_by_its_owner(client: FlaskClient, ann: Staff, door: Door) -> None:
    _, opened = _open(client, ann)
    headers = {"Authorization": f"Bearer {opened['token']}"}

    stranger = door.by_token("nurse")
    assert stranger.delete(f"/api/v1/tokens/{opened['token_id']}").status_code == 404
    assert client.delete(f"/api/v1/tokens/{opened['token_id']}", headers=headers).status_code == 204

    assert _me(client, opened["token"])[0] == 401


def test_a_token_never_does_more_than_its_scopes(door: Door) -> None:
    narrow = door.by_token("nurse", scopes=["guidance.read"])

    answer = narrow.get("/api/v1/patients")

    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["type"] == "urn:throughcare:problem:forbidden"


def test_a_token_never_does_more_than_its_account(door: Door) -> None:
    """A scope its owner's role does not hold is worth nothing."""
    wide = door.by_token("pharmacist", scopes=["patients.read", "patients.register"])

    assert wide.get("/api/v1/patients").status_code == 200
    assert wide.post("/api/v1/patients", json={}).status_code == 403


def test_a_token_of_a_role_that_ended_is_worth_nothing(
    client: FlaskClient, ann: Staff, database: Database, site: Site
) -> None:
    _, opened = _open(client, ann)
    boss = an_act(database, a_member_of_staff(database, site, "administrator"), site)

    commands.end_role(boss, ann.roles[0].id)

    assert _me(client, opened["token"])[0] == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense"])
def test_no_token_no_answer(client: FlaskClient, header: str) -> None:
    answer = client.get("/api/v1/me", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"


def test_a_cookie_does_not_open_the_api(door: Door) -> None:
    assert door.by_page("nurse").get("/api/v1/patients").status_code == 401


def test_a_token_does_not_open_pages(door: Door) -> None:
    assert door.by_token("nurse").get("/patients").status_code == 302
