"""All settings, from the environment or `.env`, read once per process.

A process gets one frozen `Settings` and passes it on; nothing below reads the environment.
"""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEV_SECRET = "penstock-development-secret-change-me"  # noqa: S105  # refused in production


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Raises ValidationError when something is missing, malformed, or unsafe in production."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    environment: Environment = Field(Environment.DEVELOPMENT, validation_alias="PENSTOCK_ENV")

    # The stores.
    database_url: str = "postgresql://penstock@127.0.0.1:5432/penstock"
    database_worker_url: str | None = None
    """For workers; the same as DATABASE_URL when it is not set. The role is set on every connection."""
    database_owner_url: str | None = None
    """For migrations; the same as DATABASE_URL when it is not set."""
    database_pool: int = 10
    redis_url: str = "redis://127.0.0.1:6379/0"
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str = "penstock"
    s3_secret_access_key: SecretStr = SecretStr(DEV_SECRET)
    s3_bucket: str = "penstock-assets"

    # The gateway.
    host: str = "127.0.0.1"
    port: int = 8080
    reuse_port: bool = False
    """Let several gateway processes of one machine share the port (SO_REUSEPORT)."""
    public_base_url: str | None = None
    """What links in answers begin with, `http://HOST:PORT` when it is not set."""
    secret_key: SecretStr = SecretStr(DEV_SECRET)
    """Keys the HMAC of API keys, of pagination cursors and of download links."""
    max_body_bytes: int = 1 << 20
    max_upload_bytes: int = 100 << 20
    max_wait_s: int = 60
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    allow_private_urls: bool = False
    """Accept input URLs and outputs at private addresses: for tests and closed networks only."""

    # The workers.
    worker_slots: int = 8
    """Steps that one worker process runs at once, per kind."""
    heartbeat_interval_s: float = 1.5
    lease_ttl_s: float = 8.0
    drain_timeout_s: float = 30.0
    executor_processes: int = 1
    max_output_bytes: int = 512 << 20
    worker_metrics_port: int | None = None
    """Where a worker process tells its metrics; nowhere when it is not set."""
    worker_metrics_host: str = "127.0.0.1"

    # The providers.
    find_window_s: float | None = None
    """How long after its intent an unknown submission may turn up; the adapter's own window when not set."""
    replicate_api_token: SecretStr | None = None
    replicate_base_url: str = "https://api.replicate.com"
    elevenlabs_api_key: SecretStr | None = None
    elevenlabs_base_url: str = "https://api.elevenlabs.io"
    elevenlabs_voices: dict[str, str] = {}
    """More names of voices and their ids, as JSON: {"narrator": "21m00Tcm4TlvDq8ikWAM"}."""
    elevenlabs_usd_per_1000_credits: Decimal = Decimal("0.10")
    """What the plan's credits cost; speech is billed by the credits that ElevenLabs reports."""
    elevenlabs_keeps_history: bool = True
    """False for workspaces with zero retention, whose lost speech nobody can find again."""
    mubert_customer_id: str | None = None
    mubert_access_token: SecretStr | None = None
    mubert_base_url: str = "https://music-api.mubert.com"
    openai_api_key: SecretStr | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    groq_api_key: SecretStr | None = None
    groq_base_url: str = "https://api.groq.com"
    compatible_base_url: str | None = None
    """Any OpenAI-compatible server with its path, such as `http://127.0.0.1:11434/v1`; its models are named
    by the settings below, and a kind without a model is not offered."""
    compatible_api_key: SecretStr | None = None
    compatible_text_model: str | None = None
    compatible_image_model: str | None = None
    compatible_audio_model: str | None = None
    compatible_is_free: bool = False
    """Whether that server costs nothing, as one's own does; otherwise its work has no known price."""

    # Reporting.
    log_level: str = "info"
    log_format: str = "auto"
    """`json`, `console`, or `auto`: console on a terminal, else JSON."""

    # Faults, for tests: the process ends when it first reaches the crash point of this name.
    crash_point: str | None = Field(None, validation_alias="PENSTOCK_CRASH_POINT")

    home: Path = Field(Path(".penstock"), validation_alias="PENSTOCK_HOME")

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def base_url(self) -> str:
        return (self.public_base_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def owner_url(self) -> str:
        return self.database_owner_url or self.database_url

    @property
    def worker_url(self) -> str:
        return self.database_worker_url or self.database_url

    @model_validator(mode="before")
    @classmethod
    def _split_origins(cls, values: dict[str, object]) -> dict[str, object]:
        for name in ("allowed_origins", "ALLOWED_ORIGINS"):
            if isinstance(values.get(name), str):
                values[name] = tuple(part.strip() for part in str(values[name]).split(",") if part.strip())
        return values

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if not self.is_production:
            return self
        unsafe = [
            name
            for name in ("secret_key", "s3_secret_access_key")
            if getattr(self, name).get_secret_value() == DEV_SECRET
        ]
        if len(self.secret_key.get_secret_value()) < 32:
            unsafe.append("secret_key (at least 32 characters)")
        if "*" in self.allowed_origins:
            unsafe.append("allowed_origins (no wildcard)")
        if self.s3_endpoint_url is not None and self.s3_endpoint_url.startswith("http://"):
            unsafe.append("s3_endpoint_url (needs https)")
        if self.allow_private_urls:
            unsafe.append("allow_private_urls")
        if self.crash_point is not None:
            unsafe.append("PENSTOCK_CRASH_POINT")
        if unsafe:
            raise ValueError(f"unsafe in production: {', '.join(unsafe)}")
        return self
