"""Leave, opening hours, and what a withdrawal of hours would hit, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.appointments import hits, hours_commands, hours_queries, rota_commands
from clinic.appointments.models import RotaPattern, SiteOpening, StaffLeave
from clinic.appointments.schemas import (
    DayOffRequestSchema,
    HitsSchema,
    LeaveRequestSchema,
    LeaveSchema,
    OpeningRequestSchema,
    OpeningSchema,
    SessionEndSchema,
)
from clinic.auth import act, needs
from clinic.openapi import Blueprint

hours_api = Blueprint(
    "hours_api", __name__, url_prefix="/api/v1",
    description="Leave, opening hours, and which visits a withdrawal of hours hits",
)  # fmt: skip
_gone = hours_api.alt_response(404, description="Not at this site, or withdrawn already")


def _made(schema: Any, row: Any) -> Response:
    response = jsonify(schema.dump(row))
    response.status_code = 201
    return response


@hours_api.get("/visits/without-staff")
@needs("appointments.read")
@hours_api.response(200, HitsSchema)
def without_staff() -> hits.Hits:
    """Booked visits ahead that the rota does not carry, each with a place it could move to."""
    return hits.without_staff(act())


@hours_api.get("/rota/leave")
@needs("appointments.rota")
@hours_api.response(200, LeaveSchema(many=True))
def leave() -> list[StaffLeave]:
    """Who of this site is or will be away."""
    return [each.row for each in hours_queries.leave_ahead(act())]


@hours_api.post("/rota/leave")
@needs("appointments.rota")
@hours_api.arguments(LeaveRequestSchema)
@hours_api.response(201, LeaveSchema)
def record_leave(given: dict[str, Any]) -> Response:
    """Somebody is away. Visits booked then stand and are listed as without staff."""
    made = hours_commands.record_leave(act(), **given)
    return _made(LeaveSchema(), {"id": made, **given})


@hours_api.post("/rota/leave/hits")
@needs("appointments.rota")
@hours_api.arguments(LeaveRequestSchema)
@hours_api.response(200, HitsSchema)
def leave_hits(given: dict[str, Any]) -> hits.Hits:
    """What would this leave hit? Nothing is stored."""
    work = act()
    return hits.would_hit(
        work, lambda: hours_commands.record_leave(work, **given), leave_of=given["staff_id"]
    )


@hours_api.delete("/rota/leave/<int:leave_id>")
@needs("appointments.rota")
@hours_api.response(204)
@_gone
def withdraw_leave(leave_id: int) -> None:
    """They are not away after all."""
    hours_commands.withdraw_leave(act(), leave_id)


@hours_api.get("/rota/opening-hours")
@needs("appointments.read")
@hours_api.response(200, OpeningSchema(many=True))
def opening_hours() -> list[SiteOpening]:
    """The hours in force and to come."""
    return hours_queries.openings(act())


@hours_api.post("/rota/opening-hours")
@needs("appointments.rota")
@hours_api.arguments(OpeningRequestSchema)
@hours_api.response(201, OpeningSchema)
@hours_api.alt_response(409, description="Hours from that day on are recorded already")
def set_opening(given: dict[str, Any]) -> Response:
    """The site's hours on a weekday from a day on."""
    made = hours_commands.set_opening(act(), **given)
    return _made(OpeningSchema(), {"id": made, **given})


@hours_api.post("/rota/opening-hours/hits")
@needs("appointments.rota")
@hours_api.arguments(OpeningRequestSchema)
@hours_api.response(200, HitsSchema)
def opening_hits(given: dict[str, Any]) -> hits.Hits:
    """What would these hours hit? Nothing is stored."""
    work = act()
    return hits.would_hit(work, lambda: hours_commands.set_opening(work, **given))


@hours_api.delete("/rota/opening-hours/<int:opening_id>")
@needs("appointments.rota")
@hours_api.response(204)
@_gone
def withdraw_opening(opening_id: int) -> None:
    """The hours before these go on."""
    hours_commands.withdraw_opening(act(), opening_id)


@hours_api.post("/rota/<int:session_id>/days-off/hits")
@needs("appointments.rota")
@hours_api.arguments(DayOffRequestSchema)
@hours_api.response(200, HitsSchema)
def day_off_hits(given: dict[str, Any], session_id: int) -> hits.Hits:
    """What would this day off hit? Nothing is stored."""
    work = act()
    return hits.would_hit(work, lambda: rota_commands.take_day_off(work, session_id, **given))


@hours_api.post("/rota/<int:session_id>/end/hits")
@needs("appointments.rota")
@hours_api.arguments(SessionEndSchema)
@hours_api.response(200, HitsSchema)
def end_hits(given: dict[str, Any], session_id: int) -> hits.Hits:
    """What would this last day of a session hit? Nothing is stored."""
    work = act()
    row = work.session.get(RotaPattern, session_id)
    version = 0 if row is None else row.version
    return hits.would_hit(
        work, lambda: rota_commands.end_session(work, session_id, version=version, **given)
    )
