"""What is the least that has to be done so that no grave flag stands? Facts are tried, not judged.

Each step is laid over the facts as if somebody had just done it, and the release check itself is
asked again: no rule is worked out here a second time. A step says where its fact is recorded; the
trial's own values (a time of day, a name) are never shown and never stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import Any, Final

from dosing.days import ONE_DAY, at_london, days_between, london_day
from scheduling.calendars import HolidayLists
from scheduling.release import check
from scheduling.release_cover import Pharmacy
from scheduling.release_flags import SEVERITIES
from scheduling.release_picture import places_of
from scheduling.release_request import read
from scheduling.release_rules import LIMITS

Json = dict[str, Any]

GRAVE: Final = SEVERITIES[2:]
"""Flags of these severities are what the steps are worked out for."""
_SENDS: Final = frozenset({"appointment", "notification", "dose_letter"})
"""Steps by which something about the person leaves the prison: they come after consent."""
_OTHER_WAYS: Final = ("appointment", "last_dose", "pharmacy", "supply", "weekend")
"""Steps that can stand in for one another; every other flag has one step alone."""
_NAMED: Final = "named"  # a name of the trial, never shown


@dataclass(frozen=True)
class Step:
    """One thing to do. `section`: where it is recorded; `clears`: the flags that need it.

    `on`: the day of the hearing whose pack it is, or of the contact or collections that were tried.
    """

    section: str
    clears: tuple[str, ...]
    on: date | None = None


@dataclass(frozen=True)
class WayOut:
    """The fewest steps after which no grave flag stands but those in `remains`.

    `remains`: grave flags that no arrangement clears, such as one that waits for what has happened.
    """

    steps: tuple[Step, ...]
    remains: tuple[str, ...]


@dataclass(frozen=True)
class _Trial:
    """A step to try. `replaces`: it takes the place of something arranged, so of two ways as short
    the other is shown."""

    key: str
    section: str
    lay: Callable[[Json], Json]
    on: date | None = None
    replaces: bool = False


def fewest_steps(
    request: Json, holidays: HolidayLists, *, free_at: Sequence[datetime] = ()
) -> WayOut:
    """Which steps, and no more, leave this case without a red or critical flag?

    `request`: as for `check`. `free_at`: places at the receiving service, tried before any other
    time. Treatment that has begun, and an exit, are never steps: they happen, nobody arranges them.
    Raises Refused as `check` does.
    """
    answer = check(request, holidays)
    if not _grave(answer):
        return WayOut((), ())
    trials = {each.key: each for each in _trials(request, answer, holidays, free_at)}
    asked: dict[frozenset[str], Json] = {}

    def grave(keys: frozenset[str]) -> frozenset[tuple[str, str]]:
        if keys not in asked:
            tried = request
            for key, each in trials.items():
                if key in keys:
                    tried = each.lay(tried)
            asked[keys] = check(tried, holidays)
        return _grave(asked[keys])

    every = frozenset(trials)
    remains = grave(every)
    needed = frozenset(key for key in every if grave(every - {key}) - remains)
    others = [key for key in trials if trials[key].section in _OTHER_WAYS and key not in needed]
    found = every
    for size in range(len(others) + 1):
        tried = [needed | frozenset(more) for more in combinations(others, size)]
        enough = [keys for keys in tried if grave(keys) <= remains]
        if enough:
            found = min(enough, key=lambda keys: _preferred(keys, trials))
            break
    chosen = [key for key in trials if key in found]
    if _asks_consent(found, trials):
        chosen.insert(0, "consent")
    return WayOut(
        tuple(
            Step(
                trials[key].section,
                tuple(sorted({flag for flag, _ in grave(found - {key}) - remains})),
                trials[key].on,
            )
            for key in chosen
        ),
        tuple(sorted({flag for flag, _ in remains})),
    )  # fmt: skip


def _grave(answer: Json) -> frozenset[tuple[str, str]]:
    """The grave flags, those of one rule told apart by the day they are about."""
    return frozenset(
        (flag["flag"], str(flag["facts"].get("court_on", "")))
        for flag in answer["flags"]
        if flag["severity"] in GRAVE
    )


def _asks_consent(keys: frozenset[str], trials: dict[str, _Trial]) -> bool:
    return "consent" in trials and "consent" not in keys and bool(keys & _SENDS)


def _preferred(keys: frozenset[str], trials: dict[str, _Trial]) -> tuple[bool, int, list[int]]:
    replaced = sum(trials[key].replaces for key in keys)
    order = [place for place, key in enumerate(trials) if key in keys]
    return _asks_consent(keys, trials), replaced, order


# -- what is tried -------------------------------------------------------------------------


def _trials(
    request: Json, answer: Json, holidays: HolidayLists, free_at: Sequence[datetime]
) -> Iterator[_Trial]:
    """Each step this case could take, in the order somebody would take them."""
    now: str = request["as_at"]
    today = london_day(datetime.fromisoformat(now))
    expected = answer["expected_release_on"]
    release_on = date.fromisoformat(expected) if expected else None
    out = answer["released_today"] is None and release_on is not None and "exit" in request
    consent = request.get("consent") or {}

    if not (consent.get("given") is True or (consent.get("lawful_basis") or "").strip()):
        yield _facts("consent", consent={"given": True})
    place = request.get("destination") or {}
    if not ((place.get("area") or "").strip() and (place.get("contact") or "").strip()):
        yield _facts("destination", destination={**place, "area": _NAMED, "contact": _NAMED})
    yield _facts("prescriber", prescriber={"name": _NAMED, "service": _NAMED})
    if request.get("arrival"):
        confirmed = {"by": "prescriber", "at": now, "dose": True, "last_consumed": True}
        yield _facts("arrival", arrival={**request["arrival"], "confirmed": confirmed})
    if out and release_on and not request.get("doses"):
        yield _facts("dose", doses=[{"on": release_on.isoformat(), "where": "prison"}])
    if not out:
        yield _facts("last_dose", dose_on_release_day=True)
    if release_on is not None:
        contact = _appointment(request, release_on, today, out, holidays, free_at)
        if contact is not None:
            at, given = contact
            standing = request.get("appointment")
            moved = standing is not None and standing["at"] != given["at"]
            yield _Trial(
                "appointment", "appointment", lambda asked: {**asked, "appointment": given},
                london_day(at), moved,
            )  # fmt: skip
        if not (request.get("pharmacy") or {}).get("name"):
            pharmacy = {**(request.get("pharmacy") or {}), "name": _NAMED}
            yield _facts("pharmacy", pharmacy=pharmacy)
        yield _Trial("supply", "supply", lambda asked: _supplied(asked, holidays))
    sent = {"prepared_at": now, "sent_at": now, "sent_to": _NAMED}
    yield _facts("dose_letter", dose_letter=sent)
    yield _facts("notification", notification={"sent_at": now, "acknowledged_at": now})
    for pack in answer["court_packs"]:
        on = date.fromisoformat(pack["court_on"])
        yield _Trial(f"court_pack {on}", "court_pack", _packed(on, now), on)
    if request.get("transfer"):
        said = {"drug": _NAMED, "dose_form": _NAMED, "last_dose_at": now, "next_dose_at": now,
                "confirmed_at": now}  # fmt: skip
        yield _facts("transfer_information", transfer={**request["transfer"], **said})
    yield _facts("naloxone", naloxone={"outcome": "issued", "on": today.isoformat()})
    yield _facts(
        "overdose_session", overdose_session={"outcome": "delivered", "on": today.isoformat()}
    )
    yield _facts("weekend", weekend_cover_acknowledged_at=now)


def _facts(section: str, **facts: Any) -> _Trial:
    """A step whose facts take the place of what stands."""
    return _Trial(section, section, lambda asked: {**asked, **facts})


def _appointment(
    request: Json, release_on: date, today: date, out: bool, holidays: HolidayLists,
    free_at: Sequence[datetime],
) -> tuple[datetime, Json] | None:  # fmt: skip
    """The appointment there is, acknowledged, if it leaves the fewest grave flags; else a new one.

    A new one lies on the day of release or the next day worked there; once out, today or the next.
    """
    now = datetime.fromisoformat(request["as_at"])
    destination = places_of(read(request, holidays), holidays).destination
    first = max(today, release_on)
    times: list[datetime] = []
    standing = request.get("appointment")
    if standing and standing.get("attended") is not False:
        times.append(datetime.fromisoformat(standing["at"]))
    times += free_at
    for day in (first, destination.next_working_day(first + ONE_DAY)):
        times += [at_london(day, clock) for clock in LIMITS.appointment_tried_at]
    best: tuple[tuple[int, int], datetime, Json] | None = None
    for place, at in enumerate(times):
        if at < now and not (standing and place == 0):
            continue
        given: Json = {"at": at.isoformat(), "acknowledged_at": request["as_at"],
                       "booked_at": request["as_at"]}  # fmt: skip
        if standing and at == datetime.fromisoformat(standing["at"]):
            given = {**standing, "acknowledged_at": request["as_at"],
                     "reconfirmed_at": request["as_at"]}  # fmt: skip
        found = check({**request, "appointment": given}, holidays)
        left = (len(_grave(found)), len(found["uncovered_days"]))
        if best is None or left < best[0]:
            best = (left, at, given)
    return best and best[1:]


def _supplied(request: Json, holidays: HolidayLists) -> Json:
    """With every day a supply was for, and every uncovered one, collected when the pharmacy is open."""
    kept = []
    for supply in request.get("bridging_supplies", ()):
        taken = [each for each in supply["instalments"] if each.get("collected") is True]
        if taken:
            kept.append({**supply, "instalments": taken, "in_hand": True,
                         "reconfirmed_at": request["as_at"]})  # fmt: skip
    had = {
        day
        for supply in request.get("bridging_supplies", ())
        for each in supply["instalments"]
        if each.get("collected") is not True
        for day in each["covers"]
    }
    without = {**request, "bridging_supplies": kept}
    answer = check(without, holidays)
    if answer["expected_release_on"] is None:
        return request
    first = date.fromisoformat(answer["expected_release_on"])
    given = read(request, holidays)
    left_at = given.exit.at if given.exit is not None else None
    places = places_of(given, holidays)
    pharmacy = Pharmacy(given.pharmacy, places.nation, places.destination, left_at)
    days = sorted({date.fromisoformat(day) for day in {*had, *answer["uncovered_days"]}})
    instalments = []
    for day in days:
        open_on = (
            [on for on in days_between(first, day) if pharmacy.is_open(on)] if day >= first else []
        )
        if open_on:
            instalments.append({"collect_on": open_on[-1].isoformat(), "covers": [day.isoformat()]})
    if not instalments:
        return without if had else request
    new = {"form": "fp10mda", "in_hand": True, "written_at": request["as_at"],
           "sent_at": request["as_at"], "sent_to": _NAMED, "instalments": instalments}  # fmt: skip
    return {**request, "bridging_supplies": [*kept, new]}


def _packed(on: date, now: str) -> Callable[[Json], Json]:
    """The hearings of that day with everything in their pack."""
    pack = {"cjit_contact_at": now, "slot_on": on.isoformat(), "dose_letter_at": now,
            "bridging_decided_at": now, "naloxone_at": now}  # fmt: skip

    def lay(request: Json) -> Json:
        return {
            **request,
            "courts": [
                {**each, "pack": pack}
                if london_day(datetime.fromisoformat(each["starts_at"])) == on
                else each
                for each in request["courts"]
            ],
        }

    return lay
