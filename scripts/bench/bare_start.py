"""The start's baseline: the same framework, database library and driver, with one table and one request body."""

import os

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """SQLAlchemy's declarative base."""


class Item(Base):
    """One table."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class ItemIn(BaseModel):
    """One body."""

    name: str


app = FastAPI()
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))


@app.get("/health/ready")
def read_readiness() -> dict[str, str]:
    """Respond when the database responds."""
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return {"status": "ok"}


@app.post("/items")
def create_item(body: ItemIn) -> ItemIn:
    """Insert a row from a request body. Never called."""
    with Session(engine) as session, session.begin():
        session.add(Item(name=body.name))
    return body
