"""A pharmacy's day as one sheet: read line by line, shown first, and saved only when asked.

Each line says the same as the form at the hatch, the looks before the dose among it, and passes the
same gates. Good lines are saved together in one transaction; a bad one is named with what is
allowed, and does not keep the others.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from clinic import audit
from clinic.act import Act, command
from clinic.consumption.board import board
from clinic.consumption.commands import Given, in_words, record_dose
from clinic.consumption.gates import GatesShut
from clinic.consumption.models import DoseEvent
from clinic.consumption.words import ASKED, IDENTIFIED_BY, LOOKS, RESTS, SIGNS, WITHHELD_FOR
from clinic.errors import Invalid, OutsideCaseload, Trouble, refusal_of
from clinic.patients.access import in_caseload
from clinic.patients.models import PatientIdentifier
from clinic.prescriptions.models import DoseDecision
from clinic.web import row_number
from dosing.days import LONDON, at_london
from dosing.shape import DecimalText, Refused

COLUMNS: Final = (
    "decision", "dose_of_day", "nhs_number", "name", "date", "time", "identity", "intoxication",
    "signs", "outcome", "dose_mg", "rest", "why", "withheld_by", "observer", "note",
)  # fmt: skip
MOST_LINES: Final = 500
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "identity": IDENTIFIED_BY, "intoxication": LOOKS, "outcome": ASKED, "rest": RESTS,
    "why": WITHHELD_FOR,
}  # fmt: skip
_MEANS: Final = {"why_code": "why", "consumed_at": "time", "increment": "dose_of_day"}
"""What a command calls a column, where the sheet calls it otherwise."""
_GATE_COLUMNS: Final = {"identity": "identity", "intoxication": "intoxication"}


@dataclass(frozen=True)
class Line:
    """What became, or would become, of one line. `result`: recorded, repeated or refused."""

    line: int
    result: str
    message: str
    name: str = ""
    dose_id: int | None = None
    patient_id: int | None = None
    faults: tuple[tuple[str, str], ...] = ()

    @property
    def good(self) -> bool:
        return self.result != "refused"


class _OnlyLooked(Exception):
    """The sheet was carried out and is taken back: somebody wants to see first."""

    def __init__(self, lines: list[Line]) -> None:
        super().__init__("only looked")
        self.lines = lines


def read_sheet(act: Act, text: str, *, save: bool) -> list[Line]:
    """Every line of a sheet and what becomes of it; saved only with `save`.

    Invalid where the sheet as a whole cannot be read: its head, its length, its encoding.
    """
    act.need("consumption.record")
    rows = _rows(text)
    if save:
        return _carry_out(act, rows, True)
    try:
        _carry_out(act, rows, False)
    except _OnlyLooked as looked:
        act.note_shown(
            "consumption.sheet_looked",
            [each.patient_id for each in looked.lines if each.patient_id],
        )
        return looked.lines
    raise AssertionError("a look ends by taking everything back")


@command
def _carry_out(act: Act, rows: Sequence[tuple[int, dict[str, str]]], save: bool) -> list[Line]:
    lines = [_one(act, number, row) for number, row in rows]
    if not save:
        raise _OnlyLooked(lines)
    act.note(
        "consumption.sheet_saved", lines=len(lines), refused=sum(not each.good for each in lines)
    )
    return lines


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """The lines below the head, by the number a spreadsheet shows; blank ones left out."""
    if "\x00" in text:
        raise Invalid.field("sheet", "must be text, as a spreadsheet saves it for CSV")
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        heads = [each.strip().lower() for each in next(reader, [])]
        unknown = [each for each in heads if each not in COLUMNS]
        lacking = [each for each in ("decision", "nhs_number", "outcome") if each not in heads]
        if unknown or lacking or len(set(heads)) < len(heads):
            raise Invalid.field(
                "sheet", f"must begin with a line of these column names: {', '.join(COLUMNS)}"
            )
        out = []
        for row in reader:
            cells = [_cell(each) for each in row]
            if not any(cells):
                continue
            if len(cells) > len(heads):
                raise Invalid.field(
                    "sheet", f"has more cells than columns in line {reader.line_num}"
                )
            padded = [*cells, *[""] * (len(heads) - len(cells))]
            out.append((reader.line_num, dict(zip(heads, padded, strict=True))))
    except csv.Error as error:
        raise Invalid.field(
            "sheet", f"must be a table with commas between its cells ({error})"
        ) from error
    if not out:
        raise Invalid.field("sheet", "must have at least one line below its column names")
    if len(out) > MOST_LINES:
        raise Invalid.field("sheet", f"must have at most {MOST_LINES} lines")
    return out


def _cell(text: str) -> str:
    """Without the quote mark that keeps a spreadsheet from running the cell."""
    return text.strip().removeprefix("'").strip()


def _one(act: Act, number: int, row: dict[str, str]) -> Line:
    """One line in a savepoint of its own: a refusal leaves the others as they are."""
    name = row.get("name", "")
    savepoint, marked = act.session.begin_nested(), audit.mark(act.session)

    def undo() -> None:
        savepoint.rollback()
        audit.back_to(act.session, marked)

    try:
        answer: Given = record_dose(act, **_given(act, row))
    except Trouble as trouble:
        undo()
        return Line(number, "refused", trouble.detail, name, faults=_faults(trouble))
    except IntegrityError as error:
        undo()
        refusal = refusal_of(error)
        if refusal is None:
            raise
        return Line(number, "refused", refusal.detail, name, faults=(("outcome", refusal.detail),))
    savepoint.commit()
    event = act.session.get_one(DoseEvent, answer.id)
    if answer.first:
        says, result = f"{in_words(event).capitalize()}.", "recorded"
    else:
        says, result = f"Already recorded: {in_words(event)}. Nothing was added.", "repeated"
    return Line(number, result, says, name, answer.id, event.patient_id)


def _faults(trouble: Trouble) -> tuple[tuple[str, str], ...]:
    """The columns at fault and what is allowed in each."""
    if isinstance(trouble, GatesShut):
        return tuple(
            (
                _GATE_COLUMNS.get(each.gate, "decision"),
                f"{each.says} Opened by: {each.opens.lower()}"
                + (f". Here: {', '.join(CODES[each.gate])}" if each.gate in _GATE_COLUMNS else ""),
            )
            for each in trouble.verdict.shut
        )
    if trouble.faults:
        return tuple((_MEANS.get(field, field), says) for field, says in trouble.faults)
    return (("decision", trouble.detail),)


def _given(act: Act, row: dict[str, str]) -> dict[str, Any]:
    """A line as the command takes it. Invalid names the column."""
    decision = _decision(act, row)
    when = _moment(row)
    for column, codes in CODES.items():
        value = row.get(column, "")
        if value and value not in codes:
            raise Invalid.field(column, f"must be one of: {', '.join(codes)}")
    if not row.get("outcome"):
        raise Invalid.field("outcome", f"must be one of: {', '.join(ASKED)}")
    signs = [each.strip() for each in row.get("signs", "").split(";") if each.strip()]
    if any(each not in SIGNS for each in signs):
        raise Invalid.field("signs", f"must be some of these, with ; between: {', '.join(SIGNS)}")
    note = row.get("note") or None
    given: dict[str, Any] = {
        "patient_id": decision.patient_id, "decision_id": decision.id, "outcome": row["outcome"],
        "consumed_at": when, "increment": _whole(row, "dose_of_day"),
        "dose_mg": _mg(row), "rest": row.get("rest") or None, "why_code": row.get("why") or None,
        "withheld_by": row.get("withheld_by") or None, "observer": row.get("observer") or None,
        "note": note,
    }  # fmt: skip
    if row["outcome"] in ("taken", "part"):
        given["supervision"] = "supervised"
    if row.get("identity"):
        given["identity"] = {"how": row["identity"]}
    if row.get("intoxication"):
        given["intoxication"] = {"result": row["intoxication"], "signs": signs, "note": note}
    elif signs:
        raise Invalid.field("intoxication", "must be signs where signs are given")
    return given


def _decision(act: Act, row: dict[str, str]) -> DoseDecision:
    """The decision of the line, once the NHS number beside it is that person's."""
    number = _whole(row, "decision")
    found = None if number is None else act.session.get(DoseDecision, number)
    typed = row.get("nhs_number", "").replace(" ", "")
    theirs = found and act.session.scalar(
        select(PatientIdentifier.id).where(
            PatientIdentifier.patient_id == found.patient_id, PatientIdentifier.kind == "nhs",
            PatientIdentifier.value == typed, PatientIdentifier.ended_at.is_(None),
        )
    )  # fmt: skip
    if found is None or theirs is None:
        # One answer for both, so that a sheet cannot be used to find out who is treated here.
        raise Invalid.field("decision", "must be a decision for the person with this NHS number")
    if not in_caseload(act, found.patient_id):
        raise OutsideCaseload(found.patient_id)
    return found


