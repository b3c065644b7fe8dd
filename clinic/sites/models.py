"""Sites and the dated rows that say what held there on which day."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clinic.db import Base, Dated, Recorded, only_where

KINDS = {"community": "Community service", "prison": "Prison"}
NATIONS = {
    "england_and_wales": "England and Wales",
    "scotland": "Scotland",
    "northern_ireland": "Northern Ireland",
}
FEATURES = {
    "specialist_service": "Existing specialist drug service",
    "supervised_dispensing": "Supervised dispensing on site",
    "on_site_titration_protocol": "On-site titration protocol in force",
    "second_observer": "A second person watches each dose given",
}
CALENDAR_CHANGES = {"added": "Added: a day off", "removed": "Removed: a day worked"}
RULE_SETS = {"uk-2017": "UK 2017 guidelines and current licences", "era-2003": "UK 2003 to 2010"}


class Site(Base):
    """A community service or a prison. What changes over time hangs off it as dated rows."""

    __tablename__ = "site"
    __table_args__ = (CheckConstraint("kind IN ('community', 'prison')", name="kind"),)

    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    nation: Mapped[str]
    ods_code: Mapped[str | None]
    area: Mapped[str | None]
    address: Mapped[str | None]
    telephone: Mapped[str | None]
    out_of_hours_line: Mapped[str | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    models: Mapped[list["SiteModel"]] = relationship(order_by="SiteModel.id")
    rule_sets: Mapped[list["RuleSetChoice"]] = relationship(order_by="RuleSetChoice.id")
    features: Mapped[list["SiteFeature"]] = relationship(order_by="SiteFeature.id")
    closures: Mapped[list["SiteClosure"]] = relationship(order_by="SiteClosure.on")

    def model_on(self, day: date) -> int | None:
        """The rapid prescribing model (1, 2 or 3) in force on a day; None when none is set."""
        return next((row.model for row in self.models if row.holds_on(day)), None)

    def rule_set_on(self, day: date) -> str | None:
        return next((row.rule_set for row in self.rule_sets if row.holds_on(day)), None)

    def has(self, feature: str, day: date) -> bool:
        return any(row.feature == feature and row.holds_on(day) for row in self.features)


class SiteChange(Recorded, Base):
    """What a detail of a site was before somebody changed it."""

    __tablename__ = "site_change"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    field: Mapped[str]
    was: Mapped[str | None]
    became: Mapped[str | None]


class SiteModel(Dated, Recorded, Base):
    """Which rapid prescribing model a service works under, from when (RP-01)."""

    __tablename__ = "site_model"
    __table_args__ = (CheckConstraint("model BETWEEN 1 AND 3", name="model"),)

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    model: Mapped[int]
    reason: Mapped[str | None]


class RuleSetChoice(Dated, Recorded, Base):
    """Which dose rule set a site works under, from when."""

    __tablename__ = "rule_set_choice"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    rule_set: Mapped[str]


class SiteFeature(Dated, Recorded, Base):
    """Something a site has: a specialist service, supervised dispensing, a titration protocol."""

    __tablename__ = "site_feature"

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), index=True)
    feature: Mapped[str]


class SiteClosure(Recorded, Base):
    """A day this site is shut beyond its bank holidays. A withdrawn one is kept and not counted."""

    __tablename__ = "site_closure"
    __table_args__ = (
        Index(
            "uq_site_closure_open", "site_id", "on", unique=True,
            info=only_where("withdrawn_on IS NULL"),
        ),
    )  # fmt: skip

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    on: Mapped[date]
    reason: Mapped[str]
    withdrawn_on: Mapped[date | None]


class CalendarChange(Recorded, Base):
    """A bank holiday added or removed after the pinned list was made, and when it was announced.

    A withdrawn change is kept and not counted.
    """

    __tablename__ = "calendar_change"
    __table_args__ = (
        Index(
            "uq_calendar_change_open", "nation", "on", unique=True,
            info=only_where("withdrawn_on IS NULL"),
        ),
    )  # fmt: skip

    nation: Mapped[str]
    on: Mapped[date]
    change: Mapped[str]
    announced_on: Mapped[date | None]
    name: Mapped[str | None]
    withdrawn_on: Mapped[date | None]
