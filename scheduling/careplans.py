"""What is asked in a care plan, what does a complete one still lack, when is it looked at again?

Questions, codes, numbers and sources stand in careplans.toml. Days are London dates; facts arrive
as arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from scheduling.prescribing_models import day_in_words

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(
    Path(__file__).with_name("careplans.toml").read_text("utf-8")
)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {rule["id"]: rule for rule in _TABLE["rule"]}
EVENTS: Final[Mapping[str, str]] = {row["code"]: row["name"] for row in _TABLE["event"]}
REFERRALS: Final[Mapping[str, str]] = {row["code"]: row["name"] for row in _TABLE["referral"]}
FULFILS: Final[Mapping[str, str]] = {
    row["code"]: row["delivery"] for row in _TABLE["referral"] if "delivery" in row
}
"""The duty of the 28 days that a referral of this kind fulfils."""


@dataclass(frozen=True)
class Question:
    """One thing a plan asks. `choices` empty: free text, or a day when `kind` says so."""

    key: str
    asks: str
    plain: str
    hint: str = ""
    kind: str = "text"
    complete: bool = False
    choices: Mapping[str, str] | None = None
    plain_choices: Mapping[str, str] | None = None

    def says(self, answer: str | None) -> str | None:
        """The answer in words; None while it was not asked."""
        return self.choices.get(answer or "") if self.choices else answer

    def says_plainly(self, answer: str) -> str:
        """The answer as the patient's own copy has it."""
        return (self.plain_choices or self.choices or {}).get(answer, answer)


@dataclass(frozen=True)
class Section:
    """A part of a plan. A `domain` has goals."""

    key: str
    title: str
    plain: str
    questions: tuple[Question, ...]
    domain: bool


SECTIONS: Final[Mapping[str, Section]] = {
    row["key"]: Section(
        row["key"], row["title"], row["plain"],
        tuple(Question(**each) for each in row["question"]), row.get("domain", False),
    )
    for row in _TABLE["section"]
}  # fmt: skip
QUESTIONS: Final[Mapping[str, Question]] = {
    each.key: each for section in SECTIONS.values() for each in section.questions
}
GROUPS_NEEDED: Final[tuple[str, ...]] = tuple(_TABLE["groups_needed"])
"""The questions whose answers are group topics, the one needed most first."""
DOMAINS: Final[Mapping[str, str]] = {
    section.key: section.title for section in SECTIONS.values() if section.domain
}
FIRST_START: Final[int] = RULES["PS-29"]["first"]
APPROVED: Final[tuple[str, ...]] = tuple(RULES["PS-39"]["kinds"])
"""The kinds of referral that need approval and somebody else to pay (PS-39)."""
PAID_BY: Final[tuple[str, ...]] = tuple(RULES["PS-39"]["paid_by"])


def missing(answers: Mapping[str, str | None], goals: Collection[object]) -> list[str]:
    """What a complete plan still lacks (PS-12): keys of questions, and "goals" when there is none."""
    found = [key for key, each in QUESTIONS.items() if each.complete and not answers.get(key)]
    return found if goals else [*found, "goals"]


def unsaid(answers: Mapping[str, str | None]) -> tuple[str, str] | None:
    """A question that another answer makes necessary, and what to say; None when none is. Rule: PS-36."""
    rule = RULES["PS-36"]
    if any(answers.get(key) != answer for key, answer in rule["when"].items()):
        return None
    return None if answers.get(rule["needs"]) else (str(rule["needs"]), str(rule["says"]))


def lacks_approval(
    kind: str, approved_by: str | None, paid_by: str | None
) -> list[tuple[str, str]]:
    """What a referral of this kind still needs, by field. Rule: PS-39."""
    rule = RULES["PS-39"]
    if kind not in APPROVED:
        return []
    found = [] if approved_by else [("approved_by", str(rule["approval"]))]
    return found if paid_by else [*found, ("paid_by", str(rule["payer"]))]


@dataclass(frozen=True)
class ReviewDue:
    """The day a plan is to be reviewed by, and the rule that says so. `event`: the code, if one did."""

    on: date
    rule: str
    event: str | None = None

    @property
    def says(self) -> str:
        return str(RULES[self.rule]["says"]).format(
            event=EVENTS[self.event].lower() if self.event else ""
        )


def review_due(
    reviewed_on: date, *, in_custody: bool, events: Collection[tuple[date, str]]
) -> ReviewDue:
    """When the plan is reviewed next: the earliest of the regular day and what events ask for.

    `reviewed_on`: the last review, or the day the plan was begun. `events`: those no review has
    looked at yet, by day and code.
    """
    rule = "CP-02" if in_custody else "CP-01"
    regular = ReviewDue(reviewed_on + timedelta(days=RULES[rule]["most"]), rule)
    soon = timedelta(days=RULES["CP-03"]["most"])
    asked = [ReviewDue(on + soon, "CP-03", code) for on, code in events]
    return min([*asked, regular], key=lambda due: due.on)


def agree_again(changed_on: date, missing: int) -> tuple[date, str]:
    """By when a plan once agreed by all three is agreed again after a change, and what to say."""
    rule = RULES["CP-04"]
    return changed_on + timedelta(days=rule["most"]), str(rule["says"]).format(missing=missing)


def starts_early(what: str, starts_on: date | None, day_1: date | None) -> str | None:
    """The warning of PS-29 for a programme that starts before day 29; None when it does not."""
    if starts_on is None or day_1 is None:
        return None
    first = day_1 + timedelta(days=FIRST_START - 1)
    if starts_on >= first:
        return None
    return str(RULES["PS-29"]["says"]).format(
        what=what, on=day_in_words(starts_on), day_29=day_in_words(first)
    )
