"""The rule book: every rule, who signed it, what this site tightened, what hazard it guards against."""

from __future__ import annotations

import json
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from clinic import sheets, ui
from clinic.answers import Page, WhyForm
from clinic.auth import act, needs
from clinic.errors import NotFound
from clinic.guidance import commands, presenters, queries
from clinic.guidance.forms import EndTighteningForm, RunForm, SignForm, TightenForm, TryForm
from clinic.guidance.hazards import hazards as hazard_log
from clinic.guidance.queries import CONFIDENCE_WORDS, Asked, RuleShown, Shown
from clinic.sites.models import RULE_SETS
from clinic.staff.models import Staff
from dosing.check import check
from dosing.days import london_day
from dosing.shape import Refused
from scheduling import practice

guidance_pages = Blueprint("guidance_pages", __name__)
ui.nav("Rules", "guidance_pages.rules", "guidance.read")

COLOURS = {"STOP": "red", "ALERT": "orange", "INFO": "blue"}
WORDS = {
    "confidences": CONFIDENCE_WORDS, "colours": COLOURS, "sets": RULE_SETS,
    "rule_sets": {**RULE_SETS, practice.SET: "How the service works, under either set"},
    "told": presenters.limit_told,
}  # fmt: skip


@guidance_pages.app_context_processor
def _banner() -> dict[str, Any]:
    """How many rules nobody has signed, for the head of every page of a live service."""

    def unsigned_rules() -> int:
        live = current_app.config["SETTINGS"].mode == "production"
        return queries.unsigned_here(act()) if live and g.get("staff") else 0

    return {"unsigned_rules": unsigned_rules}


def _asked() -> Asked:
    """What the address asks for; a value nobody could choose is NotFound."""
    given = {name: request.args.get(name) or None for name in (*queries.FILTERS, "family")}
    for name, allowed in queries.FILTERS.items():
        if given[name] is not None and given[name] not in allowed:
            raise NotFound(f"The rules have no such {name}.")
    return Asked(
        rule_set=given.pop("set"), words=request.args.get("q", "").strip()[:100],
        **{name: bool(request.args.get(name)) for name in ("unsigned", "tightened", "fired")},
        **given,
    )  # fmt: skip


@guidance_pages.get("/rules")
@needs("guidance.read")
def rules() -> str:
    """The rules of a set by family, filtered; this site's set unless another is asked for."""
    asked = _asked()
    found = queries.listed(act(), asked)
    return render_template(
        "guidance/rules.jinja", found=found, asked=asked, filters=queries.FILTERS,
        fitting=sum(map(len, found.families.values())), **WORDS,
    )  # fmt: skip


def _page_of(found: RuleShown, **more: Any) -> str:
    rule = found.rule
    return render_template(
        "guidance/rule.jinja", found=found, run_form=RunForm(),
        history=queries.tightenings(act(), rule.id), signatures=queries.signatures(act(), rule.id),
        hazard=hazard_log().get(rule.hazard), chosen=queries.chosen_here(act()),
        **{"examples": presenters.examples_of(rule.id), "ran": False, **more}, **WORDS,
    )  # fmt: skip


@guidance_pages.get("/rules/<rule_id>")
@needs("guidance.read")
def rule(rule_id: str) -> str:
    """One rule or definition: every version of both sets side by side, its examples, its history."""
    return _page_of(queries.one_rule(act(), rule_id))


@guidance_pages.post("/rules/<rule_id>/examples")
@needs("guidance.read")
def run_examples(rule_id: str) -> str:
    """Try the rule's worked examples now and show what each did."""
    found = queries.one_rule(act(), rule_id)
    return _page_of(found, examples=presenters.run_examples_of(act(), rule_id), ran=True)


