"""How does the service look and speak? Templates, the words for values, and what each page knows.

`init_app` makes an application render our templates over the NHS.UK macros. Values become words
here and nowhere else: days and times in London, milligrams exact, unknown said in words.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask, g, request, url_for
from jinja2 import ChainableUndefined, ChoiceLoader, FileSystemLoader, PackageLoader, pass_context
from jinja2.exceptions import UndefinedError
from jinja2.runtime import Context, Undefined

from clinic import clock, forms, soundness
from clinic.roles import ROLES
from dosing.days import at_london, london_day, london_time

SERVICE_NAME = "Throughcare"
NOT_KNOWN = "not known"
RECORD = "patients_pages.record"
SIGN_OUT = "staff_pages.sign_out"
HOME = "home"


# -- what every page knows -----------------------------------------------------------------


_NAVIGATION: dict[str, tuple[str, str | None, str | None]] = {}
# What staff open most stands first; a page that is not named here comes after these.
MENU = (
    "Wait list", "Clinic", "Rota", "Custody", "Releases", "Hand-overs", "Groups", "Care plans",
    "Patients", "Prescribing", "Doses", "Titration board", "Prescription forms", "Rules", "Overrides",
    "Measures", "Sites", "Staff", "Audit", "Sweeps", "API", "Your account",
)  # fmt: skip


def nav(label: str, endpoint: str, permission: str | None, site_kind: str | None = None) -> None:
    """Offer a page in the navigation of everyone signed in who holds `permission` (None: all).

    `site_kind`: only to those working at such a site. Called once by each room when it is
    imported; shown in the order of `MENU`. An endpoint the running application does not have is
    left out.
    """
    _NAVIGATION[endpoint] = (label, permission, site_kind)


def csp_nonce() -> str:
    """This response's nonce: the same in every tag of a page and in its policy header."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def init_app(app: Flask) -> None:
    """Make `app` render our pages. Call once, after its own template loader is settled."""
    loaders = [FileSystemLoader(Path(__file__).parent / "templates")]
    own = [app.jinja_loader] if app.jinja_loader is not None else []
    app.jinja_loader = ChoiceLoader([*own, *loaders, PackageLoader("nhsuk_frontend_jinja")])

    env = app.jinja_env
    # Flask escapes .html alone; the NHS macros and ours are .jinja, and names come from people.
    env.autoescape = True
    # The NHS macros read parameters nobody passed; _printed keeps that leniency out of our pages.
    env.undefined = ChainableUndefined
    env.finalize = _printed
    env.filters.update(FILTERS)
    env.globals.update(
        csp_nonce=csp_nonce, nhs_field=forms.nhs_field, shut_medicines=soundness.shut_medicines
    )
    app.context_processor(lambda: _every_page(app))


def _every_page(app: Flask) -> dict[str, Any]:
    settings = app.config.get("SETTINGS")
    staff = g.get("staff")
    return {
        "service_name": SERVICE_NAME,
        "demo": bool(getattr(settings, "demo", False)),
        # The NHS logo is for NHS bodies: a deploying one turns it on.
        "nhs_body": bool(getattr(settings, "nhs_body", False)),
        "staff": staff,
        "role_name": _role_name(staff),
        "navigation": _navigation(app, staff),
        "home_url": url_for(HOME) if HOME in app.view_functions else "/",
        "sign_out_url": url_for(SIGN_OUT) if SIGN_OUT in app.view_functions else None,
        "record_href": lambda patient_id: _record_href(app, staff, patient_id),
        "now": clock.now(),
    }


def _record_href(app: Flask, staff: Any, patient_id: int) -> str | None:
    """Where the name on a banner leads; nowhere for whoever may not read, or is there already."""
    if RECORD not in app.view_functions or request.endpoint == RECORD:
        return None
    return (
        url_for(RECORD, patient_id=patient_id)
        if staff and "patients.read" in staff.rights
        else None
    )


def _in_menu(entry: tuple[str, tuple[str, str | None, str | None]]) -> int:
    label = entry[1][0]
    return MENU.index(label) if label in MENU else len(MENU)


def _navigation(app: Flask, staff: Any) -> list[dict[str, Any]]:
    if staff is None:
        return []
    offered = [
        (label, endpoint)
        for endpoint, (label, permission, site_kind) in sorted(_NAVIGATION.items(), key=_in_menu)
        if endpoint in app.view_functions
        and (permission is None or permission in staff.rights)
        and (site_kind is None or site_kind == staff.site_kind)
    ]
    within = _within(app, [endpoint for _, endpoint in offered])
    return [
        {
            "text": label,
            "href": url_for(endpoint),
            "current": request.endpoint == endpoint,
            "active": endpoint == within,
        }
        for label, endpoint in offered
    ]


def _within(app: Flask, offered: list[str]) -> str | None:
    """Which offered page the one asked for belongs to: one of its own blueprint, else of its room.

    Of several in a room, the one whose address the asked one begins with.
    """
    if request.blueprint is None:
        return None

    def room(blueprint: str) -> str:
        return app.blueprints[blueprint].import_name.rpartition(".")[0]

    blueprints = {each: each.rpartition(".")[0] for each in offered if "." in each}
    same = [each for each, name in blueprints.items() if name == request.blueprint]
    here = room(request.blueprint)
    near = [each for each, name in blueprints.items() if "." in here and room(name) == here]
    if same or len(near) == 1:
        return (same + near)[0]
    above = [each for each in near if request.path.startswith(url_for(each) + "/")]
    return max(above, key=lambda each: len(url_for(each)), default=None)


