"""What have all addresses and all answers of the service in common?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from werkzeug.routing import IntegerConverter, Map, Rule

from clinic import ui
from clinic.errors import NotFound
from dosing.shape import Day, Refused

LAST_ROW: Final = 2**31 - 1


class Service(Flask):
    """An application none of whose functions is asynchronous, so none is looked at for it."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


class Cookies(SecureCookieSessionInterface):
    """The signed cookie of a page; where none came, as with all of the API, there is no check."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


class RowNumber(IntegerConverter):
    """A number in an address. One too large for any row is no address of ours, and no fault."""

    regex = "[0-9]{1,10}"  # not \d, which the figures of every script are

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=LAST_ROW)


class Address(Rule):
    """An address whose link is built when somebody first shows it.

    Werkzeug compiles two functions for each of some six hundred addresses at start. Where it does
    so by another name one day, it is only slower again.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(super(Address, self)._compile_builder(append_unknown))
            return made[0](rule, **values)

        return build


def row_number(text: str | None) -> int | None:
    """The number of a row that this text could be, 1 to 2,147,483,647; None where it is none.

    Read with care: there are figures that are digits and no decimals, and numbers whose length
    alone stops Python or a database.
    """
    if not text or len(text) > 10 or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if 1 <= number <= LAST_ROW else None


def read_day(text: str) -> date:
    """A date in an address; anything else is no address of ours."""
    try:
        return Day().read(text, "on")
    except Refused:
        raise NotFound from None


SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
ONLY_BY_HTTPS: Final = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
SHOWS_RECORDS: Final = frozenset({"text/html", "application/json", "application/problem+json"})


def send_safe_headers(app: Flask) -> None:
    always = SAFE | (ONLY_BY_HTTPS if app.config["SETTINGS"].secure_cookies else {})

    @app.after_request
    def _headers(response: Response) -> Response:
        own = f"'self' 'nonce-{ui.csp_nonce()}'"
        wanted = {
            **always,
            "Content-Security-Policy": f"default-src 'none'; script-src {own}; style-src {own}; "
            "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'",
        }
        if response.mimetype in SHOWS_RECORDS:
            wanted["Cache-Control"] = "no-store"
        said = {name.lower() for name, _ in response.headers}
        response.headers.extend(
            {name: value for name, value in wanted.items() if name.lower() not in said}
        )
        return response
