"""Make a limit stricter, end that, sign a rule, withdraw that, review an alert gone against."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from clinic.act import Act, command
from clinic.errors import Conflict, Forbidden, Invalid, NotFound, one_of, says
from clinic.guidance import facts
from clinic.guidance.models import LimitTightening, OverrideReview, RuleSignature
from clinic.prescriptions.models import DoseFinding
from clinic.sites.models import RULE_SETS, Site
from clinic.staff.commands import posts_at
from clinic.staff.models import POSTS, Staff
from clinic.turns import why
from dosing.check import rulebook
from dosing.rulebook import RuleVersion, limit_words
from dosing.tightening import NotTighter, SiteLimit, must_be_tighter, stricter
from dosing.units import as_text
from scheduling import practice

LEAD = "clinical_lead"
LONGEST = 500

# SQLite names the columns of a unique constraint, PostgreSQL the constraint.
for _name in ("uq_limit_tightening_site_id", "limit_tightening.site_id, limit_tightening.rule_set"):
    says(_name, "Somebody changed this limit at the same moment. Look again.")
for _name in ("uq_rule_signature_standing", "rule_signature.fingerprint"):
    says(_name, "This version of the rule is already signed.")


def _as_lead(act: Act, right: str) -> None:
    """Forbidden to everyone but the clinical lead in post at this site, whatever rights they hold."""
    act.need(right)
    if act.staff_id is None or LEAD not in posts_at(act, act.staff_id, act.site_id or 0):
        raise Forbidden("Only the clinical lead of this site may do this.")


# -- tighter limits ------------------------------------------------------------------------


@command
def tighten(
    act: Act,
    *,
    rule: str,
    limit: str,
    value: Decimal,
    reason: str,
    rule_set: str | None = None,
    from_on: date | None = None,
) -> int:
    """Make one limit of a rule stricter at this site, from a London date on (today if not said).

    `rule_set`: the site's on that day if not said. Only in the limit's own direction, stricter than
    shipped and than whatever the site has standing from then on. Returns the id of the row.
    """
    _as_lead(act, "guidance.tighten")
    from_on = _not_past(act, from_on)
    rule_set = _rule_set(act, rule_set, from_on)
    text = _reason(reason)
    wanted = SiteLimit(rule, limit, value)
    try:
        must_be_tighter(rulebook(), rule_set, wanted, from_on)
    except NotTighter as refused:
        raise Invalid.field(refused.field, str(refused)) from refused
    rows = _rows(act, rule_set, rule, limit)
    direction = rulebook().rules[rule].tighter[limit]
    for row in _standing_from(rows, from_on):
        held = Decimal(row.value or 0)
        if row.value is not None and (
            value == held or stricter(direction, value, held) != value
        ):  # fmt: skip
            raise Invalid.field(
                "value",
                f"must be stricter than what stands here from {row.from_on.isoformat()} "
                f"({limit_words(limit, row.value)}): end that first to loosen it",
            )
    return _add(act, rule_set, rule, limit, rows, as_text(value), from_on, text)


@command
def end_tightening(
    act: Act,
    *,
    rule: str,
    limit: str,
    reason: str,
    rule_set: str | None = None,
    from_on: date | None = None,
) -> int:
    """Go back to the shipped limit at this site, from a London date on. Returns the id of the row."""
    _as_lead(act, "guidance.tighten")
    from_on = _not_past(act, from_on)
    rule_set = _rule_set(act, rule_set, from_on)
    text = _reason(reason)
    rows = _rows(act, rule_set, rule, limit)
    if all(row.value is None for row in _standing_from(rows, from_on)):
        raise NotFound("This site has not tightened that limit from that day on.")
    return _add(act, rule_set, rule, limit, rows, None, from_on, text)


def _not_past(act: Act, from_on: date | None) -> date:
    from_on = from_on or act.today
    if from_on < act.today:
        raise Invalid.field("from_on", "cannot be before today: doses are already decided on")
    return from_on


def _rule_set(act: Act, rule_set: str | None, on: date) -> str:
    chosen = rule_set or act.session.get_one(Site, act.site_id).rule_set_on(on)
    one_of("rule_set", chosen, RULE_SETS)
    return str(chosen)


def _reason(reason: str) -> str:
    text = why(reason)
    if len(text) > LONGEST:
        raise Invalid.field("reason", f"must be {LONGEST} characters or fewer")
    return text


def _rows(act: Act, rule_set: str, rule: str, limit: str) -> list[LimitTightening]:
    """Everything this site ever wrote about one limit, in order; others who write it wait."""
    act.session.execute(
        select(Site.id).where(Site.id == act.site_id).with_for_update(key_share=True)
    )
    return [
        row
        for row in facts.tightenings(act, act.site_id or 0, rule_set)
        if (row.rule, row.limit_name) == (rule, limit)
    ]


def _standing_from(rows: list[LimitTightening], from_on: date) -> list[LimitTightening]:
    """What stands on a day, and what will stand on each later one something begins."""
    days = {from_on, *(row.from_on for row in rows if row.from_on > from_on)}
    return [row for day in sorted(days) for row in facts.standing(rows, day)]


def _add(
    act: Act,
    rule_set: str,
    rule: str,
    limit: str,
    rows: list[LimitTightening],
    value: str | None,
    from_on: date,
    reason: str,
) -> int:
    row = LimitTightening(
        site_id=act.site_id, rule_set=rule_set, rule=rule, limit_name=limit, nth=len(rows) + 1,
        value=value, from_on=from_on, reason=reason, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    action = "guidance.loosened_to_shipped" if value is None else "guidance.tightened"
    act.note(action, tightening=row.id, rule=rule, limit=limit)
    return row.id


# -- signatures ----------------------------------------------------------------------------


@command
def sign(
    act: Act,
    *,
    rule: str,
    fingerprint: str,
    registration: str | None = None,
    note: str | None = None,
) -> int:
    """Sign one version of a rule or definition as checked against its source. Returns the row's id.

    `fingerprint`: of the version that was read; Conflict when the rules no longer have it.
    `registration`: the signer's professional registration, from their account if not said.
    """
    _as_lead(act, "guidance.sign")
    version = _version(rule, fingerprint)
    staff = act.session.get_one(Staff, act.staff_id)
    number = (registration or staff.registration or "").strip()
    if not number:
        raise Invalid.field("registration", "must be the signer's professional registration number")
    if len(number) > 50:
        raise Invalid.field("registration", "must be 50 characters or fewer")
    remark = (note or "").strip() or None
    if remark is not None and len(remark) > LONGEST:
        raise Invalid.field("note", f"must be {LONGEST} characters or fewer")
    site = act.session.get_one(Site, act.site_id)
    row = RuleSignature(
        site_id=site.id, rule=rule, rule_set=version.set,
        edition=facts.edition_of(version), fingerprint=fingerprint, name=staff.name,
        role=f"{POSTS[LEAD]}, {site.name}", registration=number, note=remark, withdrawn_at=None,
        withdrawn_by=None, withdrawn_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    act.note("guidance.signed", signature=row.id, rule=rule)
    return row.id


def _version(name: str, fingerprint: str) -> RuleVersion:
    rule = facts.rule_named(name)
    for version in rule.versions:
        standing = version.set == practice.SET or rulebook().stands(version)
        if standing and version.fingerprint(rule.asks) == fingerprint:
            return version
    raise Conflict("The rule has changed since you read it. Read it again before you sign.")


@command
def withdraw_signature(act: Act, signature_id: int, reason: str) -> None:
    """Take a signature back: the version is unsigned again. The row stays, with who and why."""
    _as_lead(act, "guidance.sign")
    text = _reason(reason)
    row = act.session.get(RuleSignature, signature_id, populate_existing=True)
    if row is None or act.site_id != row.site_id:
        raise NotFound("There is no such signature of this site.")
    if row.withdrawn_at is not None:
        raise Conflict("That signature was already withdrawn.")
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = act.at, act.staff_id, text
    act.note("guidance.signature_withdrawn", signature=row.id, rule=row.rule)


# -- alerts gone against -------------------------------------------------------------------


@command
def review_override(act: Act, finding_id: int, comment: str) -> int:
    """Record what the clinical lead makes of an alert that was gone against. Returns the row's id.

    Nobody reviews their own. A second look is a second row.
    """
    _as_lead(act, "guidance.review")
    text = why(comment, "comment")
    if len(text) > LONGEST:
        raise Invalid.field("comment", f"must be {LONGEST} characters or fewer")
    found = act.session.get(DoseFinding, finding_id)
    if (
        found is None
        or found.site_id != act.site_id
        or found.severity != "ALERT"
        or not found.saved
    ):
        raise NotFound("There is no such override at this site.")
    if found.recorded_by == act.staff_id:
        raise Invalid.field("finding", "is your own: another clinical lead must look at it")
    row = OverrideReview(
        finding_id=found.id, comment=text, recorded_at=act.at, recorded_by=act.staff_id
    )
    act.session.add(row)
    act.session.flush()
    act.note("guidance.override_reviewed", patient_id=found.patient_id, finding=found.id)
    return row.id