def _role_name(staff: Any) -> str | None:
    """The role as staff say it, for the one the member of staff works in."""
    role = getattr(staff, "role", None)
    return ROLES[role][0] if role in ROLES else role


@pass_context
def _printed(context: Context, value: Any) -> Any:
    """What `{{ value }}` prints. In our templates a missing name is a fault, never a blank.

    A blank where a dose or an allergy should stand would read as "none". None is an unknown and
    says so.
    """
    if (context.name or "").startswith("nhsuk/"):
        return value
    if isinstance(value, Undefined):
        raise UndefinedError(f"{context.name} prints a value it was not given")
    return NOT_KNOWN if value is None else value


# -- values in words -----------------------------------------------------------------------


def nhs_number(number: str | None) -> str:
    """Ten digits shown 3-3-4. Anything else is shown as it stands."""
    if number is None:
        return NOT_KNOWN
    if len(number) == 10 and number.isdigit():
        return f"{number[:3]} {number[3:6]} {number[6:]}"
    return number


def day(of: date | datetime | None) -> str:
    """Mon 23 Nov 2026: a London date, or the London date of an aware instant."""
    if of is None:
        return NOT_KNOWN
    on = london_day(of) if isinstance(of, datetime) else of
    return f"{on:%a} {on.day} {on:%b %Y}"


def days_said(text: str) -> str:
    """A sentence of the rules, which name days by their figures, with its days as staff say them."""
    return re.sub(
        r"\b\d{4}-\d{2}-\d{2}\b", lambda found: day(date.fromisoformat(found.group())), text
    )


def day_born(on: date | None) -> str:
    """14-Jul-1945, as the patient banner shows it."""
    return NOT_KNOWN if on is None else f"{on:%d-%b-%Y}"


def clock_time(at: datetime | None) -> str:
    """14:05 in London, 24 hours. The hour that October repeats says BST or GMT."""
    if at is None:
        return NOT_KNOWN
    london = london_time(at)
    first, second = (at_london(london.date(), london.time().replace(fold=fold)) for fold in (0, 1))
    return f"{london:%H:%M}" if first == second else f"{london:%H:%M} {london.tzname()}"


def moment(at: datetime | None) -> str:
    """Mon 23 Nov 2026, 14:05 in London. ValueError for a naive time."""
    return NOT_KNOWN if at is None else f"{day(at)}, {clock_time(at)}"


def mg(amount: Decimal | int | None) -> str:
    """40 mg, 2.5 mg: a Decimal is milligrams, an int is whole micrograms (as stored).

    TypeError for a float, or for text nobody has read yet.
    """
    if amount is None:
        return NOT_KNOWN
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise TypeError("mg takes a Decimal of milligrams or an int of micrograms")
    milligrams = amount if isinstance(amount, Decimal) else Decimal(amount).scaleb(-3)
    return f"{_plain(milligrams)} mg"


def _plain(number: Decimal) -> str:
    """No exponent and no trailing zero: 40.0 could be read as 400."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def age(born_on: date | None, on: date | None = None) -> str:
    """61y: birthdays passed on the London date `on` (today when not given).

    Someone born on 29 February is a year older on 1 March of a year without one.
    """
    if born_on is None:
        return "age not known"
    on = on or clock.today()
    years = on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
    return f"{years}y"


def lateness(due: date | datetime | None, now: datetime) -> str:
    """How late, in words: "2 days late", "due today", "due in 3 days".

    A date is late from the London day after it; an instant from its own minute, and within a day
    of it the answer is in hours and minutes elapsed, which the clock changes do not shift.
    """
    if due is None:
        return "no deadline set"
    days = (london_day(now) - (london_day(due) if isinstance(due, datetime) else due)).days
    if not isinstance(due, datetime):
        return "due today" if days == 0 else _late_or_due(days > 0, _count(abs(days), "day"))
    minutes = int((now - due).total_seconds() // 60)
    late, minutes = minutes >= 0, abs(minutes)
    if minutes == 0:
        return "due now"
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return _late_or_due(late, _count(hours // 24, "day"))
    words = [_count(hours, "hour")] if hours else []
    words += [_count(rest, "minute")] if rest else []
    return _late_or_due(late, " ".join(words))


def _late_or_due(late: bool, amount: str) -> str:
    return f"{amount} late" if late else f"due in {amount}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}.*(Z|[+-][0-9]{2}:[0-9]{2})")
_CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")


def fact(value: Any) -> str:
    """One fact a check answers with, as read on a page: the contracts' own text made readable.

    Dates and instants become London days and moments, codes lose their underscores, a list is
    "none" when empty. Numbers stay as the check wrote them.
    """
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{fact(key)} {fact(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(fact(each) for each in value) or "none"
    text = str(value)
    if _DAY.fullmatch(text):
        return day(date.fromisoformat(text))
    if _INSTANT.fullmatch(text):
        return moment(datetime.fromisoformat(text))
    return text.replace("_", " ") if _CODE.fullmatch(text) else text


FILTERS: dict[str, Callable[..., str]] = {
    "nhs_number": nhs_number,
    "day": day,
    "day_born": day_born,
    "clock_time": clock_time,
    "moment": moment,
    "mg": mg,
    "age": age,
    "lateness": lateness,
    "fact": fact,
    "days_said": days_said,
}