@guidance_pages.route("/rules/<rule_id>/try", methods=["GET", "POST"])
@guidance_pages.get("/rules/<rule_id>/try/<int:example>", endpoint="try_example")
@needs("guidance.read")
def try_rule(rule_id: str, example: int = 0) -> Page:
    """Put a made-up order to the rules as shipped and see what this one says. Nothing is stored."""
    found = queries.one_rule(act(), rule_id)
    if found.is_definition or found.of_practice:
        raise NotFound("Only a dose rule can be put an order to.")
    made = json.dumps(presenters.example_request(rule_id, example), indent=1, ensure_ascii=False)
    form = TryForm(request=made)
    answer: dict[str, Any] | None = None
    if form.validate_on_submit():
        try:
            answer = check(form.parsed())
        except Refused as refused:
            form.refuse(refused.message, [("request", f"cannot be judged: {refused}")])
    page = render_template("guidance/try.jinja", form=form, found=found, answer=answer)
    return page, form.status


@guidance_pages.get("/rules/hazards")
@needs("guidance.read")
def hazards() -> str:
    """What the hazard log says of each hazard a rule guards against."""
    return render_template("guidance/hazards.jinja", hazards=hazard_log())


# -- signing -------------------------------------------------------------------------------


@guidance_pages.get("/rules/to-sign")
@needs("guidance.read")
def to_sign() -> str:
    """Everything a named clinician has to answer for before live use, to read or to print."""
    rule_set = request.args.get("set") or None
    found = queries.to_sign(act(), rule_set)
    return render_template("guidance/to_sign.jinja", found=found, rule_set=rule_set, **WORDS)


SIGN_HEADS = (
    "rule", "rule_set", "edition", "severity", "asks", "says", "numbers", "unit", "source", "where",
    "rests_on", "signed_by", "registration", "signed_on", "review_by",
)  # fmt: skip


@guidance_pages.get("/rules/to-sign.csv")
@needs("guidance.read")
def to_sign_sheet() -> Response:
    """The same as a sheet."""
    found = queries.to_sign(act(), request.args.get("set") or None)
    return sheets.as_csv("rules-to-sign.csv", SIGN_HEADS, [_sign_row(*each) for each in found])


def _sign_row(each: RuleShown, shown: Shown) -> list[Any]:
    version, signature = shown.version, shown.signature
    return [
        each.rule.id, version.set, shown.edition, version.severity, each.rule.asks, version.says(),
        "; ".join(presenters.limit_told(name, value) for name, value in version.limits.items()),
        version.unit, version.source, version.where, CONFIDENCE_WORDS[version.confidence],
        signature.name if signature else version.checked_by,
        signature.registration if signature else None,
        london_day(signature.recorded_at) if signature else version.checked_on, version.review_by,
    ]  # fmt: skip


def _now(rule_id: str, rule_set: str) -> tuple[RuleShown, Shown]:
    """The version of a rule in force today in a set, or the next to come."""
    found = queries.one_rule(act(), rule_id)
    held = [
        each
        for each in found.versions
        if each.version.set == rule_set and each.state in (queries.NOW, queries.COMING)
    ]
    if not held:
        raise NotFound("This rule is in no such set.")
    return found, held[0]


def _back(rule_id: str, says: str) -> BaseResponse:
    flash(says)
    return redirect(url_for("guidance_pages.rule", rule_id=rule_id))


@guidance_pages.route("/rules/<rule_id>/sign/<rule_set>", methods=["GET", "POST"])
@needs("guidance.sign")
def sign(rule_id: str, rule_set: str) -> Page:
    """Sign a version as checked against its source."""
    found, shown = _now(rule_id, rule_set)
    staff = act().session.get_one(Staff, act().staff_id)
    form = SignForm(fingerprint=shown.fingerprint, registration=staff.registration)
    if form.carried_out(lambda: commands.sign(act(), rule=rule_id, **form.answers())):
        return _back(rule_id, "Signed.")
    page = render_template(
        "guidance/sign.jinja", form=form, found=found, shown=shown,
        cancel=url_for("guidance_pages.rule", rule_id=rule_id), **WORDS,
    )  # fmt: skip
    return page, form.status


