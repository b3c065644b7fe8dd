"""Sign in and out, and change who may do what where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, select, update

from clinic.act import Act, command
from clinic.audit import AuditHead
from clinic.auth import secret_token, token_hash
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, Stale, TooMany, says
from clinic.roles import RIGHTS, ROLES, rights_of
from clinic.sites.commands import make_site, managed_site
from clinic.sites.models import Site
from clinic.staff.models import (
    COMPETENCES,
    LEVELS,
    POSTS,
    ApiToken,
    PrescriberLevel,
    RegistrationChange,
    SignInAttempt,
    SitePost,
    Staff,
    StaffCompetence,
    StaffRole,
    StaffSession,
)

OWN_TOKEN_LASTS = timedelta(hours=8)
ATTEMPTS, ATTEMPT_WINDOW = 5, timedelta(minutes=15)
LONGEST_TOKEN_DAYS = 366
LONGEST_REGISTRATION = 50
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200

# SQLite names the columns of a unique constraint, PostgreSQL the constraint.
says("uq_staff_email", "Somebody already signs in with this e-mail address.")
says("registration_change", "Somebody changed this registration at the same moment. Look again.")
says("staff.email", "Somebody already signs in with this e-mail address.")


@dataclass(frozen=True)
class Issued:
    """A new bearer token. It is told once: only its hash is kept."""

    token: str
    token_id: int
    site_id: int
    scopes: tuple[str, ...]
    expires_at: datetime


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
    return _start(act, *_prove(act, email, password, address))


def token_for(
    act: Act, email: str, password: str, address: str, site_id: int | None = None
) -> Issued:
    """A token for eight hours with every right its owner holds at a site (their first one when not said).

    The doorway of scripts: e-mail and password are proved as for a sign-in.
    """
    return _issue_own(act, *_prove(act, email, password, address), site_id)


def _prove(act: Act, email: str, password: str, address: str) -> tuple[int, list[str]]:
    """Whose e-mail address and password are these? The id, and the keys their failures count under."""
    keys = [token_hash(f"email {email.strip().lower()}"), token_hash(f"address {address}")]
    _slow_down(act, keys)
    staff = act.session.scalar(select(Staff).where(Staff.email == email.strip().lower()))
    stored = staff.password_hash if staff else None
    left = staff is not None and staff.left_on is not None and staff.left_on < act.today
    act.session.rollback()  # hashing is slow on purpose: nobody waits for a write meanwhile
    fits = _password_fits(stored, password)
    if staff is None or not fits or left:
        _record_failure(act, keys)
        raise Invalid(
            "The e-mail address or the password is not right.",
            faults=[("password", "The e-mail address or the password is not right")],
        )
    return staff.id, keys


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
def _issue_own(act: Act, staff_id: int, keys: list[str], site_id: int | None) -> Issued:
    staff = act.session.get_one(Staff, staff_id)
    held = [row for row in staff.roles if row.holds_on(act.today)]
    at_site = [row for row in held if site_id in (None, row.site_id)]
    if not at_site:
        raise Forbidden("Your account has no role at that site today. Ask your administrator.")
    site_id = at_site[0].site_id
    roles = [row.role for row in held if row.site_id == site_id]
    act.session.execute(delete(SignInAttempt).where(SignInAttempt.key == keys[0]))
    act.staff_id, act.site_id, act.role = staff.id, site_id, roles[0]
    rights = rights_of(roles, posts_at(act, staff.id, site_id))
    return _add_token(act, staff.id, site_id, "signed in", rights, OWN_TOKEN_LASTS)


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


def posts_at(act: Act, staff_id: int, site_id: int) -> list[str]:
    """The posts somebody holds at a site today."""
    rows = act.session.scalars(
        select(SitePost)
        .where(SitePost.staff_id == staff_id, SitePost.site_id == site_id)
        .order_by(SitePost.id)
    )
    return [row.post for row in rows if row.holds_on(act.today)]


@command
def set_up(
    act: Act,
    *,
    site_name: str,
    kind: str,
    nation: str,
    rule_set: str,
    name: str,
    email: str,
    password: str,
) -> int:
    """Make the first site and the first administrator of an empty service. Returns the staff id.

    NotFound as soon as anybody has an account: the door closes behind the first.
    """
    # Two at the door at once: the second waits here, and then finds somebody inside.
    act.session.scalar(select(AuditHead).where(AuditHead.strand == 0).with_for_update())
    if anybody(act):
        raise NotFound("This service is already set up.")
    staff_id = _make_staff(act, name, email, password, None)
    act.staff_id = staff_id
    site_id = make_site(act, name=site_name, kind=kind, nation=nation, rule_set=rule_set)
    act.site_id, act.role = site_id, "administrator"
    _add_role(act, staff_id, site_id, "administrator", act.today)
    act.note("service.set_up", staff=staff_id, site=site_id)
    return staff_id


def anybody(act: Act) -> bool:
    """Does anybody have an account yet?"""
    return act.session.scalar(select(Staff.id).limit(1)) is not None


@command
def add_staff(
    act: Act, *, name: str, email: str, password: str | None, registration: str | None = None
) -> int:
    """Give somebody an account. It can do nothing until a role is given."""
    act.need("staff.manage")
    staff_id = _make_staff(act, name, email, password, registration)
    act.note("staff.added", staff=staff_id)
    return staff_id


def _make_staff(
    act: Act, name: str, email: str, password: str | None, registration: str | None
) -> int:
    email = email.strip().lower()
    before, at, after = email.partition("@")
    if not (before and at and after) or len(email.split()) != 1:
        raise Invalid.field("email", "must be an e-mail address, such as a.probert@example.org")
    if not name.strip():
        raise Invalid.field("name", "is required")
    if password is not None:
        _check_password(password)
    staff = Staff(
        name=name.strip(),
        email=email,
        password_hash=_hasher().hash(password) if password else None,
        registration=(registration or "").strip() or None,
        left_on=None,
    )
    act.session.add(staff)
    act.session.flush()
    return staff.id


def _check_password(password: str, field: str = "password") -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid.field(
            field, f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        )


@command
def set_password(act: Act, staff_id: int, password: str) -> None:
    """Give somebody a new password and end every sign-in of that account."""
    act.need("staff.manage")
    _check_password(password)
    _replace_password(act, staff_id, password)


@command
def change_own_password(act: Act, current: str, new: str) -> None:
    """Change the password of the account that asks; its sign-ins end, this one too."""
    if act.staff_id is None:
        raise Forbidden("Sign in first.")
    _check_password(new, "new")
    staff = _staff(act, act.staff_id)
    if not _password_fits(staff.password_hash, current):
        raise Invalid.field("current", "is not right")
    _replace_password(act, staff.id, new)


def _replace_password(act: Act, staff_id: int, password: str) -> None:
    _staff(act, staff_id).password_hash = _hasher().hash(password)
    act.session.execute(
        update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=act.at)
    )
    act.note("staff.password", staff=staff_id)


@command
def set_registration(
    act: Act, staff_id: int, registration: str | None, *, version: int, reason: str
) -> None:
    """Correct the professional registration that signatures and prescription forms show.

    What it was stays, with who changed it, when and why.
    """
    act.need("staff.manage")
    number = (registration or "").strip() or None
    if number is not None and len(number) > LONGEST_REGISTRATION:
        raise Invalid.field("registration", f"must be {LONGEST_REGISTRATION} characters or fewer")
    if not reason.strip():
        raise Invalid.field("reason", "is required")
    staff = _staff(act, staff_id)
    if version != staff.registration_version:
        raise Stale(
            "Somebody changed this registration since you read it.",
            more={"version": staff.registration_version},
        )
    if number == staff.registration:
        raise Invalid.field("registration", "is recorded so already")
    staff.registrations.append(
        RegistrationChange(
            number=version, was=staff.registration, became=number, reason=reason.strip(),
            recorded_at=act.at, recorded_by=act.staff_id,
        )
    )  # fmt: skip
    staff.registration = number
    act.session.flush()
    act.note("staff.registration", staff=staff_id)


@command
def leave(act: Act, staff_id: int, last_on: date) -> None:
    """Somebody leaves: after that day the account opens nothing."""
    act.need("staff.manage")
    staff = _staff(act, staff_id)
    if staff_id == act.staff_id:
        raise Invalid.field(
            "last_on", "cannot be set for your own account: ask another administrator"
        )
    staff.left_on = last_on
    act.note("staff.leaves", staff=staff_id, on=last_on.isoformat())


@command
def come_back(act: Act, staff_id: int) -> None:
    """Somebody recorded as leaving stays, or is back."""
    act.need("staff.manage")
    _staff(act, staff_id).left_on = None
    act.note("staff.back", staff=staff_id)


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
    _add_role(act, staff_id, site_id, role, from_on or act.today)
    act.note("staff.role_given", staff=staff_id, role=role, site=site_id)


def _add_role(act: Act, staff_id: int, site_id: int, role: str, from_on: date) -> None:
    somebody = _staff(act, staff_id)  # held by a name, or it is collected before it is saved
    somebody.roles.append(
        StaffRole(
            site_id=site_id, role=role, from_on=from_on, to_on=None,
            recorded_at=act.at, recorded_by=act.staff_id or staff_id,
        )
    )  # fmt: skip
    act.session.flush()


@command
def end_role(act: Act, role_id: int) -> None:
    """End a role from now: yesterday was its last day. The row stays."""
    act.need("staff.manage")
    row = act.session.get(StaffRole, role_id)
    if row is None or not row.holds_on(act.today):
        raise NotFound("There is no such role in force.")
    if row.role == "administrator" and not _another_administrator(act, row):
        raise Conflict("Nobody else is an administrator. Give somebody else the role first.")
    row.to_on = act.today - timedelta(days=1)
    act.note("staff.role_ended", staff=row.staff_id, role=row.role, site=row.site_id)


def _another_administrator(act: Act, row: StaffRole) -> bool:
    others = act.session.execute(
        select(StaffRole, Staff)
        .join(Staff, Staff.id == StaffRole.staff_id)
        .where(StaffRole.role == "administrator", StaffRole.id != row.id)
    )
    return any(
        role.holds_on(act.today) and (staff.left_on is None or staff.left_on >= act.today)
        for role, staff in others
    )


@command
def set_level(act: Act, staff_id: int, level: str | None) -> None:
    """Set whether somebody prescribes, and at which level, from today. None ends it."""
    act.need("staff.manage")
    if level is not None and level not in LEVELS:
        raise Invalid.field("level", f"must be one of: {', '.join(LEVELS)}")
    staff = _staff(act, staff_id)
    for row in staff.levels:
        if row.holds_on(act.today):
            row.to_on = act.today - timedelta(days=1)
    if level is not None:
        staff.levels.append(
            PrescriberLevel(
                level=level, from_on=act.today, to_on=None,
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
    staff = _staff(act, staff_id)
    if not staff.competent(competence, from_on or act.today):
        staff.competences.append(
            StaffCompetence(
                competence=competence, from_on=from_on or act.today,
                to_on=None, recorded_at=act.at, recorded_by=act.staff_id or staff_id,
            )
        )  # fmt: skip
        act.note("staff.competence", staff=staff_id, competence=competence)


@command
def end_competence(act: Act, staff_id: int, competence: str) -> None:
    """The training no longer counts: yesterday was its last day."""
    act.need("staff.manage")
    held = [
        row
        for row in _staff(act, staff_id).competences
        if row.competence == competence and row.holds_on(act.today)
    ]
    if not held:
        raise NotFound("That competence is not held today.")
    for row in held:
        row.to_on = act.today - timedelta(days=1)
    act.note("staff.competence_ended", staff=staff_id, competence=competence)


@command
def give_post(act: Act, site_id: int, post: str, staff_id: int) -> None:
    """Name who holds a post; whoever held it until now ends."""
    managed_site(act, site_id)
    if post not in POSTS:
        raise Invalid.field("post", f"must be one of: {', '.join(POSTS)}")
    _staff(act, staff_id)
    if not roles_at(act, staff_id, site_id):
        raise Invalid.field("staff_id", "must be somebody who works at this site")
    _end_post(act, site_id, post)
    act.session.add(
        SitePost(
            site_id=site_id, post=post, staff_id=staff_id, from_on=act.today, to_on=None,
            recorded_at=act.at, recorded_by=act.staff_id or staff_id,
        )
    )  # fmt: skip
    act.note("site.post_given", site=site_id, post=post, staff=staff_id)


@command
def end_post(act: Act, site_id: int, post: str) -> None:
    """Nobody holds the post from today on."""
    managed_site(act, site_id)
    if not _end_post(act, site_id, post):
        raise NotFound("Nobody holds that post today.")
    act.note("site.post_ended", site=site_id, post=post)


def _end_post(act: Act, site_id: int, post: str) -> bool:
    rows = act.session.scalars(
        select(SitePost).where(SitePost.site_id == site_id, SitePost.post == post)
    )
    held = [row for row in rows if row.holds_on(act.today)]
    for row in held:
        row.to_on = act.today - timedelta(days=1)
    return bool(held)


@command
def issue_token(
    act: Act, *, staff_id: int, site_id: int, label: str, scopes: Collection[str], days: int
) -> Issued:
    """Issue a bearer token for an account at a site. It never does more than the account may."""
    act.need("tokens.manage")
    if not scopes:
        raise Invalid.field("scopes", "must name one right at least")
    if unknown := sorted(set(scopes) - set(RIGHTS)):
        raise Invalid.field("scopes", f"not known: {', '.join(unknown)}")
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise Invalid.field("days", f"must be from 1 to {LONGEST_TOKEN_DAYS}")
    roles = roles_at(act, staff_id, site_id)
    if not roles:
        raise Invalid.field("site_id", "is not a site where the account holds a role today")
    may = rights_of(roles, posts_at(act, staff_id, site_id))
    if beyond := sorted(set(scopes) - may):
        raise Invalid.field("scopes", f"beyond what the account may do: {', '.join(beyond)}")
    return _add_token(act, staff_id, site_id, label, scopes, timedelta(days=days))


def _add_token(
    act: Act, staff_id: int, site_id: int, label: str, scopes: Collection[str], lasts: timedelta
) -> Issued:
    token = secret_token()
    row = ApiToken(
        token_hash=token_hash(token), label=label.strip() or "token", staff_id=staff_id,
        site_id=site_id, scopes=sorted(set(scopes)), expires_at=act.at + lasts,
        revoked_at=None, revoked_by=None, recorded_at=act.at, recorded_by=act.staff_id or staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("token.issued", token=row.id, staff=staff_id)
    return Issued(token, row.id, site_id, tuple(row.scopes), row.expires_at)


@command
def revoke_token(act: Act, token_id: int) -> None:
    """End a token at once: any by an administrator, one's own by anybody."""
    row = act.session.get(ApiToken, token_id)
    if row is None or (row.staff_id != act.staff_id and not act.may("tokens.manage")):
        raise NotFound("There is no such token.")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = act.at, act.staff_id
        act.note("token.revoked", token=row.id)
