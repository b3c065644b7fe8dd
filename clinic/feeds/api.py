"""Private calendars over the API: those of the token's bearer."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from clinic.auth import act, needs
from clinic.feeds import commands, queries
from clinic.feeds.models import KINDS, CalendarFeed

feeds_api = Blueprint(
    "feeds_api", __name__, url_prefix="/api/v1/calendars",
    description="Private calendars: when one is booked, and nothing else",
)  # fmt: skip


class FeedSchema(Schema):
    """A private calendar. Its address is told once, when it is made."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    label = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True, format="iso")
    revoked_at = fields.AwareDateTime(required=True, allow_none=True, format="iso")


class FeedRequestSchema(Schema):
    """What a new private calendar shows: one's own bookings, or those of the token's site."""

    kind = fields.String(required=True, validate=validate.OneOf(list(KINDS)))
    label = fields.String(validate=validate.Length(max=commands.LONGEST_LABEL), load_default="")


class MadeFeedSchema(Schema):
    """A new private calendar with its address."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    label = fields.String(required=True)
    address = fields.String(required=True)


@feeds_api.get("")
@needs("appointments.read")
@feeds_api.response(200, FeedSchema(many=True))
def list_feeds() -> list[CalendarFeed]:
    """One's own private calendars, the newest first, revoked ones too."""
    return queries.feeds_of(act())


@feeds_api.post("")
@needs("appointments.read")
@feeds_api.arguments(FeedRequestSchema)
@feeds_api.response(201, MadeFeedSchema)
@feeds_api.alt_response(409, description="Ten are in force already")
def make_feed(given: dict[str, Any]) -> dict[str, Any]:
    """A new private calendar."""
    made = commands.make_feed(act(), **given)
    address = url_for("feed_pages.calendar", secret=made.secret, _external=True)
    return {"id": made.id, "kind": made.kind, "label": made.label, "address": address}


@feeds_api.delete("/<int:feed_id>")
@needs("appointments.read")
@feeds_api.response(204)
@feeds_api.alt_response(404, description="No such private calendar of yours")
def revoke_feed(feed_id: int) -> None:
    """Shut an address at once: one's own by anybody, any by an administrator."""
    commands.revoke_feed(act(), feed_id)
