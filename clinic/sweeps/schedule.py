"""What runs when. Times are London times, kept clear of 01:00 to 02:00, which October repeats.

A room adds its sweep with `@sweep(...)` in its own `sweeps.py`, which the room's package imports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, select

from clinic import audit, logs
from clinic.act import Act, command

Work = Callable[[Act, date], int]


@dataclass(frozen=True)
class Sweep:
    """One sweep. `work` takes the act and the day, may run twice, and returns how much it changed.

    `look_back_days`: missed days within this many are run as well, oldest first. `every_minutes`:
    run today again and again, so often, from its time on.
    """

    name: str
    says: str
    work: Work
    at: tuple[int, int]
    look_back_days: int = 3
    every_minutes: int | None = None


SWEEPS: dict[str, Sweep] = {}


def sweep(
    name: str,
    says: str,
    *,
    at: tuple[int, int],
    look_back_days: int = 3,
    every_minutes: int | None = None,
) -> Callable[[Work], Work]:
    """Add a sweep to the schedule."""
    if at[0] == 1:
        raise ValueError("a sweep between 01:00 and 02:00 would run twice on an October night")

    def add(work: Work) -> Work:
        SWEEPS[name] = Sweep(name, says, work, at, look_back_days, every_minutes)
        return work

    return add


@sweep("audit-heads", "Log the head of each audit strand, to be kept elsewhere", at=(2, 30))
def log_audit_heads(act: Act, day: date) -> int:
    heads = act.session.execute(
        select(audit.AuditHead.strand, audit.AuditHead.seq, audit.AuditHead.hash).order_by(
            audit.AuditHead.strand
        )
    ).all()
    logs.info(
        "audit heads",
        day=day.isoformat(),
        heads=[[strand, seq, head] for strand, seq, head in heads],
    )
    return len(heads)


@sweep(
    "old-sign-ins",
    "Forget failed sign-ins and old sign-ins",
    at=(2, 40),
    look_back_days=0,
)
@command
def forget_old_sign_ins(act: Act, day: date) -> int:
    from clinic.staff.models import SignInAttempt, StaffSession

    attempts = act.session.execute(
        delete(SignInAttempt).where(SignInAttempt.at < act.at - timedelta(days=1))
    )
    sessions = act.session.execute(
        delete(StaffSession).where(StaffSession.seen_at < act.at - timedelta(days=90))
    )
    return int(attempts.rowcount) + int(sessions.rowcount)  # type: ignore[attr-defined]
