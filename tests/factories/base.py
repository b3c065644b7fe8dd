"""Who and where is this story about? A site, its staff, a patient, and a piece of work by somebody.

`an_act` is what a command takes. One act's reads hold its session open: end them with
`act.session.rollback()` before another act writes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.db import Database
from clinic.patients.commands import register_patient
from clinic.roles import rights_of
from clinic.sites.models import Site
from clinic.staff.models import SitePost, Staff
from tests.support import people

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)  # a Wednesday; the `clock` fixture stands here too
_numbers = count(1)


def a_site(database: Database, *, kind: str = "community", **more: Any) -> Site:
    """A site of its own name; `more` sets any other column."""
    with database.transaction() as session:
        return people.a_site(session, kind=kind, **more)


def a_member_of_staff(
    database: Database, site: Site, role: str = "nurse", *more_roles: str, **person: Any
) -> Staff:
    """Somebody with these roles at the site since 2000. `person`: name, level, post, since."""
    with database.transaction() as session:
        staff = people.a_member_of_staff(session, site, role, *more_roles, **person)
        session.refresh(staff, ["roles", "levels", "competences"])
        return staff


def an_act(
    database: Database,
    staff: Staff,
    site: Site,
    *,
    at: datetime = NOW,
    rights: frozenset[str] | None = None,
) -> Act:
    """A piece of work by this person at this site, with all the rights of their roles and posts there."""
    with database.reading() as session:
        known = session.get_one(Staff, staff.id)
        roles = [row.role for row in known.roles if row.site_id == site.id]
        posts = session.scalars(
            select(SitePost.post).where(
                SitePost.staff_id == staff.id, SitePost.site_id == site.id, SitePost.to_on.is_(None)
            )
        ).all()
    return Act(
        session=database.session(),
        at=at,
        staff_id=staff.id,
        staff_name=staff.name,
        site_id=site.id,
        role=roles[0] if roles else None,
        rights=rights_of(roles, posts) if rights is None else rights,
    )


def an_nhs_number(serial: int | None = None) -> str:
    """A valid number of the synthetic 999 range, another one each time."""
    while True:
        digits = f"999{next(_numbers) if serial is None else serial:06d}"
        total = sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True))
        check = 11 - total % 11
        if check != 10:
            return f"{digits}{0 if check == 11 else check}"
        if serial is not None:
            raise ValueError("this serial has no check digit")


def a_patient(act: Act, **details: Any) -> int:
    """A patient registered at the act's site, whatever the rights of its member of staff."""
    given: dict[str, Any] = {
        "family_name": "Morgan",
        "given_name": "Dewi",
        "born_on": date(1986, 3, 14),
        "sex": "male",
        **details,
    }
    if "numbers" not in given:
        given["numbers"] = {"nhs": an_nhs_number()}
    registering = replace(act, rights=act.rights | {"patients.register"})
    return register_patient(registering, demo=True, **given)
