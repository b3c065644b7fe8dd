"""Who saw or changed what, and has the record of it been touched since?

Append-only and hash-chained, reads included. Entries fall into sixteen strands (by patient, else
by member of staff), each its own chain, so that work on one patient does not queue behind work on
all the others. An entry is written in the same transaction as the change it describes. The head
of each strand is printed by `throughcare audit verify`: keep that print elsewhere, because a chain
alone cannot show that its newest entries were cut off together with their head.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    ForeignKey,
    Insert,
    RowMapping,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    union_all,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from clinic.db import Base

STRANDS = 16
AT_ONCE = 20
"""So many entries are written in one statement."""

FIRST_HASH = "0" * 64


class AuditEntry(Base):
    """One thing somebody did or saw. Never changed, never removed."""

    __tablename__ = "audit_entry"
    __table_args__ = (UniqueConstraint("strand", "seq"),)

    strand: Mapped[int]
    seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    role: Mapped[str | None]
    action: Mapped[str]
    outcome: Mapped[str]
    purpose: Mapped[str | None]
    request_id: Mapped[str | None]
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The newest entry of one strand; taking its row lock orders the appends."""

    __tablename__ = "audit_head"

    strand: Mapped[int] = mapped_column(unique=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True)
class Note:
    """One entry waiting for its transaction to end."""

    at: datetime
    action: str
    staff_id: int | None
    site_id: int | None
    role: str | None
    patient_id: int | None = None
    outcome: str = "done"
    purpose: str | None = None
    request_id: str | None = None
    detail: dict[str, Any] | None = None

    @property
    def strand(self) -> int:
        return (self.patient_id or self.staff_id or 0) % STRANDS


def queue(session: Session, note: Note) -> None:
    """Hold a note until the transaction of this session is about to commit."""
    session.info.setdefault("audit_notes", []).append(note)


def waiting(session: Session) -> bool:
    return bool(session.info.get("audit_notes"))


def mark(session: Session) -> int:
    """How many notes wait now: where to go back to when what follows is taken back."""
    return len(session.info.get("audit_notes", ()))


def back_to(session: Session, marked: int) -> None:
    """Drop the notes queued since a mark: what they tell of was rolled back to a savepoint."""
    del session.info.get("audit_notes", [])[marked:]


def forget(session: Session) -> None:
    """Drop notes of a transaction that was rolled back."""
    session.info.pop("audit_notes", None)


def write_queued(session: Session) -> None:
    """Append the waiting notes, strand by strand in one order (so appends never deadlock)."""
    notes = session.info.pop("audit_notes", [])
    if notes:
        session.flush()
        for strand in sorted({note.strand for note in notes}):
            _append(session, strand, [note for note in notes if note.strand == strand])


_head = AuditHead.__table__.c
_HEAD = select(_head.seq, _head.hash).where(_head.strand == bindparam("of")).with_for_update()


def _append(session: Session, strand: int, notes: list[Note]) -> None:
    connection = session.connection()
    write = _write_there if connection.dialect.name == "postgresql" else _write
    # and the head moves with each (migrations: move_audit_heads)
    for at in range(0, len(notes), AT_ONCE):
        write(connection, strand, notes[at : at + AT_ONCE])


def _write(connection: Connection, strand: int, notes: list[Note]) -> None:
    """Write entries behind the newest of their strand, whose head is held meanwhile."""
    seq, previous = connection.execute(_HEAD, {"of": strand}).one()
    given: dict[str, Any] = {}
    for nth, note in enumerate(notes):
        seq += 1
        row = {**_row(note), "seq": seq, "prev_hash": previous}
        previous = row["hash"] = _hash(row)
        given |= {f"{name}_{nth}": value for name, value in row.items()}
    connection.execute(_rows_of(len(notes)), given)


def _write_there(connection: Connection, strand: int, notes: list[Note]) -> None:
    """The same in one statement: the database works the hashes out itself.

    Every request writes an entry or two, and each round trip is waited for by whoever writes next.
    """
    given: dict[str, Any] = {"of": strand}
    for nth, note in enumerate(notes):
        row = _row(note)
        words = {name: row[name] for name in _HASHED if name in row}
        before, between, after = (
            _as_text({name: words[name] for name in words if first < name < last})
            for first, last in (("", "prev_hash"), ("prev_hash", "seq"), ("seq", "~"))
        )
        row["before"] = f'{before[:-1]},"prev_hash":"'
        row["between"] = f'",{between[1:-1]},"seq":'
        row["after"] = f",{after[1:]}"
        given |= {f"{name}_{nth}": value for name, value in row.items()}
    if len(connection.execute(_chain_of(len(notes)), given).all()) != len(notes):
        raise LookupError(f"strand {strand} of the audit has no head")


