"""Every page somebody can reach from the first page is whole, readable and asks no other host.

One person of each role follows every link of the demonstration, one page of each kind. In the
short form each endpoint is looked at in the browser once, for whoever reaches it first. The long
form follows three of each kind and looks at all of them, a content that somebody else was shown to
the letter once, and the first page for everybody.
"""

from __future__ import annotations

import re
from time import monotonic

import pytest

from clinic.auth import OPEN, SIGNED_IN, permissions
from clinic.demo.people import STAFF
from tests.support.crawl import Found, crawl, signed_in
from tests.support.postgres import locked

EVERY_ROLE = ("nair", "price", "osei", "byrne", "marsh", "haddad", "frost", "quill", "admin")
AT_OTHER_SITES = ("okafor", "shaw", "stone", "grant", "kerr", "teller")
# The first page of each room, and the longest of each walk.
WALKS = {
    "price": ["/", "/appointments/waiting", "/appointments/clinic", "/patients", "/patients/1"],
    "nair": ["/", "/patients/1"],
    "byrne": ["/", "/custody/", "/custody/stays/1", "/release", "/release/plans/1"],
    "frost": ["/", "/appointments/rota", "/appointments/rota/add"],
}
NARROW = {"width": 320, "height": 640}  # 1280 pixels at 400 %
STICKS_OUT = """() => document.documentElement.scrollWidth <= 320 ? "" :
    [...document.querySelectorAll("body *")]
        .filter(each => each.getBoundingClientRect().right > 321)
        .map(each => each.tagName.toLowerCase() + "." + each.className)
        .slice(0, 6).join(", ") || "something"
"""

MINUTES = re.compile(r"\d+ minutes?")


def _email(key: str) -> str:
    return next(member.email for member in STAFF if member.key == key)


def _let_in(demonstration, page, key):
    client, _ = signed_in(demonstration.app, demonstration.database, _email(key))
    cookie = client.get_cookie("throughcare")
    page.context.add_cookies(
        [{"name": "throughcare", "value": cookie.value, "url": demonstration.server.url}]
    )


def _nobody_has_seen(demonstration, pages: list[Found], by: str) -> list[Found]:
    """One for each endpoint, or content, that no other test of this run took to look at."""
    taken = demonstration.run_folder / f"{by}.seen"
    with locked(taken.with_suffix(".lock")):
        seen = set(taken.read_text().splitlines()) if taken.exists() else set()
        fresh = {getattr(found, by): found for found in reversed(pages)}
        fresh = {key: found for key, found in fresh.items() if key not in seen}
        taken.write_text("\n".join(seen | fresh.keys()))
    return list(fresh.values())


def _look(demonstration, page, axe, pages: list[Found]) -> list[str]:
    """What a browser finds wrong with these pages."""
    wrong = []
    for found in pages:
        answer = page.goto(demonstration.server.url + found.path)
        if answer.status != 200:
            wrong.append(f"{found.path}: {answer.status}")
            continue
        try:
            axe(page)
        except AssertionError as failing:
            wrong.append(f"{found.kind} (linked from {found.linked_from}): {failing}")
        if wide := _sideways(page):
            wrong.append(f"{found.path} scrolls sideways at 320 pixels: {wide}")
    return wrong


def _sideways(page) -> str:
    """What sticks out of a window 320 pixels wide; empty when nothing does."""
    usual = page.viewport_size
    page.set_viewport_size(NARROW)
    give_up = monotonic() + 2
    # The menu folds its last entries away once it has noticed the new width.
    while (out := page.evaluate(STICKS_OUT)) and monotonic() < give_up:
        page.wait_for_timeout(20)
    page.set_viewport_size(usual)
    return out


@pytest.mark.browser
@pytest.mark.parametrize("key", EVERY_ROLE)
def test_every_page_of_each_role_is_whole_and_can_be_read_by_everybody(
    demonstration, page, axe, key
):
    client, rights = signed_in(demonstration.app, demonstration.database, _email(key))
    _let_in(demonstration, page, key)

    pages = list(crawl(demonstration.app, client))
    faulty = [found for found in pages if found.faults]
    wrong = _look(
        demonstration,
        page,
        axe,
        _nobody_has_seen(demonstration, [f for f in pages if not f.faults], by="endpoint"),
    )

    assert not faulty, "\n".join(map(str, faulty))
    assert not wrong, "\n\n".join(wrong)
    needed = permissions(demonstration.app)
    assert {needed[found.endpoint] for found in pages} <= rights | {OPEN, SIGNED_IN}


@pytest.mark.proof
@pytest.mark.browser
@pytest.mark.parametrize("key", EVERY_ROLE + AT_OTHER_SITES)
def test_every_page_of_each_role_at_each_kind_of_site_is_whole(demonstration, page, axe, key):
    client, _ = signed_in(demonstration.app, demonstration.database, _email(key))
    _let_in(demonstration, page, key)

    pages = list(crawl(demonstration.app, client, each=3))
    faulty = [found for found in pages if found.faults]
    whole = [found for found in pages if not found.faults]
    first, fresh = whole[:1], _nobody_has_seen(demonstration, whole[1:], by="content")
    wrong = _look(demonstration, page, axe, [*first, *fresh])

    assert not faulty, "\n".join(map(str, faulty))
    assert not wrong, "\n\n".join(wrong)


def test_nobody_is_let_into_a_page_of_a_right_they_do_not_hold(demonstration):
    needed = permissions(demonstration.app)
    clients = {
        key: signed_in(demonstration.app, demonstration.database, _email(key)) for key in EVERY_ROLE
    }
    addresses = {
        rule.endpoint: rule.rule
        for rule in demonstration.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.arguments and "/api/" not in rule.rule
    }

    let_in = [
        f"{key} at {address}"
        for key, (client, rights) in clients.items()
        for endpoint, address in addresses.items()
        if needed[endpoint] not in rights | {OPEN, SIGNED_IN}
        and client.get(address).status_code != 403
    ]

    assert not let_in


@pytest.mark.browser
@pytest.mark.parametrize("key", WALKS)
def test_each_walk_works_with_scripts_off(demonstration, page, no_scripts_page, key):
    _let_in(demonstration, page, key)
    _let_in(demonstration, no_scripts_page, key)

    for path in WALKS[key]:
        assert page.goto(demonstration.server.url + path).ok, path
        no_scripts_page.goto(demonstration.server.url + path)

        for what in ("h1", "main a", "main button:not([type=button])", "main input", "main table"):
            with_scripts = page.locator(f"{what}:visible").all_inner_texts()
            without = no_scripts_page.locator(f"{what}:visible").all_inner_texts()
            # The clock may pass a minute between the two looks.
            seen, needed = ({MINUTES.sub("minutes", each) for each in texts}
                            for texts in (without, with_scripts))  # fmt: skip
            assert needed <= seen, f"{path}: {what}"
            assert len(without) >= len(with_scripts), f"{path}: {what}"
