"""May a site make this limit stricter, and what do the rules say then?

A site's clinical lead may move a limit of a rule the one way its `tighter` names, [D] limits
included; definitions (facts.toml) feed several rules at once and stay as shipped. A tightened rule
is asked twice, as shipped and with the site's limit, and the graver answer counts (check.py): so
nothing a site enters can quiet a rule, whatever the shape of its reasoning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from dosing.rulebook import Rule, Rulebook, RuleVersion, limit_words
from dosing.units import as_text

LOWER: Final = "lower"
SLIP: Final = 10
"""A value this many times away is a misplaced nought or another unit, not a limit."""
_PARTS: Final = ("_mg", "_hours", "_mg_per_ml")


@dataclass(frozen=True, slots=True)
class SiteLimit:
    """One limit of one rule as a site has it."""

    rule: str
    limit: str
    value: Decimal


class NotTighter(ValueError):
    """This limit cannot be set to this value. `field`: rule, limit or value; the text says why."""

    def __init__(self, field: str, says: str) -> None:
        super().__init__(says)
        self.field = field


def stricter(direction: str, one: Decimal, other: Decimal) -> Decimal:
    """The stricter of two values of a limit that a site may move in this direction."""
    return min(one, other) if direction == LOWER else max(one, other)


def tightened(book: Rulebook, rule_set: str, site_limits: Iterable[SiteLimit]) -> Rulebook:
    """The rulebook of a site: its limits in place of the shipped ones, where they are stricter.

    A shipped limit that has become as strict as the site's counts as shipped. A limit the rules no
    longer have is passed over: it can be put nowhere.
    """
    wanted: dict[str, list[SiteLimit]] = {}
    for each in site_limits:
        wanted.setdefault(each.rule, []).append(each)
    changed = [
        made
        for name, limits in wanted.items()
        if (rule := book.rules.get(name)) is not None
        for version in rule.versions
        if version.set == rule_set and (made := adjusted(rule, version, limits)) is not version
    ]
    return book.with_versions(changed) if changed else book


def adjusted(rule: Rule, version: RuleVersion, site_limits: list[SiteLimit]) -> RuleVersion:
    """One version with a site's limits in it; itself where none is stricter than shipped."""
    limits = dict(version.limits)
    for each in site_limits:
        if each.limit in rule.tighter and each.limit in limits:
            limits[each.limit] = stricter(rule.tighter[each.limit], limits[each.limit], each.value)
    if limits == version.limits:
        return version
    return replace(version, limits=MappingProxyType(limits), shipped=version)


def shipped_value(book: Rulebook, rule_set: str, rule: str, limit: str, on: date) -> Decimal:
    """The value of a limit a site may tighten, as shipped and in force on a London date.

    NotTighter, naming the field, when there is no such rule, or no such limit to move.
    """
    version = book.in_force(rule_set, on).get(rule)
    if version is None:
        raise NotTighter("rule", f"must be a rule of {rule_set} in force on that day")
    movable = [name for name in book.rules[rule].tighter if name in version.limits]
    if limit not in movable:
        allowed = (
            f"one of: {', '.join(movable)}" if movable else "nothing: this rule has no such limit"
        )
        raise NotTighter("limit", f"must be {allowed}")
    return version.number(limit)


def must_be_tighter(book: Rulebook, rule_set: str, wanted: SiteLimit, on: date) -> None:
    """NotTighter unless this is a stricter value than the shipped one in force on the date."""
    shipped = shipped_value(book, rule_set, wanted.rule, wanted.limit, on)
    direction = book.rules[wanted.rule].tighter[wanted.limit]
    value, was = wanted.value, limit_words(wanted.limit, as_text(shipped))
    if value == shipped or stricter(direction, value, shipped) != value:
        way = "less" if direction == LOWER else "more"
        raise NotTighter("value", f"must be {way} than as shipped ({was}): a site may only tighten")
    if not shipped / SLIP < value < shipped * SLIP:
        raise NotTighter(
            "value", f"must be less than ten times away from as shipped ({was}): check the unit"
        )
    if not _in_parts(wanted.limit) and value != value.to_integral_value():
        raise NotTighter("value", "must be a whole number")


def _in_parts(limit: str) -> bool:
    """Milligrams, hours and shares may have decimals; days, points and milliseconds are whole."""
    return limit.endswith(_PARTS) or limit.startswith("share_of")
