"""Say which wings a prison has."""

from __future__ import annotations

from sqlalchemy import func, select

from clinic.act import Act, command
from clinic.custody.models import Wing
from clinic.custody.stays import prison_of
from clinic.errors import Conflict, Invalid, NotFound, says

LONGEST_NAME = 30

_ALREADY = "There is already a wing of this name here."
for _name in ("uq_wing_open", "wing.site_id, wing.name"):
    says(_name, _ALREADY)


@command
def add_wing(act: Act, name: str) -> int:
    """A wing (or unit, or houseblock) people live on, by the name staff use. Returns its id."""
    act.need("sites.manage")
    site = prison_of(act)
    name = " ".join(name.split())
    if not name:
        raise Invalid.field("name", "is required")
    if len(name) > LONGEST_NAME:
        raise Invalid.field("name", f"must be {LONGEST_NAME} characters or fewer")
    same = select(Wing.id).where(
        Wing.site_id == site.id, func.lower(Wing.name) == name.lower(), Wing.closed_at.is_(None)
    )
    if act.session.scalar(same) is not None:
        raise Conflict(_ALREADY)
    wing = Wing(
        site_id=site.id, name=name, closed_at=None, closed_by=None, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(wing)
    act.session.flush()
    act.note("custody.wing_added", site_id=site.id, wing=wing.id)
    return wing.id


@command
def close_wing(act: Act, wing_id: int) -> None:
    """Nobody new is put on it. Whoever is there is still shown there until they are moved."""
    act.need("sites.manage")
    wing = act.session.get(Wing, wing_id, with_for_update=True)
    if wing is None or wing.site_id != prison_of(act).id:
        raise NotFound("There is no such wing here.")
    if wing.closed_at is not None:
        raise Conflict("That wing is closed already.")
    wing.closed_at, wing.closed_by = act.at, act.staff_id
    act.note("custody.wing_closed", site_id=wing.site_id, wing=wing.id)
