"""Ask the rules about a plan and keep what they answered: flags, the scoring, when to ask again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from clinic.act import Act
from clinic.calendars import holiday_lists
from clinic.errors import NotFound
from clinic.release import aftercare, whose
from clinic.release.facts import Json, known_now, release_request
from clinic.release.models import ReleaseAssessment, ReleaseFlag, ReleasePlan
from clinic.release.reading import Reading, stands
from clinic.release.sections import DESKS
from dosing.days import start_of
from scheduling.aftercare import reminders_begin
from scheduling.release import check, first_change

LOOK_AHEAD = timedelta(days=28)
"""How far ahead the clock is tried out. A plan that stays the same is asked again after it."""

_SUBJECTS = ("court_on", "appointment_on", "on")


def score(act: Act, plan: ReleasePlan, reading: Reading | None = None) -> None:
    """Score a plan as things stand now, in the caller's transaction.

    Flags that stand keep their row; new ones are raised, gone ones cleared. A scoring
    that repeats the last one's answer is not saved again. `reading`: of this plan and others, when
    several are scored; they are flushed together. Raises Refused when the rules cannot read the
    facts.
    """
    at = known_now(act, plan)
    several = reading is not None
    reading = reading or Reading(act, [plan])
    whose.keep(act, plan, reading, at)
    request = release_request(act, plan.id, at, at, reading)
    answer = check(request, holiday_lists())
    raised, cleared = _keep_flags(act, plan, reading.flags.get(plan.id, ()), answer["flags"], at)
    if reading.answers.get(plan.id) != answer:
        act.session.add(
            ReleaseAssessment(
                plan_id=plan.id, as_at=at, known_at=at, scored_by=act.staff_id,
                calendar_version=answer["calendar_version"], request=request, answer=answer,
            )
        )  # fmt: skip
    plan.scored_at, plan.fault = at, None
    plan.next_due_at = next_due_at(request, answer)
    expected = answer["expected_release_on"]
    was_out = plan.left_on is not None
    plan.release_on = date.fromisoformat(expected) if expected else None
    if plan.release_on is not None:
        begin_at = start_of(reminders_begin(plan.release_on))
        plan.next_due_at = min(plan.next_due_at, begin_at) if begin_at > at else plan.next_due_at
    # Once out there is no leaving today; who died or moved on has no day of release to count from.
    plan.left_on = plan.release_on if answer["released_today"] is None else None
    asked_at = aftercare.next_asked_at(plan, request, at)
    plan.next_due_at = min(plan.next_due_at, asked_at) if asked_at else plan.next_due_at
    consent = request.get("consent") or {}
    basis = (consent.get("lawful_basis") or "").strip()
    plan.may_share = consent.get("given") is True or bool(basis)
    plan.destination_site_id = next(
        (
            row.site_id
            for row in reading.facts.get(plan.id, ())
            if row.section == "destination" and stands(row, at)
        ),
        None,
    )
    if not several:
        act.session.flush()
    standing = [row for row in reading.facts.get(plan.id, ()) if stands(row, at)]
    aftercare.keep(
        act, plan, request, standing, reading.tasks.get(plan.id, ()), at,
        out=was_out or plan.left_on is not None,
    )  # fmt: skip
    if plan.left_on is not None and not was_out:
        aftercare.ask_there(act, plan, at)
    if raised or cleared:
        act.note("release.scored", patient_id=plan.patient_id, plan=plan.id, raised=raised,
                 cleared=cleared)  # fmt: skip


def _keep_flags(
    act: Act,
    plan: ReleasePlan,
    stood: Iterable[ReleaseFlag],
    found: list[Json],
    at: datetime,
) -> tuple[list[str], list[str]]:
    standing = {(row.flag, row.cause): row for row in stood}
    wanted = dict(with_causes(found))
    for key in standing.keys() - wanted.keys():
        standing[key].cleared_at = at
    for (name, cause), flag in wanted.items():
        says = {part: flag[part] for part in ("severity", "message", "clears_when", "facts")}
        row = standing.get((name, cause))
        if row is None:
            act.session.add(
                ReleaseFlag(
                    plan_id=plan.id, flag=name, cause=cause, owner=DESKS[name].owner,
                    raised_at=at, cleared_at=None, **says,
                )
            )  # fmt: skip
        else:
            for part, value in says.items():
                setattr(row, part, value)
    return (
        sorted(name for name, cause in wanted.keys() - standing.keys()),
        sorted(name for name, cause in standing.keys() - wanted.keys()),
    )


def standing_flags(act: Act, plan_id: int) -> list[ReleaseFlag]:
    """The flags of a plan that were raised and not cleared, as the last scoring left them."""
    return list(
        act.session.scalars(
            select(ReleaseFlag).where(
                ReleaseFlag.plan_id == plan_id, ReleaseFlag.cleared_at.is_(None)
            )
        )
    )


def with_causes(flags: list[Json]) -> Iterator[tuple[tuple[str, str], Json]]:
    """Each flag of an answer under its rule and cause: the date its facts name, where they do.

    Two of one rule about one date are told apart by a number.
    """
    seen: Counter[tuple[str, str]] = Counter()
    for flag in flags:
        subject = next((flag["facts"][name] for name in _SUBJECTS if name in flag["facts"]), "")
        key = (flag["flag"], str(subject))
        seen[key] += 1
        yield (key if seen[key] == 1 else (key[0], f"{key[1]}#{seen[key]}")), flag


def next_due_at(request: Json, answer: Json) -> datetime:
    """When could the clock alone first change a flag? After `as_at`, an aware instant.

    The rules are asked themselves, at each London midnight of LOOK_AHEAD and at the moments
    within a day that they count from; they answer for one day as a whole otherwise.
    """
    as_at = datetime.fromisoformat(request["as_at"])
    moments = sorted(_moments(request, answer, as_at))
    return first_change(request, answer["flags"], moments, holiday_lists()) or moments[-1]


def _moments(request: Json, answer: Json, as_at: datetime) -> set[datetime]:
    today = as_at.date()
    moments = {start_of(today + timedelta(days=days)) for days in range(LOOK_AHEAD.days + 1)}
    texts = [(answer["arrival"] or {}).get("dose_24h_at")]
    texts += [court["known_at"] for court in request.get("courts", ())]
    earlier = (request.get("release") or {}).get("possible_earlier", ())
    texts += [each.get("known_at") for each in earlier]
    moments |= {datetime.fromisoformat(text) for text in texts if text}
    return {moment for moment in moments if moment > as_at}


def replay(act: Act, assessment_id: int) -> dict[str, Any]:
    """Does an old scoring come out the same today? Same facts, same rules, same answer.

    `same`: the saved request gives the saved answer again. `rebuilt`: the request built anew from
    the rows known then equals the saved one; `differs` names its fields that do not. `saved_answer`
    and `answer` hold both. NotFound when there is no such scoring.
    """
    saved = act.session.get(ReleaseAssessment, assessment_id)
    if saved is None:
        raise NotFound("There is no such scoring.")
    answer = check(saved.request, holiday_lists())
    rebuilt = release_request(act, saved.plan_id, saved.as_at, saved.known_at)
    differs = sorted(
        name
        for name in rebuilt.keys() | saved.request.keys()
        if rebuilt.get(name) != saved.request.get(name)
    )
    return {
        "assessment": saved.id,
        "plan": saved.plan_id,
        "as_at": saved.as_at.isoformat(),
        "known_at": saved.known_at.isoformat(),
        "same": answer == saved.answer,
        "rebuilt": not differs,
        "differs": differs,
        "saved_answer": saved.answer,
        "answer": answer,
    }
