"""The `throughcare` command: run the service, ask the stateless checks, look after the data."""

from __future__ import annotations

import sys
from typing import Any

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="throughcare")
def main() -> None:
    """Rapid prescribing, the first 28 days in prison, and no day without medicine.

    Settings come from the environment: THROUGHCARE_MODE (demo, test, production),
    THROUGHCARE_DATABASE_URL, THROUGHCARE_SECRET_KEY, THROUGHCARE_IDLE_MINUTES.

    \b
    First steps:
      throughcare migrate        bring the database to the newest revision
      throughcare demo load      fill an empty demonstration database
      throughcare serve          serve it at http://127.0.0.1:8000
    """


def _answer_lines(name: str) -> None:
    from clinic.checks import all_checks
    from dosing.shape import answer_lines

    every = answer_lines(all_checks()[name].run, sys.stdin.buffer, sys.stdout.write)
    sys.stdout.flush()
    sys.exit(0 if every else 1)


@main.group()
def dose() -> None:
    """Dose checks and saved dose decisions."""


@dose.command("check")
def dose_check() -> None:
    """Judge orders: JSON Lines in, one answer a line out.

    Exit 0 when every line was evaluated (whatever the outcome), 1 when any was refused.

    \b
    Example:
      throughcare dose check < orders.jsonl > answers.jsonl
    """
    _answer_lines("dose")


@main.group()
def timetable() -> None:
    """The first 28 days in custody."""


@timetable.command("plan")
def timetable_plan() -> None:
    """Work out 28-day timetables: JSON Lines in, one answer a line out."""
    _answer_lines("timetable")


@main.group()
def release() -> None:
    """Prescribing gaps on arrival, at court, on transfer and on release."""


@release.command("check")
def release_check() -> None:
    """Work out release gaps: JSON Lines in, one answer a line out."""
    _answer_lines("release")


@main.command("schema")
@click.argument("name", type=click.Choice(["dose", "timetable", "release"]))
@click.argument("side", type=click.Choice(["request", "response"]))
def schema(name: str, side: str) -> None:
    """Print the JSON Schema of a stateless check's request or response."""
    import json

    from clinic.checks import all_checks

    check = all_checks()[name]
    made = check.request_schema() if side == "request" else check.response_schema()
    click.echo(json.dumps(made, indent=2))


def _settings() -> Any:
    from config.settings import SettingsError, from_environment

    try:
        return from_environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


@main.command("migrate")
@click.option("--to", "revision", default="head", show_default=True, help="Revision to go to.")
def migrate_command(revision: str) -> None:
    """Bring the database to the newest revision (or to the one named, up or down)."""
    from clinic import migrate

    settings = _settings()
    if revision == "base":
        migrate.downgrade(settings.database_url, revision)
    else:
        migrate.upgrade(settings.database_url, revision)
    click.echo(f"The database is at {revision}.", err=True)


@main.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=int)
@click.option("--threads", default=4, show_default=True, type=int)
def serve(host: str, port: int, threads: int) -> None:
    """Serve the pages and the API from one process.

    With PostgreSQL, several processes may serve one database, for example
    gunicorn --worker-class gthread "clinic:create_app()".
    """
    import gc

    # Nothing that is loaded or made here is garbage, and looking for some takes a fifth of a start.
    gc.disable()
    import waitress

    from clinic import create_app

    app = create_app(_settings())
    gc.freeze()
    gc.enable()
    click.echo(f"Throughcare is at http://{host}:{port}", err=True)
    waitress.serve(app, host=host, port=port, threads=threads, ident="throughcare")


def _replay(room: str, number: int) -> None:
    """Judge something saved once more on the facts of its moment, and print both answers."""
    import json

    from clinic import clock
    from clinic.act import Act
    from clinic.errors import NotFound
    from clinic.roles import RIGHTS

    database = _database()
    # Read-only and with no patient shown, so nothing is added to the audit.
    with database.reading() as session:
        act = Act(session=session, at=clock.now(), staff_id=None, rights=frozenset(RIGHTS))
        try:
            if room == "dose":
                from clinic.prescriptions.queries import replay as again_dose

                dosed = again_dose(act, number)
                same, saved, now = dosed.same, dosed.saved, dosed.now
            elif room == "timetable":
                from clinic.custody.timetables import replay as again_timetable

                same, saved, now = again_timetable(act, number)
            else:
                from clinic.release.scoring import replay as again_release

                scored = again_release(act, number)
                same = scored["same"] and scored["rebuilt"]
                saved, now = scored["saved_answer"], scored["answer"]
        except NotFound as missing:
            raise click.ClickException(missing.detail) from missing
    click.echo(json.dumps({"same": same, "saved": saved, "now": now}, indent=2, ensure_ascii=False))
    sys.exit(0 if same else 1)


@dose.command("replay")
@click.argument("decision", type=int)
def dose_replay(decision: int) -> None:
    """Judge a saved dose decision again on what was known then. Exit 0 when the findings agree."""
    _replay("dose", decision)


