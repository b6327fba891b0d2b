"""Commands for operators, `python -m backend NAME`: each a thin door to the module that does it."""

import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from backend.settings import Settings, get_settings
from backend.settings.sources import SettingsError

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Commands for operators.")


@cli.command()
def check() -> None:
    """Show every setting and whether the application would start; secrets are never shown."""
    from backend.commands.check import print_settings

    raise typer.Exit(print_settings())


@cli.command()
def migrate(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the database.")] = 60,
    revision: Annotated[str, typer.Option(help="Schema revision to go to.")] = "head",
) -> None:
    """Bring the database's schema to the newest revision. Safe to run from several places at once."""
    settings = _settings()
    from backend.commands.migrate import MigrationError
    from backend.commands.migrate import migrate as run

    try:
        run(settings, wait_seconds=wait, revision=revision)
    except MigrationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@cli.command()
def requeue(
    job_id: Annotated[list[UUID] | None, typer.Argument(help="Jobs to replay.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Replay every dead letter.")] = False,
) -> None:
    """List dead letters, the jobs that lost their worker five times; replay those named, or all."""
    from backend.commands.requeue import requeue as run

    run(_settings(), job_id or [], everything=all)


@cli.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    settings = _settings()
    from backend.main import create_app

    document = create_app(settings).openapi()
    typer.echo(json.dumps(document, indent=2))


@cli.command("create-demo")
def create_demo() -> None:
    """Make the demo account, in development only."""
    from backend.commands.create_demo import create_demo_account

    create_demo_account(_settings())


@cli.command("create-admin")
def create_admin(
    email: Annotated[str, typer.Argument(help="The account's e-mail address.")],
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password of a new account; without it, it is asked for.")
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the rights away instead.")] = False,
) -> None:
    """Make an account an admin's: a new one, or one that exists."""
    from backend.commands.create_admin import create_admin as run

    run(_settings(), email, password_file, revoke=revoke)


def _settings() -> Settings:
    try:
        return get_settings()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    cli()
