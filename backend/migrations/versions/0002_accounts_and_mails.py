"""Add verified addresses, mailed tokens, admins, quotas, exports, and the mails table."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNSENT = sa.text("status IN ('queued', 'sending')")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add columns with defaults, and tables. Earlier releases still work."""
    with op.batch_alter_table("users") as users:
        users.alter_column("password_hash", existing_type=sa.String(255), nullable=True)
        users.add_column(sa.Column("google_subject", sa.String(255), nullable=True))
        users.add_column(sa.Column("email_verified_at", TIME, nullable=True))
        users.add_column(sa.Column("mail_when_finished", sa.Boolean(), nullable=False, server_default=sa.false()))
        users.add_column(sa.Column("is_admin", sa.Boolean(), nullable=False, server_default=sa.false()))
        users.add_column(sa.Column("disabled_at", TIME, nullable=True))
        users.add_column(sa.Column("deleted_at", TIME, nullable=True))
        users.add_column(sa.Column("quota_jobs_running", sa.Integer(), nullable=True))
        users.add_column(sa.Column("quota_jobs_per_day", sa.Integer(), nullable=True))
        users.add_column(sa.Column("quota_bytes", sa.BigInteger(), nullable=True))
        users.add_column(sa.Column("jobs_counted_from", TIME, nullable=True))
        users.add_column(sa.Column("jobs_counted", sa.Integer(), nullable=False, server_default=sa.text("0")))
        users.create_unique_constraint("uq_users_google_subject", ["google_subject"])
        users.create_index("ix_users_deleted_at", ["deleted_at"])
    with op.batch_alter_table("sessions") as sessions:
        sessions.add_column(sa.Column("user_agent", sa.String(255), nullable=True))
        sessions.add_column(sa.Column("address", sa.String(45), nullable=True))
    op.add_column("jobs", sa.Column("results_size", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    _create_account_tables()
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(100), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("send_after", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
        sa.UniqueConstraint("event", name="uq_mails_event"),
    )
    op.create_index("ix_mails_unsent", "mails", ["status", "send_after"], postgresql_where=UNSENT, sqlite_where=UNSENT)


def _create_account_tables() -> None:
    op.create_table(
        "account_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("new_email", sa.String(254), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_account_tokens_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_account_tokens"),
        sa.UniqueConstraint("token_hash", name="uq_account_tokens_token_hash"),
    )
    op.create_index("ix_account_tokens_user_id", "account_tokens", ["user_id"])
    op.create_index("ix_account_tokens_expires_at", "account_tokens", ["expires_at"])
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_exports_user_id_users", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
    )
    op.create_index("ix_exports_user_id", "exports", ["user_id"])


def downgrade() -> None:
    """Drop everything that upgrade added. Accounts without a password are deleted."""
    op.drop_table("mails")
    op.drop_table("exports")
    op.drop_table("account_tokens")
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("address")
        sessions.drop_column("user_agent")
    op.drop_column("jobs", "results_size")
    op.execute("DELETE FROM users WHERE password_hash IS NULL")
    with op.batch_alter_table("users") as users:
        users.drop_index("ix_users_deleted_at")
        users.drop_constraint("uq_users_google_subject", type_="unique")
        for name in ("jobs_counted", "jobs_counted_from", "quota_bytes", "quota_jobs_per_day", "quota_jobs_running"):
            users.drop_column(name)
        for name in ("deleted_at", "disabled_at", "is_admin", "mail_when_finished", "email_verified_at"):
            users.drop_column(name)
        users.drop_column("google_subject")
        users.alter_column("password_hash", existing_type=sa.String(255), nullable=False)