@timetable.command("replay")
@click.argument("number", type=int)
def timetable_replay(number: int) -> None:
    """Plan a saved timetable again on what was known then. Exit 0 when they agree."""
    _replay("timetable", number)


@release.command("replay")
@click.argument("number", type=int)
def release_replay(number: int) -> None:
    """Score a saved release plan again on what was known then. Exit 0 when they agree."""
    _replay("release", number)


@main.command("set-up")
@click.option("--site", "site_name", prompt="Name of the first site")
@click.option("--kind", type=click.Choice(["community", "prison"]), prompt=True)
@click.option(
    "--nation",
    prompt=True,
    type=click.Choice(["england_and_wales", "scotland", "northern_ireland"]),
)
@click.option(
    "--rule-set", type=click.Choice(["uk-2017", "era-2003"]), default="uk-2017", show_default=True
)
@click.option("--name", prompt="Name of the first administrator")
@click.option("--email", prompt="Their e-mail address")
@click.option("--password", prompt="Their password", hide_input=True, confirmation_prompt=True)
def set_up(**given: str) -> None:
    """Make the first site and the first administrator of an empty service."""
    from clinic import clock
    from clinic.act import Act
    from clinic.errors import Trouble
    from clinic.staff import commands

    with _database().session() as session:
        act = Act(session=session, at=clock.now(), staff_id=None)
        try:
            commands.set_up(act, **given)
        except Trouble as trouble:
            raise click.ClickException(trouble.detail) from trouble
    click.echo("The service is set up. Sign in as the administrator.", err=True)


@main.group()
def audit() -> None:
    """The record of who saw or changed what."""


@audit.command("verify")
def audit_verify() -> None:
    """Walk every strand of the audit; say where any edit, removal or reorder is found.

    Keep the printed heads somewhere else: they show later that no newest entries were cut off.
    Exit 0 when every strand holds, 1 otherwise.
    """
    from clinic import audit as record
    from clinic import tables  # noqa: F401 - the audit refers to every other table
    from clinic.db import Database

    with Database(_settings().database_url).reading() as session:
        verdict = record.verify(session)
    for strand, seq, head in verdict.heads:
        click.echo(f"strand {strand:2d}  entries {seq:8d}  head {head[:16]}")
    for found in verdict.breaks:
        click.echo(f"strand {found.strand} entry {found.seq}: {found.says}", err=True)
    click.echo(f"{verdict.entries} entries, {len(verdict.breaks)} faults")
    sys.exit(1 if verdict.breaks else 0)


@main.group()
def sweeps() -> None:
    """Work that follows the clock, each piece done once for each day."""


def _database() -> Any:
    from clinic import logs, rooms  # noqa: F401 - the rooms bring their tables and sweeps
    from clinic.db import Database

    settings = _settings()
    logs.keep_from(settings.log_level)
    return Database(settings.database_url)


@sweeps.command("run")
def sweeps_run() -> None:
    """Run the scheduler, in this process and no other, until it is stopped.

    It makes up missed days at start. A second one started by accident does no harm: each run is
    claimed in the database first.
    """
    from clinic.sweeps import runner

    runner.run_for_ever(_database())


@sweeps.command("once")
@click.argument("name", required=False)
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The London day to run for.")
@click.option("--again", is_flag=True, help="Repeat a day that is already done.")
def sweeps_once(name: str | None, day: Any, again: bool) -> None:
    """Run one sweep for a day by hand, or everything that is owed when none is named.

    \b
    Examples:
      throughcare sweeps once
      throughcare sweeps once audit-heads --on 2026-11-23
    """
    from clinic import clock
    from clinic.sweeps import runner
    from clinic.sweeps.schedule import SWEEPS

    database = _database()
    if name is None:
        outcomes = runner.catch_up(database)
    elif name in SWEEPS:
        on = day.date() if day else clock.today()
        outcomes = [runner.run(database, name, on, again=again)]
    else:
        raise click.ClickException(f"no sweep is called {name}; there are: {', '.join(SWEEPS)}")
    for each in outcomes:
        what = each.says or "" if each.did is None else each.did
        click.echo(f"{each.day}  {each.name}  {each.outcome}  {what}")
    sys.exit(1 if any(each.outcome == "failed" for each in outcomes) else 0)


@main.group("groups")
def groups_of_prisons() -> None:
    """Groups of the first 28 days in custody."""


@groups_of_prisons.command("plan")
@click.argument("plan_id", type=int)
@click.option("--seconds", type=int, help="Seconds of solving; what GP-14 allows if not given.")
def groups_plan(plan_id: int, seconds: int | None) -> None:
    """Work out a plan that was asked for. The service starts this itself; twice does no harm."""
    import os

    from clinic.groups import planner

    os.nice(5)  # whoever waits for a page comes first
    click.echo(f"Plan {plan_id}: {planner.work_out(_database(), plan_id, seconds)}.", err=True)


