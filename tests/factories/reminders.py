"""A visit to be reminded of, a mail server to do it, and ports that fail in chosen ways."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message as Letter
from typing import Any

from aiosmtpd.controller import Controller

from clinic.act import Act
from clinic.appointments.taking import Booked
from clinic.db import Database
from clinic.reminders import commands
from clinic.reminders.ports import MailServer, Message
from tests.factories import appointments as made

VISIT_AT = datetime(2026, 11, 6, 9, 30, tzinfo=UTC)
THE_DAY_BEFORE = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
THE_SAME_DAY = datetime(2026, 11, 6, 8, 10, tzinfo=UTC)
ADDRESS = "elin@example.org"


def a_visit(clinic: made.Clinic, **choice: Any) -> Booked:
    """A visit on Friday 6 November at half past nine, of somebody who wants to be reminded."""
    booked = made.a_booking(clinic, **clinic.place(2))
    assert booked.place.starts_at == VISIT_AT
    wants(clinic, booked.patient_id, **choice)
    return booked


def wants(clinic: made.Clinic, patient_id: int, **choice: Any) -> int:
    """What somebody says when asked: by e-mail, unless told otherwise."""
    given = {"channel": "email", "address": ADDRESS, **choice}
    act = clinic.at(clinic.act.at)
    return commands.record_choice(
        replace(act, rights=act.rights | {"patients.edit"}), patient_id, **given
    )


def a_sweep(database: Database, at: datetime) -> Act:
    """The work of the sweep at a moment."""
    return Act(
        session=database.session(), at=at, staff_id=None, staff_name="sweep", role="sweep",
        request_id=None, purpose="sweep",
    )  # fmt: skip


@dataclass
class Postbag:
    """A port that keeps what it was given, and first does whatever `then` does."""

    sent: list[Message] = field(default_factory=list)
    before: Any = None
    after: Any = None

    def send(self, message: Message) -> None:
        if self.before is not None:
            self.before()
        self.sent.append(message)
        if self.after is not None:
            self.after()


@dataclass
class Inbox:
    """What a real mail server received; `answer` other than 250 refuses."""

    port: int
    letters: list[Letter] = field(default_factory=list)
    answer: str = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.letters.append(message_from_bytes(envelope.content))
        return self.answer

    def as_port(self) -> MailServer:
        return MailServer("127.0.0.1", self.port, "none", "", "", "appointments@example.org")


@contextmanager
def a_mail_server() -> Iterator[Inbox]:
    """A mail server on this machine, for as long as the block lasts."""
    with socket.socket() as looking:
        looking.bind(("127.0.0.1", 0))
        port = looking.getsockname()[1]
    inbox = Inbox(port)
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()
