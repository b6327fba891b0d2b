"""Add the family of a session's refresh tokens, and an index for counting mails per recipient."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a nullable column and indexes. Earlier releases still work."""
    op.add_column("sessions", sa.Column("family_hash", sa.String(64), nullable=True))
    op.create_index("ix_sessions_family_hash", "sessions", ["family_hash"], unique=True)
    op.create_index("ix_mails_recipient", "mails", ["recipient", "created_at"])


def downgrade() -> None:
    """Drop everything that upgrade added. Sessions keep working with the hashes of their last two tokens."""
    op.drop_index("ix_mails_recipient", table_name="mails")
    op.drop_index("ix_sessions_family_hash", table_name="sessions")
    op.drop_column("sessions", "family_hash")
