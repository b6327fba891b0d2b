"""Lists and requeues dead letters from the command line."""

from uuid import UUID

import typer

from backend.infra.db import create_engine, create_read_sessions, create_sessions, transaction
from backend.infra.logging import configure_logging
from backend.infra.pubsub import Publisher
from backend.infra.queue import Queue
from backend.jobs.upkeep import dead_letters, replay
from backend.settings import Settings


def requeue(settings: Settings, job_ids: list[UUID], *, everything: bool) -> None:
    """Requeue the given jobs, or all dead letters if `everything`. Without either, list the dead letters."""
    configure_logging(settings, "requeue")
    engine = create_engine(settings)
    with create_read_sessions(engine)() as session:
        letters = dead_letters(session)
    if not job_ids and not everything:
        for job in letters:
            typer.echo(f"{job.id}  {job.failure_code}  attempts {job.attempts}  {job.filename}")
        typer.echo(
            f"{len(letters)} dead letter(s). Requeue them with: python -m backend requeue --all, or with their ids"
        )
        return
    wanted = [job.id for job in letters] if everything else job_ids
    sessions = create_sessions(engine, queue=Queue(settings), publisher=Publisher(settings))
    with transaction(sessions) as session:
        replayed = {job.id for job in replay(session, wanted)}
    for job_id in wanted:
        typer.echo(
            f"{job_id}  {'queued again' if job_id in replayed else 'skipped: no failed or cancelled job has this id'}"
        )
    if len(replayed) < len(wanted):
        raise typer.Exit(1)
