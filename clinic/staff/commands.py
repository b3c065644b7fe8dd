"""Sign in and out, and change who may do what where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, select, update

from clinic.act import Act, command
from clinic.auth import secret_token, token_hash
from clinic.errors import Forbidden, Invalid, NotFound, TooMany, says
from clinic.roles import RIGHTS, ROLES, rights_of
from clinic.sites.models import Site
from clinic.staff.models import (
    COMPETENCES,
    LEVELS,
    POSTS,
    ApiToken,
    PrescriberLevel,
    SignInAttempt,
    SitePost,
    Staff,
    StaffCompetence,
    StaffRole,
    StaffSession,
)

ATTEMPTS, ATTEMPT_WINDOW = 5, timedelta(minutes=15)
SHORTEST_PASSWORD = 12

says("uq_staff_email", "Somebody already signs in with this e-mail address.")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _decoy() -> str:
    """Checked when nobody has the address, so that a guess takes the same time either way."""
    return _hasher().hash(secret_token())


def _password_fits(stored: str | None, given: str) -> bool:
    try:
        return _hasher().verify(stored or _decoy(), given) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def sign_in(act: Act, email: str, password: str, address: str) -> str:
    """Start a sign-in and return its token. TooMany after five failures in fifteen minutes.

    A failure is recorded in a transaction of its own, so it counts although the sign-in does not.
    """
    keys = [token_hash(f"email {email.strip().lower()}"), token_hash(f"address {address}")]
    _slow_down(act, keys)
    staff = act.session.scalar(select(Staff).where(Staff.email == email.strip().lower()))
    act.session.rollback()  # hashing is slow on purpose: nobody waits for a write meanwhile
    fits = _password_fits(staff.password_hash if staff else None, password)
    if staff is None or not fits or (staff.left_on is not None and staff.left_on < act.today):
        _record_failure(act, keys)
        raise Invalid(
            "The e-mail address or the password is not right.",
            faults=[("password", "The e-mail address or the password is not right")],
        )
    return _start(act, staff.id, keys)


def _slow_down(act: Act, keys: list[str]) -> None:
    since = act.at - ATTEMPT_WINDOW
    limits = {keys[0]: ATTEMPTS, keys[1]: ATTEMPTS * 10}
    counts = act.session.execute(
        select(SignInAttempt.key, func.count(), func.min(SignInAttempt.at))
        .where(SignInAttempt.key.in_(keys), SignInAttempt.at > since)
        .group_by(SignInAttempt.key)
    )
    for key, count, first in counts:
        if count >= limits[key]:
            wait = max(1, int((first + ATTEMPT_WINDOW - act.at).total_seconds()))
            raise TooMany(f"Too many failed sign-ins. Try again in {-(-wait // 60)} minutes.", wait)


@command
def _record_failure(act: Act, keys: list[str]) -> None:
    act.session.execute(delete(SignInAttempt).where(SignInAttempt.at <= act.at - ATTEMPT_WINDOW))
    act.session.add_all(SignInAttempt(key=key, at=act.at) for key in keys)
    act.note("sign_in.refused", outcome="refused")


@command
def _start(act: Act, staff_id: int, keys: list[str]) -> str:
    staff = act.session.get_one(Staff, staff_id)
    roles = [row for row in staff.roles if row.holds_on(act.today)]
    if not roles:
        raise Forbidden("Your account has no role at any site today. Ask your administrator.")
    act.session.execute(delete(SignInAttempt).where(SignInAttempt.key == keys[0]))
    token = secret_token()
    act.session.add(
        StaffSession(
            token_hash=token_hash(token),
            staff_id=staff.id,
            site_id=roles[0].site_id,
            started_at=act.at,
            seen_at=act.at,
            ended_at=None,
        )
    )
    act.staff_id, act.site_id, act.role = staff.id, roles[0].site_id, roles[0].role
    act.note("sign_in")
    return token


@command
def sign_out(act: Act, token: str) -> None:
    """End this sign-in; its token is worth nothing from now on."""
    act.session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == token_hash(token), StaffSession.ended_at.is_(None))
        .values(ended_at=act.at)
    )
    act.note("sign_out")


@command
def work_at(act: Act, token: str, site_id: int) -> None:
    """Go on working at another site where a role is held today."""
    if act.staff_id is None or not roles_at(act, act.staff_id, site_id):
        raise Forbidden("You hold no role at that site today.")
    act.session.execute(
        update(StaffSession)
        .where(StaffSession.token_hash == token_hash(token), StaffSession.ended_at.is_(None))
        .values(site_id=site_id)
    )
    act.note("sign_in.site", site_id=site_id)


def roles_at(act: Act, staff_id: int, site_id: int) -> list[str]:
    """The roles somebody holds at a site today."""
    rows = act.session.scalars(
        select(StaffRole)
        .where(StaffRole.staff_id == staff_id, StaffRole.site_id == site_id)
        .order_by(StaffRole.id)
    )
    return [row.role for row in rows if row.holds_on(act.today)]


@command
def add_staff(
    act: Act, *, name: str, email: str, password: str | None, registration: str | None = None
) -> int:
    """Give somebody an account. It can do nothing until a role is given."""
    act.need("staff.manage")
    email = email.strip().lower()
    if "@" not in email:
        raise Invalid.field("email", "must be an e-mail address")
    if not name.strip():
        raise Invalid.field("name", "is required")
    if password is not None and len(password) < SHORTEST_PASSWORD:
        raise Invalid.field("password", f"must have {SHORTEST_PASSWORD} characters or more")
    staff = Staff(
        name=name.strip(),
        email=email,
        password_hash=_hasher().hash(password) if password else None,
        registration=registration,
        left_on=None,
    )
    act.session.add(staff)
    act.session.flush()
    act.note("staff.added", staff=staff.id)
    return staff.id


@command
def set_password(act: Act, staff_id: int, password: str) -> None:
    """Set a new password and end every sign-in of that account."""
    if act.staff_id != staff_id:
        act.need("staff.manage")
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid.field("password", f"must have {SHORTEST_PASSWORD} characters or more")
    _staff(act, staff_id).password_hash = _hasher().hash(password)
    act.session.execute(
        update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=act.at)
    )
    act.note("staff.password", staff=staff_id)


def _staff(act: Act, staff_id: int) -> Staff:
    staff = act.session.get(Staff, staff_id)
    if staff is None:
        raise NotFound("There is no such member of staff.")
    return staff


@command
def give_role(
    act: Act, staff_id: int, site_id: int, role: str, from_on: date | None = None
) -> None:
    """Let somebody work in a role at a site from a day on (today when not said)."""
    act.need("staff.manage")
    if role not in ROLES:
        raise Invalid.field("role", f"must be one of: {', '.join(ROLES)}")
    _staff(act, staff_id)
    if act.session.get(Site, site_id) is None:
        raise Invalid.field("site_id", "there is no such site")
    if role in roles_at(act, staff_id, site_id):
        raise Invalid.field("role", "is already held at this site")
    act.session.add(
        StaffRole(
            staff_id=staff_id, site_id=site_id, role=role, from_on=from_on or act.today, to_on=None,
            recorded_at=act.at, recorded_by=act.staff_id or staff_id,
        )
    )  # fmt: skip
    act.note("staff.role_given", staff=staff_id, role=role, site=site_id)


@command
def end_role(act: Act, role_id: int) -> None:
    """End a role from now: yesterday was its last day. The row stays."""
    act.need("staff.manage")
    row = act.session.get(StaffRole, role_id)
    if row is None or not row.holds_on(act.today):
        raise NotFound("There is no such role in force.")
    row.to_on = act.today - timedelta(days=1)
    act.note("staff.role_ended", staff=row.staff_id, role=row.role, site=row.site_id)


@command
def set_level(act: Act, staff_id: int, level: str | None) -> None:
    """Set whether somebody prescribes, and at which level, from today. None ends it."""
    act.need("staff.manage")
    if level is not None and level not in LEVELS:
        raise Invalid.field("level", f"must be one of: {', '.join(LEVELS)}")
    for row in _staff(act, staff_id).levels:
        if row.holds_on(act.today):
            row.to_on = act.today - timedelta(days=1)
    if level is not None:
        act.session.add(
            PrescriberLevel(
                staff_id=staff_id, level=level, from_on=act.today, to_on=None,
                recorded_at=act.at, recorded_by=act.staff_id or staff_id,
            )
        )  # fmt: skip
    act.note("staff.level_set", staff=staff_id, level=level)


@command
def record_competence(
    act: Act, staff_id: int, competence: str, from_on: date | None = None
) -> None:
    """Record a training that bookings ask for by name."""
    act.need("staff.manage")
    if competence not in COMPETENCES:
        raise Invalid.field("competence", f"must be one of: {', '.join(COMPETENCES)}")
    if not _staff(act, staff_id).competent(competence, from_on or act.today):
        act.session.add(
            StaffCompetence(
                staff_id=staff_id, competence=competence, from_on=from_on or act.today,
                to_on=None, recorded_at=act.at, recorded_by=act.staff_id or staff_id,
            )
        )  # fmt: skip
        act.note("staff.competence", staff=staff_id, competence=competence)


@command
def give_post(act: Act, site_id: int, post: str, staff_id: int) -> None:
    """Name who holds a post; whoever held it until now ends."""
    act.need("sites.manage")
    if post not in POSTS:
        raise Invalid.field("post", f"must be one of: {', '.join(POSTS)}")
    _staff(act, staff_id)
    for row in act.session.scalars(
        select(SitePost).where(SitePost.site_id == site_id, SitePost.post == post)
    ):
        if row.holds_on(act.today):
            row.to_on = act.today - timedelta(days=1)
    act.session.add(
        SitePost(
            site_id=site_id, post=post, staff_id=staff_id, from_on=act.today, to_on=None,
            recorded_at=act.at, recorded_by=act.staff_id or staff_id,
        )
    )  # fmt: skip
    act.note("site.post_given", site=site_id, post=post, staff=staff_id)


@command
def issue_token(
    act: Act, *, staff_id: int, site_id: int, label: str, scopes: Sequence[str], days: int
) -> str:
    """Issue a bearer token for an account at a site; it is shown once and only its hash kept."""
    act.need("tokens.manage")
    if unknown := sorted(set(scopes) - set(RIGHTS)):
        raise Invalid.field("scopes", f"not known: {', '.join(unknown)}")
    if not 1 <= days <= 366:
        raise Invalid.field("days", "must be from 1 to 366")
    roles = roles_at(act, staff_id, site_id)
    if not roles:
        raise Invalid.field("staff_id", "holds no role at that site today")
    if beyond := sorted(set(scopes) - rights_of(roles)):
        raise Invalid.field("scopes", f"beyond what the account may do: {', '.join(beyond)}")
    token = secret_token()
    row = ApiToken(
        token_hash=token_hash(token), label=label.strip() or "token", staff_id=staff_id,
        site_id=site_id, scopes=sorted(set(scopes)), expires_at=act.at + timedelta(days=days),
        revoked_at=None, revoked_by=None, recorded_at=act.at, recorded_by=act.staff_id or staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("token.issued", token=row.id, staff=staff_id)
    return token


@command
def revoke_token(act: Act, token_id: int) -> None:
    """End a token at once."""
    act.need("tokens.manage")
    row = act.session.get(ApiToken, token_id)
    if row is None:
        raise NotFound("There is no such token.")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = act.at, act.staff_id
        act.note("token.revoked", token=row.id)
