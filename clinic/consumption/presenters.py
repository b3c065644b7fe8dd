"""How do the gates, and what a command refuses, read at the hatch?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import url_for

from clinic.answers import field_of
from clinic.consumption.facts import AtTheHatch
from clinic.consumption.gates import GatesShut
from clinic.errors import Conflict, Forbidden, Invalid
from clinic.forms import Form
from clinic.prescriptions.facts import Missing
from dosing.interlock import RULES, Verdict

REFUSALS: Final = (Invalid, Conflict, Forbidden)
TITLES: Final = {
    "place": "Where doses are taken",
    "identity": "Identity",
    "intoxication": "Intoxication",
    "review": "Review",
    "prescription": "Decision in force",
    "missed_doses": "Missed days",
    "rules": "Dose rules, asked again now",
    "recorded": "Not recorded yet",
}
OPEN, SHUT, PASSED = "Open", "Shut", "Passed, with a reason"
MOST_SAID = 3
"""Missing facts said in words; the record lists them all."""


@dataclass(frozen=True)
class GateTask:
    """One gate in the list: how it stands, why, who opens it, and where that is done."""

    title: str
    status: str
    says: str | None
    opens: str | None
    href: str | None
    link: str | None


def gate_tasks(
    hatch: AtTheHatch, verdict: Verdict, patient_id: int, may_set_place: bool
) -> list[GateTask]:
    """Every gate in order, with where to open those that are shut, if this person may."""
    shut = {each.gate: each for each in verdict.shut}
    out = []
    for gate in RULES:
        closed = shut.get(gate)
        if closed is None:
            status = PASSED if gate in verdict.passed else OPEN
            out.append(GateTask(TITLES[gate], status, None, None, None, None))
            continue
        href, link = _where(gate, closed.code, hatch, patient_id)
        if gate == "place" and not may_set_place:
            href = link = None
        says = closed.says
        if gate == "rules" and hatch.judged.missing:
            says = f"{says} {_missing(hatch.judged.missing)}"
        if gate == "missed_doses" and hatch.facts.missed_days:
            says = f"{hatch.facts.missed_days} days. {says}"
        out.append(GateTask(TITLES[gate], SHUT, says, closed.opens, href, link))
    return out


def _missing(missing: Sequence[Missing]) -> str:
    """The first facts that are missing, and how many more there are."""
    said = [each.says if each.says.endswith("?") else f"{each.says}." for each in missing]
    more = len(said) - MOST_SAID
    return " ".join(said[:MOST_SAID]) + (f" And {more} more." if more > 0 else "")


def _where(
    gate: str, code: str, hatch: AtTheHatch, patient_id: int
) -> tuple[str | None, str | None]:
    """Where a shut gate is opened, and what the link says."""
    if gate == "place":
        return url_for("consumption_pages.place", patient_id=patient_id), "Set the place"
    if gate == "identity":
        return "#identity", "Ask below"
    if gate == "intoxication":
        return "#intoxication", "Look, and answer below"
    if gate == "review" and code != "lower":
        return url_for("titration_pages.person", patient_id=patient_id), "Reviews"
    if gate == "missed_doses" and code == "not_assessed":
        return (
            url_for("assessments_pages.entry", patient_id=patient_id, kind="assessment",
                    about="prescriber_assessed"),
            "Assessed by the prescriber",
        )  # fmt: skip
    earlier = next((each for each in hatch.judged.missing if each.kind == "dose"), None)
    if gate == "rules" and earlier is not None and earlier.decision_id is not None:
        return (
            url_for("consumption_pages.give", patient_id=patient_id,
                    decision_id=earlier.decision_id, on=earlier.on),
            "Say what became of the earlier dose",
        )  # fmt: skip
    if gate == "recorded":
        return url_for("consumption_pages.person", patient_id=patient_id), "What is recorded"
    return url_for("prescriptions_pages.record", patient_id=patient_id), "Prescribing record"


def told_shut(form: Form, refused: GatesShut, lead: str) -> None:
    """Every gate that is shut, at the question that opens it where this form asks it."""
    shut = refused.verdict.shut
    form.refuse(refused.detail, [(each.gate, f"{lead} {each.says}") for each in shut])


def told(form: Form, refusal: Any) -> None:
    """A command's refusal, said at the fields of the form."""
    form.refuse(refusal.detail, [(field_of(form, name), says) for name, says in refusal.faults])
