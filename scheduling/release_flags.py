"""What stands in the way of unbroken treatment? One function per rule of the rule table.

Each takes the picture of a case and returns None or a Flag (the two that ask per hearing or per
date, every Flag). A fact that is not known never clears a flag. Severities, words and sources:
release.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from dosing.days import ONE_DAY, days_between, london_day, london_time
from scheduling.release_cover import clock_of
from scheduling.release_picture import Picture, is_weekend, last_dose
from scheduling.release_request import (
    Appointment,
    BridgingSupply,
    Dose,
    DoseLetter,
    Notification,
    Place,
    PossibleEarlier,
    Prescriber,
    Release,
)
from scheduling.release_rules import LIMITS, RULES, Rule

SEVERITIES: Final = ("info", "amber", "red", "critical")
_RED, _CRITICAL = SEVERITIES[2:]


@dataclass(frozen=True)
class Flag:
    """One cause for concern: which rule, how grave, what clears it, and the facts behind it."""

    rule: Rule
    severity: str
    message: str
    facts: dict[str, Any]
    clears_when: str

    def as_answer(self) -> dict[str, Any]:
        return {
            "flag": self.rule.id,
            "severity": self.severity,
            "message": self.message,
            "clears_when": self.clears_when,
            "facts": self.facts,
        }


def _flag(
    rule: Rule,
    severity: str | None = None,
    facts: dict[str, Any] | None = None,
    *,
    message: str | None = None,
    clears_when: str | None = None,
    **words: object,
) -> Flag:
    return Flag(
        rule,
        severity or rule.severity,
        (message or rule.message).format(**words),
        facts or {},
        clears_when or rule.clears_when,
    )


def flags_of(picture: Picture) -> list[dict[str, Any]]:
    """Every flag that stands, in the order of the rule table."""
    return [flag.as_answer() for flag in _raised(picture)]


def _raised(picture: Picture) -> Iterator[Flag]:
    engaged = picture.out and picture.given.engaged_on is not None
    for rule_id, needs_release, ask in _ASKED:
        if engaged and rule_id not in _AFTER_ENGAGED:
            continue
        if needs_release and picture.release_on is None:
            continue
        found = ask(picture)
        if isinstance(found, Flag):
            yield found
        elif found is not None:
            yield from found


def _counted_down(rule: Rule, left: int | None) -> str:
    """The rule's severity with so many days left; unknown days leave it where it starts."""
    if left is not None:
        if rule.critical_at is not None and left <= rule.critical_at:
            return _CRITICAL
        if rule.red_at is not None and left <= rule.red_at:
            return _RED
    return rule.severity


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()


def no_prescriber_named(now: Picture) -> Flag | None:
    """RG-01: on treatment, and the community prescriber or their service is not recorded."""
    prescriber = now.given.prescriber or Prescriber()
    if not now.on_ost or not (_blank(prescriber.name) or _blank(prescriber.service)):
        return None
    rule = RULES["RG-01"]
    days_left = None if now.release_on is None else (now.release_on - now.today).days
    severity = _RED if now.out or now.courts_ahead else _counted_down(rule, days_left)
    area = now.given.destination.area if now.given.destination else None
    return _flag(rule, severity, area="area not known" if _blank(area) else area)


def no_appointment(now: Picture) -> Flag | None:
    """RG-02: no first community contact, or an appointment nobody has acknowledged."""
    if now.missed is not None and now.out:
        return None  # RG-17 says so
    contact = now.contact
    if contact is not None and (
        contact.appointment is None or contact.appointment.acknowledged_at is not None
    ):
        return None
    rule, ends_on = RULES["RG-02"], now.cover.ends_on
    return _flag(
        rule,
        _counted_down(rule, now.working_days_left),
        {"cover_ends_on": iso(ends_on)},
        message=None if contact is None else rule.table["message_unacknowledged"],
        cover_ends_on=_say(ends_on),
    )


def uncovered_days(now: Picture) -> Flag | None:
    """RG-03: days without medicine before the first community dose, or nobody can say."""
    if not now.on_ost:
        return None
    rule, days = RULES["RG-03"], now.gap.uncovered_days
    facts = {"uncovered_days": isos(days), "gap_days": now.gap.days}
    if now.cover.base_on is None:
        return _flag(rule, None, facts, message=rule.table["message_unknown"])
    if not days:
        return None
    severity = _CRITICAL if _at_least(rule.critical_at, len(days)) else rule.severity
    return _flag(rule, severity, facts, count=len(days), dates=_say_all(days))


