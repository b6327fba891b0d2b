"""Fill `recipe` and `facts` of jobs created before 0005, and convert their results to the new form.

The trigger of 0005 converts each updated row. On PostgreSQL each batch is committed separately, so that running jobs
wait only milliseconds. After an interruption the migration continues where it stopped.
"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 2_000
JOBS = sa.table("jobs", sa.column("id", sa.Uuid()), sa.column("recipe", sa.JSON()), sa.column("progress", sa.Integer()))


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            _convert(op.get_bind())
    else:
        _convert(op.get_bind())


def downgrade() -> None:
    """Do nothing: both forms are kept."""


def _convert(connection: sa.Connection) -> None:
    after = UUID(int=0)
    waiting = sa.select(JOBS.c.id).where(JOBS.c.recipe.is_(sa.null()))
    while True:
        ids = connection.scalars(waiting.where(JOBS.c.id > after).order_by(JOBS.c.id).limit(BATCH)).all()
        if not ids:
            return
        connection.execute(sa.update(JOBS).where(JOBS.c.id.in_(ids)).values(progress=JOBS.c.progress))
        after = ids[-1]
