"""People: who they are, how they prove it, and the sessions that follow from it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Uuid,
    text,
)
from sqlalchemy.types import Text
from sqlmodel import Field, SQLModel

from shared.tables.columns import account_ref, moment


class User(SQLModel, table=True):
    """A person. The id is that of the account, which is made with the user; accounts without one have only keys.

    `password_hash` null: signs in elsewhere. The time zone is the account's.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'user', 'operator', 'admin')", name="users_role"),
        Index("users_email_once", text("lower(email)"), unique=True),
    )

    id: UUID = Field(sa_column=Column(Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True))
    email: str = Field(sa_column=Column(String(255), nullable=False, unique=True))
    name: str | None = Field(default=None, sa_type=Text)
    avatar_url: str | None = Field(default=None, sa_type=Text)
    role: str = Field(default="user", sa_column=Column(Text, nullable=False, server_default="user"))
    password_hash: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(now=True))
    updated_at: datetime = Field(sa_column=moment(now=True))


class Identity(SQLModel, table=True):
    """A person as a trusted issuer knows them. `email` is what the issuer said at first sight."""

    __tablename__ = "identities"
    __table_args__ = (PrimaryKeyConstraint("issuer", "subject"), Index("identities_account", "account_id"))

    issuer: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    account_id: UUID = Field(sa_column=account_ref())
    email: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(now=True))


class Session(SQLModel, table=True):
    """A login. `rotation` counts its refresh tokens: only the newest is good, an older one ends the session."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_account", "account_id", "created_at"),)

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(sa_column=account_ref())
    rotation: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    user_agent: str | None = Field(default=None, sa_type=Text)
    address: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_column=moment(now=True))
    last_used_at: datetime = Field(sa_column=moment(now=True))
    expires_at: datetime = Field(sa_column=moment(nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=moment())
    revoked_why: str | None = Field(default=None, sa_type=Text)


class LoginAttempt(SQLModel, table=True):
    """Logins counted against an e-mail address or a network address, of which only a keyed hash is kept."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index("login_attempts_ends", "ends_at"),)

    subject: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    tries: int
    ends_at: datetime = Field(sa_column=moment(nullable=False))
