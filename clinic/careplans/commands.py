"""Begin a care plan and change it: its versions, and the draft in which changes are collected.

Whatever changes the plan goes through `plans.opened` (may this person, is it the version they read?).
Agreements: `agreement_commands`. What becomes of the plan: `follow_up_commands`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from clinic.act import Act, command
from clinic.careplans.agreement_commands import reopen
from clinic.careplans.models import MARKS, CarePlan, CarePlanDraft, CarePlanVersion
from clinic.careplans.plans import LONGEST, LONGEST_LINE, opened, touch
from clinic.careplans.reading import current_version, draft_of
from clinic.custody import facts
from clinic.custody.models import Reception
from clinic.custody.queries import at_a_prison
from clinic.errors import Conflict, Invalid, NotFound, needed, one_of, says
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from scheduling.careplans import DOMAINS, QUESTIONS, RULES, missing, unsaid

_HAS_PLAN = "There is a care plan already. Open that one."
_HAS_DRAFT = "Changes are being collected in a draft. Put them forward or discard them first."
_MOMENT_AGO = "Somebody changed this plan a moment ago. Look again and repeat."
# SQLite names the columns of a unique index, PostgreSQL the index.
for _name, _sentence in {
    "uq_care_plan_reception_id": _HAS_PLAN,
    "care_plan.reception_id": _HAS_PLAN,
    "uq_care_plan_community": _HAS_PLAN,
    "care_plan.patient_id": _HAS_PLAN,
    "uq_care_plan_version_plan_id_number": _MOMENT_AGO,
    "care_plan_version.plan_id": _MOMENT_AGO,
    "uq_care_plan_draft_standing": _MOMENT_AGO,
    "care_plan_draft.plan_id": _MOMENT_AGO,
    "care_plan_kept": "A version of a care plan is never changed.",
}.items():
    says(_name, _sentence)


@command
def start_plan(act: Act, patient_id: int, *, reception_id: int | None = None) -> int:
    """Begin the plan of a stay, or of somebody in the community. Returns its id.

    Version 1 is an initial plan in which nothing has been asked yet. Conflict when there is one.
    """
    patient = open_record(act, patient_id, "careplans.started", right="careplans.write")
    if reception_id is not None:
        reception = act.session.get(Reception, reception_id)
        if (
            reception is None
            or reception.patient_id not in same_person(act, patient.id)
            or reception.undone_at is not None
            or act.site_id not in facts.prisons_of(act.session, reception)
        ):
            raise Invalid.field("reception_id", "must be a stay of this person at this prison")
    elif at_a_prison(act):
        raise Invalid.field("reception_id", "is required: at a prison a plan belongs to a stay")
    plan = CarePlan(
        patient_id=patient.id, reception_id=reception_id, site_id=act.site_id,
        reviewed_on=act.today, version=1, changed_at=act.at, changed_by=act.staff_id,
        changed_what="began the plan", recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(plan)
    act.session.flush()
    first = CarePlanVersion(
        plan_id=plan.id, number=1, mark="initial", answers={}, goals={},
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(first)
    act.session.flush()
    reopen(act, plan, first, 1)
    return plan.id


@command
def change_plan(
    act: Act,
    plan_id: int,
    *,
    version: int,
    answers: Mapping[str, str | None] | None = None,
    mark: str | None = None,
    goal: Mapping[str, Any] | None = None,
) -> int:
    """Make the next version of the plan at once, to which nobody has agreed yet. Returns its number.

    `answers`: by question, None or blank for not asked; those left out stay. `goal`: one goal to
    add (no number), to reword, or to drop (with the reason in `dropped`). Where the version before
    had not been agreed by all three, the agreements it had no longer count in the 28 days.
    Conflict while a draft stands: its changes come first, or are discarded.
    """
    plan = opened(act, plan_id, "careplans.changed", version)
    if draft_of(act, plan.id) is not None:
        raise Conflict(_HAS_DRAFT)
    was = current_version(act, plan.id)
    return _next_version(act, plan, was, _changed(was, answers, mark, goal))


@command
def draft_change(
    act: Act,
    plan_id: int,
    *,
    version: int,
    answers: Mapping[str, str | None] | None = None,
    mark: str | None = None,
    goal: Mapping[str, Any] | None = None,
) -> None:
    """Collect a change in the draft of the plan; it is no version until it is put forward."""
    plan = opened(act, plan_id, "careplans.drafted", version)
    draft, now = draft_of(act, plan.id), current_version(act, plan.id)
    said, goals, kind = _changed(draft or now, answers, mark, goal)
    if draft is None:
        draft = CarePlanDraft(
            plan_id=plan.id, number=now.number, discarded_at=None, discarded_by=None
        )
        act.session.add(draft)
    draft.answers, draft.goals, draft.mark = said, goals, kind
    draft.recorded_at, draft.recorded_by = act.at, act.staff_id
    touch(act, plan, "changed the draft of the plan")


@command
def put_forward(act: Act, plan_id: int, *, version: int) -> int:
    """Make what the draft says the next version, for all three to agree to. Returns its number."""
    plan = opened(act, plan_id, "careplans.put_forward", version)
    draft = _draft(act, plan)
    was = current_version(act, plan.id)
    number = _next_version(act, plan, was, (draft.answers, draft.goals, draft.mark))
    act.session.delete(draft)
    return number


@command
def discard_draft(act: Act, plan_id: int, *, version: int) -> None:
    """The changes collected are given up; the plan stays as it is, and what they said is kept."""
    plan = opened(act, plan_id, "careplans.draft_discarded", version)
    draft = _draft(act, plan)
    draft.discarded_at, draft.discarded_by = act.at, act.staff_id
    touch(act, plan, "discarded the draft of the plan")


@command
def take_up_draft(act: Act, plan_id: int, draft_id: int, *, version: int) -> None:
    """Go on with changes that were discarded: they are the draft once more.

    Conflict when other changes are being collected, or the plan has a newer version since.
    """
    plan = opened(act, plan_id, "careplans.draft_taken_up", version)
    was = act.session.get(CarePlanDraft, draft_id)
    if was is None or was.plan_id != plan.id or was.discarded_at is None:
        raise NotFound("There is no such discarded draft of this plan.")
    if draft_of(act, plan.id) is not None:
        raise Conflict(_HAS_DRAFT)
    if was.number != current_version(act, plan.id).number:
        raise Conflict(
            "The plan has changed since these changes were discarded. Write anew what still holds."
        )
    act.session.add(
        CarePlanDraft(
            plan_id=plan.id, number=was.number, answers=was.answers, goals=was.goals,
            mark=was.mark, discarded_at=None, discarded_by=None, recorded_at=act.at,
            recorded_by=act.staff_id,
        )
    )  # fmt: skip
    touch(act, plan, "took the discarded draft of the plan up again")


def _draft(act: Act, plan: CarePlan) -> CarePlanDraft:
    found = draft_of(act, plan.id)
    if found is None:
        raise Conflict("No changes are collected: there is no draft of this plan.")
    return found


Content = tuple[dict[str, Any], dict[str, Any], str]


"""What a version says: answers, goals, mark."""


def _changed(
    was: CarePlanVersion | CarePlanDraft,
    answers: Mapping[str, str | None] | None,
    mark: str | None,
    goal: Mapping[str, Any] | None,
) -> Content:
    """What the plan says with these changes. Invalid when there are none."""
    said = dict(was.answers)
    for key, answer in (answers or {}).items():
        said[key] = _answer_checked(key, answer)
    said = {key: answer for key, answer in said.items() if answer is not None}
    if (lack := unsaid(said)) and {lack[0], *RULES["PS-36"]["when"]} & set(answers or {}):
        raise Invalid.field(*lack)
    goals = {**was.goals, **_goal_checked(was, goal)} if goal is not None else was.goals
    mark = mark or was.mark
    one_of("mark", mark, MARKS)
    if (said, goals, mark) == (was.answers, was.goals, was.mark):
        raise Invalid("Nothing was changed.")
    return said, goals, mark


def _next_version(act: Act, plan: CarePlan, was: CarePlanVersion, content: Content) -> int:
    said, goals, mark = content
    if content == (was.answers, was.goals, was.mark):
        raise Invalid("Nothing was changed: the draft says what the plan says.")
    fresh = CarePlanVersion(
        plan_id=plan.id, number=was.number + 1, mark=mark, answers=said, goals=goals,
        recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    if mark == "complete" and (lacking := missing(said, fresh.goals_now)):
        field = "mark" if was.mark != "complete" else None
        raise Invalid(
            "A complete plan needs these answered.",
            faults=[
                (field or key, f"A complete plan still needs: {_asks(key)}") for key in lacking
            ],
        )
    act.session.add(fresh)
    act.session.flush()
    reopen(act, plan, was, fresh.number)
    touch(act, plan, f"changed the plan to version {fresh.number}")
    return fresh.number


def _asks(key: str) -> str:
    return QUESTIONS[key].asks if key in QUESTIONS else "a goal"


def _answer_checked(key: str, answer: str | None) -> str | None:
    if key not in QUESTIONS:
        raise Invalid.field(key, "is not a question of a care plan")
    question, text = QUESTIONS[key], (answer or "").strip() or None
    if text is None:
        return None
    if question.choices is not None:
        one_of(key, text, question.choices)
    if question.kind == "day":
        try:
            date.fromisoformat(text)
        except ValueError:
            raise Invalid.field(key, "must be a day, such as 2026-12-01") from None
    if len(text) > LONGEST:
        raise Invalid.field(key, f"must be {LONGEST} characters or fewer")
    return text


def _goal_checked(was: CarePlanVersion | CarePlanDraft, goal: Mapping[str, Any]) -> dict[str, Any]:
    """The goal under its number; a new one gets the next that was never used."""
    number = goal.get("number")
    if number is None:
        number, before = len(was.goals) + 1, {}
    elif int(number) in was.goals_now:
        before = was.goals[str(number)]
    else:
        raise NotFound("There is no such goal in this plan.")
    by_on = goal.get("by_on", before.get("by_on"))
    row = {
        "domain": goal.get("domain", before.get("domain")),
        "what": needed("what", goal.get("what", before.get("what")), LONGEST_LINE),
        "who": needed("who", goal.get("who", before.get("who")), LONGEST_LINE),
        "by_on": by_on.isoformat() if isinstance(by_on, date) else by_on,
        "dropped": None,
    }
    one_of("domain", row["domain"], DOMAINS)
    if row["by_on"] is None:
        raise Invalid.field("by_on", "is required")
    if "dropped" in goal:
        row["dropped"] = needed("dropped", goal["dropped"], LONGEST_LINE)
    return {str(number): row}
