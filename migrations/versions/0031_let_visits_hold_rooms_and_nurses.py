"""Let sessions name a nurse and a room, visits hold them and an observation place, sites keep kit."""

import sqlalchemy as sa
from alembic import op

from clinic.db import UtcDateTime

revision = "0031"
down_revision = "0030"

NAMED = sa.text("site_id IS NOT NULL AND gone_on IS NULL")
# Written out: a batch would rebuild the tables on SQLite and lose the triggers that guard them.
COLUMNS = {
    "resource": {
        "item": "VARCHAR CONSTRAINT ck_resource_item CHECK ((kind = 'kit') = (item IS NOT NULL))",
        "gone_on": "DATE",
        "version": "INTEGER NOT NULL DEFAULT 1",
    },
    "rota_pattern": {
        "nurse_id": "INTEGER CONSTRAINT ck_rota_pattern_nurse_apart CHECK (nurse_id IS NULL OR "
        "nurse_id NOT IN (doctor_id, worker_id)) REFERENCES staff (id)",
        "room_id": "INTEGER REFERENCES resource (id)",
    },
    "visit": {
        "nurse_id": "INTEGER REFERENCES staff (id)",
        "room_id": "INTEGER REFERENCES resource (id)",
        "observation_id": "INTEGER REFERENCES resource (id)",
    },
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column, kind in columns.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    op.create_index(
        "uq_resource_name", "resource", ["site_id", "kind", "name"], unique=True,
        sqlite_where=NAMED, postgresql_where=NAMED,
    )  # fmt: skip
    op.create_index("ix_rota_pattern_nurse_id", "rota_pattern", ["nurse_id"])
    op.create_table(
        "resource_change",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "resource_id", sa.Integer, sa.ForeignKey("resource.id"), nullable=False, index=True
        ),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("was", sa.String),
        sa.Column("became", sa.String),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("resource_change")
    op.drop_index("ix_rota_pattern_nurse_id", "rota_pattern")
    op.drop_index("uq_resource_name", "resource")
    for table, columns in COLUMNS.items():
        for column in reversed(columns):
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
