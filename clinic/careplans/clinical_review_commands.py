"""Hold the day-5 clinical review, and write the CARATs' report for it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from clinic.act import Act, command
from clinic.careplans.models import ClinicalReviewInput
from clinic.careplans.plans import LONGEST, opened_stay
from clinic.careplans.reading import report_of
from clinic.custody import deliveries, facts, timetables
from clinic.custody.models import Delivery, Reception
from clinic.errors import Invalid, needed


@command
def write_report(
    act: Act, reception_id: int, *, says: str, complex_needs: bool | None = None
) -> int:
    """The CARATs' written report for the clinical review (PS-11). Returns its id.

    It records the report of the 28 days; one written after the review is late, and closes what
    would otherwise stay overdue for ever. `complex_needs` None: not asked.
    """
    reception = opened_stay(act, reception_id, "careplans.report_written")
    text = needed("says", says, LONGEST)
    delivery_id = deliveries.record_delivery(
        act, reception.id, item="carat_report", done_at=act.at, by=["carat"]
    )
    return _input(act, reception.id, "report", text, complex_needs, delivery_id)


@command
def hold_review(
    act: Act,
    reception_id: int,
    *,
    held_at: datetime,
    carat: str,
    by: Collection[str] = (),
    note: str | None = None,
) -> int:
    """The clinical review was held by healthcare, with CARATs there or by their report.

    `carat`: attended, or report, which must be written first. `by`: who else was there. Returns
    the id of the delivery. A review before day 5 leaves the day-5 check open (A5). Where a report
    was due and none was written, CARATs who attend have given theirs in person (PS-11).
    """
    reception = opened_stay(act, reception_id, "careplans.clinical_review")
    if carat not in ("attended", "report"):
        raise Invalid.field("carat", "must be one of: attended, report")
    if carat == "report" and report_of(act, reception.id) is None:
        raise Invalid.field("carat", "Write the report first: none stands")
    parties = {*by, "healthcare"} | ({"carat"} if carat == "attended" else set())
    delivery_id = deliveries.record_delivery(
        act, reception.id, item="clinical_review", done_at=held_at, by=sorted(parties), note=note
    )
    if carat == "attended":
        if _owes_report(act, reception):
            deliveries.record_delivery(
                act, reception.id, item="carat_report", done_at=held_at, by=["carat"],
                note="In person, at the clinical review",
            )  # fmt: skip
        _input(act, reception.id, "attended", None, None, delivery_id)
    return delivery_id


def _input(
    act: Act, reception_id: int, kind: str, text: str | None, complex_needs: bool | None, did: int
) -> int:
    row = ClinicalReviewInput(
        reception_id=reception_id, kind=kind, says=text, complex_needs=complex_needs,
        delivery_id=did, recorded_at=act.at, recorded_by=act.staff_id,
    )  # fmt: skip
    act.session.add(row)
    act.session.flush()
    return row.id


def _owes_report(act: Act, reception: Reception) -> bool:
    """Do the 28 days ask for a report that was not given?"""
    saved = timetables.current_timetable(act, reception)
    asked = saved and any(
        row["item"] == "carat_report" and row["due_on"] for row in saved.answer["items"]
    )
    given = facts.rows_of(act.session, Delivery, reception.id)
    return bool(asked) and all(row.item != "carat_report" for row in given)
