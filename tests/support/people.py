"""Who is in the story? Sites and staff with roles, and their sign-ins, as rows of a test."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from clinic import clock
from clinic.auth import secret_token, token_hash
from clinic.db import Database
from clinic.roles import rights_of
from clinic.sites.models import Site
from clinic.staff.models import ApiToken, PrescriberLevel, SitePost, Staff, StaffRole, StaffSession

SINCE = date(2000, 1, 1)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_numbers = count(1)


def a_site(session: Session, *, kind: str = "community", **more: Any) -> Site:
    """A service of its own name; `more` sets any other column."""
    columns: dict[str, Any] = {
        "name": f"Taff Vale {next(_numbers)}",
        "nation": "england_and_wales",
        **dict.fromkeys(("ods_code", "area", "address", "telephone", "out_of_hours_line")),
        **more,
    }
    site = Site(kind=kind, **columns)
    session.add(site)
    session.flush()
    return site


def a_member_of_staff(
    session: Session,
    site: Site,
    *roles: str,
    name: str = "Ann Probert",
    level: str | None = None,
    post: str | None = None,
    since: date = SINCE,
) -> Staff:
    """Somebody with these roles at the site, this prescriber level and this post, since 2000."""
    staff = Staff(
        name=name,
        email=f"staff{next(_numbers)}@example.org",
        password_hash=None,
        registration=None,
        left_on=None,
    )
    session.add(staff)
    session.flush()
    dated: dict[str, Any] = {
        "staff_id": staff.id,
        "from_on": since,
        "to_on": None,
        "recorded_at": LONG_AGO,
        "recorded_by": staff.id,
    }
    session.add_all(StaffRole(site_id=site.id, role=role, **dated) for role in roles)
    if level is not None:
        session.add(PrescriberLevel(level=level, **dated))
    if post is not None:
        session.add(SitePost(site_id=site.id, post=post, **dated))
    session.flush()
    session.refresh(staff)
    return staff


def a_sign_in(session: Session, staff: Staff, site: Site) -> str:
    """The token of a sign-in begun this moment."""
    token, now = secret_token(), clock.now()
    session.add(
        StaffSession(
            token_hash=token_hash(token),
            staff_id=staff.id,
            site_id=site.id,
            started_at=now,
            seen_at=now,
            ended_at=None,
        )
    )
    session.flush()
    return token


def an_api_token(session: Session, staff: Staff, site: Site, scopes: Iterable[str]) -> str:
    """A bearer token in force for a day from now."""
    token, now = secret_token(), clock.now()
    session.add(
        ApiToken(
            token_hash=token_hash(token),
            label="test",
            staff_id=staff.id,
            site_id=site.id,
            scopes=sorted(scopes),
            revoked_at=None,
            expires_at=now + timedelta(days=1),
            revoked_by=None,
            recorded_at=now,
            recorded_by=staff.id,
        )
    )
    session.flush()
    return token


class StaffClient(FlaskClient):
    """A client of the service in somebody's name."""

    staff_id: int
    site_id: int


class Door:
    """Lets staff into an application: by page, by API token, or in a browser."""

    def __init__(self, app: Flask, database: Database) -> None:
        self._app = app
        self._database = database

    def by_page(self, *roles: str, site: Site | None = None, **person: Any) -> StaffClient:
        """A client signed in with these roles, at a site of its own unless one is given."""
        with self._database.transaction() as session:
            site, staff = self._somebody(session, site, roles, person)
        return self._signed_in(staff, site)

    def _signed_in(self, staff: Staff, site: Site) -> StaffClient:
        with self._database.transaction() as session:
            token = a_sign_in(session, staff, site)
        client = self._client(staff, site)
        with client.session_transaction() as cookie:
            cookie["token"] = token
        return client

    def by_token(
        self,
        *roles: str,
        site: Site | None = None,
        scopes: Iterable[str] | None = None,
        **person: Any,
    ) -> StaffClient:
        """An API client whose bearer token has all the rights of these roles, or these scopes."""
        with self._database.transaction() as session:
            site, staff = self._somebody(session, site, roles, person)
            posts = [person["post"]] if person.get("post") else []
            allowed = rights_of(roles, posts) if scopes is None else scopes
            token = an_api_token(session, staff, site, allowed)
        client = self._client(staff, site)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        client.environ_base["HTTP_ACCEPT"] = "application/json"
        return client

    def in_browser(
        self, page: Page, url: str, *roles: str, site: Site | None = None, **person: Any
    ) -> tuple[int, int]:
        """Give the page a sign-in for the service at `url`; the ids of the staff and the site."""
        client = self.by_page(*roles, site=site, **person)
        self._hand_over(client, page, url)
        return client.staff_id, client.site_id

    def again_in_browser(self, page: Page, url: str, staff: Staff, site: Site) -> None:
        """Give the page a new sign-in of somebody who works at the site already."""
        self._hand_over(self._signed_in(staff, site), page, url)

    def _hand_over(self, client: StaffClient, page: Page, url: str) -> None:
        name = self._app.config["SESSION_COOKIE_NAME"]
        cookie = client.get_cookie(name)
        assert cookie is not None
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": url}])

    def _somebody(
        self, session: Session, site: Site | None, roles: tuple[str, ...], person: dict[str, Any]
    ) -> tuple[Site, Staff]:
        site = site or a_site(session)
        return site, a_member_of_staff(session, site, *roles, **person)

    def _client(self, staff: Staff, site: Site) -> StaffClient:
        client = StaffClient(self._app, self._app.response_class)
        client.staff_id, client.site_id = staff.id, site.id
        return client
