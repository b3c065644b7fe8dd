"""The house holds: arrows, clocks, exactness, sources, migrations. Checked from the outside."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from jinja2 import Environment, nodes
from sqlalchemy import create_engine, inspect, text

from clinic import tables  # noqa: F401 - a row may point at any of them
from clinic.db import Database
from clinic.migrate import downgrade, newest, upgrade
from tests.support.people import a_member_of_staff, a_site

ROOT = Path(__file__).parents[1]
PURE = ("dosing", "scheduling")
PACKAGES = (*PURE, "config", "clinic", "migrations")


def modules(*packages: str) -> Iterator[tuple[str, str]]:
    """Name (from the root) and text of every module in these packages."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_the_arrows_point_one_way() -> None:
    answer = subprocess.run(
        [
            *(
                sys.executable,
                "-c",
                "from importlinter.cli import lint_imports_command as lint; lint()",
            ),
            "--no-cache",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_lock_names_no_host_but_the_public_ones() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")

    hosts = {urlsplit(found).hostname for found in re.findall(r'https?://[^"\s]+', lock)}

    assert hosts == {"pypi.org", "files.pythonhosted.org"}
    assert "file://" not in lock


def test_every_dependency_is_pinned_or_locked_with_a_hash() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))

    unhashed = [
        package["name"]
        for package in lock["package"]
        if "registry" in package["source"]
        and not all("hash" in wheel for wheel in package.get("wheels", [package.get("sdist", {})]))
    ]

    assert not unhashed


CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "localtime"),
}


def calls(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, object and name of every call written `object.name(...)`, or `name(...)`."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute):
            owner = node.func.value
            yield (
                node.lineno,
                owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", ""),
                node.func.attr,
            )
        elif isinstance(node.func, ast.Name):
            yield node.lineno, "", node.func.id


def test_only_the_clock_reads_the_clock() -> None:
    readers = [
        f"{name}:{line} {owner}.{called}()"
        for name, source in modules(*PACKAGES)
        if name != "clinic/clock.py"
        for line, owner, called in calls(source)
        if (owner, called) in CLOCKS
    ]

    assert not readers


def test_nobody_keeps_a_copy_of_the_clock_that_a_test_could_not_stop() -> None:
    copies = [
        f"{name}:{node.lineno}"
        for name, source in modules("clinic")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == "clinic.clock"
    ]

    assert not copies, "import the module (`from clinic import clock`), not its functions"


def test_no_float_is_born_where_doses_and_days_are_judged() -> None:
    floats = [
        f"{name}:{node.lineno}"
        for name, source in modules(*PURE)
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "float"
        )
    ]

    assert not floats


def test_decision_records_are_numbered_without_holes() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("*.md"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_a_style_sheet_brings_no_font_and_no_other_host() -> None:
    for path in (ROOT / "clinic" / "static").rglob("*.css"):
        sheet = path.read_text(encoding="utf-8")

        assert "@font-face" not in sheet, path
        assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]*", sheet), path
        assert not re.findall(r"@import[^;]*//", sheet), path


def test_a_template_loads_nothing_from_another_host() -> None:
    for path in (ROOT / "clinic" / "templates").rglob("*.jinja"):
        template = path.read_text(encoding="utf-8")

        loads = re.findall(
            r"<(?:script|img|iframe|link|source|form)\b[^>]*(?:src|href|action)\s*=\s*['\"]"
            r"(?:https?:)?//[^'\"]*",
            template,
        )

        assert not loads, path


def test_a_template_says_what_it_prints_when_a_condition_does_not_hold() -> None:
    """A blank that nobody wrote is a fault when it is printed: see `clinic.ui`."""
    for path in (ROOT / "clinic" / "templates").rglob("*.jinja"):
        for output in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Output):
            for printed in output.nodes:
                unsaid = isinstance(printed, nodes.CondExpr) and printed.expr2 is None
                assert not unsaid, f"{path}:{printed.lineno}"


