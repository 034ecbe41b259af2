"""All settings, from the environment or `.env`, read once per process.

A process gets one frozen `Settings` and passes it on; nothing below reads the environment.
"""

import ipaddress
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.buckets import Bucket, Place
from shared.crypto import read_master_key

DEV_SECRET = "penstock-development-secret-change-me"  # noqa: S105  # refused in production


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ModerationMode(StrEnum):
    OFF = "off"
    WARN = "warn"
    BLOCK = "block"


class VirusScan(StrEnum):
    OFF = "off"
    WARN = "warn"
    BLOCK = "block"


class AuthMode(StrEnum):
    OPEN = "open"
    REQUIRED = "required"


class RateLimitMode(StrEnum):
    AUTO = "auto"
    ON = "on"
    OFF = "off"


class SignupMode(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"
]
"""Signatures by a private key that only the issuer has; `none` and shared secrets can never be listed."""


class ClaimNames(BaseModel):
    """Which claims tell what of a person; dots lead into objects (`user_metadata.full_name`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: str = "email"
    name: str = "name"
    avatar_url: str = "picture"


class TrustedIssuer(BaseModel):
    """Who else's tokens are believed. Firebase, Supabase, Clerk, or any OpenID provider."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    """As the claim `iss` says it, to the letter."""
    audience: str | tuple[str, ...] = ()
    """One of these must be among the claim `aud`."""
    authorized_parties: tuple[str, ...] = ()
    """One of these must be the claim `azp`, for issuers such as Clerk whose tokens have no `aud`."""
    jwks_uri: str | None = None
    """Where its keys are; without it `<issuer>/.well-known/openid-configuration` says so."""
    algorithms: tuple[Algorithm, ...] = Field(("RS256",), min_length=1)
    claims: ClaimNames = ClaimNames()

    @property
    def audiences(self) -> tuple[str, ...]:
        return (self.audience,) if isinstance(self.audience, str) else self.audience

    @model_validator(mode="after")
    def _is_for_us(self) -> Self:
        if not any(self.audiences) and not any(self.authorized_parties):
            raise ValueError(
                f"{self.issuer}: say which audience (or authorized_parties) its tokens must name"
            )
        return self


