"""Throughcare: the service's face. `create_app` is its table of contents."""

from __future__ import annotations

from flask import Flask, Response
from flask_wtf.csrf import CSRFProtect
from werkzeug.routing import IntegerConverter, Map

from clinic import auth, checks, errors, home, observe, openapi, soundness, tables, ui
from clinic.db import Database
from config.settings import Settings, from_environment


class RowNumber(IntegerConverter):
    """A number in an address. One too large for any row is no address of ours, and no fault."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=2**31 - 1)


def create_app(settings: Settings | None = None) -> Flask:
    """One service, wired in the order a request meets it."""
    settings = settings or from_environment()
    app = Flask(__name__, static_folder="static", template_folder="templates")
    app.url_map.converters["int"] = RowNumber
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=settings.body_bytes,
        SESSION_COOKIE_NAME="throughcare",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,  # the sign-in itself times out; a form left open overnight fails there
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["database"] = Database(settings.database_url)
    app.extensions["tables"] = tables.metadata  # every table is known, whichever room asks first

    observe.set_up_logs(settings)
    observe.init_app(app)
    auth.init_app(app)
    errors.init_app(app)
    csrf = CSRFProtect(app)
    ui.init_app(app)
    home.init_app(app)
    _send_safe_headers(app)

    document = openapi.init_app(app)
    for room in _rooms():
        for blueprint in getattr(room, "api_blueprints", ()):
            csrf.exempt(blueprint)  # the API takes bearer tokens only, which a browser never adds
            document.register_blueprint(blueprint)
        for blueprint in getattr(room, "page_blueprints", ()):
            app.register_blueprint(blueprint)
    csrf.exempt(
        checks.checks_api
    )  # open to other systems, and nothing is stored for a forger to gain
    checks.describe(app, document)
    openapi.describe_refusals(document)

    auth.guard(app)
    soundness.init_app(app)
    return app


def _rooms() -> list[object]:
    """The rooms of the service. Each lists its `api_blueprints` and `page_blueprints`."""
    from clinic import rooms

    return rooms.ALL


def _send_safe_headers(app: Flask) -> None:
    @app.after_request
    def _headers(response: Response) -> Response:
        own = f"'self' 'nonce-{ui.csp_nonce()}'"
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'none'; script-src {own}; style-src {own}; img-src 'self' data:; "
            "font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
            "base-uri 'none'; manifest-src 'self'",
        )
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=()"
        )
        if response.mimetype in ("text/html", "application/json", "application/problem+json"):
            response.headers.setdefault("Cache-Control", "no-store")
        if app.config["SETTINGS"].secure_cookies:
            response.headers.setdefault(
                "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
            )
        return response