@guidance_pages.route("/rules/signatures/<int:signature_id>/withdraw", methods=["GET", "POST"])
@needs("guidance.sign")
def withdraw_signature(signature_id: int) -> Page:
    """Take a signature back."""
    row = next((each for each in queries.signatures(act()) if each.id == signature_id), None)
    if row is None:
        raise NotFound("There is no such signature.")
    form = WhyForm()
    if form.carried_out(
        lambda: commands.withdraw_signature(act(), signature_id, form.reason.data or "")
    ):
        return _back(row.rule, "The signature is withdrawn. The rule is unsigned again.")
    page = render_template(
        "one_form.jinja", form=form, title=f"Withdraw the signature under {row.rule}",
        lead=f"Signed by {row.name} on {ui.day(row.recorded_at)}. It stays on the record, withdrawn.",
        button="Withdraw it", warning=True,
        cancel=url_for("guidance_pages.rule", rule_id=row.rule),
    )  # fmt: skip
    return page, form.status


# -- tighter limits ------------------------------------------------------------------------


@guidance_pages.get("/rules/tightened")
@needs("guidance.read")
def tightened() -> str:
    """Every limit this site has made stricter, and every change of one."""
    return render_template("guidance/tightened.jinja", history=queries.tightenings(act()), **WORDS)


def _limit(rule_id: str, rule_set: str, name: str) -> tuple[RuleShown, queries.Limit]:
    found, shown = _now(rule_id, rule_set)
    limit = next((each for each in shown.limits if each.name == name and each.tighter), None)
    if limit is None:
        raise NotFound("This rule has no such limit to make stricter.")
    return found, limit


@guidance_pages.route("/rules/<rule_id>/tighten/<rule_set>/<limit>", methods=["GET", "POST"])
@needs("guidance.tighten")
def tighten(rule_id: str, rule_set: str, limit: str) -> Page:
    """Make one limit stricter at this site."""
    found, held = _limit(rule_id, rule_set, limit)
    form = TightenForm()

    def work() -> None:
        commands.tighten(
            act(), rule=rule_id, rule_set=rule_set, limit=limit, value=form.amount(),
            reason=form.reason.data or "", from_on=form.from_on.data,
        )  # fmt: skip

    if form.carried_out(work):
        return _back(rule_id, "The limit is stricter here from that day on.")
    now = "" if held.here is None else f" This site has {presenters.limit_told(limit, held.here)}."
    way = "Less" if held.tighter == "lower" else "More"
    page = render_template(
        "guidance/tighten.jinja", form=form, found=found,
        title=f"Make a limit of {rule_id} stricter",
        lead=f"As shipped: {presenters.limit_told(limit, held.shipped)}.{now} {way} is stricter.",
        more={"value": {"width": 5, "inputmode": "decimal", "autocomplete": "off"}},
        cancel=url_for("guidance_pages.rule", rule_id=rule_id),
    )  # fmt: skip
    return page, form.status


@guidance_pages.route("/rules/<rule_id>/tighten/<rule_set>/<limit>/end", methods=["GET", "POST"])
@needs("guidance.tighten")
def end_tightening(rule_id: str, rule_set: str, limit: str) -> Page:
    """Go back to the limit as shipped."""
    found, held = _limit(rule_id, rule_set, limit)
    form = EndTighteningForm()
    if form.carried_out(
        lambda: commands.end_tightening(
            act(), rule=rule_id, rule_set=rule_set, limit=limit, reason=form.reason.data or "",
            from_on=form.from_on.data,
        )
    ):  # fmt: skip
        return _back(rule_id, "From that day on the limit is as shipped.")
    page = render_template(
        "guidance/tighten.jinja", form=form, found=found, warning=True, button="Go back to it",
        title=f"Go back to the shipped limit of {rule_id}",
        lead=f"As shipped: {presenters.limit_told(limit, held.shipped)}.",
        cancel=url_for("guidance_pages.rule", rule_id=rule_id),
    )  # fmt: skip
    return page, form.status
