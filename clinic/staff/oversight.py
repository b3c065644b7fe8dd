"""Who saw or changed what, and who may do what? The audit and the permissions, as pages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, current_app, render_template
from sqlalchemy import String, and_, cast, or_, select
from wtforms import HiddenField, IntegerField, StringField
from wtforms.validators import Length, NumberRange, Optional

from clinic import audit, ui
from clinic.act import Act
from clinic.audit import AuditEntry
from clinic.auth import OPEN, SIGNED_IN, act, database, for_signed_in, needs, permissions
from clinic.errors import Invalid
from clinic.forms import DayField, Form
from clinic.roles import POSTS, RIGHTS, ROLES
from clinic.staff.models import POSTS as POST_NAMES
from clinic.staff.models import Staff
from clinic.staff.queries import site_names
from clinic.web import row_number
from dosing.days import end_of, start_of

oversight_pages = Blueprint("oversight_pages", __name__)
ui.nav("Audit", "oversight_pages.audit_search", "audit.read")

PAGE = 100


class AuditForm(Form):
    patient_id = IntegerField(
        "Patient's record number", [Optional(), NumberRange(min=1)],
        description="The number in the address of the record. Lists that showed the patient are found too",
    )  # fmt: skip
    who = StringField("Staff name or e-mail address", [Length(max=100)])
    action = StringField(
        "Action begins with", [Length(max=60)], description="Such as patients or sign_in"
    )
    first = DayField("From", [Optional()])
    last = DayField("To", [Optional()])
    before = HiddenField()


class VerifyForm(Form):
    """Nothing to type: one button."""


@dataclass(frozen=True)
class Found:
    """One page of entries, newest first, and where the next one begins (None: there is none)."""

    entries: list[AuditEntry]
    staff_names: dict[int, str]
    older: int | None


def entries(act: Act, *, same: list[int], form: AuditForm) -> Found:
    """The entries the form asks for. `same`: the records of the one patient asked about."""
    act.need("audit.read")
    wanted = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(PAGE + 1)
    if form.patient_id.data:
        wanted = wanted.where(
            or_(AuditEntry.patient_id.in_(same), *(_lists(each) for each in same))
        )
    if form.who.data:
        who = form.who.data.strip()
        wanted = wanted.where(
            AuditEntry.staff_id.in_(
                select(Staff.id).where(
                    or_(
                        Staff.name.icontains(who, autoescape=True),
                        Staff.email.icontains(who, autoescape=True),
                    )
                )
            )
        )
    if form.action.data:
        wanted = wanted.where(AuditEntry.action.startswith(form.action.data, autoescape=True))
    if form.first.data:
        wanted = wanted.where(AuditEntry.at >= start_of(form.first.data))
    if form.last.data:
        wanted = wanted.where(AuditEntry.at < end_of(form.last.data))
    if form.before.data:
        before = row_number(form.before.data)
        if before is None:
            raise Invalid.field("before", "must be the number of an entry")
        wanted = wanted.where(AuditEntry.id < before)
    rows = list(act.session.scalars(wanted))
    names = dict(
        act.session.execute(
            select(Staff.id, Staff.name).where(Staff.id.in_({row.staff_id for row in rows}))
        ).all()
    )
    return Found(rows[:PAGE], names, rows[PAGE - 1].id if len(rows) > PAGE else None)


def _lists(patient_id: int):  # type: ignore[no-untyped-def]
    """Does the entry list this patient among others? As the JSON of its detail is written."""
    text = cast(AuditEntry.detail, String)
    return and_(
        text.contains('"patients": ['),
        or_(*(text.contains(f"{a}{patient_id}{z}") for a in ("[", " ") for z in (",", "]"))),
    )


@oversight_pages.route("/audit", methods=["GET", "POST"])
@needs("audit.read")
def audit_search() -> tuple[str, int]:
    """Ask the audit. Asking is itself on the audit."""
    from clinic.patients.queries import same_person

    form = AuditForm()
    found = None
    if form.validate_on_submit():
        work = act()
        same = same_person(work, form.patient_id.data) if form.patient_id.data else []
        found = entries(work, same=same, form=form)
        work.note(
            "audit.read", about=form.patient_id.data, acts=form.action.data or None,
            first=form.first.data and form.first.data.isoformat(),
            last=form.last.data and form.last.data.isoformat(),
        )  # fmt: skip
    page = render_template(
        "audit/search.jinja", form=form, found=found, site_names=site_names(act())
    )
    return page, form.status


@oversight_pages.route("/audit/verify", methods=["GET", "POST"])
@needs("audit.read")
def audit_verify() -> str:
    """Walk every strand of the audit and say whether it holds."""
    form = VerifyForm()
    verdict = None
    if form.validate_on_submit():
        with database().reading() as reading:  # a long walk, and nobody waits for it to write
            verdict = audit.verify(reading)
        act().note("audit.verified", breaks=len(verdict.breaks), entries=verdict.entries)
    return render_template("audit/verify.jinja", form=form, verdict=verdict)


@oversight_pages.get("/permissions", endpoint="permissions")
@for_signed_in
def permissions_shown() -> str:
    """Every role with its rights, and every address with the right it needs."""
    app = current_app
    methods = {
        rule.endpoint: ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        for rule in app.url_map.iter_rules()
    }
    paths = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    asked = sorted(
        (right, paths[endpoint], methods[endpoint]) for endpoint, right in permissions(app).items()
    )
    return render_template(
        "audit/permissions.jinja", roles=ROLES, rights=RIGHTS, posts=POSTS, post_names=POST_NAMES,
        open_to=(OPEN, SIGNED_IN),
        asked=[(right, list(rows)) for right, rows in groupby(asked, key=lambda row: row[0])],
    )  # fmt: skip
