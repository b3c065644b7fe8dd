"""May a prescriber decide on a dose yet, and what is lacking? Asked beside the dose check.

The dose check judges a dose on clinical facts and is the same for everybody. This asks about the
service's own way to a first dose (RP-06, RP-11, RP-20, RP-26 to RP-30, RP-36, RP-38, RP-45): in the
community nothing is decided on the first visit of a complex case, and no first dose before a
prescriber signed the outcome. A service whose model nobody set is held the same way. Prison's first
night follows the P rules instead (docs/decisions).
"""

from __future__ import annotations

from dataclasses import dataclass

from clinic import ui
from clinic.assessments import words
from clinic.assessments.case import Case
from clinic.assessments.tasks import needed_of
from clinic.errors import Trouble
from clinic.soundness import must_allow_first_doses
from dosing.complexity import BUPRENORPHINE, NOT_KNOWN


@dataclass(frozen=True)
class Lack:
    """One thing in the way. `kind` and `about` lead to where it is recorded.

    `part`: a part of the task list, which marks it there.
    """

    code: str
    says: str
    kind: str | None = None
    about: str | int | None = None
    part: bool = False


class NotCleared(Trouble):
    """No dose can be saved before these are settled."""

    status, title, kind = 422, "The assessment does not allow this dose yet", "not-cleared"

    def __init__(self, lacking: list[Lack]) -> None:
        super().__init__(
            "First: " + "; ".join(each.says for each in lacking) + ".",
            faults=[(each.code, each.says) for each in lacking],
        )
        self.lacking = lacking


def for_any_dose(case: Case) -> list[Lack]:
    """What keeps every dose from being saved, first or not, in every setting."""
    out = []
    if refused := case.consent_refused:
        decision = words.CONSENTS[refused.data["decision"]]
        out.append(Lack("consent", f"{decision} ({ui.day(refused.happened_at)})", "consent"))
    if outcome := case.refused_by_outcome:
        out.append(
            Lack(
                "outcome",
                f"{words.OUTCOMES[outcome.data['outcome']]}, signed {ui.day(outcome.happened_at)}."
                " Another outcome must be signed first",
                "outcome",
            )
        )
    if case.seriously_intoxicated:
        out.append(
            Lack(
                "intoxication",
                "Seriously intoxicated when last seen. Nothing is prescribed at this visit: see"
                " them again",
                "observation",
            )
        )
    return out


def for_a_first_dose(case: Case, medicine: str | None = None) -> list[Lack]:
    """What a first dose still needs here. Empty in prison.

    `medicine`: that of the order, when there is one; before it, that of the signed outcome.
    """
    if not case.place.holds:
        return []
    out = [
        Lack(
            task.name,
            "; ".join((f"{task.text}: {task.status.lower()}", *task.says)),
            task.kind,
            task.about,
            part=True,
        )
        for task in needed_of(case)
    ]
    found = case.complexity(medicine)
    if not found.non_complex and case.first_visit_on == case.today:
        why = found.unknown if found.state == NOT_KNOWN else found.reasons
        said = "; ".join(reason.says for reason in why)
        head = "Not known to be non-complex" if found.state == NOT_KNOWN else "Complex"
        out.append(
            Lack("first_visit", f"{head}: no dose is decided on the first visit. {said}", "outcome")
        )
    if found.holds(BUPRENORPHINE) and case.item("buprenorphine_plan") is None:
        out.append(
            Lack("buprenorphine_plan", "Buprenorphine: record its own induction plan",
                 "assessment", "buprenorphine_plan")
        )  # fmt: skip
    return [*out, *_outcome(case, {each.id for each in found.reasons})]


def _outcome(case: Case, reasons: set[str]) -> list[Lack]:
    """Has a prescriber signed that a rapid start suits, knowing every reason there is now?"""
    row = case.own_outcome
    if row is None:
        return [Lack("outcome", "A prescriber has not signed the outcome", "outcome")]
    if row.data["outcome"] != words.SUITABLE:
        signed = words.OUTCOMES[row.data["outcome"]]
        return [Lack("outcome", f"The outcome is: {signed}. A first dose waits", "outcome")]
    if reasons - set(row.data["reasons"]):
        return [Lack("outcome", "A reason was found after the outcome was signed: look again, and"
                     " sign anew", "outcome")]  # fmt: skip
    return []


def cleared(case: Case, *, first_dose: bool, medicine: str | None = None) -> None:
    """NotCleared while anything is in the way of saving this dose; NotReady when the rules for it fail."""
    lacking = for_any_dose(case)
    if first_dose and case.place.holds:
        must_allow_first_doses()
        lacking += for_a_first_dose(case, medicine)
    if lacking:
        raise NotCleared(lacking)
