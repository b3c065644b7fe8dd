"""Say which rooms, observation places and kit a site has, call them something else, withdraw them."""

from __future__ import annotations

from datetime import date

from clinic.act import Act, command
from clinic.appointments.models import ITEMS, RESOURCE_KINDS, Resource, ResourceChange
from clinic.errors import Conflict, Invalid, NotFound, Stale, says

LONGEST_NAME = 100

for _name in ("uq_resource_name", "resource.site_id, resource.kind, resource.name"):
    says(_name, "This site has one of that name already.")


@command
def add_thing(act: Act, *, kind: str, name: str, item: str | None = None) -> Resource:
    """A room, an observation place (one row a place) or a piece of kit. `item`: which kit it is."""
    act.need("appointments.rota")
    if kind not in RESOURCE_KINDS:
        raise Invalid.field("kind", f"must be one of: {', '.join(RESOURCE_KINDS)}")
    if kind == "kit" and item not in ITEMS:
        raise Invalid.field("item", f"must be one of: {', '.join(ITEMS)}")
    if kind != "kit" and item is not None:
        raise Invalid.field("item", "is for kit only")
    row = Resource(
        kind=kind, staff_id=None, site_id=act.site_id, name=_name_of(name), item=item, gone_on=None
    )
    act.session.add(row)
    act.session.flush()
    _changed(act, row, "name", None, row.name)
    act.note("appointments.thing_added", resource=row.id)
    return row


def _name_of(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid.field("name", "is required")
    if len(name) > LONGEST_NAME:
        raise Invalid.field("name", f"must be {LONGEST_NAME} characters or fewer")
    return name


def thing_here(act: Act, resource_id: int) -> Resource:
    """The room, place or kit, if it is of this site."""
    row = act.session.get(Resource, resource_id)
    if row is None or row.site_id is None or row.site_id != act.site_id:
        raise NotFound("There is no such room, place or kit at this site.")
    return row


def _to_change(act: Act, resource_id: int, version: int) -> Resource:
    act.need("appointments.rota")
    row = thing_here(act, resource_id)
    if row.version != version:
        raise Stale(
            "Somebody changed this since you read it.",
            more={"version": row.version},
        )
    return row


@command
def rename_thing(act: Act, resource_id: int, *, version: int, name: str) -> Resource:
    """It is called something else from now on."""
    row = _to_change(act, resource_id, version)
    was, row.name = row.name, _name_of(name)
    _changed(act, row, "name", was, row.name)
    act.session.flush()
    act.note("appointments.thing_renamed", resource=row.id)
    return row


@command
def withdraw_thing(act: Act, resource_id: int, *, version: int, gone_on: date | None) -> Resource:
    """`gone_on` is the first day it is no longer there; None: it stays, which also undoes that.

    Visits booked with it stand. Days that have passed stay as they were.
    """
    row = _to_change(act, resource_id, version)
    if gone_on is not None and gone_on < act.today:
        raise Invalid.field("gone_on", "cannot be in the past")
    if row.gone_on is not None and row.gone_on < act.today:
        raise Conflict("This was withdrawn in the past. Add a new one.")
    was, row.gone_on = row.gone_on, gone_on
    _changed(act, row, "gone_on", was and was.isoformat(), gone_on and gone_on.isoformat())
    act.session.flush()
    act.note("appointments.thing_withdrawn", resource=row.id)
    return row


@command
def say_confidential(act: Act, resource_id: int, *, confidential: bool | None) -> Resource:
    """Is what is said in this room heard by nobody else (GP-09)? None: not known.

    Sessions planned in it stand; none is added to a room that is not known to be confidential.
    """
    act.need("groups.manage")
    row = thing_here(act, resource_id)
    if row.kind != "room":
        raise Invalid.field("resource_id", "must be a room")
    words = {True: "yes", False: "no", None: None}
    was, row.confidential = row.confidential, confidential
    _changed(act, row, "confidential", words[was], words[confidential])
    act.session.flush()
    act.note("appointments.room_confidential", resource=row.id)
    return row


def _changed(act: Act, row: Resource, field: str, was: str | None, became: str | None) -> None:
    act.session.add(
        ResourceChange(
            resource_id=row.id, field=field, was=was, became=became, recorded_at=act.at,
            recorded_by=act.staff_id,
        )
    )  # fmt: skip
