"""Do the rules do their own worked examples? What fails them saves no dose of its medicine.

A rule of methadone that fails shuts methadone, one of buprenorphine buprenorphine, any other both;
one of complexity or assessment holds first doses, and no dose of somebody on treatment. Until the
examples have run, nothing is known and nothing is saved. They run beside the first answers of a
service that has just started, because they take longer than all the rest of its start.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from itertools import chain
from threading import Thread

from flask import Flask, current_app, has_app_context

from clinic.errors import NotReady
from dosing.check import rulebook
from dosing.examples import try_examples
from dosing.rulebook import DRUGS, drugs_of
from scheduling import practice_examples

FIRST_DOSES = "first doses"


def init_app(app: Flask) -> None:
    """Begin the examples now; a worker forked from this process begins them anew."""

    def begin() -> Thread:
        trial = Thread(target=lambda: app.extensions.update(rule_failures=_run()), daemon=True)
        trial.start()
        return trial

    @app.before_request
    def _begin_after_a_fork() -> None:
        if failures(app) is None and not app.extensions["rule_trial"].is_alive():
            app.extensions["rule_trial"] = begin()

    app.extensions["rule_trial"] = begin()


def failures(app: Flask | None = None) -> Sequence[str] | None:
    """One line for each worked example that fails, its rule first; None while they are still running."""
    if app is None and not has_app_context():
        return _run()
    found: Sequence[str] | None = (app or current_app).extensions.get("rule_failures")
    return found


@cache
def _run() -> list[str]:
    """Once in a process. Whoever asks for an answer meanwhile goes first."""
    found = []
    for failure in chain(try_examples(rulebook()), practice_examples.try_examples()):
        time.sleep(0)
        if failure is not None:
            found.append(failure)
    return found


def failing_rules(app: Flask | None = None) -> dict[str, list[str]]:
    """The rules that fail, by the medicine each shuts, or by `FIRST_DOSES`; only what is shut. NotReady."""
    lines = failures(app)
    if lines is None:
        raise NotReady("The rules are still trying their own worked examples.")
    rules = sorted({line.split()[0] for line in lines})
    shut = {
        each: [rule for rule in rules if each in _shuts(rule)] for each in (*DRUGS, FIRST_DOSES)
    }
    return {each: failing for each, failing in shut.items() if failing}


def _shuts(rule: str) -> tuple[str, ...]:
    return (FIRST_DOSES,) if rule.startswith(practice_examples.FIRST_DOSES) else drugs_of(rule)


def shut_medicines() -> dict[str, list[str]]:
    """As `failing_rules`, for the banner of every page; nothing while the examples are running."""
    return failing_rules() if failures() is not None else {}


def must_be_open(drug: str) -> None:
    """NotReady while a rule of this medicine fails its own worked examples: no dose is saved on it."""
    if failing := failing_rules().get(drug):
        raise NotReady(
            f"Rules fail their own worked examples ({', '.join(failing)}). No dose of {drug} is saved."
        )


def must_allow_first_doses() -> None:
    """NotReady while a rule that first doses wait for fails its own worked examples."""
    if failing := failing_rules().get(FIRST_DOSES):
        raise NotReady(
            f"Rules fail their own worked examples ({', '.join(failing)}). No first dose is saved."
        )
