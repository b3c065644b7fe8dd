"""What does each rule say here today, who checked it, what did this site tighten, what is to be signed?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from clinic.act import Act
from clinic.errors import NotFound
from clinic.guidance import facts
from clinic.guidance.models import LimitTightening, RuleSignature
from clinic.prescriptions.models import DoseFinding
from clinic.sites.models import RULE_SETS, RuleSetChoice, Site
from clinic.staff.models import Staff
from dosing.check import rulebook
from dosing.rulebook import CONFIDENCES, DRUGS, SEVERITIES, Rule, RuleVersion, Source, drugs_of
from scheduling import practice

CONFIDENCE_WORDS = {
    "S": "Seen in the source itself",
    "S2": "Seen, quoted by another source",
    "M": "From memory of the source, not seen",
    "D": "Our own number: no published one was found",
}
UNSEEN = ("M", "D")
FIRED_WITHIN = timedelta(days=90)
NOW, PAST, COMING, DROPPED = "in force", "no longer in force", "to come", "of an earlier edition"


@dataclass(frozen=True)
class Limit:
    """One number or list a rule reads: as shipped, and as this site has it. `tighter`: lower or higher.

    `standing` holds today; `coming` begins later. `here` is set where the site's value counts: a
    shipped value that is as strict counts instead.
    """

    name: str
    shipped: Any
    here: str | None
    tighter: str | None
    standing: LimitTightening | None
    coming: tuple[LimitTightening, ...] = ()


@dataclass(frozen=True)
class Shown:
    """One version of a rule or definition in one set, and who checked it."""

    version: RuleVersion
    state: str
    edition: str
    fingerprint: str
    signature: RuleSignature | None
    sources: tuple[Source, ...]
    limits: tuple[Limit, ...]
    review_overdue: bool

    @property
    def signed(self) -> bool:
        return self.version.signed or self.signature is not None

    @property
    def rests_on(self) -> str | None:
        """Why the number itself is still to be checked against its original."""
        return {"M": "memory", "D": "our own choice"}.get(self.version.confidence)


@dataclass(frozen=True)
class RuleShown:
    """A rule or definition with all its versions, newest set first; `fired`: here, in 90 days.

    `of_practice`: not a dose rule, but one of how the service works, the same in both sets.
    """

    rule: Rule
    is_definition: bool
    of_practice: bool
    drugs: tuple[str, ...]
    versions: tuple[Shown, ...]
    fired: int

    def now(self, rule_set: str) -> Shown | None:
        return next(
            (
                v
                for v in self.versions
                if v.version.set in (rule_set, practice.SET) and v.state == NOW
            ),
            None,
        )


@dataclass(frozen=True)
class Asked:
    """Which rules to list. None or empty: all."""

    rule_set: str | None = None
    words: str = ""
    family: str | None = None
    medicine: str | None = None
    severity: str | None = None
    confidence: str | None = None
    unsigned: bool = False
    tightened: bool = False
    fired: bool = False


@dataclass(frozen=True)
class Listed:
    """The rules of one set as it stands today: `families` in the order a dose is judged by them.

    `chosen`: the set this site works under today; `coming`: those it is to work under later.
    `total` and `unsigned` count the set; `practice` are the rules of how the service works.
    """

    rule_set: str
    edition: str
    chosen: RuleSetChoice | None
    coming: list[RuleSetChoice]
    families: Mapping[str, list[RuleShown]]
    definitions: list[RuleShown]
    total: int
    unsigned: int
    practice: Mapping[str, list[RuleShown]]
    practice_total: int
    practice_unsigned: int

    @property
    def chosen_here(self) -> str | None:
        """The rule set doses at this site are checked against today."""
        return None if self.chosen is None else self.chosen.rule_set


@dataclass
class _Known:
    """What this site and this service know beside the shipped rules, read once."""

    today: date
    signed: Mapping[str, RuleSignature]
    rows: list[LimitTightening]
    fired: Mapping[str, int]
    standing: dict[tuple[str, str, str], LimitTightening] = field(init=False)

    def __post_init__(self) -> None:
        self.standing = {
            (row.rule_set, row.rule, row.limit_name): row
            for row in facts.standing(self.rows, self.today)
            if row.value is not None
        }


def _known(act: Act, rules: Iterable[str] | None = None) -> _Known:
    return _Known(
        act.today, facts.signatures(act, rules), facts.tightenings(act, act.site_id or 0),
        fired_here(act),
    )  # fmt: skip


def chosen_here(act: Act) -> str | None:
    """The rule set doses at this site are checked against today."""
    return act.session.get_one(Site, act.site_id).rule_set_on(act.today)


def fired_here(act: Act) -> Mapping[str, int]:
    """How often each rule fired on orders saved or stopped at this site in the last 90 days."""
    found = act.session.execute(
        select(DoseFinding.rule, func.count())
        .where(
            DoseFinding.site_id == act.site_id, DoseFinding.found_on > act.today - FIRED_WITHIN
        )
        .group_by(DoseFinding.rule)
    )  # fmt: skip
    return dict(found.all())


def listed(act: Act, asked: Asked) -> Listed:
    """The rules of a set in force today (this site's when none is asked for) that fit what is asked."""
    act.need("guidance.read")
    site = act.session.get_one(Site, act.site_id)
    held = [row for row in site.rule_sets if row.to_on is None or row.to_on >= row.from_on]
    chosen = next((row for row in held if row.holds_on(act.today)), None)
    rule_set = asked.rule_set or (chosen.rule_set if chosen else next(iter(RULE_SETS)))
    if rule_set not in RULE_SETS:
        raise NotFound("There is no such rule set.")
    book, known = rulebook(), _known(act)
    in_force = book.in_force(rule_set, act.today)
    rules = [_rule(book.rules[name], known) for name in in_force]
    fitting = [each for each in rules if _fits(each, asked, rule_set)]
    definitions = [
        _rule(book.definitions[name], known) for name in book.defined(rule_set, act.today)
    ]
    order = list(dict.fromkeys(rule.family for rule in book.rules.values()))
    fitting.sort(key=lambda each: (order.index(each.rule.family), each.rule.id))
    ways = [_rule(rule, known) for rule in practice.rules().values()]
    return Listed(
        rule_set, book.set_versions[rule_set], chosen,
        [row for row in held if row.from_on > act.today], _by_family(fitting),
        [each for each in definitions if _fits(each, asked, rule_set)], len(rules),
        _unsigned(rules, rule_set),
        _by_family([each for each in ways if _fits(each, asked, rule_set)]), len(ways),
        _unsigned(ways, rule_set),
    )  # fmt: skip


def _by_family(rules: Iterable[RuleShown]) -> dict[str, list[RuleShown]]:
    families: dict[str, list[RuleShown]] = {}
    for each in rules:
        families.setdefault(each.rule.family, []).append(each)
    return families


def _unsigned(rules: Iterable[RuleShown], rule_set: str) -> int:
    return sum(not shown.signed for each in rules if (shown := each.now(rule_set)) is not None)


def _fits(each: RuleShown, asked: Asked, rule_set: str) -> bool:
    shown = each.now(rule_set)
    if shown is None:
        return False
    version, rule = shown.version, each.rule
    text = f"{rule.id} {rule.asks} {version.says()} {rule.family} {version.source}".lower()
    return (
        all(word in text for word in asked.words.lower().split())
        and asked.family in (None, rule.family)
        and (asked.medicine is None or asked.medicine in each.drugs)
        and asked.severity in (None, version.severity)
        and asked.confidence in (None, version.confidence)
        and not (asked.unsigned and shown.signed)
        and not (asked.tightened and not any(limit.here for limit in shown.limits))
        and not (asked.fired and not each.fired)
    )


def one_rule(act: Act, name: str) -> RuleShown:
    """One rule or definition with every version of both sets, past and to come too."""
    act.need("guidance.read")
    return _rule(facts.rule_named(name), _known(act, [name]))


def _rule(rule: Rule, known: _Known) -> RuleShown:
    definition = rule.id in rulebook().definitions
    versions = tuple(
        _shown(rule, version, known)
        for rule_set in (*RULE_SETS, practice.SET)
        for version in rule.versions
        if version.set == rule_set
    )
    return RuleShown(
        rule, definition, rule.id in practice.rules(),
        DRUGS if definition else drugs_of(rule.id), versions,
        known.fired.get(rule.id, 0),
    )  # fmt: skip


def _shown(rule: Rule, version: RuleVersion, known: _Known) -> Shown:
    book = rulebook()
    fingerprint = version.fingerprint(rule.asks)
    here = {
        row.limit_name: row
        for (rule_set, name, _), row in known.standing.items()
        if (rule_set, name) == (version.set, rule.id)
    }
    counting = facts.tightened_version(rule, version, here.values())
    return Shown(
        version,
        _state(version.set == practice.SET or book.stands(version), version, known.today),
        facts.edition_of(version),
        fingerprint,
        known.signed.get(fingerprint),
        tuple(practice.sources()[each] for each in version.sources),
        tuple(
            Limit(
                name, value,
                next((now for moved, now, _ in counting.moved() if moved == name), None),
                rule.tighter.get(name), here.get(name),
                tuple(
                    row
                    for row in known.rows
                    if (row.rule_set, row.rule, row.limit_name) == (version.set, rule.id, name)
                    and row.from_on > known.today
                ),
            )
            for name, value in version.limits.items()
        ),
        version.review_by < known.today,
    )  # fmt: skip


def _state(stands: bool, version: RuleVersion, today: date) -> str:
    if not stands:
        return DROPPED
    if version.first_on is not None and version.first_on > today:
        return COMING
    return PAST if version.last_on is not None and version.last_on < today else NOW


# -- what is to be signed ------------------------------------------------------------------


def to_sign(act: Act, rule_set: str | None = None) -> list[tuple[RuleShown, Shown]]:
    """Every version a named clinician has to answer for before live use, in the order of the ids.

    Those nobody has signed, and those that rest on memory or on our own choice, signed or not.
    """
    act.need("guidance.read")
    if rule_set is not None and rule_set not in RULE_SETS:
        raise NotFound("There is no such rule set.")
    book, known = rulebook(), _known(act)
    written = (*book.rules.values(), *book.definitions.values(), *practice.rules().values())
    every = [_rule(rule, known) for rule in written]
    return [
        (each, shown)
        for each in sorted(
            every, key=lambda each: (each.of_practice, each.is_definition, each.rule.id)
        )
        for shown in each.versions
        if shown.state in (NOW, COMING)
        and (rule_set is None or shown.version.set in (rule_set, practice.SET))
        and (not shown.signed or shown.version.confidence in UNSEEN)
    ]


def unsigned_here(act: Act) -> int:
    """How many rules here nobody has signed yet, of the site's own set and of practice.

    Said over every page when live.
    """
    rule_set = chosen_here(act)
    if rule_set is None:
        return 0
    signed = facts.signatures(act)
    return sum(each not in signed for each in _unsigned_as_shipped(rule_set, act.today))


@lru_cache(maxsize=8)
def _unsigned_as_shipped(rule_set: str, on: date) -> tuple[str, ...]:
    """The fingerprints of what nobody has signed in the rule files themselves."""
    book = rulebook()
    return tuple(
        version.fingerprint(book.rules[name].asks)
        for name, version in book.in_force(rule_set, on).items()
        if not version.signed
    ) + tuple(
        version.fingerprint(rule.asks)
        for rule in practice.rules().values()
        for version in rule.versions
        if not version.signed
    )


def signatures(act: Act, rule: str | None = None) -> list[RuleSignature]:
    """Every signature, withdrawn ones too, newest first."""
    act.need("guidance.read")
    wanted = select(RuleSignature).order_by(RuleSignature.id.desc())
    if rule is not None:
        wanted = wanted.where(RuleSignature.rule == rule)
    return list(act.session.scalars(wanted))


# -- what this site tightened --------------------------------------------------------------


def tightenings(act: Act, rule: str | None = None) -> list[tuple[LimitTightening, str, str]]:
    """Every change of a limit at this site, newest first: the row, who wrote it, how it stands.

    It holds, is to come, or was ended or replaced.
    """
    act.need("guidance.read")
    rows = facts.tightenings(act, act.site_id or 0)
    holding = {row.id for row in facts.standing(rows, act.today)}
    later = {
        row.id
        for day in {row.from_on for row in rows if row.from_on > act.today}
        for row in facts.standing(rows, day)
    }
    names = staff_names(act, (row.recorded_by for row in rows))
    return [
        (
            row, names[row.recorded_by],
            "holds" if row.id in holding else "to come" if row.id in later else "no longer",
        )
        for row in reversed(rows)
        if rule in (None, row.rule)
    ]  # fmt: skip


def staff_names(act: Act, staff_ids: Iterable[int | None]) -> dict[int, str]:
    """Who these ids are."""
    found = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(set(staff_ids))))
    return {row.id: row.name for row in found}


FILTERS = {
    "severity": SEVERITIES, "confidence": CONFIDENCES, "medicine": DRUGS, "set": tuple(RULE_SETS),
}  # fmt: skip
