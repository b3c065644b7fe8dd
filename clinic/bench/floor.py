"""The floor of the benchmark: a bare service, nothing but Flask and a unique index.

It signs nobody in and checks nothing but that a place is not sold twice; a dose it takes is written
with one bare audit row, in one transaction.
"""

from __future__ import annotations

import sys
from datetime import datetime

from flask import Flask, jsonify, request
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError


def create_floor(url: str) -> Flask:
    app = Flask("floor")
    engine = create_engine(url, pool_size=20)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _connect(connection, record):  # type: ignore[no-untyped-def]
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA busy_timeout=20000")

    @app.post("/bookings")
    def book():  # type: ignore[no-untyped-def]
        given = request.get_json()
        try:
            with engine.begin() as connection:
                connection.execute(
                    text("INSERT INTO floor_booking (place, person) VALUES (:place, :person)"),
                    given,
                )
        except IntegrityError:
            return jsonify(error="taken"), 409
        return jsonify(place=given["place"]), 201

    @app.post("/doses")
    def dose():  # type: ignore[no-untyped-def]
        given = request.get_json()
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO floor_dose (person, dose) VALUES (:person, :dose)"), given
            )
            connection.execute(
                text("INSERT INTO floor_audit (at, what, person) VALUES (:at, 'dose', :person)"),
                {"at": given["at"], "person": given["person"]},
            )
        return jsonify(person=given["person"]), 201

    @app.get("/free")
    def free():  # type: ignore[no-untyped-def]
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT p.id, p.starts_at FROM floor_place p LEFT JOIN floor_booking b"
                    " ON b.place = p.id WHERE b.id IS NULL AND p.starts_at >= :first"
                    " AND p.starts_at < :last ORDER BY p.starts_at"
                ),
                {"first": request.args["from"], "last": request.args["to"]},
            ).all()
        return jsonify([{"id": place, "starts_at": starts_at} for place, starts_at in rows])

    return app


def prepare_floor(url: str, starts: list[datetime]) -> None:
    """Two tables and their places. Instants are ISO text, as a bare service would keep them."""
    engine = create_engine(url)
    key = "INTEGER PRIMARY KEY" if engine.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"
    with engine.begin() as connection:
        for table in ("floor_booking", "floor_place", "floor_dose", "floor_audit"):
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
        connection.execute(
            text("CREATE TABLE floor_place (id INTEGER PRIMARY KEY, starts_at TEXT)")
        )
        connection.execute(
            text(f"CREATE TABLE floor_booking (id {key}, place INTEGER UNIQUE, person INTEGER)")
        )
        connection.execute(
            text(f"CREATE TABLE floor_dose (id {key}, person INTEGER, dose INTEGER)")
        )
        connection.execute(
            text(f"CREATE TABLE floor_audit (id {key}, at TEXT, what TEXT, person INTEGER)")
        )
        connection.execute(
            text("INSERT INTO floor_place (id, starts_at) VALUES (:id, :at)"),
            [{"id": number, "at": at.isoformat()} for number, at in enumerate(starts, 1)],
        )
    engine.dispose()


if __name__ == "__main__":
    import waitress

    url, port, threads = sys.argv[1:]
    waitress.serve(create_floor(url), port=int(port), threads=int(threads), _quiet=True)
