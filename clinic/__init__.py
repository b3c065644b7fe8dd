"""Throughcare: the service's face. `create_app` is its table of contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """One service, wired in the order a request meets it.

    What it needs is loaded here and not with the package, so that a command which serves nothing
    starts at once.
    """
    from flask_wtf.csrf import CSRFProtect

    from clinic import (
        auth,
        checks,
        errors,
        home,
        logs,
        observe,
        openapi,
        rooms,
        soundness,
        tables,
        ui,
        web,
    )
    from clinic.db import Database
    from config.settings import from_environment

    settings = settings or from_environment()
    app = web.Service(__name__, static_folder="static", template_folder="templates")
    app.session_interface = web.Cookies()
    app.url_rule_class = web.Address
    app.url_map.converters["int"] = web.RowNumber
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

    logs.keep_from(settings.log_level)
    observe.init_app(app)
    auth.init_app(app)
    errors.init_app(app)
    csrf = CSRFProtect(app)
    ui.init_app(app)
    home.init_app(app)
    web.send_safe_headers(app)

    document = openapi.init_app(app)
    for room in rooms.ALL:
        for blueprint in getattr(room, "api_blueprints", ()):
            csrf.exempt(blueprint)  # the API takes bearer tokens only, which a browser never adds
            document.register_blueprint(blueprint)
        for blueprint in getattr(room, "page_blueprints", ()):
            app.register_blueprint(blueprint)
    csrf.exempt(
        checks.checks_api
    )  # open to other systems, and nothing is stored for a forger to gain
    document.later(lambda: checks.describe(app, document))
    document.later(lambda: openapi.describe_refusals(document))

    auth.guard(app)
    soundness.init_app(app)
    return app
