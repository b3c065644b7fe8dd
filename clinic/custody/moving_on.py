"""They move on from the prison they were moved to, or come back from one outside: the stay goes on there.

A stay has one move ahead or just made. Once another follows, the one made is kept as a `PassedMove` and
the stay is the prison's it led to, with the same days, plan and file (A10, RC-12).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from clinic.act import Act
from clinic.casework.models import Acceptance
from clinic.custody import facts, timetables
from clinic.custody.models import Exit, Reception, Transfer
from clinic.custody.passed_models import PassedMove
from clinic.custody.stays import strike
from clinic.errors import Conflict
from clinic.sites.models import Site
from dosing.days import london_day


def moved_to(act: Act, reception: Reception) -> tuple[Transfer, Exit] | None:
    """The move they have made, where it is the newest thing known of them."""
    left = facts.row_of(act.session, Exit, reception.id)
    move = facts.row_of(act.session, Transfer, reception.id)
    if left is None or left.how != "transfer" or move is None:
        return None
    return move, left


def before_next_move(act: Act, reception: Reception) -> None:
    """The prison they were moved to plans their next one: the stay is that prison's from now on.

    Conflict until its drug team has accepted them: the prison before answers for them until then.
    """
    made = moved_to(act, reception)
    if made is None or act.site_id in (None, reception.site_id):
        return
    move, _ = made
    accepted = select(Acceptance.id).where(
        Acceptance.transfer_id == move.id, Acceptance.struck_at.is_(None)
    )
    if act.session.scalar(accepted) is None:
        raise Conflict("Accept them here first: until then the prison they came from answers.")
    pass_on(act, reception)


def pass_on(act: Act, reception: Reception) -> None:
    """The move they made leads on: keep it as passed, and the stay as the prison's it led to."""
    made = moved_to(act, reception)
    assert made is not None, "only a move that was made is passed"
    move, left = made
    before = facts.last_passed(act.session, reception.id)
    came_from = act.session.get_one(Site, reception.site_id)
    act.session.add(
        PassedMove(
            reception_id=reception.id, transfer_id=move.id, from_site_id=came_from.id,
            from_prison=came_from.name, from_nation=came_from.nation,
            to_site_id=move.receiving_site_id, to_prison=move.receiving_prison,
            booked_on=move.booked_on, moved_at=left.at,
            steps_since=before.recorded_at if before else None,
            known_from=timetables.last_version(act, reception) + 1, recorded_at=act.at,
            recorded_by=act.staff_id,
        )
    )  # fmt: skip
    why = f"Followed by another move, from {move.receiving_prison}"
    strike(act, reception, move, why)
    strike(act, reception, left, why)
    if move.receiving_site_id is not None:
        reception.site_id = move.receiving_site_id
    reception.left_at = None
    act.session.flush()


def came_back(act: Act, reception: Reception, here: Site, at: datetime) -> None:
    """They come here from a prison outside they had moved to. The stay goes on: where it was, if they
    come back there."""
    made = moved_to(act, reception)
    assert made is not None, "only whoever moved outside comes back"
    move, _ = made
    pass_on(act, reception)
    act.session.add(
        PassedMove(
            reception_id=reception.id, transfer_id=None, from_site_id=None,
            from_prison=move.receiving_prison, from_nation=move.nation, to_site_id=here.id,
            to_prison=here.name, booked_on=london_day(at), moved_at=at, steps_since=act.at,
            known_from=timetables.last_version(act, reception) + 1, recorded_at=act.at,
            recorded_by=act.staff_id,
        )
    )  # fmt: skip
    act.session.flush()