def heads() -> list[str]:
    return list(ScriptDirectory(str(ROOT / "migrations")).get_heads())


def test_the_migrations_have_one_head_and_read_in_order() -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    names = [path.name for path in sorted((ROOT / "migrations" / "versions").glob("0*.py"))]

    walked = [Path(step.path).name for step in reversed(list(script.walk_revisions()))]

    assert heads() == [newest()]
    assert walked == names


def shape(url: str) -> dict[str, object]:
    """Tables, columns, keys, indexes and triggers of a database, to be compared."""
    engine = create_engine(url)
    seen = inspect(engine)
    found: dict[str, object] = {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"])
                for column in seen.get_columns(table)
            ],
            "foreign": sorted(
                (str(key["constrained_columns"]), key["referred_table"])
                for key in seen.get_foreign_keys(table)
            ),
            "unique": sorted(
                str(key["column_names"]) for key in seen.get_unique_constraints(table)
            ),
            "indexes": sorted(str(key["name"]) for key in seen.get_indexes(table)),
            "checks": sorted(str(key["sqltext"]) for key in seen.get_check_constraints(table)),
        }
        for table in sorted(seen.get_table_names())
    }
    engine.dispose()
    found["triggers"] = triggers(url)
    return found


def triggers(url: str) -> list[str]:
    """The names of the triggers of a database."""
    engine = create_engine(url)
    asking = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if engine.dialect.name == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with engine.connect() as connection:
        found = sorted(connection.scalars(text(asking)))
    engine.dispose()
    return found


def test_every_step_can_be_taken_back_and_taken_again(empty_url: str) -> None:
    upgrade(empty_url)
    before = shape(empty_url)
    downgrade(empty_url, "base")
    emptied = shape(empty_url)
    upgrade(empty_url)

    assert set(emptied) - {"alembic_version", "triggers"} == set()
    assert emptied["triggers"] == []
    assert shape(empty_url) == before


# Losing one of these would let the past be rewritten without a sound.
AUDIT_TRIGGERS = {
    "sqlite": {"audit_entry_no_update", "audit_entry_no_delete", "audit_entry_follows"},
    "postgresql": {"audit_entry_no_change", "audit_entry_no_truncate", "audit_entry_follows"},
}


def test_no_step_loses_a_trigger_without_saying_so(empty_url: str, engine_name: str) -> None:
    lost = []
    standing: set[str] = set()
    for step in reversed(list(ScriptDirectory(str(ROOT / "migrations")).walk_revisions())):
        upgrade(empty_url, step.revision)
        now = set(triggers(empty_url))
        said = Path(step.path).read_text(encoding="utf-8")
        lost += [f"{step.revision} {name}" for name in standing - now if name not in said]
        standing = now

    assert not lost, "rebuilding a table in SQLite drops its triggers: create them again"
    assert standing >= AUDIT_TRIGGERS[engine_name]


REBUILD = """
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    for table in ("staff", "site"):
        with op.batch_alter_table(table, recreate="always"):
            pass
    {then}


def downgrade():
    pass
"""


def rebuild(folder: Path, then: str = "") -> str:
    """The URL of an SQLite database whose tables are rebuilt while they hold a team."""
    url = f"sqlite:///{folder}/rebuilt.sqlite"
    upgrade(url)
    database = Database(url)
    with database.transaction() as session:
        a_member_of_staff(session, a_site(session), "nurse")
    database.engine.dispose()
    steps = shutil.copytree(ROOT / "migrations", folder / "migrations")
    (steps / "versions" / "9999_rebuild.py").write_text(REBUILD.format(head=heads()[0], then=then))
    config = Config()
    config.set_main_option("script_location", str(steps))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except ZeroDivisionError:
        assert then
    return url


def test_rebuilding_a_table_leaves_the_rows_that_point_at_it(tmp_path: Path) -> None:
    engine = create_engine(rebuild(tmp_path))

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT role FROM staff_role")) == "nurse"
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()


