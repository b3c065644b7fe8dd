"""What the environment may say, and how the service refuses to start on what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Settings, SettingsError, from_environment, on_network, sqlite_path

PRODUCTION = {
    "THROUGHCARE_MODE": "production",
    "THROUGHCARE_SECRET_KEY": "x" * 32,
    "THROUGHCARE_DATABASE_URL": "postgresql://throughcare@db/throughcare",
}


def test_nothing_set_is_a_demonstration() -> None:
    settings = from_environment({})

    assert settings == Settings()
    assert settings.demo
    assert not settings.secure_cookies


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MODE", "prod"),
        ("IDLE_MINUTES", "0"),
        ("IDLE_MINUTES", "241"),
        ("IDLE_MINUTES", "twenty"),
        ("IDLE_MINUTES", "٢٠"),
        ("IDLE_MINUTES", ""),
        ("BODY_BYTES", "9999"),
        ("BODY_BYTES", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", ""),
    ],
)
def test_a_value_that_cannot_stand_stops_the_start_with_the_name_of_its_key(
    key: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=f"THROUGHCARE_{key} must") as refused:
        from_environment({f"THROUGHCARE_{key}": value})

    assert refused.value.key == f"THROUGHCARE_{key}"


@pytest.mark.parametrize(("key", "least", "most"), [("IDLE_MINUTES", 1, 240)])
def test_the_ends_of_a_range_are_in_it(key: str, least: int, most: int) -> None:
    for value in (least, most):
        assert from_environment({f"THROUGHCARE_{key}": str(value)}).idle_minutes == value


def test_production_runs_on_its_own_secret_and_database() -> None:
    settings = from_environment(PRODUCTION)

    assert not settings.demo
    assert settings.secure_cookies


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "demonstration-only-secret"),
        ("SECRET_KEY", "x" * 31),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "sqlite:///var/throughcare.sqlite"),
        ("DATABASE_URL", "sqlite://///server/share/x.sqlite"),
        ("SET_UP_CODE", "x" * 15),
    ],
)
def test_production_refuses_what_belongs_to_a_demonstration(key: str, value: str | None) -> None:
    environment = {**PRODUCTION, f"THROUGHCARE_{key}": value}

    with pytest.raises(SettingsError) as refused:
        from_environment({k: v for k, v in environment.items() if v is not None})

    assert refused.value.key == f"THROUGHCARE_{key}"


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv/shared nfs4 rw 0 0
/dev/sdb1 /srv/shared/local ext4 rw 0 0
//nas/x /mnt/with\\040space cifs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "far"),
    [
        ("/var/lib/x.sqlite", False),
        ("/srv/shared/x.sqlite", True),
        ("/srv/shared/local/x.sqlite", False),
        ("/srv/sharedness/x.sqlite", False),
        ("/mnt/with space/x.sqlite", True),
        ("//server/share/x.sqlite", True),
    ],
)
def test_a_network_path_is_known_by_its_mount(path: str, far: bool) -> None:
    assert on_network(Path(path), MOUNTS) is far


def test_a_database_in_memory_has_no_file() -> None:
    assert sqlite_path("sqlite:///:memory:") is None
    assert sqlite_path("sqlite:////var/x.sqlite") == Path("/var/x.sqlite")
    assert sqlite_path("sqlite:///var/x.sqlite") == Path("var/x.sqlite")


@pytest.mark.parametrize(
    ("key", "environment"),
    [
        ("THROUGHCARE_SMTP_TLS", {"THROUGHCARE_SMTP_TLS": "maybe"}),
        ("THROUGHCARE_SMTP_PORT", {"THROUGHCARE_SMTP_PORT": "0"}),
        ("THROUGHCARE_MAIL_FROM", {"THROUGHCARE_SMTP_HOST": "mail.example.org"}),
        ("THROUGHCARE_TEXT_FOLDER", {"THROUGHCARE_TEXT_FOLDER": "/no/such/folder"}),
        (
            "THROUGHCARE_SMTP_TLS",
            {
                "THROUGHCARE_MODE": "production", "THROUGHCARE_SMTP_HOST": "mail.example.org",
                "THROUGHCARE_MAIL_FROM": "a@example.org", "THROUGHCARE_SMTP_TLS": "none",
            },
        ),
    ],
)  # fmt: skip
def test_what_reminders_go_through_must_be_whole_and_not_in_the_clear(key, environment):
    with pytest.raises(SettingsError) as refused:
        from_environment(environment)

    assert refused.value.key == key
