"""What does the release plan say to a dose in prison? Its date, its cover and its naloxone (P-13, P-14).

The plan speaks where it knows the day somebody leaves; the sentence and plan recorded beside the
assessment speak where it does not. What the plan is silent about is then not arranged.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from clinic.act import Act
from clinic.release.facts import appointment_as_known
from clinic.release.models import ReleaseAssessment, ReleasePlan
from clinic.release.reading import Reading, stands

Data = dict[str, Any]


def of_the_release_plan(act: Act, records: Collection[int], known_at: datetime) -> Data:
    """The contract's facts about leaving, from the plan open at a moment; {} where it has no date.

    `naloxone_offered_on` alone is given without a date too.
    """
    plan = act.session.scalar(
        select(ReleasePlan)
        .where(
            ReleasePlan.patient_id.in_(records), ReleasePlan.opened_at <= known_at,
            or_(ReleasePlan.closed_at.is_(None), ReleasePlan.closed_at > known_at),
        )
        .order_by(ReleasePlan.id.desc())
        .limit(1)
    )  # fmt: skip
    if plan is None:
        return {}
    reading = Reading(act, [plan])
    rows = [row for row in reading.facts.get(plan.id, ()) if stands(row, known_at)]
    one = {row.section: row for row in rows}
    out: Data = {}
    if "naloxone" in one:
        out["naloxone_offered_on"] = one["naloxone"].says["on"]
    scored = act.session.scalar(
        select(ReleaseAssessment)
        .where(ReleaseAssessment.plan_id == plan.id, ReleaseAssessment.known_at <= known_at)
        .order_by(ReleaseAssessment.id.desc())
        .limit(1)
    )
    expected = scored and scored.answer["expected_release_on"]
    if scored is None or expected is None:
        return out
    supplies = [row.says for row in rows if row.section == "supply"]
    # Prescription forms are supplies of the plan without a row of their own.
    supplies += scored.request.get("bridging_supplies", ())
    collected = [each["collect_on"] for says in supplies for each in says["instalments"]]
    visit = (
        appointment_as_known(reading, one["appointment"], known_at) if "appointment" in one else {}
    )
    kept = visit.get("attended") is not False
    return {
        **out,
        "expected_release_on": expected,
        "bridging_prescription_on": min(collected, default=None),
        "community_appointment_at": visit.get("at") if kept else None,
    }
