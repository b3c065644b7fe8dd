"""Many people from one: the rows a command wrote, copied with their ids moved on.

A bench stands in seconds so, and every copy is a row the service itself wrote once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Integer, Table, func, insert, literal, select, text, true

from clinic import tables
from clinic.act import Act

STEP = 1_000
"""Ids of a copy are those of the first and so much more: more than one person's rows."""

Vary = Callable[[Table, Column[Any], Any], Any]


def last_ids(act: Act, names: Sequence[str]) -> dict[str, int]:
    """The newest id of each table: where the rows of the next person begin."""
    return {
        name: act.session.scalar(select(func.max(tables.metadata.tables[name].c.id))) or 0
        for name in names
    }


def copy(
    act: Act,
    names: Sequence[str],
    times: int,
    vary: Vary,
    *,
    after: Mapping[str, int] | None = None,
    upto: Mapping[str, int] | None = None,
) -> None:
    """So many copies of the rows of these tables, each pointing at the copies of what it points at.

    `vary` gives a column of a copy another value, or None to keep it; its third argument is the
    number of the copy. `after`, `upto`: of the rows with an id past these, and to these.
    """
    numbers = select(literal(1, Integer).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < times))
    for name in names:
        table = tables.metadata.tables[name]
        columns: dict[str, Any] = {}
        for column in table.columns:
            varied = vary(table, column, numbers.c.n)
            points_at = {each.column.table.name for each in column.foreign_keys}
            if varied is not None:
                columns[column.name] = varied
            elif column.name == "id" or points_at & set(names):
                columns[column.name] = column + numbers.c.n * STEP
            else:
                columns[column.name] = column
        first, last = (after or {}).get(name, 0), (upto or {}).get(name, STEP - 1)
        act.session.execute(
            insert(table).from_select(
                list(columns),
                select(*columns.values())
                .select_from(table)
                .join(numbers, true())
                .where(table.c.id > first, table.c.id <= last),
            )
        )
        if act.session.get_bind().dialect.name == "postgresql":
            newest = select(func.max(table.c.id)).scalar_subquery()
            act.session.execute(
                select(func.setval(func.pg_get_serial_sequence(name, "id"), newest))
            )
    act.session.commit()
    act.session.execute(text("ANALYZE"))
    act.session.commit()
