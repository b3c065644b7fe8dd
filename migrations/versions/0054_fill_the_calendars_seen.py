"""Every stay with something open has seen the holiday lists its newest timetable was made from."""

from alembic import op

revision = "0054"
down_revision = "0053"


def upgrade() -> None:
    op.execute(
        """
        UPDATE reception SET calendar_seen = (
            SELECT timetable.calendar_version FROM timetable
            WHERE timetable.reception_id = reception.id
            ORDER BY timetable.version DESC LIMIT 1
        )
        WHERE EXISTS (
            SELECT 1 FROM timetable_item
            WHERE timetable_item.reception_id = reception.id AND timetable_item.state = 'open'
        )
        """
    )


def downgrade() -> None:
    op.execute("UPDATE reception SET calendar_seen = NULL")
