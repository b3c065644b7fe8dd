"""Which collections of issued forms fall on a day the pharmacy is shut, as it is known now?

A form is fitted to the pharmacy's open days when it is issued. A bank holiday announced since, a
closure, another week or a week struck out can shut a day it hands something out on. Nothing is
stored of that and no form is changed: it is worked out whenever somebody looks, so it is seen as
soon as the closure is recorded and is gone with it. What closes it is another form, a cancelling, or,
where the form's wording lets the pharmacy hand it out before, that pharmacy and patient know.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinic.act import Act
from clinic.errors import Invalid
from clinic.scripts.facts import opening
from clinic.scripts.models import ENDED_OR_ISSUED, Script, ScriptInstalment, ShutArranged
from dosing.days import ONE_DAY
from scheduling.release_cover import Pharmacy

CLOSED_DAY = "closed_day"
"""The approved wording that lets a pharmacy hand out before a day it is closed."""


@dataclass(frozen=True)
class Shut:
    """A collection due on a shut day, for `first_on` to `last_on`.

    `known`: False where nobody knows the pharmacy's hours any more. `before_on`: the last open day
    before it, from today on, on which it could be collected; None where there is none.
    `worded`: the form's wording lets the pharmacy hand it out then. `arranged`: that it will, for
    that very day; None otherwise.
    """

    script: Script
    due_on: date
    first_on: date
    last_on: date
    known: bool
    before_on: date | None
    worded: bool
    arranged: ShutArranged | None

    @property
    def act_by(self) -> date:
        """The last day something can still be handed out in time, as far as is known."""
        return self.before_on or self.due_on


def shut_here(act: Act) -> list[Shut]:
    """Those of this site's forms, from today on, by form and day, that nothing is arranged for."""
    scripts = act.session.scalars(
        select(Script).where(
            Script.site_id == act.site_id, Script.status.in_(ENDED_OR_ISSUED),
            Script.last_on >= act.today,
        )
    )  # fmt: skip
    return [each for each in shut_of(act, scripts) if each.arranged is None]


def shut_of(act: Act, scripts: Iterable[Script]) -> list[Shut]:
    """Those of these forms, from today on."""
    pharmacies: dict[int, Pharmacy | None] = {}
    out = []
    for script in scripts:
        due = [each for each in standing(script) if each.due_on >= act.today]
        if not due:
            continue
        if script.premises_id not in pharmacies:
            pharmacies[script.premises_id] = _opening(act, script.premises_id)
        pharmacy = pharmacies[script.premises_id]
        if pharmacy is None:
            out.append(_shut(act, script, due[0], None))
        else:
            out += [
                _shut(act, script, each, pharmacy)
                for each in due
                if not pharmacy.is_open(each.due_on)
            ]
    return out


def standing(script: Script) -> list[ScriptInstalment]:
    """The instalments a form still covers: none of a draft, not those it was ended before."""
    if script.status not in ENDED_OR_ISSUED or script.last_on is None:
        return []
    return [each for each in script.instalments if each.first_on <= script.last_on]


def _opening(act: Act, premises_id: int) -> Pharmacy | None:
    try:
        return opening(act, premises_id)
    except Invalid:
        return None


def _shut(act: Act, script: Script, of: ScriptInstalment, pharmacy: Pharmacy | None) -> Shut:
    day = of.due_on - ONE_DAY
    while pharmacy is not None and day >= act.today and not pharmacy.is_open(day):
        day -= ONE_DAY
    before_on = day if pharmacy is not None and day >= act.today else None
    arranged = act.session.scalar(
        select(ShutArranged).where(
            ShutArranged.script_id == script.id, ShutArranged.due_on == of.due_on,
            ShutArranged.before_on == before_on, ShutArranged.struck_at.is_(None),
        )
    )  # fmt: skip
    return Shut(
        script, of.due_on, of.first_on, of.last_on, pharmacy is not None, before_on,
        CLOSED_DAY in script.asked["directions"], arranged,
    )  # fmt: skip


def said(shut: Shut, day: str) -> str:
    """One line of a worklist; `day` the due date in words."""
    if not shut.known:
        return f"Nobody knows when the pharmacy is open: ask about the collection of {day}"
    return f"The pharmacy is now shut on {day}, a collection day: replace form {shut.script.id}"
