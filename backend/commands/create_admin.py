"""Makes, promotes and demotes admins from the command line: the first admin has nobody else to ask."""

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
    """It can't be done; the message says why, and what to do."""


def create_admin(settings: Settings, email: str, password_file: Path | None, *, revoke: bool) -> None:
    """Make an account an admin's, or with `revoke` an ordinary one again, and say so. Exits with 1 when it can't."""
    engine = create_engine(settings)
    try:
        said = _change(create_sessions(engine), email, password_file, revoke=revoke)
    except Refused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except IntegrityError as error:
        typer.echo("Somebody signed up with this address at this very moment. Run the command again.", err=True)
        raise typer.Exit(1) from error
    except DBAPIError as error:
        reason = f"DATABASE_URL: the database does not answer, or has no tables: {error.orig}"
        typer.echo(f"{reason}\nFor the tables run: python -m backend migrate", err=True)
        raise typer.Exit(1) from error
    finally:
        engine.dispose()
    typer.echo(said)


def _change(sessions: sessionmaker[Session], email: str, password_file: Path | None, *, revoke: bool) -> str:
    address = _address(email)
    if revoke:
        with transaction(sessions) as session:
            return _revoke(session, address)
    with sessions() as session:
        is_new = _find(session, address) is None
    # Asked for and hashed outside of the transaction, which would lock SQLite meanwhile.
    password_hash = hash_password(_password(password_file)) if is_new else None
    with transaction(sessions) as session:
        return _grant(session, address, password_hash)


def _grant(session: Session, email: str, password_hash: str | None) -> str:
    user = _find(session, email, for_update=True)
    if user is None:
        _create(session, email, password_hash)
        return f"Made the account {email}, an admin."
    _require_usable(user)
    if user.is_admin:
        return f"{email} is an admin already; nothing was changed."
    _require_verified(user)
    user.is_admin = True
    record(session, COMMAND_LINE, Action.GRANT_ADMIN, "user", user.id)
    return f"The account {email} exists: promoted it to admin. Its password stays as it was."


def _create(session: Session, email: str, password_hash: str | None) -> None:
    if password_hash is None:
        raise Refused(f"{email} was deleted at this very moment. Run the command again to make it anew.")
    # Whoever runs this command owns the system; the address needs no mail to prove it.
    user = User(email=email, name=NAME, password_hash=password_hash, email_verified_at=utc_now(), is_admin=True)
    session.add(user)
    session.flush()
    record(session, COMMAND_LINE, Action.CREATE_ADMIN, "user", user.id)


def _revoke(session: Session, email: str) -> str:
    user = _find(session, email, for_update=True)
    if user is None:
        raise Refused(f"No account has the address {email}.")
    if not user.is_admin:
        return f"{email} is no admin; nothing was changed."
    user.is_admin = False
    record(session, COMMAND_LINE, Action.REVOKE_ADMIN, "user", user.id)
    return f"{email} is no longer an admin, from this moment. The account itself stays."


def _find(session: Session, email: str, *, for_update: bool = False) -> User | None:
    wanted = select(User).where(User.email == email)
    return session.scalar(wanted.with_for_update(key_share=True) if for_update else wanted)


def _require_usable(user: User) -> None:
    if user.deleted_at is not None:
        raise Refused(f"The account {user.email} is being deleted. Run the command again when it is gone.")
    if user.disabled_at is not None:
        raise Refused(f"The account {user.email} is disabled. An admin has to enable it first.")


def _require_verified(user: User) -> None:
    if user.email_verified_at is None:
        raise Refused(
            f"The owner of {user.email} has not verified the address: a stranger may have signed up with it, and would"
            " keep the password to an admin's account. Let the owner set a new password by mail, on the page"
            " /forgot-password, which verifies the address too. Then run the command again."
        )


def _address(email: str) -> str:
    try:
        return TypeAdapter[str](Email).validate_python(email)
    except ValidationError as error:
        raise Refused(f"{email!r} is no e-mail address.") from error


def _password(password_file: Path | None) -> str:
    given = _prompt() if password_file is None else _read(password_file)
    try:
        return TypeAdapter[SecretStr](NewPassword).validate_python(given).get_secret_value()
    except ValidationError as error:
        raise Refused(
            f"The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters that can be typed."
        ) from error


def _prompt() -> str:
    if not sys.stdin.isatty():
        raise Refused("There is no terminal to ask for the password on. Put it in a file: --password-file PATH")
    password: str = typer.prompt("Password of the new admin", hide_input=True, confirmation_prompt=True)
    return password


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Refused(f"--password-file: {path} can't be read: {reason}") from error
