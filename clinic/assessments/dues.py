"""What waits about somebody's assessment, and from which day on?

Worked out anew from the record each time something is written to it, and kept as rows: a worklist
then reads what is due at its site and nothing else. Days and lists are scheduling/assessment.py's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, select, update

from clinic import ui
from clinic.act import Act
from clinic.assessments import arrival, words
from clinic.assessments.case import Case, place_of
from clinic.assessments.entries import entries_at
from clinic.assessments.models import AssessmentDue, ClinicalEntry
from clinic.assessments.tasks import needed_of
from clinic.consumption.models import SWALLOWED, DoseEvent
from clinic.patients.models import Patient
from clinic.patients.queries import same_person
from clinic.prescriptions.doses import taken_home
from clinic.prescriptions.models import DoseDecision
from clinic.sites.queries import what_holds
from clinic.titration.models import TitrationReview
from dosing.check import rulebook
from dosing.days import london_day, start_of
from scheduling import assessment
from scheduling.assessment import ACTIONS, CRACK_PATHWAY, RISKS

WHATS = {
    "assessment": "Assessment",
    "outcome": "Prescriber",
    "laboratory": "Laboratory",
    "review": "Review",
    "consent": "Prescriber",
    "withdrawal": "Prescriber",
    "intoxication": "Prescriber",
    "arrest": "Prescriber",
    "arrival": "Arrival",
    "restart": "Prescriber",
    "onward": "After release",
    "pregnancy": "Prescriber",
    "risk": "Risk",
    "confirmation": "Confirmation",
    "reminder": "Overdose reminder",
    "crack": "Crack pathway",
}
URGENT = ("consent", "withdrawal", "intoxication", "arrest", "arrival", "restart", "pregnancy",
          "risk")  # fmt: skip
UNCONFIRMED = ("arrival", "confirmation", "restart", "onward")
"""What a worklist of people who arrived is about."""


@dataclass(frozen=True)
class Due:
    what: str
    key: str
    says: str
    due_on: date


def dues_of(case: Case, decided_at: datetime | None, prescribed_until: date | None) -> list[Due]:
    """Everything open about a case.

    `decided_at`: when a prescriber last decided on, or reviewed, the dose. `prescribed_until`: the
    last day of their last decision that was not withdrawn.
    """
    return [
        *_assessment(case), *_tests(case), *_after_outcome(case), *_seen(case, decided_at),
        *_risks(case), *_claims(case), *_help(case), *_arrests(case, prescribed_until),
        *_consent(case, prescribed_until), *_arrival(case), *_restart(case, decided_at),
        *_onward(case, prescribed_until),
    ]  # fmt: skip


def _assessment(case: Case) -> Iterator[Due]:
    if case.place.in_prison or case.began_on is None:
        return
    outcome = case.own_outcome
    if outcome is not None and outcome.data["outcome"] != words.EXTENDED:
        return
    lacking = len(needed_of(case))
    if lacking:
        parts = "1 part" if lacking == 1 else f"{lacking} parts"
        says = f"Assessment begun {ui.day(case.began_on)}: {parts} still to record"
        yield Due("assessment", "assessment", says, case.began_on)
    elif outcome is not None:
        next_on = outcome.data.get("next_review_on")
        due_on = date.fromisoformat(next_on) if next_on else case.today
        yield Due("outcome", "outcome", "Extended assessment: an outcome is to be signed", due_on)
    elif case.place.holds:
        says = "Assessment complete: the outcome is to be signed"
        yield Due("outcome", "outcome", says, case.today)


def _tests(case: Case) -> Iterator[Due]:
    answered = {
        row.data.get("confirms_id")
        for row in case.of.all("drug_test")
        if row.data["result"] != "pending"
    }
    for row in case.of.all("drug_test"):
        if row.id in answered or row.data.get("confirms_id") is not None:
            continue
        if row.data["method"] == "laboratory" and row.data["result"] != "pending":
            continue
        contest = case.of.last("contest", test_id=row.id)
        sampled_on = london_day(row.happened_at)
        if contest is not None:
            says = f"Contested drug test of {ui.day(sampled_on)}: the laboratory is to confirm it"
            yield Due("laboratory", f"laboratory {row.id}", says, london_day(contest.happened_at))
        else:
            says = f"Chase the laboratory for the drug test of {ui.day(sampled_on)}"
            due_on = assessment.chase_laboratory_on(sampled_on)
            yield Due("laboratory", f"laboratory {row.id}", says, due_on)


def _after_outcome(case: Case) -> Iterator[Due]:
    row = case.outcome
    if row is None:
        return
    signed_on = london_day(row.happened_at)
    if row.data["outcome"] == words.NOT_DEPENDENT:
        due_on = date.fromisoformat(row.data["next_review_on"])
        says = f"Not dependent on {ui.day(signed_on)}: the review set then"
        yield Due("review", f"review {row.id}", says, due_on)
    if row.data["outcome"] == words.CRACK_ONLY:
        waiting = [item for item in CRACK_PATHWAY if case.help(item) is None]
        if waiting:
            says = f"Crack pathway: {len(waiting)} of {len(CRACK_PATHWAY)} not offered yet"
            yield Due("crack", "crack", says, signed_on)


def _seen(case: Case, decided_at: datetime | None) -> Iterator[Due]:
    signed = case.outcome
    judged = [at for at in (decided_at, signed.happened_at if signed else None) if at is not None]
    judged += case.of.items("prescriber_assessed")
    scored = [row for row in case.of.all("observation") if "cows_items" in row.data]
    if judged and scored:
        row = scored[-1]
        score = row.data["withdrawal_score"]
        if row.happened_at > max(judged) and assessment.withdrawal_found(score):
            says = f"Withdrawal found (COWS {score}): review the dose"
            yield Due("withdrawal", f"withdrawal {row.id}", says, london_day(row.happened_at))
    seen = case.own.last("observation")
    if seen is not None and seen.data.get("clinical_view") == "serious":
        says = "Seriously intoxicated: see them again before anything is prescribed"
        yield Due("intoxication", f"intoxication {seen.id}", says, london_day(seen.happened_at))
    if case.pregnancy == "pregnant" and case.item("specialist_review") is None:
        yield Due("pregnancy", "pregnancy", "Pregnant: specialist review", case.today)


def _risks(case: Case) -> Iterator[Due]:
    for risk, actions, missing in case.risks:
        name = RISKS[risk.data["risk"]]
        if missing:
            yield Due("risk", f"risk {risk.id}", f"No action yet: {name}",
                      london_day(risk.happened_at))  # fmt: skip
        for row in actions:
            if row.id not in case.ended_actions:
                yield Due("risk", f"action {row.id}", ACTIONS[row.data["action"]],
                          date.fromisoformat(row.data["due_on"]))  # fmt: skip


def _claims(case: Case) -> Iterator[Due]:
    for claim in case.current_claims:
        if not claim.waiting or not isinstance(claim.row, ClinicalEntry):
            continue
        asked = [claim.answer(by) for by in claim.waiting]
        asked_on = None if None in asked else min(london_day(r.happened_at) for r in asked if r)
        claimed_on = london_day(claim.row.recorded_at)
        yield Due(
            "confirmation", f"claim {claim.row.id}",
            f"Dose from elsewhere not confirmed by: {' and '.join(claim.waiting)}",
            assessment.chase_confirmation_on(claimed_on, asked_on),
        )  # fmt: skip


def _help(case: Case) -> Iterator[Due]:
    if case.began_on is None:
        return
    due_on = assessment.next_reminder_on(case.reminded_on, case.began_on)
    yield Due("reminder", "reminder", "Overdose reminder: check what they know and do", due_on)


def _arrests(case: Case, prescribed_until: date | None) -> Iterator[Due]:
    reviewed = {row.data["arrest_id"] for row in case.of.all("arrest_review")}
    grace = rulebook().defined(case.place.rule_set, case.today)["missed-days"]
    most = timedelta(days=grace.whole("new_episode_from"))
    for row in case.of.all("arrest"):
        on = london_day(row.happened_at)
        prescribed = prescribed_until is not None and on <= prescribed_until + most
        if row.id not in reviewed and prescribed:
            says = f"Arrested {ui.day(on)} while prescribed for: using on top, or dose inadequate?"
            yield Due("arrest", f"arrest {row.id}", says, on)


def _consent(case: Case, prescribed_until: date | None) -> Iterator[Due]:
    row = case.consent_refused
    if row is not None and prescribed_until is not None and prescribed_until >= case.today:
        says = "Consent refused or withdrawn while a dose decision stands: withdraw it"
        yield Due("consent", f"consent {row.id}", says, london_day(row.happened_at))


def _arrival(case: Case) -> Iterator[Due]:
    arrived = case.arrived
    if arrived is None or not assessment.still_asked(arrived.on, case.today):
        return
    asked = arrival.answers(case.of, arrived)
    lacking = arrival.to_ask(case.of, arrived, case.today)
    if not asked:
        says = f"Arrived {ui.day(arrived.on)}: nobody has asked about treatment elsewhere"
        yield Due("arrival", "arrival", says, arrived.on)
    elif lacking:
        says = f"Arrived {ui.day(arrived.on)}, not answered: {'; '.join(lacking)}"
        yield Due("arrival", "arrival", says, arrived.on)
    for name, key, says in (
        ("dose_taken_today", "dose elsewhere",
         "Says a substitute was taken elsewhere that day: record which, and how much"),
        ("in_treatment", "claim", "Says they are in treatment: record which, and who confirms it"),
    ):  # fmt: skip
        row = next((row for row in reversed(asked) if name in row.data), None)
        if row is None or not row.data[name]:
            continue
        on = london_day(row.happened_at)
        known = any(
            each.last_on == on if name == "dose_taken_today" else each.last_on >= on - _LATELY
            for each in case.claims
        )
        if not known:
            yield Due("arrival", f"{key} {row.id}", says, on)


_LATELY = timedelta(days=assessment.RULES["AS-02"]["silence_above"])


def _restart(case: Case, decided_at: datetime | None) -> Iterator[Due]:
    """Three days without a dose by the time they came: a prescriber looks before it goes on."""
    arrived = case.arrived
    recent = [each for each in case.claims if arrived and each.last_on >= arrived.on - _LATELY]
    if arrived is None or not recent or not assessment.still_asked(arrived.on, case.today):
        return
    last_on = max(each.last_on for each in recent)
    last_on = max([last_on, *(row.dose_on for row in case.doses if row.outcome in SWALLOWED)])
    grace = rulebook().defined(case.place.rule_set, case.today)["missed-days"]
    due_on = last_on + timedelta(days=1 + grace.whole("prescriber_from"))
    judged = [at for at in (decided_at, *case.of.items("prescriber_assessed")) if at is not None]
    if not any(london_day(at) >= due_on for at in judged):
        says = (f"Last day with a dose {ui.day(last_on)}: {grace.whole('prescriber_from')} days or "
                "more missed, a prescriber looks before it starts again")  # fmt: skip
        yield Due("restart", f"restart {last_on.isoformat()}", says, due_on)


def _onward(case: Case, prescribed_until: date | None) -> Iterator[Due]:
    """Will it go on after release? Asked on admission of whoever is, or says they are, on treatment."""
    arrived = case.arrived
    if arrived is None or arrived.where != "prison":
        return
    prescribed = prescribed_until is not None and prescribed_until >= case.today
    said = [row.data.get("in_treatment") for row in arrival.answers(case.of, arrived)]
    if not (prescribed or any(said) or case.current_claims):
        return
    rows = [row for row in case.of.all("onward") if row.happened_at >= start_of(arrived.on)]
    if not rows:
        says = "Whether prescribing goes on after release: not recorded since they arrived"
        yield Due("onward", "onward", says, arrived.on)
        return
    row = rows[-1]
    on = london_day(row.happened_at)
    if not row.data["continues"] and row.data.get("instead") is None:
        says = "Nothing is prescribed after release: arrange a supply, or plan a detoxification"
        yield Due("onward", "onward", says, on)
    elif row.data["continues"] and row.data.get("confirmed") is not True:
        says = "After release: dose and prescriber not confirmed by the community worker"
        yield Due("onward", "onward", says, on)


# -- keeping the rows -----------------------------------------------------------------------


def case_now(act: Act, patient: Patient, at: datetime | None = None) -> Case:
    """The case as it stands now, from every record of the person."""
    records = same_person(act, patient.id)
    known_at = at or act.at
    place = place_of(act, what_holds(act))
    doses = act.session.scalars(
        select(DoseEvent)
        .where(DoseEvent.patient_id.in_(records))
        .order_by(DoseEvent.consumed_at, DoseEvent.id)
    )
    return Case(
        entries_at(act, records, known_at),
        list(doses),
        place,
        patient.sex,
        known_at,
        taken_home(act, records, known_at),
        arrival.arrived_here(act, records, in_prison=place.in_prison),
    )


def refresh(act: Act, patient: Patient, at: datetime) -> None:
    """Settle what no longer waits and open what does; part of the command that wrote."""
    records = same_person(act, patient.id)
    case = case_now(act, patient, at)
    until, decided_at = _last_decision(act, records)
    wanted = {due.key: due for due in dues_of(case, decided_at, until)}
    rows = act.session.scalars(
        select(AssessmentDue).where(
            AssessmentDue.patient_id.in_(records), AssessmentDue.closed_at.is_(None)
        )
    )
    for row in rows:
        due = wanted.get(row.key)
        if due is None:
            row.closed_at = at
        elif row.site_id == act.site_id:
            del wanted[row.key]
            # One that waits since an earlier day goes on waiting since then.
            fixed = due.what in ("outcome", "pregnancy") and row.due_on <= due.due_on
            row.says, row.due_on = due.says, row.due_on if fixed else due.due_on
    act.session.flush()
    act.session.add_all(
        AssessmentDue(
            patient_id=patient.id, site_id=act.site_id, what=due.what, key=due.key, says=due.says,
            due_on=due.due_on, opened_at=at, closed_at=None,
        )
        for due in wanted.values()
    )  # fmt: skip
    act.session.flush()


def _last_decision(act: Act, records: list[int]) -> tuple[date | None, datetime | None]:
    """The last day of the newest decision in force, and when a dose was last decided or reviewed."""
    decided = act.session.execute(
        select(DoseDecision.last_on, DoseDecision.recorded_at)
        .where(DoseDecision.patient_id.in_(records), DoseDecision.withdrawn_at.is_(None))
        .order_by(DoseDecision.id.desc())
        .limit(1)
    ).first()
    reviewed = act.session.scalar(
        select(TitrationReview.reviewed_at)
        .where(TitrationReview.patient_id.in_(records), TitrationReview.struck_at.is_(None))
        .order_by(TitrationReview.reviewed_at.desc())
        .limit(1)
    )
    moments = [at for at in (decided.recorded_at if decided else None, reviewed) if at is not None]
    return (decided.last_on if decided else None), max(moments, default=None)


def prescribed_until(act: Act, patient: Patient, today: date) -> date | None:
    """The last day of a dose decision in force; None when none reaches today."""
    return act.session.scalar(
        select(DoseDecision.last_on)
        .where(
            DoseDecision.patient_id.in_(same_person(act, patient.id)),
            DoseDecision.withdrawn_at.is_(None), DoseDecision.last_on >= today,
        )
        .order_by(DoseDecision.last_on.desc())
        .limit(1)
    )  # fmt: skip


def dose_decided(act: Act, records: list[int], at: datetime) -> None:
    """A prescriber decided on, or reviewed, the dose: withdrawal found before that has its review."""
    act.session.connection().execute(_CLOSE_WITHDRAWAL, {"records": records, "at": at})


_CLOSE_WITHDRAWAL = (
    update(AssessmentDue.__table__)
    .where(
        AssessmentDue.patient_id.in_(bindparam("records", expanding=True)),
        AssessmentDue.what == "withdrawal",
        AssessmentDue.closed_at.is_(None),
    )
    .values(closed_at=bindparam("at"))
)
