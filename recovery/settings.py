"""Process settings, read from the environment and ``.env``; the only place that does."""

import ipaddress
import json
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from recovery.errors import SetupError

MINIMUM_KEY_LENGTH = 32


class Settings(BaseSettings):
    """What the operator sets for a process; what a merchant decides is in ``store_settings`` instead."""

    model_config = SettingsConfigDict(
        env_prefix="CARTBACK_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 16 or newer: postgres://user:password@host:5432/name (?sslmode=require for TLS). "
        "Unset: a private server.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Redis 7 or Valkey: redis://:password@host:6379/0. Unset: a private Valkey.",
    )
    public_url: str = Field("http://127.0.0.1:8000", description="The address customers and stores reach us at.")
    secret_key: SecretStr | None = Field(
        None,
        description="At least 32 characters; signs links and encrypts stored secrets. Unset: made once and kept in "
        "the state folder.",
    )
    previous_secret_keys: Annotated[list[SecretStr], NoDecode] = Field(
        default_factory=list, description="Older secret keys, comma separated; accepted, never used for anything new."
    )
    state_dir: Path = Field(Path(".cartback"), description="Where the private servers, keys and the demo keep files.")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Proxies in front, addresses or networks, comma separated: the customer's address is taken from "
        "their X-Forwarded-For.",
    )
    smtp_host: str = Field("127.0.0.1", description="The SMTP relay.")
    smtp_port: int = Field(25, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "none", description="none, starttls (must succeed) or tls (from the first byte)."
    )
    smtp_username: str | None = Field(None, description="Its user name, when it wants one.")
    smtp_password: SecretStr | None = Field(None, description="Its password.")
    smtp_timeout: float = Field(30, gt=0, description="Seconds to wait for an SMTP answer before DATA.")
    coupon_timeout: float = Field(
        5, gt=0, le=30, description="Seconds to wait for a shop that is told of a coupon; it is asked twice at once."
    )
    webhook_timeout: float = Field(
        15, gt=0, le=60, description="Seconds to wait for an endpoint that is told what happened."
    )
    send_slots: int = Field(8, ge=1, le=64, description="Mails on their way at once per worker process.")
    sweep_seconds: int = Field(30, ge=1, le=60, description="Seconds between two sweeps of the worker.")
    allow_private_hosts: bool = Field(
        False,
        description="Whether a model, a coupon call-back or an endpoint of webhooks may be in a private network.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["json", "text"] = Field("json", description="One JSON object a line, or text for a terminal.")
    clock_file: Path | None = Field(None, description="The demo's time offset; never set it in production.")
    test: bool = Field(False, description="Arms the crash points of the fault tests; never set it in production.")
    crash_point: str | None = Field(None, description="With CARTBACK_TEST: the named point at which to die.")

    @field_validator("previous_secret_keys", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        return [str(ipaddress.ip_network(network, strict=False)) for network in value]

    @field_validator("public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with https:// (or http:// on loopback)")
        return value.rstrip("/")

    @property
    def run_file(self) -> Path:
        """Where ``serve`` tells other terminals how to connect."""
        return self.state_dir / "run.json"


def load_settings(*, join_running: bool = True, **overrides: object) -> Settings:
    """Read the settings.

    Args:
        join_running: without ``DATABASE_URL``, take the addresses of a ``serve`` or ``demo`` that runs on this state
            folder from its run file.
        overrides: values that win over the environment.

    Raises:
        SetupError: a value is wrong; the message names the variable and what it must be.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
        running = _running(settings.run_file) if join_running and settings.database_url is None else None
        if running is not None:
            settings = Settings(**(running | overrides))  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors())
        raise SetupError(f"Wrong settings: {problems}.", "Mend them in the environment or in .env.") from error
    key = settings.secret_key
    if key is not None and len(key.get_secret_value()) < MINIMUM_KEY_LENGTH:
        raise SetupError(
            f"CARTBACK_SECRET_KEY has {len(key.get_secret_value())} characters; {MINIMUM_KEY_LENGTH} are the least.",
            "Make one with: openssl rand -hex 32",
        )
    return settings


def child_environment(state_dir: Path) -> dict[str, str]:
    """The environment of a child process that is to join whatever runs on ``state_dir``."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return kept | {"CARTBACK_STATE_DIR": str(state_dir)}


def _running(run_file: Path) -> dict[str, object] | None:
    """What a running process told in its run file; None when there is none, or it died without clearing it."""
    try:
        told = json.loads(run_file.read_text())
        os.kill(told["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    settings: dict[str, object] = told["settings"]
    return settings


def _variable(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    return name if name.isupper() else f"CARTBACK_{name.upper()}"
