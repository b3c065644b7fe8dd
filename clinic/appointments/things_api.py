"""Rooms, observation places and kit of a site, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.appointments import hits, hours_queries, things_commands
from clinic.appointments.models import Resource
from clinic.appointments.schemas import (
    HitsSchema,
    ThingGoneSchema,
    ThingNameSchema,
    ThingRequestSchema,
    ThingSchema,
)
from clinic.auth import act, needs
from clinic.openapi import Blueprint, if_match, tag

things_api = Blueprint(
    "things_api", __name__, url_prefix="/api/v1/rota/things",
    description="Rooms, observation places and kit",
)  # fmt: skip
_stale = things_api.alt_response(412, description="Changed meanwhile")
_twice = things_api.alt_response(409, description="There is one of that name already")


def _answer(row: Resource, status: int = 200) -> Response:
    response = jsonify(ThingSchema().dump(row))
    response.status_code = status
    return tag(response, row.version)


@things_api.get("")
@needs("appointments.read")
@things_api.response(200, ThingSchema(many=True))
def things() -> list[Resource]:
    """What this site has."""
    return hours_queries.things(act())


@things_api.post("")
@needs("appointments.rota")
@things_api.arguments(ThingRequestSchema)
@things_api.response(201, ThingSchema)
@_twice
def add_thing(given: dict[str, Any]) -> Response:
    """Add a room, an observation place or a piece of kit."""
    return _answer(things_commands.add_thing(act(), **given), 201)


@things_api.put("/<int:resource_id>/name")
@needs("appointments.rota")
@things_api.arguments(ThingNameSchema)
@things_api.response(200, ThingSchema)
@_twice
@_stale
def rename_thing(given: dict[str, Any], resource_id: int) -> Response:
    """Call it something else."""
    return _answer(things_commands.rename_thing(act(), resource_id, version=if_match(), **given))


@things_api.put("/<int:resource_id>/gone")
@needs("appointments.rota")
@things_api.arguments(ThingGoneSchema)
@things_api.response(200, ThingSchema)
@_stale
def withdraw_thing(given: dict[str, Any], resource_id: int) -> Response:
    """Say from when it is no longer there, or that it stays."""
    return _answer(things_commands.withdraw_thing(act(), resource_id, version=if_match(), **given))


@things_api.post("/<int:resource_id>/gone/hits")
@needs("appointments.rota")
@things_api.arguments(ThingGoneSchema)
@things_api.response(200, HitsSchema)
def gone_hits(given: dict[str, Any], resource_id: int) -> hits.Hits:
    """What would withdrawing it hit? Nothing is stored."""
    work = act()
    version = things_commands.thing_here(work, resource_id).version
    return hits.would_hit(
        work, lambda: things_commands.withdraw_thing(work, resource_id, version=version, **given)
    )
