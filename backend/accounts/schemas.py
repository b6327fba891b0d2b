"""Request and response schemas of the accounts API."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    EmailStr,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from backend.text import Storable, StorableSecret

MIN_PASSWORD = 10
MAX_PASSWORD = 128
MAX_NAME = 100

Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
_email: TypeAdapter[str] = TypeAdapter(Email)


def spell_as_stored(name: str) -> str:
    """Return an address in the spelling that accounts store, and any other text in lower case."""
    try:
        return _email.validate_python(name)
    except ValidationError:
        return name.lower()


LoginName = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254), Storable, AfterValidator(spell_as_stored)
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME), Storable]
NewPassword = Annotated[SecretStr, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD), StorableSecret]
Password = Annotated[SecretStr, Field(max_length=MAX_PASSWORD), StorableSecret]
MailToken = Annotated[str, Field(max_length=100), Storable]


class SignUp(BaseModel):
    email: Email
    password: NewPassword
    name: Name


class LogIn(BaseModel):
    email: LoginName
    password: Password


class PasswordGrant(BaseModel):
    """The form of OAuth 2's password grant (RFC 6749, section 4.3.2). The username is the e-mail address."""

    grant_type: Literal["password"] = "password"
    username: LoginName
    password: Password


class VerifyAddress(BaseModel):
    """`token` is the secret of a mailed link."""

    token: MailToken


class RequestReset(BaseModel):
    email: Email


class ResetPassword(BaseModel):
    """`token` is the secret of a mailed link."""

    token: MailToken
    password: NewPassword


class AccountChange(BaseModel):
    """The fields to change. Omitted fields keep their value."""

    name: Name | None = None
    mail_when_finished: bool | None = None


class PasswordChange(BaseModel):
    """Accounts without a password omit `current_password`."""

    current_password: Password | None = None
    new_password: NewPassword


class EmailChange(BaseModel):
    email: Email
    password: Password | None = None


class AccountDeletion(BaseModel):
    """The password confirms the deletion. Accounts without a password omit it."""

    password: Password | None = None


class AccountOut(BaseModel):
    """An account as its owner sees it."""

    id: UUID
    email: str
    name: str
    email_verified: bool
    has_password: bool
    google: bool
    mail_when_finished: bool
    is_admin: bool
    created_at: datetime

    @classmethod
    def of(cls, user: Any) -> "AccountOut":
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            email_verified=user.email_verified_at is not None,
            has_password=user.password_hash is not None,
            google=user.google_subject is not None,
            mail_when_finished=user.mail_when_finished,
            is_admin=user.is_admin,
            created_at=user.created_at,
        )


class TokenOut(BaseModel):
    """Tokens for an API client; `expires_in` is in seconds (RFC 6749, section 5.1)."""

    access_token: str
    refresh_token: str | None
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


class RefreshToken(BaseModel):
    refresh_token: MailToken


class SessionOut(BaseModel):
    """A signed-in device; `current` marks the device that sent this request."""

    id: UUID
    device: str | None
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    current: bool


class SessionList(BaseModel):
    """An account's signed-in devices, last seen first, at most 100."""

    items: list[SessionOut]


class ExportOut(BaseModel):
    """A copy of an account's data; `url` downloads it while it is ready."""

    id: UUID
    status: Literal["queued", "ready", "failed"]
    size: int | None
    created_at: datetime
    expires_at: datetime | None
    url: str | None


class ExportList(BaseModel):
    items: list[ExportOut]
