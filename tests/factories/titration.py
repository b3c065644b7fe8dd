"""A titration story: reviews of a person's dose."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clinic.act import Act
from clinic.titration import commands
from dosing.days import london_day


def a_review(act: Act, patient_id: int, decision: str = "hold", **more: Any) -> int:
    """Seen in person at this moment, the dose held, to be seen again tomorrow."""
    given: dict[str, Any] = {
        "decision": decision, "reason_code": "other", "reason": "Looked at this morning",
        "seen": "in_person", "reviewed_at": act.at,
        "next_review_on": london_day(act.at) + timedelta(days=1), **more,
    }  # fmt: skip
    return commands.record_review(act, patient_id, **given)
