"""What does this service run with? The environment, read once into one frozen object.

Every key starts with THROUGHCARE_. A value that cannot stand stops the service at start with the
key's name and what is allowed. No key moves a dose limit: limits are rule data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

Mode = Literal["demo", "test", "production"]
Tls = Literal["starttls", "tls", "none"]

DEMO_SECRET = "demonstration-only-secret"  # noqa: S105 - refused in production below
SHORTEST_SECRET = 32
SHORTEST_CODE = 16
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "fuse.sshfs"}
)


class SettingsError(ValueError):
    """The environment cannot be used: names the key and says what is allowed."""

    def __init__(self, key: str, says: str) -> None:
        super().__init__(f"{key} {says}")
        self.key = key


@dataclass(frozen=True)
class Settings:
    """Everything the service may know of its surroundings.

    `idle_minutes`: a sign-in unused for longer is over. `database_url`: SQLAlchemy URL; SQLite is
    the embedded default, PostgreSQL by URL. `body_bytes`: the largest request body taken.
    `set_up_code`: asked for by the set-up page of an empty production service; without one that
    page is shut there, and `throughcare set-up` remains.
    `nhs_body`: the deployer is an NHS body and may show the NHS identity.
    `smtp_host`: the mail server reminders go through; none when blank. `text_folder`: where text
    messages are put as files, for whatever sends them; none when blank.
    """

    mode: Mode = "demo"
    database_url: str = "sqlite:///var/throughcare.sqlite"
    secret_key: str = DEMO_SECRET
    idle_minutes: int = 20
    body_bytes: int = 2_000_000
    secure_cookies: bool = False
    log_level: str = "INFO"
    set_up_code: str = ""
    nhs_body: bool = False
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: Tls = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""
    text_folder: str = ""

    @property
    def demo(self) -> bool:
        """True where only synthetic people (NHS numbers from 999) may be recorded."""
        return self.mode != "production"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. SettingsError names the key that cannot stand."""
    env = os.environ if environment is None else environment
    mode = env.get("THROUGHCARE_MODE", "demo")
    if mode not in get_args(Mode):
        raise SettingsError("THROUGHCARE_MODE", f"must be one of {', '.join(get_args(Mode))}")
    settings = Settings(
        mode=mode,  # type: ignore[arg-type]  # checked against the literal just above
        database_url=env.get("THROUGHCARE_DATABASE_URL", Settings.database_url),
        secret_key=env.get("THROUGHCARE_SECRET_KEY", DEMO_SECRET),
        idle_minutes=_whole(env, "THROUGHCARE_IDLE_MINUTES", Settings.idle_minutes, 1, 240),
        body_bytes=_whole(env, "THROUGHCARE_BODY_BYTES", Settings.body_bytes, 10_000, 50_000_000),
        secure_cookies=mode == "production",
        log_level=env.get("THROUGHCARE_LOG_LEVEL", "INFO").upper(),
        set_up_code=env.get("THROUGHCARE_SET_UP_CODE", ""),
        nhs_body=_yes(env, "THROUGHCARE_NHS_BODY"),
        smtp_host=env.get("THROUGHCARE_SMTP_HOST", ""),
        smtp_port=_whole(env, "THROUGHCARE_SMTP_PORT", Settings.smtp_port, 1, 65535),
        smtp_tls=env.get("THROUGHCARE_SMTP_TLS", Settings.smtp_tls),  # type: ignore[arg-type]  # checked below
        smtp_user=env.get("THROUGHCARE_SMTP_USER", ""),
        smtp_password=env.get("THROUGHCARE_SMTP_PASSWORD", ""),
        mail_from=env.get("THROUGHCARE_MAIL_FROM", ""),
        text_folder=env.get("THROUGHCARE_TEXT_FOLDER", ""),
    )
    _check_ports(settings)
    if settings.log_level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise SettingsError("THROUGHCARE_LOG_LEVEL", "must be DEBUG, INFO, WARNING or ERROR")
    if not settings.database_url.startswith(
        ("sqlite:///", "postgresql://", "postgresql+psycopg://")
    ):
        raise SettingsError(
            "THROUGHCARE_DATABASE_URL", "must start with sqlite:/// or postgresql://"
        )
    if settings.mode == "production":
        _refuse_demo_settings(settings)
    return settings


def _check_ports(settings: Settings) -> None:
    """What reminders are sent through must be whole, and in production not in the clear."""
    if settings.smtp_tls not in get_args(Tls):
        raise SettingsError("THROUGHCARE_SMTP_TLS", f"must be one of {', '.join(get_args(Tls))}")
    if settings.smtp_host and "@" not in settings.mail_from:
        raise SettingsError(
            "THROUGHCARE_MAIL_FROM", "must be the address e-mail comes from when a server is named"
        )
    local = settings.smtp_host in ("localhost", "127.0.0.1", "::1")
    if settings.mode == "production" and settings.smtp_tls == "none" and not local:
        raise SettingsError(
            "THROUGHCARE_SMTP_TLS",
            "must be starttls or tls in production, unless it is this machine",
        )
    if settings.text_folder and not Path(settings.text_folder).is_dir():
        raise SettingsError("THROUGHCARE_TEXT_FOLDER", "must be a folder that exists")


def _refuse_demo_settings(settings: Settings) -> None:
    if settings.secret_key == DEMO_SECRET or len(settings.secret_key) < SHORTEST_SECRET:
        raise SettingsError(
            "THROUGHCARE_SECRET_KEY",
            f"must be set in production to a secret of {SHORTEST_SECRET} characters or more",
        )
    if settings.set_up_code and len(settings.set_up_code) < SHORTEST_CODE:
        raise SettingsError(
            "THROUGHCARE_SET_UP_CODE",
            f"must have {SHORTEST_CODE} characters or more, or be left out",
        )
    if settings.database_url == Settings.database_url:
        raise SettingsError(
            "THROUGHCARE_DATABASE_URL",
            "must be set in production; the demonstration file is refused",
        )
    if settings.database_url.startswith("sqlite:///"):
        path = sqlite_path(settings.database_url)
        if path is not None and on_network(path):
            raise SettingsError(
                "THROUGHCARE_DATABASE_URL",
                "names an SQLite file on a network path, where its locks do not hold; "
                "use PostgreSQL or a local disk",
            )


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite URL; None for an in-memory database."""
    path = urlsplit(url).path[1:]
    return Path(path) if path and path != ":memory:" else None


def on_network(path: Path, mounts: str | None = None) -> bool:
    """Does this path lie on a network file system (or a UNC path)?

    `mounts`: the text of the mount table; read from /proc/mounts when not given.
    """
    if str(path).startswith(("//", "\\\\")):
        return True
    if mounts is None:
        table = Path("/proc/mounts")
        mounts = table.read_text(encoding="utf-8") if table.exists() else ""
    resolved = str(path.resolve())
    best, kind = "", ""
    for line in mounts.splitlines():
        _, point, found, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        inside = resolved == point or resolved.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, found
    return kind in NETWORK_FILE_SYSTEMS


def _yes(env: Mapping[str, str], key: str) -> bool:
    text = env.get(key, "no").lower()
    if text not in ("yes", "no"):
        raise SettingsError(key, "must be yes or no")
    return text == "yes"


def _whole(env: Mapping[str, str], key: str, default: int, least: int, most: int) -> int:
    text = env.get(key)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise SettingsError(key, f"must be a whole number from {least} to {most}")
    return int(text)
