"""Tasks around a release, with an owner and a time; and the mailbox that hears of critical flags.

A notice names nobody: it says that something critical stands at a site, and where to look. It is
written down before it leaves, once for each flag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from clinic import clock
from clinic.act import Act, command
from clinic.errors import Conflict, Invalid, NotFound, one_of, says, written
from clinic.patients.models import Patient
from clinic.release.access import open_plan
from clinic.release.care_models import (
    BY_THEMSELVES,
    NOT_NEEDED,
    OUTCOMES,
    OUTSIDE,
    OWNERS,
    TASKS,
    DutyAddress,
    FlagNotice,
    LeaverTask,
)
from clinic.release.following import follow_plan
from clinic.release.models import ReleaseFlag, ReleasePlan
from clinic.reminders.ports import Message, NotSent, Port, Unsure
from clinic.sites.models import Site
from clinic.ui import moment
from scheduling.aftercare import OFFER

for _name in ("uq_duty_address_in_force", "duty_address.site_id"):
    says(_name, "Somebody changed the duty address at the same moment. Look again.")
for _name in ("uq_flag_notice_flag_id", "flag_notice.flag_id"):
    says(_name, "This flag is being told of already.")

LONGEST = 500
BY_HAND = {kind: words for kind, words in TASKS.items() if kind not in BY_THEMSELVES}
MOST_TRIES = 5
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
SUBJECT = "Throughcare: a critical release flag"


# -- tasks ---------------------------------------------------------------------------------


@command
def add_task(
    act: Act, plan_id: int, *, kind: str, owner: str, due_at: datetime, note: str | None = None
) -> int:
    """Something is to be done for a leaver, by somebody, by a time. Returns its id."""
    plan, patient = open_plan(act, plan_id, "release.task_added", right="release.plan")
    if plan.closed_at is not None or patient.died_on is not None:
        raise Conflict("This plan is closed, or the patient has died: nothing is planned.")
    one_of("kind", kind, BY_HAND)
    one_of("owner", owner, OWNERS)
    text = written("note", note, LONGEST)
    if kind == "other" and text is None:
        raise Invalid.field("note", "must say what is to be done")
    row = LeaverTask(
        plan_id=plan.id, kind=kind, owner=owner, due_at=due_at, note=text, cause=None, done_at=None,
        done_by=None, outcome=None, done_says=None, struck_at=None, struck_by=None,
        struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row.id


@command
def finish_task(act: Act, task_id: int, *, outcome: str, says: str, done_at: datetime) -> None:
    """What came of it, and when."""
    row = task_open(act, task_id, "release.task_finished")
    one_of("outcome", outcome, OUTCOMES)
    text = written("says", says, LONGEST)
    if text is None:
        raise Invalid.field("says", "is required")
    if done_at > act.at:
        raise Invalid.field("done_at", "cannot be in the future")
    if row.done_at is not None:
        raise Conflict("This is recorded as finished already. Strike it out if that was wrong.")
    row.done_at, row.done_by, row.outcome, row.done_says = done_at, act.staff_id, outcome, text
    _follow(act, row)


@command
def strike_task(act: Act, task_id: int, *, reason: str) -> None:
    """It was wrong, or what was recorded of it was. It is kept; plan it anew where needed."""
    row = task_open(act, task_id, "release.task_struck")
    text = written("reason", reason, LONGEST)
    if text is None:
        raise Invalid.field("reason", "is required")
    row.struck_at, row.struck_by, row.struck_reason = act.at, act.staff_id, text
    _follow(act, row)


def _follow(act: Act, row: LeaverTask) -> None:
    """An answer other tasks hang on: whether they want to be met at the gate."""
    if row.kind == OFFER:
        act.session.flush()
        follow_plan(act, row.plan_id)


@command
def undo_task(act: Act, task_id: int, *, reason: str) -> int:
    """It was recorded as finished and is not: it waits again as it did. Returns the new task's id."""
    row = task_open(act, task_id, "release.task_undone")
    if row.done_at is None:
        raise Conflict("This is not finished: there is nothing to undo.")
    if row.outcome == NOT_NEEDED:
        raise Conflict("This ended by itself. It starts by itself once the facts ask for it again.")
    text = written("reason", reason, LONGEST)
    if text is None:
        raise Invalid.field("reason", "is required")
    row.struck_at, row.struck_by, row.struck_reason = act.at, act.staff_id, text
    again = LeaverTask(
        plan_id=row.plan_id, kind=row.kind, owner=row.owner, due_at=row.due_at, note=row.note,
        cause=row.cause, done_at=None, done_by=None, outcome=None, done_says=None, struck_at=None,
        struck_by=None, struck_reason=None, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(again)
    act.session.flush()
    _follow(act, row)
    return again.id


def task_open(act: Act, task_id: int, action: str) -> LeaverTask:
    """A task that stands, of a plan this person may change; audited."""
    row = act.session.get(LeaverTask, task_id)
    if row is None or row.struck_at is not None:
        raise NotFound("There is no such task, or it was struck out.")
    open_plan(act, row.plan_id, action, right="release.plan", task=row.id)
    return row


def tasks_of(act: Act, plan_id: int) -> Sequence[LeaverTask]:
    """The tasks of an opened plan that stand: what is open first, the soonest first."""
    return act.session.scalars(
        select(LeaverTask)
        .where(LeaverTask.plan_id == plan_id, LeaverTask.struck_at.is_(None))
        .order_by(LeaverTask.done_at.is_not(None), LeaverTask.due_at, LeaverTask.id)
    ).all()


def tasks_here(act: Act) -> Sequence[LeaverTask]:
    """The open tasks of this site's part, the soonest first; none for somebody who has died.

    The part of a service outside is the prison's to see to while that service cannot be shown it.
    """
    act.need("release.read")
    told = ReleasePlan.destination_site_id.is_not(None) & ReleasePlan.may_share.is_(True)
    rows = act.session.scalars(
        select(LeaverTask)
        .join(ReleasePlan, ReleasePlan.id == LeaverTask.plan_id)
        .join(Patient, Patient.id == ReleasePlan.patient_id)
        .where(
            LeaverTask.done_at.is_(None),
            LeaverTask.struck_at.is_(None),
            ReleasePlan.closed_at.is_(None),
            Patient.died_on.is_(None),
            or_(
                (ReleasePlan.site_id == act.site_id) & (LeaverTask.owner.not_in(OUTSIDE) | ~told),
                (ReleasePlan.destination_site_id == act.site_id)
                & told
                & LeaverTask.owner.in_(OUTSIDE),
            ),
        )
        .order_by(LeaverTask.due_at, LeaverTask.id)
    ).all()
    act.note_shown("release.tasks_listed", [row.plan.patient_id for row in rows])
    return rows


# -- the duty mailbox ----------------------------------------------------------------------


def duty_address(act: Act, site_id: int | None = None) -> DutyAddress | None:
    """Where critical flags of a site are told, now."""
    found: DutyAddress | None = act.session.scalar(
        select(DutyAddress).where(
            DutyAddress.site_id == (site_id or act.site_id), DutyAddress.ended_at.is_(None)
        )
    )
    return found


@command
def set_duty_address(act: Act, *, address: str | None) -> None:
    """From now on critical flags here are told there; None: to nobody."""
    act.need("sites.manage")
    text = (address or "").strip() or None
    if text is not None and not (len(text) <= 254 and _EMAIL.fullmatch(text)):
        raise Invalid.field("address", "must be an e-mail address, such as duty@example.org")
    old = duty_address(act)
    if old is not None:
        old.ended_at, old.ended_by = act.at, act.staff_id
        act.session.flush()
    if text is not None:
        act.session.add(
            DutyAddress(
                site_id=act.site_id, address=text, ended_at=None, ended_by=None,
                recorded_at=act.at, recorded_by=act.staff_id,
            )
        )  # fmt: skip
    act.note("release.duty_address_set")


def notices_here(act: Act, most: int = 20) -> list[tuple[FlagNotice, str, str]]:
    """The newest notices of this site, with the rule of the flag and how it ended."""
    act.need("release.read")
    rows = act.session.execute(
        select(FlagNotice, ReleaseFlag.flag)
        .join(ReleaseFlag, ReleaseFlag.id == FlagNotice.flag_id)
        .where(FlagNotice.site_id == act.site_id)
        .order_by(FlagNotice.id.desc())
        .limit(most)
    )
    return [(row, flag, row.outcome or "on its way, or broken off") for row, flag in rows]


@dataclass(frozen=True)
class _Sending:
    notice_id: int
    message: Message


def tell_critical_flags(act: Act, ports: Mapping[str, Port]) -> int:
    """Tell each critical flag that stands once. Returns how many left. Safe to run twice, and by two."""
    port = ports.get("email")
    if port is None:
        return 0
    flags = _to_tell(act)
    act.session.rollback()
    told = 0
    for flag_id in flags:
        try:
            sending = _intend(act, flag_id)
        except Conflict:
            continue  # another sweep is telling it this moment
        if sending is not None:
            told += _deliver(act, sending, port) == "sent"
    return told


def _to_tell(act: Act) -> list[int]:
    return list(
        act.session.scalars(
            select(ReleaseFlag.id)
            .join(ReleasePlan, ReleasePlan.id == ReleaseFlag.plan_id)
            .join(FlagNotice, FlagNotice.flag_id == ReleaseFlag.id, isouter=True)
            .where(
                ReleaseFlag.severity == "critical", ReleaseFlag.cleared_at.is_(None),
                ReleasePlan.closed_at.is_(None),
                or_(
                    FlagNotice.id.is_(None),
                    (FlagNotice.outcome == "failed") & (FlagNotice.tries < MOST_TRIES),
                ),
            )
            .order_by(ReleaseFlag.id)
        )
    )  # fmt: skip


@command
def _intend(act: Act, flag_id: int) -> _Sending | None:
    """Write down that a notice is about to leave; None when there is nobody to tell."""
    flag = act.session.get_one(ReleaseFlag, flag_id, populate_existing=True)
    plan = act.session.get_one(ReleasePlan, flag.plan_id, populate_existing=True)
    row = act.session.scalar(
        select(FlagNotice)
        .where(FlagNotice.flag_id == flag_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if flag.cleared_at is not None or flag.severity != "critical" or plan.patient.died_on:
        return None
    if row is not None and (row.outcome != "failed" or row.tries >= MOST_TRIES):
        return None
    outside = flag.owner == "community" and plan.may_share
    site_id = plan.destination_site_id if outside and plan.destination_site_id else plan.site_id
    duty = duty_address(act, site_id)
    if duty is None:
        return None
    if row is None:
        row = FlagNotice(flag_id=flag_id, site_id=site_id, duty_id=duty.id, tries=0,
                         intended_at=act.at, ended_at=None, outcome=None, says=None)  # fmt: skip
        act.session.add(row)
    row.tries, row.intended_at, row.ended_at, row.outcome = row.tries + 1, act.at, None, None
    act.session.flush()
    site = act.session.get_one(Site, site_id)
    text = (
        f"A critical flag stands on a release plan of {site.name}, since "
        f"{moment(flag.raised_at)}.\n\nSign in to Throughcare and open Releases. "
        "This message names nobody, on purpose.\n"
    )
    act.note("release.notice_intended", site_id=site_id, notice=row.id, number=row.tries)
    key = f"flag-{flag_id}-{row.tries}"
    return _Sending(row.id, Message(key, duty.address, SUBJECT, text))


def _deliver(act: Act, sending: _Sending, port: Port) -> str:
    try:
        port.send(sending.message)
    except NotSent as refusal:
        return _ended(act, sending.notice_id, "failed", str(refusal))
    except Unsure as doubt:
        return _ended(act, sending.notice_id, "unsure", str(doubt))
    return _ended(act, sending.notice_id, "sent", None)


@command
def _ended(act: Act, notice_id: int, outcome: str, says: str | None) -> str:
    row = act.session.get_one(FlagNotice, notice_id, populate_existing=True)
    row.outcome, row.says, row.ended_at = outcome, says, max(clock.now(), row.intended_at)
    act.note(f"release.notice_{outcome}", site_id=row.site_id, notice=row.id)
    return outcome


def late(row: LeaverTask, now: datetime) -> bool:
    """Is this task open and past its time?"""
    return row.done_at is None and row.due_at < now
