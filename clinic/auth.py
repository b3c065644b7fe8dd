"""Who is asking, and may they? Settled once for each request, before any view runs.

Pages are opened with a sign-in (a cookie holding a random token); the API with a bearer token.
Every endpoint names the right it needs with `@needs(...)`, or says in so many words that it is
open; `guard` refuses to start a service that has an endpoint with neither.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from clinic import audit, clock
from clinic.act import Act
from clinic.db import Database
from clinic.errors import Forbidden, SignInNeeded, wants_json
from clinic.roles import rights_of
from clinic.sites.models import Site
from clinic.staff.models import ApiToken, SitePost, Staff, StaffRole, StaffSession

# Rooms import this module, so it reads their tables only once a request is there.
if TYPE_CHECKING:
    from clinic.staff.models import Staff

View = TypeVar("View", bound=Callable[..., Any])

SEEN_EVERY = timedelta(seconds=60)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = "open to all"
SIGNED_IN = "anyone signed in"


def needs(right: str) -> Callable[[View], View]:
    """Mark a view with the right it needs."""

    def mark(view: View) -> View:
        view.right = right  # type: ignore[attr-defined]
        return view

    return mark


open_to_all = needs(OPEN)
for_signed_in = needs(SIGNED_IN)


def secret_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True)
class SignedIn:
    """The member of staff behind this request, at the site they are working at."""

    staff_id: int
    name: str
    site_id: int
    site_name: str
    site_kind: str
    roles: tuple[str, ...]
    rights: frozenset[str]
    by_token: bool = False

    @property
    def role(self) -> str | None:
        return self.roles[0] if self.roles else None

    def may(self, right: str) -> bool:
        return right in self.rights


def database() -> Database:
    return current_app.extensions["database"]  # type: ignore[no-any-return]


def act() -> Act:
    """The piece of work this request is: reads share one session, a command gets one that writes."""
    if "act" not in g:
        work = _looking() if request.method in SAFE_METHODS else _writing()
        staff: SignedIn | None = g.get("staff")
        g.act = Act(
            session=work,
            at=g.at,
            staff_id=staff.staff_id if staff else None,
            staff_name=staff.name if staff else "",
            site_id=staff.site_id if staff else None,
            role=staff.role if staff else None,
            rights=staff.rights if staff else frozenset(),
            request_id=g.request_id,
        )
    return g.act  # type: ignore[no-any-return]


def _looking() -> Session:
    """What this request reads by: who asks, and, where it writes nothing, everything it shows."""
    if "looking" not in g:
        g.looking = database().reading()
        g.looking.info["reading"] = True
    return g.looking  # type: ignore[no-any-return]


def _writing() -> Session:
    """What this request writes by, where it may write."""
    if "writing" not in g:
        g.writing = database().session()
    return g.writing  # type: ignore[no-any-return]


def init_app(app: Flask) -> None:
    """Settle identity before each request; write what was read to the audit after it."""

    @app.before_request
    def _admit() -> BaseResponse | None:
        g.at = clock.now()
        g.request_id = _request_id()
        view = app.view_functions.get(request.endpoint or "")
        right = getattr(view, "right", None)
        if view is None or right == OPEN:
            if not wants_json():
                g.staff = _by_cookie() if "token" in session else None
            return None
        g.staff = _by_bearer() if wants_json() else _by_cookie()
        if g.staff is None:
            if wants_json():
                raise SignInNeeded("Send a bearer token that is in force.")
            if request.method == "GET":
                session["then"] = request.path  # where to go on to; never in a URL
            return redirect(url_for("staff_pages.sign_in"))
        if right not in (SIGNED_IN, None) and right not in g.staff.rights:
            _note_refusal(right)
            raise Forbidden("Your role at this site does not include this.")
        return None

    @app.after_request
    def _settle(response: Response) -> Response:
        work: Act | None = g.get("act")
        if work is not None and audit.waiting(work.session):
            if response.status_code < 500:
                _write_notes(work.session)
            else:
                audit.forget(work.session)
        return response

    @app.teardown_request
    def _close(error: BaseException | None) -> None:
        g.pop("act", None)
        for name in ("looking", "writing"):
            work: Session | None = g.pop(name, None)
            if work is not None:
                work.close()


def _request_id() -> str:
    given = request.headers.get("X-Request-Id", "")
    if 8 <= len(given) <= 64 and given.replace("-", "").isalnum() and given.isascii():
        return given
    return secrets.token_hex(8)


def _write_notes(session: Session) -> None:
    """What a page or an answer showed is on the audit before it leaves the service."""
    notes = session.info.pop("audit_notes", [])
    session.rollback()
    with database().transaction() as writing:
        for note in notes:
            audit.queue(writing, note)
        audit.write_queued(writing)


def _note_refusal(right: str) -> None:
    act().note("access.refused", outcome="refused", right=right, endpoint=request.endpoint)


def _proof(model: Any, *columns: Any) -> Any:
    """The statement that finds a proof of identity with its owner and site, built once.

    It is asked before every request, so it is one look: a row for each role held there today, and
    for each post beside it. Nobody without a role, and nobody who has left, has a row.
    """
    today = bindparam("today")
    return (
        select(
            *columns,
            Staff.id.label("staff_id"),
            Staff.name.label("staff_name"),
            Site.id.label("site_id"),
            Site.name.label("site_name"),
            Site.kind.label("site_kind"),
            StaffRole.role,
            SitePost.post,
        )
        .join(Staff, Staff.id == model.staff_id)
        .join(Site, Site.id == model.site_id)
        .join(
            StaffRole,
            (StaffRole.staff_id == model.staff_id) & (StaffRole.site_id == model.site_id),
        )
        .outerjoin(
            SitePost,
            (SitePost.staff_id == model.staff_id)
            & (SitePost.site_id == model.site_id)
            & (SitePost.from_on <= today)
            & (SitePost.to_on.is_(None) | (SitePost.to_on >= today)),
        )
        .where(
            model.token_hash == bindparam("token_hash"),
            Staff.left_on.is_(None) | (Staff.left_on >= today),
            StaffRole.from_on <= today,
            StaffRole.to_on.is_(None) | (StaffRole.to_on >= today),
        )
        .order_by(StaffRole.id, SitePost.id)
    )


_SIGN_IN = _proof(StaffSession, StaffSession.id, StaffSession.ended_at, StaffSession.seen_at)
_TOKEN = _proof(ApiToken, ApiToken.revoked_at, ApiToken.expires_at, ApiToken.scopes)


def _found(proof: Any, token: str) -> Sequence[Any]:
    only_looks = request.method in SAFE_METHODS
    # A transaction of SQLite's that may write keeps every other writer out, so none begins here.
    asked = _looking() if only_looks or database().is_sqlite else _writing()
    # Past the mapped objects: it is asked before every request.
    about = {"token_hash": token_hash(token), "today": clock.today()}
    found = asked.connection().execute(proof, about).all()
    if not only_looks and database().is_sqlite:
        asked.close()  # what is written is read by a session of its own
    return found


def _by_cookie() -> SignedIn | None:
    token = session.get("token")
    if not token:
        return None
    idle = timedelta(minutes=current_app.config["SETTINGS"].idle_minutes)
    found = _found(_SIGN_IN, token)
    if not found or found[0].ended_at is not None or g.at - found[0].seen_at > idle:
        return None
    if g.at - found[0].seen_at > SEEN_EVERY:
        _looking().close()  # nothing is read meanwhile
        with database().transaction() as writing:
            writing.execute(
                update(StaffSession).where(StaffSession.id == found[0].id).values(seen_at=g.at)
            )
    return _signed_in(found)


def _by_bearer() -> SignedIn | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        return None
    found = _found(_TOKEN, token.strip())
    if not found or found[0].revoked_at is not None or found[0].expires_at <= g.at:
        return None
    return _signed_in(found, scopes=frozenset(found[0].scopes))


def _signed_in(found: Sequence[Any], scopes: frozenset[str] | None = None) -> SignedIn:
    """Who the rows of a proof stand for, with the rights of every role and post in them."""
    one, roles = found[0], tuple(dict.fromkeys(row.role for row in found))
    rights = rights_of(roles, {row.post for row in found if row.post is not None})
    return SignedIn(
        staff_id=one.staff_id,
        name=one.staff_name,
        site_id=one.site_id,
        site_name=one.site_name,
        site_kind=one.site_kind,
        roles=roles,
        rights=rights if scopes is None else rights & scopes,
        by_token=scopes is not None,
    )


def guard(app: Flask) -> None:
    """Refuse to start while any endpoint does not say who may use it."""
    app.view_functions["static"].right = OPEN  # type: ignore[attr-defined]
    unmarked = sorted(
        {rule.endpoint for rule in app.url_map.iter_rules()}
        - {name for name, view in app.view_functions.items() if hasattr(view, "right")}
    )
    if unmarked:
        raise RuntimeError(f"endpoints that do not name the right they need: {', '.join(unmarked)}")


def permissions(app: Flask) -> dict[str, str]:
    """Every endpoint and the right it needs, for the test and the page that list them."""
    return {
        rule.endpoint: app.view_functions[rule.endpoint].right  # type: ignore[attr-defined]
        for rule in app.url_map.iter_rules()
    }
