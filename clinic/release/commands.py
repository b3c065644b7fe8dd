"""Open a release plan, record what becomes known, correct it, and keep its flags true to it.

Every command that records something scores the plan again in its own transaction, so that no flag
is ever behind the facts. What the rules cannot read is refused, with the field named.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from clinic.act import Act, command
from clinic.errors import Conflict, Invalid, NotFound, Stale, needed, says
from clinic.patients.access import open_record
from clinic.patients.queries import same_person
from clinic.release import likely, scoring, whose
from clinic.release.access import open_plan
from clinic.release.diary import give_place_back
from clinic.release.facts import Json, asked_on_arrival, release_request
from clinic.release.following import follow_plan, note_fault
from clinic.release.models import Premises, ReleaseFact, ReleasePlan
from clinic.release.sections import ENDINGS, SECTIONS, Section
from clinic.sites.models import Site
from clinic.staff.models import Staff
from dosing.days import london_day
from dosing.shape import Refused

_ONE_PLAN = "This person already has an open release plan."
_A_MOMENT_AGO = "Somebody recorded this a moment ago. Look again before changing it."
# SQLite names the columns of a unique index, PostgreSQL the index.
for _name, _sentence in {
    "uq_release_plan_open": _ONE_PLAN,
    "release_plan.patient_id": _ONE_PLAN,
    "uq_release_fact_standing": _A_MOMENT_AGO,
    "release_fact.plan_id": _A_MOMENT_AGO,
    "uq_release_flag_raised": _A_MOMENT_AGO,
    "release_flag.plan_id": _A_MOMENT_AGO,
    "release_history": "What was recorded about a release is kept.",
}.items():
    says(_name, _sentence)

LONGEST = 200
TICK = timedelta(microseconds=1)
"""Each fact of a plan is later than the one before, so what was known when can be told apart."""


# -- the plan ------------------------------------------------------------------------------


@command
def open_release_plan(act: Act, patient_id: int, *, site_id: int | None = None) -> int:
    """Start planning somebody's way out of a prison (this site when not said). Returns the id.

    Nothing is assumed: a new plan shows everything that is not known. Conflict while they have
    another open plan.
    """
    act.need("release.plan")
    patient = open_record(act, patient_id, "release.plan_opened", right="release.plan")
    site = act.session.get(Site, site_id or act.site_id)
    if site is None or site.kind != "prison":
        raise Invalid.field("site_id", "must be the prison they are leaving")
    standing = act.session.scalar(
        select(ReleasePlan.id).where(
            ReleasePlan.patient_id.in_(same_person(act, patient.id)),
            ReleasePlan.closed_at.is_(None),
        )
    )
    if standing is not None:
        raise Conflict(_ONE_PLAN, more={"plan_id": standing})
    plan = ReleasePlan(
        patient_id=patient.id, site_id=site.id, opened_at=act.at, opened_by=act.staff_id,
        closed_at=None, closed_by=None, closed_as=None, closed_reason=None, version=1,
        changed_at=act.at, changed_by=act.staff_id, changed_what="opened", scored_at=act.at,
        next_due_at=act.at, release_on=None, left_on=None, destination_site_id=None,
        may_share=False, fault=None,
    )  # fmt: skip
    act.session.add(plan)
    act.session.flush()
    follow_plan(act, plan.id)
    return plan.id


@command
def close_release_plan(act: Act, plan_id: int, *, version: int, closed_as: str, reason: str) -> int:
    """Nothing more is planned here. Returns the new version.

    Refused while a red or critical flag stands, unless the plan was opened in error; and while a
    move to another prison is not answered, which nobody would see any more. Of somebody a prison
    outside this system accepted, its own flags are that prison's to clear: what went with them must
    be said all the same (RG-09).
    """
    plan = plan_to_change(act, plan_id, version, "release.plan_closed")
    if closed_as not in ENDINGS:
        raise Invalid.field("closed_as", f"must be one of: {', '.join(ENDINGS)}")
    reason = needed("reason", reason, LONGEST)
    follow_plan(act, plan.id)
    moved = whose.not_accepted(act, plan)
    if moved is not None and closed_as == "finished":
        raise Conflict(f"Not while {moved.receiving_prison} has not accepted them: until then the "
                       "sending prison stays responsible.")  # fmt: skip
    if whose.untold_move(act, plan.id) is not None:
        raise Conflict("Not while the community team has not noted their move to another prison: "
                       "finish that task, or strike it out, first.")  # fmt: skip
    handed = whose.handed_outside(act, plan)
    if plan.fault and closed_as == "finished":
        raise Conflict(f"Not while the facts cannot be worked out: {plan.fault}.")
    grave = sorted(
        row.flag
        for row in scoring.standing_flags(act, plan.id)
        if row.severity in ("red", "critical") and (handed is None or row.flag == "RG-09")
    )
    if grave and closed_as == "finished":
        raise Conflict(
            f"Not while these stand: {', '.join(grave)}. Clear them first.", more={"flags": grave}
        )
    plan.closed_at, plan.closed_by = plan.changed_at, act.staff_id
    if handed is not None and closed_as == "finished":
        move, accepted = handed
        left_to = f"Left to {move.receiving_prison}, accepted by {accepted.accepted_by}"
        reason = f"{left_to} on {london_day(accepted.accepted_at)}: {reason}"
    plan.closed_as, plan.closed_reason = closed_as, reason
    return _changed(act, plan, "closed")


@command
def reopen_release_plan(act: Act, plan_id: int, *, version: int) -> int:
    """It was closed too soon. Its facts stand as they were and are scored anew."""
    plan = plan_to_change(act, plan_id, version, "release.plan_reopened", closed=True)
    plan.closed_at = plan.closed_by = plan.closed_as = plan.closed_reason = None
    follow_plan(act, plan.id)
    return _changed(act, plan, "reopened")


# -- facts ---------------------------------------------------------------------------------


@command
def record(
    act: Act,
    plan_id: int,
    section: str,
    given: Json,
    *,
    version: int,
    premises_id: int | None = None,
    site_id: int | None = None,
) -> int:
    """Record a fact of a section. Returns its id.

    `given`: the section's fields as the contract writes them; one left out is not known. Conflict
    when the section holds one fact and it stands already: that is corrected, not recorded twice.
    """
    kind = _section(section)
    plan = plan_to_change(act, plan_id, version, "release.fact_recorded", section=section)
    _not_of_arrival(act, plan, kind)
    if not kind.many and standing_facts(act, plan.id, section):
        raise Conflict("This is recorded already. Correct what stands instead.")
    taken = act.session.scalar(
        select(func.max(ReleaseFact.place)).where(
            ReleaseFact.plan_id == plan.id, ReleaseFact.section == section
        )
    )
    place = 0 if taken is None or not kind.many else taken + 1
    return add_fact(
        act, plan, kind, given, f"recorded {section}", place=place, premises_id=premises_id,
        site_id=site_id,
    ).id  # fmt: skip


@command
def correct(
    act: Act,
    fact_id: int,
    given: Json,
    *,
    version: int,
    reason: str,
    premises_id: int | None = None,
    site_id: int | None = None,
) -> int:
    """Put another fact in the place of one that stands; the first is kept. Returns the new id.

    `given` is the whole fact, not what changes in it.
    """
    plan, row = _fact(act, fact_id, version, "release.fact_corrected")
    _not_of_arrival(act, plan, SECTIONS[row.section])
    if row.visit_id is not None and not _same_moment(given.get("at"), row.says["at"]):
        raise Invalid.field("at", "is in the service's diary: move it there, or strike it out here")
    _strike(act, plan, row, reason)
    added = add_fact(
        act, plan, SECTIONS[row.section], given, f"corrected {row.section}", place=row.place,
        premises_id=premises_id, site_id=site_id, visit_id=row.visit_id,
    )  # fmt: skip
    return added.id


def _not_of_arrival(act: Act, plan: ReleasePlan, kind: Section) -> None:
    if kind.key == "arrival" and asked_on_arrival(act, plan, plan.changed_at):
        raise Conflict(
            "They were received here: what they claimed, and who confirmed it, is recorded with "
            "their arrival, in the assessment."
        )


def _same_moment(given: Any, standing: str) -> bool:
    try:
        return datetime.fromisoformat(given) == datetime.fromisoformat(standing)
    except (TypeError, ValueError):
        return False


@command
def strike(act: Act, fact_id: int, *, version: int, reason: str) -> int:
    """Strike out a fact that is wrong or no longer holds. Returns the plan's new version.

    A place taken for it in a service's diary, and still ahead, is given back.
    """
    plan, row = _fact(act, fact_id, version, "release.fact_struck")
    _strike(act, plan, row, reason)
    give_place_back(act, row, reason)
    _score(act, plan, SECTIONS[row.section])
    return _changed(act, plan, f"struck out {row.section}")


@command
def put_back(act: Act, fact_id: int, *, version: int) -> int:
    """Record anew what was struck out by mistake. Returns the new fact's id."""
    plan, row = _fact(act, fact_id, version, "release.fact_put_back", struck=True)
    if any(each.place == row.place for each in standing_facts(act, plan.id, row.section)):
        raise Conflict("Something else stands in its place. Correct that instead.")
    if row.visit_id is not None:
        raise Conflict("Its place was given back. Book one anew.")
    added = add_fact(
        act, plan, SECTIONS[row.section], row.says, f"put back {row.section}", place=row.place,
        premises_id=row.premises_id, site_id=row.site_id,
    )  # fmt: skip
    return added.id


