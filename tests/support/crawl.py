"""What can somebody reach by following links from the first page, and is each page whole?"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from clinic.db import Database
from clinic.sites.models import Site
from clinic.staff.models import SitePost, Staff
from tests.support.people import a_sign_in

HERE = "http://localhost"
SAME_KIND = ("rule_id", "rule_set", "limit", "quarter", "on", "monday")


@dataclass(frozen=True)
class Found:
    """A page: what makes it one of its kind, its address, its status and what is wrong with it.

    `content`: stands for all that is on it between the head and the foot every page has.
    """

    kind: str
    path: str
    endpoint: str
    status: int
    faults: tuple[str, ...]
    linked_from: str
    content: str


class Reading(HTMLParser):
    """Gathers from a page's HTML what a crawl asks of it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.faults: list[str] = []
        self._headings = 0
        self._title = ""
        self._within: list[str] = []
        self._tables: list[bool] = []
        self.feed(html)
        self.close()
        if self._headings != 1:
            self.faults.append(f"{self._headings} h1 headings")
        if not self._title.strip():
            self.faults.append("no title")
        if "Traceback (most recent call last)" in html:
            self.faults.append("a traceback")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "h1":
            self._headings += 1
        elif tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif tag == "table":
            self._tables.append(bool(given.get("aria-label") or given.get("aria-labelledby")))
        elif tag == "caption" and self._tables:
            self._tables[-1] = True
        elif tag in ("script", "link", "img", "iframe", "form"):
            asked = given.get("src") or given.get("action") or given.get("href") or ""
            if urlsplit(urljoin(HERE, asked)).netloc != urlsplit(HERE).netloc:
                self.faults.append(f"<{tag}> asks another host: {asked}")
        self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._tables and not self._tables.pop():
            self.faults.append("a table without a caption or a label")
        self._within.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if self._within and self._within[-1] == "title":
            self._title += data


def signed_in(app: Flask, database: Database, email: str) -> tuple[FlaskClient, frozenset[str]]:
    """A client in the name of a member of staff, at the only site they work at, and their rights."""
    from clinic.roles import rights_of

    with database.transaction() as session:
        staff = session.scalars(select(Staff).where(Staff.email == email)).one()
        role = staff.roles[0]
        token = a_sign_in(session, staff, session.get_one(Site, role.site_id))
        posts = session.scalars(
            select(SitePost.post).where(SitePost.staff_id == staff.id, SitePost.to_on.is_(None))
        )
        rights = rights_of([role.role], posts.all())
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["token"] = token
    return client, rights


def kind_of(app: Flask, path: str) -> tuple[str, str]:
    """The kind a page is of, and its endpoint: numbers and ids in an address make no new kind."""
    parts = urlsplit(path)
    try:
        endpoint, values = app.url_map.bind("localhost").match(parts.path, method="GET")
    except HTTPException:
        return f"no page {path}", ""
    words = [
        f"{name}={value}"
        for name, value in values.items()
        if isinstance(value, str) and name not in SAME_KIND
    ]
    words += sorted(parse_qs(parts.query))
    return " ".join([endpoint, *words]), endpoint


def crawl(app: Flask, client: FlaskClient, each: int = 1) -> Iterator[Found]:
    """Every kind of page reachable by links from the first, nearest first, `each` of a kind."""
    waiting = deque([("/", "the address bar")])
    seen: set[str] = set()
    kinds: Counter[str] = Counter()
    while waiting:
        path, linked_from = waiting.popleft()
        kind, endpoint = kind_of(app, path)
        if path in seen or kinds[kind] == each or endpoint == "static":
            continue
        seen.add(path)
        kinds[kind] += 1
        answer = client.get(path)
        if 300 <= answer.status_code < 400:
            link = _local(path, answer.headers["Location"])
            if link is not None:
                waiting.appendleft((link, path))
            continue
        if answer.mimetype != "text/html":
            continue
        html = answer.get_data(as_text=True)
        read = Reading(html)
        faults = list(read.faults)
        if answer.status_code != 200:
            faults.append(f"status {answer.status_code}")
        yield Found(
            kind, path, endpoint, answer.status_code, tuple(faults), linked_from, content_of(html)
        )
        for link in read.links:
            if (following := _local(path, link)) is not None:
                waiting.append((following, path))


def content_of(html: str) -> str:
    """A key that two pages share when they show the same between head and foot."""
    main = re.sub(r'nonce="[^"]*"', "", html[html.find("<main") : html.find("</main>")])
    return hashlib.sha256(main.encode()).hexdigest()


def _local(page: str, link: str) -> str | None:
    """The path and query a link of this page leads to; None when it leads elsewhere."""
    parts = urlsplit(urljoin(urljoin(HERE, page), link))
    if f"{parts.scheme}://{parts.netloc}" != HERE:
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")
