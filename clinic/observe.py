"""Is the service well? Structured logs, health for a load balancer, metrics for Prometheus.

Logs carry ids only: no names, no numbers, no doses, no query strings.
"""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, g, jsonify, request
from prometheus_client import CollectorRegistry
from prometheus_flask_exporter import PrometheusMetrics

from clinic import logs, migrate
from clinic.auth import open_to_all
from clinic.errors import NotReady
from clinic.soundness import failing_rules


def init_app(app: Flask) -> None:
    """Log each request once it is answered; open /health/live, /health/ready and /metrics."""
    state: dict[str, Any] = {}

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _log(response: Response) -> Response:
        staff = g.get("staff")
        logs.info(
            "request",
            request_id=g.get("request_id"),
            method=request.method,
            endpoint=request.endpoint,
            status=response.status_code,
            staff=staff.staff_id if staff else None,
            ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
        )
        if "request_id" in g:
            response.headers["X-Request-Id"] = g.request_id
        return response

    @app.get("/health/live")
    @open_to_all
    def live() -> Response:
        """The process answers."""
        return jsonify(status="live")

    @app.get("/health/ready")
    @open_to_all
    def ready() -> Response:
        """The database is there and at the newest revision, and the rules passed their examples."""
        if not state.get("migrated"):
            try:
                state["migrated"] = migrate.at_head(app.extensions["database"])
            except Exception as error:
                logs.warning("not ready", error=type(error).__name__)
                raise NotReady("The database cannot be reached.") from error
        if not state["migrated"]:
            raise NotReady("The database is not at the newest revision. Run: throughcare migrate")
        if shut := failing_rules(app):
            told = "; ".join(f"no {drug}: {', '.join(rules)}" for drug, rules in shut.items())
            raise NotReady(f"Rules fail their own worked examples, so {told}.", more={"shut": shut})
        return jsonify(status="ready")

    metrics = PrometheusMetrics(
        app, registry=CollectorRegistry(auto_describe=True), group_by="endpoint"
    )
    app.extensions["metrics"] = metrics
    app.view_functions["prometheus_metrics"].right = "open to all"  # type: ignore[attr-defined]
