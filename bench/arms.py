"""An arm is a way to run the engine: settings laid over the usual ones, to learn what they are worth."""

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
    """An arm that cannot be understood."""


@dataclass(frozen=True)
class Arm:
    """A way to run the engine: settings by kind, laid over those of `embedded.py`; an empty value takes one away.

    `env`: environment variables; `worker`: arguments of the Temporal worker (`bench.varied_worker`);
    `server`: dynamic configuration, as JSON; `pragma`: of the server's SQLite file. `apart`: seconds from a step to its
    partner's first report, and from that to the next; where there are none, both mostly share one workflow task.
    """

    name: str
    workers: int = 1
    apart: float = 0.0
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """`no wal: pragma.journal_mode=delete worker.max_cached_workflows=100 workers=2`; raises `BadArm`."""
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
                raise BadArm(f"{word!r} of arm {name!r} is no setting: {HOW}")
        if not colon or not name.strip():
            raise BadArm(f"{text!r} is no arm: {HOW}")
        return cls(name.strip(), workers, apart, settings)

    def of(self, kind: str) -> Mapping[str, str]:
        """The settings of one kind."""
        return self.settings.get(kind, {})


def encrypted() -> Arm:
    """The engine with its payloads encrypted, under a key that nobody keeps."""
    return Arm(ENCRYPTED, settings={"env": {KEYS: new_key("bench")}})
