"""All settings of this program. Temporal's own settings (address, TLS, API key) come from Temporal's variables.

Each field is read from the variable `AFTER_SALES_<FIELD>`, or from a `.env` file in the current folder. An error names
the variable but never its value, which may be a secret.
"""

import ipaddress
import json
import os
import re
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from cases.calendar import WORKED, length
from cases.errors import InvalidInput, Problem, problems_of
from cases.vocabulary import PARTNERS, Channel

ROOT = Path(__file__).resolve().parent
DATA = ROOT / "data"
"""The folder of `starter.py up`."""
REVIEWS = DATA / "reviews"
"""Where reviews are kept by default."""
LOCK = "lock"
"""A file in the data folder. A running server locks it and writes its address into it."""
ENV_FILE = ".env"
PREFIX = "AFTER_SALES_"
FOR_TESTS = f"{PREFIX}TEST_"
"""The prefix of variables that only tests read."""
ENTRY_NAME = re.compile(r"[\w./-]{1,60}")
"""Keys of entries that an error may quote. Anything else may be a URL in the wrong place."""
_SERVICE_LINK = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")
"""Variables that Kubernetes sets in each pod for every Service, such as one named `after-sales-codec`."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MAX_PORT = 65535
CODEC_ADDRESS = "127.0.0.1:8734"
WEB_ADDRESS = "127.0.0.1:8735"
CUSTOMER_PAGE = "/c/"
"""The path of a customer's page at the public address; a token follows."""
DESK_CASES = "/desk/cases/"
"""The path of a case's page at the desk; its id follows."""
SHORTEST_SECRET = 32
SHORTEST_INTERVAL, LONGEST_INTERVAL = timedelta(minutes=1), timedelta(days=1)


def host_and_port(address: str) -> tuple[str, int]:
    """Split `HOST:PORT`; an IPv6 host loses its brackets. Raises `ValueError` for anything else."""
    host, colon, port = address.rpartition(":")
    plain = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    strange = "/" in host or any(c.isspace() or c in "[]@" for c in plain) or (":" in plain and plain == host)
    if not (colon and plain and not strange and port.isascii() and port.isdigit() and int(port) <= MAX_PORT):
        raise ValueError("must be HOST:PORT")
    return plain, int(port)


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON ({error.msg} at line {error.lineno}, column {error.colno})") from None
    except (ValueError, RecursionError):
        raise ValueError("is not usable JSON") from None


def _level(value: str) -> str:
    if value.strip().upper() not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}")
    return value.strip().upper()


def _folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError("must be a folder that exists")
    return value


def _interval(value: str) -> str:
    try:
        found = length(value)
    except ValueError:
        found = None
    if found is None or found.measure in WORKED or not SHORTEST_INTERVAL <= found.amount <= LONGEST_INTERVAL:
        raise ValueError("must be a time from 1m to 24h, such as 10m")
    return value


def _locale(value: str) -> str:
    known = sorted(path.parent.name for path in (ROOT / "messages").glob("*/words.yaml"))
    if value not in known:
        raise ValueError(f"must be one of {', '.join(known)}")
    return value


def _partner(value: str) -> str:
    if value not in PARTNERS:
        raise ValueError(f"must be one of {', '.join(PARTNERS)}")
    return value


def _listening(value: str | None) -> str | None:
    if not value:  # an empty variable counts as not set
        return None
    try:
        ipaddress.ip_address(host_and_port(value)[0])
    except ValueError:
        raise ValueError("must be ADDRESS:PORT with an IP address, such as 127.0.0.1:9464") from None
    return value


def _address(value: str) -> str:
    try:
        host_and_port(value)
    except ValueError as error:
        raise ValueError(f"{error}, such as {CODEC_ADDRESS}") from None
    return value


def _public(value: str | None) -> str | None:
    if not value:  # as above
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://service.example.com")
    return value.rstrip("/")


