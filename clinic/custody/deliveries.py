"""What was done for somebody in their 28 days, or offered and declined: recorded and put right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clinic.act import Act, command
from clinic.careplans import events as plans
from clinic.custody import facts, timetables
from clinic.custody.models import (
    DELIVERY_OUTCOMES,
    MODES,
    PARTIES,
    TOPIC_NAMES,
    Delivery,
    Reception,
)
from clinic.custody.stays import add, has_happened, opened, standing, strike, touch
from clinic.custody.words import JOINT_TOPICS
from clinic.errors import Invalid, one_of
from clinic.staff.models import Staff
from scheduling.custody_rules import BY_KEY, DELIVERABLE, GROUP_SESSION

SCREENING = "reception_screening"
RECORDED_ELSEWHERE = {
    SCREENING: "is recorded with its result",
    "keyworker_named": "is recorded by naming the keyworker",
    "receiving_keyworker_named": "is recorded by naming the keyworker",
}
NAMED_THERE = "receiving_keyworker_named"
"""Told by a prison outside this system, which nobody works at here to name anybody."""
WITH_THE_WHOLE = {
    "final_review": "is recorded with the exit strategy and the next step of the stay",
    "certificate": "is recorded by giving the certificate",
}


@command
def record_delivery(act: Act, reception_id: int, *, whole: bool = False, **delivery: Any) -> int:
    """Something was done for them, or offered and declined. Returns the id of the entry.

    `delivery`: item, done_at and by (the parties); and where they apply outcome, topic and mode
    (a group session), for_on (which hearing's pack), done_by (staff, oneself when not said), note.
    Each agreement to the joint care plan may be recorded when it is given; once the plan is
    written here it is given to a version of it. That, the final review and the certificate close
    their duty only with what they consist of (`whole`: the room that keeps it is recording it).
    """
    reception = opened(act, reception_id, "custody.deliver")
    item = delivery.get("item")
    outside = item == NAMED_THERE and facts.moves_outside(act.session, reception)
    if item in RECORDED_ELSEWHERE and not outside:
        raise Invalid.field("item", RECORDED_ELSEWHERE[item])
    if outside and not (delivery.get("note") or "").strip():
        raise Invalid.field("note", "is required: say who is the keyworker there")
    if item in WITH_THE_WHOLE and not whole:
        raise Invalid.field("item", WITH_THE_WHOLE[item])
    if item == "joint_care_plan" and not whole and plans.has_plan(act, reception.id):
        raise Invalid.field("item", "is recorded by agreeing to the care plan of this stay")
    row = add(act, reception, Delivery, checked(act, reception, delivery))
    touch(act, reception, "recorded a delivery")
    act.note(
        "custody.delivered", patient_id=reception.patient_id, reception=reception.id,
        delivery=row.id, item=row.item,
    )  # fmt: skip
    timetables.refresh_items(act, reception)
    return row.id


@command
def record_joint_session(
    act: Act, reception_id: int, *, topics: Iterable[str], **delivery: Any
) -> list[int]:
    """One session that covered harm minimisation, overdose or both, each a delivery of its own (A8).

    `delivery` as `record_delivery` takes it, without the item. Returns the ids of the entries.
    """
    asked = [each for each in JOINT_TOPICS if each in set(topics)]
    if not asked:
        raise Invalid.field("topics", f"must be one or more of: {', '.join(JOINT_TOPICS)}")
    return [record_delivery(act, reception_id, item=item, **delivery) for item in asked]


@command
def correct_delivery(
    act: Act, reception_id: int, delivery_id: int, *, version: int, reason: str, **changes: Any
) -> int:
    """Put a delivery right: the first entry is struck out, the right one added. Returns its id."""
    reception = opened(act, reception_id, "custody.deliver", version)
    row = standing(act, reception, Delivery, delivery_id)
    values = {name: getattr(row, name) for name in _DELIVERY}
    if unknown := set(changes) - (set(_DELIVERY) - {"item"}):
        raise Invalid.field(sorted(unknown)[0], "cannot be changed here")
    if changes.get("outcome") == "declined":
        values["explained"] = None
    strike(act, reception, row, reason)
    fresh = add(act, reception, Delivery, checked(act, reception, values | changes))
    touch(act, reception, "corrected a delivery")
    act.note(
        "custody.delivery_corrected", patient_id=reception.patient_id, reception=reception.id,
        delivery=fresh.id, was=row.id,
    )  # fmt: skip
    timetables.refresh_items(act, reception)
    return fresh.id


_DELIVERY = (
    "item", "for_on", "done_at", "by", "done_by", "outcome", "topic", "mode", "note", "explained",
)  # fmt: skip
LONGEST_NOTE = 4000


def checked(act: Act, reception: Reception, given: dict[str, Any]) -> dict[str, Any]:
    values = dict.fromkeys(_DELIVERY) | {"outcome": "delivered", "done_by": act.staff_id}
    values |= {name: value for name, value in given.items() if value is not None}
    if unknown := set(values) - set(_DELIVERY):
        raise Invalid.field(sorted(unknown)[0], "is not known")
    item = values["item"]
    one_of("item", item, DELIVERABLE)
    one_of("outcome", values["outcome"], DELIVERY_OUTCOMES)
    has_happened(act, "done_at", values["done_at"])
    received_at = facts.detail_of(act.session, reception).received_at
    if values["done_at"] < received_at:
        raise Invalid.field("done_at", "must not be before they arrived")
    values["by"] = _parties(item, values["by"])
    duty = BY_KEY.get(item)
    if values["outcome"] == "declined" and duty is not None and not duty.declined:
        raise Invalid.field("outcome", "cannot be declined: this is a duty of the staff")
    for name, allowed in (("topic", TOPIC_NAMES), ("mode", MODES)):
        if item == GROUP_SESSION:
            one_of(name, values[name], allowed)
        elif values[name] is not None:
            raise Invalid.field(name, "belongs to a group session only")
    if (item == "court_pack") != (values["for_on"] is not None):
        raise Invalid.field("for_on", "must be the day of the hearing, for a court pack only")
    first_keywork = item == "initial_keywork" and values["outcome"] == "delivered"
    if first_keywork and values["explained"] is None:
        raise Invalid.field(
            "explained", "is required: say whether IDTS and the treatment in custody were explained"
        )
    if not first_keywork and values["explained"] is not None:
        raise Invalid.field("explained", "belongs to a first keywork session that was held")
    if act.session.get(Staff, values["done_by"]) is None:
        raise Invalid.field("done_by", "must be a member of staff")
    values["note"] = (values["note"] or "").strip() or None
    if values["note"] is not None and len(values["note"]) > LONGEST_NOTE:
        raise Invalid.field("note", f"must be {LONGEST_NOTE} characters or fewer")
    return values


def _parties(item: str, given: Iterable[str] | None) -> list[str]:
    by = [party for party in PARTIES if party in (given or ())]
    if not by or set(given or ()) - set(PARTIES):
        raise Invalid.field("by", f"must be one or more of: {', '.join(PARTIES)}")
    return by
