"""Pharmacies and clinics people are sent to: add one, say when it opens, and put that right.

Every open plan that uses it is scored again in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.calendars import holiday_lists
from clinic.errors import Invalid, NotFound, Stale, needed, says
from clinic.release.facts import Json
from clinic.release.following import follow_plans
from clinic.release.models import Premises, PremisesChange, PremisesFact, ReleaseFact, ReleasePlan
from clinic.release.sections import PREMISES
from clinic.sites.models import NATIONS
from dosing.days import days_between
from dosing.shape import Refused
from scheduling.release import check

_DAY_SAID = "Something is already recorded for one of these days. Strike it out first."
# SQLite names the columns of a unique index, PostgreSQL the index.
for _name in ("uq_premises_fact", "premises_fact.premises_id"):
    says(_name, _DAY_SAID)

_NONE = "There is no such pharmacy or clinic."
LONGEST = 200
MOST_DAYS_CLOSED = 60


@command
def add_premises(
    act: Act, *, kind: str, name: str, address: str | None = None, telephone: str | None = None
) -> int:
    """Add a pharmacy or a clinic. Returns its id. Its week is not known until it is recorded."""
    act.need("release.plan")
    if kind not in PREMISES:
        raise Invalid.field("kind", f"must be one of: {', '.join(PREMISES)}")
    row = Premises(
        kind=kind, name=needed("name", name, LONGEST), address=(address or "").strip() or None,
        telephone=(telephone or "").strip() or None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("release.premises_added", premises=row.id)
    return row.id


@command
def correct_premises(
    act: Act, premises_id: int, *, version: int, reason: str, address: str | None = None,
    telephone: str | None = None,
) -> None:  # fmt: skip
    """Where it is and how it is reached, as it should read; what stood before is kept.

    Stale when somebody corrected it since `version` was read.
    """
    act.need("release.plan")
    row = act.session.get(Premises, premises_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_NONE)
    if row.version != version:
        raise Stale(f"{row.name} was corrected since you read it.", more={"version": row.version})
    reason = needed("reason", reason, LONGEST)
    for field, given in (("address", address), ("telephone", telephone)):
        was, became = getattr(row, field), (given or "").strip() or None
        if was != became:
            act.session.add(
                PremisesChange(
                    premises_id=row.id, field=field, was=was, became=became, reason=reason,
                    recorded_at=act.at, recorded_by=act.staff_id,
                )
            )  # fmt: skip
            setattr(row, field, became)
    act.note("release.premises_corrected", premises=row.id)


@command
def set_week(
    act: Act, premises_id: int, week: dict[str, list[str]], *, nation: str, reason: str
) -> int:
    """Record the opening hours, weekday by weekday; a weekday left out is closed. Returns the id.

    `week`: mon to sun, each a list such as ["09:00-13:00", "14:00-18:00"]. `nation`: whose bank
    holidays it is closed on, which need not be those of the service that sends people there.
    """
    act.need("release.plan")
    if nation not in NATIONS:
        raise Invalid.field("nation", f"must be one of: {', '.join(NATIONS)}")
    row = _premises(act, premises_id)
    reason = needed("reason", reason, LONGEST)
    for old in _days(act, row.id):
        if old.kind == "hours":
            _strike_day(act, old, reason)
    return _add_day(act, row, "hours", None, week, reason, nation=nation).id


@command
def close_premises(
    act: Act, premises_id: int, first_on: date, last_on: date, *, reason: str
) -> list[int]:
    """It is closed from the first day to the last, both included. Every plan using it follows."""
    act.need("release.plan")
    row = _premises(act, premises_id)
    reason = needed("reason", reason, LONGEST)
    if not first_on <= last_on <= first_on + timedelta(days=MOST_DAYS_CLOSED):
        raise Invalid.field(
            "last_on", f"must be on or after the first day, at most {MOST_DAYS_CLOSED} days later"
        )
    days = days_between(first_on, last_on)
    added = [_add_day(act, row, "closure", on, None, reason, follow=False).id for on in days]
    _follow(act, row.id)
    return added


@command
def open_premises(act: Act, premises_id: int, on: date, hours: list[str], *, reason: str) -> int:
    """It opens on a day out of the ordinary, at these hours, such as ["10:00-12:00"]."""
    act.need("release.plan")
    row = _premises(act, premises_id)
    return _add_day(act, row, "opening", on, {"hours": hours}, needed("reason", reason, LONGEST)).id


@command
def strike_premises_fact(act: Act, fact_id: int, *, reason: str) -> None:
    """A closure, an opening or a week was wrong or no longer holds."""
    act.need("release.plan")
    row = act.session.get(PremisesFact, fact_id)
    if row is None or row.struck_at is not None:
        raise NotFound("There is no such fact, or it was struck out already.")
    _strike_day(act, row, needed("reason", reason, LONGEST))
    act.note("release.premises_struck", premises=row.premises_id, fact=row.id)
    _follow(act, row.premises_id)


def _premises(act: Act, premises_id: int) -> Premises:
    row = act.session.get(Premises, premises_id)
    if row is None:
        raise NotFound(_NONE)
    return row


def _days(act: Act, premises_id: int) -> Sequence[PremisesFact]:
    return act.session.scalars(
        select(PremisesFact).where(
            PremisesFact.premises_id == premises_id, PremisesFact.struck_at.is_(None)
        )
    ).all()


def _strike_day(act: Act, row: PremisesFact, reason: str) -> None:
    row.struck_at, row.struck_by, row.struck_reason = act.at, act.staff_id, reason
    act.session.flush()


def _add_day(
    act: Act,
    premises: Premises,
    kind: str,
    on: date | None,
    hours: dict[str, Any] | None,
    reason: str,
    *,
    nation: str | None = None,
    follow: bool = True,
) -> PremisesFact:
    row = PremisesFact(
        premises_id=premises.id, kind=kind, on=on, hours=hours, nation=nation, reason=reason,
        recorded_at=act.at, recorded_by=act.staff_id, struck_at=None, struck_by=None,
        struck_reason=None,
    )  # fmt: skip
    _check_hours(act, kind, on, hours)
    act.session.add(row)
    act.session.flush()
    act.note("release.premises_changed", premises=premises.id, fact=row.id)
    if follow:
        _follow(act, premises.id)
    return row


def _check_hours(act: Act, kind: str, on: date | None, hours: dict[str, Any] | None) -> None:
    """The contract's own reader settles what hours may be, whether or not a plan uses them."""
    pharmacy: Json = {"name": "any"}
    if kind == "hours":
        pharmacy["hours"] = hours
    elif kind == "opening":
        pharmacy["openings"] = [
            {"on": on.isoformat() if on else None, "hours": (hours or {}).get("hours")}
        ]
    for field, spans in (hours or {}).items():
        if _overlap(spans):
            raise Invalid.field(field, "has hours that overlap: write each part of the day once")
    request = {
        "case": "hours",
        "as_at": act.at.isoformat(),
        "prison": {"nation": "england_and_wales"},
        "pharmacy": pharmacy,
    }
    try:
        check(request, holiday_lists())
    except Refused as refused:
        path = refused.field.removeprefix("pharmacy.hours.").partition("[")[0]
        field = path if kind == "hours" else "hours"
        raise Invalid.field(field, refused.message) from refused


def _overlap(spans: Any) -> bool:
    """Do two of them run into each other? False where one cannot be read: that is refused elsewhere."""
    ordered = sorted(each for each in spans if isinstance(each, str)) if spans else []
    return any(one.partition("-")[2] > after.partition("-")[0] for one, after in pairwise(ordered))


def _follow(act: Act, premises_id: int) -> None:
    """Score every open plan that uses this pharmacy or clinic."""
    using = act.session.scalars(
        select(ReleasePlan.id)
        .join(ReleaseFact, ReleaseFact.plan_id == ReleasePlan.id)
        .where(
            ReleaseFact.premises_id == premises_id,
            ReleaseFact.struck_at.is_(None),
            ReleasePlan.closed_at.is_(None),
        )
        .distinct()
        .order_by(ReleasePlan.id)
    )
    follow_plans(act, using.all())