def _long_enough(value: SecretStr | None) -> SecretStr | None:
    if value is None or not value.get_secret_value():  # as above
        return None
    if len(value.get_secret_value()) < SHORTEST_SECRET:
        raise ValueError(f"must have at least {SHORTEST_SECRET} characters: openssl rand -hex 32")
    return value


FromJson = (NoDecode, BeforeValidator(_decoded))
"""Decodes JSON here, because pydantic-settings stops at the first invalid field and gives no reason."""


PartnerName = Annotated[str, AfterValidator(_partner)]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseSettings):
    """The settings of an installation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENV_FILE, extra="ignore")

    partners_url: str = Field("http://127.0.0.1:8733", description="Address of the partners' API (OpenAPI in docs/)")
    partners_token: str | None = Field(None, description="Bearer token for that API; if absent, none is sent")
    database_url: str = Field(
        f"sqlite:///{DATA / 'records.db'}",
        description="Our database: sqlite:///FILE or postgresql+psycopg://…",
    )
    policies: Annotated[Path, AfterValidator(_folder)] = Field(
        ROOT / "policies", description="Folder of policy files, one per line of business"
    )
    direct_channels: Annotated[frozenset[Channel], *FromJson] = Field(
        frozenset({Channel.SMS, Channel.EMAIL}),
        description='Channels on which customers can be answered directly, as a JSON list: ["sms", "email"]',
    )
    customer_notify: Annotated[dict[Channel, str], *FromJson] = Field(
        default_factory=dict,
        description='Real channels to customers, apprise URLs by channel: {"email": "mailtos://user:pass@host?to={email}"}',
    )
    staff_notify: Annotated[dict[str, str], *FromJson] = Field(
        default_factory=dict,
        description='Real channels to staff, apprise URLs by role, or by team/role: {"team_lead": "wecombot://KEY"}',
    )
    staff_locale: Annotated[str, AfterValidator(_locale)] = Field("zh-CN", description="Language of notices to staff")
    public_url: Annotated[str | None, AfterValidator(_public)] = Field(
        None, description="Address of the web server for customers and staff, https://…; if absent, texts have no links"
    )
    link_secret: Annotated[SecretStr | None, AfterValidator(_long_enough)] = Field(
        None, description="Secret for links in letters to customers; if absent, letters have none"
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: readable on a terminal, else JSON"
    )
    log_level: Annotated[str, AfterValidator(_level)] = Field("INFO", description="Lowest level that is logged")
    metrics_address: Annotated[str | None, AfterValidator(_listening)] = Field(
        None, description="ADDRESS:PORT for Prometheus metrics; if absent, none are served"
    )
    reconcile_every: Annotated[str, AfterValidator(_interval)] = Field(
        "10m", description="How often our database is compared with the cases that Temporal has: 1m to 24h"
    )
    cached_cases: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Cases that a worker keeps in memory; if absent, what its memory allows, at most 3000"
    )
    partner_rates: Annotated[dict[PartnerName, Annotated[float, Field(gt=0)]], *FromJson] = Field(
        default_factory=dict, description='The most calls to a partner in a second, by partner: {"refunds": 20}'
    )
    line_queues: Annotated[frozenset[str], *FromJson] = Field(
        frozenset(), description='Lines whose cases are opened on task queues of their own, as a JSON list: ["express"]'
    )
    reviews: Path = Field(REVIEWS, description="Folder of the periodic reviews, each in a folder of its own")
    webhook_networks: Annotated[tuple[Network, ...], *FromJson] = Field(
        (), description='Networks of our own that webhooks may lead to, as a JSON list: ["10.20.0.0/16"]'
    )
    webhook_http: bool = Field(default=False, description="Whether webhooks may lead to http:// as well as https://")
    build_id: str | None = Field(
        None, description="Name of this worker build; its cases stay on it; if absent, no worker versioning"
    )
    encryption_keys: SecretStr | None = Field(
        None,
        description="Payload keys, id:base64,id:base64: the first encrypts, all decrypt; if absent, no encryption",
    )
    encryption_keys_file: Path | None = Field(
        None, description="The same in a file, one key per line; reloaded when it changes"
    )


class CodecSettings(BaseSettings):
    """The settings of the codec server (docs/security.md): `AFTER_SALES_CODEC_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}CODEC_", env_file=ENV_FILE, extra="ignore")

    address: Annotated[str, AfterValidator(_address)] = Field(CODEC_ADDRESS, description="HOST:PORT where it listens")
    origins: Annotated[frozenset[str], *FromJson] = Field(
        frozenset(), description='Temporal UIs that may send requests, as a JSON list: ["https://temporal.example.com"]'
    )
    tokens: Annotated[dict[str, str], *FromJson] = Field(
        default_factory=dict, description='Who may decode payloads, SHA-256 of the token by person: {"chen": "9f86d0…"}'
    )


class WebSettings(BaseSettings):
    """The settings of the web server (`python -m web`): `AFTER_SALES_WEB_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix=f"{PREFIX}WEB_", env_file=ENV_FILE, extra="ignore")

    address: Annotated[str, AfterValidator(_address)] = Field(WEB_ADDRESS, description="HOST:PORT where it listens")
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        600, description="Requests of one API key that one process answers in a minute; more are answered 429"
    )
    demonstration: bool = Field(
        default=False, description="true: people of a demonstration may log in without a password; on one machine only"
    )
    photos: Path = Field(DATA / "photos", description="Folder for photos that customers send")


