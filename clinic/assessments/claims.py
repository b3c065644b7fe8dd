"""Which treatment elsewhere is claimed, who was asked about it, and what did they answer? (RP-32)

Each claim is confirmed on its own: a dose the prison confirms continues, whatever last year's dose
was. Only a claim both the prescriber and the pharmacy verified counts as treatment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinic.assessments.entries import Entries
from clinic.assessments.kinds import ASKED, CONFIRMATIONS, CONFIRMERS, KINDS
from clinic.assessments.models import ClinicalEntry
from clinic.consumption.models import DoseEvent
from dosing.medicines import PRODUCTS
from dosing.units import as_text

Data = dict[str, Any]
VERIFIED, NOT_ASKED = "verified", "not_asked"
STATES = {**CONFIRMATIONS, NOT_ASKED: "Nobody has been asked yet"}


@dataclass(frozen=True)
class Claim:
    """A daily dose said to be taken elsewhere, or a single dose there, and what was answered."""

    row: ClinicalEntry | DoseEvent
    answers: dict[str, list[ClinicalEntry]]

    def answer(self, by: str) -> ClinicalEntry | None:
        """The last answer of the prescriber, the pharmacy or the surgery."""
        return self.answers[by][-1] if self.answers[by] else None

    def state(self, by: str) -> str:
        row = self.answer(by)
        return NOT_ASKED if row is None else str(row.data["outcome"])

    @property
    def verified(self) -> bool:
        return all(self.state(by) == VERIFIED for by in CONFIRMERS)

    @property
    def waiting(self) -> list[str]:
        """Who has still to be asked or to answer."""
        return [by for by in CONFIRMERS if self.state(by) in (NOT_ASKED, "pending")]

    @property
    def product(self) -> str:
        return self.row.product if isinstance(self.row, DoseEvent) else self.row.data["product"]

    @property
    def drug(self) -> str:
        return PRODUCTS[self.product].drug

    @property
    def from_on(self) -> date:
        if isinstance(self.row, DoseEvent):
            return self.row.dose_on
        return date.fromisoformat(self.row.data["from_on"])

    @property
    def last_on(self) -> date:
        """The last London date a dose is said to have been taken."""
        if isinstance(self.row, DoseEvent):
            return self.row.dose_on
        return date.fromisoformat(self.row.data["to_on"])

    def steady(self) -> Data:
        """As a steady dose of the contract."""
        assert isinstance(self.row, ClinicalEntry)
        return {**KINDS["steady_dose"].in_contract(self.row.data), "recorded_by": "elsewhere"}

    def as_use(self) -> list[Data]:
        """As use outside treatment: what a claim is while another claim is confirmed.

        The contract confirms all of a history or nothing. A claim is read only for how long ago
        the last opioid was and how much methadone there was, and use is read for the same.
        """
        if isinstance(self.row, DoseEvent):
            dose = self.row.dose_mg
            return [
                {"opioid": self.drug, "last_used_at": self.row.consumed_at.isoformat(),
                 "daily_dose_mg": None if dose is None else as_text(dose)}
            ]  # fmt: skip
        dose_mg = self.row.data["daily_dose_mg"]
        days = dict.fromkeys((self.row.data["from_on"], self.row.data["to_on"]))
        return [
            {"opioid": self.drug, "last_used_on": day, "daily_dose_mg": dose_mg} for day in days
        ]


def claims_of(of: Entries, doses: Iterable[DoseEvent] = ()) -> list[Claim]:
    """Every claim that stands, oldest first. `doses`: those recorded as taken elsewhere.

    An answer is to the claim it names, or, naming none, to every claim written down before it.
    """
    rows: list[ClinicalEntry | DoseEvent] = [*of.all("steady_dose"), *doses]
    return [Claim(row, {by: _answers(of, row, by) for by in ASKED}) for row in rows]


def _answers(of: Entries, claim: ClinicalEntry | DoseEvent, by: str) -> list[ClinicalEntry]:
    named = claim.id if isinstance(claim, ClinicalEntry) else None
    return [
        row
        for row in of.all("confirmation")
        if row.data["by"] == by
        and row.recorded_at > claim.recorded_at
        and row.data.get("claim_id") in (None, named)
    ]


def settled(claims: list[Claim]) -> tuple[list[Claim], list[Claim]]:
    """The claims that stand in the history of a check, and the earlier ones told beside it as use.

    Verified treatment is not undone by something older that nobody can verify. But while anything
    of the same time or later is unverified, what was taken last is not known: then all of it
    stands as claims, which the check does not count.
    """
    verified = [each for each in claims if each.verified]
    others = [each for each in claims if not each.verified]
    if not verified:
        return claims, []
    began = min(each.from_on for each in verified)
    if any(each.last_on >= began for each in others):
        return claims, []
    return verified, others


def earlier_claims_as_use(claims: list[Claim]) -> list[Data]:
    """What `settled` leaves beside the history, as opioid use of the contract."""
    return [use for claim in settled(claims)[1] for use in claim.as_use()]


def is_claimed(claim: Claim) -> bool:
    """Is this a daily dose written down as a claim, and not a single dose taken elsewhere?"""
    return isinstance(claim.row, ClinicalEntry)
