"""On which wing are they? The wings of a prison, and who lives where in it today."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, or_, select

from clinic.act import Act
from clinic.custody.models import Exit, Location, Reception, Transfer, Wing
from clinic.patients.models import Patient
from clinic.patients.queries import Where, tells_wing


def wings_here(act: Act, *, closed: bool = False) -> list[Wing]:
    """The wings of this prison by name; the closed ones too when asked for."""
    if not act.may("sites.manage"):
        act.need("custody.read")
    wanted = select(Wing).where(Wing.site_id == act.site_id).order_by(Wing.name, Wing.id)
    return list(act.session.scalars(wanted if closed else wanted.where(Wing.closed_at.is_(None))))


@tells_wing
def whereabouts(act: Act, patient_ids: Collection[int]) -> dict[int, Where]:
    """Wing and cell of those of these people who are in custody here, as they stand now.

    By the id of their record, the kept one too where two were joined. Nobody whose wing was not
    recorded is in it.
    """
    if not patient_ids:
        return {}
    rows = act.session.execute(
        select(Reception.patient_id, Patient.merged_into_id, Wing.name, Location.cell)
        .join(Patient, Patient.id == Reception.patient_id)
        .join(Location, Location.reception_id == Reception.id)
        .join(Wing, Wing.id == Location.wing_id)
        .where(
            or_(Patient.id.in_(patient_ids), Patient.merged_into_id.in_(patient_ids)),
            Reception.undone_at.is_(None),
            Location.known_until.is_(None),
            Wing.site_id == act.site_id,
            in_custody_here(act),
        )
        .order_by(Location.from_at, Location.id)
    )
    found: dict[int, Where] = {}
    for patient_id, kept_id, wing, cell in rows:  # the newest comes last
        found[patient_id] = found[kept_id or patient_id] = Where(wing, cell)
    return found


def in_custody_here(act: Act) -> ColumnElement[bool]:
    """Received here and not gone, or moved here from another prison and not gone since."""
    moved_here = (
        select(Transfer.id)
        .join(Exit, Exit.reception_id == Transfer.reception_id)
        .where(
            Transfer.reception_id == Reception.id,
            Transfer.known_until.is_(None),
            Transfer.receiving_site_id == act.site_id,
            Exit.known_until.is_(None),
            Exit.how == "transfer",
        )
    )
    return or_(
        and_(Reception.site_id == act.site_id, Reception.left_at.is_(None)), moved_here.exists()
    )
