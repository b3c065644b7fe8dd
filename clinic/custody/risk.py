"""Does somebody stand at heightened risk for being in custody, or just out of it?"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from clinic.act import Act
from clinic.custody import facts
from clinic.custody.models import Exit, Reception, ReceptionDetail
from clinic.patients.queries import tells_risk
from dosing.days import london_day
from scheduling.observations import heightened, heightened_after


@tells_risk
def risk_of(act: Act, patient_ids: Collection[int]) -> str | None:
    """The marker of the first days in custody or out of it; None without one (DR-08).

    By the newest stay of these records of one person. For those who may read stays.
    """
    if not act.may("custody.read"):
        return None
    found = act.session.execute(
        select(Reception, ReceptionDetail, Exit)
        .join(ReceptionDetail, facts.detail_stands())
        .outerjoin(Exit, (Exit.reception_id == Reception.id) & Exit.known_until.is_(None))
        .where(Reception.patient_id.in_(patient_ids), Reception.undone_at.is_(None))
        .order_by(ReceptionDetail.received_at.desc(), Reception.id.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    reception, detail, left = found
    if left is None or left.how == "transfer":
        return heightened((act.today - facts.day_1(reception, detail)).days + 1)
    if left.how == "died":
        return None
    left_on = london_day(left.at)
    return heightened_after((act.today - left_on).days, left_on)
