"""What carries a message away: a mail server, or a folder for whatever sends text messages.

A port either sends, or says that it certainly did not (`NotSent`), or that nobody can know
(`Unsure`). The difference decides whether anything may be tried again.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Protocol

from clinic import clock
from config.settings import Settings

LARGE = "font-size:24px;line-height:1.5;font-family:Arial,sans-serif"
TIMEOUT_SECONDS = 20


class NotSent(Exception):
    """It certainly did not go. Says why, with no address in it."""


class Unsure(Exception):
    """It may have gone: the line broke after the message was given away."""


@dataclass(frozen=True)
class Message:
    """One message. `key` is the same for the same try, so that a copy can be known as one."""

    key: str
    to: str
    subject: str
    text: str
    large_print: bool = False


class Port(Protocol):
    """Something that sends."""

    def send(self, message: Message) -> None: ...


@dataclass(frozen=True)
class MailServer:
    """A real mail server, spoken to in SMTP."""

    host: str
    port: int
    tls: str
    user: str
    password: str
    sender: str

    def send(self, message: Message) -> None:
        """Give the message to the server. NotSent or Unsure."""
        try:
            server = self._open()
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(_said(error)) from error
        try:
            server.send_message(_letter(message, self.sender))
        except (
            smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused,
            smtplib.SMTPNotSupportedError,
        ) as error:  # fmt: skip
            raise NotSent(_said(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unsure(_said(error)) from error
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()

    def _open(self) -> smtplib.SMTP:
        if self.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
        if self.tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        if self.user:
            server.login(self.user, self.password)
        return server


def _letter(message: Message, sender: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, message.to, message.subject
    letter["Message-ID"] = f"<{message.key}@{sender.rpartition('@')[2]}>"
    letter["Date"] = clock.now()
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    if message.large_print:
        letter.add_alternative(f'<p style="{LARGE}">{escape(message.text)}</p>', subtype="html")
    return letter


def _said(error: Exception) -> str:
    """What went wrong, without the address or the server's own words, which may repeat it."""
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next((refusal[0] for refusal in error.recipients.values()), None)
    return type(error).__name__ + (f" {code}" if code else "")


@dataclass(frozen=True)
class TextFolder:
    """A folder: one file for each text message, whole or not at all, for another program to send."""

    folder: Path

    def send(self, message: Message) -> None:
        """Put the message there. NotSent when it cannot be written, or is there already."""
        unfinished = self.folder / f".{message.key}.{os.getpid()}.part"
        try:
            with unfinished.open("x", encoding="utf-8") as file:
                json.dump({"key": message.key, "to": message.to, "text": message.text}, file)
                file.flush()
                os.fsync(file.fileno())
            os.link(unfinished, self.folder / f"{message.key}.json")
        except OSError as error:
            raise NotSent(_said(error)) from error
        finally:
            unfinished.unlink(missing_ok=True)


def ports_of(settings: Settings) -> Mapping[str, Port]:
    """The ports that are set up, by channel."""
    found: dict[str, Port] = {}
    if settings.smtp_host:
        found["email"] = MailServer(
            settings.smtp_host, settings.smtp_port, settings.smtp_tls, settings.smtp_user,
            settings.smtp_password, settings.mail_from,
        )  # fmt: skip
    if settings.text_folder:
        found["text"] = TextFolder(Path(settings.text_folder))
    return found