@command
def reconfirm(act: Act, fact_id: int, *, version: int) -> int:
    """What was made for another release date is still right for this one. Returns the new id."""
    plan, row = _fact(act, fact_id, version, "release.fact_reconfirmed")
    kind = SECTIONS[row.section]
    if not kind.for_a_date:
        raise Invalid.field("fact", "does not hang on the release date")
    _strike(act, plan, row, "Still right for the new release date")
    given = {**row.says, "reconfirmed_at": plan.changed_at.isoformat()}
    added = add_fact(
        act, plan, kind, given, f"reconfirmed {row.section}", place=row.place,
        premises_id=row.premises_id, site_id=row.site_id, visit_id=row.visit_id,
    )  # fmt: skip
    return added.id


def add_fact(
    act: Act,
    plan: ReleasePlan,
    kind: Section,
    given: Json,
    what: str,
    *,
    place: int = 0,
    premises_id: int | None = None,
    site_id: int | None = None,
    visit_id: int | None = None,
) -> ReleaseFact:
    """One fact more, checked and scored, within a command that has opened the plan."""
    given = {name: value for name, value in given.items() if value is not None}
    _check_names(act, kind, given, premises_id, site_id)
    row = ReleaseFact(
        plan_id=plan.id, section=kind.key, place=place, says=given, premises_id=premises_id,
        site_id=site_id, visit_id=visit_id, recorded_at=plan.changed_at,
        recorded_by=act.staff_id, struck_at=None, struck_by=None, struck_reason=None,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    _check_read(act, plan, kind, given)
    _score(act, plan, kind)
    if kind.key in likely.SECTIONS:
        request = release_request(act, plan.id, plan.changed_at, plan.changed_at)
        likely.check_days(kind.key, given, request, act.today)
    _changed(act, plan, what)
    return row


def _check_names(
    act: Act, kind: Section, given: Json, premises_id: int | None, site_id: int | None
) -> None:
    """Are these the section's own fields, and do they name what is there to be named?"""
    allowed = {ask.name for ask in kind.asks} | ({"reconfirmed_at"} if kind.for_a_date else set())
    for name in given:
        if name not in allowed:
            raise Invalid.field(name, f"is not a field of “{kind.title}”")
    for ask in kind.asks:
        if ask.must and given.get(ask.name) in (None, "", []):
            raise Invalid.field(ask.name, "is required")
        value = given.get(ask.name)
        if isinstance(value, str) and len(value) > LONGEST:
            raise Invalid.field(ask.name, f"must be {LONGEST} characters or fewer")
    if kind.premises is None and premises_id is not None:
        raise Invalid.field("premises_id", f"is not a field of “{kind.title}”")
    if kind.premises is not None:
        premises = act.session.get(Premises, premises_id) if premises_id is not None else None
        if premises is None or premises.kind != kind.premises:
            raise Invalid.field("premises_id", f"must be a {kind.premises} that is recorded here")
    if site_id is not None:
        site = act.session.get(Site, site_id) if kind.service else None
        if site is None or site.kind != "community":
            raise Invalid.field("site_id", "must be a community service")
    if kind.premises is None and not given and site_id is None:
        raise Invalid.field(kind.asks[0].name, "Answer at least one question")
    rows = given.get("instalments")
    if isinstance(rows, list) and any(
        isinstance(row, dict) and not row.get("covers") for row in rows
    ):
        raise Invalid.field("instalments", "must each cover at least one day")


def _check_read(act: Act, plan: ReleasePlan, kind: Section, given: Json) -> None:
    """Does the fact reach the rules? What hangs on a day nobody knows of would be lost in silence."""
    if kind.key not in ("court_pack", "transfer_information"):
        return
    request = release_request(act, plan.id, plan.changed_at, plan.changed_at)
    if kind.key == "court_pack":
        pack = {name: value for name, value in given.items() if name != "court_on"}
        if pack not in [court["pack"] for court in request.get("courts", ())]:
            raise Invalid.field("court_on", "must be the day of a hearing that has no pack yet")
    elif (request.get("transfer") or {}).get("on") != given["transfer_on"]:
        raise Invalid.field("transfer_on", "must be the day of the transfer of the stay")


def _score(act: Act, plan: ReleasePlan, kind: Section) -> None:
    """Score after a change to a section. What the rules refuse in it is the caller's to mend.

    A fault anywhere else must not keep this fact out: it stays on the plan and is shown there.
    """
    try:
        scoring.score(act, plan)
    except Refused as refused:
        field = _field_of(refused, kind)
        if field is not None:
            raise Invalid.field(field, _in_words(refused)) from refused
        note_fault(act, plan.id, f"{refused.field} {_in_words(refused)}")


def _in_words(refused: Refused) -> str:
    """Why, to somebody who asks now: `as_at` is the name other systems ask by."""
    return refused.message.replace("as_at", "now")


def _field_of(refused: Refused, kind: Section) -> str | None:
    """The section's own field a refusal is about; None when it is about something else."""
    if not refused.field.startswith(kind.into):
        return None
    parts = refused.field.removeprefix(kind.into).replace("[", ".").split(".")
    return next((part for part in parts if kind.ask(part) is not None), None)


def _section(key: str) -> Section:
    if key not in SECTIONS:
        raise NotFound("There is no such section of a release plan.")
    return SECTIONS[key]


def standing_facts(act: Act, plan_id: int, section: str) -> Sequence[ReleaseFact]:
    """What stands of a section now."""
    return act.session.scalars(
        select(ReleaseFact).where(
            ReleaseFact.plan_id == plan_id,
            ReleaseFact.section == section,
            ReleaseFact.struck_at.is_(None),
        )
    ).all()


def _strike(act: Act, plan: ReleasePlan, row: ReleaseFact, reason: str) -> None:
    row.struck_reason = needed("reason", reason, LONGEST)
    row.struck_at, row.struck_by = plan.changed_at, act.staff_id
    act.session.flush()


def plan_to_change(
    act: Act, plan_id: int, version: int, action: str, *, closed: bool = False, **detail: Any
) -> ReleasePlan:
    """The plan, if this person may change it and has read how it stands."""
    plan, _ = open_plan(act, plan_id, action, right="release.plan", **detail)
    if plan.version != version:
        name = act.session.scalar(select(Staff.name).where(Staff.id == plan.changed_by))
        raise Stale(
            f"{name} changed this plan ({plan.changed_what.replace('_', ' ')}) since you read it.",
            more={
                "version": plan.version,
                "changed_by": name,
                "changed_at": plan.changed_at.isoformat(),
            },
        )
    if (plan.closed_at is not None) != closed:
        raise Conflict("This plan is open." if closed else "This plan is closed. Reopen it first.")
    plan.changed_at = max(act.at, plan.changed_at + TICK)
    return plan


def _fact(
    act: Act, fact_id: int, version: int, action: str, *, struck: bool = False
) -> tuple[ReleasePlan, ReleaseFact]:
    row = act.session.get(ReleaseFact, fact_id)
    if row is None:
        raise NotFound("There is no such fact.")
    plan = plan_to_change(act, row.plan_id, version, action, section=row.section, fact=row.id)
    if (row.struck_at is not None) != struck:
        raise Conflict("This fact stands." if struck else "This fact was struck out already.")
    return plan, row


def _changed(act: Act, plan: ReleasePlan, what: str) -> int:
    plan.version += 1
    plan.changed_by, plan.changed_what = act.staff_id, what
    act.session.flush()
    return plan.version


# -- what other rooms record ---------------------------------------------------------------


@command
def set_fact(act: Act, plan_id: int, section: str, given: Json, *, only_new: bool) -> None:
    """Another room did what a section records: these fields are known, beside what stood.

    For the commands of other rooms, which have settled that the plan may be changed. `only_new`:
    what is recorded already stays. Nothing is recorded on a closed plan.
    """
    plan, kind = act.session.get_one(ReleasePlan, plan_id), SECTIONS[section]
    standing = next(iter(standing_facts(act, plan_id, section)), None)
    if plan.closed_at is not None or (standing is not None and only_new):
        return
    plan.changed_at = max(act.at, plan.changed_at + TICK)
    if standing is not None:
        _strike(act, plan, standing, "More became known")
        given = {**standing.says, **given}
    add_fact(act, plan, kind, given, f"recorded {section}")
