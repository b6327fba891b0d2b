"""Operator commands: `python -m backend NAME`. Each calls a module in backend.commands."""

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
    """Show all settings without secrets, and check whether the application would start."""
    from backend.commands.check import print_settings

    raise typer.Exit(print_settings())


@cli.command()
def migrate(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the database.")] = 60,
    revision: Annotated[str, typer.Option(help="Target schema revision.")] = "head",
) -> None:
    """Migrate the database schema. Safe to run in several processes at the same time."""
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
    job_id: Annotated[list[UUID] | None, typer.Argument(help="Ids of jobs to requeue.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Requeue all dead letters.")] = False,
) -> None:
    """List dead letters (jobs that lost their worker five times), or requeue some or all of them."""
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
    """Create the demo account, in development only."""
    from backend.commands.create_demo import create_demo_account

    create_demo_account(_settings())


@cli.command("create-admin")
def create_admin(
    email: Annotated[str, typer.Argument(help="The account's e-mail address.")],
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password of a new account. Without it, the command prompts.")
    ] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="Remove the admin rights instead.")] = False,
) -> None:
    """Create an admin account, or promote an existing account."""
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
