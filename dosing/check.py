"""May this dose be given? The one door: a request in, every finding of its rule set out.

Page, API, command line and sweep all come through here. Nothing is stored and no clock is read.
PASS means that no rule fired; it does not mean a dose is safe, and no message proposes one.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final

from dosing import (  # noqa: F401 - importing a family registers its rules
    depots,
    forms,
    gate,
    induction,
    interactions,
    missed_doses,
    prison,
    products,
    supply,
    titration,
)
from dosing.facts import Facts, derive
from dosing.reading import read_request, request_schema
from dosing.reasoning import JUDGES_DOSE, REASONS
from dosing.request import RULE_SETS
from dosing.rulebook import (
    HERE,
    SEVERITIES,
    FaultyRulebook,
    Finding,
    Rulebook,
    RuleVersion,
    load_rulebook,
)
from dosing.shape import Answer, JsonSchema
from dosing.tightening import SiteLimit, tightened

__all__ = ["check", "check_dose", "request_schema", "response_schema", "rulebook"]

FAMILIES: Final = (
    "gate", "induction", "titration", "missed_doses", "interactions", "products", "depots",
    "prison", "supply", "forms",
)  # fmt: skip
PASS: Final = "PASS"  # noqa: S105 - an outcome
_RANK: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}


@cache
def rulebook() -> Rulebook:
    """Every rule in both sets, read once. FaultyRulebook when a rule and its reasoning part."""
    book = load_rulebook(HERE, FAMILIES)
    if set(book.rules) != set(REASONS):
        parted = sorted(set(book.rules) ^ set(REASONS))
        raise FaultyRulebook(f"written without reasoning, or the other way: {', '.join(parted)}")
    return book


@lru_cache(maxsize=256)
def site_rulebook(
    rule_set: str, site_limits: tuple[SiteLimit, ...], edition: str | None = None
) -> Rulebook:
    """The rules with a site's tighter limits in this set, as an edition had them (None: today's)."""
    book = rulebook()
    if edition is not None:
        book = book.as_of(rule_set, edition)
    return tightened(book, rule_set, site_limits)


def check(
    request: Any, site_limits: tuple[SiteLimit, ...] = (), edition: str | None = None
) -> Answer:
    """Judge parsed JSON as the dose-check contract says. Raises Refused for a bad request.

    `site_limits`: those a site has tightened; the stateless check knows of no site. `edition`: of
    the request's rule set, for a decision judged again (UnknownEdition).
    """
    read = read_request(request)
    book = site_rulebook(read.rule_set, site_limits, edition)
    facts = derive(read, book.defined(read.rule_set, read.on))
    found = check_dose(facts, book)
    return {
        "case": read.case,
        "rule_set": read.rule_set,
        "rule_set_version": book.set_versions[read.rule_set],
        "outcome": found[0].severity if found else PASS,
        "findings": [finding.as_json() for finding in found],
    }


def check_dose(facts: Facts, book: Rulebook) -> list[Finding]:
    """Every rule of the set that fires on these facts, most severe first, then by rule id."""
    usable = facts.request.order.dose_mg is not None
    found = []
    for rule, version in book.in_force(facts.request.rule_set, facts.on).items():
        # Without one unit the amount cannot be read (U-06); only rules that need none may speak.
        if usable or rule not in JUDGES_DOSE:
            finding = _judge(facts, version)
            if finding is not None:
                found.append(finding)
    found.sort(key=lambda finding: (_RANK[finding.severity], finding.rule))
    return found


def find(rule: str, facts: Facts, book: Rulebook) -> Finding | None:
    """Does this one rule of the request's set fire? None also where no version is in force."""
    version = book.in_force(facts.request.rule_set, facts.on).get(rule)
    if version is None or (facts.request.order.dose_mg is None and rule in JUDGES_DOSE):
        return None
    return _judge(facts, version)


def _judge(facts: Facts, version: RuleVersion) -> Finding | None:
    """What one rule says. Where a site tightened it, the graver of its answer and the shipped one."""
    finding = REASONS[version.rule](facts, version)
    if version.shipped is None:
        return finding
    shipped = REASONS[version.rule](facts, version.shipped)
    if finding is None or shipped is None:
        return finding or shipped
    return min(finding, shipped, key=lambda each: _RANK[each.severity])


def response_schema() -> JsonSchema:
    """The answer as JSON Schema 2020-12."""
    text: JsonSchema = {"type": "string"}
    finding = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rule", "severity", "message", "source", "facts"],
        "properties": {
            "rule": text,
            "severity": {"type": "string", "enum": list(SEVERITIES)},
            "message": text,
            "source": text,
            "facts": {"type": "object"},
        },
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["case", "rule_set", "rule_set_version", "outcome", "findings"],
        "properties": {
            "case": text,
            "rule_set": {"type": "string", "enum": list(RULE_SETS)},
            "rule_set_version": text,
            "outcome": {"type": "string", "enum": [*SEVERITIES, PASS]},
            "findings": {"type": "array", "items": finding},
        },
    }