def clinic_closed(now: Picture) -> Flag | None:
    """RG-04: an appointment still to come, at a time the clinic is not open."""
    appointment = now.given.appointment
    if appointment is None or appointment.day < now.today:
        return None
    day, clock = appointment.day, clock_of(appointment.at)
    if now.places.clinic.is_open_at(day, clock):
        return None
    return _flag(
        RULES["RG-04"],
        None,
        {"open_on": iso(now.places.clinic.opens_on(day, clock))},
        date=_say(day),
        nation=_NATION_NAMES[now.places.nation],
    )


def release_before_closed_day(now: Picture) -> Flag | None:
    """RG-05: the day after release is not worked, until it is acknowledged with no gap left."""
    release_on, next_on = now.release_on, now.next_working_day_on
    if not now.on_ost or release_on is None or next_on is None:
        return None
    if next_on == release_on + ONE_DAY or now.today >= next_on:
        return None
    covered = now.gap.days == 0
    if covered and now.given.weekend_cover_acknowledged_at is not None:
        return None
    rule = RULES["RG-05"]
    return _flag(
        rule,
        rule.severity if covered else rule.table["severity_with_gap"],
        {"next_working_day_on": iso(next_on)},
        what=_closed_days(release_on + ONE_DAY, next_on),
        date=_say(next_on),
    )


def _closed_days(first: date, next_on: date) -> str:
    """What keeps everything shut from a day until the next working one."""
    if not is_weekend(first):
        return "holiday"
    weekdays = [day for day in days_between(first, next_on - ONE_DAY) if not is_weekend(day)]
    return "weekend and holiday" if weekdays else "weekend"


def friday_rule_moves_release(now: Picture) -> Flag | None:
    """RG-06: the Friday rule gives another date than the weekend rule, and OMU has not said."""
    dates, release = now.dates, now.given.release or Release()
    if dates.friday_rule_on is None or dates.friday_rule_on == dates.weekend_rule_on:
        return None
    rule = RULES["RG-06"]
    unknown = [
        words
        for words, value in (
            ("kind of release not known", release.kind),
            ("sentence date not known", release.sentenced_on),
        )
        if value is None
    ]
    return _flag(
        rule,
        None,
        {
            "calculated_on": iso(release.calculated_on),
            "weekend_rule_on": iso(dates.weekend_rule_on),
            "friday_rule_on": iso(dates.friday_rule_on),
        },
        message="; ".join([rule.message, *unknown]),
        new=_say(dates.friday_rule_on),
        old=_say(dates.weekend_rule_on),
    )


def court_packs_incomplete(now: Picture) -> Iterator[Flag]:
    """RG-07: for each hearing ahead, the pack is due and a tick is missing."""
    for court in now.courts_ahead:
        if court.missing and now.today >= court.due_on:
            yield _flag(
                RULES["RG-07"],
                None,
                {
                    "court_on": iso(court.on),
                    "due_on": iso(court.due_on),
                    "missing": court.missing,
                },
                date=_say(court.on),
                items=", ".join(_PACK_NAMES[tick] for tick in court.missing),
            )


def left_unplanned(now: Picture) -> Flag | None:
    """RG-08: out from court or unplanned, without a dose letter sent since or a contact soon."""
    if not now.on_ost or now.planned or now.exit is None or now.release_on is None:
        return None
    letter = now.given.dose_letter or DoseLetter()
    sent = (
        letter.sent_at is not None
        and not _blank(letter.sent_to)
        and london_day(letter.sent_at) >= now.release_on
    )
    contact = now.contact_or_missed
    soon = (
        contact is not None
        and now.next_working_day_on is not None
        and contact.on <= now.next_working_day_on
    )
    missing = [item for item, there in (("appointment", soon), ("dose_letter", sent)) if not there]
    if not missing:
        return None
    return _flag(
        RULES["RG-08"],
        None,
        {"missing": missing},
        how="from court" if now.exit.how == "court" else "unplanned",
        time=_say_time(now.exit.at),
        last_dose=_say_dose(last_dose(now.given.doses or ())),
    )