# Statements are built once for each number of entries.
@cache
def _rows_of(how_many: int) -> Insert:
    return insert(AuditEntry.__table__).from_select(
        _COLUMNS, union_all(*(select(*_given(nth)) for nth in range(how_many)))
    )


@cache
def _chain_of(how_many: int) -> Any:
    newest, rows = _HEAD.cte("head"), []
    for nth in range(how_many):
        text = {
            name: bindparam(f"{name}_{nth}", type_=Text())
            for name in ("before", "between", "after")
        }
        seq = newest.c.seq + 1
        whole = func.concat(text["before"], newest.c.hash, text["between"], seq, text["after"])
        link = select(
            seq.label("seq"),
            newest.c.hash.label("prev_hash"),
            func.encode(func.sha256(func.convert_to(whole, "UTF8")), "hex").label("hash"),
        ).cte(f"link_{nth}")
        rows.append(select(*_given(nth, link.c)).select_from(link))
        newest = link
    add = insert(AuditEntry.__table__).from_select(_COLUMNS, union_all(*rows))
    return add.returning(AuditEntry.__table__.c.seq)


_COLUMNS = [each for each in AuditEntry.__table__.c if each.name != "id"]


def _given(nth: int, made: Mapping[str, Any] | None = None) -> list[Any]:
    """The values of one entry, in the order of its columns: given, unless made."""
    return [
        made[each.name] if made and each.name in made
        else bindparam(f"{each.name}_{nth}", type_=each.type)
        for each in _COLUMNS
    ]  # fmt: skip


def _row(note: Note) -> dict[str, Any]:
    """What an entry holds beside its place in the chain."""
    return {
        "strand": note.strand,
        "at": note.at,
        "staff_id": note.staff_id,
        "site_id": note.site_id,
        "patient_id": note.patient_id,
        "role": note.role,
        "action": note.action,
        "outcome": note.outcome,
        "purpose": note.purpose,
        "request_id": note.request_id,
        "detail": note.detail,
    }


_HASHED = (
    "strand", "seq", "at", "staff_id", "site_id", "patient_id", "role", "action", "outcome",
    "purpose", "request_id", "detail", "prev_hash",
)  # fmt: skip


def _hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(_as_text({name: row[name] for name in _HASHED}).encode()).hexdigest()


def _as_text(content: dict[str, Any]) -> str:
    """What is hashed: names in order, no spaces, the moment to the microsecond."""
    if "at" in content:
        content["at"] = content["at"].isoformat(timespec="microseconds")
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Break:
    """Where a strand does not hold: the entry's place, and what is wrong there."""

    strand: int
    seq: int
    says: str


@dataclass(frozen=True)
class Verdict:
    """What a walk along every strand found."""

    entries: int
    breaks: tuple[Break, ...]
    heads: tuple[tuple[int, int, str], ...]


def verify(session: Session) -> Verdict:
    """Walk every strand: any edit, removal, reorder or lost tail is found and located.

    Needs no transaction of its own: entries added during the walk are walked too.
    """
    breaks: list[Break] = []
    heads: list[tuple[int, int, str]] = []
    count = 0
    for strand in range(STRANDS):
        seq, previous, looked_again = 0, FIRST_HASH, False
        while True:
            rows = _rows(session, strand, seq)
            for row in rows:
                count += 1
                if row["seq"] != seq + 1:
                    breaks.append(
                        Break(strand, seq + 1, f"entries {seq + 1} to {row['seq'] - 1} are gone")
                    )
                elif row["prev_hash"] != previous:
                    breaks.append(Break(strand, row["seq"], "does not follow the entry before it"))
                if _hash(row) != row["hash"]:
                    breaks.append(Break(strand, row["seq"], "was changed after it was written"))
                seq, previous = row["seq"], row["hash"]
            if rows:
                looked_again = False
                continue
            # An entry may have come, with its head, since the last look for entries: look again.
            head = session.execute(_KNOWN, {"of": strand}).one_or_none()
            if head is None or head.seq <= seq or looked_again:
                break
            looked_again = True
        if head is None:
            breaks.append(Break(strand, 0, "the head of this strand is gone"))
        elif tuple(head) != (seq, previous):
            breaks.append(Break(strand, seq + 1, f"the newest entries, up to {head.seq}, are gone"))
        heads.append((strand, seq, previous))
    return Verdict(count, tuple(breaks), tuple(heads))


_KNOWN = select(AuditHead.seq, AuditHead.hash).where(AuditHead.strand == bindparam("of"))


def _rows(session: Session, strand: int, after: int) -> Sequence[RowMapping]:
    """The next entries of a strand, so many at a time; none when it ends there."""
    columns = AuditEntry.__table__.c
    return (
        session.execute(
            select(columns)
            .where(AuditEntry.strand == strand, AuditEntry.seq > after)
            .order_by(AuditEntry.seq)
            .limit(1000)
        )
        .mappings()
        .all()
    )
