"""Say why a case was late, and take that back. The breach stays a breach."""

from __future__ import annotations

from clinic.act import Act, command
from clinic.errors import Invalid, NotFound, one_of, says
from clinic.measures import queries
from clinic.measures.models import BreachReason
from clinic.periods import Period
from scheduling.measures import REASONS

LONGEST = 500
NEEDS_A_NOTE = "other"

# SQLite names the columns of a unique index, PostgreSQL the index.
for _name in ("uq_breach_reason_standing", "breach_reason.site_id, breach_reason.measure"):
    says(_name, "A reason is already recorded for this case. Withdraw it first.")


@command
def explain(
    act: Act, key: str, case_key: str, period: Period, *, code: str, note: str | None = None
) -> int:
    """Record why one late case of a measure was late."""
    act.need("measures.explain")
    case = queries.late_case(act, key, case_key, period)
    one_of("code", code, REASONS)
    text = (note or "").strip() or None
    if text is None and code == NEEDS_A_NOTE:
        raise Invalid("Say what the reason was.", faults=[("note", "Say what the reason was")])
    if text is not None and len(text) > LONGEST:
        too_long = f"At most {LONGEST} characters"
        raise Invalid(f"The note: {too_long}.", faults=[("note", too_long)])
    row = BreachReason(
        site_id=act.site_id, measure=key, case_key=case.key, patient_id=case.patient_id,
        code=code, note=text, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("measures.explained", patient_id=case.patient_id, reason=row.id, measure=key)
    return row.id


@command
def withdraw(act: Act, reason_id: int, *, reason: str) -> None:
    """Take a reason back, and say why. It stays in the history."""
    act.need("measures.explain")
    row = act.session.get(BreachReason, reason_id)
    if row is None or row.site_id != act.site_id or row.withdrawn_at is not None:
        raise NotFound("There is no such reason, or it is withdrawn already.")
    text = reason.strip()
    if not text or len(text) > LONGEST:
        says_what = f"Say why, in at most {LONGEST} characters"
        raise Invalid(f"{says_what}.", faults=[("reason", says_what)])
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = act.at, act.staff_id, text
    act.note("measures.reason_withdrawn", patient_id=row.patient_id, reason=row.id)
