"""What did somebody claim on arrival in prison, and who confirmed it, as known at a moment? (RG-10)

Asked and confirmed in the assessment; a plan's own words count only where nothing stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clinic.assessments.arrival import answers
from clinic.assessments.claims import Claim, claims_of
from clinic.assessments.entries import Entries
from clinic.release.reading import Reading, stands
from dosing.days import london_day, start_of

Json = dict[str, Any]


def arrival_as_known(
    reading: Reading, patient_ids: Sequence[int], received_at: datetime | None, as_at: datetime,
    known_at: datetime,
) -> tuple[Json | None, list[Json]]:  # fmt: skip
    """The contract's `arrival`, and the last days of what was claimed as doses outside.

    None while nothing was asked or claimed since the day they came.
    """
    if received_at is None:
        return None, []
    since = start_of(london_day(received_at))
    rows = [
        row
        for each in patient_ids
        for row in reading.arrivals.get(each, ())
        if row.recorded_at >= since and stands(row, known_at)
    ]
    of = Entries(sorted(rows, key=lambda row: (row.happened_at, row.id)))
    claims = claims_of(of)
    said = [row.data["in_treatment"] for row in answers(of) if "in_treatment" in row.data]
    if not claims and not said:
        return None, []
    last = max((claim.last_on for claim in claims), default=None)
    arrival = {
        "received_at": received_at.isoformat(),
        "claims_ost": True if claims else said[-1],
        "confirmed": _confirmed(claims),
    }
    doses = []
    if last is not None and last <= london_day(as_at):
        doses = [{"on": last.isoformat(), "where": "community", "source": "claimed on arrival"}]
    return arrival, doses


def _confirmed(claims: Sequence[Claim]) -> Json | None:
    """Who verified all of it: the prescriber before the pharmacy, for a prescriber's word is more."""
    for by in ("prescriber", "pharmacy"):
        found = [claim.answer(by) for claim in claims]
        verified = [row for row in found if row is not None and row.data["outcome"] == "verified"]
        if claims and len(verified) == len(claims):
            at = max(row.happened_at for row in verified)
            return {"by": by, "at": at.isoformat(), "dose": True, "last_consumed": True}
    return None