@main.group()
def demo() -> None:
    """A demonstration with synthetic people, never for real ones."""


@demo.command("load")
@click.option("--if-empty", is_flag=True, help="Say nothing and do nothing when people are there.")
def demo_load(if_empty: bool) -> None:
    """Fill an empty demonstration database and print who to sign in as."""
    from clinic.demo import load

    settings = _settings()
    if not settings.demo:
        raise click.ClickException("The demonstration is refused in production mode.")
    database = _database()
    say = lambda text: click.echo(text, err=True)  # noqa: E731 - one line each, to standard error
    if load.is_empty(database):
        load.load(database, say)
    elif if_empty:
        load.print_sign_ins(say)
    else:
        raise click.ClickException("The database is not empty.")


@main.group("bench", invoke_without_command=True)
@click.option(
    "--database-url", help="An empty database of its own; a throw-away SQLite file if not given."
)
@click.option("--people", default=400, show_default=True, help="People waiting, one booking each.")
@click.option("--reads", default=1500, show_default=True, help="Reads of free places.")
@click.option("--doses", default=150, show_default=True, help="People assessed, one dose each.")
@click.option(
    "--examples", default="tests/contracts", show_default=True, type=click.Path(file_okay=False)
)
@click.pass_context
def bench(
    asked: click.Context,
    database_url: str | None,
    people: int,
    reads: int,
    doses: int,
    examples: str,
) -> None:
    """Measure the service against a bare Flask floor, on the same database in the same run."""
    if asked.invoked_subcommand is not None:
        return
    import tempfile
    from pathlib import Path

    from clinic import tables  # noqa: F401 - every table is known before the first is used
    from clinic.bench import run

    with tempfile.TemporaryDirectory() as folder:
        url = database_url or f"sqlite:///{folder}/bench.sqlite"
        # SQLite is served from one process, as it is in use.
        processes = 1 if url.startswith("sqlite") else run.PROCESSES
        run.compare(url, people, reads, doses, click.echo, processes)
    if (Path(examples) / "dose-check.examples.jsonl").exists():
        run.checks(Path(examples), 10_000, click.echo)


@bench.command("access")
@click.option(
    "--database-url",
    "urls",
    multiple=True,
    help="Four empty databases of their own; throw-away SQLite files if not given.",
)
def bench_access(urls: tuple[str, ...]) -> None:
    """A tenfold history, 50 clients for one place, chains, and whether SQLite's writers starve."""
    import tempfile
    from pathlib import Path

    from clinic import tables  # noqa: F401 - every table is known before the first is used
    from clinic.bench import access, run

    if urls and len(urls) != access.DATABASES:
        raise click.UsageError(f"Give --database-url {access.DATABASES} times, or not at all.")
    with tempfile.TemporaryDirectory() as folder:
        own = [f"sqlite:///{folder}/access_{nth}.sqlite" for nth in range(access.DATABASES)]
        access.measure(list(urls) or own, click.echo, run.PROCESSES if urls else 1)
        access.fairness(Path(folder), click.echo)


@bench.command("groups")
@click.option("--people", type=int, help="One wing of so many people; 60 and 150 if not given.")
@click.option(
    "--seconds", type=int, help="Seconds of solving; what each wing is allowed if not given."
)
def bench_groups(people: int | None, seconds: int | None) -> None:
    """How long a plan of groups takes, and its gap to the solver's bound, for 28 days of a wing."""
    from clinic.bench import groups
    from scheduling.group_solver import seconds_for

    for wing in groups.WINGS if people is None else [people]:
        groups.measure(wing, seconds or seconds_for(wing), click.echo)


@bench.command("custody")
def bench_custody() -> None:
    """The board of a wing in a prison of 1,200, and what the nightly sweep costs by people there."""
    import tempfile
    from pathlib import Path

    from clinic.bench import custody

    with tempfile.TemporaryDirectory() as folder:
        custody.measure_board(Path(folder), click.echo)
        custody.measure_sweep(Path(folder), click.echo)


@bench.command("continuity")
@click.option(
    "--database-url",
    "urls",
    multiple=True,
    help="Four empty databases of their own; throw-away SQLite files if not given.",
)
def bench_continuity(urls: tuple[str, ...]) -> None:
    """How soon flags follow a changed date or a closed pharmacy, and what the nightly sweep costs."""
    import tempfile

    from clinic.bench import continuity

    if urls and len(urls) != continuity.DATABASES:
        raise click.UsageError(f"Give --database-url {continuity.DATABASES} times, or not at all.")
    with tempfile.TemporaryDirectory() as folder:
        own = [f"sqlite:///{folder}/plans-{nth}.sqlite" for nth in range(continuity.DATABASES)]
        continuity.measure(list(urls) or own, click.echo)


if __name__ == "__main__":
    main()
