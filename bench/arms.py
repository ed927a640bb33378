"""An arm is a configuration of the engine to be measured: settings that override the usual ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cases.errors import AfterSalesError
from encryption.keys import new_key

KEYS = "AFTER_SALES_ENCRYPTION_KEYS"
PLAIN, ENCRYPTED, BARE = "plain", "encrypted", "bare"
KINDS = ("env", "worker", "server", "pragma")
HOW = "write NAME: KIND.KEY=VALUE …, with the kinds env, worker, server and pragma, or workers=NUMBER or apart=SECONDS"
_NUMBER = re.compile(r"\d+(\.\d+)?")


class BadArm(AfterSalesError):
    """The text of an arm is invalid."""


@dataclass(frozen=True)
class Arm:
    """A configuration of the engine: settings by kind that override those of `embedded.py`. An empty value removes one.

    `env`: environment variables; `worker`: arguments of the Temporal worker (`bench.varied_worker`); `server`: dynamic
    configuration, as JSON; `pragma`: of the server's SQLite file. `apart`: seconds from a step to the partner's first
    report, and from that to the next. If it is 0, both reports usually share one workflow task.
    """

    name: str
    workers: int = 1
    apart: float = 0.0
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`no wal: pragma.journal_mode=delete worker.max_cached_workflows=100 workers=2`. Raises `BadArm`."""
        name, colon, rest = text.partition(":")
        settings: dict[str, dict[str, str]] = {}
        workers, apart = 1, 0.0
        for word in rest.split():
            place, equals, value = word.partition("=")
            kind, dot, key = place.partition(".")
            if place == "workers" and value.isdigit() and int(value):
                workers = int(value)
            elif place == "apart" and _NUMBER.fullmatch(value):
                apart = float(value)
            elif equals and dot and kind in KINDS:
                settings.setdefault(kind, {})[key] = value
            else:
                raise BadArm(f"{word!r} of arm {name!r} is not a setting: {HOW}")
        if not colon or not name.strip():
            raise BadArm(f"{text!r} is not an arm: {HOW}")
        return cls(name.strip(), workers, apart, settings)

    def of(self, kind: str) -> Mapping[str, str]:
        """Return the settings of one kind."""
        return self.settings.get(kind, {})


def encrypted() -> Arm:
    """Return an arm with encrypted payloads, under a new key that is not stored."""
    return Arm(ENCRYPTED, settings={"env": {KEYS: new_key("bench")}})
