"""Let the week of a pharmacy or clinic say whose bank holidays it keeps."""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    # Weeks recorded before stay silent: nobody was asked, and the service's own nation is a guess.
    op.execute(
        "ALTER TABLE premises_fact ADD COLUMN nation VARCHAR "
        "CONSTRAINT ck_premises_fact_nation CHECK (kind = 'hours' OR nation IS NULL)"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE premises_fact DROP COLUMN nation")