def _whole(row: dict[str, str], column: str) -> int | None:
    text = row.get(column, "")
    if not text:
        return None
    number = row_number(text)
    if number is None:
        raise Invalid.field(column, "must be a whole number, such as 1")
    return number


def _mg(row: dict[str, str]) -> Any:
    text = row.get("dose_mg", "")
    if not text:
        return None
    try:
        return DecimalText(zero_allowed=False).read(text, "dose_mg")
    except Refused as refused:
        raise Invalid.field("dose_mg", refused.message) from refused


def _moment(row: dict[str, str]) -> datetime:
    on, clock = row.get("date", ""), row.get("time", "")
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise Invalid.field("date", "must be a date such as 2026-11-04") from None
    try:
        at = time.fromisoformat(clock)
        if at.tzinfo is not None or at.second or at.microsecond:
            raise ValueError
    except ValueError:
        raise Invalid.field("time", "must be a time on the 24-hour clock, such as 09:05") from None
    moment = at_london(day, at)
    if moment.astimezone(LONDON).time() != at:
        raise Invalid.field("time", "was skipped when the clocks went forward that day")
    return moment


def template(act: Act, on: date) -> list[list[str]]:
    """A line for each person still to attend that day, with nothing said about any of them."""
    lines = []
    for row in board(act, on).to_attend:
        number = act.session.scalar(
            select(PatientIdentifier.value).where(
                PatientIdentifier.patient_id == row.patient.id,
                PatientIdentifier.kind == "nhs",
                PatientIdentifier.ended_at.is_(None),
            )
        )
        known = {
            "decision": str(row.decision.id), "dose_of_day": str(row.increment),
            "nhs_number": number or "", "name": row.patient.listed_name, "date": on.isoformat(),
        }  # fmt: skip
        lines.append([known.get(column, "") for column in COLUMNS])
    return lines
