"""Tokens for scripts, and who a token's bearer is."""

from __future__ import annotations

from typing import Any

from flask import Response, g, jsonify, request

from clinic.auth import act, for_signed_in, needs, open_to_all
from clinic.errors import Invalid, SignInNeeded
from clinic.openapi import Blueprint, if_match, tag
from clinic.staff import commands, queries
from clinic.staff.schemas import (
    IssueSchema,
    MeSchema,
    RegistrationRequestSchema,
    RegistrationSchema,
    TokenRequestSchema,
    TokenSchema,
)

staff_api = Blueprint(
    "staff_api", __name__, url_prefix="/api/v1", description="Sign-in for scripts"
)


@staff_api.post("/tokens")
@open_to_all
@staff_api.arguments(TokenRequestSchema)
@staff_api.response(201, TokenSchema)
@staff_api.alt_response(401, description="The e-mail address or the password is not right")
@staff_api.alt_response(403, description="No role at that site today")
@staff_api.alt_response(429, description="Too many failed attempts; Retry-After says how long")
@staff_api.doc(security=[])
def open_token(given: dict[str, Any]) -> commands.Issued:
    """A bearer token for eight hours, with all the rights of the account at one site."""
    try:
        return commands.token_for(
            act(), given["email"], given["password"], request.remote_addr or "",
            given.get("site_id"),
        )  # fmt: skip
    except Invalid as refusal:
        raise SignInNeeded(refusal.detail) from refusal


@staff_api.post("/staff/<int:staff_id>/tokens")
@needs("tokens.manage")
@staff_api.arguments(IssueSchema)
@staff_api.response(201, TokenSchema)
@staff_api.alt_response(422, description="A scope, a site or a time the account may not have")
def issue_token(given: dict[str, Any], staff_id: int) -> commands.Issued:
    """A token for another system, such as a pharmacy's. It is told once."""
    return commands.issue_token(act(), staff_id=staff_id, **given)


@staff_api.get("/staff/<int:staff_id>/registration")
@needs("staff.manage")
@staff_api.response(200, RegistrationSchema)
@staff_api.alt_response(404, description="No such member of staff")
def registration(staff_id: int) -> Response:
    """The professional registration that signatures and prescription forms show. ETag to change it."""
    person = queries.one(act(), staff_id)
    return tag(jsonify(RegistrationSchema().dump(person)), person.registration_version)


@staff_api.put("/staff/<int:staff_id>/registration")
@needs("staff.manage")
@staff_api.arguments(RegistrationRequestSchema)
@staff_api.response(200, RegistrationSchema)
@staff_api.alt_response(404, description="No such member of staff")
@staff_api.alt_response(412, description="Somebody changed it since you read it")
@staff_api.alt_response(428, description="If-Match is needed")
def set_registration(given: dict[str, Any], staff_id: int) -> Response:
    """Correct it under the version that was read (If-Match). What it was stays."""
    commands.set_registration(act(), staff_id, version=if_match(), **given)
    person = queries.one(act(), staff_id)
    return tag(jsonify(RegistrationSchema().dump(person)), person.registration_version)


@staff_api.delete("/tokens/<int:token_id>")
@for_signed_in
@staff_api.response(204)
@staff_api.alt_response(404, description="No such token of yours")
def revoke_token(token_id: int) -> None:
    """End a token at once: any by an administrator, one's own by anybody."""
    commands.revoke_token(act(), token_id)


@staff_api.get("/me")
@for_signed_in
@staff_api.response(200, MeSchema)
def me() -> dict[str, Any]:
    """Who the bearer of the token is, and what it may do."""
    return {
        "staff_id": g.staff.staff_id,
        "name": g.staff.name,
        "site_id": g.staff.site_id,
        "site_name": g.staff.site_name,
        "roles": g.staff.roles,
        "rights": sorted(g.staff.rights),
    }
