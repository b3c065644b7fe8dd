"""Which sites are there, and what holds at each?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Date,
    Integer,
    Row,
    Select,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)

from clinic.act import Act
from clinic.sites.models import CalendarChange, RuleSetChoice, Site, SiteChange, SiteFeature
from clinic.staff.models import PrescriberLevel, SitePost, Staff, StaffRole


def sites_to_manage(act: Act) -> list[Site]:
    """Every site for an administrator, the own site for a manager; by name."""
    act.need("sites.manage")
    found = select(Site).order_by(Site.name)
    if not act.may("staff.manage"):
        found = found.where(Site.id == act.site_id)
    return list(act.session.scalars(found))


def posts_at(act: Act, site_id: int) -> list[tuple[SitePost, str]]:
    """Who holds or held which post at a site, newest first, with the name."""
    rows = act.session.execute(
        select(SitePost, Staff.name)
        .join(Staff, Staff.id == SitePost.staff_id)
        .where(SitePost.site_id == site_id)
        .order_by(SitePost.post, SitePost.id.desc())
    )
    return [(row, name) for row, name in rows]


def staff_at(act: Act, site_id: int) -> list[Staff]:
    """Everybody who holds a role at a site today, by name."""
    rows = act.session.scalars(select(StaffRole).where(StaffRole.site_id == site_id))
    here = {row.staff_id for row in rows if row.holds_on(act.today)}
    return list(act.session.scalars(select(Staff).where(Staff.id.in_(here)).order_by(Staff.name)))


def changes_of(act: Act, site_id: int) -> list[tuple[SiteChange, str]]:
    """What the details of a site were before, newest first, with who changed them."""
    rows = act.session.execute(
        select(SiteChange, Staff.name)
        .join(Staff, Staff.id == SiteChange.recorded_by)
        .where(SiteChange.site_id == site_id)
        .order_by(SiteChange.id.desc())
    )
    return [(row, name) for row, name in rows]


def set_by(act: Act, ids: Iterable[int]) -> dict[int, str]:
    """Who they are that set something, by id."""
    rows = act.session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(set(ids))))
    return {row.id: row.name for row in rows}


def calendar_changes(act: Act) -> list[CalendarChange]:
    """Every change of a bank holiday, withdrawn ones too, newest day first."""
    return list(
        act.session.scalars(
            select(CalendarChange).order_by(CalendarChange.on.desc(), CalendarChange.id.desc())
        )
    )


class Here:
    """What holds at the site of an act, and how far its person may prescribe, on any day."""

    def __init__(self, rows: Sequence[Row[Any]]) -> None:
        self._rows = rows
        self.kind: str = next(row.says for row in rows if row.about == KIND)

    def _holding(self, about: str, day: date) -> list[str]:
        return [
            row.says
            for row in self._rows
            if row.about == about and row.from_on <= day and (row.to_on is None or day <= row.to_on)
        ]

    def rule_set_on(self, day: date) -> str | None:
        return next(iter(self._holding(RULE_SET, day)), None)

    def has(self, feature: str, day: date) -> bool:
        return feature in self._holding(FEATURE, day)

    def level_on(self, day: date) -> str | None:
        """The prescriber level the person of the act holds; None for somebody who does not prescribe."""
        return next(iter(self._holding(LEVEL, day)), None)


KIND, RULE_SET, FEATURE, LEVEL = "kind", "rule set", "feature", "level"


def what_holds(act: Act) -> Here:
    """In one look, because every dose is judged by it."""
    about = {"site_id": act.site_id, "staff_id": act.staff_id}
    return Here(act.session.connection().execute(_HOLDS, about).all())


def _dated(about: str, table: Any, says: Any, owner: Any) -> Select[Any]:
    return select(
        literal(about).label("about"), says.label("says"), table.from_on, table.to_on, table.id
    ).where(owner)


def _all_that_holds() -> CompoundSelect[Any]:
    here, person = bindparam("site_id", type_=Integer), bindparam("staff_id", type_=Integer)
    never = cast(null(), Date)
    return union_all(
        _dated(RULE_SET, RuleSetChoice, RuleSetChoice.rule_set, RuleSetChoice.site_id == here),
        _dated(FEATURE, SiteFeature, SiteFeature.feature, SiteFeature.site_id == here),
        _dated(LEVEL, PrescriberLevel, PrescriberLevel.level, PrescriberLevel.staff_id == person),
        select(literal(KIND), Site.kind, never, never, Site.id).where(Site.id == here),
    )


_HOLDS = _all_that_holds().order_by("id")