class Limits(BaseModel):
    """What a credential may do at its provider: new calls per minute, and calls at once. None is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rpm: int | None = Field(None, gt=0)
    concurrent: int | None = Field(None, gt=0)


class Settings(BaseSettings):
    """Raises ValidationError when something is missing, malformed, or unsafe in production."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Environment = Field(Environment.DEVELOPMENT, validation_alias="PENSTOCK_ENV")

    # The stores.
    database_url: str = "postgresql://penstock@127.0.0.1:5432/penstock"
    database_worker_url: str | None = None
    """For workers; the same as DATABASE_URL when it is not set. The role is set on every connection."""
    database_owner_url: str | None = None
    """For migrations; the same as DATABASE_URL when it is not set."""
    database_replica_url: str | None = None
    """A streaming replica that analytics and usage are read from while it answers; else they read the primary."""
    database_pool: int = 10
    generations_hot_months: int = Field(3, ge=0, le=1200)
    """Whole months after which what has ended and is settled goes to the archive; 0 is never."""
    generations_attached_months: int = Field(0, ge=0, le=1200)
    """Whole months after which a month of the archive becomes a table of its own, still read; 0 is never."""
    redis_url: str = "redis://127.0.0.1:6379/0"
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str = "penstock"
    s3_secret_access_key: SecretStr = SecretStr(DEV_SECRET)
    s3_bucket: str = "penstock-assets"
    """Where generations and uploads lie; the products' buckets are folders in it unless one of these says more."""
    bucket_prefix: str | None = None
    """Give each of the products' buckets one of its own, named PREFIX and its name: `acme-` makes
    `acme-r3al-studio-music`."""
    buckets: dict[Bucket, str] = {}
    """The same one by one, with a folder if you like, as JSON: {"r3al-studio-music": "acme-media/music"}."""

    # The gateway.
    host: str = "127.0.0.1"
    port: int = 8080
    reuse_port: bool = False
    """Let several gateway processes of one machine share the port (SO_REUSEPORT)."""
    public_base_url: str | None = None
    """What links in answers begin with, `http://HOST:PORT` when it is not set."""
    secret_key: SecretStr = SecretStr(DEV_SECRET)
    """Keys the HMAC of API keys, of pagination cursors and of download links."""
    encryption_master_key: SecretStr | None = None
    """32 random bytes in Base64, under which accounts' own keys for providers are kept. Without it, nobody can bring
    one along; production requires it."""
    encryption_master_keys_before: tuple[SecretStr, ...] = ()
    """Master keys that are being replaced, as a JSON list: what they sealed still opens until
    `penstock keys rotate-master` has sealed it anew."""
    max_body_bytes: int = 1 << 20
    max_inline_body_bytes: int = 16 << 20
    """The same for the creative functions, whose bodies hold voice samples and pictures in base64."""
    max_upload_bytes: int = 100 << 20
    max_multipart_bytes: int = 2 << 30
    """The same for uploads in parts, which are checked on the gateway's own disk."""
    clamav_url: str | None = None
    """A clamd that looks at every upload and output: tcp://HOST:PORT, or unix:///run/clamav/clamd.ctl."""
    virus_scan: VirusScan = VirusScan.BLOCK
    """What becomes of a file that it flags, or cannot look at: `block`, `warn` (a line in the log), or `off`."""
    max_wait_s: int = 60
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    allow_private_urls: bool = False
    """Accept input URLs and outputs at private addresses: for tests and closed networks only."""
    callback_base_url: str | None = None
    """The gateway as providers reach it, https only: they then tell us of news at once instead of being asked."""
    replicate_webhook_secret: SecretStr | None = None
    """`whsec_…`, with which Replicate signs its callbacks; unset, only our own token in their URL is checked."""
    fal_webhook_jwks_url: str | None = "https://rest.fal.ai/.well-known/jwks.json"
    """Where fal publishes the keys that sign its callbacks; empty to check only our own token."""

    # Who may ask.
    auth_mode: AuthMode = AuthMode.REQUIRED
    """`required`, or `open` for one person on a laptop: requests without credentials act as the oldest account.
    Open only while HOST is a loopback address."""
    signup: SignupMode = SignupMode.OPEN
    """`open`: anybody may sign up, and the first who does becomes admin. `closed`: nobody."""
    session_days: int = Field(30, ge=1, le=365)
    """How long a session goes on without being used."""
    login_attempts_per_account: int = Field(10, ge=1)
    """Failed logins in 15 minutes, after which further ones for the same address of e-mail are refused."""
    login_attempts_per_address: int = Field(100, ge=1)
    """The same for the network address that they come from."""
    signups_per_address: int = Field(20, ge=1)
    """How many may sign up within an hour from one network address, an IPv6 one with its whole /64."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Proxies whose X-Forwarded-For is believed, as a JSON list: ["10.0.0.0/8"]."""
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    """Whose JSON Web Tokens are accepted beside our own, as a JSON list: [{"issuer": "https://id.example",
    "audience": "penstock"}]."""
    cheap_passwords: bool = False
    """Hash passwords at next to no cost: for tests only."""

    # How often they may ask, per minute; 0 is no limit. Plans have limits of their own.
    rate_limits: RateLimitMode = RateLimitMode.AUTO
    """`on`, `off`, or `auto`: on in production and wherever HOST is not a loopback address."""
    rate_limit_per_address: int = Field(3_000, ge=0)
    """Per network address, an IPv6 one with its whole /64. Behind a proxy set TRUSTED_PROXIES, or everybody has the
    proxy's address."""
    rate_limit_per_account: int = Field(6_000, ge=0)
    rate_limit_per_key: int = Field(3_000, ge=0)
    functions_per_month: int = Field(100_000, ge=0)
    """Per account, at the Creative Studio's functions, in any 30 days."""
    rate_limit_legacy_headers: bool = False
    """Also send X-RateLimit-Limit, -Remaining and -Reset."""

    # Mail, which tells of budgets.
    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:587`, or `smtps://` for TLS from the start; STARTTLS is used where it is offered.
    Without it no mail is sent."""
    smtp_from: str = "Penstock <penstock@localhost>"

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
    provider_limits: dict[str, Limits] = {}
    """Limits for each credential, as JSON: {"replicate": {"rpm": 600, "concurrent": 50}}; what is left out is as
    the adapter knows it, null lifts a limit."""
    provider_cooldown_s: float = Field(5.0, gt=0)
    """How long a provider that fails is left alone before one call probes it; doubled by each that fails."""
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
    fal_key: SecretStr | None = None
    fal_queue_url: str = "https://queue.fal.run"
    """Another address stands for all of fal, its list of requests too."""
    runware_api_key: SecretStr | None = None
    runware_url: str = "wss://ws-api.runware.ai/v1"
    openai_api_key: SecretStr | None = None
    openai_base_url: str = "https://api.openai.com/v1"
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = "https://api.anthropic.com"
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

    # Moderation, which asks OpenAI when its key is set.
    moderation_input: ModerationMode = ModerationMode.OFF
    """What is asked for, before it is sent: `off`, `warn` or `block`."""
    moderation_output: ModerationMode = ModerationMode.OFF
    """What was made, before it is delivered. `block` also keeps text from being shown while it is written."""
    moderation_terms: tuple[str, ...] = ()
    """Words of your own that are flagged, as a JSON list; they need no provider."""

    # Reporting.
    log_level: str = "info"
    log_format: str = "auto"
    """`json`, `console`, or `auto`: console on a terminal, else JSON."""

    # Faults, for tests: the process ends when it first reaches the crash point of this name.
    crash_point: str | None = Field(None, validation_alias="PENSTOCK_CRASH_POINT")

    home: Path = Field(Path(".penstock"), validation_alias="PENSTOCK_HOME")

    @property
    def limits_rates(self) -> bool:
        if self.rate_limits is RateLimitMode.AUTO:
            return self.is_production or not is_loopback(self.host)
        return self.rate_limits is RateLimitMode.ON

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_base_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def base_path(self) -> str:
        """What comes before our paths where browsers reach us: empty, or such as `/penstock`."""
        return urlsplit(self.base_url).path

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

    @field_validator("encryption_master_key", mode="before")
    @classmethod
    def _empty_is_none(cls, key: object) -> object:
        return None if key == "" else key

    @field_validator("smtp_url")
    @classmethod
    def _is_an_smtp_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or not url.get_secret_value():
            return None
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must be smtp://user:password@host:port or smtps://…")
        return url

    @model_validator(mode="after")
    def _master_keys_can_be_read(self) -> Self:
        given = [self.encryption_master_key] if self.encryption_master_key is not None else []
        for key in (*given, *self.encryption_master_keys_before):
            try:
                read_master_key(key.get_secret_value())
            except ValueError as error:
                raise ValueError(f"a master key {error}") from None
        return self

    @model_validator(mode="after")
    def _moderation_has_eyes(self) -> Self:
        on = (self.moderation_input, self.moderation_output) != (ModerationMode.OFF, ModerationMode.OFF)
        if on and self.openai_api_key is None and not self.moderation_terms:
            raise ValueError("moderation needs OPENAI_API_KEY or MODERATION_TERMS")
        return self

    @field_validator("callback_base_url", "fal_webhook_jwks_url")
    @classmethod
    def _is_https(cls, url: str | None) -> str | None:
        if not url:
            return None
        if not url.startswith("https://") or "?" in url:
            raise ValueError("must begin with https:// and have no query")
        return url.rstrip("/")

    @field_validator("buckets")
    @classmethod
    def _assets_have_a_setting(cls, buckets: dict[Bucket, str]) -> dict[Bucket, str]:
        if Bucket.ASSETS in buckets:
            raise ValueError(f"the bucket {Bucket.ASSETS} is what S3_BUCKET says")
        if not all(Place.parse(text).bucket for text in buckets.values()):
            raise ValueError("each must name a bucket, or a bucket and a folder")
        return buckets

    @field_validator("clamav_url")
    @classmethod
    def _is_a_scanner(cls, url: str | None) -> str | None:
        if not url:
            return None
        parts = urlsplit(url)
        if not (
            (parts.scheme == "tcp" and parts.hostname and parts.port)
            or (parts.scheme == "unix" and parts.path)
        ):
            raise ValueError("must be tcp://HOST:PORT or unix:///PATH")
        return url

    @model_validator(mode="after")
    def _open_to_this_machine_only(self) -> Self:
        if self.auth_mode is AuthMode.OPEN:
            for name, host in (
                ("HOST", self.host),
                ("PUBLIC_BASE_URL", urlsplit(self.base_url).hostname or ""),
            ):
                if not is_loopback(host):
                    raise ValueError(
                        "AUTH_MODE=open lets in everybody who reaches the gateway, so it works on this machine alone:"
                        f" {name} must name a loopback address such as 127.0.0.1, not {host!r}."
                        " Set AUTH_MODE=required to be reached from elsewhere."
                    )
        return self

    @model_validator(mode="after")
    def _issuers_are_reached_safely(self) -> Self:
        for issuer in self.trusted_issuers:
            url = issuer.jwks_uri or issuer.issuer
            if not url.startswith("https://") and not (self.allow_private_urls and url.startswith("http://")):
                raise ValueError(
                    f"TRUSTED_ISSUERS: the keys of {issuer.issuer} must be read from an https:// address"
                )
        if len({issuer.issuer for issuer in self.trusted_issuers}) < len(self.trusted_issuers):
            raise ValueError("TRUSTED_ISSUERS: an issuer is listed twice")
        return self

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
        if self.encryption_master_key is None:
            unsafe.append("encryption_master_key (needed)")
        if "*" in self.allowed_origins:
            unsafe.append("allowed_origins (no wildcard)")
        if self.s3_endpoint_url is not None and self.s3_endpoint_url.startswith("http://"):
            unsafe.append("s3_endpoint_url (needs https)")
        if self.allow_private_urls:
            unsafe.append("allow_private_urls")
        if self.auth_mode is AuthMode.OPEN:
            unsafe.append("auth_mode (open)")
        if self.cheap_passwords:
            unsafe.append("cheap_passwords")
        if self.crash_point is not None:
            unsafe.append("PENSTOCK_CRASH_POINT")
        if unsafe:
            raise ValueError(f"unsafe in production: {', '.join(unsafe)}")
        return self


def is_loopback(host: str) -> bool:
    """Whether a host, without brackets and port, is this very machine by name or by address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def what_is_wrong(error: ValidationError) -> str:
    """The settings at fault and why, without what was set, which may be a secret."""
    found = []
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in one["loc"]).upper()
        found.append(f"{name}{': ' if name else ''}{one['msg'].removeprefix('Value error, ')}")
    return "\n".join(found)
