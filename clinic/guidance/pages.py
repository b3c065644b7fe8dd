"""The page of every rule in force, made from the rules themselves."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from clinic import ui
from clinic.auth import act, needs
from clinic.guidance import queries
from clinic.sites.models import RULE_SETS

guidance_pages = Blueprint("guidance_pages", __name__)
ui.nav("Rules", "guidance_pages.rules", "guidance.read")


@guidance_pages.get("/rules")
@needs("guidance.read")
def rules() -> str:
    """Every rule of this site's set today; `set` shows another, `q` searches."""
    words = request.args.get("q", "").strip()[:100]
    found = queries.in_force(act(), request.args.get("set") or None, words)
    return render_template(
        "guidance/rules.jinja", found=found, words=words, rule_sets=RULE_SETS,
        confidences=queries.CONFIDENCES,
    )  # fmt: skip
