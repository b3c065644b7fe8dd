"""Doses, the gates before them and what was handed over, over HTTP. Every look is audited."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from clinic.auth import act, needs
from clinic.consumption import commands, corrections, gates, queries, sheet, supply_commands
from clinic.consumption.board import OnBoard, board
from clinic.consumption.schemas import (
    AcknowledgeSchema,
    BoardSchema,
    BrokenGateSchema,
    CheckMadeSchema,
    CheckRequestSchema,
    CorrectionSchema,
    DispensedSchema,
    DispenseRequestSchema,
    DoseRequestSchema,
    DoseSchema,
    ElsewhereDoseRequestSchema,
    GateCheckSchema,
    GatesSchema,
    GivenSchema,
    GlassRequestSchema,
    IncidentSchema,
    MissedRequestSchema,
    PharmacyStaffRequestSchema,
    PharmacyStaffSchema,
    PlaceRequestSchema,
    PlaceSchema,
    SheetRequestSchema,
    SheetSchema,
    UndoMissedSchema,
    VomitedSchema,
    WhichDoseSchema,
    WhoseSchema,
)
from clinic.openapi import Blueprint
from clinic.prescriptions import queries as prescribing
from clinic.shapes import MadeSchema, StrikeSchema, made
from clinic.web import read_day

consumption_api = Blueprint(
    "consumption_api", __name__, url_prefix="/api/v1/patients/<int:patient_id>",
    description="Doses taken",
)  # fmt: skip
hatch_api = Blueprint(
    "hatch_api", __name__, url_prefix="/api/v1/consumption", description="The day at the hatch"
)
_absent = consumption_api.alt_response(404, description="No such patient, or not theirs")
_shut = consumption_api.alt_response(
    422, description="A gate before the dose is shut, or a field cannot stand"
)
_recorded = consumption_api.alt_response(
    409, description="Something else is recorded of this dose: `first` shows it"
)


# -- doses -----------------------------------------------------------------------------------


@consumption_api.get("/doses")
@needs("prescribing.read")
@consumption_api.response(200, DoseSchema(many=True))
@_absent
def doses(patient_id: int) -> Any:
    """Every dose recorded, newest first, struck ones included."""
    return prescribing.prescribing_record(act(), patient_id).doses


@consumption_api.post("/doses")
@needs("prescribing.assess")
@consumption_api.arguments(ElsewhereDoseRequestSchema)
@consumption_api.response(201, MadeSchema)
@_absent
def dose_elsewhere(given: dict[str, Any], patient_id: int) -> Response:
    """Record a dose taken at another service."""
    dose_id = commands.record_dose_elsewhere(act(), patient_id, **given)
    return made(f"{patient_id}/doses", dose_id)


@consumption_api.get("/dose-decisions/<int:decision_id>/gates")
@needs("consumption.read")
@consumption_api.arguments(WhichDoseSchema, location="query")
@consumption_api.response(200, GatesSchema)
@_absent
def gates_now(given: dict[str, Any], patient_id: int, decision_id: int) -> Any:
    """May this dose be given now? Every gate that is shut, and who can open it."""
    hatch, verdict = queries.verdict_at(act(), patient_id, decision_id, given.get("increment"))
    return {
        "open": verdict.open, "shut": [gates.shut_json(each) for each in verdict.shut],
        "passed": list(verdict.passed), "rules": hatch.facts.rules,
        "missed_days": hatch.facts.missed_days,
    }  # fmt: skip


@consumption_api.post("/dose-decisions/<int:decision_id>/doses")
@needs("consumption.record")
@consumption_api.arguments(DoseRequestSchema)
@consumption_api.response(201, GivenSchema)
@consumption_api.alt_response(
    200, schema=GivenSchema, description="The same was recorded before: the first record stands"
)
@_recorded
@_shut
@_absent
def dose(given: dict[str, Any], patient_id: int, decision_id: int) -> Response:
    """Give a dose through the interlock, or record what else became of it."""
    answer = commands.record_dose(act(), patient_id, decision_id, **given)
    response = jsonify({"id": answer.id, "first": answer.first})
    response.status_code = 201 if answer.first else 200
    response.headers["Location"] = f"/api/v1/patients/{patient_id}/doses/{answer.id}"
    return response


@consumption_api.post("/doses/<int:dose_id>/correction")
@needs("consumption.correct")
@consumption_api.arguments(CorrectionSchema)
@consumption_api.response(201, MadeSchema)
@_shut
@_absent
def correct_dose(given: dict[str, Any], patient_id: int, dose_id: int) -> Response:
    """Say anew what became of a dose. The old record is struck out and stays."""
    new = corrections.correct_dose(act(), patient_id, dose_id, **given)
    return made(f"{patient_id}/doses", new)


@consumption_api.post("/doses/<int:dose_id>/strike")
@needs("consumption.correct")
@consumption_api.arguments(StrikeSchema)
@consumption_api.response(204)
@_absent
def strike_dose(given: dict[str, Any], patient_id: int, dose_id: int) -> None:
    """Strike a dose out. One recorded as taken counts that day until a second person agrees."""
    corrections.strike_dose(act(), patient_id, dose_id, **given)


@consumption_api.post("/doses/<int:dose_id>/agree")
@needs("consumption.correct")
@consumption_api.response(204)
@_absent
def agree_strike(patient_id: int, dose_id: int) -> None:
    """Agree, as a second person, that a dose struck out was not taken."""
    corrections.agree_strike(act(), patient_id, dose_id)


@consumption_api.post("/doses/<int:dose_id>/vomited")
@needs("consumption.record")
@consumption_api.arguments(VomitedSchema)
@consumption_api.response(201, MadeSchema)
@_absent
def vomited(given: dict[str, Any], patient_id: int, dose_id: int) -> Response:
    """A dose taken was vomited. It counts in full; another needs a new decision."""
    return made(
        f"{patient_id}/vomited", commands.record_vomited(act(), patient_id, dose_id, **given)
    )


@consumption_api.post("/vomited/<int:vomited_id>/strike")
@needs("consumption.correct")
@consumption_api.arguments(StrikeSchema)
@consumption_api.response(204)
@_absent
def strike_vomited(given: dict[str, Any], patient_id: int, vomited_id: int) -> None:
    """Strike out that a dose was vomited."""
    corrections.strike_vomited(act(), patient_id, vomited_id, **given)


@consumption_api.post("/dose-incidents")
@needs("consumption.correct")
@consumption_api.arguments(IncidentSchema)
@consumption_api.response(201, MadeSchema)
@_absent
def incident(given: dict[str, Any], patient_id: int) -> Response:
    """A dose was found to have been swallowed against shut gates. It opens nothing."""
    return made(f"{patient_id}/doses", commands.record_incident(act(), patient_id, **given))


# -- the gates -------------------------------------------------------------------------------


@consumption_api.get("/gate-checks")
@needs("consumption.read")
@consumption_api.response(200, GateCheckSchema(many=True))
@_absent
def checks(patient_id: int) -> Any:
    """Every look before a dose, newest first, struck ones included."""
    return queries.hatch_record(act(), patient_id).checks


@consumption_api.post("/gate-checks")
@needs("consumption.record")
@consumption_api.arguments(CheckRequestSchema)
@consumption_api.response(201, CheckMadeSchema)
@_absent
def record_checks(given: dict[str, Any], patient_id: int) -> Any:
    """Record who this is, how they seem, or both, before a dose."""
    return {"ids": gates.record_checks(act(), patient_id, **given)}


@consumption_api.post("/gate-checks/<int:check_id>/strike")
@needs("consumption.correct")
@consumption_api.arguments(StrikeSchema)
@consumption_api.response(204)
@_absent
def strike_check(given: dict[str, Any], patient_id: int, check_id: int) -> None:
    """Strike a look out as wrong. A finding against a dose is not undone by who made it."""
    gates.strike_check(act(), patient_id, check_id, **given)


@consumption_api.post("/dose-decisions/<int:decision_id>/break-glass")
@needs("consumption.glass")
@consumption_api.arguments(GlassRequestSchema)
@consumption_api.response(201, MadeSchema)
@_absent
def break_glass(given: dict[str, Any], patient_id: int, decision_id: int) -> Response:
    """Answer for passing what is merely missing before this one dose. The clinical lead sees it."""
    row = gates.break_glass(act(), patient_id, decision_id, given.pop("increment", None), **given)
    return made(f"{patient_id}/broken-gates", row)


# -- supply ----------------------------------------------------------------------------------


@consumption_api.get("/consumption-places")
@needs("consumption.read")
@consumption_api.response(200, PlaceSchema(many=True))
@_absent
def places(patient_id: int) -> Any:
    """Where doses were and are taken, newest first, struck ones included."""
    return queries.hatch_record(act(), patient_id).places


@consumption_api.post("/consumption-places")
@needs("consumption.arrange")
@consumption_api.arguments(PlaceRequestSchema)
@consumption_api.response(201, MadeSchema)
@_absent
def set_place(given: dict[str, Any], patient_id: int) -> Response:
    """Set where doses are taken from a day on."""
    return made(
        f"{patient_id}/consumption-places", supply_commands.set_place(act(), patient_id, **given)
    )


@consumption_api.post("/consumption-places/<int:place_id>/strike")
@needs("consumption.arrange")
@consumption_api.arguments(StrikeSchema)
@consumption_api.response(204)
@_absent
def strike_place(given: dict[str, Any], patient_id: int, place_id: int) -> None:
    """Strike a place out as wrong."""
    supply_commands.strike_place(act(), patient_id, place_id, **given)


@consumption_api.get("/dispensed-doses")
@needs("consumption.read")
@consumption_api.response(200, DispensedSchema(many=True))
@_absent
def dispensed(patient_id: int) -> Any:
    """What was handed over, by the days it was for, newest first, struck ones included."""
    return queries.hatch_record(act(), patient_id).dispensed


@consumption_api.post("/dose-decisions/<int:decision_id>/dispensed-doses")
@needs("consumption.record")
@consumption_api.arguments(DispenseRequestSchema)
@consumption_api.response(201, CheckMadeSchema)
@_shut
@_absent
def dispense(given: dict[str, Any], patient_id: int, decision_id: int) -> Any:
    """Hand over doses to take home, through the interlock."""
    return {"ids": supply_commands.dispense(act(), patient_id, decision_id, **given)}


@consumption_api.post("/dispensed-doses/<int:dispensed_id>/strike")
@needs("consumption.correct")
@consumption_api.arguments(StrikeSchema)
@consumption_api.response(204)
@_absent
def strike_dispensed(given: dict[str, Any], patient_id: int, dispensed_id: int) -> None:
    """Strike out that a dose was handed over."""
    supply_commands.strike_dispensed(act(), patient_id, dispensed_id, **given)


# -- the day ---------------------------------------------------------------------------------


def _on_board(row: OnBoard) -> dict[str, Any]:
    return {
        "patient_id": row.patient_id, "decision_id": row.decision.id, "increment": row.increment,
        "product": row.decision.product, "dose_mg": row.decision.dose_mg,
        "attended": row.attended, "outcome": row.outcome,
        "dose_id": None if row.event is None else row.event.id,
        "place": None if row.place is None else row.place.name, "missed_days": row.missed_days,
        "locked": row.locked, "next_step": row.next_step,
    }  # fmt: skip


@hatch_api.get("/boards/<on>")
@needs("consumption.read")
@hatch_api.response(200, BoardSchema)
def board_on(on: str) -> Any:
    """Who is to take a dose on this day, and what became of each; the most urgent first."""
    found = board(act(), read_day(on))
    return {"on": found.on, "doses": [_on_board(row) for row in found.rows]}


@hatch_api.post("/boards/<on>/missed")
@needs("consumption.record")
@hatch_api.arguments(MissedRequestSchema)
@hatch_api.response(201, CheckMadeSchema)
@hatch_api.alt_response(409, description="Something else is recorded of one of them: none is saved")
def missed(given: dict[str, Any], on: str) -> Any:
    """Record the doses somebody has looked through as missed: all of them, or none."""
    named = [(row["patient_id"], row["decision_id"], row["increment"]) for row in given["doses"]]
    return {"ids": supply_commands.record_missed(act(), read_day(on), named)}


@hatch_api.post("/missed/undo")
@needs("consumption.correct")
@hatch_api.arguments(UndoMissedSchema)
@hatch_api.response(204)
def undo_missed(given: dict[str, Any]) -> None:
    """Strike out doses recorded as missed: all of them, or none."""
    supply_commands.undo_missed(act(), given["ids"], given["reason"])


@hatch_api.post("/sheets")
@needs("consumption.record")
@hatch_api.arguments(SheetRequestSchema)
@hatch_api.response(200, SheetSchema)
def read_sheet(given: dict[str, Any]) -> Any:
    """A sheet of doses, line by line. Without `save` it is looked at and nothing is kept."""
    lines = sheet.read_sheet(act(), given["sheet"], save=given["save"])
    return {
        "saved": given["save"],
        "rows": [
            {
                "line": each.line, "result": each.result, "dose_id": each.dose_id if given["save"] or
                each.result == "repeated" else None, "message": each.message,
                "faults": [{"field": field, "message": says} for field, says in each.faults],
            }
            for each in lines
        ],
    }  # fmt: skip


@hatch_api.get("/broken-gates")
@needs("consumption.acknowledge")
@hatch_api.response(200, BrokenGateSchema(many=True))
def broken_gates() -> Any:
    """Gates that were passed here and not yet acknowledged, oldest first."""
    return [row for row, _, _ in queries.to_acknowledge(act())]


@hatch_api.post("/broken-gates/<int:entry_id>/acknowledge")
@needs("consumption.acknowledge")
@hatch_api.arguments(AcknowledgeSchema)
@hatch_api.response(204)
@hatch_api.alt_response(404, description="No such entry at this site")
def acknowledge(given: dict[str, Any], entry_id: int) -> None:
    """Acknowledge that a gate was passed. Nobody acknowledges their own."""
    gates.acknowledge(act(), entry_id, **given)


# -- who works at which pharmacy -------------------------------------------------------------


@hatch_api.get("/pharmacy-staff")
@needs("staff.manage")
@hatch_api.arguments(WhoseSchema, location="query")
@hatch_api.response(200, PharmacyStaffSchema(many=True))
def pharmacy_staff(given: dict[str, Any]) -> Any:
    """The pharmacies an account works or worked at for this site, newest first."""
    return [row for row, _ in queries.links_of(act(), given["staff_id"])]


@hatch_api.post("/pharmacy-staff")
@needs("staff.manage")
@hatch_api.arguments(PharmacyStaffRequestSchema)
@hatch_api.response(201, MadeSchema)
@hatch_api.alt_response(404, description="No such member of staff")
@hatch_api.alt_response(409, description="They already work there")
def link_pharmacy(given: dict[str, Any]) -> Any:
    """This account, and every token of it, records for this pharmacy's people alone from now on."""
    return {"id": supply_commands.link_pharmacy(act(), **given)}


@hatch_api.post("/pharmacy-staff/<int:link_id>/end")
@needs("staff.manage")
@hatch_api.response(204)
@hatch_api.alt_response(404, description="No such entry at this site")
def unlink_pharmacy(link_id: int) -> None:
    """They work there no longer."""
    supply_commands.unlink_pharmacy(act(), link_id)
