"""What the accounts API takes and gives."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, SecretStr, StringConstraints

from backend.text import Storable, StorableSecret

MIN_PASSWORD = 10
MAX_PASSWORD = 128

Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
Password = Annotated[SecretStr, Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD), StorableSecret]


class SignUp(BaseModel):
    """A new account."""

    email: Email
    password: Password
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), Storable]


class LogIn(BaseModel):
    """Credentials."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=254), Storable]
    password: Annotated[SecretStr, Field(max_length=MAX_PASSWORD), StorableSecret]


class AccountOut(BaseModel):
    """An account as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    created_at: datetime
