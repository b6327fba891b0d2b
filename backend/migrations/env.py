"""Alembic's entry point. Uses the connection that backend.commands.migrate opened and locked."""

from alembic import context

from backend.accounts import models as accounts_models
from backend.admin import models as admin_models
from backend.infra.db import Base, is_in_models
from backend.jobs import models as jobs_models
from backend.mails import models as mails_models

MODELS = (accounts_models, admin_models, jobs_models, mails_models)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=is_in_models,
    render_as_batch=True,
    compare_server_default=True,
    # For PostgreSQL only: SQLite's migrations run in one transaction that locks the database.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