def transfer_without_information(now: Picture) -> Flag | None:
    """RG-09: a transfer is due or done, and what the next prescriber needs is missing."""
    transfer, receiving = now.given.transfer, now.places.receiving
    if not now.on_ost or transfer is None or receiving is None:
        return None
    if transfer.confirmed_at is not None:
        return None
    if transfer.booked_on is not None and transfer.booked_on > now.today:
        return None  # not known of yet
    if now.today < now.places.prison.previous_working_day(transfer.on - ONE_DAY):
        return None
    missing = [
        name
        for name, there in (
            ("drug", not _blank(transfer.drug)),
            ("dose_form", not _blank(transfer.dose_form)),
            ("last_dose_at", transfer.last_dose_at is not None),
            ("next_dose_at", transfer.next_dose_at is not None),
            ("prescriber_cover", transfer.prescriber_cover is True),
        )
        if not there
    ]
    if not missing:
        return None
    rule = RULES["RG-09"]
    worked = receiving.is_working_day(transfer.on + ONE_DAY)
    return _flag(
        rule,
        rule.severity if worked else rule.table["severity_before_closed_day"],
        {"missing": sorted(missing)},
        items=", ".join(_TRANSFER_NAMES[name] for name in missing),
    )


def arrival_unconfirmed(now: Picture) -> Flag | None:
    """RG-10: the claimed dose is unconfirmed, may be a second one, or was long missed."""
    arrival = now.arrival
    if arrival is None or not arrival.causes:
        return None
    rule = RULES["RG-10"]
    only_unconfirmed = arrival.causes == ["unconfirmed"]
    last = arrival.last_dose
    return _flag(
        rule,
        rule.severity if only_unconfirmed else rule.table["severity_double_or_missed"],
        {"causes": arrival.causes},
        clears_when=None if only_unconfirmed else rule.table["clears_when_critical"],
        when=_say_dose(last),
        who="unknown" if last is None else last.source or last.where,
    )


def no_naloxone(now: Picture) -> Flag | None:
    """RG-11: opioid history, release day come, naloxone neither issued nor declined."""
    if now.given.opioid_history is False or not _release_day_come(now):
        return None
    return None if now.given.naloxone is not None else _flag(RULES["RG-11"])


def cjit_not_told(now: Picture) -> Flag | None:
    """RG-12: the community team has not been told and answered, and it is time."""
    due_on, left = now.cjit_notice_due_on, now.working_days_left
    if not now.planned or due_on is None:
        return None
    told = now.given.notification
    sent = told is not None and told.sent_at is not None
    stale = told is not None and _is_stale(now, told, told.sent_at)
    if sent and not stale and told is not None and told.acknowledged_at is not None:
        return None
    rule = RULES["RG-12"]
    severity = _counted_down(rule, left)
    if now.today <= due_on and severity == rule.severity:
        return None
    message = rule.message
    if sent:
        message = rule.table["message_other_date" if stale else "message_unacknowledged"]
    return _flag(rule, severity, {"due_on": iso(due_on)}, message=message, date=_say(due_on))


def area_unknown(now: Picture) -> Flag | None:
    """RG-13: the area they return to, or the contact there, is not recorded."""
    there = now.given.destination or Place()
    if not (_blank(there.area) or _blank(there.contact)):
        return None
    rule = RULES["RG-13"]
    return _flag(rule, _counted_down(rule, now.working_days_left))


def made_for_another_date(now: Picture) -> Flag | None:
    """RG-14: the appointment, the notification or a supply belongs to an earlier date."""
    given = now.given
    made: list[tuple[str, Appointment | Notification | BridgingSupply, datetime | None]] = []
    if given.appointment is not None:
        made.append(("appointment", given.appointment, given.appointment.booked_at))
    if given.notification is not None:
        made.append(("notification", given.notification, given.notification.sent_at))
    made += [("supply", supply, supply.written_at) for supply in given.bridging_supplies or ()]
    stale = [(item, thing) for item, thing, made_at in made if _is_stale(now, thing, made_at)]
    if not stale:
        return None
    recheck = sorted({item for item, _ in stale})
    old = (given.release or Release()).previous_on or stale[0][1].for_release_on
    return _flag(
        RULES["RG-14"],
        None,
        {"recheck": recheck},
        old=_say(old),
        new=_say(now.release_on),
        items=", ".join(recheck),
    )


