"""Which limits has this site made stricter, and which rules has somebody signed? Rows -> plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select

from clinic.act import Act
from clinic.errors import NotFound
from clinic.guidance.models import LimitTightening, RuleSignature
from dosing.check import rulebook
from dosing.rulebook import Rule, RuleVersion
from dosing.tightening import SiteLimit, adjusted
from scheduling import practice

Stored = list[list[str]]
"""Site limits as a decision keeps them: [rule, limit, value as decimal text]."""


def rule_named(name: str) -> Rule:
    """A dose rule, a definition or a rule of practice. NotFound."""
    book = rulebook()
    rule = book.rules.get(name) or book.definitions.get(name) or practice.rules().get(name)
    if rule is None:
        raise NotFound("There is no such rule.")
    return rule


def edition_of(version: RuleVersion) -> str:
    """The edition of its set a version is part of; a rule of practice is known by its words alone."""
    return rulebook().set_versions.get(version.set, "as shipped")


def tightenings(act: Act, site_id: int, rule_set: str | None = None) -> list[LimitTightening]:
    """Every row of a site, in the order they were written; of one rule set when it is named."""
    if rule_set is None:
        return list(act.session.scalars(_TIGHTENINGS, {"site_id": site_id}))
    about = {"site_id": site_id, "rule_set": rule_set}
    return list(act.session.scalars(_TIGHTENINGS_OF_SET, about))


# Built once: every dose is judged with them.
_TIGHTENINGS = (
    select(LimitTightening)
    .where(LimitTightening.site_id == bindparam("site_id"))
    .order_by(LimitTightening.id)
)
_TIGHTENINGS_OF_SET = _TIGHTENINGS.where(LimitTightening.rule_set == bindparam("rule_set"))
_LIMITS = _TIGHTENINGS_OF_SET.with_only_columns(
    LimitTightening.rule_set, LimitTightening.rule, LimitTightening.limit_name,
    LimitTightening.value, LimitTightening.from_on,
)  # fmt: skip


def standing(rows: Iterable[Any], on: date) -> list[Any]:
    """Of rows in the order they were written, the one that holds for each limit on a London date.

    A row that put a limit back to the shipped value holds too: its value is None.
    """
    last = {(row.rule_set, row.rule, row.limit_name): row for row in rows if row.from_on <= on}
    return list(last.values())


def site_limits_on(act: Act, site_id: int, rule_set: str, on: date) -> Stored:
    """The limits a site has tightened on a London date, by rule and limit."""
    about = {"site_id": site_id, "rule_set": rule_set}
    held = standing(act.session.connection().execute(_LIMITS, about), on)
    return sorted([row.rule, row.limit_name, row.value] for row in held if row.value is not None)


def read_limits(stored: Stored) -> tuple[SiteLimit, ...]:
    """Stored limits as the rules take them."""
    return tuple(SiteLimit(rule, limit, Decimal(value)) for rule, limit, value in stored)


def signatures(act: Act, rules: Iterable[str] | None = None) -> Mapping[str, RuleSignature]:
    """The signatures that stand, by the fingerprint they are put under."""
    wanted = select(RuleSignature).where(RuleSignature.withdrawn_at.is_(None))
    if rules is not None:
        wanted = wanted.where(RuleSignature.rule.in_(list(rules)))
    return {row.fingerprint: row for row in act.session.scalars(wanted)}


def tightened_version(
    rule: Rule, version: RuleVersion, rows: Iterable[LimitTightening]
) -> RuleVersion:
    """A version with these rows' limits in it, where they are stricter than shipped."""
    limits = [
        SiteLimit(row.rule, row.limit_name, Decimal(row.value))
        for row in rows
        if row.value is not None
    ]  # fmt: skip
    return adjusted(rule, version, limits)
