"""Keys of the HTTP API: `as_live_<id>_<secret>`. The secret has 256 random bits; only its SHA-256 is stored.

A key has scopes:

* `cases:write`: open cases
* `messages:NAME`, `messages:*`: send this message, or every message, to cases
* `reports`: send the reports of partners, `step-reported` and `satisfaction-reported`, and nothing else
* `read:LINE`, `read:*`: read the cases of this line, or of every line
* `webhooks`: manage webhooks
* `line:LINE`: everything that the key does is about cases of this line only

`read:LINE` also binds the key to its line. For a key that is bound to lines, cases of other lines do not exist.
"""

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from cases.errors import AfterSalesError, InvalidInput, Problem, printable, problems_of
from cases.inbox.messages import MESSAGES
from cases.text import NEW_INPUT, Signature
from encryption.vault import vault
from settings import Settings

if TYPE_CHECKING:
    from records import Records, StoredKey

PREFIX = "as_live"
_KEY = re.compile(rf"{PREFIX}_([a-z0-9]{{12}})_([A-Za-z0-9_-]{{43}})")
_ID_LETTERS = string.ascii_lowercase + string.digits
REPORTS = frozenset({"step-reported", "satisfaction-reported"})
"""The messages that the scope `reports` covers."""
WRITE, READ_ALL, MESSAGE_ALL, WEBHOOKS = "cases:write", "read:*", "messages:*", "webhooks"
PLAIN = (WRITE, READ_ALL, MESSAGE_ALL, "reports", WEBHOOKS)
"""Scopes without a name of a message or line."""
_NAME = TypeAdapter(Signature)


class TooManyKeys(AfterSalesError):
    """The client has two live keys."""


class NoSuchKey(AfterSalesError):
    """There is no live key with this id."""


@dataclass(frozen=True)
class Key:
    """A key that was presented, or is listed. `client` is the name under which its messages reach cases (`by`)."""

    key_id: str
    client: str
    scopes: frozenset[str]
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def lines(self) -> frozenset[str] | None:
        """The lines that the key is bound to; None: it is bound to none."""
        named = (scope.partition(":") for scope in self.scopes)
        return frozenset(line for kind, _, line in named if kind in ("read", "line") and line != "*") or None

    def covers(self, line: str | None) -> bool:
        """Return whether cases of a line exist for this key."""
        return self.lines is None or line in self.lines

    @property
    def reads(self) -> bool:
        """Whether the key may read cases."""
        return any(scope.startswith("read:") for scope in self.scopes)

    @property
    def writes(self) -> bool:
        """Whether the key may open cases."""
        return WRITE in self.scopes

    def sends(self, message: str) -> bool:
        """Return whether the key may send this message."""
        wanted = {MESSAGE_ALL, f"messages:{message}"} | ({"reports"} if message in REPORTS else set())
        return bool(wanted & self.scopes)

    @classmethod
    def of(cls, stored: "StoredKey") -> "Key":
        """Return a stored key."""
        scopes = frozenset(stored.scopes)
        return cls(stored.key_id, stored.client, scopes, stored.created_at, stored.last_used_at, stored.revoked_at)


def create(records: "Records", client: str, scopes: Iterable[str], lines: Collection[str]) -> str:
    """Store a new key, and return it: it cannot be shown again. `lines` are the known lines of business.

    Raises `InvalidInput` for faulty scopes or names, and `TooManyKeys`.
    """
    from records import StoredKey  # noqa: PLC0415 (slow to load)

    wanted = sorted(set(scopes))
    client = _checked(client, wanted, lines)
    key_id = "".join(secrets.choice(_ID_LETTERS) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    if not records.add_api_key(StoredKey(key_id, client, digest_of(secret), wanted, datetime.now(UTC), None, None)):
        raise TooManyKeys(
            f"{client} has two live keys already: revoke one (starter.py key list, starter.py key revoke KEY)"
        )
    return f"{PREFIX}_{key_id}_{secret}"


def revoke(records: "Records", key_id: str) -> None:
    """Revoke a key, by its id or by the whole key. It is refused from the next request on. Raises `NoSuchKey`."""
    whole = _KEY.fullmatch(key_id)
    key_id = whole[1] if whole else key_id.removeprefix(f"{PREFIX}_")
    if not records.revoke_api_key(key_id, datetime.now(UTC)):
        raise NoSuchKey(f"there is no live key {printable(key_id)}: starter.py key list shows all")


def presented(records: "Records", text: str) -> Key | None:
    """Return the live key that a request presents; None if there is no such key. Takes the same time for any secret."""
    found = _KEY.fullmatch(text)
    stored = records.api_key(found[1]) if found else None
    if not found or stored is None or stored.revoked_at is not None:
        return None
    return Key.of(stored) if hmac.compare_digest(digest_of(found[2]), stored.digest) else None


def digest_of(secret: str) -> str:
    """Return the digest that is stored. Secrets are long and random, so a plain SHA-256 is safe."""
    return hashlib.sha256(secret.encode()).hexdigest()


def opened(settings: Settings) -> "Records":
    """Open our database, and create it if it does not exist: keys may be needed before the first worker starts."""
    from records import Records  # noqa: PLC0415 (slow to load)

    return Records(settings.database_url, vault(settings))


def _checked(client: str, scopes: list[str], lines: Collection[str]) -> str:
    problems = [Problem(field="scope", problem=why) for scope in scopes if (why := _fault(scope, lines))]
    if not scopes:
        problems.append(Problem(field="scope", problem=f"is required: {', '.join(PLAIN)}, messages:NAME, read:LINE"))
    if READ_ALL in scopes and any(scope.startswith("read:") and scope != READ_ALL for scope in scopes):
        problem = f"{READ_ALL} and a single line exclude each other: to bind the key to a line, use line:LINE"
        problems.append(Problem(field="scope", problem=problem))
    try:
        client = _NAME.validate_python(client, context=NEW_INPUT)
    except ValidationError as error:
        problems += [Problem(field="client", problem=each.problem) for each in problems_of(error)]
    if problems:
        raise InvalidInput(problems)
    return client


def _fault(scope: str, lines: Collection[str]) -> str | None:
    kind, _, name = scope.partition(":")
    if scope in PLAIN:
        return None
    if kind == "messages":
        return None if name in MESSAGES else f"there is no message {printable(name)}; there are {', '.join(MESSAGES)}"
    if kind in ("read", "line"):
        return None if name in lines else f"there is no line {printable(name)}; there are {', '.join(sorted(lines))}"
    return f"there is no scope {printable(scope)}; there are {', '.join(PLAIN)}, messages:NAME, read:LINE, line:LINE"
