"""Creates the demo account, in development only because its password is public."""

import typer
from sqlalchemy import select

from backend.accounts.models import User
from backend.accounts.passwords import hash_password
from backend.infra.db import create_engine, create_sessions, transaction
from backend.settings import Settings

DEMO_EMAIL = "demo@example.com"
DEMO_PASSWORD = "demo-password"


def create_demo_account(settings: Settings) -> None:
    """Create the account if it does not exist. Exits with 1 outside development."""
    if settings.ENVIRONMENT != "development":
        typer.echo("The demo account requires ENVIRONMENT=development. Sign up instead.", err=True)
        raise typer.Exit(1)
    with transaction(create_sessions(create_engine(settings))) as session:
        if session.scalar(select(User.id).where(User.email == DEMO_EMAIL)) is None:
            session.add(User(email=DEMO_EMAIL, name="Demo", password_hash=hash_password(DEMO_PASSWORD)))
