"""Set up a site, and say from which day on something holds there.

A dated row replaces everything recorded for its first day and later; a row that never held keeps
its place with an end before its beginning. Days that have passed are history and do not change.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act, command
from clinic.db import Dated
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, Stale, one_of, says
from clinic.prescriptions.models import DoseDecision
from clinic.sites.models import (
    CALENDAR_CHANGES,
    FEATURES,
    KINDS,
    NATIONS,
    RULE_SETS,
    CalendarChange,
    RuleSetChoice,
    Site,
    SiteChange,
    SiteClosure,
    SiteFeature,
    SiteModel,
)
from clinic.staff.models import Staff

MODELS = {
    1: "Model 1: referral to a local specialist or primary-care prescriber",
    2: "Model 2: fast-track slots on three days a week",
    3: "Model 3: on-site titration by an existing specialist service",
}
MODEL_3_NEEDS = ("specialist_service", "supervised_dispensing")  # RP-09

DETAILS = ("name", "ods_code", "area", "address", "telephone", "out_of_hours_line")
LONGEST = 200

# SQLite names the columns of a unique constraint, PostgreSQL the constraint.
for _name, _sentence in {
    "uq_site_name": "There is already a site of this name.",
    "site.name": "There is already a site of this name.",
    "uq_site_closure_open": "The site is already closed on that day.",
    "site_closure.site_id, site_closure.on": "The site is already closed on that day.",
    "uq_calendar_change_open": "A change of that day is already recorded. Withdraw it first.",
    "calendar_change.nation, calendar_change.on": (
        "A change of that day is already recorded. Withdraw it first."
    ),
}.items():
    says(_name, _sentence)


def managed_site(act: Act, site_id: int) -> Site:
    """The site, if this person may set it up: their own, or any for an administrator."""
    act.need("sites.manage")
    site = act.session.get(Site, site_id)
    if site is None:
        raise NotFound("There is no such site.")
    if site_id != act.site_id and not act.may("staff.manage"):
        raise Forbidden("Only an administrator sets up another site.")
    return site


@command
def add_site(
    act: Act, *, name: str, kind: str, nation: str, rule_set: str | None = None, **details: Any
) -> int:
    """Add a service or a prison. Returns its id. Nobody works there until a role is given."""
    act.need("sites.manage")
    act.need("staff.manage")
    return make_site(act, name=name, kind=kind, nation=nation, rule_set=rule_set, **details)


def make_site(
    act: Act, *, name: str, kind: str, nation: str, rule_set: str | None = None, **details: Any
) -> int:
    """The rows of a new site; part of a command."""
    one_of("kind", kind, KINDS)
    one_of("nation", nation, NATIONS)
    site = Site(
        kind=kind, nation=nation, **_read({**dict.fromkeys(DETAILS), **details, "name": name})
    )
    act.session.add(site)
    act.session.flush()
    if rule_set is not None:
        one_of("rule_set", rule_set, RULE_SETS)
        row = RuleSetChoice(rule_set=rule_set)
        _hold(act, (), row, act.today)
        site.rule_sets.append(row)
    act.note("site.added", site=site.id)
    return site.id


def _read(details: dict[str, Any]) -> dict[str, Any]:
    """Details as stored: trimmed, blank kept as not known, the ODS code in capitals."""
    if unknown := sorted(set(details) - set(DETAILS)):
        raise Invalid.field(unknown[0], "cannot be changed")
    read = {field: (value or "").strip() or None for field, value in details.items()}
    for field, value in read.items():
        if value is not None and len(value) > LONGEST:
            raise Invalid.field(field, f"must be {LONGEST} characters or fewer")
    if "name" in read and read["name"] is None:
        raise Invalid.field("name", "is required")
    if code := read.get("ods_code"):
        read["ods_code"] = code.upper()
    return read


@command
def edit_site(act: Act, site_id: int, *, version: int, **details: Any) -> int:
    """Change a site's name, code or addresses, keeping what they were. Returns the new version.

    `version` is the one that was read; Stale, naming who changed it, when it no longer holds.
    """
    site = managed_site(act, site_id)
    if site.version != version:
        raise _stale(act, site)
    for field, value in _read(details).items():
        was = getattr(site, field)
        if was != value:
            act.session.add(
                SiteChange(
                    site_id=site.id, field=field, was=was, became=value, recorded_at=act.at,
                    recorded_by=act.staff_id,
                )
            )  # fmt: skip
            setattr(site, field, value)
            act.note("site.edited", site=site.id, field=field)
    act.session.flush()
    return site.version


def _stale(act: Act, site: Site) -> Stale:
    last = act.session.execute(
        select(Staff.name, SiteChange.recorded_at)
        .join(Staff, Staff.id == SiteChange.recorded_by)
        .where(SiteChange.site_id == site.id)
        .order_by(SiteChange.id.desc())
    ).first()
    who, at = last or ("Someone", act.at)
    return Stale(
        f"{who} changed this site since you read it.",
        more={"version": site.version, "changed_by": who, "changed_at": at.isoformat()},
    )


def _hold(act: Act, rows: Iterable[Dated], new: Any, from_on: date) -> None:
    """Let `new` hold from a day on, in place of whatever these rows say for that day and later."""
    rows = [row for row in rows if row.to_on is None or row.to_on >= row.from_on]
    if from_on < act.today and any(row.from_on < act.today for row in rows):
        raise Invalid.field("from_on", "cannot be before today: what held until now is history")
    for row in rows:
        if row.to_on is None or row.to_on >= from_on:
            row.to_on = max(from_on, row.from_on) - timedelta(days=1)
    new.from_on, new.to_on = from_on, None
    new.recorded_at, new.recorded_by = act.at, act.staff_id


@command
def set_model(
    act: Act, site_id: int, model: int, *, from_on: date | None = None, reason: str | None = None
) -> None:
    """The site works under this rapid prescribing model from a day on (today when not said).

    Model 3 only for an existing specialist service with supervised dispensing. RP-01, RP-09.
    """
    site = managed_site(act, site_id)
    one_of("model", model, MODELS)
    if site.kind != "community":
        raise Invalid.field("model", "is for community services; prisons follow the 28 days")
    from_on = from_on or act.today
    lacking = lacks_for_model_3(site, from_on)
    if model == 3 and lacking:
        names = " and ".join(FEATURES[need].lower() for need in lacking)
        raise Invalid.field("model", f"cannot be 3 here: not recorded from that day on: {names}")
    if model in {row.model for row in site.models if row.to_on is None and row.from_on <= from_on}:
        raise Invalid.field("model", "already holds on that day")
    changes = any(row.holds_on(from_on) for row in site.models)
    if changes and not (reason or "").strip():
        raise Invalid.field("reason", "is required when another model held before")
    row = SiteModel(model=model, reason=(reason or "").strip() or None)
    _hold(act, site.models, row, from_on)
    site.models.append(row)
    act.session.flush()
    act.note("site.model_set", site=site.id, model=model, row=row.id)


def lacks_for_model_3(site: Site, from_on: date) -> list[str]:
    """What the site would have to have from that day on and for good. Rule: RP-09."""
    return [need for need in MODEL_3_NEEDS if not _has_from(site, need, from_on)]


def _has_from(site: Site, feature: str, day: date) -> bool:
    """Is the feature there on the day and for as long as anybody knows?"""
    return any(
        row.feature == feature and row.holds_on(day) and row.to_on is None for row in site.features
    )


@command
def choose_rule_set(act: Act, site_id: int, rule_set: str, *, from_on: date | None = None) -> None:
    """Doses at the site are checked against this rule set from a day on (today when not said)."""
    site = managed_site(act, site_id)
    one_of("rule_set", rule_set, RULE_SETS)
    from_on = from_on or act.today
    if site.rule_set_on(from_on) == rule_set and all(row.to_on is None for row in site.rule_sets):
        raise Invalid.field("rule_set", "already holds on that day")
    if from_on < act.today:
        _nothing_decided(act, site_id)
    row = RuleSetChoice(rule_set=rule_set)
    _hold(act, site.rule_sets, row, from_on)
    site.rule_sets.append(row)
    act.session.flush()
    act.note("site.rule_set_chosen", site=site.id, rule_set=rule_set, row=row.id)


def _nothing_decided(act: Act, site_id: int) -> None:
    """Invalid once a dose was decided on here: which rules it was judged by is history."""
    wanted = select(DoseDecision.id).where(DoseDecision.site_id == site_id).limit(1)
    if act.session.scalar(wanted) is not None:
        raise Invalid.field("from_on", "cannot be before today: doses are already decided on")


@command
def add_feature(act: Act, site_id: int, feature: str, *, from_on: date | None = None) -> None:
    """The site has this feature from a day on (today when not said)."""
    site = managed_site(act, site_id)
    one_of("feature", feature, FEATURES)
    from_on = from_on or act.today
    if site.has(feature, from_on):
        raise Invalid.field("feature", "is already recorded on that day")
    row = SiteFeature(feature=feature)
    same = [each for each in site.features if each.feature == feature]
    _hold(act, same, row, from_on)
    site.features.append(row)
    act.session.flush()
    act.note("site.feature_added", site=site.id, feature=feature, row=row.id)


@command
def end_feature(act: Act, site_id: int, feature: str) -> None:
    """The site no longer has the feature: yesterday was its last day.

    Refused while Model 3, which needs it, holds today or later.
    """
    site = managed_site(act, site_id)
    held = [row for row in site.features if row.feature == feature and row.holds_on(act.today)]
    if not held:
        raise NotFound("The site does not have that today.")
    yesterday = act.today - timedelta(days=1)
    if feature in MODEL_3_NEEDS and any(
        row.model == 3 and (row.to_on is None or row.to_on > yesterday) and _ever_holds(row)
        for row in site.models
    ):
        raise Conflict("Model 3 needs this. Change the model first.")
    for row in held:
        row.to_on = yesterday
    act.note("site.feature_ended", site=site.id, feature=feature)


def _ever_holds(row: Dated) -> bool:
    return row.to_on is None or row.to_on >= row.from_on


@command
def close_site(act: Act, site_id: int, on: date, reason: str) -> int:
    """The site is shut on a day beyond its bank holidays. Returns the id of the closure."""
    site = managed_site(act, site_id)
    if not reason.strip():
        raise Invalid.field("reason", "is required")
    if on < act.today:
        raise Invalid.field("on", "cannot be in the past: what was held then is history")
    row = SiteClosure(
        on=on, reason=reason.strip(), withdrawn_on=None, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    site.closures.append(row)
    act.session.flush()
    act.note("site.closed", site=site.id, closure=row.id)
    return row.id


@command
def withdraw_closure(act: Act, closure_id: int) -> None:
    """The site is open on that day after all."""
    act.need("sites.manage")
    row = act.session.get(SiteClosure, closure_id)
    if row is None or row.withdrawn_on is not None:
        raise NotFound("There is no such closure.")
    managed_site(act, row.site_id)
    row.withdrawn_on = act.today
    act.note("site.closure_withdrawn", site=row.site_id, closure=row.id)


@command
def change_calendar(
    act: Act, nation: str, on: date, change: str, *, announced_on: date | None, name: str | None
) -> int:
    """A bank holiday announced after the pinned list was made; for every site of the nation.

    `change`: added or removed. Before `announced_on` nobody could know of it. Returns its id.
    """
    act.need("sites.manage")
    act.need("staff.manage")
    one_of("nation", nation, NATIONS)
    one_of("change", change, CALENDAR_CHANGES)
    if announced_on is not None and announced_on > act.today:
        raise Invalid.field("announced_on", "cannot be in the future")
    row = CalendarChange(
        nation=nation, on=on, change=change, announced_on=announced_on,
        name=(name or "").strip() or None, withdrawn_on=None, recorded_at=act.at,
        recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("calendar.changed", change=row.id, nation=nation)
    return row.id


@command
def withdraw_calendar_change(act: Act, change_id: int) -> None:
    """The pinned list was right about that day after all."""
    act.need("sites.manage")
    act.need("staff.manage")
    row = act.session.get(CalendarChange, change_id)
    if row is None or row.withdrawn_on is not None:
        raise NotFound("There is no such change.")
    row.withdrawn_on = act.today
    act.note("calendar.change_withdrawn", change=row.id)
