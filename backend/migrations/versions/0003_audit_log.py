"""Add the audit log of admin actions, and indexes for admin lists."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STOPPED = sa.text("status IN ('failed', 'cancelled')")
DEAD = sa.text("status = 'failed' AND failure_code = 'worker_lost'")


def upgrade() -> None:
    """Add a table and indexes. Earlier releases still work.

    Creating an index blocks writes to jobs during one scan of the table. CONCURRENTLY would not, but can't run within
    the migrations' transaction. For a table of many millions of rows, create these two indexes manually before.
    """
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("admin_id", sa.Uuid(), nullable=True),
        sa.Column("admin_email", sa.String(254), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("target_type", sa.String(20), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(45), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["admin_id"], ["users.id"], name="fk_audit_log_admin_id_users", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_admin_id_id", "audit_log", ["admin_id", "id"])
    op.create_index("ix_audit_log_target_id_id", "audit_log", ["target_id", "id"])
    options = {"if_not_exists": True}
    op.create_index(
        "ix_jobs_stopped", "jobs", ["status", "id"], postgresql_where=STOPPED, sqlite_where=STOPPED, **options
    )
    op.create_index("ix_jobs_dead_letters", "jobs", ["id"], postgresql_where=DEAD, sqlite_where=DEAD, **options)


def downgrade() -> None:
    """Drop everything that upgrade added, including the audit log."""
    op.drop_index("ix_jobs_dead_letters", table_name="jobs")
    op.drop_index("ix_jobs_stopped", table_name="jobs")
    op.drop_table("audit_log")
