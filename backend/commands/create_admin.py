"""Creates, promotes and demotes admins from the command line, for example the first admin."""

import sys
from pathlib import Path

import typer
from pydantic import SecretStr, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.accounts.passwords import hash_password
from backend.accounts.schemas import MAX_PASSWORD, MIN_PASSWORD, Email, NewPassword
from backend.admin.audit import COMMAND_LINE, record
from backend.admin.models import Action
from backend.infra.db import create_engine, create_sessions, transaction, utc_now
from backend.settings import Settings

NAME = "Admin"


class Refused(Exception):
    """The command can't run. The message contains the reason and what to do."""


def create_admin(settings: Settings, email: str, password_file: Path | None, *, revoke: bool) -> None:
    """Create or promote an admin, or demote one if `revoke`. Prints the result. Exits with 1 on failure."""
    engine = create_engine(settings)
    try:
        message = _change(create_sessions(engine), email, password_file, revoke=revoke)
    except Refused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except IntegrityError as error:
        typer.echo("Another process created this account at the same time. Run the command again.", err=True)
        raise typer.Exit(1) from error
    except DBAPIError as error:
        reason = f"DATABASE_URL: the database is unavailable or has no tables: {error.orig}"
        typer.echo(f"{reason}\nTo create the tables, run: python -m backend migrate", err=True)
        raise typer.Exit(1) from error
    finally:
        engine.dispose()
    typer.echo(message)


def _change(sessions: sessionmaker[Session], email: str, password_file: Path | None, *, revoke: bool) -> str:
    address = _address(email)
    if revoke:
        with transaction(sessions) as session:
            return _revoke(session, address)
    with sessions() as session:
        is_new = _find(session, address) is None
    # Read and hash the password before the transaction, because the transaction locks SQLite.
    password_hash = hash_password(_password(password_file)) if is_new else None
    with transaction(sessions) as session:
        return _grant(session, address, password_hash)


def _grant(session: Session, email: str, password_hash: str | None) -> str:
    user = _find(session, email, for_update=True)
    if user is None:
        _create(session, email, password_hash)
        return f"Created the admin account {email}."
    _require_usable(user)
    if user.is_admin:
        return f"{email} is already an admin. Nothing was changed."
    _require_verified(user)
    user.is_admin = True
    record(session, COMMAND_LINE, Action.GRANT_ADMIN, "user", user.id)
    return f"Promoted the existing account {email} to admin. Its password was not changed."


def _create(session: Session, email: str, password_hash: str | None) -> None:
    if password_hash is None:
        raise Refused(f"{email} was deleted at the same time. Run the command again to create the account.")
    # The operator vouches for the address, so it needs no verification mail.
    user = User(email=email, name=NAME, password_hash=password_hash, email_verified_at=utc_now(), is_admin=True)
    session.add(user)
    session.flush()
    record(session, COMMAND_LINE, Action.CREATE_ADMIN, "user", user.id)


def _revoke(session: Session, email: str) -> str:
    user = _find(session, email, for_update=True)
    if user is None:
        raise Refused(f"No account has the address {email}.")
    if not user.is_admin:
        return f"{email} is not an admin. Nothing was changed."
    user.is_admin = False
    record(session, COMMAND_LINE, Action.REVOKE_ADMIN, "user", user.id)
    return f"{email} is no longer an admin. The account still exists."


def _find(session: Session, email: str, *, for_update: bool = False) -> User | None:
    wanted = select(User).where(User.email == email)
    return session.scalar(wanted.with_for_update(key_share=True) if for_update else wanted)


def _require_usable(user: User) -> None:
    if user.deleted_at is not None:
        raise Refused(f"The account {user.email} is being deleted. Run the command again after that.")
    if user.disabled_at is not None:
        raise Refused(f"The account {user.email} is disabled. An admin has to enable it first.")


def _require_verified(user: User) -> None:
    if user.email_verified_at is None:
        raise Refused(
            f"{user.email} is not verified: another person may have signed up with this address and know the password."
            " Ask the owner of the address to set a new password on the page /forgot-password, which also verifies the"
            " address. Then run the command again."
        )


def _address(email: str) -> str:
    try:
        return TypeAdapter[str](Email).validate_python(email)
    except ValidationError as error:
        raise Refused(f"{email!r} is not an e-mail address.") from error


def _password(password_file: Path | None) -> str:
    given = _prompt() if password_file is None else _read(password_file)
    try:
        return TypeAdapter[SecretStr](NewPassword).validate_python(given).get_secret_value()
    except ValidationError as error:
        raise Refused(
            f"The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters and must not contain NUL."
        ) from error


def _prompt() -> str:
    if not sys.stdin.isatty():
        raise Refused("There is no terminal for the password prompt. Use a file: --password-file PATH")
    password: str = typer.prompt("Password for the new admin", hide_input=True, confirmation_prompt=True)
    return password


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refused(f"--password-file: can't read {path}: {reason}") from error
