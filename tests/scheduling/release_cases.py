"""A release case with nothing wrong in it, to be spoiled one fact at a time."""

from __future__ import annotations

import copy
from typing import Any

from config.holidays import bank_holidays
from scheduling.calendars import HolidayLists
from scheduling.release import check

HOLIDAYS = HolidayLists(**bank_holidays())

Json = dict[str, Any]

# Wednesday release, dose that morning, clinic on Thursday: no holiday or weekend near.
_IN_ORDER: Json = {
    "case": "in order",
    "as_at": "2019-09-02T10:00+01:00",
    "on_ost": True,
    "opioid_history": True,
    "medicine": "methadone",
    "received_at": "2019-03-04T15:00+00:00",
    "prison": {"nation": "england_and_wales"},
    "destination": {"nation": "england_and_wales", "area": "Northborough", "contact": "01632 1"},
    "release": {"confirmed_on": "2019-09-18", "kind": "determinate"},
    "dose_on_release_day": True,
    "pharmacy": {"name": "High Street Pharmacy"},
    "appointment": {
        "at": "2019-09-19T10:00+01:00",
        "booked_at": "2019-08-01T10:00+01:00",
        "acknowledged_at": "2019-08-02T10:00+01:00",
    },
    "prescriber": {"name": "Dr A. Example", "service": "Northborough drug service"},
    "notification": {
        "sent_at": "2019-08-01T10:00+01:00",
        "acknowledged_at": "2019-08-02T10:00+01:00",
    },
    "consent": {"given": True},
    "dose_letter": {
        "prepared_at": "2019-09-01T10:00+01:00",
        "sent_at": "2019-09-01T11:00+01:00",
        "sent_to": "Northborough drug service",
    },
    "naloxone": {"outcome": "issued", "on": "2019-09-01"},
    "overdose_session": {"outcome": "delivered", "on": "2019-09-01"},
}


def a_case(**changes: Any) -> Json:
    """The case in order, with changes laid over it; a change to None takes the fact away."""
    return laid_over(_IN_ORDER, changes)


def laid_over(facts: Json, changes: Json) -> Json:
    """Facts with changes: objects are merged, anything else replaced, None removed."""
    out = copy.deepcopy(facts)
    for name, change in changes.items():
        if change is None:
            out.pop(name, None)
        elif isinstance(change, dict) and isinstance(out.get(name), dict):
            out[name] = laid_over(out[name], change)
        else:
            out[name] = copy.deepcopy(change)
    return out


def without(facts: Json, path: str) -> Json:
    """Facts less the one at a dotted path; numbers are places in a list."""
    out = copy.deepcopy(facts)
    *way, last = path.split(".")
    here: Any = out
    for step in way:
        here = here[int(step)] if isinstance(here, list) else here[step]
    del here[int(last) if isinstance(here, list) else last]
    return out


def answer(request: Json) -> Json:
    """What the check says."""
    return check(request, HOLIDAYS)


def flags(request: Json) -> Json:
    """Every flag raised now, by rule id (the first of each)."""
    raised = answer(request)["flags"]
    return {flag["flag"]: flag for flag in reversed(raised)}


def flag(request: Json, rule: str) -> Json | None:
    """That rule's flag, or None."""
    found: Json | None = flags(request).get(rule)
    return found


def severity(request: Json, rule: str) -> str | None:
    """How grave that rule's flag is; None when it is not raised."""
    found = flag(request, rule)
    return None if found is None else str(found["severity"])


def an_exit(at: str = "2019-09-18T10:00+01:00", how: str = "release") -> Json:
    return {"at": at, "how": how}


def out_since(at: str = "2019-09-18T10:00+01:00", how: str = "release", **changes: Any) -> Json:
    """The case in order, gone out after a last dose that morning; asked at noon of that day."""
    day = at[:10]
    return a_case(
        **{
            "as_at": f"{day}T12:00+01:00",
            "exit": an_exit(at, how),
            "doses": [{"on": day, "where": "prison"}],
            **changes,
        }
    )


def a_supply(*instalments: tuple[str, list[str]], form: str = "fp10mda", **changes: Any) -> Json:
    """A bridging supply in hand, each instalment a collection day and the days it covers."""
    return {
        "form": form,
        "in_hand": True,
        "instalments": [{"collect_on": on, "covers": days} for on, days in instalments],
        **changes,
    }
