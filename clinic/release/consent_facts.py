"""What was last said about telling the service they go to, as known at a moment?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from clinic.release.care_models import SharingConsent
from clinic.release.reading import Reading, stands

Json = dict[str, Any]


def newest_about(
    rows: Sequence[SharingConsent], to_site_id: int | None, recipient: str | None
) -> SharingConsent | None:
    """The newest of these rows about this recipient; None: nothing was said of it."""
    name = (recipient or "").strip().lower()
    about = [
        row
        for row in rows
        if (row.to_site_id == to_site_id if to_site_id is not None
            else (row.recipient or "").lower() == name)
    ]  # fmt: skip
    return max(about, key=lambda row: (row.decided_at, row.id), default=None)


def with_recipient(
    reading: Reading, general: Json | None, patient_ids: Iterable[int], to_site_id: int | None,
    known_at: datetime,
) -> Json | None:  # fmt: skip
    """The contract's `consent` for the service they go to: what was said of it goes before the rest."""
    if to_site_id is None:
        return general
    rows = [
        row
        for each in patient_ids
        for row in reading.consents.get(each, ())
        if stands(row, known_at)
    ]
    row = newest_about(rows, to_site_id, None)
    if row is None:
        return general
    if row.says == "lawful_basis":
        return {**(general or {}), "lawful_basis": row.because}
    return {**(general or {}), "given": row.says == "given"}