def _is_stale(
    now: Picture,
    thing: Appointment | Notification | BridgingSupply,
    made_at: datetime | None,
) -> bool:
    """Was it made for another release date, and not confirmed again since the date changed?"""
    changed_at = (now.given.release or Release()).changed_at
    if thing.for_release_on is not None:
        stale = thing.for_release_on != now.release_on
    else:
        stale = changed_at is not None and (made_at is None or made_at < changed_at)
    again = thing.reconfirmed_at
    return stale and (again is None or (changed_at is not None and again < changed_at))


def cannot_be_collected(now: Picture) -> Flag | None:
    """RG-15: instalments that cannot be collected, whose days nothing else covers."""
    if not now.on_ost:
        return None
    needed = []
    for instalment in now.supplied.uncollectable:
        days = [day for day in instalment.covers if not _is_covered(now, day)]
        if days:
            needed.append((instalment.collect_on, days))
    if not needed:
        return None
    rule = RULES["RG-15"]
    theirs = {day for _, days in needed for day in days} & set(now.gap.uncovered_days)
    collect_on = sorted({on for on, _ in needed})
    return _flag(
        rule,
        _CRITICAL if _at_least(rule.critical_at, len(theirs)) else rule.severity,
        {"dates": isos(collect_on)},
        dates=_say_all(collect_on),
    )


def _is_covered(now: Picture, day: date) -> bool:
    base_on = now.cover.base_on
    return day in now.cover.supplied or (base_on is not None and day <= base_on)


def _at_least(limit: int | None, count: int) -> bool:
    return limit is not None and count >= limit


def no_overdose_session(now: Picture) -> Flag | None:
    """RG-16: release day come, overdose session neither delivered nor declined."""
    if now.given.overdose_session is not None or not _release_day_come(now):
        return None
    return _flag(RULES["RG-16"])


def _release_day_come(now: Picture) -> bool:
    return now.release_on is not None and now.today >= now.release_on


def did_not_attend(now: Picture) -> Flag | None:
    """RG-17: out, and the appointment was missed."""
    missed, deadline = now.missed, now.continuity_deadline_on
    if not now.out or missed is None or deadline is None:
        return None
    days_left = max((deadline - now.today).days, 0)
    return _flag(
        RULES["RG-17"],
        None,
        {
            "appointment_on": iso(missed.day),
            "outreach_by_at": iso_at(missed.at + LIMITS.outreach),
            "days_left": days_left,
        },
        date=_say(missed.day),
        days_left=days_left,
        of=LIMITS.continuity.days,
    )


def could_leave_earlier(now: Picture) -> Iterator[Flag]:
    """RG-18: for each earlier date known of and not ruled out, while still inside."""
    if now.out:
        return
    for earlier in (now.given.release or Release()).possible_earlier or ():
        if _still_possible(now, earlier):
            yield _flag(RULES["RG-18"], None, {"on": iso(earlier.on)}, date=_say(earlier.on))


def _still_possible(now: Picture, earlier: PossibleEarlier) -> bool:
    return (
        (now.release_on is None or earlier.on < now.release_on)
        and (earlier.known_at is None or earlier.known_at <= now.given.as_at)
        and earlier.ruled_out_at is None
    )


def no_consent(now: Picture) -> Flag | None:
    """RG-19: neither consent to share nor a lawful basis for it."""
    consent = now.given.consent
    if consent is not None and (consent.given is True or not _blank(consent.lawful_basis)):
        return None
    rule = RULES["RG-19"]
    return _flag(rule, _counted_down(rule, now.working_days_left))


