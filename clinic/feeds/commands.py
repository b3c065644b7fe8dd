"""Make a private calendar address, and revoke it."""

from __future__ import annotations

from dataclasses import dataclass

from clinic.act import Act, command
from clinic.auth import secret_token, token_hash
from clinic.errors import Conflict, Invalid, NotFound
from clinic.feeds import queries
from clinic.feeds.models import KINDS, CalendarFeed

MOST_FEEDS = 10
LONGEST_LABEL = 60


@dataclass(frozen=True)
class MadeFeed:
    """A new address. Its secret is told once: only its hash is kept."""

    id: int
    kind: str
    label: str
    secret: str


@command
def make_feed(act: Act, *, kind: str, label: str = "") -> MadeFeed:
    """A new private address for one's own bookings, or for the clinic one works at.

    Conflict with ten in force already: each is a door, and a forgotten one stays open.
    """
    act.need("appointments.read")
    if kind not in KINDS:
        raise Invalid.field("kind", f"must be one of: {', '.join(KINDS)}")
    label = label.strip()
    if len(label) > LONGEST_LABEL:
        raise Invalid.field("label", f"must be {LONGEST_LABEL} characters or fewer")
    if len([each for each in queries.feeds_of(act) if each.revoked_at is None]) >= MOST_FEEDS:
        raise Conflict(f"You have {MOST_FEEDS} private calendars. Revoke one you do not use first.")
    secret = secret_token()
    row = CalendarFeed(
        secret_hash=token_hash(secret), kind=kind, label=label or "My calendar",
        staff_id=act.staff_id, site_id=act.site_id if kind == "clinic" else None,
        revoked_at=None, revoked_by=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("feed.made", feed=row.id, kind=kind)
    return MadeFeed(row.id, kind, row.label, secret)


@command
def revoke_feed(act: Act, feed_id: int) -> None:
    """Shut an address at once: one's own by anybody, any by an administrator."""
    row = act.session.get(CalendarFeed, feed_id)
    if row is None or (row.staff_id != act.staff_id and not act.may("tokens.manage")):
        raise NotFound("There is no such private calendar.")
    if row.revoked_at is None:
        row.revoked_at, row.revoked_by = act.at, act.staff_id
        act.note("feed.revoked", feed=row.id)