def configured(**given: Any) -> Settings:
    """Read the settings; `given` values take precedence.

    Raises `InvalidInput` with a sentence for each variable that is invalid or whose name is not a setting.
    """
    return _read(Settings, given)


def codec_configured() -> CodecSettings:
    """Read the settings of the codec server. Raises `InvalidInput` as `configured` does."""
    return _read(CodecSettings, {})


def web_configured(**given: Any) -> WebSettings:
    """Read the settings of the web server. Raises `InvalidInput` as `configured` does."""
    return _read(WebSettings, given)


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def _read(kind: type[AnySettings], given: dict[str, Any]) -> AnySettings:
    try:
        problems = _misspelt()
        found = kind(**given)
    except ValidationError as error:
        prefix = kind.model_config["env_prefix"]
        named = [_named(prefix, problem) for problem in problems_of(error)]
        raise InvalidInput([*problems, *(Problem(field=f, problem=p) for f, p in dict.fromkeys(named))]) from None
    except UnicodeDecodeError:
        raise InvalidInput([Problem(field=ENV_FILE, problem="is not text in UTF-8")]) from None
    except OSError as error:
        raise InvalidInput([Problem(field=ENV_FILE, problem=f"cannot be read ({error.strerror})")]) from None
    if problems:
        raise InvalidInput(problems)
    return found


def _named(prefix: str, fault: Problem) -> tuple[str, str]:
    """Return the variable, and what is wrong with it or with one of its entries."""
    field, _, entry = fault.field.removesuffix(".[key]").partition(".")
    named = entry and not entry.isdecimal() and ENTRY_NAME.fullmatch(entry)
    return f"{prefix}{field.upper()}", f"{entry}: {fault.problem}" if named else fault.problem


def _misspelt() -> list[Problem]:
    """Return a problem for each variable with our prefix, in the environment or `.env`, that is not a setting."""
    kinds = (Settings, CodecSettings, WebSettings)
    known = {f"{kind.model_config['env_prefix']}{field.upper()}" for kind in kinds for field in kind.model_fields}
    given = sorted({name.upper() for name in (*os.environ, *DotEnvSettingsSource(Settings).env_vars)} - known)
    return [
        Problem(field=name, problem=f"is not a setting; the nearest name is {_nearest(name, known)}")
        for name in given
        if name.startswith(PREFIX) and not name.startswith(FOR_TESTS) and not _SERVICE_LINK.fullmatch(name)
    ]


def _nearest(name: str, known: set[str]) -> str:
    return get_close_matches(name, sorted(known), n=1, cutoff=0)[0]
