"""What is recorded of an assessment, what is not yet, and what must wait? The task list's own rows.

A part marked `needed` belongs to the assessments that are complete before a first prescription
(RP-20): under a rapid model no first dose is saved while one is not completed (gate.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clinic import ui
from clinic.assessments import words
from clinic.assessments.case import Case
from clinic.assessments.claims import STATES
from clinic.assessments.kinds import CONFIRMERS, CONSENT, KINDS
from clinic.assessments.models import ClinicalEntry
from dosing import alcohol
from dosing.days import london_day
from scheduling.assessment import (
    ACTIONS,
    CRACK_PATHWAY,
    HELP,
    IMMEDIATE_HELP,
    RISKS,
    chase_laboratory_on,
)

COMPLETED, IN_PROGRESS = "Completed", "In progress"
NOT_YET, CANNOT_START = "Not yet", "Cannot start"


@dataclass(frozen=True)
class Task:
    """One part: `name` for the API, `row` the newest entry of it, `says` what it still needs.

    `kind` and `about` lead to its form; `page` to a page of its own instead.
    """

    name: str
    text: str
    status: str
    kind: str | None = None
    about: str | int | None = None
    row: ClinicalEntry | None = None
    says: tuple[str, ...] = ()
    needed: bool = False
    page: str | None = None
    flag: str | None = None

    @property
    def done(self) -> bool:
        return self.status == COMPLETED


@dataclass(frozen=True)
class Section:
    title: str
    tasks: tuple[Task, ...]


def sections_of(case: Case, keyworker: str | None) -> list[Section]:
    """The whole task list, in the order the parts are usually come to."""
    parts = (
        *_substances(case), *_dependence(case), *_health(case), *_risk(case), *_consent(case),
        *_plan(case, keyworker),
    )  # fmt: skip
    by_section: dict[str, list[Task]] = {}
    for title, task in parts:
        by_section.setdefault(title, []).append(task)
    ready = all(task.done for _, task in parts if task.needed)
    by_section["Outcome"] = [_outcome(case, ready)]
    return [Section(title, tuple(tasks)) for title, tasks in by_section.items()]


def needed_of(case: Case) -> list[Task]:
    """The parts that must be complete before a first prescription and are not."""
    parts = (
        *_substances(case), *_dependence(case), *_health(case), *_risk(case), *_consent(case),
        *_plan(case, None),
    )  # fmt: skip
    return [task for _, task in parts if task.needed and not task.done]


Parts = Iterator[tuple[str, Task]]


def _entry(case: Case, kind: str, text: str = "", *, needed: bool = True) -> Task:
    row = case.own.last(kind)
    return Task(
        kind, text or KINDS[kind].says, COMPLETED if row else NOT_YET, kind, row=row, needed=needed
    )


def _item(case: Case, item: str, text: str) -> Task:
    row = case.item(item)
    return Task(item, text, COMPLETED if row else NOT_YET, "assessment", item, row, needed=True)


def _asked(case: Case, topic: str, text: str) -> Task:
    row = case.own.last("asked", topic=topic)
    return Task(
        f"{topic}_listed", text, COMPLETED if row else NOT_YET, "asked", topic, row, needed=True
    )


def _substances(case: Case) -> Parts:
    title = "Substance use and treatment"
    yield (
        title,
        _item(
            case,
            "opioid_use_history",
            "History of opioid and other drug use, prescriptions included",
        ),
    )
    yield title, _asked(case, "opioid_use", "Opioids used outside treatment: the list is whole")
    yield title, _asked(case, "medicines", "Medicines, prescribed or bought: the list is whole")
    yield title, _treatment(case)
    for whose, text in (
        ("patient", "Main drugs: the patient's own statement"),
        ("worker", "Main drugs: the worker's judgement"),
    ):
        row = case.own.last("main_drugs", whose_word=whose)
        yield (
            title,
            Task(
                f"main_drugs_{whose}", text, COMPLETED if row else NOT_YET, "main_drugs", whose, row
            ),
        )


def _treatment(case: Case) -> Task:
    waiting = tuple(
        f"{ui.mg(Decimal(claim.row.data['daily_dose_mg']))} to {ui.day(claim.last_on)}: "
        + "; ".join(f"{by}: {STATES[claim.state(by)].lower()}" for by in CONFIRMERS)
        for claim in case.current_claims
        if claim.waiting and isinstance(claim.row, ClinicalEntry)
    )
    row = case.own.last("asked", topic="treatment_elsewhere")
    status = NOT_YET if row is None else IN_PROGRESS if waiting else COMPLETED
    # An answer awaited makes the case complex; it does not keep the assessment open.
    return Task(
        "treatment_elsewhere", "Treatment elsewhere: start or continuation", status, row=row,
        says=waiting, page="continuity",
    )  # fmt: skip


def _dependence(case: Case) -> Parts:
    title = "Dependence"
    yield title, _item(case, "dependence_evidence", "Evidence of dependence")
    yield title, _item(case, "physical_examination", "Physical examination")
    test = case.on_site_test
    yield title, Task(
        "on_site_test", "On-site urine or oral-fluid test", COMPLETED if test else NOT_YET,
        "drug_test", row=test, needed=True,
    )  # fmt: skip
    yield title, _laboratory(case)
    yield title, _observation(case)
    yield title, _entry(case, "tolerance", "Tolerance and dependence now")


def _laboratory(case: Case) -> Task:
    text = "Laboratory confirmation of the on-site test"
    test = case.on_site_test
    if test is None:
        return Task("laboratory", text, CANNOT_START, says=("There is no on-site test yet",))
    answer = case.of.last("drug_test", confirms_id=test.id)
    contested = case.of.last("contest", test_id=test.id)
    if answer is not None and answer.data["result"] != "pending":
        return Task("laboratory", text, COMPLETED, "drug_test", row=answer)
    says = (
        f"An on-site result can be contested. To be chased from "
        f"{ui.day(chase_laboratory_on(london_day(test.happened_at)))}",
    )
    return Task(
        "laboratory", text, IN_PROGRESS, "drug_test", row=answer, says=says,
        flag="Contested" if contested else None,
    )  # fmt: skip


OBSERVED = {
    "withdrawal_score": "withdrawal",
    "sedation": "sedation",
    "clinical_view": "intoxication, in your view",
    "alcohol": "breath alcohol",
}


def _observation(case: Case) -> Task:
    seen = {name for row in case.own.all("observation") for name in row.data}
    if seen & set(alcohol.UNITS):
        seen.add("alcohol")
    lacking = tuple(f"Not seen yet: {says}" for name, says in OBSERVED.items() if name not in seen)
    row = case.own.last("observation")
    status = NOT_YET if row is None else IN_PROGRESS if lacking else COMPLETED
    return Task(
        "observation", "Withdrawal, sedation, intoxication and alcohol", status, "observation",
        row=row, says=lacking if row else (), needed=True,
    )  # fmt: skip


def _health(case: Case) -> Parts:
    title = "Health and circumstances"
    yield title, _history(case)
    yield title, _item(case, "mental_state", "Mental state, examined")
    yield title, _entry(case, "mental_health")
    if case.sex != "male":
        yield title, _pregnancy(case)
    yield title, _entry(case, "social")
    yield title, _storage(case)


def _history(case: Case) -> Task:
    """The medical history; in progress while a question of complexity in it is unanswered."""
    task = _entry(case, "medical_history")
    asked = {
        "serious_poly_substance": "Not asked yet: is the use of more than one substance serious",
        "stimulants": "Not asked yet: stimulants",
        "children_at_home": "Not asked yet: children at home",
    }
    says = tuple(text for name, text in asked.items() if task.row and name not in task.row.data)
    if not says:
        return task
    return Task(task.name, task.text, IN_PROGRESS, task.kind, row=task.row, says=says, needed=True)


def _pregnancy(case: Case) -> Task:
    row = case.own.last("pregnancy_test")
    text = "Pregnancy test: offer and result"
    if case.pregnancy == "pregnant":
        reviewed = case.item("specialist_review")
        return Task(
            "pregnancy", text, COMPLETED if reviewed else IN_PROGRESS,
            "assessment" if row else "pregnancy_test", "specialist_review" if row else None, row,
            () if reviewed else ("Pregnant: specialist review to be recorded",), True,
            flag=None if reviewed else "Pregnant",
        )  # fmt: skip
    known = row is not None or case.pregnancy in ("not_pregnant", "not_possible")
    return Task(
        "pregnancy", text, COMPLETED if known else NOT_YET, "pregnancy_test", row=row, needed=True
    )


def _storage(case: Case) -> Task:
    text = "Children at home, and safe storage"
    told = case.own.last("medical_history")
    children = told.data.get("children_at_home") if told else None
    row = case.item("safe_storage")
    if told is None or "children_at_home" not in told.data:
        return Task(
            "safe_storage", text, CANNOT_START,
            says=("Children at home are asked with health, home and other substances",),
        )  # fmt: skip
    status = COMPLETED if children is False or row else IN_PROGRESS
    says = () if status == COMPLETED else ("Children at home: safe storage is not recorded",)
    return Task("safe_storage", text, status, "assessment", "safe_storage", row, says)


def _risk(case: Case) -> Parts:
    title = "Risk"
    row = case.item("risk_assessment")
    open_risks = [risk for risk, _, missing in case.risks if missing]
    unnamed = row is not None and row.data["finding"] == "concern" and not case.risks
    says = tuple(f"No action yet: {RISKS[risk.data['risk']]}" for risk in open_risks)
    if unnamed:
        says = ("A concern was found: name each risk",)
    status = COMPLETED if row and not says else IN_PROGRESS if row or case.risks else NOT_YET
    yield title, Task(
        "risk_assessment", "Risk assessment", status, "assessment", "risk_assessment", row, says,
        True, flag="Risk without action" if open_risks else None,
    )  # fmt: skip
    for risk, actions, missing in case.risks:
        needs = tuple(
            "Needs: " + ", or ".join(ACTIONS[each] for each in choice) for choice in missing
        )
        taken = tuple(
            f"{ACTIONS[each.data['action']]}, by {ui.day(date.fromisoformat(each.data['due_on']))}"
            + (", ended" if each.id in case.ended_actions else "")
            for each in actions
        )
        yield title, Task(
            f"risk_{risk.id}", RISKS[risk.data["risk"]], IN_PROGRESS if missing else COMPLETED,
            "risk_action", risk.id, risk, (*taken, *needs),
        )  # fmt: skip


def _consent(case: Case) -> Parts:
    row = case.own.last(CONSENT)
    refused = case.consent_refused is not None
    given = row is not None and row.data["decision"] == "given" and not refused
    yield "Consent", Task(
        CONSENT, KINDS[CONSENT].says, COMPLETED if given else IN_PROGRESS if row else NOT_YET,
        CONSENT, row=row, says=("No treatment without consent",) if refused else (), needed=True,
        flag="Refused" if refused else None,
    )  # fmt: skip


def _plan(case: Case, keyworker: str | None) -> Parts:
    title = "Help and the plan"
    yield title, _help(case)
    gaps = tuple(f"Not in the plan: {HELP[item]}" for _, item in case.plan_gaps)
    special = any(rule == "AS-09" for rule, _ in case.plan_gaps)
    held = any(case.help(item) for item in HELP)
    status = COMPLETED if held and not gaps else IN_PROGRESS if held else NOT_YET
    yield title, Task(
        "care_plan", "The plan's minimum", status, says=gaps if held else (), page="help",
        flag="Intervention missing" if special and held else None,
    )  # fmt: skip
    if case.crack_only:
        asked = sum(case.help(item) is not None for item in CRACK_PATHWAY)
        yield title, Task(
            "crack_pathway", "Crack pathway", _how_many(asked, len(CRACK_PATHWAY)),
            says=(f"{asked} of {len(CRACK_PATHWAY)} offered",), page="help",
        )  # fmt: skip
    yield title, Task(
        "keyworker", "Keyworker or case manager", COMPLETED if keyworker else NOT_YET,
        says=(keyworker,) if keyworker else ("Nobody is named",),
        page=None if case.place.in_prison else "keyworker", flag=None if keyworker else "Unnamed",
    )  # fmt: skip
    yield title, _entry(case, "follow_up", "Follow-up arranged before induction")


def _help(case: Case) -> Task:
    answered = 0
    for item in IMMEDIATE_HELP:
        row = case.help(item)
        answered += row is not None and row.data["response"] not in ("planned", words.HEARD_BEFORE)
    return Task(
        "immediate_help", "Immediate help", _how_many(answered, len(IMMEDIATE_HELP)),
        says=(f"{answered} of {len(IMMEDIATE_HELP)} offered, given or declined",), page="help",
    )  # fmt: skip


def _how_many(done: int, of: int) -> str:
    return COMPLETED if done == of else IN_PROGRESS if done else NOT_YET


def _outcome(case: Case, ready: bool) -> Task:
    row = case.own_outcome or case.refused_by_outcome
    text = "Outcome, signed by a prescriber"
    if row is not None:
        status = IN_PROGRESS if row.data["outcome"] == words.EXTENDED else COMPLETED
        return Task("outcome", text, status, "outcome", row=row)
    return Task(
        "outcome", text, NOT_YET if ready else CANNOT_START, "outcome",
        says=() if ready else ("A rapid start waits for every part above that it needs",),
    )  # fmt: skip