def not_shown_as_sent(now: Picture) -> Flag | None:
    """RG-20: planned release, and the letter or script stands ready without proof of sending."""
    if not now.on_ost or not now.planned or now.release_on is None:
        return None
    if now.today < now.places.prison.previous_working_day(now.release_on - ONE_DAY):
        return None
    letter = now.given.dose_letter or DoseLetter()
    prepared = letter.prepared_at is not None or letter.sent_at is not None
    unsent = []
    if (prepared and not _is_sent(letter)) or (not prepared and _release_day_come(now)):
        unsent.append("dose_letter")
    if any(
        supply.form != "gate_pack"
        and supply.written_at is not None
        and supply.in_hand is not True
        and not _is_sent(supply)
        for supply in now.given.bridging_supplies or ()
    ):
        unsent.append("supply")
    if not unsent:
        return None
    items = ", ".join(_PAPER_NAMES[each] for each in unsent)
    return _flag(RULES["RG-20"], None, {"unsent": unsent}, items=items)


def _is_sent(paper: DoseLetter | BridgingSupply) -> bool:
    """Are the time and the recipient of sending both recorded?"""
    return paper.sent_at is not None and not _blank(paper.sent_to)


def not_engaged(now: Picture) -> Flag | None:
    """RG-21: out for two weeks, then three, and structured treatment has not begun."""
    if not now.out or now.given.engaged_on is not None or now.release_on is None:
        return None
    rule, day = RULES["RG-21"], (now.today - now.release_on).days
    if not _at_least(rule.table["amber_at"], day):
        return None
    return _flag(
        rule,
        _RED if _at_least(rule.red_at, day) else rule.severity,
        {"day": day},
        day=day,
        of=LIMITS.continuity.days,
    )


_ASKED: Final = (
    # rule, whether it needs a release date, the question
    ("RG-01", False, no_prescriber_named),
    ("RG-02", True, no_appointment),
    ("RG-03", True, uncovered_days),
    ("RG-04", True, clinic_closed),
    ("RG-05", True, release_before_closed_day),
    ("RG-06", True, friday_rule_moves_release),
    ("RG-07", False, court_packs_incomplete),
    ("RG-08", True, left_unplanned),
    ("RG-09", False, transfer_without_information),
    ("RG-10", False, arrival_unconfirmed),
    ("RG-11", True, no_naloxone),
    ("RG-12", True, cjit_not_told),
    ("RG-13", False, area_unknown),
    ("RG-14", True, made_for_another_date),
    ("RG-15", True, cannot_be_collected),
    ("RG-16", True, no_overdose_session),
    ("RG-17", True, did_not_attend),
    ("RG-18", False, could_leave_earlier),
    ("RG-19", False, no_consent),
    ("RG-20", True, not_shown_as_sent),
    ("RG-21", True, not_engaged),
)
_AFTER_ENGAGED: Final = frozenset({"RG-11", "RG-16"})
"""What still matters once someone is out and in treatment."""


# -- words --------------------------------------------------------------------------------

_NATION_NAMES: Final = {
    "england_and_wales": "England and Wales",
    "scotland": "Scotland",
    "northern_ireland": "Northern Ireland",
}
_TRANSFER_NAMES: Final = {
    "drug": "medicine",
    "dose_form": "form of the medicine",
    "last_dose_at": "last dose",
    "next_dose_at": "next dose",
    "prescriber_cover": "prescriber there on the day and the next",
}
_PAPER_NAMES: Final = {"dose_letter": "dose letter", "supply": "script"}
_PACK_NAMES: Final = {
    "cjit_contact_at": "CJIT contact",
    "slot_on": "appointment slot",
    "dose_letter_at": "dose letter",
    "bridging_decided_at": "bridging decision",
    "naloxone_at": "naloxone",
}
_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]


def _say(day: date | None) -> str:
    return "unknown" if day is None else f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _say_time(instant: datetime) -> str:
    return f"{_say(london_day(instant))} {clock_of(instant):%H:%M}"


def _say_dose(dose: Dose | None) -> str:
    if dose is None:
        return "unknown"
    return _say(dose.on) if dose.at is None else _say_time(dose.at)


def _say_all(days: Sequence[date]) -> str:
    """The days in order, each unbroken run of three or more as its first and last."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == ONE_DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    said: list[str] = []
    for run in runs:
        said += [f"{_say(run[0])} to {_say(run[-1])}"] if len(run) > 2 else map(_say, run)
    return ", ".join(said)


def iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def isos(days: Iterable[date]) -> list[str]:
    return [day.isoformat() for day in days]


def iso_at(instant: datetime | None) -> str | None:
    return None if instant is None else london_time(instant).isoformat()
