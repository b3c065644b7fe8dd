"""Who does this, when, at which site, and in which transaction?

Every command and query takes an `Act`. A command is a function marked `@command`: it is the only
thing that commits. It runs whole or leaves nothing behind, its audit entries are written in its
own transaction, and a database that asks for another try gets one.
"""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from clinic import audit
from clinic.errors import Conflict, Forbidden, Trouble, refusal_of
from dosing.days import london_day

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 6
_TRY_AGAIN = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, lock not available


@dataclass
class Act:
    """One piece of work by one member of staff (or a sweep, when `staff_id` is the service's own)."""

    session: Session
    at: datetime
    staff_id: int | None
    staff_name: str = ""
    site_id: int | None = None
    role: str | None = None
    rights: frozenset[str] = field(default_factory=frozenset)
    request_id: str | None = None
    purpose: str | None = None

    @property
    def today(self) -> date:
        """The London date of this piece of work."""
        return london_day(self.at)

    def may(self, right: str) -> bool:
        return right in self.rights

    def need(self, right: str) -> None:
        """Forbidden unless the right is held at this site."""
        if right not in self.rights:
            raise Forbidden(f"This needs the right “{right}” at this site.")

    def note(
        self,
        action: str,
        *,
        patient_id: int | None = None,
        outcome: str = "done",
        purpose: str | None = None,
        site_id: int | None = None,
        **detail: Any,
    ) -> None:
        """Put one audit entry into this transaction. `detail` holds ids, never names or doses."""
        audit.queue(
            self.session,
            audit.Note(
                at=self.at,
                action=action,
                staff_id=self.staff_id,
                site_id=site_id or self.site_id,
                role=self.role,
                patient_id=patient_id,
                outcome=outcome,
                purpose=purpose or self.purpose,
                request_id=self.request_id,
                detail=detail or None,
            ),
        )

    def note_shown(self, action: str, patient_ids: Iterable[int]) -> None:
        """One entry for a list: the ids of the patients it showed."""
        ids = sorted(set(patient_ids))
        if ids:
            self.note(action, patients=ids)


def command(work: Callable[Concatenate[Act, P], R]) -> Callable[Concatenate[Act, P], R]:
    """Mark a verb. Inside another command it joins that transaction; alone it is its own."""

    @functools.wraps(work)
    def run(act: Act, *args: P.args, **kwargs: P.kwargs) -> R:
        session = act.session
        if session.info.get("in_command"):
            return work(act, *args, **kwargs)
        if session.info.get("reading"):
            raise RuntimeError("a command was called on a session that only reads")
        for tries_left in reversed(range(TRIES)):
            session.info["in_command"] = True
            try:
                result = work(act, *args, **kwargs)
                audit.write_queued(session)
                session.commit()
            except Exception as error:
                session.rollback()
                audit.forget(session)
                if tries_left and _asks_for_another_try(error):
                    time.sleep(random.uniform(0.005, 0.05) * (TRIES - tries_left))  # noqa: S311
                    continue
                raise _as_trouble(error) from error
            else:
                return result
            finally:
                session.info["in_command"] = False
        raise AssertionError("unreachable")

    return run


def rehearsed(act: Act, work: Callable[[], object], look: Callable[[], R]) -> R:
    """Carry commands out, look at how things then stand, and take it all back.

    What would this change do? Its own checks refuse here as they would in earnest. `look` must
    return plain values: rows of the session are forgotten with the transaction.
    """
    session = act.session
    session.info["in_command"] = True
    try:
        work()
        session.flush()
        return look()
    except Exception as error:
        raise _as_trouble(error) from error
    finally:
        session.rollback()
        audit.forget(session)
        session.info["in_command"] = False


def _asks_for_another_try(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        return state in _TRY_AGAIN or (
            isinstance(error, OperationalError) and "database is locked" in str(error.orig)
        )
    return False


def _as_trouble(error: Exception) -> Exception:
    if isinstance(error, Trouble):
        return error
    if isinstance(error, IntegrityError):
        return refusal_of(error) or error
    if isinstance(error, StaleDataError):
        return Conflict("Someone changed this at the same moment. Look again and repeat.")
    return error
