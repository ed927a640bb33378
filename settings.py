"""Every setting of this program, in one place; Temporal's own (address, TLS, API key) are Temporal's variables.

Each field is read from `AFTER_SALES_<FIELD>` in upper case, or from a `.env` file in the current folder.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from cases.names import Channel

ROOT = Path(__file__).resolve().parent


class Settings(BaseSettings):
    """What differs between installations."""

    model_config = SettingsConfigDict(env_prefix="AFTER_SALES_", env_file=".env", extra="ignore")

    partners_url: str = Field("http://127.0.0.1:8733", description="Where the partners answer (OpenAPI in docs/)")
    partners_token: str | None = Field(None, description="Bearer token for the partners; none is sent where absent")
    database_url: str = Field(
        f"sqlite:///{ROOT / 'data' / 'records.db'}",
        description="Our own records: sqlite:///FILE or postgresql+psycopg://…",
    )
    policies: Path = Field(ROOT / "policies", description="Folder of policy files, one per line of business")
    direct_channels: frozenset[Channel] = Field(
        frozenset({Channel.SMS, Channel.EMAIL}),
        description='Channels on which customers can be answered directly, as a JSON list: ["sms", "email"]',
    )
    customer_notify: dict[Channel, str] = Field(
        default_factory=dict,
        description='Real channels to customers, apprise URLs by channel: {"email": "mailtos://user:pass@host?to={email}"}',
    )
    staff_notify: dict[str, str] = Field(
        default_factory=dict,
        description='Real channels to staff, apprise URLs by role, or by team/role: {"team_lead": "wecombot://KEY"}',
    )
    staff_locale: str = Field("zh-CN", description="Language of notices to staff")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable on a terminal, else JSON"
    )
    log_level: str = Field("INFO", description="Least severe level that is logged")
    metrics_address: str | None = Field(None, description="HOST:PORT for Prometheus metrics; none where absent")
    build_id: str | None = Field(
        None, description="Name of this build of the worker; its cases stay with it; absent: no worker versioning"
    )
    encryption_keys: SecretStr | None = Field(
        None,
        description="Keys for payloads, id:base64,id:base64: the first encrypts, all decrypt; absent: none",
    )
    encryption_keys_file: Path | None = Field(
        None, description="The same in a file, one key a line; read again whenever it changes"
    )


class CodecSettings(BaseSettings):
    """What the codec server alone reads (docs/security.md): `AFTER_SALES_CODEC_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="AFTER_SALES_CODEC_", env_file=".env", extra="ignore")

    address: str = Field("127.0.0.1:8734", description="HOST:PORT where it listens")
    origins: frozenset[str] = Field(
        frozenset(), description='Temporal UIs whose pages may ask, as a JSON list: ["https://temporal.example.com"]'
    )
    tokens: dict[str, str] = Field(
        default_factory=dict, description='Who may read, SHA-256 of a token by person: {"chen": "9f86d0…"}'
    )