def test_a_step_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    url = rebuild(tmp_path, then="1 / 0")
    engine = create_engine(url)

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == heads()[0]
        assert connection.scalar(text("SELECT role FROM staff_role")) == "nurse"
    assert not [name for name in inspect(engine).get_table_names() if name.startswith("_alembic_")]
    engine.dispose()


def test_a_served_process_knows_every_table_without_having_migrated_and_holds_no_solver() -> None:
    asking = (
        "from clinic import create_app\n"
        "from config.settings import Settings\n"
        "create_app(Settings(mode='test'))\n"
        "from clinic.db import Base\n"
        "known = set(Base.metadata.tables)\n"
        "import clinic.tables\n"
        "print(*sorted(set(Base.metadata.tables) - known))\n"
        "import sys\n"
        "print(*({'ortools', 'numpy', 'pandas'} & set(sys.modules)))\n"
        # Decision 21: one database's words, and no class joined up by a statement made at import.
        "print(*({'sqlalchemy.dialects.postgresql', 'simpy'} & set(sys.modules)))\n"
        "print(*(each for each in Base.registry.mappers if each.configured))\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", asking], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert answer.stdout.split() == []


# -- the hazard log --------------------------------------------------------------------------

SAFETY = (ROOT / "SAFETY.md").read_text(encoding="utf-8")
HAZARDS = re.findall(r"^\| (H-\d{3}) \|", SAFETY, re.MULTILINE)
# Each part of the log that proves a hazard's controls, by its id.
PROOFS = dict(re.findall(r"^### (H-\d{3}) .*\n((?:(?!##).*\n?)*)", SAFETY, re.MULTILINE))


def guards() -> dict[str, set[str]]:
    """The rules and gates that name each hazard, in their own entry or at the head of their file."""
    found: dict[str, set[str]] = {}
    for package in PURE:
        for path in sorted((ROOT / package).glob("*.toml")):
            read = tomllib.loads(path.read_text(encoding="utf-8"))
            for entry in (*read.get("rule", []), *read.get("gate", [])):
                hazard = entry.get("hazard", read.get("hazard"))
                if hazard is not None:
                    found.setdefault(hazard, set()).add(entry["id"])
    return found


def rules_listed(part: str) -> set[str]:
    """The ids of a part's line of rules; `G-DT-01 to G-DT-05` names every number between."""
    line = re.search(r"^Rules: (.*)\.$", part, re.MULTILINE)
    listed = set()
    for named in line[1].split(", ") if line else ():
        first, _, last = named.partition(" to ")
        stem, number = re.fullmatch(r"(.*?)(\d+)", first).groups()  # type: ignore[union-attr]
        to = int(last.removeprefix(stem)) if last else int(number)
        listed |= {f"{stem}{each:0{len(number)}d}" for each in range(int(number), to + 1)}
    return listed


def test_every_hazard_lists_the_tests_that_prove_its_controls() -> None:
    assert len(HAZARDS) == len(set(HAZARDS))
    assert list(PROOFS) == HAZARDS

    without = [hazard for hazard, part in PROOFS.items() if not re.search("^- `tests/", part, re.M)]

    assert not without


def test_every_test_the_hazard_log_names_is_there() -> None:
    gone = []
    for path, name in re.findall(r"`(tests/\S+\.py)::(\w+)`", SAFETY):
        file = ROOT / path
        written = (
            ast.parse(file.read_text(encoding="utf-8")) if file.exists() else ast.Module([], [])
        )
        if not any(
            isinstance(each, ast.FunctionDef) and each.name == name for each in written.body
        ):
            gone.append(f"{path}::{name}")

    assert not gone


def test_the_hazard_log_and_the_rule_files_name_the_same_rules() -> None:
    held = guards()

    assert held.keys() <= set(HAZARDS)
    listed = {hazard: rules_listed(part) for hazard, part in PROOFS.items()}
    assert listed == {hazard: held.get(hazard, set()) for hazard in PROOFS}
